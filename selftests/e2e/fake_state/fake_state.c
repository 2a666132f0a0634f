// SPDX-License-Identifier: GPL-2.0
/*
 * fake_state.c - a Xen that seems to identify domains
 *
 * A fake: XEN_DOMCTL_get_domain_state exists since Xen 4.21, and every Xen in the lab
 * is older. This module, loaded before dmop_privcmd, replaces Xen's answer to the
 * question: a domain exists, and is dying, as Xen's dm_op reports it; its id is made of
 * its number. By the parameters, @dying_domid seems to be dying, and @other_domid seems
 * to have the id @other_id.
 *
 * For the lab only.
 */
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include <xen/interface/xen.h>
#include <xen/interface/hvm/dm_op.h>
#include <xen/xen.h>
#include <asm/xen/hypercall.h>

#define TARGET		"dmop_privcmd"
#define FUNCTION	"dmop_hypercall_domain_state"

static ushort dying_domid;
module_param(dying_domid, ushort, 0600);

static ushort other_domid;
module_param(other_domid, ushort, 0600);

static ulong other_id;
module_param(other_id, ulong, 0600);

static uint asked;
module_param(asked, uint, 0600);
MODULE_PARM_DESC(asked, "questions so far");

static uint asked_invalid;
module_param(asked_invalid, uint, 0600);
MODULE_PARM_DESC(asked_invalid, "questions for DOMID_INVALID; only xenstored may ask these");

struct question {
	domid_t domid;
	u64 *id;
	bool *dying;
};

/* xen_dm_op with track_dirty_vram: 1 frame; the order is that of Xen's public header. */
static int real_state(domid_t domid)
{
	struct {
		u32 op, pad, nr, pad2;
		u64 first_pfn;
	} op = { .op = 7, .nr = 1 };
	struct xen_dm_op_buf bufs[2] = { { .size = sizeof(op) } };

	set_xen_guest_handle(bufs[0].h, &op);
	return HYPERVISOR_dm_op(domid, 2, bufs);
}

static bool really_exists(domid_t domid)
{
	struct xen_dm_op_buf none = { };

	return HYPERVISOR_dm_op(domid, 1, &none) != -ESRCH;
}

static int before(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct question *q = (struct question *)instance->data;

	q->domid = (domid_t)regs_get_kernel_argument(regs, 0);
	q->id = (u64 *)regs_get_kernel_argument(regs, 1);
	q->dying = (bool *)regs_get_kernel_argument(regs, 2);
	return 0;
}

static int after(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct question *q = (struct question *)instance->data;

	asked++;
	asked_invalid += q->domid == DOMID_INVALID;
	if (!really_exists(q->domid)) {
		regs_set_return_value(regs, -ESRCH);
		return 0;
	}
	*q->id = q->domid == other_domid ? other_id : 0x10000ULL + q->domid;
	*q->dying = q->domid == dying_domid || real_state(q->domid) == -ESRCH;
	if (!q->domid)
		*q->dying = false;
	regs_set_return_value(regs, 0);
	return 0;
}

static struct kretprobe probe;
static bool probing;

static void probe_begin(void)
{
	int err;

	probe = (struct kretprobe){
		.kp.symbol_name = FUNCTION,
		.entry_handler = before,
		.handler = after,
		.data_size = sizeof(struct question),
	};
	err = register_kretprobe(&probe);
	probing = !err;
	if (err)
		pr_err("fake_state: no probe of " FUNCTION ": %d\n", err);
}

static void probe_end(void)
{
	if (probing)
		unregister_kretprobe(&probe);
	probing = false;
}

/* The module asks in its init function, so the probe has to be there before. */
static int module_changes(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *module = data;

	if (strcmp(module->name, TARGET))
		return NOTIFY_DONE;
	if (event == MODULE_STATE_COMING)
		probe_begin();
	else if (event == MODULE_STATE_GOING)
		probe_end();
	return NOTIFY_DONE;
}

/* It runs after that of kprobes: kprobes has to know the new module. */
static struct notifier_block notifier = {
	.notifier_call = module_changes,
	.priority = -1,
};

static int __init fake_state_init(void)
{
	return register_module_notifier(&notifier);
}
module_init(fake_state_init);

static void __exit fake_state_exit(void)
{
	unregister_module_notifier(&notifier);
	probe_end();
}
module_exit(fake_state_exit);

MODULE_DESCRIPTION("A Xen that seems to identify domains, for a test");
MODULE_LICENSE("GPL");
