/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fail_nth.h - a call repeated so that each of its allocations and copies fails once
 *
 * This needs a kernel with fault injection (make check-debug). A number N that is written to
 * /proc/thread-self/fail-nth makes the Nth allocation or copy of this thread fail. A sweep issues the
 * call with N from 1 up. It ends after a few calls in a row that returned before their Nth one. By
 * then each allocation and copy has failed, one in each call. After each failure the state is the one
 * before the call. In the end the module has as many references as at the start.
 */
#ifndef DMOP_TEST_FAIL_NTH_H
#define DMOP_TEST_FAIL_NTH_H

#include "command.h"
#include "frames.h"

/* Where a sweep that does not end is given up. */
#define MOST	20000

/* --- the Nth failure ----------------------------------------------------- */

static int fail_nth = -1;

static inline bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return ok;
}

/* All that can fail may, and no stack is printed for it. */
static inline bool faults_ready(void)
{
	static const char *const dirs[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	char path[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", dirs[i]);
		if (!write_text(path, "0"))
			return false;
	}
	if (!write_text("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") ||
	    !write_text("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N") ||
	    !write_text("/sys/kernel/debug/fail_page_alloc/min-order", "0"))
		return false;
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return fail_nth >= 0;
}

static inline bool arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	return pwrite(fail_nth, text, len, 0) == len;
}

/*
 * Return: did the call come to the Nth? If not, it is still to come: it is what this read
 * copies to us, if nothing else.
 */
static inline bool disarm(void)
{
	char text[16] = "";
	bool came = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 && !atoi(text);

	pwrite(fail_nth, "0", 1, 0);
	return came;
}

/* --- a call, again and again --------------------------------------------- */

/*
 * @fd:    a descriptor that the call is about
 * @p:     an area of it, or memory of ours
 * @calls: what dmop_calls(@fd) was before the call
 * @module: the module's file, where that is what is loaded
 */
struct state {
	int fd;
	char *p;
	__u64 calls;
	int module;
};

/*
 * @before: makes what the call needs; true if it is there
 * @call:   Return: what the system call did
 * @failed: after a call that failed: is all as it was?
 * @done:   after one that did not: is it done?
 * @after:  takes away what is left of both
 */
struct sweep {
	bool (*before)(struct state *s);
	long (*call)(struct state *s);
	bool (*failed)(struct state *s);
	bool (*done)(struct state *s);
	void (*after)(struct state *s);
};

/* Return: how many of the failures, from @first on, made the call fail. */
static inline unsigned int sweep_from(struct __test_metadata *const _metadata, unsigned int first,
				      const struct sweep *w)
{
	unsigned int n, failures = 0, survived = 0, missed = 0;
	long references = refcount();

	/* A slab that is full takes one more now and then, so one that did not come is not the end. */
	for (n = first; missed < 3 && n < MOST; n++) {
		struct state s = { .fd = -1, .p = MAP_FAILED, .module = -1 };
		bool came;
		long ret;

		ASSERT_TRUE(w->before(&s));
		if (s.fd >= 0)
			s.calls = dmop_calls(s.fd);
		ASSERT_TRUE(arm(n));
		ret = w->call(&s);
		came = disarm();
		missed = came ? 0 : missed + 1;
		if (ret < 0) {
			EXPECT_TRUE(came);
			EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT) {
				TH_LOG("failure %u: errno %ld", n, -ret);
			}
			EXPECT_TRUE(w->failed(&s)) {
				TH_LOG("failure %u (errno %ld) leaves something behind", n, -ret);
			}
			failures++;
		} else {
			EXPECT_TRUE(w->done(&s)) {
				TH_LOG("failure %u: the call says %ld, and it is not done", n, ret);
			}
			survived += came;
		}
		w->after(&s);
		EXPECT_EQ(references, refcount()) {
			TH_LOG("failure %u leaves a reference on the module", n);
		}
	}
	EXPECT_EQ(3, missed);
	TH_LOG("%u failures: the call failed of %u, and was made in spite of %u",
	       failures + survived, failures, survived);
	return failures;
}

/* Which of its own allocations and copies a call came to is for coverage to tell. */
#define EXPECT_FAILURES(least, ...)						\
	EXPECT_LE((unsigned int)(least), sweep_from(_metadata, 1, &(struct sweep){ __VA_ARGS__ }))

static inline bool nothing(struct state *s)
{
	return s->fd < 0;
}

static inline void close_it(struct state *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static inline bool unbound(struct state *s)
{
	s->fd = dmop_open();
	return s->fd >= 0;
}

static inline bool bound(struct state *s)
{
	s->fd = dmop_open_bound(target_domid);
	return s->fd >= 0;
}

static inline bool is_bound(struct state *s)
{
	return dmop_state(s->fd) == DMOP_STATE_BOUND &&
	       unknown_op(s->fd, target_domid) == -EOPNOTSUPP &&
	       unknown_op(s->fd, other_domid) == -EPERM;
}

/* It works as ever afterwards. */
static inline bool can_be_bound(struct state *s)
{
	return dmop_state(s->fd) == DMOP_STATE_UNBOUND &&
	       !dmop_restrict(s->fd, target_domid) && is_bound(s);
}

#endif /* DMOP_TEST_FAIL_NTH_H */
