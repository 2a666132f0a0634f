#!/bin/sh
# header_test.sh UAPI_DIR: dmop.h stands alone, in every language it is for
#
# CC and CXX choose the compilers; clang is tried as well where it is installed.
set -u
uapi=$1
header=$uapi/xen/dmop.h
nr=0 failed=0
# The plan stands first in KTAP, so what is said is kept until all is known.
said=$(mktemp) || exit
trap 'rm -f "$said"' EXIT

result() { # OK|FAIL NAME
	nr=$((nr + 1))
	if [ "$1" = OK ]; then
		echo "ok $nr header: $2"
	else
		echo "not ok $nr header: $2"
		failed=$((failed + 1))
	fi
}

# The header, twice over, and nothing before it.
source_text() {
	cat <<-'END'
		#include <xen/dmop.h>
		#include <xen/dmop.h>
		struct dmop_info info;
		typedef char info_has_one_size[sizeof(struct dmop_info) == 80 ? 1 : -1];
	END
}

# compiles NAME COMPILER OPTION...
compiles() {
	name=$1
	shift
	# -I and not -isystem, which would hide the header's own warnings
	if out=$(source_text |
		"$@" -I "$uapi" -Wall -Wextra -Werror -fsyntax-only - 2>&1); then
		result OK "$name"
	else
		printf '%s\n' "$out" | sed 's/^/# /'
		result FAIL "$name"
	fi
}

includes_only() {
	others=$(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*//p' "$header" |
		grep -vxE '<linux/(types|ioctl)\.h>')
	if [ -z "$others" ]; then
		result OK "includes linux/types.h and linux/ioctl.h only"
	else
		printf '%s\n' "$others" | sed 's/^/# includes /'
		result FAIL "includes linux/types.h and linux/ioctl.h only"
	fi
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

# The kernel's headers are the same for 32 bits, but the compiler looks for them elsewhere.
thirty_two_bit() {
	dir=/usr/include/$("${CC:-cc}" -print-multiarch 2>/dev/null)
	compiles "32-bit caller" "${CC:-cc}" -x c -std=c99 -pedantic -m32 -isystem "$dir"
}

{
	includes_only
	every c c99
	every c c11
	every c++ c++98
	every c++ c++17
	thirty_two_bit
} >"$said"

echo "TAP version 13"
echo "1..$nr"
cat "$said"
echo "# Totals: pass:$((nr - failed)) fail:$failed xfail:0 xpass:0 skip:0 error:0"
[ "$failed" -eq 0 ]
