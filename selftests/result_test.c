// SPDX-License-Identifier: GPL-2.0
/*
 * result_test.c - user memory that a call writes: the results, and nothing else
 *
 * A call that fails leaves user memory unchanged. The tests poison all of their memory first, and
 * compare all of it afterwards.
 */
#include "dmop_test.h"

/* --- results ----------------------------------------------------------- */

/*
 * DM_OP_TRACK_DIRTY_VRAM writes a bitmap to buffer 1: all ones for a new range. Nothing runs in the
 * domain, so the next bitmap is all zeros.
 */
#define VRAM_PAGES	256
#define VRAM_BYTES	(VRAM_PAGES / 8)

FIXTURE(result)
{
	int fd;
	int observer;
	char *mem;
	size_t len;
	long server;
};

static struct dm_op vram_op(__u32 nr)
{
	struct dm_op op = { .op = DM_OP_TRACK_DIRTY_VRAM };

	op.u.vram.nr = nr;
	op.u.vram.first_pfn = 0;
	return op;
}

/* Ends the tracking, so the next bitmap is all ones. There is none on arm64. */
static long vram_forget(int fd)
{
	struct dm_op op = vram_op(0);
	char none;

	if (!ON_X86)
		return 0;
	return dm_op2(fd, target_domid, &op, &none, 0);
}

FIXTURE_SETUP(result)
{
	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	self->len = 2 * sysconf(_SC_PAGESIZE);
	self->mem = guarded_pages(2, 0);
	ASSERT_NE(NULL, self->mem);
	ioreq_destroy_all(self->observer, target_domid);
	self->server = ioreq_create(self->observer, target_domid);
	ASSERT_LE(0, self->server);
	ASSERT_EQ(0, vram_forget(self->observer));
}

FIXTURE_TEARDOWN(result)
{
	vram_forget(self->observer);
	ioreq_destroy_all(self->observer, target_domid);
	close(self->observer);
	close(self->fd);
}

/* The result ends where memory ends, and nothing before it changes. */
TEST_F(result, written_back)
{
	char *at = self->mem + self->len - VRAM_BYTES;
	struct dm_op op = vram_op(VRAM_PAGES);

	X86_ONLY("an operation with a second buffer");
	ASSERT_EQ(0, dm_op2(self->fd, target_domid, &op, at, VRAM_BYTES));
	EXPECT_TRUE(all_bytes(at, 0xff, VRAM_BYTES));
	ASSERT_EQ(0, dm_op2(self->fd, target_domid, &op, at, VRAM_BYTES));
	EXPECT_TRUE(all_bytes(at, 0, VRAM_BYTES));
	EXPECT_TRUE(all_bytes(self->mem, POISON, self->len - VRAM_BYTES));
}

/* Xen fills only a part of the buffer. The rest stays unchanged. */
TEST_F(result, written_back_with_the_rest_as_it_was)
{
	static const unsigned int sizes[] = { VRAM_BYTES + 1, 192, 193, 1000, 4096 };
	struct dm_op op = vram_op(VRAM_PAGES);
	unsigned int i;

	X86_ONLY("an operation with a second buffer");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, vram_forget(self->observer));
		memset(self->mem, POISON, self->len);
		ASSERT_EQ(0, dm_op2(self->fd, target_domid, &op, self->mem, sizes[i]));
		EXPECT_TRUE(all_bytes(self->mem, 0xff, VRAM_BYTES));
		EXPECT_TRUE(all_bytes(self->mem + VRAM_BYTES, POISON, self->len - VRAM_BYTES));
	}
}

/* All lengths: the comparison by words has to include the last bytes. */
TEST_F(result, written_back_to_the_byte)
{
	unsigned int bytes, before;

	X86_ONLY("an operation with a second buffer");
	for (bytes = 1; bytes <= 40; bytes++) {
		struct dm_op op = vram_op(8 * bytes);

		/* Only the last byte of the result differs from the buffer. */
		ASSERT_EQ(0, vram_forget(self->observer));
		memset(self->mem, 0xff, bytes - 1);
		memset(self->mem + bytes - 1, POISON, self->len - bytes + 1);
		ASSERT_EQ(0, dm_op2(self->fd, target_domid, &op, self->mem, bytes));
		EXPECT_TRUE(all_bytes(self->mem, 0xff, bytes));
		EXPECT_TRUE(all_bytes(self->mem + bytes, POISON, self->len - bytes));
	}
	/* The result is the same as the buffer. It must not be written, and a write would fail. */
	memset(self->mem, 0, self->len);
	ASSERT_EQ(0, mprotect(self->mem, self->len, PROT_READ));
	for (bytes = 1; bytes <= 40; bytes++) {
		struct dm_op op = vram_op(8 * bytes);
		char bitmap[40];

		before = dmop_calls(self->fd);
		ASSERT_EQ(0, vram_forget(self->observer));
		ASSERT_EQ(0, dm_op2(self->fd, target_domid, &op, bitmap, bytes));
		EXPECT_EQ(0, dm_op2(self->fd, target_domid, &op, self->mem, bytes));
		EXPECT_EQ(before + 2, dmop_calls(self->fd));
	}
}

/* The operation has a result. The second buffer is read-only, and Xen does not change it. */
TEST_F(result, unchanged_read_only_buffer)
{
	struct dm_op op = asking_op(self->server);

	ASSERT_EQ(0, mprotect(self->mem, self->len, PROT_READ));
	EXPECT_EQ(0, dm_op2(self->fd, target_domid, &op, self->mem, 100));
	EXPECT_NE(0, *answer(&op));
	*answer(&op) = 0;
	EXPECT_EQ(0, dm_op2(self->fd, target_domid, &op, self->mem, 4096));
	EXPECT_NE(0, *answer(&op));
	EXPECT_TRUE(all_bytes(self->mem, POISON, self->len));
}

/* An operation without a result may be in read-only memory. */
TEST_F(result, unchanged_read_only_operation)
{
	struct dm_op *op = (void *)self->mem;

	*op = ports_op(DM_OP_MAP_IO_RANGE, self->server, 0x100, 0x10f);
	ASSERT_EQ(0, mprotect(self->mem, self->len, PROT_READ));
	EXPECT_EQ(0, dm_op(self->fd, target_domid, op));
	EXPECT_EQ(1, ports_mapped(self->observer, target_domid, self->server, 0x100, 0x10f));
}

/* The only failure after Xen has acted, on the small path and on the large one. */
TEST_F(result, changed_read_only_buffer)
{
	struct dm_op op = vram_op(VRAM_PAGES);
	char *end = self->mem + self->len;
	char bitmap[VRAM_BYTES];

	X86_ONLY("an operation with a second buffer");
	ASSERT_EQ(0, mprotect(self->mem, self->len, PROT_READ));
	EXPECT_EQ(-EFAULT, dm_op2(self->fd, target_domid, &op, end - VRAM_BYTES, VRAM_BYTES));
	EXPECT_TRUE(all_bytes(self->mem, POISON, self->len));
	/* Xen has acted: the range is no longer new to it. */
	EXPECT_EQ(0, dm_op2(self->fd, target_domid, &op, bitmap, VRAM_BYTES));
	EXPECT_TRUE(all_bytes(bitmap, 0, VRAM_BYTES));

	ASSERT_EQ(0, vram_forget(self->observer));
	EXPECT_EQ(-EFAULT, dm_op2(self->fd, target_domid, &op, self->mem, 1000));
	EXPECT_TRUE(all_bytes(self->mem, POISON, self->len));
}

TEST_F(result, changed_read_only_operation)
{
	struct dm_op *op = (void *)self->mem, given;

	memset(op, 0, sizeof(*op));
	op->op = DM_OP_CREATE_IOREQ_SERVER;
	op->u.create.id = 0xbeef;
	given = *op;
	ASSERT_EQ(0, mprotect(self->mem, self->len, PROT_READ));
	EXPECT_EQ(-EFAULT, dm_op(self->fd, target_domid, op));
	EXPECT_EQ(0, memcmp(&given, op, sizeof(given)));
	/* Xen has acted: there is another server. */
	EXPECT_EQ(2, __builtin_popcount(ioreq_mask(self->observer, target_domid)));
}

/* Two buffers in the same memory. They are copied back one after the other, and only if changed. */
TEST_F(result, overlapping_buffers)
{
	struct dm_op *op = (void *)self->mem;
	struct dmop_buf bufs[2] = {
		{ .uptr = op, .size = sizeof(*op) },
		{ .uptr = op, .size = sizeof(*op) },
	};

	/* Xen changes only the first. The unchanged second one must not overwrite it. */
	*op = asking_op(self->server);
	EXPECT_EQ(0, dmop_call(self->fd, target_domid, bufs, 2));
	EXPECT_NE(0, *answer(op));
}

/* Xen changes the second, in the middle of the first. */
TEST_F(result, buffer_in_a_buffer)
{
	struct dm_op *op = (void *)self->mem;
	struct dmop_buf bufs[2] = {
		{ .uptr = op, .size = sizeof(*op) },
		{ .uptr = (char *)op + 32, .size = 8 },
	};

	X86_ONLY("an operation with a second buffer");
	*op = vram_op(64);
	ASSERT_EQ(0, vram_forget(self->observer));
	EXPECT_EQ(0, dmop_call(self->fd, target_domid, bufs, 2));
	EXPECT_TRUE(all_bytes((char *)op + 32, 0xff, 8));
	EXPECT_EQ(DM_OP_TRACK_DIRTY_VRAM, op->op);
	EXPECT_TRUE(all_bytes((char *)op + 40, 0, sizeof(*op) - 40));
}

/* A buffer that overlaps the argument and the array. */
TEST_F(result, buffer_over_array_and_argument)
{
	struct dmop_dm_op *arg = (void *)self->mem;
	struct dmop_buf *bufs = (void *)(arg + 1);
	struct dm_op op = vram_op(512);

	X86_ONLY("an operation with a second buffer");
	arg->dom = target_domid;
	arg->num = 2;
	arg->ubufs = bufs;
	bufs[0].uptr = &op;
	bufs[0].size = sizeof(op);
	bufs[1].uptr = self->mem;
	bufs[1].size = 64;
	EXPECT_EQ(0, do_ioctl(self->fd, DMOP_IOCTL_DM_OP, arg));
	/* 48 bytes of argument and array, then poison: all overwritten by the result. */
	EXPECT_TRUE(all_bytes(self->mem, 0xff, 64));
	EXPECT_TRUE(all_bytes(self->mem + 64, POISON, self->len - 64));
}

/* --- failed calls ------------------------------------------------------ */

struct failing_op {
	const char *what;
	struct dm_op op;
	size_t second;		/* size of buffer 1; 0 for none */
	long ret;
};

/* Xen refuses each at another point. */
static const struct failing_op failing_ops[] = {
	{ "unknown operation", { .op = DM_OP_UNKNOWN }, 0, -EOPNOTSUPP },
	{ "non-zero padding", { .op = DM_OP_CREATE_IOREQ_SERVER, .pad = 1 }, 0, -EINVAL },
	{ "no such server", { .op = DM_OP_GET_IOREQ_SERVER_INFO, .u.info.id = 7 }, 0, -ENOENT },
	{ "no such kind of server", { .op = DM_OP_CREATE_IOREQ_SERVER,
	  .u.create.handle_bufioreq = 9 }, 0, -EINVAL },
#ifdef __x86_64__
	{ "bitmap too small", { .op = DM_OP_TRACK_DIRTY_VRAM,
	  .u.vram.nr = 4096 }, 100, -EINVAL },
	{ "too many pages", { .op = DM_OP_TRACK_DIRTY_VRAM,
	  .u.vram.nr = 1 << 20 }, 4096, -EINVAL },
	{ "memory type that does not exist", { .op = DM_OP_SET_MEM_TYPE,
	  .u.mem_type = { .nr = 1, .type = 0x7fff } }, 0, -EINVAL },
#endif
};

TEST_F(result, failed_call_writes_nothing)
{
	struct dm_op *op = (void *)self->mem;
	char *second = self->mem + sizeof(*op);
	char *given = malloc(self->len);
	unsigned int i;

	ASSERT_NE(NULL, given);
	for (i = 0; i < ARRAY_SIZE(failing_ops); i++) {
		const struct failing_op *f = &failing_ops[i];
		unsigned int mask = ioreq_mask(self->observer, target_domid);
		long ret;

		memset(self->mem, POISON, self->len);
		*op = f->op;
		memcpy(given, self->mem, self->len);
		if (f->second)
			ret = dm_op2(self->fd, target_domid, op, second, f->second);
		else
			ret = dm_op(self->fd, target_domid, op);
		EXPECT_EQ(f->ret, ret) {
			TH_LOG("%s", f->what);
		}
		EXPECT_EQ(0, memcmp(given, self->mem, self->len)) {
			TH_LOG("%s: user memory written", f->what);
		}
		EXPECT_EQ(mask, ioreq_mask(self->observer, target_domid));
	}
	free(given);
}

/*
 * Xen may preempt a long operation, and then keeps its progress in buffer 0. If a later part fails,
 * the buffer no longer has the caller's content. Here the part at the end of the domain's memory
 * fails.
 *
 * A preemption depends on interrupts, so the test repeats the operation many times.
 */
#define LONG_ROUNDS	200

TEST_F(result, failure_after_a_pause_writes_nothing)
{
	struct dm_op op = { .op = DM_OP_SET_MEM_TYPE }, given;
	__u32 nr = 1;
	int i;

	X86_ONLY("an operation that Xen preempts");
	/* Doubles the number of pages until the operation fails. */
	op.u.mem_type.type = DM_OP_MEM_RAM_RW;
	do {
		nr *= 2;
		op.u.mem_type.nr = nr;
		op.u.mem_type.first_pfn = 0;
	} while (nr < 1U << 24 && !dm_op(self->fd, target_domid, &op));

	op.u.mem_type.nr = nr;
	op.u.mem_type.first_pfn = 0;
	given = op;
	for (i = 0; i < LONG_ROUNDS; i++) {
		EXPECT_EQ(-EINVAL, dm_op(self->fd, target_domid, &op));
		ASSERT_EQ(0, memcmp(&given, &op, sizeof(op))) {
			TH_LOG("round %d of %u pages: left at page %llu, %u to go",
			       i, nr, op.u.mem_type.first_pfn, op.u.mem_type.nr);
		}
	}
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
