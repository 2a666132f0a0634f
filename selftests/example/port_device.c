// SPDX-License-Identifier: GPL-2.0
/*
 * port_device.c - a device model, from beginning to end
 *
 * usage: port_device [--irqfd] [--serve[=KICKS]] DOMID
 *
 * --irqfd: an eventfd raises the interrupts, through a descriptor of /dev/xen/dmop.
 * --serve: the kernel receives the requests. It completes a write to DEVICE_KICK, which signals
 *          an eventfd; others signal another one. There is no event channel in this process.
 *          KICKS: number of kicks, of which the guest uses one; what do the others cost?
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
#include <sys/resource.h>
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

static bool by_irqfd, by_kernel;
static unsigned int nr_kicks = 1;

/* A descriptor of /dev/xen/dmop for these two. */
static int dmop = -1;

/* Eventfds: for the interrupt, a kick, the rest of the requests. */
static int interrupt = -1, kicked = -1, rest = -1;

/* What the device is made of. */
static uint32_t texts, kicks, ticks, results;
static bool done;

/* Times that this process slept, until the first kick, and then until the last one. */
static long slept, slept_for_kicks;

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
	if (by_kernel)
		return;
	xec = xenevtchn_open(NULL, 0);
	check(xec, "libxenevtchn");
}

/*
 * The libraries keep their descriptors to themselves, so this opens one more. It needs the
 * privilege once, to bind it. What it sets up ends with it, so it is never closed.
 */
static void open_dmop(void)
{
	dmop = open("/dev/xen/dmop", O_RDWR | O_CLOEXEC);
	check(dmop >= 0, "/dev/xen/dmop");
	check(!ioctl(dmop, DMOP_IOCTL_RESTRICT, &domid), "RESTRICT");
}

static int open_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	check(fd >= 0, "eventfd");
	return fd;
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

static void interrupt_by_eventfd(void)
{
	struct xen_dm_op op = {
		.op = XEN_DMOP_inject_msi,
		.u.inject_msi = { .addr = MESSAGE_ADDRESS, .data = DEVICE_VECTOR },
	};
	struct dmop_irqfd irqfd = { .dm_op = &op, .size = sizeof(op), .dom = domid };

	interrupt = open_eventfd();
	irqfd.fd = interrupt;
	check(!ioctl(dmop, DMOP_IOCTL_IRQFD, &irqfd), "IRQFD");
}

static void interrupt_guest(void)
{
	const uint64_t one = 1;

	if (interrupt < 0)
		check(!xendevicemodel_inject_msi(xdm, domid, MESSAGE_ADDRESS, DEVICE_VECTOR), "inject_msi");
	else
		check(write(interrupt, &one, sizeof(one)) == sizeof(one), "the eventfd");
}

/* The kernel has counted those that it completed. */
static uint32_t count_kicks(void)
{
	uint64_t n;

	if (by_kernel && read(kicked, &n, sizeof(n)) == sizeof(n))
		kicks += n;
	return kicks;
}

static long sleeps(void)
{
	struct rusage r;

	check(!getrusage(RUSAGE_SELF, &r), "getrusage");
	return r.ru_nvcsw;
}

static uint32_t port_read(uint32_t port)
{
	switch (port) {
	case DEVICE_KICK:
		slept_for_kicks = sleeps() - slept;
		return count_kicks();
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
	case DEVICE_KICK:
		/* The guest begins with one of another value. */
		if (value == DEVICE_KICK_VALUE)
			kicks++;
		else
			slept = sleeps();
		break;
	case DEVICE_TICKS:
		ticks = value;
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
	/* One that is ready is the kernel's, if the kernel receives them. */
	if (slot->state != (by_kernel ? STATE_IOREQ_INPROCESS : STATE_IOREQ_READY))
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

static bool serve_request(ioreq_t *slot)
{
	ioreq_t request;

	if (!take_request(slot, &request))
		return false;
	handle(&request);
	answer_request(slot, &request);
	return true;
}

static void serve(evtchn_port_t bell)
{
	ioreq_t *slot = &requests->vcpu_ioreq[VCPU];

	while (!done && wait_for_bell()) {
		xenevtchn_port_or_error_t rang = xenevtchn_pending(xec);

		check(rang >= 0, "xenevtchn_pending");
		check(!xenevtchn_unmask(xec, rang), "xenevtchn_unmask");
		if (serve_request(slot))
			check(!xenevtchn_notify(xec, bell), "xenevtchn_notify");
	}
}

/* --- 6. the same with the kernel's help -------------------------------- */

static void begin_by_kernel(void)
{
	struct dmop_kick kick = {
		.size = sizeof(kick), .flags = DMOP_KICK_PIO | DMOP_KICK_DATAMATCH,
		.domid = domid, .server = server, .len = 4, .addr = DEVICE_KICK,
		.datamatch = DEVICE_KICK_VALUE, .mask = UINT32_MAX,
	};
	struct dmop_serve serve = {
		.size = sizeof(serve), .domid = domid, .server = server, .vcpus = VCPU + 1,
	};

	kicked = kick.fd = open_eventfd();
	rest = serve.rest_fd = open_eventfd();
	/* Before SERVE, so that no request misses them. */
	for (; nr_kicks; nr_kicks--, kick.datamatch++)
		check(!ioctl(dmop, DMOP_IOCTL_KICK, &kick), "KICK");
	check(!ioctl(dmop, DMOP_IOCTL_SERVE, &serve), "SERVE");
}

/* Here the end of the guest can be waited for. */
static void serve_by_kernel(void)
{
	struct dmop_answer answer = { .size = sizeof(answer), .vcpus = { 1 << VCPU } };
	struct pollfd fds[] = {
		{ .fd = rest, .events = POLLIN },
		{ .fd = dmop },
	};
	uint64_t n;

	while (!done) {
		check(poll(fds, 2, -1) > 0, "poll");
		if (fds[1].revents)
			return;
		if (read(rest, &n, sizeof(n)) == sizeof(n) && serve_request(&requests->vcpu_ioreq[VCPU]))
			check(!ioctl(dmop, DMOP_IOCTL_ANSWER, &answer) || errno == ESRCH, "ANSWER");
	}
}

int main(int argc, char **argv)
{
	evtchn_port_t bell = 0;

	for (; argc > 2; argc--, argv++) {
		if (!strcmp(argv[1], "--irqfd"))
			by_irqfd = true;
		else if (!strcmp(argv[1], "--serve"))
			by_kernel = true;
		else if (sscanf(argv[1], "--serve=%u", &nr_kicks) == 1)
			by_kernel = nr_kicks;
		else
			break;
	}
	domid = argc == 2 ? atoi(argv[1]) : 0;
	if (!domid) {
		fprintf(stderr, "usage: port_device [--irqfd] [--serve[=KICKS]] DOMID\n");
		return 2;
	}
	/* Whoever reads this wants to know how far it got. */
	setvbuf(stdout, NULL, _IOLBF, 0);

	open_libraries();
	if (by_irqfd || by_kernel)
		open_dmop();
	if (by_irqfd)
		interrupt_by_eventfd();
	restrict_libraries();
	give_up_privileges();
	create_server();
	enable_server();
	if (by_kernel)
		begin_by_kernel();
	else
		bell = connect_bell();
	printf("serving domain %d as process %d\n", domid, getpid());
	if (by_kernel)
		serve_by_kernel();
	else
		serve(bell);
	if (!done) {
		printf("domain %d is gone\n", domid);
		return 3;
	}

	printf("a kick took the guest %u ticks; this process slept %ld times for %u of them\n",
	       ticks, slept_for_kicks, kicks);
	printf("texts %u kicks %u results %#x\n", texts, kicks, results);
	check(!xendevicemodel_shutdown(xdm, domid, SHUTDOWN_poweroff), "shutdown");
	return results == RESULT_ALL ? 0 : 1;
}
