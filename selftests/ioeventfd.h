/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ioeventfd.h - wrappers of IOEVENTFD, and the event channels that a process binds for it
 */
#ifndef DMOP_TEST_IOEVENTFD_H
#define DMOP_TEST_IOEVENTFD_H

#include <linux/types.h>

/* The next header lacks it. */
typedef __u16 domid_t;
#include <xen/evtchn.h>

#include "irqfd.h"

/* Where no memory of the guest is */
#define DEVICE		0xd0000000ULL

/* Return: the port of this domain, which ends with the descriptor; or minus the errno. */
static inline long bind_port(int evtchn, __u16 domid, __u32 remote)
{
	struct ioctl_evtchn_bind_interdomain arg = {
		.remote_domain = domid, .remote_port = remote,
	};

	return do_ioctl(evtchn, IOCTL_EVTCHN_BIND_INTERDOMAIN, &arg);
}

/* Return: vp_eport of the first slot of a page of requests, the port in the other domain. */
static inline __u32 first_port(const volatile void *page)
{
	return ((const volatile __u32 *)page)[6];
}

/* Return: a valid argument, for queue 0 of a domain with one virtual processor. */
static inline struct dmop_ioeventfd ioeventfd_of(__u16 domid, volatile void *page,
						 const __u32 *port, int eventfd)
{
	return (struct dmop_ioeventfd) {
		.ioreq = (void *)page, .ports = port, .addr = DEVICE, .addr_len = 4,
		.event_fd = eventfd, .vcpus = 1, .dom = domid,
		/* Ignored. */
		.pad = { POISON, POISON },
	};
}

#endif /* DMOP_TEST_IOEVENTFD_H */
