// SPDX-License-Identifier: GPL-2.0
/*
 * limits.c - the module parameters
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>

#include "limits.h"

unsigned int dmop_max_nr_bufs = 16;
unsigned int dmop_max_buf_size = 4096;
unsigned int dmop_max_map_frames = 16 * 1024 * 1024;
/* See dmop_pool_init(). */
unsigned int dmop_max_empty_pages; /* default: twice the pages of dom0's memory */

static int set_limit(const char *val, const struct kernel_param *kp,
		     unsigned int limit)
{
	unsigned int n;
	int err = kstrtouint(val, 0, &n);

	if (err)
		return err;
	if (n < 1 || n > limit)
		return -EINVAL;
	WRITE_ONCE(*(unsigned int *)kp->arg, n);
	return 0;
}

static int set_max_nr_bufs(const char *val, const struct kernel_param *kp)
{
	return set_limit(val, kp, DMOP_NR_BUFS_LIMIT);
}

static int set_max_buf_size(const char *val, const struct kernel_param *kp)
{
	return set_limit(val, kp, DMOP_BUF_SIZE_LIMIT);
}

static const struct kernel_param_ops max_nr_bufs_ops = {
	.set = set_max_nr_bufs,
	.get = param_get_uint,
};

static const struct kernel_param_ops max_buf_size_ops = {
	.set = set_max_buf_size,
	.get = param_get_uint,
};

/* The stock driver has the same names and defaults. */
module_param_cb(dm_op_max_nr_bufs, &max_nr_bufs_ops, &dmop_max_nr_bufs, 0644);
MODULE_PARM_DESC(dm_op_max_nr_bufs,
		 "Maximum number of buffers per dm_op hypercall (1 to 64, default 16)");
module_param_cb(dm_op_buf_max_size, &max_buf_size_ops, &dmop_max_buf_size, 0644);
MODULE_PARM_DESC(dm_op_buf_max_size,
		 "Maximum size in bytes of a dm_op hypercall buffer (1 to 65536, default 4096)");

module_param_named(max_map_frames, dmop_max_map_frames, uint, 0644);
MODULE_PARM_DESC(max_map_frames,
		 "Maximum number of 4 KiB frames mapped by one open file (default 16777216)");

module_param_named(max_empty_pages, dmop_max_empty_pages, uint, 0644);
MODULE_PARM_DESC(max_empty_pages,
		 "Auto-translated dom0: maximum number of empty pages of all open files (default twice the pages of dom0's memory)");
