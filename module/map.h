/* SPDX-License-Identifier: GPL-2.0 */
/*
 * map.h - foreign frames and resources, mapped in the caller
 */
#ifndef DMOP_MAP_H
#define DMOP_MAP_H

#include <linux/types.h>
#include <xen/interface/xen.h>

struct dmop_maps;
struct dmop_record;
struct file;
struct xen_mem_acquire_resource;

/*
 * The frames of a mapping call, and the piece of them that is mapped next.
 *
 * @addr:  start address of the call in the caller, page aligned
 * @nr:    number of frames of the call
 * @done:  number of frames before the piece
 * @piece: number of frames of the piece, at least 1
 * @domid: owner of the frames
 */
struct dmop_range {
	unsigned long addr;
	unsigned int nr;
	unsigned int done;
	unsigned int piece;
	domid_t domid;
};

/*
 * Each function below decides on the rights of the file inside dmop_record_enter(), so that
 * NARROW can wait for it.
 */

/**
 * dmop_map_foreign() - map a piece of the frames of a mapping call
 * @maps:  of @filp
 * @record: the record of @filp, or NULL: unbound
 * @filp:  the file that the area must belong to
 * @range: where to map, and whose frames
 * @gfns:  the frame numbers of the piece; overwritten
 * @errs:  out: 0 or a negative errno for each frame of the piece
 *
 * The first call on an area must cover it wholly. Frames that failed can be
 * retried: a later call may cover any part that is not mapped.
 *
 * Nothing is held between two pieces, and each is checked anew: other threads may have
 * unmapped the area meanwhile, or mapped frames in it. The first piece is also checked
 * for all frames of the call.
 *
 * Context: process context; takes mmap_lock for writing, killably.
 *
 * Return: 0 with @errs filled in, also if frames failed; -ENOENT likewise, if at
 * least one failed because it is paged out; or with nothing changed:
 *  -EINVAL no area of this file there, not wholly covered, or mapped before; or, after
 *          the first piece, an area without a mapping call
 *  DMOP_NARROWED NARROW has removed such mappings, a frame number, write access, or so many
 *          frames
 *  -E2BIG  more frames than the file may map; on an auto-translated dom0 also more
 *          than the domain's maxmem and 4096, or twice that with pages not freed yet
 *  -ENOMEM no memory, or on an auto-translated dom0 too many empty pages
 *  -EINTR  the caller is being killed; frames mapped until then stay mapped
 *  -ESRCH  the domain died, and nothing of it is mapped; or, on an auto-translated
 *          dom0, Xen knows no such domain (on PV @errs has that for each frame)
 */
int dmop_map_foreign(struct dmop_maps *maps, struct dmop_record *record,
		     struct file *filp, const struct dmop_range *range,
		     xen_pfn_t *gfns, int *errs);

/**
 * dmop_map_resource() - map a resource of a domain
 * @maps: of @filp
 * @record: the record of @filp, or NULL: unbound
 * @filp: the file that the area must belong to
 * @addr: start of an area that has nothing mapped and as many frames as requested
 * @xar:  the request: domid, type, id, frame (the first one) and nr_frames, which is 1
 *        to %DMOP_RESOURCE_NUM_MAX; the other members are zero. Overwritten.
 *
 * Context: process context; takes mmap_lock for writing, killably.
 *
 * Return: 0; an errno of Xen; or as dmop_map_foreign(). All frames or none.
 */
int dmop_map_resource(struct dmop_maps *maps, struct dmop_record *record,
		      struct file *filp, unsigned long addr,
		      struct xen_mem_acquire_resource *xar);

/**
 * dmop_map_resource_size() - ask Xen for the size of a resource
 * @maps: of the file
 * @record: of the file, or NULL: unbound
 * @xar:  the request: domid, type and id; the other members are zero.
 *        Out: nr_frames, the size in frames
 *
 * Context: process context.
 *
 * Return: 0; an errno of Xen; -ESRCH: the domain died; DMOP_NARROWED as above.
 */
int dmop_map_resource_size(struct dmop_maps *maps, struct dmop_record *record,
			   struct xen_mem_acquire_resource *xar);

#endif /* DMOP_MAP_H */
