/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gate.h - the decision of one call, and the state held under it
 *
 * Inline, because the hot path is one function to the compiler from the argument
 * to the hypercall.
 */
#ifndef DMOP_GATE_H
#define DMOP_GATE_H

#include <linux/capability.h>
#include <xen/xen.h>

#include "file.h"
#include "observe.h"
#include "policy.h"
#include "rights.h"
#include "watch.h"

/**
 * dmop_decide() - may this file do this now?
 * @f:      the file
 * @record: as dmop_file_record() returned it
 * @r:      the request
 *
 * A refusal is counted and reported.
 *
 * Context: process context.
 *
 * Return: as dmop_policy()
 */
static __always_inline int dmop_decide(struct dmop_file *f,
				       const struct dmop_record *record,
				       const struct dmop_request *r)
{
	/* All members are set, but @own and @admin only for an unbound file. */
	struct dmop_subject s dmop_uninitialized;
	int verdict;

	s.state = dmop_file_state(record);
	s.bound = record ? record->domid : 0;
	if (s.state == DMOP_STATE_UNBOUND) {
		/*
		 * capable() leaves a mark on the caller (PF_SUPERPRIV, audit), so it is
		 * asked only if its answer counts: in the initial domain.
		 */
		bool asked = r->act != DMOP_ACT_INFO && r->act != DMOP_ACT_PROBE &&
			     r->act != DMOP_ACT_NARROW && r->act != DMOP_ACT_EVENT &&
			     r->act != DMOP_ACT_ANSWER;

		s.own = asked ? dmop_own_domid() : 0;
		s.admin = asked && xen_initial_domain() && capable(CAP_SYS_ADMIN);
	}

	verdict = dmop_policy(&s, r);
	if (verdict < 0)
		dmop_observe_refusal(f, &s, r, verdict);
	return verdict;
}

/**
 * dmop_enter() - decide, and hold the state that the decision was made under
 * @f:      the file
 * @r:      the request
 * @right:  DMOP_RIGHT_*: needed for it
 * @record: out: the record of the file, or NULL: unbound
 *
 * The loop runs twice at most, for a file is bound once.
 *
 * Context: process context; waits, killably, for a RESTRICT in progress.
 *
 * Return: %DMOP_ALLOW, to be followed by dmop_file_leave(); else as dmop_policy(),
 * -EPERM: NARROW has removed @right, or -EINTR: the caller is being killed.
 */
static __always_inline int dmop_enter(struct dmop_file *f,
				      const struct dmop_request *r, u64 right,
				      struct dmop_record **record)
{
	int ret;

	do {
		*record = dmop_file_record(f);
		ret = dmop_decide(f, *record, r);
		if (ret != DMOP_ALLOW)
			return ret;
		if (unlikely(!dmop_rights_has(&f->rights, right)))
			return dmop_observe_narrowed(f, r->act, r->op, r->domid);
		ret = dmop_file_enter(f, *record);
	} while (ret == -EAGAIN);

	return ret ? ret : DMOP_ALLOW;
}

#endif /* DMOP_GATE_H */
