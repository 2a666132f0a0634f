// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_dm_op.c - DM_OP and HYPERCALL: the path that must be short
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <xen/dmop.h>

#include "file.h"
#include "gate.h"
#include "handlers.h"
#include "limits.h"
#include "small_copy.h"
#include "trace.h"

/*
 * Calls up to this size live on the stack and are copied by word loops, which cost
 * less than copy_from_user() and its checks.
 */
#define SMALL_NR_BUFS	2
#define SMALL_BYTES	256

/*
 * The buffers of one call. Everything that Xen gets is in here, and user memory is
 * read exactly once for it.
 *
 * @nr:    number of buffers
 * @bytes: the sum of their sizes
 * @ubufs: the caller's array, with its user addresses
 * @xbufs: Xen's array: the same buffers, in the kernel
 * @data:  the contents that do not fit @small_data; Xen reads and writes both
 * @given: the contents of @data as the caller gave them; @small_given likewise
 */
struct call_bufs {
	unsigned int nr;
	size_t bytes;
	struct dmop_buf *ubufs;
	struct xen_dm_op_buf *xbufs;
	u8 *data;
	u8 *given;

	struct dmop_buf small_ubufs[SMALL_NR_BUFS];
	struct xen_dm_op_buf small_xbufs[SMALL_NR_BUFS];
	u8 small_data[SMALL_BYTES];
	u8 small_given[SMALL_BYTES];
};

static void bufs_free(struct call_bufs *b)
{
	if (b->ubufs != b->small_ubufs) {
		kfree(b->ubufs);
		kfree(b->xbufs);
	}
	if (b->data)
		kvfree(b->data);
}

/* Reads an array of up to SMALL_NR_BUFS buffers. */
static int read_small_array(struct call_bufs *b,
			    const struct dmop_buf __user *uarray)
{
	unsigned int i;

	might_fault();
	if (!user_access_begin(uarray, b->nr * sizeof(*uarray)))
		return -EFAULT;
	for (i = 0; i < b->nr; i++) {
		unsafe_get_user(b->ubufs[i].uptr, &uarray[i].uptr, fault);
		unsafe_get_user(b->ubufs[i].size, &uarray[i].size, fault);
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/* Reads the array of buffers, but no buffer yet. */
static int bufs_read_array(struct call_bufs *b, u64 nr,
			   const struct dmop_buf __user *uarray)
{
	size_t max_size = READ_ONCE(dmop_max_buf_size);
	unsigned int i;
	int err = 0;

	/* Without a buffer there is no operation; not every Xen checks. */
	if (!nr)
		return -EINVAL;
	if (nr > READ_ONCE(dmop_max_nr_bufs))
		return -E2BIG;
	b->nr = nr;

	if (nr > SMALL_NR_BUFS) {
		b->ubufs = kmalloc_array(nr, sizeof(*b->ubufs), GFP_KERNEL_ACCOUNT);
		b->xbufs = kmalloc_array(nr, sizeof(*b->xbufs), GFP_KERNEL_ACCOUNT);
		if (!b->ubufs || !b->xbufs)
			return -ENOMEM;
		if (copy_from_user(b->ubufs, uarray, nr * sizeof(*b->ubufs)))
			err = -EFAULT;
	} else {
		err = read_small_array(b, uarray);
	}
	if (err)
		return err;

	for (i = 0; i < b->nr; i++) {
		if (b->ubufs[i].size > max_size)
			return -E2BIG;
		b->bytes += b->ubufs[i].size;
	}
	return 0;
}

/*
 * The place of a buffer. Buffers are placed in order, on the stack while they fit,
 * else in the allocation, so a small operation does not push a page-sized buffer
 * into the next slab size.
 */
struct place {
	size_t small;
	size_t large;
	u8 *data;
	u8 *given;
};

static bool place_next(struct call_bufs *b, struct place *p, size_t size)
{
	bool small = size <= SMALL_BYTES - p->small;

	if (small) {
		p->data = b->small_data + p->small;
		p->given = b->small_given + p->small;
		p->small += size;
	} else {
		p->data = b->data + p->large;
		p->given = b->given + p->large;
		p->large += size;
	}
	return small;
}

static int alloc_large(struct call_bufs *b)
{
	struct place p = { };
	unsigned int i;

	b->given = NULL;
	for (i = 0; i < b->nr; i++)
		place_next(b, &p, b->ubufs[i].size);
	b->data = kvmalloc(2 * p.large, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!b->data)
		return -ENOMEM;
	b->given = b->data + p.large;
	return 0;
}

static int bufs_read_contents(struct call_bufs *b)
{
	struct place p = { };
	unsigned int i;
	int err;

	if (b->bytes > SMALL_BYTES) {
		err = alloc_large(b);
		if (err)
			return err;
	}

	for (i = 0; i < b->nr; i++) {
		const struct dmop_buf *u = &b->ubufs[i];

		if (place_next(b, &p, u->size)) {
			if (dmop_small_copy_in(p.data, p.given, u->uptr, u->size))
				return -EFAULT;
		} else {
			if (copy_from_user(p.data, u->uptr, u->size))
				return -EFAULT;
			memcpy(p.given, p.data, u->size);
		}
		set_xen_guest_handle(b->xbufs[i].h, p.data);
		b->xbufs[i].size = u->size;
	}
	return 0;
}

/*
 * A buffer that Xen did not change is not written: a read-only buffer is then no
 * error, and another thread's store into it is not undone.
 */
static int bufs_write_back(struct call_bufs *b)
{
	struct place p = { };
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		const struct dmop_buf *u = &b->ubufs[i];

		place_next(b, &p, u->size);
		if (dmop_small_differ(p.data, p.given, u->size) &&
		    copy_to_user(u->uptr, p.data, u->size))
			return -EFAULT;
	}
	return 0;
}

/*
 * Traces the operation as Xen received it; Xen may have overwritten @data since. One that NARROW
 * has removed did not get there.
 */
static void trace_bufs(const struct dmop_file *f, struct call_bufs *b, domid_t domid, int ret)
{
	struct place p = { };
	u32 op = U32_MAX;

	place_next(b, &p, b->xbufs[0].size);
	if (ret == -EPERM && !dmop_rights_any_op(&f->rights) &&
	    !dmop_rights_op(&f->rights, p.given, b->xbufs[0].size))
		return;
	if (b->xbufs[0].size >= sizeof(op))
		memcpy(&op, p.given, sizeof(op));
	trace_dmop_op(domid, op, b->nr, b->xbufs[0].size,
		 b->nr > 1 ? b->xbufs[1].size : 0, ret);
}

/* A call that was admitted: copy in, enter Xen, copy out. */
static noinline long copy_and_call(struct dmop_file *f,
				   struct dmop_record *record,
				   domid_t domid, u64 nr,
				   const struct dmop_buf __user *uarray)
{
	/* Every byte that is read was written before; Xen sees no other. */
	struct call_bufs b dmop_uninitialized;
	long ret;

	b.bytes = 0;
	b.ubufs = b.small_ubufs;
	b.xbufs = b.small_xbufs;
	b.data = NULL;

	ret = bufs_read_array(&b, nr, uarray);
	if (!ret)
		ret = bufs_read_contents(&b);
	if (ret)
		goto out;

	ret = dmop_file_dm_op(f, record, domid, b.nr, b.xbufs);
	if (trace_dmop_op_enabled())
		trace_bufs(f, &b, domid, ret);
	if (ret >= 0) {
		int err = bufs_write_back(&b);

		if (err)
			ret = err;
	}
out:
	bufs_free(&b);
	return ret;
}

static __always_inline long call(struct dmop_file *f,
				 const struct dmop_request *r, u64 nr,
				 const struct dmop_buf __user *uarray)
{
	struct dmop_record *record;
	long ret;

	ret = dmop_enter(f, r, DMOP_RIGHT_CALL, &record);
	if (ret != DMOP_ALLOW)
		return ret;

	ret = copy_and_call(f, record, r->domid, nr, uarray);
	dmop_file_leave(f, record);
	return ret;
}

long dmop_ioctl_hypercall(struct file *filp, void __user *uarg)
{
	const struct dmop_hypercall __user *u = uarg;
	struct dmop_request r dmop_uninitialized;
	u64 nr, uarray, unused __maybe_unused;

	if (!user_access_begin(u, sizeof(*u)))
		return -EFAULT;
	unsafe_get_user(r.op, &u->op, fault);
	unsafe_get_user(r.domid, &u->arg[0], fault);
	unsafe_get_user(nr, &u->arg[1], fault);
	unsafe_get_user(uarray, &u->arg[2], fault);
	/* Unused, but part of the argument: EFAULT if they cannot be read. */
	unsafe_get_user(unused, &u->arg[3], fault);
	unsafe_get_user(unused, &u->arg[4], fault);
	user_access_end();

	r.act = DMOP_ACT_CALL;
	return call(filp->private_data, &r, nr, u64_to_user_ptr(uarray));
fault:
	user_access_end();
	return -EFAULT;
}

long dmop_ioctl_dm_op(struct file *filp, void __user *uarg)
{
	const struct dmop_dm_op __user *u = uarg;
	const struct dmop_buf __user *uarray;
	struct dmop_request r dmop_uninitialized;
	u16 nr, domid;

	if (!user_access_begin(u, sizeof(*u)))
		return -EFAULT;
	unsafe_get_user(domid, &u->dom, fault);
	unsafe_get_user(nr, &u->num, fault);
	unsafe_get_user(uarray, &u->ubufs, fault);
	user_access_end();

	r.act = DMOP_ACT_CALL;
	if (unlikely(!nr))
		r.act = DMOP_ACT_PROBE;
	r.op = DMOP_HYPERCALL_NR;
	r.domid = domid;
	return call(filp->private_data, &r, nr, uarray);
fault:
	user_access_end();
	return -EFAULT;
}
