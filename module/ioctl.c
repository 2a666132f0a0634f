// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl.c - the table of ioctls and the gate in front of them
 */
#include <linux/build_bug.h>
#include <linux/compat.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include <xen/dmop.h>

#include "area.h"
#include "file.h"
#include "gate.h"
#include "handlers.h"
#include "ioctl.h"
#include "limits.h"
#include "trace.h"
#include "watch.h"

static long handle_restrict(struct file *filp, struct dmop_record *record,
			    const union dmop_arg *arg, void __user *uarg)
{
	struct dmop_request r = {
		.act = DMOP_ACT_RESTRICT,
		.domid = arg->restrict_to,
	};
	struct dmop_file *f = filp->private_data;
	long ret = dmop_file_restrict(f, arg->restrict_to);

	trace_dmop_restrict(arg->restrict_to, ret);
	/* Another thread bound the file since the decision: the answer is a bound file's. */
	if (ret == -EAGAIN)
		ret = dmop_decide(f, dmop_file_record(f), &r);
	return ret;
}

static void info_fill(struct dmop_file *f, const struct dmop_record *record,
		      struct dmop_info *info)
{
	struct dmop_rights rights;

	dmop_rights_read(&f->rights, &rights);
	*info = (struct dmop_info) {
		.abi_version = DMOP_ABI_VERSION,
		.state = dmop_file_state(record),
		.domid = record ? record->domid : DMOP_DOMID_NONE,
		.own_domid = dmop_own_domid(),
		.max_nr_bufs = READ_ONCE(dmop_max_nr_bufs),
		.max_buf_size = READ_ONCE(dmop_max_buf_size),
		.max_map_frames = READ_ONCE(dmop_max_map_frames),
		.max_call_frames = READ_ONCE(dmop_max_map_frames),
		.features = DMOP_FEATURE_DM_OP | DMOP_FEATURE_MAP |
			    DMOP_FEATURE_REVOKE | DMOP_FEATURE_BATCH | DMOP_FEATURE_NARROW |
			    (DMOP_HAS_EVENTS ? DMOP_FEATURE_IRQFD | DMOP_FEATURE_SERVE : 0) |
			    (DMOP_HAS_IOEVENTFD ? DMOP_FEATURE_IOEVENTFD : 0),
		.calls = atomic64_read(&f->calls),
		.refused_policy = atomic64_read(&f->refused_policy),
		.refused_dead = atomic64_read(&f->refused_dead),
		.mapped_frames = dmop_maps_frames(&f->maps),
		.narrowed = DMOP_NARROW_ALL & ~rights.untouched,
		.acts = rights.acts,
		.ops = { rights.ops[0], rights.ops[1] },
		.resources = rights.resources,
		.max_frames = rights.max_frames,
		.gfn_first = rights.gfn_first,
		.gfn_last = rights.gfn_last,
		.irqfds = READ_ONCE(f->events.irqfds),
		.events = atomic64_read(&f->events.issued),
		.events_failed = atomic64_read(&f->events.failed),
		.servers = READ_ONCE(f->events.nr_servers),
		.kicks = dmop_kick_number(&f->events),
		.kicked = atomic64_read(&f->events.kicked),
		.rest = atomic64_read(&f->events.rest),
	};
	/* Not while revoked: when the pin is released is revocation's business. */
	if (info->state == DMOP_STATE_BOUND && dmop_record_pinned(record))
		info->features |= DMOP_FEATURE_PINNED;
}

/* @arg is the head of the struct; the rest is read behind it, so no byte is read twice. */
static long handle_info(struct file *filp, struct dmop_record *record,
			const union dmop_arg *arg, void __user *uarg)
{
	const size_t head = sizeof(arg->info);
	size_t usize = arg->info.size;
	struct dmop_info info;
	int ret;

	if (usize < DMOP_INFO_SIZE_V1)
		return -EINVAL;
	if (usize > DMOP_INFO_SIZE_MAX)
		return -E2BIG;
	if (arg->info.flags)
		return -EINVAL;

	ret = copy_struct_from_user((u8 *)&info + head, sizeof(info) - head,
				    uarg + head, usize - head);
	if (ret)
		return ret;

	info_fill(filp->private_data, record, &info);
	info.size = min(usize, sizeof(info));
	return copy_to_user(uarg, &info, info.size) ? -EFAULT : 0;
}

/*
 * An ioctl.
 *
 * @cmd:     DMOP_IOCTL_*
 * @compat:  its layout is the same for a 32-bit caller, which may issue it
 * @size:    bytes of the argument that the gate copies
 * @domid_at, @domid_size: the domid in these bytes; a size of 0: none
 * @act:     what the policy decides on
 * @handler: called by the gate
 * @direct:  instead of the gate
 */
struct ioctl_row {
	unsigned int cmd;
	bool compat;
	u8 size;
	u8 domid_at;
	u8 domid_size;
	enum dmop_act act;
	dmop_handler *handler;
	long (*direct)(struct file *filp, void __user *uarg);
};

#define GATED(_cmd, _compat, _member, _act, _handler, ...) \
	[_IOC_NR(_cmd)] = { .cmd = (_cmd), .compat = (_compat), \
		.size = sizeof_field(union dmop_arg, _member), .act = (_act), \
		.handler = (_handler), __VA_ARGS__ }
#define DOMID(_member) \
	.domid_at = offsetof(union dmop_arg, _member), \
	.domid_size = sizeof_field(union dmop_arg, _member)
#define DIRECT(_cmd, _direct) \
	[_IOC_NR(_cmd)] = { .cmd = (_cmd), .direct = (_direct) }

/* The ABI, by number. Inherited ioctls have 64-bit layouts only. */
static const struct ioctl_row ioctls[] = {
	DIRECT(DMOP_IOCTL_HYPERCALL, dmop_ioctl_hypercall),
	GATED(DMOP_IOCTL_MMAPBATCH_V2, false, mmapbatch, DMOP_ACT_MAP,
	      dmop_handle_mmapbatch_v2, DOMID(mmapbatch.dom)),
	DIRECT(DMOP_IOCTL_DM_OP, dmop_ioctl_dm_op),
	GATED(DMOP_IOCTL_RESTRICT, false, restrict_to, DMOP_ACT_RESTRICT,
	      handle_restrict, DOMID(restrict_to)),
	DIRECT(DMOP_IOCTL_MMAP_RESOURCE, dmop_ioctl_mmap_resource),
	GATED(DMOP_IOCTL_IRQFD, false, irqfd, DMOP_ACT_EVENT, dmop_handle_irqfd,
	      DOMID(irqfd.dom)),
	GATED(DMOP_IOCTL_IOEVENTFD, false, ioeventfd, DMOP_ACT_EVENT, dmop_handle_ioeventfd,
	      DOMID(ioeventfd.dom)),
	GATED(DMOP_IOCTL_INFO, true, info, DMOP_ACT_INFO, handle_info),
	GATED(DMOP_IOCTL_BATCH, true, batch, DMOP_ACT_CALL, dmop_handle_batch,
	      DOMID(batch.domid)),
	GATED(DMOP_IOCTL_NARROW, true, narrow, DMOP_ACT_NARROW, dmop_handle_narrow),
	GATED(DMOP_IOCTL_SERVE, true, serve, DMOP_ACT_EVENT, dmop_handle_serve,
	      DOMID(serve.domid)),
	GATED(DMOP_IOCTL_ANSWER, true, answer, DMOP_ACT_ANSWER, dmop_handle_answer),
	GATED(DMOP_IOCTL_KICK, true, kick, DMOP_ACT_EVENT, dmop_handle_kick,
	      DOMID(kick.domid)),
};

static u64 domid_of(const struct ioctl_row *row, const union dmop_arg *arg)
{
	const void *at = (const u8 *)arg + row->domid_at;

	switch (row->domid_size) {
	case sizeof(u16):
		return *(const u16 *)at;
	case sizeof(u32):
		return *(const u32 *)at;
	default:
		return 0;
	}
}

/* Return: the right that an act needs, or 0. */
static u64 right_for(enum dmop_act act)
{
	switch (act) {
	case DMOP_ACT_CALL:
		return DMOP_RIGHT_CALL;
	case DMOP_ACT_MAP:
		return DMOP_RIGHT_MAP_FOREIGN;
	case DMOP_ACT_EVENT:
	case DMOP_ACT_ANSWER:
		return DMOP_RIGHT_EVENT;
	default:
		return 0;
	}
}

/*
 * The order of refusals: EFAULT for the argument, then the decision, then the
 * handler's own checks. RESTRICT replaces the state and INFO reads it once, so it is
 * not held for these two; nor for NARROW, which is for a bound file, and that stays bound.
 */
static long gate(struct file *filp, const struct ioctl_row *row,
		 void __user *uarg)
{
	u64 right = right_for(row->act);
	struct dmop_file *f = filp->private_data;
	struct dmop_request r = { .act = row->act };
	struct dmop_record *record;
	union dmop_arg arg;
	long ret;

	if (copy_from_user(&arg, uarg, row->size))
		return -EFAULT;
	r.domid = domid_of(row, &arg);
	if (r.act == DMOP_ACT_CALL)
		r.op = DMOP_HYPERCALL_NR;

	if (right) {
		ret = dmop_enter(f, &r, right, &record);
	} else {
		record = dmop_file_record(f);
		ret = dmop_decide(f, record, &r);
	}
	if (ret != DMOP_ALLOW)
		return ret;

	ret = row->handler(filp, record, &arg, uarg);
	if (right)
		dmop_file_leave(f, record);
	return ret;
}

static const struct ioctl_row *find_row(unsigned int cmd)
{
	const struct ioctl_row *row;

	if (_IOC_NR(cmd) >= ARRAY_SIZE(ioctls))
		return NULL;
	row = &ioctls[array_index_nospec(_IOC_NR(cmd), ARRAY_SIZE(ioctls))];
	return row->cmd == cmd ? row : NULL;
}

long dmop_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	const struct ioctl_row *row;

	/* The hot commands skip the indirect call and its retpoline. */
	if (cmd == DMOP_IOCTL_DM_OP)
		return dmop_ioctl_dm_op(filp, (void __user *)arg);
	if (cmd == DMOP_IOCTL_HYPERCALL)
		return dmop_ioctl_hypercall(filp, (void __user *)arg);

	row = find_row(cmd);
	if (!row)
		return -ENOTTY;
	if (row->direct)
		return row->direct(filp, (void __user *)arg);
	return gate(filp, row, (void __user *)arg);
}

#ifdef CONFIG_COMPAT
long dmop_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	const struct ioctl_row *row = find_row(cmd);

	if (!row || !row->compat)
		return -ENOTTY;
	return gate(filp, row, compat_ptr(arg));
}
#endif

static_assert(sizeof(struct dmop_hypercall) == 6 * sizeof(u64));
static_assert(sizeof(struct dmop_buf) == 16);
static_assert(sizeof(struct dmop_dm_op) == 16);
static_assert(sizeof(struct dmop_mmapbatch_v2) == 32);
static_assert(sizeof(struct dmop_mmap_resource) == 32);
static_assert(offsetof(struct dmop_info, narrowed) == DMOP_INFO_SIZE_V1);
static_assert(offsetof(struct dmop_info, features) == 10 * sizeof(u32));
static_assert(sizeof(struct dmop_batch) == DMOP_BATCH_SIZE_V1);
static_assert(sizeof(struct dmop_batch_op) == 16);
static_assert(sizeof(struct dmop_narrow) == DMOP_NARROW_SIZE_V1);
static_assert(sizeof(struct dmop_irqfd) == 24);
static_assert(sizeof(struct dmop_ioeventfd) == 48);
static_assert(sizeof(struct dmop_serve) == DMOP_SERVE_SIZE_V1);
static_assert(sizeof(struct dmop_answer) == DMOP_ANSWER_SIZE_V1);
static_assert(sizeof(struct dmop_kick) == DMOP_KICK_SIZE_V1);
static_assert(__HYPERVISOR_dm_op == DMOP_HYPERCALL_NR);
static_assert(DOMID_FIRST_RESERVED - 1 == DMOP_DOMID_MAX);
