// SPDX-License-Identifier: GPL-2.0
/*
 * stall_test.c - a call stopped at each of its scheduling points holds up nobody else
 *
 * stall.ko stops the call at its Nth point, for N from 1 up, until it returns before the Nth. At
 * each stop another process uses the machine, other domains, and the same domain through another
 * descriptor. Then the call's domain is destroyed, and other descriptors of it are revoked. The
 * stopped process is killed, and its domain goes.
 */
#include "observer.h"

/* A sweep that has not ended by this N is given up. */
#define MOST	400

/* Shared by the sweeps of one test. */
static struct observer observer;
static unsigned int patience = PATIENCE;

/*
 * @stops: so far; @bad: those with a fault
 * @seen:  classes of points
 */
struct sweep {
	const struct call *call;
	unsigned int stops, bad, seen;
};

static void report(struct sweep *w, const struct stall_status *st, const char *fault,
		   const char *action)
{
	const char *line = st->stack;

	printf("# %s: stop %u, %s: %s: %s\n", w->call->name, st->count, st->where, fault, action);
	while (*line) {
		int len = strcspn(line, "\n");

		printf("#	%.*s\n", len, line);
		line += len + !!line[len];
	}
}

/* Return: true if the observer is ready for the next request. */
static bool ask(struct sweep *w, const struct stall_status *st, char request, bool *hung)
{
	long answer;

	*hung = !observer_asked(&observer, request, &answer, patience);
	if (*hung) {
		report(w, st, "waits", observer.shared->action);
		patience = IMPATIENCE;
		w->bad++;
		return true;
	}
	if (!observer.shared->failed)
		return true;
	report(w, st, "failed", "an action of the observer");
	w->bad++;
	return false;
}

static bool one_stop(struct sweep *w, struct victim *v, const struct stall_status *st)
{
	bool hung, ok = ask(w, st, R_OBSERVE, &hung);
	long answer;

	w->stops++;
	w->seen |= 1U << st->class;
	if (!victim_end(v, true)) {
		report(w, st, "survives", "the killed process");
		return false;
	}
	/* What waited for the call goes on now. */
	if (hung && !observer_answers(&observer, &answer, PATIENCE)) {
		report(w, st, "waits for ever", observer.shared->action);
		return false;
	}
	return ok && ask(w, st, R_FREE, &hung) && !hung;
}

/* Return: true if the sweep goes on. */
static bool one_round(struct sweep *w, unsigned int nth, unsigned int *missed)
{
	struct stall_status st = { };
	struct outcome out;
	struct victim v;
	char request = w->call->first ? R_PREPARE_FIRST : R_PREPARE_BOTH;
	long domid;

	if (!observer_asked(&observer, request, &domid, PATIENCE) || observer.shared->failed ||
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

	/* A full slab costs one more point now and then, so one missed N is not the end. */
	for (nth = 1; missed < 2 && nth < MOST; nth++)
		if (!one_round(&w, nth, &missed))
			break;

	TH_LOG("%u stops, faults at %u", w.stops, w.bad);
	EXPECT_EQ(0, w.bad);
	EXPECT_EQ(2, missed);
	EXPECT_LE(call->least, w.stops);
	EXPECT_EQ(call->classes, call->classes & w.seen);
	close(observer.requests);
	waitpid(observer.pid, NULL, 0);
	EXPECT_EQ(references, refcount());
}

FIXTURE(stall)
{
};

FIXTURE_VARIANT(stall)
{
	enum call_number call;
};

FIXTURE_SETUP(stall)
{
}

FIXTURE_TEARDOWN(stall)
{
}

#define CALL(number, name)	FIXTURE_VARIANT_ADD(stall, name) { .call = number }

CALL(OPEN, open);
CALL(CLOSE, close);
CALL(CLOSE_LAST, close_last);
CALL(POLL, poll);
CALL(MMAP, mmap);
CALL(MUNMAP, munmap);
CALL(INFO, info);
CALL(RESTRICT, restrict);
CALL(RESTRICT_FIRST, restrict_first);
CALL(DM_OP, dm_op);
CALL(DM_OP_LARGE, dm_op_large);
CALL(DM_OP_UNBOUND, dm_op_unbound);
CALL(HYPERCALL, hypercall);
CALL(BATCH, batch);
CALL(MAP, map);
CALL(MAP_RETRY, map_retry);
CALL(RESOURCE, resource);
CALL(RESOURCES, resources);
CALL(RESOURCE_SIZE, resource_size);

TEST_F(stall, holds_up_nobody)
{
	sweep(_metadata, &calls[variant->call]);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
