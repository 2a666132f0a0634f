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
#if !IS_ENABLED(CONFIG_XEN)
#error "dmop_privcmd needs a kernel that is built with CONFIG_XEN."
#endif
#if !IS_ENABLED(CONFIG_64BIT)
#error "dmop_privcmd needs a 64-bit kernel."
#endif

/* Linux 6.3 took the flags of a VMA behind functions. */
#ifndef HAVE_VM_FLAGS_SET
#define vm_flags_set(vma, flags)	((void)((vma)->vm_flags |= (flags)))
#define vm_flags_clear(vma, flags)	((void)((vma)->vm_flags &= ~(flags)))
#endif

/* Linux 5.11 gave this operation its name. */
#ifndef HAVE_MAY_SPLIT
#define may_split	split
#endif

/* Linux 5.11 brought this one. Without it mprotect() would do harm, see mapping.c. */
#if !defined(HAVE_VM_OPS_MPROTECT) && LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
#error "vm_operations_struct.mprotect is not where dmop_privcmd looks for it."
#endif

/* Linux 6.10 made a function of this member; a later one took the mm away. */
#ifndef HAVE_MM_GET_UNMAPPED_AREA
#define get_unmapped_area_of(mm, ...)	((mm)->get_unmapped_area(__VA_ARGS__))
#elif defined(HAVE_MM_GET_UNMAPPED_AREA_OF_MM)
#define get_unmapped_area_of(mm, ...)	mm_get_unmapped_area(mm, __VA_ARGS__)
#else
#define get_unmapped_area_of(mm, ...)	mm_get_unmapped_area(__VA_ARGS__)
#endif

/*
 * A distribution's kernel is built to zero whatever is on the stack. For the
 * buffers of a call that costs as much as the call.
 */
#if defined(__has_attribute)
#if __has_attribute(__uninitialized__)
#define dmop_uninitialized	__attribute__((__uninitialized__))
#endif
#endif
#ifndef dmop_uninitialized
#define dmop_uninitialized
#endif

/* Linux 7.1 gave it another name. */
#ifndef HAVE_ZAP_VMA_PTES
#define zap_vma_ptes	zap_special_vma_range
#endif

/* Linux 5.11 took the last argument away, which had to be NULL. */
#ifdef HAVE_REMAP_MFN_ARRAY_PAGES
#define remap_mfn_array(...)	xen_remap_domain_mfn_array(__VA_ARGS__, NULL)
#else
#define remap_mfn_array(...)	xen_remap_domain_mfn_array(__VA_ARGS__)
#endif

#endif /* DMOP_COMPAT_H */
