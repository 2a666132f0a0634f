/* SPDX-License-Identifier: GPL-2.0 */
/*
 * narrow.h - wrappers of NARROW
 */
#ifndef DMOP_TEST_NARROW_H
#define DMOP_TEST_NARROW_H

#include "dmop_test.h"

/* Return: a NARROW of these members, each of which keeps nothing. */
static inline struct dmop_narrow narrow_of(__u32 flags)
{
	return (struct dmop_narrow){ .size = sizeof(struct dmop_narrow), .flags = flags };
}

static inline long narrow(int fd, const struct dmop_narrow *n)
{
	return do_ioctl(fd, DMOP_IOCTL_NARROW, n);
}

static inline long narrow_acts(int fd, __u64 acts)
{
	struct dmop_narrow n = narrow_of(DMOP_NARROW_ACTS);

	n.acts = acts;
	return narrow(fd, &n);
}

/* Keeps the operations of @low and @high. */
static inline long narrow_ops(int fd, __u64 low, __u64 high)
{
	struct dmop_narrow n = narrow_of(DMOP_NARROW_OPS);

	n.ops[0] = low;
	n.ops[1] = high;
	return narrow(fd, &n);
}

static inline long narrow_resources(int fd, __u64 resources)
{
	struct dmop_narrow n = narrow_of(DMOP_NARROW_RESOURCES);

	n.resources = resources;
	return narrow(fd, &n);
}

static inline long narrow_frames(int fd, __u64 max)
{
	struct dmop_narrow n = narrow_of(DMOP_NARROW_FRAMES);

	n.max_frames = max;
	return narrow(fd, &n);
}

static inline long narrow_gfns(int fd, __u64 first, __u64 last)
{
	struct dmop_narrow n = narrow_of(DMOP_NARROW_GFNS);

	n.gfn_first = first;
	n.gfn_last = last;
	return narrow(fd, &n);
}

#define OP(n)	(1ULL << (n))

#endif /* DMOP_TEST_NARROW_H */
