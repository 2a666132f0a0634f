// SPDX-License-Identifier: GPL-2.0
/*
 * lifetime_test.c - a binding ends with its domain, whatever goes on beside it
 *
 * death_test.c says what a revoked file does; here it is about when a file is
 * revoked, when it is not, and that nothing stays behind.
 *
 * DMOP_ROUNDS=N: how often the first test makes a domain and destroys it.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>

/* Many domains are made here, and emulation takes seconds for one. */
#ifndef DMOP_TEST_TIMEOUT
#define DMOP_TEST_TIMEOUT 7200
#endif
#include "dmop_test.h"

#define PAGE		4096UL
#define GFN		64	/* a frame that the test guest has, and those after it */
#define NR_FRAMES	16

#define RESOURCE_IOREQ_SERVER	0
#define FRAME_IOREQ		1

#define DM_OP_REMOTE_SHUTDOWN	16
#define REASON_REBOOT		1

#define MODULE		"dmop_privcmd"
#define PREFIX		"dmop-test-life-"
#define NAME		PREFIX "a"
#define UNRELATED	PREFIX "b"
#define MANY		6

/*
 * What never comes must be told from what is slow to come, without a clock: it
 * has had so many tries, a pause after each.
 */
#define TRIES		12000
#define PAUSE_US	10000
#define WAKE_MS		(TRIES * PAUSE_US / 1000)

/* --- commands ---------------------------------------------------------- */

/* Return: did it exit with 0? */
static __attribute__((format(printf, 1, 2))) bool run(const char *format, ...)
{
	char command[256];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return !system(command);
}

/* Return: the number that the command prints, or -1. */
static __attribute__((format(printf, 1, 2))) long number(const char *format, ...)
{
	char command[256], line[64] = "", *end;
	va_list args;
	FILE *f;
	long n;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	f = popen(command, "r");
	if (!f)
		return -1;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	n = strtol(line, &end, 10);
	return pclose(f) || end == line ? -1 : n;
}

static long create(const char *name)
{
	return number("lab-domain create %s", name);
}

static bool destroy(const char *name)
{
	return run("lab-domain destroy %s >/dev/null 2>&1", name);
}

/* Return: the process that does it. */
static pid_t destroy_beside(const char *name)
{
	pid_t pid = fork();

	if (!pid)
		_exit(!destroy(name));
	return pid;
}

static bool ends_well(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* As ends_well(), for one that might never end: it is killed then. */
static bool ends_well_in_time(pid_t pid)
{
	int i, status;

	for (i = 0; i < TRIES; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return !status;
		usleep(PAUSE_US);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return false;
}

static void nap(unsigned int seconds)
{
	while (seconds)
		seconds = sleep(seconds);
}

/* --- mappings ---------------------------------------------------------- */

static char *area(int fd, size_t nr)
{
	return mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* Frames from GFN on, in an area of their own. NULL: not all could be mapped. */
static char *map_frames(int fd, __u16 domid, unsigned int nr)
{
	char *p = area(fd, nr);
	__u64 gfns[NR_FRAMES];
	int errs[NR_FRAMES];
	struct dmop_mmapbatch_v2 m = {
		.num = nr, .dom = domid, .addr = (unsigned long)p, .arr = gfns, .err = errs,
	};
	unsigned int i;

	if (p == MAP_FAILED)
		return NULL;
	for (i = 0; i < nr; i++)
		gfns[i] = GFN + i;
	memset(errs, POISON, sizeof(errs));
	if (!dmop_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &m) &&
	    all_bytes(errs, 0, nr * sizeof(*errs)))
		return p;
	munmap(p, nr * PAGE);
	return NULL;
}

static char *map_ioreq_page(int fd, __u16 domid, __u16 id)
{
	char *p = area(fd, 1);
	struct dmop_mmap_resource r = {
		.dom = domid, .type = RESOURCE_IOREQ_SERVER, .id = id,
		.idx = FRAME_IOREQ, .num = 1, .addr = (unsigned long)p,
	};

	if (p == MAP_FAILED)
		return NULL;
	if (!dmop_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &r))
		return p;
	munmap(p, PAGE);
	return NULL;
}

static sigjmp_buf fault_jump;

static void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

/* The signal that writing to it gives, or 0. */
static int touch(volatile char *p)
{
	struct sigaction sa = { .sa_handler = on_fault }, bus, segv;
	int sig;

	sigaction(SIGBUS, &sa, &bus);
	sigaction(SIGSEGV, &sa, &segv);
	sig = sigsetjmp(fault_jump, 1);
	if (!sig)
		*p = *p;
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return sig;
}

/* Pollers are woken first and mappings taken away next. */
static int touch_until_gone(char *p)
{
	int i, sig = 0;

	for (i = 0; i < TRIES && !sig; i++) {
		sig = touch(p);
		if (!sig)
			usleep(PAUSE_US);
	}
	return sig;
}

/* --- waiting ----------------------------------------------------------- */

/*
 * Return: the events that came, or 0. By epoll and not by poll, which at the end
 * of its time looks once more itself: so a wakeup that never came is noticed.
 */
static unsigned int wait_for_end(int fd)
{
	struct epoll_event e = { };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) ||
	    epoll_wait(ep, &e, 1, WAKE_MS) != 1)
		e.events = 0;
	close(ep);
	return e.events;
}

#define THE_END	(EPOLLHUP | EPOLLERR)

/* Until Xen has no domain of that number any more, dying ones included. */
static bool unknown_to_xen(int observer, __u16 domid)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (unknown_op(observer, domid) == -ESRCH)
			return true;
		usleep(PAUSE_US);
	}
	return false;
}

/*
 * Has every bound domain looked at, by the end of one that is nothing to them:
 * when this one's own descriptor has heard of it, so could have theirs.
 */
static bool event(void)
{
	long domid = create(UNRELATED);
	int fd = domid < 0 ? -1 : dmop_open_bound(domid);
	bool heard;

	if (fd < 0)
		return false;
	heard = destroy(UNRELATED) && wait_for_end(fd) == THE_END;
	close(fd);
	return heard;
}

/* --- what the module and the kernel hold ------------------------------- */

static long refcount(void)
{
	return number("cat /sys/module/" MODULE "/refcnt");
}

static long meminfo(const char *what)
{
	return number("awk '/^%s:/ { print $2 }' /proc/meminfo", what);
}

/* In KiB. What the balloon takes and gives is in both figures. */
static long memory_used(void)
{
	return meminfo("MemTotal") - meminfo("MemAvailable");
}

/* Domains that are destroyed and yet there. */
static bool no_zombies(void)
{
	int i;

	for (i = 0; i < 100; i++) {
		if (!number("xl list | grep -c '(null)' || :"))
			return true;
		usleep(100000);
	}
	return false;
}

/* --- a load beside ----------------------------------------------------- */

struct load {
	volatile int stop;
	volatile long ops, maps, wrong;
};

static struct load *load;

static void *ops_main(void *data)
{
	int fd = *(int *)data;

	while (!load->stop) {
		if (unknown_op(fd, target_domid) != -EOPNOTSUPP)
			load->wrong++;
		load->ops++;
	}
	return NULL;
}

static void *maps_main(void *data)
{
	int fd = *(int *)data;

	while (!load->stop) {
		char *p = map_frames(fd, target_domid, 4);

		if (!p || touch(p))
			load->wrong++;
		else
			munmap(p, 4 * PAGE);
		load->maps++;
	}
	return NULL;
}

/* A handler of signals is one for all threads, so one maps. */
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

FIXTURE(lifetime)
{
	int observer;		/* unbound, privileged */
	int control;		/* bound to a domain that lives on */
};

FIXTURE_SETUP(lifetime)
{
	if (!run("command -v lab-domain >/dev/null"))
		SKIP(return, "no lab-domain to make domains with: run this in the lab (make lab-shell)");
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	self->control = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->control);
}

/* Whatever became of the test, its domains go. */
FIXTURE_TEARDOWN(lifetime)
{
	run("for d in $(xl list | awk '/^" PREFIX "/ { print $2 }'); do xl destroy $d; done >/dev/null 2>&1");
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(self->control));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->control, target_domid));
	close(self->observer);
	close(self->control);
}

/* What holds it has no privilege, maps it too, and sees its end by itself. */
static int unprivileged_main(int fd, __u16 domid, int ready)
{
	struct pollfd p = { .fd = fd };
	char *frames;

	if (!drop_privileges())
		return 1;
	frames = map_frames(fd, domid, NR_FRAMES);
	if (!frames || touch(frames) || write(ready, "", 1) != 1)
		return 2;
	if (poll(&p, 1, -1) != 1 || p.revents != (POLLHUP | POLLERR))
		return 3;
	if (touch_until_gone(frames) != SIGBUS)
		return 4;
	return unknown_op(fd, domid) == -ESRCH ? 0 : 5;
}

/* Binds to it again and again, until it is gone. */
static int binder_main(__u16 domid, int ready)
{
	int fd;

	if (write(ready, "", 1) != 1)
		return 1;
	for (;;) {
		fd = dmop_open_bound(domid);
		if (fd < 0)
			return fd == -ESRCH ? 0 : 2;
		/* Not unmapped: the area keeps the file, and a frame if one could be had. */
		map_frames(fd, domid, 1);
		close(fd);
		usleep(10000);
	}
}

/* Holds it, and is stopped; it can do nothing about its mappings. */
static int stopped_main(int fd, __u16 domid, int ready)
{
	if (!map_frames(fd, domid, NR_FRAMES) || write(ready, "", 1) != 1)
		return 1;
	raise(SIGSTOP);
	return 0;
}

static bool bytes_from(int fd, int nr)
{
	char c;

	while (nr && read(fd, &c, 1) == 1)
		nr--;
	return !nr;
}

/* One life: made, bound, mapped by many, destroyed, all of it gone. */
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

	frames = map_frames(fds[1], domid, NR_FRAMES);
	ASSERT_NE(NULL, frames);
	id = ioreq_create(fds[2], domid);
	ASSERT_LE(0, id);
	ioreq = map_ioreq_page(fds[2], domid, id);
	ASSERT_NE(NULL, ioreq);
	EXPECT_EQ(0, touch(ioreq));
	EXPECT_EQ(0, touch(frames));
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

/* After so many the kernel has what it keeps for the next time. */
#define WARM	10

TEST_F(lifetime, rounds)
{
	const char *text = getenv("DMOP_ROUNDS");
	int i, rounds = text ? atoi(text) : 10;
	long before = refcount(), used = 0, slab = 0;
	pid_t beside;

	ASSERT_LT(0, rounds);
	ASSERT_LT(0, before);
	beside = load_start();
	ASSERT_LT(0, beside);
	for (i = 0; i < rounds && _metadata->passed; i++) {
		if (i == WARM) {
			used = memory_used();
			slab = meminfo("Slab");
		}
		life(_metadata, self->observer);
	}
	if (!_metadata->passed)
		TH_LOG("in round %d", i);
	used = memory_used() - used;
	slab = meminfo("Slab") - slab;

	load->stop = 1;
	EXPECT_TRUE(ends_well_in_time(beside));
	printf("# beside %d rounds: %ld operations, %ld mappings\n", rounds, load->ops, load->maps);
	EXPECT_EQ(0, load->wrong);
	EXPECT_LT(0, load->ops);
	EXPECT_LT(0, load->maps);
	EXPECT_EQ(before, refcount());
	EXPECT_TRUE(no_zombies());
	if (rounds < 100)
		return;
	/* All frames of these rounds would be three times that. */
	printf("# %d rounds later: %ld KiB more in use, %ld KiB of them slab\n",
	       rounds - WARM, used, slab);
	EXPECT_GT(16 * 1024, used);
	EXPECT_GT(8 * 1024, slab);
}

/* --- what is no death -------------------------------------------------- */

/* Through so many events, and the looks after the last of them. */
static void still_bound(struct __test_metadata *const _metadata, int fd, __u16 domid, char *frame,
			int events)
{
	while (events--) {
		ASSERT_TRUE(event());
	}
	nap(3);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, domid));
	EXPECT_EQ(0, touch(frame));
	EXPECT_EQ(0, poll(&(struct pollfd){ .fd = fd }, 1, 0));
}

TEST_F(lifetime, paused_or_renamed_is_not_dead)
{
	long domid = create(NAME);
	int fd = dmop_open_bound(domid);
	char *p = map_frames(fd, domid, 1);

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	still_bound(_metadata, fd, domid, p, 3);
	ASSERT_TRUE(run("xl unpause " NAME));
	still_bound(_metadata, fd, domid, p, 1);
	ASSERT_TRUE(run("xl pause " NAME));
	ASSERT_TRUE(run("xl rename " NAME " " NAME "-renamed"));
	still_bound(_metadata, fd, domid, p, 1);

	ASSERT_TRUE(destroy(NAME "-renamed"));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fd);
}

/* It asked for a reboot, and nobody has acted on that: the event itself comes. */
TEST_F(lifetime, shut_down_is_not_dead)
{
	struct dm_op op = { .op = DM_OP_REMOTE_SHUTDOWN };
	__u32 reason = REASON_REBOOT;
	long domid = create(NAME);
	int fd = dmop_open_bound(domid);
	char *p = map_frames(fd, domid, 1);

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	memcpy(op.u.raw, &reason, sizeof(reason));
	ASSERT_EQ(0, dm_op(fd, domid, &op));
	/* The state's fourth letter: it has shut down. */
	ASSERT_TRUE(run("for i in $(seq 300); do xl list " NAME " | awk '$5 ~ /^...s/ { found = 1 } END { exit !found }' && exit 0; sleep 0.1; done; exit 1"));
	still_bound(_metadata, fd, domid, p, 1);

	ASSERT_TRUE(destroy(NAME));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fd);
}

/* --- XenStore does not answer ------------------------------------------ */

static long xenstored(void)
{
	return number("pidof xenstored || pidof oxenstored");
}

/*
 * Stops xenstored. It goes on when the descriptor is closed: by the test, or
 * because the test is no more. Return: the descriptor, or -1.
 */
static int stop_xenstored(long pid)
{
	int guard[2];
	char c;

	if (pipe2(guard, O_CLOEXEC))
		return -1;
	switch (fork()) {
	case -1:
		return -1;
	case 0:
		close(guard[1]);
		setsid();
		while (read(guard[0], &c, 1) > 0)
			;
		kill(pid, SIGCONT);
		_exit(0);
	}
	close(guard[0]);
	return kill(pid, SIGSTOP) ? -1 : guard[1];
}

TEST_F(lifetime, xenstore_stopped)
{
	long pid = xenstored(), domid = create(NAME), second = create(UNRELATED);
	int early = dmop_open_bound(domid), late, first, guard;
	char *p, *q;
	pid_t child;

	if (pid <= 0)
		SKIP(return, "no xenstored in this domain");
	ASSERT_LT(0, domid);
	ASSERT_LT(0, second);
	ASSERT_LE(0, early);
	p = map_frames(early, domid, NR_FRAMES);
	ASSERT_NE(NULL, p);

	guard = stop_xenstored(pid);
	ASSERT_LE(0, guard);
	/* Nothing here may need XenStore, so no command is run. */
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(early, domid));

	/* To a domain that is bound already, and to one that is not. */
	late = dmop_open_bound(domid);
	first = dmop_open_bound(second);
	EXPECT_LE(0, late);
	EXPECT_LE(0, first);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(late));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(first));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(late, domid));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(first, second));
	EXPECT_EQ(-EPERM, unknown_op(first, domid));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->observer, domid));
	EXPECT_EQ(-ESRCH, dmop_restrict(self->observer, ABSENT_DOMID));
	EXPECT_EQ(0, touch(p));
	q = map_frames(first, second, NR_FRAMES);
	EXPECT_NE(NULL, q);
	EXPECT_LE(0, ioreq_create(first, second));
	EXPECT_EQ(0, close(late));

	/* Who waits in RESTRICT can be killed. */
	child = fork();
	if (!child) {
		dmop_open_bound(other_domid);
		_exit(0);
	}
	usleep(100000);
	kill(child, SIGKILL);
	ends_well_in_time(child);
	EXPECT_EQ(-1, waitpid(child, NULL, WNOHANG));

	close(guard);
	/* And the end of both is seen as ever. */
	ASSERT_TRUE(destroy(NAME));
	EXPECT_EQ(THE_END, wait_for_end(early));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_EQ(-ESRCH, unknown_op(early, domid));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(first));
	ASSERT_TRUE(destroy(UNRELATED));
	EXPECT_EQ(THE_END, wait_for_end(first));
	EXPECT_EQ(SIGBUS, touch_until_gone(q));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	EXPECT_TRUE(unknown_to_xen(self->observer, second));
	close(early);
	close(first);
}

/* --- many at once, and who is woken ------------------------------------ */

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
		ASSERT_NE(NULL, map_frames(fds[i], domids[i / 2], NR_FRAMES));
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

/* Another process in poll(), and an epoll that knew the file before its binding. */
TEST_F(lifetime, all_who_wait_are_woken)
{
	struct epoll_event e = { .data.u32 = 7 };
	int fd = dmop_open(), ep = epoll_create1(EPOLL_CLOEXEC), ready[2];
	long domid = create(NAME);
	pid_t before, after;

	ASSERT_LE(0, fd);
	ASSERT_LT(0, domid);
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	before = fork();
	if (!before) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		_exit(write(ready[1], "", 1) != 1 || poll(&p, 1, -1) != 1 ||
		      p.revents != (POLLHUP | POLLERR));
	}
	ASSERT_TRUE(bytes_from(ready[0], 1));
	nap(1);
	ASSERT_EQ(0, dmop_restrict(fd, domid));
	after = fork();
	if (!after) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		_exit(write(ready[1], "", 1) != 1 || poll(&p, 1, -1) != 1 ||
		      p.revents != (POLLHUP | POLLERR));
	}
	ASSERT_TRUE(bytes_from(ready[0], 1));
	nap(1);
	EXPECT_EQ(0, epoll_wait(ep, &e, 1, 0));

	ASSERT_TRUE(destroy(NAME));
	EXPECT_EQ(1, epoll_wait(ep, &e, 1, WAKE_MS));
	EXPECT_EQ(THE_END, e.events);
	EXPECT_EQ(7, e.data.u32);
	EXPECT_TRUE(ends_well_in_time(before));
	EXPECT_TRUE(ends_well_in_time(after));
	close(ep);
	close(fd);
}

/* --- the number again, at once ----------------------------------------- */

/* While a mapping keeps the old one the number is not free, so again and again. */
static long create_again(const char *name, long domid)
{
	long ret = -1;
	int i;

	for (i = 0; i < 50 && ret < 0; i++)
		ret = number("lab-domain create %s --domid %ld 2>/dev/null", name, domid);
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
		p = map_frames(old, domid, NR_FRAMES);
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
	EXPECT_EQ(NULL, map_frames(old, domid, 1));
	if (p) {
		EXPECT_EQ(SIGBUS, touch_until_gone(p));
	}

	/* The fresh one has nothing of that end; not after more events either. */
	p = map_frames(fresh, domid, NR_FRAMES);
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

/* --- the window -------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* Figures for the reader; nothing is asserted of them. */
static void measure(struct __test_metadata *const _metadata, int observer, bool mapped)
{
	double begun, heard, back, gone, *ended;
	long domid = create(NAME);
	int fd = dmop_open_bound(domid);
	pid_t child;

	ASSERT_LT(0, domid);
	ASSERT_LE(0, fd);
	if (mapped) {
		ASSERT_NE(NULL, map_frames(fd, domid, NR_FRAMES));
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

/* --- the module goes while events come --------------------------------- */

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
	if (!run("command -v lab-domain >/dev/null"))
		SKIP(return, "no lab-domain to make domains with: run this in the lab (make lab-shell)");
	ASSERT_EQ(0, refcount()) {
		TH_LOG("somebody else has " DMOP_NODE " open");
	}
}

FIXTURE_TEARDOWN(module_goes)
{
	load_module();
	run("for d in $(xl list | awk '/^" PREFIX "/ { print $2 }'); do xl destroy $d; done >/dev/null 2>&1");
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

/* Events that are in flight, looks that are due: the module waits for them. */
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
		p = map_frames(fd, domid, NR_FRAMES);
		ASSERT_NE(NULL, p);
		/* By a shell, which has no descriptor of it. */
		ASSERT_TRUE(run("lab-domain destroy " PREFIX "%d >/dev/null 2>&1 &", i));
		/* At its very end, or any time before. */
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

	/* It is as good as new. */
	i = dmop_open_bound(target_domid);
	EXPECT_LE(0, i);
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(i, target_domid));
	close(i);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
