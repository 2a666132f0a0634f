/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rights.h - the rights of an open file, which another thread may narrow at any time
 *
 * No lock: each word only shrinks, and each decision reads a word once. A decision inside
 * dmop_record_enter() is final: NARROW waits for those that did not see it.
 */
#ifndef DMOP_RIGHTS_H
#define DMOP_RIGHTS_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/types.h>
#include <xen/interface/xen.h>

#include "policy.h"

#define DMOP_RIGHTS_WORDS	(sizeof(struct dmop_rights) / sizeof(u64))

/**
 * dmop_rights_read() - copy the rights
 * @rights: of the file
 * @copy:   out: a copy
 *
 * Context: any.
 */
static inline void dmop_rights_read(const struct dmop_rights *rights, struct dmop_rights *copy)
{
	const u64 *from = (const u64 *)rights;
	u64 *to = (u64 *)copy;
	unsigned int i;

	for (i = 0; i < DMOP_RIGHTS_WORDS; i++)
		to[i] = READ_ONCE(from[i]);
}

/**
 * dmop_rights_narrow() - intersect the rights with those that a NARROW keeps
 * @rights: of the file
 * @n:      a valid argument
 *
 * Any number of threads may do this at once: a word changed meanwhile is narrowed again. It ends,
 * because each repetition is due to a word that has lost a right.
 *
 * Context: any.
 */
static inline void dmop_rights_narrow(struct dmop_rights *rights, const struct dmop_narrow *n)
{
	struct dmop_rights old, new;
	u64 *word = (u64 *)rights;
	unsigned int i;
	bool changed;

	do {
		dmop_rights_read(rights, &old);
		new = old;
		dmop_policy_narrow(&new, n);
		changed = false;
		for (i = 0; i < DMOP_RIGHTS_WORDS; i++) {
			u64 was = ((const u64 *)&old)[i];

			if (cmpxchg(&word[i], was, ((const u64 *)&new)[i]) != was)
				changed = true;
		}
	} while (changed);
}

/**
 * dmop_rights_narrowed() - has a NARROW removed anything?
 * @rights: of the file
 *
 * Context: any.
 *
 * Return: false if the file has all rights.
 */
static __always_inline bool dmop_rights_narrowed(const struct dmop_rights *rights)
{
	return READ_ONCE(rights->untouched) != DMOP_NARROW_ALL;
}

/**
 * dmop_rights_has() - does the file have these rights?
 * @rights: of the file
 * @needed: DMOP_RIGHT_*, one or more
 *
 * Context: any.
 *
 * Return: true if it has all of them.
 */
static __always_inline bool dmop_rights_has(const struct dmop_rights *rights, u64 needed)
{
	return dmop_policy_has(READ_ONCE(rights->acts), needed);
}

/**
 * dmop_rights_any_op() - may the file issue every operation?
 * @rights: of the file
 *
 * Context: any.
 *
 * Return: true if so.
 */
static __always_inline bool dmop_rights_any_op(const struct dmop_rights *rights)
{
	return READ_ONCE(rights->untouched) & DMOP_NARROW_OPS;
}

/**
 * dmop_rights_op() - may a file whose operations were narrowed issue this one?
 * @rights: of the file
 * @buf:    contents of buffer 0, as Xen will get them
 * @size:   of buffer 0; one without room for a number holds no operation
 *
 * Context: any.
 *
 * Return: true if so.
 */
static __always_inline bool dmop_rights_op(const struct dmop_rights *rights, const void *buf,
					   size_t size)
{
	u32 op;

	if (unlikely(size < sizeof(op)))
		return false;
	op = *(const u32 *)buf;
	return dmop_policy_op(READ_ONCE(rights->ops[dmop_policy_op_word(op)]), op);
}

/**
 * dmop_rights_resource() - may the file map a resource of this type?
 * @rights: of the file
 * @type:   XENMEM_resource_*
 *
 * Context: any.
 *
 * Return: true if so.
 */
static inline bool dmop_rights_resource(const struct dmop_rights *rights, u32 type)
{
	if (likely(READ_ONCE(rights->untouched) & DMOP_NARROW_RESOURCES))
		return true;
	return dmop_policy_resource(READ_ONCE(rights->resources), type);
}

/**
 * dmop_rights_map() - may the file map in this way?
 * @rights: of the file
 * @right:  DMOP_RIGHT_MAP_*
 * @write:  the area is writable
 *
 * Context: any.
 *
 * Return: true if so.
 */
static inline bool dmop_rights_map(const struct dmop_rights *rights, u64 right, bool write)
{
	return dmop_rights_has(rights, write ? right | DMOP_RIGHT_MAP_WRITE : right);
}

/**
 * dmop_rights_frames() - may the areas of the file have so many frames?
 * @rights: of the file
 * @frames: the sum of their sizes
 *
 * Context: any.
 *
 * Return: true if so.
 */
static inline bool dmop_rights_frames(const struct dmop_rights *rights, u64 frames)
{
	return dmop_policy_frames(READ_ONCE(rights->max_frames), frames);
}

/**
 * dmop_rights_gfns() - may the file map these frames?
 * @rights: of the file
 * @gfns:   frame numbers in the domain
 * @nr:     number of them
 *
 * Context: any.
 *
 * Return: true if it may map all of them.
 */
static inline bool dmop_rights_gfns(const struct dmop_rights *rights, const xen_pfn_t *gfns,
				    unsigned int nr)
{
	u64 first = READ_ONCE(rights->gfn_first), last = READ_ONCE(rights->gfn_last);
	unsigned int i;

	if (likely(!first && last == U64_MAX))
		return true;
	for (i = 0; i < nr; i++)
		if (!dmop_policy_gfn(first, last, gfns[i]))
			return false;
	return true;
}

#endif /* DMOP_RIGHTS_H */
