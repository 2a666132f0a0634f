// SPDX-License-Identifier: GPL-2.0
/*
 * narrow_race_test.c - NARROW beside calls in progress: when it returns, none of those is left
 */
#include <sys/wait.h>
#include <time.h>

#include "batch.h"
#include "hold.h"
#include "mapping.h"
#include "narrow.h"

#define PORT		0x300
#define MANY		(64 * 1024)	/* frames that a mapping call is long busy with */
#define RACES		60

FIXTURE(race)
{
	int fd;			/* bound to the target */
	int observer;		/* unbound, privileged */
	long server;
	struct hold hold;
};

FIXTURE_SETUP(race)
{
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	self->server = ioreq_create_on_both(self->observer);
	ASSERT_LE(0, self->server);
	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, hold_init(&self->hold));
}

FIXTURE_TEARDOWN(race)
{
	ioreq_destroy_all(self->observer, target_domid);
	ioreq_destroy_all(self->observer, other_domid);
	hold_exit(&self->hold);
	close(self->fd);
	close(self->observer);
}

static long port_is_mapped(FIXTURE_DATA(race) *self)
{
	return ports_mapped(self->observer, target_domid, self->server, PORT, PORT);
}

/* --- a call that is held while it copies ------------------------------- */

/*
 * A thread is inside a call, beyond the first decision. NARROW does not wait for it, for its memory
 * may be stopped for ever, and so the call decides again.
 */
static void check_held(struct __test_metadata *const _metadata, FIXTURE_DATA(race) *self,
		       unsigned int cmd, void *arg, const void *content, size_t size,
		       const struct dmop_narrow *n)
{
	struct caller c = { };
	__u64 calls;

	ASSERT_TRUE(caller_start(&c, self->fd, cmd, arg));
	ASSERT_TRUE(hold_wait(&self->hold));
	ASSERT_EQ(0, narrow(self->fd, n));
	calls = dmop_calls(self->fd);
	ASSERT_TRUE(hold_release(&self->hold, content, size));
	EXPECT_EQ(-EPERM, caller_join(&c));
	EXPECT_EQ(calls, dmop_calls(self->fd));
	EXPECT_EQ(0, mapped_frames(self->fd));
	EXPECT_EQ(0, port_is_mapped(self));
}

FIXTURE_VARIANT(race)
{
	__u32 flags;
};

/* Each way to remove an operation. */
FIXTURE_VARIANT_ADD(race, act) { .flags = DMOP_NARROW_ACTS };
FIXTURE_VARIANT_ADD(race, operation) { .flags = DMOP_NARROW_OPS };

TEST_F(race, held_dm_op)
{
	struct dm_op op = ports_op(DM_OP_MAP_IO_RANGE, self->server, PORT, PORT);
	struct dmop_buf buf = { .uptr = self->hold.page, .size = sizeof(op) };
	struct dmop_dm_op arg = { .dom = target_domid, .num = 1, .ubufs = &buf };
	struct dmop_narrow n = narrow_of(variant->flags);

	check_held(_metadata, self, DMOP_IOCTL_DM_OP, &arg, &op, sizeof(op), &n);
}

TEST_F(race, held_hypercall)
{
	struct dm_op op = ports_op(DM_OP_MAP_IO_RANGE, self->server, PORT, PORT);
	struct dmop_buf buf = { .uptr = self->hold.page, .size = sizeof(op) };
	struct dmop_hypercall arg = {
		.op = DMOP_HYPERCALL_NR, .arg = { target_domid, 1, (unsigned long)&buf },
	};
	struct dmop_narrow n = narrow_of(variant->flags);

	check_held(_metadata, self, DMOP_IOCTL_HYPERCALL, &arg, &op, sizeof(op), &n);
}

TEST_F(race, held_batch)
{
	struct batch *b = malloc(sizeof(*b));
	struct dmop_batch *head = (struct dmop_batch *)self->hold.page - 1;
	struct dmop_narrow n = narrow_of(variant->flags);

	ASSERT_NE(NULL, b);
	batch_ports(b, target_domid, 20, DM_OP_MAP_IO_RANGE, self->server, PORT);
	*head = b->head;
	check_held(_metadata, self, DMOP_IOCTL_BATCH, head, b->rest, b->head.bytes, &n);
	free(b);
}

/* What a mapping call needs, removed in each way. */
TEST_F(race, held_map)
{
	struct dmop_narrow n = narrow_of(variant->flags == DMOP_NARROW_ACTS ? DMOP_NARROW_ACTS :
									     DMOP_NARROW_GFNS);
	char *p = area(self->fd, 1, PROT_READ | PROT_WRITE);
	__u64 gfn = GFN;
	int err;
	struct dmop_mmapbatch_v2 arg = {
		.num = 1, .dom = target_domid, .addr = (unsigned long)p,
		.arr = (void *)self->hold.page, .err = &err,
	};

	ASSERT_NE(MAP_FAILED, p);
	/* of acts, all but write access */
	n.acts = DMOP_RIGHT_ALL & ~DMOP_RIGHT_MAP_WRITE;
	n.gfn_last = GFN - 1;
	check_held(_metadata, self, DMOP_IOCTL_MMAPBATCH_V2, &arg, &gfn, sizeof(gfn), &n);
	EXPECT_EQ(SIGBUS, touch(p, false));
}

/* --- calls without end ------------------------------------------------- */

struct looper {
	FIXTURE_DATA(race) *self;
	int fd;
	atomic_int stop, rounds;
	long unexpected;
};

/* Maps and unmaps a port, until it is stopped. */
static void *loop_main(void *data)
{
	struct looper *l = data;
	FIXTURE_DATA(race) *self = l->self;

	while (!atomic_load(&l->stop)) {
		long map = ports_map(l->fd, target_domid, self->server, PORT, PORT);
		long unmap = ports_unmap(l->fd, target_domid, self->server, PORT, PORT);

		/* ENOENT, EEXIST: the other of the two was refused, or the test did the same. */
		if ((map && map != -EPERM && map != -EEXIST) ||
		    (unmap && unmap != -EPERM && unmap != -ENOENT))
			l->unexpected = map ? map : unmap;
		atomic_fetch_add(&l->rounds, 1);
	}
	return NULL;
}

static void wait_rounds(struct looper *l, int rounds)
{
	int until = atomic_load(&l->rounds) + rounds;

	while (atomic_load(&l->rounds) < until)
		sched_yield();
}

/*
 * Once NARROW has returned, the loop changes nothing any more. The observer sets the state of the
 * port then; no operation of before may change it.
 */
TEST_F(race, loop)
{
	unsigned int round;

	for (round = 0; round < RACES; round++) {
		struct looper l = { .self = self, .fd = dmop_open_bound(target_domid) };
		struct dmop_narrow n = narrow_of(variant->flags);
		bool set = round % 2;
		pthread_t thread;
		long is;

		ASSERT_LE(0, l.fd);
		ASSERT_EQ(0, pthread_create(&thread, NULL, loop_main, &l));
		wait_rounds(&l, 1 + round % 7);
		ASSERT_EQ(0, narrow(l.fd, &n));
		ports_unmap(self->observer, target_domid, self->server, PORT, PORT);
		if (set)
			ASSERT_EQ(0, ports_map(self->observer, target_domid, self->server, PORT, PORT));
		wait_rounds(&l, 3);
		is = port_is_mapped(self);
		atomic_store(&l.stop, 1);
		pthread_join(thread, NULL);
		EXPECT_EQ(set, is) {
			TH_LOG("round %u", round);
		}
		EXPECT_EQ(0, l.unexpected);
		close(l.fd);
	}
}

/* A batch ends at the first operation that was removed meanwhile: a prefix was issued. */
TEST_F(race, batch)
{
	struct batch *b = malloc(sizeof(*b));
	unsigned int round, port;

	ASSERT_NE(NULL, b);
	for (round = 0; round < RACES; round++) {
		int fd = dmop_open_bound(target_domid);
		struct dmop_narrow n = narrow_of(variant->flags);
		struct caller c = { };
		long issued, at_return = 0;

		ASSERT_LE(0, fd);
		batch_ports(b, target_domid, MAX_NR, DM_OP_MAP_IO_RANGE, self->server, PORT);
		ASSERT_TRUE(caller_start(&c, fd, DMOP_IOCTL_BATCH, b));
		while (!dmop_calls(fd) && !atomic_load(&c.done))
			sched_yield();
		ASSERT_EQ(0, narrow(fd, &n));
		at_return = dmop_calls(fd);
		issued = caller_join(&c);
		EXPECT_EQ(at_return, dmop_calls(fd));
		EXPECT_EQ(at_return, issued < 0 ? 0 : issued);
		for (port = 0; port < MAX_NR; port++)
			EXPECT_EQ(port < at_return, ports_mapped(self->observer, target_domid,
								 self->server, PORT + port, PORT + port));
		for (port = 0; port < MAX_NR; port++)
			ports_unmap(self->observer, target_domid, self->server, PORT + port, PORT + port);
		close(fd);
	}
	free(b);
}

/* Many threads narrow one file at once, each a bit of its own: none is lost. */
#define NR_THREADS	8

static int narrowed_fd;

static void *narrow_main(void *data)
{
	unsigned int i, bit = (unsigned long)data;

	for (i = 0; i < 8; i++)
		narrow_ops(narrowed_fd, ~OP(bit * 8 + i), ~OP(bit * 8 + i));
	narrow_gfns(narrowed_fd, bit, 1000 - bit);
	narrow_frames(narrowed_fd, 100 - bit);
	return NULL;
}

TEST_F(race, narrowed_by_many)
{
	pthread_t threads[NR_THREADS];
	struct dmop_info info;
	unsigned long i;

	narrowed_fd = self->fd;
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, narrow_main, (void *)i));
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	ASSERT_EQ(0, dmop_info(self->fd, &info));
	EXPECT_EQ(0, info.ops[0] | info.ops[1]);
	EXPECT_EQ(NR_THREADS - 1, info.gfn_first);
	EXPECT_EQ(1000 - (NR_THREADS - 1), info.gfn_last);
	EXPECT_EQ(100 - (NR_THREADS - 1), info.max_frames);
}

/* --- a long call ------------------------------------------------------- */

struct mapper {
	int fd;
	char *area;
	unsigned int nr;
	__u64 *gfns;
	int *errs;
	clockid_t clock;
	atomic_int started, done, leave;
	long ret;
	__u64 before, after;		/* of the processor time of the thread, in ns */
};

static __u64 spent(clockid_t clock)
{
	struct timespec t = { };

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void *mapper_main(void *data)
{
	struct mapper *m = data;

	pthread_getcpuclockid(pthread_self(), &m->clock);
	m->before = spent(m->clock);
	atomic_store(&m->started, 1);
	m->ret = map(m->fd, target_domid, m->area, m->nr, m->gfns, m->errs);
	m->after = spent(m->clock);
	atomic_store(&m->done, 1);
	/* The clock is gone with the thread. */
	while (!atomic_load(&m->leave))
		usleep(1000);
	return NULL;
}

/* Starts to map @nr frames that the domain does not have, and waits until the call is at it. */
static bool mapper_start(struct mapper *m, int fd, unsigned int nr, pthread_t *thread)
{
	unsigned int i;

	m->fd = fd;
	m->nr = nr;
	m->area = area(fd, nr, PROT_READ);
	m->gfns = malloc(nr * sizeof(*m->gfns));
	m->errs = calloc(nr, sizeof(*m->errs));
	if (m->area == MAP_FAILED || !m->gfns || !m->errs)
		return false;
	for (i = 0; i < nr; i++)
		m->gfns[i] = NO_GFN;
	if (pthread_create(thread, NULL, mapper_main, m))
		return false;
	while (!atomic_load(&m->started) || (!mapped_frames(fd) && !atomic_load(&m->done)))
		sched_yield();
	return true;
}

/* A PVH dom0 maps no more than the domain's maxmem and 4096. */
static unsigned int many(void)
{
	return dom0_is_pvh() ? 4096 : MANY;
}

/*
 * NARROW waits for a mapping call that it forbids. After it, that call has spent most of the time
 * that it takes.
 */
TEST_F(race, waits_for_a_mapping_call)
{
	struct mapper m = { };
	pthread_t thread;
	__u64 at_return;

	ASSERT_TRUE(mapper_start(&m, self->fd, many(), &thread));
	ASSERT_EQ(0, narrow_frames(self->fd, 0));
	at_return = spent(m.clock);
	while (!atomic_load(&m.done))
		sched_yield();
	EXPECT_EQ(0, m.ret);
	EXPECT_LT((m.after - at_return) * 4, m.after - m.before) {
		TH_LOG("%llu of %llu ns were left", m.after - at_return, m.after - m.before);
	}
	atomic_store(&m.leave, 1);
	pthread_join(thread, NULL);
}

/* It waits also for a call on another file of the domain, but a kill ends the wait. */
TEST_F(race, wait_is_killable)
{
	int second = dmop_open_bound(target_domid), status, go[2];
	struct mapper m = { };
	pthread_t thread;
	pid_t child;
	char c;

	ASSERT_LE(0, second);
	ASSERT_EQ(0, pipe(go));
	/* Before the mapping call, which keeps fork() waiting. */
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (read(go[0], &c, 1) == 1)
			narrow_ops(self->fd, 0, 0);
		_exit(0);
	}
	ASSERT_TRUE(mapper_start(&m, second, dom0_is_pvh() ? 4096 : 8 * MANY, &thread));
	ASSERT_EQ(1, write(go[1], "", 1));
	if (wait_asleep(child, child, &m.done)) {
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status) || atomic_load(&m.done));
		/* On one processor the mapping call may just have ended. */
		EXPECT_TRUE(!atomic_load(&m.done) || one_processor());
	} else {
		ASSERT_EQ(child, waitpid(child, &status, 0));
	}
	/* The rights are removed all the same. */
	EXPECT_EQ(-EPERM, unknown_op(self->fd, target_domid));
	/* The next NARROW does not depend on the killed one. */
	EXPECT_EQ(0, narrow_ops(self->fd, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(second, target_domid));
	while (!atomic_load(&m.done))
		sched_yield();
	atomic_store(&m.leave, 1);
	pthread_join(thread, NULL);
	close(go[0]);
	close(go[1]);
	close(second);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
