// SPDX-License-Identifier: GPL-2.0
/*
 * policy.c - may this open file do this to that domain?
 */
#include <linux/errno.h>

#include "policy.h"

/* All reserved ids (SELF, IO, XEN, INVALID, ...) are above DMOP_DOMID_MAX. */
static bool can_be_target(const struct dmop_subject *s, __u64 domid)
{
	return domid >= 1 && domid <= DMOP_DOMID_MAX && domid != s->own;
}

static int decide_restrict(const struct dmop_subject *s, __u64 domid)
{
	if (s->state == DMOP_STATE_BOUND)
		return domid == s->bound ? DMOP_DONE : -EINVAL;
	if (!s->admin)
		return -EPERM;
	return can_be_target(s, domid) ? DMOP_ALLOW : -EINVAL;
}

static int decide_target(const struct dmop_subject *s, __u64 domid)
{
	if (s->state == DMOP_STATE_BOUND)
		return domid == s->bound ? DMOP_ALLOW : -EPERM;
	return s->admin && can_be_target(s, domid) ? DMOP_ALLOW : -EPERM;
}

int dmop_policy(const struct dmop_subject *s, const struct dmop_request *r)
{
	/* Fail closed: an unknown state counts as revoked. */
	if (s->state != DMOP_STATE_UNBOUND && s->state != DMOP_STATE_BOUND) {
		if (r->act != DMOP_ACT_INFO)
			return -ESRCH;
		return DMOP_ALLOW;
	}

	/* Before the others, because their number costs instructions. */
	if (r->act == DMOP_ACT_CALL) {
		if (r->op != DMOP_HYPERCALL_NR)
			return -EPERM;
		return decide_target(s, r->domid);
	}

	switch (r->act) {
	case DMOP_ACT_INFO:
		return DMOP_ALLOW;
	case DMOP_ACT_PROBE:
		return DMOP_DONE;
	case DMOP_ACT_RESTRICT:
		return decide_restrict(s, r->domid);
	case DMOP_ACT_MAP:
		return decide_target(s, r->domid);
	case DMOP_ACT_AREA:
		return s->state == DMOP_STATE_BOUND || s->admin ? DMOP_ALLOW : -EPERM;
	case DMOP_ACT_NARROW:
	case DMOP_ACT_ANSWER:
		return s->state == DMOP_STATE_BOUND ? DMOP_ALLOW : -EPERM;
	case DMOP_ACT_EVENT:
		/* Nobody checks a privilege when the event happens, so none counts. */
		return s->state == DMOP_STATE_BOUND ? decide_target(s, r->domid) : -EPERM;
	default:
		return -EPERM;
	}
}

/* Numbers of Xen's public/hvm/dm_op.h, a stable interface. */
#define OP_SET_PCI_INTX_LEVEL	8
#define OP_SET_ISA_IRQ_LEVEL	9
#define OP_INJECT_MSI		14
#define OP_SET_IRQ_LEVEL	19

bool dmop_policy_event_op(__u32 op)
{
	switch (op) {
	case OP_SET_PCI_INTX_LEVEL:
	case OP_SET_ISA_IRQ_LEVEL:
	case OP_INJECT_MSI:
	case OP_SET_IRQ_LEVEL:
		return true;
	default:
		return false;
	}
}

void dmop_policy_rights(struct dmop_rights *r)
{
	r->untouched = DMOP_NARROW_ALL;
	r->acts = DMOP_RIGHT_ALL;
	r->ops[0] = ~0ULL;
	r->ops[1] = ~0ULL;
	r->resources = ~0ULL;
	r->max_frames = ~0ULL;
	r->gfn_first = 0;
	r->gfn_last = ~0ULL;
}

int dmop_policy_check_narrow(const struct dmop_narrow *n)
{
	if (n->size < DMOP_NARROW_SIZE_V1 || (n->flags & ~DMOP_NARROW_ALL))
		return -EINVAL;
	if ((n->flags & DMOP_NARROW_GFNS) && n->gfn_first > n->gfn_last)
		return -EINVAL;
	return 0;
}

static void keep_ops(struct dmop_rights *r, __u64 low, __u64 high)
{
	r->untouched &= ~DMOP_NARROW_OPS;
	r->ops[0] &= low;
	r->ops[1] &= high;
}

void dmop_policy_narrow(struct dmop_rights *r, const struct dmop_narrow *n)
{
	r->untouched &= ~(__u64)n->flags;
	if (n->flags & DMOP_NARROW_ACTS) {
		r->acts &= n->acts;
		if (!(n->acts & DMOP_RIGHT_CALL))
			keep_ops(r, 0, 0);
	}
	if (n->flags & DMOP_NARROW_OPS)
		keep_ops(r, n->ops[0], n->ops[1]);
	if (n->flags & DMOP_NARROW_RESOURCES)
		r->resources &= n->resources;
	if ((n->flags & DMOP_NARROW_FRAMES) && n->max_frames < r->max_frames)
		r->max_frames = n->max_frames;
	if (n->flags & DMOP_NARROW_GFNS) {
		if (n->gfn_first > r->gfn_first)
			r->gfn_first = n->gfn_first;
		if (n->gfn_last < r->gfn_last)
			r->gfn_last = n->gfn_last;
	}
}
