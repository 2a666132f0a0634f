// SPDX-License-Identifier: GPL-2.0
/*
 * node.c - the device node /dev/xen/dmop
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
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

/*
 * Not a misc device: an open of one holds a lock that the open of every other one needs, and
 * a caller may be starved there. The node has the kernel's default mode, 0600.
 */
#define NAME	"dmop"

static struct class node_class = {
	.name = NAME,
};
static int node_major;

static int create_device(void)
{
	struct device *dev;
	int err;

	err = class_register(&node_class);
	if (err)
		return err;
	dev = device_create(&node_class, NULL, MKDEV(node_major, 0), NULL, "xen/" NAME);
	if (!IS_ERR(dev))
		return 0;
	class_unregister(&node_class);
	return PTR_ERR(dev);
}

int dmop_node_init(void)
{
	int err;

	node_major = __register_chrdev(0, 0, 1, NAME, &node_fops);
	err = node_major < 0 ? node_major : create_device();
	if (!err)
		return 0;
	if (node_major >= 0)
		__unregister_chrdev(node_major, 0, 1, NAME);
	pr_err("not loaded: no device node: error %d\n", err);
	return err;
}

void dmop_node_exit(void)
{
	device_destroy(&node_class, MKDEV(node_major, 0));
	class_unregister(&node_class);
	__unregister_chrdev(node_major, 0, 1, NAME);
}
