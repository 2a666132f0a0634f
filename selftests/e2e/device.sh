#!/bin/bash
# Device models without privileges, and the PVH guests that they serve; for steps, after lib.sh.

fds_of() {
	ls -l "/proc/$1/fd"
}

# serving PID LOG: it says so; not if it has ended
serving() {
	grep -q '^serving' "$2" "$2.err" || pid_gone "$1"
}

# The device model, its options, what follows the domain, and the kernel of the guest
program=port_device device='' memory='' kernel=pvh

# begin_serving OPTION...: dmop-run's. Sets log, domid, pid.
begin_serving() {
	log=$LAB_OUT/$program$1${device// /}$memory.log
	printf '%s\n' 'name = "pvh"' 'type = "pvh"' "kernel = \"/lab/$kernel.elf\"" 'memory = 4' 'vcpus = 1' >/tmp/pvh.cfg
	must "a PVH guest is created, paused ($*${device:+ $device})" xl create -q -p /tmp/pvh.cfg
	domid=$(xl domid pvh)
	# shellcheck disable=SC2086  # one option or none
	dmop-run "$@" --domid "$domid" -- "/lab/$program" $device "$domid" $memory >"$log" 2>"$log.err" &
	pid=$!
	must 'the device model says that it serves' until_true serving "$pid" "$log"
	note "$(cat "$log" "$log.err")"
	must 'and is there' kill -0 "$pid"
}

# ends_with STATUS: the device model, before long
ends_with() {
	local status=0
	until_true pid_gone "$pid" || return
	wait "$pid" || status=$?
	note "$(tail -n 1 "$log")"
	note "$(tail -n 1 "$log.err")"
	is "$1" "$status"
}

# in_order: so says what the guest has sent
in_order() {
	[ "$kernel" = virtio ] || { grep -q '^texts 2 kicks 100 results 0x1f$' "$log"; return; }
	diff - "$log" <<-END
		hello, virtio
		a chain of two
		text across frames
		1234
		survived a loop
		survived a loop of one
		survived a next one beyond the queue
		survived a head beyond the queue
		survived an index beyond the queue
		survived an index in the past
		survived an address beyond memory
		survived a negative address
		survived an address that wraps
		survived a buffer that leaves memory
		survived more than 1 MiB
		survived the longest buffer
		survived the registers as a buffer
		survived a buffer to write
		survived an indirect one
		survived bad queues
		survived odd accesses
		the end
	END
}

serve() {
	begin_serving "$@"
	ok 'it has no capability' grep -q '^CapPrm:[[:space:]]*0*$' "/proc/$pid/status"
	ok 'it holds /dev/xen/dmop' eval 'fds_of $pid | grep -q /dev/xen/dmop'
	ok 'it does not hold the stock node' eval '! fds_of $pid | grep -q privcmd'
	ok 'the guest is let go' xl unpause pvh
	ok 'the device model ends well' ends_with 0
	ok 'the guest found everything in order' in_order
	ok 'the guest is gone' until_true gone pvh
}
