/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dmop_test.h - shared by all tests of /dev/xen/dmop: wrappers of calls, operations, set-up
 *
 * Every wrapper returns the value of the system call, or minus the errno. So a test can say
 * EXPECT_EQ(-EPERM, ...).
 */
#ifndef DMOP_TEST_H
#define DMOP_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

/* Results and messages go to one stream, so they stay in order. */
#define TH_LOG_STREAM stdout
#include "kselftest_harness.h"
/* Ends a test that hangs. It is long because emulation can be a hundred times slower. */
#ifndef DMOP_TEST_TIMEOUT
#define DMOP_TEST_TIMEOUT 1800
#endif
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT DMOP_TEST_TIMEOUT

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <xen/dmop.h>
#include "dm_op.h"

#define DMOP_NODE	"/dev/xen/dmop"
#define DMOP_PARAMS	"/sys/module/dmop_privcmd/parameters/"

/*
 * What only chance finds needs many rounds. SCALE is 4 in check-all and 16 in check-mutants.
 * With less, a test has a quarter of its RACES.
 */
#ifndef SCALE
#define SCALE		1
#endif
#define RACES(n)	(SCALE < 4 ? (n) / 4 : (n))

#define POISON		0xa5
#define NOBODY		65534

/* The test guest has the frame GFN and those after it. On arm64 its memory begins at 1 GiB. */
#ifdef __x86_64__
#define ON_X86		true
#define GFN		64
#else
#define ON_X86		false
#define GFN		(0x40000 + 64)
#define MAP_32BIT	0
#endif

/*
 * Begins a test of what exists on x86 only, for example an operation. Elsewhere it is reported as
 * skipped for this reason, and scripts/tally counts it apart.
 */
#define X86_ONLY(what) do {							\
	if (!ON_X86)								\
		SKIP(return, "not applicable to the architecture: " what);	\
} while (0)

/* Two live domains, and a domid without a domain. */
static __u16 target_domid, other_domid;
#define ABSENT_DOMID	0x7fee

/* --- system calls ------------------------------------------------------ */

static inline long do_ioctl(int fd, unsigned int cmd, const void *arg)
{
	long ret = syscall(SYS_ioctl, fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

/* Issues a 32-bit system call of x86. Addresses must fit into 32 bits. */
static inline long ioctl_32(int fd, unsigned int cmd, const void *arg)
{
#ifdef __x86_64__
	long ret;

	asm volatile ("int $0x80"
		      : "=a" (ret)
		      : "a" (54), "b" (fd), "c" (cmd), "d" (arg)
		      : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
#else
	(void)fd, (void)cmd, (void)arg;
	return -EOPNOTSUPP;
#endif
}

static inline int dmop_open(void)
{
	int fd = open(DMOP_NODE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline long dmop_restrict(int fd, __u16 domid)
{
	return do_ioctl(fd, DMOP_IOCTL_RESTRICT, &domid);
}

static inline int dmop_open_bound(__u16 domid)
{
	int fd = dmop_open();
	long ret;

	if (fd < 0)
		return fd;
	ret = dmop_restrict(fd, domid);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

static inline long dmop_info(int fd, struct dmop_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return do_ioctl(fd, DMOP_IOCTL_INFO, info);
}

/* Return: the counter of the calls that entered Xen. */
static inline __u64 dmop_calls(int fd)
{
	struct dmop_info info;

	return dmop_info(fd, &info) ? 0 : info.calls;
}

static inline unsigned int dmop_state(int fd)
{
	struct dmop_info info;

	return dmop_info(fd, &info) ? ~0U : info.state;
}

static inline long dmop_call(int fd, __u16 domid, const struct dmop_buf *bufs,
			     __u16 nr)
{
	struct dmop_dm_op arg = { .dom = domid, .num = nr, .ubufs = bufs };

	return do_ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

static inline long dmop_probe(int fd, __u16 domid)
{
	return dmop_call(fd, domid, NULL, 0);
}

static inline long dmop_hypercall(int fd, __u64 op, __u64 domid, __u64 nr,
				  const struct dmop_buf *bufs)
{
	struct dmop_hypercall arg = {
		.op = op,
		/* The last two are never read, so any value must do. */
		.arg = { domid, nr, (__u64)(unsigned long)bufs, -1, -1 },
	};

	return do_ioctl(fd, DMOP_IOCTL_HYPERCALL, &arg);
}

/* --- operations -------------------------------------------------------- */

static inline long dm_op(int fd, __u16 domid, struct dm_op *op)
{
	struct dmop_buf buf = { .uptr = op, .size = sizeof(*op) };

	return dmop_call(fd, domid, &buf, 1);
}

static inline long dm_op2(int fd, __u16 domid, struct dm_op *op, void *buf,
			  size_t size)
{
	struct dmop_buf bufs[] = {
		{ .uptr = op, .size = sizeof(*op) },
		{ .uptr = buf, .size = size },
	};

	return dmop_call(fd, domid, bufs, 2);
}

/*
 * An operation without effect. Its errno shows how far the call got: Xen returns -EOPNOTSUPP if the
 * domain exists, and -ESRCH if it does not.
 */
static inline long unknown_op(int fd, __u16 domid)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };

	return dm_op(fd, domid, &op);
}

/* The same in a batch of one. Return: the error of the call, else the result of the operation. */
static inline long unknown_batch(int fd, __u32 domid)
{
	struct {
		struct dmop_batch head;
		struct dmop_batch_op op;
		struct dm_op buf;
	} b = {
		.head = {
			.size = sizeof(b.head), .domid = domid, .nr = 1,
			.bytes = sizeof(b.op) + sizeof(b.buf),
		},
		.op.size = { sizeof(b.buf) },
		.buf.op = DM_OP_UNKNOWN,
	};
	long ret = do_ioctl(fd, DMOP_IOCTL_BATCH, &b);

	return ret < 0 ? ret : b.op.result;
}

static inline struct dm_op ioreq_create_op(void)
{
	struct dm_op op = { .op = DM_OP_CREATE_IOREQ_SERVER };

	op.u.create.handle_bufioreq = DM_OP_BUFIOREQ;
	op.u.create.id = 0xdead;
	return op;
}

/* Return: the id of the new server, or minus the errno. */
static inline long ioreq_create(int fd, __u16 domid)
{
	struct dm_op op = ioreq_create_op();
	long ret = dm_op(fd, domid, &op);

	return ret ? ret : op.u.create.id;
}

static inline long ioreq_destroy(int fd, __u16 domid, __u16 id)
{
	struct dm_op op = { .op = DM_OP_DESTROY_IOREQ_SERVER };

	op.u.destroy.id = id;
	return dm_op(fd, domid, &op);
}

static inline long ioreq_info(int fd, __u16 domid, __u16 id, struct dm_op *op)
{
	memset(op, 0, sizeof(*op));
	op->op = DM_OP_GET_IOREQ_SERVER_INFO;
	op->u.info.id = id;
	op->u.info.flags = DM_OP_INFO_NO_GFNS;
	return dm_op(fd, domid, op);
}

/*
 * An operation with a result in buffer 0: the port of server @id for buffered requests, on x86; or
 * the number of vcpus, where there are no such requests.
 */
static inline struct dm_op asking_op(__u16 id)
{
	struct dm_op op = { .op = ON_X86 ? DM_OP_GET_IOREQ_SERVER_INFO : DM_OP_NR_VCPUS };

	if (ON_X86) {
		op.u.info.id = id;
		op.u.info.flags = DM_OP_INFO_NO_GFNS;
	}
	return op;
}

/* Return: the result of that operation, never 0. */
static inline __u32 *answer(struct dm_op *op)
{
	return ON_X86 ? &op->u.info.bufioreq_port : &op->u.vcpus;
}

/* Return: a bit for the id of each server of the domain. */
static inline unsigned int ioreq_mask(int fd, __u16 domid)
{
	unsigned int id, mask = 0;
	struct dm_op op;

	for (id = 0; id < DM_OP_NR_IOREQ_SERVERS; id++)
		if (!ioreq_info(fd, domid, id, &op))
			mask |= 1U << id;
	return mask;
}

static inline void ioreq_destroy_all(int fd, __u16 domid)
{
	unsigned int id;

	for (id = 0; id < DM_OP_NR_IOREQ_SERVERS; id++)
		ioreq_destroy(fd, domid, id);
}

/* Afterwards each domain has one server. Return: its id, the same in both; or -errno, or -1. */
static inline long ioreq_create_on_both(int fd)
{
	long id;

	ioreq_destroy_all(fd, target_domid);
	ioreq_destroy_all(fd, other_domid);
	id = ioreq_create(fd, target_domid);
	return id < 0 || id == ioreq_create(fd, other_domid) ? id : -1;
}

static inline struct dm_op ports_op(__u32 code, __u16 id, __u64 start, __u64 end)
{
	struct dm_op op = { .op = code };

	op.u.range.id = id;
	op.u.range.type = DM_OP_RANGE_PORT;
	op.u.range.start = start;
	op.u.range.end = end;
	return op;
}

static inline long ports_map(int fd, __u16 domid, __u16 id, __u64 start, __u64 end)
{
	struct dm_op op = ports_op(DM_OP_MAP_IO_RANGE, id, start, end);

	return dm_op(fd, domid, &op);
}

static inline long ports_unmap(int fd, __u16 domid, __u16 id, __u64 start, __u64 end)
{
	struct dm_op op = ports_op(DM_OP_UNMAP_IO_RANGE, id, start, end);

	return dm_op(fd, domid, &op);
}

/*
 * Is any port of the range mapped to the server? Xen has no query for that, but it refuses to map a
 * range that overlaps. Return: 0, 1, or minus the errno.
 */
static inline long ports_mapped(int fd, __u16 domid, __u16 id, __u64 start, __u64 end)
{
	long ret = ports_map(fd, domid, id, start, end);

	if (ret == -EEXIST)
		return 1;
	return ret ? ret : ports_unmap(fd, domid, id, start, end);
}

/* --- privilege --------------------------------------------------------- */

/* Return: the effective and the permitted capabilities of this process, together. */
static inline __u64 capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { };

	if (syscall(SYS_capget, &head, data))
		return ~0ULL;
	return (data[0].effective | data[0].permitted) |
	       (__u64)(data[1].effective | data[1].permitted) << 32;
}

/* Irreversible: the user is nobody, in no group, with no capability in any set. */
static inline bool drop_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !setgroups(0, NULL) &&
	       !syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) &&
	       !syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) &&
	       !syscall(SYS_capset, &head, none) &&
	       !capabilities();
}

/* --- memory ------------------------------------------------------------ */

/* Return: poisoned pages between two pages without access, or NULL if there is no memory. */
static inline char *guarded_pages(size_t nr, int flags)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, (nr + 2) * page, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (p == MAP_FAILED ||
	    mprotect(p + page, nr * page, PROT_READ | PROT_WRITE))
		return NULL;
	return memset(p + page, POISON, nr * page);
}

static inline bool all_bytes(const void *p, int byte, size_t n)
{
	const unsigned char *c = p;

	while (n--)
		if (*c++ != byte)
			return false;
	return true;
}

/* --- descriptors ------------------------------------------------------- */

/* It is sent with a blank, because QMP skips blanks. Return: 0 or minus the errno. */
static inline int send_fd(int sock, int fd)
{
	char byte = ' ', control[CMSG_SPACE(sizeof(fd))] = { };
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* Return: the descriptor, or minus the errno. */
static inline int recv_fd(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = { };
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static inline bool bytes_from(int fd, int nr)
{
	char c;

	while (nr && read(fd, &c, 1) == 1)
		nr--;
	return !nr;
}

/* On a single processor, two concurrent calls may run in one order only. */
static inline bool one_processor(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) == 1;
}

/* --- module parameters ------------------------------------------------- */

static inline long param_get(const char *name)
{
	char path[128], text[32] = "";
	int fd, n;

	snprintf(path, sizeof(path), DMOP_PARAMS "%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atol(text) : -EIO;
}

/* Return: 0 or minus the errno. */
static inline long param_set_text(const char *name, const char *text)
{
	char path[128];
	ssize_t n;
	int fd, err;

	snprintf(path, sizeof(path), DMOP_PARAMS "%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	return n < 0 ? -err : 0;
}

static inline long param_set(const char *name, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	return param_set_text(name, text);
}

/* --- the program ------------------------------------------------------- */

static inline bool domid_from_env(const char *name, __u16 *domid)
{
	const char *text = getenv(name);
	char *end;
	long n;

	if (!text || !*text)
		return false;
	n = strtol(text, &end, 10);
	*domid = n;
	return !*end && n > 0 && n <= DMOP_DOMID_MAX;
}

/* Return: NULL, or a message: what is missing, and the remedy. */
static inline const char *dmop_missing(void)
{
	if (access("/proc/xen", F_OK) && access("/sys/hypervisor/type", F_OK))
		return "not on Xen: run this in a dom0 (make lab-shell)";
	if (access(DMOP_NODE, F_OK))
		return "no " DMOP_NODE ": modprobe dmop_privcmd";
	if (geteuid())
		return "not root: run this as root";
	if (!domid_from_env("DMOP_TARGET", &target_domid) ||
	    !domid_from_env("DMOP_OTHER", &other_domid) ||
	    target_domid == other_domid)
		return "no target domains: use selftests/run, or set DMOP_TARGET and DMOP_OTHER to the domids of two paused PVH domains";
	return NULL;
}

/*
 * Skips the whole program if it cannot run here, with the exit code of kselftest for that. The
 * harness would run each test and report it as failed.
 */
static inline void dmop_require(void)
{
	const char *missing = dmop_missing();

	/* Line by line, so that the output before a crash is not lost. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!missing)
		return;
	ksft_print_header();
	ksft_exit_skip("%s\n", missing);
}

/* The body of main(); it replaces TEST_HARNESS_MAIN. */
static inline int dmop_test_run(int argc, char **argv)
{
	dmop_require();
	return test_harness_run(argc, argv);
}

#endif /* DMOP_TEST_H */
