# shellcheck shell=sh disable=SC2034
# What the steps of check-debug share. Sourced.

# The kernel's checkers are those of: lock, kasan, kcsan
checks=$(uname -r)
checks=${checks##*-dmop-}

has() { # FILE REGEXP
	grep -qE "$2" "$1" || { echo "$1 has no line '$2'"; return 1; }
}

# Twice: what was moved between registers and memory during one scan looks like a leak.
scan_leaks() {
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
}
