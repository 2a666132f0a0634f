// SPDX-License-Identifier: GPL-2.0
/*
 * held_test.c - RESTRICT while a test holds a call in the middle of a copy
 *
 * RESTRICT must wait for a call admitted before it. race_test.c tries the same with random timing;
 * here the order of events is fixed.
 */
#include "frames.h"
#include "held.h"

/* --- RESTRICT against calls -------------------------------------------- */

FIXTURE(held)
{
	struct world w;
};

FIXTURE_SETUP(held)
{
	world_setup(_metadata, &self->w, false);
}

FIXTURE_TEARDOWN(held)
{
	world_teardown(&self->w);
}

/* A call on the other domain, asleep on the page of its operation. */
struct held_call {
	struct caller caller;
	struct dmop_buf buf;
	struct dmop_dm_op arg;
	struct dm_op op;
};

static bool hold_call(struct world *w, struct held_call *h)
{
	memset(h, 0, sizeof(*h));
	h->op = ports_op(DM_OP_MAP_IO_RANGE, w->server, SERVER_PORT, SERVER_PORT);
	h->buf.uptr = w->hold.page;
	h->buf.size = sizeof(h->op);
	h->arg.dom = other_domid;
	h->arg.num = 1;
	h->arg.ubufs = &h->buf;
	return caller_start(&h->caller, w->fd, DMOP_IOCTL_DM_OP, &h->arg) &&
	       hold_wait(&w->hold);
}

static long let_call_go(struct world *w, struct held_call *h)
{
	if (!hold_release(&w->hold, &h->op, sizeof(h->op)))
		return -EIO;
	return caller_join(&h->caller);
}

/* RESTRICT does not return while a call admitted before it is in progress. */
TEST_F(held, restrict_waits_for_the_call)
{
	struct caller restricter = { };
	struct held_call h;

	ASSERT_TRUE(hold_call(&self->w, &h));
	ASSERT_TRUE(caller_start(&restricter, self->w.fd, DMOP_IOCTL_RESTRICT, &target_domid));
	EXPECT_TRUE(caller_waits_in_restrict(&restricter)) {
		TH_LOG("RESTRICT returned %ld with a call under way", restricter.ret);
	}
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(self->w.fd));
	EXPECT_EQ(0, mapped(&self->w, other_domid, SERVER_PORT));

	EXPECT_EQ(0, let_call_go(&self->w, &h));
	EXPECT_EQ(0, caller_join(&restricter));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(self->w.fd));
	EXPECT_EQ(-EPERM, unknown_op(self->w.fd, other_domid));
}

/* Whether the port is mapped on the other domain, checked after RESTRICT. */
struct look {
	struct world *w;
	long seen;
};

static void look_at_other(void *data)
{
	struct look *l = data;

	l->seen = mapped(l->w, other_domid, SERVER_PORT);
}

/* Once RESTRICT has returned, the effect of that call is complete. */
TEST_F(held, restrict_returns_after_the_effect)
{
	struct look look = { .w = &self->w };
	struct caller restricter = { .after = look_at_other, .after_arg = &look };
	struct held_call h;

	ASSERT_TRUE(hold_call(&self->w, &h));
	ASSERT_TRUE(caller_start(&restricter, self->w.fd, DMOP_IOCTL_RESTRICT, &target_domid));
	EXPECT_TRUE(caller_waits_in_restrict(&restricter));

	EXPECT_EQ(0, let_call_go(&self->w, &h));
	EXPECT_EQ(0, caller_join(&restricter));
	EXPECT_EQ(1, look.seen);
}

/* The same for a call asleep at another place. */
static void check_waits(struct __test_metadata *const _metadata,
			struct world *w, unsigned int cmd, void *arg,
			const void *content, size_t len, long ret)
{
	struct caller caller = { }, restricter = { };

	ASSERT_TRUE(caller_start(&caller, w->fd, cmd, arg));
	ASSERT_TRUE(hold_wait(&w->hold));
	ASSERT_TRUE(caller_start(&restricter, w->fd, DMOP_IOCTL_RESTRICT, &target_domid));
	EXPECT_TRUE(caller_waits_in_restrict(&restricter)) {
		TH_LOG("RESTRICT returned %ld with a call under way", restricter.ret);
	}
	ASSERT_TRUE(hold_release(&w->hold, content, len));
	EXPECT_EQ(ret, caller_join(&caller));
	EXPECT_EQ(0, caller_join(&restricter));
}

TEST_F(held, restrict_waits_for_the_array)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { .uptr = &op, .size = sizeof(op) };
	struct dmop_dm_op arg = {
		.dom = other_domid, .num = 1, .ubufs = (void *)self->w.hold.page,
	};

	check_waits(_metadata, &self->w, DMOP_IOCTL_DM_OP, &arg, &buf, sizeof(buf), -EOPNOTSUPP);
}

TEST_F(held, restrict_waits_for_hypercall)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { .uptr = &op, .size = sizeof(op) };
	struct dmop_hypercall arg = {
		.op = DMOP_HYPERCALL_NR,
		.arg = { other_domid, 1, (unsigned long)self->w.hold.page },
	};

	check_waits(_metadata, &self->w, DMOP_IOCTL_HYPERCALL, &arg, &buf, sizeof(buf), -EOPNOTSUPP);
}

TEST_F(held, restrict_waits_for_the_second_buffer)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf bufs[2] = {
		{ .uptr = &op, .size = sizeof(op) },
		{ .uptr = self->w.hold.page, .size = 1000 },
	};
	struct dmop_dm_op arg = { .dom = other_domid, .num = 2, .ubufs = bufs };

	check_waits(_metadata, &self->w, DMOP_IOCTL_DM_OP, &arg, "", 1, -EOPNOTSUPP);
}

/* The frame cannot be mapped, because with a mapping of the other domain RESTRICT would fail. */
TEST_F(held, restrict_waits_for_a_mapping)
{
	__u64 gfn = NO_GFN;
	int err = 0;
	struct dmop_mmapbatch_v2 arg = {
		.num = 1, .dom = other_domid, .arr = (void *)self->w.hold.page, .err = &err,
	};
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->w.fd, 0);

	ASSERT_NE(MAP_FAILED, p);
	arg.addr = (unsigned long)p;
	check_waits(_metadata, &self->w, DMOP_IOCTL_MMAPBATCH_V2, &arg, &gfn, sizeof(gfn), 0);
	EXPECT_GT(0, err);
}

/*
 * RESTRICT also waits for the copy of the results. The operation is readable at first. The test
 * empties its page while the call sleeps on the second buffer. So the call sleeps again when it
 * writes the result, after Xen has acted.
 */
TEST_F(held, restrict_waits_for_the_way_back)
{
	struct dm_op create = { .op = DM_OP_CREATE_IOREQ_SERVER };
	struct caller caller = { }, restricter = { };
	struct dmop_buf bufs[2];
	struct dmop_dm_op arg = { .dom = other_domid, .num = 2, .ubufs = bufs };
	unsigned int before = ioreq_mask(self->w.observer, other_domid);
	struct hold first = { };

	ASSERT_EQ(0, hold_init(&first));
	ASSERT_TRUE(hold_release(&first, &create, sizeof(create)));
	bufs[0].uptr = first.page;
	bufs[0].size = sizeof(create);
	bufs[1].uptr = self->w.hold.page;
	bufs[1].size = 8;
	ASSERT_TRUE(caller_start(&caller, self->w.fd, DMOP_IOCTL_DM_OP, &arg));
	ASSERT_TRUE(hold_wait(&self->w.hold));
	ASSERT_TRUE(hold_again(&first));
	ASSERT_TRUE(hold_release(&self->w.hold, "", 1));
	ASSERT_TRUE(hold_wait(&first));
	EXPECT_NE(before, ioreq_mask(self->w.observer, other_domid));

	ASSERT_TRUE(caller_start(&restricter, self->w.fd, DMOP_IOCTL_RESTRICT, &target_domid));
	EXPECT_TRUE(caller_waits_in_restrict(&restricter)) {
		TH_LOG("RESTRICT returned %ld with a call under way", restricter.ret);
	}
	ASSERT_TRUE(hold_release(&first, "", 1));
	EXPECT_EQ(0, caller_join(&caller));
	EXPECT_EQ(0, caller_join(&restricter));
	hold_exit(&first);
}

/* A call issued while RESTRICT waits has no effect after RESTRICT. */
TEST_F(held, call_behind_a_waiting_restrict)
{
	struct dm_op create = { .op = DM_OP_CREATE_IOREQ_SERVER };
	struct dmop_buf buf = { .uptr = &create, .size = sizeof(create) };
	struct dmop_dm_op arg = { .dom = other_domid, .num = 1, .ubufs = &buf };
	struct caller restricter = { }, late = { };
	unsigned int mask;
	struct held_call h;
	bool asleep;

	ASSERT_TRUE(hold_call(&self->w, &h));
	ASSERT_TRUE(caller_start(&restricter, self->w.fd, DMOP_IOCTL_RESTRICT, &target_domid));
	ASSERT_TRUE(caller_waits_in_restrict(&restricter));
	ASSERT_TRUE(caller_start(&late, self->w.fd, DMOP_IOCTL_DM_OP, &arg));

	/* Either the call overtakes RESTRICT and is done by now, or it waits and is refused. */
	asleep = caller_asleep(&late);
	mask = ioreq_mask(self->w.observer, other_domid);
	EXPECT_EQ(0, let_call_go(&self->w, &h));
	EXPECT_EQ(0, caller_join(&restricter));
	EXPECT_EQ(asleep ? -EPERM : 0, caller_join(&late));
	EXPECT_EQ(mask, ioreq_mask(self->w.observer, other_domid));
}

/* Two waiting RESTRICTs: one binds the file, the other returns -EINVAL. */
TEST_F(held, two_waiting_restricts)
{
	struct caller a = { }, b = { };
	struct dmop_info info;
	struct held_call h;
	long ra, rb;

	ASSERT_TRUE(hold_call(&self->w, &h));
	ASSERT_TRUE(caller_start(&a, self->w.fd, DMOP_IOCTL_RESTRICT, &target_domid));
	ASSERT_TRUE(caller_start(&b, self->w.fd, DMOP_IOCTL_RESTRICT, &other_domid));
	ASSERT_TRUE(caller_asleep(&a));
	ASSERT_TRUE(caller_asleep(&b));
	EXPECT_EQ(0, let_call_go(&self->w, &h));
	ra = caller_join(&a);
	rb = caller_join(&b);

	EXPECT_EQ(-EINVAL, ra + rb);
	ASSERT_EQ(0, dmop_info(self->w.fd, &info));
	EXPECT_EQ(ra ? other_domid : target_domid, info.domid);
}

/* With the same domid, both return 0. */
TEST_F(held, two_waiting_restricts_to_one_domain)
{
	struct caller a = { }, b = { };
	struct held_call h;

	ASSERT_TRUE(hold_call(&self->w, &h));
	ASSERT_TRUE(caller_start(&a, self->w.fd, DMOP_IOCTL_RESTRICT, &target_domid));
	ASSERT_TRUE(caller_start(&b, self->w.fd, DMOP_IOCTL_RESTRICT, &target_domid));
	ASSERT_TRUE(caller_asleep(&a));
	ASSERT_TRUE(caller_asleep(&b));
	EXPECT_EQ(0, let_call_go(&self->w, &h));
	EXPECT_EQ(0, caller_join(&a));
	EXPECT_EQ(0, caller_join(&b));
}

/* On a bound file no call waits for another one. */
TEST_F(held, bound_calls_do_not_wait)
{
	struct held_call h;

	ASSERT_EQ(0, dmop_restrict(self->w.fd, other_domid));
	ASSERT_TRUE(hold_call(&self->w, &h));
	EXPECT_EQ(0, dmop_restrict(self->w.fd, other_domid));
	EXPECT_EQ(-EINVAL, dmop_restrict(self->w.fd, target_domid));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->w.fd, other_domid));
	EXPECT_EQ(-EPERM, unknown_op(self->w.fd, target_domid));
	EXPECT_EQ(0, let_call_go(&self->w, &h));
}

/* --- killing ----------------------------------------------------------- */

/*
 * A process that has not died after this many turns of the processor counts as unkillable. A clock
 * could not tell it from a slow one.
 */
#define TURNS	1000000

/* Kills a child. Return: its exit status, or -1 if it does not end. */
static int kill_and_reap(pid_t pid)
{
	int status, turn;

	kill(pid, SIGKILL);
	for (turn = 0; turn < TURNS; turn++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		sched_yield();
	}
	return -1;
}

/* Starts a child for one call, and kills it once it sleeps. Return: its exit status, or -1. */
static int kill_asleep(int fd, unsigned int cmd, void *arg)
{
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (!pid) {
		do_ioctl(fd, cmd, arg);
		_exit(0);
	}
	if (!wait_asleep(pid, pid, NULL))
		return -1;
	return kill_and_reap(pid);
}

/* A waiting RESTRICT can be killed. The file is then still unbound. */
TEST_F(held, waiting_restrict_is_killable)
{
	struct held_call h;

	ASSERT_TRUE(hold_call(&self->w, &h));
	ASSERT_EQ(SIGKILL, kill_asleep(self->w.fd, DMOP_IOCTL_RESTRICT, &target_domid));
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(self->w.fd));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->w.fd, other_domid));
	EXPECT_EQ(0, let_call_go(&self->w, &h));
	EXPECT_EQ(0, dmop_restrict(self->w.fd, target_domid));
}

/* A call can be killed while it waits for a RESTRICT in progress. */
TEST_F(held, waiting_call_is_killable)
{
	struct caller restricter = { };
	struct held_call h;
	pid_t pid;

	ASSERT_TRUE(hold_call(&self->w, &h));
	ASSERT_TRUE(caller_start(&restricter, self->w.fd, DMOP_IOCTL_RESTRICT, &target_domid));
	ASSERT_TRUE(caller_waits_in_restrict(&restricter));

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Some calls may overtake RESTRICT. In the end one waits. */
		for (;;)
			unknown_op(self->w.fd, other_domid);
	}
	EXPECT_TRUE(wait_asleep(pid, pid, NULL));
	ASSERT_EQ(SIGKILL, kill_and_reap(pid));
	EXPECT_EQ(0, let_call_go(&self->w, &h));
	EXPECT_EQ(0, caller_join(&restricter));
}

/* A thread that writes to the pipe once the call sleeps on the page. */
struct sentinel {
	struct hold *hold;
	int fd;
};

static void *sentinel_main(void *data)
{
	struct sentinel *s = data;

	if (!hold_wait(s->hold) || write(s->fd, "", 1) != 1)
		_exit(1);
	return NULL;
}

/* A call asleep on its own memory ends with its process, and delays no other call. */
TEST_F(held, sleeping_call_is_killable)
{
	int asleep[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(asleep));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct dmop_buf buf = { .size = sizeof(struct dm_op) };
		struct hold mine = { };
		struct sentinel sentinel = { &mine, asleep[1] };
		pthread_t thread;

		/* The page never gets its content. */
		if (hold_init(&mine) || pthread_create(&thread, NULL, sentinel_main, &sentinel))
			_exit(1);
		buf.uptr = mine.page;
		dmop_call(self->w.fd, other_domid, &buf, 1);
		_exit(1);
	}
	close(asleep[1]);
	ASSERT_EQ(1, read(asleep[0], &c, 1));
	ASSERT_EQ(SIGKILL, kill_and_reap(pid));
	EXPECT_EQ(0, dmop_restrict(self->w.fd, target_domid));
	EXPECT_EQ(0, dmop_calls(self->w.fd));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
