// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_event.c - IRQFD, IOEVENTFD
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/virtio_mmio.h>

#include <xen/dmop.h>

#include "area.h"
#include "event.h"
#include "file.h"
#include "handlers.h"
#include "kicks.h"
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

/* Of the data of an access, the stock driver compares these bits. */
#define QUEUE_BITS	0xffff

/* Return: true if the argument is valid; @k: out, without the server */
static bool queue_kick(const struct dmop_ioeventfd *a, struct dmop_kick *k)
{
	*k = (struct dmop_kick) {
		.flags = DMOP_KICK_DATAMATCH,
		.len = a->addr_len,
		.addr = a->addr + VIRTIO_MMIO_QUEUE_NOTIFY,
		.datamatch = a->vq,
		.mask = a->addr_len == 1 ? U8_MAX : QUEUE_BITS,
	};
	return k->addr >= a->addr && dmop_kicks_check(k);
}

static int share(struct file *filp, const struct dmop_ioeventfd *a, struct dmop_kick *k,
		 const u32 *ports, struct eventfd_ctx *eventfd)
{
	struct dmop_file *f = filp->private_data;
	struct dmop_kick_entry e;
	int err = dmop_maps_server(filp, (unsigned long)a->ioreq, &k->server);

	if (err)
		return err;
	if (!DMOP_HAS_IOEVENTFD)
		return -EOPNOTSUPP;
	dmop_kicks_entry(k, &e);
	e.eventfd = eventfd;
	err = dmop_ioeventfd_assign(f, k->server, a->vcpus, ports, &e);
	if (err == DMOP_NARROWED)
		return dmop_observe_narrowed(f, DMOP_ACT_EVENT, 0, a->dom);
	return err;
}

static int ioeventfd_assign(struct file *filp, const struct dmop_ioeventfd *a, struct dmop_kick *k,
			    struct eventfd_ctx *eventfd)
{
	size_t size = array_size(a->vcpus, sizeof(u32));
	u32 *ports = kmalloc(size, GFP_KERNEL_ACCOUNT);
	int err;

	if (!ports)
		return -ENOMEM;
	if (copy_from_user(ports, a->ports, size))
		err = -EFAULT;
	else
		err = share(filp, a, k, ports, eventfd);
	kfree(ports);
	return err;
}

static int ioeventfd_deassign(struct file *filp, const struct dmop_ioeventfd *a,
			      const struct eventfd_ctx *eventfd)
{
	u32 id;
	int err = dmop_maps_server(filp, (unsigned long)a->ioreq, &id);

	if (err)
		return err;
	return DMOP_HAS_IOEVENTFD ? dmop_ioeventfd_deassign(filp->private_data, id, eventfd) :
				    -EOPNOTSUPP;
}

long dmop_handle_ioeventfd(struct file *filp, struct dmop_record *record,
			   const union dmop_arg *arg, void __user *uarg)
{
	const struct dmop_ioeventfd *a = &arg->ioeventfd;
	bool remove = a->flags & DMOP_IOEVENTFD_DEASSIGN;
	struct eventfd_ctx *eventfd;
	struct dmop_kick k;
	int err;

	if (a->flags & ~DMOP_IOEVENTFD_DEASSIGN)
		return -EINVAL;
	if (!remove && (a->vcpus < 1 || a->vcpus > DMOP_SERVE_VCPUS_MAX || !queue_kick(a, &k)))
		return -EINVAL;
	eventfd = eventfd_ctx_fdget(a->event_fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	err = remove ? ioeventfd_deassign(filp, a, eventfd) :
		       ioeventfd_assign(filp, a, &k, eventfd);
	/* The kick keeps the reference. */
	if (err || remove)
		eventfd_ctx_put(eventfd);
	return err;
}
