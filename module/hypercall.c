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
 * No buffer, so no operation: Xen looks the domain up first and then finds
 * nothing to read.
 */
int dmop_hypercall_probe(domid_t domid)
{
	return HYPERVISOR_dm_op(domid, 0, NULL);
}
