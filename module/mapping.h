/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mapping.h - memory and resources of the target domain, in the caller
 */
#ifndef DMOP_MAPPING_H
#define DMOP_MAPPING_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <xen/interface/xen.h>

/*
 * What is mapped in one VMA; made by the first mapping call on it.
 *
 * @maps, @domid: constant; no @maps: not in use
 * @nr:     frames of the VMA; 0 when all was taken away
 * @pages:  auto-translated dom0: the empty pages that the frames are mapped
 *          over; NULL on PV
 * @mapped: a bit for each frame; under @maps->lock
 * @few:    these bits, if the area is small
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
 * @space:  every VMA of the file hangs here, so that one call can take all
 *          mappings away
 * @lock:   protects the rest, and what the areas hold
 * @areas:  the areas that something was mapped in
 * @small:  one of them
 * @frames: their sizes added up
 * @closed: nothing will be mapped any more; set before @lock
 *          is taken to act on it, so that a mapping call under way ends soon
 *
 * Lock order: mmap_lock, then @lock, then what unmapping takes.
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
 * @filp: that file; from here on its VMAs belong to @maps
 */
void dmop_maps_init(struct dmop_maps *maps, struct file *filp);

/**
 * dmop_maps_mmap() - make an area that frames can be mapped in
 * @maps: of the file
 * @vma:  the new area
 *
 * Context: mmap(); mmap_lock is held for writing.
 *
 * Return: 0; -EINVAL: the area is not shared; -EACCES: it is executable, or
 * neither readable nor writable.
 */
int dmop_maps_mmap(struct dmop_maps *maps, struct vm_area_struct *vma);

/**
 * dmop_maps_unmapped_area() - a place for a new area, but not for a moved one
 * @filp:  the file
 * @addr:  where the caller would like it
 * @len:   in bytes
 * @pgoff: where in the file
 * @flags: MAP_*
 *
 * Context: mmap() and mremap(); mmap_lock is held for writing.
 *
 * Return: an address; -EINVAL: an area cannot be moved; or as the kernel says.
 */
unsigned long dmop_maps_unmapped_area(struct file *filp, unsigned long addr,
				      unsigned long len, unsigned long pgoff,
				      unsigned long flags);

/**
 * dmop_maps_hold_other() - is any frame mapped that is not of this domain?
 * @maps:  of the file
 * @domid: the domain
 *
 * Context: process context; the caller sees to it that no mapping call of
 * another domain is running.
 *
 * Return: true if so.
 */
bool dmop_maps_hold_other(struct dmop_maps *maps, domid_t domid);

/**
 * dmop_maps_frames() - how many frames the areas of the file take
 * @maps: of the file
 *
 * Return: that number.
 */
unsigned long dmop_maps_frames(struct dmop_maps *maps);

/**
 * dmop_maps_stop() - let nothing more be mapped, for ever
 * @maps: of the file
 *
 * Context: process context; waits for a mapping call of this file, but not for
 * any user memory.
 */
void dmop_maps_stop(struct dmop_maps *maps);

/**
 * dmop_maps_take() - take every mapping away
 * @maps: of the file, after dmop_maps_stop()
 *
 * Touching what was mapped gives SIGBUS from then on. Only the areas are left,
 * empty, until their processes unmap them.
 *
 * Context: as dmop_maps_stop()
 */
void dmop_maps_take(struct dmop_maps *maps);

/**
 * dmop_maps_foreign() - map frames of a domain
 * @maps:  of @filp
 * @filp:  the file whose area it must be
 * @addr:  where in the caller; page aligned
 * @domid: owner of the frames
 * @nr:    how many, 1 to %DMOP_CALL_FRAMES_LIMIT
 * @gfns:  their frame numbers; overwritten
 * @errs:  out: 0 or a negative errno for each frame
 *
 * The first call on an area covers it wholly. Frames that failed can be tried
 * again; a later call may so cover any part that is not mapped.
 *
 * Context: process context; takes mmap_lock for writing, killably.
 *
 * Return: 0 with @errs filled in, also if frames failed; or -ENOENT, the same,
 * and at least one failed because it is paged out; or with nothing changed:
 *  -EINVAL no area of this file there, not wholly covered, or mapped before
 *  -E2BIG  more frames than the file may have; on an auto-translated dom0 also
 *          more than twice what the toolstack lets the domain have
 *  -ENOMEM no memory
 *  -EINTR  the caller is being killed; what was mapped until then stays
 *  -ESRCH  dmop_maps_stop() was called; or, on an auto-translated dom0, Xen knows
 *          no such domain (on PV @errs says so of each frame)
 */
int dmop_maps_foreign(struct dmop_maps *maps, struct file *filp,
		      unsigned long addr, domid_t domid, unsigned int nr,
		      xen_pfn_t *gfns, int *errs);

/**
 * dmop_maps_resource() - map a resource of a domain
 * @maps:  of @filp
 * @filp:  the file whose area it must be
 * @addr:  start of an area that is covered wholly and has nothing mapped
 * @domid: owner of the resource
 * @type:  XENMEM_resource_*
 * @id:    which one of that type
 * @idx:   first frame
 * @nr:    how many frames, 1 to %DMOP_CALL_FRAMES_LIMIT
 *
 * Context: process context; takes mmap_lock for writing, killably.
 *
 * Return: 0; what Xen answers; or as dmop_maps_foreign(). All frames or none.
 */
int dmop_maps_resource(struct dmop_maps *maps, struct file *filp,
		       unsigned long addr, domid_t domid, u32 type, u32 id,
		       u32 idx, unsigned int nr);

/**
 * dmop_maps_resource_size() - ask Xen how large a resource is
 * @maps:  of the file
 * @domid: owner of the resource
 * @type:  XENMEM_resource_*
 * @id:    which one of that type
 * @nr:    out: its size in frames
 *
 * Return: 0; what Xen answers; -ESRCH: dmop_maps_stop() was called; -EINTR:
 * the caller is being killed.
 */
int dmop_maps_resource_size(struct dmop_maps *maps, domid_t domid, u32 type,
			    u32 id, u32 *nr);

#endif /* DMOP_MAPPING_H */
