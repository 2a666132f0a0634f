// SPDX-License-Identifier: GPL-2.0
/*
 * lifetime_test.c - the end of a domain while files close, calls run, or its domid is reused
 *
 * These tests are about the time of a revocation. death_test.c has the behaviour of a revoked file,
 * doubt_test.c the cases without a revocation.
 */
#include <stdatomic.h>
#include <time.h>

#include "domains.h"

#define MANY		6

/* --- many domains end at once ------------------------------------------ */

TEST_F(lifetime, many_die_at_once)
{
	int fds[2 * MANY], ep = epoll_create1(EPOLL_CLOEXEC), i, heard = 0;
	char names[MANY][sizeof(PREFIX) + 8];
	bool seen[2 * MANY] = { };
	pid_t pids[MANY];
	long domids[MANY];

	for (i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), PREFIX "%d", i);
		domids[i] = create(names[i]);
		ASSERT_LT(0, domids[i]);
	}
	for (i = 0; i < 2 * MANY; i++) {
		struct epoll_event e = { .data.u32 = i };

		fds[i] = dmop_open_bound(domids[i / 2]);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e));
		ASSERT_NE(NULL, map_several(fds[i], domids[i / 2], NR_FRAMES));
	}

	for (i = 0; i < MANY; i++)
		pids[i] = destroy_beside(names[i]);
	while (heard < 2 * MANY) {
		struct epoll_event e;

		if (epoll_wait(ep, &e, 1, WAKE_MS) != 1)
			break;
		EXPECT_EQ(THE_END, e.events);
		EXPECT_FALSE(seen[e.data.u32]);
		seen[e.data.u32] = true;
		epoll_ctl(ep, EPOLL_CTL_DEL, fds[e.data.u32], NULL);
		heard++;
	}
	EXPECT_EQ(2 * MANY, heard);
	for (i = 0; i < MANY; i++) {
		EXPECT_TRUE(ends_well(pids[i]));
		EXPECT_TRUE(unknown_to_xen(self->observer, domids[i]));
	}
	for (i = 0; i < 2 * MANY; i++) {
		EXPECT_EQ(-ESRCH, unknown_op(fds[i], domids[i / 2]));
		close(fds[i]);
	}
	EXPECT_TRUE(no_zombies());
	close(ep);
}

/* --- close, kill and calls during a revocation ------------------------- */

#define CLOSERS	24

struct closer {
	pthread_t thread;
	int nr, fd;
	char *p;
	bool heard;
};

/* Closes and unmaps at once when woken, while the revocation removes mappings. */
static void *closer_main(void *data)
{
	struct closer *c = data;

	if (c->nr % 3 == 2) {
		/*
		 * Polls the state instead of waiting, so it may act at any point of the revocation.
		 */
		while (dmop_state(c->fd) == DMOP_STATE_BOUND)
			usleep(50);
		c->heard = true;
	} else {
		c->heard = wait_for_end(c->fd) == THE_END;
	}
	if (c->nr % 2) {
		munmap(c->p, NR_FRAMES * PAGE);
		close(c->fd);
	} else {
		close(c->fd);
		munmap(c->p, NR_FRAMES * PAGE);
	}
	return NULL;
}

/* Descriptors are closed, and a holder is killed, during the revocation. */
TEST_F(lifetime, closed_during_revocation)
{
	struct closer c[CLOSERS] = { };
	long users = refcount(), domid = create(NAME);
	int ready[2], i;
	pid_t killed;

	ASSERT_LT(0, domid);
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	killed = fork();
	if (!killed) {
		for (i = 0; i < CLOSERS; i++)
			if (!map_several(dmop_open_bound(domid), domid, NR_FRAMES))
				_exit(1);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	for (i = 0; i < CLOSERS; i++) {
		c[i].nr = i;
		c[i].fd = dmop_open_bound(domid);
		c[i].p = map_several(c[i].fd, domid, NR_FRAMES);
		ASSERT_NE(NULL, c[i].p);
	}
	ASSERT_TRUE(bytes_from(ready[0], 1));
	for (i = 0; i < CLOSERS; i++)
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, closer_main, &c[i]));

	ASSERT_TRUE(destroy(NAME));
	pthread_join(c[0].thread, NULL);
	kill(killed, SIGKILL);
	for (i = 1; i < CLOSERS; i++)
		pthread_join(c[i].thread, NULL);
	for (i = 0; i < CLOSERS; i++)
		EXPECT_TRUE(c[i].heard);
	EXPECT_EQ(killed, waitpid(killed, NULL, 0));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	EXPECT_EQ(users, refcount());
}

/*
 * Long operations: Xen handles each page of a range. So the callers spend almost all of their time
 * in Xen. On arm64 no operation is long.
 */
struct inside {
	pthread_t thread;
	int fd;
	__u16 domid;
	__u32 nr;
	long ret;
	atomic_long calls;
};

static long long_op(int fd, __u16 domid, __u32 nr)
{
	struct dm_op op = { .op = ON_X86 ? DM_OP_SET_MEM_TYPE : DM_OP_NR_VCPUS };

	if (!ON_X86)
		return dm_op(fd, domid, &op);
	op.u.mem_type.type = DM_OP_MEM_RAM_RW;
	op.u.mem_type.first_pfn = GFN;
	op.u.mem_type.nr = nr;
	return dm_op(fd, domid, &op);
}

/* Xen may return other errors for a dying domain, before it returns -ESRCH. */
static void *inside_main(void *data)
{
	struct inside *c = data;

	do {
		c->ret = long_op(c->fd, c->domid, c->nr);
		atomic_fetch_add(&c->calls, 1);
	} while (c->ret != -ESRCH);
	return NULL;
}

/* Calls inside Xen while the domain is destroyed return, and do not delay the revocation. */
TEST_F(lifetime, calls_inside_xen)
{
	long domid = create(NAME);
	struct inside c[2] = { };
	__u32 nr = 1024;
	char *p;
	int i;

	ASSERT_LT(0, domid);
	for (i = 0; i < 2; i++) {
		c[i].domid = domid;
		c[i].fd = dmop_open_bound(domid);
		ASSERT_LE(0, c[i].fd);
	}
	p = map_several(c[0].fd, domid, NR_FRAMES);
	ASSERT_NE(NULL, p);
	while (nr && long_op(c[0].fd, domid, nr))
		nr /= 2;
	ASSERT_LE(NR_FRAMES, nr);
	for (i = 0; i < 2; i++) {
		c[i].nr = nr;
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, inside_main, &c[i]));
	}

	ASSERT_TRUE(destroy(NAME));
	EXPECT_EQ(THE_END, wait_for_end(c[0].fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	for (i = 0; i < 2; i++) {
		pthread_join(c[i].thread, NULL);
		EXPECT_EQ(-ESRCH, c[i].ret);
		EXPECT_LT(1, atomic_load(&c[i].calls));
	}
	printf("# %u pages a call, %ld and %ld calls\n", nr, c[0].calls, c[1].calls);
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	EXPECT_EQ(0, munmap(p, NR_FRAMES * PAGE));
	close(c[0].fd);
	close(c[1].fd);
}

/* --- the domid reused at once ------------------------------------------ */

/*
 * Creates a domain with this domid. Retries, because the domid is in use while a mapping keeps the
 * old domain.
 */
static long create_again(const char *name, long domid)
{
	long ret = -1;
	int i;

	for (i = 0; i < 50 && ret < 0; i++)
		ret = create_as(name, domid);
	return ret;
}

static void number_again(struct __test_metadata *const _metadata, int observer, bool mapped)
{
	long domid = create(NAME), id;
	int old = dmop_open_bound(domid), fresh, i;
	char *p = NULL;

	ASSERT_LT(0, domid);
	ASSERT_LE(0, old);
	if (mapped) {
		p = map_several(old, domid, NR_FRAMES);
		ASSERT_NE(NULL, p);
	}
	ASSERT_TRUE(destroy(NAME));
	ASSERT_EQ(domid, create_again(NAME, domid));
	fresh = dmop_open_bound(domid);
	ASSERT_LE(0, fresh);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fresh));
	id = ioreq_create(fresh, domid);
	EXPECT_LE(0, id);

	EXPECT_EQ(THE_END, wait_for_end(old));
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(-ESRCH, unknown_op(old, domid));
		EXPECT_EQ(-ESRCH, ioreq_destroy(old, domid, id));
		EXPECT_EQ(-ESRCH, dmop_restrict(old, domid));
	}
	EXPECT_EQ(NULL, map_several(old, domid, 1));
	if (p) {
		EXPECT_EQ(SIGBUS, touch_until_gone(p));
	}

	/* The new file is not affected by the end of the old domain, even after more events. */
	p = map_several(fresh, domid, NR_FRAMES);
	ASSERT_NE(NULL, p);
	still_bound(_metadata, fresh, domid, p, 1);
	EXPECT_EQ(1U << id, ioreq_mask(observer, domid));

	ASSERT_TRUE(destroy(NAME));
	EXPECT_EQ(THE_END, wait_for_end(fresh));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(unknown_to_xen(observer, domid));
	close(old);
	close(fresh);
}

TEST_F(lifetime, same_number_at_once)
{
	number_again(_metadata, self->observer, false);
}

TEST_F(lifetime, same_number_at_once_while_mapped)
{
	number_again(_metadata, self->observer, true);
}

/* Return: 0 if no call on the old descriptor reaches the new domain. */
static int old_one_is_powerless(int fd, __u16 domid)
{
	if (dmop_state(fd) != DMOP_STATE_REVOKED)
		return 10;
	if (unknown_op(fd, domid) != -ESRCH || ioreq_create(fd, domid) != -ESRCH)
		return 11;
	if (dmop_restrict(fd, domid) != -ESRCH || map_several(fd, domid, 1))
		return 12;
	return 0;
}

/* Stops itself. When it continues, another domain has the domid. */
static int stopper_main(int fd, __u16 domid, int ready)
{
	char *p = map_several(fd, domid, NR_FRAMES);

	if (!p || write(ready, "", 1) != 1)
		return 1;
	raise(SIGSTOP);
	return touch(p, true) == SIGBUS ? old_one_is_powerless(fd, domid) : 2;
}

/* Each generation ends as soon as it has forked the next, so its parent is soon gone. */
static void forker_main(int fd, __u16 domid, int ready, int go, int result)
{
	struct pollfd p = { .fd = go, .events = POLLIN };
	char verdict;

	if (write(ready, "", 1) != 1)
		_exit(1);
	while (!poll(&p, 1, 0)) {
		pid_t next = fork();

		if (next)
			_exit(next < 0);
		usleep(1000);
	}
	verdict = old_one_is_powerless(fd, domid);
	_exit(write(result, &verdict, 1) != 1);
}

/*
 * The old files are held by a stopped process, by a process that forks all the time, by a message
 * in a socket, and by a mapping without a descriptor.
 */
TEST_F(lifetime, same_number_for_those_who_hide)
{
	int ready[2], go[2], result[2], pair[2], fd, fresh;
	long domid = create(NAME), id;
	pid_t stopper, forker;
	char *p, verdict;

	ASSERT_LT(0, domid);
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(result, O_CLOEXEC));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	fd = dmop_open_bound(domid);
	ASSERT_LE(0, fd);
	stopper = fork();
	if (!stopper)
		_exit(stopper_main(fd, domid, ready[1]));
	forker = fork();
	if (!forker)
		forker_main(fd, domid, ready[1], go[0], result[1]);
	close(fd);
	fd = dmop_open_bound(domid);
	ASSERT_EQ(0, send_fd(pair[0], fd));
	close(fd);
	fd = dmop_open_bound(domid);
	p = map_several(fd, domid, NR_FRAMES);
	ASSERT_NE(NULL, p);
	close(fd);
	ASSERT_TRUE(bytes_from(ready[0], 2));
	EXPECT_EQ(forker, waitpid(forker, NULL, 0));

	ASSERT_TRUE(destroy(NAME));
	ASSERT_EQ(domid, create_again(NAME, domid));
	fresh = dmop_open_bound(domid);
	ASSERT_LE(0, fresh);
	id = ioreq_create(fresh, domid);
	EXPECT_LE(0, id);

	EXPECT_EQ(SIGBUS, touch(p, true));
	kill(stopper, SIGCONT);
	EXPECT_TRUE(ends_well_in_time(stopper));
	ASSERT_EQ(1, write(go[1], "", 1));
	close(result[1]);
	ASSERT_EQ(1, read(result[0], &verdict, 1));
	EXPECT_EQ(0, verdict);
	fd = recv_fd(pair[1]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, old_one_is_powerless(fd, domid));

	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fresh));
	EXPECT_EQ(1U << id, ioreq_mask(fresh, domid));
	ASSERT_TRUE(destroy(NAME));
	EXPECT_EQ(THE_END, wait_for_end(fresh));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fresh);
	close(fd);
}

/* --- the time until a revocation --------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* Prints figures for information. None of them is checked. */
static void measure(struct __test_metadata *const _metadata, int observer, bool mapped)
{
	double begun, heard, back, gone, *ended;
	long domid = create(NAME);
	int fd = dmop_open_bound(domid);
	pid_t child;

	ASSERT_LT(0, domid);
	ASSERT_LE(0, fd);
	if (mapped) {
		ASSERT_NE(NULL, map_several(fd, domid, NR_FRAMES));
	}
	ended = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, ended);
	begun = now();
	child = fork();
	if (!child) {
		bool ok = destroy(NAME);

		*ended = now();
		_exit(!ok);
	}
	EXPECT_EQ(THE_END, wait_for_end(fd));
	heard = now();
	EXPECT_TRUE(unknown_to_xen(observer, domid));
	gone = now();
	EXPECT_TRUE(ends_well(child));
	back = *ended;
	printf("# window, %s: destroy took %.0f ms; EPOLLHUP %.0f ms after its return; Xen forgot the domain %.0f ms after EPOLLHUP\n",
	       mapped ? "mapped" : "not mapped", back - begun, heard - back, gone - heard);
	munmap(ended, PAGE);
	close(fd);
}

TEST_F(lifetime, window)
{
	int i;

	for (i = 0; i < 6; i++)
		measure(_metadata, self->observer, i % 2);
}

/* --- unloading during events ------------------------------------------- */

static long unload(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;
}

static bool load_module(void)
{
	return run("modprobe " MODULE " 2>/dev/null");
}

FIXTURE(module_goes) {};

FIXTURE_SETUP(module_goes)
{
	if (domains_missing())
		SKIP(return, NEEDS_DOMAINS);
	ASSERT_EQ(0, refcount()) {
		TH_LOG("somebody else has " DMOP_NODE " open");
	}
}

FIXTURE_TEARDOWN(module_goes)
{
	load_module();
	destroy_all();
}

static bool none_left(void)
{
	int i;

	for (i = 0; i < 300; i++) {
		if (!number("xl list | grep -cE '^" PREFIX "|\\(null\\)' || :"))
			return true;
		usleep(100000);
	}
	return false;
}

/* Unloading waits for events in progress and for queued checks. */
TEST_F(module_goes, while_domains_die)
{
	volatile int *stop = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;
	int i;

	ASSERT_NE(MAP_FAILED, (void *)stop);
	child = fork();
	if (!child) {
		while (!*stop)
			if (create(UNRELATED) < 0 || !destroy(UNRELATED))
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < 5; i++) {
		long domid = number("lab-domain create " PREFIX "%d", i);
		char *p;
		int fd;

		ASSERT_LT(0, domid);
		fd = dmop_open_bound(domid);
		ASSERT_LE(0, fd);
		p = map_several(fd, domid, NR_FRAMES);
		ASSERT_NE(NULL, p);
		/* A shell destroys the domain: it has no descriptor of the device. */
		ASSERT_TRUE(run("lab-domain destroy " PREFIX "%d >/dev/null 2>&1 &", i));
		/* Unloads after the revocation, or at some time before it. */
		if (i % 2) {
			EXPECT_EQ(THE_END, wait_for_end(fd));
		} else {
			usleep(100000 * i);
		}
		EXPECT_EQ(0, munmap(p, NR_FRAMES * PAGE));
		EXPECT_EQ(0, close(fd));
		EXPECT_EQ(0, unload());
		EXPECT_EQ(-1, access(DMOP_NODE, F_OK));
		ASSERT_TRUE(load_module());
	}
	*stop = 1;
	EXPECT_TRUE(ends_well_in_time(child));
	EXPECT_TRUE(none_left());

	/* The module works after all that. */
	i = dmop_open_bound(target_domid);
	EXPECT_LE(0, i);
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(i, target_domid));
	close(i);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
