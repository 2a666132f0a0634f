// SPDX-License-Identifier: GPL-2.0
/*
 * held_memory_test.c - user memory rewritten after a call has read it
 *
 * A test holds the call in the middle of a copy and changes everything read so far. The call must
 * use the values it read, and must not write over the changes.
 */
#include "held.h"

#define DECOY_PORT	0x200

/* --- memory that changes behind a call --------------------------------- */

/* Where the call sleeps. Everything before this stage has been read by then. */
enum stage { STAGE_ARRAY, STAGE_FIRST, STAGE_SECOND };

FIXTURE(rewritten)
{
	struct world w;
};

FIXTURE_VARIANT(rewritten)
{
	enum stage stage;
	bool bound;
	bool hypercall;
};

FIXTURE_VARIANT_ADD(rewritten, bound_at_array) {
	.bound = true, .stage = STAGE_ARRAY,
};

FIXTURE_VARIANT_ADD(rewritten, bound_at_first_buffer) {
	.bound = true, .stage = STAGE_FIRST,
};

FIXTURE_VARIANT_ADD(rewritten, bound_at_second_buffer) {
	.bound = true, .stage = STAGE_SECOND,
};

FIXTURE_VARIANT_ADD(rewritten, bound_hypercall_at_array) {
	.bound = true, .hypercall = true, .stage = STAGE_ARRAY,
};

FIXTURE_VARIANT_ADD(rewritten, bound_hypercall_at_first_buffer) {
	.bound = true, .hypercall = true, .stage = STAGE_FIRST,
};

FIXTURE_VARIANT_ADD(rewritten, bound_hypercall_at_second_buffer) {
	.bound = true, .hypercall = true, .stage = STAGE_SECOND,
};

FIXTURE_VARIANT_ADD(rewritten, unbound_at_array) {
	.stage = STAGE_ARRAY,
};

FIXTURE_VARIANT_ADD(rewritten, unbound_at_second_buffer) {
	.stage = STAGE_SECOND,
};

FIXTURE_VARIANT_ADD(rewritten, unbound_hypercall_at_second_buffer) {
	.hypercall = true, .stage = STAGE_SECOND,
};

FIXTURE_SETUP(rewritten)
{
	world_setup(_metadata, &self->w, variant->bound);
}

FIXTURE_TEARDOWN(rewritten)
{
	world_teardown(&self->w);
}

#define SECOND_SIZE	64

/* The memory read by a call, except for the page on which it sleeps. */
struct call_memory {
	struct dmop_dm_op dm_op;
	struct dmop_hypercall hypercall;
	struct dmop_buf bufs[2];
	struct dm_op op;
	char second[SECOND_SIZE];
};

static void fill(struct call_memory *m, __u16 domid, const struct dm_op *op)
{
	memset(m->second, POISON, sizeof(m->second));
	m->op = *op;
	m->bufs[0].uptr = &m->op;
	m->bufs[0].size = sizeof(m->op);
	m->bufs[1].uptr = m->second;
	m->bufs[1].size = sizeof(m->second);
	m->dm_op.dom = domid;
	m->dm_op.num = 2;
	m->dm_op.ubufs = m->bufs;
	m->hypercall.op = DMOP_HYPERCALL_NR;
	m->hypercall.arg[0] = domid;
	m->hypercall.arg[1] = 2;
	m->hypercall.arg[2] = (unsigned long)m->bufs;
}

/* Replaces the memory of a stage by the page, so the call sleeps there. */
static void sleep_on(struct call_memory *m, enum stage at, char *page)
{
	switch (at) {
	case STAGE_ARRAY:
		m->dm_op.ubufs = (void *)page;
		m->hypercall.arg[2] = (unsigned long)page;
		break;
	case STAGE_FIRST:
		m->bufs[0].uptr = page;
		break;
	case STAGE_SECOND:
		m->bufs[1].uptr = page;
		break;
	}
}

static bool release(struct hold *h, enum stage at, const struct call_memory *m)
{
	switch (at) {
	case STAGE_ARRAY:
		return hold_release(h, m->bufs, sizeof(m->bufs));
	case STAGE_FIRST:
		return hold_release(h, &m->op, sizeof(m->op));
	default:
		return hold_release(h, m->second, sizeof(m->second));
	}
}

/* Overwrites the memory read so far with that of @decoy. */
static void rewrite(struct call_memory *m, enum stage at,
		    const struct call_memory *decoy)
{
	m->dm_op = decoy->dm_op;
	m->hypercall = decoy->hypercall;
	if (at >= STAGE_FIRST)
		memcpy(m->bufs, decoy->bufs, sizeof(m->bufs));
	if (at >= STAGE_SECOND)
		m->op = decoy->op;
}

/* The call uses the values it has read. The decoy has no effect. */
TEST_F(rewritten, call_is_as_it_was_read)
{
	struct world *w = &self->w;
	struct dm_op op = ports_op(DM_OP_MAP_IO_RANGE, w->server, SERVER_PORT, SERVER_PORT);
	struct dm_op decoy_op = ports_op(DM_OP_MAP_IO_RANGE, w->server, DECOY_PORT, DECOY_PORT);
	struct call_memory m, given, decoy;
	struct caller c = { };

	fill(&m, target_domid, &op);
	fill(&decoy, other_domid, &decoy_op);
	sleep_on(&m, variant->stage, w->hold.page);
	ASSERT_TRUE(caller_start(&c, w->fd,
				 variant->hypercall ? DMOP_IOCTL_HYPERCALL : DMOP_IOCTL_DM_OP,
				 variant->hypercall ? (void *)&m.hypercall : &m.dm_op));
	ASSERT_TRUE(hold_wait(&w->hold));

	/* The content of the page is not rewritten, because it has not been read. */
	given = m;
	rewrite(&m, variant->stage, &decoy);
	ASSERT_TRUE(release(&w->hold, variant->stage, &given));
	EXPECT_EQ(0, caller_join(&c));

	EXPECT_EQ(1, mapped(w, target_domid, SERVER_PORT));
	EXPECT_EQ(0, mapped(w, target_domid, DECOY_PORT));
	EXPECT_EQ(0, mapped(w, other_domid, SERVER_PORT));
	EXPECT_EQ(0, mapped(w, other_domid, DECOY_PORT));
	EXPECT_EQ(1, dmop_calls(w->fd));
}

/* Results go to the address and size read at first. */
TEST_F(rewritten, results_go_where_they_were_wanted)
{
	struct world *w = &self->w;
	struct dm_op op = asking_op(w->server);
	struct call_memory m, decoy;
	struct caller c = { };

	fill(&m, target_domid, &op);
	fill(&decoy, other_domid, &op);
	decoy.bufs[0].size = 4096;
	decoy.bufs[1].size = 4096;
	sleep_on(&m, STAGE_SECOND, w->hold.page);
	ASSERT_TRUE(caller_start(&c, w->fd, DMOP_IOCTL_DM_OP, &m.dm_op));
	ASSERT_TRUE(hold_wait(&w->hold));
	m.dm_op = decoy.dm_op;
	memcpy(m.bufs, decoy.bufs, sizeof(m.bufs));
	ASSERT_TRUE(release(&w->hold, STAGE_SECOND, &m));
	EXPECT_EQ(0, caller_join(&c));

	EXPECT_NE(0, *answer(&m.op));
	EXPECT_TRUE(all_bytes(m.second, POISON, sizeof(m.second)));
	EXPECT_EQ(0, memcmp(&decoy.op, &op, sizeof(op)));
	EXPECT_TRUE(all_bytes(decoy.second, POISON, sizeof(decoy.second)));
}

/*
 * The call reads the whole array before the first buffer. A later change of the second entry has no
 * effect.
 */
TEST_F(rewritten, second_entry_is_as_it_was_read)
{
	struct dm_op op = { .op = DM_OP_TRACK_DIRTY_VRAM };
	struct world *w = &self->w;
	struct call_memory m, given, decoy;
	struct caller c = { };

	X86_ONLY("an operation with a second buffer");
	/* The range is new to Xen, so the bitmap in the second buffer is all ones. */
	dm_op2(w->observer, target_domid, &op, m.second, 0);
	op.u.vram.nr = 8 * SECOND_SIZE;
	fill(&m, target_domid, &op);
	fill(&decoy, target_domid, &op);
	sleep_on(&m, STAGE_FIRST, w->hold.page);
	ASSERT_TRUE(caller_start(&c, w->fd,
				 variant->hypercall ? DMOP_IOCTL_HYPERCALL : DMOP_IOCTL_DM_OP,
				 variant->hypercall ? (void *)&m.hypercall : &m.dm_op));
	ASSERT_TRUE(hold_wait(&w->hold));
	given = m;
	m.bufs[1].uptr = decoy.second;
	m.bufs[1].size = SECOND_SIZE / 2;
	ASSERT_TRUE(release(&w->hold, STAGE_FIRST, &given));
	EXPECT_EQ(0, caller_join(&c));

	EXPECT_TRUE(all_bytes(m.second, 0xff, SECOND_SIZE));
	EXPECT_TRUE(all_bytes(decoy.second, POISON, SECOND_SIZE));
	op.u.vram.nr = 0;
	dm_op2(w->observer, target_domid, &op, m.second, 0);
}

/* A buffer not changed by Xen is not written, so a store of another thread is not undone. */
TEST_F(rewritten, stores_of_others_stay)
{
	struct world *w = &self->w;
	struct dm_op op = ports_op(DM_OP_MAP_IO_RANGE, w->server, SERVER_PORT, SERVER_PORT);
	struct call_memory m, after;
	struct caller c = { };

	fill(&m, target_domid, &op);
	sleep_on(&m, STAGE_SECOND, w->hold.page);
	ASSERT_TRUE(caller_start(&c, w->fd, DMOP_IOCTL_DM_OP, &m.dm_op));
	ASSERT_TRUE(hold_wait(&w->hold));
	memset(&m.op, 0x5a, sizeof(m.op));
	after = m;
	ASSERT_TRUE(release(&w->hold, STAGE_SECOND, &m));
	EXPECT_EQ(0, caller_join(&c));
	EXPECT_EQ(0, memcmp(&after, &m, sizeof(m)));
	EXPECT_EQ(1, mapped(w, target_domid, SERVER_PORT));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
