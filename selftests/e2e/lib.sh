# shellcheck shell=bash
# What the end-to-end steps share: results as KTAP, and guests.
#
# A step begins with `begin NAME NUMBER`, which opens $LAB_OUT/NAME.ktap; it ends with its
# plan unfulfilled, and so as failed, if it does not get to all of its results.
# shellcheck disable=SC2034  # read by the steps
# shellcheck source=scripts/tap.sh
. /lab/tap.sh

guest=/lab/hvm.img
xen_run=/var/run/xen
# Emulation on a busy machine can be a hundred times slower than a real one: what waits gives up
# only when it would otherwise wait for ever. For a condition, in tries, and for a whole step, in seconds.
patience=${PATIENCE:-600}
limit=${LIMIT:-1800}
at=/tmp/at

# bounded: starts this step anew under timeout(1), which ends it with all that it has started. Nothing
# that a step calls can then hold up the run, and its log says what that was.
bounded() {
	local status=0
	[ -z "${BOUNDED:-}" ] || return 0
	BOUNDED=1 timeout --kill-after=60 "$limit" "$0" || status=$?
	case $status in
	124 | 137) echo "# ${0##*/}: ended after $limit s; it was waiting for: $(cat $at)" ;;
	esac
	[ $status = 0 ] || end_guests
	cp -r /var/log/xen "$LAB_OUT"
	exit $status
}

begin() {
	bounded
	tap_file=$LAB_OUT/$1.ktap
	echo 'KTAP version 1' >"$tap_file"
	tap_begin '' "$2"
	number=0 bad=0
}

# ok TITLE CMD...: one result
ok() {
	local title=$1
	shift
	number=$((number + 1))
	echo "$title: $*" >$at
	if "$@"; then
		tap_result 0 "$title"
		return 0
	fi
	note "failed: $title: $*"
	[ "$(cat $at)" = "$title: $*" ] || note "it came to: $(cat $at)"
	tap_result 1 "$title"
	bad=1
	return 1
}

# must TITLE CMD...: one result, without which the others make no sense
must() {
	ok "$@" || exit 1
}

note() {
	echo "$*" | tap_show
}

# is WANTED GOT
is() {
	[ "$1" = "$2" ] || { echo "wanted '$1', got '$2'"; return 1; }
}

# until_true CMD...: tries again until it is
until_true() {
	local tries=0
	echo "$*" >$at
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt $patience ] || { echo "# gave up after $tries tries: $*"; return 1; }
		sleep 1
	done
}

# --- guests -----------------------------------------------------------------

# A picture of what the operator would write, see dmop-qemu(8).
# config NAME [LINE...]
config() {
	local name=$1
	shift
	cat <<-END
		name = "$name"
		type = "hvm"
		memory = 64
		vcpus = 1
		vga = "stdvga"
		videoram = 16
		vnc = 0
		serial = "file:$LAB_OUT/$name.serial"
		disk = [ "format=raw,vdev=xvda,access=rw,backendtype=qdisk,target=$guest" ]
		vkb_device = 0
		on_reboot = "destroy"
		dm_restrict = 1
	END
	printf '%s\n' "$@"
}

# confined NAME [LINE...]
confined() {
	config "$@" 'device_model_version = "qemu-xen"' 'device_model_override = "/usr/lib/dmop/dmop-qemu"'
}

# Without dmop-qemu. Xen 4.20 and QEMU 10 need what it repairs, or they do not start, see there.
stock() {
	case $LAB_RELEASE in
	bullseye | bookworm)
		config "$1"
		return
		;;
	esac
	cat >/tmp/stock-qemu <<-'END'
		#!/bin/sh
		ulimit -f unlimited
		case "$*" in
		*'-machine none'*) exec unshare --mount sh -c 'mount -t tmpfs none /var/run/xen; exec "$@"' sh /usr/libexec/xen-qemu-system-i386 "$@" ;;
		esac
		exec /usr/libexec/xen-qemu-system-i386 "$@"
	END
	chmod +x /tmp/stock-qemu
	config "$1" 'device_model_version = "qemu-xen"' 'device_model_override = "/tmp/stock-qemu"'
}

# create NAME: of the configuration on standard input; what xl says is kept
create() {
	cat >"/tmp/$1.cfg"
	: >"$LAB_OUT/$1.serial"
	xl create "/tmp/$1.cfg" >"$LAB_OUT/$1.xl" 2>&1 || {
		cat "$LAB_OUT/$1.xl" "/var/log/xen/qemu-dm-$1.log"
		return 1
	}
}

ready() {
	grep -q '^# ready' "$LAB_OUT/$1.serial"
}

# starts NAME LINE: a guest with this line in its configuration, up to where it waits for a key
starts() {
	confined "$@" | create "$1" && until_true ready "$1"
}

# pid_of NAME: its device model
pid_of() {
	xenstore-read "/local/domain/$(xl domid "$1")/image/device-model-pid"
}

# descriptors NAME: what its device model holds goes to $LAB_OUT/NAME.fds, one "NUMBER -> WHAT" a line
descriptors() {
	ls -l "/proc/$(pid_of "$1")/fd" | sed -n 's/.* \([0-9]* -> .*\)/\1/p' | sort -n >"$LAB_OUT/$1.fds"
}

# held NODE NAME: how many of them are of that node
held() {
	grep -c -- "-> $1\$" "$LAB_OUT/$2.fds" || :
}

# comparison: of the guests "stock" and "confined", whose descriptors have been looked at
comparison() {
	local node
	printf '  %-46s %12s %12s\n' 'what a QEMU with dm_restrict=1 holds' 'as it is' 'dmop-qemu'
	for node in /dev/xen/privcmd /dev/xen/dmop /dev/xen/evtchn; do
		printf '  %-46s %12s %12s\n' "$node" "$(held $node stock)" "$(held $node confined)"
	done
}

# takes_saved_state: QEMU 11 does not read the state of a guest from the descriptor of a file. xl of
# Xen 4.20 and before passes it so: then xl restore, xl migrate and a soft reset fail.
takes_saved_state() {
	! timeout "$patience" "$(/usr/lib/dmop/dmop-qemu --find)" -machine none -accel qtest -nodefaults -display none \
		-incoming fd:3 3</etc/hostname 2>&1 | grep -q 'migration to a file is not supported'
}

pid_gone() {
	[ ! -e "/proc/$1" ]
}

# press NAME KEY
press() {
	xl qemu-monitor-command "$1" "sendkey $2" >/dev/null
}

# qcow2 FILE [BACKING FORMAT]: an empty one of 256 MiB: its header, then a cluster each of 64 KiB for
# the table of reference counts, their block, and the first table
qcow2() {
	perl -e '
		my ($backing, $format) = (@ARGV, "", "");
		my $extensions = $format ? pack("NNa8", 0xe2792aca, length $format, $format) : "";
		$extensions .= pack("NN", 0, 0);
		my $at = $backing ? 72 + length $extensions : 0;
		my $header = pack("a4NQ>NNQ>NNQ>Q>NNQ>", "QFI\xfb", 2, $at, length $backing, 16,
			256 << 20, 0, 1, 3 << 16, 1 << 16, 1, 0, 0) . $extensions . $backing;
		print pack("a65536a65536a65536a65536", $header, pack("Q>", 2 << 16), pack("n4", 1, 1, 1, 1), "");
	' "${@:2}" >"$1"
}

# boots_from NAME [DISK...]: the line of the configuration with a boot disk of the guest's own, which
# no other QEMU has locked, and these
boots_from() {
	cp "$guest" "/lab/$1.img"
	printf "disk = [ 'format=raw,vdev=xvda,access=rw,backendtype=qdisk,target=/lab/%s.img'" "$1"
	shift
	[ $# = 0 ] || printf ", '%s'" "$@"
	echo ' ]'
}

# confined_to NAME: its device model reaches it alone
confined_to() {
	dmopctl verify "$(pid_of "$1")" >/tmp/verified || { note "$(cat /tmp/verified)"; return 1; }
	grep -q "bound to domain $(xl domid "$1")," /tmp/verified
}

# answers NAME KEY WORDS: pressed once, the guest prints that
answers() {
	press "$1" "$2" && until_true grep -q "^# $3" "$LAB_OUT/$1.serial"
}

# xl_says STATUS WORDS ARGUMENT...: so xl ends
xl_says() {
	local wanted=$1 words=$2 status=0
	shift 2
	timeout "$patience" xl "$@" >/tmp/xl.said 2>&1 || status=$?
	note "xl $*: $status, $(cat /tmp/xl.said)"
	[ $status = "$wanted" ] && { [ -z "$words" ] || grep -q -- "$words" /tmp/xl.said; }
}

# running NAME: neither paused nor in the middle of a save
running() {
	local state
	state=$(xl list "$1" 2>/dev/null | awk 'NR == 2 { print $5 }')
	[[ $state && $state != *[psdc]* ]]
}

# disk_lines NAME: how many answers about its large disk the guest has given
disk_lines() {
	grep -c '^# disk: ' "$LAB_OUT/$1.serial" || :
}

more_disk_lines() {
	[ "$(disk_lines "$1")" -gt "$2" ]
}

# uses_disk NAME KEY: the guest writes (w) or reads (r) the two places of its large disk, and finds
# there what it has written
uses_disk() {
	local before
	before=$(disk_lines "$1")
	press "$1" "$2"
	until_true more_disk_lines "$1" "$before" || return
	is '# disk: as written' "$(grep '^# disk: ' "$LAB_OUT/$1.serial" | tail -n 1)"
}

# gone NAME: no domain has that name, nor lingers without one
gone() {
	! xl domid "$1" >/dev/null 2>&1 && ! xl list | grep -q '(null)'
}

# end_guests: those that a step has left which failed must not fail the next; and how far had they come?
end_guests() {
	local name domid
	xl list | while read -r name domid _; do
		[[ $domid =~ ^[1-9] ]] || continue
		echo "# left behind: domain $domid, $name"
		tail -n 3 "$LAB_OUT/$name.serial" "/var/log/xen/qemu-dm-$name.log" 2>/dev/null
		xenctx "$domid" 2>&1 | head -n 2
		xl destroy "$domid"
	done
}

# --- the module and the kernel ----------------------------------------------

refcount() {
	cat /sys/module/dmop_privcmd/refcnt
}

unused() {
	[ "$(refcount)" = 0 ]
}

# Kernel messages that are of interest after a step: those of the module and of Xen's drivers. Not
# the line about refusals left out of the log, which dmopctl verify causes, nor those about the clock
# of a slow emulator, nor those of Linux 7 about each backend of a guest that has ended.
complaints() {
	dmesg --level emerg,alert,crit,err,warn | grep -iE 'dmop|privcmd|xen|BUG|WARNING' |
		grep -v 'loading out-of-tree\|module verification\|refusals: [0-9]* callbacks suppressed\|clocksource:\|device forcefully removed from xenstore'
}
