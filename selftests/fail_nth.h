/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fail_nth.h - a call repeated so that each of its allocations and copies fails once
 *
 * This needs a kernel with fault injection (make check-debug). A number N, written to
 * /proc/thread-self/fail-nth, makes the Nth allocation or copy of this thread fail. A sweep issues
 * the call with N from 1 up. It ends after a few calls in a row that returned before their Nth one.
 * By then each allocation and copy has failed, one in each call. After each failure the state must
 * be as before the call. In the end the module must have as many references as at the start.
 */
#ifndef DMOP_TEST_FAIL_NTH_H
#define DMOP_TEST_FAIL_NTH_H

#include "command.h"
#include "frames.h"

/* A sweep that has not ended by this N is given up. */
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

/* Lets every allocation and copy fail, without a stack trace in the log. */
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
 * Return: true if the call came to its Nth allocation or copy. If it did not, the failure is still
 * pending. The copy of this read takes it at the latest.
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
 * @fd:    the descriptor under test
 * @p:     an area of it, or memory of this process
 * @calls: dmop_calls(@fd) before the call
 * @module: the file of the module, in the test that loads it
 */
struct state {
	int fd;
	char *p;
	__u64 calls;
	int module;
};

/*
 * @before: prepares the call. Return: true if that worked
 * @call:   the system call. Return: its value, or minus the errno
 * @failed: after a failed call: is the state as before?
 * @done:   after a call that succeeded: is it done?
 * @after:  cleans up after either
 */
struct sweep {
	bool (*before)(struct state *s);
	long (*call)(struct state *s);
	bool (*failed)(struct state *s);
	bool (*done)(struct state *s);
	void (*after)(struct state *s);
};

/* Return: the number of failures, from @first on, after which the call returned an error. */
static inline unsigned int sweep_from(struct __test_metadata *const _metadata, unsigned int first,
				      const struct sweep *w)
{
	unsigned int n, failures = 0, survived = 0, missed = 0;
	long references = refcount();

	/* A full slab costs one more allocation now and then, so one missed N is not the end. */
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

/* Coverage shows which of its allocations and copies a call came to. */
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

/* The file is still unbound, and binding it works. */
static inline bool can_be_bound(struct state *s)
{
	return dmop_state(s->fd) == DMOP_STATE_UNBOUND &&
	       !dmop_restrict(s->fd, target_domid) && is_bound(s);
}

#endif /* DMOP_TEST_FAIL_NTH_H */
