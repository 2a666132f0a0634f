#!/bin/sh
# run_test.sh UAPI_DIR: dmop-run and its library, without Xen
#
# A fake library stands for the nodes. The programs print the node behind their descriptor, see run/.
set -u
uapi=$1
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/tap.sh
. "$here/../../scripts/tap.sh"
tap_begin run
dir=$(mktemp -d) || exit
trap 'rm -rf "$dir"' EXIT
model=$dir/model
backend=$dir/backend

compile() {
	"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE -I "$uapi" "$@"
}

build() {
	make -s -C "$here/../../tools" O="$dir" "$dir/dmop-run" "$dir/libdmop-preload.so" &&
		compile -fPIC -shared "$here/run/fake.c" -o "$dir/libfake.so" -ldl &&
		compile -fPIC -shared -DNAME=xendevicemodel_open "$here/run/xen.c" -Wl,-soname,libxendevicemodel.so.1 -o "$dir/libxendevicemodel.so.1" &&
		compile -fPIC -shared -DNAME=xenforeignmemory_open "$here/run/xen.c" -Wl,-soname,libxenforeignmemory.so.1 -o "$dir/libxenforeignmemory.so.1" &&
		compile -fPIC -shared -DNAME=xencall_open "$here/run/xen.c" -Wl,-soname,libxencall.so.1 -o "$dir/libxencall.so.1" &&
		compile "$here/run/model.c" -o "$model" -Wl,--no-as-needed -L "$dir" -Wl,-rpath,"$dir" -lfake -l:libxendevicemodel.so.1 -ldl &&
		compile -DLATE "$here/run/model.c" -o "$dir/late" -Wl,--no-as-needed -L "$dir" -Wl,-rpath,"$dir" -lfake -ldl &&
		compile "$here/run/launch.c" -o "$dir/launch" &&
		compile -pthread "$here/run/backend.c" -o "$backend" &&
		echo 'int main(void) { return 0; }' >"$dir/static.c" && compile -static "$dir/static.c" -o "$dir/static" &&
		cp "$dir/launch" "$dir/setuid" && chmod u+s "$dir/setuid"
}
tap_ok 'everything is built' build

# run ARGUMENT...: dmop-run; its status goes to $status, its output to $dir/out and $dir/err
run() {
	status=0
	LD_PRELOAD=$dir/libfake.so "$dir/dmop-run" --domid 7 "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
	cat "$dir/out" "$dir/err" >"$dir/all"
}

# confined TITLE CMD...: CMD starts a device model, and this gets dmop
confined() {
	title=$1
	shift
	run -v -- "$@"
	[ "$status:$(cat "$dir/out")" = 0:dmop ] && grep -q 'reach domain 7 only' "$dir/err"
	tap_result $? "$title" "$dir/all"
}

# says TITLE STATUS WORDS CMD...
says() {
	title=$1 wanted=$2 words=$3
	shift 3
	run "$@"
	[ "$status" = "$wanted" ] && grep -q -- "$words" "$dir/err"
	tap_result $? "$title" "$dir/all"
}

# --- launchers
confined 'the program itself' "$model"
confined 'one that loads the library at run time' "$dir/late"
confined 'env' env "$model"
confined 'env that empties the environment' env -i "$model"
confined 'env without LD_PRELOAD' env -u LD_PRELOAD "$model"
confined 'env without the handover' env -u DMOP_RUN_HANDOVER "$model"
confined 'env that searches PATH' env PATH="$dir:/usr/bin:/bin" model
confined 'nice' nice "$model"
confined 'nohup' nohup "$model"
confined 'timeout' timeout 600 "$model"
confined 'taskset' taskset "$(taskset -p $$ | sed 's/.* //')" "$model"
confined 'setpriv' setpriv --no-new-privs "$model"
confined 'stdbuf, which preloads a library of its own' stdbuf -o L "$model"
confined 'several in a row' env nice timeout 600 env -i "$model"
for shell in sh bash; do
	confined "$shell -c" $shell -c "$model"
	confined "$shell -c, in a child" $shell -c "$model; :"
	confined "$shell, after it used the descriptors of scripts" $shell -c "exec 3>/dev/null 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec $model"
done
printf '#!/bin/sh\nexec %s "$@" x\n' "$model" >"$dir/script"
printf '#!%s\n' "$dir/script" >"$dir/nested"
printf '#!/usr/bin/env -S -i LD_PRELOAD=%s bash\n%s\n' "$dir/libfake.so" "$model" >"$dir/other"
chmod +x "$dir/script" "$dir/nested" "$dir/other"
confined 'a script' "$dir/script"
confined 'a script whose interpreter is a script' "$dir/nested"
confined 'a script behind env' env "$dir/other"
# calls TITLE NODE [OPTION]: libxencall gets this node behind a launcher
calls() {
	title=$1 wanted="dmop $2 "
	shift 2
	run "$@" -v -- env -i "$model" call
	[ "$status:$(tr '\n' ' ' <"$dir/out")" = "0:$wanted" ]
	tap_result $? "$title" "$dir/all"
}
calls 'libxencall keeps the stock node' stock
calls 'with --no-stock, it gets dmop' dmop --no-stock
grep -q 'libxenforeignmemory and libxencall reach domain 7 only' "$dir/err"
tap_result $? 'and --verbose says so' "$dir/all"
for way in execve execv execvp execvpe execl execlp execle fexecve execveat posix_spawn posix_spawnp vfork; do
	confined "$way with an empty environment" "$dir/launch" $way "$model"
done
for way in system popen; do
	confined "$way without the handover" "$dir/launch" $way "$model" "$dir/libfake.so"
done

# --- refusals
for way in execve execvp fexecve execveat posix_spawn posix_spawnp vfork; do
	says "$way: a static program" 126 'linked statically' -- "$dir/launch" $way "$dir/static"
done
says 'env: a setuid program' 126 'setuid' -- env "$dir/setuid"
printf '#!%s\n' "$dir/static" >"$dir/bad"
chmod +x "$dir/bad"
says 'env: a script of a static program' 126 'linked statically' -- env "$dir/bad"
says 'the remedy' 126 'put dmop-run behind its launcher' -- env "$dir/static"
says 'a launcher that closes the descriptor' 126 'descriptor of /dev/xen/dmop has been closed' -- bash -c "exec 64>&-; exec $model"
says 'a program that is not there' 127 'No such file' -- env "$dir/none"
printf '#!%s\n' "$dir/none" >"$dir/bad"
says 'dmop-run: a script whose interpreter is not there' 126 'its interpreter' -- "$dir/bad"
printf '#!%s\n' "$dir/static" >"$dir/bad"
says 'dmop-run: a script of a static program' 126 'linked statically' -- "$dir/bad"
says 'dmop-run: a static program' 126 'linked statically' -- "$dir/static"

# --- children of the device model
run -- sh -c "$model child"
[ "$(tr '\n' ' ' <"$dir/out")" = 'dmop 0 0 ' ]
tap_result $? 'children of the device model get nothing of it' "$dir/all"
run -- "$dir/late" child
[ "$(tr '\n' ' ' <"$dir/out")" = 'dmop 0 0 ' ]
tap_result $? 'nor those of one that loads the library at run time' "$dir/all"

# --- two descriptors, and profiles
# purposes TITLE CALLS MAPPINGS OPTION...: the two libraries get descriptors for these
purposes() {
	title=$1 wanted="dmop $2 $3 "
	shift 3
	run "$@" -- env "$model" for
	[ "$status:$(tr '\n' ' ' <"$dir/out")" = "0:$wanted" ]
	tap_result $? "$title" "$dir/all"
}

# narrows TITLE PROFILE CALLS MAPPINGS: this profile narrows them so, words of fake.c
narrows() {
	title=$1
	printf "$2" >"$dir/profile"
	FAKE_NARROW=9 run --narrow "$dir/profile" -- "$model" for 9>"$dir/narrow"
	[ "$status:$(sed -n 1p "$dir/narrow")" = "0:$4" ] && [ "$(sed -n 2p "$dir/narrow")" = "$3" ]
	tap_result $? "$title" "$dir/narrow"
}

# bad TITLE PROFILE WORDS: refused, with these words behind the name of the file
bad() {
	title=$1
	printf "$2" >"$dir/profile"
	says "$title" 120 "$dir/profile:$3" --narrow "$dir/profile" -- "$model"
	[ ! -s "$dir/out" ]
	tap_result $? "$title: not started" "$dir/all"
}

purposes 'one descriptor for calls, one for mappings' calls mappings
purposes '--one: one for both' both both --one
FAKE_OLD=1 purposes 'a module without NARROW: both can do both' both both
FAKE_OLD=1 says 'this is reported' 0 'cannot narrow a descriptor: both' -v -- true
printf 'op 1-6\n' >"$dir/profile"
FAKE_OLD=1 says 'a profile for a module without NARROW' 122 'modprobe dmop_privcmd' --narrow "$dir/profile" -- "$model"
FAKE_OLD=1 purposes '--try-narrow: the program is started' both both --try-narrow "$dir/profile"
FAKE_OLD=1 says 'without the profile' 0 'the profile is not applied' -v --try-narrow "$dir/profile" -- true
purposes '--try-narrow with a module that can' calls nothing --try-narrow "$dir/profile"
says 'the profile is reported' 0 "only what the profile $dir/profile names" -v --narrow "$dir/profile" -- true
narrows 'a profile' '# one\nop 1-3 63 64-65 nr_vcpus # two\nop 0x7f\n\nresource 0 63\nact map-foreign map-write\r\nframes 64\ngfns 0x10-0xff' \
	'flags=0x1f acts=0x1 ops=0x800000000010000e,0x8000000000000003 resources=0x8000000000000001 frames=64 gfns=0x10-0xff' \
	'flags=0x1f acts=0xe ops=0x800000000010000e,0x8000000000000003 resources=0x8000000000000001 frames=64 gfns=0x10-0xff'
narrows 'a profile without a line keeps nothing' '' \
	'flags=0x7 acts=0 ops=0,0 resources=0 frames=0 gfns=0-0' 'flags=0x7 acts=0 ops=0,0 resources=0 frames=0 gfns=0-0'
narrows 'a profile that keeps all operations and resources' 'op all\nresource all\n' \
	'flags=0x1 acts=0x1 ops=0,0 resources=0 frames=0 gfns=0-0' 'flags=0x1 acts=0x4 ops=0,0 resources=0 frames=0 gfns=0-0'
printf 'op 1\nact map-foreign\n' >"$dir/profile"
purposes '--one with a profile' both both --one --narrow "$dir/profile"
bad 'an unknown keyword' 'op 1\nops 2\n' "2: 'ops' is none of op,"
bad 'an operation without a bit' '\n\nop 1 128' "3: '128' is neither a number from 0 to 127"
bad 'a type of resource without a bit' 'resource 64' "1: '64' is neither a number from 0 to 63"
for word in -1 1- -- 6-1 1x 0x allx create 18446744073709551616; do
	bad "no operation: $word" "op $word" "1: '$word' is neither"
done
bad 'a kind of call that is none' 'act map' "1: 'map' is none of call,"
bad 'no number of frames' 'frames 1-2' "1: '1-2' is not a number"
bad 'two numbers of frames' 'frames 1 2' '1: one value only'
bad 'no range of frames' 'gfns x' "1: 'x' is not a range"
bad 'a keyword alone' 'op\n' "1: nothing behind 'op'"
says 'a profile that is not there' 120 "$dir/none: No such file" --narrow "$dir/none" -- "$model"
says 'a name without a slash' 120 '/usr/share/dmop/profiles/none: No such file' --narrow none -- "$model"
says 'a launcher that closes the descriptor for mappings' 126 'descriptor of /dev/xen/dmop has been closed' -- bash -c "exec 65>&-; exec $model"

# --- the report of --verbose
says 'verbose: a launcher is not said to be confined' 0 'has none of' -v -- env true
grep -q 'reach domain' "$dir/err"
tap_result $((!$?)) 'verbose: nor is its program without the libraries' "$dir/all"

# --- the stock node opened without the libraries
run -- "$model" own
[ "$(tr '\n' ' ' <"$dir/out")" = 'dmop stock stock ' ] &&
	[ "$(grep -c 'warning: .*model opens /dev/xen/privcmd without.*dmop-run --every-caller' "$dir/err")" = 1 ]
tap_result $? "the program's own open is warned of, once" "$dir/all"
run -- "$model" stream
[ "$status" = 0 ] && [ "$(grep -c 'warning: .*model opens /dev/xen/privcmd without' "$dir/err")" = 1 ]
tap_result $? 'so is that by fopen()' "$dir/all"
run -- "$model"
[ ! -s "$dir/err" ]
tap_result $? 'and nothing else is' "$dir/all"

# --- every open of the stock node
# every TITLE WANTED [OPTION...] -- CMD...: what CMD prints with --every-caller, without a warning
every() {
	title=$1 wanted="$2 "
	shift 2
	run --every-caller "$@"
	[ "$status:$(tr '\n' ' ' <"$dir/out")" = "0:$wanted" ] && ! grep -q warning "$dir/err"
	tap_result $? "--every-caller: $title" "$dir/all"
}
# Once for each way to open it, and whether to close it on exec in turns
ten='dmop dmop-cloexec dmop dmop-cloexec dmop dmop-cloexec dmop dmop-cloexec dmop dmop-cloexec'
ln -s /dev/full "$dir/link"

run -- "$backend" functions
[ "$status:$(grep -c dmop "$dir/out")" = 0:0 ] && [ "$(grep -c 'warning: .*backend opens /dev/xen/privcmd without' "$dir/err")" = 1 ]
tap_result $? 'a program without the libraries gets the stock node, and is warned of' "$dir/all"
every 'a program without the libraries, by each function' "$ten" -- "$backend" functions
every 'behind a launcher that empties the environment' "$ten" -- env -i LD_PRELOAD="$dir/libfake.so" "$backend" functions
every 'behind a shell' "$ten" -- sh -c "$backend functions; :"
every 'with the options that it includes' "$ten" --one --no-stock -- "$backend" functions
every 'the old path' 'dmop-cloexec' -- "$backend" old
every 'a link' 'dmop dmop-cloexec dmop-cloexec' -- "$backend" "$dir/link"
run -- "$backend" "$dir/link"
[ "$status:$(tr '\n' ' ' <"$dir/out")" = '0:stock stock-cloexec stock-cloexec ' ]
tap_result $? 'without it, a link is left alone' "$dir/all"
every 'all descriptors are of one open file' 'both one' -- "$backend" for file
every 'the libraries get the same' 'dmop both both' -- "$model" for
every 'so does libxencall' 'dmop dmop' -- "$model" call
every 'and a program with the libraries, in its own code' 'dmop dmop dmop' -- "$model" own
every 'there by fopen(), too' 'dmop stream stream' -- "$model" stream
every 'several threads at once' '8' --verbose -- "$backend" threads
[ "$(grep -c 'backend: all its opens of /dev/xen/privcmd reach domain 7 only' "$dir/err")" = 1 ]
tap_result $? '--every-caller: this is reported once' "$dir/all"
every 'a program executed by one that has opened the node' "$ten" -- sh -c "exec 3</dev/xen/privcmd; $backend functions; :"
every 'and one with the libraries' 'dmop both both' -- sh -c "exec 3</dev/xen/privcmd; $model for; :"
every 'a child of one with the libraries gets nothing' 'dmop 0 0' -- "$model" child
printf 'op 1-6\n' >"$dir/profile"
every 'a profile' 'calls' --narrow "$dir/profile" -- "$backend" for
FAKE_OLD=1 every 'a module without NARROW' 'both' --verbose -- "$backend" for
grep -q 'cannot narrow' "$dir/err"
tap_result $((!$?)) '--every-caller: this is not reported, for nothing was to be narrowed' "$dir/all"
grep -q 'backend: has none of .*; its opens of /dev/xen/privcmd and programs that it executes' "$dir/err"
tap_result $? '--every-caller: what is reported first' "$dir/all"
[ "$(grep -c 'backend: all its opens of /dev/xen/privcmd reach domain 7 only' "$dir/err")" = 1 ]
tap_result $? '--every-caller: and with the first open' "$dir/all"
every 'a program that has closed the descriptor does not get the stock node' 'none none none none' -- "$backend" close old "$dir/link"
[ "$(grep -c 'has closed the descriptor' "$dir/err")" = 1 ]
tap_result $? '--every-caller: it is told why, once' "$dir/all"
says '--every-caller: a static program' 126 'linked statically' --every-caller -- "$dir/static"

# --- the cause of a failure
cause() {
	title=$1 wanted=$2 words=$3
	shift 3
	status=0
	env "$@" LD_PRELOAD="$dir/libfake.so" "$dir/dmop-run" -d 7 true >"$dir/all" 2>&1 || status=$?
	[ "$status" = "$wanted" ] && grep -q -- "$words" "$dir/all"
	tap_result $? "$title" "$dir/all"
}
cause 'no such domain' 124 'there is no domain 7' FAKE_RESTRICT=3 FAKE_DM_OP=3
cause 'a domain without a directory in XenStore' 124 'exists in Xen, but .*no directory /local/domain/7' FAKE_RESTRICT=3 FAKE_DM_OP=95
cause 'without privileges' 123 'run this as root' FAKE_UNPRIVILEGED=1
cause "Xen's policy, EACCES" 123 'FLASK' FAKE_RESTRICT=13
cause "Xen's policy, EPERM" 123 'FLASK' FAKE_RESTRICT=1

make -s -C "$here/../../tools" O="$dir/alone" LIBDIR=/nowhere "$dir/alone/dmop-run" >"$dir/all" 2>&1
status=0
LD_PRELOAD=$dir/libfake.so "$dir/alone/dmop-run" -d 7 true >>"$dir/all" 2>&1 || status=$?
[ "$status" = 125 ] && grep -q '/nowhere/libdmop-preload.so: No such file or directory; install dmop-tools' "$dir/all"
tap_result $? 'without the library' "$dir/all"
status=0
"$dir/dmop-run" --help >/dev/full 2>"$dir/all" || status=$?
[ "$status" = 125 ]
tap_result $? 'the help cannot be written' "$dir/all"
tap_end
