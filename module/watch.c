// SPDX-License-Identifier: GPL-2.0
/*
 * watch.c - is a domain still there, and still the same one?
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include "hypercall.h"
#include "record.h"
#include "watch.h"

/*
 * Periodic checks of every bound domain after an event, one a second: a
 * toolstack may clean up XenStore some time after it destroyed the domain.
 */
#define CHECKS_AFTER_EVENT	30

/* The longest time that RESTRICT waits for XenStore. */
#define CHECK_TIMEOUT		(5 * HZ)

/*
 * All checks share one work item on a queue of their own, for XenStore may be
 * slow or stopped, and revocation must not wait for it.
 */
static struct workqueue_struct *watch_queue;
static void watch_round(struct work_struct *work);
static DECLARE_DELAYED_WORK(round_work, watch_round);

/* Xen identifies domains, so XenStore is not read. */
static bool xen_identifies;

static bool watching;
static bool store_up;
static unsigned int own_domid;

static char *store_read(const char *dir, const char *node)
{
	char *s = xenbus_read(XBT_NIL, dir, node, NULL);

	return XENBUS_IS_ERR_READ(s) ? NULL : s;
}

static bool store_lacks(const char *dir)
{
	unsigned int n;
	char **list = xenbus_directory(XBT_NIL, dir, "", &n);

	if (IS_ERR(list))
		return PTR_ERR(list) == -ENOENT;
	kfree(list);
	return false;
}

/* Consumes @new. Return: true if *@old was known and differs; the first value seen is kept. */
static bool identity_changed(char **old, char *new)
{
	bool changed = *old && new && strcmp(*old, new);

	if (*old)
		kfree(new);
	else
		*old = new;
	return changed;
}

/*
 * The directory of a new domain names another /vm path than that of the old one, or
 * another unique-domain-id, where the toolstack writes one. Only a change of a known value
 * counts, for not every toolstack writes both. The id is the better witness: the path of a
 * live domain can change, when a toolstack gives its guest another uuid.
 */
static bool another_domain(struct dmop_record_watch *w, const char *dir)
{
	char *unique = store_read(dir, "unique-domain-id");
	char *vm = store_read(dir, "vm");
	bool known = w->unique && unique;
	bool id_changed = identity_changed(&w->unique, unique);
	bool path_changed = identity_changed(&w->vm, vm);

	return known ? id_changed : path_changed;
}

/* UNLISTED: it lives, and XenStore has no directory for it. */
enum verdict { ALIVE, UNLISTED, GONE };

/*
 * Is the domain gone, or does another one have its number? Where the probe reports a dying
 * domain, Xen's answer decides. Elsewhere a mapping of this module may keep a destroyed
 * domain in Xen's list, so a missing directory counts: a toolstack creates it before a
 * device model can serve the domain, and removes it when it destroys the domain. A
 * xenstored without its former contents lacks the directory of domain 0 as well.
 */
static enum verdict check_store(struct dmop_record *record)
{
	char dir[sizeof("/local/domain/65535")];

	if (dmop_hypercall_probe(record->domid) == -ESRCH)
		return GONE;
	if (!READ_ONCE(store_up))
		return ALIVE;

	snprintf(dir, sizeof(dir), "/local/domain/%u", record->domid);
	if (another_domain(&record->watch, dir))
		return GONE;
	if (!store_lacks(dir))
		return ALIVE;
	if (dmop_hypercall_sees_dying(record->domid) || store_lacks("/local/domain/0"))
		return UNLISTED;
	return GONE;
}

static enum verdict check_xen(struct dmop_record *record)
{
	struct dmop_record_watch *w = &record->watch;
	bool dying, changed;
	u64 id;
	int err;

	err = dmop_hypercall_domain_state(record->domid, &id, &dying);
	if (err)
		return err == -ESRCH || dmop_hypercall_probe(record->domid) == -ESRCH ?
		       GONE : ALIVE;

	raw_spin_lock(&dmop_records_lock);
	changed = w->xen_id && w->xen_id != id;
	if (!w->xen_id)
		w->xen_id = id;
	raw_spin_unlock(&dmop_records_lock);

	return dying || changed ? GONE : ALIVE;
}

static bool periodic_check_due(const struct dmop_record_watch *w)
{
	return w->checks_left && time_after_eq(jiffies, w->next_check);
}

static void round_begin(void)
{
	struct dmop_record *record;
	unsigned long events;

	raw_spin_lock(&dmop_records_lock);
	/*
	 * Pairs with the barrier in release_domain(): a record was added before the
	 * round that its RESTRICT requests.
	 */
	smp_mb();
	events = READ_ONCE(dmop_records_events);
	list_for_each_entry(record, &dmop_records, link) {
		struct dmop_record_watch *w = &record->watch;

		if (w->events != events) {
			w->events = events;
			w->checks_left = xen_identifies ? 1 : CHECKS_AFTER_EVENT;
			w->next_check = jiffies;
		}
		w->due = periodic_check_due(w) || w->completed != w->requested;
	}
	raw_spin_unlock(&dmop_records_lock);
}

/* Return: the next record to check in this round, with a reference, or NULL. */
static struct dmop_record *round_next(unsigned long *requested)
{
	struct dmop_record *record;

	raw_spin_lock(&dmop_records_lock);
	list_for_each_entry(record, &dmop_records, link) {
		struct dmop_record_watch *w = &record->watch;

		if (!w->due)
			continue;
		w->due = false;
		if (periodic_check_due(w)) {
			w->checks_left--;
			w->next_check = jiffies + HZ;
		}
		*requested = w->requested;
		refcount_inc(&record->users);
		raw_spin_unlock(&dmop_records_lock);
		return record;
	}
	raw_spin_unlock(&dmop_records_lock);
	return NULL;
}

static void check_end(struct dmop_record *record, enum verdict verdict,
		      unsigned long requested)
{
	raw_spin_lock(&dmop_records_lock);
	if (verdict == GONE)
		dmop_record_die(record);
	record->watch.unlisted = verdict == UNLISTED;
	WRITE_ONCE(record->watch.completed, requested);
	raw_spin_unlock(&dmop_records_lock);
	wake_up_all(&record->checked);

	dmop_record_put(record);
}

static void round_end(void)
{
	struct dmop_record *record;

	raw_spin_lock(&dmop_records_lock);
	list_for_each_entry(record, &dmop_records, link) {
		if (record->watch.checks_left) {
			queue_delayed_work(watch_queue, &round_work, HZ);
			break;
		}
	}
	raw_spin_unlock(&dmop_records_lock);
}

static void watch_round(struct work_struct *work)
{
	struct dmop_record *record;
	unsigned long requested;

	round_begin();
	while ((record = round_next(&requested))) {
		enum verdict verdict = xen_identifies ? check_xen(record) :
							check_store(record);

		check_end(record, verdict, requested);
	}
	round_end();
}

static int check_now(struct dmop_record *record)
{
	if (check_xen(record) == GONE) {
		raw_spin_lock(&dmop_records_lock);
		dmop_record_die(record);
		raw_spin_unlock(&dmop_records_lock);
	}
	return 0;
}

int dmop_watch_check(struct dmop_record *record)
{
	struct dmop_record_watch *w = &record->watch;
	unsigned long request;
	bool unlisted;
	long left;

	if (xen_identifies)
		return check_now(record);
	if (!READ_ONCE(store_up))
		return 0;

	raw_spin_lock(&dmop_records_lock);
	request = ++w->requested;
	if (!record->dead)
		mod_delayed_work(watch_queue, &round_work, 0);
	raw_spin_unlock(&dmop_records_lock);

	left = wait_event_killable_timeout(record->checked,
					   READ_ONCE(record->dead) ||
					   READ_ONCE(w->completed) >= request,
					   CHECK_TIMEOUT);
	if (left <= 0)
		return left ? -EINTR : 0;

	raw_spin_lock(&dmop_records_lock);
	unlisted = w->unlisted;
	raw_spin_unlock(&dmop_records_lock);
	return unlisted ? -ESRCH : 0;
}

/*
 * A domain shut down or was destroyed; XenStore does not name it. This runs in the
 * thread that serves the watches of the whole kernel, so it takes no lock of this
 * module.
 */
static void release_domain(struct xenbus_watch *watch, const char *path,
			   const char *token)
{
	WRITE_ONCE(dmop_records_events, dmop_records_events + 1);
	/*
	 * If the list is still empty, the round requested by the next RESTRICT finds the
	 * event. (Where Xen identifies domains, RESTRICT itself finds the end of the
	 * domain.) Pairs with the barrier in round_begin().
	 */
	smp_mb();
	if (!list_empty(&dmop_records))
		mod_delayed_work(watch_queue, &round_work, 0);
}

static struct xenbus_watch release_watch = {
	.node = "@releaseDomain",
	.callback = release_domain,
};

domid_t dmop_own_domid(void)
{
	return READ_ONCE(own_domid);
}

bool dmop_watch_own_target(unsigned int *domid)
{
	return READ_ONCE(store_up) &&
	       xenbus_scanf(XBT_NIL, "target", "", "%u", domid) == 1;
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

int dmop_watch_init(void)
{
	u64 id;
	bool dying;

	/* Only the initial domain may ask. An older Xen refuses. */
	xen_identifies = xen_initial_domain() &&
			 !dmop_hypercall_domain_state(dmop_own_domid(), &id, &dying);

	watch_queue = alloc_workqueue("dmop_watch", WQ_UNBOUND, 0);
	if (!watch_queue)
		return -ENOMEM;
	register_xenstore_notifier(&store_notifier);
	return 0;
}

void dmop_watch_exit(void)
{
	unregister_xenstore_notifier(&store_notifier);
	if (watching)
		unregister_xenbus_watch(&release_watch);
	cancel_delayed_work_sync(&round_work);
	destroy_workqueue(watch_queue);
}
