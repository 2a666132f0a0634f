// SPDX-License-Identifier: GPL-2.0
/*
 * effect_test.c - operations through a bound file take effect, and on its domain only
 *
 * The tests verify effects through the observer: a privileged, unbound file from an open() of its
 * own. It has nothing to do with the bound file.
 */
#include "dmop_test.h"

FIXTURE(effect)
{
	int fd;
	int observer;
};

FIXTURE_VARIANT(effect)
{
	bool nobody;		/* drops all privileges once bound */
	bool hypercall;		/* uses HYPERCALL instead of DM_OP */
};

FIXTURE_VARIANT_ADD(effect, dm_op) { .nobody = false };
FIXTURE_VARIANT_ADD(effect, dm_op_nobody) { .nobody = true };
FIXTURE_VARIANT_ADD(effect, hypercall) { .hypercall = true };
FIXTURE_VARIANT_ADD(effect, hypercall_nobody) { .hypercall = true, .nobody = true };

/*
 * The observer keeps its privilege while the holder of the bound file has none. So a child issues
 * the calls on the bound file, one operation at a time.
 */
struct request {
	__u16 domid;
	__u16 nr;
	__u32 second_size;
	struct dm_op op;
	char second[256];
	long ret;
};

static struct request *shared;
static int request_sock;

static void make_call(int fd, bool hypercall, struct request *r)
{
	struct dmop_buf bufs[2] = {
		{ .uptr = &r->op, .size = sizeof(r->op) },
		{ .uptr = r->second, .size = r->second_size },
	};

	if (hypercall)
		r->ret = dmop_hypercall(fd, DMOP_HYPERCALL_NR, r->domid, r->nr, bufs);
	else
		r->ret = dmop_call(fd, r->domid, bufs, r->nr);
}

static void serve(int sock, int fd, bool nobody, bool hypercall)
{
	char c;

	if (nobody && !drop_privileges())
		_exit(1);
	while (read(sock, &c, 1) == 1) {
		make_call(fd, hypercall, shared);
		if (write(sock, &c, 1) != 1)
			break;
	}
	_exit(0);
}

/* Return: the result of the child's call. Its output is in @op and @second. */
static long bound_call(__u16 domid, struct dm_op *op, void *second, size_t size)
{
	char c = 0;

	shared->domid = domid;
	shared->nr = second ? 2 : 1;
	shared->second_size = size;
	shared->op = *op;
	if (second)
		memcpy(shared->second, second, size);
	shared->ret = -EIO;
	if (write(request_sock, &c, 1) != 1 || read(request_sock, &c, 1) != 1)
		return -EPIPE;
	*op = shared->op;
	if (second)
		memcpy(second, shared->second, size);
	return shared->ret;
}

FIXTURE_SETUP(effect)
{
	int pair[2];
	pid_t pid;

	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	ioreq_destroy_all(self->observer, target_domid);
	ioreq_destroy_all(self->observer, other_domid);

	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pair[0]);
		close(self->observer);
		serve(pair[1], self->fd, variant->nobody, variant->hypercall);
	}
	close(pair[1]);
	request_sock = pair[0];
}

FIXTURE_TEARDOWN(effect)
{
	ioreq_destroy_all(self->observer, target_domid);
	ioreq_destroy_all(self->observer, other_domid);
	close(request_sock);
	wait(NULL);
	close(self->fd);
	close(self->observer);
}

static long bound_create(__u16 domid)
{
	struct dm_op op = { .op = DM_OP_CREATE_IOREQ_SERVER };
	long ret;

	op.u.create.handle_bufioreq = DM_OP_BUFIOREQ;
	op.u.create.id = 0xdead;
	ret = bound_call(domid, &op, NULL, 0);
	return ret ? ret : op.u.create.id;
}

static long bound_destroy(__u16 domid, __u16 id)
{
	struct dm_op op = { .op = DM_OP_DESTROY_IOREQ_SERVER };

	op.u.destroy.id = id;
	return bound_call(domid, &op, NULL, 0);
}

/* Creates, uses and destroys a server. The observer verifies each step. */
TEST_F(effect, ioreq_server)
{
	struct dm_op op, seen;
	long id;

	ASSERT_EQ(0, ioreq_mask(self->observer, target_domid));
	id = bound_create(target_domid);
	ASSERT_LE(0, id);
	ASSERT_GT(DM_OP_NR_IOREQ_SERVERS, id);
	EXPECT_EQ(1U << id, ioreq_mask(self->observer, target_domid));

	/* The observer gets the same result. */
	op = seen = asking_op(id);
	ASSERT_EQ(0, bound_call(target_domid, &op, NULL, 0));
	EXPECT_NE(0, *answer(&op));
	ASSERT_EQ(0, dm_op(self->observer, target_domid, &seen));
	EXPECT_EQ(*answer(&seen), *answer(&op));

	/* A range of ports is mapped and unmapped. */
	op = ports_op(DM_OP_MAP_IO_RANGE, id, 0x3f8, 0x3ff);
	EXPECT_EQ(0, bound_call(target_domid, &op, NULL, 0));
	EXPECT_EQ(-EEXIST, bound_call(target_domid, &op, NULL, 0));
	EXPECT_EQ(1, ports_mapped(self->observer, target_domid, id, 0x3ff, 0x400));
	EXPECT_EQ(0, ports_mapped(self->observer, target_domid, id, 0x400, 0x400));
	op = ports_op(DM_OP_UNMAP_IO_RANGE, id, 0x3f8, 0x3ff);
	EXPECT_EQ(0, bound_call(target_domid, &op, NULL, 0));
	EXPECT_EQ(0, ports_mapped(self->observer, target_domid, id, 0x3f8, 0x3ff));

	/* The server is enabled and disabled. */
	memset(&op, 0, sizeof(op));
	op.op = DM_OP_SET_IOREQ_SERVER_STATE;
	op.u.state.id = id;
	op.u.state.enabled = 1;
	EXPECT_EQ(0, bound_call(target_domid, &op, NULL, 0));
	op.u.state.enabled = 0;
	EXPECT_EQ(0, bound_call(target_domid, &op, NULL, 0));

	EXPECT_EQ(0, bound_destroy(target_domid, id));
	EXPECT_EQ(0, ioreq_mask(self->observer, target_domid));
	EXPECT_EQ(-ENOENT, ioreq_info(self->observer, target_domid, id, &seen));
	EXPECT_EQ(-ENOENT, bound_destroy(target_domid, id));
}

/* As many servers as Xen allows, each with its own id, all on one domain. */
TEST_F(effect, all_ioreq_servers)
{
	unsigned int seen = 0, i;
	long id;

	for (i = 0; i < DM_OP_NR_IOREQ_SERVERS; i++) {
		id = bound_create(target_domid);
		ASSERT_LE(0, id);
		seen |= 1U << id;
		EXPECT_EQ(seen, ioreq_mask(self->observer, target_domid));
		EXPECT_EQ(0, ioreq_mask(self->observer, other_domid));
	}
	EXPECT_EQ(0xff, seen);
	EXPECT_EQ(-ENOSPC, bound_create(target_domid));
}

/* Every operation on the other domain is refused, and has no effect. */
TEST_F(effect, other_domain_untouched)
{
	long theirs = ioreq_create(self->observer, other_domid);
	char bitmap[32];
	struct dm_op op;
	unsigned int i;

	ASSERT_LE(0, theirs);
	ASSERT_EQ(0, ports_map(self->observer, other_domid, theirs, 0x60, 0x64));

	EXPECT_EQ(-EPERM, bound_create(other_domid));
	EXPECT_EQ(-EPERM, bound_destroy(other_domid, theirs));
	op = ports_op(DM_OP_UNMAP_IO_RANGE, theirs, 0x60, 0x64);
	EXPECT_EQ(-EPERM, bound_call(other_domid, &op, NULL, 0));
	op = ports_op(DM_OP_MAP_IO_RANGE, theirs, 0x70, 0x71);
	EXPECT_EQ(-EPERM, bound_call(other_domid, &op, NULL, 0));

	/* Every operation is refused before it enters Xen. */
	for (i = 0; i < 64; i++) {
		memset(&op, 0, sizeof(op));
		op.op = i;
		memset(bitmap, POISON, sizeof(bitmap));
		EXPECT_EQ(-EPERM, bound_call(other_domid, &op, bitmap, sizeof(bitmap))) {
			TH_LOG("operation %u", i);
		}
		EXPECT_TRUE(all_bytes(bitmap, POISON, sizeof(bitmap)));
	}
	EXPECT_EQ(0, dmop_calls(self->fd));

	EXPECT_EQ(1U << theirs, ioreq_mask(self->observer, other_domid));
	EXPECT_EQ(1, ports_mapped(self->observer, other_domid, theirs, 0x60, 0x60));
	EXPECT_EQ(1, ports_mapped(self->observer, other_domid, theirs, 0x64, 0x64));
	EXPECT_EQ(0, ports_mapped(self->observer, other_domid, theirs, 0x70, 0x71));
	EXPECT_EQ(0, ioreq_mask(self->observer, target_domid));
}

/* An operation with two buffers, and its result in the second. */
TEST_F(effect, two_buffers_out)
{
	struct dm_op op = { .op = DM_OP_TRACK_DIRTY_VRAM };
	char bitmap[16];

	X86_ONLY("an operation with a second buffer");
	/* Makes the range new to Xen again. */
	EXPECT_EQ(0, bound_call(target_domid, &op, bitmap, 0));

	op.u.vram.nr = 64;
	memset(bitmap, POISON, sizeof(bitmap));
	ASSERT_EQ(0, bound_call(target_domid, &op, bitmap, sizeof(bitmap)));
	EXPECT_TRUE(all_bytes(bitmap, 0xff, 8));
	EXPECT_TRUE(all_bytes(bitmap + 8, POISON, 8));

	/* Nothing runs in the domain, so the observer then finds no dirty page. */
	memset(bitmap, POISON, sizeof(bitmap));
	ASSERT_EQ(0, dm_op2(self->observer, target_domid, &op, bitmap, sizeof(bitmap)));
	EXPECT_TRUE(all_bytes(bitmap, 0, 8));
	EXPECT_TRUE(all_bytes(bitmap + 8, POISON, 8));

	op.u.vram.nr = 0;
	EXPECT_EQ(0, bound_call(target_domid, &op, bitmap, 0));
}

/*
 * An operation with two input buffers. It marks pages for a migration. Without a migration its
 * effect cannot be observed.
 */
TEST_F(effect, two_buffers_in)
{
	struct dm_op op = { .op = DM_OP_MODIFIED_MEMORY };
	struct dm_op_extent extents[2] = {
		{ .nr = 1, .first_pfn = 1 },
		{ .nr = 2, .first_pfn = 3 },
	};

	X86_ONLY("an operation with a second buffer");
	op.u.modified.nr_extents = 2;
	EXPECT_EQ(0, bound_call(target_domid, &op, extents, sizeof(extents)));
	EXPECT_EQ(-EPERM, bound_call(other_domid, &op, extents, sizeof(extents)));
}

/* The counter counts the calls that entered Xen, and no others. */
TEST_F(effect, counted)
{
	long id = bound_create(target_domid);

	ASSERT_LE(0, id);
	EXPECT_EQ(1, dmop_calls(self->fd));
	EXPECT_EQ(-EPERM, bound_create(other_domid));
	EXPECT_EQ(1, dmop_calls(self->fd));
	EXPECT_EQ(0, bound_destroy(target_domid, id));
	EXPECT_EQ(-ENOENT, bound_destroy(target_domid, id));
	EXPECT_EQ(3, dmop_calls(self->fd));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
