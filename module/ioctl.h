/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ioctl.h - the ABI decoder
 */
#ifndef DMOP_IOCTL_H
#define DMOP_IOCTL_H

#include <linux/fs.h>

/**
 * dmop_ioctl() - every ioctl of a 64-bit caller
 * @filp: open file of /dev/xen/dmop
 * @cmd:  DMOP_IOCTL_*
 * @arg:  address of the argument; contract: include/uapi/xen/dmop.h
 *
 * Return: see there.
 */
long dmop_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);

/**
 * dmop_compat_ioctl() - every ioctl of a 32-bit caller
 * @filp: open file of /dev/xen/dmop
 * @cmd:  DMOP_IOCTL_*, of these only the module's own
 * @arg:  address of the argument
 *
 * Return: as dmop_ioctl(); -ENOTTY for the inherited ones.
 */
#ifdef CONFIG_COMPAT
long dmop_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);
#else
#define dmop_compat_ioctl	NULL
#endif

/**
 * dmop_mmap() - make an area that frames can be mapped in
 * @filp: open file of /dev/xen/dmop
 * @vma:  the area
 *
 * Return: 0; -ESRCH or -EPERM as an ioctl would; -EINVAL: not MAP_SHARED;
 * -EACCES: PROT_EXEC.
 */
int dmop_mmap(struct file *filp, struct vm_area_struct *vma);

#endif /* DMOP_IOCTL_H */
