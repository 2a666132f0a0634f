// SPDX-License-Identifier: GPL-2.0
/*
 * serve.c - ioreq servers whose requests the kernel receives
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <xen/dmop.h>

#include "event.h"
#include "file.h"
#include "hypercall.h"
#include "rights.h"
#include "serve.h"

/* Each domain has one work item in each queue. A work of the first may wait for one of the second. */
static struct workqueue_struct *serve_queue, *late_queue;

/* --- the worker -------------------------------------------------------- */

/* As a call, so that neither the end of the domain nor NARROW passes it by. */
static int open_ports(struct dmop_server *server, struct dmop_record *record)
{
	int token, err = dmop_record_enter(record, &token);

	if (err)
		return err;
	if (dmop_rights_has(&server->file->rights, DMOP_RIGHT_EVENT))
		err = dmop_ports_open(server, record->domid);
	else
		err = DMOP_NARROWED;
	dmop_record_leave(record, token);
	return err;
}

static bool has_port(const struct dmop_server *server, unsigned int nr, evtchn_port_t local)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (server->ports[i].local == local)
			return true;
	return false;
}

/* A process could share a port with a thousand handlers, and send itself events. */
static bool is_shared(const struct dmop_server *server, struct dmop_record *record)
{
	struct dmop_server *other;
	unsigned int i;

	for (i = 0; i < server->vcpus; i++) {
		if (has_port(server, i, server->ports[i].local))
			return true;
		list_for_each_entry(other, &record->serving.servers, in_record)
			if (has_port(other, other->vcpus, server->ports[i].local))
				return true;
	}
	return false;
}

static int set_up(struct dmop_server *server, struct dmop_record *record)
{
	int err;

	if (record->serving.ports + server->vcpus > DMOP_DOMAIN_PORTS_MAX)
		return -E2BIG;
	if (!server->rest && is_shared(server, record))
		return -EBUSY;
	err = open_ports(server, record);
	if (err)
		return err;
	record->serving.ports += server->vcpus;
	list_add(&server->in_record, &record->serving.servers);
	return 0;
}

static void end_locked(struct dmop_server *server, struct dmop_record *record)
{
	lockdep_assert_held(&record->serving.lock);

	list_del_init(&server->in_record);
	dmop_ports_close(server);
	record->serving.ports -= server->vcpus;
}

/* One after the other: no domain has more than one thread here. */
void dmop_serve_work(struct work_struct *work)
{
	struct dmop_record *record = container_of(work, struct dmop_record, serving.work);
	struct llist_node *list = llist_reverse_order(llist_del_all(&record->serving.requests));
	struct dmop_serve_request *request, *next;

	llist_for_each_entry_safe(request, next, list, node) {
		struct dmop_server *server = request->server;

		mutex_lock(&record->serving.lock);
		if (!request->end)
			server->err = set_up(server, record);
		else if (!list_empty(&server->in_record))
			end_locked(server, record);
		mutex_unlock(&record->serving.lock);
		complete_all(&request->done);
	}
}

void dmop_serve_revoke(struct dmop_record *record)
{
	struct dmop_server *server, *next;

	mutex_lock(&record->serving.lock);
	list_for_each_entry_safe(server, next, &record->serving.servers, in_record)
		end_locked(server, record);
	mutex_unlock(&record->serving.lock);
}

/* --- the caller -------------------------------------------------------- */

struct dmop_server *dmop_server_find(struct dmop_events *events, u32 id)
{
	struct dmop_server *server;

	list_for_each_entry(server, &events->servers, link)
		if (server->id == id)
			return server;
	return NULL;
}

bool dmop_server_served(struct dmop_server *server)
{
	return !server->ending && !server->given_up && completion_done(&server->set_up.done) &&
	       !server->err;
}

static void submit(struct dmop_serve_request *request)
{
	struct dmop_record *record = request->server->file->record;

	llist_add(&request->node, &record->serving.requests);
	queue_work(serve_queue, &record->serving.work);
}

static void submit_end(struct dmop_server *server)
{
	if (server->ending)
		return;
	server->ending = true;
	submit(&server->end);
}

static void server_free(struct dmop_events *events, struct dmop_server *server)
{
	list_del(&server->link);
	WRITE_ONCE(events->nr_servers, events->nr_servers - 1);
	if (server->rest)
		eventfd_ctx_put(server->rest);
	kfree(server);
}

int dmop_server_end(struct dmop_events *events, struct dmop_server *server)
{
	submit_end(server);
	if (wait_for_completion_killable(&server->end.done))
		return -EINTR;
	server_free(events, server);
	return 0;
}

static void request_init(struct dmop_serve_request *request, struct dmop_server *server, bool end)
{
	request->server = server;
	request->end = end;
	init_completion(&request->done);
}

static struct dmop_server *server_create(struct dmop_file *f, u32 id, unsigned int vcpus,
					 const evtchn_port_t *ports)
{
	struct dmop_server *server;
	unsigned int i;

	server = kzalloc(struct_size(server, ports, vcpus), GFP_KERNEL_ACCOUNT);
	if (!server)
		return NULL;
	INIT_LIST_HEAD(&server->in_record);
	server->file = f;
	server->late_queue = late_queue;
	server->id = id;
	server->vcpus = vcpus;
	for (i = 0; ports && i < vcpus; i++)
		server->ports[i].local = ports[i];
	request_init(&server->set_up, server, false);
	request_init(&server->end, server, true);
	return server;
}

int dmop_server_add(struct dmop_file *f, u32 id, unsigned int vcpus, struct eventfd_ctx *rest,
		    const evtchn_port_t *ports)
{
	struct dmop_events *events = &f->events;
	struct dmop_server *server = dmop_server_find(events, id);
	int err = 0;

	if (server && dmop_server_served(server))
		return -EBUSY;
	/* Left by a caller that was killed. */
	if (server)
		err = dmop_server_end(events, server);
	if (err)
		return err;
	if (events->nr_servers >= DMOP_SERVERS_MAX)
		return -E2BIG;
	server = server_create(f, id, vcpus, ports);
	if (!server)
		return -ENOMEM;
	server->rest = rest;
	list_add(&server->link, &events->servers);
	WRITE_ONCE(events->nr_servers, events->nr_servers + 1);

	submit(&server->set_up);
	/* The server keeps the reference of a caller that is killed. The next SERVE replaces it. */
	if (wait_for_completion_killable(&server->set_up.done)) {
		server->given_up = true;
		return 0;
	}
	err = server->err;
	if (err) {
		/* The caller keeps its reference. */
		server->rest = NULL;
		server_free(events, server);
	}
	return err;
}

int dmop_serve_begin(struct dmop_file *f, u32 id, unsigned int vcpus, struct eventfd_ctx *rest)
{
	int err;

	if (mutex_lock_killable(&f->events.lock))
		return -EINTR;
	err = dmop_server_add(f, id, vcpus, rest, NULL);
	mutex_unlock(&f->events.lock);
	return err;
}

int dmop_serve_end(struct dmop_file *f, u32 id)
{
	struct dmop_server *server;
	int err = 0;

	if (mutex_lock_killable(&f->events.lock))
		return -EINTR;
	server = dmop_server_find(&f->events, id);
	if (server)
		err = dmop_server_end(&f->events, server);
	mutex_unlock(&f->events.lock);
	return err;
}

static bool has_bit(const u64 vcpus[2], unsigned int i)
{
	return vcpus[i / 64] >> i % 64 & 1;
}

/* Return: true if the server has all of the virtual processors. */
static bool has_all(const struct dmop_server *server, const u64 vcpus[2])
{
	unsigned int i;

	for (i = server->vcpus; i < DMOP_SERVE_VCPUS_MAX; i++)
		if (has_bit(vcpus, i))
			return false;
	return true;
}

static bool is_answerable(struct dmop_events *events, const u64 vcpus[2])
{
	struct dmop_server *server;

	list_for_each_entry(server, &events->servers, link)
		if (dmop_server_served(server) && has_all(server, vcpus))
			return true;
	return false;
}

static int answer(struct dmop_events *events, const u64 vcpus[2])
{
	struct dmop_server *server;
	unsigned int i;

	if (!is_answerable(events, vcpus))
		return -EINVAL;
	list_for_each_entry(server, &events->servers, link) {
		if (!dmop_server_served(server))
			continue;
		for (i = 0; i < server->vcpus; i++)
			if (has_bit(vcpus, i))
				dmop_hypercall_notify(server->ports[i].local);
	}
	return 0;
}

/* The ports are open: @events->lock keeps them from DMOP_SERVE_END, and the record from death. */
int dmop_serve_answer(struct dmop_file *f, struct dmop_record *record, const u64 vcpus[2])
{
	int token, err;

	if (mutex_lock_killable(&f->events.lock))
		return -EINTR;
	err = dmop_record_enter(record, &token);
	if (!err) {
		if (dmop_rights_has(&f->rights, DMOP_RIGHT_EVENT))
			err = answer(&f->events, vcpus);
		else
			err = DMOP_NARROWED;
		dmop_record_leave(record, token);
	}
	mutex_unlock(&f->events.lock);
	return err;
}

void dmop_serve_close(struct dmop_events *events)
{
	struct dmop_server *server, *next;

	list_for_each_entry(server, &events->servers, link)
		dmop_ports_stop(server);
	list_for_each_entry(server, &events->servers, link)
		submit_end(server);
	list_for_each_entry_safe(server, next, &events->servers, link) {
		wait_for_completion(&server->end.done);
		server_free(events, server);
	}
}

int dmop_serve_init(void)
{
	serve_queue = alloc_workqueue("dmop_serve", WQ_UNBOUND, WQ_MAX_ACTIVE);
	late_queue = alloc_workqueue("dmop_late", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (serve_queue && late_queue)
		return 0;
	dmop_serve_exit();
	return -ENOMEM;
}

void dmop_serve_exit(void)
{
	if (serve_queue)
		destroy_workqueue(serve_queue);
	if (late_queue)
		destroy_workqueue(late_queue);
}
