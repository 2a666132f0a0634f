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

int dmop_hypercall_dm_ops(domid_t domid, unsigned int nr, struct dmop_op *ops)
{
	struct multicall_entry calls[DMOP_OPS_AT_A_TIME];
	unsigned int i;
	int ret;

	if (WARN_ON_ONCE(nr > ARRAY_SIZE(calls)))
		return -EINVAL;

	for (i = 0; i < nr; i++) {
		calls[i] = (struct multicall_entry) {
			.op = __HYPERVISOR_dm_op,
			.args = { domid, ops[i].nr, (unsigned long)ops[i].bufs },
		};
	}

	xen_preemptible_hcall_begin();
	ret = HYPERVISOR_multicall(calls, nr);
	xen_preemptible_hcall_end();

	/* Xen before 4.15 has no multicall for an auto-translated dom0: none was made. */
	if (ret == -ENOSYS) {
		for (i = 0; i < nr; i++)
			ops[i].ret = dmop_hypercall_dm_op(domid, ops[i].nr,
							  ops[i].bufs);
		return 0;
	}

	for (i = 0; !ret && i < nr; i++)
		ops[i].ret = calls[i].result;
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
