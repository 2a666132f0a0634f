// SPDX-License-Identifier: GPL-2.0
/*
 * hypercall.c - the only file that enters Xen
 */
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
 * One empty buffer: Xen looks the domain up, and then finds the buffer too
 * short for an operation (EFAULT), or no use in one for a PV domain (EINVAL).
 * Not without a buffer: then some Xens answer before they look the domain up,
 * and others look for the operation where the last caller left one.
 */
int dmop_hypercall_probe(domid_t domid)
{
	struct xen_dm_op_buf none = { .size = 0 };
	int ret;

	set_xen_guest_handle(none.h, NULL);
	ret = HYPERVISOR_dm_op(domid, 1, &none);

	return ret == -EFAULT || ret == -EINVAL ? 0 : ret;
}
