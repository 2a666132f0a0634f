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
	if (r->act == DMOP_ACT_INFO)
		return DMOP_ALLOW;

	/* Fail closed: an unknown state counts as revoked. */
	if (s->state != DMOP_STATE_UNBOUND && s->state != DMOP_STATE_BOUND)
		return -ESRCH;

	switch (r->act) {
	case DMOP_ACT_PROBE:
		return DMOP_DONE;
	case DMOP_ACT_RESTRICT:
		return decide_restrict(s, r->domid);
	case DMOP_ACT_CALL:
		if (r->op != DMOP_HYPERCALL_NR)
			return -EPERM;
		return decide_target(s, r->domid);
	case DMOP_ACT_MAP:
		return decide_target(s, r->domid);
	case DMOP_ACT_AREA:
		return s->state == DMOP_STATE_BOUND || s->admin ? DMOP_ALLOW : -EPERM;
	default:
		return -EPERM;
	}
}
