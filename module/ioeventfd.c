// SPDX-License-Identifier: GPL-2.0
/*
 * ioeventfd.c - kicks of ioreq servers whose event channels a process has bound
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/mutex.h>

#include "event.h"
#include "file.h"
#include "kicks.h"
#include "serve.h"

static bool has_ports(const struct dmop_server *server, unsigned int vcpus, const u32 *ports)
{
	unsigned int i;

	if (server->vcpus != vcpus)
		return false;
	for (i = 0; i < vcpus; i++)
		if (server->ports[i].local != ports[i])
			return false;
	return true;
}

/* @added: out: the server was not there before */
static int share(struct dmop_file *f, u32 id, unsigned int vcpus, const u32 *ports, bool *added)
{
	struct dmop_server *server = dmop_server_find(&f->events, id);
	int err;

	*added = !server || !dmop_server_served(server);
	if (*added) {
		err = dmop_server_add(f, id, vcpus, NULL, ports);
		*added = !err;
		return err;
	}
	if (server->rest)
		return -EBUSY;
	return has_ports(server, vcpus, ports) ? 0 : -EINVAL;
}

static int assign(struct dmop_file *f, u32 id, unsigned int vcpus, const u32 *ports,
		  const struct dmop_kick_entry *e)
{
	struct dmop_events *events = &f->events;
	bool added;
	int err;

	if (dmop_kick_of(events, e->space, e->eventfd))
		return -EBUSY;
	err = share(f, id, vcpus, ports, &added);
	if (err)
		return err;
	/* The caller was killed before it was. */
	if (!dmop_server_served(dmop_server_find(events, id)))
		return -EINTR;
	err = dmop_kick_add(events, e);
	/* If this is killed, the next caller ends the server, or close. */
	if (err && added)
		dmop_server_end(events, dmop_server_find(events, id));
	return err;
}

int dmop_ioeventfd_assign(struct dmop_file *f, u32 id, unsigned int vcpus, const u32 *ports,
			  const struct dmop_kick_entry *e)
{
	int err;

	if (mutex_lock_killable(&f->events.lock))
		return -EINTR;
	err = assign(f, id, vcpus, ports, e);
	mutex_unlock(&f->events.lock);
	return err;
}

/* A server that is shared lives for its kicks. If this is killed, close ends the server. */
static void end_unused(struct dmop_events *events, u32 id)
{
	struct dmop_server *server = dmop_server_find(events, id);

	if (server && !server->rest && !dmop_kick_of(events, dmop_kicks_space(id, false), NULL))
		dmop_server_end(events, server);
}

/* @e: out: the kick. Return: as dmop_kick_unlink() */
static struct dmop_kick_table *deassign(struct dmop_events *events, u32 id,
					const struct eventfd_ctx *eventfd,
					struct dmop_kick_entry *e)
{
	const struct dmop_kick_entry *found;
	struct dmop_kick_table *old;

	found = dmop_kick_of(events, dmop_kicks_space(id, false), eventfd);
	if (!found)
		return ERR_PTR(-ENODEV);
	*e = *found;
	old = dmop_kick_unlink(events, e);
	if (!IS_ERR(old))
		end_unused(events, id);
	return old;
}

int dmop_ioeventfd_deassign(struct dmop_file *f, u32 id, const struct eventfd_ctx *eventfd)
{
	struct dmop_kick_table *old;
	struct dmop_kick_entry e;

	if (mutex_lock_killable(&f->events.lock))
		return -EINTR;
	old = deassign(&f->events, id, eventfd, &e);
	mutex_unlock(&f->events.lock);
	if (IS_ERR(old))
		return PTR_ERR(old);
	dmop_kick_drop(old, e.eventfd);
	return 0;
}
