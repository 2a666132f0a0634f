// SPDX-License-Identifier: GPL-2.0
/*
 * pool.c - empty pages, allocated and freed by a worker
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/llist.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "limits.h"
#include "pool.h"

static struct workqueue_struct *pool_queue;

/* The empty pages of all files, and of all pins. */
static atomic_long_t empty_pages;

/* One worker frees, however many areas a process had: an allocation is not to queue behind it. */
static void free_unused(struct work_struct *work);
static DECLARE_WORK(free_work, free_unused);
static LLIST_HEAD(unused);

static void free_unused(struct work_struct *work)
{
	struct dmop_pages *pages, *next;

	llist_for_each_entry_safe(pages, next, llist_del_all(&unused), node) {
		if (!pages->err)
			xen_free_unpopulated_pages(pages->nr, pages->page);
		atomic_long_sub(pages->nr, &empty_pages);
		kvfree(pages);
		cond_resched();
	}
}

void dmop_pool_get(struct dmop_pages *pages)
{
	if (pages)
		refcount_inc(&pages->users);
}

void dmop_pool_put(struct dmop_pages *pages)
{
	if (!pages || !refcount_dec_and_test(&pages->users))
		return;
	llist_add(&pages->node, &unused);
	/* Also if the list was not empty: the caller that made it so may be starved before this. */
	queue_work(pool_queue, &free_work);
}

static void pages_alloc(struct work_struct *work)
{
	struct dmop_pages *pages = container_of(work, struct dmop_pages, work);

	pages->err = xen_alloc_unpopulated_pages(pages->nr, pages->page);
	complete(&pages->done);
	dmop_pool_put(pages);
}

/* One limit for all: the line is about the host, and names no process. */
void dmop_pool_warn(void)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL, 1);

	if (___ratelimit(&limit, KBUILD_MODNAME ": refused mappings"))
		pr_warn("mapping refused: device models would use more than max_empty_pages (%u) pages, or one of them more than half of those left; raise that parameter if dom0 has the memory\n",
			READ_ONCE(dmop_max_empty_pages));
}

/* Never counts pages that will not be allocated: the caller may be starved anywhere. */
int dmop_pool_reserve(unsigned int nr, unsigned long max)
{
	long used = atomic_long_read(&empty_pages);

	do {
		if (used + nr > max)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(&empty_pages, &used, used + nr));
	return 0;
}

struct dmop_pages *dmop_pool_alloc(unsigned int nr)
{
	struct dmop_pages *pages;
	int err;

	pages = kvmalloc(struct_size(pages, page, nr),
			 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pages) {
		atomic_long_sub(nr, &empty_pages);
		return ERR_PTR(-ENOMEM);
	}

	INIT_WORK(&pages->work, pages_alloc);
	init_completion(&pages->done);
	refcount_set(&pages->users, 2);
	pages->nr = nr;
	queue_work(pool_queue, &pages->work);

	err = wait_for_completion_killable(&pages->done) ? -EINTR : pages->err;
	if (err) {
		dmop_pool_put(pages);
		return ERR_PTR(err);
	}
	return pages;
}

/*
 * Xen gives a dom0 room for the frames of its memory, and for 1024 frames more for each MiB
 * of it; part of that room is in use. With twice its memory one file alone may have as many
 * pages as dom0 has.
 */
int dmop_pool_init(void)
{
	if (!dmop_max_empty_pages)
		dmop_max_empty_pages = min_t(unsigned long, 2 * totalram_pages(), UINT_MAX);
	pool_queue = alloc_workqueue("dmop_pool", WQ_UNBOUND, 0);
	return pool_queue ? 0 : -ENOMEM;
}

void dmop_pool_exit(void)
{
	/* A worker may queue the last free while the queue is drained. */
	destroy_workqueue(pool_queue);
}
