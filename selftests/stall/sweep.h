/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sweep.h - a call repeated, so that it stops once at each of its scheduling points
 *
 * In the short form, a stop is judged only if none like it was judged before, in any call; at the
 * others the call just goes on. DMOP_STALL_ALL=1 judges all.
 */
#ifndef DMOP_STALL_SWEEP_H
#define DMOP_STALL_SWEEP_H

#include "observer.h"

/* A sweep that has not ended by this N is given up. */
#define MOST	400

static struct observer observer;
static unsigned int patience = PATIENCE;

/*
 * @request:  to the observer, before the call
 * @always:   bits of the classes of stops that are judged in any case
 * @judge:    called at a stop. Return: true if the sweep goes on
 * @prepared: the domains of a call that went on serve the next one
 * @hung:     the observer has not answered yet
 * @stops: so far; @judged: some of them; @bad: faults
 * @seen:     classes of the stops
 * @refused:  stops with the number refused; @acting: stops with a hypercall after them
 */
struct sweep {
	const struct call *call;
	enum request request;
	unsigned int always;
	bool (*judge)(struct sweep *w, struct victim *v, const struct stall_status *st);
	bool prepared, hung;
	long domid;
	unsigned int stops, judged, bad, seen;
	unsigned int refused, acting;
};

static inline void report(struct sweep *w, const struct stall_status *st, const char *fault)
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
static inline bool ask(struct sweep *w, const struct stall_status *st, char request, long *answer)
{
	char fault[128];

	if (!observer_asked(&observer, request, answer, patience)) {
		snprintf(fault, sizeof(fault), "waits: %s", observer.shared->action);
		report(w, st, fault);
		show_stacks(observer.pid);
		w->hung = true;
		patience = IMPATIENCE;
		return false;
	}
	if (!observer.shared->failed)
		return true;
	report(w, st, "an action of the observer failed");
	return false;
}

/* The call is over, or killed. Return: true if the observer is ready for the next one. */
static inline bool stop_ends(struct sweep *w, struct victim *v, const struct stall_status *st)
{
	long answer;

	/* It may be stopped still. */
	if (!victim_end(v, true)) {
		report(w, st, "the killed process survives");
		return false;
	}
	/* What waited for the call goes on now. */
	if (w->hung && !observer_answers(&observer, &answer, PATIENCE)) {
		report(w, st, "waits for ever");
		return false;
	}
	w->hung = false;
	return true;
}

/* --- the short form -------------------------------------------------------------------- */

#define KEYS	1024

/* Keys of the judged stops, in memory shared by the processes of all tests. */
static struct {
	bool all;
	__u64 keys[KEYS];
} *judged;

static inline bool judged_init(void)
{
	judged = mmap(NULL, sizeof(*judged), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (judged == MAP_FAILED)
		return false;
	judged->all = getenv("DMOP_STALL_ALL");
	return true;
}

static inline __u64 hash(__u64 h, const char *text, size_t len)
{
	while (len--)
		h = (h ^ (unsigned char)*text++) * 0x100000001b3ULL;
	return h;
}

/*
 * Stops are alike if their function is the same, and the function of the module that called it, at
 * whatever distance. All stops within a page fault are alike. Without a function of the module, the
 * kernel is in a system call on its own: then they are alike if none is at a lock.
 */
static inline __u64 key_of(const struct stall_status *st)
{
	const char *ours = strstr(st->stack, "[dmop_privcmd]");
	const char *fault = strstr(st->stack, "handle_mm_fault\n");
	const char *line = st->stack;
	__u64 h = 0xcbf29ce484222325ULL;

	if (fault && (!ours || fault < ours))
		h = hash(h, "fault", 5);
	else
		h = hash(h, st->where, strlen(st->where));
	if (!ours)
		return st->class == STALL_LOCK ? hash(h, line, strlen(line)) : h;
	while (ours > line && ours[-1] != '\n')
		ours--;
	return hash(h, ours, strcspn(ours, "\n"));
}

static inline bool is_new(const struct sweep *w, const struct stall_status *st)
{
	__u64 key = key_of(st);
	unsigned int i;

	for (i = 0; i < KEYS && judged->keys[i]; i++)
		if (judged->keys[i] == key)
			return judged->all || w->always & 1U << st->class;
	if (i < KEYS)
		judged->keys[i] = key;
	return true;
}

/* --- the sweep -------------------------------------------------------------------------- */

/* Return: true if the call returned as it has to. */
static inline bool returns(struct sweep *w, const struct outcome *out)
{
	if (out->ready && out->ret >= 0)
		return true;
	printf("# %s: the call fails: %s, %ld\n", w->call->name,
	       out->ready ? "errno" : "not prepared", -out->ret);
	w->bad++;
	return false;
}

/* At a stop like others. */
static inline bool pass_by(struct sweep *w, struct victim *v)
{
	struct outcome out;
	bool ok;

	ioctl(stall_node, STALL_GO);
	ok = victim_outcome(v, &out) && returns(w, &out);
	return victim_end(v, !ok) && ok;
}

/* Return: true if the next call can be prepared. */
static inline bool over(struct sweep *w)
{
	long answer;

	if (!w->call->once)
		return true;
	w->prepared = false;
	return observer_asked(&observer, R_RESET, &answer, PATIENCE);
}

/* Return: true if the sweep goes on. */
static inline bool one_round(struct sweep *w, unsigned int nth, unsigned int *missed)
{
	struct stall_status st = { };
	struct outcome out;
	struct victim v;

	if (!w->prepared &&
	    (!observer_asked(&observer, w->request, &w->domid, PATIENCE) || observer.shared->failed)) {
		printf("# %s: round %u cannot be prepared: %s\n", w->call->name, nth,
		       observer.shared->action);
		w->bad++;
		return false;
	}
	w->prepared = true;
	if (!victim_start(&v, w->call, w->domid, nth))
		return false;
	switch (victim_wait(&v, &st, &out, PATIENCE)) {
	case V_STOPPED:
		*missed = 0;
		w->stops++;
		w->seen |= 1U << st.class;
		if (!is_new(w, &st))
			return pass_by(w, &v) && over(w);
		w->judged++;
		w->prepared = false;
		return w->judge(w, &v, &st);
	case V_RETURNED:
		(*missed)++;
		return victim_end(&v, false) && returns(w, &out) && over(w);
	default:
		printf("# %s: round %u neither stops nor returns\n", w->call->name, nth);
		w->bad++;
		victim_end(&v, true);
		return false;
	}
}

static inline void sweep(struct __test_metadata *const _metadata, struct sweep *w)
{
	unsigned int nth, missed, pass = 0;
	long references, answer;

	references = refcount();
	ASSERT_TRUE(observer_start(&observer));
	stall_node = open(STALL_NODE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, stall_node);

	/*
	 * A full slab costs one more point now and then. So one missed N is not the end; and the only
	 * point of a class can be passed over, from one round to the next. Then N begins again.
	 */
	do {
		missed = 0;
		for (nth = 1; missed < 2 && nth < MOST; nth++)
			if (!one_round(w, nth, &missed))
				break;
	} while (!w->bad && w->call->classes & ~w->seen && ++pass < 4);

	TH_LOG("%u stops, %u of them judged, %u faults", w->stops, w->judged, w->bad);
	EXPECT_EQ(0, w->bad);
	EXPECT_EQ(2, missed);
	EXPECT_LE(w->call->least, w->stops);
	EXPECT_EQ(w->call->classes, w->call->classes & w->seen) {
		TH_LOG("classes %#x", w->seen);
	}
	if (w->prepared)
		EXPECT_TRUE(observer_asked(&observer, R_RESET, &answer, PATIENCE));
	close(observer.requests);
	waitpid(observer.pid, NULL, 0);
	EXPECT_EQ(references, refcount());
}

#endif /* DMOP_STALL_SWEEP_H */
