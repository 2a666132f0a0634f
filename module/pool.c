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
#include <linux/spinlock.h>
#include <xen/xen.h>

#include "limits.h"
#include "pool.h"

static struct workqueue_struct *pool_queue;

/*
 * Protects both numbers of pages. A raw spinlock, whose holder is not preempted: every file needs
 * it. No other lock is taken under it.
 */
static DEFINE_RAW_SPINLOCK(pool_lock);

/* The empty pages of all files, and of all frames mapped in the kernel. */
static unsigned long empty_pages;

/*
 * @users: the file, and its arrays of pages
 * @pages: the empty pages of the file: those of its areas, and those of closed areas and of
 *         killed callers until the worker has freed them
 */
struct dmop_share {
	refcount_t users;
	unsigned long pages;
};

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

/*
 * Counts pages before they are allocated, so the work in the queue is bounded, too. A file leaves to
 * all others as many pages as it has, so that no file can use up all.
 */
static int reserve(struct dmop_share *share, unsigned int nr, u64 max)
{
	unsigned long of_file = nr;
	int err = 0;

	raw_spin_lock(&pool_lock);
	if (share)
		of_file += share->pages;
	if (of_file > max) {
		err = -E2BIG;
	} else if (share && empty_pages + nr + of_file > READ_ONCE(dmop_max_empty_pages)) {
		err = -ENOMEM;
	} else {
		empty_pages += nr;
		if (share)
			share->pages = of_file;
	}
	raw_spin_unlock(&pool_lock);
	return err;
}

static void unreserve(struct dmop_share *share, unsigned int nr)
{
	raw_spin_lock(&pool_lock);
	empty_pages -= nr;
	if (share)
		share->pages -= nr;
	raw_spin_unlock(&pool_lock);
}

/*
 * The kernel has one lock for all empty pages, and holds it for as long as it works on a request. So
 * a worker asks for a part at a time, also if a device model maps all of a large guest at once.
 */
#define PART	32768U

static void free_parts(struct dmop_pages *pages, unsigned int nr)
{
	unsigned int done, part;

	for (done = 0; done < nr; done += part) {
		part = min(nr - done, PART);
		xen_free_unpopulated_pages(part, pages->page + done);
		cond_resched();
	}
}

/* Return: 0; or -EINTR: the caller was killed, and no other user is left; or another error. */
static int alloc_parts(struct dmop_pages *pages)
{
	unsigned int done, part;
	int err = 0;

	for (done = 0; done < pages->nr; done += part) {
		part = min(pages->nr - done, PART);
		err = -EINTR;
		if (refcount_read(&pages->users) > 1)
			err = xen_alloc_unpopulated_pages(part, pages->page + done);
		if (err)
			break;
		cond_resched();
	}
	if (err)
		free_parts(pages, done);
	return err;
}

/* One worker frees, however many areas a process had: an allocation is not to queue behind it. */
static void free_unused(struct work_struct *work);
static DECLARE_WORK(free_work, free_unused);
static LLIST_HEAD(unused);

static void free_unused(struct work_struct *work)
{
	struct dmop_pages *pages, *next;

	llist_for_each_entry_safe(pages, next, llist_del_all(&unused), node) {
		if (!pages->err)
			free_parts(pages, pages->nr);
		unreserve(pages->share, pages->nr);
		dmop_share_put(pages->share);
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

	pages->err = alloc_parts(pages);
	complete(&pages->done);
	dmop_pool_put(pages);
}

/* One limit for all: the line is about the host, and names no process. */
static void warn(void)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL, 1);

	if (___ratelimit(&limit, KBUILD_MODNAME ": refused mappings"))
		pr_warn("mapping refused: device models would use more than max_empty_pages (%u) pages, or one of them more than half of those left; raise that parameter if dom0 has the memory\n",
			READ_ONCE(dmop_max_empty_pages));
}

struct dmop_pages *dmop_pool_alloc(struct dmop_share *share, unsigned int nr, u64 max)
{
	struct dmop_pages *pages;
	int err = reserve(share, nr, max);

	if (err == -ENOMEM)
		warn();
	if (err)
		return ERR_PTR(err);
	pages = kvmalloc(struct_size(pages, page, nr),
			 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pages) {
		unreserve(share, nr);
		return ERR_PTR(-ENOMEM);
	}

	INIT_WORK(&pages->work, pages_alloc);
	init_completion(&pages->done);
	refcount_set(&pages->users, 2);
	pages->nr = nr;
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
	pool_queue = alloc_workqueue("dmop_pool", WQ_UNBOUND, 0);
	return pool_queue ? 0 : -ENOMEM;
}

void dmop_pool_exit(void)
{
	/* A worker may queue the last free while the queue is drained. */
	destroy_workqueue(pool_queue);
}
