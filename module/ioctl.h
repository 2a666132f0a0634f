/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ioctl.h - the entry of every ioctl
 */
#ifndef DMOP_IOCTL_H
#define DMOP_IOCTL_H

#include <linux/fs.h>

/**
 * dmop_ioctl() - every ioctl of a 64-bit caller
 * @filp: open file of /dev/xen/dmop
 * @cmd:  DMOP_IOCTL_*
 * @arg:  address of the argument
 *
 * Context: process context.
 *
 * Return: see include/uapi/xen/dmop.h, the contract of each ioctl; -ENOTTY for any
 * other @cmd.
 */
long dmop_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);

/**
 * dmop_compat_ioctl() - every ioctl of a 32-bit caller
 * @filp: open file of /dev/xen/dmop
 * @cmd:  DMOP_IOCTL_*; only the ioctls of this module's own are admitted
 * @arg:  address of the argument
 *
 * Context: process context.
 *
 * Return: as dmop_ioctl(); -ENOTTY for the inherited ones.
 */
#ifdef CONFIG_COMPAT
long dmop_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);
#else
#define dmop_compat_ioctl	NULL
#endif

#endif /* DMOP_IOCTL_H */
