// SPDX-License-Identifier: GPL-2.0
/*
 * death_test.c - a revoked file: its calls, mappings and pollers after the end of the domain
 *
 * Each test creates a domain of its own and destroys it.
 */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "command.h"
#include "frames.h"
#include "hold.h"
#include "serve.h"

#define BAD_POINTER	((void *)8)
#define DOOMED		"dmop-test-doomed"

/* --- a domain to destroy ----------------------------------------------- */

/*
 * An event that has not come after this many tries never comes. A clock could not tell it from a
 * slow one.
 */
#define TRIES	500000

/*
 * Calls until Xen has no such domain, or the file is revoked. Until its last page is released, a
 * destroyed domain still exists in Xen as dying. Return: the last result.
 */
static long call_until_gone(int fd, __u16 domid)
{
	long ret = -EOPNOTSUPP;
	int i;

	for (i = 0; i < TRIES && ret == -EOPNOTSUPP; i++) {
		ret = unknown_op(fd, domid);
		/* XenStore needs a processor to report the end, and there may be one only. */
		if (i % 64 == 63)
			usleep(1000);
	}
	return ret;
}

FIXTURE(death)
{
	__u16 domid;
	int bound;		/* to the domain to be destroyed */
	int observer;		/* unbound, privileged */
	int control;		/* bound to a domain that stays */
};

FIXTURE_SETUP(death)
{
	long domid;

	if (system("command -v lab-domain >/dev/null"))
		SKIP(return, "no lab-domain to make domains with: run this in the lab (make lab-shell)");
	domid = create(DOOMED);
	ASSERT_LT(0, domid);
	self->domid = domid;
	self->bound = dmop_open_bound(domid);
	ASSERT_LE(0, self->bound);
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	self->control = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->control);
	ASSERT_EQ(-EOPNOTSUPP, unknown_op(self->bound, domid));
}

FIXTURE_TEARDOWN(death)
{
	destroy(DOOMED);
	close(self->bound);
	close(self->observer);
	close(self->control);
}

/* --- calls of a revoked file ------------------------------------------- */

/*
 * Most calls have several causes of refusal. ESRCH of a revoked file comes after EFAULT of the
 * argument and before all others, even before the probe.
 */
static void expect_refusals(struct __test_metadata *const _metadata, int fd, __u16 was)
{
	const __u16 domids[] = { was, target_domid, other_domid, ABSENT_DOMID, 0, 0x7ff0, 0xffff };
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { .uptr = &op, .size = sizeof(op) };
	struct dmop_mmapbatch_v2 batch = { .num = 1 };
	struct dmop_mmap_resource resource = { .num = 0 };
	struct dmop_batch empty = { };
	struct dmop_narrow narrow = { };
	struct dmop_irqfd irqfd = { .fd = -1 };
	struct dmop_ioeventfd ioeventfd = { .event_fd = -1 };
	struct dmop_answer none = { };
	struct dmop_kick k = { .fd = -1 };
	struct dmop_info before, after;
	unsigned int i, refused = 0;

	ASSERT_EQ(0, dmop_info(fd, &before));
	for (i = 0; i < ARRAY_SIZE(domids); i++) {
		__u16 d = domids[i];

		EXPECT_EQ(-ESRCH, dmop_call(fd, d, &buf, 1)) {
			TH_LOG("domid %#x", d);
		}
		EXPECT_EQ(-ESRCH, dmop_probe(fd, d));
		EXPECT_EQ(-ESRCH, dmop_call(fd, d, BAD_POINTER, 1));
		EXPECT_EQ(-ESRCH, dmop_call(fd, d, &buf, 0xffff));
		EXPECT_EQ(-ESRCH, dmop_hypercall(fd, DMOP_HYPERCALL_NR, d, 1, &buf));
		EXPECT_EQ(-ESRCH, dmop_hypercall(fd, DMOP_HYPERCALL_NR, d, 0, &buf));
		EXPECT_EQ(-ESRCH, dmop_hypercall(fd, DMOP_HYPERCALL_NR, d, -1, BAD_POINTER));
		EXPECT_EQ(-ESRCH, dmop_hypercall(fd, DMOP_HYPERCALL_NR, d | 1ULL << 32, 1, &buf));
		EXPECT_EQ(-ESRCH, dmop_hypercall(fd, 40, d, 1, &buf));
		EXPECT_EQ(-ESRCH, dmop_restrict(fd, d));
		EXPECT_EQ(-ESRCH, unknown_batch(fd, d));
		EXPECT_EQ(-ESRCH, unknown_batch(fd, d | 1U << 16));
		empty.domid = d;
		EXPECT_EQ(-ESRCH, do_ioctl(fd, DMOP_IOCTL_BATCH, &empty));
		batch.dom = d;
		EXPECT_EQ(-ESRCH, do_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &batch));
		resource.dom = d;
		EXPECT_EQ(-ESRCH, do_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &resource));
		EXPECT_EQ(-ESRCH, do_ioctl(fd, DMOP_IOCTL_NARROW, &narrow));
		narrow.size = sizeof(narrow);
		EXPECT_EQ(-ESRCH, do_ioctl(fd, DMOP_IOCTL_NARROW, &narrow));
		irqfd.dom = d;
		EXPECT_EQ(-ESRCH, do_ioctl(fd, DMOP_IOCTL_IRQFD, &irqfd));
		ioeventfd.dom = d;
		ioeventfd.flags = 0;
		EXPECT_EQ(-ESRCH, do_ioctl(fd, DMOP_IOCTL_IOEVENTFD, &ioeventfd));
		ioeventfd.flags = DMOP_IOEVENTFD_DEASSIGN;
		EXPECT_EQ(-ESRCH, do_ioctl(fd, DMOP_IOCTL_IOEVENTFD, &ioeventfd));
		EXPECT_EQ(-ESRCH, serve(fd, d, 0, 1, -1, 0));
		EXPECT_EQ(-ESRCH, serve(fd, d | 1U << 16, ~0U, 0, -1, ~0U));
		EXPECT_EQ(-ESRCH, serve_end(fd, d, 0));
		k.domid = d;
		EXPECT_EQ(-ESRCH, kick(fd, &k));
		EXPECT_EQ(-ESRCH, kick_deassign(fd, k));
		EXPECT_EQ(-ESRCH, answer_vcpus(fd, 1, 0));
		EXPECT_EQ(-ESRCH, do_ioctl(fd, DMOP_IOCTL_ANSWER, &none));
		refused += 27;
	}
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_DM_OP, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_HYPERCALL, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_RESTRICT, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_BATCH, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_NARROW, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_IRQFD, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_IOEVENTFD, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_SERVE, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_ANSWER, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_KICK, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(fd, DMOP_IOCTL_INFO, BAD_POINTER));
	EXPECT_EQ(-ENOTTY, do_ioctl(fd, _IO('P', 0xff), BAD_POINTER));

	before.refused_dead += refused;
	ASSERT_EQ(0, dmop_info(fd, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after))) {
		TH_LOG("state %u, domid %#x, calls %llu, refused %llu, dead %llu",
		       after.state, after.domid, after.calls, after.refused_policy,
		       after.refused_dead);
	}
	EXPECT_EQ(DMOP_STATE_REVOKED, after.state);
	EXPECT_FALSE(after.features & DMOP_FEATURE_PINNED);
	EXPECT_EQ(was, after.domid);
}

/* Ends a wait that would never end. It is in ms, because poll() takes no number of tries. */
#define WAKE_MS	(60 * 1000)

/* The file is revoked without a call on it, and pollers wake. */
TEST_F(death, noticed_without_a_call)
{
	struct pollfd p = { .fd = self->bound, .events = POLLIN | POLLOUT };
	__u64 calls = dmop_calls(self->bound);

	EXPECT_EQ(0, poll(&p, 1, 0));
	ASSERT_TRUE(destroy(DOOMED));
	ASSERT_EQ(1, poll(&p, 1, WAKE_MS));
	EXPECT_EQ(POLLHUP | POLLERR, p.revents);
	EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(self->bound));
	EXPECT_EQ(calls, dmop_calls(self->bound));
	expect_refusals(_metadata, self->bound, self->domid);

	p.fd = self->control;
	EXPECT_EQ(0, poll(&p, 1, 0));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(self->control));
}

static pid_t poller_start(int fd, int ready)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	pid_t pid = fork();

	if (!pid)
		_exit(write(ready, "", 1) != 1 || poll(&p, 1, -1) != 1 ||
		      p.revents != (POLLHUP | POLLERR));
	return pid;
}

static bool asleep(pid_t pid, int ready)
{
	char c;

	if (pid < 0 || read(ready, &c, 1) != 1)
		return false;
	while (thread_state(pid, pid) == 'R')
		sched_yield();
	return thread_state(pid, pid) == 'S';
}

static bool woken(pid_t pid)
{
	int i, status;

	for (i = 0; i < WAKE_MS / 10; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return !status;
		usleep(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return false;
}

/*
 * Processes in poll() since before and since after the binding, and an epoll that registered the
 * file before. None of them checks the file again without a wakeup.
 */
TEST_F(death, all_who_wait_are_woken)
{
	int fd = dmop_open(), ep = epoll_create1(EPOLL_CLOEXEC), ready[2];
	struct epoll_event e = { .data.u32 = 7 };
	pid_t before, after;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	before = poller_start(fd, ready[1]);
	ASSERT_TRUE(asleep(before, ready[0]));
	ASSERT_EQ(0, dmop_restrict(fd, self->domid));
	after = poller_start(fd, ready[1]);
	ASSERT_TRUE(asleep(after, ready[0]));
	EXPECT_EQ(0, epoll_wait(ep, &e, 1, 0));

	ASSERT_TRUE(destroy(DOOMED));
	EXPECT_EQ(1, epoll_wait(ep, &e, 1, WAKE_MS));
	EXPECT_EQ(EPOLLHUP | EPOLLERR, e.events);
	EXPECT_EQ(7, e.data.u32);
	EXPECT_TRUE(woken(before));
	EXPECT_TRUE(woken(after));
	close(ep);
	close(fd);
}

/* Its signals reach neither the dead domain nor the next one of that number. */
TEST_F(death, eventfd_that_outlived_the_domain)
{
	struct pollfd p = { .fd = self->bound };
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fd;
	struct dm_op op = interrupt_op(VECTOR);
	struct dmop_info before, after;

	ASSERT_LE(0, event);
	ASSERT_EQ(0, irqfd(self->bound, self->domid, event, &op, sizeof(op), 0));
	ASSERT_TRUE(signal_it(event));
	ASSERT_TRUE(destroy(DOOMED));
	ASSERT_EQ(1, poll(&p, 1, WAKE_MS));
	ASSERT_EQ(0, dmop_info(self->bound, &before));
	EXPECT_EQ(1, before.events);
	EXPECT_EQ(1, before.irqfds);
	ASSERT_TRUE(signal_it(event));
	EXPECT_EQ(-ESRCH, irqfd(self->bound, self->domid, event, &op, sizeof(op), 0));

	/* A new domain of that number gets none either, and its own file works. */
	ASSERT_EQ(self->domid, create_as(DOOMED, self->domid));
	ASSERT_TRUE(signal_it(event));
	ASSERT_EQ(0, dmop_info(self->bound, &after));
	EXPECT_EQ(before.events, after.events);
	EXPECT_EQ(before.calls, after.calls);
	EXPECT_EQ(before.refused_dead + 1, after.refused_dead);
	fd = dmop_open_bound(self->domid);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, irqfd(fd, self->domid, event, &op, sizeof(op), 0));
	ASSERT_TRUE(signal_it(event));
	ASSERT_EQ(0, dmop_info(fd, &after));
	/* The signals that issued nothing have left the counter, which counts at the assignment. */
	EXPECT_EQ(2, after.events);
	close(fd);
	close(event);
}

/* --- a served server and a kick ----------------------------------------- */

/* Return: the interrupts of the kernel for ioreq servers of the domain. */
static long interrupts(__u16 domid)
{
	return number("grep -cw 'dmop-%u' /proc/interrupts; true", domid);
}

/* What one file serves: a server, and a kick at PORT. */
struct service {
	long server;
	volatile struct request *slot;
	int rest, event;
	struct dmop_kick kick;
};

/* Return: true if a request that matches the kick has signalled it. */
static bool service_begin(struct service *s, int fd, __u16 domid)
{
	s->rest = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->server = server_create(fd, domid, &s->slot);
	if (s->rest < 0 || s->event < 0 || s->server < 0)
		return false;
	s->kick = kick_of(domid, s->server, s->event, PORT);
	put_request(s->slot, port_write(PORT, 0));
	return !kick(fd, &s->kick) && !serve(fd, domid, s->server, 1, s->rest, 0) &&
	       was_signalled(s->event);
}

/* Serves it again: a request is received then. */
static bool service_works(const struct service *s, int fd, __u16 domid)
{
	if (serve_end(fd, domid, s->server))
		return false;
	put_request(s->slot, port_write(PORT, 0));
	return !serve(fd, domid, s->server, 1, s->rest, 0) && was_signalled(s->event) &&
	       !answer_vcpus(fd, 1, 0);
}

static void service_close(const struct service *s)
{
	munmap((void *)s->slot, PAGE);
	close(s->rest);
	close(s->event);
}

static void expect_service_refused(struct __test_metadata *const _metadata, int fd, __u16 domid,
				   const struct service *s)
{
	EXPECT_EQ(-ESRCH, serve(fd, domid, s->server, 1, s->rest, 0));
	EXPECT_EQ(-ESRCH, serve_end(fd, domid, s->server));
	EXPECT_EQ(-ESRCH, answer_vcpus(fd, 1, 0));
	EXPECT_EQ(-ESRCH, kick(fd, &s->kick));
	EXPECT_EQ(-ESRCH, kick_deassign(fd, s->kick));
}

/* Neither the ports nor the page keep the number, and the next domain has a service of its own. */
TEST_F(death, service_that_outlived_the_domain)
{
	struct pollfd p = { .fd = self->bound };
	struct service old = { }, new = { };
	struct dmop_info before, after;
	int fd;

	ASSERT_TRUE(service_begin(&old, self->bound, self->domid));
	EXPECT_EQ(1, interrupts(self->domid));
	ASSERT_TRUE(destroy(DOOMED));
	ASSERT_EQ(1, poll(&p, 1, WAKE_MS));
	EXPECT_EQ(POLLHUP | POLLERR, p.revents);
	EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(self->bound));
	expect_service_refused(_metadata, self->bound, self->domid, &old);
	ASSERT_EQ(0, dmop_info(self->bound, &before));

	/* The file is still open, with all that it had. */
	ASSERT_EQ(self->domid, create_as(DOOMED, self->domid));
	EXPECT_EQ(0, interrupts(self->domid));
	fd = dmop_open_bound(self->domid);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(service_begin(&new, fd, self->domid));
	EXPECT_EQ(1, interrupts(self->domid));
	expect_service_refused(_metadata, self->bound, self->domid, &old);
	expect_refusals(_metadata, self->bound, self->domid);
	EXPECT_EQ(0, counter(old.event));
	EXPECT_EQ(0, counter(old.rest));
	ASSERT_EQ(0, dmop_info(self->bound, &after));
	EXPECT_EQ(1, after.kicked);
	EXPECT_EQ(0, after.rest);
	EXPECT_EQ(before.calls, after.calls);

	/* The close of the old file does not affect the new service. */
	service_close(&old);
	close(self->bound);
	self->bound = -1;
	EXPECT_EQ(1, interrupts(self->domid));
	EXPECT_EQ(0, answer_vcpus(fd, 1, 0));
	EXPECT_TRUE(service_works(&new, fd, self->domid));
	ASSERT_EQ(0, dmop_info(fd, &after));
	EXPECT_EQ(1, after.servers);
	EXPECT_EQ(1, after.kicks);
	service_close(&new);
	close(fd);
	EXPECT_EQ(0, interrupts(self->domid));
}

/* One ends with its file, the other with the domain. */
TEST_F(death, services_of_two_files)
{
	struct service one = { }, two = { };
	int fd = dmop_open_bound(self->domid);

	ASSERT_LE(0, fd);
	ASSERT_TRUE(service_begin(&one, self->bound, self->domid));
	ASSERT_TRUE(service_begin(&two, fd, self->domid));
	EXPECT_EQ(2, interrupts(self->domid));
	service_close(&two);
	close(fd);
	EXPECT_EQ(1, interrupts(self->domid));
	EXPECT_TRUE(service_works(&one, self->bound, self->domid));
	ASSERT_TRUE(destroy(DOOMED));
	ASSERT_EQ(-ESRCH, call_until_gone(self->bound, self->domid));
	expect_service_refused(_metadata, self->bound, self->domid, &one);
	ASSERT_EQ(self->domid, create_as(DOOMED, self->domid));
	EXPECT_EQ(0, interrupts(self->domid));
	service_close(&one);
}

/* A call and the watch may detect the end in either order. The result of the call is the same. */
TEST_F(death, noticed_by_a_call)
{
	struct dmop_info info;
	__u64 calls;

	ASSERT_TRUE(destroy(DOOMED));
	ASSERT_EQ(-ESRCH, call_until_gone(self->bound, self->domid));

	ASSERT_EQ(0, dmop_info(self->bound, &info));
	EXPECT_EQ(DMOP_STATE_REVOKED, info.state);
	EXPECT_EQ(self->domid, info.domid);
	EXPECT_EQ(0, info.refused_policy);
	calls = info.calls;
	expect_refusals(_metadata, self->bound, self->domid);
	EXPECT_EQ(calls, dmop_calls(self->bound));

	/* Files bound to other domains, and unbound files, are not affected. */
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->control, target_domid));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(self->control));
	EXPECT_EQ(-ESRCH, call_until_gone(self->observer, self->domid));
	EXPECT_EQ(-ESRCH, dmop_restrict(self->observer, self->domid));
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(self->observer));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->observer, target_domid));
}

/*
 * ESRCH of an operation need not be the end of the domain: Xen also returns it for an MSI in the
 * mode "lowest priority" that no CPU of the domain takes.
 */
TEST_F(death, not_by_every_esrch)
{
	struct dm_op msi = {
		.op = DM_OP_INJECT_MSI,
		.u.msi = { .addr = 0xfee00000, .data = DM_OP_MSI_LOWEST_PRIORITY | 0x40 },
	};

	X86_ONLY("DM_OP_INJECT_MSI");
	EXPECT_EQ(-ESRCH, dm_op(self->bound, self->domid, &msi));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(self->bound));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->bound, self->domid));
}

/* One call revokes a duplicate of its descriptor and all other files bound to the domain. */
TEST_F(death, noticed_for_all)
{
	int alias = dup(self->bound), i, files[4];

	ASSERT_LE(0, alias);
	for (i = 0; i < (int)ARRAY_SIZE(files); i++) {
		files[i] = dmop_open_bound(self->domid);
		ASSERT_LE(0, files[i]);
	}
	ASSERT_TRUE(destroy(DOOMED));
	ASSERT_EQ(-ESRCH, call_until_gone(self->bound, self->domid));

	expect_refusals(_metadata, alias, self->domid);
	for (i = 0; i < (int)ARRAY_SIZE(files); i++) {
		EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(files[i]));
		expect_refusals(_metadata, files[i], self->domid);
		EXPECT_EQ(0, dmop_calls(files[i]));
	}
}

/* A RESTRICT that finds the domain gone revokes the files bound to it. */
TEST_F(death, noticed_by_restrict)
{
	long ret = 0;
	int i;

	ASSERT_TRUE(destroy(DOOMED));
	for (i = 0; i < TRIES && ret >= 0; i++) {
		ret = dmop_open_bound(self->domid);
		if (ret >= 0)
			close(ret);
	}
	EXPECT_EQ(-ESRCH, ret);
	EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(self->bound));
	expect_refusals(_metadata, self->bound, self->domid);
}

/* A holder without privilege gets the same results. */
TEST_F(death, without_privilege)
{
	ASSERT_TRUE(destroy(DOOMED));

	/* This is irreversible. The teardown only has to close files. */
	ASSERT_TRUE(drop_privileges());
	EXPECT_EQ(-ESRCH, call_until_gone(self->bound, self->domid));
	EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(self->bound));
	expect_refusals(_metadata, self->bound, self->domid);
}

/* The old file never reaches the next domain with its domid. */
TEST_F(death, same_domid_again)
{
	unsigned int mask;
	int fresh;

	ASSERT_TRUE(destroy(DOOMED));
	ASSERT_EQ(-ESRCH, call_until_gone(self->bound, self->domid));
	ASSERT_EQ(-ESRCH, call_until_gone(self->observer, self->domid));
	ASSERT_EQ(self->domid, create_as(DOOMED, self->domid));
	ASSERT_EQ(-EOPNOTSUPP, unknown_op(self->observer, self->domid));

	EXPECT_EQ(-ESRCH, unknown_op(self->bound, self->domid));
	EXPECT_EQ(-ESRCH, ioreq_create(self->bound, self->domid));
	EXPECT_EQ(0, ioreq_mask(self->observer, self->domid));
	expect_refusals(_metadata, self->bound, self->domid);

	/* A new binding is to the new domain, and the old file stays revoked. */
	fresh = dmop_open_bound(self->domid);
	ASSERT_LE(0, fresh);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fresh));
	EXPECT_LE(0, ioreq_create(fresh, self->domid));
	mask = ioreq_mask(self->observer, self->domid);
	EXPECT_NE(0, mask);
	expect_refusals(_metadata, self->bound, self->domid);
	EXPECT_EQ(mask, ioreq_mask(self->observer, self->domid));

	/* The close of the old file does not affect the new binding. */
	close(self->bound);
	self->bound = -1;
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(fresh, self->domid));

	/* The end of the new domain revokes the new file. */
	ASSERT_TRUE(destroy(DOOMED));
	EXPECT_EQ(-ESRCH, call_until_gone(fresh, self->domid));
	expect_refusals(_metadata, fresh, self->domid);
	close(fresh);
}

/* --- the end during calls ---------------------------------------------- */

struct worker {
	pthread_t thread;
	int fd;
	__u16 domid;
	long last;
};

static atomic_int workers_running;

static void *worker_main(void *data)
{
	struct worker *w = data;

	atomic_fetch_add(&workers_running, 1);
	w->last = call_until_gone(w->fd, w->domid);
	return NULL;
}

/* The domain ends while four threads issue calls. The last call of each returns ESRCH. */
TEST_F(death, under_calls)
{
	struct worker w[4] = { };
	int i;

	for (i = 0; i < 4; i++) {
		w[i].fd = i % 2 ? self->bound : dmop_open_bound(self->domid);
		w[i].domid = self->domid;
		ASSERT_LE(0, w[i].fd);
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, worker_main, &w[i]));
	}
	while (atomic_load(&workers_running) < 4)
		sched_yield();
	ASSERT_TRUE(destroy(DOOMED));
	for (i = 0; i < 4; i++) {
		pthread_join(w[i].thread, NULL);
		EXPECT_EQ(-ESRCH, w[i].last);
		EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(w[i].fd));
	}
}

/*
 * A call is admitted, sleeps while its domain ends, and wakes when a new domain has the domid. It
 * must not reach the new domain.
 */
static void check_outlives(struct __test_metadata *const _metadata, FIXTURE_DATA(death) *self,
			   struct hold *hold, unsigned int cmd, void *arg, const void *content,
			   size_t len)
{
	__u64 calls = dmop_calls(self->bound);
	int noticer = dmop_open_bound(self->domid);
	struct caller c = { };

	ASSERT_LE(0, noticer);
	ASSERT_TRUE(caller_start(&c, self->bound, cmd, arg));
	ASSERT_TRUE(hold_wait(hold));

	ASSERT_TRUE(destroy(DOOMED));
	ASSERT_EQ(-ESRCH, call_until_gone(noticer, self->domid));
	EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(self->bound));
	ASSERT_EQ(-ESRCH, call_until_gone(self->observer, self->domid));
	ASSERT_EQ(self->domid, create_as(DOOMED, self->domid));
	ASSERT_TRUE(hold_release(hold, content, len));

	EXPECT_EQ(-ESRCH, caller_join(&c));
	EXPECT_EQ(calls, dmop_calls(self->bound));
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(0, ioreq_mask(self->observer, self->domid));
	close(noticer);
}

TEST_F(death, call_that_outlived_the_domain)
{
	struct dm_op create = { .op = DM_OP_CREATE_IOREQ_SERVER };
	struct dmop_buf buf = { .size = sizeof(create) };
	struct dmop_dm_op arg = { .dom = self->domid, .num = 1, .ubufs = &buf };
	struct hold hold = { };

	ASSERT_EQ(0, hold_init(&hold));
	buf.uptr = hold.page;
	check_outlives(_metadata, self, &hold, DMOP_IOCTL_DM_OP, &arg, &create, sizeof(create));
	hold_exit(&hold);
}

TEST_F(death, batch_that_outlived_the_domain)
{
	struct {
		struct dmop_batch_op op;
		struct dm_op create;
	} rest = {
		.op.size = { sizeof(rest.create) },
		.create = { .op = DM_OP_CREATE_IOREQ_SERVER },
	};
	struct dmop_batch *head;
	struct hold hold = { };

	ASSERT_EQ(0, hold_init(&hold));
	head = (struct dmop_batch *)hold.page - 1;
	*head = (struct dmop_batch){
		.size = sizeof(*head), .domid = self->domid, .nr = 1, .bytes = sizeof(rest),
	};
	check_outlives(_metadata, self, &hold, DMOP_IOCTL_BATCH, head, &rest, sizeof(rest));
	hold_exit(&hold);
}

/* The same for a mapping in progress. */
TEST_F(death, mapping_that_outlived_the_domain)
{
	__u64 gfn = GFN;
	int err = POISON;
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->bound, 0);
	struct dmop_mmapbatch_v2 arg = {
		.num = 1, .dom = self->domid, .addr = (unsigned long)p, .err = &err,
	};
	struct hold hold = { };

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, hold_init(&hold));
	arg.arr = (void *)hold.page;
	check_outlives(_metadata, self, &hold, DMOP_IOCTL_MMAPBATCH_V2, &arg, &gfn, sizeof(gfn));
	EXPECT_EQ(POISON, err);
	EXPECT_EQ(SIGBUS, touch(p, false));
	hold_exit(&hold);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
