// SPDX-License-Identifier: GPL-2.0
/*
 * reuse_test.c - no number changes hands under a call
 *
 * As in stall_test.c, a call is stopped at each of its points. There its domain is destroyed and
 * revoked, and a domain is created with the same number. Xen must refuse that for as long as the
 * call can still enter Xen. Then the call goes on. It must leave the next domain with the number as
 * it is, and after it the number is free.
 */
#include "observer.h"

#define MOST	400

static struct observer observer;
static unsigned int patience = PATIENCE;

/*
 * @stops:   so far; @bad: those with a fault
 * @hung:    the observer has not answered yet
 * @refused: stops with the number refused; @acting: stops with a hypercall after them
 */
struct sweep {
	const struct call *call;
	unsigned int stops, bad, refused, acting;
	bool hung;
};

static void report(struct sweep *w, const struct stall_status *st, const char *fault)
{
	const char *line = st->stack;

	printf("# %s: stop %u, %s: %s\n", w->call->name, st->count, st->where, fault);
	while (*line) {
		int len = strcspn(line, "\n");

		printf("#	%.*s\n", len, line);
		line += len + !!line[len];
	}
	w->bad++;
}

/* Return: true if the observer did it. */
static bool ask(struct sweep *w, const struct stall_status *st, char request, long *answer)
{
	if (!observer_asked(&observer, request, answer, patience)) {
		report(w, st, observer.shared->action);
		w->hung = true;
		patience = IMPATIENCE;
		return false;
	}
	if (!observer.shared->failed)
		return true;
	report(w, st, "an action of the observer failed");
	return false;
}

/* A call that is over but for its last copy to user memory reports what it did. */
static bool reports_end(long ret, __u32 hypercalls)
{
	return ret == -ESRCH || (!ret && !hypercalls);
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
	if (reused && !reports_end(out.ret, out.stall.xen))
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

static bool one_stop(struct sweep *w, struct victim *v, const struct stall_status *st)
{
	long answer;

	w->stops++;
	if (ask(w, st, R_END, &answer) && ask(w, st, R_REUSE, &answer)) {
		if (answer && answer != -EEXIST) {
			report(w, st, "no domain can be created");
		} else {
			w->refused += !!answer;
			go_on(w, v, st, !answer);
		}
	}
	/* It may be stopped still. */
	if (!victim_end(v, true)) {
		report(w, st, "the killed process survives");
		return false;
	}
	if (w->hung && !observer_answers(&observer, &answer, PATIENCE))
		return false;
	w->hung = false;
	return ask(w, st, R_RESET, &answer);
}

/* Return: true if the sweep goes on. */
static bool one_round(struct sweep *w, unsigned int nth, unsigned int *missed)
{
	struct stall_status st = { };
	struct outcome out;
	struct victim v;
	long domid;

	if (!observer_asked(&observer, R_PREPARE, &domid, PATIENCE) || observer.shared->failed ||
	    !victim_start(&v, w->call, domid, nth)) {
		printf("# %s: round %u cannot be prepared: %s\n", w->call->name, nth,
		       observer.shared->action);
		w->bad++;
		return false;
	}
	switch (victim_wait(&v, &st, &out, PATIENCE)) {
	case V_STOPPED:
		*missed = 0;
		return one_stop(w, &v, &st);
	case V_RETURNED:
		(*missed)++;
		if (!out.ready || out.ret < 0) {
			printf("# %s: the call fails: %s, %ld\n", w->call->name,
			       out.ready ? "errno" : "not prepared", -out.ret);
			w->bad++;
			*missed = MOST;
		}
		victim_end(&v, false);
		observer_asked(&observer, R_RESET, &domid, PATIENCE);
		return true;
	default:
		printf("# %s: round %u neither stops nor returns\n", w->call->name, nth);
		w->bad++;
		victim_end(&v, true);
		return false;
	}
}

static void sweep(struct __test_metadata *const _metadata, const struct call *call)
{
	struct sweep w = { .call = call };
	unsigned int nth, missed = 0;
	long references;

	references = refcount();
	ASSERT_TRUE(observer_start(&observer));
	stall_node = open(STALL_NODE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, stall_node);

	for (nth = 1; missed < 2 && nth < MOST; nth++)
		if (!one_round(&w, nth, &missed))
			break;

	TH_LOG("%u stops: the number was refused at %u; Xen was entered after %u; faults: %u",
	       w.stops, w.refused, w.acting, w.bad);
	EXPECT_EQ(0, w.bad);
	EXPECT_EQ(2, missed);
	EXPECT_LE(call->least, w.stops);
	/* Some of the stops are before a hypercall of a call that was admitted. */
	EXPECT_LT(0, w.acting);
	EXPECT_LE(1, w.refused);
	close(observer.requests);
	waitpid(observer.pid, NULL, 0);
	EXPECT_EQ(references, refcount());
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

TEST_F(reuse, no_number_changes_hands)
{
	sweep(_metadata, &calls[variant->call]);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
