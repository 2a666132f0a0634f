// SPDX-License-Identifier: GPL-2.0
/*
 * binding.c - the state of an open file, and the domain record it points at
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
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

/*
 * After an event, how often every bound domain is looked at, once a second: a
 * toolstack may clean XenStore up some time after it destroyed the domain.
 */
#define LOOKS_AFTER_EVENT	30

/* How long RESTRICT waits for XenStore to tell which domain it is about. */
#define LOOK_TIMEOUT		(5 * HZ)

/*
 * The records that can be bound to: those that are not dead. Only RESTRICT, the
 * last close of a record, its death and who looks for that come here; nothing
 * is allocated and no user memory is touched under the lock.
 */
static LIST_HEAD(records);
static DEFINE_MUTEX(records_lock);

/*
 * Revocation waits neither for XenStore, which may be slow or stopped, nor for
 * another domain's: each record has a work of its own, and looking has one,
 * which is queued under the lock: none is due without a record that it is for.
 */
static struct workqueue_struct *queue;
static void revoke(struct work_struct *work);
static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_work, look);
static DECLARE_WAIT_QUEUE_HEAD(looked);

static bool watching;
static bool store_up;
static unsigned int own_domid;

static struct dmop_record *record_find(domid_t domid)
{
	struct dmop_record *record;

	lockdep_assert_held(&records_lock);

	list_for_each_entry(record, &records, link)
		if (dmop_policy_same_target(record->domid, domid))
			return record;
	return NULL;
}

/* Nobody finds it any more. Who binds next asks for a look of its own. */
static void record_unlink(struct dmop_record *record)
{
	lockdep_assert_held(&records_lock);

	list_del_init(&record->link);
	if (list_empty(&records))
		cancel_delayed_work(&look_work);
}

/* From here on no call is let in; revoke() does the rest. */
static void record_die(struct dmop_record *record)
{
	lockdep_assert_held(&records_lock);

	if (record->dead)
		return;
	WRITE_ONCE(record->dead, true);
	record_unlink(record);
	refcount_inc(&record->users);
	queue_work(queue, &record->revoke);
	/* Who waits to be bound to it need not wait for XenStore. */
	wake_up_all(&looked);
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

static struct dmop_record *record_create(domid_t domid)
{
	struct dmop_record *record = kzalloc(sizeof(*record), GFP_KERNEL_ACCOUNT);

	if (!record)
		return NULL;
	if (init_srcu_struct(&record->in_xen)) {
		kfree(record);
		return NULL;
	}
	refcount_set(&record->users, 1);
	INIT_LIST_HEAD(&record->link);
	record->domid = domid;
	mutex_init(&record->lock);
	INIT_LIST_HEAD(&record->files);
	INIT_WORK(&record->revoke, revoke);
	return record;
}

/* Nobody is left who could find it. */
static void record_free(struct dmop_record *record)
{
	cleanup_srcu_struct(&record->in_xen);
	kfree(record->vm);
	kfree(record->unique);
	kfree(record);
}

static struct dmop_record *record_get(domid_t domid)
{
	struct dmop_record *new, *record;

	new = record_create(domid);
	if (!new)
		return ERR_PTR(-ENOMEM);

	if (mutex_lock_killable(&records_lock))
		record = ERR_PTR(-EINTR);
	else {
		record = record_join(domid, new);
		mutex_unlock(&records_lock);
	}

	if (record != new)
		record_free(new);
	return record;
}

static void record_put(struct dmop_record *record)
{
	if (!refcount_dec_and_mutex_lock(&record->users, &records_lock))
		return;
	record_unlink(record);
	mutex_unlock(&records_lock);
	record_free(record);
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

/* Return: 0, and @ret is Xen's answer; or -ESRCH: the record is dead, Xen was not entered. */
static __always_inline int issue(struct dmop_file *f, struct dmop_record *record,
				 domid_t domid, unsigned int nr,
				 struct xen_dm_op_buf *bufs, int *ret)
{
	int token, err = 0;

	if (unlikely(!record)) {
		atomic64_inc(&f->calls);
		*ret = dmop_hypercall_dm_op(domid, nr, bufs);
		return 0;
	}

	/*
	 * Checked here as well as at admission: copying the buffers took an
	 * unbounded time.
	 */
	token = srcu_read_lock(&record->in_xen);
	if (READ_ONCE(record->dead)) {
		err = -ESRCH;
	} else {
		atomic64_inc(&f->calls);
		*ret = dmop_hypercall_dm_op(record->domid, nr, bufs);
	}
	srcu_read_unlock(&record->in_xen, token);

	if (!err && *ret == -ESRCH)
		record_check(record);
	return err;
}

int dmop_file_dm_op(struct dmop_file *f, struct dmop_record *record,
		    domid_t domid, unsigned int nr, struct xen_dm_op_buf *bufs)
{
	int ret;
	int err = issue(f, record, domid, nr, bufs, &ret);

	if (!err)
		return ret;
	atomic64_inc(&f->refused_dead);
	return err;
}

int dmop_file_dm_ops(struct dmop_file *f, struct dmop_record *record,
		     domid_t domid, unsigned int nr, struct dmop_op *ops)
{
	unsigned int done;

	for (done = 0; done < nr; done++) {
		struct dmop_op *op = &ops[done];

		if (done) {
			cond_resched();
			if (fatal_signal_pending(current))
				break;
		}
		if (issue(f, record, domid, op->nr, op->bufs, &op->ret))
			break;
	}
	if (done)
		return done;
	atomic64_inc(&f->refused_dead);
	return -ESRCH;
}

static void wake_pollers(struct dmop_record *record)
{
	struct dmop_file *f;

	mutex_lock(&record->lock);
	list_for_each_entry(f, &record->files, link)
		wake_up_poll(&f->wait, EPOLLHUP | EPOLLERR);
	mutex_unlock(&record->lock);
}

/*
 * Of no file before all have stopped: the last mapping that goes may free the
 * domain's number, and a call of another file would map its next owner.
 */
static void take_mappings(struct dmop_record *record)
{
	unsigned int files = 0;
	struct dmop_file *f;

	mutex_lock(&record->lock);
	list_for_each_entry(f, &record->files, link)
		dmop_maps_stop(&f->maps);
	list_for_each_entry(f, &record->files, link) {
		dmop_maps_take(&f->maps);
		files++;
	}
	mutex_unlock(&record->lock);

	trace_dmop_revoke(record->domid, files);
}

/*
 * Revocation:
 *
 *  1. The record was marked dead: no call enters Xen for it any more.
 *  2. Pollers are woken.
 *  3. Mapping ends, in all files: a call under way is waited for, or finds that
 *     it is too late. Then mappings are taken away, and with them the last hold
 *     on the domain. Afterwards nothing of the domain is left in any process;
 *     calls may be in Xen still.
 *  4. These are waited for. Not before step 3: a caller can make Xen work for
 *     long, and Xen ends that when the domain is gone.
 *  5. The reference is dropped. The files keep theirs until they are closed.
 */
static void revoke(struct work_struct *work)
{
	struct dmop_record *record =
		container_of(work, struct dmop_record, revoke);

	wake_pollers(record);
	take_mappings(record);
	synchronize_srcu(&record->in_xen);
	record_put(record);
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

static bool store_has_no(const char *dir)
{
	unsigned int n;
	char **list = xenbus_directory(XBT_NIL, dir, "", &n);

	if (IS_ERR(list))
		return PTR_ERR(list) == -ENOENT;
	kfree(list);
	return false;
}

/*
 * Is the domain gone, or another one with the same number there? Xen tells the
 * first, but only when the last page of the domain is released, and a mapping
 * of ours may be what keeps it. XenStore tells earlier: the toolstack has made
 * the domain's directory before anybody can serve the domain, and removes it
 * when it destroys the domain; and a new domain's has the /vm path of another, or
 * another of the ids that some toolstacks give. Of these, only what was seen
 * once and is then different counts: not every toolstack writes them all. The
 * id is the better witness: the path of a domain that lives on can change,
 * when a toolstack gives its guest another uuid.
 */
static bool is_gone(struct dmop_record *record)
{
	char dir[sizeof("/local/domain/65535")];
	char *vm, *unique;
	bool known, other, other_id;

	if (dmop_hypercall_probe(record->domid) == -ESRCH)
		return true;
	if (!READ_ONCE(store_up))
		return false;

	snprintf(dir, sizeof(dir), "/local/domain/%u", record->domid);
	vm = read_store(dir, "vm");
	if (!vm)
		return store_has_no(dir);

	unique = read_store(dir, "unique-domain-id");
	known = record->unique && unique;
	other_id = is_other(&record->unique, unique);
	other = is_other(&record->vm, vm);
	return known ? other_id : other;
}

/* Looks that an event brought come once a second; for all others see look_now(). */
static bool is_time(const struct dmop_record *record)
{
	return record->looks && time_after_eq(jiffies, record->next_look);
}

static void begin_round(void)
{
	struct dmop_record *record;

	mutex_lock(&records_lock);
	list_for_each_entry(record, &records, link)
		record->todo = is_time(record) ||
			       record->answered != record->asked;
	mutex_unlock(&records_lock);
}

/* The next record to look at in this round, with a reference. */
static struct dmop_record *next_to_look_at(unsigned long *asked)
{
	struct dmop_record *record;

	mutex_lock(&records_lock);
	list_for_each_entry(record, &records, link) {
		if (!record->todo)
			continue;
		record->todo = false;
		if (is_time(record)) {
			record->looks--;
			record->next_look = jiffies + HZ;
		}
		*asked = record->asked;
		refcount_inc(&record->users);
		mutex_unlock(&records_lock);
		return record;
	}
	mutex_unlock(&records_lock);
	return NULL;
}

static void end_look(struct dmop_record *record, bool gone, unsigned long asked)
{
	mutex_lock(&records_lock);
	if (gone)
		record_die(record);
	WRITE_ONCE(record->answered, asked);
	mutex_unlock(&records_lock);
	wake_up_all(&looked);

	record_put(record);
}

static void look_again_if_in_doubt(void)
{
	struct dmop_record *record;

	mutex_lock(&records_lock);
	list_for_each_entry(record, &records, link) {
		if (record->looks) {
			queue_delayed_work(queue, &look_work, HZ);
			break;
		}
	}
	mutex_unlock(&records_lock);
}

static void look(struct work_struct *work)
{
	struct dmop_record *record;
	unsigned long asked;

	begin_round();
	while ((record = next_to_look_at(&asked))) {
		bool gone = is_gone(record);

		end_look(record, gone, asked);
	}
	look_again_if_in_doubt();
}

/*
 * Has a look at a domain that a file is about to be bound to. A new record so
 * learns which domain it is of; one that is there already may be found dead, if
 * its domain's end has not been heard of yet. If XenStore is slow, the look
 * comes later. It takes nothing from the looks of an event, of this domain or
 * of others: who binds often does not end their doubt early.
 */
static int look_now(struct dmop_record *record)
{
	unsigned long asked;
	long left;

	if (!READ_ONCE(store_up))
		return 0;

	mutex_lock(&records_lock);
	asked = ++record->asked;
	if (!record->dead)
		mod_delayed_work(queue, &look_work, 0);
	mutex_unlock(&records_lock);

	left = wait_event_killable_timeout(looked,
					   READ_ONCE(record->dead) ||
					   READ_ONCE(record->answered) >= asked,
					   LOOK_TIMEOUT);
	return left < 0 ? -EINTR : 0;
}

/* A domain shut down or was destroyed; XenStore does not say which. */
static void release_domain(struct xenbus_watch *watch, const char *path,
			   const char *token)
{
	struct dmop_record *record;

	mutex_lock(&records_lock);
	list_for_each_entry(record, &records, link) {
		record->looks = LOOKS_AFTER_EVENT;
		record->next_look = jiffies;
	}
	if (!list_empty(&records))
		mod_delayed_work(queue, &look_work, 0);
	mutex_unlock(&records_lock);
}

static struct xenbus_watch release_watch = {
	.node = "@releaseDomain",
	.callback = release_domain,
};

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
	if (!watching)
		pr_warn("no watch on @releaseDomain: the end of a domain is seen only when a call fails\n");
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

int dmop_file_enter_unbound(struct dmop_file *f)
{
	if (down_read_killable(&f->unbound))
		return -EINTR;
	if (!f->record)
		return 0;

	up_read(&f->unbound);
	return -EAGAIN;
}

/*
 * Revocation sees the file, or the file sees that it is too late. A poller that
 * revocation wakes sees the record, or it would sleep on.
 */
static int join(struct dmop_file *f, struct dmop_record *record)
{
	int err = 0;

	mutex_lock(&record->lock);
	if (READ_ONCE(record->dead)) {
		err = -ESRCH;
	} else {
		list_add(&f->link, &record->files);
		/* Pairs with the acquire in dmop_file_record(). */
		smp_store_release(&f->record, record);
	}
	mutex_unlock(&record->lock);

	return err;
}

/* Binds the file to the record of a domain that is there. */
static int join_domain(struct dmop_file *f, domid_t domid)
{
	struct dmop_record *record = record_get(domid);
	int err;

	if (IS_ERR(record))
		return PTR_ERR(record);

	err = look_now(record);
	if (!err)
		err = join(f, record);
	if (err)
		record_put(record);
	return err;
}

static int bind_to(struct dmop_file *f, domid_t domid)
{
	int err;

	if (dmop_maps_hold_other(&f->maps, domid))
		return -EBUSY;

	err = join_domain(f, domid);
	/*
	 * The record that was there may turn out to be of an earlier domain of
	 * that number. The next one is new; if that too is dead, so is the domain.
	 */
	if (err == -ESRCH)
		err = join_domain(f, domid);
	return err;
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
