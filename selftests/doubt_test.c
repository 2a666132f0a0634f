// SPDX-License-Identifier: GPL-2.0
/*
 * doubt_test.c - what is a domain's end and what is not, when XenStore and
 * toolstack leave it in doubt; and what it costs to find out
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "domains.h"
#include "hold.h"

#define DM_OP_REMOTE_SHUTDOWN	16
#define REASON_REBOOT		1
#define REASON_SUSPEND		2

/* Of domu/, which is beside these programs. */
#define BARE_DOMAIN		"../bare_domain"
#define NEEDS_BARE_DOMAIN	"no " BARE_DOMAIN ": make -C selftests/domu release"

/* --- what is no death ---------------------------------------------- */

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

/* --- being saved --------------------------------------------------------- */

#define STREAM	"/tmp/dmop-test-stream"

/* `xl save` into a pipe that is full at once, since nobody reads it. */
static pid_t save_beside(const char *options)
{
	pid_t pid;

	if (!run("rm -f " STREAM " && mkfifo " STREAM))
		return -1;
	pid = fork();
	if (!pid)
		_exit(!run("xl save %s " NAME " " STREAM " >/dev/null 2>&1", options));
	return pid;
}

/* What a guest does that is asked to suspend; this one has no code for that. */
static bool suspend_as_asked(int fd, __u16 domid)
{
	struct dm_op op = { .op = DM_OP_REMOTE_SHUTDOWN };
	__u32 reason = REASON_SUSPEND;
	bool asked = false;
	int i;

	for (i = 0; i < TRIES / 10 && !asked; i++)
		asked = run("[ \"$(xenstore-read /local/domain/%u/control/shutdown 2>/dev/null)\" = suspend ]", domid);
	memcpy(op.u.raw, &reason, sizeof(reason));
	return asked && run("xenstore-write /local/domain/%u/control/shutdown ''", domid) &&
	       !dm_op(fd, domid, &op);
}

static bool drain(int stream)
{
	static char bytes[65536];
	ssize_t n;

	while ((n = read(stream, bytes, sizeof(bytes))) > 0)
		;
	return !n;
}

/* Suspended while xl saves it; then it runs on, as after a snapshot. */
TEST_F(lifetime, saved_is_not_dead)
{
	long domid = create(NAME);
	int fd = dmop_open_bound(domid), stream;
	char *p = map_frames(fd, domid, 1);
	pid_t saver;

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	saver = save_beside("-c");
	stream = open(STREAM, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, stream);
	ASSERT_TRUE(suspend_as_asked(fd, domid));
	still_bound(_metadata, fd, domid, p, 2);
	EXPECT_EQ(0, waitpid(saver, NULL, WNOHANG));
	EXPECT_TRUE(drain(stream));
	close(stream);
	EXPECT_TRUE(ends_well_in_time(saver));
	still_bound(_metadata, fd, domid, p, 1);

	/* And once more, but then the toolstack lets it go. */
	saver = save_beside("");
	stream = open(STREAM, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, stream);
	ASSERT_TRUE(suspend_as_asked(fd, domid));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	EXPECT_TRUE(drain(stream));
	close(stream);
	EXPECT_TRUE(ends_well_in_time(saver));
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

/* A process that waits for XenStore in RESTRICT, or -1. It exits with the errno. */
static pid_t restricter(int fd, __u16 domid)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-dmop_restrict(fd, domid));
	return pid > 0 && wait_asleep(pid, pid, NULL) ? pid : -1;
}

/*
 * Of two that wait, the second is killed: it ends before the first one's time is
 * up. If it could not be killed, its own time would end later. No clock says so,
 * but their order; a machine that stood still in between has to try again.
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
	/* It has changed nothing. */
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
	EXPECT_EQ(0, touch(p, true));
	q = map_frames(first, second, NR_FRAMES);
	EXPECT_NE(NULL, q);
	EXPECT_LE(0, ioreq_create(first, second));
	EXPECT_EQ(0, close(late));

	/* Who waits in RESTRICT can be killed. */
	for (i = 0; i < 10 && !killed_first; i++)
		killed_first = killed_before_time(_metadata);
	EXPECT_TRUE(killed_first);

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

/* As one that is served, though XenStore knows nothing more of it. Return: its domid, or -1. */
static long bare_domain(void)
{
	long domid = number(BARE_DOMAIN " create");

	return domid > 0 && run("xenstore-write /local/domain/%ld/name " NAME, domid) ? domid : -1;
}

/* Who asks Xen about it, so that the answer is seen. Return: what @asks returns. */
static long by_call(int fd, __u16 domid)
{
	return unknown_op(fd, domid);
}

static long by_batch(int fd, __u16 domid)
{
	return unknown_batch(fd, domid);
}

/* Another file, which finds the domain gone that it is to share the binding to. */
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

/*
 * XenStore knows nothing of its end: there is no event, and its directory stays.
 * So it is Xen's answer that tells, and nothing else.
 */
TEST_F(lifetime, only_xen_tells)
{
	static long (*const asks[])(int fd, __u16 domid) = { by_call, by_batch, by_restrict };
	unsigned int i;

	if (access(BARE_DOMAIN, X_OK))
		SKIP(return, NEEDS_BARE_DOMAIN);
	/* What is still to be said of earlier ends has been said. */
	nap(3);
	for (i = 0; i < ARRAY_SIZE(asks); i++) {
		long domid = bare_domain();
		int fd;

		ASSERT_LT(0, domid);
		fd = dmop_open_bound(domid);
		EXPECT_LE(0, fd);
		EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, domid));
		EXPECT_TRUE(run(BARE_DOMAIN " destroy %ld", domid));
		EXPECT_TRUE(unknown_to_xen(self->observer, domid));
		nap(2);
		EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));

		EXPECT_EQ(-ESRCH, asks[i](fd, domid));
		EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(fd));
		EXPECT_EQ(THE_END, wait_for_end(fd));
		EXPECT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
		close(fd);
	}
}

/*
 * As in killed_before_time(): who waits to be bound to a domain that Xen says is
 * gone ends before one whose time was up earlier. Return: how it ended, or -1.
 */
static int told_before_time(int bound, long domid)
{
	int a = dmop_open(), b = dmop_open();
	pid_t first = restricter(a, other_domid), told, ended;
	int status = 0;

	nap(1);
	told = restricter(b, domid);
	if (first < 0 || told < 0 || !run(BARE_DOMAIN " destroy %ld", domid))
		return -1;
	while (unknown_op(bound, domid) != -ESRCH)
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

/* Stopped and let go on, over and over, as long as the descriptor is open. */
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

/* All takes longer, and nothing else is different. */
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
	p = map_frames(first, domid, NR_FRAMES);
	q = map_frames(other, second, NR_FRAMES);
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

/* --- there, and yet not to be bound to ----------------------------------- */

/*
 * A domain that is dying: it has lost its directory, and a mapping that is
 * nobody's business here keeps it in Xen. A binding would have no end.
 */
TEST_F(lifetime, dying_is_not_bound_to)
{
	long domid = create(NAME);
	int fd = dmop_open_bound(domid), late = dmop_open();
	char *p, *keeps;

	ASSERT_LT(0, domid);
	ASSERT_LE(0, late);
	p = map_frames(fd, domid, 1);
	keeps = map_frames(self->observer, domid, 1);
	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, keeps);

	ASSERT_TRUE(destroy(NAME));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->observer, domid));
	EXPECT_EQ(-ESRCH, dmop_restrict(late, domid));
	EXPECT_EQ(-ESRCH, dmop_restrict(late, domid));
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(late));
	EXPECT_EQ(0, touch(keeps, true));

	EXPECT_EQ(0, munmap(keeps, PAGE));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	/* It is as good as before. */
	EXPECT_EQ(0, dmop_restrict(late, target_domid));
	close(late);
	close(fd);
}

/* A toolstack that writes no more of it than that it is there. */
TEST_F(lifetime, directory_is_enough)
{
	long domid = create(NAME);
	char *p;
	int fd;

	ASSERT_LT(0, domid);
	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	EXPECT_EQ(-ESRCH, dmop_open_bound(domid));
	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/name " NAME, domid));
	fd = dmop_open_bound(domid);
	ASSERT_LE(0, fd);
	p = map_frames(fd, domid, 1);
	ASSERT_NE(NULL, p);
	still_bound(_metadata, fd, domid, p, 1);

	ASSERT_TRUE(run("xl destroy %ld >/dev/null 2>&1", domid));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fd);
}

/*
 * Another domain has the number, and nobody saw when that came about. Both of
 * what may tell: an id that some toolstacks give, and the path of what the
 * domain is. That either is written late is no change. The path counts
 * only where there is no id: a toolstack may give a guest another uuid.
 */
TEST_F(lifetime, another_of_that_number)
{
	long domid = create(NAME);
	int fd = dmop_open_bound(domid), fresh;
	char *p = map_frames(fd, domid, 1);

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/unique-domain-id one", domid));
	still_bound(_metadata, fd, domid, p, 1);

	/* No event: who binds to it next finds out. */
	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/unique-domain-id two", domid));
	fresh = dmop_open_bound(domid);
	ASSERT_LE(0, fresh);
	EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(fd));
	EXPECT_EQ(-ESRCH, unknown_op(fd, domid));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	p = map_frames(fresh, domid, 1);
	ASSERT_NE(NULL, p);
	still_bound(_metadata, fresh, domid, p, 1);

	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/vm /vm/another", domid));
	still_bound(_metadata, fresh, domid, p, 1);

	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld/unique-domain-id", domid));
	ASSERT_TRUE(event());
	EXPECT_EQ(THE_END, wait_for_end(fresh));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->observer, domid));
	close(fd);
	close(fresh);
}

static long seconds(void)
{
	return number("cut -d. -f1 /proc/uptime");
}

/*
 * The directory goes some time after the event, and between the two there are
 * many bindings, each of which has XenStore asked: these do not end the doubt.
 * The half minute does: whoever is too slow for it tries again.
 */
TEST_F(lifetime, bindings_do_not_end_it)
{
	long domid = create(NAME), begun;
	int fd = dmop_open_bound(domid), i;

	ASSERT_LT(0, domid);
	ASSERT_LE(0, fd);
	do {
		ASSERT_TRUE(event());
		begun = seconds();
		for (i = 0; i < 40 || (i < 100 && seconds() - begun < 10); i++) {
			close(dmop_open_bound(i % 2 ? domid : (long)target_domid));
		}
		nap(2);
	} while (seconds() - begun > 20);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(-ESRCH, unknown_op(fd, domid));
	ASSERT_TRUE(run("xl destroy %ld >/dev/null 2>&1", domid));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fd);
}

/* --- what it costs ------------------------------------------------------- */

#define TRACING	"/sys/kernel/tracing"
#define TRACE	TRACING "/instances/dmop_test"
#define EVENT	TRACE "/events/workqueue/workqueue_execute_start"

/* The kernel itself tells how often the module looks: each time is a work. */
FIXTURE(looks) {};

FIXTURE_SETUP(looks)
{
	if (domains_missing())
		SKIP(return, NEEDS_DOMAINS);
	ASSERT_EQ(0, refcount()) {
		TH_LOG("somebody else has " DMOP_NODE " open");
	}
	mount("tracefs", TRACING, "tracefs", 0, NULL);
	/* No probe in the scheduler: in an emulator, patching it was seen not to end. */
	ASSERT_TRUE(run("echo 0 >" TRACING "/options/record-cmd"));
	rmdir(TRACE);
	ASSERT_EQ(0, mkdir(TRACE, 0700)) {
		TH_LOG("no tracing (CONFIG_FTRACE), or no tracefs on " TRACING);
	}
	/* Without that function the filter is none, and is refused. */
	ASSERT_TRUE(run("echo \"function == 0x$(awk '$3 == \"look\" && $4 == \"[" MODULE "]\" { print $1 }' /proc/kallsyms)\" >" EVENT "/filter"));
	ASSERT_TRUE(run("echo 1 >" EVENT "/enable"));
}

FIXTURE_TEARDOWN(looks)
{
	destroy_all();
	run("echo 0 >" EVENT "/enable");
	rmdir(TRACE);
}

/* Since the last time that this was asked. */
static long looks(void)
{
	return number("grep -c 'workqueue_execute_start:.*look' " TRACE "/trace; echo >" TRACE "/trace");
}

/* Nobody is bound: whatever happens to domains, the module does nothing at all. */
TEST_F(looks, none_without_a_binding)
{
	int unbound = dmop_open(), fd;
	long domid;

	ASSERT_LE(0, unbound);
	ASSERT_LT(0, create(NAME));
	ASSERT_LT(0, create(UNRELATED));
	ASSERT_TRUE(destroy(NAME));
	ASSERT_TRUE(destroy(UNRELATED));
	nap(3);
	EXPECT_EQ(0, looks());

	/* That the counting works: RESTRICT has one look made, and not a second. */
	fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, fd);
	nap(3);
	EXPECT_EQ(1, looks());

	/* What was bound and is no more counts for nothing either. */
	close(fd);
	ASSERT_LT(0, create(NAME));
	ASSERT_TRUE(destroy(NAME));
	nap(3);
	EXPECT_EQ(0, looks());

	/* Nor does the look come that was due when the last binding went. */
	fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(event());
	close(fd);
	looks();
	nap(3);
	EXPECT_EQ(0, looks());

	/* Nor the one that was due for a domain that is gone by Xen's word, though it is kept open. */
	domid = bare_domain();
	ASSERT_LT(0, domid) {
		TH_LOG("if there is " NEEDS_BARE_DOMAIN);
	}
	fd = dmop_open_bound(domid);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(event());
	ASSERT_TRUE(run(BARE_DOMAIN " destroy %ld", domid));
	while (unknown_op(fd, domid) != -ESRCH)
		usleep(1000);
	looks();
	nap(3);
	EXPECT_EQ(0, looks());
	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	close(fd);
	close(unbound);
}

/*
 * An event brings looks, not more than one a second, and not for ever. Their
 * number is compared with the time that passed, so a slow machine is no matter.
 */
TEST_F(looks, once_a_second_and_only_in_doubt)
{
	int fd = dmop_open_bound(target_domid);
	long domid = create(UNRELATED), begun, n, total;
	int i;

	ASSERT_LE(0, fd);
	ASSERT_LT(0, domid);
	nap(2);
	looks();
	nap(5);
	EXPECT_EQ(0, looks());

	ASSERT_TRUE(destroy(UNRELATED));
	EXPECT_TRUE(no_zombies());
	nap(1);
	EXPECT_LE(1, looks());
	begun = seconds();
	nap(10);
	n = total = looks();
	printf("# %ld looks in %ld s of doubt\n", n, seconds() - begun);
	EXPECT_LT(0, n);
	EXPECT_GE(seconds() - begun + 2, n);

	/* Thirty of them, and that was all. */
	for (i = 0; i < 20 && n > 0; i++) {
		nap(3);
		n = looks();
		total += n;
	}
	EXPECT_EQ(0, n);
	EXPECT_GE(30, total);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	close(fd);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
