// SPDX-License-Identifier: GPL-2.0
/*
 * area.c - the life of a mapped area
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <xen/features.h>
#include <xen/interface/xen.h>
#include <xen/page.h>
#include <xen/xen.h>
#include <xen/xen-ops.h>

#include "area.h"
#include "hypercall.h"
#include "limits.h"
#include "policy.h"
#include "pool.h"
#include "rights.h"

/* Resources, and the holes in a domain's memory, are not counted in its maxmem. */
#define MORE_PAGES		4096

/* Frames that are removed between two scheduling points. */
#define FRAMES_AT_A_TIME	256

/*
 * The file offset of every area, in pages: mmap() cannot be given one so large.
 * mremap() first asks dmop_maps_unmapped_area() for a new address, which tells
 * the two apart by it.
 */
#define AREA_PGOFF	(1UL << (BITS_PER_LONG - 2))

static bool auto_translated(void)
{
	return xen_feature(XENFEAT_auto_translated_physmap);
}

/* @pages: of an area, or NULL */
static void remove_frames(struct dmop_pages *pages, unsigned int first, unsigned int nr)
{
	unsigned int n;

	for (; pages && nr; first += n, nr -= n) {
		n = min_t(unsigned int, nr, FRAMES_AT_A_TIME);
		/* The kernel does not use the VMA argument. */
		xen_unmap_domain_gfn_range(NULL, n, pages->page + first);
		cond_resched();
	}
}

void dmop_area_remove_frames(struct dmop_area *area, unsigned int first,
			     unsigned int nr)
{
	/* Pairs with the release in area_init_translated(). */
	remove_frames(smp_load_acquire(&area->pages), first, nr);
}

static struct dmop_area *area_alloc(struct dmop_maps *maps, unsigned int nr)
{
	struct dmop_area *area = &maps->small;

	if (nr > BITS_PER_LONG) {
		area = kvzalloc(sizeof(*area) + BITS_TO_LONGS(nr) * sizeof(long),
				GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (area)
			area->mapped = (void *)(area + 1);
	} else {
		if (cmpxchg(&area->maps, NULL, maps))
			area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);
		if (area)
			area->mapped = &area->few;
	}
	if (!area)
		return NULL;
	area->maps = maps;
	area->nr = nr;
	refcount_set(&area->users, 1);
	return area;
}

static void area_free(struct dmop_area *area)
{
	struct dmop_area *small = &area->maps->small;

	if (area != small) {
		kvfree(area);
		return;
	}
	small->pages = NULL;
	small->few = 0;
	small->used = false;
	small->ioreqs = 0;
	/* From here on the next area may use it; pairs with the cmpxchg() in area_alloc(). */
	smp_store_release(&small->maps, NULL);
}

void dmop_area_put(struct dmop_area *area)
{
	if (refcount_dec_and_test(&area->users))
		area_free(area);
}

void dmop_area_release_pages(struct dmop_area *area)
{
	raw_spin_lock(&area->maps->lock);
	dmop_pool_put(area->pages);
	area->pages = NULL;
	raw_spin_unlock(&area->maps->lock);
}

void dmop_area_close(struct dmop_area *area)
{
	struct dmop_maps *maps = area->maps;
	struct dmop_pages *pages;

	/* Revocation does not wait for the caller before it releases those of the area. */
	raw_spin_lock(&maps->lock);
	pages = area->pages;
	dmop_pool_get(pages);
	raw_spin_unlock(&maps->lock);

	/*
	 * While the area is linked: a revocation removes the frames of a caller that is
	 * starved here. A TLB may still have an entry for a moment, if another thread is
	 * unmapping; Xen flushes when it removes a frame.
	 */
	remove_frames(pages, 0, area->nr);
	raw_spin_lock(&maps->lock);
	if (!maps->closed) {
		hlist_del(&area->link);
		refcount_dec(&area->users);
		WRITE_ONCE(maps->frames, maps->frames - area->nr);
		dmop_pool_put(area->pages);
		area->pages = NULL;
	}
	dmop_pool_put(pages);
	raw_spin_unlock(&maps->lock);
	dmop_area_put(area);
}

/* Return: 0; or with nothing changed DMOP_NARROWED, -E2BIG or -ESRCH. */
static int area_link(struct dmop_area *area)
{
	struct dmop_maps *maps = area->maps;
	unsigned long frames;
	int err = 0;

	raw_spin_lock(&maps->lock);
	frames = maps->frames + area->nr;
	if (maps->closed) {
		err = -ESRCH;
	} else if (unlikely(!dmop_rights_frames(maps->rights, frames))) {
		err = DMOP_NARROWED;
	} else if (frames > READ_ONCE(dmop_max_map_frames)) {
		err = -E2BIG;
	} else {
		area->busy_first = 0;
		area->busy_nr = area->nr;
		hlist_add_head(&area->link, &maps->areas);
		refcount_inc(&area->users);
		WRITE_ONCE(maps->frames, frames);
	}
	raw_spin_unlock(&maps->lock);
	return err;
}

/*
 * Empty pages are kernel memory that is charged to nobody, so their number is
 * bounded by the maxmem that the toolstack gave the domain. What the domain or
 * its device model reports of itself is no bound. The file may have twice as many
 * while those of closed areas are not freed yet.
 */
static int area_init_translated(struct dmop_area *area)
{
	long most = dmop_hypercall_maximum_reservation(area->domid);
	struct dmop_pages *pages;

	if (most < 0)
		return most;
	most += MORE_PAGES;
	if (dmop_maps_frames(area->maps) > most)
		return -E2BIG;
	pages = dmop_pool_alloc(area->maps->share, area->nr, 2 * (u64)most);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	/* Pairs with the acquire in dmop_area_remove_frames(). */
	smp_store_release(&area->pages, pages);
	return 0;
}

struct dmop_area *dmop_area_create(struct dmop_maps *maps, domid_t domid,
				   unsigned int nr)
{
	struct dmop_area *area;
	int err;

	area = area_alloc(maps, nr);
	if (!area)
		return ERR_PTR(-ENOMEM);
	area->domid = domid;

	err = area_link(area);
	if (err) {
		area_free(area);
		return ERR_PTR(err);
	}
	if (auto_translated()) {
		err = area_init_translated(area);
		if (err) {
			dmop_area_close(area);
			return ERR_PTR(err);
		}
	}
	return area;
}

int dmop_area_begin(struct dmop_area *area, unsigned int first, unsigned int nr)
{
	struct dmop_maps *maps = area->maps;
	bool closed;

	raw_spin_lock(&maps->lock);
	closed = maps->closed;
	if (!closed) {
		area->busy_first = first;
		area->busy_nr = nr;
	}
	raw_spin_unlock(&maps->lock);
	return closed ? -ESRCH : 0;
}

int dmop_area_end(struct dmop_area *area)
{
	return dmop_area_begin(area, 0, 0);
}

/* The kernel copies and splits no such VMA. If it did, the copy would own nothing. */
static void area_vma_open(struct vm_area_struct *vma)
{
	WARN_ON_ONCE(1);
	vma->vm_private_data = NULL;
}

/* The PTEs are cleared, and flushed from every TLB. */
static void area_vma_close(struct vm_area_struct *vma)
{
	struct dmop_area *area = vma->vm_private_data;

	if (area)
		dmop_area_close(area);
}

static int area_vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

/*
 * On PV the kernel would write the changed PTEs as if the frames were dom0's own;
 * Xen refuses that, and the kernel warns.
 */
static int __maybe_unused
area_vma_mprotect(struct vm_area_struct *vma, unsigned long start,
		  unsigned long end, unsigned long newflags)
{
	return -EACCES;
}

/*
 * A write through a read-only PTE of a writable area; none is known. The kernel would
 * make the PTE writable, on PV as above, and then retry the write for ever.
 */
static vm_fault_t area_vma_pfn_mkwrite(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

/*
 * Not reached: dmop_maps_unmapped_area() refuses first. The kernel would call this after
 * it has moved the PTEs, and move them back, so it keeps an area from being freed while
 * PTEs of it live on elsewhere; the moves themselves it cannot undo.
 */
static int __maybe_unused area_vma_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static vm_fault_t area_vma_fault(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct area_vm_ops = {
	.open = area_vma_open,
	.close = area_vma_close,
	.may_split = area_vma_may_split,
#ifdef HAVE_VM_OPS_MREMAP
	.mremap = area_vma_mremap,
#endif
#ifdef HAVE_VM_OPS_MPROTECT
	.mprotect = area_vma_mprotect,
#endif
	.pfn_mkwrite = area_vma_pfn_mkwrite,
	.fault = area_vma_fault,
};

struct vm_area_struct *dmop_area_find(struct file *filp, unsigned long addr,
				      unsigned int nr)
{
	struct vm_area_struct *vma;

	lockdep_assert_held(&current->mm->mmap_lock);

	if (!PAGE_ALIGNED(addr))
		return NULL;
	vma = find_vma(current->mm, addr);
	if (!vma || vma->vm_ops != &area_vm_ops || vma->vm_file != filp)
		return NULL;
	if (addr < vma->vm_start || nr > (vma->vm_end - addr) >> PAGE_SHIFT)
		return NULL;
	/* See dmop_maps_mmap(): on Linux 5.10 mprotect() may have removed access since. */
	if (!(vma->vm_flags & (VM_READ | VM_WRITE)))
		return NULL;
	return vma;
}

int dmop_maps_mmap(struct dmop_maps *maps, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	/*
	 * Without access the PTEs would be non-present, and on PV Xen accepts
	 * non-present PTEs unchecked, with any frame number in them.
	 */
	if (!(vma->vm_flags & (VM_READ | VM_WRITE)))
		return -EACCES;

	/*
	 * The protection is final; userfaultfd also needs VM_MAYWRITE. Linux 5.10
	 * lacks area_vma_mprotect() and has only these flags to refuse mprotect().
	 * They cannot refuse PROT_NONE; frames mapped before it are then out of reach
	 * until they are unmapped.
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
 * A move is refused before it begins: on PV the moved PTEs would be written as if
 * the frames were dom0's own, see area_vma_mprotect().
 */
unsigned long dmop_maps_unmapped_area(struct file *filp, unsigned long addr,
				      unsigned long len, unsigned long pgoff,
				      unsigned long flags)
{
	if (pgoff >= AREA_PGOFF)
		return -EINVAL;
	return get_unmapped_area_of(current->mm, filp, addr, len, pgoff, flags);
}
