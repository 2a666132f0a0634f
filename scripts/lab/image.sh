# shellcheck shell=bash
# Builds the image: a release's root file system, and what a boot takes from it.
# This file is part of the image's key: a change here builds it again.

# Lines for sources.list, made from where this machine itself gets Debian's packages.
image_sources() {
	local release=$1 site suite suffix found=
	if [ -n "${LAB_MIRROR:-}" ]; then
		echo "deb $LAB_MIRROR $release main"
		return
	fi
	# shellcheck disable=SC2016  # apt expands these
	while read -r site suite; do
		suffix=${suite#"${suite%%-*}"}
		suite=$release$suffix
		# Not every release has a security or an updates suite.
		[ -z "$suffix" ] || /usr/lib/apt/apt-helper download-file \
			"$site/dists/$suite/Release" "$LAB_BUILD/probe-Release" >/dev/null 2>&1 || continue
		[ -n "$suffix" ] || found=1
		echo "deb $site $suite main"
	done < <(apt-get indextargets --format '$(SITE) $(RELEASE)' \
		'Created-By: Packages' 'Component: main' 'Origin: Debian' | sort -u)
	rm -f "$LAB_BUILD/probe-Release"
	[ -n "$found" ]
}

# image_mirror RELEASE DIR: writes DIR/sources.list and DIR/apt.conf, for mmdebstrap
image_mirror() {
	image_sources "$1" >"$2/sources.list" || die "apt knows no Debian mirror on this machine" \
		"run apt-get update, or name one: LAB_MIRROR=URL"
	# How this machine reaches its mirrors (proxies, retries), not what it makes of them.
	apt-config dump --no-empty --format '%f "%v";%n' Acquire |
		grep -E '^Acquire::(http|https|ftp|Retries|Force|Queue)' >"$2/apt.conf" || :
	# A mirror frozen at a date serves release files that are past theirs.
	echo 'Acquire::Check-Valid-Until "false";' >>"$2/apt.conf"
}

image_build() {
	local release=$1 dir=$2 tmp log include kver
	log=$LAB_BUILD/log/image-$(image_name "$release").log
	need mmdebstrap
	need mke2fs
	stage "building the $(image_name "$release") image (a minute or two, and about 2 GB): $log"
	include=$(image_packages | paste -sd,)
	tmp=$dir.part
	as_root rm -rf --one-file-system "$tmp"
	mkdir -p "$tmp"
	image_mirror "$release" "$tmp"
	"image_rootfs_$ARCH"

	kver=$(image_pick "$tmp/rootfs/boot" 'vmlinuz-*')
	kver=${kver##*/vmlinuz-}
	[ -d "$tmp/rootfs/usr/src/linux-headers-$kver" ] ||
		die "$release has no headers for its kernel $kver" "is linux-headers-$ARCH in step with linux-image-$ARCH on the mirror?"
	echo "$kver" >"$tmp/kver"
	as_root cat "$tmp/rootfs/boot/vmlinuz-$kver" >"$tmp/vmlinuz"
	# Debian compresses it for amd64 only.
	zcat -f "$(find "$tmp/rootfs/boot" -regex '.*/xen-[0-9.]+-\(amd64\.gz\|arm64\)' | sort -V | tail -n 1)" >"$tmp/xen"
	stage "initramfs and disk"
	logged "$log.initramfs" "no initramfs for $release" as_root "$LAB_D/in-rootfs" "$(id -u):$(id -g)" \
		"$tmp/rootfs" "$REPO" "$REPO" "$LAB_D/mkinitramfs" "$kver" "$LAB_D/initramfs-init" "$tmp/initramfs"
	logged "$log.disk" "no disk for $release" as_root mke2fs -q -t ext4 -O ^has_journal -m 0 \
		-d "$tmp/rootfs" "$tmp/disk.img" 4g
	as_root chown "$(id -u):$(id -g)" "$tmp/disk.img"
	touch "$tmp/lock"
	mv "$tmp" "$dir"
}

# Part of image_build, with its variables.
# unshare: whatever mmdebstrap mounts goes with it, even if it is killed.
# DEBIAN_PATH: mmdebstrap starts a Python program for each package.
# INITRD: the lab makes its own initramfs, and the distribution's would take a minute.
# The user is the one that xl starts restricted device models as.
# shellcheck disable=SC2016  # expanded by mmdebstrap
image_rootfs_amd64() {
	logged "$log" "mmdebstrap could not build $release" \
		as_root unshare --mount env INITRD=No PATH="$DEBIAN_PATH" mmdebstrap --mode=root --variant=minbase --architectures=amd64 \
		--aptopt="$tmp/apt.conf" --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook='chroot "$1" useradd --system --no-create-home xen-qemuuser-shared' \
		--include="$include" "$release" "$tmp/rootfs" "$tmp/sources.list"
}

# As above. The packages are unpacked and not configured: dpkg and the packages' own scripts would run
# under emulation for a quarter of an hour. The hook does what a dom0 of the lab needs of their work,
# and removes most of the kernel's modules: depmod runs under emulation, for each state of the module.
# shellcheck disable=SC2016  # expanded by the shells of the hook
image_rootfs_arm64() {
	logged "$log" "mmdebstrap could not build $release" \
		as_root unshare --mount env PATH="$DEBIAN_PATH" mmdebstrap --mode=root --variant=extract --architectures=arm64 \
		--aptopt="$tmp/apt.conf" --include='?essential' --include="$include" --extract-hook='chroot "$1" sh -ec "
			for name in passwd group; do cp /usr/share/base-passwd/\$name.master /etc/\$name; done
			rm -rf /var/run
			ln -s /run /var/run
			ln -s mawk /usr/bin/awk
			ln -s gcc /usr/bin/cc
			ln -s which.debianutils /usr/bin/which
			ldconfig
			cd /lib/modules/*/kernel
			rm -rf net sound
			find drivers -mindepth 1 -maxdepth 1 ! -name block ! -name virtio ! -name xen -exec rm -r {} +
			cd ..
			depmod \${PWD##*/}
			rm -rf /usr/share/man /usr/share/doc /usr/share/locale"' \
		"$release" "$tmp/rootfs" "$tmp/sources.list"
}

# The newest of the files that match: a mirror in between may bring two.
image_pick() {
	find "$1" -name "$2" | sort -V | tail -n 1
}
