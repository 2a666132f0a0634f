/* SPDX-License-Identifier: GPL-2.0 */
/*
 * binding.h - the state of an open file, and the domain record it points at
 */
#ifndef DMOP_BINDING_H
#define DMOP_BINDING_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/interface/xen.h>
#include <xen/interface/hvm/dm_op.h>

#include <xen/dmop.h>

#include "hypercall.h"
#include "mapping.h"

/*
 * A domain, shared by all open files bound to it. A record that is dead has
 * left the table and never comes back, so the next file that is restricted to
 * that domid gets another.
 *
 * @users:  one for each open file, and one for each work on the record; the
 *          last one to go frees it
 * @link:   in the table of records while not dead; under the table's lock
 * @domid:  constant
 * @dead:   set once, under the table's lock; read without a lock
 * @lock:   protects @files
 * @files:  the open files that are bound to the domain
 * @in_xen: held by every call of those files while it is in Xen; no user memory
 *          is touched under it
 * @revoke: ends all that when the domain is dead
 * @looks:  how often to look at the domain still, for an event; this and the
 *          next four under the table's lock
 * @next_look: the earliest time for that
 * @todo:   to be looked at in this round
 * @asked, @answered: a look that began when @asked was n ends with @answered n
 * @vm, @unique: what XenStore said of it; for look() only
 */
struct dmop_record {
	refcount_t users;
	struct list_head link;
	domid_t domid;
	bool dead;
	struct mutex lock;
	struct list_head files;
	struct srcu_struct in_xen;
	struct work_struct revoke;

	unsigned int looks;
	unsigned long next_look;
	bool todo;
	unsigned long asked;
	unsigned long answered;
	char *vm;
	char *unique;
};

/*
 * An open file.
 *
 * @record:  NULL while unbound. Set once, with @unbound held for writing and
 *           with release semantics; then constant until the file is closed, so
 *           a bound file needs no lock at all.
 * @link:    in @record's list of files
 * @unbound: held for reading by every call that was let in while the file was
 *           unbound, from before the decision until the last byte is copied
 *           back; held for writing by RESTRICT, which so waits those calls out.
 * @maps:    what is mapped through the file
 * @wait:    who polls; woken when the domain dies
 * @calls, @refused_policy, @refused_dead: see struct dmop_info
 *
 * Lock order: @unbound; then the table's lock, or record->lock and then
 * maps->lock; or, by page fault and for mapping, mmap_lock and then maps->lock.
 * None of the table's lock, record->lock and mmap_lock is taken under another
 * one of them.
 */
struct dmop_file {
	struct dmop_record *record;
	struct list_head link;
	struct rw_semaphore unbound;
	struct dmop_maps maps;
	wait_queue_head_t wait;
	atomic64_t calls;
	atomic64_t refused_policy;
	atomic64_t refused_dead;
};

/**
 * dmop_own_domid() - the domain that this kernel runs in
 *
 * Return: its domid; 0 as long as XenStore has not told it to a kernel that is
 * not the initial domain's.
 */
domid_t dmop_own_domid(void);

/**
 * dmop_file_create() - the state of a newly opened file
 * @filp: the file
 *
 * In the initial domain the file is unbound. In any other it is bound from the
 * start to the domain that XenStore names as this one's target; without one it
 * stays unbound, and there no privilege makes up for that.
 *
 * Context: process context; charged to the caller.
 *
 * Return: the state, or NULL when there is no memory.
 */
struct dmop_file *dmop_file_create(struct file *filp);

/**
 * dmop_file_destroy() - end what dmop_file_create() began
 * @f: state of a file that no call can reach any more
 *
 * Context: process context; may sleep.
 */
void dmop_file_destroy(struct dmop_file *f);

/**
 * dmop_file_record() - what a file is bound to, for a glance
 * @f: the file
 *
 * Return: its record, valid as long as the file is open; or NULL: it was
 * unbound a moment ago.
 */
static inline struct dmop_record *dmop_file_record(struct dmop_file *f)
{
	/* Pairs with the release in join(). */
	return smp_load_acquire(&f->record);
}

/**
 * dmop_file_enter_unbound() - dmop_file_enter() for a file that was unbound
 * @f: the file
 *
 * Return: as there
 */
int dmop_file_enter_unbound(struct dmop_file *f);

/**
 * dmop_file_enter() - hold the state of a file still for one call
 * @f:      the file
 * @record: what dmop_file_record() said
 *
 * A file that was unbound stays so until dmop_file_leave(). One that was bound
 * stays bound; its record may die at any time.
 *
 * Context: process context; waits, killably, for a RESTRICT under way.
 *
 * Return: 0, and dmop_file_leave() is owed; or
 *  -EAGAIN the file got bound meanwhile: decide again
 *  -EINTR  the caller is being killed
 */
static inline int dmop_file_enter(struct dmop_file *f,
				  const struct dmop_record *record)
{
	return likely(record) ? 0 : dmop_file_enter_unbound(f);
}

/**
 * dmop_file_leave() - end what dmop_file_enter() began
 * @f:      the file
 * @record: as given to dmop_file_enter()
 */
static inline void dmop_file_leave(struct dmop_file *f,
				   const struct dmop_record *record)
{
	if (unlikely(!record))
		up_read(&f->unbound);
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
 * @domid: a domid that the policy allows to bind to
 *
 * When it returns 0, no call that was let in before is still running.
 *
 * Context: process context; waits, killably, for the calls that run, and for
 * XenStore to tell which domain it is, though not for ever.
 *
 * Return: 0, or with nothing changed:
 *  -EAGAIN the file got bound since the decision: decide again
 *  -EBUSY  memory of another domain is mapped through the file
 *  -ESRCH  Xen knows no such domain, or XenStore runs and has no directory of
 *          it; or why else Xen will have nothing done to it
 *  -ENOMEM no memory for the record
 *  -EINTR  the caller is being killed
 */
int dmop_file_restrict(struct dmop_file *f, domid_t domid);

/**
 * dmop_file_dm_op() - make a dm_op that was allowed
 * @f:      the file
 * @record: what dmop_file_enter() was given
 * @domid:  target domain
 * @nr:     number of buffers
 * @bufs:   the buffers, all of them in kernel memory
 *
 * If the answer shows that the file's domain is gone, the file is revoked.
 *
 * Context: process context; the caller is between dmop_file_enter() and
 * dmop_file_leave().
 *
 * Return: what Xen returns; or -ESRCH: the record is dead, Xen was not entered.
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
 * batch ends early if the file is revoked or the caller is killed.
 *
 * Context: as dmop_file_dm_op()
 *
 * Return: number of operations issued, a prefix of @ops, at least 1; or -ESRCH:
 * the record was dead before the first.
 */
int dmop_file_dm_ops(struct dmop_file *f, struct dmop_record *record,
		     domid_t domid, unsigned int nr, struct dmop_op *ops);

/**
 * dmop_binding_init() - watch for the death of domains
 *
 * XenStore may come up at any time later.
 *
 * Context: module init; waits for XenStore if that is up.
 *
 * Return: 0, or -ENOMEM.
 */
int dmop_binding_init(void);

/**
 * dmop_binding_exit() - end what dmop_binding_init() began
 *
 * Context: module exit, when no file is open; waits for XenStore if that is up.
 */
void dmop_binding_exit(void);

#endif /* DMOP_BINDING_H */
