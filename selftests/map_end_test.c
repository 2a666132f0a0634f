// SPDX-License-Identifier: GPL-2.0
/*
 * map_end_test.c - mappings when the domain is destroyed or the process is killed
 */
#include <poll.h>
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
 * A toolstack destroys the domain first, and removes its directory from XenStore later. No event
 * reports the removal, and until then the binding stays.
 */
TEST_F(map, goes_when_the_toolstack_forgets_the_domain)
{
	long domid = create(DOOMED);
	int fd = dmop_open_bound(domid);
	char *p = map_one(fd, domid, GFN);
	struct pollfd events = { .fd = fd };

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_LT(0, create("dmop-test-event"));
	ASSERT_TRUE(destroy("dmop-test-event"));
	EXPECT_EQ(0, poll(&events, 1, 3000));
	EXPECT_EQ(0, touch(p, true));

	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	EXPECT_EQ(1, poll(&events, 1, -1));
	/* A revocation wakes pollers first and removes mappings next. */
	while (touch(p, false) != SIGBUS)
		usleep(1000);
	ASSERT_TRUE(run("lab-domain destroy %ld", domid));
	wait_until_gone(self->observer, domid);
	close(fd);
}

/* The domain ends while processes map. One of them is stopped, another killed. */
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

/* A call with many frames ends early when the domain's directory is removed. */
TEST_F(map, ends_with_the_domain_half_way)
{
	const size_t nr = dom0_is_pvh() ? PORTION + 904 : 16 * PORTION;
	__u64 *gfns = malloc(nr * sizeof(*gfns));
	int *errs = malloc(nr * sizeof(*errs));
	unsigned int i, early = 0;

	ASSERT_NE(NULL, gfns);
	ASSERT_NE(NULL, errs);
	fill(gfns, nr);
	for (i = 0; i < 5 && !early; i++) {
		long domid = create(DOOMED);
		int fd = dmop_open_bound(domid), late = dmop_open(), status;
		pid_t child;

		ASSERT_LT(0, domid);
		ASSERT_LE(0, fd);
		child = fork();
		if (!child) {
			char *p = area(fd, nr, PROT_READ);
			long ret = map(fd, domid, p, nr, gfns, errs);

			/* The frames mapped so far are removed as well. */
			while (ret == -ESRCH && touch(p, false) != SIGBUS)
				usleep(1000);
			_exit(ret == -ESRCH ? 2 : !!ret);
		}
		while (!mapped_frames(fd) && dmop_state(fd) == DMOP_STATE_BOUND)
			sched_yield();
		ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
		EXPECT_EQ(-ESRCH, dmop_restrict(late, domid));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		/* 0: the call had finished before. */
		EXPECT_TRUE(WEXITSTATUS(status) == 2 || WEXITSTATUS(status) == 0) {
			TH_LOG("the mapper ended with %d", WEXITSTATUS(status));
		}
		early += WEXITSTATUS(status) == 2;
		ASSERT_TRUE(run("lab-domain destroy %ld", domid));
		wait_until_gone(self->observer, domid);
		close(late);
		close(fd);
	}
	TH_LOG("%u of %u ended early", early, i);
	if (!one_processor())
		EXPECT_EQ(1, early);
	free(gfns);
	free(errs);
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
	const size_t nr = dom0_is_pvh() ? PORTION + 904 : 16 * PORTION, size = nr * sizeof(int);
	__u64 *gfns = malloc(nr * sizeof(*gfns));
	int *errs = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long users = refcount(), domid = create(DOOMED);
	const unsigned int times = dom0_is_pvh() ? 8 : 20;
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
		 * A call that ran to its end has written results, even if its process was killed.
		 */
		ended += all_bytes(errs, POISON, size);
	}
	TH_LOG("%u of %u calls ended by the kill", ended, i);
	EXPECT_LT(0, ended);
	ASSERT_TRUE(destroy(DOOMED));
	wait_until_gone(self->observer, domid);
	munmap(errs, size);
	free(gfns);
}

/*
 * A process waits while another one maps through the same file. When killed, it ends before the
 * other call is done. That call may be done already, so the test tries several times.
 */
TEST_F(map, killed_while_another_maps)
{
	const size_t nr = dom0_is_pvh() ? PORTION + 904 : 16 * PORTION, size = nr * sizeof(int);
	__u64 *gfns = malloc(nr * sizeof(*gfns));
	int *errs = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i, earlier = 0;

	ASSERT_NE(NULL, gfns);
	ASSERT_NE(MAP_FAILED, errs);
	fill(gfns, nr);
	for (i = 0; i < 20 && !earlier; i++) {
		int fd = dmop_open_bound(target_domid), status;
		pid_t mapper, waiter;

		ASSERT_LE(0, fd);
		memset(errs, POISON, size);
		mapper = fork();
		if (!mapper) {
			char *p = area(fd, nr, PROT_READ);

			_exit(!!map(fd, target_domid, p, nr, gfns, errs));
		}
		while (!mapped_frames(fd) && waitpid(mapper, &status, WNOHANG) != mapper)
			sched_yield();
		waiter = fork();
		if (!waiter)
			_exit(!map_one(fd, target_domid, GFN));
		if (wait_asleep(waiter, waiter, NULL)) {
			kill(waiter, SIGKILL);
			ASSERT_EQ(waiter, waitpid(waiter, &status, 0));
			EXPECT_EQ(SIGKILL, status);
			earlier += all_bytes(errs, POISON, size);
		} else {
			waitpid(waiter, NULL, 0);
		}
		kill(mapper, SIGKILL);
		waitpid(mapper, NULL, 0);
		ASSERT_EQ(0, mapped_frames(fd));
		close(fd);
	}
	/* With one processor the mapper may finish without an interruption. */
	if (!one_processor())
		EXPECT_EQ(1, earlier);
	TH_LOG("%u of %u ended earlier", earlier, i);
	munmap(errs, size);
	free(gfns);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
