// SPDX-License-Identifier: GPL-2.0
/*
 * rights_proof.c - what NARROW can never do, for a model checker
 *
 * As policy_proof.c: CBMC takes every value of every bit of rights and arguments at once. Numbers
 * are those of the ABI and not of the header that is tested.
 */
#include <errno.h>
#include <stdbool.h>

#include "nondet.h"
#include "policy.h"

#define implies(a, b)	(!(a) || (b))
#define prove(name, what)	__CPROVER_assert(what, "proof: " name)

/* Something that needs rights; each answer below is that of the module. */
struct wish {
	__u64 acts, number;
	unsigned int op;
	bool write;
};

static bool may_act(const struct dmop_rights *r, const struct wish *w)
{
	return dmop_policy_has(r->acts, w->acts);
}

static bool may_have_area(const struct dmop_rights *r, const struct wish *w)
{
	return dmop_policy_area(r->acts, w->write);
}

static bool may_issue(const struct dmop_rights *r, const struct wish *w)
{
	return (r->untouched & DMOP_NARROW_OPS) ||
	       dmop_policy_op(r->ops[dmop_policy_op_word(w->op)], w->op);
}

static bool may_take(const struct dmop_rights *r, const struct wish *w)
{
	return (r->untouched & DMOP_NARROW_RESOURCES) || dmop_policy_resource(r->resources, w->op);
}

static bool may_have_frames(const struct dmop_rights *r, const struct wish *w)
{
	return dmop_policy_frames(r->max_frames, w->number);
}

static bool may_map_gfn(const struct dmop_rights *r, const struct wish *w)
{
	return dmop_policy_gfn(r->gfn_first, r->gfn_last, w->number);
}

/* All of them at once. */
static bool no_more(const struct dmop_rights *less, const struct dmop_rights *more,
		    const struct wish *w)
{
	return implies(may_act(less, w), may_act(more, w)) &&
	       implies(may_have_area(less, w), may_have_area(more, w)) &&
	       implies(may_issue(less, w), may_issue(more, w)) &&
	       implies(may_take(less, w), may_take(more, w)) &&
	       implies(may_have_frames(less, w), may_have_frames(more, w)) &&
	       implies(may_map_gfn(less, w), may_map_gfn(more, w));
}

static bool subset(const struct dmop_rights *less, const struct dmop_rights *more)
{
	return !(less->untouched & ~more->untouched) && !(less->acts & ~more->acts) &&
	       !(less->ops[0] & ~more->ops[0]) && !(less->ops[1] & ~more->ops[1]) &&
	       !(less->resources & ~more->resources) && less->max_frames <= more->max_frames &&
	       less->gfn_first >= more->gfn_first && less->gfn_last <= more->gfn_last;
}

static bool same_narrow(const struct dmop_narrow *a, const struct dmop_narrow *b)
{
	return a->size == b->size && a->flags == b->flags && a->acts == b->acts &&
	       a->ops[0] == b->ops[0] && a->ops[1] == b->ops[1] && a->resources == b->resources &&
	       a->max_frames == b->max_frames && a->gfn_first == b->gfn_first &&
	       a->gfn_last == b->gfn_last;
}

int main(void)
{
	const struct dmop_rights a = nondet_rights();
	struct dmop_rights ax, axy, ay, ayx, axx, mixed, all;
	struct dmop_narrow x = nondet_narrow(), y = nondet_narrow();
	const struct dmop_narrow x_before = x;
	struct wish w = {
		.acts = nondet_number(), .number = nondet_number(), .op = nondet_op(),
		.write = nondet_write(),
	};
	int valid = dmop_policy_check_narrow(&x);

	ax = a;
	dmop_policy_narrow(&ax, &x);
	axy = ax;
	dmop_policy_narrow(&axy, &y);
	ay = a;
	dmop_policy_narrow(&ay, &y);
	ayx = ay;
	dmop_policy_narrow(&ayx, &x);
	axx = ax;
	dmop_policy_narrow(&axx, &x);

	prove("NARROW gives nothing", subset(&ax, &a));
	prove("a second NARROW leaves no more than the first", subset(&axy, &ax));
	prove("the order of two NARROWs does not matter", subset(&axy, &ayx) && subset(&ayx, &axy));
	prove("to narrow twice is to narrow once", subset(&ax, &axx) && subset(&axx, &ax));
	prove("what is refused once is refused for ever", no_more(&ax, &a, &w) && no_more(&axy, &ax, &w));

	/* Two threads narrow word by word: the words of one mixed with those of the other. */
	mixed = ax;
	if (nondet_write())
		mixed.acts = a.acts;
	if (nondet_write())
		mixed.untouched = a.untouched;
	if (nondet_write())
		mixed.ops[0] = a.ops[0];
	if (nondet_write())
		mixed.gfn_first = a.gfn_first;
	prove("half of a NARROW gives nothing", no_more(&mixed, &a, &w));
	dmop_policy_narrow(&mixed, &y);
	dmop_policy_narrow(&mixed, &x);
	prove("two NARROWs at once end as one after the other",
	      subset(&mixed, &axy) && subset(&axy, &mixed));

	prove("an operation that is not named is removed",
	      implies((x.flags & 2) && !(w.op < 128 && x.ops[w.op / 64 % 2] >> w.op % 64 & 1),
		      !may_issue(&ax, &w)));
	prove("an operation that is named is kept",
	      implies((x.flags & 2) && w.op < 128 && (x.ops[w.op / 64] >> w.op % 64 & 1) &&
		      (!(x.flags & 1) || (x.acts & 1)) && may_issue(&a, &w) &&
		      /* a state that NARROW makes: the masks are all ones until then */
		      implies(a.untouched & 2, !~a.ops[0] && !~a.ops[1]), may_issue(&ax, &w)));
	prove("without CALL there is no operation",
	      implies((x.flags & 1) && !(x.acts & 1), !may_issue(&ax, &w)));
	prove("a type that is not named is removed",
	      implies((x.flags & 4) && !(w.op < 64 && x.resources >> w.op % 64 & 1), !may_take(&ax, &w)));
	prove("an act that is not named is removed",
	      implies((x.flags & 1) && (w.acts & ~x.acts), !may_act(&ax, &w)));
	prove("no more frames than named",
	      implies((x.flags & 8) && w.number > x.max_frames, !may_have_frames(&ax, &w)));
	prove("no frame outside of the window",
	      implies((x.flags & 16) && (w.number < x.gfn_first || w.number > x.gfn_last),
		      !may_map_gfn(&ax, &w)));
	prove("a member that is not selected removes nothing",
	      implies(!(x.flags & 3), ax.acts == a.acts && ax.ops[0] == a.ops[0] &&
				      ax.ops[1] == a.ops[1]) &&
	      implies(!(x.flags & 4), ax.resources == a.resources) &&
	      implies(!(x.flags & 8), ax.max_frames == a.max_frames) &&
	      implies(!(x.flags & 16), ax.gfn_first == a.gfn_first && ax.gfn_last == a.gfn_last));
	prove("the argument of NARROW is left as it was", same_narrow(&x, &x_before));

	prove("a valid argument is long enough, has known members and no window that ends first",
	      (valid == 0 || valid == -EINVAL) &&
	      (valid == 0) == (x.size >= 64 && !(x.flags & ~31U) &&
			       (!(x.flags & 16) || x.gfn_first <= x.gfn_last)));

	dmop_policy_rights(&all);
	prove("a new file has all rights",
	      may_issue(&all, &w) && may_take(&all, &w) && may_have_frames(&all, &w) &&
	      may_map_gfn(&all, &w) && may_have_area(&all, &w) &&
	      implies(!(w.acts & ~31ULL), may_act(&all, &w)));
	prove("a writable area needs the right to write, and any area one to map",
	      may_have_area(&a, &w) == ((a.acts & 6) && (!w.write || (a.acts & 8))));
	return 0;
}
