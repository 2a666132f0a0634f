// SPDX-License-Identifier: GPL-2.0
/*
 * scale.c - do two processors make twice the calls of one?
 *
 * By the clock, on two processors or more: the same number of calls by one
 * thread, and by each of two at once. 2.00 is perfect. Run it on an idle
 * machine; in an emulator it says as much of the emulator as of the driver.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <xen/dmop.h>
#include "../dm_op.h"

#define CALLS	20000
#define ROUNDS	9

static uint16_t target;
static pthread_barrier_t start;

struct caller {
	pthread_t thread;
	int cpu;
	int fd;
	double seconds;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void *calls(void *data)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { &op, sizeof(op) };
	struct dmop_dm_op arg = { .dom = target, .num = 1, .ubufs = &buf };
	struct caller *c = data;
	cpu_set_t set;
	double begin;
	int i;

	CPU_ZERO(&set);
	CPU_SET(c->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	pthread_barrier_wait(&start);
	begin = now();
	for (i = 0; i < CALLS; i++)
		if (ioctl(c->fd, DMOP_IOCTL_DM_OP, &arg) != -1 || errno != EOPNOTSUPP)
			abort();
	c->seconds = now() - begin;
	return NULL;
}

/* Return: the time that the slowest took. */
static double run(struct caller *c, unsigned int nr)
{
	double slowest = 0;
	unsigned int i;

	pthread_barrier_init(&start, NULL, nr);
	for (i = 0; i < nr; i++)
		if (pthread_create(&c[i].thread, NULL, calls, &c[i]))
			exit(1);
	for (i = 0; i < nr; i++) {
		pthread_join(c[i].thread, NULL);
		if (c[i].seconds > slowest)
			slowest = c[i].seconds;
	}
	pthread_barrier_destroy(&start);
	return slowest;
}

static int compare(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : 1;
}

static void scale(const char *what, int fd0, int fd1)
{
	struct caller c[2] = { { .cpu = 0, .fd = fd0 }, { .cpu = 1, .fd = fd1 } };
	double ratio[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		double one = run(c, 1);

		ratio[i] = 2 * one / run(c, 2);
	}
	qsort(ratio, ROUNDS, sizeof(ratio[0]), compare);
	printf("%s: %.2f times the calls (%.2f to %.2f)\n", what, ratio[ROUNDS / 2], ratio[0],
	       ratio[ROUNDS - 1]);
}

static int bound(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, DMOP_IOCTL_RESTRICT, &target)) {
		perror(path);
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	static const char *const nodes[] = { "/dev/xen/privcmd", "/dev/xen/dmop" };
	char what[64];
	int i;

	if (argc != 2 || sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "usage: scale TARGET: domid of a paused PVH domain; needs two processors\n");
		return 2;
	}
	target = atoi(argv[1]);
	for (i = 0; i < 2; i++) {
		int fd = bound(nodes[i]);

		snprintf(what, sizeof(what), "%s, two descriptors", nodes[i]);
		scale(what, fd, bound(nodes[i]));
		snprintf(what, sizeof(what), "%s, one descriptor", nodes[i]);
		scale(what, fd, fd);
	}
	return 0;
}
