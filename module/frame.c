// SPDX-License-Identifier: GPL-2.0
/*
 * frame.c - one frame of a domain, mapped in the kernel
 */
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/features.h>
#include <xen/interface/xen.h>
#include <xen/interface/memory.h>
#include <xen/page.h>
#include <xen/xen-ops.h>

#include "frame.h"
#include "hypercall.h"
#include "pool.h"

/*
 * Auto-translated: @pages is one empty page, with the frame placed at it.
 * PV: @page is a page of the vmalloc area at @addr. Its PTE refers to the frame; @pte is
 * the original value.
 */
struct dmop_frame {
	struct dmop_pages *pages;
	struct page *page;
	void *addr;
	u64 pte;
};

/*
 * Auto-translated: places the frame at @pfn. PV: sets @pfn to the machine frame, and @domid to
 * its owner: Xen before 4.12 gives the frames of an ioreq server to the caller's domain.
 */
static int acquire(domid_t *domid, const struct dmop_frame_name *name, xen_pfn_t *pfn)
{
	struct xen_mem_acquire_resource xar = {
		.domid = *domid,
		.type = name->type,
		.id = name->id,
		.frame = name->index,
		.nr_frames = 1,
	};
	int err;

	set_xen_guest_handle(xar.frame_list, pfn);
	err = dmop_hypercall_acquire_resource(&xar);
	if (xar.flags & XENMEM_rsrc_acq_caller_owned)
		*domid = DOMID_SELF;
	return err;
}

static int map_translated(struct dmop_frame *frame, domid_t domid,
			  const struct dmop_frame_name *name)
{
	xen_pfn_t pfn;
	int err;

	/*
	 * Of no file: the number of these pages is limited by that of bound domains and ioreq
	 * servers. Any error is a lack of something, and none is Xen's.
	 */
	frame->pages = dmop_pool_alloc(NULL, 1, 1);
	if (IS_ERR(frame->pages))
		return -ENOMEM;
	frame->addr = page_address(frame->pages->page[0]);
	pfn = page_to_xen_pfn(frame->pages->page[0]);
	err = acquire(&domid, name, &pfn);
	if (err)
		dmop_pool_put(frame->pages);
	return err;
}

static void unmap_translated(struct dmop_frame *frame)
{
	xen_unmap_domain_gfn_range(NULL, 1, frame->pages->page);
	dmop_pool_put(frame->pages);
}

static void free_page_pv(struct dmop_frame *frame)
{
	vunmap(frame->addr);
	__free_page(frame->page);
}

/*
 * VM_IOREMAP: readers of the vmalloc area, /proc/kcore for one, take such a page for a
 * hole. The kernel could not make sense of its PTE.
 */
static int map_pv(struct dmop_frame *frame, domid_t domid, const struct dmop_frame_name *name)
{
	xen_pfn_t mfn;
	int err;

	frame->page = alloc_page(GFP_KERNEL_ACCOUNT);
	if (!frame->page)
		return -ENOMEM;
	frame->addr = vmap(&frame->page, 1, VM_IOREMAP, PAGE_KERNEL);
	if (!frame->addr) {
		__free_page(frame->page);
		return -ENOMEM;
	}
	err = acquire(&domid, name, &mfn);
	if (!err)
		err = dmop_hypercall_replace_frame(frame->addr, domid, mfn, name->writable,
						   &frame->pte);
	if (err)
		free_page_pv(frame);
	return err;
}

static void unmap_pv(struct dmop_frame *frame)
{
	/* Without its own PTE the page cannot be freed. */
	if (!WARN_ON_ONCE(dmop_hypercall_restore_frame(frame->addr, frame->pte)))
		free_page_pv(frame);
}

struct dmop_frame *dmop_frame_map(domid_t domid, const struct dmop_frame_name *name)
{
	struct dmop_frame *frame = kzalloc(sizeof(*frame), GFP_KERNEL_ACCOUNT);
	int err;

	if (!frame)
		return ERR_PTR(-ENOMEM);
	if (xen_feature(XENFEAT_auto_translated_physmap))
		err = map_translated(frame, domid, name);
	else
		err = map_pv(frame, domid, name);
	if (err) {
		kfree(frame);
		return ERR_PTR(err);
	}
	return frame;
}

void dmop_frame_unmap(struct dmop_frame *frame)
{
	if (frame->page)
		unmap_pv(frame);
	else
		unmap_translated(frame);
	kfree(frame);
}

void *dmop_frame_address(const struct dmop_frame *frame)
{
	return frame->addr;
}
