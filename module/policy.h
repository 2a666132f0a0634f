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
 */
#define DMOP_ACTS(ACT, LAST)	\
	ACT(INFO, "info")	\
	ACT(PROBE, "probe")	\
	ACT(RESTRICT, "restrict")	\
	ACT(CALL, "call")	\
	ACT(MAP, "map")		\
	LAST(AREA, "mmap")

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
 * @own:   the domid of the domain that this kernel runs in; meaningless when
 *         bound
 * @admin: the caller has CAP_SYS_ADMIN in the initial user namespace of the
 *         initial domain
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

#endif /* DMOP_POLICY_H */
