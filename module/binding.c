// SPDX-License-Identifier: GPL-2.0
/*
 * binding.c - the state of an open file, and the domain record it points at
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include <xen/dmop.h>

#include "binding.h"
#include "hypercall.h"
#include "policy.h"
#include "trace.h"

/* After an event, how often a domain that XenStore does not know is looked at. */
#define LOOKS_IN_DOUBT	60

/*
 * The records that can be bound to: those that are not dead. Only RESTRICT, the
 * last close of a record, its death and who looks for that come here; nothing
 * is allocated and no user memory is touched under the lock.
 */
static LIST_HEAD(records);
static DEFINE_MUTEX(records_lock);

/* The dead whose revocation is not finished; under records_lock. */
static LIST_HEAD(dead_records);

/* Held by every call while it is in Xen; no user memory is touched under it. */
DEFINE_STATIC_SRCU(in_xen);

/*
 * Revocation never waits for XenStore, which may be slow or stopped, and looking
 * does: so there are two works on a queue that runs both at once.
 */
static struct workqueue_struct *queue;
static void revoke(struct work_struct *work);
static void look(struct work_struct *work);
static DECLARE_WORK(revoke_work, revoke);
static DECLARE_DELAYED_WORK(look_work, look);

static struct dmop_record *record_find(domid_t domid)
{
	struct dmop_record *record;

	lockdep_assert_held(&records_lock);

	list_for_each_entry(record, &records, link)
		if (dmop_policy_same_target(record->domid, domid))
			return record;
	return NULL;
}

/* From here on no call is let in; revoke() does the rest. */
static void record_die(struct dmop_record *record)
{
	lockdep_assert_held(&records_lock);

	if (record->dead)
		return;
	WRITE_ONCE(record->dead, true);
	refcount_inc(&record->users);
	list_move_tail(&record->link, &dead_records);
	queue_work(queue, &revoke_work);
}

/* The record of a live domain: one that is there, or else @new. */
static struct dmop_record *record_join(domid_t domid, struct dmop_record *new)
{
	struct dmop_record *record;
	int err;

	lockdep_assert_held(&records_lock);

	record = record_find(domid);
	err = dmop_hypercall_probe(domid);
	if (err) {
		if (record && err == -ESRCH)
			record_die(record);
		return ERR_PTR(err);
	}
	if (record) {
		refcount_inc(&record->users);
		return record;
	}
	list_add(&new->link, &records);
	return new;
}

static struct dmop_record *record_get(domid_t domid)
{
	struct dmop_record *new, *record;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return ERR_PTR(-ENOMEM);
	refcount_set(&new->users, 1);
	new->domid = domid;
	mutex_init(&new->lock);
	INIT_LIST_HEAD(&new->files);
	new->looks = 1;

	if (mutex_lock_killable(&records_lock)) {
		kfree(new);
		return ERR_PTR(-EINTR);
	}
	record = record_join(domid, new);
	mutex_unlock(&records_lock);

	if (record != new)
		kfree(new);
	return record;
}

static void record_put(struct dmop_record *record)
{
	if (!refcount_dec_and_mutex_lock(&record->users, &records_lock))
		return;
	list_del(&record->link);
	mutex_unlock(&records_lock);

	kfree(record->vm);
	kfree(record->started);
	kfree(record);
}

/*
 * The probe comes first: some operations answer ESRCH for a live domain, and
 * such a call has no business with the lock.
 */
static void record_check(struct dmop_record *record)
{
	if (READ_ONCE(record->dead) ||
	    dmop_hypercall_probe(record->domid) != -ESRCH)
		return;

	mutex_lock(&records_lock);
	record_die(record);
	mutex_unlock(&records_lock);
}

/*
 * The record is looked at here and not only when the call was let in: it took
 * any time since then to copy the buffers.
 */
int dmop_file_dm_op(struct dmop_file *f, struct dmop_record *record,
		    domid_t domid, unsigned int nr, struct xen_dm_op_buf *bufs)
{
	int token, ret;

	token = srcu_read_lock(&in_xen);
	if (dmop_file_state(record) == DMOP_STATE_REVOKED) {
		atomic64_inc(&f->refused_dead);
		ret = -ESRCH;
	} else {
		atomic64_inc(&f->calls);
		ret = dmop_hypercall_dm_op(domid, nr, bufs);
	}
	srcu_read_unlock(&in_xen, token);

	if (ret == -ESRCH && record)
		record_check(record);
	return ret;
}

static void wake_pollers(struct dmop_record *record)
{
	struct dmop_file *f;

	mutex_lock(&record->lock);
	list_for_each_entry(f, &record->files, link)
		wake_up_poll(&f->wait, EPOLLHUP | EPOLLERR);
	mutex_unlock(&record->lock);
}

static void take_mappings(struct dmop_record *record)
{
	unsigned int files = 0;
	struct dmop_file *f;

	mutex_lock(&record->lock);
	list_for_each_entry(f, &record->files, link) {
		dmop_maps_close(&f->maps);
		files++;
	}
	mutex_unlock(&record->lock);

	trace_revoke(record->domid, files);
}

/*
 * Revocation, for all records that died since the last time:
 *
 *  1. They are marked dead: no call enters Xen for them any more.
 *  2. Pollers are woken.
 *  3. The calls that are in Xen are waited for. Afterwards none is running, but
 *     mapping calls and page faults may be.
 *  4. Mappings are taken away, and with them the last hold on the domain; a
 *     mapping call under way ends, or finds that it is too late. Afterwards
 *     nothing of the domain is left in any process.
 *  5. The references are dropped. The files keep theirs until they are closed.
 */
static void revoke(struct work_struct *work)
{
	struct dmop_record *record, *next;
	LIST_HEAD(list);

	mutex_lock(&records_lock);
	list_splice_init(&dead_records, &list);
	mutex_unlock(&records_lock);

	list_for_each_entry(record, &list, link)
		wake_pollers(record);
	synchronize_srcu(&in_xen);
	list_for_each_entry(record, &list, link)
		take_mappings(record);

	list_for_each_entry_safe(record, next, &list, link) {
		/* record_put() unlinks under the lock; here nobody else looks. */
		list_del_init(&record->link);
		record_put(record);
	}
}

static char *read_store(const char *dir, const char *node)
{
	char *s = xenbus_read(XBT_NIL, dir, node, NULL);

	return XENBUS_IS_ERR_READ(s) ? NULL : s;
}

/* Takes @new, may free it; true if it says that @old was another. */
static bool is_other(char **old, char *new)
{
	bool other = *old && new && strcmp(*old, new);

	if (*old)
		kfree(new);
	else
		*old = new;
	return other;
}

/*
 * Is the domain gone, or another one with the same number there? Xen tells the
 * first, but only when the last page of the domain is released, and a mapping
 * of ours may be what keeps it. XenStore tells at once: the toolstack removes
 * the domain's directory; and a new domain's /vm path, or the time at which it
 * was started, is not that of the old. Only what was seen once and is then
 * different counts: not every toolstack writes all of these.
 *
 * Sets @doubt if XenStore knows nothing of it, or does not answer.
 */
static bool is_gone(struct dmop_record *record, bool *doubt)
{
	char dir[sizeof("/local/domain/65535")];
	char *vm, *started = NULL;
	bool other;

	if (dmop_hypercall_probe(record->domid) == -ESRCH)
		return true;

	snprintf(dir, sizeof(dir), "/local/domain/%u", record->domid);
	vm = xenbus_read(XBT_NIL, dir, "vm", NULL);
	if (IS_ERR(vm)) {
		if (PTR_ERR(vm) == -ENOENT && record->vm &&
		    xenbus_exists(XBT_NIL, dir, "") == 0)
			return true;
		*doubt = true;
		return false;
	}
	started = read_store(vm, "start_time");
	other = is_other(&record->vm, vm);
	return is_other(&record->started, started) || other;
}

/*
 * The next record to look at in this round, with a reference, and how many
 * looks it has left. An event meanwhile gives it new ones.
 */
static struct dmop_record *next_to_look_at(unsigned int *looks)
{
	struct dmop_record *record;

	mutex_lock(&records_lock);
	list_for_each_entry(record, &records, link) {
		if (!record->todo)
			continue;
		record->todo = false;
		*looks = record->looks;
		record->looks = 0;
		refcount_inc(&record->users);
		mutex_unlock(&records_lock);
		return record;
	}
	mutex_unlock(&records_lock);
	return NULL;
}

static void begin_round(void)
{
	struct dmop_record *record;

	mutex_lock(&records_lock);
	list_for_each_entry(record, &records, link)
		record->todo = record->looks > 0;
	mutex_unlock(&records_lock);
}

/* Is the record to be looked at once more, because it is in doubt? */
static bool end_look(struct dmop_record *record, bool gone, unsigned int looks)
{
	bool again;

	mutex_lock(&records_lock);
	if (gone)
		record_die(record);
	record->looks = max(record->looks, looks);
	again = !record->dead && record->looks;
	mutex_unlock(&records_lock);

	record_put(record);
	return again;
}

/* Looks at what is new or in doubt; again in a second at what still is. */
static void look(struct work_struct *work)
{
	struct dmop_record *record;
	unsigned int looks;
	bool later = false;

	begin_round();
	while ((record = next_to_look_at(&looks))) {
		bool doubt = false;
		bool gone = is_gone(record, &doubt);

		later |= end_look(record, gone, doubt ? looks - 1 : 0);
	}
	if (later)
		queue_delayed_work(queue, &look_work, HZ);
}

static void look_soon(void)
{
	mod_delayed_work(queue, &look_work, 0);
}

/* A domain shut down or was destroyed; XenStore does not say which. */
static void release_domain(struct xenbus_watch *watch, const char *path,
			   const char *token)
{
	struct dmop_record *record;
	bool bound = false;

	mutex_lock(&records_lock);
	list_for_each_entry(record, &records, link) {
		record->looks = LOOKS_IN_DOUBT;
		bound = true;
	}
	mutex_unlock(&records_lock);

	if (bound)
		look_soon();
}

static struct xenbus_watch release_watch = {
	.node = "@releaseDomain",
	.callback = release_domain,
};

static bool watching;
static bool store_up;
static unsigned int own_domid;

domid_t dmop_own_domid(void)
{
	return READ_ONCE(own_domid);
}

static int store_is_up(struct notifier_block *nb, unsigned long event,
		       void *data)
{
	if (!xen_initial_domain())
		WRITE_ONCE(own_domid, xenbus_read_unsigned("domid", "", 0));
	watching = !register_xenbus_watch(&release_watch);
	WRITE_ONCE(store_up, true);
	return NOTIFY_DONE;
}

static struct notifier_block store_notifier = {
	.notifier_call = store_is_up,
};

int dmop_binding_init(void)
{
	queue = alloc_workqueue("dmop", WQ_UNBOUND, 0);
	if (!queue)
		return -ENOMEM;
	register_xenstore_notifier(&store_notifier);
	return 0;
}

void dmop_binding_exit(void)
{
	unregister_xenstore_notifier(&store_notifier);
	if (watching)
		unregister_xenbus_watch(&release_watch);
	cancel_delayed_work_sync(&look_work);
	destroy_workqueue(queue);
}

void dmop_file_destroy(struct dmop_file *f)
{
	struct dmop_record *record = f->record;

	if (record) {
		mutex_lock(&record->lock);
		list_del(&f->link);
		mutex_unlock(&record->lock);
		record_put(record);
	}
	kfree(f);
}

int dmop_file_enter(struct dmop_file *f, const struct dmop_record *record)
{
	if (likely(record))
		return 0;

	if (down_read_killable(&f->unbound))
		return -EINTR;
	if (!f->record)
		return 0;

	up_read(&f->unbound);
	return -EAGAIN;
}

void dmop_file_leave(struct dmop_file *f, const struct dmop_record *record)
{
	if (!record)
		up_read(&f->unbound);
}

unsigned int dmop_file_state(const struct dmop_record *record)
{
	if (!record)
		return DMOP_STATE_UNBOUND;
	return READ_ONCE(record->dead) ? DMOP_STATE_REVOKED : DMOP_STATE_BOUND;
}

/* Revocation sees the file, or the file sees that it is too late. */
static int join(struct dmop_file *f, struct dmop_record *record)
{
	int err = 0;

	mutex_lock(&record->lock);
	if (READ_ONCE(record->dead))
		err = -ESRCH;
	else
		list_add(&f->link, &record->files);
	mutex_unlock(&record->lock);

	return err;
}

static int bind_to(struct dmop_file *f, domid_t domid)
{
	struct dmop_record *record;
	int err;

	if (dmop_maps_hold_other(&f->maps, domid))
		return -EBUSY;

	record = record_get(domid);
	if (IS_ERR(record))
		return PTR_ERR(record);

	err = join(f, record);
	if (err) {
		record_put(record);
		return err;
	}

	/* Pairs with the acquire in dmop_file_record(). */
	smp_store_release(&f->record, record);

	/* What XenStore says of the domain now tells it from the next. */
	look_soon();
	return 0;
}

/* Any failure leaves the file unbound, which is worth nothing here. */
static void bind_to_target(struct dmop_file *f)
{
	/* What XenStore names is the toolstack's word, and privilege enough. */
	struct dmop_subject s = {
		.state = DMOP_STATE_UNBOUND,
		.own = dmop_own_domid(),
		.admin = true,
	};
	struct dmop_request r = { .act = DMOP_ACT_RESTRICT };
	unsigned int target;

	if (!READ_ONCE(store_up) ||
	    xenbus_scanf(XBT_NIL, "target", "", "%u", &target) != 1)
		return;

	r.domid = target;
	if (dmop_policy(&s, &r) == DMOP_ALLOW)
		bind_to(f, target);
}

struct dmop_file *dmop_file_create(struct file *filp)
{
	struct dmop_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return NULL;
	init_rwsem(&f->unbound);
	init_waitqueue_head(&f->wait);
	dmop_maps_init(&f->maps, filp);
	if (!xen_initial_domain())
		bind_to_target(f);
	return f;
}

int dmop_file_restrict(struct dmop_file *f, domid_t domid)
{
	int err = -EAGAIN;

	if (down_write_killable(&f->unbound))
		return -EINTR;
	if (!f->record)
		err = bind_to(f, domid);
	up_write(&f->unbound);

	return err;
}
