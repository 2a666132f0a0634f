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

/* What is asked. */
enum dmop_act {
	DMOP_ACT_INFO,		/* tell the state */
	DMOP_ACT_PROBE,		/* is the DM_OP ioctl there? */
	DMOP_ACT_RESTRICT,	/* bind to @domid */
	DMOP_ACT_CALL,		/* hypercall @op on @domid */
	DMOP_ACT_MAP,		/* map memory or a resource of @domid */
	DMOP_ACT_AREA,		/* mmap(): an area to map into, of no domain yet */
};

/*
 * Who asks.
 *
 * @state: DMOP_STATE_* of the open file
 * @bound: the domid it is bound to; without meaning when unbound
 * @own:   the domid of the domain that this kernel runs in; without meaning when
 *         bound
 * @admin: the caller has CAP_SYS_ADMIN in the initial user namespace, of the
 *         initial domain
 */
struct dmop_subject {
	unsigned int state;
	__u16 bound;
	__u16 own;
	bool admin;
};

/* What is asked, with every bit that the caller gave. */
struct dmop_request {
	enum dmop_act act;
	__u64 op;
	__u64 domid;
};

#define DMOP_ALLOW	1	/* go on */
#define DMOP_DONE	0	/* the answer is 0 and there is nothing to do */

/**
 * dmop_policy() - the decision
 * @s: who asks
 * @r: what is asked
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
 * dmop_policy_same_target() - are these two one target?
 * @a: a domid
 * @b: a domid
 *
 * Context: any; pure.
 *
 * Return: true if so.
 */
bool dmop_policy_same_target(__u16 a, __u16 b);

#endif /* DMOP_POLICY_H */
