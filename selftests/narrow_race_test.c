// SPDX-License-Identifier: GPL-2.0
/*
 * narrow_race_test.c - NARROW beside calls in progress: when it returns, none of those is left
 */
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

#include "batch.h"
#include "hold.h"
#include "mapping.h"
#include "narrow.h"

#define PORT		0x300
#define MANY		(64 * 1024)	/* frames that a mapping call is long busy with */

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

	while (!atomic_load(&l->stop)) {
		long map = ports_map(l->fd, target_domid, l->self->server, PORT, PORT);
		long unmap = ports_unmap(l->fd, target_domid, l->self->server, PORT, PORT);

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

	for (round = 0; round < RACES(60); round++) {
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
	for (round = 0; round < RACES(60); round++) {
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

/* --- two processes that map -------------------------------------------- */

#define FRAMES_OF_ONE	65	/* more than an area has without an allocation */

/* Maps and unmaps one area after the other. Exits with 1 if the file ever had more frames. */
static void areas_main(int fd)
{
	__u64 gfns[FRAMES_OF_ONE];
	int errs[FRAMES_OF_ONE];
	unsigned int i, k;

	for (i = 0; i < RACES(16000); i++) {
		char *p = area(fd, FRAMES_OF_ONE, PROT_READ);
		long ret;

		if (p == MAP_FAILED)
			_exit(2);
		for (k = 0; k < FRAMES_OF_ONE; k++)
			gfns[k] = NO_GFN;
		ret = map(fd, target_domid, p, FRAMES_OF_ONE, gfns, errs);
		if (ret && ret != -EPERM)
			_exit(3);
		if (mapped_frames(fd) > FRAMES_OF_ONE)
			_exit(1);
		munmap(p, FRAMES_OF_ONE * PAGE);
	}
	_exit(0);
}

/* Both may have found that there is room for one area more: the second is refused all the same. */
TEST_F(race, areas_of_two)
{
	pid_t child[2];
	unsigned int i;
	int status;

	ASSERT_EQ(0, narrow_frames(self->fd, FRAMES_OF_ONE));
	for (i = 0; i < 2; i++) {
		child[i] = fork();
		ASSERT_LE(0, child[i]);
		if (!child[i])
			areas_main(self->fd);
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(child[i], waitpid(child[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_EQ(0, mapped_frames(self->fd));
}

/* --- a long call ------------------------------------------------------- */

/* In memory that two processes share. The one that maps mostly holds its own mmap_lock. */
struct mapper {
	atomic_int started, done, leave;
	long ret;
	__u64 before, after;		/* of the processor time of the process, in ns */
	pid_t pid;
	clockid_t clock;
};

static __u64 spent(clockid_t clock)
{
	struct timespec t = { };

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Maps @nr frames that the domain does not have. */
static void mapper_main(struct mapper *m, int fd, unsigned int nr)
{
	char *p = area(fd, nr, PROT_READ);
	__u64 *gfns = malloc(nr * sizeof(*gfns));
	int *errs = calloc(nr, sizeof(*errs));
	unsigned int i;

	if (p == MAP_FAILED || !gfns || !errs)
		_exit(1);
	for (i = 0; i < nr; i++)
		gfns[i] = NO_GFN;
	m->before = spent(CLOCK_PROCESS_CPUTIME_ID);
	atomic_store(&m->started, 1);
	m->ret = map(fd, target_domid, p, nr, gfns, errs);
	m->after = spent(CLOCK_PROCESS_CPUTIME_ID);
	atomic_store(&m->done, 1);
	/* The clock is gone with the process. */
	while (!atomic_load(&m->leave))
		usleep(1000);
	_exit(0);
}

/* Waits until the call is at its frames. */
static struct mapper *mapper_start(int fd, unsigned int nr)
{
	struct mapper *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return NULL;
	m->pid = fork();
	if (!m->pid)
		mapper_main(m, fd, nr);
	if (m->pid < 0 || clock_getcpuclockid(m->pid, &m->clock))
		return NULL;
	while (!atomic_load(&m->started) || (!mapped_frames(fd) && !atomic_load(&m->done)))
		sched_yield();
	return m;
}

static void mapper_end(struct mapper *m)
{
	while (!atomic_load(&m->done))
		sched_yield();
	atomic_store(&m->leave, 1);
	waitpid(m->pid, NULL, 0);
}

/* A PVH dom0 maps no more than the domain's maxmem and 4096. */
static unsigned int many(void)
{
	return dom0_not_pv() ? 4096 : MANY;
}

/*
 * NARROW waits for the piece that a mapping call maps, and forbids the next one. After it, the call
 * has spent most of the time that it takes.
 */
TEST_F(race, waits_for_a_mapping_call)
{
	struct mapper *m = mapper_start(self->fd, many());
	__u64 at_return;

	ASSERT_NE(NULL, m);
	ASSERT_EQ(0, narrow_frames(self->fd, 0));
	at_return = spent(m->clock);
	while (!atomic_load(&m->done))
		sched_yield();
	/* In a PVH dom0, or on one processor, the call may have ended before. */
	EXPECT_TRUE(m->ret == -EPERM || (!m->ret && (one_processor() || dom0_not_pv())));
	if (at_return > m->after)
		at_return = m->after;
	EXPECT_LT((m->after - at_return) * 4, m->after - m->before) {
		TH_LOG("%llu of %llu ns were left", m->after - at_return, m->after - m->before);
	}
	mapper_end(m);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
