/* SPDX-License-Identifier: GPL-2.0 */
/*
 * serve.h - an ioreq server whose requests the kernel receives
 */
#ifndef DMOP_SERVE_H
#define DMOP_SERVE_H

#include <linux/completion.h>
#include <linux/eventfd.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>

struct dmop_events;
struct dmop_file;
struct dmop_frame;

/*
 * The event channel of a virtual processor.
 *
 * @bound:  @irq and @local are valid
 * @local:  its port in this domain; of a shared one, valid from the start
 * @closing: no event is handled any more
 * @queued: it is in dmop_record_serving.late, or about to be
 * @late:   there
 */
struct dmop_port {
	struct dmop_server *server;
	unsigned int irq;
	evtchn_port_t local;
	bool bound;
	bool closing;
	bool queued;
	struct llist_node late;
};

/*
 * What a worker has to do with a server. The kernel's functions for it hold locks that the whole
 * kernel needs, and a caller may be starved there.
 *
 * @node: in dmop_record_serving.requests until then
 * @end:  to end it, not to set it up
 * @done: it is done
 */
struct dmop_serve_request {
	struct llist_node node;
	struct dmop_server *server;
	bool end;
	struct completion done;
};

/*
 * An ioreq server that is served.
 *
 * @link:   in dmop_events.servers
 * @in_record: in dmop_record_serving.servers while it is set up
 * @file:   the open file. It is bound, and ends after this.
 * @rest:   with a reference; or NULL: the event channels are shared with a process that has bound
 *          them and receives the rest
 * @late_queue: of dmop_record_serving.late_work
 * @set_up, @end: once each, in this order
 * @err:    0, or why it is not served; valid when @set_up is done
 * @ending: @end was requested
 * @given_up: its caller was killed while it waited for @set_up
 * @frame:  the page of requests
 * @name:   of the interrupts
 */
struct dmop_server {
	struct list_head link;
	struct list_head in_record;
	struct dmop_file *file;
	struct eventfd_ctx *rest;
	u32 id;
	unsigned int vcpus;
	struct workqueue_struct *late_queue;
	struct dmop_serve_request set_up;
	struct dmop_serve_request end;
	int err;
	bool ending;
	bool given_up;
	struct dmop_frame *frame;
	char name[16];
	struct dmop_port ports[];
};

/**
 * dmop_server_find() - find a server of a file
 * @events: of the file
 * @id:     the server
 *
 * Context: process context; @events->lock is held, as for the next three.
 *
 * Return: the server, or NULL.
 */
struct dmop_server *dmop_server_find(struct dmop_events *events, u32 id);

/**
 * dmop_server_served() - is a server set up?
 * @server: the server
 *
 * Return: true if so.
 */
bool dmop_server_served(struct dmop_server *server);

/**
 * dmop_server_add() - dmop_serve_begin() for a holder of the lock
 * @f:     a bound file
 * @id:    the server
 * @vcpus: number of virtual processors
 * @rest:  as for dmop_serve_begin(); or NULL: the event channels are shared
 * @ports: the shared ones, or NULL
 *
 * Return: as dmop_serve_begin(); or, with @ports, -EPERM: see dmop_ioeventfd_assign().
 */
int dmop_server_add(struct dmop_file *f, u32 id, unsigned int vcpus, struct eventfd_ctx *rest,
		    const evtchn_port_t *ports);

/**
 * dmop_server_end() - end a server, and free it
 * @events: of its file
 * @server: the server
 *
 * Return: 0; or -EINTR: the caller is being killed. The next one waits for the end, or close.
 */
int dmop_server_end(struct dmop_events *events, struct dmop_server *server);

/**
 * dmop_ports_open() - bind the event channels of a server
 * @server: its @file, @rest, @id, @vcpus and @late_queue are set
 * @domid:  of the record of its file
 *
 * Events can happen before this returns, also if it fails.
 *
 * Context: a worker.
 *
 * Return: 0; or
 *  -ENOMEM no memory
 *  -EPERM  a shared event channel is not that of the server, or no process has bound it
 *  another errno of Xen
 */
int dmop_ports_open(struct dmop_server *server, domid_t domid);

/**
 * dmop_ports_stop() - handle no more events of a server
 * @server: the server
 *
 * Events in progress go on. So that dmop_ports_close() waits for few.
 *
 * Context: any.
 */
void dmop_ports_stop(struct dmop_server *server);

/**
 * dmop_ports_close() - close the event channels of a server
 * @server: as dmop_ports_open() left it
 *
 * When it returns, no event of the server is in progress.
 *
 * Context: a worker.
 */
void dmop_ports_close(struct dmop_server *server);

#endif /* DMOP_SERVE_H */
