// SPDX-License-Identifier: GPL-2.0
/*
 * virtio_console.c - a virtio backend: the console of a PVH guest
 *
 * usage: virtio_console DOMID MIB (the size of the guest's memory)
 *
 * The device has the registers of virtio over MMIO (virtio 1.x) at CONSOLE_BASE, two queues, and
 * no feature but VIRTIO_F_VERSION_1. The text that the guest transmits goes to standard output
 * unchanged. The guest receives nothing.
 *
 * A descriptor of /dev/xen/dmop connects the guest with three eventfds:
 *
 *   KICK    a write to QueueNotify is completed by the kernel, and signals @kicked
 *   SERVE   every other access to a register waits for an answer, and signals @rest
 *   IRQFD   a write of this program to @interrupt interrupts the guest
 *
 * The guest is hostile, and can change its memory at any time. Each value is read once, into a
 * variable, and checked there.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/virtio_console.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Xen's interface is split in two: this asks for the toolstack's half as well. */
#define __XEN_TOOLS__ 1
#include <xendevicemodel.h>
#include <xenforeignmemory.h>
#include <xentoolcore.h>
#include <xen/dmop.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

#include "virtio_console.h"

#define NOBODY		65534
#define PAGE_BYTES	4096UL
#define FRAMES_MAX	(1UL << 20)

#define MAGIC		0x74726976	/* "virt" */
#define QUEUE_MAX	64		/* descriptors; a power of two */
#define CHAIN_BYTES_MAX	(1 << 20)	/* a limit of this device, not of virtio */

#define FEATURES_1	(1U << (VIRTIO_F_VERSION_1 - 32))	/* second word of the features */
#define WORKS		(VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

struct queue {
	uint32_t num;
	union {
		uint32_t half[12];	/* registers, from QueueDescLow on */
		uint64_t address[6];	/* 0: descriptors, 2: driver's ring, 4: device's ring */
	};
	bool ready;
	/* Of a ready queue: these three, and the next index of both rings */
	const volatile struct vring_desc *desc;
	const volatile struct vring_avail *avail;
	volatile struct vring_used *used;
	uint16_t done;
};

enum { RECEIVE, TRANSMIT, QUEUES };
static struct {
	uint32_t status, interrupt_status, features_sel, driver_sel, queue_sel, driver_features[2];
	struct queue queues[QUEUES];
} device;

static xendevicemodel_handle *xdm;
static xenforeignmemory_handle *xfm;
static shared_iopage_t *requests;
static domid_t domid;
static unsigned int vcpus;
static int dmop, kicked, rest, interrupt;

static void check(bool good, const char *what)
{
	if (!good)
		err(1, "%s", what);
}

/* --- the guest's memory ------------------------------------------------ */

static char *memory;
static uint64_t memory_bytes;
static int no_frame[FRAMES_MAX];

/* Maps all of it. A frame that does not exist has an error in @no_frame. */
static void map_memory(uint64_t frames)
{
	static xen_pfn_t gfns[FRAMES_MAX];

	for (uint64_t i = 0; i < frames; i++)
		gfns[i] = i;
	memory = xenforeignmemory_map(xfm, domid, PROT_READ | PROT_WRITE, frames, gfns, no_frame);
	check(memory, "the guest's memory");
	memory_bytes = frames * PAGE_BYTES;
}

/* Return: NULL if not all of these bytes are memory, or if they are not aligned. */
static void *guest(uint64_t address, uint64_t bytes, uint64_t align)
{
	if (address % align || address >= memory_bytes || bytes > memory_bytes - address)
		return NULL;
	for (uint64_t i = address / PAGE_BYTES; i * PAGE_BYTES < address + bytes; i++)
		if (no_frame[i])
			return NULL;
	return memory + address;
}

/* The mapping ends with the guest, which can be before poll() reports it. */
static void guest_is_gone(int signal)
{
	_exit(signal != SIGBUS);
}

/* --- the queues -------------------------------------------------------- */

static void interrupt_guest(uint32_t why)
{
	const uint64_t one = 1;

	device.interrupt_status |= why;
	check(write(interrupt, &one, sizeof(one)) == sizeof(one), "the eventfd of the interrupt");
}

/* The driver has broken a rule. Nothing is transmitted until it has reset the device. */
static void need_reset(void)
{
	device.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (device.status & VIRTIO_CONFIG_S_DRIVER_OK)
		interrupt_guest(VIRTIO_MMIO_INT_CONFIG);
}

static void start_queue(struct queue *q)
{
	q->desc = guest(q->address[0], 16UL * q->num, 16);
	q->avail = guest(q->address[2], 4 + 2UL * q->num, 2);
	q->used = guest(q->address[4], 4 + 8UL * q->num, 4);
	q->done = 0;
	q->ready = q->desc && q->avail && q->used &&
		   q->num && q->num <= QUEUE_MAX && !(q->num & (q->num - 1));
	if (!q->ready)
		need_reset();
}

/* Return: false if the chain that begins with descriptor @i is a bad one. */
static bool print_chain(const struct queue *q, uint32_t i)
{
	uint32_t left = CHAIN_BYTES_MAX, bytes, n = 0;
	const char *text;
	uint16_t flags;

	do {
		/* A chain with more descriptors than the queue has is a loop. */
		if (i >= q->num || n++ == q->num)
			return false;
		bytes = q->desc[i].len;
		text = guest(q->desc[i].addr, bytes, 1);
		flags = q->desc[i].flags;
		i = q->desc[i].next;
		if (!text || bytes > left || flags & (VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT))
			return false;
		/* EFAULT: the mapping has ended, and poll() is about to report that. */
		check(fwrite(text, 1, bytes, stdout) == bytes || errno == EFAULT, "stdout");
		left -= bytes;
	} while (flags & VRING_DESC_F_NEXT);
	return true;
}

/* Transmits one chain. Return: whether there may be another one. */
static bool transmit(struct queue *q)
{
	uint16_t head, waiting;

	if ((device.status & (WORKS | VIRTIO_CONFIG_S_NEEDS_RESET)) != WORKS || !q->ready)
		return false;
	waiting = q->avail->idx - q->done;
	if (!waiting)
		return false;
	/* The driver wrote the chain, then the index. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	head = q->avail->ring[q->done % q->num];
	if (waiting > q->num || !print_chain(q, head)) {
		need_reset();
		return false;
	}
	check(!fflush(stdout), "stdout");
	q->used->ring[q->done % q->num].id = head;
	q->used->ring[q->done % q->num].len = 0;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	q->used->idx = ++q->done;
	/* The driver writes its flags, then reads the index: one side sees the other's write. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(q->avail->flags & VRING_AVAIL_F_NO_INTERRUPT))
		interrupt_guest(VIRTIO_MMIO_INT_VRING);
	return true;
}

/* --- the registers ----------------------------------------------------- */

static uint32_t read_register(uint32_t reg)
{
	const struct queue *q = device.queue_sel < QUEUES ? &device.queues[device.queue_sel] : NULL;
	const uint32_t values[VIRTIO_MMIO_CONFIG / 4] = {
		[VIRTIO_MMIO_MAGIC_VALUE / 4] = MAGIC,
		[VIRTIO_MMIO_VERSION / 4] = 2,
		[VIRTIO_MMIO_DEVICE_ID / 4] = VIRTIO_ID_CONSOLE,
		[VIRTIO_MMIO_DEVICE_FEATURES / 4] = device.features_sel == 1 ? FEATURES_1 : 0,
		[VIRTIO_MMIO_QUEUE_NUM_MAX / 4] = q ? QUEUE_MAX : 0,
		[VIRTIO_MMIO_QUEUE_READY / 4] = q && q->ready,
		[VIRTIO_MMIO_INTERRUPT_STATUS / 4] = device.interrupt_status,
		[VIRTIO_MMIO_STATUS / 4] = device.status,
		/* There is no shared memory. */
		[VIRTIO_MMIO_SHM_LEN_LOW / 4 ... VIRTIO_MMIO_SHM_BASE_HIGH / 4] = ~0U,
	};

	return values[reg / 4];
}

static void write_status(uint32_t value)
{
	if (!value)
		memset(&device, 0, sizeof(device));
	if (device.driver_features[0] || device.driver_features[1] != FEATURES_1)
		value &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	device.status |= value & ~VIRTIO_CONFIG_S_NEEDS_RESET;
}

static void write_queue_register(struct queue *q, uint32_t reg, uint32_t value)
{
	if (reg == VIRTIO_MMIO_QUEUE_READY && !value)
		q->ready = false;
	else if (q->ready)
		return;		/* It keeps its size and its addresses. */
	else if (reg == VIRTIO_MMIO_QUEUE_READY)
		start_queue(q);
	else if (reg == VIRTIO_MMIO_QUEUE_NUM)
		q->num = value;
	else if (reg >= VIRTIO_MMIO_QUEUE_DESC_LOW && reg <= VIRTIO_MMIO_QUEUE_USED_HIGH)
		q->half[(reg - VIRTIO_MMIO_QUEUE_DESC_LOW) / 4] = value;
}

static void write_register(uint32_t reg, uint32_t value)
{
	if (reg == VIRTIO_MMIO_STATUS)
		write_status(value);
	else if (reg == VIRTIO_MMIO_INTERRUPT_ACK)
		device.interrupt_status &= ~value;
	else if (reg == VIRTIO_MMIO_DEVICE_FEATURES_SEL)
		device.features_sel = value;
	else if (reg == VIRTIO_MMIO_DRIVER_FEATURES_SEL)
		device.driver_sel = value;
	else if (reg == VIRTIO_MMIO_DRIVER_FEATURES && device.driver_sel < 2)
		device.driver_features[device.driver_sel] = value;
	else if (reg == VIRTIO_MMIO_QUEUE_SEL)
		device.queue_sel = value;
	else if (device.queue_sel < QUEUES)
		write_queue_register(&device.queues[device.queue_sel], reg, value);
}

/* @request is a copy. */
static void handle(ioreq_t *request)
{
	const uint64_t reg = request->addr - CONSOLE_BASE;

	if (request->type != IOREQ_TYPE_COPY || request->data_is_ptr)
		request->data = ~0UL;
	else if (reg >= VIRTIO_MMIO_CONFIG)
		request->data = 0;	/* Without features, no field has a meaning. */
	else if (request->size != 4 || reg % 4)
		request->data = ~0UL;
	else if (request->dir == IOREQ_READ)
		request->data = read_register(reg);
	else
		write_register(reg, request->data);
}

/* --- the device model -------------------------------------------------- */

static void answer_requests(void)
{
	struct dmop_answer answer = { .size = sizeof(answer) };

	for (unsigned int i = 0; i < vcpus; i++) {
		ioreq_t *slot = &requests->vcpu_ioreq[i], request;

		/* In another state, the slot is the kernel's. */
		if (slot->state != STATE_IOREQ_INPROCESS)
			continue;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		request = *slot;
		handle(&request);
		slot->data = request.data;
		__atomic_thread_fence(__ATOMIC_RELEASE);
		slot->state = STATE_IORESP_READY;
		answer.vcpus[i / 64] |= 1ULL << i % 64;
	}
	check(!ioctl(dmop, DMOP_IOCTL_ANSWER, &answer) || errno == ESRCH, "ANSWER");
}

/* Returns when the guest is gone. */
static void serve(void)
{
	struct pollfd fds[] = { { .fd = dmop }, { rest, POLLIN, 0 }, { kicked, POLLIN, 0 } };
	bool more = false;
	uint64_t n;

	for (;;) {
		check(poll(fds, 3, more ? 0 : -1) >= 0, "poll");
		if (fds[0].revents)
			return;
		if (read(rest, &n, sizeof(n)) > 0)
			answer_requests();
		if (read(kicked, &n, sizeof(n)) > 0 || more)
			more = transmit(&device.queues[TRANSMIT]);
	}
}

/* Needs root, for the last time */
static void open_and_restrict(void)
{
	/* A message to the local APIC of the first virtual processor */
	struct xen_dm_op op = {
		.op = XEN_DMOP_inject_msi,
		.u.inject_msi = { .addr = 0xfee00000, .data = CONSOLE_VECTOR },
	};
	struct dmop_irqfd irqfd = { .dm_op = &op, .size = sizeof(op), .dom = domid };

	xdm = xendevicemodel_open(NULL, 0);
	xfm = xenforeignmemory_open(NULL, 0);
	check(xdm && xfm, "Xen's libraries (dmop-run starts this program)");
	dmop = open("/dev/xen/dmop", O_RDWR | O_CLOEXEC);
	check(dmop >= 0 && !ioctl(dmop, DMOP_IOCTL_RESTRICT, &domid), "/dev/xen/dmop");
	kicked = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rest = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	interrupt = irqfd.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	check(kicked >= 0 && rest >= 0 && interrupt >= 0, "eventfd");
	check(!ioctl(dmop, DMOP_IOCTL_IRQFD, &irqfd), "IRQFD");
	check(!xentoolcore_restrict_all(domid), "xentoolcore_restrict_all");
	check(!setgroups(0, NULL), "setgroups");
	check(!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY), "nobody");
}

static void create_server(void)
{
	struct dmop_kick kick = {
		.size = sizeof(kick), .flags = DMOP_KICK_DATAMATCH, .domid = domid, .fd = kicked,
		.addr = CONSOLE_BASE + VIRTIO_MMIO_QUEUE_NOTIFY, .len = 4, .datamatch = TRANSMIT,
		.mask = UINT32_MAX,
	};
	struct dmop_serve serve = { .size = sizeof(serve), .domid = domid, .rest_fd = rest };
	void *page = NULL;
	ioservid_t id;

	check(!xendevicemodel_nr_vcpus(xdm, domid, &vcpus), "nr_vcpus");
	check(!xendevicemodel_create_ioreq_server(xdm, domid, HVM_IOREQSRV_BUFIOREQ_OFF, &id),
	      "the ioreq server");
	check(xenforeignmemory_map_resource(xfm, domid, XENMEM_resource_ioreq_server, id,
					    XENMEM_resource_ioreq_server_frame_ioreq(0), 1, &page,
					    PROT_READ | PROT_WRITE, 0), "the page of requests");
	requests = page;
	check(!xendevicemodel_map_io_range_to_ioreq_server(xdm, domid, id, 1, CONSOLE_BASE,
							   CONSOLE_LAST), "the registers");
	check(!xendevicemodel_set_ioreq_server_state(xdm, domid, id, 1), "enabling the server");
	kick.server = serve.server = id;
	serve.vcpus = vcpus;
	check(!ioctl(dmop, DMOP_IOCTL_KICK, &kick), "KICK");
	check(!ioctl(dmop, DMOP_IOCTL_SERVE, &serve), "SERVE");
}

int main(int argc, char **argv)
{
	uint64_t frames = argc == 3 ? atoi(argv[2]) * ((1 << 20) / PAGE_BYTES) : 0;

	domid = argc == 3 ? atoi(argv[1]) : 0;
	if (!domid || !frames || frames > FRAMES_MAX)
		errx(2, "usage: virtio_console DOMID MIB");
	signal(SIGBUS, guest_is_gone);
	open_and_restrict();
	map_memory(frames);
	create_server();
	fprintf(stderr, "serving domain %d as process %d\n", domid, getpid());
	serve();
	return 0;
}
