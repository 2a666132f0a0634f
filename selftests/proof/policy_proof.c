// SPDX-License-Identifier: GPL-2.0
/*
 * policy_proof.c - what module/policy.c can never do, for a model checker
 *
 * CBMC takes every value of every bit of subject and request at once; nothing
 * is assumed of them. A state, an act or a domid that does not exist is among
 * them. Numbers are those of the ABI and not of the header that is tested.
 */
#include <errno.h>
#include <stdbool.h>

#include "nondet.h"
#include "policy.h"

#define UNBOUND	0
#define BOUND	1

#define implies(a, b)	(!(a) || (b))
#define prove(name, what)	__CPROVER_assert(what, "proof: " name)

static bool names_a_domain(const struct dmop_request *r)
{
	return r->act == DMOP_ACT_RESTRICT || r->act == DMOP_ACT_CALL ||
	       r->act == DMOP_ACT_MAP || r->act == DMOP_ACT_EVENT;
}

static bool same_subject(const struct dmop_subject *a, const struct dmop_subject *b)
{
	return a->state == b->state && a->bound == b->bound &&
	       a->own == b->own && a->admin == b->admin;
}

static bool same_request(const struct dmop_request *a, const struct dmop_request *b)
{
	return a->act == b->act && a->op == b->op && a->domid == b->domid;
}

/* One subject, one request. */
static void one_decision(void)
{
	struct dmop_subject s = nondet_subject();
	const struct dmop_subject s_before = s;
	struct dmop_request r = nondet_request();
	const struct dmop_request r_before = r;
	int verdict = dmop_policy(&s, &r);
	bool let_in = verdict >= 0;

	prove("no hypercall but dm_op",
	      implies(let_in && r.act == DMOP_ACT_CALL, r.op == 41));

	prove("a bound file reaches its own domain and no other",
	      implies(let_in && s.state == BOUND && names_a_domain(&r),
		      r.domid == s.bound));

	prove("without privilege an unbound file is worth nothing",
	      implies(let_in && s.state == UNBOUND && !s.admin,
		      r.act == DMOP_ACT_INFO || r.act == DMOP_ACT_PROBE));

	prove("with privilege it reaches what can be a target",
	      implies(let_in && s.state == UNBOUND && names_a_domain(&r),
		      r.domid >= 1 && r.domid <= 0x7fef && r.domid != s.own));

	prove("a revoked file, or one in no known state, only tells what it is",
	      implies(s.state != UNBOUND && s.state != BOUND,
		      r.act == DMOP_ACT_INFO ? verdict == DMOP_ALLOW :
					       verdict == -ESRCH));

	prove("what is not known is refused",
	      implies(let_in, r.act == DMOP_ACT_INFO || r.act == DMOP_ACT_PROBE ||
			      r.act == DMOP_ACT_AREA || r.act == DMOP_ACT_NARROW ||
			      r.act == DMOP_ACT_ANSWER || names_a_domain(&r)));

	prove("the probe does nothing",
	      implies(r.act == DMOP_ACT_PROBE, verdict == DMOP_DONE || verdict == -ESRCH));

	prove("nothing is done twice: what is done already is only a bound file's RESTRICT",
	      implies(verdict == DMOP_DONE && r.act != DMOP_ACT_PROBE,
		      r.act == DMOP_ACT_RESTRICT && s.state == BOUND));

	prove("a bound file is never bound again",
	      implies(r.act == DMOP_ACT_RESTRICT && s.state == BOUND,
		      verdict != DMOP_ALLOW));

	prove("a refusal has one of three reasons, and EINVAL is RESTRICT's alone",
	      let_in ? verdict == DMOP_ALLOW || verdict == DMOP_DONE :
		       verdict == -ESRCH || verdict == -EPERM ||
		       (verdict == -EINVAL && r.act == DMOP_ACT_RESTRICT));

	prove("RESTRICT of a bound file to another domain is EINVAL, all else that is refused EPERM",
	      implies(s.state == BOUND && verdict < 0,
		      verdict == (r.act == DMOP_ACT_RESTRICT ? -EINVAL : -EPERM)));

	prove("who asks and what is asked are left as they were",
	      same_subject(&s, &s_before) && same_request(&r, &r_before));
	prove("asked again, the answer is the same", dmop_policy(&s, &r) == verdict);
}

/* What a file can do only ever becomes less. */
static void one_way(void)
{
	struct dmop_request r = nondet_request();
	struct dmop_subject unbound = nondet_subject();
	struct dmop_subject bound, other, revoked;
	struct dmop_request restrict_to = { .act = DMOP_ACT_RESTRICT };

	restrict_to.domid = nondet_domid();

	unbound.state = UNBOUND;
	bound = unbound;
	bound.state = BOUND;
	bound.bound = restrict_to.domid;
	other = bound;
	other.admin = !bound.admin;
	revoked = nondet_subject();
	revoked.bound = bound.bound;
	revoked.own = bound.own;

	prove("what RESTRICT lets in was let in before",
	      implies(dmop_policy(&unbound, &restrict_to) == DMOP_ALLOW &&
		      r.act != DMOP_ACT_RESTRICT && r.act != DMOP_ACT_NARROW &&
		      r.act != DMOP_ACT_EVENT && r.act != DMOP_ACT_ANSWER &&
		      dmop_policy(&bound, &r) >= 0,
		      dmop_policy(&unbound, &r) >= 0));

	prove("what is let in after revocation was let in before",
	      implies(revoked.state != UNBOUND && revoked.state != BOUND &&
		      dmop_policy(&revoked, &r) >= 0,
		      dmop_policy(&bound, &r) >= 0));

	prove("only a bound file is narrowed",
	      implies(r.act == DMOP_ACT_NARROW && dmop_policy(&unbound, &r) >= 0, false) &&
	      implies(r.act == DMOP_ACT_NARROW, dmop_policy(&bound, &r) == DMOP_ALLOW));

	prove("only a bound file gets an event",
	      implies(r.act == DMOP_ACT_EVENT, dmop_policy(&unbound, &r) < 0));

	prove("only a bound file answers",
	      implies(r.act == DMOP_ACT_ANSWER, dmop_policy(&unbound, &r) < 0 &&
		      dmop_policy(&bound, &r) == DMOP_ALLOW));

	prove("no privilege changes what a bound file can do",
	      dmop_policy(&bound, &r) == dmop_policy(&other, &r));
}

static void targets(void)
{
	unsigned short a = nondet_domid(), b = nondet_domid();

	prove("two targets are one if all their bits are",
	      dmop_policy_same_target(a, b) == ((a ^ b) == 0));
}

/* Numbers from the ABI of Xen, not from the code under test. */
static void event_ops(void)
{
	unsigned int op = nondet_op();

	prove("an eventfd issues one of four operations",
	      dmop_policy_event_op(op) == (op == 8 || op == 9 || op == 14 || op == 19));
}

int main(void)
{
	one_decision();
	one_way();
	targets();
	event_ops();
	return 0;
}
