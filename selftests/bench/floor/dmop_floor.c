// SPDX-License-Identifier: GPL-2.0
/*
 * dmop_floor.c - what a dm_op costs that nobody asked for from user space
 *
 * Built for a benchmark run and loaded there, never installed. The results are
 * its parameters; it makes one operation that no Xen knows on a domain that the
 * benchmark made for it.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <asm/msr.h>
#include <xen/interface/xen.h>
#include <xen/interface/hvm/dm_op.h>
#include <xen/xen-ops.h>
#include <asm/xen/hypercall.h>

#define ROUNDS		301
#define BATCH		32
#define OP_SIZE		64
#define OP_UNKNOWN	0x7fffffff

static unsigned int domid;
module_param(domid, uint, 0444);

/* In ticks of the TSC. */
static unsigned int empty, one, two, large, batch, msi;
module_param(empty, uint, 0444);
module_param(one, uint, 0444);
module_param(two, uint, 0444);
module_param(large, uint, 0444);
module_param(batch, uint, 0444);
module_param(msi, uint, 0444);

static u64 took[ROUNDS];
static u8 ops[BATCH][OP_SIZE] __aligned(8);
static u8 more[4096];
static struct xen_dm_op_buf bufs[BATCH][2];
static struct multicall_entry calls[BATCH];

/* struct xen_dm_op with XEN_DMOP_inject_msi, a stable interface of Xen. */
static struct {
	u32 op, pad;
	u32 data, pad2;
	u64 addr;
} inject_msi = { .op = 14, .data = 0x41, .addr = 0xfee00000 };

static int compare(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 : 1;
}

static unsigned int median(void (*call)(void))
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		u64 start = rdtsc_ordered();

		call();
		took[i] = rdtsc_ordered() - start;
	}
	sort(took, ROUNDS, sizeof(took[0]), compare, NULL);
	return took[ROUNDS / 2];
}

static noinline void call_nothing(void)
{
	barrier();
}

static void call_one(void)
{
	HYPERVISOR_dm_op(domid, 1, bufs[0]);
}

static void call_two(void)
{
	HYPERVISOR_dm_op(domid, 2, bufs[0]);
}

static void call_batch(void)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		calls[i].op = __HYPERVISOR_dm_op;
		calls[i].args[0] = domid;
		calls[i].args[1] = 1;
		calls[i].args[2] = (unsigned long)bufs[i];
	}
	HYPERVISOR_multicall(calls, BATCH);
}

static void call_msi(void)
{
	struct xen_dm_op_buf buf = { .size = sizeof(inject_msi) };

	set_xen_guest_handle(buf.h, &inject_msi);
	HYPERVISOR_dm_op(domid, 1, &buf);
}

static int __init floor_init(void)
{
	u32 op = OP_UNKNOWN;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		memcpy(ops[i], &op, sizeof(op));
		set_xen_guest_handle(bufs[i][0].h, ops[i]);
		bufs[i][0].size = OP_SIZE;
		set_xen_guest_handle(bufs[i][1].h, more);
		bufs[i][1].size = 128;
	}
	if (HYPERVISOR_dm_op(domid, 1, bufs[0]) != -EOPNOTSUPP)
		return -ENXIO;
	empty = median(call_nothing);
	one = median(call_one) - empty;
	two = median(call_two) - empty;
	bufs[0][1].size = sizeof(more);
	large = median(call_two) - empty;
	batch = median(call_batch) - empty;
	msi = median(call_msi) - empty;
	if ((long)calls[0].result != -EOPNOTSUPP ||
	    (long)calls[BATCH - 1].result != -EOPNOTSUPP)
		return -EIO;
	return 0;
}
module_init(floor_init);

static void __exit floor_exit(void)
{
}
module_exit(floor_exit);

MODULE_DESCRIPTION("The cost of a bare dm_op hypercall, for a benchmark");
MODULE_LICENSE("GPL");
