// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_event.c - IRQFD
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <xen/dmop.h>

#include "event.h"
#include "file.h"
#include "handlers.h"
#include "observe.h"
#include "policy.h"
#include "rights.h"

static int check(const struct dmop_irqfd *a)
{
	if (a->flags & ~DMOP_IRQFD_DEASSIGN)
		return -EINVAL;
	if (a->flags & DMOP_IRQFD_DEASSIGN)
		return 0;
	if (a->size < DMOP_IRQFD_OP_MIN)
		return -EINVAL;
	return a->size > DMOP_IRQFD_OP_MAX ? -E2BIG : 0;
}

/* The number was copied with the rest, so it is the one that Xen will get. */
static int check_op(struct dmop_file *f, const struct dmop_irq *irq, domid_t domid)
{
	u32 op = *(const u32 *)irq->op;

	if (!dmop_rights_any_op(&f->rights) && !dmop_rights_op(&f->rights, irq->op, irq->size))
		return dmop_observe_narrowed(f, DMOP_ACT_OPERATION, op, domid);
	return DMOP_HAS_EVENTS && dmop_policy_event_op(op) ? 0 : -EOPNOTSUPP;
}

static int assign(struct dmop_file *f, const struct dmop_irqfd *a, struct file *filp,
		  struct eventfd_ctx *eventfd)
{
	struct dmop_irq *irq = kmalloc(struct_size(irq, op, a->size), GFP_KERNEL_ACCOUNT);
	int err;

	if (!irq)
		return -ENOMEM;
	irq->eventfd = eventfd;
	irq->size = a->size;
	err = copy_from_user(irq->op, a->dm_op, a->size) ? -EFAULT : 0;
	if (!err)
		err = check_op(f, irq, a->dom);
	if (!err)
		err = dmop_irqfd_assign(f, filp, irq);
	if (err)
		kfree(irq);
	return err;
}

static int with_eventfd(struct dmop_file *f, const struct dmop_irqfd *a, struct file *filp)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fileget(filp);
	int err;

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	if (!(a->flags & DMOP_IRQFD_DEASSIGN)) {
		err = assign(f, a, filp, eventfd);
		/* The irqfd keeps the reference. */
		if (!err)
			return 0;
	} else {
		err = dmop_irqfd_deassign(f, eventfd);
	}
	eventfd_ctx_put(eventfd);
	return err;
}

long dmop_handle_irqfd(struct file *filp, struct dmop_record *record,
		       const union dmop_arg *arg, void __user *uarg)
{
	const struct dmop_irqfd *a = &arg->irqfd;
	struct file *eventfd;
	int err = check(a);

	if (err)
		return err;
	eventfd = fget(a->fd);
	if (!eventfd)
		return -EBADF;
	err = with_eventfd(filp->private_data, a, eventfd);
	fput(eventfd);
	return err;
}
