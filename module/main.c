// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - init and exit, the device node
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <xen/xen.h>

#include "binding.h"
#include "hypercall.h"
#include "ioctl.h"
#include "limits.h"
#include "mapping.h"
#include "observe.h"

unsigned int dmop_max_nr_bufs = 16;
unsigned int dmop_max_buf_size = 4096;
unsigned int dmop_max_map_frames = 16 * 1024 * 1024;

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

/* Names and defaults are those of the stock driver. */
module_param_cb(dm_op_max_nr_bufs, &max_nr_bufs_ops, &dmop_max_nr_bufs, 0644);
MODULE_PARM_DESC(dm_op_max_nr_bufs,
		 "Maximum number of buffers per dm_op hypercall (1 to 64, default 16)");
module_param_cb(dm_op_buf_max_size, &max_buf_size_ops, &dmop_max_buf_size, 0644);
MODULE_PARM_DESC(dm_op_buf_max_size,
		 "Maximum size in bytes of a dm_op hypercall buffer (1 to 65536, default 4096)");

module_param_named(max_map_frames, dmop_max_map_frames, uint, 0644);
MODULE_PARM_DESC(max_map_frames,
		 "Maximum number of 4 KiB frames mapped by one open file (default 16777216)");

static int dmop_open(struct inode *inode, struct file *filp)
{
	struct dmop_file *f = dmop_file_create(filp);

	if (!f)
		return -ENOMEM;
	filp->private_data = f;
	return nonseekable_open(inode, filp);
}

static int dmop_release(struct inode *inode, struct file *filp)
{
	dmop_file_destroy(filp->private_data);
	return 0;
}

static const struct file_operations dmop_fops = {
	.owner = THIS_MODULE,
	.open = dmop_open,
	.release = dmop_release,
	.unlocked_ioctl = dmop_ioctl,
	.compat_ioctl = dmop_compat_ioctl,
	.poll = dmop_poll,
	.mmap = dmop_mmap,
	.show_fdinfo = dmop_show_fdinfo,
	.get_unmapped_area = dmop_maps_unmapped_area,
};

static struct miscdevice dmop_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "xen/dmop",
	.fops = &dmop_fops,
	.mode = 0600,
};

/* NULL if the module can work here, else why it cannot. */
static const char * __init unsupported(void)
{
	int err;

	if (!xen_domain())
		return "this kernel does not run on Xen";

	err = dmop_hypercall_probe(DOMID_INVALID);
	if (err == -ENOSYS)
		return "this Xen has no dm_op hypercall (older than 4.9, or built without HVM)";
	if (err != -ESRCH)
		return "this Xen answers for a domain that cannot exist";
	if (xen_initial_domain() &&
	    dmop_hypercall_probe(dmop_own_domid()) != -EPERM)
		return "the initial domain is not domain 0";
	return NULL;
}

static int __init dmop_init(void)
{
	const char *why = unsupported();
	int err;

	if (why) {
		pr_err("not loaded: %s\n", why);
		return -ENODEV;
	}

	err = dmop_binding_init();
	if (err)
		return err;
	err = misc_register(&dmop_misc);
	if (err) {
		pr_err("not loaded: no device node: error %d\n", err);
		dmop_binding_exit();
	}
	return err;
}
module_init(dmop_init);

static void __exit dmop_exit(void)
{
	misc_deregister(&dmop_misc);
	dmop_binding_exit();
}
module_exit(dmop_exit);

MODULE_DESCRIPTION("Xen device model hypercalls, confined to one domain");
MODULE_AUTHOR("The dmop_privcmd authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(DMOP_VERSION);
