// SPDX-License-Identifier: GPL-2.0
/*
 * reuse_test.c - no number changes hands under a call
 *
 * As in stall_test.c, a call is stopped at each of its points. There its domain is destroyed and
 * revoked, and a domain is created with the same number. Xen must refuse that for as long as the
 * call can still enter Xen. Then the call goes on. It must leave the next domain with the number as
 * it is, and after it the number is free.
 */
#include "sweep.h"

/*
 * munmap() is outside of any section. Under KASAN it shows that it uses nothing that the end of
 * the domain has freed.
 *
 * A call that is over but for its last copy to user memory reports what it did. So does a batch
 * that ended early (EAGAIN, see issue_batch()): the next one reports the end.
 */
static bool reports_end(const struct call *call, long ret, __u32 hypercalls)
{
	if (ret == -ESRCH)
		return true;
	return !hypercalls && (!ret || (ret == -EAGAIN && call->issue == issue_batch));
}

/* The call goes on, with or without another domain of its number. */
static void go_on(struct sweep *w, struct victim *v, const struct stall_status *st, bool reused)
{
	struct outcome out = { };
	long answer;

	ioctl(stall_node, STALL_GO);
	if (!victim_outcome(v, &out) || !out.ready) {
		report(w, st, "the call does not return");
		return;
	}
	w->acting += !!out.stall.xen;
	if (reused && st->sections)
		report(w, st, "the number was reused inside a section");
	if (reused && out.stall.xen)
		report(w, st, "the call entered Xen for the next domain");
	if (reused && !reports_end(w->call, out.ret, out.stall.xen))
		report(w, st, "the call does not report the end of its domain");

	/* At the latest now. */
	if (!reused) {
		if (!ask(w, st, R_REUSE_WAIT, &answer))
			return;
		if (answer)
			report(w, st, "the number is not free after the call");
	}
	if (!victim_look(v, &out)) {
		report(w, st, "the caller is lost");
		return;
	}
	if (out.state != DMOP_STATE_REVOKED || out.mapped)
		report(w, st, "the descriptor is not revoked");
	if (out.touch != (w->call->maps ? SIGBUS : 0))
		report(w, st, "the area is accessible");
	if (ask(w, st, R_SERVERS, &answer) && answer)
		report(w, st, "an operation reached the next domain");
}

static bool judge(struct sweep *w, struct victim *v, const struct stall_status *st)
{
	long answer;

	if (ask(w, st, R_END, &answer) && ask(w, st, R_REUSE, &answer)) {
		if (answer && answer != -EEXIST) {
			report(w, st, "no domain can be created");
		} else {
			w->refused += !!answer;
			go_on(w, v, st, !answer);
		}
	}
	return stop_ends(w, v, st) && ask(w, st, R_RESET, &answer);
}

FIXTURE(reuse)
{
};

FIXTURE_VARIANT(reuse)
{
	enum call_number call;
};

FIXTURE_SETUP(reuse)
{
}

FIXTURE_TEARDOWN(reuse)
{
}

#define CALL(number, name)	FIXTURE_VARIANT_ADD(reuse, name) { .call = number }

CALL(DM_OP, dm_op);
CALL(DM_OP_LARGE, dm_op_large);
CALL(HYPERCALL, hypercall);
CALL(BATCH, batch);
CALL(MAP, map);
CALL(MAP_RETRY, map_retry);
CALL(RESOURCE, resource);
CALL(RESOURCES, resources);
CALL(RESOURCE_SIZE, resource_size);
CALL(MUNMAP, munmap);
CALL(ANSWER, answer);

TEST_F(reuse, no_number_changes_hands)
{
	struct sweep w = {
		.call = &calls[variant->call],
		.request = R_PREPARE,
		.always = C_SECTION | C_XEN,
		.judge = judge,
	};

	sweep(_metadata, &w);
	TH_LOG("the number was refused at %u stops; Xen was entered after %u", w.refused, w.acting);
	/* Not munmap(), which is in no section. It may stop with a lock that revocation needs. */
	if (w.call->issue == issue_munmap)
		return;
	/* Some of the stops are inside a section of SRCU, and some are before a hypercall. */
	EXPECT_LT(0, w.refused);
	/* On a real-time kernel nothing is served, so ANSWER does not enter Xen. */
	if (w.call->issue == issue_answer ? w.seen & C_XEN : judged->all || w.call->classes & C_XEN)
		EXPECT_LT(0, w.acting);
}

int main(int argc, char **argv)
{
	if (!judged_init())
		return KSFT_FAIL;
	return dmop_test_run(argc, argv);
}
