/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - differences between kernels; Kbuild includes it before every file
 *
 * Refuses a kernel that the module cannot run on, with one sentence each. The
 * HAVE_* macros come from the probes in Kbuild. A version is compared only where
 * no symbol tells two kernels apart.
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
#if !IS_ENABLED(CONFIG_EVENTFD)
#error "dmop_privcmd needs a kernel that is built with CONFIG_EVENTFD."
#endif
#if !IS_ENABLED(CONFIG_64BIT)
#error "dmop_privcmd needs a 64-bit kernel."
#endif
/*
 * A frame of the ABI and of Xen has 4 KiB. Linux 6.9 added CONFIG_PAGE_SHIFT;
 * before, only arm64 had a choice.
 */
#if IS_ENABLED(CONFIG_ARM64_16K_PAGES) || IS_ENABLED(CONFIG_ARM64_64K_PAGES) || \
	(defined(CONFIG_PAGE_SHIFT) && CONFIG_PAGE_SHIFT != 12)
#error "dmop_privcmd needs a kernel with pages of 4 KiB."
#endif

/* Linux 6.3 made vm_flags read-only and added accessors. */
#ifndef HAVE_VM_FLAGS_SET
#define vm_flags_set(vma, flags)	((void)((vma)->vm_flags |= (flags)))
#define vm_flags_clear(vma, flags)	((void)((vma)->vm_flags &= ~(flags)))
#endif

/* Linux 5.11 renamed split to may_split. Without it, munmap() could split an area. */
#ifndef HAVE_MAY_SPLIT
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
#error "vm_operations_struct.may_split is not where dmop_privcmd looks for it."
#endif
#define may_split	split
#endif

/*
 * Linux 5.11 added this operation. A later kernel without it would let mprotect()
 * rewrite page table entries that hold foreign frames.
 */
#if !defined(HAVE_VM_OPS_MPROTECT) && LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
#error "vm_operations_struct.mprotect is not where dmop_privcmd looks for it."
#endif

/*
 * Linux 6.10 replaced this member of mm_struct by a function. A later release
 * dropped the function's mm argument.
 */
#ifndef HAVE_MM_GET_UNMAPPED_AREA
#define get_unmapped_area_of(mm, ...)	((mm)->get_unmapped_area(__VA_ARGS__))
#elif defined(HAVE_MM_GET_UNMAPPED_AREA_OF_MM)
#define get_unmapped_area_of(mm, ...)	mm_get_unmapped_area(mm, __VA_ARGS__)
#else
#define get_unmapped_area_of(mm, ...)	mm_get_unmapped_area(__VA_ARGS__)
#endif

/*
 * Distributions build their kernels with CONFIG_INIT_STACK_ALL_ZERO. Zeroing the
 * buffers of a call costs as much as the call itself. For variables whose every
 * byte is written before it is read.
 */
#if defined(__has_attribute)
#if __has_attribute(__uninitialized__)
#define dmop_uninitialized	__attribute__((__uninitialized__))
#endif
#endif
#ifndef dmop_uninitialized
#define dmop_uninitialized
#endif

/* Linux 5.11 and 5.10.195 exported this function. Without it an eventfd keeps its counter. */
#ifndef HAVE_EVENTFD_CTX_DO_READ
#define eventfd_ctx_do_read(ctx, count)	((void)(*(count) = 1))
#endif

/* Linux 6.8 dropped the second argument. */
#ifdef HAVE_EVENTFD_SIGNAL_COUNT
#define signal_eventfd(ctx)	((void)eventfd_signal(ctx, 1))
#else
#define signal_eventfd(ctx)	eventfd_signal(ctx)
#endif

/* Since Linux 6.7 the kernel can receive the events of a channel beside a process. */
#define HAVE_SHARED_CHANNELS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0))

/* Linux 7.1 renamed zap_vma_ptes(). */
#ifndef HAVE_ZAP_VMA_PTES
#define zap_vma_ptes	zap_special_vma_range
#endif

/* Linux 5.11 dropped the last argument, which had to be NULL. */
#ifdef HAVE_REMAP_MFN_ARRAY_PAGES
#define remap_mfn_array(...)	xen_remap_domain_mfn_array(__VA_ARGS__, NULL)
#else
#define remap_mfn_array(...)	xen_remap_domain_mfn_array(__VA_ARGS__)
#endif

#endif /* DMOP_COMPAT_H */
