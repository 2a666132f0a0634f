// SPDX-License-Identifier: GPL-2.0
/*
 * batch_refuse_test.c - BATCH: malformed batches, the limits, and memory faults
 */
#include "batch.h"

/* --- refusals ---------------------------------------------------------- */

/* One fault each, in a batch of two operations that is otherwise valid. */
static const struct wrong {
	const char *what;
	long ret;
	void (*spoil)(struct batch *b);
} wrongs[];

#define SPOIL(name, how) static void name(struct batch *b) { how; }
SPOIL(size_7, b->head.size = 7)
SPOIL(size_short, b->head.size = DMOP_BATCH_SIZE_V1 - 1)
SPOIL(size_large, b->head.size = DMOP_BATCH_SIZE_MAX + 1)
/* The operations behind the structure then count as its members. */
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
		/* The bytes behind the batch must not matter. */
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

/* The structure of a later version, with new members of 0. */
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

	/* The new members are not readable. */
	page = guarded_pages(1, 0);
	ASSERT_NE(NULL, page);
	b = (struct batch *)(page + 4096 - sizeof(b->head) - 39);
	memset(b, 0, sizeof(b->head) + 39);
	b->head = later.head;
	EXPECT_EQ(-EFAULT, batch(self->bound, b));
	EXPECT_EQ(2, dmop_calls(self->bound));
}

/* Each call has several faults. The errno is that of the first one in the order. */
TEST_F(batch, order_of_refusals)
{
	char *page = guarded_pages(1, 0);
	struct batch *b;

	ASSERT_NE(NULL, page);
	EXPECT_EQ(-EFAULT, do_ioctl(self->bound, DMOP_IOCTL_BATCH, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(self->bound, DMOP_IOCTL_BATCH, NULL));
	/* Only the head can be read. */
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

/* The batch ends where memory ends. Then its last byte is missing. */
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

/* The only failure after the operations have been issued. */
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

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
