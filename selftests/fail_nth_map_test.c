// SPDX-License-Identifier: GPL-2.0
/*
 * fail_nth_map_test.c - failed allocations and copies: areas, mapped frames, mapped resources
 */
#include "fail_nth.h"

#define MANY	40		/* frames: more than a small area has */
#define PIECES	(512 + MANY)	/* frames: two pieces of a call */

/* --- areas and mappings ------------------------------------------------------ */

static unsigned int frames;

/* Far from other mappings, so new page tables are needed. Each of their allocations can fail. */
#define ALONE	((void *)(1UL << 44))

static long mmap_it(struct state *s)
{
	s->p = mmap(ALONE, frames * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	return s->p == MAP_FAILED ? -errno : 0;
}

static bool with_area(struct state *s)
{
	return bound(s) && !mmap_it(s);
}

static bool no_area(struct state *s)
{
	return s->p == MAP_FAILED && is_bound(s);
}

static bool an_area(struct state *s)
{
	return !mapped_frames(s->fd) && touch(s->p, false) == SIGBUS;
}

static void unmap_it(struct state *s)
{
	if (s->p != MAP_FAILED)
		munmap(s->p, frames * PAGE);
	if (mapped_frames(s->fd))
		s->fd = -1;	/* not closed: refcount() shows the rest */
	close_it(s);
}

TEST(area_made)
{
	ASSERT_TRUE(faults_ready());
	frames = MANY;
	EXPECT_FAILURES(1, bound, mmap_it, no_area, an_area, unmap_it);
}

static long map_it(struct state *s)
{
	static __u64 gfns[PIECES];
	static int errs[PIECES];
	unsigned int i;
	long ret;

	for (i = 0; i < frames; i++)
		gfns[i] = GFN + i % 32;
	memset(errs, POISON, sizeof(errs));
	ret = map(s->fd, target_domid, s->p, frames, gfns, errs);
	/* An error of a single frame counts as a failure. */
	for (i = 0; !ret && i < frames; i++)
		ret = errs[i];
	return ret;
}

static bool all_there(struct state *s)
{
	unsigned int i;

	for (i = 0; i < frames; i++)
		if (touch(s->p + i * PAGE, true))
			return false;
	return mapped_frames(s->fd) == frames && is_bound(s);
}

/*
 * Either all frames are mapped or none. Mapped frames belong to the target, and the area can be
 * unmapped. If none is mapped, the same call succeeds on the same area.
 */
static bool all_or_none_there(struct state *s)
{
	unsigned int i, there = 0;

	for (i = 0; i < frames; i++)
		there += !touch(s->p + i * PAGE, true);
	if (there && there < frames)
		return false;
	if (there)
		return mapped_frames(s->fd) == frames;
	return !map_it(s) && all_there(s);
}

static void map_sweep(struct __test_metadata *const _metadata, unsigned int nr)
{
	ASSERT_TRUE(faults_ready());
	frames = nr;
	/*
	 * The argument, the arrays, the frames, the page tables, the results, the area's own
	 * memory.
	 */
	EXPECT_FAILURES(5, with_area, map_it, all_or_none_there, all_there, unmap_it);
}

TEST(one_frame)
{
	map_sweep(_metadata, 1);
}

TEST(many_frames)
{
	map_sweep(_metadata, MANY);
}

/* A frame that is not there can be mapped, by the same call if there is none, else by itself. */
static bool rest_can_be_mapped(struct state *s)
{
	__u64 gfn = GFN;
	unsigned int i;
	int err;

	if (!mapped_frames(s->fd))
		return !map_it(s) && all_there(s);
	for (i = 0; i < frames; i++)
		if (touch(s->p + i * PAGE, true) &&
		    (map(s->fd, target_domid, s->p + i * PAGE, 1, &gfn, &err) || err))
			return false;
	return all_there(s);
}

TEST(two_pieces)
{
	ASSERT_TRUE(faults_ready());
	frames = PIECES;
	/* As above, with two copies more. */
	EXPECT_FAILURES(7, with_area, map_it, rest_can_be_mapped, all_there, unmap_it);
}

/* The second small area of a file needs an allocation. */
static char *first_area;

static bool with_second_area(struct state *s)
{
	if (!with_area(s))
		return false;
	first_area = map_one(s->fd, target_domid, GFN);
	return first_area;
}

static bool second_there(struct state *s)
{
	return mapped_frames(s->fd) == 1 + frames && !touch(s->p, true) && !touch(first_area, true);
}

static bool second_or_not(struct state *s)
{
	if (touch(first_area, true))
		return false;
	if (!touch(s->p, true))
		return mapped_frames(s->fd) == 1 + frames;
	return mapped_frames(s->fd) <= 1 + frames && !map_it(s) && second_there(s);
}

static void unmap_both(struct state *s)
{
	munmap(first_area, PAGE);
	unmap_it(s);
}

TEST(second_area)
{
	ASSERT_TRUE(faults_ready());
	frames = 1;
	EXPECT_FAILURES(5, with_second_area, map_it, second_or_not, second_there, unmap_both);
}

static long id = -1;

static bool with_server(struct state *s)
{
	if (!with_area(s))
		return false;
	ioreq_destroy_all(s->fd, target_domid);
	id = ioreq_create(s->fd, target_domid);
	return id >= 0;
}

static __u32 resource_type = RESOURCE_IOREQ_SERVER;

static long resource(struct state *s, __u32 nr)
{
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = resource_type, .id = resource_type == RESOURCE_IOREQ_SERVER ? id : 0,
		.num = nr, .addr = nr ? (unsigned long)s->p : 0,
	};

	return do_ioctl(s->fd, DMOP_IOCTL_MMAP_RESOURCE, &r);
}

static long size_it(struct state *s)
{
	return resource(s, 0);
}

static bool server_there(struct state *s)
{
	return is_bound(s) && ioreq_mask(s->fd, target_domid) == 1U << id && !mapped_frames(s->fd);
}

static void unmap_without_server(struct state *s)
{
	ioreq_destroy_all(s->fd, target_domid);
	unmap_it(s);
}

/* Nothing is allocated, and the copies are single words. memory_test lets these fail. */
TEST(resource_size)
{
	ASSERT_TRUE(faults_ready());
	frames = 1;
	EXPECT_EQ(0, sweep_from(_metadata, 1, &(struct sweep){ with_server, size_it, server_there, server_there,
							       unmap_without_server }));
}

static long resource_it(struct state *s)
{
	return resource(s, frames);
}

static bool no_resource(struct state *s)
{
	return touch(s->p, false) == SIGBUS && server_there(s) &&
	       !resource_it(s) && all_there(s);
}

TEST(resource_frame)
{
	ASSERT_TRUE(faults_ready());
	frames = 2;
	/* Page tables. In a PVH dom0 also empty pages. */
	EXPECT_FAILURES(2, with_server, resource_it, no_resource, all_there, unmap_without_server);
}

/* More frames than fit on the stack, of the grant table. */
TEST(resource_frames)
{
	ASSERT_TRUE(faults_ready());
	frames = 6;
	resource_type = RESOURCE_GRANT_TABLE;
	/* As above, and the list of frames. */
	EXPECT_FAILURES(3, with_server, resource_it, no_resource, all_there, unmap_without_server);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
