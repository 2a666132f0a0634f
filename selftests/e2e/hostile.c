// SPDX-License-Identifier: GPL-2.0
/*
 * hostile.c - a device model that its guest has taken over, for the step 88-hostile
 *
 * hostile -xen-domid N -runas UID:GID -chroot DIR [OPTION...] takes the place of QEMU. It gives up
 * its privileges as QEMU does, and then does all of this at once, until it is killed: it forks,
 * allocates memory, keeps the processors busy, issues long hypercalls on its own domain, maps and
 * unmaps the domain's memory, issues calls that are refused, and fills its log and its files.
 *
 *   -node PATH     open this node and restrict it; else dmop-run has opened the descriptors
 *   -frames N      frames of the domain's memory
 *   -image FILE    a disk image, opened before the privileges are dropped
 *   -counts FILE   counts of what it has done so far, for "hostile show FILE"
 *   -memory MIB    memory to ask for, at most
 *   -processes N   RLIMIT_NPROC
 *
 * hostile show FILE    prints these counts, "NAME VALUE" a line
 * hostile fork N       is no enemy but an observer: prints the time of each of N forks, in ns
 *
 * Unknown options are ignored, because dmop-qemu and its user may add some.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xen/dmop.h>
#include "../../tools/handover.h"
#include "../dm_op.h"

#define PAGE		4096
#define MIB		(1UL << 20)
#define FIRST_GFN	0x100	/* above the first MiB, which has holes */

enum counter {
	FORKS, FORKS_REFUSED, MEMORY_MIB, KILLED, SPINS, CALLS, CALLS_FAILED, MAPPED, REFUSED, NOT_REFUSED,
	LOG_KIB, FILE_KIB, FILE_REFUSED, NR_COUNTERS
};

static const char *const counter_names[NR_COUNTERS] = {
	[FORKS] = "forks",
	[FORKS_REFUSED] = "forks-refused",
	[MEMORY_MIB] = "memory-mib",
	[KILLED] = "killed",		/* its processes, by the kernel, for lack of memory */
	[SPINS] = "spins",
	[CALLS] = "calls",
	[CALLS_FAILED] = "calls-failed",
	[MAPPED] = "frames-mapped",
	[REFUSED] = "refused",
	[NOT_REFUSED] = "not-refused",	/* calls that should have been */
	[LOG_KIB] = "log-kib",
	[FILE_KIB] = "file-kib",
	[FILE_REFUSED] = "file-refused",
};

/* All processes share it. */
static uint64_t *counts;

static struct options {
	const char *node, *image, *counts, *chroot;
	unsigned int domid, uid, gid, frames, memory_mib, processes;
} options = { .frames = 1024, .memory_mib = 1280 };

/* The descriptors for calls and for mappings, and the image or -1 */
static int call_fd, map_fd, image_fd = -1;

static void add(enum counter counter, uint64_t n)
{
	__atomic_fetch_add(&counts[counter], n, __ATOMIC_RELAXED);
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- what it does ------------------------------------------------------ */

/* Of all these together, the memory that is asked for. Each is small to the kernel's OOM killer. */
#define EATER_MIB	64

static _Noreturn void eat_memory(void)
{
	char *memory = mmap(NULL, EATER_MIB * MIB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned int mib, i;

	if (memory == MAP_FAILED)
		_exit(1);
	for (mib = 0;; mib = (mib + 1) % EATER_MIB) {
		madvise(memory + mib * MIB, MIB, MADV_DONTNEED);
		for (i = 0; i < MIB / PAGE; i++)
			memory[mib * MIB + i * PAGE] = 1;
		add(MEMORY_MIB, 1);
	}
}

static _Noreturn void spin(void)
{
	volatile unsigned int i;

	for (;;) {
		for (i = 0; i < 1000000; i++)
			;
		add(SPINS, 1);
	}
}

#define CHILDREN_MAX	32768
#define SPINNERS	8	/* one of so many children */

/* In sessions of their own: a scheduler that groups by sessions does not take them for one. */
static _Noreturn void child(unsigned int nr)
{
	setsid();
	if (nr % SPINNERS == 0)
		spin();
	for (;;)
		pause();
}

/* As many as possible; then one is killed for each that is refused, so it goes on. */
static _Noreturn void fork_children(void)
{
	static pid_t children[CHILDREN_MAX];
	unsigned int first = 0, end = 0;
	pid_t pid;

	for (;;) {
		pid = end - first < CHILDREN_MAX ? fork() : -1;
		if (!pid)
			child(end);
		if (pid > 0) {
			children[end++ % CHILDREN_MAX] = pid;
			add(FORKS, 1);
			continue;
		}
		add(FORKS_REFUSED, 1);
		if (first == end)
			continue;
		pid = children[first++ % CHILDREN_MAX];
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static long dm_op(unsigned int domid, struct dm_op *op)
{
	struct dmop_buf buf = { .uptr = op, .size = sizeof(*op) };
	struct dmop_dm_op arg = { .dom = domid, .num = 1, .ubufs = &buf };

	return ioctl(call_fd, DMOP_IOCTL_DM_OP, &arg);
}

/* All memory of the domain in one operation. It stays what it is. */
static _Noreturn void issue_long_calls(void)
{
	struct dm_op op = {
		.op = DM_OP_SET_MEM_TYPE,
		.u.mem_type = {
			.nr = options.frames - FIRST_GFN, .type = DM_OP_MEM_RAM_RW, .first_pfn = FIRST_GFN,
		},
	};

	for (;;) {
		struct dm_op copy = op;

		add(dm_op(options.domid, &copy) ? CALLS_FAILED : CALLS, 1);
	}
}

#define MAP_FRAMES	512

static void map_frames(unsigned int first)
{
	static __u64 gfns[MAP_FRAMES];
	static int errors[MAP_FRAMES];
	char *area = mmap(NULL, MAP_FRAMES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	struct dmop_mmapbatch_v2 arg = {
		.num = MAP_FRAMES, .dom = options.domid, .addr = (unsigned long)area, .arr = gfns, .err = errors,
	};
	unsigned int i, mapped = 0;

	if (area == MAP_FAILED)
		return;
	for (i = 0; i < MAP_FRAMES; i++)
		gfns[i] = first + i;
	if (!ioctl(map_fd, DMOP_IOCTL_MMAPBATCH_V2, &arg))
		for (i = 0; i < MAP_FRAMES; i++)
			mapped += !errors[i];
	add(MAPPED, mapped);
	munmap(area, MAP_FRAMES * PAGE);
}

static _Noreturn void map_and_unmap(void)
{
	unsigned int gfn = FIRST_GFN;

	for (;;) {
		map_frames(gfn);
		gfn += MAP_FRAMES;
		if (gfn + MAP_FRAMES > options.frames)
			gfn = FIRST_GFN;
	}
}

#define VERSION_OP	17	/* __HYPERVISOR_xen_version */

static void expect_refusal(long ret)
{
	add(ret ? REFUSED : NOT_REFUSED, 1);
}

static _Noreturn void issue_refused_calls(void)
{
	unsigned int other = options.domid + 1;
	struct dmop_hypercall hypercall = { .op = VERSION_OP };
	__u16 domid = other;

	for (;;) {
		struct dm_op op = { .op = DM_OP_UNKNOWN };

		expect_refusal(dm_op(other, &op));
		expect_refusal(ioctl(call_fd, DMOP_IOCTL_RESTRICT, &domid));
		expect_refusal(ioctl(call_fd, DMOP_IOCTL_HYPERCALL, &hypercall));
	}
}

static _Noreturn void fill_log(void)
{
	char text[PAGE];
	ssize_t n;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	for (;;) {
		n = write(STDERR_FILENO, text, sizeof(text));
		if (n > 0)
			add(LOG_KIB, n / 1024);
		else
			add(FILE_REFUSED, 1);
	}
}

#define MEMFD_MIB	64

/* Writes all of it once. An image is to be filled, and not to be grown. */
static void fill(int fd, off_t size)
{
	static char block[1 << 16];
	off_t at;

	for (at = 0; at < size; at += sizeof(block))
		if (pwrite(fd, block, sizeof(block), at) > 0)
			add(FILE_KIB, sizeof(block) / 1024);
		else
			add(FILE_REFUSED, 1);
}

static _Noreturn void fill_files(void)
{
	int memory = memfd_create("hostile", MFD_CLOEXEC);
	struct stat st = { };

	if (memory < 0 || (image_fd >= 0 && fstat(image_fd, &st)))
		_exit(1);
	for (;;) {
		fill(image_fd, st.st_size);
		fill(memory, MEMFD_MIB * MIB);
		if (ftruncate(memory, 0))
			_exit(1);
	}
}

/* --- its start --------------------------------------------------------- */

static const char *value_of(char **argv, const char *option)
{
	const char *value = NULL;

	for (; *argv; argv++)
		if (!strcmp(*argv, option) && argv[1])
			value = *++argv;
	return value;
}

static void number_of(char **argv, const char *option, unsigned int *number)
{
	const char *value = value_of(argv, option);

	if (value)
		*number = strtoul(value, NULL, 0);
}

static void parse(char **argv)
{
	const char *user = value_of(argv, "-runas");

	options.node = value_of(argv, "-node");
	options.image = value_of(argv, "-image");
	options.counts = value_of(argv, "-counts");
	options.chroot = value_of(argv, "-chroot");
	number_of(argv, "-xen-domid", &options.domid);
	number_of(argv, "-frames", &options.frames);
	number_of(argv, "-memory", &options.memory_mib);
	number_of(argv, "-processes", &options.processes);
	if (!user || sscanf(user, "%u:%u", &options.uid, &options.gid) != 2 || !options.uid ||
	    !options.counts || !options.chroot || options.frames < FIRST_GFN + MAP_FRAMES) {
		fputs("hostile: see the comment in hostile.c\n", stderr);
		exit(2);
	}
}

static uint64_t *map_counts(const char *path, bool create)
{
	int fd = open(path, O_RDWR | (create ? O_CREAT | O_TRUNC : 0) | O_CLOEXEC, 0600);
	void *memory;

	if (fd < 0 || ftruncate(fd, PAGE))
		fail(path);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		fail(path);
	close(fd);
	return memory;
}

static void open_node(void)
{
	const char *handover = getenv(HANDOVER_VAR);
	unsigned int domid;
	int no_stock, reporter;
	__u16 own = options.domid;

	if (options.node) {
		call_fd = map_fd = open(options.node, O_RDWR | O_CLOEXEC);
		if (call_fd < 0 || ioctl(call_fd, DMOP_IOCTL_RESTRICT, &own))
			fail(options.node);
		return;
	}
	if (!handover ||
	    sscanf(handover, HANDOVER_FORMAT, &call_fd, &map_fd, &domid, &no_stock, &reporter) != 5) {
		errno = ENOENT;
		fail(HANDOVER_VAR);
	}
}

static void drop_privileges(void)
{
	struct rlimit processes = { options.processes, options.processes };

	if (options.processes && setrlimit(RLIMIT_NPROC, &processes))
		fail("RLIMIT_NPROC");
	if (chroot(options.chroot) || chdir("/"))
		fail(options.chroot);
	if (setgroups(0, NULL) || setresgid(options.gid, options.gid, options.gid) ||
	    setresuid(options.uid, options.uid, options.uid))
		fail("-runas");
}

typedef void (*deed)(void);

/* Runs in a process of its own. Return: its id, or -1. */
static pid_t start(deed deed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	deed();
	_exit(1);
}

#define DEEDS_MAX	64

static struct {
	deed deed;
	pid_t pid;
} running[DEEDS_MAX];
static unsigned int nr_running;

static void begin(deed deed, unsigned int processes)
{
	for (; processes && nr_running < DEEDS_MAX; processes--) {
		running[nr_running].deed = deed;
		running[nr_running++].pid = start(deed);
	}
}

/* Starts again what has ended or could not be started. */
static void keep_running(void)
{
	unsigned int i;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			add(KILLED, 1);
		for (i = 0; i < nr_running; i++)
			if (running[i].pid == pid)
				running[i].pid = -1;
	}
	for (i = 0; i < nr_running; i++)
		if (running[i].pid < 0)
			running[i].pid = start(running[i].deed);
	usleep(10000);
}

static bool memory_is_full(void)
{
	return counts[KILLED] || counts[MEMORY_MIB] >= options.memory_mib;
}

/* Memory first, while nothing competes with it for the processor: limits are to be reached. */
static _Noreturn void misbehave(void)
{
	begin(eat_memory, (options.memory_mib + EATER_MIB - 1) / EATER_MIB);
	while (!memory_is_full())
		keep_running();
	begin(issue_long_calls, 2);
	begin(map_and_unmap, 2);
	begin(issue_refused_calls, 2);
	begin(fill_log, 1);
	begin(fill_files, 1);
	begin(fork_children, 1);
	for (;;)
		keep_running();
}

/* --- the observer ------------------------------------------------------ */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Until the child has ended; a pause before each, for the others to run. */
static int time_forks(unsigned int nr)
{
	uint64_t start;
	pid_t pid;

	while (nr--) {
		usleep(1000);
		start = now_ns();
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			fail("fork");
		printf("%llu\n", (unsigned long long)(now_ns() - start));
	}
	return 0;
}

static int show(const char *path)
{
	unsigned int i;

	counts = map_counts(path, false);
	for (i = 0; i < NR_COUNTERS; i++)
		printf("%s %llu\n", counter_names[i], (unsigned long long)counts[i]);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "show"))
		return show(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "fork"))
		return time_forks(strtoul(argv[2], NULL, 0));
	parse(argv);
	counts = map_counts(options.counts, true);
	open_node();
	if (options.image) {
		image_fd = open(options.image, O_RDWR | O_CLOEXEC);
		if (image_fd < 0)
			fail(options.image);
	}
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	drop_privileges();
	misbehave();
}
