# shellcheck shell=bash
# A boot with a shell. Xen and the kernel write to a log; the terminal is a virtio console of its
# own, so no message disturbs the prompt.
# shellcheck disable=SC2034,SC2154  # the options are read by the other parts

help_shell() {
	cat <<'END'
usage: lab shell [--arch amd64|arm64] [--release NAME] [--dom0 pv|pvh] [--mem MIB] [--smp N] [--no-module] [PAYLOAD]

Boots Xen in QEMU and gives a root shell in dom0, with the module loaded and what PAYLOAD
holds in /lab. Ctrl-C goes to dom0; exit or poweroff ends the emulator, and Ctrl-] x
kills it.
END
}

cmd_shell() {
	local RELEASE=bookworm DOM0='' MEM=3072 SMP='' XEN='' OUT XEN_ARGS='' LINUX_ARGS='' QEMU_ARGS='' FIRMWARE='' LAB_ARGS
	local module=load payload='' status=0
	options "${machine_options[@]}" --no-module:module=none PAYLOAD -- "$@"
	payload=${operands[0]:-}
	qemu_dom0
	if [ ! -t 0 ] || [ ! -t 1 ]; then
		die "lab shell needs a terminal" "for steps without a person there is lab run"
	fi
	image_ensure "$RELEASE"
	[ "$module" = none ] || module_ensure
	mkdir -p "$LAB_BUILD/runs"
	OUT=$(mktemp -d "$LAB_BUILD/runs/shell.XXXXXX")
	payload_pack "$payload"
	truncate -s 1M "$OUT/results.img"
	mkfifo "$OUT/size"
	LAB_ARGS="lab.mode=shell lab.release=$RELEASE lab.module=$module lab.term=${TERM:-xterm}"
	LAB_ARGS+=" lab.rows=$(stty size | cut -d' ' -f1) lab.columns=$(stty size | cut -d' ' -f2)"
	qemu_command "file:$OUT/serial.log"
	QEMU+=(-device "virtio-serial-pci$VIRTIO" -echr 0x1d -chardev 'stdio,id=person,mux=on,signal=off'
		-mon person -device 'virtconsole,chardev=person'
		-chardev "pipe,id=size,path=${OUT//,/,,}/size" -device 'virtserialport,chardev=size,name=lab.size')
	stage "boot $RELEASE, dom0 $DOM0, $ACCEL (about half a minute; what Xen and dom0 say: $OUT/serial.log)"
	shell_boot || status=$?
	if grep -q 'lab: shell' "$OUT/serial.log"; then
		rm -r "$OUT"
		return 0
	fi
	tail -n 15 "$OUT/serial.log" | tr -d '\r' | sed 's/^/  | /' >&2
	die "dom0 did not come up (emulator's exit status $status)" "the whole log: $OUT/serial.log"
}

shell_boot() {
	local saved status=0 progress
	saved=$(stty -g)
	: >"$OUT/serial.log"
	exec 4<>"$OUT/size"
	# A killed emulator does not restore the settings of the terminal.
	# shellcheck disable=SC2064  # the settings of now
	trap "stty '$saved' 2>/dev/null; rm -r '$OUT'" EXIT
	trap 'exit 129' HUP TERM
	setpriv --pdeathsig KILL "${QEMU[@]}" <&0 9<&- &
	qemu_pid=$!
	trap 'stty size >&4' WINCH
	shell_progress &
	progress=$!
	# A changed window interrupts wait.
	while kill -0 "$qemu_pid" 2>/dev/null; do
		wait "$qemu_pid" || status=$?
	done
	trap - WINCH
	kill "$progress" 2>/dev/null || :
	exec 4>&-
	stty "$saved"
	trap - EXIT HUP TERM
	return "$status"
}

shell_progress() {
	local line
	while IFS= read -r line; do
		[[ $line != *'lab: shell'* ]] || break
		run_progress "$line"
	done < <(exec tail -n +1 -s 0.2 -f --pid="$qemu_pid" "$OUT/serial.log")
}
