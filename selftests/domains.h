/* SPDX-License-Identifier: GPL-2.0 */
/*
 * domains.h - create and destroy domains, wait for their end, measure the memory of the kernel
 */
#ifndef DMOP_TEST_DOMAINS_H
#define DMOP_TEST_DOMAINS_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/wait.h>

/* These tests create many domains, and each takes seconds in an emulator. */
#ifndef DMOP_TEST_TIMEOUT
#define DMOP_TEST_TIMEOUT 1800
#endif
#include "command.h"
#include "frames.h"

#define NR_FRAMES	16

#define MODULE		"dmop_privcmd"
#define PREFIX		"dmop-test-life-"
#define NAME		PREFIX "a"
#define UNRELATED	PREFIX "b"

/* An event that has not come after this many tries, with a pause after each, never comes. */
#define TRIES		12000
#define PAUSE_US	10000
/* Of poll(), with the program that ends the domain still to start, on a slow kernel */
#define WAKE_MS		600000

/* Return: the process that destroys the domain. */
static inline pid_t destroy_beside(const char *name)
{
	pid_t pid = fork();

	if (!pid)
		_exit(!destroy(name));
	return pid;
}

static inline bool ends_well(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* As ends_well(), but a process that does not end in time is killed. */
static inline bool ends_well_in_time(pid_t pid)
{
	int i, status;

	for (i = 0; i < TRIES; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			if (status)
				printf("# a child ended with status %#x\n", status);
			return !status;
		}
		usleep(PAUSE_US);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return false;
}

static inline void nap(unsigned int seconds)
{
	while (seconds)
		seconds = sleep(seconds);
}

/* It creates a domain without a toolstack. It is built in domu/ and lies beside these programs. */
#define BARE_DOMAIN		"../bare_domain"
#define NEEDS_BARE_DOMAIN	"no " BARE_DOMAIN ": make -C selftests/domu release"

/*
 * A domain that can be bound to. Its name is all that XenStore has of it, so no event reports its
 * end. Return: its domid, or -1.
 */
static inline long bare_domain_of(const char *kind)
{
	long domid = number(BARE_DOMAIN " %s", kind);

	return domid > 0 && run("xenstore-write /local/domain/%ld/name " NAME, domid) ? domid : -1;
}

static inline long bare_domain(void)
{
	return bare_domain_of("create");
}

/* The module cannot learn from Xen whether a PV domain is dying. */
static inline long bare_pv_domain(void)
{
	return bare_domain_of("create-pv");
}

/*
 * Destroys a domain of any kind, without the toolstack: XenStore keeps what it has of the domain.
 */
static inline bool destroy_in_xen(long domid)
{
	return run(BARE_DOMAIN " destroy %ld", domid);
}

/* Removes what the toolstack left of a domain destroyed so. */
static inline bool forget_domain(long domid)
{
	return run("xenstore-rm /local/domain/%ld && xenstore-rm /libxl/%ld", domid, domid);
}

/*
 * An operation without effect, by which the module learns that an HVM or PVH domain is dying: Xen
 * returns -ESRCH for such a domain, and -EINVAL, for the empty buffer, for a live one.
 */
#define DYING_REPORTED	"an operation that reports a dying domain"

static inline long dying_op(int fd, __u16 domid)
{
	struct dm_op op = { .op = DM_OP_TRACK_DIRTY_VRAM, .u.vram.nr = 1 };

	return dm_op2(fd, domid, &op, NULL, 0);
}

/* Since dom0 has booted. */
static inline long seconds(void)
{
	return number("cut -d. -f1 /proc/uptime");
}

/* --- mappings ---------------------------------------------------------- */

/* Maps frames from GFN on in a new area. Return: its address, or NULL if one cannot be mapped. */
static inline char *map_several(int fd, __u16 domid, unsigned int nr)
{
	char *p = area(fd, nr, PROT_READ | PROT_WRITE);
	__u64 gfns[NR_FRAMES];
	int errs[NR_FRAMES];
	unsigned int i;

	if (p == MAP_FAILED)
		return NULL;
	for (i = 0; i < nr; i++)
		gfns[i] = GFN + i;
	memset(errs, POISON, sizeof(errs));
	if (!map(fd, domid, p, nr, gfns, errs) && all_bytes(errs, 0, nr * sizeof(*errs)))
		return p;
	munmap(p, nr * PAGE);
	return NULL;
}

static inline char *map_ioreq_page(int fd, __u16 domid, __u16 id)
{
	char *p = area(fd, 1, PROT_READ | PROT_WRITE);
	struct dmop_mmap_resource r = {
		.dom = domid, .type = RESOURCE_IOREQ_SERVER, .id = id,
		.idx = FRAME_IOREQ, .num = 1, .addr = (unsigned long)p,
	};

	if (p == MAP_FAILED)
		return NULL;
	if (!do_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &r))
		return p;
	munmap(p, PAGE);
	return NULL;
}

/* A revocation wakes pollers first and removes mappings next, so a poller may have to wait. */
static inline int touch_until_gone(char *p)
{
	int i, sig = 0;

	for (i = 0; i < TRIES && !sig; i++) {
		sig = touch(p, true);
		if (!sig)
			usleep(PAUSE_US);
	}
	return sig;
}

/* --- waiting ----------------------------------------------------------- */

/*
 * Return: the events, or 0 if no wakeup came. It uses epoll because poll() checks the file again at
 * the end of its time, and would hide a lost wakeup.
 */
static inline unsigned int wait_for_end(int fd)
{
	struct epoll_event e = { };
	int ep = epoll_create1(EPOLL_CLOEXEC), n = -1;

	if (ep >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e)) {
		do
			n = epoll_wait(ep, &e, 1, WAKE_MS);
		while (n < 0 && errno == EINTR);
	}
	if (n != 1)
		e.events = 0;
	close(ep);
	return e.events;
}

#define THE_END	(EPOLLHUP | EPOLLERR)

/* Waits until Xen has no domain with that domid, not even a dying one. */
static inline bool unknown_to_xen(int observer, __u16 domid)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (unknown_op(observer, domid) == -ESRCH)
			return true;
		usleep(PAUSE_US);
	}
	return false;
}

/*
 * Fires @releaseDomain: destroys an unrelated domain, and waits until its descriptor is revoked. By
 * then every bound domain may have been checked.
 */
static inline bool event(void)
{
	long domid = create(UNRELATED);
	int fd = domid < 0 ? -1 : dmop_open_bound(domid);
	bool heard;

	if (fd < 0)
		return false;
	heard = destroy(UNRELATED) && wait_for_end(fd) == THE_END;
	close(fd);
	return heard;
}

/* --- memory and references of the kernel ------------------------------- */

/* Return: true once xl lists no destroyed domain any more. */
static inline bool no_zombies(void)
{
	int i;

	for (i = 0; i < 100; i++) {
		if (!number("xl list | grep -c '(null)' || :"))
			return true;
		usleep(100000);
	}
	return false;
}

static inline long meminfo(const char *what)
{
	return number("awk '/^%s:/ { print $2 }' /proc/meminfo", what);
}

/*
 * Writes the number of objects in each slab cache of the kernel to a file, in lines of "NAME N".
 * Before that it has unused memory freed. Stacks of ended processes are freed when a module is
 * unloaded. The numbers are exact under slub_debug: otherwise all objects of a slab that belongs to
 * a processor would count.
 */
static inline bool caches(const char *to)
{
	/* The sleep covers an RCU grace period. Recently used objects survive the first drop. */
	return run("modprobe loop && rmmod loop || exit; sleep 2; "
		   "for i in 1 2 3; do echo 3 >/proc/sys/vm/drop_caches; done; cd /sys/kernel/slab &&\n"
		   "for c in *; do [ -L $c ] || echo 1 >$c/shrink; done; "
		   "for c in *; do [ -L $c ] || { read -r n rest <$c/objects && echo $c $n; }; done >%s", to);
}

/* Return: the number of caches that have grown by @by or more. Prints each of them. */
static inline long grown(const char *before, const char *now, int by)
{
	run("awk 'NR == FNR { was[$1] = $2; next } $2 - was[$1] >= %d { print \"# \" $1 \": +\" $2 - was[$1] }' %s %s",
	    by, before, now);
	return number("awk 'NR == FNR { was[$1] = $2; next } $2 - was[$1] >= %d { n++ } END { print n + 0 }' %s %s",
		      by, before, now);
}

#define BEFORE	"/tmp/caches.before"
#define NOW	"/tmp/caches.now"

/*
 * Return: pages in use by the kernel itself, in KiB. Slab caches are not among them, because they
 * are counted one by one. Neither is the memory of processes and files. Pages on the free list of a
 * processor count as free.
 */
static inline long kernel_pages(void)
{
	long kept = number("awk '$1 == \"count:\" { n += $2 } END { print n + 0 }' /proc/zoneinfo");

	return meminfo("MemTotal") - meminfo("MemFree") - kept * (long)(PAGE / 1024) -
	       meminfo("Active") - meminfo("Inactive") - meminfo("Unevictable") - meminfo("Slab");
}

/* In KiB. */
struct memory {
	long used, percpu;
};

static inline struct memory memory_now(const char *to)
{
	if (!caches(to))
		return (struct memory){ };
	return (struct memory){
		.used = kernel_pages(),
		.percpu = meminfo("Percpu"),
	};
}

/* --- the fixture --------------------------------------------------------- */

static inline bool domains_missing(void)
{
	return !run("command -v lab-domain >/dev/null");
}

#define NEEDS_DOMAINS	"no lab-domain to make domains with: run this in the lab (make lab-shell)"

/* Also after a test that failed. */
static inline void destroy_all(void)
{
	run("for d in $(xl list | awk '/^" PREFIX "/ { print $2 }'); do xl destroy $d; done >/dev/null 2>&1");
}

/* The binding survives @events events, and the checks after the last of them. @frame: or NULL */
static inline void still_bound(struct __test_metadata *const _metadata, int fd, __u16 domid,
			       char *frame, int events)
{
	while (events--) {
		ASSERT_TRUE(event());
	}
	nap(3);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	EXPECT_NE(-ESRCH, unknown_op(fd, domid));
	EXPECT_TRUE(!frame || !touch(frame, true));
	EXPECT_EQ(0, poll(&(struct pollfd){ .fd = fd }, 1, 0));
}

FIXTURE(lifetime)
{
	int observer;		/* unbound, privileged */
	int control;		/* bound to a domain that lives on */
};

FIXTURE_SETUP(lifetime)
{
	if (domains_missing())
		SKIP(return, NEEDS_DOMAINS);
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	self->control = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->control);
}

FIXTURE_TEARDOWN(lifetime)
{
	destroy_all();
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(self->control));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->control, target_domid));
	close(self->observer);
	close(self->control);
}

#endif /* DMOP_TEST_DOMAINS_H */
