// SPDX-License-Identifier: GPL-2.0
/*
 * kick.c - the kicks of an open file
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <xen/dmop.h>

#include "event.h"
#include "kicks.h"

/* Never changed: a change replaces it. */
struct dmop_kick_table {
	struct rcu_head rcu;
	struct dmop_kicks kicks;
};

static struct dmop_kick_table *table_of(struct dmop_events *events)
{
	return rcu_dereference_protected(events->kicks, lockdep_is_held(&events->lock));
}

static struct dmop_kick_table *create_table(unsigned int nr)
{
	struct dmop_kick_table *table;

	return kzalloc(sizeof(*table) + nr * sizeof(table->kicks.entries[0]), GFP_KERNEL_ACCOUNT);
}

/* Adds all of them but one, if it is not NULL. */
static void add_all(struct dmop_kick_table *table, const struct dmop_kick_table *from,
		    const struct dmop_kick_entry *but)
{
	unsigned int i;

	for (i = 0; from && i < from->kicks.nr; i++)
		if (&from->kicks.entries[i] != but)
			dmop_kicks_add(&table->kicks, &from->kicks.entries[i]);
}

int dmop_kick_add(struct dmop_events *events, const struct dmop_kick_entry *e)
{
	struct dmop_kick_table *old = table_of(events), *new;
	unsigned int nr = old ? old->kicks.nr : 0, i;

	for (i = 0; i < nr; i++)
		if (dmop_kicks_collide(&old->kicks.entries[i], e))
			return -EEXIST;
	if (nr >= DMOP_KICKS_MAX)
		return -E2BIG;
	new = create_table(nr + 1);
	if (!new)
		return -ENOMEM;
	add_all(new, old, NULL);
	dmop_kicks_add(&new->kicks, e);
	/* Each costs every request a probe. */
	if (new->kicks.nr_shapes > DMOP_KICK_SHAPES_MAX) {
		kfree(new);
		return -E2BIG;
	}
	rcu_assign_pointer(events->kicks, new);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

static bool same(const struct dmop_kick_entry *a, const struct dmop_kick_entry *b)
{
	return a->addr == b->addr && a->match == b->match && a->mask == b->mask &&
	       a->space == b->space && a->len == b->len && a->eventfd == b->eventfd;
}

static const struct dmop_kick_entry *find_same(const struct dmop_kick_table *table,
					       const struct dmop_kick_entry *e)
{
	unsigned int i;

	for (i = 0; table && i < table->kicks.nr; i++)
		if (same(&table->kicks.entries[i], e))
			return &table->kicks.entries[i];
	return NULL;
}

struct dmop_kick_table *dmop_kick_unlink(struct dmop_events *events,
					 const struct dmop_kick_entry *e)
{
	struct dmop_kick_table *old = table_of(events), *new = NULL;
	const struct dmop_kick_entry *found = find_same(old, e);

	if (!found)
		return ERR_PTR(-ENOENT);
	if (old->kicks.nr > 1) {
		new = create_table(old->kicks.nr - 1);
		if (!new)
			return ERR_PTR(-ENOMEM);
		add_all(new, old, found);
	}
	rcu_assign_pointer(events->kicks, new);
	return old;
}

int dmop_kick_assign(struct dmop_events *events, const struct dmop_kick_entry *e)
{
	int err;

	if (mutex_lock_killable(&events->lock))
		return -EINTR;
	err = dmop_kick_add(events, e);
	mutex_unlock(&events->lock);
	return err;
}

void dmop_kick_drop(struct dmop_kick_table *old, struct eventfd_ctx *eventfd)
{
	/* An interrupt may be in the middle of signalling the eventfd. */
	synchronize_rcu();
	kfree(old);
	eventfd_ctx_put(eventfd);
}

int dmop_kick_deassign(struct dmop_events *events, const struct dmop_kick_entry *e)
{
	struct dmop_kick_table *old;

	if (mutex_lock_killable(&events->lock))
		return -EINTR;
	old = dmop_kick_unlink(events, e);
	mutex_unlock(&events->lock);
	if (IS_ERR(old))
		return PTR_ERR(old);
	dmop_kick_drop(old, e->eventfd);
	return 0;
}

const struct dmop_kick_entry *dmop_kick_of(struct dmop_events *events, u32 space,
					   const struct eventfd_ctx *eventfd)
{
	const struct dmop_kick_table *table = table_of(events);
	unsigned int i;

	for (i = 0; table && i < table->kicks.nr; i++) {
		const struct dmop_kick_entry *e = &table->kicks.entries[i];

		if (e->space == space && (!eventfd || e->eventfd == eventfd))
			return e;
	}
	return NULL;
}

struct eventfd_ctx *dmop_kick_find(struct dmop_events *events, u32 space, u64 addr, u32 size,
				   u64 data)
{
	const struct dmop_kick_table *table = rcu_dereference(events->kicks);
	const struct dmop_kick_entry *e = NULL;

	if (table)
		e = dmop_kicks_find(&table->kicks, space, addr, size, data);
	return e ? e->eventfd : NULL;
}

unsigned int dmop_kick_number(struct dmop_events *events)
{
	const struct dmop_kick_table *table;
	unsigned int nr;

	rcu_read_lock();
	table = rcu_dereference(events->kicks);
	nr = table ? table->kicks.nr : 0;
	rcu_read_unlock();
	return nr;
}

void dmop_kick_end(struct dmop_events *events)
{
	struct dmop_kick_table *table = rcu_dereference_protected(events->kicks, true);
	unsigned int i;

	for (i = 0; table && i < table->kicks.nr; i++)
		eventfd_ctx_put(table->kicks.entries[i].eventfd);
	kfree(table);
}
