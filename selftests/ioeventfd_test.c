// SPDX-License-Identifier: GPL-2.0
/*
 * ioeventfd_test.c - IOEVENTFD: its errors, the event channels that it shares, and the end
 *
 * The guest is paused, so no request comes: that is for the end-to-end tests. Before Linux 6.7
 * there are only errors to see.
 */
#include <sys/wait.h>

#include "ioeventfd.h"
#include "narrow.h"
#include "serve.h"

#define BAD_POINTER	((void *)8)

FIXTURE(ioeventfd)
{
	int fd;			/* bound to the target */
	int evtchn;		/* with the server's port */
	int event, other_event;	/* eventfds, non-blocking */
	long server;		/* enabled */
	volatile struct request *page;
	__u32 port;
	struct dmop_info before;
	struct dmop_ioeventfd arg;	/* valid */
};

/* Return: the page of requests of a server, mapped through another file; or NULL. */
static char *map_page(int fd, long server)
{
	char *p = area(fd, 1, PROT_READ | PROT_WRITE);
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = RESOURCE_IOREQ_SERVER, .id = server,
		.idx = FRAME_IOREQ, .num = 1, .addr = (unsigned long)p,
	};

	return do_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &r) ? NULL : p;
}

FIXTURE_SETUP(ioeventfd)
{
	long port;

	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->other_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->event);
	ASSERT_LE(0, self->other_event);
	ioreq_destroy_all(self->fd, target_domid);
	self->server = server_create(self->fd, target_domid, &self->page);
	ASSERT_LE(0, self->server);
	self->evtchn = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->evtchn);
	port = bind_port(self->evtchn, target_domid, first_port(self->page));
	ASSERT_LT(0, port);
	self->port = port;
	self->arg = ioeventfd_of(target_domid, self->page, &self->port, self->event);
	ASSERT_EQ(0, dmop_info(self->fd, &self->before));
}

FIXTURE_TEARDOWN(ioeventfd)
{
	close(self->evtchn);
	ioreq_destroy_all(self->fd, target_domid);
	close(self->fd);
	close(self->event);
	close(self->other_event);
}

/* The whole argument, with some members set otherwise */
#define ASSIGN(_fd, ...) ({							\
	struct dmop_ioeventfd arg_ = self->arg, *a = &arg_;			\
										\
	(void)a;								\
	__VA_ARGS__;								\
	do_ioctl(_fd, DMOP_IOCTL_IOEVENTFD, a);					\
})

/* With a deassignment nothing else is looked at. */
#define DEASSIGN_OF(_fd, _event) ({							\
	struct dmop_ioeventfd arg_ = {						\
		.ioreq = self->arg.ioreq, .ports = BAD_POINTER, .addr = -1,	\
		.addr_len = 3, .event_fd = _event, .vcpus = 0, .vq = -1,	\
		.flags = DMOP_IOEVENTFD_DEASSIGN, .dom = target_domid,		\
	};									\
										\
	do_ioctl(_fd, DMOP_IOCTL_IOEVENTFD, &arg_);				\
})
#define DEASSIGN(_event)	DEASSIGN_OF(self->fd, _event)

#define EXPECT_SERVED(_servers, _kicks) do {						\
	struct dmop_info now_, want_ = self->before;					\
											\
	want_.servers = (_servers);							\
	want_.kicks = (_kicks);								\
	ASSERT_EQ(0, dmop_info(self->fd, &now_));					\
	EXPECT_EQ(0, memcmp(&want_, &now_, sizeof(now_))) {				\
		TH_LOG("servers %llu, kicks %llu, kicked %llu, refused %llu", now_.servers,	\
		       now_.kicks, now_.kicked, now_.refused_policy);			\
	}										\
} while (0)

static bool is_expected(void)
{
	unsigned int major, minor;
	struct utsname u;

	return !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 7)) && !strstr(u.version, "PREEMPT_RT");
}

/* Begins a test of what a kernel before 6.7 does not do: there it has one answer. */
#define UNLESS_OLD() do {							\
	if (!is_expected()) {							\
		EXPECT_EQ(-EOPNOTSUPP, ASSIGN(self->fd));			\
		EXPECT_EQ(-EOPNOTSUPP, DEASSIGN(self->event));			\
		EXPECT_SERVED(0, 0);						\
		return;								\
	}									\
} while (0)

/* --- errors ------------------------------------------------------------ */

TEST_F(ioeventfd, is_a_feature)
{
	EXPECT_EQ(is_expected(), !!(self->before.features & DMOP_FEATURE_IOEVENTFD));
}

/* Each argument has two causes of refusal, next to each other in the order. */
TEST_F(ioeventfd, order_of_refusals)
{
	int unbound = dmop_open(), no_eventfd = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, unbound);
	ASSERT_LE(0, no_eventfd);
	/* unreadable, unbound */
	EXPECT_EQ(-EFAULT, do_ioctl(unbound, DMOP_IOCTL_IOEVENTFD, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(unbound, DMOP_IOCTL_IOEVENTFD, guarded_pages(1, 0) + PAGE - 44));
	/* unbound, or another domain; and an unknown flag. Privilege is no help. */
	EXPECT_EQ(-EPERM, ASSIGN(unbound, a->flags = ~0U));
	EXPECT_EQ(-EPERM, ASSIGN(unbound));
	EXPECT_EQ(-EPERM, ASSIGN(self->fd, a->dom = other_domid, a->flags = ~0U));
	self->before.refused_policy++;
	/* an unknown flag, or a member out of range; and no descriptor */
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->flags = 2, a->event_fd = -1));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->flags = 3, a->event_fd = -1));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->vcpus = 0, a->event_fd = -1));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->vcpus = DMOP_SERVE_VCPUS_MAX + 1, a->event_fd = -1));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->addr_len = 0, a->event_fd = -1));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->addr_len = 3, a->event_fd = -1));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->addr_len = 16, a->event_fd = -1));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->vq = 1 << 16, a->event_fd = -1));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->vq = 1 << 8, a->addr_len = 1, a->event_fd = -1));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->addr = -1, a->event_fd = -1));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->addr = -0x50 - 3, a->event_fd = -1));
	/* no descriptor; no eventfd, and ports that cannot be read */
	EXPECT_EQ(-EBADF, ASSIGN(self->fd, a->addr = -0x50 - 4, a->event_fd = -1));
	EXPECT_EQ(-EBADF, ASSIGN(self->fd, a->event_fd = -1, a->ports = BAD_POINTER));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->event_fd = no_eventfd, a->ports = BAD_POINTER));
	/* ports that cannot be read, and no page */
	EXPECT_EQ(-EFAULT, ASSIGN(self->fd, a->ports = BAD_POINTER, a->ioreq = NULL));
	EXPECT_EQ(-EFAULT, ASSIGN(self->fd, a->vcpus = 2, a->ioreq = NULL,
				  a->ports = (void *)(guarded_pages(1, 0) + PAGE - 4)));
	EXPECT_SERVED(0, 0);
	close(no_eventfd);
	close(unbound);
}

/* The page of requests, at its beginning, in an area of this file */
TEST_F(ioeventfd, pages)
{
	struct dmop_mmap_resource both = {
		.dom = target_domid, .type = RESOURCE_IOREQ_SERVER, .id = self->server, .num = 2,
	};
	struct dmop_mmap_resource grants = {
		.dom = target_domid, .type = RESOURCE_GRANT_TABLE, .id = 0, .num = 2,
	};
	char *plain = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int other = dmop_open_bound(target_domid);
	char *memory = map_one(self->fd, target_domid, GFN);
	char *p = area(self->fd, 2, PROT_READ | PROT_WRITE);
	char *table = area(self->fd, 2, PROT_READ | PROT_WRITE);
	char *empty = area(self->fd, 1, PROT_READ | PROT_WRITE);

	ASSERT_LE(0, other);
	ASSERT_NE(NULL, memory);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, table);
	ASSERT_NE(MAP_FAILED, empty);
	both.addr = (unsigned long)p;
	/* Xen has no page of buffered requests for this server. */
	ASSERT_NE(0, do_ioctl(self->fd, DMOP_IOCTL_MMAP_RESOURCE, &both));
	grants.addr = (unsigned long)table;
	ASSERT_EQ(0, do_ioctl(self->fd, DMOP_IOCTL_MMAP_RESOURCE, &grants));

	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->ioreq = NULL));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->ioreq = (void *)-PAGE));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->ioreq = plain));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->ioreq = memory));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->ioreq = p));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->ioreq = table));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->ioreq = table + PAGE));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->ioreq = empty));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->ioreq = (char *)self->page + 32));
	EXPECT_EQ(-EINVAL, ASSIGN(other));
	/* Its area is the next one's, which holds something else. */
	ASSERT_EQ(0, munmap((void *)self->page, PAGE));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd));
	EXPECT_EQ(-EINVAL, DEASSIGN(self->event));
	memory = map_one(self->fd, target_domid, GFN);
	ASSERT_NE(NULL, memory);
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->ioreq = memory));
	close(other);
}

TEST_F(ioeventfd, narrowed)
{
	ASSERT_EQ(0, narrow_acts(self->fd, ~DMOP_RIGHT_EVENT));
	EXPECT_EQ(-EPERM, ASSIGN(self->fd));
	EXPECT_EQ(-EPERM, DEASSIGN(self->event));
}

/* --- what it shares ------------------------------------------------------ */

TEST_F(ioeventfd, assigned_and_not)
{
	UNLESS_OLD();
	EXPECT_EQ(-ENODEV, DEASSIGN(self->event));
	EXPECT_EQ(0, ASSIGN(self->fd));
	EXPECT_SERVED(1, 1);
	/* the same eventfd; the same queue; another number of virtual processors */
	EXPECT_EQ(-EBUSY, ASSIGN(self->fd, a->vq = 1));
	EXPECT_EQ(-EEXIST, ASSIGN(self->fd, a->event_fd = self->other_event));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->event_fd = self->other_event, a->vcpus = 2,
				  a->ports = (__u32[]){ self->port, self->port }));
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->event_fd = self->other_event, a->vq = 1,
				  a->ports = (__u32[]){ self->port + 1 }));
	EXPECT_SERVED(1, 1);
	EXPECT_EQ(0, ASSIGN(self->fd, a->event_fd = self->other_event, a->vq = 1));
	EXPECT_SERVED(1, 2);
	EXPECT_EQ(0, DEASSIGN(self->event));
	EXPECT_EQ(-ENODEV, DEASSIGN(self->event));
	EXPECT_SERVED(1, 1);
	EXPECT_EQ(0, DEASSIGN(self->other_event));
	EXPECT_SERVED(0, 0);
	EXPECT_EQ(0, ASSIGN(self->fd));
	EXPECT_SERVED(1, 1);
}

/* A call that fails at the last step leaves nothing; nor does it end what was there before. */
TEST_F(ioeventfd, failed)
{
	struct dmop_kick k = kick_of(target_domid, self->server, self->other_event, DEVICE + 0x50);

	UNLESS_OLD();
	k.flags = DMOP_KICK_DATAMATCH;
	k.mask = 0xffff;
	ASSERT_EQ(0, kick(self->fd, &k));
	EXPECT_EQ(-EEXIST, ASSIGN(self->fd));
	EXPECT_SERVED(0, 1);
	EXPECT_EQ(0, ASSIGN(self->fd, a->vq = 1));
	EXPECT_SERVED(1, 2);
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->vq = 2, a->ports = (__u32[]){ 0 },
				  a->event_fd = self->evtchn));
	EXPECT_EQ(-EEXIST, ASSIGN(self->fd, a->vq = 1, a->event_fd = eventfd(0, EFD_CLOEXEC)));
	EXPECT_SERVED(1, 2);
	/* The kick keeps the server. */
	EXPECT_EQ(0, DEASSIGN(self->event));
	EXPECT_SERVED(1, 1);
	EXPECT_EQ(0, serve_end(self->fd, target_domid, self->server));
	EXPECT_SERVED(0, 1);
}

/* Of one number, with other event channels: the old one has to end first. */
TEST_F(ioeventfd, server_that_is_created_again)
{
	long again, port;

	UNLESS_OLD();
	ASSERT_EQ(0, ASSIGN(self->fd));
	ASSERT_EQ(0, ioreq_destroy(self->fd, target_domid, self->server));
	munmap((void *)self->page, PAGE);
	again = server_create(self->fd, target_domid, &self->page);
	ASSERT_EQ(self->server, again);
	port = bind_port(self->evtchn, target_domid, first_port(self->page));
	ASSERT_LT(0, port);
	ASSERT_NE(self->port, port);
	self->arg.ioreq = (void *)self->page;
	self->port = port;
	EXPECT_EQ(-EINVAL, ASSIGN(self->fd, a->vq = 1, a->event_fd = self->other_event));
	EXPECT_EQ(0, DEASSIGN(self->event));
	EXPECT_EQ(0, ASSIGN(self->fd, a->vq = 1, a->event_fd = self->other_event));
}

/* The kernel has all of the server's events, or shares them; through one file. */
TEST_F(ioeventfd, beside_serve)
{
	int other = dmop_open_bound(target_domid), rest = eventfd(0, EFD_CLOEXEC);
	char *p = map_page(other, self->server);

	UNLESS_OLD();
	ASSERT_LE(0, rest);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, ASSIGN(self->fd));
	EXPECT_EQ(-EBUSY, ASSIGN(other, a->ioreq = p));
	EXPECT_EQ(-EBUSY, serve(self->fd, target_domid, self->server, 1, rest, 0));
	EXPECT_EQ(-EINVAL, serve(other, target_domid, self->server, 1, rest, 0));
	ASSERT_EQ(0, DEASSIGN(self->event));
	/* The channel is the process's. */
	EXPECT_EQ(-EINVAL, serve(self->fd, target_domid, self->server, 1, rest, 0));
	EXPECT_EQ(0, ASSIGN(other, a->ioreq = p));
	close(self->evtchn);
	munmap(p, PAGE);
	close(other);
	/* Nobody's any more */
	EXPECT_EQ(0, serve(self->fd, target_domid, self->server, 1, rest, 0));
	EXPECT_EQ(-EBUSY, ASSIGN(self->fd));
	EXPECT_SERVED(1, 0);
	close(rest);
}

/* As long as the kernel shares it, the channel stays. */
TEST_F(ioeventfd, process_that_goes_first)
{
	int rest = eventfd(0, EFD_CLOEXEC);

	UNLESS_OLD();
	ASSERT_EQ(0, ASSIGN(self->fd));
	close(self->evtchn);
	EXPECT_EQ(-EINVAL, serve(dmop_open_bound(target_domid), target_domid, self->server, 1, rest, 0));
	EXPECT_EQ(0, DEASSIGN(self->event));
	EXPECT_EQ(0, serve(self->fd, target_domid, self->server, 1, rest, 0));
	close(rest);
}

static __u32 bind_virq(int evtchn, unsigned int virq)
{
	struct ioctl_evtchn_bind_virq arg = { .virq = virq };

	return do_ioctl(evtchn, IOCTL_EVTCHN_BIND_VIRQ, &arg);
}

static __u32 unbound_port(int evtchn, __u16 domid)
{
	struct ioctl_evtchn_bind_unbound_port arg = { .remote_domain = domid };

	return do_ioctl(evtchn, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &arg);
}

/*
 * Every port of dom0 but the server's is refused: those of drivers, of which dom0 has some for its
 * timers, IPIs, XenStore and console; of other processes; none at all. Whoever has one keeps it.
 */
TEST_F(ioeventfd, ports_that_are_not_the_servers)
{
	long other_server, other_port;
	volatile struct request *other_page;
	int other = dmop_open_bound(other_domid);
	__u32 port, bad[4];
	unsigned int i;

	UNLESS_OLD();
	ASSERT_LE(0, other);
	other_server = server_create(other, other_domid, &other_page);
	ASSERT_LE(0, other_server);
	other_port = bind_port(self->evtchn, other_domid, other_page->vp_eport);
	ASSERT_LT(0, other_port);
	bad[0] = other_port;
	/* VIRQ_ARCH_7, which Xen never raises */
	bad[1] = bind_virq(self->evtchn, 23);
	bad[2] = unbound_port(self->evtchn, target_domid);
	bad[3] = ~0U;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EPERM, ASSIGN(self->fd, a->ports = &bad[i])) {
			TH_LOG("port %u: %u", i, bad[i]);
		}
	}
	for (port = 0; port < 300; port++) {
		if (port == self->port)
			continue;
		EXPECT_EQ(-EPERM, ASSIGN(self->fd, a->ports = &port));
	}
	/* One port twice; the second of two, of which the page has the first only. */
	EXPECT_EQ(-EBUSY, ASSIGN(self->fd, a->vcpus = 2, a->ports = (__u32[]){ self->port, self->port }));
	EXPECT_EQ(-EPERM, ASSIGN(self->fd, a->vcpus = 2, a->ports = (__u32[]){ self->port, bad[0] }));
	EXPECT_SERVED(0, 0);
	/* The page can name another channel of the domain, and none of another domain. */
	port = self->page->vp_eport;
	self->page->vp_eport = port + 1;
	EXPECT_EQ(-EPERM, ASSIGN(self->fd));
	self->page->vp_eport = other_page->vp_eport;
	EXPECT_EQ(-EPERM, ASSIGN(self->fd, a->ports = &bad[0]));
	self->page->vp_eport = port;
	EXPECT_EQ(0, ASSIGN(self->fd));
	EXPECT_SERVED(1, 1);
	/* The process has them still: Xen finds them bound. */
	EXPECT_EQ(-EINVAL, bind_port(self->evtchn, other_domid, other_page->vp_eport));
	ioreq_destroy(other, other_domid, other_server);
	close(other);
}

/* The file is closed, or the process killed, at any moment. */
TEST_F(ioeventfd, killed)
{
	unsigned int i;

	UNLESS_OLD();
	for (i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			int fd = dmop_open_bound(target_domid);

			self->arg.ioreq = map_page(fd, self->server);
			for (;;) {
				ASSIGN(fd);
				DEASSIGN_OF(fd, self->event);
			}
		}
		ASSERT_LT(0, pid);
		usleep(1000 * (i % 10));
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	EXPECT_EQ(0, ASSIGN(self->fd));
	EXPECT_SERVED(1, 1);
}

TEST_F(ioeventfd, as_many_as_a_file_may_have)
{
	int events[DMOP_KICKS_MAX + 1];
	unsigned int i;

	UNLESS_OLD();
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		events[i] = eventfd(0, EFD_CLOEXEC);
		ASSERT_LE(0, events[i]);
	}
	for (i = 0; i < DMOP_KICKS_MAX; i++)
		ASSERT_EQ(0, ASSIGN(self->fd, a->vq = i, a->event_fd = events[i]));
	EXPECT_EQ(-E2BIG, ASSIGN(self->fd, a->vq = i, a->event_fd = events[i]));
	EXPECT_SERVED(1, DMOP_KICKS_MAX);
	for (i = 0; i < DMOP_KICKS_MAX; i++)
		ASSERT_EQ(0, DEASSIGN(events[i]));
	EXPECT_SERVED(0, 0);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
