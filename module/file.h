/* SPDX-License-Identifier: GPL-2.0 */
/*
 * file.h - the state of an open file
 */
#ifndef DMOP_FILE_H
#define DMOP_FILE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <xen/interface/xen.h>
#include <xen/interface/hvm/dm_op.h>

#include <xen/dmop.h>

#include "area.h"
#include "event.h"
#include "record.h"
#include "rights.h"

/*
 * An open file.
 *
 * @users:  the open file, and a revocation that is unmapping its areas
 * @record: NULL while unbound. Set once, with @restrict_sem held for writing and
 *          with release semantics; then constant until the file is closed, so a
 *          bound file needs no lock.
 * @link:   in @record's list of files, or in a list of its revocation; protected by
 *          @record->lock
 * @restrict_sem: held for reading by every call that was admitted while the file
 *          was unbound, from before the decision until the last byte is copied
 *          back; held for writing by RESTRICT, which thereby waits for those calls, and,
 *          once the file is bound, by NARROW: one waits at a time, so that a worker has
 *          few callers to wake
 * @maps:   the mappings made through the file
 * @wait:   pollers; woken when the domain dies
 * @log_limit: of the domain; while unbound, and in a domain other than the initial one,
 *          one that all such files share
 * @events: the eventfds tied to the file, see event.h
 * @rights: what NARROW has left, see rights.h
 * @calls, @refused_policy, @refused_dead: see struct dmop_info
 *
 * Lock order: @events.lock, then the lock of an eventfd's wait queue. A holder of @events.lock
 * also waits for workers of serve.c. These take record->serving.lock, under which they wait for
 * interrupts; and interrupts take the lock of a wait queue. None of them takes @events.lock, and
 * none of the three locks is held together with those that follow.
 * @restrict_sem; then dmop_records_lock, record->lock or maps->lock; or, in a
 * mapping call, IOEVENTFD, munmap() and exit, mmap_lock and then maps->lock. None of dmop_records_lock,
 * record->lock and maps->lock is taken under another one of them.
 */
struct dmop_file {
	refcount_t users;
	struct dmop_record *record;
	struct list_head link;
	struct rw_semaphore restrict_sem;
	struct dmop_maps maps;
	wait_queue_head_t wait;
	struct dmop_log_limit *log_limit;
	struct dmop_events events;
	struct dmop_rights rights;
	atomic64_t calls;
	atomic64_t refused_policy;
	atomic64_t refused_dead;
};

/**
 * dmop_file_create() - the state of a newly opened file
 * @filp: the file
 *
 * In the initial domain the file is unbound. In any other domain it is bound from
 * the start to the target that XenStore names for that domain; without one it
 * stays unbound, and no privilege admits its calls there.
 *
 * Context: process context; charged to the caller.
 *
 * Return: the state, or NULL: no memory.
 */
struct dmop_file *dmop_file_create(struct file *filp);

/**
 * dmop_file_close() - end the state of a file
 * @f: state of a file that no call can reach any more
 *
 * Context: process context; may sleep.
 */
void dmop_file_close(struct dmop_file *f);

/**
 * dmop_file_put() - drop a reference of a revocation
 * @f: the state; may be freed
 *
 * Context: process context.
 */
void dmop_file_put(struct dmop_file *f);

/**
 * dmop_file_record() - the record of a file at this moment
 * @f: the file
 *
 * Return: its record, valid as long as the file is open; or NULL: the file was
 * unbound when it was read.
 */
static inline struct dmop_record *dmop_file_record(struct dmop_file *f)
{
	/* Pairs with the release in file_join(). */
	return smp_load_acquire(&f->record);
}

/**
 * dmop_file_enter_unbound() - dmop_file_enter() for a file that was unbound
 * @f: the file
 *
 * Return: as dmop_file_enter()
 */
int dmop_file_enter_unbound(struct dmop_file *f);

/**
 * dmop_file_enter() - hold the state of a file for one call
 * @f:      the file
 * @record: as dmop_file_record() returned it
 *
 * An unbound file stays unbound until dmop_file_leave(). A bound file stays
 * bound; its record may die at any time.
 *
 * Context: process context; waits, killably, for a RESTRICT in progress.
 *
 * Return: 0, to be followed by dmop_file_leave(); or
 *  -EAGAIN the file was bound meanwhile: decide again
 *  -EINTR  the caller is being killed
 */
static inline int dmop_file_enter(struct dmop_file *f,
				  const struct dmop_record *record)
{
	return likely(record) ? 0 : dmop_file_enter_unbound(f);
}

/**
 * dmop_file_leave() - release the state that dmop_file_enter() holds
 * @f:      the file
 * @record: as passed to dmop_file_enter()
 */
static inline void dmop_file_leave(struct dmop_file *f,
				   const struct dmop_record *record)
{
	if (unlikely(!record))
		up_read(&f->restrict_sem);
}

/**
 * dmop_file_state() - the state that a record stands for
 * @record: of an open file, or NULL if it is unbound
 *
 * Return: DMOP_STATE_*
 */
static inline unsigned int dmop_file_state(const struct dmop_record *record)
{
	if (!record)
		return DMOP_STATE_UNBOUND;
	return READ_ONCE(record->dead) ? DMOP_STATE_REVOKED : DMOP_STATE_BOUND;
}

/**
 * dmop_file_restrict() - bind a file to a domain
 * @f:     the file
 * @domid: a domid that the policy admits for RESTRICT
 *
 * When it returns 0, no call that was admitted earlier is still running.
 *
 * Context: process context; waits, killably, for the calls in progress, and for
 * at most five seconds, or twice five if the first record turns out to be dead, for
 * XenStore to identify the domain, unless Xen does.
 *
 * Return: 0, or with nothing changed:
 *  -EAGAIN the file was bound since the decision: decide again
 *  -EBUSY  memory of another domain is mapped through the file
 *  -ESRCH  Xen knows no such domain, or it is dying; or XenStore is up and has no
 *          directory for it, unless Xen identifies the domain
 *  -ENOMEM no memory for the record
 *  -EINTR  the caller is being killed
 *  another errno of Xen, which refuses the caller
 */
int dmop_file_restrict(struct dmop_file *f, domid_t domid);

/**
 * dmop_file_narrow() - remove rights of a file
 * @f:      the file
 * @record: its record: the file is bound
 * @n:      a valid argument
 *
 * When it returns 0, no call that needs one of the removed rights is in Xen or maps anything.
 *
 * Context: process context; waits, killably, for the calls of the domain's files that are in Xen.
 *
 * Return: 0; or -EINTR: the caller is being killed. The rights are removed in either case.
 */
int dmop_file_narrow(struct dmop_file *f, struct dmop_record *record,
		     const struct dmop_narrow *n);

/**
 * dmop_file_dm_op() - issue a dm_op that was admitted
 * @f:      the file
 * @record: as passed to dmop_file_enter()
 * @domid:  target domain
 * @nr:     number of buffers
 * @bufs:   the buffers, all of them in kernel memory
 *
 * If Xen's answer shows that the file's domain is gone, the file is revoked.
 *
 * Context: process context, between dmop_file_enter() and dmop_file_leave().
 *
 * Return: Xen's return value; or Xen was not entered:
 *  -ESRCH  the record is dead
 *  -EPERM  NARROW has removed the operation
 */
int dmop_file_dm_op(struct dmop_file *f, struct dmop_record *record,
		    domid_t domid, unsigned int nr, struct xen_dm_op_buf *bufs);

/*
 * One operation of a batch.
 *
 * @nr:   number of buffers
 * @ret:  out: Xen's return value
 * @bufs: the buffers, all of them in kernel memory
 */
struct dmop_op {
	unsigned int nr;
	int ret;
	struct xen_dm_op_buf bufs[2];
};

/**
 * dmop_file_dm_ops() - issue the operations of a batch that was admitted
 * @f:      the file
 * @record: as passed to dmop_file_enter()
 * @domid:  target domain of all operations
 * @nr:     number of operations, at least 1
 * @ops:    the operations
 *
 * Each operation is a hypercall of its own, issued in order; a failure does not
 * stop the rest. Between two operations the caller may be scheduled out. The
 * batch ends early if the file is revoked, NARROW removes an operation, or the caller
 * is killed.
 *
 * Context: as dmop_file_dm_op()
 *
 * Return: number of operations issued, a prefix of @ops, at least 1; or, of the first,
 * -ESRCH: the record was dead; or -EPERM: NARROW has removed an operation of the batch.
 */
int dmop_file_dm_ops(struct dmop_file *f, struct dmop_record *record,
		     domid_t domid, unsigned int nr, struct dmop_op *ops);

#endif /* DMOP_FILE_H */
