/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - what differs between kernels; included first in every file
 */
#ifndef DMOP_COMPAT_H
#define DMOP_COMPAT_H

#include <linux/kconfig.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "dmop_privcmd needs Linux 5.10 or later."
#endif
#if !IS_ENABLED(CONFIG_XEN_DOM0)
#error "dmop_privcmd needs a kernel that is built with CONFIG_XEN_DOM0."
#endif
#if !IS_ENABLED(CONFIG_64BIT)
#error "dmop_privcmd needs a 64-bit kernel."
#endif

#endif /* DMOP_COMPAT_H */
