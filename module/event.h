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
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct dmop_file;
struct dmop_kick_entry;
struct dmop_kick_table;
struct dmop_record;

/*
 * On PREEMPT_RT a thread can be preempted while it holds the lock of an eventfd's wait queue. The
 * last close of the file, which may be work of the kernel, would wait for a starved signaller.
 */
#define DMOP_HAS_EVENTS	(!IS_ENABLED(CONFIG_PREEMPT_RT))

#define DMOP_HAS_IOEVENTFD	(DMOP_HAS_EVENTS && HAVE_SHARED_CHANNELS)

/*
 * The events of an open file. They need no revocation to stop: each one checks the record and
 * the rights of the file when it happens.
 *
 * @lock:   protects the next five; taken by IRQFD, IOEVENTFD, SERVE, ANSWER and KICK only, so a
 *          caller that is starved while it holds the lock delays nobody but such callers on the
 *          same file
 * @irqs:   struct dmop_irq
 * @irqfds: number of them
 * @servers: struct dmop_server
 * @nr_servers: number of them
 * @kicks:  the kicks, or NULL; read by interrupts
 * @issued, @failed, @kicked, @rest: see struct dmop_info
 */
struct dmop_events {
	struct mutex lock;
	struct list_head irqs;
	unsigned int irqfds;
	unsigned int nr_servers;
	struct list_head servers;
	struct dmop_kick_table __rcu *kicks;
	atomic64_t issued;
	atomic64_t failed;
	atomic64_t kicked;
	atomic64_t rest;
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

/**
 * dmop_irqfd_end() - end all irqfds
 * @events: of a file that no call can reach any more
 *
 * Context: process context.
 */
void dmop_irqfd_end(struct dmop_events *events);

/**
 * dmop_kick_assign() - add a kick
 * @events: of a bound file
 * @e:      the kick, with a reference to its eventfd, which the file owns on success
 *
 * Context: process context; waits, killably, for another call that changes the events.
 *
 * Return: 0; or
 *  -EEXIST a kick that collides is there
 *  -E2BIG  the file has %DMOP_KICKS_MAX kicks, or %DMOP_KICK_SHAPES_MAX pairs of mask and length
 *  -ENOMEM no memory
 *  -EINTR  the caller is being killed
 */
int dmop_kick_assign(struct dmop_events *events, const struct dmop_kick_entry *e);

/**
 * dmop_kick_deassign() - remove a kick
 * @events: of a bound file
 * @e:      the kick
 *
 * Context: as dmop_kick_assign(); then waits for an RCU grace period.
 *
 * Return: 0; or
 *  -ENOENT there is no such kick
 *  -ENOMEM no memory
 *  -EINTR  the caller is being killed
 */
int dmop_kick_deassign(struct dmop_events *events, const struct dmop_kick_entry *e);

/**
 * dmop_kick_add() - dmop_kick_assign() for a holder of the lock
 * @events: of a bound file
 * @e:      as for dmop_kick_assign()
 *
 * Context: process context; @events->lock is held.
 *
 * Return: as dmop_kick_assign()
 */
int dmop_kick_add(struct dmop_events *events, const struct dmop_kick_entry *e);

/**
 * dmop_kick_of() - find a kick by its eventfd
 * @events:  of a bound file
 * @space:   dmop_kicks_space()
 * @eventfd: the eventfd; or NULL: any
 *
 * Context: process context; @events->lock is held for as long as the result is used.
 *
 * Return: the kick, or NULL.
 */
const struct dmop_kick_entry *dmop_kick_of(struct dmop_events *events, u32 space,
					   const struct eventfd_ctx *eventfd);

/**
 * dmop_kick_unlink() - remove a kick; the first half of dmop_kick_deassign()
 * @events: of a bound file
 * @e:      the kick
 *
 * Context: process context; @events->lock is held.
 *
 * Return: what dmop_kick_drop() frees; or ERR_PTR of -ENOENT or -ENOMEM, as of dmop_kick_deassign().
 */
struct dmop_kick_table *dmop_kick_unlink(struct dmop_events *events,
					 const struct dmop_kick_entry *e);

/**
 * dmop_kick_drop() - wait until a kick that was removed is out of use; the second half
 * @old:     of dmop_kick_unlink()
 * @eventfd: of the kick; its reference is dropped
 *
 * Context: process context; waits for an RCU grace period.
 */
void dmop_kick_drop(struct dmop_kick_table *old, struct eventfd_ctx *eventfd);

/**
 * dmop_kick_find() - find the kick that an access matches
 * @events: of the file that serves the access
 * @space:  dmop_kicks_space()
 * @addr:   address, or port
 * @size:   bytes of the access, any number
 * @data:   what is written
 *
 * Context: any; in a read-side section of RCU, for as long as the result is used.
 *
 * Return: its eventfd, or NULL.
 */
struct eventfd_ctx *dmop_kick_find(struct dmop_events *events, u32 space, u64 addr, u32 size,
				   u64 data);

/**
 * dmop_kick_number() - count the kicks of a file
 * @events: of the file
 *
 * Context: any.
 *
 * Return: their number.
 */
unsigned int dmop_kick_number(struct dmop_events *events);

/**
 * dmop_kick_end() - end all kicks
 * @events: of a file that no call can reach any more, and that serves nothing
 *
 * Context: process context.
 */
void dmop_kick_end(struct dmop_events *events);

/**
 * dmop_ioeventfd_assign() - add a kick to an ioreq server whose event channels a process has bound
 * @f:      a bound file
 * @id:     the server
 * @vcpus:  number of virtual processors, 1 to %DMOP_SERVE_VCPUS_MAX
 * @ports:  their event channels
 * @e:      the kick, with a reference to its eventfd, which the file owns on success
 *
 * Context: as dmop_serve_begin()
 *
 * Return: 0; or
 *  -EBUSY  the server has a kick with this eventfd, or SERVE serves it; or an event channel is shared
 *          already, or cannot be
 *  -EINVAL the server is shared with other event channels
 *  -EPERM  @ports are not the event channels of the server, or no process has bound one
 *  another error of dmop_serve_begin() or dmop_kick_assign()
 */
int dmop_ioeventfd_assign(struct dmop_file *f, u32 id, unsigned int vcpus, const u32 *ports,
			  const struct dmop_kick_entry *e);

/**
 * dmop_ioeventfd_deassign() - the opposite
 * @f:       a bound file
 * @id:      the server
 * @eventfd: of the kick
 *
 * Context: as dmop_serve_begin()
 *
 * Return: 0; or
 *  -ENODEV the server has no such kick
 *  -ENOMEM no memory
 *  -EINTR  the caller is being killed
 */
int dmop_ioeventfd_deassign(struct dmop_file *f, u32 id, const struct eventfd_ctx *eventfd);

/**
 * dmop_serve_begin() - receive the requests of an ioreq server
 * @f:     a bound file
 * @id:    the server
 * @vcpus: number of virtual processors, 1 to %DMOP_SERVE_VCPUS_MAX
 * @rest:  what a request signals if it matches no kick; with a reference, which the file owns on
 *         success
 *
 * Context: process context; waits, killably, for a worker and for another call that changes the
 * events.
 *
 * Return: 0, also if the caller was killed while the worker had begun; or
 *  -EBUSY  the file serves it already
 *  -E2BIG  the file serves %DMOP_SERVERS_MAX servers, or the domain would have too many ports
 *  -ESRCH  the file is revoked
 *  -ENOMEM no memory
 *  -EINTR  the caller is being killed
 *  DMOP_NARROWED: NARROW has removed the right
 *  another errno of Xen
 */
int dmop_serve_begin(struct dmop_file *f, u32 id, unsigned int vcpus, struct eventfd_ctx *rest);

/**
 * dmop_serve_end() - end the service of an ioreq server, if it is served
 * @f:  a bound file
 * @id: the server
 *
 * Context: as dmop_serve_begin()
 *
 * Return: 0; or -EINTR: the caller is being killed.
 */
int dmop_serve_end(struct dmop_file *f, u32 id);

/**
 * dmop_serve_answer() - notify virtual processors in each server of a file
 * @f:      the file
 * @record: its record: the file is bound
 * @vcpus:  a bit for each
 *
 * Context: process context; waits, killably, for another call that changes the events.
 *
 * Return: 0; or
 *  -EINVAL no server of the file has all of the virtual processors
 *  -ESRCH  the file is revoked
 *  DMOP_NARROWED: NARROW has removed the right
 *  -EINTR  the caller is being killed
 */
int dmop_serve_answer(struct dmop_file *f, struct dmop_record *record, const u64 vcpus[2]);

/**
 * dmop_serve_close() - end the service of all ioreq servers of a file
 * @events: of a file that no call can reach any more
 *
 * When it returns, no event of them is in progress.
 *
 * Context: process context; waits for a worker.
 */
void dmop_serve_close(struct dmop_events *events);

/**
 * dmop_serve_revoke() - end the service of all ioreq servers of a domain
 * @record: a dead record of which no call is in progress
 *
 * Context: a worker.
 */
void dmop_serve_revoke(struct dmop_record *record);

/**
 * dmop_serve_work() - set up and end ioreq servers of a domain
 * @work: in the record
 *
 * Context: a worker.
 */
void dmop_serve_work(struct work_struct *work);

/**
 * dmop_serve_late() - handle the events of a domain that the interrupt has left
 * @work: in the record
 *
 * Context: a worker.
 */
void dmop_serve_late(struct work_struct *work);

/**
 * dmop_serve_init() - create the workers
 *
 * Context: module init.
 *
 * Return: 0, or -ENOMEM.
 */
int dmop_serve_init(void);

/**
 * dmop_serve_exit() - destroy the workers
 *
 * Context: module exit; no file is open.
 */
void dmop_serve_exit(void);

#endif /* DMOP_EVENT_H */
