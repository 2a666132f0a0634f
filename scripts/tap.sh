# shellcheck shell=sh
# Prints test results in TAP, the Test Anything Protocol. To be sourced, by sh and by bash; a step
# in dom0 has it in its payload. scripts/tally adds up the results.
#
#   tap_begin ROOM [PLAN]          "ROOM: " stands before each title; a known plan comes first
#   tap_result STATUS TITLE [LOG]  one result; STATUS 0 is a success, LOG tells about a failure
#   tap_ok TITLE CMD...            one result: the exit status of CMD
#   tap_not_applicable TITLE       one result that this architecture cannot have
#   tap_include FILE               the results in FILE, numbered on
#   tap_show [FILE]                FILE or standard input as comments, without its middle if long
#   tap_end                        the plan, unless it came first; fails if one result did
#
# Comments come before their result, and the kernel's KTAP does the same. With tap_file set, all
# output is appended to that file too.

tap_room='' tap_file='' tap_plan='' tap_number=0 tap_failed=0

tap_print() {
	if [ -n "$tap_file" ]; then
		tee -a "$tap_file"
	else
		cat
	fi
}

tap_begin() {
	tap_room=${1:+$1: } tap_plan=${2:-} tap_number=0 tap_failed=0
	[ -z "$tap_plan" ] || echo "1..$tap_plan" | tap_print
}

tap_show() {
	awk '{ line[NR] = $0 }
		END {
			for (i = 1; i <= NR; i++)
				if (NR <= 60 || i <= 30 || i > NR - 30) print "# " line[i]
				else if (i == 31) print "# [" NR - 60 " more lines]"
		}' "$@" | tap_print
}

tap_result() {
	tap_number=$((tap_number + 1))
	if [ "$1" = 0 ]; then
		printf '%s\n' "ok $tap_number - $tap_room$2" | tap_print
		return 0
	fi
	tap_failed=$((tap_failed + 1))
	[ -z "${3:-}" ] || tap_show "$3"
	printf '%s\n' "not ok $tap_number - $tap_room$2" | tap_print
}

tap_ok() {
	tap_title=$1 tap_status=0
	shift
	tap_log=$(mktemp) || return
	"$@" >"$tap_log" 2>&1 </dev/null || tap_status=$?
	tap_result "$tap_status" "$tap_title" "$tap_log"
	rm -f "$tap_log"
}

tap_not_applicable() {
	tap_number=$((tap_number + 1))
	printf '%s\n' "ok $tap_number - $tap_room# SKIP not applicable to the architecture: $1" | tap_print
}

tap_include() {
	tap_planned=$(sed -n 's/^1\.\.//p' "$1")
	tap_here=$(grep -cE '^(not )?ok ' "$1" || :)
	[ "$tap_here" = 0 ] || awk -v n="$tap_number" '
		/^(not )?ok / { sub(/ok [0-9]+/, "ok " ++n) }
		!/^1\.\./' "$1" | tap_print
	tap_number=$((tap_number + tap_here))
	tap_failed=$((tap_failed + $(grep -c '^not ok ' "$1" || :)))
	[ "$tap_planned" = "$tap_here" ] ||
		tap_result 1 "${1##*/}: $tap_here results, and ${tap_planned:-none} planned" "$1"
}

tap_end() {
	if [ -z "$tap_plan" ]; then
		tap_plan=$tap_number
		echo "1..$tap_plan" | tap_print
	fi
	[ "$tap_failed" = 0 ] && [ "$tap_plan" = "$tap_number" ]
}
