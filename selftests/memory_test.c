// SPDX-License-Identifier: GPL-2.0
/*
 * memory_test.c - user memory that a call reads: the argument, the array of buffers, a buffer
 *
 * Each is tried at the end of memory, unaligned, read-only, at foreign addresses, and at the limits
 * of count and size.
 */
#include "dmop_test.h"

#define BAD_POINTER	((void *)8)

/* The result of Xen if the first buffer is too small for an operation. */
#define TOO_SHORT	(-EFAULT)

/* Calls with one or two buffers, and up to this many bytes, take the small path. */
#define SMALL_BYTES	256

/* Addresses outside of user space. */
static const unsigned long foreign_addresses[] = {
	0xffffffff81000000,	/* kernel text */
	0xffff888000000000,	/* the kernel's direct map of memory */
	0xffffc90000000000,	/* its vmalloc area */
	0xffffffffff600000,	/* the vsyscall page */
	0x0000800000000000,	/* the first non-canonical address */
	0x00007ffffffff000,	/* the last page of the lower half */
	0x8000000000000000,
	0xffff7fffffffffff,	/* the last non-canonical address */
	0xffff800000000000,	/* the first address of the upper half */
	0xfffffffffffffff8,	/* wraps around */
	0xffffffffffffffff,
};

/* --- the ioctl's argument ---------------------------------------------- */

FIXTURE(argument)
{
	int fd;
	char *mem;		/* two pages between pages without access */
	size_t len;
};

FIXTURE_VARIANT(argument)
{
	unsigned int cmd;
	size_t size;
};

FIXTURE_VARIANT_ADD(argument, dm_op) {
	.cmd = DMOP_IOCTL_DM_OP, .size = sizeof(struct dmop_dm_op),
};

FIXTURE_VARIANT_ADD(argument, hypercall) {
	.cmd = DMOP_IOCTL_HYPERCALL, .size = sizeof(struct dmop_hypercall),
};

FIXTURE_VARIANT_ADD(argument, restrict) {
	.cmd = DMOP_IOCTL_RESTRICT, .size = sizeof(__u16),
};

FIXTURE_VARIANT_ADD(argument, irqfd) {
	.cmd = DMOP_IOCTL_IRQFD, .size = sizeof(struct dmop_irqfd),
};

FIXTURE_VARIANT_ADD(argument, ioeventfd) {
	.cmd = DMOP_IOCTL_IOEVENTFD, .size = sizeof(struct dmop_ioeventfd),
};

FIXTURE_VARIANT_ADD(argument, serve) {
	.cmd = DMOP_IOCTL_SERVE, .size = sizeof(struct dmop_serve),
};

FIXTURE_VARIANT_ADD(argument, answer) {
	.cmd = DMOP_IOCTL_ANSWER, .size = sizeof(struct dmop_answer),
};

FIXTURE_VARIANT_ADD(argument, kick) {
	.cmd = DMOP_IOCTL_KICK, .size = sizeof(struct dmop_kick),
};

FIXTURE_VARIANT_ADD(argument, mmapbatch) {
	.cmd = DMOP_IOCTL_MMAPBATCH_V2, .size = sizeof(struct dmop_mmapbatch_v2),
};

FIXTURE_VARIANT_ADD(argument, mmap_resource) {
	.cmd = DMOP_IOCTL_MMAP_RESOURCE, .size = sizeof(struct dmop_mmap_resource),
};

FIXTURE_SETUP(argument)
{
	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
	self->len = 2 * sysconf(_SC_PAGESIZE);
	self->mem = guarded_pages(2, 0);
	ASSERT_NE(NULL, self->mem);
}

FIXTURE_TEARDOWN(argument)
{
	close(self->fd);
}

/* Writes a valid argument, with no frames for mappings. Return: the expected result. */
static long make_argument(unsigned int cmd, void *at, struct dmop_buf *buf,
			  struct dm_op *op)
{
	struct dmop_dm_op d = { .dom = target_domid, .num = 1, .ubufs = buf };
	struct dmop_hypercall h = {
		.op = DMOP_HYPERCALL_NR,
		.arg = { target_domid, 1, (unsigned long)buf, -1, -1 },
	};
	struct dmop_mmapbatch_v2 b = { .dom = target_domid };
	struct dmop_mmap_resource r = { .dom = target_domid, .addr = 4096 };
	struct dmop_irqfd i = { .dom = target_domid, .size = 8, .fd = -1 };
	/* No descriptor, and nothing is served. */
	struct dmop_ioeventfd io = {
		.dom = target_domid, .addr_len = 4, .vcpus = 1, .event_fd = -1,
	};
	struct dmop_serve s = { .size = sizeof(s), .domid = target_domid, .vcpus = 1, .rest_fd = -1 };
	struct dmop_answer a = { .size = sizeof(a), .vcpus = { 1 } };
	struct dmop_kick k = { .size = sizeof(k), .domid = target_domid, .fd = -1 };

	op->op = DM_OP_UNKNOWN;
	buf->uptr = op;
	buf->size = sizeof(*op);
	switch (cmd) {
	case DMOP_IOCTL_DM_OP:
		memcpy(at, &d, sizeof(d));
		return -EOPNOTSUPP;
	case DMOP_IOCTL_HYPERCALL:
		memcpy(at, &h, sizeof(h));
		return -EOPNOTSUPP;
	case DMOP_IOCTL_MMAPBATCH_V2:
		memcpy(at, &b, sizeof(b));
		return -EINVAL;
	case DMOP_IOCTL_MMAP_RESOURCE:
		memcpy(at, &r, sizeof(r));
		return -EINVAL;
	case DMOP_IOCTL_IRQFD:
		memcpy(at, &i, sizeof(i));
		return -EBADF;
	case DMOP_IOCTL_IOEVENTFD:
		memcpy(at, &io, sizeof(io));
		return -EBADF;
	case DMOP_IOCTL_SERVE:
		memcpy(at, &s, sizeof(s));
		return -EBADF;
	case DMOP_IOCTL_ANSWER:
		memcpy(at, &a, sizeof(a));
		return -EINVAL;
	case DMOP_IOCTL_KICK:
		memcpy(at, &k, sizeof(k));
		return -EBADF;
	default:
		memcpy(at, &target_domid, sizeof(target_domid));
		return 0;
	}
}

/* The argument ends where memory ends. Then 1, 2, ... of its bytes are missing. */
TEST_F(argument, at_the_end_of_memory)
{
	char *end = self->mem + self->len, given[64];
	struct dmop_buf buf;
	struct dm_op op;
	size_t missing;
	long ret;

	ret = make_argument(variant->cmd, end - variant->size, &buf, &op);
	EXPECT_EQ(ret, do_ioctl(self->fd, variant->cmd, end - variant->size));

	memcpy(given, end - variant->size, variant->size);
	for (missing = 1; missing <= variant->size; missing++) {
		char *at = end - variant->size + missing;

		memset(self->mem, POISON, self->len);
		memcpy(at, given, variant->size - missing);
		EXPECT_EQ(-EFAULT, do_ioctl(self->fd, variant->cmd, at)) {
			TH_LOG("%zu bytes are missing", missing);
		}
		EXPECT_EQ(0, memcmp(at, given, variant->size - missing));
	}
}

TEST_F(argument, begins_before_memory)
{
	struct dmop_buf buf;
	struct dm_op op;

	make_argument(variant->cmd, self->mem, &buf, &op);
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, variant->cmd, self->mem - 1));
}

TEST_F(argument, unaligned)
{
	unsigned int shift;
	struct dmop_buf buf;
	struct dm_op op;

	for (shift = 1; shift < 8; shift++) {
		long ret = make_argument(variant->cmd, self->mem + shift, &buf, &op);

		EXPECT_EQ(ret, do_ioctl(self->fd, variant->cmd, self->mem + shift));
	}
}

/* The argument is an input only. */
TEST_F(argument, read_only)
{
	struct dmop_buf buf;
	struct dm_op op;
	long ret = make_argument(variant->cmd, self->mem, &buf, &op);

	ASSERT_EQ(0, mprotect(self->mem, self->len, PROT_READ));
	EXPECT_EQ(ret, do_ioctl(self->fd, variant->cmd, self->mem));
}

TEST_F(argument, foreign_addresses)
{
	struct dmop_info before, after;
	unsigned int i;

	ASSERT_EQ(0, dmop_info(self->fd, &before));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, variant->cmd, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, variant->cmd, BAD_POINTER));
	for (i = 0; i < ARRAY_SIZE(foreign_addresses); i++) {
		void *at = (void *)foreign_addresses[i];

		EXPECT_EQ(-EFAULT, do_ioctl(self->fd, variant->cmd, at)) {
			TH_LOG("at %p", at);
		}
	}
	ASSERT_EQ(0, dmop_info(self->fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

/*
 * Arguments that begin with their size can be longer. NARROW and BATCH have tests of their own.
 * Return: as do_ioctl(). The argument is not written.
 */
static long longer(int fd, unsigned int cmd, void *at, __u32 size)
{
	struct dmop_buf buf;
	struct dm_op op;

	make_argument(cmd, at, &buf, &op);
	memcpy(at, &size, sizeof(size));
	return do_ioctl(fd, cmd, at);
}

static bool has_size(unsigned int cmd)
{
	return cmd == DMOP_IOCTL_SERVE || cmd == DMOP_IOCTL_ANSWER || cmd == DMOP_IOCTL_KICK;
}

/* Bytes that the module does not know: zero; one of them not; or not all there. */
TEST_F(argument, longer_than_known)
{
	char *end = self->mem + self->len;
	struct dmop_info before, after;
	struct dmop_buf buf;
	struct dm_op op;
	size_t more, i;
	long ret;

	if (!has_size(variant->cmd))
		return;
	ret = make_argument(variant->cmd, self->mem, &buf, &op);
	ASSERT_EQ(0, dmop_info(self->fd, &before));
	for (more = 1; more <= 24; more++) {
		char *at = end - variant->size - more;

		memset(self->mem, 0, self->len);
		EXPECT_EQ(ret, longer(self->fd, variant->cmd, at, variant->size + more)) {
			TH_LOG("%zu bytes more", more);
		}
		EXPECT_EQ(-EFAULT, longer(self->fd, variant->cmd, at, variant->size + more + 1)) {
			TH_LOG("%zu bytes more, and one is missing", more);
		}
		EXPECT_TRUE(all_bytes(end - more, 0, more));
		for (i = 0; i < more; i++) {
			end[i - more] = 1;
			EXPECT_EQ(-E2BIG, longer(self->fd, variant->cmd, at, variant->size + more)) {
				TH_LOG("byte %zu of %zu", i, more);
			}
			/* It is not part of a shorter one. */
			EXPECT_EQ(ret, longer(self->fd, variant->cmd, at, variant->size + i));
			end[i - more] = 0;
		}
	}
	ASSERT_EQ(0, dmop_info(self->fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

/* --- the array of buffers ---------------------------------------------- */

FIXTURE(array)
{
	int fd;
	char *mem;
	size_t len;
	long max_nr, max_size;
};

FIXTURE_SETUP(array)
{
	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
	self->len = 2 * sysconf(_SC_PAGESIZE);
	self->mem = guarded_pages(2, 0);
	ASSERT_NE(NULL, self->mem);
	self->max_nr = param_get("dm_op_max_nr_bufs");
	self->max_size = param_get("dm_op_buf_max_size");
	ASSERT_LT(0, self->max_nr);
	ASSERT_LT(0, self->max_size);
}

FIXTURE_TEARDOWN(array)
{
	/* Restores the parameters after a failed test as well. */
	param_set("dm_op_max_nr_bufs", self->max_nr);
	param_set("dm_op_buf_max_size", self->max_size);
	close(self->fd);
}

static void fill_array(struct dmop_buf *bufs, unsigned int nr, struct dm_op *op)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		bufs[i].uptr = op;
		bufs[i].size = sizeof(*op);
	}
}

/* The result of Xen for @nr buffers, the first with an unknown operation. */
static long xen_says(unsigned int nr)
{
	return nr > DM_OP_XEN_NR_BUFS ? -E2BIG : -EOPNOTSUPP;
}

/* For each count: the array ends where memory ends. Then a byte of it is missing. */
TEST_F(array, at_the_end_of_memory)
{
	char *end = self->mem + self->len;
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	long nr;

	for (nr = 1; nr <= self->max_nr; nr++) {
		struct dmop_buf *bufs = (struct dmop_buf *)end - nr;
		__u64 calls = dmop_calls(self->fd);

		fill_array(bufs, nr, &op);
		EXPECT_EQ(xen_says(nr), dmop_call(self->fd, target_domid, bufs, nr)) {
			TH_LOG("%ld buffers", nr);
		}
		EXPECT_EQ(calls + 1, dmop_calls(self->fd));

		memmove((char *)bufs + 1, bufs, nr * sizeof(*bufs) - 1);
		bufs = (void *)((char *)bufs + 1);
		EXPECT_EQ(-EFAULT, dmop_call(self->fd, target_domid, bufs, nr)) {
			TH_LOG("%ld buffers, a byte is missing", nr);
		}
		EXPECT_EQ(calls + 1, dmop_calls(self->fd));
	}
}

TEST_F(array, foreign_addresses)
{
	__u64 calls = dmop_calls(self->fd);
	unsigned int i;
	long nr;

	for (nr = 1; nr <= self->max_nr; nr++) {
		EXPECT_EQ(-EFAULT, dmop_call(self->fd, target_domid, NULL, nr));
		EXPECT_EQ(-EFAULT, dmop_call(self->fd, target_domid, BAD_POINTER, nr));
		for (i = 0; i < ARRAY_SIZE(foreign_addresses); i++) {
			void *at = (void *)foreign_addresses[i];

			EXPECT_EQ(-EFAULT, dmop_call(self->fd, target_domid, at, nr)) {
				TH_LOG("%ld buffers at %p", nr, at);
			}
		}
	}
	EXPECT_EQ(calls, dmop_calls(self->fd));
}

TEST_F(array, read_only_and_unaligned)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	unsigned int shift;

	for (shift = 0; shift < 8; shift++) {
		ASSERT_EQ(0, mprotect(self->mem, self->len, PROT_READ | PROT_WRITE));
		fill_array((void *)(self->mem + shift), 2, &op);
		ASSERT_EQ(0, mprotect(self->mem, self->len, PROT_READ));
		EXPECT_EQ(-EOPNOTSUPP, dmop_call(self->fd, target_domid,
						 (void *)(self->mem + shift), 2));
	}
}

/* The limit on the count: as many buffers, one more, and many more. */
TEST_F(array, count_limit)
{
	static const unsigned int limits[] = { 1, 2, 3, 16, 63, 64 };
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf *bufs = (void *)self->mem;
	struct dmop_info info;
	unsigned int i;

	fill_array(bufs, 65, &op);
	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		__u64 calls = dmop_calls(self->fd);

		ASSERT_EQ(0, param_set("dm_op_max_nr_bufs", limits[i]));
		EXPECT_EQ(xen_says(limits[i]),
			  dmop_call(self->fd, target_domid, bufs, limits[i])) {
			TH_LOG("limit %u", limits[i]);
		}
		/*
		 * The counter tells E2BIG of Xen from E2BIG of the module. The calls below do not
		 * enter Xen.
		 */
		EXPECT_EQ(calls + 1, dmop_calls(self->fd));
		EXPECT_EQ(-E2BIG, dmop_call(self->fd, target_domid, bufs, limits[i] + 1));
		EXPECT_EQ(-E2BIG, dmop_call(self->fd, target_domid, bufs, 0xffff));
		EXPECT_EQ(calls + 1, dmop_calls(self->fd));
		EXPECT_EQ(0, dmop_info(self->fd, &info));
		EXPECT_EQ(limits[i], info.max_nr_bufs);
	}
}

/* A value out of range is refused, and the parameter keeps its value. */
TEST_F(array, limits_of_the_limits)
{
	static const struct { const char *name, *text; long ret; } tries[] = {
		{ "dm_op_max_nr_bufs", "0", -EINVAL },
		{ "dm_op_max_nr_bufs", "65", -EINVAL },
		{ "dm_op_max_nr_bufs", "-1", -EINVAL },
		{ "dm_op_max_nr_bufs", "4294967297", -ERANGE },
		{ "dm_op_max_nr_bufs", "many", -EINVAL },
		{ "dm_op_max_nr_bufs", " ", -EINVAL },
		{ "dm_op_buf_max_size", "0", -EINVAL },
		{ "dm_op_buf_max_size", "65537", -EINVAL },
		{ "dm_op_buf_max_size", "-4096", -EINVAL },
		{ "dm_op_buf_max_size", "4294971392", -ERANGE },
		{ "dm_op_buf_max_size", "4096k", -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		long before = param_get(tries[i].name);

		EXPECT_EQ(tries[i].ret, param_set_text(tries[i].name, tries[i].text)) {
			TH_LOG("%s = %s", tries[i].name, tries[i].text);
		}
		EXPECT_EQ(before, param_get(tries[i].name));
	}
	EXPECT_EQ(0, param_set("dm_op_max_nr_bufs", 64));
	EXPECT_EQ(64, param_get("dm_op_max_nr_bufs"));
	EXPECT_EQ(0, param_set("dm_op_buf_max_size", 1 << 16));
	EXPECT_EQ(1 << 16, param_get("dm_op_buf_max_size"));
	EXPECT_EQ(0, param_set("dm_op_max_nr_bufs", 1));
	EXPECT_EQ(0, param_set("dm_op_buf_max_size", 1));
}

/* --- a buffer ---------------------------------------------------------- */

/* All limits in one call: 64 buffers of 64 KiB, at the same address. */
TEST_F(array, largest_call)
{
	const unsigned int nr = 64, size = 1 << 16;
	struct dmop_buf bufs[64];
	struct dm_op *op = mmap(NULL, size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	ASSERT_NE(MAP_FAILED, op);
	ASSERT_EQ(0, param_set("dm_op_max_nr_bufs", nr));
	ASSERT_EQ(0, param_set("dm_op_buf_max_size", size));
	op->op = DM_OP_UNKNOWN;
	for (i = 0; i < nr; i++) {
		bufs[i].uptr = op;
		bufs[i].size = size;
	}
	EXPECT_EQ(-E2BIG, dmop_call(self->fd, target_domid, bufs, nr));
	EXPECT_EQ(1, dmop_calls(self->fd));
	EXPECT_EQ(-EOPNOTSUPP, dmop_call(self->fd, target_domid, bufs, 2));
	EXPECT_EQ(2, dmop_calls(self->fd));
}

/* Sizes with a sum that wraps around. Each is too large by itself. */
TEST_F(array, huge_sizes)
{
	static const unsigned long sizes[] = {
		1UL << 31, 1UL << 32, (1UL << 32) + 64, 1UL << 63, -1UL, -64UL,
	};
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf bufs[16];
	unsigned int i, at;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (at = 0; at < ARRAY_SIZE(bufs); at++) {
			fill_array(bufs, ARRAY_SIZE(bufs), &op);
			bufs[at].size = sizes[i];
			EXPECT_EQ(-E2BIG, dmop_call(self->fd, target_domid, bufs,
						    ARRAY_SIZE(bufs))) {
				TH_LOG("buffer %u of %#lx bytes", at, sizes[i]);
			}
			if (at < 2)
				EXPECT_EQ(-E2BIG, dmop_call(self->fd, target_domid,
							    bufs, at + 1));
		}
	}
	for (i = 0; i < ARRAY_SIZE(bufs); i++)
		bufs[i].size = 1UL << 60;	/* the sum of sixteen wraps around to 0 */
	EXPECT_EQ(-E2BIG, dmop_call(self->fd, target_domid, bufs, ARRAY_SIZE(bufs)));
	EXPECT_EQ(0, dmop_calls(self->fd));
}

/* The limit on the size: as many bytes, and one more. */
TEST_F(array, size_limit)
{
	static const unsigned int limits[] = { 64, 255, 256, 257, 4096, 1 << 16 };
	char *mem = guarded_pages(17, 0);
	struct dmop_info info;
	unsigned int i, at;

	ASSERT_NE(NULL, mem);
	((struct dm_op *)mem)->op = DM_OP_UNKNOWN;
	((struct dm_op *)mem)->pad = 0;
	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		ASSERT_EQ(0, param_set("dm_op_buf_max_size", limits[i]));
		for (at = 0; at < 2; at++) {
			struct dmop_buf bufs[2] = {
				{ .uptr = mem, .size = 64 },
				{ .uptr = mem, .size = 64 },
			};
			__u64 calls = dmop_calls(self->fd);

			bufs[at].size = limits[i];
			EXPECT_EQ(-EOPNOTSUPP, dmop_call(self->fd, target_domid, bufs, 2)) {
				TH_LOG("limit %u, buffer %u", limits[i], at);
			}
			EXPECT_EQ(calls + 1, dmop_calls(self->fd));
			bufs[at].size++;
			EXPECT_EQ(-E2BIG, dmop_call(self->fd, target_domid, bufs, 2));
			EXPECT_EQ(calls + 1, dmop_calls(self->fd));
		}
		EXPECT_EQ(0, dmop_info(self->fd, &info));
		EXPECT_EQ(limits[i], info.max_buf_size);
	}
}

/* A buffer of @size bytes ends where memory ends. Then a byte of it is missing. */
static void check_buffer_end(struct __test_metadata *const _metadata, int fd,
			     char *mem, size_t len, size_t size)
{
	char *end = mem + len;
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf bufs[2] = {
		{ .uptr = &op, .size = sizeof(op) },
		{ .uptr = end - size, .size = size },
	};
	__u64 calls = dmop_calls(fd);

	EXPECT_EQ(-EOPNOTSUPP, dmop_call(fd, target_domid, bufs, 2)) {
		TH_LOG("%zu + %zu bytes", sizeof(op), size);
	}
	EXPECT_EQ(calls + 1, dmop_calls(fd));
	bufs[1].uptr = end - size + 1;
	EXPECT_EQ(-EFAULT, dmop_call(fd, target_domid, bufs, 2)) {
		TH_LOG("%zu + %zu bytes, a byte is missing", sizeof(op), size);
	}
	bufs[1].uptr = mem - 1;
	EXPECT_EQ(-EFAULT, dmop_call(fd, target_domid, bufs, 2)) {
		TH_LOG("%zu + %zu bytes, from a byte before memory", sizeof(op), size);
	}
	EXPECT_EQ(calls + 1, dmop_calls(fd));
	EXPECT_TRUE(all_bytes(mem, POISON, len));
}

/* Sizes on both sides of the limit between the small path and the large one. */
TEST_F(array, buffer_at_the_end_of_memory)
{
	size_t size, op_size = sizeof(struct dm_op);

	for (size = 1; size <= 16; size++)
		check_buffer_end(_metadata, self->fd, self->mem, self->len, size);
	for (size = SMALL_BYTES - op_size - 3; size <= SMALL_BYTES - op_size + 3; size++)
		check_buffer_end(_metadata, self->fd, self->mem, self->len, size);
	for (size = SMALL_BYTES - 3; size <= SMALL_BYTES + 3; size++)
		check_buffer_end(_metadata, self->fd, self->mem, self->len, size);
	for (size = 4094; size <= 4096; size++)
		check_buffer_end(_metadata, self->fd, self->mem, self->len, size);
}

/* For each count, each buffer in turn is unreadable. */
TEST_F(array, one_bad_buffer)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf bufs[16];
	unsigned int nr, bad, i;

	for (nr = 1; nr <= ARRAY_SIZE(bufs); nr++) {
		for (bad = 0; bad < nr; bad++) {
			fill_array(bufs, nr, &op);
			bufs[bad].uptr = BAD_POINTER;
			EXPECT_EQ(-EFAULT, dmop_call(self->fd, target_domid, bufs, nr)) {
				TH_LOG("buffer %u of %u", bad, nr);
			}
			bufs[bad].uptr = NULL;
			EXPECT_EQ(-EFAULT, dmop_call(self->fd, target_domid, bufs, nr));
			for (i = 0; i < ARRAY_SIZE(foreign_addresses); i++) {
				bufs[bad].uptr = (void *)foreign_addresses[i];
				EXPECT_EQ(-EFAULT, dmop_call(self->fd, target_domid,
							     bufs, nr)) {
					TH_LOG("buffer %u of %u at %p", bad, nr,
					       bufs[bad].uptr);
				}
			}
		}
	}
	EXPECT_EQ(0, dmop_calls(self->fd));
}

/* A buffer of size 0 is not read, so any address will do. */
TEST_F(array, no_bytes)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf bufs[2] = {
		{ .uptr = &op, .size = sizeof(op) },
		{ .uptr = BAD_POINTER, .size = 0 },
	};
	unsigned int i;

	EXPECT_EQ(-EOPNOTSUPP, dmop_call(self->fd, target_domid, bufs, 2));
	bufs[1].uptr = NULL;
	EXPECT_EQ(-EOPNOTSUPP, dmop_call(self->fd, target_domid, bufs, 2));
	for (i = 0; i < ARRAY_SIZE(foreign_addresses); i++) {
		bufs[1].uptr = (void *)foreign_addresses[i];
		EXPECT_EQ(-EOPNOTSUPP, dmop_call(self->fd, target_domid, bufs, 2)) {
			TH_LOG("at %p", bufs[1].uptr);
		}
	}

	/* Xen needs the first buffer, because it contains the operation. */
	bufs[0].uptr = NULL;
	bufs[0].size = 0;
	EXPECT_EQ(TOO_SHORT, dmop_call(self->fd, target_domid, bufs, 1));
	EXPECT_EQ(TOO_SHORT, dmop_call(self->fd, target_domid, bufs, 2));
	EXPECT_EQ(ARRAY_SIZE(foreign_addresses) + 4, dmop_calls(self->fd));
}

/* The first buffer with every size, up to the end of memory. */
TEST_F(array, short_first_buffer)
{
	struct dmop_buf buf;
	size_t size;

	for (size = 1; size <= sizeof(struct dm_op); size++) {
		struct dm_op op = { .op = DM_OP_UNKNOWN };
		__u64 calls = dmop_calls(self->fd);

		buf.uptr = self->mem + self->len - size;
		buf.size = size;
		memcpy(buf.uptr, &op, size);
		/* Xen needs at least the head of the operation. */
		EXPECT_EQ(size < 8 ? TOO_SHORT : -EOPNOTSUPP,
			  dmop_call(self->fd, target_domid, &buf, 1)) {
			TH_LOG("%zu bytes", size);
		}
		EXPECT_EQ(calls + 1, dmop_calls(self->fd));
		EXPECT_EQ(0, memcmp(buf.uptr, &op, size));
	}
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
