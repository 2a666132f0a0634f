// SPDX-License-Identifier: GPL-2.0
/*
 * fake_paging.c - frames that seem to be paged out
 *
 * A fake: Xen pages a domain's memory only with EPT, which the lab's processor
 * has not. With this loaded, the next @times attempts of anybody in this dom0 to
 * map frames from @first to @last fail for these with ENOENT, as Xen would have
 * it. Xen is really asked, but for frames that no domain has, so that nothing is
 * mapped either.
 *
 * For the lab only.
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <xen/interface/xen.h>
#include <xen/xen.h>

/* No domain has memory there. */
#define NOWHERE		(1ULL << 39)

static ulong first = 1, last;
module_param(first, ulong, 0600);
module_param(last, ulong, 0600);

static uint times;
module_param(times, uint, 0600);
MODULE_PARM_DESC(times, "attempts that are still to fail");

struct attempt {
	xen_pfn_t *gfns;
	int *errs;
	unsigned int nr;
};

static bool paged_out(xen_pfn_t gfn)
{
	return gfn >= first && gfn <= last;
}

/* Of both functions: VMA, address, frames, their number, results, ... */
static int before(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct attempt *a = (struct attempt *)instance->data;
	bool any = false;
	unsigned int i;

	a->gfns = (xen_pfn_t *)regs_get_kernel_argument(regs, 2);
	a->nr = (unsigned int)regs_get_kernel_argument(regs, 3);
	a->errs = (int *)regs_get_kernel_argument(regs, 4);

	for (i = 0; times && i < a->nr; i++) {
		if (paged_out(a->gfns[i])) {
			a->gfns[i] |= NOWHERE;
			any = true;
		}
	}
	times -= any;
	return !any;
}

static int after(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct attempt *a = (struct attempt *)instance->data;
	unsigned int i;

	for (i = 0; i < a->nr; i++) {
		if (!paged_out(a->gfns[i] ^ NOWHERE))
			continue;
		a->gfns[i] ^= NOWHERE;
		a->errs[i] = -ENOENT;
	}
	return 0;
}

static struct kretprobe probe = {
	.entry_handler = before,
	.handler = after,
	.data_size = sizeof(struct attempt),
};

static int __init fake_paging_init(void)
{
	probe.kp.symbol_name = xen_pv_domain() ? "xen_remap_pfn" :
						 "xen_xlate_remap_gfn_array";
	return register_kretprobe(&probe);
}
module_init(fake_paging_init);

static void __exit fake_paging_exit(void)
{
	unregister_kretprobe(&probe);
}
module_exit(fake_paging_exit);

MODULE_DESCRIPTION("Frames that seem to be paged out, for a test");
MODULE_LICENSE("GPL");
