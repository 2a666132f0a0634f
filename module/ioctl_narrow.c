// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_narrow.c - NARROW: an open file loses rights
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

#include <xen/dmop.h>

#include "check_rest.h"
#include "file.h"
#include "handlers.h"
#include "trace.h"

/* Nothing is applied before all of the argument was checked. */
static int check(const struct dmop_narrow *n, const void __user *uarg)
{
	int ret = dmop_policy_check_narrow(n);

	if (ret)
		return ret;
	if (n->size > DMOP_NARROW_SIZE_MAX)
		return -E2BIG;
	return dmop_check_rest(uarg, sizeof(*n), n->size);
}

long dmop_handle_narrow(struct file *filp, struct dmop_record *record,
			const union dmop_arg *arg, void __user *uarg)
{
	const struct dmop_narrow *n = &arg->narrow;
	int ret = check(n, uarg);

	if (!ret)
		ret = dmop_file_narrow(filp->private_data, record, n);
	trace_dmop_narrow(record->domid, n->flags, ret);
	return ret;
}
