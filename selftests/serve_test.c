// SPDX-License-Identifier: GPL-2.0
/*
 * serve_test.c - SERVE, ANSWER, KICK: their errors, what a request does, and the end
 *
 * The guest is paused, so the tests write the requests, into the page that they share with Xen. A
 * new event channel has an event pending: SERVE receives what is in the page.
 */
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "narrow.h"
#include "serve.h"

#define BAD_POINTER	((void *)8)

FIXTURE(serve)
{
	int fd;			/* bound to the target */
	int rest, event;	/* eventfds, non-blocking */
	long server;		/* enabled */
	volatile struct request *slot;
	struct dmop_kick kick;	/* PORT signals @event */
	struct dmop_info before;
};

FIXTURE_SETUP(serve)
{
	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
	self->rest = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->rest);
	ASSERT_LE(0, self->event);
	ioreq_destroy_all(self->fd, target_domid);
	self->server = server_create(self->fd, target_domid, &self->slot);
	ASSERT_LE(0, self->server);
	self->kick = kick_of(target_domid, self->server, self->event, PORT);
	ASSERT_EQ(0, dmop_info(self->fd, &self->before));
}

FIXTURE_TEARDOWN(serve)
{
	ioreq_destroy_all(self->fd, target_domid);
	close(self->fd);
	close(self->rest);
	close(self->event);
}

/* INFO is as before the test but for these. */
#define EXPECT_SERVED(_servers, _kicks, _kicked, _rest) do {				\
	struct dmop_info now_, want_ = self->before;					\
											\
	want_.servers = (_servers);							\
	want_.kicks = (_kicks);								\
	want_.kicked = (_kicked);							\
	want_.rest = (_rest);								\
	ASSERT_EQ(0, dmop_info(self->fd, &now_));					\
	EXPECT_EQ(0, memcmp(&want_, &now_, sizeof(now_))) {				\
		TH_LOG("servers %llu, kicks %llu, kicked %llu, rest %llu, refused %llu",	\
		       now_.servers, now_.kicks, now_.kicked, now_.rest,		\
		       now_.refused_policy);						\
	}										\
} while (0)

#define SERVE(_vcpus)	serve(self->fd, target_domid, self->server, _vcpus, self->rest, 0)
#define END()		serve_end(self->fd, target_domid, self->server)

/* --- errors ------------------------------------------------------------ */

TEST_F(serve, is_a_feature)
{
	EXPECT_TRUE(self->before.features & DMOP_FEATURE_SERVE);
	EXPECT_EQ(0, self->before.servers);
	EXPECT_EQ(0, self->before.kicks);
}

static long serve_size(int fd, struct dmop_serve *arg, __u32 size)
{
	arg->size = size;
	return do_ioctl(fd, DMOP_IOCTL_SERVE, arg);
}

/* Each argument has two causes of refusal, next to each other in the order. */
TEST_F(serve, order_of_refusals)
{
	struct { struct dmop_serve arg; __u64 unknown; } longer = {
		.arg = { .domid = target_domid, .server = 1 << 16, .rest_fd = -1 }, .unknown = 1,
	};
	int unbound = dmop_open(), no_eventfd = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, unbound);
	ASSERT_LE(0, no_eventfd);
	/* unreadable, unbound */
	EXPECT_EQ(-EFAULT, do_ioctl(unbound, DMOP_IOCTL_SERVE, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(unbound, DMOP_IOCTL_SERVE, guarded_pages(1, 0) + PAGE - 20));
	/* unbound, or another domain; and an unknown flag. Privilege is no help. */
	EXPECT_EQ(-EPERM, serve(unbound, target_domid, 0, 0, -1, ~0U));
	EXPECT_EQ(-EPERM, serve(unbound, target_domid, self->server, 1, self->rest, 0));
	EXPECT_EQ(-EPERM, serve(self->fd, other_domid, 0, 0, -1, ~0U));
	EXPECT_EQ(-EPERM, serve(self->fd, target_domid | 1 << 16, 0, 0, -1, ~0U));
	self->before.refused_policy += 2;
	/* too small, an unknown flag, a server or a number of vcpus out of range; and unknown bytes */
	EXPECT_EQ(-EINVAL, serve_size(self->fd, &longer.arg, 0));
	EXPECT_EQ(-EINVAL, serve_size(self->fd, &longer.arg, DMOP_SERVE_SIZE_V1 - 1));
	EXPECT_EQ(-EINVAL, serve_size(self->fd, &longer.arg, sizeof(longer)));
	longer.arg.server = DMOP_SERVER_MAX;
	EXPECT_EQ(-EINVAL, serve_size(self->fd, &longer.arg, sizeof(longer)));
	longer.arg.vcpus = DMOP_SERVE_VCPUS_MAX + 1;
	EXPECT_EQ(-EINVAL, serve_size(self->fd, &longer.arg, sizeof(longer)));
	longer.arg.vcpus = 1;
	longer.arg.flags = 2;
	EXPECT_EQ(-EINVAL, serve_size(self->fd, &longer.arg, sizeof(longer)));
	longer.arg.flags = 0;
	/* too large; unknown bytes; these unreadable; and no eventfd */
	EXPECT_EQ(-E2BIG, serve_size(self->fd, &longer.arg, DMOP_SERVE_SIZE_MAX + 1));
	EXPECT_EQ(-E2BIG, serve_size(self->fd, &longer.arg, sizeof(longer)));
	longer.unknown = 0;
	EXPECT_EQ(-EBADF, serve_size(self->fd, &longer.arg, sizeof(longer)));
	/* no file, or no eventfd; and no such server */
	EXPECT_EQ(-EBADF, serve(self->fd, target_domid, DMOP_SERVER_MAX, 1, -1, 0));
	EXPECT_EQ(-EINVAL, serve(self->fd, target_domid, DMOP_SERVER_MAX, 1, no_eventfd, 0));
	EXPECT_EQ(-ENOENT, serve(self->fd, target_domid, DMOP_SERVER_MAX, 1, self->rest, 0));
	EXPECT_SERVED(0, 0, 0, 0);
	/* EVENT removed, and an unknown flag */
	ASSERT_EQ(0, narrow_acts(self->fd, ~DMOP_RIGHT_EVENT));
	EXPECT_EQ(-EPERM, serve(self->fd, target_domid, 0, 0, -1, ~0U));
	EXPECT_EQ(-EPERM, END());
	EXPECT_EQ(-EPERM, answer_vcpus(self->fd, 1, 0));
	EXPECT_EQ(-EPERM, kick(self->fd, &self->kick));
	close(no_eventfd);
	close(unbound);
}

TEST_F(serve, order_of_refusals_of_answer)
{
	struct { struct dmop_answer arg; __u64 unknown; } longer = { .unknown = 1 };
	int unbound = dmop_open();

	ASSERT_LE(0, unbound);
	EXPECT_EQ(-EFAULT, do_ioctl(unbound, DMOP_IOCTL_ANSWER, BAD_POINTER));
	EXPECT_EQ(-EPERM, do_ioctl(unbound, DMOP_IOCTL_ANSWER, &longer));
	EXPECT_EQ(-EINVAL, do_ioctl(self->fd, DMOP_IOCTL_ANSWER, &longer));
	longer.arg.size = DMOP_ANSWER_SIZE_V1 - 1;
	EXPECT_EQ(-EINVAL, do_ioctl(self->fd, DMOP_IOCTL_ANSWER, &longer));
	longer.arg.size = DMOP_ANSWER_SIZE_MAX + 1;
	longer.arg.flags = 1;
	EXPECT_EQ(-EINVAL, do_ioctl(self->fd, DMOP_IOCTL_ANSWER, &longer));
	longer.arg.flags = 0;
	EXPECT_EQ(-E2BIG, do_ioctl(self->fd, DMOP_IOCTL_ANSWER, &longer));
	longer.arg.size = sizeof(longer);
	EXPECT_EQ(-E2BIG, do_ioctl(self->fd, DMOP_IOCTL_ANSWER, &longer));
	longer.unknown = 0;
	/* nothing is served */
	EXPECT_EQ(-EINVAL, do_ioctl(self->fd, DMOP_IOCTL_ANSWER, &longer));
	EXPECT_EQ(-EINVAL, answer_vcpus(self->fd, 1, 0));
	ASSERT_EQ(0, SERVE(1));
	EXPECT_EQ(0, answer_vcpus(self->fd, 0, 0));
	EXPECT_EQ(0, answer_vcpus(self->fd, 1, 0));
	EXPECT_EQ(-EINVAL, answer_vcpus(self->fd, 2, 0));
	EXPECT_EQ(-EINVAL, answer_vcpus(self->fd, 1, 1ULL << 63));
	close(unbound);
}

TEST_F(serve, order_of_refusals_of_kick)
{
	struct { struct dmop_kick arg; __u64 unknown; } longer = { self->kick, 1 };
	int unbound = dmop_open(), no_eventfd = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, unbound);
	ASSERT_LE(0, no_eventfd);
	EXPECT_EQ(-EFAULT, do_ioctl(unbound, DMOP_IOCTL_KICK, BAD_POINTER));
	EXPECT_EQ(-EPERM, kick(unbound, &longer.arg));
	longer.arg.domid = other_domid;
	longer.arg.len = 3;
	EXPECT_EQ(-EPERM, kick(self->fd, &longer.arg));
	self->before.refused_policy++;
	longer.arg.domid = target_domid;
	longer.arg.size = sizeof(longer);
	EXPECT_EQ(-EINVAL, kick(self->fd, &longer.arg));
	longer.arg.len = 4;
	longer.arg.fd = -1;
	EXPECT_EQ(-E2BIG, kick(self->fd, &longer.arg));
	longer.arg.size = DMOP_KICK_SIZE_MAX + 1;
	EXPECT_EQ(-E2BIG, kick(self->fd, &longer.arg));
	longer.arg.size = DMOP_KICK_SIZE_V1 - 1;
	EXPECT_EQ(-EINVAL, kick(self->fd, &longer.arg));
	longer.arg.size = DMOP_KICK_SIZE_V1;
	EXPECT_EQ(-EBADF, kick(self->fd, &longer.arg));
	longer.arg.fd = no_eventfd;
	EXPECT_EQ(-EINVAL, kick(self->fd, &longer.arg));
	EXPECT_EQ(-ENOENT, kick_deassign(self->fd, self->kick));
	EXPECT_SERVED(0, 0, 0, 0);
	close(no_eventfd);
	close(unbound);
}

/* The unit test of the module's tables has all kinds; here is one of each. */
TEST_F(serve, kicks_that_collide)
{
	struct dmop_kick any = self->kick, match = self->kick, other = self->kick;

	ASSERT_EQ(0, kick(self->fd, &self->kick));
	EXPECT_EQ(-EEXIST, kick(self->fd, &self->kick));
	any.len = 0;
	EXPECT_EQ(-EEXIST, kick(self->fd, &any));
	match.flags |= DMOP_KICK_DATAMATCH;
	match.mask = 0xff;
	match.datamatch = 1;
	EXPECT_EQ(-EEXIST, kick(self->fd, &match));
	EXPECT_SERVED(0, 1, 0, 0);
	/* It has to be the same in everything. */
	EXPECT_EQ(-ENOENT, kick_deassign(self->fd, any));
	EXPECT_EQ(-ENOENT, kick_deassign(self->fd, match));
	other.fd = self->rest;
	EXPECT_EQ(-ENOENT, kick_deassign(self->fd, other));
	EXPECT_EQ(0, kick_deassign(self->fd, self->kick));
	EXPECT_EQ(-ENOENT, kick_deassign(self->fd, self->kick));
	EXPECT_SERVED(0, 0, 0, 0);
	/* Two values of the same bits. */
	EXPECT_EQ(0, kick(self->fd, &match));
	match.datamatch = 2;
	EXPECT_EQ(0, kick(self->fd, &match));
	match.mask = 0xf;
	EXPECT_EQ(-EEXIST, kick(self->fd, &match));
	EXPECT_SERVED(0, 2, 0, 0);
}

TEST_F(serve, as_many_as_a_file_may_have)
{
	struct dmop_kick k = self->kick;
	unsigned int i;

	for (i = 0; i < DMOP_KICKS_MAX; i++) {
		/* In no order. */
		k.addr = PORT + 8 * (i * 37 % DMOP_KICKS_MAX);
		ASSERT_EQ(0, kick(self->fd, &k));
	}
	k.addr = PORT - 8;
	EXPECT_EQ(-E2BIG, kick(self->fd, &k));
	EXPECT_SERVED(0, DMOP_KICKS_MAX, 0, 0);
	k.addr = PORT;
	EXPECT_EQ(-EEXIST, kick(self->fd, &k));
	k.addr = PORT + 8 * 255;
	EXPECT_EQ(0, kick_deassign(self->fd, k));
	k.addr = PORT - 8;
	EXPECT_EQ(0, kick(self->fd, &k));
	/* Each has its place. */
	put_request(self->slot, port_write(PORT - 8, 0));
	ASSERT_EQ(0, SERVE(1));
	EXPECT_TRUE(was_signalled(self->event));
	ASSERT_EQ(0, END());
	put_request(self->slot, port_write(PORT + 8 * 254, 0));
	ASSERT_EQ(0, SERVE(1));
	EXPECT_TRUE(was_signalled(self->event));
	EXPECT_SERVED(1, DMOP_KICKS_MAX, 2, 0);
}

/* Each pair of mask and length costs every request something. */
TEST_F(serve, as_many_masks_as_a_file_may_have)
{
	struct dmop_kick k = self->kick;
	unsigned int i;

	k.flags |= DMOP_KICK_DATAMATCH;
	for (i = 0; i < DMOP_KICK_SHAPES_MAX; i++) {
		k.addr = PORT + 8 * i;
		k.mask = k.datamatch = 1 + i;
		ASSERT_EQ(0, kick(self->fd, &k));
	}
	k.addr += 8;
	EXPECT_EQ(0, kick(self->fd, &k));
	k.addr += 8;
	k.mask = k.datamatch = 1 + i;
	EXPECT_EQ(-E2BIG, kick(self->fd, &k));
	k.mask = k.datamatch = 1;
	k.len = 2;
	EXPECT_EQ(-E2BIG, kick(self->fd, &k));
	EXPECT_SERVED(0, DMOP_KICK_SHAPES_MAX + 1, 0, 0);
}

/* --- requests ---------------------------------------------------------- */

TEST_F(serve, kick_is_complete)
{
	ASSERT_EQ(0, kick(self->fd, &self->kick));
	put_request(self->slot, port_write(PORT, 7));
	ASSERT_EQ(0, SERVE(1));
	EXPECT_TRUE(was_signalled(self->event));
	EXPECT_EQ(STATE_ANSWERED, state_of(self->slot));
	EXPECT_EQ(0, counter(self->rest));
	EXPECT_SERVED(1, 1, 1, 0);
}

TEST_F(serve, rest_is_for_the_caller)
{
	ASSERT_EQ(0, kick(self->fd, &self->kick));
	put_request(self->slot, port_write(PORT + 4, 7));
	ASSERT_EQ(0, SERVE(1));
	EXPECT_TRUE(was_signalled(self->rest));
	EXPECT_EQ(STATE_INPROCESS, state_of(self->slot));
	EXPECT_EQ(0, counter(self->event));
	EXPECT_SERVED(1, 1, 0, 1);
	self->slot->state = STATE_ANSWERED;
	EXPECT_EQ(0, answer_vcpus(self->fd, 1, 0));
}

FIXTURE(request)
{
};

FIXTURE_SETUP(request)
{
}

FIXTURE_TEARDOWN(request)
{
}

#define KICKED	0
#define REST	1
#define NOTHING	2

/* A request, what the kick is if not one of 4 bytes at PORT, and what happens. */
FIXTURE_VARIANT(request)
{
	struct request r;
	__u32 len, flags;
	__u64 match, mask;
	int result;
};

/* Each variant replaces members of the common ones. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define REQUEST(name, _result, ...)							\
	FIXTURE_VARIANT_ADD(request, name)						\
	{										\
		.r = { .addr = PORT, .data = 0x1234, .count = 1, .size = 4, .state = STATE_READY }, \
		.len = 4, .flags = DMOP_KICK_PIO, .result = _result,			\
		__VA_ARGS__								\
	}

REQUEST(as_the_kick, KICKED,);
REQUEST(other_address, REST, .r.addr = PORT + 1);
REQUEST(address_with_high_bits, REST, .r.addr = PORT | 1ULL << 32);
REQUEST(smaller, REST, .r.size = 2);
REQUEST(of_no_size, REST, .r.size = 0);
REQUEST(of_any_size, KICKED, .r.size = 1, .len = 0);
REQUEST(of_a_size_that_no_access_has, REST, .r.size = ~0U);
REQUEST(in_memory, REST, .r.type = TYPE_COPY);
REQUEST(of_pci_configuration, REST, .r.type = TYPE_PCI);
REQUEST(of_no_type, REST, .r.type = 255);
REQUEST(kick_in_memory, REST, .flags = 0);
REQUEST(memory_and_kick_in_memory, KICKED, .r.type = TYPE_COPY, .flags = 0);
REQUEST(read, REST, .r.state = STATE_READY | REQUEST_READ);
REQUEST(data_elsewhere, REST, .r.state = STATE_READY | REQUEST_PTR);
REQUEST(direction_flag, KICKED, .r.state = STATE_READY | REQUEST_DF);
REQUEST(of_no_count, REST, .r.count = 0);
REQUEST(repeated, REST, .r.count = 2);
REQUEST(data_matches, KICKED, .flags = DMOP_KICK_PIO | DMOP_KICK_DATAMATCH, .match = 0x1234, .mask = ~0U);
REQUEST(data_differs, REST, .flags = DMOP_KICK_PIO | DMOP_KICK_DATAMATCH, .match = 0x1235, .mask = ~0U);
REQUEST(low_byte_matches, KICKED, .flags = DMOP_KICK_PIO | DMOP_KICK_DATAMATCH, .match = 0x34, .mask = 0xff);
REQUEST(none, NOTHING, .r.state = STATE_NONE);
REQUEST(in_process, NOTHING, .r.state = STATE_INPROCESS);
REQUEST(answered, NOTHING, .r.state = STATE_ANSWERED);
REQUEST(of_no_state, NOTHING, .r.state = 9);

TEST_F(request, result)
{
	int fd = dmop_open_bound(target_domid), events[2];
	volatile struct request *slot = NULL;
	struct request after;
	struct dmop_info info;
	struct dmop_kick k;
	long server;

	ASSERT_LE(0, fd);
	ioreq_destroy_all(fd, target_domid);
	server = server_create(fd, target_domid, &slot);
	ASSERT_LE(0, server);
	events[KICKED] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	events[REST] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	k = kick_of(target_domid, server, events[KICKED], PORT);
	k.len = variant->len;
	k.flags = variant->flags;
	k.datamatch = variant->match;
	k.mask = variant->mask;
	ASSERT_EQ(0, kick(fd, &k));
	put_request(slot, variant->r);
	ASSERT_EQ(0, serve(fd, target_domid, server, 1, events[REST], 0));

	if (variant->result == NOTHING) {
		/* The event came with SERVE; the end waits for it. */
		ASSERT_EQ(0, serve_end(fd, target_domid, server));
	} else {
		EXPECT_TRUE(was_signalled(events[variant->result]));
	}
	ASSERT_EQ(0, dmop_info(fd, &info));
	EXPECT_EQ(variant->result == KICKED, info.kicked);
	EXPECT_EQ(variant->result == REST, info.rest);
	EXPECT_EQ(0, counter(events[KICKED]));
	EXPECT_EQ(0, counter(events[REST]));
	/* Nothing but the state was written. */
	after = variant->r;
	if (variant->result != NOTHING)
		after.state = (after.state & ~STATE_BITS) |
			      (variant->result == KICKED ? STATE_ANSWERED : STATE_INPROCESS);
	after.vp_eport = slot->vp_eport;
	EXPECT_EQ(0, memcmp(&after, (const void *)slot, sizeof(after)));

	ioreq_destroy_all(fd, target_domid);
	close(fd);
	close(events[0]);
	close(events[1]);
}

/* A kick is for one server. */
TEST_F(serve, kick_of_another_server)
{
	struct dmop_kick k = self->kick;

	k.server = self->server + 1;
	ASSERT_EQ(0, kick(self->fd, &k));
	put_request(self->slot, port_write(PORT, 0));
	ASSERT_EQ(0, SERVE(1));
	EXPECT_TRUE(was_signalled(self->rest));
	EXPECT_SERVED(1, 1, 0, 1);
}

TEST_F(serve, kick_that_was_removed)
{
	ASSERT_EQ(0, kick(self->fd, &self->kick));
	ASSERT_EQ(0, kick_deassign(self->fd, self->kick));
	put_request(self->slot, port_write(PORT, 0));
	ASSERT_EQ(0, SERVE(1));
	EXPECT_TRUE(was_signalled(self->rest));
	EXPECT_EQ(0, counter(self->event));
	EXPECT_SERVED(1, 0, 0, 1);
}

/* An eventfd may serve for several purposes. */
TEST_F(serve, kick_that_raises_an_interrupt)
{
	struct dm_op op = interrupt_op(VECTOR);
	struct dmop_info info;
	int i;

	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &op));
	ASSERT_EQ(0, kick(self->fd, &self->kick));
	put_request(self->slot, port_write(PORT, 0));
	ASSERT_EQ(0, SERVE(1));
	for (i = 0; i < 12000; i++) {
		ASSERT_EQ(0, dmop_info(self->fd, &info));
		if (info.events)
			break;
		usleep(10000);
	}
	EXPECT_EQ(1, info.events);
	EXPECT_EQ(0, info.events_failed);
	EXPECT_EQ(1, info.kicked);
}

/* --- begin and end ----------------------------------------------------- */

TEST_F(serve, by_one_file_at_a_time)
{
	int other = dmop_open_bound(target_domid);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, SERVE(1));
	EXPECT_EQ(-EBUSY, SERVE(1));
	EXPECT_EQ(-EINVAL, serve(other, target_domid, self->server, 1, self->rest, 0));
	/* It is not this file's to end. */
	EXPECT_EQ(0, serve_end(other, target_domid, self->server));
	EXPECT_EQ(-EINVAL, serve(other, target_domid, self->server, 1, self->rest, 0));
	EXPECT_SERVED(1, 0, 0, 0);

	EXPECT_EQ(0, END());
	EXPECT_EQ(0, END());
	EXPECT_SERVED(0, 0, 0, 0);
	EXPECT_EQ(-EINVAL, answer_vcpus(self->fd, 1, 0));
	EXPECT_EQ(0, serve(other, target_domid, self->server, 1, self->rest, 0));
	EXPECT_EQ(-EINVAL, SERVE(1));
	/* The last close ends it. */
	close(other);
	EXPECT_EQ(0, SERVE(1));
}

TEST_F(serve, kicks_go_with_the_file)
{
	int other = dmop_open_bound(target_domid), alias;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, kick(other, &self->kick));
	put_request(self->slot, port_write(PORT, 0));
	ASSERT_EQ(0, SERVE(1));
	EXPECT_TRUE(was_signalled(self->rest));
	ASSERT_EQ(0, END());
	/* A duplicate keeps the file. */
	alias = dup(other);
	close(other);
	put_request(self->slot, port_write(PORT, 0));
	ASSERT_EQ(0, serve(alias, target_domid, self->server, 1, self->rest, 0));
	EXPECT_TRUE(was_signalled(self->event));
	close(alias);
}

/* Not enabled; more virtual processors than there are; no server. Nothing is left behind. */
TEST_F(serve, what_xen_refuses)
{
	struct dm_op disable = { .op = DM_OP_SET_IOREQ_SERVER_STATE };
	struct dm_op create = { .op = DM_OP_CREATE_IOREQ_SERVER };

	EXPECT_EQ(-EINVAL, SERVE(2));
	EXPECT_EQ(-EINVAL, SERVE(DMOP_SERVE_VCPUS_MAX));
	ASSERT_EQ(0, dm_op(self->fd, target_domid, &create));
	EXPECT_EQ(-EINVAL, serve(self->fd, target_domid, create.u.create.id, 1, self->rest, 0));
	EXPECT_EQ(-ENOENT, serve(self->fd, target_domid, create.u.create.id + 1, 1, self->rest, 0));
	self->before.calls++;
	EXPECT_SERVED(0, 0, 0, 0);
	disable.u.state.id = self->server;
	EXPECT_EQ(0, SERVE(1));
	/* Whatever Xen does with the server meanwhile. */
	EXPECT_EQ(0, dm_op(self->fd, target_domid, &disable));
	EXPECT_EQ(0, ioreq_destroy(self->fd, target_domid, self->server));
	EXPECT_EQ(0, answer_vcpus(self->fd, 1, 0));
	EXPECT_EQ(0, END());
}

/* The ports are the domain's own, or nothing happens. */
TEST_F(serve, ports_that_are_not_the_servers)
{
	__u32 port, good = self->slot->vp_eport, bad[] = { 0, ~0U, 1 << 17, good + 1000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		self->slot->vp_eport = bad[i];
		EXPECT_EQ(-EINVAL, SERVE(1));
	}
	/* Those that dom0 may bind are of the domain: the console, XenStore. */
	for (port = 1; port < 32; port++) {
		self->slot->vp_eport = port;
		if (!SERVE(1))
			EXPECT_EQ(0, END());
	}
	self->slot->vp_eport = good;
	EXPECT_EQ(0, SERVE(1));
	EXPECT_SERVED(1, 0, 0, self->before.rest);
}

/*
 * What a device model can make of an eventfd: its signal takes long. Then a worker handles the next
 * events of the domain, and everything goes on.
 */
#define INSTANCES	200
#define DUPLICATES	100

TEST_F(serve, signal_that_takes_long)
{
	struct rlimit many = { .rlim_cur = 1000, .rlim_max = 1000 };
	int dups[DUPLICATES], instances[INSTANCES];
	struct epoll_event e = { .events = EPOLLIN };
	unsigned int i, k;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &many));
	for (i = 0; i < DUPLICATES; i++) {
		dups[i] = dup(self->event);
		ASSERT_LE(0, dups[i]);
	}
	for (i = 0; i < INSTANCES; i++) {
		instances[i] = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_LE(0, instances[i]);
		for (k = 0; k < DUPLICATES; k++)
			ASSERT_EQ(0, epoll_ctl(instances[i], EPOLL_CTL_ADD, dups[k], &e));
	}
	ASSERT_EQ(0, kick(self->fd, &self->kick));
	for (i = 0; i < 5; i++) {
		put_request(self->slot, port_write(PORT, 0));
		ASSERT_EQ(0, SERVE(1));
		EXPECT_TRUE(was_signalled(self->event));
		ASSERT_EQ(0, END());
		EXPECT_EQ(STATE_ANSWERED, state_of(self->slot));
	}
	EXPECT_SERVED(0, 1, 5, 0);
	for (i = 0; i < INSTANCES; i++)
		close(instances[i]);
	for (i = 0; i < DUPLICATES; i++)
		close(dups[i]);
}

/* A right that is gone: no event, and its virtual processor waits. */
TEST_F(serve, narrowed)
{
	ASSERT_EQ(0, kick(self->fd, &self->kick));
	put_request(self->slot, port_write(PORT, 0));
	self->slot->state = STATE_NONE;
	ASSERT_EQ(0, SERVE(1));
	ASSERT_EQ(0, narrow_acts(self->fd, ~DMOP_RIGHT_EVENT));
	EXPECT_EQ(-EPERM, END());
	EXPECT_EQ(-EPERM, answer_vcpus(self->fd, 1, 0));
	EXPECT_EQ(STATE_NONE, state_of(self->slot));
}

/* The file is closed while it serves, a process is killed while it asks for it. */
TEST_F(serve, killed)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid) {
			int fd = dmop_open_bound(target_domid);

			for (;;) {
				serve(fd, target_domid, self->server, 1, self->rest, 0);
				serve_end(fd, target_domid, self->server);
			}
		}
		ASSERT_LT(0, pid);
		usleep(1000 * (i % 10));
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	EXPECT_EQ(0, SERVE(1));
}

static atomic_bool stop;

static void *scribble(void *page)
{
	volatile __u8 *p = page;
	unsigned int seed = 1;

	while (!atomic_load(&stop))
		p[rand_r(&seed) % 4096] = rand_r(&seed);
	return NULL;
}

/* Every byte of the page changes all the time; the port is put right before each SERVE. */
TEST_F(serve, page_that_changes)
{
	__u32 port = self->slot->vp_eport;
	unsigned int i, served = 0;
	pthread_t thread;

	ASSERT_EQ(0, kick(self->fd, &self->kick));
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, (void *)self->slot));
	for (i = 0; i < 300; i++) {
		self->slot->state = STATE_READY;
		self->slot->vp_eport = port;
		if (!SERVE(1)) {
			served++;
			ASSERT_EQ(0, END());
		}
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	EXPECT_LT(0, served);
	self->slot->vp_eport = port;
	put_request(self->slot, port_write(PORT, 0));
	counter(self->event);
	ASSERT_EQ(0, SERVE(1));
	EXPECT_TRUE(was_signalled(self->event));
}

/* The caller's own mapping is not needed. */
TEST_F(serve, without_a_mapping)
{
	ASSERT_EQ(0, kick(self->fd, &self->kick));
	put_request(self->slot, port_write(PORT, 0));
	ASSERT_EQ(0, munmap((void *)self->slot, PAGE));
	ASSERT_EQ(0, SERVE(1));
	EXPECT_TRUE(was_signalled(self->event));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
