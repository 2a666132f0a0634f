// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_batch.c - BATCH: several dm_ops in one call
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <xen/dmop.h>

#include "check_rest.h"
#include "file.h"
#include "handlers.h"
#include "limits.h"
#include "trace.h"

/* Checks the head of a batch, before any operation is read. */
static int batch_check(const struct dmop_batch *h, const void __user *uarg)
{
	if (h->size < DMOP_BATCH_SIZE_V1)
		return -EINVAL;
	if (h->size > DMOP_BATCH_SIZE_MAX)
		return -E2BIG;
	if (h->flags || h->pad || !h->nr)
		return -EINVAL;
	if (h->nr > DMOP_BATCH_NR_MAX || h->bytes > DMOP_BATCH_BYTES_MAX)
		return -E2BIG;
	if (h->bytes < h->nr * sizeof(struct dmop_batch_op))
		return -EINVAL;

	return dmop_check_rest(uarg, sizeof(*h), h->size);
}

/*
 * Checks the operations and points @calls at their buffers. @block is the copy of
 * the bytes behind the head.
 */
static int batch_lay_out(const struct dmop_batch *h, u8 *block,
			 struct dmop_op *calls)
{
	const struct dmop_batch_op *ops = (const void *)block;
	unsigned int max_nr = min(READ_ONCE(dmop_max_nr_bufs), 2U);
	size_t max_size = READ_ONCE(dmop_max_buf_size);
	size_t at = h->nr * sizeof(*ops);
	unsigned int i, n;

	for (i = 0; i < h->nr; i++) {
		if (ops[i].flags)
			return -EINVAL;
		calls[i].nr = ops[i].size[1] ? 2 : 1;
		if (calls[i].nr > max_nr)
			return -E2BIG;
		for (n = 0; n < calls[i].nr; n++) {
			size_t size = ops[i].size[n];

			if (size > max_size)
				return -E2BIG;
			if (size > h->bytes - at)
				return -EINVAL;
			set_xen_guest_handle(calls[i].bufs[n].h, block + at);
			calls[i].bufs[n].size = size;
			at += ALIGN(size, 8);
			if (at > h->bytes)
				return -EINVAL;
		}
	}
	return at == h->bytes ? 0 : -EINVAL;
}

/* Stores the results of the first @nr operations, which were issued, and traces them. */
static void batch_results(const struct dmop_batch *h, u8 *block,
			  const struct dmop_op *calls, unsigned int nr)
{
	struct dmop_batch_op *ops = (void *)block;
	size_t at = h->nr * sizeof(*ops);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		ops[i].result = calls[i].ret;
		if (trace_dmop_op_enabled()) {
			u32 op = U32_MAX;

			/* Xen does not write to this part of the buffer. */
			if (ops[i].size[0] >= sizeof(op))
				memcpy(&op, block + at, sizeof(op));
			trace_dmop_op(h->domid, op, calls[i].nr, ops[i].size[0],
				 ops[i].size[1], calls[i].ret);
		}
		at += ALIGN((size_t)ops[i].size[0], 8) +
		      ALIGN((size_t)ops[i].size[1], 8);
	}
}

long dmop_handle_batch(struct file *filp, struct dmop_record *record,
		       const union dmop_arg *arg, void __user *uarg)
{
	struct dmop_file *f = filp->private_data;
	const struct dmop_batch *h = &arg->batch;
	struct dmop_op *calls;
	size_t bytes;
	u8 *block;
	long ret;

	ret = batch_check(h, uarg);
	if (ret)
		return ret;

	/* One allocation for both. */
	bytes = h->nr * sizeof(*calls);
	calls = kvmalloc(bytes + h->bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!calls)
		return -ENOMEM;
	block = (u8 *)calls + bytes;

	uarg += h->size;
	ret = -EFAULT;
	if (copy_from_user(block, uarg, h->bytes))
		goto out;
	ret = batch_lay_out(h, block, calls);
	if (ret)
		goto out;

	ret = dmop_file_dm_ops(f, record, h->domid, h->nr, calls);
	if (ret > 0) {
		batch_results(h, block, calls, ret);
		if (copy_to_user(uarg, block, h->bytes))
			ret = -EFAULT;
	}
out:
	kvfree(calls);
	return ret;
}
