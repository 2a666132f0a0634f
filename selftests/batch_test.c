// SPDX-License-Identifier: GPL-2.0
/*
 * batch_test.c - several operations in one call
 */
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "command.h"
#include "hold.h"

#define BAD_POINTER	((void *)8)
#define MAX_NR		DMOP_BATCH_NR_MAX
#define DOOMED		"dmop-test-doomed"

/* --- a batch ----------------------------------------------------------- */

struct batch {
	struct dmop_batch head;
	char rest[DMOP_BATCH_BYTES_MAX];
};

static struct dmop_batch_op *ops_of(struct batch *b)
{
	return (struct dmop_batch_op *)b->rest;
}

static void batch_init(struct batch *b, __u32 domid, unsigned int nr)
{
	memset(b, 0, sizeof(b->head));
	b->head.size = sizeof(b->head);
	b->head.domid = domid;
	b->head.nr = nr;
	b->head.bytes = nr * sizeof(struct dmop_batch_op);
	memset(b->rest, 0, b->head.bytes);
}

/* Operations are added in their order. Return: where the buffer is. */
static void *batch_add(struct batch *b, unsigned int i, unsigned int buf, const void *data,
		       size_t size)
{
	struct dmop_batch_op *op = &ops_of(b)[i];
	void *at = b->rest + b->head.bytes;

	op->size[buf] = size;
	op->result = POISON;
	memcpy(at, data, size);
	b->head.bytes += (size + 7) & ~7UL;
	return at;
}

static struct dm_op *batch_op(struct batch *b, unsigned int i, const struct dm_op *op)
{
	return batch_add(b, i, 0, op, sizeof(*op));
}

static long batch(int fd, struct batch *b)
{
	return do_ioctl(fd, DMOP_IOCTL_BATCH, b);
}

/* @nr operations that Xen does not know. */
static void batch_unknown(struct batch *b, __u32 domid, unsigned int nr)
{
	const struct dm_op unknown = { .op = DM_OP_UNKNOWN };
	unsigned int i;

	batch_init(b, domid, nr);
	for (i = 0; i < nr; i++)
		batch_op(b, i, &unknown);
}

/* Maps @nr ports, each by an operation of its own. */
static void batch_ports(struct batch *b, __u16 domid, unsigned int nr, __u32 code, __u16 server,
			__u64 first)
{
	unsigned int i;

	batch_init(b, domid, nr);
	for (i = 0; i < nr; i++) {
		struct dm_op op = ports_op(code, server, first + i, first + i);

		batch_op(b, i, &op);
	}
}

FIXTURE(batch)
{
	int bound;		/* to the target */
	int observer;		/* unbound, privileged */
	long server;		/* on both domains */
	struct batch *b;	/* ends where nothing can be read */
};

FIXTURE_SETUP(batch)
{
	self->bound = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->bound);
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	self->server = ioreq_create_on_both(self->observer);
	ASSERT_LE(0, self->server);
	self->b = malloc(sizeof(*self->b));
	ASSERT_NE(NULL, self->b);
}

FIXTURE_TEARDOWN(batch)
{
	ioreq_destroy_all(self->observer, target_domid);
	ioreq_destroy_all(self->observer, other_domid);
	close(self->bound);
	close(self->observer);
	free(self->b);
}

/* --- what it does ------------------------------------------------------ */

TEST_F(batch, is_announced)
{
	struct dmop_info info;

	ASSERT_EQ(0, dmop_info(self->bound, &info));
	EXPECT_EQ(DMOP_FEATURE_BATCH, info.features & DMOP_FEATURE_BATCH);
}

TEST_F(batch, of_every_length)
{
	unsigned int nr, i;

	for (nr = 1; nr <= MAX_NR; nr++) {
		batch_unknown(self->b, target_domid, nr);
		ASSERT_EQ(nr, batch(self->bound, self->b));
		for (i = 0; i < nr; i++)
			ASSERT_EQ(-EOPNOTSUPP, ops_of(self->b)[i].result);
	}
	EXPECT_EQ(MAX_NR * (MAX_NR + 1) / 2, dmop_calls(self->bound));
}

/* Each operation finds what those before it did, and its answer comes back. */
TEST_F(batch, in_order)
{
	struct dm_op create = { .op = DM_OP_CREATE_IOREQ_SERVER };
	struct dm_op info = { .op = DM_OP_GET_IOREQ_SERVER_INFO };
	struct dm_op destroy = { .op = DM_OP_DESTROY_IOREQ_SERVER };
	struct dm_op map, *created, *told;
	__u16 id = self->server + 1;

	map = ports_op(DM_OP_MAP_IO_RANGE, id, 0x300, 0x301);
	info.u.info.id = id;
	info.u.info.flags = DM_OP_INFO_NO_GFNS;
	destroy.u.destroy.id = id;
	create.u.create.id = 0xdead;
	create.u.create.handle_bufioreq = DM_OP_BUFIOREQ_ATOMIC;

	batch_init(self->b, target_domid, 6);
	created = batch_op(self->b, 0, &create);
	batch_op(self->b, 1, &map);
	batch_op(self->b, 2, &map);
	told = batch_op(self->b, 3, &info);
	batch_op(self->b, 4, &destroy);
	batch_op(self->b, 5, &destroy);
	ASSERT_EQ(6, batch(self->bound, self->b));
	EXPECT_EQ(0, ops_of(self->b)[0].result);
	EXPECT_EQ(id, created->u.create.id);
	EXPECT_EQ(0, ops_of(self->b)[1].result);
	EXPECT_EQ(-EEXIST, ops_of(self->b)[2].result);
	EXPECT_EQ(0, ops_of(self->b)[3].result);
	EXPECT_NE(0, told->u.info.bufioreq_port);
	EXPECT_EQ(0, ops_of(self->b)[4].result);
	EXPECT_EQ(-ENOENT, ops_of(self->b)[5].result);
	EXPECT_EQ(1U << self->server, ioreq_mask(self->observer, target_domid));
}

/* Second buffers, of sizes that have to be filled up. */
TEST_F(batch, two_buffers)
{
	struct dm_op op = { .op = DM_OP_MODIFIED_MEMORY };
	const struct dm_op unknown = { .op = DM_OP_UNKNOWN };
	struct dm_op_extent extents[2] = {
		{ .nr = 1, .first_pfn = 1 },
		{ .nr = 2, .first_pfn = 3 },
	};

	op.u.modified.nr_extents = 2;
	batch_init(self->b, target_domid, 4);
	batch_op(self->b, 0, &op);
	batch_add(self->b, 0, 1, extents, sizeof(extents));
	batch_add(self->b, 1, 0, &unknown, 61);
	batch_add(self->b, 1, 1, extents, 3);
	batch_op(self->b, 2, &op);
	batch_add(self->b, 2, 1, extents, sizeof(extents));
	/* One extent short: whatever Xen says to that, it says it here too. */
	batch_op(self->b, 3, &op);
	batch_add(self->b, 3, 1, extents, sizeof(extents[0]));
	ASSERT_EQ(4, batch(self->bound, self->b));
	EXPECT_EQ(0, ops_of(self->b)[0].result);
	EXPECT_EQ(-EOPNOTSUPP, ops_of(self->b)[1].result);
	EXPECT_EQ(0, ops_of(self->b)[2].result);
	EXPECT_EQ(dm_op2(self->bound, target_domid, &op, extents, sizeof(extents[0])),
		  ops_of(self->b)[3].result);
}

/* --- whom it reaches --------------------------------------------------- */

TEST_F(batch, one_domain_only)
{
	static const __u32 never[] = { 0, 0x7ff0, 0xffff };
	unsigned int i;

	batch_ports(self->b, other_domid, 3, DM_OP_MAP_IO_RANGE, self->server, 0x300);
	EXPECT_EQ(-EPERM, batch(self->bound, self->b));
	EXPECT_EQ(0, ports_mapped(self->observer, other_domid, self->server, 0x300, 0x302));
	EXPECT_EQ(3, batch(self->observer, self->b));
	EXPECT_EQ(1, ports_mapped(self->observer, other_domid, self->server, 0x302, 0x302));

	for (i = 0; i < ARRAY_SIZE(never); i++) {
		self->b->head.domid = never[i];
		EXPECT_EQ(-EPERM, batch(self->bound, self->b));
		EXPECT_EQ(-EPERM, batch(self->observer, self->b));
	}
	for (i = 16; i < 32; i++) {
		self->b->head.domid = target_domid | 1U << i;
		EXPECT_EQ(-EPERM, batch(self->bound, self->b));
		EXPECT_EQ(-EPERM, batch(self->observer, self->b));
	}
	EXPECT_EQ(0, dmop_calls(self->bound));

	batch_unknown(self->b, ABSENT_DOMID, 3);
	EXPECT_EQ(3, batch(self->observer, self->b));
	EXPECT_EQ(-ESRCH, ops_of(self->b)[2].result);
}

/* A bound file needs no privilege, and no other is worth anything without. */
TEST_F(batch, without_privilege)
{
	ASSERT_TRUE(drop_privileges());
	batch_unknown(self->b, target_domid, 2);
	EXPECT_EQ(2, batch(self->bound, self->b));
	EXPECT_EQ(-EPERM, batch(self->observer, self->b));
}

TEST_F(batch, of_32_bit_callers)
{
	struct batch *low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long ret;

	ASSERT_NE(MAP_FAILED, low);
	batch_unknown(low, target_domid, 17);
	asm volatile ("int $0x80"
		      : "=a" (ret)
		      : "a" (54), "b" (self->bound), "c" (DMOP_IOCTL_BATCH), "d" (low)
		      : "memory", "r8", "r9", "r10", "r11");
	EXPECT_EQ(17, (int)ret);
	EXPECT_EQ(-EOPNOTSUPP, ops_of(low)[16].result);
	munmap(low, sizeof(*low));
}

/* --- what it refuses --------------------------------------------------- */

/* One thing wrong at a time, of two operations that would be fine. */
static const struct wrong {
	const char *what;
	long ret;
	void (*spoil)(struct batch *b);
} wrongs[];

#define SPOIL(name, how) static void name(struct batch *b) { how; }
SPOIL(size_7, b->head.size = 7)
SPOIL(size_short, b->head.size = DMOP_BATCH_SIZE_V1 - 1)
SPOIL(size_large, b->head.size = DMOP_BATCH_SIZE_MAX + 1)
/* What stands behind the structure is then taken for members of it. */
SPOIL(size_grown, b->head.size = DMOP_BATCH_SIZE_V1 + 16)
SPOIL(flags, b->head.flags = 1)
SPOIL(flags_high, b->head.flags = 1U << 31)
SPOIL(pad, b->head.pad = 1)
SPOIL(nr_0, b->head.nr = 0)
SPOIL(nr_less, b->head.nr = 1)
SPOIL(nr_65, b->head.nr = MAX_NR + 1)
SPOIL(nr_all, b->head.nr = -1)
SPOIL(bytes_0, b->head.bytes = 0)
SPOIL(bytes_ops, b->head.bytes = 31)
SPOIL(bytes_less, b->head.bytes -= 1)
SPOIL(bytes_more, b->head.bytes += 8)
SPOIL(bytes_large, b->head.bytes = DMOP_BATCH_BYTES_MAX + 1)
SPOIL(bytes_all, b->head.bytes = -1)
SPOIL(op_flags, ops_of(b)[1].flags = 1)
SPOIL(op_size_large, ops_of(b)[1].size[0] = 4097)
SPOIL(op_size_all, ops_of(b)[1].size[0] = -1)
SPOIL(op_size1_all, ops_of(b)[1].size[1] = -1)
SPOIL(op_size_more, ops_of(b)[1].size[0] += 1)
SPOIL(op_size_less, ops_of(b)[0].size[0] -= 8)
SPOIL(op_not_filled_up, ops_of(b)[0].size[0] = b->head.bytes - 32 - 3; b->head.bytes -= 3)
SPOIL(op_buffer_more, ops_of(b)[1].size[1] = 1)

static const struct wrong wrongs[] = {
#define WRONG(ret, spoil) { #spoil, ret, spoil }
	WRONG(-EINVAL, size_7), WRONG(-EINVAL, size_short), WRONG(-E2BIG, size_large),
	WRONG(-E2BIG, size_grown), WRONG(-EINVAL, flags), WRONG(-EINVAL, flags_high),
	WRONG(-EINVAL, pad), WRONG(-EINVAL, nr_0), WRONG(-EINVAL, nr_less),
	WRONG(-E2BIG, nr_65), WRONG(-E2BIG, nr_all), WRONG(-EINVAL, bytes_0),
	WRONG(-EINVAL, bytes_ops), WRONG(-EINVAL, bytes_less), WRONG(-EINVAL, bytes_more),
	WRONG(-E2BIG, bytes_large), WRONG(-E2BIG, bytes_all), WRONG(-EINVAL, op_flags),
	WRONG(-E2BIG, op_size_large), WRONG(-E2BIG, op_size_all), WRONG(-E2BIG, op_size1_all),
	WRONG(-EINVAL, op_size_more), WRONG(-EINVAL, op_size_less),
	WRONG(-EINVAL, op_not_filled_up),	WRONG(-EINVAL, op_buffer_more),
};

TEST_F(batch, refuses)
{
	static struct batch before;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		batch_ports(self->b, target_domid, 2, DM_OP_MAP_IO_RANGE, self->server, 0x300);
		/* What is behind it counts for nothing. */
		memset(self->b->rest + self->b->head.bytes, POISON, 4096);
		wrongs[i].spoil(self->b);
		before = *self->b;
		EXPECT_EQ(wrongs[i].ret, batch(self->bound, self->b)) {
			TH_LOG("%s", wrongs[i].what);
		}
		EXPECT_EQ(0, memcmp(&before, self->b, sizeof(before)));
	}
	EXPECT_EQ(0, dmop_calls(self->bound));
	EXPECT_EQ(0, ports_mapped(self->observer, target_domid, self->server, 0x300, 0x301));
}

/* A structure of a later version, whose new members are 0. */
TEST_F(batch, grows)
{
	static struct batch later;
	struct batch *b;
	char *page;

	batch_unknown(self->b, target_domid, 2);
	later.head = self->b->head;
	later.head.size += 40;
	memcpy(later.rest + 40, self->b->rest, self->b->head.bytes);
	EXPECT_EQ(2, batch(self->bound, &later));
	EXPECT_EQ(-EOPNOTSUPP, ((struct dmop_batch_op *)(later.rest + 40))[1].result);

	later.rest[39] = 1;
	EXPECT_EQ(-E2BIG, batch(self->bound, &later));

	/* And these are not there. */
	page = guarded_pages(1, 0);
	ASSERT_NE(NULL, page);
	b = (struct batch *)(page + 4096 - sizeof(b->head) - 39);
	memset(b, 0, sizeof(b->head) + 39);
	b->head = later.head;
	EXPECT_EQ(-EFAULT, batch(self->bound, b));
	EXPECT_EQ(2, dmop_calls(self->bound));
}

/* More than one cause each time: the first in the order is the one told. */
TEST_F(batch, order_of_refusals)
{
	char *page = guarded_pages(1, 0);
	struct batch *b;

	ASSERT_NE(NULL, page);
	EXPECT_EQ(-EFAULT, do_ioctl(self->bound, DMOP_IOCTL_BATCH, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(self->bound, DMOP_IOCTL_BATCH, NULL));
	/* The head can be read, and nothing behind it. */
	b = (struct batch *)(page + 4096 - sizeof(b->head));
	batch_unknown(self->b, other_domid, 2);
	b->head = self->b->head;
	b->head.flags = 1;
	EXPECT_EQ(-EPERM, batch(self->bound, b));
	b->head.domid = target_domid;
	b->head.nr = MAX_NR + 1;
	EXPECT_EQ(-EINVAL, batch(self->bound, b));
	b->head.flags = 0;
	EXPECT_EQ(-E2BIG, batch(self->bound, b));
	b->head.nr = 2;
	EXPECT_EQ(-EFAULT, batch(self->bound, b));
	/* One byte of the head is missing. */
	b = (struct batch *)((char *)b + 1);
	EXPECT_EQ(-EFAULT, batch(self->bound, b));
	EXPECT_EQ(0, dmop_calls(self->bound));
}

TEST_F(batch, limits_of_the_module)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	long nr = param_get("dm_op_max_nr_bufs"), size = param_get("dm_op_buf_max_size");

	ASSERT_LT(1, nr);
	batch_init(self->b, target_domid, 2);
	batch_op(self->b, 0, &op);
	batch_op(self->b, 1, &op);
	batch_add(self->b, 1, 1, &op, sizeof(op));
	EXPECT_EQ(2, batch(self->bound, self->b));
	EXPECT_EQ(0, param_set("dm_op_max_nr_bufs", 1));
	EXPECT_EQ(-E2BIG, batch(self->bound, self->b));
	EXPECT_EQ(0, param_set("dm_op_max_nr_bufs", nr));
	EXPECT_EQ(0, param_set("dm_op_buf_max_size", 63));
	EXPECT_EQ(-E2BIG, batch(self->bound, self->b));
	EXPECT_EQ(0, param_set("dm_op_buf_max_size", 64));
	EXPECT_EQ(2, batch(self->bound, self->b));
	EXPECT_EQ(0, param_set("dm_op_buf_max_size", size));
}

/* --- faults ------------------------------------------------------------ */

/* Ends exactly where memory does; and one byte earlier than it says. */
TEST_F(batch, at_the_end_of_memory)
{
	char *page = guarded_pages(2, 0);
	size_t len;
	void *b;

	ASSERT_NE(NULL, page);
	batch_ports(self->b, target_domid, 40, DM_OP_MAP_IO_RANGE, self->server, 0x300);
	len = sizeof(self->b->head) + self->b->head.bytes;
	b = page + 2 * 4096 - len;
	memcpy(b, self->b, len);
	EXPECT_EQ(40, batch(self->bound, b));
	EXPECT_EQ(0, ops_of(b)[39].result);
	EXPECT_EQ(1, ports_mapped(self->observer, target_domid, self->server, 0x327, 0x327));
	EXPECT_TRUE(all_bytes(page, POISON, 2 * 4096 - len));

	batch_ports(self->b, target_domid, 40, DM_OP_UNMAP_IO_RANGE, self->server, 0x300);
	memcpy(b + 1, self->b, len - 1);
	EXPECT_EQ(-EFAULT, batch(self->bound, b + 1));
	EXPECT_EQ(40, dmop_calls(self->bound));
	EXPECT_EQ(1, ports_mapped(self->observer, target_domid, self->server, 0x300, 0x300));
}

/* The one failure that comes when all is done. */
TEST_F(batch, results_that_cannot_be_written)
{
	char *page = guarded_pages(1, 0);

	ASSERT_NE(NULL, page);
	batch_ports(self->b, target_domid, 3, DM_OP_MAP_IO_RANGE, self->server, 0x300);
	memcpy(page, self->b, sizeof(self->b->head) + self->b->head.bytes);
	ASSERT_EQ(0, mprotect(page, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, batch(self->bound, (void *)page));
	EXPECT_EQ(3, dmop_calls(self->bound));
	EXPECT_EQ(1, ports_mapped(self->observer, target_domid, self->server, 0x302, 0x302));
	EXPECT_EQ(POISON, ops_of((void *)page)[0].result);
}

/* --- held still -------------------------------------------------------- */

/*
 * The head is in front of the page on which the call is held while it reads all else.
 * What the head says is changed behind its back.
 */
TEST_F(batch, reads_nothing_twice)
{
	struct hold hold;
	struct dmop_batch *head;
	struct caller c = { };

	ASSERT_EQ(0, hold_init(&hold));
	batch_ports(self->b, target_domid, 20, DM_OP_MAP_IO_RANGE, self->server, 0x300);
	head = (struct dmop_batch *)hold.page - 1;
	*head = self->b->head;
	ASSERT_TRUE(caller_start(&c, self->observer, DMOP_IOCTL_BATCH, head));
	ASSERT_TRUE(hold_wait(&hold));
	head->domid = other_domid;
	head->nr = 1;
	head->bytes = 16;
	ASSERT_TRUE(hold_release(&hold, self->b->rest, self->b->head.bytes));
	EXPECT_EQ(20, caller_join(&c));
	EXPECT_EQ(1, ports_mapped(self->observer, target_domid, self->server, 0x313, 0x313));
	EXPECT_EQ(0, ports_mapped(self->observer, other_domid, self->server, 0x300, 0x313));
	hold_exit(&hold);
}

/* RESTRICT waits for a batch that was let in before it. */
TEST_F(batch, is_waited_for)
{
	struct caller c = { }, restricter = { };
	struct dmop_batch *head;
	struct hold hold = { };
	long theirs = ioreq_create(self->observer, other_domid);
	int fd = dmop_open();

	ASSERT_LE(0, fd);
	ASSERT_LE(0, theirs);
	ASSERT_EQ(0, hold_init(&hold));
	batch_ports(self->b, other_domid, 20, DM_OP_MAP_IO_RANGE, theirs, 0x300);
	head = (struct dmop_batch *)hold.page - 1;
	*head = self->b->head;
	ASSERT_TRUE(caller_start(&c, fd, DMOP_IOCTL_BATCH, head));
	ASSERT_TRUE(hold_wait(&hold));
	ASSERT_TRUE(caller_start(&restricter, fd, DMOP_IOCTL_RESTRICT, &target_domid));
	EXPECT_TRUE(caller_asleep(&restricter)) {
		TH_LOG("RESTRICT returned %ld with a batch under way", restricter.ret);
	}
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(fd));
	ASSERT_TRUE(hold_release(&hold, self->b->rest, self->b->head.bytes));
	EXPECT_EQ(20, caller_join(&c));
	EXPECT_EQ(0, caller_join(&restricter));
	EXPECT_EQ(1, ports_mapped(self->observer, other_domid, theirs, 0x313, 0x313));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	EXPECT_EQ(0, ioreq_destroy(self->observer, other_domid, theirs));
	close(fd);
	hold_exit(&hold);
}

/* It is decided on when its head has been read, and not before. */
TEST_F(batch, restricted_while_its_head_is_read)
{
	struct hold hold;
	struct caller c = { };
	int fd = dmop_open(), status;
	pid_t child;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, hold_init(&hold));
	batch_ports(self->b, other_domid, 20, DM_OP_MAP_IO_RANGE, self->server, 0x300);
	ASSERT_TRUE(caller_start(&c, fd, DMOP_IOCTL_BATCH, hold.page));
	ASSERT_TRUE(hold_wait(&hold));
	ASSERT_EQ(0, dmop_restrict(fd, target_domid));
	ASSERT_TRUE(hold_release(&hold, self->b, sizeof(self->b->head) + self->b->head.bytes));
	EXPECT_EQ(-EPERM, caller_join(&c));
	EXPECT_EQ(0, ports_mapped(self->observer, other_domid, self->server, 0x300, 0x313));
	close(fd);
	hold_exit(&hold);

	/* A caller that is killed while it is held leaves nothing behind. */
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (hold_init(&hold))
			_exit(1);
		memset(&c, 0, sizeof(c));
		if (!caller_start(&c, self->bound, DMOP_IOCTL_BATCH, hold.page) || !hold_wait(&hold))
			_exit(1);
		raise(SIGKILL);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(0, dmop_calls(self->bound));
}

/* --- half-done --------------------------------------------------------- */

static volatile sig_atomic_t alarms;

static void on_alarm(int sig __attribute__((unused)))
{
	alarms++;
}

/* A signal that does not kill waits until the batch is over. */
TEST_F(batch, signals_do_not_end_it)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_interval.tv_usec = 200, .it_value.tv_usec = 200 };
	unsigned int i;

	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &soon, NULL));
	batch_unknown(self->b, target_domid, MAX_NR);
	for (i = 0; i < 200 || alarms < 20; i++)
		ASSERT_EQ(MAX_NR, batch(self->bound, self->b));
	memset(&soon, 0, sizeof(soon));
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* What a killed caller got done is a beginning of what it asked for. */
TEST_F(batch, killed)
{
	/* One processor does not turn to the killer before the batch is done. */
	bool alone = one_processor();
	unsigned int round, port, partial = 0;

	/* Until some were hit; a batch that hears no kill is hit never. */
	for (round = 0; round < 40 || (!alone && partial < 3 && round < 2000); round++) {
		int status, ready[2];
		pid_t child;
		char c;

		ASSERT_EQ(0, pipe(ready));
		batch_ports(self->b, target_domid, MAX_NR, DM_OP_MAP_IO_RANGE, self->server, 0x300);
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			if (write(ready[1], "", 1) == 1)
				batch(self->bound, self->b);
			_exit(0);
		}
		ASSERT_EQ(1, read(ready[0], &c, 1));
		for (port = 0; port < round % 400 * 50; port++)
			asm volatile ("");
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		close(ready[0]);
		close(ready[1]);

		for (port = 0; port < MAX_NR; port++)
			if (ports_mapped(self->observer, target_domid, self->server,
					 0x300 + port, 0x300 + port) != 1)
				break;
		partial += port > 0 && port < MAX_NR;
		/* From there on none. */
		EXPECT_EQ(0, ports_mapped(self->observer, target_domid, self->server,
					  0x300 + port, 0x3ff));
		batch_ports(self->b, target_domid, MAX_NR, DM_OP_UNMAP_IO_RANGE, self->server, 0x300);
		ASSERT_EQ(MAX_NR, batch(self->bound, self->b));
	}
	TH_LOG("%u of %u were killed half-way", partial, round);
	if (!alone)
		EXPECT_LT(0, partial);
}

static atomic_int dying_go;

struct dying {
	pthread_t thread;
	int fd;
	__u16 domid;
	unsigned int whole, partial;
	bool bad;
	long last;
};

/* Batches until there is no domain; each is a beginning of what was asked for. */
static void *dying_main(void *data)
{
	struct batch *b = malloc(sizeof(*b));
	struct dying *d = data;
	long i;

	do {
		batch_unknown(b, d->domid, MAX_NR);
		d->last = batch(d->fd, b);
		atomic_store(&dying_go, 1);
		for (i = 0; i < MAX_NR; i++) {
			int result = ops_of(b)[i].result;

			if (i >= d->last)
				d->bad |= result != POISON;
			else
				d->bad |= result != -EOPNOTSUPP && result != -ESRCH;
		}
		if (d->last == MAX_NR)
			d->whole++;
		else if (d->last > 0)
			d->partial++;
	} while (d->last > 0);
	free(b);
	return NULL;
}

TEST_F(batch, revoked)
{
	struct dying d = { };
	long domid = create(DOOMED);

	ASSERT_LT(0, domid);
	d.domid = domid;
	d.fd = dmop_open_bound(d.domid);
	ASSERT_LE(0, d.fd);
	ASSERT_EQ(0, pthread_create(&d.thread, NULL, dying_main, &d));
	while (!atomic_load(&dying_go))
		sched_yield();
	EXPECT_TRUE(destroy(DOOMED));
	pthread_join(d.thread, NULL);
	EXPECT_EQ(-ESRCH, d.last);
	EXPECT_FALSE(d.bad);
	EXPECT_LT(0, d.whole);
	TH_LOG("%u whole, %u half-done", d.whole, d.partial);

	/* Being revoked comes before all but the argument itself. */
	batch_unknown(self->b, other_domid, 2);
	self->b->head.flags = 1;
	EXPECT_EQ(-ESRCH, batch(d.fd, self->b));
	EXPECT_EQ(-EFAULT, do_ioctl(d.fd, DMOP_IOCTL_BATCH, BAD_POINTER));
	close(d.fd);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
