# shellcheck shell=bash
# Images, builders, modules and tools are built once for each state of their sources.
#
# build/lab/image/RELEASE-KEY/ (for arm64 arm64-RELEASE-KEY/) holds rootfs/ disk.img xen vmlinuz
# initramfs kver, and modules/KEY.tar for each state of the module's sources. A key is a hash of the
# sources, so a directory that exists is valid and is never changed.
# shellcheck disable=SC2034  # its results are read by the other parts

# list_packages LIST RELEASE: the names in LIST for that release
list_packages() {
	awk -v release="$2" '
		{ sub(/#.*/, "") }
		NF > 1 {
			name = $1; sub(/^[^[]*\[/, ""); sub(/\].*/, "")
			says_not = sub(/^!/, "")
			listed = index(" " $0 " ", " " release " ") > 0
			if (listed != says_not) print name
			next
		}
		NF { print $1 }' "$LAB_D/$1"
}

# image_packages [RELEASE]: the packages of its image; by default, of the image in the making
image_packages() {
	local list=packages
	[ "$ARCH" = amd64 ] || list+=-$ARCH
	# shellcheck disable=SC2154  # the release of image_build
	list_packages $list "${1:-$release}"
}

# image_name RELEASE
image_name() {
	if [ "$ARCH" = amd64 ]; then echo "$1"; else echo "$ARCH-$1"; fi
}

image_dir() {
	local key
	key=$({ echo "$1"; image_packages "$1"; cat "$LAB_D"/{image.sh,mkinitramfs,initramfs-init}; } | sha256sum | cut -c1-12)
	echo "$LAB_BUILD/image/$(image_name "$1")-$key"
}

# image_ensure RELEASE: sets IMAGE, builds it if there is none, and keeps it from being
# removed for as long as this process lives.
image_ensure() {
	local dir name fresh=${2:-}
	[ "$ARCH" = amd64 ] || foreign_ensure
	dir=$(image_dir "$1") name=$(image_name "$1")
	mkdir -p "$LAB_BUILD/image"
	exec 8>"$LAB_BUILD/image/$name.building"
	flock -n 8 || { stage "waiting for another build of $name"; flock 8; }
	if [ ! -d "$dir" ] || [ -n "$fresh" ]; then
		dirs_prune "$LAB_BUILD/image/$name"
		[ ! -d "$dir" ] || die "the image $dir is in use" "wait for the runs that use it, then again"
		image_build "$1" "$dir"
	fi
	exec 9<"$dir/lock"
	flock -s 9
	exec 8>&-
	IMAGE=$dir
}

# dirs_prune PREFIX: removes the directories PREFIX-*, but for those in use.
dirs_prune() {
	local dir
	for dir in "$1"-*; do
		[ -d "$dir" ] || continue
		if [ ! -e "$dir/lock" ] || flock -n "$dir/lock" true; then
			as_root rm -rf --one-file-system "$dir"
		fi
	done
}

# module_ensure: sets MODULE to a tar of the files that `dkms install` of the present sources, or an
# installation of their Debian packages, changes in the image.
module_ensure() {
	mkdir -p "$IMAGE/modules"
	exec 7>"$IMAGE/modules/building"
	flock -n 7 || { stage "waiting for another to build the module"; flock 7; }
	if [ -n "${PACKAGES:-}" ]; then packages_install; else dkms_install; fi
	exec 7>&-
}

dkms_install() {
	local key out log tmp
	[ -e "$REPO/dkms.conf" ] || die "no dkms.conf in $REPO" "use --no-module for a dom0 without the module"
	tmp=$(mktemp -d "$IMAGE/modules/tmp.XXXXXX")
	pack_sources "$tmp/sources.tar" dkms.conf module include
	key=$(cat "$tmp/sources.tar" "$LAB_D/dkms-install" | sha256sum | cut -c1-12)
	out=$IMAGE/modules/$key.tar
	if [ ! -e "$out" ]; then
		log=$LAB_BUILD/log/dkms-$(basename "$IMAGE")-$key.log
		stage "dkms install (log: $log)"
		mkdir "$tmp/sources"
		tar -C "$tmp/sources" -xf "$tmp/sources.tar"
		logged "$log" "dkms install failed" as_root "$LAB_D/in-rootfs" 0:0 "$IMAGE/rootfs" "$REPO" "$REPO" \
			"$LAB_D/dkms-install" "$tmp/sources" "$(cat "$IMAGE/kver")" "$tmp/module.tar"
		mv "$tmp/module.tar" "$out"
	fi
	rm -rf "$tmp"
	modules_prune "$out"
	MODULE=$out
}

# A developer makes many. The least recently used go first.
modules_prune() {
	local old
	touch "$1"
	# Another run may remove files meanwhile, and its own temporary directory.
	find "$IMAGE/modules" -ignore_readdir_race -maxdepth 1 -name '*.tar' -printf '%T@ %p\n' | sort -rn | tail -n +11 | cut -d' ' -f2- |
		while IFS= read -r old; do rm -f "$old"; done
}

packages_install() {
	local key out log tmp debs
	mkdir -p "$LAB_BUILD/packages"
	tmp=$(mktemp -d "$LAB_BUILD/packages/tmp.XXXXXX")
	pack_sources "$tmp/sources.tar" "${PACKAGE_SOURCES[@]}"
	key=$(cat "$tmp/sources.tar" "$LAB_D"/{deb-install,package-deb} | sha256sum | cut -c1-12)
	out=$IMAGE/modules/deb-$key.tar
	if [ ! -e "$out" ]; then
		log=$LAB_BUILD/log/deb-$(basename "$IMAGE")-$key.log
		debs=$("$REPO/scripts/package" deb --no-check --release "$RELEASE" --out "$tmp" 8>&- 9>&-)
		stage "apt install $(basename -a $debs | paste -sd" ") (log: $log)"
		# shellcheck disable=SC2086  # one word a name
		logged "$log" "the packages cannot be installed" as_root "$LAB_D/in-rootfs" 0:0 "$IMAGE/rootfs" "$REPO" "$REPO" \
			"$LAB_D/deb-install" "$(cat "$IMAGE/kver")" "$tmp/changed.tar" $debs
		mv "$tmp/changed.tar" "$out"
	fi
	rm -rf "$tmp"
	modules_prune "$out"
	MODULE=$out
}

# tools_ensure: sets TOOLS to a directory of programs compiled for dom0. Other runs may copy all of
# it at any time, so a program that is being compiled is not there.
tools_ensure() {
	local src=$LAB_D/create-domain.c key part
	key=$(sha256sum <"$src" | cut -c1-12)
	TOOLS=$IMAGE/tools/$key
	[ ! -e "$TOOLS/create-domain" ] || return 0
	part=$TOOLS.$BASHPID
	mkdir -p "$TOOLS"
	logged "$LAB_BUILD/log/tools.log" "$src does not build" as_root "$LAB_D/in-rootfs" "$(id -u):$(id -g)" \
		"$IMAGE/rootfs" "$REPO" "$REPO" gcc -O2 -Wall -Wextra -Werror -o "$part" "$src" -lxenlight -lxentoollog
	mv "$part" "$TOOLS/create-domain"
}
