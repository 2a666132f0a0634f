// SPDX-License-Identifier: GPL-2.0
/*
 * info_test.c - INFO: its content, its counters, and structures shorter or longer than today
 */
#include "dmop_test.h"

#define BAD_POINTER	((void *)8)
#define MAX_SIZE	DMOP_INFO_SIZE_MAX
#define SIZE		((__u32)sizeof(struct dmop_info))

struct memory {
	char *mem;		/* two pages between pages without access */
	size_t page;
};

FIXTURE(info)
{
	int fd;
	struct memory m;
};

FIXTURE_VARIANT(info)
{
	bool bound;
};

FIXTURE_VARIANT_ADD(info, unbound) { .bound = false };
FIXTURE_VARIANT_ADD(info, bound) { .bound = true };

FIXTURE_SETUP(info)
{
	self->m.page = sysconf(_SC_PAGESIZE);
	self->fd = variant->bound ? dmop_open_bound(target_domid) : dmop_open();
	ASSERT_LE(0, self->fd);
	self->m.mem = guarded_pages(2, 0);
	ASSERT_NE(NULL, self->m.mem);
}

FIXTURE_TEARDOWN(info)
{
	close(self->fd);
}

/* Return: a structure of @size bytes that ends where memory ends, poisoned except for its head. */
static struct dmop_info *info_at_end(const struct memory *m, __u32 size)
{
	struct dmop_info *info = (void *)(m->mem + 2 * m->page - size);

	memset(m->mem, POISON, 2 * m->page);
	info->size = size;
	info->flags = 0;
	return info;
}

/* Zeroes the bytes from the end of the known members to the end of memory. */
static void zero_tail(struct dmop_info *info, __u32 size)
{
	if (size > SIZE)
		memset((char *)info + SIZE, 0, size - SIZE);
}

/* The rights of a file that was never narrowed. */
static const struct dmop_info all_rights = {
	.acts = 31, .ops = { ~0ULL, ~0ULL }, .resources = ~0ULL, .max_frames = ~0ULL, .gfn_last = ~0ULL,
};

/* @size: of the caller's structure; of its members beyond the first version there may be a part. */
static void check_content(struct __test_metadata *const _metadata,
			  bool bound, const struct dmop_info *info, __u32 size)
{
	if (size > SIZE)
		size = SIZE;
	EXPECT_EQ(size, info->size);
	EXPECT_EQ(0, memcmp((const char *)&all_rights + DMOP_INFO_SIZE_V1,
			    (const char *)info + DMOP_INFO_SIZE_V1, size - DMOP_INFO_SIZE_V1));
	EXPECT_EQ(0, info->flags);
	EXPECT_EQ(DMOP_ABI_VERSION, info->abi_version);
	EXPECT_EQ(bound ? DMOP_STATE_BOUND : DMOP_STATE_UNBOUND, info->state);
	EXPECT_EQ(bound ? target_domid : DMOP_DOMID_NONE, info->domid);
	EXPECT_EQ(0, info->own_domid);
	EXPECT_EQ(param_get("dm_op_max_nr_bufs"), info->max_nr_bufs);
	EXPECT_EQ(param_get("dm_op_buf_max_size"), info->max_buf_size);
	EXPECT_EQ(param_get("max_map_frames"), info->max_map_frames);
	EXPECT_EQ(info->max_map_frames, info->max_call_frames);
	EXPECT_TRUE(info->features & DMOP_FEATURE_DM_OP);
	EXPECT_EQ(bound, !!(info->features & DMOP_FEATURE_PINNED));
	EXPECT_EQ(0, info->calls);
	EXPECT_EQ(0, info->refused_policy);
	EXPECT_EQ(0, info->refused_dead);
	EXPECT_EQ(0, info->mapped_frames);
}

/* The values of output fields before the call do not matter. */
TEST_F(info, content)
{
	struct dmop_info *info = info_at_end(&self->m, SIZE);

	EXPECT_EQ(0, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
	check_content(_metadata, variant->bound, info, SIZE);
	EXPECT_TRUE(all_bytes(self->m.mem, POISON, 2 * self->m.page - SIZE));
}

/* Sizes below and above that of version 1. Each structure ends where memory ends. */
TEST_F(info, sizes)
{
	__u32 size;

	for (size = 8; size <= SIZE + 8; size++) {
		struct dmop_info *info = info_at_end(&self->m, size);
		char given[SIZE + 8];
		long ret;

		zero_tail(info, size);
		memcpy(given, info, size);
		ret = do_ioctl(self->fd, DMOP_IOCTL_INFO, info);
		if (size < DMOP_INFO_SIZE_V1) {
			EXPECT_EQ(-EINVAL, ret) {
				TH_LOG("size %u", size);
			}
			EXPECT_EQ(0, memcmp(given, info, size));
			continue;
		}
		EXPECT_EQ(0, ret) {
			TH_LOG("size %u", size);
		}
		check_content(_metadata, variant->bound, info, size);
		if (size > SIZE)
			EXPECT_TRUE(all_bytes(info + 1, 0, size - SIZE));
		EXPECT_TRUE(all_bytes(self->m.mem, POISON, 2 * self->m.page - size));
	}
}

/* A size smaller than the head is -EINVAL, whatever memory follows. */
TEST_F(info, tiny_sizes)
{
	__u32 size;

	for (size = 0; size < 8; size++) {
		struct dmop_info *info = info_at_end(&self->m, DMOP_INFO_SIZE_V1);

		info->size = size;
		EXPECT_EQ(-EINVAL, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
		EXPECT_EQ(size, info->size);
		EXPECT_TRUE(all_bytes(&info->abi_version, POISON, DMOP_INFO_SIZE_V1 - 8));
	}
}

TEST_F(info, largest_size)
{
	struct dmop_info *info = info_at_end(&self->m, MAX_SIZE);

	zero_tail(info, MAX_SIZE);
	EXPECT_EQ(0, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
	check_content(_metadata, variant->bound, info, MAX_SIZE);
	EXPECT_TRUE(all_bytes(info + 1, 0, MAX_SIZE - SIZE));

	info = info_at_end(&self->m, MAX_SIZE + 1);
	zero_tail(info, MAX_SIZE + 1);
	EXPECT_EQ(-E2BIG, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
	EXPECT_EQ(MAX_SIZE + 1, info->size);
	EXPECT_EQ(0xa5a5a5a5, info->abi_version);

	info->size = ~0U;
	EXPECT_EQ(-E2BIG, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
	info->size = 1U << 31;
	EXPECT_EQ(-E2BIG, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
}

/* A later program that uses unknown members gets an error. */
TEST_F(info, unknown_tail)
{
	static const __u32 sizes[] = { SIZE + 1, SIZE + 8, SIZE + 100, SIZE + 101, 1000, MAX_SIZE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct dmop_info *info = info_at_end(&self->m, sizes[i]);
		__u32 at;

		zero_tail(info, sizes[i]);
		for (at = SIZE; at < sizes[i]; at += 1 + at / 16) {
			((char *)info)[at] = 1;
			EXPECT_EQ(-E2BIG, do_ioctl(self->fd, DMOP_IOCTL_INFO, info)) {
				TH_LOG("size %u, byte %u", sizes[i], at);
			}
			((char *)info)[at] = 0;
		}
		((char *)info)[sizes[i] - 1] = 0x80;
		EXPECT_EQ(-E2BIG, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
		EXPECT_TRUE(all_bytes(&info->abi_version, POISON, DMOP_INFO_SIZE_V1 - 8));
	}
}

TEST_F(info, flags)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		struct dmop_info *info = info_at_end(&self->m, DMOP_INFO_SIZE_V1);

		info->flags = 1U << bit;
		EXPECT_EQ(-EINVAL, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
		EXPECT_EQ(1U << bit, info->flags);
		EXPECT_TRUE(all_bytes(&info->abi_version, POISON, DMOP_INFO_SIZE_V1 - 8));
	}
}

/* The structure is cut off by the end of memory at each of its bytes. */
TEST_F(info, unreadable)
{
	unsigned int there;

	for (there = 0; there < DMOP_INFO_SIZE_V1; there++) {
		char *at = self->m.mem + 2 * self->m.page - there;
		struct dmop_info head = { .size = DMOP_INFO_SIZE_V1 };
		char given[DMOP_INFO_SIZE_V1];

		memset(self->m.mem, POISON, 2 * self->m.page);
		memcpy(at, &head, there < 8 ? there : 8);
		memcpy(given, at, there);
		EXPECT_EQ(-EFAULT, do_ioctl(self->fd, DMOP_IOCTL_INFO, at)) {
			TH_LOG("%u bytes are there", there);
		}
		EXPECT_EQ(0, memcmp(given, at, there));
	}
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, DMOP_IOCTL_INFO, NULL));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, DMOP_IOCTL_INFO, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, DMOP_IOCTL_INFO, (void *)-80));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, DMOP_IOCTL_INFO, (void *)(1UL << 63)));
}

/* The size goes beyond the end of memory. */
TEST_F(info, unreadable_tail)
{
	struct dmop_info *info = info_at_end(&self->m, DMOP_INFO_SIZE_V1);

	info->size = DMOP_INFO_SIZE_V1 + 1;
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
	info->size = MAX_SIZE;
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
	EXPECT_TRUE(all_bytes(&info->abi_version, POISON, DMOP_INFO_SIZE_V1 - 8));
}

TEST_F(info, read_only)
{
	struct dmop_info *info = info_at_end(&self->m, DMOP_INFO_SIZE_V1);

	ASSERT_EQ(0, mprotect(self->m.mem, 2 * self->m.page, PROT_READ));
	EXPECT_EQ(-EFAULT, do_ioctl(self->fd, DMOP_IOCTL_INFO, info));
	EXPECT_TRUE(all_bytes(&info->abi_version, POISON, DMOP_INFO_SIZE_V1 - 8));
}

TEST_F(info, unaligned)
{
	unsigned int shift;

	for (shift = 1; shift < 16; shift++) {
		struct dmop_info info = { .size = sizeof(info) };
		char *at = self->m.mem + shift;

		memcpy(at, &info, sizeof(info));
		EXPECT_EQ(0, do_ioctl(self->fd, DMOP_IOCTL_INFO, at));
		memcpy(&info, at, sizeof(info));
		check_content(_metadata, variant->bound, &info, SIZE);
	}
}

/* Each open file has its own counters, and INFO does not change them. */
TEST_F(info, counters)
{
	struct dmop_info info;
	int second = variant->bound ? dmop_open_bound(target_domid) : dmop_open();
	int i;

	ASSERT_LE(0, second);
	for (i = 1; i <= 3; i++) {
		EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->fd, target_domid));
		EXPECT_EQ(-EPERM, unknown_op(self->fd, 0));
		EXPECT_EQ(0, dmop_probe(self->fd, 0));
		ASSERT_EQ(0, dmop_info(self->fd, &info));
		EXPECT_EQ(i, info.calls);
		EXPECT_EQ(i, info.refused_policy);
		EXPECT_EQ(0, info.refused_dead);
	}
	ASSERT_EQ(0, dmop_info(second, &info));
	EXPECT_EQ(0, info.calls);
	EXPECT_EQ(0, info.refused_policy);
	close(second);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
