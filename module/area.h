/* SPDX-License-Identifier: GPL-2.0 */
/*
 * area.h - the life of a mapped area, and of all areas of a file
 */
#ifndef DMOP_AREA_H
#define DMOP_AREA_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/memory.h>

struct dmop_pages;
struct dmop_rights;
struct dmop_share;

/*
 * The frames mapped in one VMA; created by the first mapping call on it.
 *
 * @maps, @domid, @nr: constant; @nr is the number of frames of the VMA. @maps is NULL
 *          while the area is not in use
 * @users:  the VMA, and the list that the area is in; the last put frees it
 * @link:   in @maps->areas until the VMA is closed, then in no list; or in @maps->taken
 * @used:   a frame was mapped
 * @ioreqs, @server: the address of the page of requests of this ioreq server, or 0; protected by
 *          the mmap_lock of the VMA
 * @busy_first, @busy_nr: the frames that a mapping call works on; protected by
 *          @maps->lock. Once @maps->closed is set these stay as they are: the call
 *          unmaps these frames, revocation all others
 * @pages:  on an auto-translated dom0 the empty pages that the frames are placed at;
 *          NULL on PV, until they are allocated, and once they are released
 * @mapped: a bit for each frame; protected by the mmap_lock of the VMA
 * @few:    these bits, if one word holds them
 */
struct dmop_area {
	struct dmop_maps *maps;
	struct hlist_node link;
	refcount_t users;
	domid_t domid;
	bool used;
	u32 server;
	unsigned long ioreqs;
	unsigned int nr;
	unsigned int busy_first;
	unsigned int busy_nr;
	struct dmop_pages *pages;
	unsigned long *mapped;
	unsigned long few;
};

/*
 * The mappings of one open file.
 *
 * @space:  holds every VMA of the file, so that one call unmaps all
 * @rights: of the file
 * @lock:   protects @areas, @frames and @closed. A raw spinlock, whose holder is not preempted:
 *          revocation needs it. Nothing under it allocates or issues a hypercall
 * @areas:  the areas with a mapping call behind them
 * @taken:  those that a revocation has unmapped; used by it alone
 * @small:  one of them: the first area of few frames needs no allocation
 * @frames: the sum of their sizes
 * @share:  the empty pages of the file; NULL on PV
 * @closed: revocation has begun to unmap; nothing more may be mapped
 *
 * Lock order: mmap_lock, then @lock.
 */
struct dmop_maps {
	struct address_space space;
	const struct dmop_rights *rights;
	raw_spinlock_t lock;
	bool closed;
	struct hlist_head areas;
	struct hlist_head taken;
	struct dmop_area small;
	unsigned long frames;
	struct dmop_share *share;
};

/**
 * dmop_maps_init() - no mapping yet
 * @maps: of the file that is being opened
 * @rights: of that file
 * @filp: that file; its VMAs belong to @maps from now on
 *
 * Context: open(); may sleep.
 *
 * Return: 0, or -ENOMEM.
 */
int dmop_maps_init(struct dmop_maps *maps, const struct dmop_rights *rights, struct file *filp);

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
 * dmop_maps_note_server() - note where the page of requests of an ioreq server is mapped
 * @area: the area, in which a resource was mapped wholly
 * @addr: its start
 * @xar:  the resource; of any type
 *
 * Context: mmap_lock of the caller's mm is held for writing.
 */
static inline void dmop_maps_note_server(struct dmop_area *area, unsigned long addr,
					 const struct xen_mem_acquire_resource *xar)
{
	u64 at = XENMEM_resource_ioreq_server_frame_ioreq(0) - xar->frame;

	if (xar->type != XENMEM_resource_ioreq_server || at >= area->nr)
		return;
	area->server = xar->id;
	area->ioreqs = addr + (at << PAGE_SHIFT);
}

/**
 * dmop_maps_server() - whose page of requests is mapped at an address?
 * @filp: the file that has mapped it
 * @addr: the address
 * @id:   out: the ioreq server
 *
 * Context: process context; waits, killably, for the mmap_lock of the caller's mm.
 *
 * Return: 0; -EINVAL: no such page is there; or -EINTR: the caller is being killed.
 */
int dmop_maps_server(struct file *filp, unsigned long addr, u32 *id);

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
 * dmop_maps_busy() - would dmop_maps_take() have to wait?
 * @maps: of the file
 *
 * A process that maps or unmaps a VMA of the file holds a lock of its address space
 * meanwhile, and may be starved.
 *
 * Return: true if that lock is held at the moment.
 */
bool dmop_maps_busy(struct dmop_maps *maps);

/**
 * dmop_maps_take() - unmap everything that is mapped through the file
 * @maps: of a file whose record is dead
 *
 * Does not wait for a mapping call in progress: dmop_area_end() reports to that call
 * that it has to unmap its own frames. An access to the areas then raises SIGBUS. The
 * empty areas remain until their processes unmap them.
 *
 * Context: process context; may sleep. Called once.
 */
void dmop_maps_take(struct dmop_maps *maps);

/**
 * dmop_maps_release() - free the empty pages of what dmop_maps_take() unmapped
 * @maps: of a file of which no mapping call is in progress
 *
 * Context: process context; not beside another call of itself.
 */
void dmop_maps_release(struct dmop_maps *maps);

/**
 * dmop_maps_destroy() - end the mappings of a file that is freed
 * @maps: of a file without a VMA, that nothing refers to
 *
 * Context: process context; may sleep.
 */
void dmop_maps_destroy(struct dmop_maps *maps);

/**
 * dmop_area_find() - the VMA of an area that holds a range
 * @filp: the file that the area must belong to
 * @addr: start of the range
 * @nr:   its size in frames
 *
 * Context: mmap_lock of the caller's mm is held.
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
 * Context: process context; mmap_lock is held for writing. On an auto-translated dom0
 * waits, killably, for a worker.
 *
 * All frames of the new area are busy, as after dmop_area_begin().
 *
 * Return: the area, which belongs to the VMA; or ERR_PTR of
 *  DMOP_NARROWED the file has no right to so many frames
 *  -E2BIG  more frames than the file may map; on an auto-translated dom0 also more
 *          than the domain's maxmem allows, or twice that with pages not freed yet
 *  -ENOMEM no memory, or on an auto-translated dom0 too many empty pages
 *  -ESRCH  the file is being revoked; or, on an auto-translated dom0, Xen knows no such
 *          domain
 *  -EINTR  the caller is being killed
 */
struct dmop_area *dmop_area_create(struct dmop_maps *maps, domid_t domid,
				   unsigned int nr);

/**
 * dmop_area_put() - drop a reference
 * @area: the area; freed with the last one
 *
 * Context: process context; may sleep. For the last one: its frames were removed.
 */
void dmop_area_put(struct dmop_area *area);

/**
 * dmop_area_release_pages() - drop an area's reference to its empty pages
 * @area: an area whose frames were removed; of which no mapping call is in progress
 *
 * A caller of dmop_area_close() may still use them; it has a reference of its own.
 *
 * Context: any process context.
 */
void dmop_area_release_pages(struct dmop_area *area);

/**
 * dmop_area_close() - end the area of a VMA
 * @area: an area that no PTE maps frames of any more; may be freed
 *
 * Context: process context; mmap_lock is held for writing, or the mm has no user.
 */
void dmop_area_close(struct dmop_area *area);

/**
 * dmop_area_begin() - begin to map frames
 * @area:  the area
 * @first: first frame
 * @nr:    number of frames
 *
 * Context: process context; mmap_lock is held for writing.
 *
 * Return: 0, to be followed by dmop_area_end(); or -ESRCH: the file is being revoked.
 */
int dmop_area_begin(struct dmop_area *area, unsigned int first, unsigned int nr);

/**
 * dmop_area_end() - end to map these frames
 * @area: the area
 *
 * Context: as dmop_area_begin()
 *
 * Return: 0; or -ESRCH: the file is being revoked, and the caller has to unmap the
 * frames, and then to remove them.
 */
int dmop_area_end(struct dmop_area *area);

/**
 * dmop_area_remove_frames() - remove the frames placed at empty pages
 * @area:  an area; on PV nothing is done
 * @first: first page
 * @nr:    number of pages, of which some may have no frame
 *
 * Context: process context; the caller holds a reference to the area. No PTE maps the
 * pages.
 */
void dmop_area_remove_frames(struct dmop_area *area, unsigned int first,
			     unsigned int nr);

#endif /* DMOP_AREA_H */
