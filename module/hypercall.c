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

long dmop_hypercall_maximum_reservation(domid_t domid)
{
	return HYPERVISOR_memory_op(XENMEM_maximum_reservation, &domid);
}
