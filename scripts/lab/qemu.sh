# shellcheck shell=bash
# The command line of QEMU. The facts behind each flag are from experiments.
# shellcheck disable=SC2034  # ACCEL and VIRTIO are read by the other parts

# A guest of Xen needs not only a working accelerator but virtualization inside the machine: request
# it, and start a guest of 364 bytes to check that it runs.
qemu_kvm_works() {
	local feature log pid n=0
	[ -w /dev/kvm ] || return 1
	feature=$(grep -m1 -woE 'svm|vmx' /proc/cpuinfo) || return 1
	guest_build
	log=$(mktemp)
	qemu-system-x86_64 -accel kvm -cpu "host,+$feature,enforce" -m 64 -nodefaults -display none -no-reboot \
		-debugcon "file:$log" -kernel "$GUEST" >/dev/null 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null && [ $n -lt 100 ] && ! grep -q 'lab guest runs' "$log"; do
		n=$((n + 1))
		sleep 0.1
	done
	kill -KILL "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
	grep -q 'lab guest runs' "$log"
	n=$?
	rm -f "$log"
	return $n
}

qemu_accel() {
	case ${LAB_ACCEL:-} in
	tcg | kvm) ACCEL=$LAB_ACCEL ;;
	'') if qemu_kvm_works 2>/dev/null; then ACCEL=kvm; else ACCEL=tcg; fi ;;
	*) die "LAB_ACCEL is '$LAB_ACCEL'" "it may be tcg or kvm" ;;
	esac
}

# qemu_firmware XEN_OPTIONS LINUX_OPTIONS VMLINUZ: UEFI with Secure Boot starts Xen. The key of the
# machine's owner is the published one of the distribution: /usr/share/ovmf/PkKek-1-snakeoil.
qemu_firmware() {
	local esp=$OUT/esp.img key=/usr/share/ovmf/PkKek-1-snakeoil tmp
	need sbsign
	need mcopy
	need mkfs.vfat
	[ -e /usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd ] || die "no firmware with keys of its own" "apt install ovmf"
	tmp=$(mktemp -d)
	openssl rsa -in "$key.key" -passin pass:snakeoil -out "$tmp/key" 2>"$OUT/sbsign.log"
	sbsign --key "$tmp/key" --cert "$key.pem" --output "$tmp/xen.efi" \
		"$(image_pick "$IMAGE/rootfs/boot" 'xen-*-amd64.efi')" >>"$OUT/sbsign.log" 2>&1 || die "Xen cannot be signed: $OUT/sbsign.log"
	printf '[global]\ndefault=lab\n[lab]\noptions=%s\nkernel=vmlinuz %s\nramdisk=initrd\n' "$1" "$2" >"$tmp/cfg"
	rm -f "$esp"
	truncate -s 256M "$esp"
	mkfs.vfat "$esp" >/dev/null
	mmd -i "$esp" ::/EFI ::/EFI/BOOT
	mcopy -i "$esp" "$tmp/xen.efi" ::/EFI/BOOT/BOOTX64.EFI
	mcopy -i "$esp" "$tmp/cfg" ::/EFI/BOOT/BOOTX64.cfg
	mcopy -i "$esp" "$3" ::/EFI/BOOT/vmlinuz
	mcopy -i "$esp" "$IMAGE/initramfs" ::/EFI/BOOT/initrd
	rm -r "$tmp"
	cp /usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd "$OUT/vars.fd"
	QEMU+=(-machine smm=on -global 'driver=cfi.pflash01,property=secure,value=on'
		-drive 'if=pflash,format=raw,unit=0,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd,readonly=on'
		-drive "if=pflash,format=raw,unit=1,file=${OUT//,/,,}/vars.fd"
		-drive "file=${esp//,/,,},format=raw,if=none,id=esp" -device "virtio-blk-pci,drive=esp,bootindex=1$VIRTIO")
}

# qemu_dom0: sets DOM0 to its default, the only value that is possible for arm64
qemu_dom0() {
	if [ "$ARCH" = arm64 ]; then
		[ -z "$DOM0" ] || die "--dom0 is for amd64 only: there is one kind of dom0 on arm64"
		DOM0=arm64
	else
		DOM0=${DOM0:-pv}
	fi
}

# qemu_machine_ARCH: sets QEMU, SMP, ACCEL, xen and block, the kind of its disks. Parts of qemu_command.
qemu_machine_amd64() {
	local cpu virtio=''
	need qemu-system-x86_64
	qemu_accel
	# One processor for an emulated PVH dom0: an interrupt injected by Xen stays pending in QEMU
	# until the processor leaves the guest. It is delivered once more if another processor, or the
	# timer of thread=single, interrupts before that. Then dom0 ends in a triple fault or on a
	# stack guard page, within minutes, with and without the module.
	# Other guests of Xen may do the same, so runs with HVM guests ask for one processor as well.
	if [ -z "$SMP" ]; then
		SMP=2
		[ "$ACCEL,$DOM0" != tcg,pvh ] || SMP=1
	fi
	QEMU=(qemu-system-x86_64 -accel "$ACCEL" -machine q35)
	if [ "$ACCEL" = kvm ]; then
		QEMU+=(-cpu "host")
	else
		# EPYC and max crash a PV dom0 under emulation; without npt guests run on shadow paging.
		# Without rdrand, each request for a uuid waits seconds for the kernel to gather entropy.
		cpu='qemu64,+svm,+npt,+rdrand'
		QEMU+=(-cpu "$cpu")
	fi
	xen='console=com1 com1=115200,8n1'
	if [ "$DOM0" = pvh ]; then
		xen+=' dom0=pvh'
		# Xen gives a PVH dom0 its devices through an IOMMU, and virtio has to know.
		QEMU+=(-device amd-iommu)
		virtio=',iommu_platform=on,disable-legacy=on'
	fi
	# A caller's own devices need the same.
	VIRTIO=$virtio
	block='virtio-blk-pci'
}

# The processor has no hardware management of the dirty bit; --qemu-args '-cpu max' chooses one that has.
qemu_machine_arm64() {
	need qemu-system-aarch64
	ACCEL=tcg SMP=${SMP:-2} VIRTIO='' block='virtio-blk-device' xen='console=dtuart'
	QEMU=(qemu-system-aarch64 -machine 'virt,virtualization=on,gic-version=3' -cpu cortex-a57)
}

# qemu_command SERIAL: sets QEMU from IMAGE, ARCH, DOM0, MEM, SMP (or ''), OUT, XEN (or ''), LAB_ARGS
# and the caller's XEN_ARGS, LINUX_ARGS and QEMU_ARGS. The latter come last and so take precedence.
qemu_command() {
	local serial=$1 dom0_mem=$((MEM / 2)) xen block linux disk vmlinuz initramfs
	"qemu_machine_$ARCH"
	QEMU+=(-smp "$SMP" -m "$MEM" -no-user-config -nodefaults -display none -no-reboot -monitor none -serial "$serial")
	xen+=" conring_size=1m loglvl=all guest_loglvl=all dom0_mem=${dom0_mem}M,max:${dom0_mem}M"
	for disk in root payload results; do
		case $disk in
		root) QEMU+=(-drive "file=${IMAGE//,/,,}/disk.img,format=raw,if=none,id=root,cache=unsafe,snapshot=on") ;;
		payload) QEMU+=(-drive "file=${OUT//,/,,}/payload.tar,format=raw,if=none,id=payload,readonly=on") ;;
		results) QEMU+=(-drive "file=${OUT//,/,,}/results.img,format=raw,if=none,id=results,cache=unsafe") ;;
		esac
		QEMU+=(-device "$block,drive=$disk,serial=lab-$disk$VIRTIO")
	done
	# A stalled emulator on a busy host is no fault of the module: the kernel's watchdogs are off
	# or slow. An oops ends the run at once; nothing after it would prove anything.
	linux="console=hvc0 earlyprintk=xen printk.time=1 loglevel=7 log_buf_len=4M oops=panic panic=-1 nowatchdog"
	linux+=" rcupdate.rcu_cpu_stall_timeout=300 workqueue.watchdog_thresh=0 sysctl.kernel.hung_task_timeout_secs=300"
	linux+=" lab.dom0=$DOM0 lab.accel=$ACCEL $LAB_ARGS $LINUX_ARGS"
	# Another kernel has an initramfs of its own, or needs no module to find its disks.
	initramfs=${KERNEL:-$IMAGE}/initramfs
	[ -e "$initramfs" ] || initramfs=$IMAGE/initramfs
	initramfs=${initramfs//,/,,}
	vmlinuz=${KERNEL:-$IMAGE}/vmlinuz
	vmlinuz=${vmlinuz//,/,,}
	if [ -n "$FIRMWARE" ]; then
		qemu_firmware "$xen $XEN_ARGS" "$linux" "${KERNEL:-$IMAGE}/vmlinuz"
	elif [ "$ARCH" = arm64 ]; then
		QEMU+=(-kernel "${XEN:-$IMAGE/xen}" -append "$xen $XEN_ARGS"
			-device "guest-loader,addr=0x50000000,kernel=$vmlinuz,bootargs=${linux//,/,,}"
			-device "guest-loader,addr=0x58000000,initrd=$initramfs")
	else
		QEMU+=(-kernel "${XEN:-$IMAGE/xen}" -append "$xen $XEN_ARGS"
			-initrd "$vmlinuz ${linux//,/,,},$initramfs")
	fi
	# shellcheck disable=SC2206  # words are what is meant
	QEMU+=($QEMU_ARGS)
}
