// SPDX-License-Identifier: GPL-2.0
/*
 * inside_test.c - /dev/xen/dmop in a domain that is not the initial one
 *
 * It is the init of that domain's initramfs: it loads the module, tests, and
 * ends the domain. The kernel command line says what to expect:
 *
 *   dmop_target=N   XenStore names N as this domain's target, and Xen lets it act
 *   dmop_other=M    a domain that it has nothing to do with
 *
 * Without dmop_target everything has to be refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <xen/dmop.h>
#include "../dm_op.h"

#define GFN	64

/* <linux/syslog.h> is the kernel's own. */
#define SYSLOG_ACTION_READ_ALL	3

static int number;

static void ok(int good, const char *title)
{
	printf("%sok %d - inside: %s\n", good ? "" : "not ", ++number, title);
}

/* The result of a call, and what it ought to be: both minus the errno. */
static void is(long wanted, long got, const char *title)
{
	ok(wanted == got, title);
	if (wanted != got)
		printf("# wanted %ld, got %ld\n", wanted, got);
}

static long call_ioctl(int fd, unsigned int cmd, const void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static long dm_op(int fd, __u16 domid, struct dm_op *op)
{
	struct dmop_buf buf = { .uptr = op, .size = sizeof(*op) };
	struct dmop_dm_op arg = { .dom = domid, .num = 1, .ubufs = &buf };

	return call_ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

static long unknown_op(int fd, __u16 domid)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };

	return dm_op(fd, domid, &op);
}

static long hypercall(int fd, __u64 number, __u64 domid)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { .uptr = &op, .size = sizeof(op) };
	struct dmop_hypercall arg = {
		.op = number,
		.arg = { domid, 1, (unsigned long)&buf },
	};

	return call_ioctl(fd, DMOP_IOCTL_HYPERCALL, &arg);
}

static long probe(int fd, __u16 domid)
{
	struct dmop_dm_op arg = { .dom = domid };

	return call_ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

static long restrict_to(int fd, __u16 domid)
{
	return call_ioctl(fd, DMOP_IOCTL_RESTRICT, &domid);
}

static long map(int fd, __u16 domid, char **at)
{
	__u64 gfn = GFN;
	int err = 1;
	struct dmop_mmapbatch_v2 m = { .num = 1, .dom = domid, .arr = &gfn, .err = &err };
	long ret;

	*at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*at == MAP_FAILED)
		return -errno;
	m.addr = (unsigned long)*at;
	ret = call_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &m);
	return ret ? ret : err;
}

static void test_bound(int fd, int target, int other)
{
	struct dm_op op = { .op = DM_OP_CREATE_IOREQ_SERVER };
	struct dmop_info info = { .size = sizeof(info) };
	char *page;

	is(0, call_ioctl(fd, DMOP_IOCTL_INFO, &info), "INFO");
	is(DMOP_STATE_BOUND, info.state, "the file is bound from the start");
	is(target, info.domid, "to the target of XenStore");
	ok(info.own_domid > 0 && (int)info.own_domid != target, "this domain is not domain 0");
	is(0, probe(fd, 0x7ff4), "the library's probe works");
	is(-EOPNOTSUPP, unknown_op(fd, target), "DM_OP on the target reaches Xen");
	is(-EOPNOTSUPP, hypercall(fd, 41, target), "so does op 41 by HYPERCALL");
	is(-EPERM, hypercall(fd, 40, target), "no other op");
	is(-EPERM, unknown_op(fd, other), "no other domain");
	is(-EPERM, unknown_op(fd, 0), "nor domain 0");
	is(-EPERM, unknown_op(fd, info.own_domid), "nor this one");
	is(0, restrict_to(fd, target), "RESTRICT to the target is 0");
	is(-EINVAL, restrict_to(fd, other), "to another, though this is root, it is not");
	is(0, dm_op(fd, target, &op), "an ioreq server can be made");
	op = (struct dm_op){ .op = DM_OP_DESTROY_IOREQ_SERVER, .u.destroy.id = op.u.create.id };
	is(0, dm_op(fd, target, &op), "and unmade");
	is(0, map(fd, target, &page), "the target's memory can be mapped");
	if (page != MAP_FAILED)
		strcpy(page, "inside");
	is(-EPERM, map(fd, other, &page), "another's cannot");
}

/* Return: the lines about refusals in the kernel's log. */
static int lines_of_refusals(void)
{
	static char log[1 << 20];
	int n = 0, length = klogctl(SYSLOG_ACTION_READ_ALL, log, sizeof(log) - 1);
	const char *at = log;

	log[length > 0 ? length : 0] = 0;
	while ((at = strstr(at, "refused: call"))) {
		n++;
		at++;
	}
	return length > 0 ? n : -1;
}

/* Whoever opens the node again has no fresh limit: ten lines in five seconds for all. */
static void test_log_limit(int other)
{
	struct timespec begin, end;
	int i, n, fd = -1;

	clock_gettime(CLOCK_BOOTTIME, &begin);
	for (i = 0; i < 50 * 10; i++) {
		if (i % 10 == 0)
			fd = open("/dev/xen/dmop", O_RDWR);
		unknown_op(fd, other);
		if (i % 10 == 9)
			close(fd);
	}
	clock_gettime(CLOCK_BOOTTIME, &end);
	n = lines_of_refusals();
	ok(n > 0 && n <= 10 * (end.tv_sec / 5 + 2), "each open has the log limit of all");
	printf("# %d lines, %d s since boot, %d s of opening\n", n, (int)end.tv_sec,
	       (int)(end.tv_sec - begin.tv_sec));
}

static void test_refused(int fd, int other)
{
	struct dmop_info info = { .size = sizeof(info) };
	char *page;

	is(0, call_ioctl(fd, DMOP_IOCTL_INFO, &info), "INFO");
	is(DMOP_STATE_UNBOUND, info.state, "without a target the file is not bound");
	is(0, probe(fd, other), "the library's probe works");
	is(-EPERM, unknown_op(fd, other), "DM_OP is refused");
	is(-EPERM, hypercall(fd, 41, other), "HYPERCALL is refused");
	is(-EPERM, restrict_to(fd, other), "RESTRICT is refused, though this is root");
	is(-EPERM, map(fd, other, &page), "mapping is refused");
}

static int option(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at ? atoi(at + strlen(name)) : 0;
}

static int read_command_line(char *line, size_t size)
{
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t n = read(fd, line, size - 1);

	line[n > 0 ? n : 0] = 0;
	return n > 0;
}

int main(void)
{
	char line[1024];
	int module, fd, target, other;

	setvbuf(stdout, NULL, _IOLBF, 0);
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	read_command_line(line, sizeof(line));
	target = option(line, "dmop_target=");
	other = option(line, "dmop_other=");

	printf("KTAP version 1\n1..%d\n", target ? 20 : 9);
	module = open("/dmop_privcmd.ko", O_RDONLY);
	ok(!syscall(SYS_finit_module, module, "", 0), "the module loads");
	fd = open("/dev/xen/dmop", O_RDWR);
	ok(fd >= 0, "the node is there");
	if (target) {
		test_bound(fd, target, other);
		test_log_limit(other);
	} else {
		test_refused(fd, other);
	}
	printf("# inside: done\n");
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
