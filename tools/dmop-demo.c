// SPDX-License-Identifier: GPL-2.0
/*
 * dmop-demo.c - demonstration: calls that a device model's descriptors allow and refuse
 *
 * usage: dmop-demo TARGET OTHER [PID]	(domids of two live domains)
 *
 * Restricts a descriptor to TARGET as root, drops all privileges, and then tries the calls of an
 * attacker inside the device model. With PID, the process id of TARGET's device model, duplicates
 * its descriptors with pidfd_getfd() and tries the calls on them.
 */
#define _GNU_SOURCE
#define __XEN_TOOLS__ 1
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <xen/dmop.h>
#include <xen/xen.h>
#include <xen/hvm/dm_op.h>

#define NODE	"/dev/xen/dmop"
#define NOBODY	65534
#define MAX_FDS	64

/* A frame that exists in every small guest. */
#define SOME_GFN	0x100

static int fds[MAX_FDS];
static unsigned int nr_fds;
static int surprises;
static int refusals, refused;

static const char *name_of(int err)
{
	switch (err) {
	case 0:
		return "allowed";
	case EPERM:
		return "EPERM";
	case EACCES:
		return "EACCES";
	case EINVAL:
		return "EINVAL";
	default:
		return strerror(err);
	}
}

static void row(const char *what, const char *where, int err, int expected)
{
	if (err != expected)
		surprises++;
	refusals += expected != 0;
	refused += expected && err == expected;
	printf("  %-46s %-12s %s%s\n", what, where, name_of(err),
	       err == expected ? "" : "   <-- not what was expected");
}

/* Tries a call on each descriptor, up to the first unexpected result, and prints a row. */
#define TRY(what, where, call, expected) do {			\
	int err_ = expected;					\
	unsigned int i_;					\
								\
	for (i_ = 0; i_ < nr_fds && err_ == (expected); i_++) {	\
		int fd = fds[i_];				\
								\
		err_ = (call) < 0 ? errno : 0;			\
	}							\
	row(what, where, err_, expected);			\
} while (0)

/* --- calls ------------------------------------------------------------- */

static int dm_op(int fd, int domid, struct xen_dm_op *op)
{
	struct dmop_buf buf = { op, sizeof(*op) };
	struct dmop_dm_op arg = { domid, 1, &buf };

	return ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

static int hypercall(int fd, unsigned long op, unsigned long a)
{
	struct dmop_hypercall arg = { op, { a } };

	return ioctl(fd, DMOP_IOCTL_HYPERCALL, &arg);
}

static int restrict_to(int fd, uint16_t domid)
{
	return ioctl(fd, DMOP_IOCTL_RESTRICT, &domid);
}

/* To Xen, a device model is an ioreq server. */
static int be_device_model(int fd, int domid)
{
	struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server };

	if (dm_op(fd, domid, &op) < 0)
		return -1;
	op = (struct xen_dm_op){
		.op = XEN_DMOP_destroy_ioreq_server,
		.u.destroy_ioreq_server.id = op.u.create_ioreq_server.id,
	};
	return dm_op(fd, domid, &op);
}

static int raise_interrupt(int fd, int domid)
{
	struct xen_dm_op op = {
		.op = XEN_DMOP_set_pci_intx_level,
		.u.set_pci_intx_level = { .device = 3, .level = 1 },
	};

	return dm_op(fd, domid, &op);
}

static int map_memory(int fd, int domid)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *area = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	__u64 gfn = SOME_GFN;
	int err = 0, ret, saved;
	struct dmop_mmapbatch_v2 arg = {
		.num = 1,
		.dom = domid,
		.addr = (uintptr_t)area,
		.arr = &gfn,
		.err = &err,
	};

	if (area == MAP_FAILED)
		return -1;
	ret = ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &arg);
	saved = errno;
	munmap(area, page);
	errno = saved;
	return ret;
}

/* --- descriptors ------------------------------------------------------- */

static void say_and_exit(const char *what)
{
	fprintf(stderr, "dmop-demo: %s: %s (is this root, and dmop_privcmd loaded?)\n",
		what, strerror(errno));
	exit(1);
}

static void open_restricted(int domid)
{
	fds[0] = open(NODE, O_RDWR | O_CLOEXEC);
	if (fds[0] < 0)
		say_and_exit(NODE);
	if (restrict_to(fds[0], domid))
		say_and_exit("RESTRICT");
	nr_fds = 1;
}

static void give_up_privileges(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		say_and_exit("giving up privileges");
}

static bool is_dmop(int fd)
{
	struct stat node, st;

	return !stat(NODE, &node) && !fstat(fd, &st) && S_ISCHR(st.st_mode) &&
	       st.st_rdev == node.st_rdev;
}

/* Duplicates all descriptors of NODE in a process. */
static void take_from(int pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), fd;
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (pidfd < 0 || !dir)
		say_and_exit(path);
	while (nr_fds < MAX_FDS && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		fd = syscall(__NR_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
		if (fd < 0)
			say_and_exit("pidfd_getfd");
		if (is_dmop(fd))
			fds[nr_fds++] = fd;
		else
			close(fd);
	}
	closedir(dir);
	close(pidfd);
	if (!nr_fds) {
		fprintf(stderr, "dmop-demo: process %d holds no " NODE "\n", pid);
		exit(1);
	}
}

static void show_info(int domid)
{
	static const char *const states[] = { "unbound", "bound", "revoked" };
	unsigned long long calls = 0, refused = 0;
	struct dmop_info info;
	unsigned int i;

	for (i = 0; i < nr_fds; i++) {
		info = (struct dmop_info){ .size = sizeof(info) };
		if (ioctl(fds[i], DMOP_IOCTL_INFO, &info) || info.state > DMOP_STATE_REVOKED)
			say_and_exit("INFO");
		if (info.state != DMOP_STATE_BOUND || info.domid != (unsigned int)domid) {
			printf("  a descriptor says: %s, domain %u   <-- not what was expected\n",
			       states[info.state], info.domid);
			surprises++;
		}
		/* Duplicates share one open file and its counters, so no sum. */
		if (info.calls > calls)
			calls = info.calls;
		if (info.refused_policy > refused)
			refused = info.refused_policy;
	}
	printf("  %s: bound, domain %d; %llu calls passed to Xen, %llu refused\n",
	       nr_fds == 1 ? "the descriptor says" : "each of them says", domid, calls, refused);
}

int main(int argc, char **argv)
{
	int target = argc > 2 ? atoi(argv[1]) : 0;
	int other = argc > 2 ? atoi(argv[2]) : 0;
	int pid = argc == 4 ? atoi(argv[3]) : 0;
	char mine[24], theirs[24];

	if (argc > 4 || target <= 0 || other <= 0 || target == other) {
		fprintf(stderr, "usage: dmop-demo TARGET OTHER [PID]   (domids, see `xl list`)\n");
		return 2;
	}
	snprintf(mine, sizeof(mine), "domain %d", target);
	snprintf(theirs, sizeof(theirs), "domain %d", other);

	if (pid) {
		take_from(pid);
		printf("  %u descriptors of " NODE ", taken out of process %d with pidfd_getfd\n\n",
		       nr_fds, pid);
	} else {
		open_restricted(target);
		give_up_privileges();
		printf("  pid %d, uid %d, no capability, holds " NODE " restricted to domain %d\n\n",
		       getpid(), getuid(), target);
	}
	printf("  %-46s %-12s %s\n", pid ? "root tries, with each of them, to" : "it tries to",
	       "against", "and gets");
	TRY("be its device model (ioreq server)", mine, be_device_model(fd, target), 0);
	TRY("map its memory", mine, map_memory(fd, target), 0);
	/* With PID the guest is running, and gets no spurious interrupt. */
	if (!pid)
		TRY("raise a PCI interrupt", mine, raise_interrupt(fd, target), 0);
	TRY("be its device model (ioreq server)", theirs, be_device_model(fd, other), EPERM);
	TRY("map its memory", theirs, map_memory(fd, other), EPERM);
	TRY("raise a PCI interrupt", theirs, raise_interrupt(fd, other), EPERM);
	TRY("be its device model (ioreq server)", "domain 0", be_device_model(fd, 0), EPERM);
	TRY("map its memory", "domain 0", map_memory(fd, 0), EPERM);
	TRY("make dm_op as a raw hypercall", theirs,
	    hypercall(fd, __HYPERVISOR_dm_op, other), EPERM);
	TRY("set upper bits of the 64-bit domid", mine,
	    hypercall(fd, __HYPERVISOR_dm_op, (1UL << 16) | target), EPERM);
	TRY("make another hypercall (memory_op)", "Xen",
	    hypercall(fd, __HYPERVISOR_memory_op, 0), EPERM);
	TRY("make another hypercall (domctl)", "Xen",
	    hypercall(fd, __HYPERVISOR_domctl, 0), EPERM);
	TRY("restrict itself to another domain", theirs, restrict_to(fd, other), EINVAL);
	if (!pid) {
		TRY("open a new " NODE, "the host", ((void)fd, open(NODE, O_RDWR)), EACCES);
		TRY("open the toolstack's /dev/xen/privcmd", "the host",
		    ((void)fd, open("/dev/xen/privcmd", O_RDWR)), EACCES);
	}
	printf("\n  refused: %d of %d things that it may not do\n", refused, refusals);
	show_info(target);
	return surprises ? 1 : 0;
}
