/* SPDX-License-Identifier: GPL-2.0 */
/*
 * frame.h - one frame of a domain, mapped in the kernel
 */
#ifndef DMOP_FRAME_H
#define DMOP_FRAME_H

#include <linux/types.h>
#include <xen/interface/xen.h>

struct dmop_frame;

/*
 * A frame of a resource of a domain.
 *
 * @type: XENMEM_resource_*
 * @id:   the resource among those of @type
 * @index: of the frame in the resource
 * @writable: the kernel may write to it
 */
struct dmop_frame_name {
	u16 type;
	u32 id;
	unsigned int index;
	bool writable;
};

/**
 * dmop_frame_map() - map a frame of a domain
 * @domid: the domain
 * @name:  the frame
 *
 * Until dmop_frame_unmap(), Xen keeps the frame, and with it the domid: a destroyed domain remains
 * as one frame and its number, and no other domain can get that number.
 *
 * Context: process context; may wait, killably, for a worker.
 *
 * Return: the frame, or ERR_PTR of
 *  -ENOMEM no memory
 *  -EINTR  the caller is being killed
 *  another errno of Xen, which is too old, knows no such frame, or refuses the caller
 */
struct dmop_frame *dmop_frame_map(domid_t domid, const struct dmop_frame_name *name);

/**
 * dmop_frame_unmap() - release a frame
 * @frame: the frame; the kernel accesses it no more
 *
 * Context: process context.
 */
void dmop_frame_unmap(struct dmop_frame *frame);

/**
 * dmop_frame_address() - where a frame is mapped
 * @frame: the frame
 *
 * The domain, and others that have it mapped, may change the contents at any time.
 *
 * Context: any.
 *
 * Return: the kernel's address of its 4 KiB.
 */
void *dmop_frame_address(const struct dmop_frame *frame);

#endif /* DMOP_FRAME_H */
