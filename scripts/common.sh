# shellcheck shell=bash
# Shared by the scripts: messages, root, the command line, lanes. To be sourced.
# shellcheck disable=SC2034  # operands and boot_options are read by the scripts

# For messages: the name of the command, and the function that prints its usage
program=${0##*/} usage=usage

say() {
	printf '%s\n' "$*" >&2
}

# Timed lines count from the start of the command that a person typed.
stage() {
	printf '[%4ds] %s\n' "$SECONDS" "$*" >&2
}

# die CAUSE [REMEDY...]
die() {
	say "$program: $1"
	shift
	[ $# -eq 0 ] || printf '     %s\n' "$@" >&2
	exit 2
}

can_be_root() {
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null
}

# as_root CMD...
as_root() {
	can_be_root || die "this needs root, and there is no sudo" "run it as root, or install sudo"
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo -- "$@"
	fi
}

# --- the command line -------------------------------------------------------

# What most scripts that boot the lab take, for the variables release and dom0
boot_options=(--release=release --dom0=dom0:dom0)

# options SPEC... -- ARGUMENT...: sets variables from the options of a command line, and the
# array operands to the rest. SPEC is one of
#
#   --NAME=VARIABLE         an option with a value for VARIABLE
#   --NAME=VARIABLE:KIND    the same; KIND is number, arch (amd64 or arm64), dom0 (pv or pvh), dom0s
#                           (one or both), or empty, which permits an empty value
#   --NAME:VARIABLE=VALUE   an option without a value; it sets VARIABLE to VALUE
#   OPERAND                 one operand is permitted; OPERAND... permits any number
#
# "--" ends the options; -h and --help print the usage.
options() {
	# Names with an underscore, so that none hides a variable of the caller.
	local _operand='' _took
	local -a _specs=()
	operands=()
	while [ "$1" != -- ]; do
		case $1 in
		--*) _specs+=("$1") ;;
		*) _operand=$1 ;;
		esac
		shift
	done
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--)
			shift
			operands+=("$@")
			break
			;;
		-h | --help) "$usage"; exit ;;
		-?*)
			option_take "$@"
			shift "$_took"
			;;
		*)
			operands+=("$1")
			shift
			;;
		esac
	done
	case $_operand:${#operands[@]} in
	*...:* | *:0 | ?*:1) ;;
	:*) usage_error "what is '${operands[0]}'?" ;;
	*) usage_error "only one $_operand is possible, not '${operands[1]}' as well" ;;
	esac
}

# option_take ARGUMENT...: the first of them, an option; sets _took to the number of words
option_take() {
	local _spec _rest _variable
	for _spec in "${_specs[@]}"; do
		case $_spec in
		"$1":*)
			_rest=${_spec#"$1:"} _took=1
			printf -v "${_rest%%=*}" %s "${_rest#*=}"
			return
			;;
		"$1"=*)
			_rest=${_spec#"$1="} _took=2
			_variable=${_rest%%:*}
			[ $# -ge 2 ] || usage_error "$1 needs a value"
			option_check "$1" "$2" "${_rest#"$_variable"}"
			printf -v "$_variable" %s "$2"
			return
			;;
		esac
	done
	usage_error "what is '$1'?"
}

# option_check OPTION VALUE :KIND
option_check() {
	case $3 in
	:empty) ;;
	:number) [[ $2 =~ ^[0-9]+$ ]] || usage_error "$1 is '$2', and must be a number" ;;
	:arch) [[ $2 =~ ^(amd64|arm64)$ ]] || usage_error "$1 is '$2', and may be amd64 or arm64" ;;
	:dom0) [[ $2 =~ ^(pv|pvh)$ ]] || usage_error "$1 is '$2', and may be pv or pvh" ;;
	:dom0s) [[ $2 =~ ^(pv|pvh)(\ (pv|pvh))*$ ]] || usage_error "$1 is '$2', and may be pv, pvh or both" ;;
	*) [ -n "$2" ] || usage_error "$1 needs a value" ;;
	esac
}

# usage_error CAUSE: of the command line
usage_error() {
	say "$program: $1"
	"$usage" >&2
	exit 2
}

# --- lanes: the parts of a long check ---------------------------------------

lane() {
	printf '\n== %s (after %d s)\n' "$1" "$SECONDS"
}

# one TITLE NAME CMD...: the exit status of CMD as the one result in $out/NAME.tap, which is
# added to the array taps. Needs tap.sh.
one() {
	# shellcheck disable=SC2154  # out is the caller's
	local title=$1 file=$out/$2.tap status=0
	shift 2
	taps+=("$file")
	"$@" || status=$?
	(tap_result $status "$title"; tap_end) >"$file" || :
}
