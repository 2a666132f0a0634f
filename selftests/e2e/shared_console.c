// SPDX-License-Identifier: GPL-2.0
/*
 * shared_console.c - the example of a virtio backend, with IOEVENTFD in the place of SERVE and KICK
 *
 * usage: shared_console DOMID MIB
 *
 * As a backend that has it from the stock driver: the event channels are this process's, and the
 * kernel receives their events beside it. In the end it says who has taken how many notifications.
 * Without IOEVENTFD in this kernel, it says so and takes them all.
 */
#define main	example_main
#include "../example/virtio_console.c"
#undef main

#include <xenevtchn.h>

static xenevtchn_handle *xec;
static evtchn_port_t ports[128];
static unsigned long taken_here;

/* Another open file would do for the libraries; IOEVENTFD wants the page of its own. */
static void map_requests(ioservid_t id)
{
	struct dmop_mmap_resource r = {
		.dom = domid, .type = XENMEM_resource_ioreq_server, .id = id,
		.idx = XENMEM_resource_ioreq_server_frame_ioreq(0), .num = 1,
	};

	requests = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, dmop, 0);
	r.addr = (unsigned long)requests;
	check(!ioctl(dmop, DMOP_IOCTL_MMAP_RESOURCE, &r), "the page of requests");
}

static void create_shared_server(void)
{
	struct dmop_ioeventfd a = {
		.ports = ports, .addr = CONSOLE_BASE, .addr_len = 4, .event_fd = kicked,
		.vq = TRANSMIT, .dom = domid,
	};
	ioservid_t id;

	check(!xendevicemodel_nr_vcpus(xdm, domid, &vcpus), "nr_vcpus");
	check(!xendevicemodel_create_ioreq_server(xdm, domid, HVM_IOREQSRV_BUFIOREQ_OFF, &id),
	      "the ioreq server");
	map_requests(id);
	check(!xendevicemodel_map_io_range_to_ioreq_server(xdm, domid, id, 1, CONSOLE_BASE,
							   CONSOLE_LAST), "the registers");
	check(!xendevicemodel_set_ioreq_server_state(xdm, domid, id, 1), "enabling the server");
	for (unsigned int i = 0; i < vcpus; i++) {
		int port = xenevtchn_bind_interdomain(xec, domid, requests->vcpu_ioreq[i].vp_eport);

		check(port > 0, "an event channel");
		ports[i] = port;
	}
	a.ioreq = requests;
	a.vcpus = vcpus;
	check(!ioctl(dmop, DMOP_IOCTL_IOEVENTFD, &a) || errno == EOPNOTSUPP, "IOEVENTFD");
}

/* The byte that holds the state is the last but one of a slot. The kernel exchanges it as well. */
static bool take(ioreq_t *slot)
{
	uint8_t *state = (uint8_t *)slot + sizeof(*slot) - 2, old = __atomic_load_n(state, __ATOMIC_ACQUIRE);

	return (old & 0xf) == STATE_IOREQ_READY &&
	       __atomic_compare_exchange_n(state, &old, (old & 0xf0) | STATE_IOREQ_INPROCESS, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static bool is_notification(const ioreq_t *request)
{
	return request->addr == CONSOLE_BASE + VIRTIO_MMIO_QUEUE_NOTIFY &&
	       request->dir == IOREQ_WRITE && request->data == TRANSMIT;
}

/* Return: true if the guest notifies the queue, and the kernel has left that to this process. */
static bool take_requests(void)
{
	bool notified = false;
	int port = xenevtchn_pending(xec);

	check(port > 0, "pending");
	for (unsigned int i = 0; i < vcpus; i++) {
		ioreq_t *slot = &requests->vcpu_ioreq[i], request;

		if ((int)ports[i] != port || !take(slot))
			continue;
		request = *slot;
		if (is_notification(&request)) {
			notified = true;
			taken_here++;
		}
		handle(&request);
		slot->data = request.data;
		__atomic_thread_fence(__ATOMIC_RELEASE);
		slot->state = STATE_IORESP_READY;
		check(!xenevtchn_notify(xec, port), "notify");
	}
	check(!xenevtchn_unmask(xec, port), "unmask");
	return notified;
}

static void serve_shared(void)
{
	struct pollfd fds[] = {
		{ .fd = dmop }, { xenevtchn_fd(xec), POLLIN, 0 }, { kicked, POLLIN, 0 },
	};
	bool more = false;
	uint64_t n;

	for (;;) {
		check(poll(fds, 3, more ? 0 : -1) >= 0, "poll");
		if (fds[0].revents)
			return;
		if (fds[1].revents)
			more |= take_requests();
		if (read(kicked, &n, sizeof(n)) > 0 || more)
			more = transmit(&device.queues[TRANSMIT]);
	}
}

static void report(void)
{
	struct dmop_info info = { .size = sizeof(info) };

	check(!ioctl(dmop, DMOP_IOCTL_INFO, &info), "INFO");
	fprintf(stderr, "notifications: %llu taken by the kernel, %lu here; IOEVENTFD: %s\n",
		(unsigned long long)info.kicked, taken_here,
		info.features & DMOP_FEATURE_IOEVENTFD ? "yes" : "no");
}

int main(int argc, char **argv)
{
	uint64_t frames = argc == 3 ? atoi(argv[2]) * ((1 << 20) / PAGE_BYTES) : 0;

	domid = argc == 3 ? atoi(argv[1]) : 0;
	if (!domid || !frames || frames > FRAMES_MAX)
		errx(2, "usage: shared_console DOMID MIB");
	signal(SIGBUS, guest_is_gone);
	xec = xenevtchn_open(NULL, 0);
	check(xec, "libxenevtchn");
	open_and_restrict();
	map_memory(frames);
	create_shared_server();
	fprintf(stderr, "serving domain %d as process %d\n", domid, getpid());
	serve_shared();
	report();
	return 0;
}
