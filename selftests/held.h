/* SPDX-License-Identifier: GPL-2.0 */
/*
 * held.h - set-up of the held programs: a file, a server on both domains, a page to hold a call on
 */
#ifndef DMOP_TEST_HELD_H
#define DMOP_TEST_HELD_H

#include "hold.h"

#define SERVER_PORT	0x100

struct world {
	int fd;
	int observer;		/* unbound, privileged, from an open() of its own */
	long server;		/* the same id on both domains, so an operation fits either */
	struct hold hold;
};

static inline void world_setup(struct __test_metadata *const _metadata, struct world *w,
			       bool bound)
{
	w->observer = dmop_open();
	ASSERT_LE(0, w->observer);
	w->server = ioreq_create_on_both(w->observer);
	ASSERT_LE(0, w->server);
	w->fd = bound ? dmop_open_bound(target_domid) : dmop_open();
	ASSERT_LE(0, w->fd);
	ASSERT_EQ(0, hold_init(&w->hold));
}

static inline void world_teardown(struct world *w)
{
	ioreq_destroy_all(w->observer, target_domid);
	ioreq_destroy_all(w->observer, other_domid);
	hold_exit(&w->hold);
	close(w->fd);
	close(w->observer);
}

/* Return: 1 if the port is mapped to the server of the domain, 0 if not, or minus the errno. */
static inline long mapped(struct world *w, __u16 domid, __u64 port)
{
	return ports_mapped(w->observer, domid, w->server, port, port);
}

#endif /* DMOP_TEST_HELD_H */
