/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xen.h - what the stock <xen/privcmd.h> wants of Xen's types in user space
 */
#ifndef DMOP_SHIM_XEN_H
#define DMOP_SHIM_XEN_H

#include <linux/types.h>
#include <stddef.h>

typedef __u16 domid_t;
typedef unsigned long xen_pfn_t;

#ifndef __user
#define __user
#endif

#endif /* DMOP_SHIM_XEN_H */
