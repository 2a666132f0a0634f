# shellcheck shell=bash
# A dom0 kernel that is not the release's own: what scripts/debug-kernel builds.

# kernel_module_ensure KERNEL WANT ARGS: sets MODULE to the tar of the kernel's modules and,
# if WANT, the module built for it, with ARGS as further arguments to make. Its objects
# stay where they were built: what gcov brings home names them.
kernel_module_ensure() {
	local kernel=$1 want=$2 args=$3 kver key dir top tmp
	kver=$(cat "$kernel/kver") || die "no kernel in $kernel" "scripts/debug-kernel builds one"
	mkdir -p "$LAB_BUILD/kernel"
	tmp=$(mktemp "$LAB_BUILD/kernel/sources.XXXXXX")
	pack_sources "$tmp" dkms.conf module include
	key=$({ echo "$kernel $want $args"; cat "$tmp" "$LAB_D/kernel.sh"; } | sha256sum | cut -c1-12)
	dir=$LAB_BUILD/kernel/$kver-$key
	mkdir -p "$dir"
	mv "$tmp" "$dir/sources.tar"
	MODULE=$dir/module.tar
	exec 7>"$dir/lock"
	flock 7
	if [ ! -e "$MODULE" ]; then
		top=$dir/top
		rm -rf "$top" "$dir/src"
		mkdir -p "$top/usr/lib/modules" "$dir/src"
		ln -s usr/lib "$top/lib"
		cp -r "$kernel/staged/lib/modules/$kver" "$top/usr/lib/modules"
		rm -f "$top/usr/lib/modules/$kver/"{build,source}
		if [ -n "$want" ]; then
			stage "module for $kver (log: $dir/log)"
			tar -C "$dir/src" -xf "$dir/sources.tar"
			# shellcheck disable=SC2086  # words are what is meant
			logged "$dir/log" "the module does not build for $kver" \
				make -C "$kernel/build" M="$dir/src/module" $args modules
			install -D -m 644 -t "$top/usr/lib/modules/$kver/updates" "$dir/src/module/dmop_privcmd.ko"
		fi
		logged "$dir/depmod.log" "depmod failed" /sbin/depmod -b "$top" "$kver"
		rm "$top/lib"
		tar -C "$top" --owner=0 --group=0 --sort=name -cf "$MODULE.part" .
		rm -r "$top"
		mv "$MODULE.part" "$MODULE"
	fi
	exec 7>&-
}
