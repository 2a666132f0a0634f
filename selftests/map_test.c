// SPDX-License-Identifier: GPL-2.0
/*
 * map_test.c - mapped memory of the target domain: contents, and frames that fail
 */
#include <stdatomic.h>

#include "mapping.h"

/* --- contents ---------------------------------------------------------- */

TEST_F(map, one_side_writes_the_other_reads)
{
	char *mine = area(self->bound, ALL, PROT_READ | PROT_WRITE);
	char *theirs = area(self->observer, ALL, PROT_READ);
	unsigned int i;

	ASSERT_NE(MAP_FAILED, mine);
	ASSERT_NE(MAP_FAILED, theirs);
	ASSERT_EQ(0, map(self->bound, target_domid, mine, ALL, self->gfns, self->errs));
	EXPECT_TRUE(all_bytes(self->errs, 0, sizeof(self->errs)));
	ASSERT_EQ(0, map(self->observer, target_domid, theirs, ALL, self->gfns, self->errs));
	EXPECT_EQ(ALL, mapped_frames(self->bound));

	for (i = 0; i < ALL; i++)
		memset(mine + i * PAGE, i + 1, PAGE);
	for (i = 0; i < ALL; i++)
		EXPECT_TRUE(all_bytes(theirs + i * PAGE, i + 1, PAGE));

	/* A mapping with PROT_READ cannot be written. */
	EXPECT_EQ(0, touch(theirs, false));
	EXPECT_EQ(SIGSEGV, touch(theirs, true));

	/* The same frame numbers of the other domain are other frames. */
	EXPECT_EQ(0, munmap(theirs, ALL * PAGE));
	theirs = area(self->observer, ALL, PROT_READ);
	ASSERT_EQ(0, map(self->observer, other_domid, theirs, ALL, self->gfns, self->errs));
	for (i = 0; i < ALL; i++)
		EXPECT_FALSE(all_bytes(theirs + i * PAGE, i + 1, PAGE));

	EXPECT_EQ(0, munmap(mine, ALL * PAGE));
	EXPECT_EQ(0, mapped_frames(self->bound));
}

TEST_F(map, works_without_privilege)
{
	ASSERT_TRUE(drop_privileges());
	EXPECT_NE(NULL, map_one(self->bound, target_domid, GFN));
	EXPECT_EQ(MAP_FAILED, area(self->observer, 1, PROT_READ));
	EXPECT_EQ(EPERM, errno);
}

/* The VMA holds a reference on the file, so a mapping outlives the descriptor. */
TEST_F(map, outlives_the_descriptor)
{
	int fd = dmop_open_bound(target_domid);
	char *p = map_one(fd, target_domid, GFN);

	ASSERT_NE(NULL, p);
	*p = 1;
	close(fd);
	EXPECT_EQ(0, touch(p, true));
	EXPECT_EQ(0, munmap(p, PAGE));
	EXPECT_EQ(SIGSEGV, touch(p, false));
}

/* --- failed frames ----------------------------------------------------- */

TEST_F(map, bad_frames_fail_one_by_one)
{
	char *p = area(self->bound, ALL, PROT_READ | PROT_WRITE);
	unsigned int i;

	for (i = 0; i < ALL; i += 3)
		self->gfns[i] = NO_GFN + i;
	ASSERT_EQ(0, map(self->bound, target_domid, p, ALL, self->gfns, self->errs));
	for (i = 0; i < ALL; i++) {
		EXPECT_EQ(i % 3 == 0, self->errs[i] < 0) {
			TH_LOG("frame %u: %d", i, self->errs[i]);
		}
		EXPECT_EQ(i % 3 == 0 ? SIGBUS : 0, touch(p + i * PAGE, true));
	}

	/* Each failed frame can be mapped again by itself, and no mapped one. */
	fill(self->gfns, ALL);
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, ALL, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, 2, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p + PAGE, 1, self->gfns, self->errs));
	for (i = 0; i < ALL; i += 3) {
		ASSERT_EQ(0, map(self->bound, target_domid, p + i * PAGE, 1,
				 self->gfns + i, self->errs + i));
		EXPECT_EQ(0, self->errs[i]);
		EXPECT_EQ(0, touch(p + i * PAGE, true));
		EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p + i * PAGE, 1,
				       self->gfns + i, self->errs + i));
	}
	EXPECT_EQ(ALL, mapped_frames(self->bound));
}

/* Frames that fail at the boundary of two pieces get their own errors. */
TEST_F(map, more_than_one_piece)
{
	static __u64 gfns[PIECE + 104];
	static int errs[ARRAY_SIZE(gfns)];
	const unsigned int nr = ARRAY_SIZE(gfns);
	char *p = area(self->bound, nr, PROT_READ | PROT_WRITE);
	char *q = area(self->observer, ALL, PROT_READ | PROT_WRITE);
	unsigned int i;

	ASSERT_EQ(0, map(self->observer, target_domid, q, ALL, self->gfns, self->errs));
	for (i = 0; i < ALL; i++)
		memset(q + i * PAGE, i + 1, PAGE);
	fill(gfns, nr);
	for (i = PIECE - 1; i <= PIECE + 1; i++)
		gfns[i] = NO_GFN;
	memset(errs, POISON, sizeof(errs));
	ASSERT_EQ(0, map(self->bound, target_domid, p, nr, gfns, errs));
	EXPECT_EQ(nr, mapped_frames(self->bound));
	for (i = 0; i < nr; i++) {
		bool bad = gfns[i] == NO_GFN;

		ASSERT_EQ(bad, errs[i] < 0) {
			TH_LOG("frame %u: %d", i, errs[i]);
		}
		ASSERT_EQ(bad ? SIGBUS : 0, touch(p + i * PAGE, false));
		ASSERT_TRUE(bad || p[i * PAGE] == (int)(i % NR_GFNS) + 1);
	}

	/* The failed frames can be mapped again, their neighbours cannot. */
	fill(gfns, nr);
	for (i = PIECE - 2; i <= PIECE + 2; i++)
		EXPECT_EQ(i == PIECE - 2 || i == PIECE + 2 ? -EINVAL : 0,
			  map(self->bound, target_domid, p + i * PAGE, 1, gfns + i, errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p + (nr - 1) * PAGE, 1, gfns, errs));
	EXPECT_EQ(0, munmap(p, nr * PAGE));
	EXPECT_EQ(0, mapped_frames(self->bound));
}

TEST_F(map, all_frames_bad)
{
	char *p = area(self->bound, 4, PROT_READ | PROT_WRITE);
	unsigned int i;

	for (i = 0; i < 4; i++)
		self->gfns[i] = NO_GFN;
	ASSERT_EQ(0, map(self->bound, target_domid, p, 4, self->gfns, self->errs));
	for (i = 0; i < 4; i++) {
		EXPECT_GT(0, self->errs[i]);
		EXPECT_EQ(SIGBUS, touch(p + i * PAGE, false));
	}
}

#define BAD_ROUNDS	50

/* Writes the area into a pipe, page by page. */
struct writer {
	pthread_t thread;
	char *p;
	int ends[2];
	atomic_bool stop;
	unsigned long refused, written;
};

static void *writer_main(void *data)
{
	struct writer *w = data;
	char page[PAGE];
	size_t i = 0;

	while (!atomic_load(&w->stop)) {
		if (write(w->ends[1], w->p + i++ % LONG_CALL * PAGE, PAGE) < 0 && errno == EFAULT)
			w->refused++;
		else
			w->written++;
		/* A refused write leaves an empty buffer in the pipe. */
		while (read(w->ends[0], page, sizeof(page)) > 0)
			;
	}
	return NULL;
}

/*
 * A frame that failed is not mapped, not even for a moment within the call. In an auto-translated
 * dom0 the page would have no memory, and the kernel's own access to it can be fatal to dom0.
 */
TEST_F(map, bad_frames_are_never_there)
{
	static __u64 gfns[LONG_CALL];
	static int errs[LONG_CALL];
	struct writer w = { };
	int i, k;

	w.p = area(self->bound, LONG_CALL, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, w.p);
	ASSERT_EQ(0, pipe2(w.ends, O_NONBLOCK));
	ASSERT_EQ(0, pthread_create(&w.thread, NULL, writer_main, &w));
	for (i = 0; i < BAD_ROUNDS; i++) {
		for (k = 0; k < LONG_CALL; k++)
			gfns[k] = NO_GFN - k;
		EXPECT_EQ(0, map(self->bound, target_domid, w.p, LONG_CALL, gfns, errs));
		for (k = 0; k < LONG_CALL; k++)
			ASSERT_GT(0, errs[k]);
	}
	atomic_store(&w.stop, true);
	pthread_join(w.thread, NULL);
	printf("# write() was refused %lu times\n", w.refused);
	EXPECT_LT(0, w.refused);
	EXPECT_EQ(0, w.written);
}

/* No bit of a frame number may reach the flags of a page table entry. */
TEST_F(map, frame_numbers_with_high_bits)
{
	unsigned int bit;

	for (bit = 24; bit < 64; bit++) {
		char *p = area(self->bound, 1, PROT_READ | PROT_WRITE);
		__u64 gfn = GFN | 1ULL << bit;
		int err = 1;

		ASSERT_EQ(0, map(self->bound, target_domid, p, 1, &gfn, &err));
		EXPECT_GT(0, err) {
			TH_LOG("bit %u", bit);
		}
		EXPECT_EQ(SIGBUS, touch(p, false));
		munmap(p, PAGE);
	}
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
