// SPDX-License-Identifier: GPL-2.0
/*
 * map_pieces_test.c - calls of more frames than a piece has: errors in a later piece, other threads
 * between two pieces
 */
#include "hold.h"
#include "mapping.h"
#include "narrow.h"

#define PIECES	4
#define NR	(PIECES * PIECE)

/* The arrays of a call, each on pages of its own. A piece is a page of @gfns, half a page of @errs. */
struct arrays {
	__u64 *gfns;
	int *errs;
};

static void *pages(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static bool arrays_init(struct arrays *a, unsigned int nr)
{
	a->gfns = pages(nr * sizeof(*a->gfns));
	a->errs = pages(nr * sizeof(*a->errs));
	if ((void *)a->gfns == MAP_FAILED || (void *)a->errs == MAP_FAILED)
		return false;
	fill(a->gfns, nr);
	memset(a->errs, POISON, nr * sizeof(*a->errs));
	return true;
}

/* Return: true if of the first @nr frames of the area the first @there are mapped, and no others. */
static bool first_are_there(char *p, unsigned int there, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (touch(p + i * PAGE, false) != (i < there ? 0 : SIGBUS))
			return false;
	return true;
}

/* Return: true if the first @nr results are 0, and the rest is unchanged. */
static bool first_are_written(const struct arrays *a, unsigned int nr)
{
	return all_bytes(a->errs, 0, nr * sizeof(*a->errs)) &&
	       all_bytes(a->errs + nr, POISON, (NR - nr) * sizeof(*a->errs));
}

/* --- errors ------------------------------------------------------------ */

TEST_F(map, unreadable_piece)
{
	char *p = area(self->bound, NR, PROT_READ);
	struct arrays a;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(arrays_init(&a, NR));
	/* A byte of the first piece is missing. */
	ASSERT_EQ(0, mprotect(a.gfns + PIECE, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, map(self->bound, target_domid, p, NR, (void *)((char *)a.gfns + 1), a.errs));
	EXPECT_TRUE(first_are_written(&a, 0));
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(SIGBUS, touch(p, false));

	/* The third piece */
	ASSERT_EQ(0, mprotect(a.gfns + PIECE, PAGE, PROT_READ));
	ASSERT_EQ(0, mprotect(a.gfns + 2 * PIECE, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, map(self->bound, target_domid, p, NR, a.gfns, a.errs));
	EXPECT_TRUE(first_are_there(p, 2 * PIECE, NR));
	EXPECT_TRUE(first_are_written(&a, 2 * PIECE));
	EXPECT_EQ(NR, mapped_frames(self->bound));

	/* A later call can map the rest. */
	ASSERT_EQ(0, mprotect(a.gfns + 2 * PIECE, PAGE, PROT_READ));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, NR, a.gfns, a.errs));
	EXPECT_EQ(0, map(self->bound, target_domid, p + 2 * PIECE * PAGE, NR - 2 * PIECE,
			 a.gfns + 2 * PIECE, a.errs + 2 * PIECE));
	EXPECT_TRUE(first_are_there(p, NR, NR));
	EXPECT_TRUE(first_are_written(&a, NR));
	EXPECT_EQ(NR, mapped_frames(self->bound));
}

TEST_F(map, unwritable_results)
{
	char *p = area(self->bound, NR, PROT_READ);
	struct arrays a;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(arrays_init(&a, NR));
	ASSERT_EQ(0, mprotect(a.errs + 2 * PIECE, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, map(self->bound, target_domid, p, NR, a.gfns, a.errs));
	/* The frames of the third piece were mapped before. The fourth is not begun. */
	EXPECT_TRUE(first_are_there(p, 3 * PIECE, NR));
	EXPECT_TRUE(first_are_written(&a, 2 * PIECE));
	EXPECT_EQ(NR, mapped_frames(self->bound));
}

/* Each piece has failed frames. Their results do not end the call. */
TEST_F(map, failed_frames_of_each_piece)
{
	char *p = area(self->bound, NR, PROT_READ);
	struct arrays a;
	unsigned int i;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(arrays_init(&a, NR));
	for (i = 0; i < NR; i += PIECE - 1)
		a.gfns[i] = NO_GFN;
	ASSERT_EQ(0, map(self->bound, target_domid, p, NR, a.gfns, a.errs));
	for (i = 0; i < NR; i++) {
		bool bad = i % (PIECE - 1) == 0;

		EXPECT_TRUE(bad ? a.errs[i] < 0 : a.errs[i] == 0) {
			TH_LOG("frame %u: %d", i, a.errs[i]);
		}
		EXPECT_EQ(bad ? SIGBUS : 0, touch(p + i * PAGE, false));
	}
}

/* A frame mapped in the range of the last piece: the call is refused before its first one. */
TEST_F(map, mapped_frame_of_a_later_piece)
{
	char *p = area(self->bound, NR, PROT_READ);
	struct arrays a;
	unsigned int i;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(arrays_init(&a, NR));
	for (i = 0; i < NR; i++)
		a.gfns[i] = i == NR - 1 ? GFN : NO_GFN;
	ASSERT_EQ(0, map(self->bound, target_domid, p, NR, a.gfns, a.errs));
	fill(a.gfns, NR);
	memset(a.errs, POISON, NR * sizeof(*a.errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, NR, a.gfns, a.errs));
	EXPECT_TRUE(first_are_written(&a, 0));
	EXPECT_TRUE(first_are_there(p, 0, NR - 1));
	EXPECT_EQ(0, touch(p + (NR - 1) * PAGE, false));
	EXPECT_EQ(0, map(self->bound, target_domid, p, NR - 1, a.gfns, a.errs));
	EXPECT_TRUE(first_are_there(p, NR, NR));
}

TEST_F(map, window_of_a_later_piece)
{
	char *p = area(self->bound, NR, PROT_READ), *q = area(self->bound, NR, PROT_READ);
	struct dmop_info before, after;
	struct arrays a;

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_TRUE(arrays_init(&a, NR));
	ASSERT_EQ(0, narrow_gfns(self->bound, GFN, GFN + NR_GFNS - 1));
	ASSERT_EQ(0, dmop_info(self->bound, &before));

	/* In the first piece: nothing is mapped. */
	a.gfns[PIECE - 1] = GFN + NR_GFNS;
	EXPECT_EQ(-EPERM, map(self->bound, target_domid, p, NR, a.gfns, a.errs));
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_TRUE(first_are_written(&a, 0));

	fill(a.gfns, NR);
	a.gfns[NR - 1] = GFN + NR_GFNS;
	EXPECT_EQ(-EPERM, map(self->bound, target_domid, q, NR, a.gfns, a.errs));
	EXPECT_TRUE(first_are_there(p, 0, NR));
	EXPECT_TRUE(first_are_there(q, NR - PIECE, NR));
	EXPECT_TRUE(first_are_written(&a, NR - PIECE));
	EXPECT_EQ(NR, mapped_frames(self->bound));
	ASSERT_EQ(0, dmop_info(self->bound, &after));
	EXPECT_EQ(before.refused_policy + 2, after.refused_policy);
}

/* The frame numbers of a piece are read before its results are written: they can share memory. */
TEST_F(map, results_over_the_frame_numbers)
{
	char *p = area(self->bound, NR, PROT_READ);
	struct arrays a;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(arrays_init(&a, NR));
	EXPECT_EQ(0, map(self->bound, target_domid, p, NR, a.gfns, (int *)a.gfns));
	EXPECT_TRUE(first_are_there(p, NR, NR));
	EXPECT_TRUE(all_bytes(a.gfns, 0, NR * sizeof(int)));
}

/* --- other threads between two pieces ---------------------------------- */

/* A call of two pieces that sleeps while it reads the second one. */
struct held {
	struct hold hold;
	struct caller caller;
	struct dmop_mmapbatch_v2 m;
	struct arrays a;
	char *p;
};

static void held_setup(struct __test_metadata *const _metadata, struct held *h, int fd)
{
	memset(h, 0, sizeof(*h));
	ASSERT_EQ(0, hold_init(&h->hold));
	ASSERT_TRUE(arrays_init(&h->a, NR));
	h->p = area(fd, 2 * PIECE, PROT_READ);
	ASSERT_NE(MAP_FAILED, h->p);
	fill((__u64 *)(h->hold.page - PAGE), PIECE);
	h->m = (struct dmop_mmapbatch_v2){
		.num = 2 * PIECE, .dom = target_domid, .addr = (unsigned long)h->p,
		.arr = (__u64 *)(h->hold.page - PAGE), .err = h->a.errs,
	};
	ASSERT_TRUE(caller_start(&h->caller, fd, DMOP_IOCTL_MMAPBATCH_V2, &h->m));
	ASSERT_TRUE(hold_wait(&h->hold));
	EXPECT_TRUE(first_are_there(h->p, PIECE, 2 * PIECE));
	EXPECT_TRUE(first_are_written(&h->a, PIECE));
}

/* Lets the call go on. Return: its result. */
static long held_end(struct held *h)
{
	long ret;

	if (!hold_release(&h->hold, h->a.gfns, PAGE))
		return 1;
	ret = caller_join(&h->caller);
	hold_exit(&h->hold);
	return ret;
}

TEST_F(map, goes_on_between_pieces)
{
	struct held h;

	held_setup(_metadata, &h, self->bound);
	EXPECT_EQ(0, held_end(&h));
	EXPECT_TRUE(first_are_there(h.p, 2 * PIECE, 2 * PIECE));
	EXPECT_TRUE(first_are_written(&h.a, 2 * PIECE));
}

TEST_F(map, unmapped_between_pieces)
{
	struct held h;

	held_setup(_metadata, &h, self->bound);
	EXPECT_EQ(0, munmap(h.p, 2 * PIECE * PAGE));
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(-EINVAL, held_end(&h));
	EXPECT_EQ(SIGSEGV, touch(h.p, false));
	EXPECT_TRUE(first_are_written(&h.a, PIECE));
}

/* Another area in the same place: it is not used. */
TEST_F(map, replaced_between_pieces)
{
	struct held h;

	held_setup(_metadata, &h, self->bound);
	EXPECT_EQ(0, munmap(h.p, 2 * PIECE * PAGE));
	ASSERT_EQ(h.p, mmap(h.p, 2 * PIECE * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, self->bound, 0));
	EXPECT_EQ(-EINVAL, held_end(&h));
	EXPECT_TRUE(first_are_there(h.p, 0, 2 * PIECE));
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(0, map(self->bound, target_domid, h.p, 2 * PIECE, h.a.gfns, h.a.errs));
}

/* Another call maps a frame of the second piece. */
TEST_F(map, mapped_between_pieces)
{
	struct held h;

	held_setup(_metadata, &h, self->bound);
	EXPECT_EQ(0, map(self->bound, target_domid, h.p + (PIECE + 3) * PAGE, 1, h.a.gfns, self->errs));
	EXPECT_EQ(0, self->errs[0]);
	EXPECT_EQ(-EINVAL, held_end(&h));
	EXPECT_TRUE(first_are_there(h.p, PIECE, PIECE + 3));
	EXPECT_EQ(0, touch(h.p + (PIECE + 3) * PAGE, false));
	EXPECT_EQ(SIGBUS, touch(h.p + (PIECE + 4) * PAGE, false));
}

/* NARROW does not wait for the sleeping call, and the call maps nothing after it. */
TEST_F(map, narrowed_between_pieces)
{
	struct held h;

	held_setup(_metadata, &h, self->bound);
	EXPECT_EQ(0, narrow_gfns(self->bound, GFN + NR_GFNS, GFN + NR_GFNS));
	EXPECT_EQ(-EPERM, held_end(&h));
	EXPECT_TRUE(first_are_there(h.p, PIECE, 2 * PIECE));
	EXPECT_TRUE(first_are_written(&h.a, PIECE));
}

/* --- the largest calls ------------------------------------------------- */

/* More than 4 GiB of frames. A PVH dom0 maps no more than the domain's maxmem and 4096. */
TEST_F(map, more_than_four_gigabytes)
{
	const unsigned int nr = (1 << 20) + PIECE + 1;
	char *p = area(self->bound, nr, PROT_READ);
	unsigned int i, wrong = 0;
	struct arrays a;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(arrays_init(&a, nr));
	a.gfns[1 << 20] = NO_GFN;
	if (dom0_not_pv()) {
		EXPECT_EQ(-E2BIG, map(self->bound, target_domid, p, nr, a.gfns, a.errs));
		EXPECT_EQ(0, mapped_frames(self->bound));
		return;
	}
	ASSERT_EQ(0, map(self->bound, target_domid, p, nr, a.gfns, a.errs));
	EXPECT_EQ(nr, mapped_frames(self->bound));
	for (i = 0; i < nr; i++)
		wrong += i == 1 << 20 ? a.errs[i] >= 0 : a.errs[i] != 0;
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, touch(p, false));
	EXPECT_EQ(SIGBUS, touch(p + (PAGE << 20), false));
	EXPECT_EQ(0, touch(p + (nr - 1) * PAGE, false));
}

TEST_F(map, as_many_as_the_file_may_map)
{
	long before = param_get("max_map_frames");
	char *p = area(self->bound, PIECE + 1, PROT_READ), *q = area(self->bound, PIECE + 2, PROT_READ);
	struct dmop_info info;
	struct arrays a;
	long most, more;

	ASSERT_LT(0, before);
	ASSERT_TRUE(arrays_init(&a, NR));
	ASSERT_EQ(0, param_set("max_map_frames", PIECE + 1));
	ASSERT_EQ(0, dmop_info(self->bound, &info));
	more = map(self->bound, target_domid, q, PIECE + 2, (void *)8, (void *)8);
	most = map(self->bound, target_domid, p, PIECE + 1, a.gfns, a.errs);
	ASSERT_EQ(0, param_set("max_map_frames", before));
	EXPECT_EQ(PIECE + 1, info.max_call_frames);
	EXPECT_EQ(-E2BIG, more);
	EXPECT_EQ(0, most);
	EXPECT_TRUE(first_are_there(p, PIECE + 1, PIECE + 1));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
