/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mapping.h - the fixture of the map_*_test programs, and helpers they share
 */
#ifndef DMOP_TEST_MAPPING_H
#define DMOP_TEST_MAPPING_H

#include "command.h"
#include "frames.h"

/* The module maps the frames of a call in pieces of this many. */
#define PIECE		512

/* Frames of a call that takes a while. */
#define LONG_CALL	4096

static inline long resource_map(int fd, struct dmop_mmap_resource *r)
{
	return do_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, r);
}

/*
 * A PVH dom0, or one on arm64. There a file may map fewer frames, and mapping one takes longer.
 */
static inline bool dom0_not_pv(void)
{
	return !run("grep -qx PV /sys/hypervisor/guest_type");
}

/* The frames from GFN on; after NR_GFNS of them the list starts again. */
#define NR_GFNS		32

static inline void fill(__u64 *gfns, unsigned int nr)
{
	while (nr--)
		gfns[nr] = GFN + nr % NR_GFNS;
}

FIXTURE(map)
{
	int bound;	/* to the target */
	int observer;	/* unbound, privileged */
	__u64 gfns[NR_GFNS];
	int errs[NR_GFNS];
};

FIXTURE_SETUP(map)
{
	self->bound = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->bound);
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	fill(self->gfns, ARRAY_SIZE(self->gfns));
	memset(self->errs, POISON, sizeof(self->errs));
}

FIXTURE_TEARDOWN(map)
{
	close(self->bound);
	close(self->observer);
}

#define ALL	ARRAY_SIZE(self->gfns)

#endif /* DMOP_TEST_MAPPING_H */
