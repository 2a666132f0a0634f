// SPDX-License-Identifier: GPL-2.0
/*
 * hypercall.c - the only file that enters Xen
 */
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/memory.h>
#include <xen/xen-ops.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>

#include "hypercall.h"
#include "policy.h"

int dmop_hypercall_dm_op(domid_t domid, unsigned int nr,
			 struct xen_dm_op_buf *bufs)
{
	int ret;

	xen_preemptible_hcall_begin();
	ret = HYPERVISOR_dm_op(domid, nr, bufs);
	xen_preemptible_hcall_end();

	return ret;
}

int dmop_hypercall_dm_op_atomic(domid_t domid, unsigned int nr,
				struct xen_dm_op_buf *bufs)
{
	return HYPERVISOR_dm_op(domid, nr, bufs);
}

#ifdef CONFIG_X86
/* struct xen_dm_op, as far as XEN_DMOP_track_dirty_vram uses it: a stable interface of Xen. */
struct track_dirty_vram {
	u32 op;
	u32 pad;
	u32 nr;
	u32 pad2;
	u64 first_pfn;
};

#define OP_TRACK_DIRTY_VRAM	7

/*
 * Tracking of one frame, with an empty buffer for the bitmap. Xen checks in this order, in every
 * release from 4.9 on: the domain exists (ESRCH), it has a device model (EINVAL: PV), the caller
 * may act on it, the domain is not dying (ESRCH), it has a vcpu (EINVAL), the bitmap fits the
 * buffer (EINVAL). So the operation never has an effect. selftests/doubt_test fails with a Xen
 * that answers otherwise.
 */
static int probe_domain(domid_t domid)
{
	struct track_dirty_vram op = { .op = OP_TRACK_DIRTY_VRAM, .nr = 1 };
	struct xen_dm_op_buf bufs[2] = {
		{ .size = sizeof(op) },
		{ .size = 0 },
	};

	BUILD_BUG_ON(sizeof(op) != 24);
	set_xen_guest_handle(bufs[0].h, &op);
	set_xen_guest_handle(bufs[1].h, NULL);
	return HYPERVISOR_dm_op(domid, ARRAY_SIZE(bufs), bufs);
}
#else
/*
 * One empty buffer: Xen looks the domain up, then rejects the buffer as too short
 * for an operation (EFAULT). With no buffer, some versions of Xen answer before the
 * lookup, and others read the operation from stale memory.
 */
static int probe_domain(domid_t domid)
{
	struct xen_dm_op_buf none = { .size = 0 };

	set_xen_guest_handle(none.h, NULL);
	return HYPERVISOR_dm_op(domid, 1, &none);
}
#endif

int dmop_hypercall_probe(domid_t domid)
{
	int ret = probe_domain(domid);

	/* EOPNOTSUPP: a Xen without this operation, which looked the domain up all the same. */
	return ret == -EFAULT || ret == -EINVAL || ret == -EOPNOTSUPP ? 0 : ret;
}

#ifdef CONFIG_X86
bool dmop_hypercall_sees_dying(domid_t domid)
{
	struct xen_dm_op_buf none = { .size = 0 };

	/* Xen rejects this buffer as too short for an operation, but a PV domain before that. */
	set_xen_guest_handle(none.h, NULL);
	return HYPERVISOR_dm_op(domid, 1, &none) == -EFAULT &&
	       probe_domain(domid) != -EOPNOTSUPP;
}
#else
bool dmop_hypercall_sees_dying(domid_t domid)
{
	return false;
}
#endif

/*
 * struct xen_domctl with its struct xen_domctl_get_domain_state. This one operation is a stable
 * interface; Linux has no definition of it. Xen reads and writes the whole structure.
 */
struct domctl_domain_state {
	u32 cmd;
	u32 interface_version;
	u16 domid;
	u16 pad[3];
	u16 state;
	u16 caps;
	u32 pad2;
	u64 unique_id;
	u8 rest[112];
};

#define DOMCTL_GET_DOMAIN_STATE		90
#define DOMCTL_STABLE			0	/* interface_version */
#define DOMAIN_STATE_DYING		0x4
#define DOMAIN_STATE_DEAD		0x8

static int domctl(struct domctl_domain_state *op)
{
#ifdef CONFIG_X86
	return _hypercall1(int, domctl, op);
#else
	return privcmd_call(__HYPERVISOR_domctl, (unsigned long)op, 0, 0, 0, 0);
#endif
}

int dmop_hypercall_domain_state(domid_t domid, u64 *unique_id, bool *dying)
{
	struct domctl_domain_state op = {
		.cmd = DOMCTL_GET_DOMAIN_STATE,
		.interface_version = DOMCTL_STABLE,
		.domid = domid,
	};
	int ret;

	BUILD_BUG_ON(sizeof(op) != 144);
	ret = domctl(&op);
	if (ret)
		return ret;
	*unique_id = op.unique_id;
	*dying = op.state & (DOMAIN_STATE_DYING | DOMAIN_STATE_DEAD);
	return 0;
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
static int update_pte(pte_t *ptep, u64 val, domid_t domid, u64 command)
{
	struct mmu_update u = {
		.ptr = arbitrary_virt_to_machine(ptep).maddr | command,
		.val = val,
	};

	return HYPERVISOR_mmu_update(&u, 1, NULL, domid);
}

/* A processor may have read the translation of the page ahead of time. */
static void flush_everywhere(void *page)
{
	struct mmuext_op op = {
		.cmd = MMUEXT_INVLPG_ALL,
		.arg1.linear_addr = (unsigned long)page,
	};

	WARN_ON_ONCE(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

int dmop_hypercall_replace_frame(void *page, domid_t domid, xen_pfn_t mfn, bool writable,
				 u64 *pte)
{
	unsigned int level;
	pte_t *ptep = lookup_address((unsigned long)page, &level);
	u64 kept = writable ? ~PTE_PFN_MASK : ~(PTE_PFN_MASK | _PAGE_RW | _PAGE_DIRTY);
	int err;

	if (!ptep || level != PG_LEVEL_4K)
		return -EINVAL;
	*pte = ptep->pte;
	err = update_pte(ptep, (*pte & kept) | (mfn << PAGE_SHIFT), domid,
			 MMU_PT_UPDATE_NO_TRANSLATE);
	if (!err)
		flush_everywhere(page);
	return err;
}

int dmop_hypercall_restore_frame(void *page, u64 pte)
{
	unsigned int level;

	return update_pte(lookup_address((unsigned long)page, &level), pte, DOMID_SELF,
			  MMU_NORMAL_PT_UPDATE);
}
#else
int dmop_hypercall_replace_frame(void *page, domid_t domid, xen_pfn_t mfn, bool writable,
				 u64 *pte)
{
	return -EOPNOTSUPP;
}

int dmop_hypercall_restore_frame(void *page, u64 pte)
{
	return -EOPNOTSUPP;
}
#endif

int dmop_hypercall_bind_port(domid_t domid, evtchn_port_t remote, evtchn_port_t *local)
{
	struct evtchn_bind_interdomain op = {
		.remote_dom = domid,
		.remote_port = remote,
	};
	int ret = HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &op);

	if (!ret)
		*local = op.local_port;
	return ret;
}

bool dmop_hypercall_is_bound(evtchn_port_t local, domid_t domid, evtchn_port_t remote)
{
	struct evtchn_status op = {
		.dom = DOMID_SELF,
		.port = local,
	};

	return !HYPERVISOR_event_channel_op(EVTCHNOP_status, &op) &&
	       op.status == EVTCHNSTAT_interdomain &&
	       dmop_policy_same_target(op.u.interdomain.dom, domid) &&
	       op.u.interdomain.port == remote;
}

void dmop_hypercall_close_port(evtchn_port_t local, domid_t domid, evtchn_port_t remote)
{
	struct evtchn_close op = { .port = local };

	/* The kernel closes a port in some of its own errors, and then it may be somebody else's. */
	if (dmop_hypercall_is_bound(local, domid, remote))
		HYPERVISOR_event_channel_op(EVTCHNOP_close, &op);
}

void dmop_hypercall_notify(evtchn_port_t local)
{
	struct evtchn_send op = { .port = local };

	HYPERVISOR_event_channel_op(EVTCHNOP_send, &op);
}

long dmop_hypercall_maximum_reservation(domid_t domid)
{
	return HYPERVISOR_memory_op(XENMEM_maximum_reservation, &domid);
}
