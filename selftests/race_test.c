// SPDX-License-Identifier: GPL-2.0
/*
 * race_test.c - RESTRICT, calls, close, fork and kills at the same time, in random order
 *
 * A test runs a number of rounds, not for a time. The numbers are those of check-mutants.
 */
#include <stdatomic.h>

#include "dmop_test.h"

#define ROUNDS(n)	((n) * SCALE / 16)

/* Yields while it waits, because there may be only one processor. */
static void wait_for(atomic_int *what, int value)
{
	while (atomic_load(what) < value)
		sched_yield();
}

/* Delays a thread, by another time in each round. */
static void stagger(unsigned int round, unsigned int thread)
{
	unsigned int n = (round * 7 + thread * 13) % 64 * 8;

	while (n--)
		asm volatile ("");
}

FIXTURE(race)
{
	int observer;		/* unbound, privileged, from an open() of its own */
	long server;		/* on both domains */
};

FIXTURE_SETUP(race)
{
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	self->server = ioreq_create_on_both(self->observer);
	ASSERT_LE(0, self->server);
}

FIXTURE_TEARDOWN(race)
{
	ioreq_destroy_all(self->observer, target_domid);
	ioreq_destroy_all(self->observer, other_domid);
	close(self->observer);
}

/* The other domain has the observer's server and no mapped port. */
static void expect_other_untouched(struct __test_metadata *const _metadata,
				   int observer, long server)
{
	EXPECT_EQ(1U << server, ioreq_mask(observer, other_domid));
	EXPECT_EQ(0, ports_mapped(observer, other_domid, server, 0, 0xffff));
}

/* --- RESTRICT against RESTRICT ----------------------------------------- */

struct rival {
	pthread_t thread;
	unsigned int nr;
	__u16 domid;
	long ret;
};

static atomic_int rivals_fd, rivals_round, rivals_done;

static void *rival_main(void *data)
{
	struct rival *r = data;
	int round;

	for (round = 1; round <= ROUNDS(3000); round++) {
		wait_for(&rivals_round, round);
		stagger(round, r->nr);
		r->ret = dmop_restrict(atomic_load(&rivals_fd), r->domid);
		atomic_fetch_add(&rivals_done, 1);
	}
	return NULL;
}

/* Exactly one RESTRICT succeeds, and the file is bound to its domid. */
TEST_F(race, two_restricts)
{
	struct rival r[2] = {
		{ .nr = 0, .domid = target_domid },
		{ .nr = 1, .domid = other_domid },
	};
	int round, i, wins[2] = { };

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, rival_main, &r[i]));

	for (round = 1; round <= ROUNDS(3000); round++) {
		struct dmop_info info;
		int fd = dmop_open(), winner;

		ASSERT_LE(0, fd);
		atomic_store(&rivals_fd, fd);
		atomic_store(&rivals_round, round);
		wait_for(&rivals_done, 2 * round);

		winner = r[0].ret ? 1 : 0;
		wins[winner]++;
		ASSERT_EQ(0, r[winner].ret);
		ASSERT_EQ(-EINVAL, r[!winner].ret);
		ASSERT_EQ(0, dmop_info(fd, &info));
		ASSERT_EQ(r[winner].domid, info.domid);
		ASSERT_EQ(-EOPNOTSUPP, unknown_op(fd, r[winner].domid));
		ASSERT_EQ(-EPERM, unknown_op(fd, r[!winner].domid));
		close(fd);
	}
	for (i = 0; i < 2; i++)
		pthread_join(r[i].thread, NULL);
	TH_LOG("won %d to %d", wins[0], wins[1]);
}

/* --- RESTRICT against calls on another domain -------------------------- */

#define NR_TOGGLERS	2

/* A thread that maps and unmaps its own port on the other domain until it is refused. */
struct toggler {
	pthread_t thread;
	unsigned int nr;
	long server;
	bool mapped;		/* by its last successful call */
	long unexpected;	/* a result other than success and refusal */
	bool late;		/* a call issued after RESTRICT had returned succeeded */
};

static atomic_int toggle_fd, toggle_round, toggles, togglers_done, toggle_restricted;

static __u64 toggler_port(const struct toggler *t)
{
	return 0x1000 + t->nr;
}

static void toggle_until_refused(struct toggler *t)
{
	int fd = atomic_load(&toggle_fd);

	for (;;) {
		int restricted = atomic_load(&toggle_restricted);
		__u64 port = toggler_port(t);
		long ret;

		ret = t->mapped ? ports_unmap(fd, other_domid, t->server, port, port) :
				  ports_map(fd, other_domid, t->server, port, port);
		if (ret) {
			if (ret != -EPERM)
				t->unexpected = ret;
			return;
		}
		t->mapped = !t->mapped;
		t->late |= restricted;
		atomic_fetch_add(&toggles, 1);
	}
}

static void *toggler_main(void *data)
{
	struct toggler *t = data;
	int round;

	for (round = 1; round <= ROUNDS(1500); round++) {
		wait_for(&toggle_round, round);
		toggle_until_refused(t);
		atomic_fetch_add(&togglers_done, 1);
	}
	return NULL;
}

/*
 * After RESTRICT has returned, nothing changes on the other domain. Each call changes the state of
 * a port, so a late call shows.
 */
TEST_F(race, restrict_against_calls)
{
	struct toggler t[NR_TOGGLERS] = { };
	int round, i;

	for (i = 0; i < NR_TOGGLERS; i++) {
		t[i].nr = i;
		t[i].server = self->server;
		ASSERT_EQ(0, pthread_create(&t[i].thread, NULL, toggler_main, &t[i]));
	}

	for (round = 1; round <= ROUNDS(1500); round++) {
		long seen[NR_TOGGLERS];
		int fd = dmop_open();

		ASSERT_LE(0, fd);
		atomic_store(&toggle_fd, fd);
		atomic_store(&toggles, 0);
		atomic_store(&toggle_restricted, 0);
		atomic_store(&toggle_round, round);
		/* Some calls have been issued. */
		wait_for(&toggles, 1 + round % 16);
		stagger(round, 0);

		ASSERT_EQ(0, dmop_restrict(fd, target_domid));
		atomic_store(&toggle_restricted, 1);
		for (i = 0; i < NR_TOGGLERS; i++)
			seen[i] = ports_mapped(self->observer, other_domid, self->server,
					       toggler_port(&t[i]), toggler_port(&t[i]));
		wait_for(&togglers_done, NR_TOGGLERS * round);

		for (i = 0; i < NR_TOGGLERS; i++) {
			ASSERT_EQ(0, t[i].unexpected);
			ASSERT_FALSE(t[i].late);
			ASSERT_EQ(t[i].mapped, seen[i]) {
				TH_LOG("round %d: an effect after RESTRICT had returned", round);
			}
			ASSERT_EQ(seen[i], ports_mapped(self->observer, other_domid,
							self->server, toggler_port(&t[i]),
							toggler_port(&t[i])));
		}
		close(fd);
	}
	for (i = 0; i < NR_TOGGLERS; i++)
		pthread_join(t[i].thread, NULL);
}

/* --- memory that changes during calls ---------------------------------- */

static struct {
	struct dmop_dm_op dm_op;
	struct dmop_hypercall hypercall;
	struct dmop_buf bufs[2];
	struct dm_op ops[2];
	char second[512];
} shaken;

static atomic_int shaking;
static long shaken_server;

/* The compiler must not remove or delay the store, although this program never reads the memory. */
#define STORE(what, value)	__atomic_store_n(&(what), value, __ATOMIC_RELAXED)

/* Changes one member each time, to a value that would do harm if the call used it. */
static void shake(unsigned int turn)
{
	static const __u32 codes[] = {
		DM_OP_CREATE_IOREQ_SERVER, DM_OP_DESTROY_IOREQ_SERVER,
		DM_OP_MAP_IO_RANGE, DM_OP_UNMAP_IO_RANGE, DM_OP_UNKNOWN,
	};
	struct dmop_dm_op *d = &shaken.dm_op;
	struct dmop_hypercall *h = &shaken.hypercall;
	struct dmop_buf *bufs = shaken.bufs;

	switch (turn % 8) {
	case 0:
		STORE(d->dom, d->dom == target_domid ? other_domid : target_domid);
		break;
	case 1:
		STORE(h->arg[0], h->arg[0] == target_domid ? other_domid : target_domid);
		break;
	case 2:
		STORE(d->num, d->num % 3 + 1);
		STORE(h->arg[1], h->arg[1] % 3 + 1);
		break;
	case 3:
		STORE(h->op, h->op == DMOP_HYPERCALL_NR ? 40 : DMOP_HYPERCALL_NR);
		break;
	case 4:
		STORE(bufs[0].uptr, bufs[0].uptr == &shaken.ops[0] ?
				    (void *)&shaken.ops[1] : (void *)&shaken.ops[0]);
		break;
	case 5:
		STORE(bufs[1].size, (turn * 37) % 5000);
		break;
	case 6:
		STORE(shaken.ops[0].op, codes[turn / 8 % ARRAY_SIZE(codes)]);
		break;
	case 7:
		STORE(shaken.ops[1].u.range.start, turn & 0xff);
		break;
	}
}

static void *shaker_main(void *data)
{
	unsigned int turn = 0;

	(void)data;
	while (atomic_load(&shaking))
		shake(turn++);
	return NULL;
}

static void shaken_reset(void)
{
	shaken.bufs[0].uptr = &shaken.ops[0];
	shaken.bufs[0].size = sizeof(shaken.ops[0]);
	shaken.bufs[1].uptr = shaken.second;
	shaken.bufs[1].size = 16;
	shaken.ops[0] = ports_op(DM_OP_MAP_IO_RANGE, shaken_server, 0, 0xff);
	shaken.ops[1] = ports_op(DM_OP_UNMAP_IO_RANGE, shaken_server, 0, 0xff);
	shaken.dm_op.dom = target_domid;
	shaken.dm_op.num = 1;
	shaken.dm_op.ubufs = shaken.bufs;
	shaken.hypercall.op = DMOP_HYPERCALL_NR;
	shaken.hypercall.arg[0] = target_domid;
	shaken.hypercall.arg[1] = 1;
	shaken.hypercall.arg[2] = (unsigned long)shaken.bufs;
}

/*
 * A call on changing memory never reaches the other domain. The test goes on until many calls were
 * refused, many were not, and many entered Xen: on a busy machine the other thread runs seldom.
 */
TEST_F(race, memory_rewritten_all_the_while)
{
	int fd = dmop_open_bound(target_domid), i;
	unsigned int refused = 0, passed = 0;
	pthread_t shaker;

	ASSERT_LE(0, fd);
	shaken_server = self->server;
	shaken_reset();
	atomic_store(&shaking, 1);
	ASSERT_EQ(0, pthread_create(&shaker, NULL, shaker_main, NULL));
	for (i = 0; i < ROUNDS(20000) || refused < ROUNDS(100) || passed < ROUNDS(100) ||
		    dmop_calls(fd) < ROUNDS(100); i++) {
		long ret = i % 2 ? do_ioctl(fd, DMOP_IOCTL_DM_OP, &shaken.dm_op) :
				   do_ioctl(fd, DMOP_IOCTL_HYPERCALL, &shaken.hypercall);

		if (ret == -EPERM)
			refused++;
		else
			passed++;
		/* Otherwise the two threads would alternate too seldom on one processor. */
		if (i % 16 == 0)
			sched_yield();
		if (i % 1000 == 0)
			expect_other_untouched(_metadata, self->observer, self->server);
	}
	atomic_store(&shaking, 0);
	pthread_join(shaker, NULL);

	expect_other_untouched(_metadata, self->observer, self->server);
	TH_LOG("%u refused, %u not, %llu of those got to Xen", refused, passed, dmop_calls(fd));
	close(fd);
}

/*
 * RESTRICT with a changing domid: the file is bound to the domid reported by INFO, and to no other.
 */
static __u16 shaken_domid;

static void *domid_shaker_main(void *data)
{
	(void)data;
	while (atomic_load(&shaking)) {
		STORE(shaken_domid, target_domid);
		STORE(shaken_domid, 0);
		STORE(shaken_domid, other_domid);
		STORE(shaken_domid, 0xffff);
	}
	return NULL;
}

TEST_F(race, domid_rewritten_under_restrict)
{
	pthread_t shaker;
	int round;

	atomic_store(&shaking, 1);
	ASSERT_EQ(0, pthread_create(&shaker, NULL, domid_shaker_main, NULL));
	for (round = 0; round < ROUNDS(3000); round++) {
		struct dmop_info info;
		int fd = dmop_open();
		long ret;

		ASSERT_LE(0, fd);
		ret = do_ioctl(fd, DMOP_IOCTL_RESTRICT, &shaken_domid);
		ASSERT_EQ(0, dmop_info(fd, &info));
		if (ret) {
			/* A torn read of two domids gives a third one. */
			ASSERT_TRUE(ret == -EINVAL || ret == -ESRCH);
			ASSERT_EQ(DMOP_STATE_UNBOUND, info.state);
		} else {
			__u16 not = info.domid == target_domid ? other_domid : target_domid;

			ASSERT_TRUE(info.domid == target_domid || info.domid == other_domid);
			ASSERT_EQ(-EOPNOTSUPP, unknown_op(fd, info.domid));
			ASSERT_EQ(-EPERM, unknown_op(fd, not));
		}
		close(fd);
		if (round % 16 == 0)
			sched_yield();
	}
	atomic_store(&shaking, 0);
	pthread_join(shaker, NULL);
}

/* --- close against calls ----------------------------------------------- */

static atomic_int closing_fd, closing_round, closing_done;
static atomic_long closing_unexpected;

static void *closed_on_main(void *data)
{
	unsigned int nr = *(unsigned int *)data;
	int round;

	for (round = 1; round <= ROUNDS(3000); round++) {
		long ret;
		int i;

		wait_for(&closing_round, round);
		stagger(round, nr);
		for (i = 0; i < 4; i++) {
			ret = unknown_op(atomic_load(&closing_fd), target_domid);
			if (ret != -EOPNOTSUPP && ret != -EPERM && ret != -EBADF)
				atomic_store(&closing_unexpected, ret);
		}
		atomic_fetch_add(&closing_done, 1);
	}
	return NULL;
}

/* The last descriptor is closed, or replaced by another file, during calls. */
TEST_F(race, close_against_calls)
{
	unsigned int nrs[2] = { 0, 1 };
	pthread_t threads[2];
	int other = dmop_open_bound(other_domid), round, i;

	ASSERT_LE(0, other);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, closed_on_main, &nrs[i]));
	for (round = 1; round <= ROUNDS(3000); round++) {
		int fd = round % 4 ? dmop_open_bound(target_domid) : dmop_open();

		ASSERT_LE(0, fd);
		atomic_store(&closing_fd, fd);
		atomic_store(&closing_round, round);
		stagger(round, 2);
		if (round % 2)
			dup2(other, fd);
		close(fd);
		wait_for(&closing_done, 2 * round);
	}
	close(other);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, atomic_load(&closing_unexpected));
}

/* Opens, binds and closes files, all on the same two domains. */
static void *churn_main(void *data)
{
	long *bad = data;
	int round;

	for (round = 0; round < ROUNDS(3000); round++) {
		__u16 domid = round % 3 ? target_domid : other_domid;
		__u16 not = round % 3 ? other_domid : target_domid;
		int fd = dmop_open_bound(domid);

		if (fd < 0 || unknown_op(fd, domid) != -EOPNOTSUPP ||
		    unknown_op(fd, not) != -EPERM)
			(*bad)++;
		close(fd);
	}
	return NULL;
}

TEST_F(race, bindings_come_and_go)
{
	pthread_t threads[3];
	long bad[3] = { };
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, churn_main, &bad[i]));
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, bad[i]);
	}
}

/* --- other processes --------------------------------------------------- */

struct shared {
	atomic_int restricted;
	atomic_int calls;
};

static struct shared *shared_memory(void)
{
	void *p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Calls until it is refused. Return: false if a call succeeded after RESTRICT had returned. */
static bool call_until_refused(int fd, struct shared *s)
{
	for (;;) {
		int restricted = atomic_load(&s->restricted);
		long ret = unknown_op(fd, other_domid);

		atomic_fetch_add(&s->calls, 1);
		if (ret == -EPERM)
			return true;
		if (ret != -EOPNOTSUPP || restricted)
			return false;
	}
}

/* RESTRICT while a forked child calls, or before the child's first call. */
TEST_F(race, fork_against_restrict)
{
	struct shared *s = shared_memory();
	int round;

	ASSERT_NE(NULL, s);
	for (round = 0; round < ROUNDS(1000); round++) {
		int fd = dmop_open(), status;
		pid_t pid;

		ASSERT_LE(0, fd);
		atomic_store(&s->restricted, 0);
		atomic_store(&s->calls, 0);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(!call_until_refused(fd, s));
		if (round % 2)
			wait_for(&s->calls, 1);
		ASSERT_EQ(0, dmop_restrict(fd, target_domid));
		atomic_store(&s->restricted, 1);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
		close(fd);
	}
}

static atomic_int flight_round, flight_done;
static struct shared flight;

static void *receiver_main(void *data)
{
	int sock = *(int *)data, round;
	long bad = 0;

	for (round = 1; round <= ROUNDS(2000); round++) {
		int fd;

		wait_for(&flight_round, round);
		stagger(round, 1);
		fd = recv_fd(sock);
		if (fd < 0 || !call_until_refused(fd, &flight))
			bad++;
		close(fd);
		atomic_fetch_add(&flight_done, 1);
	}
	return (void *)bad;
}

/* A file bound while it is in a socket is bound for the receiver. */
TEST_F(race, socket_against_restrict)
{
	pthread_t receiver;
	int pair[2], round;
	void *bad;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, pthread_create(&receiver, NULL, receiver_main, &pair[1]));
	for (round = 1; round <= ROUNDS(2000); round++) {
		int fd = dmop_open();

		ASSERT_LE(0, fd);
		atomic_store(&flight.restricted, 0);
		ASSERT_EQ(0, send_fd(pair[0], fd));
		atomic_store(&flight_round, round);
		stagger(round, 0);
		ASSERT_EQ(0, dmop_restrict(fd, target_domid));
		atomic_store(&flight.restricted, 1);
		close(fd);
		wait_for(&flight_done, round);
	}
	pthread_join(receiver, &bad);
	EXPECT_EQ(0, (long)bad);
}

static void call_for_ever(int fd, long server, struct shared *s)
{
	static char second[4096];
	struct dm_op op;

	for (;;) {
		ports_map(fd, target_domid, server, 0x2000, 0x2fff);
		ports_unmap(fd, target_domid, server, 0x2000, 0x2fff);
		memset(&op, 0, sizeof(op));
		op.op = DM_OP_TRACK_DIRTY_VRAM;
		op.u.vram.nr = 512;
		dm_op2(fd, target_domid, &op, second, sizeof(second));
		atomic_fetch_add(&s->calls, 3);
	}
}

/* A process killed during a call leaves no lock held, and the file still works. */
TEST_F(race, killed_in_mid_call)
{
	struct shared *s = shared_memory();
	int round;

	ASSERT_NE(NULL, s);
	for (round = 0; round < ROUNDS(1000); round++) {
		int fd = dmop_open(), status;
		pid_t pid;

		ASSERT_LE(0, fd);
		if (round % 2)
			ASSERT_EQ(0, dmop_restrict(fd, target_domid));
		atomic_store(&s->calls, 0);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			call_for_ever(fd, self->server, s);
		wait_for(&s->calls, 1 + round % 8);
		stagger(round, 3);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(SIGKILL, status);

		/* RESTRICT does not wait for the call of the killed process. */
		ASSERT_EQ(0, dmop_restrict(fd, target_domid));
		ASSERT_EQ(-EOPNOTSUPP, unknown_op(fd, target_domid));
		ASSERT_EQ(-EPERM, unknown_op(fd, other_domid));
		close(fd);
	}
	expect_other_untouched(_metadata, self->observer, self->server);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
