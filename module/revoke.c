// SPDX-License-Identifier: GPL-2.0
/*
 * revoke.c - the order in which everything of a dead domain ends
 */
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/srcu.h>

#include "file.h"
#include "area.h"
#include "record.h"
#include "revoke.h"
#include "trace.h"

static void wake_pollers(struct dmop_record *record)
{
	struct dmop_file *f;

	mutex_lock(&record->lock);
	list_for_each_entry(f, &record->files, link)
		wake_up_poll(&f->wait, EPOLLHUP | EPOLLERR);
	mutex_unlock(&record->lock);
}

/*
 * All files stop before the first loses its mappings: the last mapping to go may
 * free the domain's number, and a mapping call of another file would then reach
 * the next domain of that number.
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
 *  1. The record was marked dead: no further call enters Xen for it.
 *  2. Pollers are woken.
 *  3. Mapping stops in all files: a mapping call in progress either is waited for
 *     or finds the file closed. Then all mappings are unmapped, and with them goes
 *     the last hold on the domain. No process then has anything of the domain;
 *     calls may still be in Xen.
 *  4. Those calls are waited for. Not before step 3: a caller can make Xen work
 *     for long, and Xen aborts that work once the domain is gone.
 *  5. The reference is dropped. The files keep theirs until they are closed.
 */
void dmop_revoke(struct work_struct *work)
{
	struct dmop_record *record =
		container_of(work, struct dmop_record, revoke);

	wake_pollers(record);
	take_mappings(record);
	synchronize_srcu(&record->in_xen);
	dmop_record_put(record);
}
