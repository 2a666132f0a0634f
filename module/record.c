// SPDX-License-Identifier: GPL-2.0
/*
 * record.c - the domain record: table, references, death
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/rcupdate_wait.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <xen/interface/xen.h>
#include <xen/interface/memory.h>

#include "frame.h"
#include "hypercall.h"
#include "policy.h"
#include "record.h"

LIST_HEAD(dmop_records);
DEFINE_RAW_SPINLOCK(dmop_records_lock);
unsigned long dmop_records_events;

/*
 * Each record has a work item of its own, on an unbound queue, so that the revocation of
 * one domain waits for no other, up to WQ_MAX_ACTIVE of them at once.
 */
static struct workqueue_struct *revoke_queue;
static work_func_t revoke_files;

/* Those of serve.c and ports.c. */
static work_func_t serve_requests, serve_late_events;

/*
 * A record is set up and freed by a worker: the allocator of per-CPU memory and that of the
 * kernel's addresses hold locks that the whole kernel needs, and a caller may be starved there.
 */
static struct workqueue_struct *record_queue;

/* The waits of NARROW; not on the queue of revocations, which nothing is to delay. */
static struct workqueue_struct *waits_queue;

static struct dmop_record *record_find(domid_t domid)
{
	struct dmop_record *record;

	lockdep_assert_held(&dmop_records_lock);

	list_for_each_entry(record, &dmop_records, link)
		if (dmop_policy_same_target(record->domid, domid))
			return record;
	return NULL;
}

void dmop_record_die(struct dmop_record *record)
{
	lockdep_assert_held(&dmop_records_lock);

	if (record->dead)
		return;
	WRITE_ONCE(record->dead, true);
	list_del_init(&record->link);
	refcount_inc(&record->users);
	queue_work(revoke_queue, &record->revoke);
}

static void revoke_record(struct work_struct *work)
{
	struct dmop_record *record =
		container_of(work, struct dmop_record, revoke);

	/* A RESTRICT in progress then need not wait for XenStore. */
	wake_up_all(&record->checked);
	revoke_files(work);
}

/*
 * Return: the record in the table if it has one for the domain, else @new, added, or NULL
 * without one; or ERR_PTR: the domain cannot be bound to.
 */
static struct dmop_record *record_join_locked(domid_t domid, struct dmop_record *new)
{
	struct dmop_record *record;
	int err;

	lockdep_assert_held(&dmop_records_lock);

	record = record_find(domid);
	err = dmop_hypercall_probe(domid);
	if (err) {
		if (record && err == -ESRCH)
			dmop_record_die(record);
		return ERR_PTR(err);
	}
	if (record) {
		refcount_inc(&record->users);
		return record;
	}
	if (new)
		list_add(&new->link, &dmop_records);
	return new;
}

static struct dmop_record *record_join(domid_t domid, struct dmop_record *new)
{
	struct dmop_record *record;

	raw_spin_lock(&dmop_records_lock);
	record = record_join_locked(domid, new);
	raw_spin_unlock(&dmop_records_lock);
	return record;
}

void dmop_record_unpin(struct dmop_record *record)
{
	struct dmop_frame *pin = xchg(&record->pin, NULL);

	if (pin)
		dmop_frame_unmap(pin);
}

/*
 * Not synchronize_srcu(): where that expedites, a kernel before 5.19 keeps a processor busy until
 * the last part has ended.
 */
void dmop_record_synchronize(struct dmop_record *record)
{
	struct rcu_synchronize gp;

	init_rcu_head_on_stack(&gp.head);
	init_completion(&gp.completion);
	call_srcu(&record->in_xen, &gp.head, wakeme_after_rcu);
	/* A worker gets no signal. The state is that of a task that has nothing to do. */
	while (wait_for_completion_interruptible(&gp.completion))
		;
	destroy_rcu_head_on_stack(&gp.head);
}

static void end_waits(struct work_struct *work)
{
	struct dmop_record *record = container_of(work, struct dmop_record, waits.work);
	struct dmop_record_waits *w = &record->waits;
	long requested = atomic_long_read_acquire(&w->requested);

	dmop_record_synchronize(record);
	/* Pairs with the acquire in dmop_record_wait(). */
	smp_store_release(&w->ended, requested);
	wake_up_all(&w->wait);
	dmop_record_put(record);
}

/*
 * A worker waits, because the caller can be killed, and each caller queues it, because another one
 * may be starved before it does so.
 */
int dmop_record_wait(struct dmop_record *record)
{
	struct dmop_record_waits *w = &record->waits;
	long mine = atomic_long_inc_return(&w->requested);

	refcount_inc(&record->users);
	if (!queue_work(waits_queue, &w->work))
		dmop_record_put(record);
	/* Pairs with the release in end_waits(). */
	return wait_event_killable(w->wait, smp_load_acquire(&w->ended) - mine >= 0) ? -EINTR : 0;
}

static void record_free(struct work_struct *work)
{
	struct dmop_record *record = container_of(work, struct dmop_record, work);

	/* It may be queued still, with nothing to do. */
	cancel_work_sync(&record->serving.work);
	dmop_record_unpin(record);
	if (!record->err)
		cleanup_srcu_struct(&record->in_xen);
	kfree(record->watch.vm);
	kfree(record->watch.unique);
	kfree(record);
}

void dmop_record_put(struct dmop_record *record)
{
	bool last;

	/* refcount_dec_and_lock(), but in a form that sparse can follow. */
	if (refcount_dec_not_one(&record->users))
		return;

	raw_spin_lock(&dmop_records_lock);
	last = refcount_dec_and_test(&record->users);
	if (last)
		list_del_init(&record->link);
	raw_spin_unlock(&dmop_records_lock);

	if (last) {
		INIT_WORK(&record->work, record_free);
		queue_work(record_queue, &record->work);
	}
}

/*
 * The pin is the first frame of the domain's grant table: every domain has one, the domain
 * cannot give it up, and it is no memory of the guest. Xen before 4.12 does not
 * hand it out. It is never accessed.
 *
 * Return: 0, also if Xen refuses; -ENOMEM; or -ESRCH: Xen knows no such domain.
 */
static int record_pin(struct dmop_record *record)
{
	static const struct dmop_frame_name grants = {
		.type = XENMEM_resource_grant_table,
		.id = XENMEM_resource_grant_table_id_shared,
	};
	struct dmop_frame *pin = dmop_frame_map(record->domid, &grants);
	int err = PTR_ERR_OR_ZERO(pin);

	if (!err)
		record->pin = pin;
	return err == -ENOMEM || err == -ESRCH ? err : 0;
}

static void record_set_up(struct work_struct *work)
{
	struct dmop_record *record = container_of(work, struct dmop_record, work);

	record->err = record_pin(record);
	if (!record->err)
		record->err = init_srcu_struct(&record->in_xen);
	complete(&record->is_set_up);
	dmop_record_put(record);
}

/* Return: a record, not in the table yet; or ERR_PTR of -ENOMEM, -ESRCH or -EINTR. */
static struct dmop_record *record_create(domid_t domid)
{
	struct dmop_record *record = kzalloc(sizeof(*record), GFP_KERNEL_ACCOUNT);
	int err;

	if (!record)
		return ERR_PTR(-ENOMEM);
	/* The caller's and the worker's. */
	refcount_set(&record->users, 2);
	INIT_LIST_HEAD(&record->link);
	record->domid = domid;
	raw_spin_lock_init(&record->lock);
	INIT_LIST_HEAD(&record->files);
	mutex_init(&record->serving.lock);
	INIT_LIST_HEAD(&record->serving.servers);
	init_llist_head(&record->serving.requests);
	INIT_WORK(&record->serving.work, serve_requests);
	init_llist_head(&record->serving.late);
	INIT_WORK(&record->serving.late_work, serve_late_events);
	INIT_WORK(&record->work, record_set_up);
	init_completion(&record->is_set_up);
	INIT_WORK(&record->revoke, revoke_record);
	init_waitqueue_head(&record->checked);
	INIT_WORK(&record->waits.work, end_waits);
	init_waitqueue_head(&record->waits.wait);
	ratelimit_default_init(&record->log_limit.limit);
	record->log_limit.quiet_until = jiffies;
	record->watch.events = READ_ONCE(dmop_records_events);
	queue_work(record_queue, &record->work);

	err = wait_for_completion_killable(&record->is_set_up) ? -EINTR : record->err;
	if (err) {
		dmop_record_put(record);
		return ERR_PTR(err);
	}
	return record;
}

struct dmop_record *dmop_record_get(domid_t domid)
{
	struct dmop_record *new, *record;

	/* A dying domain is not pinned. */
	record = record_join(domid, NULL);
	if (record)
		return record;
	new = record_create(domid);
	if (IS_ERR(new))
		return new;
	record = record_join(domid, new);
	if (record != new)
		dmop_record_put(new);
	return record;
}

void dmop_record_probe(struct dmop_record *record)
{
	/* The probe comes first: the lock is not for calls on a live domain. */
	if (READ_ONCE(record->dead) ||
	    dmop_hypercall_probe(record->domid) != -ESRCH)
		return;

	raw_spin_lock(&dmop_records_lock);
	dmop_record_die(record);
	raw_spin_unlock(&dmop_records_lock);
}

int dmop_record_init(work_func_t revoke, work_func_t serve, work_func_t serve_late)
{
	revoke_files = revoke;
	serve_requests = serve;
	serve_late_events = serve_late;
	record_queue = alloc_workqueue("dmop_record", WQ_UNBOUND, 0);
	if (!record_queue)
		return -ENOMEM;
	waits_queue = alloc_workqueue("dmop_narrow", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!waits_queue)
		goto no_waits;
	revoke_queue = alloc_workqueue("dmop_revoke", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!revoke_queue)
		goto no_revoke;
	return 0;
no_revoke:
	destroy_workqueue(waits_queue);
no_waits:
	destroy_workqueue(record_queue);
	return -ENOMEM;
}

void dmop_record_exit(void)
{
	/* A revocation or a wait drops the last reference, and the worker frees the record. */
	destroy_workqueue(revoke_queue);
	destroy_workqueue(waits_queue);
	destroy_workqueue(record_queue);
}
