// SPDX-License-Identifier: GPL-2.0
/*
 * binding.c - the state of an open file, and the domain record it points at
 */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <xen/dmop.h>

#include "binding.h"
#include "hypercall.h"

/*
 * The live records by domid. Only RESTRICT, the last close of a record and
 * revocation come here.
 */
static DEFINE_XARRAY_FLAGS(records, XA_FLAGS_ACCOUNT);
static DEFINE_MUTEX(records_lock);

/* Takes @record out of the table; a record is in it as long as it is not dead. */
static void record_revoke(struct dmop_record *record)
{
	lockdep_assert_held(&records_lock);

	if (record->dead)
		return;
	WRITE_ONCE(record->dead, true);
	xa_erase(&records, record->domid);
}

static struct dmop_record *record_create(domid_t domid)
{
	struct dmop_record *record;
	int err;

	lockdep_assert_held(&records_lock);

	record = kzalloc(sizeof(*record), GFP_KERNEL_ACCOUNT);
	if (!record)
		return ERR_PTR(-ENOMEM);

	refcount_set(&record->users, 1);
	record->domid = domid;

	err = xa_err(xa_store(&records, domid, record, GFP_KERNEL_ACCOUNT));
	if (err) {
		kfree(record);
		return ERR_PTR(err);
	}
	return record;
}

/*
 * The probe is made under the lock: a record that is found dead here leaves
 * the table before anyone can bind to it.
 */
static struct dmop_record *record_get(domid_t domid)
{
	struct dmop_record *record;

	mutex_lock(&records_lock);
	record = xa_load(&records, domid);
	if (dmop_hypercall_probe(domid) == -ESRCH) {
		if (record)
			record_revoke(record);
		record = ERR_PTR(-ESRCH);
	} else if (record) {
		refcount_inc(&record->users);
	} else {
		record = record_create(domid);
	}
	mutex_unlock(&records_lock);

	return record;
}

static void record_put(struct dmop_record *record)
{
	if (!refcount_dec_and_mutex_lock(&record->users, &records_lock))
		return;
	record_revoke(record);
	mutex_unlock(&records_lock);
	kfree(record);
}

void dmop_record_check(struct dmop_record *record)
{
	mutex_lock(&records_lock);
	if (dmop_hypercall_probe(record->domid) == -ESRCH)
		record_revoke(record);
	mutex_unlock(&records_lock);
}

struct dmop_file *dmop_file_create(void)
{
	struct dmop_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (f)
		init_rwsem(&f->unbound);
	return f;
}

void dmop_file_destroy(struct dmop_file *f)
{
	if (f->record)
		record_put(f->record);
	kfree(f);
}

int dmop_file_enter(struct dmop_file *f, struct dmop_record **record)
{
	*record = dmop_file_record(f);
	if (likely(*record))
		return 0;

	if (down_read_killable(&f->unbound))
		return -EINTR;

	/* Bound while this call waited: then it needs no lock. */
	*record = f->record;
	if (*record)
		up_read(&f->unbound);
	return 0;
}

void dmop_file_leave(struct dmop_file *f, struct dmop_record *record)
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

void dmop_binding_exit(void)
{
	xa_destroy(&records);
}
