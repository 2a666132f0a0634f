/* SPDX-License-Identifier: GPL-2.0 */
/*
 * handlers.h - the ioctls behind the table
 *
 * The contract of each is its page in include/uapi/xen/dmop.h.
 */
#ifndef DMOP_HANDLERS_H
#define DMOP_HANDLERS_H

#include <linux/fs.h>
#include <linux/types.h>
#include <xen/dmop.h>

struct dmop_record;

/*
 * The part of an argument that the gate copies, by ioctl.
 *
 * @restrict_to: RESTRICT
 * @info:        INFO; the handler reads the rest behind it
 * @mmapbatch:   MMAPBATCH_V2
 * @batch:       BATCH; the handler reads the rest behind it
 * @narrow:      NARROW; the handler checks the rest behind it
 * @irqfd:       IRQFD
 * @ioeventfd:   IOEVENTFD
 * @serve, @answer, @kick: SERVE, ANSWER, KICK; the handler checks the rest behind it
 */
union dmop_arg {
	u16 restrict_to;
	struct {
		u32 size;
		u32 flags;
	} info;
	struct dmop_mmapbatch_v2 mmapbatch;
	struct dmop_batch batch;
	struct dmop_narrow narrow;
	struct dmop_irqfd irqfd;
	struct dmop_ioeventfd ioeventfd;
	struct dmop_serve serve;
	struct dmop_answer answer;
	struct dmop_kick kick;
};

/*
 * A gated ioctl. The call was admitted for the domid in @arg; unless it is RESTRICT,
 * INFO or NARROW, the state of the file is held.
 *
 * @filp:   open file of /dev/xen/dmop
 * @record: of the file, or NULL: unbound
 * @arg:    the only copy of the first bytes of the argument
 * @uarg:   the argument, for the bytes behind @arg and for results
 */
typedef long dmop_handler(struct file *filp, struct dmop_record *record,
			  const union dmop_arg *arg, void __user *uarg);

dmop_handler dmop_handle_answer;
dmop_handler dmop_handle_batch;
dmop_handler dmop_handle_ioeventfd;
dmop_handler dmop_handle_irqfd;
dmop_handler dmop_handle_kick;
dmop_handler dmop_handle_mmapbatch_v2;
dmop_handler dmop_handle_narrow;
dmop_handler dmop_handle_serve;

/**
 * dmop_ioctl_dm_op() - DM_OP, without the gate
 * @filp: open file of /dev/xen/dmop
 * @uarg: struct dmop_dm_op
 *
 * Return: see DMOP_IOCTL_DM_OP.
 */
long dmop_ioctl_dm_op(struct file *filp, void __user *uarg);

/**
 * dmop_ioctl_hypercall() - HYPERCALL, without the gate
 * @filp: open file of /dev/xen/dmop
 * @uarg: struct dmop_hypercall
 *
 * Return: see DMOP_IOCTL_HYPERCALL.
 */
long dmop_ioctl_hypercall(struct file *filp, void __user *uarg);

/**
 * dmop_ioctl_mmap_resource() - MMAP_RESOURCE, without the gate
 * @filp: open file of /dev/xen/dmop
 * @uarg: struct dmop_mmap_resource
 *
 * Return: see DMOP_IOCTL_MMAP_RESOURCE.
 */
long dmop_ioctl_mmap_resource(struct file *filp, void __user *uarg);

#endif /* DMOP_HANDLERS_H */
