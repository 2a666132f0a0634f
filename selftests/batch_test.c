// SPDX-License-Identifier: GPL-2.0
/*
 * batch_test.c - BATCH: the operations are issued in order, on one domain
 */
#include "batch.h"

/* --- operations and their order ---------------------------------------- */

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

/* Each operation sees the effects of the earlier ones, and its results are copied back. */
TEST_F(batch, in_order)
{
	struct dm_op create = { .op = DM_OP_CREATE_IOREQ_SERVER };
	struct dm_op destroy = { .op = DM_OP_DESTROY_IOREQ_SERVER };
	struct dm_op map, info, *created, *told;
	__u16 id = self->server + 1;

	map = ports_op(DM_OP_MAP_IO_RANGE, id, 0x300, 0x301);
	info = asking_op(id);
	destroy.u.destroy.id = id;
	create.u.create.id = 0xdead;
	create.u.create.handle_bufioreq = DM_OP_BUFIOREQ;

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
	EXPECT_NE(0, *answer(told));
	EXPECT_EQ(0, ops_of(self->b)[4].result);
	EXPECT_EQ(-ENOENT, ops_of(self->b)[5].result);
	EXPECT_EQ(1U << self->server, ioreq_mask(self->observer, target_domid));
}

/* Operations with a second buffer, some of a size that needs padding. */
TEST_F(batch, two_buffers)
{
	struct dm_op op = { .op = DM_OP_MODIFIED_MEMORY };
	const struct dm_op unknown = { .op = DM_OP_UNKNOWN };
	struct dm_op_extent extents[2] = {
		{ .nr = 1, .first_pfn = 1 },
		{ .nr = 2, .first_pfn = 3 },
	};

	X86_ONLY("an operation with a second buffer");
	op.u.modified.nr_extents = 2;
	batch_init(self->b, target_domid, 4);
	batch_op(self->b, 0, &op);
	batch_add(self->b, 0, 1, extents, sizeof(extents));
	batch_add(self->b, 1, 0, &unknown, 61);
	batch_add(self->b, 1, 1, extents, 3);
	batch_op(self->b, 2, &op);
	batch_add(self->b, 2, 1, extents, sizeof(extents));
	/* One extent is missing. The result is the same as without a batch. */
	batch_op(self->b, 3, &op);
	batch_add(self->b, 3, 1, extents, sizeof(extents[0]));
	ASSERT_EQ(4, batch(self->bound, self->b));
	EXPECT_EQ(0, ops_of(self->b)[0].result);
	EXPECT_EQ(-EOPNOTSUPP, ops_of(self->b)[1].result);
	EXPECT_EQ(0, ops_of(self->b)[2].result);
	EXPECT_EQ(dm_op2(self->bound, target_domid, &op, extents, sizeof(extents[0])),
		  ops_of(self->b)[3].result);
}

/* --- domains and callers ----------------------------------------------- */

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

/* A bound file needs no privilege. An unbound file needs CAP_SYS_ADMIN for every call. */
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

	X86_ONLY("int 0x80");
	ASSERT_NE(MAP_FAILED, low);
	batch_unknown(low, target_domid, 17);
	EXPECT_EQ(17, ioctl_32(self->bound, DMOP_IOCTL_BATCH, low));
	EXPECT_EQ(-EOPNOTSUPP, ops_of(low)[16].result);
	munmap(low, sizeof(*low));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
