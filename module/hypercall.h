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

/*
 * One of several dm_ops that Xen gets together.
 *
 * @nr:   number of buffers
 * @ret:  out: what Xen returns for it
 * @bufs: the buffers, all of them in kernel memory
 */
struct dmop_op {
	unsigned int nr;
	int ret;
	struct xen_dm_op_buf bufs[2];
};

/* So many go to Xen in one hypercall. */
#define DMOP_OPS_AT_A_TIME	8

/**
 * dmop_hypercall_dm_ops() - make several dm_ops that were allowed
 * @domid: target domain of all
 * @nr:    how many, 1 to %DMOP_OPS_AT_A_TIME
 * @ops:   the operations; made in this order, whatever becomes of those before
 *
 * Context: as dmop_hypercall_dm_op()
 *
 * Return: 0, and @ops tells of each; or why Xen made none.
 */
int dmop_hypercall_dm_ops(domid_t domid, unsigned int nr, struct dmop_op *ops);

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
