// SPDX-License-Identifier: GPL-2.0
/*
 * pool.c - empty pages, allocated and freed by a worker
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

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

/* Ordered: one request after the other. So the numbers below need no lock. */
static struct workqueue_struct *pool_queue;

/* The empty pages of all files, and of all pins. */
static unsigned long empty_pages;

/*
 * @users: the file, and its arrays of pages
 * @pages: the empty pages of the file
 */
struct dmop_share {
	refcount_t users;
	unsigned long pages;
};

/* Arrays without a user. */
static LLIST_HEAD(unused);

struct dmop_share *dmop_share_create(void)
{
	struct dmop_share *share = kzalloc(sizeof(*share), GFP_KERNEL_ACCOUNT);

	if (share)
		refcount_set(&share->users, 1);
	return share;
}

void dmop_share_put(struct dmop_share *share)
{
	if (share && refcount_dec_and_test(&share->users))
		kfree(share);
}

/* @nr: negative after a free */
static void count(const struct dmop_pages *pages, long nr)
{
	empty_pages += nr;
	if (pages->share)
		pages->share->pages += nr;
}

static void free_unused(void)
{
	struct dmop_pages *pages, *next;

	llist_for_each_entry_safe(pages, next, llist_del_all(&unused), node) {
		if (!pages->err) {
			xen_free_unpopulated_pages(pages->nr, pages->page);
			count(pages, -(long)pages->nr);
		}
		dmop_share_put(pages->share);
		kvfree(pages);
		cond_resched();
	}
}

static void free_unused_work(struct work_struct *work)
{
	free_unused();
}

/* One work item for all arrays, however many a process had. */
static DECLARE_WORK(free_work, free_unused_work);

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

/* One limit for all: the line is about the host, and names no process. */
static void warn(unsigned long max)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL, 1);

	if (___ratelimit(&limit, KBUILD_MODNAME ": refused mappings"))
		pr_warn("mapping refused: device models would use more than max_empty_pages (%lu) pages, or one of them more than half of those left; raise that parameter if dom0 has the memory\n",
			max);
}

/* A file leaves to all others as many pages as it has, so that no file can use up all. */
static int check_share(const struct dmop_pages *pages)
{
	unsigned long max = READ_ONCE(dmop_max_empty_pages), of_file;

	if (!pages->share)
		return 0;
	of_file = pages->share->pages + pages->nr;
	if (of_file > pages->max)
		return -E2BIG;
	if (empty_pages + pages->nr + of_file > max) {
		warn(max);
		return -ENOMEM;
	}
	return 0;
}

static int pages_alloc(struct dmop_pages *pages)
{
	int err;

	/* The caller was killed. */
	if (refcount_read(&pages->users) == 1)
		return -EINTR;
	/* Only pages in use are to count. */
	free_unused();
	err = check_share(pages);
	if (!err)
		err = xen_alloc_unpopulated_pages(pages->nr, pages->page);
	if (!err)
		count(pages, pages->nr);
	return err;
}

static void pages_alloc_work(struct work_struct *work)
{
	struct dmop_pages *pages = container_of(work, struct dmop_pages, work);

	pages->err = pages_alloc(pages);
	complete(&pages->done);
	dmop_pool_put(pages);
}

struct dmop_pages *dmop_pool_alloc(struct dmop_share *share, unsigned int nr, u64 max)
{
	struct dmop_pages *pages;
	int err;

	pages = kvmalloc(struct_size(pages, page, nr),
			 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pages)
		return ERR_PTR(-ENOMEM);

	INIT_WORK(&pages->work, pages_alloc_work);
	init_completion(&pages->done);
	refcount_set(&pages->users, 2);
	pages->nr = nr;
	pages->max = max;
	pages->share = share;
	if (share)
		refcount_inc(&share->users);
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
	pool_queue = alloc_ordered_workqueue("dmop_pool", 0);
	return pool_queue ? 0 : -ENOMEM;
}

void dmop_pool_exit(void)
{
	/* A worker may queue the last free while the queue is drained. */
	destroy_workqueue(pool_queue);
}
