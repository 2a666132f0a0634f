# shellcheck shell=bash
# The payload: a tar on a disk of its own, unpacked over the image in dom0.

guest_build() {
	GUEST=$LAB_BUILD/guest/idle.elf
	[ "$ARCH" = amd64 ] || GUEST=$LAB_BUILD/guest/idle.$ARCH
	logged "$LAB_BUILD/log/guest.log" "the test guest does not build" \
		flock "$LAB_BUILD/image" make -C "$REPO/selftests/guest" OUT="$LAB_BUILD/guest" "$GUEST"
}

# payload_pack DIR: makes OUT/payload.tar of DIR (or nothing), the lab's own programs, the test
# guest and the module.
payload_pack() {
	local top=$OUT/payload lib bin
	rm -rf "$top"
	mkdir -p "$top"
	[ -z "${MODULE:-}" ] || tar -C "$top" -xf "$MODULE"
	guest_build
	tools_ensure
	lib=$top/usr/local/lib/lab bin=$top/usr/local/bin
	mkdir -p "$lib" "$bin" "$top/lab/out"
	cp "$LAB_D"/dom0/* "$lib"
	mv "$lib"/lab-* "$bin"
	cp "$GUEST" "$lib/guest.elf"
	cp "$TOOLS"/* "$lib"
	ln -s lab-poweroff "$bin/poweroff"
	ln -s lab-poweroff "$bin/reboot"
	[ -z "$1" ] || cp -rL "$1/." "$top/lab"
	tar -C "$top" --owner=0 --group=0 --sort=name -cf "$OUT/payload.tar" .
	rm -rf "$top"
}
