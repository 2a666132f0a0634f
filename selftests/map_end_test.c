// SPDX-License-Identifier: GPL-2.0
/*
 * map_end_test.c - mappings when the domain is destroyed or the process is killed
 */
#include <sys/wait.h>

#include "hold.h"
#include "mapping.h"

#define DOOMED		"dmop-test-mapped"

/* --- the end ----------------------------------------------------------- */

/* Waits until Xen has no domain with this domid, not even a dying one. */
static void wait_until_gone(int observer, __u16 domid)
{
	while (unknown_op(observer, domid) != -ESRCH)
		usleep(10000);
}

/* The process survives its domain, and keeps its areas without mappings. */
TEST_F(map, goes_with_the_domain)
{
	long domid = create(DOOMED);
	int fd = dmop_open_bound(domid);
	char *p = map_one(fd, domid, GFN), *empty = area(fd, 1, PROT_READ);

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_TRUE(destroy(DOOMED));
	wait_until_gone(self->observer, domid);

	EXPECT_EQ(SIGBUS, touch(p, false));
	EXPECT_EQ(-ESRCH, map(fd, domid, empty, 1, self->gfns, self->errs));
	EXPECT_EQ(-ESRCH, map(fd, domid, p, 1, self->gfns, self->errs));
	EXPECT_EQ(MAP_FAILED, area(fd, 1, PROT_READ));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(fd));
	EXPECT_EQ(0, munmap(p, PAGE));
	EXPECT_EQ(0, mapped_frames(fd));
	close(fd);
}

/*
 * The end of the domain does not wait for a call that sleeps between two pieces. It unmaps the
 * frames of the call, and the call maps no more.
 */
TEST_F(map, goes_with_the_domain_between_pieces)
{
	long domid = create(DOOMED);
	int fd = dmop_open_bound(domid);
	char *p = area(fd, 2 * PIECE, PROT_READ);
	static int errs[2 * PIECE];
	static __u64 gfns[PIECE];
	struct dmop_mmapbatch_v2 m = {
		.num = 2 * PIECE, .dom = domid, .addr = (unsigned long)p, .err = errs,
	};
	struct caller call = { };
	struct hold hold = { };

	ASSERT_LT(0, domid);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, hold_init(&hold));
	memset(errs, POISON, sizeof(errs));
	fill(gfns, PIECE);
	m.arr = (__u64 *)(hold.page - sizeof(gfns));
	memcpy(hold.page - sizeof(gfns), gfns, sizeof(gfns));
	ASSERT_TRUE(caller_start(&call, fd, DMOP_IOCTL_MMAPBATCH_V2, &m));
	ASSERT_TRUE(hold_wait(&hold));
	EXPECT_EQ(0, touch(p, false));
	EXPECT_EQ(2 * PIECE, mapped_frames(fd));

	ASSERT_TRUE(destroy(DOOMED));
	wait_until_gone(self->observer, domid);
	EXPECT_EQ(SIGBUS, touch(p, false));
	EXPECT_EQ(0, mapped_frames(fd));
	ASSERT_TRUE(hold_release(&hold, gfns, sizeof(gfns)));
	EXPECT_EQ(-ESRCH, caller_join(&call));
	EXPECT_EQ(SIGBUS, touch(p + PIECE * PAGE, false));
	EXPECT_TRUE(all_bytes(errs, 0, sizeof(errs) / 2));
	EXPECT_TRUE(all_bytes(errs + PIECE, POISON, sizeof(errs) / 2));
	hold_exit(&hold);
	close(fd);
}

/* Mapping on all sides when it dies, and one mapper stopped in the middle. */
TEST_F(map, goes_with_the_domain_under_load)
{
	long domid = create(DOOMED);
	pid_t children[4];
	int ready[2];
	unsigned int i;

	ASSERT_LT(0, domid);
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	for (i = 0; i < 4; i++) {
		children[i] = fork();
		if (!children[i]) {
			int fd = dmop_open_bound(domid);

			if (!map_one(fd, domid, GFN) || write(ready[1], "", 1) != 1)
				_exit(1);
			for (;;)
				map_one(fd, domid, GFN);
		}
	}
	close(ready[1]);
	ASSERT_TRUE(bytes_from(ready[0], 4));
	kill(children[0], SIGSTOP);
	kill(children[1], SIGKILL);
	ASSERT_TRUE(destroy(DOOMED));
	wait_until_gone(self->observer, domid);
	for (i = 0; i < 4; i++) {
		kill(children[i], SIGKILL);
		EXPECT_EQ(children[i], waitpid(children[i], NULL, 0));
	}
}

#define MAPPERS	4

/*
 * Maps a frame and many that do not exist, by one call, over and over, until a call ends with ESRCH.
 * Almost all the time goes into the calls: to map a missing frame takes long, to unmap it no time.
 * Return: whether the last call was admitted before the end, and so ended early.
 */
static bool map_until_gone(int fd, __u16 domid, size_t nr)
{
	__u64 *gfns = malloc(nr * sizeof(*gfns));
	int *errs = malloc(nr * sizeof(*errs));
	struct dmop_info info;
	char *p;

	if (!gfns || !errs)
		_exit(4);
	memset(gfns, 0xff, nr * sizeof(*gfns));
	gfns[0] = GFN;
	for (;;) {
		p = area(fd, nr, PROT_READ);
		/* Revoked between two calls */
		if (p == MAP_FAILED)
			return false;
		if (map(fd, domid, p, nr, gfns, errs) == -ESRCH)
			break;
		munmap(p, nr * PAGE);
	}
	if (dmop_info(fd, &info) || info.refused_dead)
		return false;
	/* What it has mapped by then is taken away, as all else. */
	while (touch(p, false) != SIGBUS)
		usleep(1000);
	return true;
}

/* Calls of many frames while the domain is destroyed: such a call ends early. */
TEST_F(map, ends_with_the_domain_half_way)
{
	const size_t nr = dom0_not_pv() ? LONG_CALL + 904 : 16 * LONG_CALL;
	unsigned int i, j, early = 0;

	/* Whether a call is half way is chance, and less likely on a busy machine. */
	for (i = 0; i < 40 && !early; i++) {
		long domid = create(DOOMED);
		pid_t mappers[MAPPERS];
		int fds[MAPPERS];

		ASSERT_LT(0, domid);
		for (j = 0; j < MAPPERS; j++) {
			fds[j] = dmop_open_bound(domid);
			ASSERT_LE(0, fds[j]);
			mappers[j] = fork();
			if (!mappers[j])
				_exit(map_until_gone(fds[j], domid, nr) ? 2 : 0);
		}
		for (j = 0; j < MAPPERS; j++)
			while (!mapped_frames(fds[j]))
				sched_yield();
		ASSERT_TRUE(destroy(DOOMED));
		for (j = 0; j < MAPPERS; j++) {
			int status;

			ASSERT_EQ(mappers[j], waitpid(mappers[j], &status, 0));
			ASSERT_TRUE(WIFEXITED(status));
			EXPECT_TRUE(WEXITSTATUS(status) == 2 || WEXITSTATUS(status) == 0) {
				TH_LOG("a mapper ended with %d", WEXITSTATUS(status));
			}
			early += WEXITSTATUS(status) == 2;
		}
		wait_until_gone(self->observer, domid);
		for (j = 0; j < MAPPERS; j++)
			close(fds[j]);
	}
	TH_LOG("%u calls ended early, in %u rounds", early, i);
	if (!one_processor())
		EXPECT_LE(1, early);
}

/* Another thread of the killed process. It waits for mmap_lock. */
struct other_mapper {
	pthread_t thread;
	int fd;
	struct dmop_mmap_resource r;
};

static void *other_mapper_main(void *data)
{
	struct other_mapper *o = data;

	while (!mapped_frames(o->fd))
		sched_yield();
	resource_map(o->fd, &o->r);
	return NULL;
}

/* A process killed during a call: the call ends, and leaves no mapping and no reference. */
TEST_F(map, killed_while_mapping)
{
	const size_t nr = dom0_not_pv() ? LONG_CALL + 904 : 16 * LONG_CALL, size = nr * sizeof(int);
	__u64 *gfns = malloc(nr * sizeof(*gfns));
	int *errs = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long users = refcount(), domid = create(DOOMED);
	const unsigned int times = dom0_not_pv() ? 8 : 20;
	unsigned int i, ended = 0;

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, gfns);
	ASSERT_NE(MAP_FAILED, errs);
	fill(gfns, nr);
	for (i = 0; i < times; i++) {
		int fd = dmop_open_bound(domid), status;
		pid_t child;

		ASSERT_LE(0, fd);
		memset(errs, POISON, size);
		child = fork();
		if (!child) {
			char *p = area(fd, nr, PROT_READ | PROT_WRITE), *q = area(fd, 6, PROT_READ);
			struct other_mapper o = {
				.fd = fd,
				.r = {
					.dom = domid, .type = RESOURCE_GRANT_TABLE, .num = 6,
					.addr = (unsigned long)q,
				},
			};

			if (pthread_create(&o.thread, NULL, other_mapper_main, &o) ||
			    map(fd, domid, p, nr, gfns, errs))
				_exit(1);
			for (;;)
				pause();
		}
		/* All frames of the call are counted before the first one is mapped. */
		while (!mapped_frames(fd))
			sched_yield();
		usleep(1000 * i);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(SIGKILL, status);
		ASSERT_EQ(0, mapped_frames(fd));
		close(fd);
		ASSERT_EQ(users, refcount());
		/*
		 * A call that ran to its end has written its last result, even if its process was
		 * killed.
		 */
		ended += all_bytes(errs + nr - 1, POISON, sizeof(*errs));
	}
	TH_LOG("%u of %u calls ended by the kill", ended, i);
	EXPECT_LT(0, ended);
	ASSERT_TRUE(destroy(DOOMED));
	wait_until_gone(self->observer, domid);
	munmap(errs, size);
	free(gfns);
}

/* A mapping call does not wait for another one through the same file. */
TEST_F(map, maps_while_another_maps)
{
	const size_t nr = dom0_not_pv() ? LONG_CALL + 904 : 16 * LONG_CALL, size = nr * sizeof(int);
	__u64 *gfns = malloc(nr * sizeof(*gfns));
	int *errs = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i, within = 0;

	ASSERT_NE(NULL, gfns);
	ASSERT_NE(MAP_FAILED, errs);
	fill(gfns, nr);
	for (i = 0; i < 20 && !within; i++) {
		int fd = dmop_open_bound(target_domid), status;
		pid_t mapper;

		ASSERT_LE(0, fd);
		memset(errs, POISON, size);
		mapper = fork();
		if (!mapper) {
			char *p = area(fd, nr, PROT_READ);

			_exit(!!map(fd, target_domid, p, nr, gfns, errs));
		}
		while (!mapped_frames(fd) && waitpid(mapper, &status, WNOHANG) != mapper)
			sched_yield();
		EXPECT_NE(NULL, map_one(fd, target_domid, GFN));
		/* The call of the other process has not written its last result yet. */
		within += all_bytes(errs + nr - 1, POISON, sizeof(*errs));
		kill(mapper, SIGKILL);
		waitpid(mapper, NULL, 0);
		close(fd);
	}
	/* With one processor the mapper may finish without an interruption. */
	if (!one_processor())
		EXPECT_EQ(1, within);
	TH_LOG("%u of %u mapped while the other call was in progress", within, i);
	munmap(errs, size);
	free(gfns);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
