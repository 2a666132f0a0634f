// SPDX-License-Identifier: GPL-2.0
/*
 * state_test.c - Xen identifies domains, and the module asks Xen, not XenStore
 *
 * The answers are those of fake_state, a fake, not of Xen. selftests/e2e/steps/27-state loads it before the module.
 */
#include <sys/resource.h>

#include "../xenstored.h"

#define FAKE_PARAMS	"/sys/module/fake_state/parameters/"

static bool fake_set(const char *name, unsigned long value)
{
	return run("echo %lu >" FAKE_PARAMS "%s", value, name);
}

static long fake_get(const char *name)
{
	return number("cat " FAKE_PARAMS "%s", name);
}

/* Without a shell command. */
static bool fake_dying(unsigned int domid)
{
	FILE *f = fopen(FAKE_PARAMS "dying_domid", "w");

	return f && fprintf(f, "%u", domid) > 0 && !fclose(f);
}

/* Return: how often this process has slept. */
static long sleeps(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) ? -1 : usage.ru_nvcsw;
}

TEST_F(lifetime, the_module_asks)
{
	long before = fake_get("asked");
	int fd = dmop_open_bound(target_domid);

	ASSERT_LE(0, fd);
	/* By RESTRICT once, and not at all by a call. */
	EXPECT_EQ(before + 1, fake_get("asked"));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, target_domid));
	EXPECT_EQ(before + 1, fake_get("asked"));
	close(fd);
}

/* If RESTRICT waited for the stopped XenStore, it would sleep each time. */
TEST_F(lifetime, restrict_needs_no_xenstore)
{
	long pid = xenstored(), domid = create(NAME), before;
	int fds[10], guard, i, awake = 0;

	ASSERT_LT(0, pid);
	ASSERT_LT(0, domid);
	guard = stop_xenstored(pid);
	ASSERT_LE(0, guard);
	for (i = 0; i < (int)ARRAY_SIZE(fds); i++) {
		fds[i] = dmop_open();
		before = sleeps();
		EXPECT_EQ(0, dmop_restrict(fds[i], domid));
		awake += before == sleeps();
	}
	EXPECT_LT(0, awake);

	/* Another RESTRICT finds the domain dying, and ends the bindings. */
	EXPECT_TRUE(fake_dying(domid));
	EXPECT_EQ(-ESRCH, dmop_open_bound(domid));
	EXPECT_TRUE(fake_dying(0));
	for (i = 0; i < (int)ARRAY_SIZE(fds); i++) {
		EXPECT_EQ(THE_END, wait_for_end(fds[i]));
		EXPECT_EQ(-ESRCH, unknown_op(fds[i], domid));
		close(fds[i]);
	}
	close(guard);
	ASSERT_TRUE(destroy(NAME));
}

/* XenStore is not read: neither its directory nor its ids count. */
TEST_F(lifetime, xenstore_does_not_count)
{
	long domid = create(NAME);
	int fd = dmop_open_bound(domid), late;
	char *p = map_several(fd, domid, 1);

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/unique-domain-id one", domid));
	still_bound(_metadata, fd, domid, p, 1);
	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/unique-domain-id two", domid));
	still_bound(_metadata, fd, domid, p, 1);
	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	still_bound(_metadata, fd, domid, p, 1);
	late = dmop_open_bound(domid);
	ASSERT_LE(0, late);
	still_bound(_metadata, late, domid, p, 0);

	ASSERT_TRUE(run("xenstore-write /local/domain/%ld/name " NAME, domid));
	ASSERT_TRUE(run("xl destroy %ld >/dev/null 2>&1", domid));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(THE_END, wait_for_end(late));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fd);
	close(late);
}

/* Another id: another domain has the number. */
TEST_F(lifetime, another_id)
{
	long domid = create(NAME);
	int fd = dmop_open_bound(domid), fresh, last;
	char *p = map_several(fd, domid, 1);

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_TRUE(fake_set("other_id", 77));
	ASSERT_TRUE(fake_set("other_domid", domid));
	fresh = dmop_open_bound(domid);
	ASSERT_LE(0, fresh);
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(-ESRCH, unknown_op(fd, domid));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fresh));

	/* The same, but an event has it noticed. */
	ASSERT_TRUE(fake_set("other_id", 78));
	ASSERT_TRUE(event());
	EXPECT_EQ(THE_END, wait_for_end(fresh));
	last = dmop_open_bound(domid);
	ASSERT_LE(0, last);
	still_bound(_metadata, last, domid, NULL, 1);
	ASSERT_TRUE(fake_set("other_domid", 0));
	ASSERT_TRUE(destroy(NAME));
	close(fd);
	close(fresh);
	close(last);
}

/* The domain really dies while it is mapped, and another mapping keeps it in Xen. */
TEST_F(lifetime, dying_while_mapped)
{
	long domid = create(NAME);
	int fd = dmop_open_bound(domid);
	char *p = map_several(fd, domid, NR_FRAMES), *keeps = map_several(self->observer, domid, 1);

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, keeps);
	ASSERT_TRUE(destroy(NAME));
	EXPECT_EQ(THE_END, wait_for_end(fd));
	EXPECT_EQ(SIGBUS, touch_until_gone(p));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->observer, domid));
	EXPECT_EQ(-ESRCH, dmop_open_bound(domid));
	EXPECT_EQ(0, munmap(keeps, PAGE));
	EXPECT_TRUE(unknown_to_xen(self->observer, domid));
	close(fd);
}

/* A question without a domid would take the changes from xenstored. */
TEST_F(lifetime, never_asks_for_no_domain)
{
	EXPECT_LT(0, fake_get("asked"));
	EXPECT_EQ(0, fake_get("asked_invalid"));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
