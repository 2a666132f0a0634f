// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl.c - the ABI decoder; nothing else touches user memory
 */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <xen/xen.h>

#include <xen/dmop.h>

#include "area.h"
#include "file.h"
#include "ioctl.h"
#include "limits.h"
#include "map.h"
#include "observe.h"
#include "policy.h"
#include "trace.h"
#include "watch.h"

/*
 * Calls up to this size live on the stack and are copied word by word, which
 * is cheaper than calls of copy_from_user() and what it checks.
 */
#define SMALL_NR_BUFS	2
#define SMALL_BYTES	256

/* Eight bytes that may stand anywhere. */
struct word {
	u64 v;
} __packed;

/*
 * The buffers of one call: everything that Xen gets is in here, and user
 * memory was read exactly once for it.
 *
 * @nr:    number of buffers
 * @bytes: their sizes added up
 * @ubufs: the caller's array, with its user addresses
 * @xbufs: Xen's array: the same buffers, in the kernel
 * @data:  what contents do not fit @small_data; Xen reads and writes both
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

/* This and what calls it on the way to Xen are one function to the compiler. */
static __always_inline int decide(struct dmop_file *f,
				  const struct dmop_record *record,
				  const struct dmop_request *r)
{
	/* All of it is set here, and so are the requests: none is zeroed before. */
	struct dmop_subject s dmop_uninitialized;
	int verdict;

	s.state = dmop_file_state(record);
	s.bound = record ? record->domid : 0;
	s.own = 0;
	s.admin = false;

	/*
	 * Asked only where it counts: capable() leaves marks on the caller. It
	 * counts in the initial domain only.
	 */
	if (s.state == DMOP_STATE_UNBOUND &&
	    r->act != DMOP_ACT_INFO && r->act != DMOP_ACT_PROBE) {
		s.own = dmop_own_domid();
		s.admin = xen_initial_domain() && capable(CAP_SYS_ADMIN);
	}

	verdict = dmop_policy(&s, r);
	if (verdict < 0)
		dmop_observe_refusal(f, &s, r, verdict);
	return verdict;
}

static void bufs_free(struct call_bufs *b)
{
	if (b->ubufs != b->small_ubufs) {
		kfree(b->ubufs);
		kfree(b->xbufs);
	}
	if (b->data)
		kvfree(b->data);
}

/* Up to SMALL_NR_BUFS of them. */
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

/* Reads the array of buffers, and no buffer yet. */
static int bufs_read_array(struct call_bufs *b, u64 nr,
			   const struct dmop_buf __user *uarray)
{
	size_t max_size = READ_ONCE(dmop_max_buf_size);
	unsigned int i;
	int err = 0;

	/* Without a buffer there is no operation; not every Xen looks. */
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

/* Each byte is read once, and goes to both copies. */
static int read_small_buf(u8 *data, u8 *given, const u8 __user *from, size_t size)
{
	size_t i = 0;

	if (!size)
		return 0;
	might_fault();
	if (!user_access_begin(from, size))
		return -EFAULT;
#define WORD(at) do {								\
	u64 v;									\
										\
	unsafe_get_user(v, (const u64 __user *)(from + (at)), fault);		\
	((struct word *)(data + (at)))->v = v;					\
	((struct word *)(given + (at)))->v = v;					\
} while (0)
	for (; i + 32 <= size; i += 32) {
		WORD(i);
		WORD(i + 8);
		WORD(i + 16);
		WORD(i + 24);
	}
	for (; i + 8 <= size; i += 8)
		WORD(i);
#undef WORD
	for (; i < size; i++) {
		unsafe_get_user(data[i], from + i, fault);
		given[i] = data[i];
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/*
 * Where the contents of the buffers are, one after the other: each is small, if
 * it still fits there, else large. So a large one is not made larger than a
 * slab by the operation before it.
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
			if (read_small_buf(p.data, p.given, u->uptr, u->size))
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

/* memcmp() would tell which is greater, and takes twice as long for it. */
static bool differ(const u8 *a, const u8 *b, size_t size)
{
	size_t i = 0;

#define XOR(at) (((const struct word *)(a + (at)))->v ^		\
		 ((const struct word *)(b + (at)))->v)
	for (; i + 32 <= size; i += 32)
		if (XOR(i) | XOR(i + 8) | XOR(i + 16) | XOR(i + 24))
			return true;
	for (; i + 8 <= size; i += 8)
		if (XOR(i))
			return true;
#undef XOR
	for (; i < size; i++)
		if (a[i] != b[i])
			return true;
	return false;
}

/*
 * What Xen left as it was is not written: a read-only buffer is then no error,
 * and another thread's store into it is not undone.
 */
static int bufs_write_back(struct call_bufs *b)
{
	struct place p = { };
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		const struct dmop_buf *u = &b->ubufs[i];

		place_next(b, &p, u->size);
		if (differ(p.data, p.given, u->size) &&
		    copy_to_user(u->uptr, p.data, u->size))
			return -EFAULT;
	}
	return 0;
}

/* The operation as Xen got it, which is not what is in @data by now. */
static void trace_bufs(struct call_bufs *b, domid_t domid, int ret)
{
	struct place p = { };
	u32 op = U32_MAX;

	place_next(b, &p, b->xbufs[0].size);
	if (b->xbufs[0].size >= sizeof(op))
		memcpy(&op, p.given, sizeof(op));
	trace_dmop_op(domid, op, b->nr, b->xbufs[0].size,
		 b->nr > 1 ? b->xbufs[1].size : 0, ret);
}

/* A call that was allowed: copy in, enter Xen, copy out. */
static noinline long pass(struct dmop_file *f, struct dmop_record *record,
			  domid_t domid, u64 nr,
			  const struct dmop_buf __user *uarray)
{
	/* All that is read of it was written before; nothing else is Xen's to see. */
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
		trace_bufs(&b, domid, ret);
	if (ret >= 0) {
		int err = bufs_write_back(&b);

		if (err)
			ret = err;
	}
out:
	bufs_free(&b);
	return ret;
}

/*
 * Decides, and if the answer is DMOP_ALLOW holds the state that it was made
 * under until dmop_file_leave(). Twice at most: a file gets bound once.
 */
static __always_inline int enter(struct dmop_file *f,
				 const struct dmop_request *r,
				 struct dmop_record **record)
{
	int ret;

	do {
		*record = dmop_file_record(f);
		ret = decide(f, *record, r);
		if (ret != DMOP_ALLOW)
			return ret;
		ret = dmop_file_enter(f, *record);
	} while (ret == -EAGAIN);

	return ret ? ret : DMOP_ALLOW;
}

static __always_inline long call(struct dmop_file *f,
				 const struct dmop_request *r, u64 nr,
				 const struct dmop_buf __user *uarray)
{
	struct dmop_record *record;
	long ret;

	ret = enter(f, r, &record);
	if (ret != DMOP_ALLOW)
		return ret;

	ret = pass(f, record, r->domid, nr, uarray);
	dmop_file_leave(f, record);
	return ret;
}

static long ioctl_hypercall(struct file *filp, void __user *uarg)
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
	/* Part of the argument all the same: EFAULT if they are not there. */
	unsafe_get_user(unused, &u->arg[3], fault);
	unsafe_get_user(unused, &u->arg[4], fault);
	user_access_end();

	r.act = DMOP_ACT_CALL;
	return call(filp->private_data, &r, nr, u64_to_user_ptr(uarray));
fault:
	user_access_end();
	return -EFAULT;
}

static long ioctl_dm_op(struct file *filp, void __user *uarg)
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

/* What is said of a batch before any of its operations is read. */
static int batch_check(const struct dmop_batch *h, const void __user *uarg)
{
	int zeroed;

	if (h->size < DMOP_BATCH_SIZE_V1)
		return -EINVAL;
	if (h->size > DMOP_BATCH_SIZE_MAX)
		return -E2BIG;
	if (h->flags || h->pad || !h->nr)
		return -EINVAL;
	if (h->nr > DMOP_BATCH_NR_MAX || h->bytes > DMOP_BATCH_BYTES_MAX)
		return -E2BIG;
	if (h->bytes < h->nr * sizeof(struct dmop_batch_op))
		return -EINVAL;

	zeroed = check_zeroed_user(uarg + sizeof(*h), h->size - sizeof(*h));
	if (zeroed < 0)
		return zeroed;
	return zeroed ? 0 : -E2BIG;
}

/* @block is a copy of what follows the head; @calls is made to point into it. */
static int batch_lay_out(const struct dmop_batch *h, u8 *block,
			 struct dmop_op *calls)
{
	const struct dmop_batch_op *ops = (const void *)block;
	unsigned int max_nr = min(READ_ONCE(dmop_max_nr_bufs), 2U);
	size_t max_size = READ_ONCE(dmop_max_buf_size);
	size_t at = h->nr * sizeof(*ops);
	unsigned int i, n;

	for (i = 0; i < h->nr; i++) {
		if (ops[i].flags)
			return -EINVAL;
		calls[i].nr = ops[i].size[1] ? 2 : 1;
		if (calls[i].nr > max_nr)
			return -E2BIG;
		for (n = 0; n < calls[i].nr; n++) {
			size_t size = ops[i].size[n];

			if (size > max_size)
				return -E2BIG;
			if (size > h->bytes - at)
				return -EINVAL;
			set_xen_guest_handle(calls[i].bufs[n].h, block + at);
			calls[i].bufs[n].size = size;
			at += ALIGN(size, 8);
			if (at > h->bytes)
				return -EINVAL;
		}
	}
	return at == h->bytes ? 0 : -EINVAL;
}

/* The first @nr operations were made. */
static void batch_results(const struct dmop_batch *h, u8 *block,
			  const struct dmop_op *calls, unsigned int nr)
{
	struct dmop_batch_op *ops = (void *)block;
	size_t at = h->nr * sizeof(*ops);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		ops[i].result = calls[i].ret;
		if (trace_dmop_op_enabled()) {
			u32 op = U32_MAX;

			/* Xen leaves this part of the buffer as it is. */
			if (ops[i].size[0] >= sizeof(op))
				memcpy(&op, block + at, sizeof(op));
			trace_dmop_op(h->domid, op, calls[i].nr, ops[i].size[0],
				 ops[i].size[1], calls[i].ret);
		}
		at += ALIGN((size_t)ops[i].size[0], 8) +
		      ALIGN((size_t)ops[i].size[1], 8);
	}
}

static long batch(struct dmop_file *f, struct dmop_record *record,
		  const struct dmop_batch *h, void __user *uarg)
{
	struct dmop_op *calls;
	size_t bytes;
	u8 *block;
	long ret;

	ret = batch_check(h, uarg);
	if (ret)
		return ret;

	/* One allocation for both. */
	bytes = h->nr * sizeof(*calls);
	calls = kvmalloc(bytes + h->bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!calls)
		return -ENOMEM;
	block = (u8 *)calls + bytes;

	uarg += h->size;
	ret = -EFAULT;
	if (copy_from_user(block, uarg, h->bytes))
		goto out;
	ret = batch_lay_out(h, block, calls);
	if (ret)
		goto out;

	ret = dmop_file_dm_ops(f, record, h->domid, h->nr, calls);
	if (ret > 0) {
		batch_results(h, block, calls, ret);
		if (copy_to_user(uarg, block, h->bytes))
			ret = -EFAULT;
	}
out:
	kvfree(calls);
	return ret;
}

static long ioctl_batch(struct file *filp, void __user *uarg)
{
	struct dmop_file *f = filp->private_data;
	struct dmop_request r = { .act = DMOP_ACT_CALL, .op = DMOP_HYPERCALL_NR };
	struct dmop_record *record;
	struct dmop_batch h;
	long ret;

	if (copy_from_user(&h, uarg, sizeof(h)))
		return -EFAULT;
	r.domid = h.domid;
	ret = enter(f, &r, &record);
	if (ret != DMOP_ALLOW)
		return ret;

	ret = batch(f, record, &h, uarg);
	dmop_file_leave(f, record);
	return ret;
}

static long ioctl_restrict(struct file *filp, void __user *uarg)
{
	struct dmop_file *f = filp->private_data;
	struct dmop_request r = { .act = DMOP_ACT_RESTRICT };
	long ret;
	u16 domid;

	if (copy_from_user(&domid, uarg, sizeof(domid)))
		return -EFAULT;
	r.domid = domid;

	/* Twice at most: a file gets bound once. */
	do {
		ret = decide(f, dmop_file_record(f), &r);
		if (ret == DMOP_ALLOW) {
			ret = dmop_file_restrict(f, domid);
			trace_dmop_restrict(domid, ret);
		}
	} while (ret == -EAGAIN);

	return ret;
}

static long map_batch(struct file *filp, const struct dmop_mmapbatch_v2 *m)
{
	struct dmop_file *f = filp->private_data;
	struct dmop_range range = { .addr = m->addr, .nr = m->num, .domid = m->dom };
	xen_pfn_t *gfns;
	int *errs;
	long ret;

	if (!m->num)
		return -EINVAL;
	if (m->num > DMOP_CALL_FRAMES_LIMIT)
		return -E2BIG;

	/* One allocation for both. */
	gfns = kvmalloc_array(m->num, sizeof(*gfns) + sizeof(*errs),
			      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!gfns)
		return -ENOMEM;
	errs = (int *)(gfns + m->num);

	if (copy_from_user(gfns, m->arr, m->num * sizeof(*gfns))) {
		ret = -EFAULT;
		goto out;
	}
	ret = dmop_map_foreign(&f->maps, filp, &range, gfns, errs);
	if ((!ret || ret == -ENOENT) &&
	    copy_to_user(m->err, errs, m->num * sizeof(*errs)))
		ret = -EFAULT;
out:
	kvfree(gfns);
	return ret;
}

static long ioctl_mmapbatch_v2(struct file *filp, void __user *uarg)
{
	struct dmop_file *f = filp->private_data;
	struct dmop_mmapbatch_v2 m;
	struct dmop_request r = { .act = DMOP_ACT_MAP };
	struct dmop_record *record;
	long ret;

	if (copy_from_user(&m, uarg, sizeof(m)))
		return -EFAULT;
	r.domid = m.dom;
	ret = enter(f, &r, &record);
	if (ret != DMOP_ALLOW)
		return ret;
	ret = map_batch(filp, &m);
	trace_dmop_map(m.dom, false, m.addr, m.num, ret);
	dmop_file_leave(f, record);
	return ret;
}

static long map_resource(struct file *filp, const struct dmop_mmap_resource *m,
			 struct dmop_mmap_resource __user *uarg)
{
	struct dmop_file *f = filp->private_data;
	struct dmop_range range = { .addr = m->addr, .nr = m->num, .domid = m->dom };
	u32 nr;
	int ret;

	if (!m->addr != !m->num || m->type > U16_MAX)
		return -EINVAL;
	if (m->num > DMOP_CALL_FRAMES_LIMIT)
		return -E2BIG;
	if (m->num)
		return dmop_map_resource(&f->maps, filp, &range, m->type,
					 m->id, m->idx);

	ret = dmop_map_resource_size(&f->maps, m->dom, m->type, m->id, &nr);
	if (!ret && put_user(nr, &uarg->num))
		ret = -EFAULT;
	return ret;
}

static long ioctl_mmap_resource(struct file *filp, void __user *uarg)
{
	struct dmop_mmap_resource __user *u = uarg;
	struct dmop_file *f = filp->private_data;
	/* Each member is set, and none is copied back but by itself. */
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
	ret = enter(f, &r, &record);
	if (ret != DMOP_ALLOW)
		return ret;
	ret = map_resource(filp, &m, u);
	trace_dmop_map(m.dom, true, m.addr, m.num, ret);
	dmop_file_leave(f, record);
	return ret;
fault:
	user_access_end();
	return -EFAULT;
}

/*
 * Only a glance at the state: mmap_lock is held, and the file's own lock comes
 * before it. An area is of no domain until something is mapped in it.
 */
int dmop_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct dmop_file *f = filp->private_data;
	struct dmop_request r = { .act = DMOP_ACT_AREA };
	int ret = decide(f, dmop_file_record(f), &r);

	if (ret != DMOP_ALLOW)
		return ret;
	return dmop_maps_mmap(&f->maps, vma);
}

static void info_fill(struct dmop_file *f, const struct dmop_record *record,
		      struct dmop_info *info)
{
	*info = (struct dmop_info) {
		.abi_version = DMOP_ABI_VERSION,
		.state = dmop_file_state(record),
		.domid = record ? record->domid : DMOP_DOMID_NONE,
		.own_domid = dmop_own_domid(),
		.max_nr_bufs = READ_ONCE(dmop_max_nr_bufs),
		.max_buf_size = READ_ONCE(dmop_max_buf_size),
		.max_map_frames = READ_ONCE(dmop_max_map_frames),
		.max_call_frames = DMOP_CALL_FRAMES_LIMIT,
		.features = DMOP_FEATURE_DM_OP | DMOP_FEATURE_MAP |
			    DMOP_FEATURE_REVOKE | DMOP_FEATURE_BATCH,
		.calls = atomic64_read(&f->calls),
		.refused_policy = atomic64_read(&f->refused_policy),
		.refused_dead = atomic64_read(&f->refused_dead),
		.mapped_frames = dmop_maps_frames(&f->maps),
	};
}

/*
 * The head is read by itself and the rest behind it, so that no byte is read
 * twice.
 */
static long ioctl_info(struct file *filp, void __user *uarg)
{
	struct dmop_file *f = filp->private_data;
	struct { u32 size; u32 flags; } head;
	struct dmop_request r = { .act = DMOP_ACT_INFO };
	const struct dmop_record *record;
	struct dmop_info info;
	size_t usize;
	int ret;

	if (copy_from_user(&head, uarg, sizeof(head)))
		return -EFAULT;

	record = dmop_file_record(f);
	ret = decide(f, record, &r);
	if (ret != DMOP_ALLOW)
		return ret;

	usize = head.size;
	if (usize < DMOP_INFO_SIZE_V1)
		return -EINVAL;
	if (usize > DMOP_INFO_SIZE_MAX)
		return -E2BIG;
	if (head.flags)
		return -EINVAL;

	ret = copy_struct_from_user((u8 *)&info + sizeof(head),
				    sizeof(info) - sizeof(head),
				    uarg + sizeof(head), usize - sizeof(head));
	if (ret)
		return ret;

	info_fill(f, record, &info);
	info.size = min(usize, sizeof(info));
	return copy_to_user(uarg, &info, info.size) ? -EFAULT : 0;
}

struct ioctl_entry {
	unsigned int cmd;
	bool compat;
	long (*handler)(struct file *filp, void __user *uarg);
};

#define ENTRY(_cmd, _compat, _handler) \
	[_IOC_NR(_cmd)] = { .cmd = (_cmd), .compat = (_compat), .handler = (_handler) }

/* The ABI, by number. Inherited ones have 64-bit layouts only. */
static const struct ioctl_entry ioctls[] = {
	ENTRY(DMOP_IOCTL_HYPERCALL, false, ioctl_hypercall),
	ENTRY(DMOP_IOCTL_MMAPBATCH_V2, false, ioctl_mmapbatch_v2),
	ENTRY(DMOP_IOCTL_DM_OP, false, ioctl_dm_op),
	ENTRY(DMOP_IOCTL_RESTRICT, false, ioctl_restrict),
	ENTRY(DMOP_IOCTL_MMAP_RESOURCE, false, ioctl_mmap_resource),
	ENTRY(DMOP_IOCTL_INFO, true, ioctl_info),
	ENTRY(DMOP_IOCTL_BATCH, true, ioctl_batch),
};

static const struct ioctl_entry *find_entry(unsigned int cmd)
{
	const struct ioctl_entry *e;

	if (_IOC_NR(cmd) >= ARRAY_SIZE(ioctls))
		return NULL;
	e = &ioctls[array_index_nospec(_IOC_NR(cmd), ARRAY_SIZE(ioctls))];
	return e->handler && e->cmd == cmd ? e : NULL;
}

long dmop_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	const struct ioctl_entry *e;

	/* What is called all the time takes no indirect call, nor what guards it. */
	if (cmd == DMOP_IOCTL_DM_OP)
		return ioctl_dm_op(filp, (void __user *)arg);
	if (cmd == DMOP_IOCTL_HYPERCALL)
		return ioctl_hypercall(filp, (void __user *)arg);

	e = find_entry(cmd);
	if (!e)
		return -ENOTTY;
	return e->handler(filp, (void __user *)arg);
}

#ifdef CONFIG_COMPAT
long dmop_compat_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	const struct ioctl_entry *e = find_entry(cmd);

	if (!e || !e->compat)
		return -ENOTTY;
	return e->handler(filp, compat_ptr(arg));
}
#endif

static_assert(sizeof(struct dmop_hypercall) == 6 * sizeof(u64));
static_assert(sizeof(struct dmop_buf) == 16);
static_assert(sizeof(struct dmop_dm_op) == 16);
static_assert(sizeof(struct dmop_mmapbatch_v2) == 32);
static_assert(sizeof(struct dmop_mmap_resource) == 32);
static_assert(sizeof(struct dmop_info) == DMOP_INFO_SIZE_V1);
static_assert(offsetof(struct dmop_info, features) == 10 * sizeof(u32));
static_assert(sizeof(struct dmop_batch) == DMOP_BATCH_SIZE_V1);
static_assert(sizeof(struct dmop_batch_op) == 16);
static_assert(__HYPERVISOR_dm_op == DMOP_HYPERCALL_NR);
static_assert(DOMID_FIRST_RESERVED - 1 == DMOP_DOMID_MAX);
