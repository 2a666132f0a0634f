// SPDX-License-Identifier: GPL-2.0
/*
 * file.c - the state of an open file
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "file.h"
#include "hypercall.h"
#include "observe.h"
#include "policy.h"
#include "watch.h"

/* For files that are bound to no domain. */
static struct dmop_log_limit unbound_limit = {
	.limit = RATELIMIT_STATE_INIT(unbound_limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST),
	.quiet_until = INITIAL_JIFFIES,
};

static __always_inline bool may_issue(const struct dmop_file *f, const struct xen_dm_op_buf *bufs)
{
	return likely(dmop_rights_any_op(&f->rights)) ||
	       dmop_rights_op(&f->rights, dmop_hypercall_buf(bufs), bufs->size);
}

/*
 * Return: 0, and *@ret is Xen's answer; or Xen was not entered: -ESRCH: the record is dead;
 * DMOP_NARROWED: the operation is not among the rights of the file.
 */
static __always_inline int issue(struct dmop_file *f, struct dmop_record *record,
				 domid_t domid, unsigned int nr,
				 struct xen_dm_op_buf *bufs, int *ret)
{
	int token, err;

	/*
	 * The record is checked here as well as at admission: copying the buffers took an
	 * unbounded time.
	 */
	err = dmop_record_enter(record, &token);
	if (unlikely(err))
		return err;
	/* In here the decision is final, see dmop_file_narrow(). */
	if (unlikely(!may_issue(f, bufs))) {
		dmop_record_leave(record, token);
		return DMOP_NARROWED;
	}
	atomic64_inc(&f->calls);
	*ret = dmop_hypercall_dm_op(record ? record->domid : domid, nr, bufs);
	dmop_record_leave(record, token);

	if (record && *ret == -ESRCH)
		dmop_record_probe(record);
	return 0;
}

/* Return: the error of a call that did not enter Xen. */
static noinline int refuse(struct dmop_file *f, domid_t domid, const struct xen_dm_op_buf *bufs,
			   int err)
{
	u32 op = U32_MAX;

	if (err == DMOP_NARROWED) {
		if (bufs->size >= sizeof(op))
			op = *(const u32 *)dmop_hypercall_buf(bufs);
		return dmop_observe_narrowed(f, DMOP_ACT_OPERATION, op, domid);
	}
	atomic64_inc(&f->refused_dead);
	return err;
}

int dmop_file_dm_op(struct dmop_file *f, struct dmop_record *record,
		    domid_t domid, unsigned int nr, struct xen_dm_op_buf *bufs)
{
	int ret;
	int err = issue(f, record, domid, nr, bufs, &ret);

	return likely(!err) ? ret : refuse(f, domid, bufs, err);
}

int dmop_file_dm_ops(struct dmop_file *f, struct dmop_record *record,
		     domid_t domid, unsigned int nr, struct dmop_op *ops)
{
	unsigned int done, i;
	int err = 0;

	for (i = 0; i < nr; i++)
		if (unlikely(!may_issue(f, ops[i].bufs)))
			return refuse(f, domid, ops[i].bufs, DMOP_NARROWED);

	for (done = 0; done < nr; done++) {
		struct dmop_op *op = &ops[done];

		if (done) {
			cond_resched();
			if (fatal_signal_pending(current))
				break;
		}
		err = issue(f, record, domid, op->nr, op->bufs, &op->ret);
		if (err)
			break;
	}
	return done ? done : refuse(f, domid, ops->bufs, err);
}

int dmop_file_enter_unbound(struct dmop_file *f)
{
	if (down_read_killable(&f->restrict_sem))
		return -EINTR;
	if (!f->record)
		return 0;

	up_read(&f->restrict_sem);
	return -EAGAIN;
}

/*
 * Either revocation finds the file on the list, or the file finds the record
 * dead. A poller woken by revocation sees the new state.
 */
static int file_join(struct dmop_file *f, struct dmop_record *record)
{
	int err = 0;

	raw_spin_lock(&record->lock);
	if (READ_ONCE(record->dead)) {
		err = -ESRCH;
	} else {
		list_add(&f->link, &record->files);
		/*
		 * Elsewhere a file is bound from open() on, so that each open() would
		 * begin with a fresh limit.
		 */
		if (xen_initial_domain())
			WRITE_ONCE(f->log_limit, &record->log_limit);
		/* Pairs with the acquire in dmop_file_record(). */
		smp_store_release(&f->record, record);
	}
	raw_spin_unlock(&record->lock);

	return err;
}

static int join_domain(struct dmop_file *f, domid_t domid)
{
	struct dmop_record *record = dmop_record_get(domid);
	int err;

	if (IS_ERR(record))
		return PTR_ERR(record);

	err = dmop_watch_check(record);
	if (!err)
		err = file_join(f, record);
	if (err)
		dmop_record_put(record);
	return err;
}

static int bind_to(struct dmop_file *f, domid_t domid)
{
	int err;

	if (dmop_maps_hold_other(&f->maps, domid))
		return -EBUSY;

	err = join_domain(f, domid);
	/*
	 * The check may find that the record belongs to an earlier domain of that
	 * number. The second record is new; if it is dead too, so is the domain.
	 */
	if (err == -ESRCH)
		err = join_domain(f, domid);
	return err;
}

int dmop_file_restrict(struct dmop_file *f, domid_t domid)
{
	int err = -EAGAIN;

	if (down_write_killable(&f->restrict_sem))
		return -EINTR;
	if (!f->record)
		err = bind_to(f, domid);
	up_write(&f->restrict_sem);

	return err;
}

/*
 * A call that has seen the old rights is inside dmop_record_enter(), or will decide again there
 * before it enters Xen. So the wait is for the calls inside, and it is short, unless one of them
 * makes Xen work for long, or gets no processor. Only the files of this domain can cause that.
 */
int dmop_file_narrow(struct dmop_file *f, struct dmop_record *record,
		     const struct dmop_narrow *n)
{
	int err;

	dmop_rights_narrow(&f->rights, n);
	if (down_write_killable(&f->restrict_sem))
		return -EINTR;
	err = dmop_record_wait(record);
	up_write(&f->restrict_sem);
	return err;
}

/* After any failure the file stays unbound, and every call on it is refused here. */
static void bind_to_target(struct dmop_file *f)
{
	/* The toolstack named the target in XenStore; that stands for the privilege. */
	struct dmop_subject s = {
		.state = DMOP_STATE_UNBOUND,
		.own = dmop_own_domid(),
		.admin = true,
	};
	struct dmop_request r = { .act = DMOP_ACT_RESTRICT };
	unsigned int target;

	if (!dmop_watch_own_target(&target))
		return;

	r.domid = target;
	if (dmop_policy(&s, &r) == DMOP_ALLOW)
		bind_to(f, target);
}

static void events_init(struct dmop_events *events)
{
	mutex_init(&events->lock);
	INIT_LIST_HEAD(&events->irqs);
	INIT_LIST_HEAD(&events->servers);
}

static void events_end(struct dmop_events *events)
{
	dmop_serve_close(events);
	dmop_irqfd_end(events);
	dmop_kick_end(events);
}

struct dmop_file *dmop_file_create(struct file *filp)
{
	struct dmop_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return NULL;
	refcount_set(&f->users, 1);
	init_rwsem(&f->restrict_sem);
	init_waitqueue_head(&f->wait);
	f->log_limit = &unbound_limit;
	events_init(&f->events);
	dmop_policy_rights(&f->rights);
	if (dmop_maps_init(&f->maps, &f->rights, filp)) {
		kfree(f);
		return NULL;
	}
	if (!xen_initial_domain())
		bind_to_target(f);
	return f;
}

void dmop_file_put(struct dmop_file *f)
{
	if (!refcount_dec_and_test(&f->users))
		return;
	/* No VMA is left. Of a file that was closed meanwhile, revocation leaves this to us. */
	dmop_maps_destroy(&f->maps);
	kfree(f);
}

void dmop_file_close(struct dmop_file *f)
{
	struct dmop_record *record = f->record;

	events_end(&f->events);
	if (record) {
		raw_spin_lock(&record->lock);
		list_del_init(&f->link);
		raw_spin_unlock(&record->lock);
		dmop_record_put(record);
	}
	dmop_file_put(f);
}
