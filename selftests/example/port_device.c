// SPDX-License-Identifier: GPL-2.0
/*
 * port_device.c - a device model, from beginning to end
 *
 * usage: port_device [--irqfd] DOMID
 *
 * --irqfd: an eventfd raises the interrupts, through a descriptor of /dev/xen/dmop.
 *
 * Gives the guest the device of device.h, through Xen's own libraries. Nothing else here
 * knows of /dev/xen/dmop: dmop-run puts it in the place of the stock node, so that
 * whoever takes this process over has one domain in reach, and no other.
 *
 * docs/device-model.md follows this file step by step.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Xen's interface is split in two: this asks for the toolstack's half as well. */
#define __XEN_TOOLS__ 1
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xentoolcore.h>
#include <xen/dmop.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>
#include <xen/sched.h>

#include "device.h"

#define NOBODY		65534
#define PAGE_SHIFT	12
#define PAGE_BYTES	(1UL << PAGE_SHIFT)

/* The guest has one processor. */
#define VCPU		0

/* How long a guest may be silent before it is asked whether it is there, in milliseconds. */
#define SILENCE		1000

static xendevicemodel_handle *xdm;
static xenforeignmemory_handle *xfm;
static xenevtchn_handle *xec;
static domid_t domid;

/* The eventfd that raises the interrupt, or -1. */
static int interrupt = -1;

/* What the device is made of. */
static uint32_t texts, results;
static bool done;

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "port_device: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- 1. open, restrict, give up ---------------------------------------- */

static void open_libraries(void)
{
	xdm = xendevicemodel_open(NULL, 0);
	check(xdm, "libxendevicemodel (a program of this kind is started by dmop-run)");
	xfm = xenforeignmemory_open(NULL, 0);
	check(xfm, "libxenforeignmemory");
	xec = xenevtchn_open(NULL, 0);
	check(xec, "libxenevtchn");
}

/*
 * Asks all the libraries at once. For two of them it confirms what dmop-run
 * has done; libxencall ends here, and event channels are bound to the guest.
 */
static void restrict_libraries(void)
{
	check(!xentoolcore_restrict_all(domid), "xentoolcore_restrict_all");
}

static void give_up_privileges(void)
{
	check(!setgroups(0, NULL), "setgroups");
	check(!setresgid(NOBODY, NOBODY, NOBODY), "setresgid");
	check(!setresuid(NOBODY, NOBODY, NOBODY), "setresuid");
	check(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

/* --- 2. become a device model ------------------------------------------ */

/* The page in which Xen and this program exchange requests, one slot a processor. */
static shared_iopage_t *requests;
static ioservid_t server;

static void create_server(void)
{
	void *page = NULL;

	check(!xendevicemodel_create_ioreq_server(xdm, domid, HVM_IOREQSRV_BUFIOREQ_OFF, &server),
	      "create_ioreq_server");
	check(xenforeignmemory_map_resource(xfm, domid, XENMEM_resource_ioreq_server, server,
					    XENMEM_resource_ioreq_server_frame_ioreq(0), 1,
					    &page, PROT_READ | PROT_WRITE, 0),
	      "the page of requests");
	requests = page;
	check(!xendevicemodel_map_io_range_to_ioreq_server(xdm, domid, server, 0,
							   DEVICE_FIRST, DEVICE_LAST),
	      "map_io_range_to_ioreq_server");
}

static void enable_server(void)
{
	check(!xendevicemodel_set_ioreq_server_state(xdm, domid, server, 1), "set_ioreq_server_state");
}

/*
 * Xen rings when there is a request, and is rung when it is answered. The bell is made
 * when the server is enabled, and not before.
 */
static evtchn_port_t connect_bell(void)
{
	evtchn_port_t theirs = requests->vcpu_ioreq[VCPU].vp_eport;
	xenevtchn_port_or_error_t mine = xenevtchn_bind_interdomain(xec, domid, theirs);

	check(mine >= 0, "xenevtchn_bind_interdomain");
	return mine;
}

/* --- 3. the guest's memory --------------------------------------------- */

/*
 * One page is enough for the device's texts: whatever address the guest gives, it is
 * the guest's own memory that is changed, up to the end of that page.
 */
static void shout(uint32_t address)
{
	xen_pfn_t gfn = address >> PAGE_SHIFT;
	size_t i = address & (PAGE_BYTES - 1);
	char *page;

	page = xenforeignmemory_map(xfm, domid, PROT_READ | PROT_WRITE, 1, &gfn, NULL);
	if (!page) {
		printf("the guest gave an address that is not memory: %#x\n", address);
		return;
	}
	for (; i < PAGE_BYTES && page[i]; i++)
		page[i] = toupper((unsigned char)page[i]);
	xenforeignmemory_unmap(xfm, page, 1);
	texts++;
}

/* --- 4. the device ----------------------------------------------------- */

/* A message to the guest's local APIC, as a PCI device would send it. */
#define MESSAGE_ADDRESS	0xfee00000

/*
 * The library keeps its descriptors to itself, so this opens one more. It needs the privilege
 * once, to bind it. The irqfd ends with the descriptor, which is therefore never closed.
 */
static void interrupt_by_eventfd(void)
{
	struct xen_dm_op op = {
		.op = XEN_DMOP_inject_msi,
		.u.inject_msi = { .addr = MESSAGE_ADDRESS, .data = DEVICE_VECTOR },
	};
	struct dmop_irqfd irqfd = { .dm_op = &op, .size = sizeof(op), .dom = domid };
	int fd = open("/dev/xen/dmop", O_RDWR | O_CLOEXEC);

	check(fd >= 0, "/dev/xen/dmop");
	check(!ioctl(fd, DMOP_IOCTL_RESTRICT, &domid), "RESTRICT");
	interrupt = eventfd(0, EFD_CLOEXEC);
	check(interrupt >= 0, "eventfd");
	irqfd.fd = interrupt;
	check(!ioctl(fd, DMOP_IOCTL_IRQFD, &irqfd), "IRQFD");
}

static void interrupt_guest(void)
{
	const uint64_t one = 1;

	if (interrupt < 0)
		check(!xendevicemodel_inject_msi(xdm, domid, MESSAGE_ADDRESS, DEVICE_VECTOR), "inject_msi");
	else
		check(write(interrupt, &one, sizeof(one)) == sizeof(one), "the eventfd");
}

static uint32_t port_read(uint32_t port)
{
	switch (port) {
	case DEVICE_ID:
		return DEVICE_MAGIC;
	case DEVICE_COUNT:
		return texts;
	default:
		return ~0U;
	}
}

static void port_write(uint32_t port, uint32_t value)
{
	switch (port) {
	case DEVICE_TEXT:
		shout(value);
		interrupt_guest();
		break;
	case DEVICE_DONE:
		results = value;
		done = true;
		break;
	}
}

/* --- 5. requests ------------------------------------------------------- */

/* The request has been copied: the guest's processors cannot change it any more. */
static void handle(ioreq_t *request)
{
	/* Whole accesses to one port are all that this device has; others read ones. */
	if (request->type != IOREQ_TYPE_PIO || request->data_is_ptr || request->size != 4)
		request->data = ~0UL;
	else if (request->dir == IOREQ_READ)
		request->data = port_read(request->addr);
	else
		port_write(request->addr, request->data);
}

/*
 * The state of the slot says whose it is: it is read before the rest, and written
 * after it.
 */
static bool take_request(const ioreq_t *slot, ioreq_t *request)
{
	if (slot->state != STATE_IOREQ_READY)
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	*request = *slot;
	return true;
}

static void answer_request(ioreq_t *slot, const ioreq_t *request)
{
	slot->data = request->data;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	slot->state = STATE_IORESP_READY;
}

/*
 * The bell does not ring when the guest is gone. Something that changes nothing is asked
 * of Xen then, and the answer is that there is no such domain.
 */
static bool guest_is_there(void)
{
	return !xendevicemodel_get_ioreq_server_info(xdm, domid, server, NULL, NULL, NULL);
}

/* Return: false if there is nobody any more who could ring. */
static bool wait_for_bell(void)
{
	struct pollfd bell = { .fd = xenevtchn_fd(xec), .events = POLLIN };
	int n;

	while (!(n = poll(&bell, 1, SILENCE)))
		if (!guest_is_there())
			return false;
	check(n > 0, "poll");
	return true;
}

static void serve(evtchn_port_t bell)
{
	ioreq_t *slot = &requests->vcpu_ioreq[VCPU], request;

	while (!done && wait_for_bell()) {
		xenevtchn_port_or_error_t rang = xenevtchn_pending(xec);

		check(rang >= 0, "xenevtchn_pending");
		check(!xenevtchn_unmask(xec, rang), "xenevtchn_unmask");
		if (!take_request(slot, &request))
			continue;
		handle(&request);
		answer_request(slot, &request);
		check(!xenevtchn_notify(xec, bell), "xenevtchn_notify");
	}
}

int main(int argc, char **argv)
{
	bool by_eventfd = argc == 3 && !strcmp(argv[1], "--irqfd");
	evtchn_port_t bell;

	domid = argc == 2 || by_eventfd ? atoi(argv[argc - 1]) : 0;
	if (!domid) {
		fprintf(stderr, "usage: port_device [--irqfd] DOMID\n");
		return 2;
	}
	/* Whoever reads this wants to know how far it got. */
	setvbuf(stdout, NULL, _IOLBF, 0);

	open_libraries();
	if (by_eventfd)
		interrupt_by_eventfd();
	restrict_libraries();
	give_up_privileges();
	create_server();
	enable_server();
	bell = connect_bell();
	printf("serving domain %d as process %d\n", domid, getpid());
	serve(bell);
	if (!done) {
		printf("domain %d is gone\n", domid);
		return 3;
	}

	printf("texts %u results %#x\n", texts, results);
	check(!xendevicemodel_shutdown(xdm, domid, SHUTDOWN_poweroff), "shutdown");
	return results == RESULT_ALL ? 0 : 1;
}
