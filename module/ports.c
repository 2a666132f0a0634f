// SPDX-License-Identifier: GPL-2.0
/*
 * ports.c - the event channels of an ioreq server
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/llist.h>
#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/clock.h>
#include <linux/time64.h>
#include <linux/workqueue.h>
#include <xen/events.h>
#include <xen/interface/xen.h>
#include <xen/interface/memory.h>
#include <xen/page.h>

#include <xen/dmop.h>

#include "event.h"
#include "file.h"
#include "frame.h"
#include "hypercall.h"
#include "kicks.h"
#include "rights.h"
#include "serve.h"

/* struct ioreq of Xen's public/hvm/ioreq.h, a stable interface: one for each virtual processor. */
struct ioreq {
	u64 addr;
	u64 data;
	u32 count;
	u32 size;
	u32 vp_eport;
	u16 pad;
	u8 state;
	u8 type;
};

/* ioreq.state, a bit field. It only goes up: Xen crashes a guest whose request goes back. */
#define STATE_MASK	0xf
#define STATE_READY	1
#define STATE_INPROCESS	2
#define STATE_ANSWERED	3
#define DATA_IS_PTR	0x10
#define DIR_READ	0x20

/* ioreq.type */
#define TYPE_PIO	0
#define TYPE_COPY	1

static_assert(sizeof(struct ioreq) * DMOP_SERVE_VCPUS_MAX == XEN_PAGE_SIZE);

/* In the long run the interrupts of a domain take 1/SHARE of a processor; BURST is in ns. */
#define SHARE	4
#define BURST	(10 * NSEC_PER_MSEC)

/* Return: false if the state has changed since it was read. */
static bool take(struct ioreq *req, u8 state, u8 to)
{
	/* Pairs with the barriers of Xen and of the device model, after they have read it. */
	return cmpxchg(&req->state, state, (state & ~STATE_MASK) | to) == state;
}

static bool is_shared(const struct dmop_port *port)
{
	return !port->server->rest;
}

/* The eventfd of the kick that the request matches, or NULL. */
static struct eventfd_ctx *kick_of(struct dmop_server *server, const struct ioreq *req, u8 state)
{
	u8 type = READ_ONCE(req->type);

	if (state & (DATA_IS_PTR | DIR_READ) || READ_ONCE(req->count) != 1 ||
	    (type != TYPE_PIO && type != TYPE_COPY))
		return NULL;
	return dmop_kick_find(&server->file->events,
			      dmop_kicks_space(server->id, type == TYPE_PIO),
			      READ_ONCE(req->addr), READ_ONCE(req->size), READ_ONCE(req->data));
}

/*
 * Everything in the page can change at any time: the device model has it mapped. Each member
 * is read once, and none is used as a pointer, an index or a length.
 *
 * A request in state READY belongs to the one that takes it: the kernel, or a process that shares the
 * event channel. If the process completes it between the first read and the exchange of the state,
 * another one can be there, so no interrupt makes that longer. Whoever is signalled finds the new
 * state.
 *
 * Return: true if the kernel has taken a request.
 */
static bool receive(struct dmop_port *port)
{
	struct dmop_server *server = port->server;
	struct dmop_events *events = &server->file->events;
	struct ioreq *req = dmop_frame_address(server->frame);
	struct eventfd_ctx *kick = NULL;
	unsigned long flags;
	bool taken = false;
	u8 state;

	req += port - server->ports;
	rcu_read_lock();
	local_irq_save(flags);
	/* Pairs with the barrier of Xen after it has written the rest. */
	state = smp_load_acquire(&req->state);
	if ((state & STATE_MASK) == STATE_READY) {
		kick = kick_of(server, req, state);
		if (kick)
			taken = take(req, state, STATE_ANSWERED);
		else if (server->rest)
			taken = take(req, state, STATE_INPROCESS);
	}
	local_irq_restore(flags);
	if (taken && kick) {
		atomic64_inc(&events->kicked);
		signal_eventfd(kick);
		dmop_hypercall_notify(port->local);
	} else if (taken) {
		atomic64_inc(&events->rest);
		signal_eventfd(server->rest);
	}
	rcu_read_unlock();
	return taken;
}

/* An event without a request is no reason for the next one: the kernel slows these down. */
static void handle(struct dmop_port *port, struct dmop_record *record)
{
	struct dmop_file *f = port->server->file;
	bool good = false;
	int token;

	if (!dmop_record_enter(record, &token)) {
		if (dmop_rights_has(&f->rights, DMOP_RIGHT_EVENT))
			good = receive(port);
		dmop_record_leave(record, token);
	}
	/* A process is notified too, and decides when the next event may come. */
	if (is_shared(port))
		return;
	/* The kernel expects this in an interrupt, or like one. */
	preempt_disable();
	xen_irq_lateeoi(port->irq, good ? 0 : XEN_EOI_FLAG_SPURIOUS);
	preempt_enable();
}

/*
 * One thread at most for a domain: nothing limits what its events take. An event that comes from
 * now on queues its port again, for this one may be past the request.
 */
void dmop_serve_late(struct work_struct *work)
{
	struct dmop_record *record = container_of(work, struct dmop_record, serving.late_work);
	struct dmop_port *port, *next;

	llist_for_each_entry_safe(port, next, llist_del_all(&record->serving.late), late) {
		xchg(&port->queued, false);
		if (!READ_ONCE(port->closing))
			handle(port, record);
		cond_resched();
	}
}

/* Other processors may do the same at once: then an interrupt counts for nothing. */
static void account(struct dmop_record_serving *serving, u64 begin, u64 end)
{
	u64 from = max(READ_ONCE(serving->paid_until), begin);

	WRITE_ONCE(serving->paid_until, from + SHARE * (end - begin));
}

/*
 * The interrupt takes no lock but that of an eventfd. Yet a process can make the signal of an
 * eventfd long, by waiting for it in a million ways, and a domain can send events in a loop; and
 * interrupts are charged to nobody. So they get a share of the time. Beyond it a worker handles the
 * events, which is scheduled like every thread. The next event of a port comes when its last one was
 * handled; where the kernel moves the port to another processor, it may come before this returns. A
 * process that shares the port decides when it comes.
 */
static irqreturn_t event(int irq, void *data)
{
	struct dmop_port *port = data;
	struct dmop_record *record = dmop_file_record(port->server->file);
	u64 begin = local_clock();

	/* It may come before bind_port() has the number. */
	WRITE_ONCE(port->irq, irq);
	if (READ_ONCE(port->closing))
		return IRQ_HANDLED;
	if (READ_ONCE(record->serving.paid_until) > begin + BURST) {
		if (!xchg(&port->queued, true))
			llist_add(&port->late, &record->serving.late);
		queue_work(port->server->late_queue, &record->serving.late_work);
	} else {
		handle(port, record);
	}
	account(&record->serving, begin, local_clock());
	return IRQ_HANDLED;
}

static int bind_own(struct dmop_port *port, domid_t domid, evtchn_port_t remote)
{
	int irq, err = dmop_hypercall_bind_port(domid, remote, &port->local);

	if (err)
		return err;
	irq = bind_evtchn_to_irqhandler_lateeoi(port->local, event, IRQF_NO_THREAD,
						port->server->name, port);
	if (irq < 0)
		dmop_hypercall_close_port(port->local, domid, remote);
	return irq;
}

/*
 * Only the ports of processes have references to take. This one keeps the port open, and is dropped
 * with the handler.
 */
static int bind_shared(struct dmop_port *port, domid_t domid, evtchn_port_t remote)
{
	int irq, err = -EPERM;

	if (evtchn_get(port->local))
		return -EPERM;
	if (dmop_hypercall_is_bound(port->local, domid, remote)) {
		irq = irq_from_evtchn(port->local);
		err = request_irq(irq, event, IRQF_SHARED | IRQF_PROBE_SHARED, port->server->name,
				  port);
	}
	if (!err)
		return irq;
	evtchn_put(port->local);
	return err;
}

static int bind_port(struct dmop_port *port, domid_t domid, evtchn_port_t remote)
{
	int irq = is_shared(port) ? bind_shared(port, domid, remote) :
				    bind_own(port, domid, remote);

	if (irq < 0)
		return irq;
	WRITE_ONCE(port->irq, irq);
	port->bound = true;
	return 0;
}

void dmop_ports_stop(struct dmop_server *server)
{
	unsigned int i;

	for (i = 0; i < server->vcpus; i++)
		WRITE_ONCE(server->ports[i].closing, true);
}

/*
 * The interrupt queues the work, and the work uses the interrupt. Interrupts after
 * synchronize_irq() find the port closing.
 */
void dmop_ports_close(struct dmop_server *server)
{
	struct dmop_port *port = server->ports, *end = port + server->vcpus;

	dmop_ports_stop(server);
	for (; port < end && port->bound; port++)
		synchronize_irq(port->irq);
	flush_work(&server->file->record->serving.late_work);
	for (port = server->ports; port < end && port->bound; port++)
		unbind_from_irqhandler(port->irq, port);
	dmop_frame_unmap(server->frame);
}

int dmop_ports_open(struct dmop_server *server, domid_t domid)
{
	const struct dmop_frame_name name = {
		.type = XENMEM_resource_ioreq_server,
		.id = server->id,
		.index = XENMEM_resource_ioreq_server_frame_ioreq(0),
		.writable = true,
	};
	const struct ioreq *req;
	unsigned int i;
	int err = 0;

	server->frame = dmop_frame_map(domid, &name);
	if (IS_ERR(server->frame))
		return PTR_ERR(server->frame);
	snprintf(server->name, sizeof(server->name), "dmop-%u", domid);
	req = dmop_frame_address(server->frame);
	for (i = 0; !err && i < server->vcpus; i++) {
		server->ports[i].server = server;
		err = bind_port(&server->ports[i], domid, READ_ONCE(req[i].vp_eport));
	}
	if (err)
		dmop_ports_close(server);
	return err;
}
