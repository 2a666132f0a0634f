// SPDX-License-Identifier: GPL-2.0
/*
 * bench.c - what calls cost, on the stock node and on /dev/xen/dmop
 *
 * Each call is timed by itself and the median is told, in ticks of the TSC. In
 * an emulator that counts instructions (scripts/bench) a tick is one of them,
 * and the figures are the same on any machine.
 *
 * Output: one line a result, "CALL NODE TICKS".
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>
#include <xendevicemodel.h>

#include <xen/dmop.h>
#include "../dm_op.h"
#include "count.h"

#define PAGE		4096UL
#define ROUNDS		301
#define MAX_FRAMES	4096
#define DOMAIN_FRAMES	1024
#define NR_BATCH	32

static const char *node;	/* of the results */
static int fd;			/* bound to target */
static uint16_t target, other;

static void die(const char *what, ...)
{
	int err = errno;
	va_list args;

	va_start(args, what);
	fprintf(stderr, "bench: %s: ", node ? node : "-");
	vfprintf(stderr, what, args);
	fprintf(stderr, " (%s)\n", strerror(err));
	va_end(args);
	exit(1);
}

/* --- measuring --------------------------------------------------------- */

static uint64_t took[ROUNDS], empty;

/* For a profile: of which call each window of count.c is, in their order. */
static FILE *windows;
static bool in_window;

static uint64_t now(void)
{
	_mm_lfence();
	return __rdtsc();
}

/* The last few of @times calls get a window each. */
static uint64_t begin(const char *name, unsigned int i, unsigned int times)
{
	in_window = windows && i + NR_WINDOWS >= times;
	if (in_window) {
		fprintf(windows, "%s %s\n", name, node ? node : "-");
		count_call(COUNT_BEGIN);
	}
	return now();
}

static uint64_t end(uint64_t start)
{
	uint64_t ticks = now() - start;

	if (in_window)
		count_call(COUNT_END);
	return ticks;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(uint64_t *of, unsigned int n)
{
	qsort(of, n, sizeof(*of), compare);
	return of[n / 2];
}

static void report(const char *call, uint64_t ticks)
{
	printf("%s %s %llu\n", call, node, (unsigned long long)ticks);
	fflush(stdout);
}

typedef long (*call_fn)(void);

static long nothing(void)
{
	return 0;
}

static uint64_t cost(const char *name, call_fn call)
{
	unsigned int i;

	for (i = 0; i < ROUNDS / 10; i++)
		call();
	for (i = 0; i < ROUNDS; i++) {
		uint64_t start = begin(name, i, ROUNDS);

		call();
		took[i] = end(start);
	}
	return median(took, ROUNDS) - empty;
}

/* A benchmark of calls that do not do what they should is worth nothing. */
static void bench(const char *name, call_fn call, long want)
{
	long ret = call();

	if (ret != want) {
		errno = ret < 0 ? -ret : 0;
		die("%s gave %ld, not %ld", name, ret, want);
	}
	report(name, cost(name, call));
}

static long sys_ioctl(int on, unsigned int cmd, void *arg)
{
	long ret = syscall(SYS_ioctl, on, cmd, arg);

	return ret < 0 ? -errno : ret;
}

/* --- operations -------------------------------------------------------- */

static struct dm_op op = { .op = DM_OP_UNKNOWN };
static char data[16 * 64] __attribute__((aligned(64)));
static char large[PAGE] __attribute__((aligned(4096)));
static struct dmop_buf bufs[16];

static long dm_op(uint16_t domid, unsigned int nr, size_t size1)
{
	struct dmop_dm_op arg = { .dom = domid, .num = nr, .ubufs = bufs };

	bufs[0] = (struct dmop_buf) { &op, sizeof(op) };
	bufs[1] = (struct dmop_buf) { size1 > sizeof(data) ? large : data, size1 };
	return sys_ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

static long call_getppid(void)
{
	return syscall(SYS_getppid) < 0;
}

static long call_unknown(void)
{
	return sys_ioctl(fd, _IO('P', 0xfe), NULL);
}

static long call_64(void)
{
	return dm_op(target, 1, 0);
}

static long call_64_128(void)
{
	return dm_op(target, 2, 128);
}

static long call_64_4096(void)
{
	return dm_op(target, 2, sizeof(large));
}

static long call_16_bufs(void)
{
	struct dmop_dm_op arg = { .dom = target, .num = 16, .ubufs = bufs };
	unsigned int i;

	bufs[0] = (struct dmop_buf) { &op, sizeof(op) };
	for (i = 1; i < 16; i++)
		bufs[i] = (struct dmop_buf) { data + 64 * i, 64 };
	return sys_ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

static long call_refused(void)
{
	return dm_op(other, 1, 0);
}

/* Xen answers, and the answer is written back. */
static long call_info(void)
{
	struct dm_op info = { .op = DM_OP_GET_IOREQ_SERVER_INFO };
	struct dmop_buf buf = { &info, sizeof(info) };
	struct dmop_dm_op arg = { .dom = target, .num = 1, .ubufs = &buf };

	info.u.info.flags = DM_OP_INFO_NO_GFNS;
	return sys_ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

#ifdef DMOP_IOCTL_NARROW
/* An operation that no Xen has, but that a narrowed file keeps */
#define OP_KEPT	100

static long call_narrow(void)
{
	struct dmop_narrow n = { .size = sizeof(n), .flags = DMOP_NARROW_OPS };

	n.ops[OP_KEPT / 64] = 1ULL << OP_KEPT % 64;
	return sys_ioctl(fd, DMOP_IOCTL_NARROW, &n);
}
#endif

#ifdef DMOP_IOCTL_IRQFD
static int event;

static long call_eventfd(void)
{
	const uint64_t once = 1;

	return write(event, &once, sizeof(once)) == sizeof(once) ? 0 : -errno;
}

/* Writes to an eventfd that nobody reads, and to one that issues an operation. */
static void bench_irqfd(void)
{
	struct dm_op msi = { .op = DM_OP_INJECT_MSI, .u.msi = { .data = 0x41, .addr = 0xfee00000 } };
	struct dmop_irqfd irqfd = {
		.dm_op = &msi, .size = offsetof(struct dm_op, u) + sizeof(msi.u.msi), .dom = target,
	};

	event = eventfd(0, EFD_CLOEXEC);
	bench("eventfd", call_eventfd, 0);
	irqfd.fd = event;
	if (sys_ioctl(fd, DMOP_IOCTL_IRQFD, &irqfd))
		die("IRQFD");
	bench("irqfd", call_eventfd, 0);
	close(event);
}
#endif

#ifdef DMOP_IOCTL_BATCH
/* @NR_BATCH of the 64-byte operations in one call; our own node has that. */
static struct {
	struct dmop_batch head;
	struct dmop_batch_op ops[NR_BATCH];
	struct dm_op buffers[NR_BATCH];
} batch;

static long call_batch(void)
{
	return sys_ioctl(fd, DMOP_IOCTL_BATCH, &batch);
}

static void bench_batch(void)
{
	unsigned int i;

	batch.head.size = sizeof(batch.head);
	batch.head.domid = target;
	batch.head.nr = NR_BATCH;
	batch.head.bytes = sizeof(batch) - sizeof(batch.head);
	for (i = 0; i < NR_BATCH; i++) {
		batch.ops[i].size[0] = sizeof(op);
		batch.buffers[i] = op;
	}
	if (call_batch() != NR_BATCH || batch.ops[NR_BATCH - 1].result != -EOPNOTSUPP)
		die("BATCH");
	report("batch_32", cost("batch_32", call_batch) / NR_BATCH);
}
#endif

static int hypercall_fd;

static long call_hypercall(void)
{
	struct dmop_hypercall h = {
		.op = DMOP_HYPERCALL_NR,
		.arg = { target, 1, (unsigned long)bufs },
	};

	bufs[0] = (struct dmop_buf) { &op, sizeof(op) };
	return sys_ioctl(hypercall_fd, DMOP_IOCTL_HYPERCALL, &h);
}

static const char *path;

static long call_open(void)
{
	int f = open(path, O_RDWR | O_CLOEXEC);

	return f < 0 ? -errno : close(f);
}

static long call_restrict(void)
{
	int f = open(path, O_RDWR | O_CLOEXEC);
	long ret = sys_ioctl(f, DMOP_IOCTL_RESTRICT, &target);

	close(f);
	return ret;
}

/* --- the library ------------------------------------------------------- */

static xendevicemodel_handle *library;

static long call_inject_msi(void)
{
	return xendevicemodel_inject_msi(library, target, 0xfee00000, 0x41) ? -errno : 0;
}

static long call_set_intx(void)
{
	return xendevicemodel_set_pci_intx_level(library, target, 0, 0, 3, 0, 1) ? -errno : 0;
}

/* The library knows one path, so this process sees another node there. */
static void bench_library(void)
{
	library = xendevicemodel_open(NULL, 0);
	if (!library || xendevicemodel_restrict(library, target))
		die("the library cannot be opened or restricted");
	/* What Xen says is the same on both nodes; only that it was asked counts. */
	report("inject_msi", cost("inject_msi", call_inject_msi));
	report("set_pci_intx_level", cost("set_pci_intx_level", call_set_intx));
	xendevicemodel_close(library);
}

/* --- mapping ----------------------------------------------------------- */

static __u64 gfns[MAX_FRAMES];
static int errs[MAX_FRAMES];

static char *area(unsigned int nr)
{
	char *p = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die("mmap of %u frames", nr);
	return p;
}

static void map(char *at, unsigned int nr)
{
	struct dmop_mmapbatch_v2 m = {
		.num = nr, .dom = target, .addr = (unsigned long)at, .arr = gfns, .err = errs,
	};
	long ret = sys_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &m);

	if (ret || errs[0] || errs[nr - 1])
		die("MMAPBATCH_V2 of %u frames: %ld, %d, %d", nr, ret, errs[0], errs[nr - 1]);
}

/* The frames that the domain has, over and over. */
static void find_frames(void)
{
	struct dmop_mmapbatch_v2 m = { .num = DOMAIN_FRAMES, .dom = target, .arr = gfns, .err = errs };
	unsigned int i, nr = 0;
	char *p = area(DOMAIN_FRAMES);
	long ret;

	for (i = 0; i < DOMAIN_FRAMES; i++)
		gfns[i] = i;
	m.addr = (unsigned long)p;
	ret = sys_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &m);
	if (ret)
		die("finding the frames of the domain: %ld", ret);
	for (i = 0; i < DOMAIN_FRAMES; i++)
		if (!errs[i])
			gfns[nr++] = i;
	munmap(p, DOMAIN_FRAMES * PAGE);
	if (!nr)
		die("the domain has no memory");
	for (i = nr; i < MAX_FRAMES; i++)
		gfns[i] = gfns[i - nr];
	memset(errs, 0, sizeof(errs));
}

static void bench_map(unsigned int nr)
{
	unsigned int i, times = nr > 256 ? 7 : nr > 1 ? 21 : 101;
	static uint64_t unmap[ROUNDS];
	char map_name[32], unmap_name[32];

	snprintf(map_name, sizeof(map_name), "map_%u", nr);
	snprintf(unmap_name, sizeof(unmap_name), "unmap_%u", nr);
	for (i = 0; i < times; i++) {
		char *p = area(nr);
		uint64_t start = begin(map_name, i, times);

		map(p, nr);
		took[i] = end(start);
		start = begin(unmap_name, i, times);
		if (munmap(p, nr * PAGE))
			die("munmap");
		unmap[i] = end(start);
	}
	report(map_name, (median(took, times) - empty) / nr);
	report(unmap_name, (median(unmap, times) - empty) / nr);
}

/* From the last word of a process that has @nr frames mapped until it is gone. */
static uint64_t exit_cost(const char *name, unsigned int nr)
{
	unsigned int i, times = 7;

	for (i = 0; i < times; i++) {
		int go[2], ready[2], status;
		uint64_t start;
		char c = 0;
		pid_t pid;

		if (pipe(go) || pipe(ready))
			die("pipe");
		pid = fork();
		if (!pid) {
			if (nr)
				map(area(nr), nr);
			if (write(ready[1], &c, 1) != 1 || read(go[0], &c, 1) != 1)
				_exit(1);
			_exit(0);
		}
		if (pid < 0 || read(ready[0], &c, 1) != 1)
			die("fork");
		start = begin(name, i, times);
		if (write(go[1], &c, 1) != 1 || waitpid(pid, &status, 0) != pid || status)
			die("waitpid");
		took[i] = end(start);
		close(go[0]);
		close(go[1]);
		close(ready[0]);
		close(ready[1]);
	}
	return median(took, times);
}

static void bench_exit(unsigned int nr)
{
	uint64_t with, without;
	char name[32];

	snprintf(name, sizeof(name), "exit_%u", nr);
	with = exit_cost(name, nr);
	without = exit_cost("exit_0", 0);
	/* By a real clock, what a few frames take can be lost in the noise: no figure, no bar met. */
	if (with > without)
		report(name, (with - without) / nr);
}

static void bench_resource(void)
{
	struct dm_op create = { .op = DM_OP_CREATE_IOREQ_SERVER };
	struct dm_op destroy = { .op = DM_OP_DESTROY_IOREQ_SERVER };
	struct dmop_buf buf = { &create, sizeof(create) };
	struct dmop_dm_op arg = { .dom = target, .num = 1, .ubufs = &buf };
	static uint64_t unmap[ROUNDS];
	unsigned int i, times = 101;

	create.u.create.handle_bufioreq = DM_OP_BUFIOREQ;
	if (sys_ioctl(fd, DMOP_IOCTL_DM_OP, &arg))
		die("no ioreq server");
	bench("dm_op_info", call_info, 0);
	for (i = 0; i < times; i++) {
		struct dmop_mmap_resource r = {
			.dom = target, .id = create.u.create.id, .num = 2,
		};
		char *p = area(2);
		uint64_t start;
		long ret;

		r.addr = (unsigned long)p;
		start = begin("map_resource", i, times);
		ret = sys_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &r);
		took[i] = end(start);
		if (ret)
			die("MMAP_RESOURCE: %ld", ret);
		start = begin("unmap_resource", i, times);
		munmap(p, 2 * PAGE);
		unmap[i] = end(start);
	}
	report("map_resource", median(took, times) - empty);
	report("unmap_resource", median(unmap, times) - empty);

	destroy.u.destroy.id = create.u.create.id;
	buf.uptr = &destroy;
	if (sys_ioctl(fd, DMOP_IOCTL_DM_OP, &arg))
		die("the ioreq server cannot be destroyed");
}

/* --- how much of it ---------------------------------------------------- */

static int open_node(void)
{
	int f = open(path, O_RDWR | O_CLOEXEC);

	if (f < 0)
		die("%s", path);
	return f;
}

#define NR_OPEN	1000
#define NR_AREAS	200

/*
 * What all objects of the kernel take. What a group of processes is charged for
 * would be nearer, but comes in batches. What was freed before is gone by then.
 */
static uint64_t objects(void)
{
	unsigned long long nr, size, bytes = 0;
	char line[256];
	FILE *f;

	sleep(1);
	f = fopen("/proc/slabinfo", "r");
	if (!f)
		die("/proc/slabinfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %llu %*u %llu", &nr, &size) == 2)
			bytes += nr * size;
	fclose(f);
	return bytes;
}

static uint64_t page_tables(void)
{
	unsigned long long kib = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f) && sscanf(line, "VmPTE: %llu", &kib) != 1)
		;
	if (f)
		fclose(f);
	return kib * 1024;
}

/* What one of  takes; a machine at rest frees more than it allocates. */
static uint64_t each_since(uint64_t before, uint64_t now, unsigned int nr)
{
	return now > before ? (now - before) / nr : 0;
}

/* An area of 256 frames, with its page tables. */
static void bench_weight(void)
{
	static char *areas[NR_AREAS];
	uint64_t before = objects(), tables = page_tables();
	unsigned int i;

	for (i = 0; i < NR_AREAS; i++) {
		areas[i] = area(256);
		map(areas[i], 256);
	}
	report("bytes_256_frames", each_since(before, objects(), NR_AREAS) +
				 each_since(tables, page_tables(), NR_AREAS));
	for (i = 0; i < NR_AREAS; i++)
		munmap(areas[i], 256 * PAGE);
}

#ifdef DMOP_IOCTL_NARROW
static void bench_narrow(void)
{
	int all = fd;

	fd = open_node();
	if (sys_ioctl(fd, DMOP_IOCTL_RESTRICT, &target) || call_narrow())
		die("NARROW");
	op.op = OP_KEPT;
	bench("dm_op_64_narrowed", call_64, -EOPNOTSUPP);
	op.op = DM_OP_UNKNOWN;
	bench("removed", call_64, -EPERM);
	close(fd);
	fd = all;
}
#endif

/* Many descriptors, of two domains: what they weigh, and do they slow one down? */
static void bench_many(void)
{
	struct rlimit many = { .rlim_cur = NR_OPEN + 64, .rlim_max = NR_OPEN + 64 };
	static int fds[NR_OPEN];
	uint64_t before;
	unsigned int i;

	if (setrlimit(RLIMIT_NOFILE, &many))
		die("RLIMIT_NOFILE");
	/* The table of descriptors is no driver's. */
	if (dup2(fd, NR_OPEN + 63) < 0)
		die("dup2");
	close(NR_OPEN + 63);
	before = objects();
	for (i = 0; i < NR_OPEN; i++)
		fds[i] = open_node();
	report("bytes_open", each_since(before, objects(), NR_OPEN));
	for (i = 0; i < NR_OPEN; i++)
		if (sys_ioctl(fds[i], DMOP_IOCTL_RESTRICT, i % 2 ? &other : &target))
			die("RESTRICT");
	report("bytes_bound", each_since(before, objects(), NR_OPEN));
	report("dm_op_64_of_1000", cost("dm_op_64_of_1000", call_64));
	for (i = 0; i < NR_OPEN; i++)
		close(fds[i]);
}

/* --- all of it --------------------------------------------------------- */

static void bench_node(const char *name, const char *at)
{
	bool own = !strcmp(name, "dmop");

	node = name;
	path = at;
	fd = open_node();
	if (sys_ioctl(fd, DMOP_IOCTL_RESTRICT, &target))
		die("RESTRICT");
	/* Stock has none for who is restricted. */
	hypercall_fd = own ? fd : open_node();

	bench("getppid", call_getppid, 0);
	bench("unknown", call_unknown, -ENOTTY);
	bench("dm_op_64", call_64, -EOPNOTSUPP);
	bench("dm_op_64_128", call_64_128, -EOPNOTSUPP);
	bench("dm_op_64_4096", call_64_4096, -EOPNOTSUPP);
	bench("dm_op_16", call_16_bufs, -E2BIG);
	bench("hypercall", call_hypercall, -EOPNOTSUPP);
#ifdef DMOP_IOCTL_BATCH
	if (own)
		bench_batch();
#endif
#ifdef DMOP_IOCTL_NARROW
	if (own)
		bench_narrow();
#endif
#ifdef DMOP_IOCTL_IRQFD
	if (own)
		bench_irqfd();
#endif
	bench("refused", call_refused, -EPERM);
	bench("open", call_open, 0);
	bench("restrict", call_restrict, 0);
	find_frames();
	bench_map(1);
	bench_map(16);
	bench_map(256);
	bench_map(4096);
	bench_exit(256);
	bench_exit(4096);
	bench_resource();

	bench_weight();
	bench_many();

	if (own && (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount(at, "/dev/xen/privcmd", NULL, MS_BIND, NULL)))
		die("putting %s where the library looks", at);
	bench_library();
	close(fd);
	if (hypercall_fd != fd)
		close(hypercall_fd);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "count"))
		return !count_arm(argv[2]);
	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: bench TARGET OTHER [WINDOWS]: domids of two paused PVH domains,\n"
				"       and where to write which window of count.c is of which call\n"
				"       bench count WINDOWS: only begins to count\n");
		return 2;
	}
	target = atoi(argv[1]);
	other = atoi(argv[2]);
	if (argc == 4)
		windows = count_arm(argv[3]);
	if (argc == 4 && !windows)
		die("%s", argv[3]);
	/* Stock's raw hypercall has Xen read these where they are. */
	if (mlockall(MCL_CURRENT))
		die("mlockall");
	empty = cost("nothing", nothing);
	bench_node("stock", "/dev/xen/privcmd");
	bench_node("dmop", "/dev/xen/dmop");
	return 0;
}
