// SPDX-License-Identifier: GPL-2.0
/*
 * watch_test.c - how often the module checks its domains: not without a binding, and not for ever
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "domains.h"

/* --- rounds of checks ---------------------------------------------------- */

#define TRACING	"/sys/kernel/tracing"
#define TRACE	TRACING "/instances/dmop_test"
#define EVENT	TRACE "/events/workqueue/workqueue_execute_start"

/* The kernel traces each run of a work. The module checks all domains in one, watch_round(). */
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
	/* If the module has no such function, the filter is invalid and the write fails. */
	ASSERT_TRUE(run("echo \"function == 0x$(awk '$3 == \"watch_round\" && $4 == \"[" MODULE "]\" { print $1 }' /proc/kallsyms)\" >" EVENT "/filter"));
	ASSERT_TRUE(run("echo 1 >" EVENT "/enable"));
}

FIXTURE_TEARDOWN(looks)
{
	destroy_all();
	run("echo 0 >" EVENT "/enable");
	rmdir(TRACE);
}

/* Return: the number of rounds since the last call. */
static long looks(void)
{
	return number("grep -c 'workqueue_execute_start:.*watch_round' " TRACE "/trace; echo >" TRACE "/trace");
}

/* Return: whether at most one round, which was already due, ran, and then none. */
static bool rounds_end(void)
{
	long n;

	looks();
	nap(3);
	n = looks();
	if (n != 0 && n != 1)
		return false;
	nap(3);
	return looks() == 0;
}

/* While no file is bound, events about domains cause no round. */
TEST_F(looks, none_without_a_binding)
{
	int unbound = dmop_open(), fd;

	ASSERT_LE(0, unbound);
	ASSERT_LT(0, create(NAME));
	ASSERT_LT(0, create(UNRELATED));
	ASSERT_TRUE(destroy(NAME));
	ASSERT_TRUE(destroy(UNRELATED));
	nap(3);
	EXPECT_EQ(0, looks());

	/* Shows that the counting works: RESTRICT queues one round, and no second one. */
	fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, fd);
	nap(3);
	EXPECT_EQ(1, looks());

	/* A binding that has ended causes no round either. */
	close(fd);
	ASSERT_LT(0, create(NAME));
	ASSERT_TRUE(destroy(NAME));
	nap(3);
	EXPECT_EQ(0, looks());

	/*
	 * A round that was due when the last binding went still runs. It finds no record and queues
	 * no other round.
	 */
	fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(event());
	close(fd);
	EXPECT_TRUE(rounds_end());
	close(unbound);
}

/* The same after a revocation on Xen's answer: the file is open, but its record is gone. */
TEST_F(looks, none_after_a_revocation)
{
	long domid;
	int fd;

	X86_ONLY(DYING_REPORTED);
	domid = bare_domain();
	ASSERT_LT(0, domid) {
		TH_LOG("if there is " NEEDS_BARE_DOMAIN);
	}
	fd = dmop_open_bound(domid);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(event());
	ASSERT_TRUE(destroy_in_xen(domid));
	while (dying_op(fd, domid) != -ESRCH)
		usleep(1000);
	EXPECT_TRUE(rounds_end());
	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	close(fd);
}

/*
 * An event causes rounds, at most one a second, and at most thirty. Their number is compared with
 * the time that passed, so a slow machine passes, too.
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

	/* After thirty there are no more. */
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
