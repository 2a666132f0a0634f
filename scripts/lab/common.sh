# shellcheck shell=bash
# Shared by all parts of the lab: where things are, logs, the sources of packages.
# shellcheck disable=SC2034  # read by the other parts

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_D=$REPO/scripts/lab
LAB_BUILD=$REPO/build/lab
# Where Debian's own programs are. A Python of the user's that is started by a shell script costs a
# minute for the packages of an image.
DEBIAN_PATH=/usr/sbin:/usr/bin:/sbin:/bin

# shellcheck source=scripts/common.sh
. "$REPO/scripts/common.sh"

# The architecture of dom0: amd64 or arm64
ARCH=amd64

# Options of both run and shell
machine_options=(--arch=ARCH:arch --release=RELEASE --dom0=DOM0:dom0 --mem=MEM:number --smp=SMP:number)

need() {
	command -v "$1" >/dev/null || die "$1 is not installed" "scripts/setup lab"
}

# foreign_ensure: this machine's kernel runs programs for arm64 in QEMU. Where systemd does not do it,
# nobody has registered QEMU for them.
foreign_ensure() {
	local misc=/proc/sys/fs/binfmt_misc conf=/usr/lib/binfmt.d/qemu-aarch64.conf
	[ ! -e $misc/qemu-aarch64 ] || return 0
	[ -e $conf ] || die "programs for arm64 do not run here" "scripts/setup arm64"
	[ -e $misc/register ] || as_root mount -t binfmt_misc binfmt_misc $misc
	as_root cp $conf $misc/register
}

# logged LOG CAUSE CMD...: quiet on success, the end of the log on failure.
logged() {
	local log=$1 cause=$2
	shift 2
	mkdir -p "$(dirname "$log")"
	# mmdebstrap lets a shell write to a descriptor that must have one digit.
	"$@" >"$log" 2>&1 </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- && return
	tail -n 25 "$log" | sed 's/^/  | /' >&2
	die "$cause" "the whole log: $log"
}

# The sources of packages
PACKAGE_SOURCES=(dkms.conf module include tools docs packaging debian rpm README.md SECURITY.md
	CHANGELOG.md LICENSE)

# pack_sources TAR PATH...: packs PATH... of the repository, without the products of a build. The
# same sources give the same bytes.
pack_sources() {
	local tar=$1
	shift
	tar -C "$REPO" -cf "$tar" --sort=name --mtime=@0 --owner=0 --group=0 --mode=go=rX,u+rw \
		--exclude='.*' --exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' \
		--exclude=modules.order --exclude=Module.symvers "$@"
}
