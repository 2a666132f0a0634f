// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_map.c - MMAPBATCH_V2 and MMAP_RESOURCE
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <xen/interface/xen.h>
#include <xen/interface/memory.h>

#include <xen/dmop.h>

#include "file.h"
#include "gate.h"
#include "handlers.h"
#include "limits.h"
#include "map.h"
#include "trace.h"

/* Frames of a piece. The header names the number: a call of so many is refused as a whole. */
#define PIECE	512

static long map_piece(struct file *filp, struct dmop_record *record,
		      const struct dmop_mmapbatch_v2 *m, const struct dmop_range *range,
		      xen_pfn_t *gfns, int *errs)
{
	struct dmop_file *f = filp->private_data;
	long ret;

	if (copy_from_user(gfns, m->arr + range->done, range->piece * sizeof(*gfns)))
		return -EFAULT;
	ret = dmop_map_foreign(&f->maps, record, filp, range, gfns, errs);
	if (ret == DMOP_NARROWED)
		ret = dmop_observe_narrowed(f, DMOP_ACT_MAP, 0, m->dom);
	if (record && (ret == -ESRCH || (!ret && errs[0] == -ESRCH)))
		dmop_record_probe(record);
	if ((!ret || ret == -ENOENT) &&
	    copy_to_user(m->err + range->done, errs, range->piece * sizeof(*errs)))
		ret = -EFAULT;
	return ret;
}

/*
 * In pieces, so that the memory for frame numbers and results does not grow with the call. User
 * memory is accessed between the pieces. Nothing is held there that a revocation, a NARROW or
 * another thread of the caller waits for.
 */
static long map_batch(struct file *filp, struct dmop_record *record,
		      const struct dmop_mmapbatch_v2 *m)
{
	struct dmop_range range = { .addr = m->addr, .nr = m->num, .domid = m->dom };
	long ret, paged_out = 0;
	xen_pfn_t *gfns;
	int *errs;

	if (!m->num)
		return -EINVAL;
	if (m->num > READ_ONCE(dmop_max_map_frames))
		return -E2BIG;

	/* One allocation for both arrays. */
	range.piece = min_t(unsigned int, m->num, PIECE);
	gfns = kmalloc_array(range.piece, sizeof(*gfns) + sizeof(*errs),
			     GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!gfns)
		return -ENOMEM;
	errs = (int *)(gfns + range.piece);

	do {
		range.piece = min(range.piece, range.nr - range.done);
		ret = map_piece(filp, record, m, &range, gfns, errs);
		if (ret == -ENOENT) {
			paged_out = ret;
			ret = 0;
		}
		range.done += range.piece;
		cond_resched();
	} while (!ret && range.done < range.nr);

	kfree(gfns);
	return ret ? ret : paged_out;
}

long dmop_handle_mmapbatch_v2(struct file *filp, struct dmop_record *record,
			      const union dmop_arg *arg, void __user *uarg)
{
	const struct dmop_mmapbatch_v2 *m = &arg->mmapbatch;
	struct dmop_file *f = filp->private_data;
	long ret = map_batch(filp, record, m);

	if (trace_dmop_map_enabled())
		trace_dmop_map(m->dom, -1, m->addr, m->num, dmop_maps_frames(&f->maps), ret);
	return ret;
}

static long map_resource(struct file *filp, struct dmop_record *record,
			 const struct dmop_mmap_resource *m,
			 struct dmop_mmap_resource __user *uarg)
{
	struct xen_mem_acquire_resource xar = {
		.domid = m->dom,
		.type = m->type,
		.id = m->id,
	};
	struct dmop_file *f = filp->private_data;
	int ret;

	if (!m->addr != !m->num || m->type > U16_MAX)
		return -EINVAL;
	if (m->num > DMOP_RESOURCE_NUM_MAX)
		return -E2BIG;
	if (m->num) {
		xar.frame = m->idx;
		xar.nr_frames = m->num;
		return dmop_map_resource(&f->maps, record, filp, m->addr, &xar);
	}

	ret = dmop_map_resource_size(&f->maps, record, &xar);
	if (!ret && put_user(xar.nr_frames, &uarg->num))
		ret = -EFAULT;
	return ret;
}

static long refuse_resource(struct dmop_file *f, const struct dmop_mmap_resource *m)
{
	if (dmop_rights_resource(&f->rights, m->type))
		return dmop_observe_narrowed(f, DMOP_ACT_MAP, 0, m->dom);
	return dmop_observe_narrowed(f, DMOP_ACT_RESOURCE, m->type, m->dom);
}

/*
 * Not gated: the bar of its benchmark is the cost of the stock driver, and the
 * gate's copy_from_user() alone would miss it. The steps are those of the gate.
 */
long dmop_ioctl_mmap_resource(struct file *filp, void __user *uarg)
{
	struct dmop_mmap_resource __user *u = uarg;
	struct dmop_file *f = filp->private_data;
	/* Every member is set below, and the struct is not copied back as a whole. */
	struct dmop_mmap_resource m dmop_uninitialized;
	struct dmop_request r = { .act = DMOP_ACT_MAP };
	struct dmop_record *record;
	long ret;

	if (!user_access_begin(u, sizeof(*u)))
		return -EFAULT;
	unsafe_get_user(m.dom, &u->dom, fault);
	unsafe_get_user(m.type, &u->type, fault);
	unsafe_get_user(m.id, &u->id, fault);
	unsafe_get_user(m.idx, &u->idx, fault);
	unsafe_get_user(m.num, &u->num, fault);
	unsafe_get_user(m.addr, &u->addr, fault);
	user_access_end();

	r.domid = m.dom;
	ret = dmop_enter(f, &r, DMOP_RIGHT_MAP_RESOURCE, &record);
	if (ret != DMOP_ALLOW)
		return ret;
	ret = DMOP_NARROWED;
	if (likely(dmop_rights_resource(&f->rights, m.type)))
		ret = map_resource(filp, record, &m, u);
	dmop_file_leave(f, record);
	if (unlikely(ret == DMOP_NARROWED))
		ret = refuse_resource(f, &m);
	if (trace_dmop_map_enabled())
		trace_dmop_map(m.dom, m.type, m.addr, m.num, dmop_maps_frames(&f->maps), ret);
	return ret;
fault:
	user_access_end();
	return -EFAULT;
}
