# shellcheck shell=bash
# What the end-to-end steps share: results as KTAP, and guests.
#
# A step begins with `begin NAME NUMBER`, which opens $LAB_OUT/NAME.ktap; it ends with its
# plan unfulfilled, and so as failed, if it does not get to all of its results.
# shellcheck disable=SC2034  # read by the steps

here=${E2E:-/lab}
guest=/lab/hvm.img
xen_run=/var/run/xen
# Emulation on a busy machine can be a hundred times slower than a real one; what waits
# gives up only when it would otherwise wait for ever.
patience=${PATIENCE:-900}

begin() {
	ktap=$LAB_OUT/$1.ktap
	number=0
	printf 'KTAP version 1\n1..%d\n' "$2" >"$ktap"
	bad=0
}

# ok TITLE CMD...: one result
ok() {
	local title=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $title" | tee -a "$ktap"
		return 0
	fi
	echo "not ok $number - $title" >>"$ktap"
	echo "# failed: $title: $*"
	bad=1
	return 1
}

# must TITLE CMD...: one result, without which the others make no sense
must() {
	ok "$@" || exit 1
}

note() {
	echo "$*" | sed 's/^/# /' | tee -a "$ktap"
}

# is WANTED GOT
is() {
	[ "$1" = "$2" ] || { echo "wanted '$1', got '$2'"; return 1; }
}

# until_true CMD...: tries again until it is
until_true() {
	local tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt $patience ] || return 1
		sleep 0.2
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

confined() {
	config "$1" 'device_model_version = "qemu-xen"' 'device_model_override = "/usr/lib/dmop/dmop-qemu"'
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

# pid_of NAME: its device model
pid_of() {
	xenstore-read "/local/domain/$(xl domid "$1")/image/device-model-pid"
}

# press NAME KEY
press() {
	xl qemu-monitor-command "$1" "sendkey $2" >/dev/null
}

# gone NAME: no domain has that name, nor lingers without one
gone() {
	! xl domid "$1" >/dev/null 2>&1 && ! xl list | grep -q '(null)'
}

keep_logs() {
	cp "/var/log/xen/qemu-dm-$1.log" "$LAB_OUT/$1.qemu.log"
	cp "/var/log/xen/xl-$1.log" "$LAB_OUT/$1.xl.log" 2>/dev/null || :
}

# --- the module and the kernel ----------------------------------------------

refcount() {
	cat /sys/module/dmop_privcmd/refcnt
}

unused() {
	[ "$(refcount)" = 0 ]
}

# Kernel messages that are of interest after a step: those of the module and of Xen's drivers.
complaints() {
	dmesg --level emerg,alert,crit,err,warn | grep -iE 'dmop|privcmd|xen|BUG|WARNING' | grep -v 'loading out-of-tree\|module verification'
}
