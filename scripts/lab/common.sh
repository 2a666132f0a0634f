# shellcheck shell=bash
# What every part of the lab shares: where things are, how it speaks, how it becomes root.
# shellcheck disable=SC2034  # read by the other parts

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_D=$REPO/scripts/lab
LAB_BUILD=$REPO/build/lab

say() {
	printf '%s\n' "$*" >&2
}

# Timed lines count from the start of the command a person typed.
stage() {
	printf '[%4ds] %s\n' "$SECONDS" "$*" >&2
}

# die CAUSE [REMEDY...]
die() {
	printf 'lab: %s\n' "$1" >&2
	shift
	[ $# -eq 0 ] || printf '     %s\n' "$@" >&2
	exit 2
}

need() {
	command -v "$1" >/dev/null || die "$1 is not installed" "scripts/setup lab"
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -- "$@"
	else
		die "this needs root, and there is no sudo" "run it as root, or install sudo"
	fi
}

# logged LOG CAUSE CMD...: quiet on success, the end of the log on failure.
logged() {
	local log=$1 cause=$2
	shift 2
	mkdir -p "$(dirname "$log")"
	"$@" >"$log" 2>&1 </dev/null && return
	tail -n 25 "$log" | sed 's/^/  | /' >&2
	die "$cause" "the whole log: $log"
}

# What packages are made of.
PACKAGE_SOURCES=(dkms.conf module include tools docs packaging debian rpm README.md LICENSE)

# pack_sources TAR PATH...: of the repository, without what a build left beside them, and the same
# bytes for the same sources.
pack_sources() {
	local tar=$1
	shift
	tar -C "$REPO" -cf "$tar" --sort=name --mtime=@0 --owner=0 --group=0 --mode=go=rX,u+rw \
		--exclude='.*' --exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' \
		--exclude=modules.order --exclude=Module.symvers "$@"
}
