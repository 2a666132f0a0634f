// SPDX-License-Identifier: GPL-2.0
/*
 * rounds_test.c - domains created, bound, mapped by many processes and destroyed, round after round
 *
 * A load runs beside them. The memory held by the kernel is compared with that before.
 *
 * DMOP_ROUNDS=N: the number of rounds.
 */
#include "domains.h"

/* --- the load ---------------------------------------------------------- */

struct load {
	volatile int stop;
	volatile long ops, maps, wrong;
};

static struct load *load;

/* A pause between calls. Otherwise the rounds would starve in an emulator. */
#define LOAD_PAUSE_US	2000

static void *ops_main(void *data)
{
	int fd = *(int *)data;

	while (!load->stop) {
		if (unknown_op(fd, target_domid) != -EOPNOTSUPP)
			load->wrong++;
		load->ops++;
		usleep(LOAD_PAUSE_US);
	}
	return NULL;
}

static void *maps_main(void *data)
{
	int fd = *(int *)data;

	while (!load->stop) {
		char *p = map_several(fd, target_domid, 4);

		if (!p || touch(p, true))
			load->wrong++;
		else
			munmap(p, 4 * PAGE);
		load->maps++;
		usleep(LOAD_PAUSE_US);
	}
	return NULL;
}

/* touch() sets signal handlers of the whole process, so only one thread maps. */
static pid_t load_start(void)
{
	pthread_t ops[2], maps;
	pid_t pid;
	int fd;

	load = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (load == MAP_FAILED)
		return -1;
	pid = fork();
	if (pid)
		return pid;
	fd = dmop_open_bound(target_domid);
	if (fd < 0 || pthread_create(&ops[0], NULL, ops_main, &fd) ||
	    pthread_create(&ops[1], NULL, ops_main, &fd) ||
	    pthread_create(&maps, NULL, maps_main, &fd))
		_exit(1);
	pthread_join(ops[0], NULL);
	pthread_join(ops[1], NULL);
	pthread_join(maps, NULL);
	_exit(load->wrong || dmop_state(fd) != DMOP_STATE_BOUND);
}

/* --- rounds ------------------------------------------------------------ */

/* A holder without privilege maps memory and detects the end of the domain. */
static int unprivileged_main(int fd, __u16 domid, int ready)
{
	struct pollfd p = { .fd = fd };
	char *frames;

	if (!drop_privileges())
		return 1;
	frames = map_several(fd, domid, NR_FRAMES);
	if (!frames || touch(frames, true) || write(ready, "", 1) != 1)
		return 2;
	if (poll(&p, 1, -1) != 1 || p.revents != (POLLHUP | POLLERR))
		return 3;
	if (touch_until_gone(frames) != SIGBUS)
		return 4;
	return unknown_op(fd, domid) == -ESRCH ? 0 : 5;
}

/* Binds new files to the domain until it is gone. */
static int binder_main(__u16 domid, int ready)
{
	int fd;

	if (write(ready, "", 1) != 1)
		return 1;
	for (;;) {
		fd = dmop_open_bound(domid);
		if (fd < 0)
			return fd == -ESRCH ? 0 : 2;
		/* Not unmapped: the area keeps the file, and its frames if they could be mapped. */
		map_several(fd, domid, 1);
		close(fd);
		usleep(10000);
	}
}

/* A stopped holder cannot remove its own mappings. */
static int stopped_main(int fd, __u16 domid, int ready)
{
	if (!map_several(fd, domid, NR_FRAMES) || write(ready, "", 1) != 1)
		return 1;
	raise(SIGSTOP);
	return 0;
}

/* One domain: created, bound, mapped by several processes, destroyed, and gone from Xen. */
static void life(struct __test_metadata *const _metadata, int observer)
{
	pid_t unprivileged, binder, stopped;
	char *frames, *ioreq;
	long domid, id;
	int fds[3], ready[2], i;

	domid = create(NAME);
	ASSERT_LT(0, domid);
	for (i = 0; i < 3; i++) {
		fds[i] = dmop_open_bound(domid);
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	unprivileged = fork();
	if (!unprivileged)
		_exit(unprivileged_main(fds[0], domid, ready[1]));
	stopped = fork();
	if (!stopped)
		_exit(stopped_main(fds[1], domid, ready[1]));
	binder = fork();
	if (!binder)
		_exit(binder_main(domid, ready[1]));
	close(ready[1]);

	frames = map_several(fds[1], domid, NR_FRAMES);
	ASSERT_NE(NULL, frames);
	id = ioreq_create(fds[2], domid);
	ASSERT_LE(0, id);
	ioreq = map_ioreq_page(fds[2], domid, id);
	ASSERT_NE(NULL, ioreq);
	EXPECT_EQ(0, touch(ioreq, true));
	EXPECT_EQ(0, touch(frames, true));
	ASSERT_TRUE(bytes_from(ready[0], 3));
	close(ready[0]);

	ASSERT_TRUE(destroy(NAME));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(THE_END, wait_for_end(fds[i]));
		EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(fds[i]));
		EXPECT_EQ(-ESRCH, unknown_op(fds[i], domid));
	}
	EXPECT_EQ(SIGBUS, touch_until_gone(frames));
	EXPECT_EQ(SIGBUS, touch_until_gone(frames + (NR_FRAMES - 1) * PAGE));
	EXPECT_EQ(SIGBUS, touch_until_gone(ioreq));
	EXPECT_TRUE(unknown_to_xen(observer, domid));

	EXPECT_TRUE(ends_well_in_time(unprivileged));
	EXPECT_TRUE(ends_well_in_time(binder));
	kill(stopped, SIGKILL);
	EXPECT_EQ(stopped, waitpid(stopped, NULL, 0));
	EXPECT_EQ(0, munmap(frames, NR_FRAMES * PAGE));
	EXPECT_EQ(0, munmap(ioreq, PAGE));
	for (i = 0; i < 3; i++)
		close(fds[i]);
}

/* After this many rounds the kernel has filled its caches. */
#define WARM	10

/*
 * Detects a leak of one object in each round (a record, a list, an open file, an area), of its
 * per-CPU part, or of a page. Other changes do not grow with the number of rounds, and stay below
 * the limits.
 */
static void nothing_stayed(struct __test_metadata *const _metadata, int rounds,
			   const struct memory *before, bool last)
{
	struct memory m = memory_now(NOW);
	long caches_grown;

	ASSERT_LT(0, m.used);
	printf("# %d rounds later: %+ld KiB in use, %+ld KiB per-CPU\n",
	       rounds, m.used - before->used, m.percpu - before->percpu);
	caches_grown = grown(BEFORE, NOW, rounds);
	if (!last)
		return;
	EXPECT_EQ(0, caches_grown);
	EXPECT_GT(4 * rounds, m.used - before->used);
	EXPECT_GT(rounds / 2, m.percpu - before->percpu);
}

TEST_F(lifetime, rounds)
{
	const char *text = getenv("DMOP_ROUNDS");
	int i, rounds = text ? atoi(text) : 4;
	struct memory before = { };
	long users = refcount();
	pid_t beside;

	ASSERT_LT(0, rounds);
	ASSERT_LT(0, users);
	beside = load_start();
	ASSERT_LT(0, beside);
	for (i = 0; i < rounds && _metadata->passed; i++) {
		life(_metadata, self->observer);
		if (i == WARM)
			before = memory_now(BEFORE);
		else if ((i - WARM) % (4 * WARM) == 0)
			nothing_stayed(_metadata, i - WARM, &before, false);
	}
	if (_metadata->passed && i > 5 * WARM)
		nothing_stayed(_metadata, i - 1 - WARM, &before, true);
	if (!_metadata->passed)
		TH_LOG("in round %d", i);
	EXPECT_TRUE(no_zombies());

	load->stop = 1;
	EXPECT_TRUE(ends_well_in_time(beside));
	printf("# beside %d rounds: %ld operations, %ld mappings\n", rounds, load->ops, load->maps);
	EXPECT_EQ(0, load->wrong);
	EXPECT_LT(0, load->ops);
	EXPECT_LT(0, load->maps);
	EXPECT_EQ(users, refcount());
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
