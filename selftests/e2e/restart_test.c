// SPDX-License-Identifier: GPL-2.0
/*
 * restart_test.c - xenstored is started again, and has lost all it knew
 *
 * No toolstack works after that, so selftests/e2e/steps/90-restart runs this last.
 */
#include "../xenstored.h"

#define PV	PREFIX "pv"

/* The step makes these two commands, in the current directory. */
static long create_pv(void)
{
	if (!run("xl create -q -e -p /dev/null 'name=\"" PV "\"' 'type=\"pv\"' memory=192 vcpus=1 \"kernel=\\\"/boot/vmlinuz-$(uname -r)\\\"\" >&2"))
		return -1;
	return number("xl domid " PV);
}

/* Kills it, starts it again, and waits until it answers. */
static bool restart_xenstored(long pid)
{
	return run("exe=$(readlink /proc/%ld/exe) && kill -9 %ld && while [ -d /proc/%ld ]; do sleep 0.1; done && $exe --pid-file=/run/xenstored.pid && for i in $(seq 600); do timeout 10 xenstore-write /restarted yes && exit 0; sleep 0.1; done; exit 1",
		   pid, pid, pid);
}

/* The new xenstored has no watches either, so only a RESTRICT causes a check. */
static void check_by_restrict(struct __test_metadata *const _metadata, long domid)
{
	EXPECT_EQ(-ESRCH, dmop_open_bound(domid));
}

TEST_F(lifetime, contents_lost)
{
	long pid = xenstored(), domid = create(NAME), pv_domid = create_pv();
	int fd = dmop_open_bound(domid), pv = dmop_open_bound(pv_domid);
	char *p = map_several(fd, domid, NR_FRAMES);

	ASSERT_LT(0, pid);
	ASSERT_LT(0, domid);
	ASSERT_LT(0, pv_domid);
	ASSERT_LE(0, pv);
	ASSERT_NE(NULL, p);
	EXPECT_EQ(-EINVAL, dying_op(self->observer, domid));

	/* Then there are checks for half a minute. */
	ASSERT_TRUE(event());
	ASSERT_TRUE(restart_xenstored(pid));
	EXPECT_FALSE(run("xenstore-exists /local/domain/%ld", domid));
	EXPECT_FALSE(run("xenstore-exists /local/domain/0"));
	nap(5);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(pv));
	check_by_restrict(_metadata, domid);
	check_by_restrict(_metadata, pv_domid);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(pv));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, domid));
	EXPECT_EQ(0, touch(p, true));
	EXPECT_EQ(0, poll(&(struct pollfd){ .fd = fd }, 1, 0));

	/* Domain 0 has its directory again. Of the PV domain alone, Xen cannot tell. */
	ASSERT_TRUE(run("xenstore-write /local/domain/0/name Domain-0"));
	check_by_restrict(_metadata, domid);
	check_by_restrict(_metadata, pv_domid);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	EXPECT_EQ(0, touch(p, true));
	EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(pv));

	/* The domain's end is still seen, though by no event. */
	ASSERT_TRUE(destroy_in_xen(domid));
	check_by_restrict(_metadata, domid);
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(destroy_in_xen(pv_domid));
	/* xenconsoled has a page of each mapped, and the new xenstored reports no end to it. */
	EXPECT_TRUE(run("kill $(pidof xenconsoled)"));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	EXPECT_TRUE(unknown_to_xen(self->observer, pv_domid));
	close(fd);
	close(pv);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
