// SPDX-License-Identifier: GPL-2.0
/*
 * scale.c - do two processors make twice the calls of one?
 *
 * By the clock: the same number of calls by one processor, and by each of two at
 * once. 2.00 is perfect. In an emulator that says as much of the emulator, and
 * of what else its machine does, as of the driver.
 *
 * By what is written to: a line of memory that both write to at each call is
 * what they wait for each other for. With WINDOWS each of the two makes a few
 * calls in windows of count.c, and selftests/bench/shared.awk finds those lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xen/dmop.h>
#include "../dm_op.h"
#include "count.h"

#define CALLS	2000
#define ROUNDS	9
#define WINDOWS	9
#define WARM_UP	20

/* What the callers, who may be processes, share. */
static struct {
	pthread_barrier_t start;
	double seconds[2];
} *shared;

struct caller {
	int cpu;
	int fd;
	uint16_t domid;
};

static FILE *windows;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		abort();
}

static void one_call(const struct caller *c)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { &op, sizeof(op) };
	struct dmop_dm_op arg = { .dom = c->domid, .num = 1, .ubufs = &buf };

	if (ioctl(c->fd, DMOP_IOCTL_DM_OP, &arg) != -1 || errno != EOPNOTSUPP)
		abort();
}

static void *timed_calls(void *data)
{
	const struct caller *c = data;
	double begin;
	int i;

	go_to(c->cpu);
	pthread_barrier_wait(&shared->start);
	begin = now();
	for (i = 0; i < CALLS; i++)
		one_call(c);
	shared->seconds[c->cpu] = now() - begin;
	return NULL;
}

/*
 * One after the other; but the first stays until the second is done, so that
 * nothing of the one can be used again for the other.
 */
static void *watched_calls(void *data)
{
	const struct caller *c = data;
	int i;

	go_to(c->cpu);
	if (c->cpu == 1)
		pthread_barrier_wait(&shared->start);
	for (i = 0; i < WARM_UP; i++)
		one_call(c);
	for (i = 0; i < WINDOWS; i++) {
		count_call(COUNT_BEGIN);
		one_call(c);
		count_call(COUNT_END);
	}
	if (c->cpu == 0)
		pthread_barrier_wait(&shared->start);
	pthread_barrier_wait(&shared->start);
	return NULL;
}

/* As a thread of this process, or as another process. */
struct worker {
	pthread_t thread;
	pid_t pid;
};

static struct worker start(void *(*work)(void *), struct caller *c, bool threads)
{
	struct worker w = { };

	if (threads) {
		if (pthread_create(&w.thread, NULL, work, c))
			abort();
		return w;
	}
	w.pid = fork();
	if (!w.pid) {
		work(c);
		_exit(0);
	}
	return w;
}

static void finish(struct worker w)
{
	int status = 0;

	if (w.pid ? waitpid(w.pid, &status, 0) != w.pid || status : pthread_join(w.thread, NULL)) {
		fprintf(stderr, "scale: a caller failed\n");
		exit(1);
	}
}

static void run(void *(*work)(void *), struct caller *c, unsigned int nr, bool threads)
{
	pthread_barrierattr_t attr;
	struct worker w[2];
	unsigned int i;

	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->start, &attr, nr);
	for (i = 0; i < nr; i++)
		w[i] = start(work, &c[i], threads);
	for (i = 0; i < nr; i++)
		finish(w[i]);
	pthread_barrier_destroy(&shared->start);
}

/* Return: the time that the slowest of @nr took. */
static double time_of(struct caller *c, unsigned int nr, bool threads)
{
	shared->seconds[1] = 0;
	run(timed_calls, c, nr, threads);
	return shared->seconds[0] > shared->seconds[1] ? shared->seconds[0] : shared->seconds[1];
}

static int compare(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : 1;
}

static void by_the_clock(const char *what, struct caller *c, bool threads)
{
	double ratio[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		double one = time_of(c, 1, threads);

		ratio[i] = 2 * one / time_of(c, 2, threads);
	}
	qsort(ratio, ROUNDS, sizeof(ratio[0]), compare);
	printf("%-40s %.2f times the calls (%.2f to %.2f)\n", what, ratio[ROUNDS / 2], ratio[0],
	       ratio[ROUNDS - 1]);
}

static void by_what_is_written(const char *what, struct caller *c, bool threads)
{
	int i, n;

	for (i = 0; i < 2; i++)
		for (n = 0; n < WINDOWS; n++)
			fprintf(windows, "%d %s\n", i, what);
	run(watched_calls, c, 2, threads);
}

static int bound(const char *path, uint16_t domid)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, DMOP_IOCTL_RESTRICT, &domid)) {
		perror(path);
		exit(1);
	}
	return fd;
}

static void scale(const char *node, const char *name, uint16_t domid0, uint16_t domid1)
{
	void (*how)(const char *, struct caller *, bool) = windows ? by_what_is_written : by_the_clock;
	struct caller c[2] = {
		{ .cpu = 0, .fd = bound(node, domid0), .domid = domid0 },
		{ .cpu = 1, .fd = bound(node, domid1), .domid = domid1 },
	};
	char what[64];

	snprintf(what, sizeof(what), "%s: two processes, two domains", name);
	how(what, c, false);
	c[1].fd = bound(node, domid0);
	c[1].domid = domid0;
	snprintf(what, sizeof(what), "%s: two processes, one domain", name);
	how(what, c, false);
	c[1].fd = c[0].fd;
	snprintf(what, sizeof(what), "%s: two processes, one descriptor", name);
	how(what, c, false);
	snprintf(what, sizeof(what), "%s: two threads, one descriptor", name);
	how(what, c, true);
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 4 || sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "usage: scale DOMID DOMID [WINDOWS]: two paused PVH domains, and where to write\n"
				"       which window of count.c is of which call; needs two processors\n");
		return 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4) {
		windows = count_arm(argv[3]);
		if (!windows) {
			perror(argv[3]);
			return 1;
		}
	}
	scale("/dev/xen/privcmd", "stock", atoi(argv[1]), atoi(argv[2]));
	scale("/dev/xen/dmop", "dmop", atoi(argv[1]), atoi(argv[2]));
	return 0;
}
