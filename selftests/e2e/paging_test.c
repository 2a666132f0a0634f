// SPDX-License-Identifier: GPL-2.0
/*
 * paging_test.c - frames that are paged out are reported, and can be tried again
 *
 * What is paged out is so by fake_paging, not by Xen. To be started by dmop-run for
 * DMOP_TARGET, since Xen's library is what tries again.
 */
#include "../dmop_test.h"

#include <xenforeignmemory.h>

#define PAGE		4096UL
#define FRAMES		4
#define FAKE_PARAMS	"/sys/module/fake_paging/parameters/"

/* In a paused test domain this and the next are memory. */
#define FIRST_GFN	0x100
/* And this is not. */
#define NO_GFN		0x7ffffffULL

static bool fake_set(const char *name, unsigned long value)
{
	FILE *f;
	char path[128];
	bool good;

	snprintf(path, sizeof(path), FAKE_PARAMS "%s", name);
	f = fopen(path, "w");
	if (!f)
		return false;
	good = fprintf(f, "%lu", value) > 0;
	return !fclose(f) && good;
}

/* The frames FIRST to LAST, in the next TIMES attempts. */
static bool page_out(unsigned long first, unsigned long last, unsigned int times)
{
	return fake_set("times", 0) && fake_set("first", first) &&
	       fake_set("last", last) && fake_set("times", times);
}

/* Return: attempts that are still to fail, or -1. */
static int attempts_left(void)
{
	FILE *f = fopen(FAKE_PARAMS "times", "r");
	int n = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

FIXTURE(paging) {
	int fd;
	char *area;
	__u64 gfns[FRAMES];
	int errs[FRAMES];
};

FIXTURE_SETUP(paging)
{
	unsigned int i;

	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
	self->area = mmap(NULL, FRAMES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->area);
	for (i = 0; i < FRAMES; i++)
		self->gfns[i] = FIRST_GFN + i;
	memset(self->errs, POISON, sizeof(self->errs));
}

FIXTURE_TEARDOWN(paging)
{
	page_out(1, 0, 0);
	munmap(self->area, FRAMES * PAGE);
	close(self->fd);
}

/* Frames from I on. */
static long map(const FIXTURE_DATA(paging) *self, unsigned int i, unsigned int nr)
{
	struct dmop_mmapbatch_v2 arg = {
		.num = nr,
		.dom = target_domid,
		.addr = (__u64)(unsigned long)self->area + i * PAGE,
		.arr = self->gfns + i,
		.err = (int *)self->errs + i,
	};

	return do_ioctl(self->fd, DMOP_IOCTL_MMAPBATCH_V2, &arg);
}

/* Is it the domain's memory? Seen through another mapping. */
static bool is_frame(const char *p, __u64 gfn)
{
	int fd = dmop_open_bound(target_domid), err = 1;
	volatile int *here = (int *)p, *there;
	struct dmop_mmapbatch_v2 arg = {
		.num = 1, .dom = target_domid, .arr = &gfn, .err = &err,
	};
	bool same;

	there = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	arg.addr = (__u64)(unsigned long)there;
	if (there == MAP_FAILED || do_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &arg) || err) {
		close(fd);
		return false;
	}
	*here = 0x1234 + gfn;
	same = *there == (int)(0x1234 + gfn);
	*there = 0;
	same &= *here == 0;
	munmap((void *)there, PAGE);
	close(fd);
	return same;
}

TEST_F(paging, one_frame_is_tried_again)
{
	self->gfns[3] = NO_GFN;
	ASSERT_TRUE(page_out(FIRST_GFN + 1, FIRST_GFN + 1, 2));

	/* One that is paged out makes ENOENT of it, and a bad one is a bad one. */
	EXPECT_EQ(-ENOENT, map(self, 0, FRAMES));
	EXPECT_EQ(0, self->errs[0]);
	EXPECT_EQ(-ENOENT, self->errs[1]);
	EXPECT_EQ(0, self->errs[2]);
	EXPECT_GT(0, self->errs[3]);
	EXPECT_NE(-ENOENT, self->errs[3]);
	EXPECT_TRUE(is_frame(self->area, FIRST_GFN));
	EXPECT_TRUE(is_frame(self->area + 2 * PAGE, FIRST_GFN + 2));

	/* Still paged out, and then not any more. */
	EXPECT_EQ(-ENOENT, map(self, 1, 1));
	EXPECT_EQ(-ENOENT, self->errs[1]);
	EXPECT_EQ(0, attempts_left());
	EXPECT_EQ(0, map(self, 1, 1));
	EXPECT_EQ(0, self->errs[1]);
	EXPECT_TRUE(is_frame(self->area + PAGE, FIRST_GFN + 1));

	/* What is mapped is not mapped again. */
	EXPECT_EQ(-EINVAL, map(self, 1, 1));
	EXPECT_EQ(-EINVAL, map(self, 0, FRAMES));
}

TEST_F(paging, no_frame_at_first)
{
	unsigned int i;

	ASSERT_TRUE(page_out(FIRST_GFN, FIRST_GFN + FRAMES - 1, 1));
	EXPECT_EQ(-ENOENT, map(self, 0, FRAMES));
	for (i = 0; i < FRAMES; i++)
		EXPECT_EQ(-ENOENT, self->errs[i]);
	EXPECT_EQ(0, map(self, 0, FRAMES));
	for (i = 0; i < FRAMES; i++) {
		EXPECT_EQ(0, self->errs[i]);
		EXPECT_TRUE(is_frame(self->area + i * PAGE, FIRST_GFN + i));
	}
}

TEST_F(paging, the_library_has_patience)
{
	xenforeignmemory_handle *handle = xenforeignmemory_open(NULL, 0);
	xen_pfn_t gfns[FRAMES];
	unsigned int i;
	char *area;

	ASSERT_NE(NULL, handle);
	for (i = 0; i < FRAMES; i++)
		gfns[i] = FIRST_GFN + i;
	ASSERT_TRUE(page_out(FIRST_GFN + 1, FIRST_GFN + 2, 5));
	area = xenforeignmemory_map(handle, target_domid, PROT_READ | PROT_WRITE, FRAMES, gfns,
				    self->errs);
	ASSERT_NE(NULL, area);
	EXPECT_EQ(0, attempts_left());
	for (i = 0; i < FRAMES; i++) {
		EXPECT_EQ(0, self->errs[i]);
		EXPECT_TRUE(is_frame(area + i * PAGE, FIRST_GFN + i));
	}
	EXPECT_EQ(0, xenforeignmemory_unmap(handle, area, FRAMES));
	xenforeignmemory_close(handle);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
