/* SPDX-License-Identifier: GPL-2.0 */
/*
 * record.h - the domain record
 */
#ifndef DMOP_RECORD_H
#define DMOP_RECORD_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/interface/xen.h>

/*
 * The part of a record that belongs to watch.c.
 *
 * @events:      dmop_records_events as last seen; this and the next
 *               seven are protected by dmop_records_lock
 * @checks_left: periodic checks still to make because of an event
 * @next_check:  earliest time of the next periodic check
 * @due:         to be checked in the current round
 * @requested, @completed: a check that began when @requested was n sets
 *               @completed to n
 * @unlisted:    the last check found a live domain without a directory in XenStore
 * @xen_id:      the identity in Xen as first seen, or 0
 * @vm, @unique: the identity in XenStore as first seen, or NULL; used by the
 *               round only
 */
struct dmop_record_watch {
	unsigned long events;
	unsigned int checks_left;
	unsigned long next_check;
	bool due;
	unsigned long requested;
	unsigned long completed;
	bool unlisted;
	u64 xen_id;
	char *vm;
	char *unique;
};

/*
 * The rate limit of the log lines about refusals, see observe.c. One for each
 * domain: a noisy device model suppresses no line about another domain.
 *
 * @limit:       the kernel's usual limit
 * @quiet_until: no line is due before this time, in jiffies: the limit is spent
 */
struct dmop_log_limit {
	struct ratelimit_state limit;
	unsigned long quiet_until;
};

/*
 * The waits for the calls in progress, see dmop_record_wait().
 *
 * @work:      waits for them
 * @requested: number of waits so far
 * @ended:     number of those that are over; written by @work
 * @wait:      woken when @ended changes
 */
struct dmop_record_waits {
	struct work_struct work;
	atomic_long_t requested;
	long ended;
	wait_queue_head_t wait;
};

/*
 * The part of a record that belongs to serve.c.
 *
 * @lock:    protects the next two; taken by workers only
 * @servers: the ioreq servers that are served
 * @ports:   virtual processors of them all
 * @paid_until: the time of local_clock() at which their interrupts will have had their share, see
 *           ports.c; no lock
 * @requests: struct dmop_serve_request, for @work
 * @late:    struct dmop_port, whose event @late_work has to handle
 */
struct dmop_record_serving {
	struct mutex lock;
	struct list_head servers;
	unsigned int ports;
	u64 paid_until;
	struct llist_head requests;
	struct work_struct work;
	struct llist_head late;
	struct work_struct late_work;
};

/*
 * A domain, shared by all open files bound to it. A dead record has left the
 * table and never returns: the next file to be restricted to that domid gets
 * another record.
 *
 * @users:  one for each bound file, each RESTRICT in progress, a queued revocation and
 *          a check in progress; the last put queues the end of the record
 * @link:   in the table while not dead; protected by dmop_records_lock
 * @domid:  constant
 * @dead:   set once, under dmop_records_lock; read without a lock
 * @lock:   protects the files' @link; a raw spinlock for the same reason as
 *          dmop_records_lock
 * @files:  the open files bound to the domain; revocation moves them away
 * @in_xen: held by every call and event of those files from its check of @dead until it has left
 *          Xen for the last time; user memory is not touched under it
 * @waits:  see there
 * @pin:    keeps Xen from reusing the domid, see frame.h; or NULL. Set before the record is
 *          in the table
 * @work:   sets up @pin and @in_xen, later frees all
 * @is_set_up: @err is valid: 0, or why the record cannot be used
 * @revoke: revokes @files after death
 * @checked: woken after each check, and by @revoke
 * @watch:  see there
 * @serving: see there
 * @log_limit: see there
 */
struct dmop_record {
	refcount_t users;
	struct list_head link;
	domid_t domid;
	bool dead;
	raw_spinlock_t lock;
	struct list_head files;
	struct srcu_struct in_xen;
	struct dmop_record_waits waits;
	struct dmop_frame *pin;
	struct work_struct work;
	struct completion is_set_up;
	int err;
	struct work_struct revoke;
	wait_queue_head_t checked;
	struct dmop_record_watch watch;
	struct dmop_record_serving serving;
	struct dmop_log_limit log_limit;
};

/*
 * The table: all live records. The lock is taken by RESTRICT, last close, checks and
 * detection of death, so also by a device model. It is a raw spinlock: its holder is
 * not preempted, on PREEMPT_RT neither, so a device model is not starved or stopped while
 * it holds the lock. Nothing is allocated, no user memory is touched, and no sleeping
 * lock of PREEMPT_RT (a wait queue's) is taken under it.
 */
extern struct list_head dmop_records;
extern raw_spinlock_t dmop_records_lock;

/* @releaseDomain events so far. Each record counts those since it was created. */
extern unsigned long dmop_records_events;

/**
 * dmop_record_init() - create the table
 * @revoke: revokes the files of a dead record, as its work item; consumes the
 *          reference that dmop_record_die() took
 * @serve: handles requests to serve the domain of a record, as its work item
 * @serve_late: handles events of such a domain, as its work item
 *
 * Context: module init.
 *
 * Return: 0, or -ENOMEM.
 */
int dmop_record_init(work_func_t revoke, work_func_t serve, work_func_t serve_late);

/**
 * dmop_record_exit() - wait for every revocation
 *
 * Context: module exit; no file is open.
 */
void dmop_record_exit(void);

/**
 * dmop_record_get() - the record of a live domain
 * @domid: a domid that the policy admits as a target
 *
 * A new record is pinned to the domain first, so that the domain that the caller checks
 * afterwards is the pinned one. If Xen refuses, the record stays unpinned.
 *
 * Context: process context; waits, killably, for a worker; charged to the caller.
 *
 * Return: the record with a reference; or ERR_PTR of
 *  -ESRCH  Xen knows no such domain
 *  -ENOMEM no memory
 *  -EINTR  the caller is being killed
 *  another errno of Xen, which refuses the caller
 */
struct dmop_record *dmop_record_get(domid_t domid);

/**
 * dmop_record_put() - drop a reference
 * @record: the record; may be freed, by a worker
 *
 * Context: process context.
 */
void dmop_record_put(struct dmop_record *record);

/**
 * dmop_record_die() - mark a record dead and queue its revocation
 * @record: the record; a second call has no effect
 *
 * No call enters Xen for the domain after this, except those already past their
 * own check of @dead. The revocation wakes the RESTRICTs that wait for a check.
 *
 * Context: dmop_records_lock is held.
 */
void dmop_record_die(struct dmop_record *record);

/**
 * dmop_record_probe() - check a record after a call returned ESRCH
 * @record: the record
 *
 * Some operations return ESRCH for a live domain. Xen is asked about the domain
 * before the record is marked dead.
 *
 * Context: process context; may sleep.
 */
void dmop_record_probe(struct dmop_record *record);

/**
 * dmop_record_unpin() - drop the pin of a record's domain
 * @record: a record of which no call is in Xen
 *
 * Context: process context.
 */
void dmop_record_unpin(struct dmop_record *record);

/**
 * dmop_record_synchronize() - wait for the calls in progress, in a worker
 * @record: the record
 *
 * As dmop_record_wait(), but not killably.
 *
 * Context: process context; waits.
 */
void dmop_record_synchronize(struct dmop_record *record);

/**
 * dmop_record_wait() - wait for the calls in progress
 * @record: the record of an open file
 *
 * A part begun by dmop_record_enter() before this call has ended when it returns 0. A part that
 * begins later sees what the caller stored before.
 *
 * Context: process context; waits killably.
 *
 * Return: 0; or -EINTR: the caller is being killed.
 */
int dmop_record_wait(struct dmop_record *record);

/**
 * dmop_record_pinned() - is the domid of a record safe from reuse?
 * @record: the record, or NULL
 *
 * Return: true if so.
 */
static inline bool dmop_record_pinned(const struct dmop_record *record)
{
	return record && READ_ONCE(record->pin);
}

/**
 * dmop_record_leave() - end a part begun by dmop_record_enter()
 * @record: as passed to dmop_record_enter()
 * @token:  as dmop_record_enter() set it
 */
static inline void dmop_record_leave(struct dmop_record *record, int token)
{
	if (record) {
		__acquire(&record->in_xen);
		srcu_read_unlock(&record->in_xen, token);
	}
}

/**
 * dmop_record_enter() - begin a part of a call that enters Xen for a domain
 * @record: the record of the caller's file, or NULL: unbound
 * @token:  out: for dmop_record_leave()
 *
 * Until dmop_record_leave(), Xen does not reuse the domid of a pinned record. User memory
 * must not be touched meanwhile.
 *
 * Context: any; the signal of an eventfd enters with interrupts off.
 *
 * Return: 0, to be followed by dmop_record_leave(); or -ESRCH: the record is dead.
 */
static inline int dmop_record_enter(struct dmop_record *record, int *token)
{
	if (!record)
		return 0;
	*token = srcu_read_lock(&record->in_xen);
	/* For sparse, which cannot follow a lock that is taken under a condition. */
	__release(&record->in_xen);
	if (likely(!READ_ONCE(record->dead)))
		return 0;
	dmop_record_leave(record, *token);
	return -ESRCH;
}

#endif /* DMOP_RECORD_H */
