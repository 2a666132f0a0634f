/* SPDX-License-Identifier: GPL-2.0 */
/*
 * area.h - the life of a mapped area
 */
#ifndef DMOP_AREA_H
#define DMOP_AREA_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <xen/interface/xen.h>

/*
 * The frames mapped in one VMA; created by the first mapping call on it.
 *
 * @maps, @domid: constant; @maps is NULL while the area is not in use
 * @nr:     frames of the VMA; 0 once all were unmapped by dmop_maps_take()
 * @pages:  on an auto-translated dom0 the empty pages that the frames are mapped
 *          over; NULL on PV
 * @mapped: a bit for each frame; protected by @maps->lock
 * @few:    these bits, if one word holds them
 */
struct dmop_area {
	struct dmop_maps *maps;
	struct list_head link;
	domid_t domid;
	unsigned int nr;
	struct page **pages;
	unsigned long *mapped;
	unsigned long few;
};

/*
 * The mappings of one open file.
 *
 * @space:  holds every VMA of the file, so that one call unmaps all
 * @lock:   protects the members below and the areas
 * @areas:  the areas with a mapping call behind them
 * @small:  one of them: the first area of few frames needs no allocation
 * @frames: the sum of their sizes
 * @closed: mapping has ended for ever; set before @lock is taken to act on it, so
 *          that a mapping call in progress ends soon
 *
 * Lock order: mmap_lock, then @lock, then the locks taken by unmapping.
 */
struct dmop_maps {
	struct address_space space;
	struct mutex lock;
	struct list_head areas;
	struct dmop_area small;
	unsigned long frames;
	bool closed;
};

/**
 * dmop_maps_init() - no mapping yet
 * @maps: of the file that is being opened
 * @filp: that file; its VMAs belong to @maps from now on
 */
void dmop_maps_init(struct dmop_maps *maps, struct file *filp);

/**
 * dmop_maps_mmap() - make a new VMA an area
 * @maps: of the file
 * @vma:  the new VMA
 *
 * Context: mmap(); mmap_lock is held for writing.
 *
 * Return: 0; -EINVAL: the area is not shared; -EACCES: it is executable, or
 * neither readable nor writable.
 */
int dmop_maps_mmap(struct dmop_maps *maps, struct vm_area_struct *vma);

/**
 * dmop_maps_unmapped_area() - find the address of a new area; refuse to move one
 * @filp:  the file
 * @addr:  the caller's hint
 * @len:   in bytes
 * @pgoff: offset in the file, in pages
 * @flags: MAP_*
 *
 * Context: mmap() and mremap(); mmap_lock is held for writing.
 *
 * Return: an address; -EINVAL: an area cannot be moved; or an errno of the kernel.
 */
unsigned long dmop_maps_unmapped_area(struct file *filp, unsigned long addr,
				      unsigned long len, unsigned long pgoff,
				      unsigned long flags);

/**
 * dmop_maps_hold_other() - is a frame of another domain mapped?
 * @maps:  of the file
 * @domid: the domain
 *
 * Context: process context; the caller guarantees that no mapping call for
 * another domain is in progress.
 *
 * Return: true if so.
 */
bool dmop_maps_hold_other(struct dmop_maps *maps, domid_t domid);

/**
 * dmop_maps_frames() - the number of frames in the areas of the file
 * @maps: of the file
 *
 * Return: that number.
 */
unsigned long dmop_maps_frames(struct dmop_maps *maps);

/**
 * dmop_maps_stop() - end mapping through the file for ever
 * @maps: of the file
 *
 * Context: process context; waits for a mapping call of this file, but not for
 * user memory.
 */
void dmop_maps_stop(struct dmop_maps *maps);

/**
 * dmop_maps_take() - unmap everything that is mapped through the file
 * @maps: of the file, after dmop_maps_stop()
 *
 * An access to the areas then raises SIGBUS. The empty areas remain until their
 * processes unmap them.
 *
 * Context: as dmop_maps_stop()
 */
void dmop_maps_take(struct dmop_maps *maps);

/**
 * dmop_area_find() - the VMA of an area that holds a range
 * @filp: the file that the area must belong to
 * @addr: start of the range
 * @nr:   its size in frames
 *
 * Context: mmap_lock of the caller's mm is held for writing.
 *
 * Return: the VMA, or NULL: @addr is not page aligned, or the range is not wholly
 * in one accessible area of @filp.
 */
struct vm_area_struct *dmop_area_find(struct file *filp, unsigned long addr,
				      unsigned int nr);

/**
 * dmop_area_create() - the area of a VMA that has none yet
 * @maps:  of the file
 * @domid: owner of the frames
 * @nr:    frames of the VMA
 *
 * Context: @maps->lock is held; may sleep.
 *
 * Return: the area, or ERR_PTR of
 *  -E2BIG  more frames than the file may map; on an auto-translated dom0 also more
 *          than twice the domain's maxmem
 *  -ENOMEM no memory
 *  -ESRCH  auto-translated dom0: Xen knows no such domain
 */
struct dmop_area *dmop_area_create(struct dmop_maps *maps, domid_t domid,
				   unsigned int nr);

/**
 * dmop_area_destroy() - free an area
 * @area: an area that no PTE maps frames of any more
 *
 * Context: the lock of its maps is held; may sleep.
 */
void dmop_area_destroy(struct dmop_area *area);

/**
 * dmop_area_alloc_pages() - allocate the empty pages of an area, if it needs them
 * @area: the area
 *
 * Context: the lock of its maps is held; may sleep.
 *
 * Return: 0, also if @area has them or needs none; or -ENOMEM.
 */
int dmop_area_alloc_pages(struct dmop_area *area);

/**
 * dmop_area_free_pages() - free the empty pages of an area, if it has them
 * @area: an area that no PTE maps frames of any more
 *
 * Context: as dmop_area_alloc_pages()
 */
void dmop_area_free_pages(struct dmop_area *area);

#endif /* DMOP_AREA_H */
