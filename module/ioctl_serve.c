// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_serve.c - SERVE, ANSWER, KICK
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

#include <xen/dmop.h>

#include "check_rest.h"
#include "event.h"
#include "file.h"
#include "handlers.h"
#include "kicks.h"
#include "observe.h"
#include "policy.h"

/* @size is at least @known, of which the gate has made the copy. */
static int check_rest(const void __user *uarg, size_t known, size_t size, size_t max)
{
	return size > max ? -E2BIG : dmop_check_rest(uarg, known, size);
}

static int check_serve(const struct dmop_serve *a, const void __user *uarg)
{
	bool end = a->flags & DMOP_SERVE_END;

	if (a->size < sizeof(*a) || (a->flags & ~DMOP_SERVE_END) || a->server > DMOP_SERVER_MAX)
		return -EINVAL;
	if (!end && (a->vcpus < 1 || a->vcpus > DMOP_SERVE_VCPUS_MAX))
		return -EINVAL;
	return check_rest(uarg, sizeof(*a), a->size, DMOP_SERVE_SIZE_MAX);
}

long dmop_handle_serve(struct file *filp, struct dmop_record *record,
		       const union dmop_arg *arg, void __user *uarg)
{
	const struct dmop_serve *a = &arg->serve;
	struct dmop_file *f = filp->private_data;
	struct eventfd_ctx *rest;
	int err = check_serve(a, uarg);

	if (err)
		return err;
	if (a->flags & DMOP_SERVE_END)
		return DMOP_HAS_EVENTS ? dmop_serve_end(f, a->server) : -EOPNOTSUPP;
	rest = eventfd_ctx_fdget(a->rest_fd);
	if (IS_ERR(rest))
		return PTR_ERR(rest);
	err = DMOP_HAS_EVENTS ? dmop_serve_begin(f, a->server, a->vcpus, rest) : -EOPNOTSUPP;
	/* On success the server keeps the reference. */
	if (err)
		eventfd_ctx_put(rest);
	if (err == DMOP_NARROWED)
		return dmop_observe_narrowed(f, DMOP_ACT_EVENT, 0, a->domid);
	return err;
}

long dmop_handle_answer(struct file *filp, struct dmop_record *record,
			const union dmop_arg *arg, void __user *uarg)
{
	const struct dmop_answer *a = &arg->answer;
	struct dmop_file *f = filp->private_data;
	int err;

	if (a->size < sizeof(*a) || a->flags)
		return -EINVAL;
	err = check_rest(uarg, sizeof(*a), a->size, DMOP_ANSWER_SIZE_MAX);
	if (!err)
		err = dmop_serve_answer(f, record, a->vcpus);
	if (err == DMOP_NARROWED)
		return dmop_observe_narrowed(f, DMOP_ACT_ANSWER, 0, record->domid);
	return err;
}

long dmop_handle_kick(struct file *filp, struct dmop_record *record,
		      const union dmop_arg *arg, void __user *uarg)
{
	const struct dmop_kick *a = &arg->kick;
	struct dmop_file *f = filp->private_data;
	bool remove = a->flags & DMOP_KICK_DEASSIGN;
	struct eventfd_ctx *eventfd;
	struct dmop_kick_entry e;
	int err;

	if (a->size < sizeof(*a) || !dmop_kicks_check(a))
		return -EINVAL;
	err = check_rest(uarg, sizeof(*a), a->size, DMOP_KICK_SIZE_MAX);
	if (err)
		return err;
	eventfd = eventfd_ctx_fdget(a->fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	dmop_kicks_entry(a, &e);
	e.eventfd = eventfd;
	if (!DMOP_HAS_EVENTS)
		err = -EOPNOTSUPP;
	else if (remove)
		err = dmop_kick_deassign(&f->events, &e);
	else
		err = dmop_kick_assign(&f->events, &e);
	/* The kick keeps the reference. */
	if (err || remove)
		eventfd_ctx_put(eventfd);
	return err;
}
