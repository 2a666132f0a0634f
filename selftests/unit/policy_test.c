// SPDX-License-Identifier: GPL-2.0
/*
 * policy_test.c - the decision, over its whole input space
 *
 * The expected results are a table in this file, taken from the ABI in the documents and the
 * header: caller (state, privilege) x act x domid. The rights that NARROW leaves are compared
 * with sets, element by element.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "policy.h"
#include "tap.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* What a domid is to the one who asks; every 64-bit value is exactly one. */
enum kind {
	KIND_NO_TARGET,		/* 0, reserved, out of 16 bits */
	KIND_OWN,		/* the caller's own domain */
	KIND_BOUND,		/* the domain that the file is bound to */
	KIND_OTHER,		/* any other domain that can be a target */
	NR_KINDS,
};

enum asker {
	ASKER_UNBOUND_USER,
	ASKER_UNBOUND_ADMIN,
	ASKER_BOUND,		/* privilege plays no part */
	ASKER_REVOKED,		/* nor here */
	NR_ASKERS,
};

#define OK	DMOP_ALLOW
#define DONE	DMOP_DONE
#define PERM	(-EPERM)
#define INVAL	(-EINVAL)
#define SRCH	(-ESRCH)

/*
 * An unbound file has no bound domain: what the subject's field happens to
 * hold is then a domid like any other.
 */
struct row {
	int verdict[NR_KINDS];	/* NO_TARGET, OWN, BOUND, OTHER */
};

static const struct row restrict_rows[NR_ASKERS] = {
	[ASKER_UNBOUND_USER]	= { { PERM,  PERM,  PERM,  PERM  } },
	[ASKER_UNBOUND_ADMIN]	= { { INVAL, INVAL, OK,    OK    } },
	[ASKER_BOUND]		= { { INVAL, INVAL, DONE,  INVAL } },
	[ASKER_REVOKED]		= { { SRCH,  SRCH,  SRCH,  SRCH  } },
};

/* A dm_op, or a mapping of memory or of a resource. */
static const struct row target_rows[NR_ASKERS] = {
	[ASKER_UNBOUND_USER]	= { { PERM,  PERM,  PERM,  PERM  } },
	[ASKER_UNBOUND_ADMIN]	= { { PERM,  PERM,  OK,    OK    } },
	[ASKER_BOUND]		= { { PERM,  PERM,  OK,    PERM  } },
	[ASKER_REVOKED]		= { { SRCH,  SRCH,  SRCH,  SRCH  } },
};

/* mmap() names no domain: the verdict is the same for each. */
static const struct row area_rows[NR_ASKERS] = {
	[ASKER_UNBOUND_USER]	= { { PERM,  PERM,  PERM,  PERM  } },
	[ASKER_UNBOUND_ADMIN]	= { { OK,    OK,    OK,    OK    } },
	[ASKER_BOUND]		= { { OK,    OK,    OK,    OK    } },
	[ASKER_REVOKED]		= { { SRCH,  SRCH,  SRCH,  SRCH  } },
};

/* NARROW, too, and ANSWER. An unbound file has nothing to lose, and serves nothing. */
static const struct row narrow_rows[NR_ASKERS] = {
	[ASKER_UNBOUND_USER]	= { { PERM,  PERM,  PERM,  PERM  } },
	[ASKER_UNBOUND_ADMIN]	= { { PERM,  PERM,  PERM,  PERM  } },
	[ASKER_BOUND]		= { { OK,    OK,    OK,    OK    } },
	[ASKER_REVOKED]		= { { SRCH,  SRCH,  SRCH,  SRCH  } },
};

/* An eventfd: it acts later, when there is no caller, so privilege plays no part. */
static const struct row event_rows[NR_ASKERS] = {
	[ASKER_UNBOUND_USER]	= { { PERM,  PERM,  PERM,  PERM  } },
	[ASKER_UNBOUND_ADMIN]	= { { PERM,  PERM,  PERM,  PERM  } },
	[ASKER_BOUND]		= { { PERM,  PERM,  OK,    PERM  } },
	[ASKER_REVOKED]		= { { SRCH,  SRCH,  SRCH,  SRCH  } },
};

/* Any other hypercall, and any act that does not exist. */
static const struct row refused_rows[NR_ASKERS] = {
	[ASKER_UNBOUND_USER]	= { { PERM,  PERM,  PERM,  PERM  } },
	[ASKER_UNBOUND_ADMIN]	= { { PERM,  PERM,  PERM,  PERM  } },
	[ASKER_BOUND]		= { { PERM,  PERM,  PERM,  PERM  } },
	[ASKER_REVOKED]		= { { SRCH,  SRCH,  SRCH,  SRCH  } },
};

static const struct row probe_rows[NR_ASKERS] = {
	[ASKER_UNBOUND_USER]	= { { DONE,  DONE,  DONE,  DONE  } },
	[ASKER_UNBOUND_ADMIN]	= { { DONE,  DONE,  DONE,  DONE  } },
	[ASKER_BOUND]		= { { DONE,  DONE,  DONE,  DONE  } },
	[ASKER_REVOKED]		= { { SRCH,  SRCH,  SRCH,  SRCH  } },
};

static const struct row info_rows[NR_ASKERS] = {
	[ASKER_UNBOUND_USER]	= { { OK,    OK,    OK,    OK    } },
	[ASKER_UNBOUND_ADMIN]	= { { OK,    OK,    OK,    OK    } },
	[ASKER_BOUND]		= { { OK,    OK,    OK,    OK    } },
	[ASKER_REVOKED]		= { { OK,    OK,    OK,    OK    } },
};

static enum kind kind_of(const struct dmop_subject *s, uint64_t domid)
{
	/* Numbers from the ABI, not from the header under test. */
	if (domid == 0 || domid > 32751)
		return KIND_NO_TARGET;
	if (domid == s->own)
		return KIND_OWN;
	return domid == s->bound ? KIND_BOUND : KIND_OTHER;
}

/* A state that does not exist gives nothing: it counts as revoked. */
static enum asker asker_of(const struct dmop_subject *s)
{
	switch (s->state) {
	case 0:
		return s->admin ? ASKER_UNBOUND_ADMIN : ASKER_UNBOUND_USER;
	case 1:
		return ASKER_BOUND;
	default:
		return ASKER_REVOKED;
	}
}

static const struct row *rows_of(const struct dmop_request *r)
{
	switch (r->act) {
	case DMOP_ACT_INFO:
		return info_rows;
	case DMOP_ACT_PROBE:
		return probe_rows;
	case DMOP_ACT_RESTRICT:
		return restrict_rows;
	case DMOP_ACT_CALL:
		return r->op == 41 ? target_rows : refused_rows;
	case DMOP_ACT_MAP:
		return target_rows;
	case DMOP_ACT_AREA:
		return area_rows;
	case DMOP_ACT_NARROW:
	case DMOP_ACT_ANSWER:
		return narrow_rows;
	case DMOP_ACT_EVENT:
		return event_rows;
	default:
		return refused_rows;
	}
}

static int expected(const struct dmop_subject *s, const struct dmop_request *r)
{
	return rows_of(r)[asker_of(s)].verdict[kind_of(s, r->domid)];
}

static const unsigned int states[] = {
	0, 1, 2, 3, 4, 255, 256, 1u << 16, 1u << 31, 0x80000001u, UINT32_MAX,
};

static const unsigned int acts[] = {
	DMOP_ACT_INFO, DMOP_ACT_PROBE, DMOP_ACT_RESTRICT, DMOP_ACT_CALL,
	DMOP_ACT_MAP, DMOP_ACT_AREA, DMOP_ACT_NARROW, DMOP_ACT_OPERATION, DMOP_ACT_RESOURCE,
	DMOP_ACT_EVENT, DMOP_ACT_ANSWER, 11, 12, 255, 256, 1u << 31, (1u << 31) | DMOP_ACT_INFO, UINT32_MAX,
};

/* What the file is bound to, and which domain the kernel runs in. */
static const struct { uint16_t bound, own; } worlds[] = {
	{ 1, 0 }, { 2, 0 }, { 0x100, 0 }, { 0x7fef, 0 },
	{ 1, 2 }, { 2, 1 }, { 0x7fee, 0x7fef }, { 0x7fef, 1 },
};

static uint64_t failures;

static void check(const struct dmop_subject *s, const struct dmop_request *r)
{
	int want = expected(s, r);
	int got = dmop_policy(s, r);

	if (got == want)
		return;
	/* One fault can make millions of them. */
	if (failures++ < 10)
		printf("# state %u admin %d act %u op %#llx domid %#llx bound %u own %u: expected %d, got %d\n",
		       s->state, s->admin, r->act, (unsigned long long)r->op,
		       (unsigned long long)r->domid, s->bound, s->own, want, got);
}

/* Values that must not be taken for @n: @n with other bits set as well. */
static size_t add_high_bits(uint64_t *v, uint64_t n, unsigned int from)
{
	size_t nr = 0;
	unsigned int bit;

	for (bit = from; bit < 64; bit++)
		v[nr++] = n | (1ULL << bit);
	v[nr++] = n | (UINT64_MAX << from);
	return nr;
}

static size_t make_ops(uint64_t *v)
{
	size_t nr = 0;
	uint64_t op;

	for (op = 0; op < 64; op++)
		v[nr++] = op;
	nr += add_high_bits(v + nr, 41, 6);
	for (op = 64; op <= 0x10000; op <<= 1) {
		v[nr++] = op - 1;
		v[nr++] = op + 41;
	}
	v[nr++] = -41ULL;
	v[nr++] = UINT32_MAX;
	v[nr++] = UINT64_MAX;
	return nr;
}

static size_t make_domids(uint64_t *v, uint16_t bound, uint16_t own)
{
	static const uint16_t edges[] = {
		0, 1, 2, 3, 0xff, 0x100, 0x101, 0x7fed, 0x7fee, 0x7fef, 0x7ff0,
		0x7ff1, 0x7ff2, 0x7ff3, 0x7ff4, 0x7ffe, 0x7fff, 0x8000, 0x8001,
		0xfffe, 0xffff,
	};
	size_t nr = 0, i;

	for (i = 0; i < ARRAY_SIZE(edges); i++)
		v[nr++] = edges[i];
	nr += add_high_bits(v + nr, bound, 15);
	nr += add_high_bits(v + nr, own, 15);
	nr += add_high_bits(v + nr, 3, 15);
	nr += add_high_bits(v + nr, 0x7ff0, 16);
	v[nr++] = bound;
	v[nr++] = own;
	v[nr++] = -(uint64_t)bound;
	v[nr++] = (uint64_t)bound << 16;
	v[nr++] = (uint64_t)bound << 32;
	v[nr++] = (uint64_t)bound << 48;
	return nr;
}

/* Every 16-bit domid, with the one good op and some bad ones. */
static void check_all_domids(const struct dmop_subject *s, unsigned int act)
{
	static const uint64_t ops[] = { 41, 0, 40, 42, 41 | 1ULL << 32 };
	struct dmop_request r = { .act = act };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		r.op = ops[i];
		for (r.domid = 0; r.domid <= 0xffff; r.domid++)
			check(s, &r);
	}
}

/* Every op of interest with every domid of interest, in all their bits. */
static void check_all_bits(const struct dmop_subject *s, unsigned int act)
{
	uint64_t ops[256], domids[320];
	size_t nr_ops = make_ops(ops);
	size_t nr_domids = make_domids(domids, s->bound, s->own);
	struct dmop_request r = { .act = act };
	size_t i, j;

	if (nr_ops > ARRAY_SIZE(ops) || nr_domids > ARRAY_SIZE(domids))
		abort();

	for (i = 0; i < nr_ops; i++) {
		for (j = 0; j < nr_domids; j++) {
			r.op = ops[i];
			r.domid = domids[j];
			check(s, &r);
		}
	}
}

static const char *name_of_state(unsigned int state)
{
	static const char * const names[] = { "unbound", "bound", "revoked" };

	return state < ARRAY_SIZE(names) ? names[state] : "no such state";
}

static void test_state(unsigned int state, bool admin)
{
	size_t w, a;

	failures = 0;
	for (w = 0; w < ARRAY_SIZE(worlds); w++) {
		struct dmop_subject s = {
			.state = state,
			.bound = worlds[w].bound,
			.own = worlds[w].own,
			.admin = admin,
		};

		for (a = 0; a < ARRAY_SIZE(acts); a++) {
			check_all_domids(&s, acts[a]);
			check_all_bits(&s, acts[a]);
		}
	}
	tap_result(!failures, "policy: state %u (%s), %s privilege", state,
		   name_of_state(state), admin ? "with" : "without");
}

/* Each domid is the same target as itself, and as none that differs in any bit. */
static void test_same_target(void)
{
	unsigned int a, bit;

	failures = 0;
	for (a = 0; a <= 0xffff; a++) {
		failures += !dmop_policy_same_target(a, a);
		for (bit = 0; bit < 16; bit++)
			failures += dmop_policy_same_target(a, a ^ 1U << bit);
		failures += dmop_policy_same_target(a, ~a);
	}
	tap_result(!failures, "policy: same target");
}

/* What an eventfd may issue: set_pci_intx_level, set_isa_irq_level, inject_msi, set_irq_level. */
static void test_event_ops(void)
{
	uint64_t op;

	failures = 0;
	for (op = 0; op <= UINT32_MAX; op += op < 0x20000 ? 1 : 0xfff1)
		failures += dmop_policy_event_op(op) != (op == 8 || op == 9 || op == 14 || op == 19);
	failures += dmop_policy_event_op(UINT32_MAX);
	tap_result(!failures, "policy: operations of an eventfd");
}

/* --- rights ------------------------------------------------------------ */

/*
 * A second statement of the rules. A file has a list of the NARROWs so far. It may do
 * something if each of them keeps that.
 */
#define MOST	3

struct history {
	size_t nr;
	struct dmop_narrow n[MOST];
};

static bool selects(const struct dmop_narrow *n, unsigned int bit)
{
	return n->flags >> bit & 1;
}

static bool keeps_act(const struct dmop_narrow *n, unsigned int bit)
{
	return !selects(n, 0) || n->acts >> bit & 1;
}

static bool keeps_op(const struct dmop_narrow *n, uint64_t op)
{
	if (!keeps_act(n, 0))
		return false;
	if (!selects(n, 1))
		return true;
	return op < 128 && n->ops[op / 64] >> op % 64 & 1;
}

static bool keeps_type(const struct dmop_narrow *n, uint64_t type)
{
	return !selects(n, 2) || (type < 64 && n->resources >> type & 1);
}

static bool keeps_frames(const struct dmop_narrow *n, uint64_t frames)
{
	return !selects(n, 3) || frames <= n->max_frames;
}

static bool keeps_gfn(const struct dmop_narrow *n, uint64_t gfn)
{
	return !selects(n, 4) || (n->gfn_first <= gfn && gfn <= n->gfn_last);
}

static bool all_keep(const struct history *h, bool (*keeps)(const struct dmop_narrow *, uint64_t),
		     uint64_t value)
{
	size_t i;

	for (i = 0; i < h->nr; i++)
		if (!keeps(&h->n[i], value))
			return false;
	return true;
}

static uint64_t acts_kept(const struct history *h)
{
	uint64_t acts = 0;
	unsigned int bit;
	size_t i;

	for (bit = 0; bit < 5; bit++) {
		bool kept = true;

		for (i = 0; i < h->nr; i++)
			kept &= keeps_act(&h->n[i], bit);
		acts |= (uint64_t)kept << bit;
	}
	return acts;
}

/* As the module asks: the masks count only once they have been narrowed. */
static bool may_op(const struct dmop_rights *r, uint32_t op)
{
	return r->untouched & 2 || dmop_policy_op(r->ops[dmop_policy_op_word(op)], op);
}

static bool may_type(const struct dmop_rights *r, uint32_t type)
{
	return r->untouched & 4 || dmop_policy_resource(r->resources, type);
}

static void wrong(const char *what, const struct history *h, uint64_t value)
{
	if (failures++ < 10)
		printf("# %s, %#llx, after %zu NARROWs, flags %#x\n", what, (unsigned long long)value,
		       h->nr, h->nr ? h->n[h->nr - 1].flags : 0);
}

static void compare(const struct dmop_rights *r, const struct history *h)
{
	static const uint32_t high[] = { 128, 129, 191, 192, 255, 256, 1u << 31, UINT32_MAX };
	static const uint64_t numbers[] = {
		0, 1, 2, 3, 63, 64, 100, 1u << 20, UINT32_MAX, 1ULL << 32, 1ULL << 40, UINT64_MAX - 1,
		UINT64_MAX,
	};
	uint64_t acts = acts_kept(h);
	uint32_t i;

	if (r->acts != acts)
		wrong("acts", h, r->acts);
	for (i = 0; i < 128 + ARRAY_SIZE(high); i++) {
		uint32_t n = i < 128 ? i : high[i - 128];

		if (may_op(r, n) != all_keep(h, keeps_op, n))
			wrong("operation", h, n);
		if (may_type(r, n) != all_keep(h, keeps_type, n))
			wrong("type", h, n);
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (dmop_policy_frames(r->max_frames, numbers[i]) != all_keep(h, keeps_frames, numbers[i]))
			wrong("frames", h, numbers[i]);
		if (dmop_policy_gfn(r->gfn_first, r->gfn_last, numbers[i]) !=
		    all_keep(h, keeps_gfn, numbers[i]))
			wrong("frame", h, numbers[i]);
	}
}

/* Masks with a bit, without a bit, none, all; every flag; then once and twice more. */
static void narrow_on(struct dmop_rights r, struct history *h, const struct dmop_narrow *list,
		      size_t nr)
{
	size_t i;

	compare(&r, h);
	if (h->nr == MOST)
		return;
	for (i = 0; i < nr; i++) {
		struct dmop_rights next = r;

		h->n[h->nr++] = list[i];
		dmop_policy_narrow(&next, &list[i]);
		narrow_on(next, h, list, nr);
		h->nr--;
	}
}

static void test_narrow_order(void)
{
	static const uint64_t masks[] = { 0, 1, 1ULL << 63, ~1ULL, 0x5555555555555555, UINT64_MAX };
	struct dmop_narrow list[32];
	struct history h = { };
	struct dmop_rights r;
	unsigned int flags, i;

	failures = 0;
	for (flags = 0; flags < ARRAY_SIZE(list); flags++) {
		i = flags % ARRAY_SIZE(masks);
		list[flags] = (struct dmop_narrow){
			.size = 64, .flags = flags, .acts = masks[i],
			.ops = { masks[i], masks[ARRAY_SIZE(masks) - 1 - i] },
			.resources = masks[i], .max_frames = 100 >> i,
			.gfn_first = i, .gfn_last = 100 - i,
		};
	}
	dmop_policy_rights(&r);
	narrow_on(r, &h, list, ARRAY_SIZE(list));
	tap_result(!failures, "rights: each set of members, all orders of up to %u", MOST);
}

/* Every operation and type alone, kept by one NARROW and by another. */
static void test_narrow_bits(void)
{
	unsigned int a, b;

	failures = 0;
	for (a = 0; a < 128; a++) {
		for (b = 0; b < 128; b++) {
			struct history h = {
				.nr = 2,
				.n = {
					{ .flags = 6, .ops = { [0] = 0 }, .resources = 1ULL << a % 64 },
					{ .flags = 6, .ops = { ~0ULL, ~0ULL }, .resources = ~(1ULL << b % 64) },
				},
			};
			struct dmop_rights r;

			h.n[0].ops[a / 64] |= 1ULL << a % 64;
			h.n[1].ops[b / 64] &= ~(1ULL << b % 64);
			dmop_policy_rights(&r);
			dmop_policy_narrow(&r, &h.n[0]);
			dmop_policy_narrow(&r, &h.n[1]);
			compare(&r, &h);
		}
	}
	tap_result(!failures, "rights: each operation with each other");
}

/* Every mask of acts: which areas, and which rights. */
static void test_acts(void)
{
	uint64_t acts, needed;

	failures = 0;
	for (acts = 0; acts < 64; acts++) {
		for (needed = 1; needed < 64; needed++)
			failures += dmop_policy_has(acts, needed) != ((acts & needed) == needed);
		/* 2 and 4: to map; 8: to write */
		failures += dmop_policy_area(acts, false) != !!(acts & 6);
		failures += dmop_policy_area(acts, true) != ((acts & 6) && (acts & 8));
	}
	tap_result(!failures, "rights: acts");
}

static void test_check_narrow(void)
{
	static const uint64_t gfns[] = { 0, 1, 2, UINT64_MAX - 1, UINT64_MAX };
	unsigned int size, bit, i, j;

	failures = 0;
	for (size = 0; size < 200; size++) {
		struct dmop_narrow n = { .size = size };

		failures += dmop_policy_check_narrow(&n) != (size < 64 ? -EINVAL : 0);
		for (bit = 0; bit < 32; bit++) {
			n.flags = 1U << bit;
			failures += dmop_policy_check_narrow(&n) != (size < 64 || bit > 4 ? -EINVAL : 0);
		}
	}
	for (i = 0; i < ARRAY_SIZE(gfns); i++) {
		for (j = 0; j < ARRAY_SIZE(gfns); j++) {
			struct dmop_narrow n = { .size = 64, .gfn_first = gfns[i], .gfn_last = gfns[j] };

			/* Members that are not selected are not used. */
			n.flags = 15;
			failures += dmop_policy_check_narrow(&n) != 0;
			n.flags = 16;
			failures += dmop_policy_check_narrow(&n) != (i > j ? -EINVAL : 0);
		}
	}
	tap_result(!failures, "rights: valid arguments");
}

int main(void)
{
	const unsigned int plan = 2 * ARRAY_SIZE(states) + 6;
	size_t i;

	tap_begin(plan);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		test_state(states[i], false);
		test_state(states[i], true);
	}
	test_same_target();
	test_event_ops();
	test_narrow_order();
	test_narrow_bits();
	test_acts();
	test_check_narrow();
	return tap_end(plan);
}
