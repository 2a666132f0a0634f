# shellcheck shell=bash
# A boot with a verdict. Failure is the default: a run passes only if the verdict comes back on its
# own disk, is complete, has status 0 for every step, and no log has a splat.
# shellcheck disable=SC2034,SC2154  # the options are read by the other parts

help_run() {
	cat <<'END'
usage: lab run [OPTIONS] PAYLOAD

Boots Xen in QEMU with PAYLOAD as /lab in dom0 and runs PAYLOAD/steps/* there in sorted
order. Passes (exit 0) if every step did and no log has a splat; a run that failed
exits 1, one that could not start 2.

  --arch amd64|arm64 architecture of dom0 (amd64); arm64 needs trixie or later, and scripts/setup arm64
  --release NAME     Debian release of dom0 (bookworm)
  --dom0 pv|pvh      kind of dom0 (pv); amd64 only
  --mem MIB          memory of the machine, half of which is dom0's (3072)
  --smp N            processors (2; 1 under a PVH dom0 that is emulated)
  --xen FILE         a Xen that is not the release's own
  --secure-boot      UEFI starts Xen, and takes none that is not signed; PV only
  --icount           count instructions: the TSC is their number; emulation, one processor
  --timeout S        the run is killed after so many seconds (3600)
  --out DIR          where results go (build/lab/runs/TITLE)
  --title T          what this run is called (the name of PAYLOAD)
  --kernel DIR       a kernel that scripts/debug-kernel built, and the module built for it
  --make ARGS        more for make, when it builds that module
  --no-module        dom0 without the module
  --packages         dom0 with what the Debian packages install, not with the tree's module
  --no-load          module installed but not loaded
  --early            module loaded before there is a XenStore
  --xen-args ARGS    more for Xen's command line
  --linux-args ARGS  more for dom0's kernel command line
  --qemu-args ARGS   more for QEMU's command line

PAYLOAD
  steps/NN-name           executable, runs in /lab as root with LAB_OUT, LAB_RELEASE, LAB_DOM0
                          and LAB_ACCEL set. A step that fails does not stop those after it,
                          unless its name ends in .required.
                          One whose name ends in .plants makes the kernel complain on purpose:
                          logs are judged up to the first of these.
  expected-splats         optional: extended regexps, one a line, for log lines that are meant
  anything else           comes along

DIR
  verdict                 "STEP STATUS SECONDS" lines, then "result pass" or "result fail WHY"
  out/NN-name.log         each step's output; and what else steps wrote to $LAB_OUT
  serial.log dmesg xl-dmesg qemu.log splats
END
}

cmd_run() {
	local RELEASE=bookworm DOM0='' MEM=3072 SMP='' TIMEOUT=3600 OUT='' TITLE='' XEN_ARGS='' LINUX_ARGS='' QEMU_ARGS=''
	local module=load payload='' icount='' LAB_ARGS PACKAGES=''
	local XEN='' KERNEL='' MAKE_ARGS='' FIRMWARE=''
	options "${machine_options[@]}" --xen=XEN --icount:icount=1 --secure-boot:FIRMWARE=1 --timeout=TIMEOUT:number \
		--out=OUT --title=TITLE --kernel=KERNEL --make=MAKE_ARGS --no-module:module=none --packages:PACKAGES=1 \
		--no-load:module=installed --early:module=early --xen-args=XEN_ARGS:empty --linux-args=LINUX_ARGS:empty \
		--qemu-args=QEMU_ARGS:empty PAYLOAD -- "$@"
	payload=${operands[0]:-}
	if [ -n "$icount" ]; then
		SMP=1 QEMU_ARGS="-icount shift=0,sleep=off $QEMU_ARGS" LAB_ACCEL=tcg
	fi
	qemu_dom0
	run_check "$payload"
	TITLE=${TITLE:-$(basename "$(realpath "$payload")")}
	OUT=$(realpath -m "${OUT:-$LAB_BUILD/runs/$TITLE}")
	mkdir -p "$OUT"
	exec 6<"$OUT"
	flock -n 6 || die "another run writes to $OUT" "wait for it, or give this one another --out"
	rm -rf "${OUT:?}"/{verdict,out,serial.log,serial-of-a-dead-boot.log,dmesg,xl-dmesg,qemu.log,splats,payload,payload.tar,results.img}
	# The real result replaces this.
	echo "result fail the run did not finish" >"$OUT/verdict"

	image_ensure "$RELEASE"
	if [ -n "$KERNEL" ]; then
		kernel_module_ensure "$(realpath "$KERNEL")" "${module#none}" "$MAKE_ARGS"
	elif [ "$module" != none ]; then
		module_ensure
	fi
	payload_pack "$payload"
	truncate -s 256M "$OUT/results.img"
	LAB_ARGS="lab.mode=run lab.release=$RELEASE lab.module=$module"
	qemu_command "file:$OUT/serial.log"
	stage "$TITLE: boot $RELEASE, dom0 $DOM0, $ACCEL"
	run_boot
	if run_entered_twice; then
		stage "QEMU has delivered an interrupt twice, and dom0 died at its entry (scripts/lab/README.md); it boots again"
		mv "$OUT/serial.log" "$OUT/serial-of-a-dead-boot.log"
		truncate -s 0 "$OUT/results.img"
		truncate -s 256M "$OUT/results.img"
		run_boot
	fi
	run_verdict "$payload"
}

# run_entered_twice: such a boot proves nothing, for or against anybody.
run_entered_twice() {
	[ "$DOM0$ACCEL" = pvhtcg ] && grep -q 'BUG: ENTRY_TRAMPOLINE stack guard page was hit' "$OUT/serial.log"
}

run_check() {
	local step n=0
	[ -n "$1" ] || usage_error "no payload"
	for step in "$1"/steps/*; do
		[ -e "$step" ] || break
		[ -x "$step" ] || die "the step $step is not executable" "chmod +x $step"
		[[ ${step##*/} =~ ^[A-Za-z0-9._-]+$ ]] || die "a step's name is of letters, digits, dots and dashes: $step"
		n=$((n + 1))
	done
	[ $n -gt 0 ] || die "no steps in $1/steps: a run without one would prove nothing" "lab run --help tells what a payload is"
	scan_expected "$1/expected-splats"
	[ -z "$XEN" ] || [ -r "$XEN" ] || die "there is no Xen to be read in $XEN"
	[ -z "$FIRMWARE" ] || [ "$DOM0" = pv ] || die "--secure-boot is for a PV dom0 only"
}

# run_boot: sets ENDED to off, or to timeout if the emulator had to be killed.
run_boot() {
	local line part='' status started=$SECONDS told=$SECONDS
	: >"$OUT/serial.log"
	# In a session of its own, so that all of it can be killed. It dies with this shell in any case.
	setsid setpriv --pdeathsig KILL "${QEMU[@]}" >"$OUT/qemu.log" 2>&1 </dev/null 6<&- 9<&- &
	qemu_pid=$!
	trap run_kill EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	ENDED=off WAITING='Xen'
	exec 5< <(exec tail -n +1 -s 0.2 -f --pid="$qemu_pid" "$OUT/serial.log" 2>/dev/null 6<&- 9<&-)
	while :; do
		status=0
		IFS= read -r -t 1 -u 5 line || status=$?
		if [ "$status" -eq 0 ]; then
			run_progress "$part$line"
			part=
		elif [ "$status" -gt 128 ]; then
			part+=$line
			if [ -t 2 ]; then
				printf '\r[%4ds] waiting for %s ' "$SECONDS" "$WAITING" >&2
			elif [ $((SECONDS - told)) -ge 60 ]; then
				told=$SECONDS
				stage "still waiting for $WAITING"
			fi
		else
			break
		fi
		if [ $((SECONDS - started)) -ge "$TIMEOUT" ]; then
			ENDED=timeout
			break
		fi
	done
	run_kill
	trap - EXIT INT TERM HUP
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

run_kill() {
	[ -z "${qemu_pid:-}" ] || kill -KILL -- "-$qemu_pid" 2>/dev/null || :
	wait "${qemu_pid:-}" 2>/dev/null || :
	qemu_pid=
}

run_progress() {
	local line=${1//$'\r'/} text
	case $line in
	*'(XEN) Xen version '*) text="Xen ${line#*Xen version }" text=${text%% (*} WAITING='the dom0 kernel' ;;
	*'] Linux version '*) text="Linux ${line#*Linux version }" text=${text%% (*} WAITING='dom0 user space' ;;
	*'lab: '*) text=${line#*lab: } WAITING=$text ;;
	*) return 0 ;;
	esac
	[ ! -t 2 ] || printf '\r\033[K' >&2
	stage "$text"
}

run_verdict() {
	local payload=$1 why=() log n
	mkdir -p "$OUT/in"
	tar -C "$OUT/in" -xf "$OUT/results.img" 2>/dev/null || :
	if [ "$ENDED" = timeout ]; then
		why+=("killed after $TIMEOUT s while waiting for: $WAITING")
	fi
	if [ "$(tail -n 1 "$OUT/in/verdict" 2>/dev/null)" = end ]; then
		run_steps "$payload"
	else
		why+=("no complete verdict came back, the last that was seen: $WAITING")
		: >"$OUT/in/verdict"
	fi

	touch "$OUT/in/dmesg" "$OUT/in/xl-dmesg"
	for log in "$OUT/serial.log" "$OUT/in/dmesg"; do
		if compgen -G "$payload/steps/*.plants" >/dev/null; then
			sed "/\] lab: faults are planted from here on/,\$d" "$log"
		else
			cat "$log"
		fi
	done >"$OUT/judged"
	scan "$payload/expected-splats" "$OUT/judged" "$OUT/in/xl-dmesg" >"$OUT/splats" || :
	rm "$OUT/judged"
	n=$(wc -l <"$OUT/splats")
	[ "$n" -eq 0 ] || why+=("$n splats")

	mv "$OUT/in/"* "$OUT"
	rmdir "$OUT/in"
	rm -f "$OUT/payload.tar" "$OUT/results.img"
	sed -i '/^taint /d; /^end$/d' "$OUT/verdict"
	if [ ${#why[@]} -eq 0 ]; then
		echo "result pass" >>"$OUT/verdict"
		stage "pass: $(($(wc -l <"$OUT/verdict") - 1)) steps; $OUT"
		return 0
	fi
	printf 'result fail %s\n' "$(IFS=';'; echo "${why[*]}")" >>"$OUT/verdict"
	run_explain "${why[@]}"
	return 1
}

# run_steps PAYLOAD: adds the failures in the verdict to why.
run_steps() {
	local step status taint
	for step in "$1"/steps/*; do
		step=${step##*/}
		status=$(awk -v s="$step" '$1 == s { print $2 }' "$OUT/in/verdict")
		[ "$status" = 0 ] || why+=("$step: ${status:+exit status }${status:-did not run}")
	done
	if [ "$module" = load ]; then
		status=$(awk '$1 == "00-modprobe" { print $2 }' "$OUT/in/verdict")
		[ "$status" = 0 ] || why+=("modprobe dmop_privcmd: exit status ${status:-unknown}")
	fi
	# The module is out-of-tree (4096) and unsigned (8192), and causes no other taint.
	taint=$(awk '$1 == "taint" { print $2 }' "$OUT/in/verdict")
	[ $((${taint:--1} & ~12288)) -eq 0 ] || why+=("the kernel is tainted: ${taint:-it did not tell} (12288 is expected)")
}

# run_explain WHY...: the ends of the relevant logs.
run_explain() {
	local step status
	{
		while read -r step status _; do
			case $step:$status in result:* | *:0) continue ;; esac
			echo "--- $step, the end of $OUT/out/$step.log"
			tail -n 15 "$OUT/out/$step.log" | sed 's/^/  | /'
		done <"$OUT/verdict"
		if [ -s "$OUT/splats" ]; then
			echo "--- $OUT/splats"
			head -n 15 "$OUT/splats" | sed 's/^/  | /'
		fi
		if ! grep -q '^[^ ]* [0-9]' "$OUT/verdict"; then
			echo "--- the end of $OUT/serial.log"
			tail -n 30 "$OUT/serial.log" | tr -d '\r' | sed 's/^/  | /'
			sed 's/^/  | qemu: /' "$OUT/qemu.log"
		fi
		printf 'FAILED: %s\n' "$@"
		echo "logs: $OUT (serial.log dmesg out/)"
	} >&2
}
