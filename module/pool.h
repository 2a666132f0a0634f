/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pool.h - empty pages, allocated and freed by a worker
 */
#ifndef DMOP_POOL_H
#define DMOP_POOL_H

#include <linux/completion.h>
#include <linux/llist.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/* The empty pages of one file. */
struct dmop_share;

/*
 * Empty pages: page structures with no memory behind them. An auto-translated dom0
 * places foreign frames at them.
 *
 * @work:   allocates the pages
 * @node:   in the list of those to free
 * @done:   @err is valid
 * @users:  the area or frame, the allocation in progress, and callers that remove frames;
 *          the last put frees
 * @share:  of the file; NULL: of no file
 * @nr:     their number
 * @err:    result of the allocation
 * @page:   the pages
 */
struct dmop_pages {
	struct work_struct work;
	struct llist_node node;
	struct completion done;
	refcount_t users;
	struct dmop_share *share;
	unsigned int nr;
	int err;
	struct page *page[];
};

/**
 * dmop_share_create() - a file without empty pages
 *
 * Context: process context; may sleep.
 *
 * Return: its share, with one reference; NULL: no memory.
 */
struct dmop_share *dmop_share_create(void);

/**
 * dmop_share_put() - drop a reference
 * @share: the share; freed with the last reference; or NULL
 *
 * Context: process context; may sleep.
 */
void dmop_share_put(struct dmop_share *share);

/**
 * dmop_pool_alloc() - allocate empty pages
 * @share: of the file. NULL: of no file; their number is not limited
 * @nr:    their number, at least 1
 * @max:   the file may have so many
 *
 * The kernel's allocator holds a lock that every user of empty pages needs, so a
 * worker calls it. The array is charged to the caller. The pages themselves are kernel
 * memory that is charged to nobody: max_empty_pages limits their number, and @share counts
 * them until they are freed. The kernel's log tells if that limit is reached, with one line
 * in five seconds for all callers.
 *
 * Context: process context; waits, killably, for the worker.
 *
 * Return: the pages, or ERR_PTR of
 *  -E2BIG  the file would have more than @max
 *  -ENOMEM no memory; or the file would have more pages than it would leave to others
 *  -EINTR  the caller is being killed
 *  another errno of the kernel's allocator
 */
struct dmop_pages *dmop_pool_alloc(struct dmop_share *share, unsigned int nr, u64 max);

/**
 * dmop_pool_get() - take a reference
 * @pages: the pages, or NULL
 *
 * Context: any; the caller guarantees that another reference exists.
 */
void dmop_pool_get(struct dmop_pages *pages);

/**
 * dmop_pool_put() - drop a reference
 * @pages: for the last one: pages that no frame is placed at and no PTE maps; or NULL
 *
 * Context: any; with the last one a worker frees them later.
 */
void dmop_pool_put(struct dmop_pages *pages);

/**
 * dmop_pool_init() - create the worker
 *
 * Context: module init.
 *
 * Return: 0, or -ENOMEM.
 */
int dmop_pool_init(void);

/**
 * dmop_pool_exit() - wait until all pages are freed
 *
 * Context: module exit; nothing allocates any more.
 */
void dmop_pool_exit(void);

#endif /* DMOP_POOL_H */
