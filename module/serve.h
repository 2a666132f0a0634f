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

struct dmop_file;
struct dmop_frame;

/*
 * The event channel of a virtual processor.
 *
 * @bound:  @irq and @local are valid
 * @local:  its port in this domain
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
 * @rest:   with a reference
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
