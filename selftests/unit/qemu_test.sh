#!/bin/sh
# qemu_test.sh: dmop-qemu without Xen; its QEMUs print their arguments
#
# A copy of dmop-qemu has its paths below a directory of the test.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/tap.sh
. "$here/../../scripts/tap.sh"
tap_begin qemu
dir=$(mktemp -d) || exit
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/usr/sbin" "$dir/usr/libexec" "$dir/usr/bin" "$dir/usr/lib/xen/bin" "$dir/usr/lib/dmop"
sed "s#/usr/#$dir/usr/#g; s#/etc/default/#$dir/#" "$here/../../tools/dmop-qemu" >"$dir/dmop-qemu"
conf=$dir/dmop-qemu.conf
DMOP_QEMU_CONF=$conf
export DMOP_QEMU_CONF

# program NAME [TEXT]: a program that prints its name and its arguments, and contains TEXT
program() {
	cat >"$dir/source.c" <<-END
		#include <stdio.h>
		const char text[] = "${2:-}";
		int main(int argc, char **argv)
		{
			int i;
			printf("$1");
			for (i = 1; i < argc; i++)
				printf(" %s", argv[i]);
			puts("");
			return 0;
		}
	END
	"${CC:-cc}" "$dir/source.c" -o "$dir/made"
}

# Each test begins with one QEMU, in Debian's place, and without settings.
fresh() {
	rm -rf "$dir"/usr/*/*qemu-system* "$dir"/usr/lib/xen/bin/* "$conf" "$conf.d"
	cp "$dir/xen" "$dir/usr/libexec/xen-qemu-system-i386"
}

build() {
	program qemu libxendevicemodel.so.1 && mv "$dir/made" "$dir/xen" &&
		program plain && mv "$dir/made" "$dir/plain" &&
		printf '#!/bin/sh\necho script "$@"\n' >"$dir/script" &&
		printf '#!/bin/sh\necho "limit $(ulimit -f)"\necho dmop-run "$@"\n' >"$dir/usr/sbin/dmop-run" &&
		printf '#!/bin/sh\necho "log $1"\nshift\nexec "$@"\n' >"$dir/usr/lib/dmop/dmop-log" &&
		cat >"$dir/usr/lib/dmop/dmop-limit" <<-'END' &&
			#!/bin/sh
			[ "$1" = "domain-7-$$" ] || exit 1
			while shift; do
				case $1 in *=*) echo "limit: $1" ;; *) exec "$@" ;; esac
			done
		END
		chmod +x "$dir/script" "$dir/usr/sbin/dmop-run" "$dir"/usr/lib/dmop/dmop-*
}
tap_ok 'everything is built' build
qemu=$dir/usr/libexec/xen-qemu-system-i386

limit=unlimited
run() {
	status=0
	prlimit --fsize="$limit:unlimited" sh "$dir/dmop-qemu" "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
	cat "$dir/out" "$dir/err" >"$dir/all"
}

# query ARGUMENT...: QEMU gets them, unconfined
query() {
	fresh
	run "$@"
	[ "$status" = 0 ] && [ "$(cat "$dir/out")" = "qemu${*:+ $*}" ]
	tap_result $? "QEMU answers: ${*:-no argument}" "$dir/all"
}

# confines TITLE QEMU [WORD...]: a guest is started with this QEMU, these words behind its arguments
confines() {
	title=$1 wanted=$2
	shift 2
	run -xen-domid 7 -xen-domid-restrict -name guest
	[ "$status" = 0 ] && grep -qxF "dmop-run ${profile---try-narrow qemu }--verbose --images -- $wanted -xen-domid 7 -xen-domid-restrict -name guest${*:+ $*}" "$dir/out"
	tap_result $? "$title" "$dir/all"
}

# says TITLE STATUS WORDS ARGUMENT...
says() {
	title=$1 wanted=$2 words=$3
	shift 3
	run "$@"
	[ "$status" = "$wanted" ] && grep -qF -- "$words" "$dir/err"
	tap_result $? "$title" "$dir/all"
}

# --- toolstacks ask
query
for word in -version --version -help --help -h; do
	query "$word"
done
for word in -machine -M --machine -device -cpu -accel -netdev; do
	query "$word" help
done
query -machine '?'
query -device virtio-net,help
query -machine xenfv,help
query -M none
query --machine none
query -machine type=none,accel=xen
query --machine accel=xen,type=none
query -M accel=xen,type=none,usb=off
query -S -no-user-config -nodefaults -nographic -machine none,accel=xen -qmp stdio
fresh
confines 'a guest is confined' "$qemu"
run --xen-domid 7 --xen-domid-restrict -device help
[ "$status" = 0 ] && grep -q '^dmop-run .*help$' "$dir/out" && ! grep -q warning "$dir/err"
tap_result $? 'a guest is no query; two dashes' "$dir/all"
run -m 64 -xen-domid 7
[ "$status" = 0 ] && grep -q '^dmop-run .* -m 64 -xen-domid 7$' "$dir/out"
tap_result $? 'nor is anything else: dmop-run decides' "$dir/all"

# --- a script in the place of QEMU
fresh
cp "$dir/script" "$qemu"
cp "$dir/plain" "$dir/usr/bin/qemu-system-i386"
cp "$dir/xen" "$dir/usr/bin/qemu-system-x86_64"
confines 'a script is skipped, and a QEMU without Xen' "$dir/usr/bin/qemu-system-x86_64"
grep -qF "xen-qemu-system-i386 is a script; $dir/usr/bin/qemu-system-i386 is built without Xen;" "$dir/err"
tap_result $? 'and this is reported' "$dir/all"
run -version
[ "$(cat "$dir/all")" = 'qemu -version' ]
tap_result $? 'but not for a query' "$dir/all"
run --find
[ "$status:$(cat "$dir/all")" = "0:$dir/usr/bin/qemu-system-x86_64" ]
tap_result $? '--find prints its path' "$dir/all"
rm "$dir/usr/bin/qemu-system-x86_64"
says '--find, with none left' 127 'is a script;' --find
says 'none is left' 127 'is a script;' -xen-domid 7 -xen-domid-restrict
grep -q 'install one (qemu-system-xen)' "$dir/err"
tap_result $? 'the remedy' "$dir/all"
echo "QEMU=$qemu" >"$conf"
confines 'a script that is named is used' "$qemu"

# --- the configuration file
fresh
cp "$dir/xen" "$dir/other"
setting() {
	title=$1
	printf "$2" >"$conf"
	confines "$title" "$dir/other"
	[ ! -s "$dir/err" ] || ! grep -q "$conf" "$dir/err"
	tap_result $? "$title: without a complaint" "$dir/all"
}
setting 'QEMU' "QEMU=$dir/other\n"
setting 'QEMU with blanks' "  QEMU = $dir/other  \n"
setting 'QEMU in quotes' "export QEMU=\"$dir/other\"\n"
setting 'QEMU with a comment, without a newline' "# one\n\nQEMU='$dir/other'"
setting 'QEMU with a comment behind it' "QEMU=$dir/other  # two\n"
setting 'a file from another system' "# one\r\nQEMU=$dir/other\r\n\r\n"
printf 'QEMU=\n' >"$conf"
confines 'an empty QEMU is none' "$qemu"
echo 'QEMU=$(touch '"$dir"'/touched)' >"$conf"
says 'QEMU that is no path' 120 "$conf: QEMU=\$(touch $dir/touched) is not a path" -xen-domid 7 -xen-domid-restrict
[ ! -e "$dir/touched" ]
tap_result $? 'nothing in the file is executed'
echo "QEMU=$dir/none" >"$conf"
says '--find of one that is not there' 127 "$dir/none, named by" --find
says 'QEMU that is not there' 127 "$dir/none, named by DMOP_QEMU or by QEMU in $conf" -xen-domid 7 -xen-domid-restrict
printf 'QEMU_ARGS="-machine xenfv-4.2  -global x=*"\n' >"$conf"
confines 'QEMU_ARGS' "$qemu" -machine xenfv-4.2 -global 'x=*'
run -machine none
[ "$(cat "$dir/out")" = 'qemu -machine none' ]
tap_result $? 'QEMU_ARGS are for guests only' "$dir/all"
printf 'NONE=1\n( frob\n' >"$conf"
confines 'lines that are none' "$qemu"
grep -q 'no setting has this name: NONE=1' "$dir/err" && grep -q 'not NAME=VALUE: ( frob' "$dir/err"
tap_result $? 'and they are named' "$dir/all"

# log_limit TITLE VALUE KIB: with this value in the file, and a limit of 256 KiB from xl
log_limit() {
	printf 'LOG_KIB=%s\n' "$2" >"$conf"
	limit=262144
	confines "$1" "$qemu"
	limit=unlimited
	grep -qx 'limit unlimited' "$dir/out" && grep -qx "log $3" "$dir/out" &&
		{ [ "$3" != 1024 ] || grep -qF "LOG_KIB=$2 is not a number from 16 to 1048576; LOG_KIB=1024 is used" "$dir/err"; }
	tap_result $? "$1: the limit" "$dir/all"
}
log_limit 'LOG_KIB' 128 128
for value in unlimited 128M 08 15 1048577 -1 '' 99999999999999999999 '$((1))'; do
	log_limit "LOG_KIB=$value" "$value" 1024
done

# --- the profile and the limits
# limits TITLE WORD...: those of the group
limits() {
	title=$1
	shift
	[ "$(sed -n 's/^limit: //p' "$dir/out" | xargs)" = "$*" ]
	tap_result $? "$title: the limits" "$dir/all"
}
fresh
confines 'without settings' "$qemu"
limits 'without settings' 'cpu.max=200000 100000' memory.max=1G pids.max=256
printf 'CPU_MAX=50%%\nMEMORY_MAX=300M\nPIDS_MAX=64\nIO_WEIGHT=20\nPROFILE=/etc/dmop/mine\n' >"$conf"
profile='--try-narrow /etc/dmop/mine '
confines 'with settings' "$qemu"
limits 'with settings' 'cpu.max=50000 100000' io.weight=20 memory.max=300M pids.max=64
mkdir "$conf.d"
printf 'CPU_MAX=max\nPROFILE=none\n' >"$conf.d/guest"
profile=''
confines 'with settings of the guest' "$qemu"
limits 'with settings of the guest' cpu.max=max io.weight=20 memory.max=300M pids.max=64
run -xen-domid 7 -xen-domid-restrict --name guest--incoming,debug-threads=on
limits 'of a guest that is received' cpu.max=max io.weight=20 memory.max=300M pids.max=64
for name in other ../dmop-qemu.conf.d/guest .; do
	run -xen-domid 7 -xen-domid-restrict -name "$name"
	limits "another guest: $name" 'cpu.max=50000 100000' io.weight=20 memory.max=300M pids.max=64
done
rm -r "$conf.d"
unset profile
for word in 0% 1 100001% % 5%% -1% 010%; do
	echo "CPU_MAX=$word" >"$conf"
	confines "CPU_MAX=$word" "$qemu"
	grep -qF "CPU_MAX=$word is not a number and %, or \"max\"; CPU_MAX=200% is used" "$dir/err"
	tap_result $? "CPU_MAX=$word is reported" "$dir/all"
done
printf 'MEMORY_MAX=1\nPIDS_MAX=0\nIO_WEIGHT=10001\n' >"$conf"
confines 'bad limits' "$qemu"
limits 'bad limits' 'cpu.max=200000 100000' io.weight=100 memory.max=1G pids.max=256
for word in '' -x 'a b' '$(touch)'; do
	echo "PROFILE=$word" >"$conf"
	says "PROFILE=$word" 120 'is not the name of a profile' -xen-domid 7 -xen-domid-restrict
done

# --- the control group; this one is no cgroup, so no limit can be set
group=$dir/cgroup/dmop-qemu/domain-7-1
mkdir -p "$dir/cgroup/dmop-qemu"
: >"$dir/cgroup/cgroup.subtree_control"
: >"$dir/cgroup/dmop-qemu/cgroup.subtree_control"
compile_limit() {
	"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -DCGROUP_ROOT="\"$dir/cgroup\"" -I"$here/../../include/uapi" \
		"$here/../../tools/dmop-limit.c" -o "$dir/dmop-limit"
}
tap_ok 'dmop-limit is built' compile_limit
sh -c 'echo $$; exec "$@"' sh "$dir/dmop-limit" domain-7-1 memory.max=1G pids.max=9 /bin/sh -c 'echo $$; echo "$@"; ls -d "$1"; exit 3' \
	sh "$group" cpu.max=1 >"$dir/out" 2>"$dir/all"
status=$?
[ $status = 3 ] && [ "$(sed -n 1p "$dir/out")" = "$(sed -n 2p "$dir/out")" ] && [ "$(sed -n '3,$p' "$dir/out" | xargs)" = "$group cpu.max=1 $group" ]
tap_result $? 'the program has the process id, its arguments, and a group' "$dir/out"
grep -q '^dmop-limit: no limits: ' "$dir/all"
tap_result $? 'that there are no limits is reported' "$dir/all"
tries=0
while [ -d "$group" ] && [ $tries -lt 600 ]; do sleep 0.1; tries=$((tries + 1)); done
[ ! -d "$group" ]
tap_result $? 'the group goes with the program'
status=0
"$dir/dmop-limit" ../x /bin/true 2>"$dir/all" || status=$?
[ $status = 120 ]
tap_result $? 'a group elsewhere' "$dir/all"
status=0
"$dir/dmop-limit" x a=b 2>"$dir/all" || status=$?
[ $status = 120 ]
tap_result $? 'no program' "$dir/all"

# --- the log; without root, dmop-log cannot give up its privileges
compile_log() {
	"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -I"$here/../../include/uapi" "$here/../../tools/dmop-log.c" -o "$dir/dmop-log"
}
tap_ok 'dmop-log is built' compile_log
if [ "$(id -u)" = 0 ]; then
	echo before >"$dir/log"
	status=0
	"$dir/dmop-log" 16 /bin/sh -c 'echo head; yes 0123456789abcde | head -c 1048576; echo tail >&2; exit 3' >>"$dir/log" 2>&1 || status=$?
	[ $status = 3 ]
	tap_result $? 'the status of the program is passed on'
	tries=0
	until [ "$(tail -n 1 "$dir/log")" = tail ] || [ $tries = 600 ]; do sleep 0.1; tries=$((tries + 1)); done
	[ "$(head -n 2 "$dir/log" | xargs)" = 'before head' ] && [ "$(tail -n 1 "$dir/log")" = tail ]
	tap_result $? 'the log has the beginning and the end' "$dir/log"
	[ "$(wc -c <"$dir/log")" -le 16384 ]
	tap_result $? 'within its limit'
	dropped=$(sed -n 's/^dmop-log: \([0-9]*\) bytes were dropped here$/\1/p' "$dir/log")
	[ "${dropped:-0}" -gt 1000000 ] && [ "$dropped" -lt 1048600 ]
	tap_result $? 'and says how much is missing' "$dir/log"
fi

# --- a QEMU that is not confined
fresh
keeps="warning: without dm_restrict=1 in the guest's configuration QEMU keeps stock descriptors"
says 'without dm_restrict' 0 "$keeps, and stays root" -xen-domid 7
for user in '-runas qemu' '-run-with user=qemu' '-run-with chroot=/x,user=qemu'; do
	# shellcheck disable=SC2086  # two words
	run -xen-domid 7 $user
	grep -qxF "dmop-qemu: $keeps" "$dir/err"
	tap_result $? "without dm_restrict, with $user" "$dir/all"
done
backend='warning: this QEMU serves a PV or PVH guest (vfb, qdisk). It stays root. It keeps stock descriptors'
says 'a backend' 0 "$backend" -xen-domid 7 -xen-attach -machine xenpv
says 'a backend, as xl devd starts it' 0 "$backend" -xen-domid 7 -M xenpv
says 'a backend, with dm_restrict' 0 'guest (vfb, qdisk). It keeps stock descriptors' \
	-xen-domid 7 -xen-attach -xen-domid-restrict -machine xenpv -runas qemu
echo 'UNRESTRICTED=refuse' >"$conf"
says 'UNRESTRICTED=refuse, without dm_restrict' 126 'UNRESTRICTED=refuse' -xen-domid 7
[ ! -s "$dir/out" ]
tap_result $? 'nothing is started' "$dir/all"
says 'UNRESTRICTED=refuse, a backend' 126 'It keeps stock descriptors' -xen-domid 7 -xen-attach
says 'UNRESTRICTED=refuse, a backend with dm_restrict' 126 'It keeps stock descriptors' -xen-domid 7 -xen-attach -xen-domid-restrict
confines 'UNRESTRICTED=refuse, with dm_restrict' "$qemu"
echo 'UNRESTRICTED=yes' >"$conf"
says 'UNRESTRICTED with a bad value refuses' 126 'UNRESTRICTED=yes is not "allow" or "refuse"; UNRESTRICTED=refuse is used' -xen-domid 7
tap_end
