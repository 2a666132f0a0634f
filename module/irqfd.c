// SPDX-License-Identifier: GPL-2.0
/*
 * irqfd.c - eventfds whose signals issue an operation
 */
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>

#include <xen/dmop.h>

#include "event.h"
#include "file.h"
#include "hypercall.h"
#include "rights.h"
#include "trace.h"

/* The decision is made now, inside dmop_record_enter(), so it heeds death and NARROW. */
static bool may_issue(const struct dmop_file *f, const struct dmop_irq *irq)
{
	return dmop_rights_has(&f->rights, DMOP_RIGHT_EVENT) &&
	       (dmop_rights_any_op(&f->rights) ||
		dmop_rights_op(&f->rights, irq->op, irq->size));
}

/* Xen may write to the buffer, so it gets a copy. */
static void issue(struct dmop_file *f, domid_t domid, const struct dmop_irq *irq)
{
	struct xen_dm_op_buf buf = { .size = irq->size };
	u8 op[DMOP_IRQFD_OP_MAX] __aligned(8) dmop_uninitialized;
	int ret;

	memcpy(op, irq->op, irq->size);
	set_xen_guest_handle(buf.h, op);
	atomic64_inc(&f->calls);
	ret = dmop_hypercall_dm_op_atomic(domid, 1, &buf);
	atomic64_inc(&f->events.issued);
	if (ret < 0)
		atomic64_inc(&f->events.failed);
	if (trace_dmop_op_enabled())
		trace_dmop_op(domid, *(const u32 *)irq->op, 1, irq->size, 0, ret);
}

/*
 * With @irq->queue locked and interrupts off. There is no wait, and no lock is taken: -ESRCH of
 * Xen is left to the next call, or to XenStore. A signal that issues nothing leaves the counter.
 *
 * @now: the counter was just incremented. Another irqfd may have reset it already.
 */
static void signalled(const struct dmop_irq *irq, bool now)
{
	struct dmop_record *record = dmop_file_record(irq->file);
	u64 count;
	int token;

	if (dmop_record_enter(record, &token))
		return;
	if (may_issue(irq->file, irq)) {
		eventfd_ctx_do_read(irq->eventfd, &count);
		if (now || count)
			issue(irq->file, record->domid, irq);
	}
	dmop_record_leave(record, token);
}

/*
 * Called by the kernel for each signal. The end of the eventfd is only noted: its irqfd is freed
 * by the next IRQFD, or with the file. The kernel itself may still signal such an eventfd.
 */
static int wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct dmop_irq *irq = container_of(wait, struct dmop_irq, wait);
	__poll_t events = key_to_poll(key);

	if (events & EPOLLHUP)
		WRITE_ONCE(irq->closed, true);
	if (events & EPOLLIN && !irq->closed)
		signalled(irq, true);
	return 0;
}

struct queueing {
	poll_table table;
	struct dmop_irq *irq;
};

static void queue(struct file *filp, wait_queue_head_t *head, poll_table *table)
{
	struct dmop_irq *irq = container_of(table, struct queueing, table)->irq;

	irq->queue = head;
	add_wait_queue(head, &irq->wait);
}

/* A signal from before has woken nobody. One that came since has reset the counter. */
static void issue_pending(struct dmop_irq *irq)
{
	spin_lock_irq(&irq->queue->lock);
	signalled(irq, false);
	spin_unlock_irq(&irq->queue->lock);
}

/* No callback is in progress once the entry is out of the queue, for that takes its lock. */
static void end(struct dmop_events *events, struct dmop_irq *irq)
{
	list_del(&irq->link);
	WRITE_ONCE(events->irqfds, events->irqfds - 1);
	remove_wait_queue(irq->queue, &irq->wait);
	eventfd_ctx_put(irq->eventfd);
	kfree(irq);
}

static struct dmop_irq *find(struct dmop_events *events, const struct eventfd_ctx *eventfd)
{
	struct dmop_irq *irq;

	list_for_each_entry(irq, &events->irqs, link)
		if (irq->eventfd == eventfd)
			return irq;
	return NULL;
}

static int assign(struct dmop_file *f, struct file *filp, struct dmop_irq *irq)
{
	struct queueing q = { .irq = irq };
	struct dmop_events *events = &f->events;
	struct dmop_irq *other, *next;

	list_for_each_entry_safe(other, next, &events->irqs, link)
		if (READ_ONCE(other->closed))
			end(events, other);
	if (find(events, irq->eventfd))
		return -EBUSY;
	if (events->irqfds >= DMOP_IRQFDS_MAX)
		return -E2BIG;
	if (dmop_file_state(f->record) == DMOP_STATE_REVOKED)
		return -ESRCH;

	irq->file = f;
	irq->closed = false;
	init_waitqueue_func_entry(&irq->wait, wake);
	init_poll_funcptr(&q.table, queue);
	list_add(&irq->link, &events->irqs);
	WRITE_ONCE(events->irqfds, events->irqfds + 1);
	if (vfs_poll(filp, &q.table) & EPOLLIN)
		issue_pending(irq);
	return 0;
}

int dmop_irqfd_assign(struct dmop_file *f, struct file *filp, struct dmop_irq *irq)
{
	int err;

	if (mutex_lock_killable(&f->events.lock))
		return -EINTR;
	err = assign(f, filp, irq);
	mutex_unlock(&f->events.lock);
	return err;
}

int dmop_irqfd_deassign(struct dmop_file *f, struct eventfd_ctx *eventfd)
{
	struct dmop_irq *irq;

	if (mutex_lock_killable(&f->events.lock))
		return -EINTR;
	irq = find(&f->events, eventfd);
	if (irq)
		end(&f->events, irq);
	mutex_unlock(&f->events.lock);
	return 0;
}

void dmop_irqfd_end(struct dmop_events *events)
{
	struct dmop_irq *irq, *next;

	list_for_each_entry_safe(irq, next, &events->irqs, link)
		end(events, irq);
}
