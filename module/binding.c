// SPDX-License-Identifier: GPL-2.0
/*
 * binding.c - the state of an open file, and the domain record it points at
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include <xen/dmop.h>

#include "binding.h"
#include "hypercall.h"
#include "policy.h"

/*
 * The records that can be bound to: those that are not dead. Only RESTRICT, the
 * last close of a record and its death come here; nothing is allocated and no
 * user memory is touched under the lock.
 */
static LIST_HEAD(records);
static DEFINE_MUTEX(records_lock);

static struct dmop_record *record_find(domid_t domid)
{
	struct dmop_record *record;

	lockdep_assert_held(&records_lock);

	list_for_each_entry(record, &records, link)
		if (dmop_policy_same_target(record->domid, domid))
			return record;
	return NULL;
}

static void record_die(struct dmop_record *record)
{
	lockdep_assert_held(&records_lock);

	if (record->dead)
		return;
	WRITE_ONCE(record->dead, true);
	list_del_init(&record->link);
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
	kfree(record);
}

/*
 * The probe comes first: some operations answer ESRCH for a live domain, and
 * such a call has no business with the lock.
 */
void dmop_record_check(struct dmop_record *record)
{
	if (READ_ONCE(record->dead) ||
	    dmop_hypercall_probe(record->domid) != -ESRCH)
		return;

	mutex_lock(&records_lock);
	record_die(record);
	mutex_unlock(&records_lock);
}

struct dmop_file *dmop_file_create(struct file *filp)
{
	struct dmop_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return NULL;
	init_rwsem(&f->unbound);
	dmop_maps_init(&f->maps, filp);
	return f;
}

void dmop_file_destroy(struct dmop_file *f)
{
	if (f->record)
		record_put(f->record);
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

int dmop_file_restrict(struct dmop_file *f, domid_t domid)
{
	struct dmop_record *record;
	int err = 0;

	if (down_write_killable(&f->unbound))
		return -EINTR;

	if (f->record) {
		err = -EAGAIN;
		goto unlock;
	}
	if (dmop_maps_hold_other(&f->maps, domid)) {
		err = -EBUSY;
		goto unlock;
	}

	record = record_get(domid);
	if (IS_ERR(record)) {
		err = PTR_ERR(record);
		goto unlock;
	}

	/* Pairs with the acquire in dmop_file_record(). */
	smp_store_release(&f->record, record);
unlock:
	up_write(&f->unbound);
	return err;
}
