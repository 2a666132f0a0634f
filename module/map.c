// SPDX-License-Identifier: GPL-2.0
/*
 * map.c - foreign frames and resources, mapped in the caller
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <xen/interface/xen.h>
#include <xen/interface/memory.h>
#include <xen/page.h>
#include <xen/xen-ops.h>

#include "area.h"
#include "hypercall.h"
#include "map.h"
#include "policy.h"

/* Frames mapped between two checks for a fatal signal and for revocation. */
#define FRAMES_AT_A_TIME	4096

/* A resource of so many frames needs no allocation for their numbers. */
#define FEW_FRAMES	4

/*
 * No guest has a frame above this. A PTE has no room for a larger number: its
 * upper bits would become flags of the PTE.
 */
#define HIGHEST_GFN	((1ULL << (52 - PAGE_SHIFT)) - 1)

/* The protection of the VMA's flags, without soft-dirty tracking or write notification. */
static void set_protection(struct vm_area_struct *vma)
{
	lockdep_assert_held_write(&vma->vm_mm->mmap_lock);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
}

static bool covers(struct vm_area_struct *vma, unsigned long addr,
		   unsigned int nr)
{
	return addr == vma->vm_start && nr == vma_pages(vma);
}

/* Marks the frames of @area from @first on that were mapped; unmaps those that failed. */
static int note_results(struct dmop_area *area, struct vm_area_struct *vma,
			unsigned int first, unsigned int nr, const int *errs)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr; i++) {
		if (!errs[i]) {
			__set_bit(first + i, area->mapped);
			continue;
		}
		if (errs[i] == -ENOENT)
			ret = -ENOENT;
		/* On an auto-translated dom0 the kernel set the PTE all the same. */
		if (area->pages)
			zap_vma_ptes(vma, vma->vm_start +
				     ((unsigned long)(first + i) << PAGE_SHIFT),
				     PAGE_SIZE);
	}
	return ret;
}

/* Maps @nr frames of @area from @first on. */
static int map_frames(struct dmop_area *area, struct vm_area_struct *vma,
		      unsigned int first, unsigned int nr, xen_pfn_t *gfns,
		      int *errs)
{
	unsigned int done, n, i;
	int ret = 0;

	for (done = 0; done < nr; done += n) {
		unsigned long addr = vma->vm_start +
			((unsigned long)(first + done) << PAGE_SHIFT);
		int err;

		if (fatal_signal_pending(current))
			return -EINTR;
		if (READ_ONCE(area->maps->closed))
			return -ESRCH;
		n = min_t(unsigned int, nr - done, FRAMES_AT_A_TIME);

		/* The kernel overwrites the error of every frame that it tries. */
		for (i = done; i < done + n; i++) {
			gfns[i] = min_t(u64, gfns[i], HIGHEST_GFN);
			errs[i] = 1;
		}
		err = xen_remap_domain_gfn_array(vma, addr, gfns + done, n,
						 errs + done, vma->vm_page_prot,
						 area->domid,
						 area->pages ? area->pages + first + done : NULL);
		for (i = done; i < done + n; i++) {
			if (errs[i] > 0)
				errs[i] = err < 0 ? err : -EFAULT;
		}
		err = note_results(area, vma, first + done, n, errs + done);
		if (err)
			ret = err;
	}
	return ret;
}

static int map_foreign(struct dmop_maps *maps, struct vm_area_struct *vma,
		       const struct dmop_range *range, xen_pfn_t *gfns, int *errs)
{
	struct dmop_area *area = vma->vm_private_data;
	unsigned int first = (range->addr - vma->vm_start) >> PAGE_SHIFT;
	unsigned int end = first + range->nr;
	int err;

	if (maps->closed)
		return -ESRCH;

	if (area) {
		if (!dmop_policy_same_target(area->domid, range->domid) ||
		    find_next_bit(area->mapped, end, first) < end)
			return -EINVAL;
		err = dmop_area_alloc_pages(area);
		if (err)
			return err;
	} else {
		if (!covers(vma, range->addr, range->nr))
			return -EINVAL;
		area = dmop_area_create(maps, range->domid, range->nr);
		if (IS_ERR(area))
			return PTR_ERR(area);
		vma->vm_private_data = area;
	}
	set_protection(vma);
	err = map_frames(area, vma, first, range->nr, gfns, errs);
	if (bitmap_empty(area->mapped, area->nr))
		dmop_area_free_pages(area);
	return err;
}

int dmop_map_foreign(struct dmop_maps *maps, struct file *filp,
		     const struct dmop_range *range, xen_pfn_t *gfns, int *errs)
{
	struct vm_area_struct *vma;
	int ret = -EINTR;

	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	vma = dmop_area_find(filp, range->addr, range->nr);
	if (!vma) {
		ret = -EINVAL;
	} else if (!mutex_lock_killable(&maps->lock)) {
		ret = map_foreign(maps, vma, range, gfns, errs);
		mutex_unlock(&maps->lock);
	}
	mmap_write_unlock(current->mm);
	return ret;
}

/*
 * xen_remap_vma_range() expects the pages in vm_private_data, where the stock
 * driver keeps them. No other code reads that member meanwhile: mmap_lock is held
 * for writing.
 */
static int map_pages(struct dmop_area *area, struct vm_area_struct *vma)
{
	int ret;

	lockdep_assert_held_write(&vma->vm_mm->mmap_lock);

	vma->vm_private_data = area->pages;
	ret = xen_remap_vma_range(vma, vma->vm_start,
				  vma->vm_end - vma->vm_start);
	vma->vm_private_data = area;
	return ret;
}

/*
 * Auto-translated: Xen places the resource at the frames of the empty pages. PV:
 * Xen reports the machine frames, which are then mapped; as the caller's own if
 * Xen says that they are.
 */
static int map_resource_frames(struct dmop_area *area,
			       struct vm_area_struct *vma,
			       struct xen_mem_acquire_resource *xar,
			       xen_pfn_t *frames, int *errs)
{
	domid_t owner = area->domid;
	unsigned int i;
	int ret;

	for (i = 0; area->pages && i < area->nr; i++)
		frames[i] = page_to_xen_pfn(area->pages[i]);

	set_xen_guest_handle(xar->frame_list, frames);
	ret = dmop_hypercall_acquire_resource(xar);
	if (ret)
		return ret;

	if (area->pages)
		return map_pages(area, vma);

	if (xar->flags & XENMEM_rsrc_acq_caller_owned)
		owner = DOMID_SELF;
	ret = remap_mfn_array(vma, vma->vm_start, frames, area->nr, errs,
			      vma->vm_page_prot, owner);
	for (i = 0; ret >= 0 && i < area->nr; i++)
		ret = errs[i];
	return ret < 0 ? ret : 0;
}

static int map_resource(struct dmop_maps *maps, struct vm_area_struct *vma,
			struct xen_mem_acquire_resource *xar,
			xen_pfn_t *frames, int *errs)
{
	unsigned int nr = xar->nr_frames;
	struct dmop_area *area;
	int ret;

	if (maps->closed)
		return -ESRCH;
	if (vma->vm_private_data)
		return -EINVAL;
	area = dmop_area_create(maps, xar->domid, nr);
	if (IS_ERR(area))
		return PTR_ERR(area);
	vma->vm_private_data = area;
	set_protection(vma);

	ret = map_resource_frames(area, vma, xar, frames, errs);
	if (ret) {
		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
		vma->vm_private_data = NULL;
		dmop_area_destroy(area);
		return ret;
	}
	if (nr <= BITS_PER_LONG)
		area->few = ~0UL >> (BITS_PER_LONG - nr);
	else
		bitmap_fill(area->mapped, nr);
	return 0;
}

int dmop_map_resource(struct dmop_maps *maps, struct file *filp,
		      unsigned long addr, struct xen_mem_acquire_resource *xar)
{
	struct vm_area_struct *vma;
	/* Every element is written before it is read. */
	xen_pfn_t few_frames[FEW_FRAMES] dmop_uninitialized;
	int few_errs[FEW_FRAMES] dmop_uninitialized;
	xen_pfn_t *frames = few_frames;
	unsigned int nr = xar->nr_frames;
	int *errs = few_errs;
	int ret = -EINTR;

	if (nr > FEW_FRAMES) {
		/* One allocation for both arrays. */
		frames = kvmalloc_array(nr, sizeof(*frames) + sizeof(*errs),
					GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!frames)
			return -ENOMEM;
		errs = (int *)(frames + nr);
	}

	if (mmap_write_lock_killable(current->mm))
		goto out;
	vma = dmop_area_find(filp, addr, nr);
	if (!vma || !covers(vma, addr, nr)) {
		ret = -EINVAL;
	} else if (!mutex_lock_killable(&maps->lock)) {
		ret = map_resource(maps, vma, xar, frames, errs);
		mutex_unlock(&maps->lock);
	}
	mmap_write_unlock(current->mm);
out:
	if (frames != few_frames)
		kvfree(frames);
	return ret;
}

int dmop_map_resource_size(struct dmop_maps *maps,
			   struct xen_mem_acquire_resource *xar)
{
	int ret = -ESRCH;

	if (mutex_lock_killable(&maps->lock))
		return -EINTR;
	if (!maps->closed)
		ret = dmop_hypercall_acquire_resource(xar);
	mutex_unlock(&maps->lock);
	return ret;
}
