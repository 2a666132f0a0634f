# shellcheck shell=bash
# Splats: lines that must not be in a log.
# shellcheck disable=SC2154  # operands is set by options

# Only lines of the kernel or of Xen count, not the output of a step. Other text may stand before
# the stamp, because all share one console.
SPLAT_KERNEL='BUG:|BUG [a-z0-9_-]+ ?\(|kernel BUG at|WARNING:|Oops|general protection|Kernel panic|PANIC:|KASAN:|KCSAN:|KFENCE:|UBSAN:'
SPLAT_KERNEL+='|possible [a-zA-Z ]+ detected|INFO: possible|INFO: trying to register|bad unlock balance|suspicious RCU'
SPLAT_KERNEL+='|blocked for more than|detected (expedited )?stalls? on|hard LOCKUP'
SPLAT_KERNEL+='|refcount_t:|list_(add|del) corruption|kmemleak: [0-9]+ new|nobody cared'
SPLAT_XEN='Panic on CPU|Xen BUG at|Xen WARN at|FATAL|Assertion .* failed|domain_crash called|Domain [0-9]+ .*crashed|Dom0 crashed'
SPLAT_XEN+='|Triple fault|Watchdog timer fired'
SPLAT="\[ *[0-9]+\.[0-9]+\].*($SPLAT_KERNEL)|\(XEN\).*($SPLAT_XEN)"

# scan_expected FILE: dies if a line is no regexp, or would hide everything.
scan_expected() {
	local status=0
	[ -e "$1" ] || return 0
	printf '\nan ordinary line 1\n' | grep -qaE -f "$1" || status=$?
	[ $status -ne 0 ] || [ ! -s "$1" ] || die "$1 has a line that matches anything" "it would hide what is wrong; say what the line is like"
	[ $status -le 1 ] || die "$1 is no list of extended regexps"
}

# scan EXPECTED LOG...: prints each splat once; EXPECTED is a file of extended regexps, or nothing.
scan() {
	local expected=$1
	shift
	[ -s "$expected" ] || expected=/dev/null
	cat -- "$@" | tr -d '\r' | grep -aE -- "$SPLAT" | grep -avE -f "$expected" | awk '!seen[$0]++'
}

help_scan() {
	cat <<'END'
usage: lab scan [--expected FILE] LOG...

Prints the splats in logs of the kernel or of Xen, and fails if there is one. FILE has one
extended regexp a line, for expected splats.
END
}

cmd_scan() {
	local expected='' found
	options --expected=expected LOG... -- "$@"
	set -- "${operands[@]}"
	[ $# -gt 0 ] || usage_error "no log"
	for log in "$@"; do
		[ -r "$log" ] || die "cannot read $log"
	done
	scan_expected "$expected"
	found=$(scan "$expected" "$@" || :)
	[ -z "$found" ] || { printf '%s\n' "$found"; return 1; }
}
