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
#include <linux/string.h>
#include <xen/interface/xen.h>
#include <xen/interface/memory.h>
#include <xen/page.h>
#include <xen/xen-ops.h>

#include "area.h"
#include "hypercall.h"
#include "map.h"
#include "policy.h"
#include "pool.h"
#include "record.h"
#include "rights.h"

/*
 * Frames mapped between two checks for a fatal signal and for the domain's death. Of a
 * caller that is stopped in between, so many frames of a dead domain may stay mapped.
 */
#define FRAMES_AT_A_TIME	64

/* A resource of so many frames needs no allocation for their numbers. */
#define FEW_FRAMES	4

/*
 * No guest has a frame above this. A PTE has no room for a larger number: its
 * upper bits would become flags of the PTE.
 */
#define HIGHEST_GFN	((1ULL << (52 - PAGE_SHIFT)) - 1)

/*
 * The protection of the VMA's flags, without soft-dirty tracking or write notification. On
 * arm64 a write to a clean page can raise a page fault, and an area permits none.
 */
static void set_protection(struct vm_area_struct *vma)
{
	lockdep_assert_held_write(&vma->vm_mm->mmap_lock);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	if (IS_ENABLED(CONFIG_ARM64) && (vma->vm_flags & VM_WRITE))
		vma->vm_page_prot = __pgprot(pte_val(pte_mkdirty(pfn_pte(0, vma->vm_page_prot))));
}

static bool covers(struct vm_area_struct *vma, unsigned long addr, unsigned int nr)
{
	return addr == vma->vm_start && nr == vma_pages(vma);
}

/*
 * The frames of one step of a mapping call.
 *
 * @area:  the area
 * @vma:   its VMA
 * @first: first frame of the area
 * @nr:    number of frames, at most %FRAMES_AT_A_TIME
 * @gfns:  the frame numbers; overwritten
 * @errs:  out: 0 or an errno for each frame
 */
struct chunk {
	struct dmop_area *area;
	struct vm_area_struct *vma;
	unsigned int first;
	unsigned int nr;
	xen_pfn_t *gfns;
	int *errs;
};

static unsigned long frame_address(const struct chunk *c, unsigned int i)
{
	return c->vma->vm_start + ((unsigned long)(c->first + i) << PAGE_SHIFT);
}

/*
 * xen_remap_vma_range() expects the pages in vm_private_data, where the stock
 * driver keeps them. No other code reads that member meanwhile: mmap_lock is held
 * for writing.
 */
static int map_pages(struct dmop_area *area, struct vm_area_struct *vma,
		     unsigned int first, unsigned int nr)
{
	unsigned long addr = vma->vm_start + ((unsigned long)first << PAGE_SHIFT);
	int ret;

	lockdep_assert_held_write(&vma->vm_mm->mmap_lock);

	vma->vm_private_data = area->pages->page + first;
	ret = xen_remap_vma_range(vma, addr, (unsigned long)nr << PAGE_SHIFT);
	vma->vm_private_data = area;
	return ret;
}

static void unmap_chunk(const struct chunk *c)
{
	zap_vma_ptes(c->vma, frame_address(c, 0), (unsigned long)c->nr << PAGE_SHIFT);
	dmop_area_remove_frames(c->area, c->first, c->nr);
}

/*
 * Auto-translated: the frames are placed at the empty pages first, then the pages
 * are mapped. The kernel's function for both would also map a page whose frame failed,
 * and an access to that page can be fatal to dom0.
 */
static void map_chunk_translated(const struct chunk *c)
{
	xen_pfn_t pfns[FRAMES_AT_A_TIME];
	unsigned int i, n;
	int ret;

	for (i = 0; i < c->nr; i++)
		pfns[i] = page_to_xen_pfn(c->area->pages->page[c->first + i]);
	ret = dmop_hypercall_add_foreign(c->area->domid, c->nr, c->gfns, pfns, c->errs);
	for (i = 0; !ret && i < c->nr; i += n + 1) {
		for (n = 0; i + n < c->nr && !c->errs[i + n]; n++)
			;
		if (n)
			ret = map_pages(c->area, c->vma, c->first + i, n);
	}
	if (ret) {
		unmap_chunk(c);
		for (i = 0; i < c->nr; i++)
			c->errs[i] = ret;
	}
}

/* Return: true if all were mapped. */
static bool map_chunk_pv(const struct chunk *c)
{
	unsigned int i;
	int ret;

	/* Positive, until the kernel sets the error of the frame. */
	memset(c->errs, 1, c->nr * sizeof(*c->errs));
	ret = xen_remap_domain_gfn_array(c->vma, frame_address(c, 0), c->gfns, c->nr,
					 c->errs, c->vma->vm_page_prot, c->area->domid, NULL);
	if (likely(ret == c->nr))
		return true;
	for (i = 0; i < c->nr; i++) {
		if (c->errs[i] > 0)
			c->errs[i] = ret < 0 ? ret : -EFAULT;
	}
	return false;
}

/* Return: true if all frames were mapped; else the errors tell. */
static bool map_chunk(const struct chunk *c)
{
	if (!c->area->pages)
		return map_chunk_pv(c);
	map_chunk_translated(c);
	return false;
}

/* Return: -ENOENT if a frame failed because it is paged out, else 0. */
static int note_results(const struct chunk *c, bool all)
{
	unsigned int i;
	int ret = 0;

	if (all) {
		bitmap_set(c->area->mapped, c->first, c->nr);
		WRITE_ONCE(c->area->used, true);
		return 0;
	}
	for (i = 0; i < c->nr; i++) {
		if (!c->errs[i]) {
			__set_bit(c->first + i, c->area->mapped);
			WRITE_ONCE(c->area->used, true);
		} else if (c->errs[i] == -ENOENT) {
			ret = -ENOENT;
		}
	}
	return ret;
}

/* Maps the frames of @piece, of any number, in steps. */
static int map_frames(const struct chunk *piece)
{
	struct chunk c = *piece;
	unsigned int done;
	bool all_mapped;
	int ret = 0;

	for (done = 0; done < piece->nr; done += c.nr) {
		c.nr = min_t(unsigned int, piece->nr - done, FRAMES_AT_A_TIME);
		c.first = piece->first + done;
		c.gfns = piece->gfns + done;
		c.errs = piece->errs + done;

		if (fatal_signal_pending(current))
			return -EINTR;
		if (dmop_area_begin(c.area, c.first, c.nr))
			return -ESRCH;
		all_mapped = map_chunk(&c);
		if (dmop_area_end(c.area)) {
			unmap_chunk(&c);
			return -ESRCH;
		}
		if (note_results(&c, all_mapped))
			ret = -ENOENT;
	}
	return ret;
}

/* @more: frames of an area that is not there yet */
static noinline bool may_map(struct dmop_maps *maps, const struct vm_area_struct *vma,
			     u64 right, unsigned int more)
{
	return dmop_rights_map(maps->rights, right, vma->vm_flags & VM_WRITE) &&
	       dmop_rights_frames(maps->rights, dmop_maps_frames(maps) + more);
}

static int map_foreign(struct dmop_maps *maps, struct vm_area_struct *vma,
		       const struct dmop_range *range, xen_pfn_t *gfns, int *errs)
{
	struct chunk piece = {
		.area = vma->vm_private_data,
		.vma = vma,
		.first = ((range->addr - vma->vm_start) >> PAGE_SHIFT) + range->done,
		.nr = range->piece,
		.gfns = gfns,
		.errs = errs,
	};
	/* Any mapped frame refuses the first piece, so that nothing of the call is mapped. */
	unsigned int end = piece.first + (range->done ? range->piece : range->nr), i;

	for (i = 0; i < piece.nr; i++)
		gfns[i] = min_t(u64, gfns[i], HIGHEST_GFN);
	if (piece.area) {
		if (!dmop_policy_same_target(piece.area->domid, range->domid) ||
		    find_next_bit(piece.area->mapped, end, piece.first) < end)
			return -EINVAL;
	} else if (range->done || !covers(vma, range->addr, range->nr)) {
		return -EINVAL;
	}
	if (dmop_rights_narrowed(maps->rights) &&
	    (!may_map(maps, vma, DMOP_RIGHT_MAP_FOREIGN, piece.area ? 0 : range->nr) ||
	     !dmop_rights_gfns(maps->rights, gfns, piece.nr)))
		return DMOP_NARROWED;
	if (!piece.area) {
		piece.area = dmop_area_create(maps, range->domid, range->nr);
		if (IS_ERR(piece.area))
			return PTR_ERR(piece.area);
		vma->vm_private_data = piece.area;
	}
	set_protection(vma);
	return map_frames(&piece);
}

int dmop_map_foreign(struct dmop_maps *maps, struct dmop_record *record,
		     struct file *filp, const struct dmop_range *range,
		     xen_pfn_t *gfns, int *errs)
{
	struct vm_area_struct *vma;
	int token, ret;

	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	ret = dmop_record_enter(record, &token);
	if (!ret) {
		vma = dmop_area_find(filp, range->addr, range->nr);
		ret = vma ? map_foreign(maps, vma, range, gfns, errs) : -EINVAL;
		dmop_record_leave(record, token);
	}
	mmap_write_unlock(current->mm);
	return ret;
}

/*
 * Auto-translated: Xen places the resource at the frames of the empty pages. PV:
 * Xen reports the machine frames, which are then mapped; as the caller's own if
 * Xen says that they are.
 */
static int map_resource_frames(struct dmop_area *area, struct vm_area_struct *vma,
			       struct xen_mem_acquire_resource *xar, xen_pfn_t *frames, int *errs)
{
	domid_t owner = area->domid;
	unsigned int i;
	int ret;

	for (i = 0; area->pages && i < area->nr; i++)
		frames[i] = page_to_xen_pfn(area->pages->page[i]);

	set_xen_guest_handle(xar->frame_list, frames);
	ret = dmop_hypercall_acquire_resource(xar);
	if (ret)
		return ret;

	if (area->pages)
		return map_pages(area, vma, 0, area->nr);

	if (xar->flags & XENMEM_rsrc_acq_caller_owned)
		owner = DOMID_SELF;
	ret = remap_mfn_array(vma, vma->vm_start, frames, area->nr, errs,
			      vma->vm_page_prot, owner);
	if (likely(ret == area->nr))
		return 0;
	for (i = 0; ret >= 0 && i < area->nr; i++)
		ret = errs[i];
	return ret < 0 ? ret : 0;
}

static int map_resource(struct dmop_maps *maps, struct vm_area_struct *vma,
			struct xen_mem_acquire_resource *xar, xen_pfn_t *frames, int *errs)
{
	unsigned int nr = xar->nr_frames;
	struct dmop_area *area;
	int ret;

	if (vma->vm_private_data)
		return -EINVAL;
	if (unlikely(dmop_rights_narrowed(maps->rights)) &&
	    (!may_map(maps, vma, DMOP_RIGHT_MAP_RESOURCE, nr) ||
	     !dmop_rights_resource(maps->rights, xar->type)))
		return DMOP_NARROWED;
	area = dmop_area_create(maps, xar->domid, nr);
	if (IS_ERR(area))
		return PTR_ERR(area);
	vma->vm_private_data = area;
	set_protection(vma);
	WRITE_ONCE(area->used, true);

	ret = map_resource_frames(area, vma, xar, frames, errs);
	if (dmop_area_end(area))
		ret = -ESRCH;
	if (ret) {
		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
		vma->vm_private_data = NULL;
		dmop_area_close(area);
		return ret;
	}
	dmop_maps_note_server(area, vma->vm_start, xar);
	if (nr <= BITS_PER_LONG)
		area->few = ~0UL >> (BITS_PER_LONG - nr);
	else
		bitmap_fill(area->mapped, nr);
	return 0;
}

int dmop_map_resource(struct dmop_maps *maps, struct dmop_record *record,
		      struct file *filp, unsigned long addr,
		      struct xen_mem_acquire_resource *xar)
{
	struct vm_area_struct *vma;
	/* Every element is written before it is read. */
	xen_pfn_t few_frames[FEW_FRAMES] dmop_uninitialized;
	int few_errs[FEW_FRAMES] dmop_uninitialized;
	xen_pfn_t *frames = few_frames;
	unsigned int nr = xar->nr_frames;
	int *errs = few_errs;
	int token, ret = -EINTR;

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
	ret = dmop_record_enter(record, &token);
	if (!ret) {
		vma = dmop_area_find(filp, addr, nr);
		ret = vma && covers(vma, addr, nr) ?
			map_resource(maps, vma, xar, frames, errs) : -EINVAL;
		dmop_record_leave(record, token);
	}
	mmap_write_unlock(current->mm);
out:
	if (frames != few_frames)
		kvfree(frames);
	return ret;
}

int dmop_map_resource_size(struct dmop_maps *maps, struct dmop_record *record,
			   struct xen_mem_acquire_resource *xar)
{
	int token, ret;

	ret = dmop_record_enter(record, &token);
	if (ret)
		return ret;
	if (dmop_rights_has(maps->rights, DMOP_RIGHT_MAP_RESOURCE) &&
	    dmop_rights_resource(maps->rights, xar->type))
		ret = dmop_hypercall_acquire_resource(xar);
	else
		ret = DMOP_NARROWED;
	dmop_record_leave(record, token);
	return ret;
}
