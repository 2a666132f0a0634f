// SPDX-License-Identifier: GPL-2.0
/*
 * hypercall.c - the only file that enters Xen
 */
#include <linux/errno.h>
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/memory.h>
#include <xen/xen-ops.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>

#include "hypercall.h"

int dmop_hypercall_dm_op(domid_t domid, unsigned int nr,
			 struct xen_dm_op_buf *bufs)
{
	int ret;

	xen_preemptible_hcall_begin();
	ret = HYPERVISOR_dm_op(domid, nr, bufs);
	xen_preemptible_hcall_end();

	return ret;
}

/*
 * One empty buffer: Xen looks the domain up, then rejects the buffer as too short
 * for an operation (EFAULT), or the domain as PV (EINVAL). With no buffer, some
 * versions of Xen answer before the lookup, and others read the operation from
 * stale memory.
 */
int dmop_hypercall_probe(domid_t domid)
{
	struct xen_dm_op_buf none = { .size = 0 };
	int ret;

	set_xen_guest_handle(none.h, NULL);
	ret = HYPERVISOR_dm_op(domid, 1, &none);

	return ret == -EFAULT || ret == -EINVAL ? 0 : ret;
}

int dmop_hypercall_acquire_resource(struct xen_mem_acquire_resource *xar)
{
	int ret;

	xen_preemptible_hcall_begin();
	ret = HYPERVISOR_memory_op(XENMEM_acquire_resource, xar);
	xen_preemptible_hcall_end();

	return ret;
}

int dmop_hypercall_add_foreign(domid_t domid, unsigned int nr, xen_pfn_t *gfns,
			       xen_pfn_t *pfns, int *errs)
{
	struct xen_add_to_physmap_range xatp = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_gmfn_foreign,
		.size = nr,
		.foreign_domid = domid,
	};
	int ret;

	set_xen_guest_handle(xatp.idxs, (xen_ulong_t *)gfns);
	set_xen_guest_handle(xatp.gpfns, pfns);
	set_xen_guest_handle(xatp.errs, errs);
	xen_preemptible_hcall_begin();
	ret = HYPERVISOR_memory_op(XENMEM_add_to_physmap_range, &xatp);
	xen_preemptible_hcall_end();

	return ret;
}

#ifdef CONFIG_XEN_PV
static int update_pte(pte_t *ptep, u64 val, domid_t domid)
{
	struct mmu_update u = {
		.ptr = arbitrary_virt_to_machine(ptep).maddr | MMU_NORMAL_PT_UPDATE,
		.val = val,
	};

	return HYPERVISOR_mmu_update(&u, 1, NULL, domid);
}

int dmop_hypercall_replace_frame(void *page, domid_t domid, xen_pfn_t gfn, u64 *pte)
{
	unsigned int level;
	pte_t *ptep = lookup_address((unsigned long)page, &level);

	if (!ptep || level != PG_LEVEL_4K)
		return -EINVAL;
	*pte = ptep->pte;
	return update_pte(ptep, (*pte & ~(PTE_PFN_MASK | _PAGE_RW | _PAGE_DIRTY)) |
			  (gfn << PAGE_SHIFT), domid);
}

int dmop_hypercall_restore_frame(void *page, u64 pte)
{
	unsigned int level;

	return update_pte(lookup_address((unsigned long)page, &level), pte, DOMID_SELF);
}
#else
int dmop_hypercall_replace_frame(void *page, domid_t domid, xen_pfn_t gfn, u64 *pte)
{
	return -EOPNOTSUPP;
}

int dmop_hypercall_restore_frame(void *page, u64 pte)
{
	return -EOPNOTSUPP;
}
#endif

long dmop_hypercall_maximum_reservation(domid_t domid)
{
	return HYPERVISOR_memory_op(XENMEM_maximum_reservation, &domid);
}
