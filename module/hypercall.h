/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hypercall.h - the way into Xen
 */
#ifndef DMOP_HYPERCALL_H
#define DMOP_HYPERCALL_H

#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/hvm/dm_op.h>

/**
 * dmop_hypercall_dm_op() - make a dm_op that was allowed
 * @domid: target domain
 * @nr:    number of buffers
 * @bufs:  the buffers, all of them in kernel memory
 *
 * Context: process context; may be preempted while Xen works on kernels that
 * preempt nowhere else.
 *
 * Return: what Xen returns.
 */
int dmop_hypercall_dm_op(domid_t domid, unsigned int nr,
			 struct xen_dm_op_buf *bufs);

/**
 * dmop_hypercall_probe() - ask Xen for a domain without doing anything to it
 * @domid: the domain
 *
 * Context: process context.
 *
 * Return: 0: the domain is there and may be acted on. Else why not, among them
 *  -ESRCH  Xen knows no such domain
 *  -EPERM  it is the domain that asks, or Xen's policy forbids it
 *  -ENOSYS Xen has no dm_op
 */
int dmop_hypercall_probe(domid_t domid);

#endif /* DMOP_HYPERCALL_H */
