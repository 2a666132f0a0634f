// SPDX-License-Identifier: GPL-2.0
/*
 * mapping.c - memory and resources of the target domain, in the caller
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <xen/features.h>
#include <xen/interface/xen.h>
#include <xen/interface/memory.h>
#include <xen/page.h>
#include <xen/xen.h>
#include <xen/xen-ops.h>

#include "hypercall.h"
#include "limits.h"
#include "mapping.h"
#include "policy.h"

/* Between two of these a killed caller gets out, and others get a turn. */
#define FRAMES_AT_A_TIME	4096

/* Resources are no part of what a domain may have, nor are the holes in its memory. */
#define MORE_PAGES		4096

/* A resource of so many frames is mapped without an allocation for them. */
#define FEW_FRAMES	4

/*
 * No guest has a frame above this, and a PTE has no room for it: what is
 * shifted further up would be the PTE's flags.
 */
#define HIGHEST_GFN	((1ULL << (52 - PAGE_SHIFT)) - 1)

/*
 * Where all areas begin in their file: further than mmap() can ask for. The
 * first thing that mremap() does is to ask dmop_maps_unmapped_area() for a new
 * place, and this is how it is told from mmap().
 */
#define AREA_PGOFF	(1UL << (BITS_PER_LONG - 2))

static bool auto_translated(void)
{
	return xen_feature(XENFEAT_auto_translated_physmap);
}

/*
 * The empty pages that frames are mapped over are kernel memory that nobody is
 * charged for: no more of them than twice what the toolstack lets the domain
 * have. What the domain says of itself, or its device model of it, is no bound.
 */
static int check_pages(struct dmop_maps *maps, domid_t domid, unsigned int nr)
{
	long most;

	if (!auto_translated())
		return 0;

	most = dmop_hypercall_maximum_reservation(domid);
	if (most < 0)
		return most;
	return maps->frames + nr > 2 * (u64)most + MORE_PAGES ? -E2BIG : 0;
}

static int area_alloc_pages(struct dmop_area *area)
{
	int err;

	if (!auto_translated() || area->pages)
		return 0;

	area->pages = kvcalloc(area->nr, sizeof(*area->pages),
			       GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!area->pages)
		return -ENOMEM;

	err = xen_alloc_unpopulated_pages(area->nr, area->pages);
	if (err) {
		kvfree(area->pages);
		area->pages = NULL;
	}
	return err;
}

/*
 * No PTE may point at the pages any more. A TLB may for a moment, if another
 * thread is just unmapping; Xen flushes when it takes a frame away.
 */
static void area_free_pages(struct dmop_area *area)
{
	unsigned int done, n;

	if (!area->pages)
		return;

	for (done = 0; done < area->nr; done += n) {
		n = min_t(unsigned int, area->nr - done, FRAMES_AT_A_TIME);
		/* The VMA is not looked at. */
		xen_unmap_domain_gfn_range(NULL, n, area->pages + done);
		cond_resched();
	}
	xen_free_unpopulated_pages(area->nr, area->pages);
	kvfree(area->pages);
	area->pages = NULL;
}

/* The first small area of a file, which is often its only one, costs nothing. */
static struct dmop_area *area_alloc(struct dmop_maps *maps, unsigned int nr)
{
	struct dmop_area *area = &maps->small;

	if (nr > BITS_PER_LONG) {
		area = kvzalloc(sizeof(*area) + BITS_TO_LONGS(nr) * sizeof(long),
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (area)
			area->mapped = (void *)(area + 1);
	} else {
		if (area->maps)
			area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);
		if (area)
			area->mapped = &area->few;
	}
	if (area)
		area->maps = maps;
	return area;
}

static void area_free(struct dmop_area *area)
{
	struct dmop_maps *maps = area->maps;

	lockdep_assert_held(&maps->lock);

	if (area == &maps->small)
		memset(area, 0, sizeof(*area));
	else
		kvfree(area);
}

static void area_destroy(struct dmop_area *area)
{
	lockdep_assert_held(&area->maps->lock);

	area_free_pages(area);
	list_del(&area->link);
	WRITE_ONCE(area->maps->frames, area->maps->frames - area->nr);
	area_free(area);
}

static struct dmop_area *area_create(struct dmop_maps *maps, domid_t domid,
				     unsigned int nr)
{
	struct dmop_area *area;
	int err;

	lockdep_assert_held(&maps->lock);

	if (maps->frames + nr > READ_ONCE(dmop_max_map_frames))
		return ERR_PTR(-E2BIG);
	err = check_pages(maps, domid, nr);
	if (err)
		return ERR_PTR(err);

	area = area_alloc(maps, nr);
	if (!area)
		return ERR_PTR(-ENOMEM);

	area->domid = domid;
	area->nr = nr;

	err = area_alloc_pages(area);
	if (err) {
		area_free(area);
		return ERR_PTR(err);
	}

	list_add(&area->link, &maps->areas);
	WRITE_ONCE(maps->frames, maps->frames + nr);
	return area;
}

/* Nothing copies such a VMA; if something did, the copy would hold nothing. */
static void area_vma_open(struct vm_area_struct *vma)
{
	WARN_ON_ONCE(1);
	vma->vm_private_data = NULL;
}

/* The PTEs are gone, and flushed from every TLB. */
static void area_vma_close(struct vm_area_struct *vma)
{
	struct dmop_area *area = vma->vm_private_data;
	struct dmop_maps *maps;

	if (!area)
		return;

	maps = area->maps;
	mutex_lock(&maps->lock);
	area_destroy(area);
	mutex_unlock(&maps->lock);
}

static int area_vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

/*
 * On PV the kernel would write the changed PTEs as if the frames were dom0's
 * own. Xen refuses that, and the kernel complains.
 */
static int __maybe_unused
area_vma_mprotect(struct vm_area_struct *vma, unsigned long start,
		  unsigned long end, unsigned long newflags)
{
	return -EACCES;
}

/*
 * A write to a read-only mapping. The kernel would make the PTE writable, on PV
 * as above, and then have the write done again, for ever.
 */
static vm_fault_t area_vma_pfn_mkwrite(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static vm_fault_t area_vma_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct area_vm_ops = {
	.open = area_vma_open,
	.close = area_vma_close,
	.may_split = area_vma_may_split,
#ifdef HAVE_VM_OPS_MPROTECT
	.mprotect = area_vma_mprotect,
#endif
	.pfn_mkwrite = area_vma_pfn_mkwrite,
	.fault = area_vma_fault,
};

void dmop_maps_init(struct dmop_maps *maps, struct file *filp)
{
	mutex_init(&maps->lock);
	INIT_LIST_HEAD(&maps->areas);

	address_space_init_once(&maps->space);
	maps->space.a_ops = &empty_aops;
	maps->space.host = file_inode(filp);
	filp->f_mapping = &maps->space;
}

int dmop_maps_mmap(struct dmop_maps *maps, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	/*
	 * Without access the PTEs would not be present ones, and on PV Xen takes
	 * such as they are, whatever frame they name.
	 */
	if (!(vma->vm_flags & (VM_READ | VM_WRITE)))
		return -EACCES;

	/*
	 * Protection stays as it is; userfaultfd asks for VM_MAYWRITE. Without
	 * area_vma_mprotect(), as on Linux 5.10, this is all that refuses, and
	 * PROT_NONE asks for nothing that could be: what was mapped is then out
	 * of reach until it is unmapped.
	 */
	vm_flags_clear(vma, VM_MAYEXEC | VM_MAYWRITE | VM_MAYREAD);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTCOPY | VM_DONTEXPAND |
			  VM_DONTDUMP);
	vma->vm_pgoff = AREA_PGOFF;
	vma->vm_ops = &area_vm_ops;
	vma->vm_private_data = NULL;
	return 0;
}

/*
 * A move is refused here, before it begins: on PV the moved PTEs would be
 * written as if the frames were dom0's own, as in area_vma_mprotect().
 */
unsigned long dmop_maps_unmapped_area(struct file *filp, unsigned long addr,
				      unsigned long len, unsigned long pgoff,
				      unsigned long flags)
{
	if (pgoff >= AREA_PGOFF)
		return -EINVAL;
	return get_unmapped_area_of(current->mm, filp, addr, len, pgoff, flags);
}

bool dmop_maps_hold_other(struct dmop_maps *maps, domid_t domid)
{
	struct dmop_area *area;
	bool other = false;

	mutex_lock(&maps->lock);
	list_for_each_entry(area, &maps->areas, link)
		other |= !dmop_policy_same_target(area->domid, domid) &&
			 !bitmap_empty(area->mapped, area->nr);
	mutex_unlock(&maps->lock);

	return other;
}

unsigned long dmop_maps_frames(struct dmop_maps *maps)
{
	return READ_ONCE(maps->frames);
}

void dmop_maps_stop(struct dmop_maps *maps)
{
	WRITE_ONCE(maps->closed, true);
	/* Who has not seen that holds the lock. */
	mutex_lock(&maps->lock);
	mutex_unlock(&maps->lock);
}

void dmop_maps_take(struct dmop_maps *maps)
{
	struct dmop_area *area;

	mutex_lock(&maps->lock);
	unmap_mapping_range(&maps->space, 0, 0, 1);
	list_for_each_entry(area, &maps->areas, link) {
		area_free_pages(area);
		area->nr = 0;
	}
	WRITE_ONCE(maps->frames, 0);
	mutex_unlock(&maps->lock);
}

/* The VMA of @filp that holds the whole range, or NULL. */
static struct vm_area_struct *find_area(struct file *filp, unsigned long addr,
					unsigned int nr)
{
	struct vm_area_struct *vma;

	lockdep_assert_held_write(&current->mm->mmap_lock);

	if (!PAGE_ALIGNED(addr))
		return NULL;
	vma = find_vma(current->mm, addr);
	if (!vma || vma->vm_ops != &area_vm_ops || vma->vm_file != filp)
		return NULL;
	if (addr < vma->vm_start || nr > (vma->vm_end - addr) >> PAGE_SHIFT)
		return NULL;
	/* As in dmop_maps_mmap(): on Linux 5.10 mprotect() may have come between. */
	if (!(vma->vm_flags & (VM_READ | VM_WRITE)))
		return NULL;
	return vma;
}

/*
 * What the VMA's flags say, and not what soft-dirty tracking or the mere wish
 * to be told of writes made of it.
 */
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

/* The frames of @area from @first on that failed have no mapping. */
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
		/* On an auto-translated dom0 the PTE was set all the same. */
		if (area->pages)
			zap_vma_ptes(vma, vma->vm_start +
				     ((unsigned long)(first + i) << PAGE_SHIFT),
				     PAGE_SIZE);
	}
	return ret;
}

/* Maps @nr frames of @area from @first on. */
static int area_map(struct dmop_area *area, struct vm_area_struct *vma,
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

		/* Taken back by the kernel for every frame that it tries. */
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
		       unsigned long addr, domid_t domid, unsigned int nr,
		       xen_pfn_t *gfns, int *errs)
{
	struct dmop_area *area = vma->vm_private_data;
	unsigned int first = (addr - vma->vm_start) >> PAGE_SHIFT;
	int err;

	if (maps->closed)
		return -ESRCH;

	if (area) {
		if (!dmop_policy_same_target(area->domid, domid) ||
		    find_next_bit(area->mapped, first + nr, first) < first + nr)
			return -EINVAL;
		err = area_alloc_pages(area);
		if (err)
			return err;
	} else {
		if (!covers(vma, addr, nr))
			return -EINVAL;
		area = area_create(maps, domid, nr);
		if (IS_ERR(area))
			return PTR_ERR(area);
		vma->vm_private_data = area;
	}
	set_protection(vma);
	err = area_map(area, vma, first, nr, gfns, errs);
	if (bitmap_empty(area->mapped, area->nr))
		area_free_pages(area);
	return err;
}

int dmop_maps_foreign(struct dmop_maps *maps, struct file *filp,
		      unsigned long addr, domid_t domid, unsigned int nr,
		      xen_pfn_t *gfns, int *errs)
{
	struct vm_area_struct *vma;
	int ret = -EINTR;

	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	vma = find_area(filp, addr, nr);
	if (!vma) {
		ret = -EINVAL;
	} else if (!mutex_lock_killable(&maps->lock)) {
		ret = map_foreign(maps, vma, addr, domid, nr, gfns, errs);
		mutex_unlock(&maps->lock);
	}
	mmap_write_unlock(current->mm);
	return ret;
}

/*
 * xen_remap_vma_range() takes the pages from where the stock driver keeps them.
 * Nobody else looks there meanwhile: mmap_lock is held for writing.
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
 * Auto-translated: Xen puts the resource at the frames of the empty pages. PV:
 * Xen tells the machine frames, which are then mapped, as the caller's own if
 * Xen says that they are.
 */
static int area_map_resource(struct dmop_area *area, struct vm_area_struct *vma,
			     struct xen_mem_acquire_resource *xar,
			     xen_pfn_t *frames, int *errs)
{
	domid_t owner = area->domid;
	unsigned int i;
	int ret;

	for (i = 0; area->pages && i < area->nr; i++)
		frames[i] = page_to_xen_pfn(area->pages[i]);

	set_xen_guest_handle(xar->frame_list, frames);
	xar->nr_frames = area->nr;
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
			struct xen_mem_acquire_resource *xar, unsigned int nr,
			xen_pfn_t *frames, int *errs)
{
	struct dmop_area *area;
	int ret;

	if (maps->closed)
		return -ESRCH;
	if (vma->vm_private_data)
		return -EINVAL;
	area = area_create(maps, xar->domid, nr);
	if (IS_ERR(area))
		return PTR_ERR(area);
	vma->vm_private_data = area;
	set_protection(vma);

	ret = area_map_resource(area, vma, xar, frames, errs);
	if (ret) {
		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
		vma->vm_private_data = NULL;
		area_destroy(area);
		return ret;
	}
	bitmap_fill(area->mapped, nr);
	return 0;
}

int dmop_maps_resource(struct dmop_maps *maps, struct file *filp,
		       unsigned long addr, domid_t domid, u32 type, u32 id,
		       u32 idx, unsigned int nr)
{
	struct xen_mem_acquire_resource xar = {
		.domid = domid,
		.type = type,
		.id = id,
		.frame = idx,
	};
	struct vm_area_struct *vma;
	/* Written before they are read, like the allocated ones. */
	xen_pfn_t few_frames[FEW_FRAMES] dmop_uninitialized;
	int few_errs[FEW_FRAMES] dmop_uninitialized;
	xen_pfn_t *frames = few_frames;
	int *errs = few_errs;
	int ret = -EINTR;

	if (nr > FEW_FRAMES) {
		/* One allocation for both. */
		frames = kvmalloc_array(nr, sizeof(*frames) + sizeof(*errs),
					GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!frames)
			return -ENOMEM;
		errs = (int *)(frames + nr);
	}

	if (mmap_write_lock_killable(current->mm))
		goto out;
	vma = find_area(filp, addr, nr);
	if (!vma || !covers(vma, addr, nr)) {
		ret = -EINVAL;
	} else if (!mutex_lock_killable(&maps->lock)) {
		ret = map_resource(maps, vma, &xar, nr, frames, errs);
		mutex_unlock(&maps->lock);
	}
	mmap_write_unlock(current->mm);
out:
	if (frames != few_frames)
		kvfree(frames);
	return ret;
}

int dmop_maps_resource_size(struct dmop_maps *maps, domid_t domid, u32 type,
			    u32 id, u32 *nr)
{
	struct xen_mem_acquire_resource xar = {
		.domid = domid,
		.type = type,
		.id = id,
	};
	int ret = -ESRCH;

	if (mutex_lock_killable(&maps->lock))
		return -EINTR;
	if (!maps->closed)
		ret = dmop_hypercall_acquire_resource(&xar);
	mutex_unlock(&maps->lock);

	if (!ret)
		*nr = xar.nr_frames;
	return ret;
}
