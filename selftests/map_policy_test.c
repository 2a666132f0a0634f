// SPDX-License-Identifier: GPL-2.0
/*
 * map_policy_test.c - mappings: which domain, the order of errors, the limits, and RESTRICT
 */
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "hold.h"
#include "kmsg.h"
#include "mapping.h"

/* A device model can move a page of its domain to this frame. */
#define HIGH_GFN	0x700000ULL
/* More than twice the memory of the test guest. */
#define MANY_FRAMES	32768

#define BAD_POINTER	((void *)8)
#define CGROUP		"/sys/fs/cgroup/dmop-test"

/* --- policy, order, limits --------------------------------------------- */

TEST_F(map, policy)
{
	const __u16 refused[] = { other_domid, 0, ABSENT_DOMID, 0x7ff0, 0x7ff1, 0x7ff2, 0x7ff4, 0xffff };
	char *p = area(self->bound, 1, PROT_READ);
	struct dmop_mmap_resource r = { .type = RESOURCE_IOREQ_SERVER };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		r.dom = refused[i];
		EXPECT_EQ(-EPERM, map(self->bound, refused[i], p, 1, self->gfns, self->errs));
		EXPECT_EQ(-EPERM, map(self->bound, refused[i], BAD_POINTER, 0, BAD_POINTER, BAD_POINTER));
		EXPECT_EQ(-EPERM, resource_map(self->bound, &r));
		if (refused[i] == other_domid || refused[i] == ABSENT_DOMID)
			continue;
		EXPECT_EQ(-EPERM, map(self->observer, refused[i], p, 1, self->gfns, self->errs));
		EXPECT_EQ(-EPERM, resource_map(self->observer, &r));
	}
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(SIGBUS, touch(p, false));

	ASSERT_TRUE(drop_privileges());
	r.dom = target_domid;
	EXPECT_EQ(-EPERM, map(self->observer, target_domid, p, 1, self->gfns, self->errs));
	EXPECT_EQ(-EPERM, resource_map(self->observer, &r));
}

TEST_F(map, order_of_refusals)
{
	char *p = area(self->bound, 1, PROT_READ);
	struct dmop_info info;

	ASSERT_EQ(0, dmop_info(self->bound, &info));
	EXPECT_EQ(-EFAULT, do_ioctl(self->bound, DMOP_IOCTL_MMAPBATCH_V2, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(self->bound, DMOP_IOCTL_MMAP_RESOURCE, BAD_POINTER));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, 0, BAD_POINTER, BAD_POINTER));
	EXPECT_EQ(-E2BIG, map(self->bound, target_domid, p, info.max_call_frames + 1,
			      BAD_POINTER, BAD_POINTER));
	EXPECT_EQ(-E2BIG, map(self->bound, target_domid, p, -1, BAD_POINTER, BAD_POINTER));
	EXPECT_EQ(-EFAULT, map(self->bound, target_domid, BAD_POINTER, 1, BAD_POINTER, BAD_POINTER));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, BAD_POINTER, 1, self->gfns, BAD_POINTER));
	EXPECT_EQ(0, mapped_frames(self->bound));

	/* The exception: the array of errors is written after Xen has mapped the frame. */
	EXPECT_EQ(-EFAULT, map(self->bound, target_domid, p, 1, self->gfns, BAD_POINTER));
	EXPECT_EQ(0, touch(p, false));
}

TEST_F(map, limit_of_a_file)
{
	long before = param_get("max_map_frames");
	char *p = area(self->bound, 4, PROT_READ), *q = area(self->bound, 4, PROT_READ);
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = RESOURCE_GRANT_TABLE, .num = 4, .addr = (unsigned long)q,
	};
	long first, second, second_resource, third;

	ASSERT_LT(0, before);
	ASSERT_EQ(0, param_set("max_map_frames", 6));
	first = map(self->bound, target_domid, p, 4, self->gfns, self->errs);
	second = map(self->bound, target_domid, q, 4, self->gfns, self->errs);
	second_resource = resource_map(self->bound, &r);
	munmap(p, 4 * PAGE);
	third = map(self->bound, target_domid, q, 4, self->gfns, self->errs);
	ASSERT_EQ(0, param_set("max_map_frames", before));
	EXPECT_EQ(0, first);
	EXPECT_EQ(-E2BIG, second);
	EXPECT_EQ(-E2BIG, second_resource);
	EXPECT_EQ(0, third);
	EXPECT_EQ(4, mapped_frames(self->bound));
}

#define REFUSALS	100

/*
 * The empty pages of all files together. The log names the parameter, but not for each refusal; and
 * no line there begins with the name of a function.
 */
TEST_F(map, limit_of_all_empty_pages)
{
	long before = param_get("max_empty_pages"), wanted = dom0_not_pv() ? -ENOMEM : 0;
	char *p = area(self->bound, 4, PROT_READ), last[1024];
	int i, wrong = 0, logs[] = { kmsg_open(), kmsg_open(), kmsg_open() };
	unsigned int lines, suppressed;

	ASSERT_LE(0, logs[2]);
	ASSERT_LT(0, before);
	ASSERT_EQ(0, param_set("max_empty_pages", 3));
	for (i = 0; i < REFUSALS; i++) {
		wrong += map(self->bound, target_domid, p, 4, self->gfns, self->errs) != wanted;
		if (!wanted) {
			munmap(p, 4 * PAGE);
			p = area(self->bound, 4, PROT_READ);
		}
	}
	ASSERT_EQ(0, param_set("max_empty_pages", before));
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(0, map(self->bound, target_domid, p, 4, self->gfns, self->errs));

	/* The next line, after the interval of the limit, would report the suppressed ones. */
	if (wanted) {
		sleep(6);
		ASSERT_EQ(0, param_set("max_empty_pages", 3));
		p = area(self->bound, 4, PROT_READ);
		EXPECT_EQ(wanted, map(self->bound, target_domid, p, 4, self->gfns, self->errs));
		ASSERT_EQ(0, param_set("max_empty_pages", before));
	}
	/* An earlier line may have used up the limit for the first 5 seconds. */
	lines = kmsg_count(logs[0], "max_empty_pages (3)", last, sizeof(last));
	suppressed = kmsg_count(logs[1], "dmop_privcmd: refused mappings: ", last, sizeof(last));
	EXPECT_EQ(!!wanted, lines > 0 && suppressed > 0);
	EXPECT_GT(REFUSALS / 2, lines + suppressed);
	EXPECT_EQ(suppressed, kmsg_count(logs[2], "callbacks suppressed", last, sizeof(last)));
	for (i = 0; i < 3; i++)
		close(logs[i]);
}

#define ALL_EMPTY	100

/* Nor does one file use up the empty pages: it leaves to others as many as it has. */
TEST_F(map, empty_pages_are_left_to_others)
{
	long before = param_get("max_empty_pages");
	int second = dmop_open_bound(other_domid);
	unsigned int areas = 0;
	long ret = 0;
	char *p;

	ASSERT_LE(0, second);
	ASSERT_LT(0, before);
	ASSERT_EQ(0, param_set("max_empty_pages", ALL_EMPTY));
	for (; !ret && areas <= ALL_EMPTY / 4; areas++) {
		p = area(self->bound, 4, PROT_READ);
		ASSERT_NE(MAP_FAILED, p);
		ret = map(self->bound, target_domid, p, 4, self->gfns, self->errs);
	}
	p = area(second, 4, PROT_READ);
	EXPECT_EQ(0, map(second, other_domid, p, 4, self->gfns, self->errs));
	EXPECT_EQ(4, mapped_frames(second));
	ASSERT_EQ(0, param_set("max_empty_pages", before));
	/* A PV dom0 has no use for empty pages. Pins are counted as well, and what is not yet freed. */
	EXPECT_EQ(dom0_not_pv() ? -ENOMEM : 0, ret);
	if (ret) {
		EXPECT_GE(ALL_EMPTY / 2, mapped_frames(self->bound));
		EXPECT_LT(ALL_EMPTY / 4, mapped_frames(self->bound));
	} else {
		EXPECT_EQ(4 * areas, mapped_frames(self->bound));
	}
	close(second);
}

/* A child of the test: waits for empty pages, or for its end. */
static void map_and_wait(int fd, unsigned int nr)
{
	static __u64 gfns[ALL_EMPTY * 5];
	static int errs[ALL_EMPTY * 5];
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < nr; i++)
		gfns[i] = NO_GFN;
	map(fd, target_domid, area(fd, nr, PROT_READ), nr, gfns, errs);
	for (;;)
		pause();
}

/*
 * Those that were asked for by a killed process still count for its file: on one processor the
 * worker that has to free them does not run before the test sleeps.
 */
TEST_F(map, empty_pages_of_the_killed)
{
	struct sched_param realtime = { .sched_priority = 1 }, usual = { };
	long before = param_get("max_empty_pages"), ret;
	int second = dmop_open_bound(other_domid);
	unsigned int nr, killed = 0;
	bool child_failed = false;
	pid_t child;
	char state;
	char *p;

	ASSERT_LE(0, second);
	ASSERT_LT(0, before);
	p = area(second, ALL, PROT_READ);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &realtime));
	ASSERT_EQ(0, param_set("max_empty_pages", 5 * ALL_EMPTY + ALL));
	/* If they did not count, each could have half of those left. */
	for (nr = 5 * ALL_EMPTY / 2; nr; nr /= 2) {
		child = fork();
		if (!child)
			map_and_wait(self->bound, nr);
		child_failed |= child < 0;
		if (child < 0)
			break;
		do {
			sched_yield();
			state = thread_state(child, child);
		} while (state == 'R');
		child_failed |= state != 'D' && state != 'S';
		kill(child, SIGKILL);
		while (!waitpid(child, NULL, WNOHANG))
			sched_yield();
		killed++;
	}
	ret = map(second, other_domid, p, ALL, self->gfns, self->errs);
	sched_setscheduler(0, SCHED_OTHER, &usual);
	ASSERT_EQ(0, param_set("max_empty_pages", before));
	EXPECT_FALSE(child_failed);
	EXPECT_LT(5, killed);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(ALL, mapped_frames(second));
	EXPECT_EQ(0, mapped_frames(self->bound));
	close(second);
}

/*
 * In an auto-translated dom0 each mapped frame needs an empty page, not charged to any process. The
 * bound is the domain's maximum reservation (maxmem), set by the toolstack. The highest frame
 * number would be no bound, because a device model can move a page of its domain to any frame, on x86.
 */
TEST_F(map, no_more_pages_than_the_domain_may_have)
{
	bool translated = dom0_not_pv();
	struct dm_op op = {
		.op = DM_OP_RELOCATE_MEMORY,
		.u.relocate = { .size = 1, .src_gfn = GFN + 128, .dst_gfn = HIGH_GFN },
	};
	static __u64 gfns[MANY_FRAMES];
	static int errs[MANY_FRAMES];
	char *p = area(self->bound, MANY_FRAMES, PROT_READ);
	int i;

	for (i = 0; i < MANY_FRAMES; i++)
		gfns[i] = NO_GFN;
	if (ON_X86) {
		ASSERT_EQ(0, dm_op(self->bound, target_domid, &op));
	}
	EXPECT_EQ(translated ? -E2BIG : 0,
		  map(self->bound, target_domid, p, MANY_FRAMES, gfns, errs));
	EXPECT_EQ(translated ? 0 : MANY_FRAMES, mapped_frames(self->bound));

	op.u.relocate.size = 1;
	op.u.relocate.src_gfn = HIGH_GFN;
	op.u.relocate.dst_gfn = GFN + 128;
	if (ON_X86) {
		EXPECT_EQ(0, dm_op(self->bound, target_domid, &op));
	}
}

static long charged(void)
{
	return number("cat " CGROUP "/memory.current");
}

/* One call has too little memory to be seen in the counter of the cgroup. */
#define CALLS		512

/* The calls, each by a thread of its own. */
struct calls {
	int fd;
	struct dmop_mmapbatch_v2 m;
	pthread_barrier_t start;
	atomic_int ready, wrong;
};

static void *calls_main(void *data)
{
	struct calls *c = data;

	atomic_fetch_add(&c->ready, 1);
	pthread_barrier_wait(&c->start);
	/* There is no area. */
	if (do_ioctl(c->fd, DMOP_IOCTL_MMAPBATCH_V2, &c->m) != -EINVAL)
		atomic_fetch_add(&c->wrong, 1);
	return NULL;
}

/*
 * The calls have allocated their memory, and sleep while they read the first piece of their frames.
 * Return: 0 if the memory is charged to the caller's cgroup, and is that of a piece, however many
 * frames the calls have.
 */
static int charged_main(int fd, unsigned int nr)
{
	struct calls c = { .fd = fd, .m = { .num = nr, .dom = target_domid } };
	long before, within, size = CALLS * PIECE * (sizeof(__u64) + sizeof(int));
	pthread_t threads[CALLS];
	struct hold hold = { };
	int i;

	if (!run("echo %d >" CGROUP "/cgroup.procs", getpid()) || hold_init(&hold) ||
	    pthread_barrier_init(&c.start, NULL, CALLS + 1))
		return 1;
	c.m.arr = (void *)hold.page;
	for (i = 0; i < CALLS; i++)
		if (pthread_create(&threads[i], NULL, calls_main, &c))
			return 2;
	/* The stack of a thread is charged when it runs. */
	while (atomic_load(&c.ready) < CALLS)
		sched_yield();
	before = charged();
	pthread_barrier_wait(&c.start);
	for (i = 0; i < CALLS; i++)
		if (!hold_wait(&hold))
			return 3;
	within = charged();
	printf("# %ld bytes charged before the calls, %ld within, for %ld\n", before, within, size);
	hold_release(&hold, "", 1);
	for (i = 0; i < CALLS; i++)
		pthread_join(threads[i], NULL);
	if (before < 0 || c.wrong)
		return 4;
	/* The memory of the shell that reads the counter is charged as well, and varies. */
	return within - before < size / 2 || within - before > 4 * size;
}

TEST_F(map, memory_of_a_call_is_bounded)
{
	struct dmop_info info;
	int status;
	pid_t child;

	if (!run("echo +memory >/sys/fs/cgroup/cgroup.subtree_control && mkdir -p " CGROUP))
		SKIP(return, "no memory controller (CONFIG_MEMCG), or no cgroup2 on /sys/fs/cgroup");
	ASSERT_EQ(0, dmop_info(self->bound, &info));
	child = fork();
	if (!child)
		_exit(charged_main(self->bound, info.max_call_frames));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	rmdir(CGROUP);
}

/* --- restriction ------------------------------------------------------- */

TEST_F(map, restrict_refuses_what_is_not_of_the_domain)
{
	char *p = map_one(self->observer, other_domid, GFN);
	char *q = map_one(self->observer, target_domid, GFN);
	char *none = area(self->observer, 1, PROT_READ);

	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, q);
	/* An area of the other domain without a mapped frame. */
	self->gfns[0] = NO_GFN;
	ASSERT_EQ(0, map(self->observer, other_domid, none, 1, self->gfns, self->errs));
	EXPECT_GT(0, self->errs[0]);
	EXPECT_EQ(-EBUSY, dmop_restrict(self->observer, target_domid));
	EXPECT_EQ(-EBUSY, dmop_restrict(self->observer, other_domid));
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(self->observer));
	EXPECT_EQ(0, touch(p, true));
	EXPECT_EQ(0, touch(q, true));

	ASSERT_EQ(0, munmap(p, PAGE));
	EXPECT_EQ(0, dmop_restrict(self->observer, target_domid));
	EXPECT_EQ(0, touch(q, true));
	EXPECT_EQ(-EPERM, map(self->observer, other_domid, q, 1, self->gfns, self->errs));
	EXPECT_EQ(-EPERM, map(self->observer, other_domid, none, 1, self->gfns, self->errs));
	EXPECT_EQ(SIGBUS, touch(none, false));
}

struct mapper {
	int fd;
	volatile int stop;
	long wrong;
};

/* Maps memory of the other domain until it is told to stop. -EPERM after RESTRICT is expected. */
static void *mapper_main(void *data)
{
	struct mapper *m = data;
	__u64 gfn = GFN;
	int err;

	while (!m->stop) {
		char *p = area(m->fd, 1, PROT_READ);
		long ret = map(m->fd, other_domid, p, 1, &gfn, &err);

		if (ret && ret != -EPERM)
			m->wrong = ret;
		munmap(p, PAGE);
	}
	return NULL;
}

/* Once RESTRICT has returned 0, no memory of the other domain is mapped. */
TEST_F(map, restrict_against_mapping)
{
	unsigned int i;

	for (i = 0; i < RACES(300); i++) {
		struct mapper m = { .fd = dmop_open() };
		pthread_t thread;
		long ret;

		ASSERT_LE(0, m.fd);
		ASSERT_EQ(0, pthread_create(&thread, NULL, mapper_main, &m));
		do
			ret = dmop_restrict(m.fd, target_domid);
		while (ret == -EBUSY);
		EXPECT_EQ(0, ret);
		EXPECT_EQ(0, mapped_frames(m.fd));
		m.stop = 1;
		pthread_join(thread, NULL);
		EXPECT_EQ(0, m.wrong);
		close(m.fd);
	}
}

/* Maps areas of its own. The other threads must not disturb it. */
static void *neighbour_main(void *data)
{
	struct mapper *m = data;
	__u64 gfns[8];
	int errs[8];

	fill(gfns, 8);
	while (!m->stop) {
		char *p = area(m->fd, 8, PROT_READ | PROT_WRITE);

		if (p == MAP_FAILED || map(m->fd, target_domid, p, 8, gfns, errs) ||
		    errs[7] || touch(p + 7 * PAGE, true))
			m->wrong++;
		munmap(p, 8 * PAGE);
	}
	return NULL;
}

TEST_F(map, many_threads)
{
	struct mapper m = { .fd = self->bound };
	pthread_t threads[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, neighbour_main, &m));
	for (i = 0; i < RACES(300); i++) {
		char *p = map_one(m.fd, target_domid, GFN + 9);

		ASSERT_NE(NULL, p);
		ASSERT_EQ(0, munmap(p, PAGE));
	}
	m.stop = 1;
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, m.wrong);
	EXPECT_EQ(0, mapped_frames(m.fd));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
