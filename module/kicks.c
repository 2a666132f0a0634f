// SPDX-License-Identifier: GPL-2.0
/*
 * kicks.c - which kick does an access of the guest match?
 */
#ifdef __KERNEL__
#include <linux/kernel.h>
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

#include "kicks.h"

#define PIO_END		0x10000

/* The bits of an access of @len bytes, 1 to 8. */
static __u64 bits(__u32 len)
{
	return ~0ULL >> (64 - 8 * len);
}

bool dmop_kicks_check(const struct dmop_kick *k)
{
	bool pio = k->flags & DMOP_KICK_PIO;
	__u64 last;

	if (k->flags & ~DMOP_KICK_ALL || k->server > DMOP_SERVER_MAX)
		return false;
	if (k->len > 8 || k->len & (k->len - 1))
		return false;
	/* The last byte of the access; of one of any size, the first is known. */
	last = k->addr + (k->len ? k->len - 1 : 0);
	if (last < k->addr || (pio && last >= PIO_END))
		return false;
	if (!(k->flags & DMOP_KICK_DATAMATCH))
		return !k->datamatch && !k->mask;
	return k->len && k->mask && !(k->mask & ~bits(k->len)) && !(k->datamatch & ~k->mask);
}

void dmop_kicks_entry(const struct dmop_kick *k, struct dmop_kick_entry *e)
{
	*e = (struct dmop_kick_entry) {
		.addr = k->addr,
		.match = k->datamatch,
		.mask = k->mask,
		.space = dmop_kicks_space(k->server, k->flags & DMOP_KICK_PIO),
		.len = k->len,
	};
}

bool dmop_kicks_collide(const struct dmop_kick_entry *a, const struct dmop_kick_entry *b)
{
	if (a->addr != b->addr || a->space != b->space)
		return false;
	if (a->len && b->len && a->len != b->len)
		return false;
	return !((a->match ^ b->match) & a->mask & b->mask);
}

/* Multiplication spreads each bit over those above it, and the upper ones are taken. */
static unsigned int slot_of(__u32 space, __u64 addr, __u64 match)
{
	__u64 h = (addr ^ (__u64)space << 48) * 0x9e3779b97f4a7c15ULL + match;

	return h * 0x9e3779b97f4a7c15ULL >> 40 & (DMOP_KICKS_SLOTS - 1);
}

static unsigned int next_slot(unsigned int slot)
{
	return (slot + 1) & (DMOP_KICKS_SLOTS - 1);
}

static bool same_shape(const struct dmop_kick_entry *a, const struct dmop_kick_entry *b)
{
	return a->mask == b->mask && a->len == b->len;
}

void dmop_kicks_add(struct dmop_kicks *t, const struct dmop_kick_entry *e)
{
	unsigned int slot = slot_of(e->space, e->addr, e->match), i;

	t->entries[t->nr] = *e;
	for (i = 0; i < t->nr_shapes; i++)
		if (same_shape(&t->entries[t->shapes[i]], e))
			break;
	if (i == t->nr_shapes)
		t->shapes[t->nr_shapes++] = t->nr;
	/* Half of the slots are free at least. */
	while (t->slots[slot])
		slot = next_slot(slot);
	t->slots[slot] = ++t->nr;
}

static const struct dmop_kick_entry *find(const struct dmop_kicks *t,
					  const struct dmop_kick_entry *shape, __u32 space,
					  __u64 addr, __u64 match)
{
	unsigned int slot = slot_of(space, addr, match);

	for (; t->slots[slot]; slot = next_slot(slot)) {
		const struct dmop_kick_entry *e = &t->entries[t->slots[slot] - 1];

		if (e->addr == addr && e->match == match && e->space == space &&
		    same_shape(e, shape))
			return e;
	}
	return NULL;
}

const struct dmop_kick_entry *dmop_kicks_find(const struct dmop_kicks *t, __u32 space, __u64 addr,
					      __u32 size, __u64 data)
{
	const struct dmop_kick_entry *e = NULL;
	unsigned int i;

	for (i = 0; !e && i < t->nr_shapes; i++) {
		const struct dmop_kick_entry *shape = &t->entries[t->shapes[i]];

		if (!shape->len || shape->len == size)
			e = find(t, shape, space, addr, data & shape->mask);
	}
	return e;
}
