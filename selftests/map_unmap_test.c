// SPDX-License-Identifier: GPL-2.0
/*
 * map_unmap_test.c - unmapping of areas, also while other threads map, read or close
 */
#include "mapping.h"

/* --- munmap ------------------------------------------------------------ */

#define TABLE		512UL	/* pages that one page table maps */
#define NR_TABLES	4

/*
 * Other memory of the process shares page tables with the area. It keeps its pages when the area is
 * unmapped, even if some frames of the area were not mapped.
 */
TEST_F(map, unmapping_spares_the_neighbours)
{
	static const unsigned int sizes[] = { 1, 15, 16, 17, 63, 64, 65, TABLE - 1, TABLE, TABLE + 1, 2 * TABLE };
	static const unsigned int offsets[] = { 1, 300, TABLE - 1 };
	static __u64 gfns[2 * TABLE];
	static int errs[2 * TABLE];
	size_t bytes = NR_TABLES * TABLE * PAGE;
	char *all = mmap(NULL, bytes + TABLE * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int o, s, i;

	ASSERT_NE(MAP_FAILED, all);
	all = (char *)(((unsigned long)all + TABLE * PAGE - 1) & -(TABLE * PAGE));
	ASSERT_EQ(0, madvise(all, bytes, MADV_NOHUGEPAGE));

	for (o = 0; o < ARRAY_SIZE(offsets); o++) {
		for (s = 0; s < 2 * ARRAY_SIZE(sizes); s++) {
			unsigned int nr = sizes[s / 2], bad = s % 2 ? 3 : nr + 1;
			char *p = all + offsets[o] * PAGE;

			for (i = 0; i < NR_TABLES * TABLE; i++)
				*(unsigned int *)(all + i * PAGE) = ~i;
			for (i = 0; i < nr; i++)
				gfns[i] = i % bad == 1 ? NO_GFN : GFN + i % 64;
			ASSERT_EQ(p, mmap(p, nr * PAGE, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_FIXED, self->bound, 0));
			ASSERT_EQ(0, map(self->bound, target_domid, p, nr, gfns, errs));
			for (i = 0; i < nr; i++)
				EXPECT_EQ(i % bad == 1, errs[i] < 0);
			EXPECT_EQ(0, touch(p, true));
			ASSERT_EQ(0, munmap(p, nr * PAGE));
			EXPECT_EQ(SIGSEGV, touch(p, false));
			EXPECT_EQ(0, mapped_frames(self->bound));

			/* Ordinary memory again, as before the area. */
			ASSERT_EQ(p, mmap(p, nr * PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
			for (i = 0; i < NR_TABLES * TABLE; i++) {
				bool of_area = i >= offsets[o] && i < offsets[o] + nr;

				ASSERT_EQ(of_area ? 0 : ~i, *(unsigned int *)(all + i * PAGE)) {
					TH_LOG("page %u, area of %u at %u", i, nr, offsets[o]);
				}
			}
		}
	}
}

struct reader {
	volatile char *volatile at;
	volatile bool unmapped;
	volatile bool late;
	volatile unsigned long reads;
};

/* No system call between two reads, because it could flush the TLB. */
static void *read_on(void *data)
{
	struct reader *r = data;
	bool unmapped;

	if (sigsetjmp(fault_jump, 1))
		return NULL;
	while (!r->late) {
		unmapped = r->unmapped;
		*r->at;
		r->late = unmapped;
		r->reads++;
	}
	return NULL;
}

/* After munmap() has returned, no thread on any processor can read the area. */
TEST_F(map, unmapping_is_seen_by_all_processors)
{
	struct sigaction sa = { .sa_handler = on_fault };
	struct reader r = { };
	unsigned int i;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	for (i = 0; i < 200; i++) {
		/* Ordinary memory around the area, so its page table is not freed. */
		char *all = mmap(NULL, 3 * ALL * PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		char *p = all + ALL * PAGE;
		pthread_t thread;

		ASSERT_EQ(p, mmap(p, ALL * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, self->bound, 0));
		ASSERT_EQ(0, map(self->bound, target_domid, p, ALL, self->gfns, self->errs));
		r = (struct reader) { .at = p };
		ASSERT_EQ(0, pthread_create(&thread, NULL, read_on, &r));
		while (r.reads < 100)
			sched_yield();
		ASSERT_EQ(0, munmap(p, ALL * PAGE));
		r.unmapped = true;
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_FALSE(r.late);
		munmap(all, 3 * ALL * PAGE);
	}
}

/* Each area has its own frames. The areas are unmapped in varying order. */
TEST_F(map, many_small_areas)
{
	char *areas[16];
	unsigned int round, i, nr, at;

	for (round = 0; round < 16; round++) {
		for (i = 0; i < 16; i++) {
			nr = 1 + (i + round) % 16;
			areas[i] = area(self->bound, nr, PROT_READ | PROT_WRITE);
			ASSERT_EQ(0, map(self->bound, target_domid, areas[i], nr, self->gfns, self->errs));
			EXPECT_EQ(-EINVAL, map(self->bound, target_domid, areas[i], nr, self->gfns, self->errs));
		}
		EXPECT_EQ(16 * 17 / 2, mapped_frames(self->bound));
		for (i = 0; i < 16; i++) {
			at = (i * 5 + round) % 16;
			nr = 1 + (at + round) % 16;
			EXPECT_EQ(0, touch(areas[at] + (nr - 1) * PAGE, true));
			ASSERT_EQ(0, munmap(areas[at], nr * PAGE));
		}
		EXPECT_EQ(0, mapped_frames(self->bound));
	}
}

#define RIVAL_FRAMES	8

enum role { MAPS, UNMAPS, CLOSES };

struct rival {
	pthread_t thread;
	pthread_barrier_t *barrier;
	enum role role;
	int fd;
	char *p;
	long ret;
};

static void *rival_main(void *data)
{
	struct rival *r = data;
	__u64 gfns[RIVAL_FRAMES];
	int errs[RIVAL_FRAMES];

	fill(gfns, RIVAL_FRAMES);
	pthread_barrier_wait(r->barrier);
	switch (r->role) {
	case MAPS:
		r->ret = map(r->fd, target_domid, r->p, RIVAL_FRAMES, gfns, errs);
		break;
	case UNMAPS:
		r->ret = munmap(r->p, RIVAL_FRAMES * PAGE);
		break;
	case CLOSES:
		r->ret = close(r->fd);
		break;
	}
	return NULL;
}

/* Runs several threads on one area at the same time. */
static void rivals(struct __test_metadata *const _metadata, struct rival *r, unsigned int nr, int fd)
{
	char *p = area(fd, RIVAL_FRAMES, PROT_READ | PROT_WRITE);
	pthread_barrier_t barrier;
	unsigned int i;

	ASSERT_NE(MAP_FAILED, p);
	pthread_barrier_init(&barrier, NULL, nr);
	for (i = 0; i < nr; i++) {
		r[i].barrier = &barrier;
		r[i].fd = fd;
		r[i].p = p;
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, rival_main, &r[i]));
	}
	for (i = 0; i < nr; i++)
		pthread_join(r[i].thread, NULL);
	pthread_barrier_destroy(&barrier);
}

TEST_F(map, one_of_many_fills_an_area)
{
	unsigned int i, round;

	for (round = 0; round < RACES(100); round++) {
		struct rival r[4] = { };	/* all of them map */
		unsigned int won = 0, lost = 0;

		rivals(_metadata, r, 4, self->bound);
		for (i = 0; i < 4; i++) {
			won += r[i].ret == 0;
			lost += r[i].ret == -EINVAL;
		}
		ASSERT_EQ(1, won);
		ASSERT_EQ(3, lost);
		EXPECT_EQ(RIVAL_FRAMES, mapped_frames(self->bound));
		EXPECT_EQ(0, touch(r[0].p + (RIVAL_FRAMES - 1) * PAGE, true));
		ASSERT_EQ(0, munmap(r[0].p, RIVAL_FRAMES * PAGE));
	}
	EXPECT_EQ(0, mapped_frames(self->bound));
}

/* One thread maps an area, one unmaps it, and one closes the descriptor, which may be the last. */
TEST_F(map, unmapped_and_closed_while_mapping)
{
	long users = refcount();
	unsigned int round;

	ASSERT_LT(0, users);
	for (round = 0; round < RACES(100); round++) {
		struct rival r[3] = { { .role = MAPS }, { .role = UNMAPS }, { .role = CLOSES } };
		int fd = dmop_open_bound(target_domid), alias = -1;

		ASSERT_LE(0, fd);
		if (round % 2)
			alias = dup(fd);
		rivals(_metadata, r, 3, fd);
		EXPECT_TRUE(r[0].ret == 0 || r[0].ret == -EINVAL || r[0].ret == -EBADF) {
			TH_LOG("%ld", r[0].ret);
		}
		EXPECT_EQ(0, r[1].ret);
		EXPECT_EQ(0, r[2].ret);
		if (alias >= 0) {
			EXPECT_EQ(0, mapped_frames(alias));
			close(alias);
		}
	}
	EXPECT_EQ(users, refcount());
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
