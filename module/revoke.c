// SPDX-License-Identifier: GPL-2.0
/*
 * revoke.c - the order in which everything of a dead domain ends
 */
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

#include "area.h"
#include "event.h"
#include "file.h"
#include "record.h"
#include "revoke.h"
#include "trace.h"

/*
 * Return: the first file of @from, moved to @to, with a reference; or NULL. The lock is
 * not kept: a close or a RESTRICT needs it, and the work on a file may take long.
 */
static struct dmop_file *next_file(struct dmop_record *record,
				   struct list_head *from, struct list_head *to)
{
	struct dmop_file *f;

	raw_spin_lock(&record->lock);
	f = list_first_entry_or_null(from, struct dmop_file, link);
	if (f) {
		list_del_init(&f->link);
		if (to)
			list_add_tail(&f->link, to);
		refcount_inc(&f->users);
	}
	raw_spin_unlock(&record->lock);
	return f;
}

static void wake_pollers(struct dmop_record *record, struct list_head *woken)
{
	struct dmop_file *f;

	while ((f = next_file(record, &record->files, woken))) {
		wake_up_poll(&f->wait, EPOLLHUP | EPOLLERR);
		dmop_file_put(f);
	}
}

/* Moves a file that would have to be waited for to @late, if it is still open. */
static bool put_off(struct dmop_record *record, struct dmop_file *f,
		    struct list_head *late)
{
	if (!late || !dmop_maps_busy(&f->maps))
		return false;
	raw_spin_lock(&record->lock);
	if (!list_empty(&f->link))
		list_move_tail(&f->link, late);
	raw_spin_unlock(&record->lock);
	return true;
}

static unsigned int take_mappings(struct dmop_record *record, struct list_head *from,
				  struct list_head *late, struct list_head *taken)
{
	unsigned int files = 0;
	struct dmop_file *f;

	while ((f = next_file(record, from, taken))) {
		if (!put_off(record, f, late)) {
			dmop_maps_take(&f->maps);
			files++;
		}
		dmop_file_put(f);
	}
	return files;
}

static void release_pages(struct dmop_record *record, struct list_head *taken)
{
	struct dmop_file *f;

	while ((f = next_file(record, taken, NULL))) {
		dmop_maps_release(&f->maps);
		dmop_file_put(f);
	}
}

/*
 * Revocation:
 *
 *  1. The record was marked dead: no further call enters Xen for it.
 *  2. Pollers are woken.
 *  3. The mappings of every file are unmapped. This waits for no call: a mapping call
 *     in progress unmaps its own last frames. Files whose address space is locked by
 *     an mmap() or munmap() in progress come last.
 *  4. The calls in progress are waited for: dm_ops and mapping calls.
 *  5. The empty pages are freed.
 *  6. The event channels and the page of each ioreq server that is served are released. Their
 *     interrupts do nothing since step 1. This needs locks of the kernel that others may hold.
 *  7. The pin is released, and with it the last hold on the domain: Xen may give its
 *     number to another domain. No call is left that could reach that one.
 *  8. The reference is dropped. The files keep theirs until they are closed.
 *
 * Without a pin the last mapping to go may free the number, so then steps 4 and 6 come first.
 * Else it comes after step 3: a caller can make Xen work for long, and the memory of the
 * domain is not to wait for that.
 */
void dmop_revoke(struct work_struct *work)
{
	struct dmop_record *record =
		container_of(work, struct dmop_record, revoke);
	LIST_HEAD(woken);
	LIST_HEAD(late);
	LIST_HEAD(last);
	LIST_HEAD(taken);
	unsigned int files;

	wake_pollers(record, &woken);
	if (!dmop_record_pinned(record)) {
		dmop_record_synchronize(record);
		dmop_serve_revoke(record);
	}
	files = take_mappings(record, &woken, &late, &taken);
	/* Those that were locked for a moment only are not to wait for one that is starved. */
	files += take_mappings(record, &late, &last, &taken);
	files += take_mappings(record, &last, NULL, &taken);
	trace_dmop_revoke(record->domid, files);
	dmop_record_synchronize(record);
	release_pages(record, &taken);
	dmop_serve_revoke(record);
	dmop_record_unpin(record);
	dmop_record_put(record);
}
