#!/bin/sh
# header_test.sh UAPI_DIR: dmop.h stands alone, in every language it is for
#
# CC and CXX choose the compilers; clang is tried as well where it is installed.
set -u
uapi=$1
header=$uapi/xen/dmop.h
# shellcheck source=scripts/tap.sh
. "$(dirname "$0")/../../scripts/tap.sh"
tap_begin header
source=$(mktemp) || exit
trap 'rm -f "$source"' EXIT

# The header, twice over, and nothing before it.
cat >"$source" <<'END'
#include <xen/dmop.h>
#include <xen/dmop.h>
struct dmop_info info;
struct dmop_answer answer;
struct dmop_kick kick;
typedef char info_has_one_size[sizeof(struct dmop_info) == 200 ? 1 : -1];
typedef char answer_has_one_size[sizeof(struct dmop_answer) == 24 ? 1 : -1];
typedef char kick_has_one_size[sizeof(struct dmop_kick) == 48 ? 1 : -1];
END

# compiles NAME COMPILER OPTION...
compiles() {
	name=$1
	shift
	# -I and not -isystem, which would hide the header's own warnings
	tap_ok "$name" "$@" -I "$uapi" -Wall -Wextra -Werror -fsyntax-only "$source"
}

includes_only() {
	others=$(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*//p' "$header" |
		grep -vxE '<linux/(types|ioctl)\.h>')
	[ -z "$others" ] || printf 'includes %s\n' "$others" | tap_show
	[ -z "$others" ]
	tap_result $? 'includes linux/types.h and linux/ioctl.h only'
}

# every LANGUAGE STANDARD: with each compiler that is there
every() {
	case $1 in
	c) set -- "$1" "$2" "${CC:-cc}" clang ;;
	*) set -- "$1" "$2" "${CXX:-c++}" clang++ ;;
	esac
	lang=$1 std=$2
	shift 2
	for compiler; do
		command -v "$compiler" >/dev/null || continue
		compiles "$std, $compiler" "$compiler" -x "$lang" -std="$std" -pedantic
	done
}

# The kernel's headers are the same for 32 bits, but the compiler looks for them elsewhere. That of
# arm64 compiles for 64 bits only.
thirty_two_bit() {
	[ "$(uname -m)" = x86_64 ] || { tap_not_applicable "32-bit caller"; return; }
	dir=/usr/include/$("${CC:-cc}" -print-multiarch 2>/dev/null)
	compiles "32-bit caller" "${CC:-cc}" -x c -std=c99 -pedantic -m32 -isystem "$dir"
}

includes_only
every c c99
every c c11
every c++ c++98
every c++ c++17
thirty_two_bit
tap_end
