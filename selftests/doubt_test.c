// SPDX-License-Identifier: GPL-2.0
/*
 * doubt_test.c - states and changes of a domain that end a binding, or do not end it
 *
 * A domain that is paused, shut down or saved is not dead. A domain that is dying is dead, and
 * cannot be bound to. A domain without its directory in XenStore cannot be bound to either; it is
 * gone only if Xen cannot tell a dying domain. A domain whose identity has changed is gone.
 */
#include "domains.h"

#define DM_OP_REMOTE_SHUTDOWN	16
#define REASON_REBOOT		1
#define REASON_SUSPEND		2

/* --- pause, rename, shutdown ------------------------------------------- */

TEST_F(lifetime, paused_or_renamed_is_not_dead)
{
	long domid = create(NAME);
	int fd = dmop_open_bound(domid);
	char *p = map_several(fd, domid, 1);

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

/*
 * The domain has shut down for a reboot, and the toolstack has not acted on it. @releaseDomain
 * fires.
 */
TEST_F(lifetime, shut_down_is_not_dead)
{
	struct dm_op op = { .op = DM_OP_REMOTE_SHUTDOWN };
	__u32 reason = REASON_REBOOT;
	long domid;
	char *p;
	int fd;

	X86_ONLY("DM_OP_REMOTE_SHUTDOWN");
	domid = create(NAME);
	fd = dmop_open_bound(domid);
	p = map_several(fd, domid, 1);
	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	memcpy(op.u.raw, &reason, sizeof(reason));
	ASSERT_EQ(0, dm_op(fd, domid, &op));
	/* The fourth letter of the state is s: shut down. */
	ASSERT_TRUE(run("for i in $(seq 300); do xl list " NAME " | awk '$5 ~ /^...s/ { found = 1 } END { exit !found }' && exit 0; sleep 0.1; done; exit 1"));
	still_bound(_metadata, fd, domid, p, 1);

	ASSERT_TRUE(destroy(NAME));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fd);
}

/* --- save ---------------------------------------------------------------- */

#define STREAM	"/tmp/dmop-test-stream"

/* Starts `xl save` into a pipe. It blocks, because the test does not read the pipe yet. */
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

/* Answers the request to suspend in place of the guest, which has no code. */
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

/* xl suspends the domain, saves it, and resumes it, as for a snapshot. */
TEST_F(lifetime, saved_is_not_dead)
{
	int fd, stream;
	pid_t saver;
	long domid;
	char *p;

	X86_ONLY("xl save");
	domid = create(NAME);
	fd = dmop_open_bound(domid);
	p = map_several(fd, domid, 1);
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

	/* This time the toolstack destroys the domain after the save. */
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

/* --- RESTRICT to a dying domain, a partial or a changed directory -------- */

/*
 * A dying domain: its directory is removed, and a mapping of the observer keeps it in Xen. No later
 * event would end a binding to it.
 */
TEST_F(lifetime, dying_is_not_bound_to)
{
	long domid = create(NAME);
	int fd = dmop_open_bound(domid), late = dmop_open();
	char *p, *keeps;

	ASSERT_LT(0, domid);
	ASSERT_LE(0, late);
	p = map_several(fd, domid, 1);
	keeps = map_several(self->observer, domid, 1);
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
	/* The file can still be bound to another domain. */
	EXPECT_EQ(0, dmop_restrict(late, target_domid));
	close(late);
	close(fd);
}

/*
 * Xen reports a dying domain, though XenStore still has its directory, and a mapping keeps it in
 * Xen's list, where ordinary operations find it. The module depends on the answers of dying_op(),
 * the same in every Xen from 4.9 on.
 */
TEST_F(lifetime, dying_is_the_end)
{
	long domid = create(NAME);
	int fd = dmop_open_bound(domid), late = dmop_open();
	char *p, *keeps;

	X86_ONLY(DYING_REPORTED);
	if (access(BARE_DOMAIN, X_OK))
		SKIP(return, NEEDS_BARE_DOMAIN);
	ASSERT_LT(0, domid);
	ASSERT_LE(0, late);
	p = map_several(fd, domid, NR_FRAMES);
	keeps = map_several(self->observer, domid, 1);
	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, keeps);
	EXPECT_EQ(-EINVAL, dying_op(self->observer, domid));
	EXPECT_EQ(-EINVAL, dying_op(fd, domid));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));

	ASSERT_TRUE(destroy_in_xen(domid));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(run("xenstore-exists /local/domain/%ld/name", domid));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->observer, domid));
	EXPECT_EQ(-ESRCH, dying_op(self->observer, domid));
	EXPECT_EQ(-ESRCH, dmop_restrict(late, domid));
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(late));
	EXPECT_EQ(0, touch(keeps, true));

	EXPECT_EQ(0, munmap(keeps, PAGE));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	EXPECT_TRUE(forget_domain(domid));
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
	p = map_several(fd, domid, 1);
	ASSERT_NE(NULL, p);
	still_bound(_metadata, fd, domid, p, 1);

	ASSERT_TRUE(run("xl destroy %ld >/dev/null 2>&1", domid));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fd);
}

/*
 * A domain lives on without its directory, as after a loss of XenStore's contents. Xen does not
 * report it as dying, so the binding stays. RESTRICT is refused meanwhile, and that does not end the
 * other binding.
 */
TEST_F(lifetime, lost_directory_is_not_the_end)
{
	long domid;
	char *p;
	int fd;

	X86_ONLY(DYING_REPORTED);
	domid = create(NAME);
	fd = dmop_open_bound(domid);
	p = map_several(fd, domid, 1);
	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	still_bound(_metadata, fd, domid, p, 1);
	EXPECT_EQ(-ESRCH, dmop_open_bound(domid));
	still_bound(_metadata, fd, domid, p, 1);

	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/name " NAME, domid));
	still_bound(_metadata, fd, domid, p, 1);
	ASSERT_TRUE(run("xl destroy %ld >/dev/null 2>&1", domid));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fd);
}

/* Xen reports neither a dying PV domain nor one on arm64, so a lost directory is the end. */
TEST_F(lifetime, lost_directory_is_the_end_if_xen_does_not_tell)
{
	long domid;
	int fd;

	if (ON_X86 && access(BARE_DOMAIN, X_OK))
		SKIP(return, NEEDS_BARE_DOMAIN);
	domid = ON_X86 ? bare_pv_domain() : create(NAME);
	ASSERT_LT(0, domid);
	EXPECT_EQ(ON_X86 ? -EINVAL : -EOPNOTSUPP, dying_op(self->observer, domid));
	fd = dmop_open_bound(domid);
	ASSERT_LE(0, fd);
	still_bound(_metadata, fd, domid, NULL, 1);

	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	ASSERT_TRUE(event());
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(-ESRCH, dmop_open_bound(domid));
	if (ON_X86) {
		EXPECT_TRUE(destroy_in_xen(domid));
	} else {
		run("xl destroy %ld >/dev/null 2>&1", domid);
	}
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fd);
}

/*
 * A domain is destroyed, and nothing reports that. Xen keeps its number as long as a call through a
 * bound descriptor could reach the next domain of that number, even if nothing is mapped.
 */
TEST_F(lifetime, number_is_kept)
{
	int fd, late;
	long domid;

	X86_ONLY(DYING_REPORTED);
	if (access(BARE_DOMAIN, X_OK))
		SKIP(return, NEEDS_BARE_DOMAIN);
	domid = bare_domain();
	ASSERT_LT(0, domid);
	fd = dmop_open_bound(domid);
	ASSERT_LE(0, fd);

	ASSERT_TRUE(destroy_in_xen(domid));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, domid));
	EXPECT_GT(0, number(BARE_DOMAIN " create %ld", domid));

	/* A RESTRICT finds the domain dying. When revocation has ended, the number is free. */
	late = dmop_open();
	ASSERT_LE(0, late);
	EXPECT_EQ(-ESRCH, dmop_restrict(late, domid));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	EXPECT_EQ(domid, number(BARE_DOMAIN " create %ld", domid));
	EXPECT_EQ(-ESRCH, unknown_op(fd, domid));
	EXPECT_EQ(0, dmop_restrict(late, domid));

	/* The last close of a live binding also frees the number. */
	close(fd);
	ASSERT_TRUE(destroy_in_xen(domid));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->observer, domid));
	close(late);
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	EXPECT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
}

/*
 * Another domain has the number, and no check ran in between. Two nodes show it: the
 * unique-domain-id, written by some toolstacks, and the vm path. A node that is written late is no
 * change. The path counts only without an id: a toolstack may give a guest another uuid. The id
 * counts without a path.
 */
TEST_F(lifetime, another_of_that_number)
{
	int fd, fresh, last;
	long domid;

	if (access(BARE_DOMAIN, X_OK))
		SKIP(return, NEEDS_BARE_DOMAIN);
	/* Without memory, so that nothing of it can be held to keep its number. */
	domid = bare_domain();
	ASSERT_LT(0, domid);
	fd = dmop_open_bound(domid);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/unique-domain-id one", domid));
	still_bound(_metadata, fd, domid, NULL, 1);

	/* There is no event. The next RESTRICT detects the change. */
	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/unique-domain-id two", domid));
	fresh = dmop_open_bound(domid);
	ASSERT_LE(0, fresh);
	EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(fd));
	EXPECT_EQ(-ESRCH, unknown_op(fd, domid));
	still_bound(_metadata, fresh, domid, NULL, 1);

	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/vm /vm/one", domid));
	still_bound(_metadata, fresh, domid, NULL, 1);
	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/vm /vm/another", domid));
	still_bound(_metadata, fresh, domid, NULL, 1);

	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld/unique-domain-id", domid));
	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/vm /vm/a-third", domid));
	last = dmop_open_bound(domid);
	ASSERT_LE(0, last);
	EXPECT_EQ(THE_END, wait_for_end(fresh));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(last));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->observer, domid));

	ASSERT_TRUE(destroy_in_xen(domid));
	if (ON_X86) {
		EXPECT_EQ(-ESRCH, dying_op(last, domid));
	}
	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	close(fd);
	close(fresh);
	close(last);
}

/*
 * The domain ends some time after an event, and no event reports its end. Between the two there are
 * many RESTRICTs, each with a check: these do not use up the checks after the event. A machine too
 * slow for the half minute of these checks tries again.
 */
TEST_F(lifetime, bindings_do_not_end_it)
{
	long domid, begun;
	int fd, i;

	X86_ONLY(DYING_REPORTED);
	if (access(BARE_DOMAIN, X_OK))
		SKIP(return, NEEDS_BARE_DOMAIN);
	domid = bare_domain();
	ASSERT_LT(0, domid);
	fd = dmop_open_bound(domid);
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
	ASSERT_TRUE(destroy_in_xen(domid));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(-ESRCH, unknown_op(fd, domid));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	close(fd);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
