/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kicks.h - which kick does an access of the guest match?
 *
 * Builds in user space too: no locks, no allocation, no user memory.
 */
#ifndef DMOP_KICKS_H
#define DMOP_KICKS_H

#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#endif
#include <xen/dmop.h>

/*
 * An access that signals an eventfd instead of being a request.
 *
 * @addr:  address, or port
 * @match: the data after @mask
 * @mask:  bits of the data that count; 0: any data matches
 * @space: dmop_kicks_space()
 * @len:   bytes of the access; 0: any
 * @eventfd: not used here
 */
struct dmop_kick_entry {
	__u64 addr;
	__u64 match;
	__u64 mask;
	__u32 space;
	__u32 len;
	void *eventfd;
};

#define DMOP_KICKS_SLOTS	(2 * DMOP_KICKS_MAX)

/*
 * A table of kicks, of which no two match the same access.
 *
 * @nr:     number of @entries
 * @nr_shapes: number of @shapes
 * @shapes: an entry for each pair of mask and length that occurs
 * @slots:  a hash table of them all, with open addressing: index and 1, or 0
 */
struct dmop_kicks {
	__u16 nr;
	__u16 nr_shapes;
	__u16 shapes[DMOP_KICKS_MAX];
	__u16 slots[DMOP_KICKS_SLOTS];
	struct dmop_kick_entry entries[];
};

/**
 * dmop_kicks_space() - the address space of an access
 * @server: ioreq server, 16 bits
 * @pio:    the address is a port
 *
 * Context: any; pure.
 *
 * Return: a number for it.
 */
static inline __u32 dmop_kicks_space(__u32 server, bool pio)
{
	return server << 1 | pio;
}

/**
 * dmop_kicks_check() - is the argument of KICK valid?
 * @k: the argument, but for its size and the eventfd
 *
 * Context: any; pure.
 *
 * Return: true if so.
 */
bool dmop_kicks_check(const struct dmop_kick *k);

/**
 * dmop_kicks_entry() - the entry for a valid argument
 * @k: the argument
 * @e: out: the entry, without eventfd
 *
 * Context: any; pure.
 */
void dmop_kicks_entry(const struct dmop_kick *k, struct dmop_kick_entry *e);

/**
 * dmop_kicks_collide() - could one access match both?
 * @a: an entry
 * @b: an entry
 *
 * Context: any; pure.
 *
 * Return: true if so.
 */
bool dmop_kicks_collide(const struct dmop_kick_entry *a, const struct dmop_kick_entry *b);

/**
 * dmop_kicks_add() - add an entry
 * @t: the table, with room for it; all bytes of an empty one are 0
 * @e: an entry that collides with none of the table
 *
 * Context: any; nobody else uses the table.
 */
void dmop_kicks_add(struct dmop_kicks *t, const struct dmop_kick_entry *e);

/**
 * dmop_kicks_find() - the entry that an access matches
 * @t:     the table
 * @space: dmop_kicks_space()
 * @addr:  address, or port
 * @size:  bytes of the access, any number
 * @data:  what is written
 *
 * Its cost depends on the number of pairs of mask and length, and little on that of entries.
 *
 * Context: any; pure.
 *
 * Return: the entry, or NULL.
 */
const struct dmop_kick_entry *dmop_kicks_find(const struct dmop_kicks *t, __u32 space, __u64 addr,
					      __u32 size, __u64 data);

#endif /* DMOP_KICKS_H */
