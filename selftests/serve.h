/* SPDX-License-Identifier: GPL-2.0 */
/*
 * serve.h - wrappers of SERVE, ANSWER and KICK, and the page of requests
 */
#ifndef DMOP_TEST_SERVE_H
#define DMOP_TEST_SERVE_H

#include <poll.h>

#include "frames.h"
#include "irqfd.h"

/* struct ioreq of Xen's public/hvm/ioreq.h. The low bits of @state are a bit field of their own. */
struct request {
	__u64 addr;
	__u64 data;
	__u32 count;
	__u32 size;
	__u32 vp_eport;
	__u16 pad;
	__u8 state;
	__u8 type;
};

#define STATE_NONE	0
#define STATE_READY	1
#define STATE_INPROCESS	2
#define STATE_ANSWERED	3
#define STATE_BITS	0xf
#define REQUEST_PTR	0x10
#define REQUEST_READ	0x20
#define REQUEST_DF	0x40

#define TYPE_PIO	0
#define TYPE_COPY	1
#define TYPE_PCI	2

/* What a test sends if nothing else is said. */
#define PORT		0x510

static inline long serve(int fd, __u32 domid, __u32 server, __u32 vcpus, int rest, __u32 flags)
{
	struct dmop_serve arg = {
		.size = sizeof(arg), .flags = flags, .domid = domid, .server = server,
		.vcpus = vcpus, .rest_fd = rest,
	};

	return do_ioctl(fd, DMOP_IOCTL_SERVE, &arg);
}

static inline long serve_end(int fd, __u32 domid, __u32 server)
{
	/* The last two are not used. */
	return serve(fd, domid, server, ~0U, -1, DMOP_SERVE_END);
}

static inline long answer_vcpus(int fd, __u64 low, __u64 high)
{
	struct dmop_answer arg = { .size = sizeof(arg), .vcpus = { low, high } };

	return do_ioctl(fd, DMOP_IOCTL_ANSWER, &arg);
}

static inline struct dmop_kick kick_of(__u32 domid, __u32 server, int fd, __u64 addr)
{
	return (struct dmop_kick) {
		.size = sizeof(struct dmop_kick), .flags = DMOP_KICK_PIO, .domid = domid,
		.server = server, .fd = fd, .len = 4, .addr = addr,
	};
}

static inline long kick(int fd, const struct dmop_kick *k)
{
	return do_ioctl(fd, DMOP_IOCTL_KICK, k);
}

static inline long kick_deassign(int fd, struct dmop_kick k)
{
	k.flags |= DMOP_KICK_DEASSIGN;
	return kick(fd, &k);
}

static inline struct request port_write(__u64 port, __u64 data)
{
	return (struct request) {
		.addr = port, .data = data, .count = 1, .size = 4, .state = STATE_READY,
		.type = TYPE_PIO,
	};
}

/* Puts a request into a slot, as Xen does; its event channel stays. */
static inline void put_request(volatile struct request *slot, struct request r)
{
	slot->addr = r.addr;
	slot->data = r.data;
	slot->count = r.count;
	slot->size = r.size;
	slot->pad = r.pad;
	slot->type = r.type;
	__atomic_store_n(&slot->state, r.state, __ATOMIC_RELEASE);
}

static inline __u8 state_of(volatile struct request *slot)
{
	return __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
}

/* Return: a server that is enabled, and its page; or minus the errno. */
static inline long server_create(int fd, __u16 domid, volatile struct request **page)
{
	struct dm_op enable = { .op = DM_OP_SET_IOREQ_SERVER_STATE };
	struct dmop_mmap_resource r = {
		.dom = domid, .type = RESOURCE_IOREQ_SERVER, .idx = FRAME_IOREQ, .num = 1,
	};
	struct dm_op create = { .op = DM_OP_CREATE_IOREQ_SERVER };
	long ret = dm_op(fd, domid, &create);
	char *p;

	if (ret)
		return ret;
	p = area(fd, 1, PROT_READ | PROT_WRITE);
	if (p == MAP_FAILED)
		return -ENOMEM;
	r.id = create.u.create.id;
	r.addr = (unsigned long)p;
	ret = do_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &r);
	if (ret)
		return ret;
	enable.u.state.id = create.u.create.id;
	enable.u.state.enabled = 1;
	ret = dm_op(fd, domid, &enable);
	*page = (void *)p;
	return ret ? ret : create.u.create.id;
}

/* Return: true if the counter of the eventfd becomes positive; it is 0 afterwards. */
static inline bool was_signalled(int event)
{
	struct pollfd p = { .fd = event, .events = POLLIN };

	return poll(&p, 1, 120000) == 1 && counter(event);
}

#endif /* DMOP_TEST_SERVE_H */
