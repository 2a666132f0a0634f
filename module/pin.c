// SPDX-License-Identifier: GPL-2.0
/*
 * pin.c - a reference to one frame of a domain, which keeps its domid from reuse
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

#include "hypercall.h"
#include "pin.h"
#include "pool.h"

/*
 * The frame is the first of the domain's grant table: every domain has one, the domain
 * cannot give it up, and it is no memory of the guest. Xen before 4.12 does not
 * hand it out.
 *
 * It is mapped in the kernel and never accessed.
 *
 * Auto-translated: @pages is one empty page, with the frame placed at it.
 * PV: @addr is a page of the vmalloc area, over @page. Its PTE refers to the frame; @pte is
 * the original value.
 */
struct dmop_pin {
	struct dmop_pages *pages;
	struct page *page;
	void *addr;
	u64 pte;
};

/*
 * Auto-translated: places the frame at @frame. PV: sets @frame to the machine frame.
 */
static int acquire(domid_t domid, xen_pfn_t *frame)
{
	struct xen_mem_acquire_resource xar = {
		.domid = domid,
		.type = XENMEM_resource_grant_table,
		.id = XENMEM_resource_grant_table_id_shared,
		.nr_frames = 1,
	};

	set_xen_guest_handle(xar.frame_list, frame);
	return dmop_hypercall_acquire_resource(&xar);
}

static int pin_translated(struct dmop_pin *pin, domid_t domid)
{
	xen_pfn_t pfn;
	int err;

	/*
	 * Of no file: there is one pin for each bound domain, and it needs the privilege. Any error
	 * is a lack of something, and none is Xen's.
	 */
	pin->pages = dmop_pool_alloc(NULL, 1, 1);
	if (IS_ERR(pin->pages))
		return -ENOMEM;
	pfn = page_to_xen_pfn(pin->pages->page[0]);
	err = acquire(domid, &pfn);
	if (err)
		dmop_pool_put(pin->pages);
	return err;
}

static void unpin_translated(struct dmop_pin *pin)
{
	xen_unmap_domain_gfn_range(NULL, 1, pin->pages->page);
	dmop_pool_put(pin->pages);
}

static void free_page_pv(struct dmop_pin *pin)
{
	vunmap(pin->addr);
	__free_page(pin->page);
}

/*
 * VM_IOREMAP: readers of the vmalloc area, /proc/kcore for one, take such a page for a
 * hole. The kernel could not make sense of its PTE.
 */
static int pin_pv(struct dmop_pin *pin, domid_t domid)
{
	xen_pfn_t mfn;
	int err;

	pin->page = alloc_page(GFP_KERNEL_ACCOUNT);
	if (!pin->page)
		return -ENOMEM;
	pin->addr = vmap(&pin->page, 1, VM_IOREMAP, PAGE_KERNEL);
	if (!pin->addr) {
		__free_page(pin->page);
		return -ENOMEM;
	}
	err = acquire(domid, &mfn);
	if (!err)
		err = dmop_hypercall_replace_frame(pin->addr, domid, mfn, &pin->pte);
	if (err)
		free_page_pv(pin);
	return err;
}

static void unpin_pv(struct dmop_pin *pin)
{
	/* Without its own PTE the page cannot be freed. */
	if (!WARN_ON_ONCE(dmop_hypercall_restore_frame(pin->addr, pin->pte)))
		free_page_pv(pin);
}

struct dmop_pin *dmop_pin_create(domid_t domid)
{
	struct dmop_pin *pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	int err;

	if (!pin)
		return ERR_PTR(-ENOMEM);
	if (xen_feature(XENFEAT_auto_translated_physmap))
		err = pin_translated(pin, domid);
	else
		err = pin_pv(pin, domid);
	if (err) {
		kfree(pin);
		return ERR_PTR(err);
	}
	return pin;
}

void dmop_pin_destroy(struct dmop_pin *pin)
{
	if (pin->addr)
		unpin_pv(pin);
	else
		unpin_translated(pin);
	kfree(pin);
}
