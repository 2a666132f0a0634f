// SPDX-License-Identifier: GPL-2.0
/*
 * xenstore_test.c - bindings while XenStore is stopped, slow, or lacks the domain's end
 */
#include "hold.h"
#include "xenstored.h"

/* --- XenStore does not answer ------------------------------------------ */

/* A process that waits for XenStore in RESTRICT, or -1. It exits with the errno. */
static pid_t restricter(int fd, __u16 domid)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-dmop_restrict(fd, domid));
	return pid > 0 && wait_asleep(pid, pid, NULL) ? pid : -1;
}

/*
 * Two processes wait in RESTRICT, and the second is killed. It must end before the first one times
 * out. If the kill had no effect, the second would time out later than the first. The order of the
 * two decides, not a clock. On a machine that was too slow, the caller tries again.
 */
static bool killed_before_time(struct __test_metadata *const _metadata)
{
	int a = dmop_open(), b = dmop_open();
	pid_t first = restricter(a, other_domid), killed, ended;

	nap(1);
	killed = restricter(b, other_domid);
	if (first < 0 || killed < 0)
		return false;
	kill(killed, SIGKILL);
	ended = waitpid(-1, NULL, 0);
	kill(first, SIGKILL);
	waitpid(ended == killed ? first : killed, NULL, 0);
	/* The killed RESTRICT has not bound the file. */
	if (ended == killed)
		EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(b));
	close(a);
	close(b);
	return ended == killed;
}

TEST_F(lifetime, xenstore_stopped)
{
	long pid = xenstored(), domid = create(NAME), second = create(UNRELATED);
	int early = dmop_open_bound(domid), late, first, guard;
	char *p, *q;
	bool killed_first = false;
	int i;

	if (pid <= 0)
		SKIP(return, "no xenstored in this domain");
	ASSERT_LT(0, domid);
	ASSERT_LT(0, second);
	ASSERT_LE(0, early);
	p = map_several(early, domid, NR_FRAMES);
	ASSERT_NE(NULL, p);

	guard = stop_xenstored(pid);
	ASSERT_LE(0, guard);
	/* No command may run here, because commands need XenStore. */
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(early, domid));

	/* RESTRICT to a domain with a bound file, and to one without. */
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
	EXPECT_EQ(0, touch(p, true));
	q = map_several(first, second, NR_FRAMES);
	EXPECT_NE(NULL, q);
	EXPECT_LE(0, ioreq_create(first, second));
	EXPECT_EQ(0, close(late));

	/* A process that waits in RESTRICT can be killed. */
	for (i = 0; i < 10 && !killed_first; i++)
		killed_first = killed_before_time(_metadata);
	EXPECT_TRUE(killed_first);

	close(guard);
	/* The end of both domains is then detected. */
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

/* The operation of dying_op() in a batch, with a buffer too small for its frames. Return: its result. */
static long by_batch(int fd, __u16 domid)
{
	struct {
		struct dmop_batch head;
		struct dmop_batch_op op;
		struct dm_op buf;
		__u64 bitmap;
	} b = {
		.head = {
			.size = sizeof(b.head), .domid = domid, .nr = 1,
			.bytes = sizeof(b.op) + sizeof(b.buf) + sizeof(b.bitmap),
		},
		.op.size = { sizeof(b.buf), 1 },
		.buf = { .op = DM_OP_TRACK_DIRTY_VRAM, .u.vram.nr = 16 },
	};
	long ret = do_ioctl(fd, DMOP_IOCTL_BATCH, &b);

	return ret < 0 ? ret : b.op.result;
}

/* A RESTRICT of another file to the same domain. Return: its result. */
static long by_restrict(int fd, __u16 domid)
{
	int late = dmop_open();
	long ret = dmop_restrict(late, domid);

	(void)fd;
	if (dmop_state(late) != DMOP_STATE_UNBOUND)
		ret = -EIO;
	close(late);
	return ret;
}

/* A device model with a display issues this operation for each picture. */
static long by_display(int fd, __u16 domid)
{
	return dying_op(fd, domid);
}

/*
 * XenStore is stopped, so there is no event, and a mapping keeps the dying domain in Xen's list,
 * where ordinary operations find it. An operation or a RESTRICT that Xen answers with ESRCH ends
 * all bindings to the domain, and RESTRICT does not wait for XenStore.
 */
TEST_F(lifetime, xenstore_stopped_and_dying)
{
	static long (*const asks[])(int fd, __u16 domid) = { by_display, by_restrict };
	long pid = xenstored();
	unsigned int i;

	X86_ONLY(DYING_REPORTED);
	if (pid <= 0)
		SKIP(return, "no xenstored in this domain");
	if (access(BARE_DOMAIN, X_OK))
		SKIP(return, NEEDS_BARE_DOMAIN);
	for (i = 0; i < ARRAY_SIZE(asks); i++) {
		long domid = create(NAME);
		int fd = dmop_open_bound(domid), second = dmop_open_bound(domid), guard;
		char *p = map_several(fd, domid, NR_FRAMES);

		ASSERT_LT(0, domid);
		ASSERT_LE(0, second);
		ASSERT_NE(NULL, p);
		guard = stop_xenstored(pid);
		ASSERT_LE(0, guard);
		EXPECT_TRUE(destroy_in_xen(domid));
		EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, domid));
		EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));

		EXPECT_EQ(-ESRCH, asks[i](fd, domid));
		EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(fd));
		EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(second));
		close(second);
		EXPECT_EQ(THE_END, wait_for_end(fd));
		EXPECT_EQ(SIGBUS, touch_until_gone(p));
		close(guard);
		EXPECT_TRUE(forget_domain(domid));
		/* xenstored has a page of the domain mapped, until it runs again. */
		EXPECT_TRUE(unknown_to_xen(self->observer, domid));
		close(fd);
	}
}

/*
 * XenStore does not show the end: there is no event, and the domain's directory stays. So only the
 * result of a call reveals it.
 */
TEST_F(lifetime, only_xen_tells)
{
	static long (*const asks[])(int fd, __u16 domid) = { by_display, by_batch, by_restrict };
	unsigned int i;

	X86_ONLY(DYING_REPORTED);
	if (access(BARE_DOMAIN, X_OK))
		SKIP(return, NEEDS_BARE_DOMAIN);
	/* Waits until the events of earlier ends are over. */
	nap(3);
	for (i = 0; i < ARRAY_SIZE(asks); i++) {
		long domid = bare_domain();
		int fd;

		ASSERT_LT(0, domid);
		fd = dmop_open_bound(domid);
		EXPECT_LE(0, fd);
		EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, domid));
		EXPECT_TRUE(run(BARE_DOMAIN " destroy %ld", domid));
		nap(2);
		EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
		/* The module keeps the number. */
		EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, domid));

		EXPECT_EQ(-ESRCH, asks[i](fd, domid));
		EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(fd));
		EXPECT_EQ(THE_END, wait_for_end(fd));
		EXPECT_TRUE(unknown_to_xen(self->observer, domid));
		EXPECT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
		close(fd);
	}
}

/*
 * As in killed_before_time(): a process waits in RESTRICT while its domain is destroyed in Xen. It
 * must end before another process, with an earlier timeout. Return: its exit status, or -1.
 */
static int told_before_time(int bound, long domid)
{
	int a = dmop_open(), b = dmop_open();
	pid_t first, told, ended;
	int status = 0;
	char line[80];
	FILE *end;

	/* To start a program takes seconds on a busy machine, and the time does not wait. */
	snprintf(line, sizeof(line), BARE_DOMAIN " destroy %ld when-told", domid);
	end = popen(line, "we");
	if (!end)
		return -1;
	nap(2);
	first = restricter(a, other_domid);
	nap(1);
	told = restricter(b, domid);
	fputc('\n', end);
	if (pclose(end) || first < 0 || told < 0)
		return -1;
	while (dying_op(bound, domid) != -ESRCH)
		usleep(1000);
	ended = waitpid(-1, &status, 0);
	kill(first, SIGKILL);
	waitpid(ended == told ? first : told, NULL, 0);
	close(a);
	close(b);
	return ended == told && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(lifetime, xenstore_stopped_and_xen_tells)
{
	long pid = xenstored();
	int i, how = -1;

	X86_ONLY(DYING_REPORTED);
	if (pid <= 0)
		SKIP(return, "no xenstored in this domain");
	if (access(BARE_DOMAIN, X_OK))
		SKIP(return, NEEDS_BARE_DOMAIN);
	for (i = 0; i < 5 && how < 0; i++) {
		long domid = bare_domain();
		int fd, guard;

		ASSERT_LT(0, domid);
		fd = dmop_open_bound(domid);
		EXPECT_LE(0, fd);
		guard = stop_xenstored(pid);
		ASSERT_LE(0, guard);
		how = told_before_time(fd, domid);
		close(guard);
		EXPECT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
		close(fd);
	}
	EXPECT_EQ(ESRCH, how);
}

/* Stops and continues xenstored in turn, until the descriptor is closed. */
static int slow_xenstored(long pid)
{
	int guard[2];

	if (pipe2(guard, O_CLOEXEC))
		return -1;
	switch (fork()) {
	case -1:
		return -1;
	case 0: {
		struct pollfd p = { .fd = guard[0] };

		close(guard[1]);
		setsid();
		do {
			kill(pid, SIGSTOP);
			usleep(150000);
			kill(pid, SIGCONT);
		} while (!poll(&p, 1, 30));
		_exit(0);
	}
	}
	close(guard[0]);
	return guard[1];
}

/* With a slow XenStore everything takes longer, and the results are the same. */
TEST_F(lifetime, xenstore_slow)
{
	long pid = xenstored(), domid, second;
	int guard, first, other;
	char *p, *q;

	if (pid <= 0)
		SKIP(return, "no xenstored in this domain");
	guard = slow_xenstored(pid);
	ASSERT_LE(0, guard);
	domid = create(NAME);
	second = create(UNRELATED);
	ASSERT_LT(0, domid);
	ASSERT_LT(0, second);
	first = dmop_open_bound(domid);
	other = dmop_open_bound(second);
	p = map_several(first, domid, NR_FRAMES);
	q = map_several(other, second, NR_FRAMES);
	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, q);

	ASSERT_TRUE(destroy(NAME));
	EXPECT_EQ(THE_END, wait_for_end(first));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	EXPECT_EQ(-ESRCH, dmop_restrict(self->observer, domid));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(other));
	EXPECT_EQ(0, touch(q, true));
	ASSERT_TRUE(destroy(UNRELATED));
	EXPECT_EQ(THE_END, wait_for_end(other));
	EXPECT_EQ(SIGBUS, touch_until_gone(q));
	EXPECT_TRUE(unknown_to_xen(self->observer, second));
	close(guard);
	close(first);
	close(other);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
