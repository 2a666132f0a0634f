/* SPDX-License-Identifier: GPL-2.0 */
/*
 * policy.h - may this open file do this to that domain?
 *
 * Builds in user space too: no locks, no allocation, no user memory, no state.
 */
#ifndef DMOP_POLICY_H
#define DMOP_POLICY_H

#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#endif
#include <xen/dmop.h>

/*
 * The acts that a caller can request, each with its name in the log and in traces:
 *
 * INFO:     report the state of the file
 * PROBE:    DM_OP without buffers: a library tests whether the ioctl exists
 * RESTRICT: bind the file to a domain
 * CALL:     issue a hypercall on a domain
 * MAP:      map memory or a resource of a domain
 * AREA:     mmap(): create an area to map into; it belongs to no domain yet
 * NARROW:   remove rights of the file
 * EVENT:    tie an eventfd to a domain, with effect after the call
 * ANSWER:   notify virtual processors of the domain of a bound file
 *
 * Not requested as such, but refused, and then reported: a dm_op by its number
 * (OPERATION), a resource by its type (RESOURCE).
 */
#define DMOP_ACTS(ACT, LAST)	\
	ACT(INFO, "info")	\
	ACT(PROBE, "probe")	\
	ACT(RESTRICT, "restrict")	\
	ACT(CALL, "call")	\
	ACT(MAP, "map")		\
	ACT(AREA, "mmap")	\
	ACT(NARROW, "narrow")	\
	ACT(OPERATION, "operation")	\
	ACT(RESOURCE, "resource")	\
	ACT(EVENT, "event")	\
	LAST(ANSWER, "answer")

#define DMOP_ACT_NUMBER(act, name)	DMOP_ACT_##act,
enum dmop_act {
	DMOP_ACTS(DMOP_ACT_NUMBER, DMOP_ACT_NUMBER)
};
#undef DMOP_ACT_NUMBER

/*
 * The caller.
 *
 * @state: DMOP_STATE_* of the open file
 * @bound: the domid it is bound to; meaningless unless bound
 * @own:   the domid of the domain that this kernel runs in; meaningless unless
 *         unbound
 * @admin: the caller has CAP_SYS_ADMIN in the initial user namespace of the
 *         initial domain; meaningless unless unbound
 */
struct dmop_subject {
	unsigned int state;
	__u16 bound;
	__u16 own;
	bool admin;
};

/* The request, with every bit from the caller: nothing is truncated before the decision. */
struct dmop_request {
	enum dmop_act act;
	__u64 op;
	__u64 domid;
};

#define DMOP_ALLOW	1	/* continue */
#define DMOP_DONE	0	/* the result is 0, and there is nothing to do */

/**
 * dmop_policy() - the decision
 * @s: the caller
 * @r: the request
 *
 * Context: any; pure.
 *
 * Return: %DMOP_ALLOW, %DMOP_DONE, or the reason for the refusal:
 *  -ESRCH  the open file is revoked
 *  -EPERM  not this operation, not on this domain, or no privilege
 *  -EINVAL RESTRICT to a domid that cannot be a target, or of a bound file to
 *          another domid
 */
int dmop_policy(const struct dmop_subject *s, const struct dmop_request *r);

/**
 * dmop_policy_same_target() - compare two targets
 * @a: a domid
 * @b: a domid
 *
 * Context: any; pure.
 *
 * Return: true if both are the same target.
 */
static inline bool dmop_policy_same_target(__u16 a, __u16 b)
{
	return a == b;
}

/*
 * The rights that NARROW has left to an open file. Each word only ever loses bits, but
 * @max_frames and @gfn_last shrink, and @gfn_first grows.
 *
 * @untouched: DMOP_NARROW_*: members that no NARROW has selected. Without a bit for them,
 *          operations and resource types have their own word, and none beyond it is left
 * @acts:   DMOP_RIGHT_*
 * @ops:    a bit for each operation below %DMOP_OPS
 * @resources: a bit for each type below %DMOP_RESOURCES
 * @max_frames: frames in the areas of the file
 * @gfn_first, @gfn_last: frame numbers to map
 */
struct dmop_rights {
	__u64 untouched;
	__u64 acts;
	__u64 ops[2];
	__u64 resources;
	__u64 max_frames;
	__u64 gfn_first;
	__u64 gfn_last;
};

#define DMOP_OPS	128
#define DMOP_RESOURCES	64

/* No errno: NARROW has removed this. Never returned to user space, which gets EPERM. */
#define DMOP_NARROWED	(-4095)

/**
 * dmop_policy_rights() - the rights of a new file
 * @r: out: all rights
 *
 * Context: any; pure.
 */
void dmop_policy_rights(struct dmop_rights *r);

/**
 * dmop_policy_check_narrow() - is this a valid NARROW?
 * @n: the argument, as far as this module knows it
 *
 * Context: any; pure.
 *
 * Return: 0, or -EINVAL.
 */
int dmop_policy_check_narrow(const struct dmop_narrow *n);

/**
 * dmop_policy_narrow() - intersect rights with those that a NARROW keeps
 * @r: the rights
 * @n: a valid argument
 *
 * A file without CALL has no operation left, so the number alone decides on a dm_op. Each word of
 * the result depends on @n and on that word alone.
 *
 * Context: any; pure.
 */
void dmop_policy_narrow(struct dmop_rights *r, const struct dmop_narrow *n);

/**
 * dmop_policy_has() - does a file have these rights?
 * @acts:   its rights: dmop_rights.acts
 * @needed: DMOP_RIGHT_*, one or more
 *
 * Context: any; pure.
 *
 * Return: true if it has all of them.
 */
static inline bool dmop_policy_has(__u64 acts, __u64 needed)
{
	return !(needed & ~acts);
}

/**
 * dmop_policy_area() - may a file have an area?
 * @acts:  its rights: dmop_rights.acts
 * @write: the area is writable
 *
 * Context: any; pure.
 *
 * Return: true if so.
 */
static inline bool dmop_policy_area(__u64 acts, bool write)
{
	return (acts & (DMOP_RIGHT_MAP_FOREIGN | DMOP_RIGHT_MAP_RESOURCE)) &&
	       (!write || (acts & DMOP_RIGHT_MAP_WRITE));
}

/**
 * dmop_policy_op_word() - which word decides on an operation?
 * @op: number of the operation, any
 *
 * Context: any; pure.
 *
 * Return: an index of dmop_rights.ops, also where the processor speculates.
 */
static inline unsigned int dmop_policy_op_word(__u32 op)
{
	return op / 64 % 2;
}

/**
 * dmop_policy_op() - may a file whose operations were narrowed issue this one?
 * @word: dmop_rights.ops[dmop_policy_op_word(@op)]
 * @op:   number of the operation
 *
 * Context: any; pure.
 *
 * Return: true if so.
 */
static inline bool dmop_policy_op(__u64 word, __u32 op)
{
	return op < DMOP_OPS && (word >> (op % 64) & 1);
}

/**
 * dmop_policy_event_op() - may an eventfd issue this operation?
 * @op: number of the operation
 *
 * No permission: the same caller may issue any operation by DM_OP. An eventfd issues it with
 * interrupts off, so it has to be one that takes Xen little time.
 *
 * Context: any; pure.
 *
 * Return: true if so.
 */
bool dmop_policy_event_op(__u32 op);

/**
 * dmop_policy_resource() - may a file whose resources were narrowed map one of this type?
 * @resources: dmop_rights.resources
 * @type:      XENMEM_resource_*
 *
 * Context: any; pure.
 *
 * Return: true if so.
 */
static inline bool dmop_policy_resource(__u64 resources, __u32 type)
{
	return type < DMOP_RESOURCES && (resources >> (type % 64) & 1);
}

/**
 * dmop_policy_frames() - may the areas of a file have so many frames?
 * @max_frames: dmop_rights.max_frames
 * @frames:     the sum of their sizes
 *
 * Context: any; pure.
 *
 * Return: true if so.
 */
static inline bool dmop_policy_frames(__u64 max_frames, __u64 frames)
{
	return frames <= max_frames;
}

/**
 * dmop_policy_gfn() - may a file map this frame?
 * @first: dmop_rights.gfn_first
 * @last:  dmop_rights.gfn_last
 * @gfn:   frame number in the domain
 *
 * Context: any; pure.
 *
 * Return: true if so.
 */
static inline bool dmop_policy_gfn(__u64 first, __u64 last, __u64 gfn)
{
	return gfn >= first && gfn <= last;
}

#endif /* DMOP_POLICY_H */
