// SPDX-License-Identifier: GPL-2.0
/*
 * pin.c - a reference to one frame of a domain, which keeps its domid from reuse
 */
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/features.h>
#include <xen/page.h>
#include <xen/xen-ops.h>

#include "hypercall.h"
#include "pin.h"
#include "pool.h"

/* The first frame of a guest's memory. */
#ifdef CONFIG_ARM64
#define FIRST_GFN	0x40000
#else
#define FIRST_GFN	0
#endif

/*
 * A frame that is mapped in the kernel, read-only, and never accessed.
 *
 * Auto-translated: @pages is one empty page, with the frame placed at it.
 * PV: @page is a page of the vmalloc area. Its PTE refers to the frame; @pte is the
 * original value.
 */
struct dmop_pin {
	struct dmop_pages *pages;
	void *page;
	u64 pte;
};

static int pin_translated(struct dmop_pin *pin, domid_t domid)
{
	xen_pfn_t gfn = FIRST_GFN, pfn;
	int err, ret;

	pin->pages = dmop_pool_alloc(1);
	if (IS_ERR(pin->pages))
		return PTR_ERR(pin->pages);
	pfn = page_to_xen_pfn(pin->pages->page[0]);
	ret = dmop_hypercall_add_foreign(domid, 1, &gfn, &pfn, &err);
	if (!ret)
		ret = err;
	if (ret)
		dmop_pool_free(pin->pages);
	return ret;
}

static void unpin_translated(struct dmop_pin *pin)
{
	xen_unmap_domain_gfn_range(NULL, 1, pin->pages->page);
	dmop_pool_free(pin->pages);
}

static int pin_pv(struct dmop_pin *pin, domid_t domid)
{
	int err;

	pin->page = __vmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!pin->page)
		return -ENOMEM;
	err = dmop_hypercall_replace_frame(pin->page, domid, FIRST_GFN, &pin->pte);
	if (err)
		vfree(pin->page);
	return err;
}

static void unpin_pv(struct dmop_pin *pin)
{
	/* Without its own PTE the page cannot be freed. */
	if (!WARN_ON_ONCE(dmop_hypercall_restore_frame(pin->page, pin->pte)))
		vfree(pin->page);
}

struct dmop_pin *dmop_pin_create(domid_t domid)
{
	struct dmop_pin *pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	int err;

	if (!pin)
		return NULL;
	if (xen_feature(XENFEAT_auto_translated_physmap))
		err = pin_translated(pin, domid);
	else
		err = pin_pv(pin, domid);
	if (err) {
		kfree(pin);
		return NULL;
	}
	return pin;
}

void dmop_pin_destroy(struct dmop_pin *pin)
{
	if (pin->page)
		unpin_pv(pin);
	else
		unpin_translated(pin);
	kfree(pin);
}
