# shellcheck shell=bash
# The builder: a release's compilers and the headers of its kernels, without the kernels.
# This file is part of the builder's key: a change here builds it again.
# shellcheck disable=SC2034  # its results are read by others

# builder_kernels RELEASE: the packages whose headers it has
builder_kernels() {
	echo linux-headers-amd64 linux-headers-rt-amd64 linux-headers-cloud-amd64
	# Updates of bullseye for arm64 are listed by mirrors that do not have them.
	[ "$1" = bullseye ] || echo linux-headers-arm64
	# No earlier release has a kernel with pages of 16 KiB.
	case $1 in trixie | sid) echo linux-headers-arm64-16k ;; esac
}

# builder_ensure RELEASE: sets BUILDER to the builder's root, builds it if there is none, and
# keeps it from being removed for as long as this process lives.
builder_ensure() {
	local key dir
	key=$({ echo "$1"; list_packages builder-packages "$1"; cat "$LAB_D/builder.sh" "$LAB_D/builder-headers"; } |
		sha256sum | cut -c1-12)
	dir=$LAB_BUILD/builder/$1-$key
	mkdir -p "$LAB_BUILD/builder"
	exec 8>"$LAB_BUILD/builder/$1.building"
	flock -n 8 || { stage "waiting for another to build the $1 builder"; flock 8; }
	if [ ! -d "$dir" ]; then
		dirs_prune "$LAB_BUILD/builder/$1"
		builder_build "$1" "$dir"
	fi
	exec 9<"$dir/lock"
	flock -s 9
	exec 8>&-
	BUILDER=$dir/rootfs
}

builder_build() {
	local release=$1 dir=$2 tmp=$2.part log=$LAB_BUILD/log/builder-$1.log
	need mmdebstrap
	stage "building the $release builder (a minute or two, and about 1 GB): $log"
	as_root rm -rf --one-file-system "$tmp"
	mkdir -p "$tmp"
	image_mirror "$release" "$tmp"
	# shellcheck disable=SC2016  # expanded by mmdebstrap
	logged "$log" "mmdebstrap could not build $release" \
		as_root unshare --mount env PATH="$DEBIAN_PATH" mmdebstrap --mode=root --variant=minbase --architectures=amd64,arm64 \
		--aptopt="$tmp/apt.conf" --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook="cp '$LAB_D/builder-headers' \"\$1/tmp\"" \
		--customize-hook="chroot \"\$1\" /tmp/builder-headers $(builder_kernels "$release" | paste -sd" ")" \
		--customize-hook='rm "$1/tmp/builder-headers"' \
		--include="$(list_packages builder-packages "$release" | paste -sd,)" \
		"$release" "$tmp/rootfs" "$tmp/sources.list"
	touch "$tmp/lock"
	mv "$tmp" "$dir"
}
