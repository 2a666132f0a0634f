/* SPDX-License-Identifier: GPL-2.0 */
/*
 * event.h - the eventfds tied to an open file
 */
#ifndef DMOP_EVENT_H
#define DMOP_EVENT_H

#include <linux/atomic.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/kconfig.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

struct dmop_file;

/*
 * On PREEMPT_RT a thread can be preempted while it holds the lock of an eventfd's wait queue. The
 * last close of the file, which may be work of the kernel, would wait for a starved signaller.
 */
#define DMOP_HAS_IRQFD	(!IS_ENABLED(CONFIG_PREEMPT_RT))

/*
 * The events of an open file. They need no revocation: each one checks the record and the
 * rights of the file when it happens.
 *
 * @lock:   protects the next two; taken by IRQFD only, so a caller that is starved while it
 *          holds the lock delays nobody but the callers of IRQFD on the same file
 * @irqs:   struct dmop_irq
 * @irqfds: number of them
 * @issued, @failed: see struct dmop_info
 */
struct dmop_events {
	struct mutex lock;
	struct list_head irqs;
	unsigned int irqfds;
	atomic64_t issued;
	atomic64_t failed;
};

/*
 * An operation that an eventfd issues.
 *
 * @link:    in dmop_events.irqs
 * @file:    the open file. It is bound, and ends after this.
 * @eventfd: with a reference
 * @queue:   its wait queue
 * @wait:    in @queue
 * @closed:  every descriptor of the eventfd is closed
 * @size, @op: buffer 0 of the operation
 */
struct dmop_irq {
	struct list_head link;
	struct dmop_file *file;
	struct eventfd_ctx *eventfd;
	wait_queue_head_t *queue;
	wait_queue_entry_t wait;
	bool closed;
	u32 size;
	u8 op[];
};

/**
 * dmop_events_init() - no events
 * @events: of a new file
 */
void dmop_events_init(struct dmop_events *events);

/**
 * dmop_events_end() - end all events
 * @events: of a file that no call can reach any more
 *
 * When it returns, no operation of an event is in progress, and none will begin.
 *
 * Context: process context.
 */
void dmop_events_end(struct dmop_events *events);

/**
 * dmop_irqfd_assign() - let an eventfd issue an operation
 * @f:    a bound file
 * @filp: the eventfd
 * @irq:  allocated by kmalloc(); its @eventfd, @size and @op are set. The file owns it on success.
 *
 * Context: process context; waits, killably, for another IRQFD on the file.
 *
 * Return: 0; or
 *  -EBUSY the file has an irqfd with this eventfd
 *  -E2BIG the file has %DMOP_IRQFDS_MAX irqfds
 *  -ESRCH the file is revoked
 *  -EINTR the caller is being killed
 */
int dmop_irqfd_assign(struct dmop_file *f, struct file *filp, struct dmop_irq *irq);

/**
 * dmop_irqfd_deassign() - end the irqfd of an eventfd, if there is one
 * @f:       the file
 * @eventfd: the eventfd
 *
 * Context: as dmop_irqfd_assign()
 *
 * Return: 0; or -EINTR: the caller is being killed.
 */
int dmop_irqfd_deassign(struct dmop_file *f, struct eventfd_ctx *eventfd);

#endif /* DMOP_EVENT_H */
