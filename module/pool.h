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

/*
 * Empty pages: page structures with no memory behind them. An auto-translated dom0
 * places foreign frames at them.
 *
 * @work:   allocates the pages
 * @node:   in the list of those to free
 * @done:   @err is valid
 * @users:  the area or pin, the allocation in progress, and callers that remove frames;
 *          the last put frees
 * @nr:     their number
 * @err:    result of the allocation
 * @page:   the pages
 */
struct dmop_pages {
	struct work_struct work;
	struct llist_node node;
	struct completion done;
	refcount_t users;
	unsigned int nr;
	int err;
	struct page *page[];
};

/**
 * dmop_pool_reserve() - count empty pages before they are allocated
 * @nr:  their number, at least 1
 * @max: at most so many at once, with those of all other callers
 *
 * Context: any; short.
 *
 * Return: 0, or -ENOMEM if there would be more than @max.
 */
int dmop_pool_reserve(unsigned int nr, unsigned long max);

/**
 * dmop_pool_warn() - log that a mapping was refused for want of empty pages
 *
 * Context: process context. One line in five seconds, for all callers together.
 */
void dmop_pool_warn(void);

/**
 * dmop_pool_alloc() - allocate reserved pages
 * @nr:  their number
 *
 * The kernel's allocator holds a lock that every user of empty pages needs, so a
 * worker calls it. The array is charged to the caller. The pages themselves are kernel
 * memory that is charged to nobody. The reservation ends with the pages, or with a failure.
 *
 * Context: process context; waits, killably, for the worker.
 *
 * Return: the pages, or ERR_PTR of
 *  -ENOMEM no memory
 *  -EINTR  the caller is being killed
 *  another errno of the kernel's allocator
 */
struct dmop_pages *dmop_pool_alloc(unsigned int nr);

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
