// SPDX-License-Identifier: GPL-2.0
/*
 * narrow_test.c - NARROW: its errors, what it removes, and that nothing gives it back
 *
 * narrow_race_test.c has calls in progress.
 */
#include <stddef.h>
#include <sys/wait.h>

#include "batch.h"
#include "mapping.h"
#include "narrow.h"

#define CALLS	(OP(DM_OP_CREATE_IOREQ_SERVER) | OP(DM_OP_DESTROY_IOREQ_SERVER))

FIXTURE(rights)
{
	int fd;			/* bound to the target */
	int observer;		/* unbound, privileged */
	long server;
	struct dmop_info before;
};

FIXTURE_SETUP(rights)
{
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	self->server = ioreq_create_on_both(self->observer);
	ASSERT_LE(0, self->server);
	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, dmop_info(self->fd, &self->before));
}

FIXTURE_TEARDOWN(rights)
{
	ioreq_destroy_all(self->observer, target_domid);
	ioreq_destroy_all(self->observer, other_domid);
	close(self->fd);
	close(self->observer);
}

/* INFO is as it was before the test, but for the counters. */
static void expect_rights_of(struct __test_metadata *const _metadata, int fd,
			     const struct dmop_info *before)
{
	struct dmop_info now;

	ASSERT_EQ(0, dmop_info(fd, &now));
	EXPECT_EQ(0, memcmp(&before->narrowed, &now.narrowed,
			    sizeof(now) - offsetof(struct dmop_info, narrowed)));
}

/* --- errors ------------------------------------------------------------ */

TEST_F(rights, is_a_feature)
{
	EXPECT_TRUE(self->before.features & DMOP_FEATURE_NARROW);
	EXPECT_EQ(0, self->before.narrowed);
	EXPECT_EQ(DMOP_RIGHT_ALL, self->before.acts);
	EXPECT_EQ(~0ULL, self->before.ops[0]);
	EXPECT_EQ(~0ULL, self->before.ops[1]);
	EXPECT_EQ(~0ULL, self->before.resources);
	EXPECT_EQ(~0ULL, self->before.max_frames);
	EXPECT_EQ(0, self->before.gfn_first);
	EXPECT_EQ(~0ULL, self->before.gfn_last);
}

/* Each argument has two causes of refusal, next to each other in the order. */
TEST_F(rights, order_of_refusals)
{
	const __u32 tail = sizeof(struct dmop_narrow);
	char *end = guarded_pages(2, 0) + 2 * PAGE;
	struct dmop_narrow *n = (void *)(end - tail - 8);
	int unbound = dmop_open();

	ASSERT_LE(0, unbound);
	/* unreadable, unbound */
	EXPECT_EQ(-EFAULT, do_ioctl(unbound, DMOP_IOCTL_NARROW, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(unbound, DMOP_IOCTL_NARROW, end - tail + 1));
	/* unreadable, and too small */
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, DMOP_IOCTL_NARROW, end - tail + 1));
	/* unbound, and too small; privilege is no help */
	*n = narrow_of(0);
	n->size = 0;
	EXPECT_EQ(-EPERM, narrow(unbound, n));
	/* too small, or an unknown flag, or an empty window, and an unknown member */
	EXPECT_EQ(-EINVAL, narrow(self->fd, n));
	n->size = tail - 1;
	EXPECT_EQ(-EINVAL, narrow(self->fd, n));
	n->size = tail + 8;
	n->flags = DMOP_NARROW_ALL + 1;
	EXPECT_EQ(-EINVAL, narrow(self->fd, n));
	n->flags = 1U << 31;
	EXPECT_EQ(-EINVAL, narrow(self->fd, n));
	n->flags = DMOP_NARROW_GFNS;
	n->gfn_first = 2;
	n->gfn_last = 1;
	EXPECT_EQ(-EINVAL, narrow(self->fd, n));
	/* too large, or an unknown member, and an unreadable one */
	n->gfn_last = 2;
	n->size = DMOP_NARROW_SIZE_MAX + 1;
	EXPECT_EQ(-E2BIG, narrow(self->fd, n));
	n->size = ~0U;
	EXPECT_EQ(-E2BIG, narrow(self->fd, n));
	n->size = tail + 8;
	EXPECT_EQ(-E2BIG, narrow(self->fd, n));
	n = (void *)(end - tail);
	*n = narrow_of(DMOP_NARROW_ALL);
	n->size = tail + 1;
	EXPECT_EQ(-EFAULT, narrow(self->fd, n));

	expect_rights_of(_metadata, self->fd, &self->before);
	expect_rights_of(_metadata, unbound, &self->before);
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->fd, target_domid));
}

TEST_F(rights, sizes)
{
	struct dmop_narrow *n = (void *)guarded_pages(2, 0);
	char *p = (void *)n;
	__u32 size, i;

	for (size = sizeof(*n); size <= DMOP_NARROW_SIZE_MAX; size += 1 + size / 8) {
		memset(n, 0, DMOP_NARROW_SIZE_MAX);
		n->size = size;
		EXPECT_EQ(0, narrow(self->fd, n));
		for (i = sizeof(*n); i < size; i += 1 + i / 8) {
			p[i] = 1;
			EXPECT_EQ(-E2BIG, narrow(self->fd, n));
			p[i] = 0;
		}
		p[size] = 1;
		EXPECT_EQ(0, narrow(self->fd, n));
	}
	/* Zeros, and all of them can be read. */
	memset(n, 0, DMOP_NARROW_SIZE_MAX + 1);
	n->size = DMOP_NARROW_SIZE_MAX;
	EXPECT_EQ(0, narrow(self->fd, n));
	n->size = DMOP_NARROW_SIZE_MAX + 1;
	EXPECT_EQ(-E2BIG, narrow(self->fd, n));
	expect_rights_of(_metadata, self->fd, &self->before);
}

/* A member without its flag removes nothing, whatever it is. */
TEST_F(rights, members_without_flag)
{
	struct dmop_narrow n = narrow_of(0);

	n.gfn_first = 5;
	EXPECT_EQ(0, narrow(self->fd, &n));
	memset(&n, POISON, sizeof(n));
	n.size = sizeof(n);
	n.flags = 0;
	EXPECT_EQ(0, narrow(self->fd, &n));
	expect_rights_of(_metadata, self->fd, &self->before);
}

/* --- what is removed --------------------------------------------------- */

TEST_F(rights, call)
{
	struct dmop_buf buf = { };
	struct batch *b = malloc(sizeof(*b));
	struct dmop_info info;

	ASSERT_NE(NULL, b);
	ASSERT_EQ(0, narrow_acts(self->fd, DMOP_RIGHT_ALL & ~DMOP_RIGHT_CALL));
	/* before the count and the array are looked at */
	EXPECT_EQ(-EPERM, unknown_op(self->fd, target_domid));
	EXPECT_EQ(-EPERM, dmop_call(self->fd, target_domid, BAD_POINTER, 1));
	EXPECT_EQ(-EPERM, dmop_call(self->fd, target_domid, BAD_POINTER, 0xffff));
	EXPECT_EQ(-EPERM, dmop_hypercall(self->fd, 41, target_domid, 1, &buf));
	EXPECT_EQ(-EPERM, dmop_hypercall(self->fd, 41, target_domid, 0, NULL));
	EXPECT_EQ(-EPERM, unknown_batch(self->fd, target_domid));
	batch_init(b, target_domid, 1);
	b->head.flags = 1;
	EXPECT_EQ(-EPERM, batch(self->fd, b));
	/* These need no right. */
	EXPECT_EQ(0, dmop_probe(self->fd, target_domid));
	EXPECT_EQ(0, dmop_restrict(self->fd, target_domid));
	EXPECT_EQ(-EINVAL, dmop_restrict(self->fd, other_domid));
	EXPECT_NE(NULL, map_one(self->fd, target_domid, GFN));
	ASSERT_EQ(0, dmop_info(self->fd, &info));
	EXPECT_EQ(DMOP_RIGHT_ALL & ~DMOP_RIGHT_CALL, info.acts);
	EXPECT_EQ(0, info.ops[0] | info.ops[1]);
	EXPECT_EQ(DMOP_NARROW_ACTS | DMOP_NARROW_OPS, info.narrowed);
	EXPECT_EQ(0, info.calls);
	EXPECT_EQ(8, info.refused_policy);
	free(b);
}

/* An operation is removed unless it is named; and so are those that no Xen has yet. */
TEST_F(rights, operations)
{
	static const __u32 unnamed[] = {
		0, DM_OP_DESTROY_IOREQ_SERVER + 1, 20, 63, 64, 127, 128, 129, 128 + 65, 255,
		DM_OP_UNKNOWN, 1U << 31, ~0U, 1U << 31 | DM_OP_CREATE_IOREQ_SERVER,
	};
	struct dm_op op = { };
	__u64 calls;
	unsigned int i;
	long id;

	/* An operation beyond the masks is there as long as OPS was not selected. */
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->fd, target_domid));
	ASSERT_EQ(0, narrow_ops(self->fd, CALLS, 2));
	calls = dmop_calls(self->fd);
	for (i = 0; i < ARRAY_SIZE(unnamed); i++) {
		op.op = unnamed[i];
		EXPECT_EQ(-EPERM, dm_op(self->fd, target_domid, &op)) {
			TH_LOG("operation %u", op.op);
		}
	}
	EXPECT_EQ(calls, dmop_calls(self->fd));
	/* Named, but unknown to Xen */
	op.op = 65;
	EXPECT_EQ(-EOPNOTSUPP, dm_op(self->fd, target_domid, &op));
	id = ioreq_create(self->fd, target_domid);
	EXPECT_LE(0, id);
	EXPECT_EQ(-EPERM, ports_map(self->fd, target_domid, id, 0x100, 0x100));
	EXPECT_EQ(0, ports_mapped(self->observer, target_domid, id, 0x100, 0x100));
	EXPECT_EQ(0, ioreq_destroy(self->fd, target_domid, id));
	EXPECT_EQ(calls + 3, dmop_calls(self->fd));
}

/* Each of the 128 operations alone. None above 21 is known to any Xen, so none has an effect. */
TEST_F(rights, each_operation)
{
	unsigned int bit, i;

	for (bit = 22; bit < 128; bit += 7) {
		int fd = dmop_open_bound(target_domid);

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, narrow_ops(fd, bit < 64 ? OP(bit) : 0, bit < 64 ? 0 : OP(bit - 64)));
		for (i = 22; i < 256; i++) {
			struct dm_op op = { .op = i };

			EXPECT_EQ(i == bit ? -EOPNOTSUPP : -EPERM, dm_op(fd, target_domid, &op)) {
				TH_LOG("operation %u, %u is kept", i, bit);
			}
		}
		close(fd);
	}
}

/* A first buffer of less than four bytes has no operation. Before OPS was selected Xen decides. */
TEST_F(rights, short_buffers)
{
	struct dm_op op = { .op = DM_OP_CREATE_IOREQ_SERVER };
	struct dmop_buf bufs[2] = { { .uptr = &op }, { .uptr = &op, .size = sizeof(op) } };
	size_t size;

	for (size = 0; size < 4; size++) {
		bufs[0].size = size;
		EXPECT_EQ(-EFAULT, dmop_call(self->fd, target_domid, bufs, 2));
	}
	ASSERT_EQ(0, narrow_ops(self->fd, ~0ULL, ~0ULL));
	for (size = 0; size < 4; size++) {
		bufs[0].size = size;
		EXPECT_EQ(-EPERM, dmop_call(self->fd, target_domid, bufs, 2));
		EXPECT_EQ(-EPERM, dmop_hypercall(self->fd, 41, target_domid, 1, bufs));
	}
	EXPECT_EQ(4, dmop_calls(self->fd));
	/* A long one: its number is the first four bytes. */
	bufs[0].size = 4;
	EXPECT_NE(-EPERM, dmop_call(self->fd, target_domid, bufs, 1));
}

/* The operation is decided on last, so that other errors come first. */
TEST_F(rights, operations_come_after_the_buffers)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf bufs[2] = { { .uptr = &op, .size = sizeof(op) }, { .uptr = BAD_POINTER, .size = 8 } };

	ASSERT_EQ(0, narrow_ops(self->fd, 0, 0));
	EXPECT_EQ(-EFAULT, dmop_call(self->fd, target_domid, bufs, 2));
	EXPECT_EQ(-EFAULT, dmop_call(self->fd, target_domid, BAD_POINTER, 1));
	bufs[1].size = 1 << 20;
	EXPECT_EQ(-E2BIG, dmop_call(self->fd, target_domid, bufs, 2));
	EXPECT_EQ(-E2BIG, dmop_call(self->fd, target_domid, bufs, 0xffff));
	EXPECT_EQ(-EPERM, dmop_call(self->fd, other_domid, BAD_POINTER, 1));
	EXPECT_EQ(-EPERM, dmop_call(self->fd, target_domid, bufs, 1));
	EXPECT_EQ(-EPERM, dmop_hypercall(self->fd, 41, target_domid, 1, bufs));
	EXPECT_EQ(0, dmop_calls(self->fd));
}

/* All operations of a batch are decided on before the first is issued. */
TEST_F(rights, batches)
{
	struct dm_op map = ports_op(DM_OP_MAP_IO_RANGE, self->server, 0x200, 0x200);
	struct dm_op other = { .op = DM_OP_UNKNOWN };
	struct batch *b = malloc(sizeof(*b)), *given = malloc(sizeof(*b));
	unsigned int i, bad;

	ASSERT_TRUE(b && given);
	ASSERT_EQ(0, narrow_ops(self->fd, OP(DM_OP_MAP_IO_RANGE), 0));
	for (bad = 0; bad < 3; bad++) {
		batch_init(b, target_domid, 3);
		for (i = 0; i < 3; i++)
			batch_op(b, i, i == bad ? &other : &map);
		memcpy(given, b, sizeof(b->head) + b->head.bytes);
		EXPECT_EQ(-EPERM, batch(self->fd, b));
		EXPECT_EQ(0, memcmp(given, b, sizeof(b->head) + b->head.bytes));
		EXPECT_EQ(0, ports_mapped(self->observer, target_domid, self->server, 0x200, 0x200));
		/* A short buffer likewise */
		batch_init(b, target_domid, 3);
		for (i = 0; i < 3; i++)
			batch_add(b, i, 0, &map, i == bad ? 3 : sizeof(map));
		EXPECT_EQ(-EPERM, batch(self->fd, b));
		/* The layout comes first. */
		b->head.bytes += 8;
		EXPECT_EQ(-EINVAL, batch(self->fd, b));
	}
	EXPECT_EQ(0, dmop_calls(self->fd));
	batch_ports(b, target_domid, 3, DM_OP_MAP_IO_RANGE, self->server, 0x200);
	EXPECT_EQ(3, batch(self->fd, b));
	EXPECT_EQ(1, ports_mapped(self->observer, target_domid, self->server, 0x202, 0x202));
	free(b);
	free(given);
}

TEST_F(rights, mapping)
{
	char *r = area(self->fd, 1, PROT_READ), *w = area(self->fd, 1, PROT_READ | PROT_WRITE);
	struct dmop_mmap_resource query = { .dom = target_domid, .type = RESOURCE_GRANT_TABLE };
	struct dmop_mmap_resource one = query;
	char *kept = map_one(self->fd, target_domid, GFN);
	__u64 gfn = GFN;
	int err;

	one.num = 1;
	one.addr = (unsigned long)w;
	ASSERT_NE(NULL, kept);
	/* Without the right to write: the area that was there accepts no frame. */
	ASSERT_EQ(0, narrow_acts(self->fd, ~DMOP_RIGHT_MAP_WRITE));
	EXPECT_EQ(MAP_FAILED, area(self->fd, 1, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(MAP_FAILED, area(self->fd, 1, PROT_WRITE));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-EPERM, map(self->fd, target_domid, w, 1, &gfn, &err));
	EXPECT_EQ(-EPERM, resource_map(self->fd, &one));
	EXPECT_EQ(SIGBUS, touch(w, false));
	/* A mapping that was there stays. */
	EXPECT_EQ(0, touch(kept, true));
	EXPECT_EQ(0, map(self->fd, target_domid, r, 1, &gfn, &err));
	EXPECT_EQ(0, touch(r, false));
	EXPECT_EQ(0, munmap(r, PAGE));

	ASSERT_EQ(0, narrow_acts(self->fd, ~DMOP_RIGHT_MAP_FOREIGN));
	r = area(self->fd, 1, PROT_READ);
	ASSERT_NE(MAP_FAILED, r);
	EXPECT_EQ(-EPERM, map(self->fd, target_domid, r, 1, &gfn, &err));
	EXPECT_EQ(-EPERM, map(self->fd, target_domid, r, 0, BAD_POINTER, BAD_POINTER));
	EXPECT_EQ(0, resource_map(self->fd, &query));
	one.addr = (unsigned long)r;
	EXPECT_EQ(0, resource_map(self->fd, &one));

	ASSERT_EQ(0, narrow_acts(self->fd, ~DMOP_RIGHT_MAP_RESOURCE));
	EXPECT_EQ(-EPERM, resource_map(self->fd, &query));
	query.type = 1U << 16;
	EXPECT_EQ(-EPERM, resource_map(self->fd, &query));
	EXPECT_EQ(MAP_FAILED, area(self->fd, 1, PROT_READ));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, self->fd, 0));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(0, touch(kept, true));
	EXPECT_EQ(2, mapped_frames(self->fd));
}

TEST_F(rights, types)
{
	struct dmop_mmap_resource r = { .dom = target_domid };
	char *p = area(self->fd, 1, PROT_READ);
	__u32 type;

	ASSERT_EQ(0, narrow_resources(self->fd, 1U << RESOURCE_GRANT_TABLE | 1ULL << 40));
	for (type = 0; type < 200; type++) {
		if (type == RESOURCE_GRANT_TABLE || type == 40)
			continue;
		r.type = type;
		EXPECT_EQ(-EPERM, resource_map(self->fd, &r)) {
			TH_LOG("type %u", type);
		}
	}
	r.type = 40;
	EXPECT_NE(-EPERM, resource_map(self->fd, &r));
	/* The type comes before the bounds, and the bounds before the area. */
	r.type = RESOURCE_IOREQ_SERVER;
	r.num = 1;
	EXPECT_EQ(-EPERM, resource_map(self->fd, &r));
	r.type = RESOURCE_GRANT_TABLE;
	EXPECT_EQ(-EINVAL, resource_map(self->fd, &r));
	r.addr = (unsigned long)p;
	EXPECT_EQ(0, resource_map(self->fd, &r));
	EXPECT_EQ(0, touch(p, false));
}

TEST_F(rights, window)
{
	char *p = area(self->fd, 4, PROT_READ);
	__u64 gfns[4] = { GFN, GFN + 1, GFN + 2, GFN + 3 };
	int errs[4], given[4], fd;

	memset(errs, POISON, sizeof(errs));
	memcpy(given, errs, sizeof(errs));
	ASSERT_EQ(0, narrow_gfns(self->fd, GFN + 1, GFN + 4));
	/* One frame outside: none is mapped, nothing is written, the area is not used. */
	EXPECT_EQ(-EPERM, map(self->fd, target_domid, p, 4, gfns, errs));
	gfns[0] = GFN + 5;
	EXPECT_EQ(-EPERM, map(self->fd, target_domid, p, 4, gfns, errs));
	gfns[0] = ~0ULL;
	EXPECT_EQ(-EPERM, map(self->fd, target_domid, p, 4, gfns, errs));
	gfns[0] = 1ULL << 52 | (GFN + 1);
	EXPECT_EQ(-EPERM, map(self->fd, target_domid, p, 4, gfns, errs));
	EXPECT_EQ(0, memcmp(given, errs, sizeof(errs)));
	EXPECT_EQ(0, mapped_frames(self->fd));
	/* The area comes first. */
	EXPECT_EQ(-EINVAL, map(self->fd, target_domid, p, 3, gfns, errs));
	gfns[0] = GFN + 4;
	EXPECT_EQ(0, map(self->fd, target_domid, p, 4, gfns, errs));
	EXPECT_EQ(0, touch(p, false));
	EXPECT_EQ(0, munmap(p, 4 * PAGE));

	/* Two windows that do not meet leave none. */
	p = area(self->fd, 1, PROT_READ);
	ASSERT_EQ(0, narrow_gfns(self->fd, GFN + 5, GFN + 9));
	for (gfns[0] = GFN; gfns[0] < GFN + 12; gfns[0]++)
		EXPECT_EQ(-EPERM, map(self->fd, target_domid, p, 1, gfns, errs));

	/* A number that no PTE can hold is never given to Xen as another one, outside the window. */
	fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, fd);
	p = area(fd, 1, PROT_READ);
	ASSERT_EQ(0, narrow_gfns(fd, 1ULL << 41, 1ULL << 42));
	gfns[0] = 1ULL << 41;
	EXPECT_EQ(-EPERM, map(fd, target_domid, p, 1, gfns, errs));
	close(fd);
}

TEST_F(rights, frames)
{
	char *p = area(self->fd, 2, PROT_READ), *q = area(self->fd, 2, PROT_READ);
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = RESOURCE_GRANT_TABLE, .num = 2, .addr = (unsigned long)q,
	};
	__u64 gfns[2] = { GFN, NO_GFN };
	int errs[2];

	ASSERT_EQ(0, narrow_frames(self->fd, 3));
	EXPECT_EQ(0, map(self->fd, target_domid, p, 2, gfns, errs));
	EXPECT_EQ(-EPERM, map(self->fd, target_domid, q, 2, gfns, errs));
	EXPECT_EQ(-EPERM, resource_map(self->fd, &r));
	EXPECT_EQ(2, mapped_frames(self->fd));
	/* A frame that failed counts already, and can be tried again. */
	gfns[1] = GFN;
	EXPECT_EQ(0, map(self->fd, target_domid, p + PAGE, 1, gfns + 1, errs + 1));
	EXPECT_EQ(0, errs[1]);
	EXPECT_EQ(0, munmap(p, 2 * PAGE));
	EXPECT_EQ(0, resource_map(self->fd, &r));

	/* Fewer than there are: they stay, and get no more. */
	p = area(self->fd, 1, PROT_READ);
	EXPECT_EQ(0, map(self->fd, target_domid, p, 1, (__u64[]){ NO_GFN }, errs));
	ASSERT_EQ(0, narrow_frames(self->fd, 2));
	EXPECT_EQ(-EPERM, map(self->fd, target_domid, p, 1, gfns, errs));
	EXPECT_EQ(0, touch(q, false));
	EXPECT_EQ(0, munmap(q, 2 * PAGE));
	EXPECT_EQ(0, map(self->fd, target_domid, p, 1, gfns, errs));
	ASSERT_EQ(0, narrow_frames(self->fd, 0));
	q = area(self->fd, 1, PROT_READ);
	EXPECT_EQ(-EPERM, map(self->fd, target_domid, q, 1, gfns, errs));
}

/* --- for ever, and for all --------------------------------------------- */

/* Two NARROWs leave what both keep, in either order. */
TEST_F(rights, intersection)
{
	struct dmop_narrow a = narrow_of(DMOP_NARROW_ALL), b = narrow_of(DMOP_NARROW_ALL);
	struct dmop_info info, again;
	int other = dmop_open_bound(target_domid);

	ASSERT_LE(0, other);
	a.acts = DMOP_RIGHT_CALL | DMOP_RIGHT_MAP_FOREIGN | 1ULL << 40;
	a.ops[0] = 0x1234;
	a.ops[1] = ~0ULL;
	a.resources = 3;
	a.max_frames = 10;
	a.gfn_first = 100;
	a.gfn_last = 200;
	b.acts = DMOP_RIGHT_CALL | DMOP_RIGHT_MAP_WRITE | 1ULL << 40;
	b.ops[0] = 0xff0f;
	b.ops[1] = 1;
	b.resources = ~1ULL;
	b.max_frames = 20;
	b.gfn_first = 50;
	b.gfn_last = 150;
	ASSERT_EQ(0, narrow(self->fd, &a));
	ASSERT_EQ(0, narrow(self->fd, &b));
	ASSERT_EQ(0, narrow(other, &b));
	ASSERT_EQ(0, narrow(other, &a));
	ASSERT_EQ(0, dmop_info(self->fd, &info));
	EXPECT_EQ(DMOP_NARROW_ALL, info.narrowed);
	EXPECT_EQ(DMOP_RIGHT_CALL, info.acts);
	EXPECT_EQ(0x1204, info.ops[0]);
	EXPECT_EQ(1, info.ops[1]);
	EXPECT_EQ(2, info.resources);
	EXPECT_EQ(10, info.max_frames);
	EXPECT_EQ(100, info.gfn_first);
	EXPECT_EQ(150, info.gfn_last);
	expect_rights_of(_metadata, other, &info);

	/* What is removed is removed: no error, and nothing comes back. */
	memset(&a, 0xff, sizeof(a));
	a.size = sizeof(a);
	a.flags = DMOP_NARROW_ALL;
	a.gfn_first = 0;
	EXPECT_EQ(0, narrow(self->fd, &a));
	ASSERT_EQ(0, dmop_info(self->fd, &again));
	EXPECT_EQ(0, memcmp(&info.narrowed, &again.narrowed,
			    sizeof(info) - offsetof(struct dmop_info, narrowed)));
	close(other);
}

/* The rights belong to the open file: every descriptor of it, in every process. */
TEST_F(rights, follows_the_open_file)
{
	int alias = dup(self->fd), second = dmop_open_bound(target_domid), pair[2], status;
	pid_t child;

	ASSERT_LE(0, alias);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		int fd;

		/* Whoever holds a bound file may narrow it. */
		if (!drop_privileges())
			_exit(1);
		fd = recv_fd(pair[1]);
		if (narrow_ops(fd, CALLS, 0) || unknown_op(fd, target_domid) != -EPERM)
			_exit(2);
		_exit(narrow_ops(self->observer, 0, 0) != -EPERM);
	}
	ASSERT_EQ(0, send_fd(pair[0], self->fd));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-EPERM, unknown_op(self->fd, target_domid));
	EXPECT_EQ(-EPERM, unknown_op(alias, target_domid));
	/* Not to the domain, nor to another file. */
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(second, target_domid));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->observer, target_domid));
	/* Privilege gives nothing back, nor does RESTRICT. */
	EXPECT_EQ(0, dmop_restrict(self->fd, target_domid));
	EXPECT_EQ(0, narrow_ops(self->fd, ~0ULL, ~0ULL));
	EXPECT_EQ(-EPERM, unknown_op(alias, target_domid));
	close(alias);
	close(second);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
