// SPDX-License-Identifier: GPL-2.0
/*
 * node.c - the device node /dev/xen/dmop
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>

#include "area.h"
#include "file.h"
#include "gate.h"
#include "ioctl.h"
#include "node.h"
#include "observe.h"

static int node_open(struct inode *inode, struct file *filp)
{
	struct dmop_file *f = dmop_file_create(filp);

	if (!f)
		return -ENOMEM;
	filp->private_data = f;
	return nonseekable_open(inode, filp);
}

static int node_release(struct inode *inode, struct file *filp)
{
	dmop_file_close(filp->private_data);
	return 0;
}

static __poll_t node_poll(struct file *filp, struct poll_table_struct *wait)
{
	struct dmop_file *f = filp->private_data;

	poll_wait(filp, &f->wait, wait);
	if (dmop_file_state(dmop_file_record(f)) == DMOP_STATE_REVOKED)
		return EPOLLHUP | EPOLLERR;
	return 0;
}

/*
 * The state is read once and not held: mmap_lock is held here, and restrict_sem comes
 * before it. An area belongs to no domain until something is mapped in it.
 */
static int node_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct dmop_file *f = filp->private_data;
	struct dmop_request r = { .act = DMOP_ACT_AREA };
	int ret = dmop_decide(f, dmop_file_record(f), &r);

	if (ret != DMOP_ALLOW)
		return ret;
	if (!dmop_policy_area(READ_ONCE(f->rights.acts), vma->vm_flags & VM_WRITE))
		return dmop_observe_narrowed(f, DMOP_ACT_AREA, 0, 0);
	return dmop_maps_mmap(&f->maps, vma);
}

static const struct file_operations node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.release = node_release,
	.unlocked_ioctl = dmop_ioctl,
	.compat_ioctl = dmop_compat_ioctl,
	.poll = node_poll,
	.mmap = node_mmap,
	.show_fdinfo = dmop_show_fdinfo,
	.get_unmapped_area = dmop_maps_unmapped_area,
};

static struct miscdevice node = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "xen/dmop",
	.fops = &node_fops,
	.mode = 0600,
};

int dmop_node_init(void)
{
	int err = misc_register(&node);

	if (err)
		pr_err("not loaded: no device node: error %d\n", err);
	return err;
}

void dmop_node_exit(void)
{
	misc_deregister(&node);
}
