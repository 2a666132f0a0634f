/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz_state.h - what a program of fuzz_test acts on, and which answers of the module are wrong
 */
#ifndef DMOP_TEST_FUZZ_STATE_H
#define DMOP_TEST_FUZZ_STATE_H

#include "dmop_test.h"

#define PAGE		4096UL
#define NR_SLOTS	6
#define NR_AREAS	4

/* Shared with the process that creates and destroys a domain all the time. */
static struct shared {
	_Atomic __u16 life;	/* its domid, also some time after its end */
	_Atomic unsigned int runs;
	_Atomic bool stop;
} *shared;

/* --- the objects of a program ---------------------------------------------- */

/*
 * Buffers of one thread: pages full of harmless operations. What the kernel writes there can never
 * be another operation. 16 pages are for buffers, 4 for arguments of calls, and 4 more follow; then
 * a page without access, then a read-only page.
 */
#define ARENA_PAGES	24
#define EDGE		(ARENA_PAGES * PAGE)
#define READ_ONLY	(EDGE + PAGE)

struct area {
	char *p;
	size_t len;
};

struct thread {
	const __u8 *at;
	const __u8 *end;
	char *arena;
	bool alone;	/* no other thread changes what is known of a file */
};

static int slots[NR_SLOTS];
static struct area areas[2 * NR_AREAS];	/* of either thread */
static char *arenas[2];
static bool privileged;
static const char *fault;

static inline void wrong(const char *what)
{
	if (!fault)
		fault = what;
}

static inline __u8 byte(struct thread *t)
{
	return t->at < t->end ? *t->at++ : 0;
}

static inline __u32 word(struct thread *t)
{
	return byte(t) | byte(t) << 8;
}

/* Return: an operation that does no harm to the domain, or an invalid one. */
static inline __u32 harmless(struct thread *t)
{
	static const __u32 ops[] = {
		DM_OP_UNKNOWN, DM_OP_CREATE_IOREQ_SERVER, DM_OP_GET_IOREQ_SERVER_INFO,
		DM_OP_MAP_IO_RANGE, DM_OP_UNMAP_IO_RANGE, DM_OP_SET_IOREQ_SERVER_STATE,
		DM_OP_DESTROY_IOREQ_SERVER, DM_OP_MODIFIED_MEMORY, 0,
	};

	return ops[byte(t) % ARRAY_SIZE(ops)];
}

static inline __u16 pick_domid(struct thread *t)
{
	__u8 b = byte(t);

	switch (b % 16) {
	default:
		return target_domid;
	case 6:
	case 7:
		return other_domid;
	case 8:
	case 9:
	case 10:
		return shared->life;
	case 11:
		return ABSENT_DOMID;
	case 12:
		return 0;
	case 13:
		return 0x7ff0 + b / 16;	/* the reserved ones */
	case 14:
		return word(t);
	}
}

/* Return: an address for @size bytes, good or bad. An operation may be read from there. */
static inline void *pick_pointer(struct thread *t, size_t size)
{
	char *arena = byte(t) % 8 ? t->arena : arenas[0];
	__u8 b = byte(t);

	switch (b % 16) {
	default:
		return arena + b / 16 * PAGE;
	case 8:
	case 9:
		return arena + (size < EDGE ? EDGE - size : 0);	/* all but too long */
	case 10:
		return arena + EDGE - size / 8 * 4;	/* half of it */
	case 11:
		return arena + READ_ONLY;
	case 12:
		return areas[b / 16 % ARRAY_SIZE(areas)].p;
	case 13:
		return NULL;
	case 14:
		return (void *)(0xffffULL << 48 | (unsigned long)arena);
	case 15:
		return (void *)0x7fffffffe000UL;
	}
}

/* Return: the address of a copy of @arg, or now and then another address. */
static inline void *place(struct thread *t, const void *arg, size_t size)
{
	__u8 b = byte(t);

	if (b < 224) {
		void *p = t->arena + 16 * PAGE + b % 4 * 1024;

		return memcpy(p, arg, size);
	}
	return pick_pointer(t, size);
}

/* If not, the kernel reads other arguments than those the step has chosen. */
static inline bool placed(const struct thread *t, const void *p)
{
	return p >= (void *)t->arena + 16 * PAGE && p < (void *)t->arena + 17 * PAGE;
}

/* An area that this thread may unmap. Only this thread maps anything there again. */
static inline struct area *my_area(struct thread *t)
{
	return &areas[byte(t) % NR_AREAS + (t->arena == arenas[0] ? 0 : NR_AREAS)];
}

static inline int slot(struct thread *t)
{
	return slots[byte(t) % NR_SLOTS];
}

/* --- answers that are wrong --------------------------------------------------- */

static inline bool any_of(long ret, const long *errs)
{
	for (; *errs; errs++)
		if (ret == *errs)
			return true;
	return false;
}

/* The state of the file before the call limits the answers. */
static inline void judge(const struct thread *t, const struct dmop_info *was, __u64 domid,
			 bool is_dm_op, long ret)
{
	static const long refused[] = { -EPERM, -ESRCH, -EFAULT, -EINTR, -EBADF, 0 };
	static const long dead[] = { -ESRCH, -EFAULT, -EBADF, 0 };

	if (!t->alone)
		return;
	if (!is_dm_op && !any_of(ret, refused))
		wrong("a hypercall that is no dm_op");
	if (was->state == DMOP_STATE_BOUND && domid != was->domid && !any_of(ret, refused))
		wrong("a bound file that reaches another domain");
	if (was->state == DMOP_STATE_BOUND && !(was->acts & 7) && !any_of(ret, refused))
		wrong("a bound file without a right that is answered");
	if (was->state == DMOP_STATE_REVOKED && !any_of(ret, dead))
		wrong("a revoked file that is answered");
	if (was->state == DMOP_STATE_UNBOUND && !privileged && !any_of(ret, refused))
		wrong("an unbound file that is worth something without privilege");
}

/* Likewise, of calls that tie an eventfd to a domain. No privilege counts. */
static inline void judge_event(const struct thread *t, const struct dmop_info *was, __u64 domid,
			       long ret)
{
	static const long refused[] = { -EPERM, -ESRCH, -EFAULT, -EINTR, -EBADF, 0 };

	if (!t->alone || !was->size || any_of(ret, refused))
		return;
	if (was->state != DMOP_STATE_BOUND)
		wrong("an event of a file that is not bound");
	else if (domid != was->domid)
		wrong("an event of another domain");
	else if (!(was->acts & DMOP_RIGHT_EVENT))
		wrong("an event without the right");
}

static inline void look(struct thread *t, int fd, struct dmop_info *is)
{
	if (!t->alone || dmop_info(fd, is))
		memset(is, 0, sizeof(*is));
}

#endif /* DMOP_TEST_FUZZ_STATE_H */
