// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_fuzz.c - the decoder and the decision with any file, any privilege, any
 * ioctl, any user memory and any answer of Xen's
 *
 * An input is a struct scene and then what stands in user memory. Whatever it
 * is, what must never be is told by an abort: see must(). Built with libFuzzer
 * it looks for inputs; without (REPLAY) it goes through those that are kept.
 */
#include <stdarg.h>
#include <stdio.h>

#include "fake.h"
#include "file.h"
#include "ioctl.h"
#include "kicks.h"
#include "limits.h"
#include "map.h"
#include "node.h"
#include "observe.h"
#include "policy.h"
#include "watch.h"

/*
 * User memory is the same every 64 KiB, so that most numbers are good addresses:
 * neither is one below 0x1000 nor with the highest bit. The last page can be read only.
 */
#define USER_SIZE	0x10000
#define READ_ONLY	0xf000

#define LEAVES_ALL	7

struct scene {
	u8 state;		/* unbound, bound, dead, or bound meanwhile */
	u8 admin;		/* bit 0; above: the rights to be kept */
	u8 alloc;		/* the allocation that fails; 0: none */
	u8 compat;		/* bit 0; above: the members to be narrowed */
	u16 bound;
	u16 own;
	u16 nr_bufs;		/* the parameters */
	u16 buf_size;
	u32 cmd;
	int answer;		/* of Xen, or of what maps */
	u64 arg;
};

unsigned int dmop_max_nr_bufs, dmop_max_buf_size, dmop_max_map_frames = 4000;
bool fake_admin;
const struct file_operations *fake_fops;

static struct scene scene;
static u8 memory[USER_SIZE], before[USER_SIZE];
static struct dmop_record record;
static struct dmop_file file;
static unsigned int allocs, live, held, entered, refusals, narrowed;
static unsigned int mapped, last_piece;
static unsigned long written, changed;
static bool accessing, found_bound;
static long result;

#define must(what) do {								\
	if (!(what)) {								\
		fprintf(stderr, "%s:%d: must: %s\n", __FILE__, __LINE__, #what);	\
		abort();							\
	}									\
} while (0)

/* What a caller can have: 12 bytes for 512 frames, 4 for 128 ports, or 2 x 64 x 64 KiB. */
static size_t most_bytes(void)
{
	switch (scene.cmd) {
	case DMOP_IOCTL_MMAPBATCH_V2:
		return 12 << 9;
	case DMOP_IOCTL_IOEVENTFD:
		return 4 << 7;
	default:
		return 8 << 20;
	}
}

void *fake_alloc(size_t n, size_t size)
{
	size_t bytes;

	must(!__builtin_mul_overflow(n, size, &bytes));
	must(bytes && bytes <= most_bytes());
	if (++allocs == scene.alloc)
		return NULL;
	live++;
	return malloc(bytes);
}

void fake_free(const void *p)
{
	live -= !!p;
	free((void *)p);
}

static u8 *at(const void *p, unsigned long n)
{
	uintptr_t a = (uintptr_t)p;

	if (a < 0x1000 || a >> 63 || n > USER_SIZE - a % USER_SIZE)
		return NULL;
	return memory + a % USER_SIZE;
}

/* The next one to look will find something else. */
unsigned long fake_read(void *to, const void *from, unsigned long n)
{
	u8 *p = at(from, n);
	unsigned long i;

	if (!n)
		return 0;
	if (!p) {
		memset(to, 0, n);
		return n;
	}
	memcpy(to, p, n);
	for (i = 0; i < n; i++)
		p[i] ^= 0x55;
	return 0;
}

unsigned long fake_write(void *to, const void *from, unsigned long n)
{
	u8 *p = at(to, n);
	volatile u8 sink = 0;
	unsigned long i;

	/* ASan sees whether all of it is there to be given away. */
	for (i = 0; i < n; i++)
		sink ^= ((const u8 *)from)[i];
	(void)sink;
	if (!n)
		return 0;
	if (!p || p + n > memory + READ_ONLY)
		return n;
	memcpy(p, from, n);
	written += n;
	return 0;
}

bool fake_access_begin(const void *p, size_t n)
{
	must(!accessing);
	accessing = n <= INT64_MAX && (uintptr_t)p <= INT64_MAX - n;
	return accessing;
}

void fake_access_end(void)
{
	must(accessing);
	accessing = false;
}

/* Like the kernel's: 1 if all are zero */
int check_zeroed_user(const void *from, size_t n)
{
	int zero = 1;
	size_t i;
	u8 byte;

	for (i = 0; i < n; i++) {
		if (fake_read(&byte, (const u8 *)from + i, 1))
			return -EFAULT;
		zero &= !byte;
	}
	return zero;
}

int copy_struct_from_user(void *to, size_t ksize, const void *from, size_t usize)
{
	size_t n = min(ksize, usize), i;
	u8 rest;

	for (i = ksize; i < usize; i++) {
		if (fake_read(&rest, (const u8 *)from + i, 1))
			return -EFAULT;
		if (rest)
			return -E2BIG;
	}
	memset(to, 0, ksize);
	return fake_read(to, from, n) ? -EFAULT : 0;
}

/* module/file.c and watch.c, as far as the decoder can see */

domid_t dmop_own_domid(void)
{
	return scene.own;
}

/* Another thread was faster with its RESTRICT, once. */
int fake_down_read(void)
{
	if (scene.state == 3 && !found_bound) {
		found_bound = true;
		file.record = &record;
	}
	held++;
	return 0;
}

void fake_up_read(void)
{
	must(held == 1);
	held--;
}

int dmop_file_enter_unbound(struct dmop_file *f)
{
	must(f == &file);
	fake_down_read();
	if (!f->record)
		return 0;
	fake_up_read();
	return -EAGAIN;
}

/* What the rules say, and not what policy.c does. */
static void must_be_allowed(u64 domid)
{
	must(held == (file.record ? 0 : 1));
	if (file.record) {
		must(domid == scene.bound);
	} else {
		must(scene.admin & 1);
		must(domid >= 1 && domid <= 0x7fef && domid != scene.own);
	}
}

int dmop_file_restrict(struct dmop_file *f, domid_t domid)
{
	must(f == &file && !held);
	must(!f->record && (scene.admin & 1));
	must(domid >= 1 && domid <= 0x7fef && domid != scene.own);
	if (scene.state == 3 && !found_bound) {
		found_bound = true;
		f->record = &record;
		return -EAGAIN;
	}
	if (scene.answer < 0)
		return -ESRCH;
	record.domid = domid;
	f->record = &record;
	return 0;
}

/* What stood in user memory before anything was read. */
static bool stood(void *to, u64 addr, size_t n)
{
	u8 *p = at((void *)addr, n);

	if (p)
		memcpy(to, before + (p - memory), n);
	return p;
}

static bool overlap(u64 a, size_t n, u64 b, size_t m)
{
	a %= USER_SIZE;
	b %= USER_SIZE;
	return a < b + m && b < a + n;
}

/* What Xen gets is what the caller gave: each bit of it, as it was read first. */
static void must_be_given(u64 domid, unsigned int nr, const struct xen_dm_op_buf *bufs)
{
	size_t head = sizeof(struct dmop_dm_op);
	struct dmop_dm_op d;
	struct dmop_hypercall h;
	struct dmop_buf u;
	u64 array;
	unsigned int i;

	if (scene.cmd == DMOP_IOCTL_HYPERCALL) {
		head = sizeof(h);
		must(stood(&h, scene.arg, head));
		must(h.op == 41 && h.arg[0] == domid && h.arg[1] == nr);
		array = h.arg[2];
	} else {
		must(stood(&d, scene.arg, head));
		must(d.dom == domid && d.num == nr);
		array = (uintptr_t)d.ubufs;
	}
	if (overlap(scene.arg, head, array, nr * sizeof(u)))
		return;
	for (i = 0; i < nr; i++) {
		const u8 *p;

		must(stood(&u, array + i * sizeof(u), sizeof(u)));
		must(u.size == bufs[i].size);
		p = at(u.uptr, u.size);
		if (!p)		/* none, or over the end, word by word */
			continue;
		/* One buffer, and not over what was read before it */
		if (nr == 1 && u.size && !overlap(scene.arg, head, (uintptr_t)u.uptr, u.size) &&
		    !overlap(array, sizeof(u), (uintptr_t)u.uptr, u.size))
			must(!memcmp(bufs[i].h.p, before + (p - memory), u.size));
	}
}

/* As module/file.c. */
static bool may_issue(const struct xen_dm_op_buf *buf)
{
	return dmop_rights_any_op(&file.rights) || dmop_rights_op(&file.rights, buf->h.p, buf->size);
}

/* What the other rooms do with a valid argument; here, what the argument has to be. */
int dmop_file_narrow(struct dmop_file *f, struct dmop_record *r, const struct dmop_narrow *n)
{
	struct dmop_rights was = f->rights;

	must(f == &file && r == &record && f->record == r && !held && !accessing);
	must(n->size >= 64 && n->size <= 4096 && !(n->flags & ~31U));
	must(!(n->flags & 16) || n->gfn_first <= n->gfn_last);
	dmop_rights_narrow(&f->rights, n);
	must(!(f->rights.acts & ~was.acts) && f->rights.max_frames <= was.max_frames);
	narrowed++;
	return scene.answer < 0 ? -EINTR : 0;
}

int dmop_observe_narrowed(struct dmop_file *f, enum dmop_act act, u64 number, u64 domid)
{
	(void)number;
	(void)domid;
	must(f == &file && file.record && file.rights.untouched != 31);
	must(act != DMOP_ACT_INFO && act != DMOP_ACT_PROBE && act != DMOP_ACT_RESTRICT);
	refusals++;
	return -EPERM;
}

/* Xen reads and writes all that it was given; asked to, it changes nothing. */
int dmop_file_dm_op(struct dmop_file *f, struct dmop_record *r, domid_t domid,
		    unsigned int nr, struct xen_dm_op_buf *bufs)
{
	unsigned int i;
	u64 j;

	must(f == &file && r == f->record && !accessing);
	must_be_allowed(domid);
	must(nr >= 1 && nr <= dmop_max_nr_bufs);
	must(file.rights.acts & DMOP_RIGHT_CALL);
	must_be_given(domid, nr, bufs);
	if (!may_issue(bufs))
		return -EPERM;
	entered++;
	for (i = 0; i < nr; i++) {
		u8 *p = bufs[i].h.p;
		u8 add = scene.answer == LEAVES_ALL ? 0 : 1;

		must(bufs[i].size <= dmop_max_buf_size);
		for (j = 0; j < bufs[i].size; j++)
			p[j] += add;
		changed += add * bufs[i].size;
	}
	return scene.answer;
}

/* Each answers as the first does, and the last half of them is not made. */
int dmop_file_dm_ops(struct dmop_file *f, struct dmop_record *r, domid_t domid,
		     unsigned int nr, struct dmop_op *ops)
{
	unsigned int i, n;
	u64 j;

	must(f == &file && r == f->record && !accessing);
	must_be_allowed(domid);
	must(nr >= 1 && nr <= DMOP_BATCH_NR_MAX);
	must(file.rights.acts & DMOP_RIGHT_CALL);
	for (i = 0; i < nr; i++)
		if (!may_issue(ops[i].bufs))
			return -EPERM;
	entered++;
	if (scene.answer < 0)
		return -ESRCH;
	for (i = 0; i < (nr + 1) / 2; i++) {
		must(ops[i].nr >= 1 && ops[i].nr <= 2 && ops[i].nr <= dmop_max_nr_bufs);
		for (n = 0; n < ops[i].nr; n++) {
			must(ops[i].bufs[n].size <= dmop_max_buf_size);
			for (j = 0; j < ops[i].bufs[n].size; j++)
				((u8 *)ops[i].bufs[n].h.p)[j]++;
		}
		ops[i].ret = scene.answer;
	}
	return i;
}

/* module/area.c, map.c and observe.c, likewise */

static int maps_answer(void)
{
	return min(scene.answer % 200, 0);
}

/* Called for one piece after the other. Of the answers only ENOENT is for each, any other for the last. */
int dmop_map_foreign(struct dmop_maps *maps, struct dmop_record *of, struct file *filp,
		     const struct dmop_range *range, xen_pfn_t *gfns, int *errs)
{
	unsigned int i;
	int ret;

	must(maps == &file.maps && of == file.record && filp && !accessing);
	must_be_allowed(range->domid);
	must(range->nr >= 1 && range->nr <= dmop_max_map_frames);
	must(range->done == mapped && range->piece == min(range->nr - mapped, 512u));
	must(file.rights.acts & DMOP_RIGHT_MAP_FOREIGN);
	if (!dmop_rights_gfns(&file.rights, gfns, range->piece))
		return DMOP_NARROWED;
	entered = 1;
	for (i = 0; i < range->piece; i++)
		errs[i] = (int)gfns[i];
	ret = maps_answer();
	if (ret != -ENOENT && range->done + range->piece < range->nr)
		ret = 0;
	if (!ret || ret == -ENOENT) {
		mapped += range->piece;
		last_piece = range->piece;
	}
	return ret;
}

void dmop_record_probe(struct dmop_record *of)
{
	must(of == file.record && of == &record);
}

int dmop_map_resource(struct dmop_maps *maps, struct dmop_record *of, struct file *filp,
		      unsigned long addr, struct xen_mem_acquire_resource *xar)
{
	must(maps == &file.maps && of == file.record && filp && addr && !accessing);
	must_be_allowed(xar->domid);
	must(xar->nr_frames >= 1 && xar->nr_frames <= DMOP_RESOURCE_NUM_MAX);
	must(!xar->flags && !xar->frame_list);
	must(file.rights.acts & DMOP_RIGHT_MAP_RESOURCE);
	must(dmop_rights_resource(&file.rights, xar->type));
	entered++;
	return scene.answer < 0 ? -ENOENT : 0;
}

int dmop_map_resource_size(struct dmop_maps *maps, struct dmop_record *of,
			   struct xen_mem_acquire_resource *xar)
{
	must(maps == &file.maps && file.rights.acts & DMOP_RIGHT_MAP_RESOURCE);
	must(dmop_rights_resource(&file.rights, xar->type));
	must(of == file.record && !xar->nr_frames && !xar->frame && !xar->flags);
	must_be_allowed(xar->domid);
	entered++;
	if (scene.answer < 0)
		return -ENOENT;
	xar->nr_frames = scene.answer;
	return 0;
}

int dmop_maps_mmap(struct dmop_maps *maps, struct vm_area_struct *vma)
{
	must(maps == &file.maps);
	must(file.record ? !record.dead : scene.admin & 1);
	must(file.rights.acts & 6 && (!(vma->vm_flags & VM_WRITE) || file.rights.acts & 8));
	return 0;
}

unsigned long dmop_maps_frames(struct dmop_maps *maps)
{
	return maps->frames;
}

/* The kernel's eventfds: even numbers below 64 are open, and those of 4 eventfds. */

static struct file other_file;
static struct eventfd_ctx { int refs; } eventfd;
static unsigned int open_files;

struct file *fake_fget(unsigned int fd)
{
	if (fd >= 64 || fd % 2)
		return NULL;
	open_files++;
	other_file.private_data = fd % 4 ? NULL : &eventfd;
	return &other_file;
}

void fake_fput(struct file *filp)
{
	must(filp == &other_file && open_files == 1);
	open_files--;
}

struct eventfd_ctx *eventfd_ctx_fileget(struct file *filp)
{
	must(filp == &other_file && open_files == 1);
	if (!filp->private_data)
		return ERR_PTR(-EINVAL);
	eventfd.refs++;
	return &eventfd;
}

static int error_of_fd(unsigned int fd)
{
	if (fd >= 64 || fd % 2)
		return -EBADF;
	return fd % 4 ? -EINVAL : 0;
}

struct eventfd_ctx *eventfd_ctx_fdget(int fd)
{
	int err = error_of_fd(fd);

	must(!open_files && !eventfd.refs);
	if (err)
		return ERR_PTR(err);
	eventfd.refs++;
	return &eventfd;
}

void eventfd_ctx_put(struct eventfd_ctx *ctx)
{
	must(ctx == &eventfd && eventfd.refs == 1);
	eventfd.refs--;
}

/* module/irqfd.c */

static void must_be_an_event(void)
{
	struct dmop_irqfd a;

	must(stood(&a, scene.arg, sizeof(a)));
	must(file.record && !accessing && open_files == 1 && eventfd.refs == 1);
	must_be_allowed(a.dom);
	must(file.rights.acts & DMOP_RIGHT_EVENT && !(a.fd % 4));
	entered++;
}

int dmop_irqfd_assign(struct dmop_file *f, struct file *filp, struct dmop_irq *irq)
{
	u32 op;

	must(f == &file && filp == &other_file && irq->eventfd == &eventfd);
	must_be_an_event();
	must(irq->size >= 8 && irq->size <= 256);
	memcpy(&op, irq->op, sizeof(op));
	must(op == 8 || op == 9 || op == 14 || op == 19);
	must(dmop_rights_any_op(&f->rights) || dmop_rights_op(&f->rights, irq->op, irq->size));
	if (scene.answer < 0)
		return -EBUSY;
	/* It is the file's from now on. */
	eventfd_ctx_put(irq->eventfd);
	kfree(irq);
	return 0;
}

int dmop_irqfd_deassign(struct dmop_file *f, struct eventfd_ctx *ctx)
{
	must(f == &file && ctx == &eventfd);
	must_be_an_event();
	return 0;
}

/*
 * module/serve.c and kick.c. The argument is the one that stood there, each bit of it: a second
 * read would have found another one.
 */

static int told;

/* What such a function answers, which the caller has to be told. */
static int tell(int err)
{
	return told = scene.answer < 0 ? err : 0;
}

/* NARROW has removed the right meanwhile. */
static int tell_narrowed(void)
{
	static const struct dmop_narrow n = { .flags = 1, .acts = ~(u64)DMOP_RIGHT_EVENT };

	dmop_rights_narrow(&file.rights, &n);
	return DMOP_NARROWED;
}

static u64 user_arg(void)
{
	return scene.compat & 1 ? (u32)scene.arg : scene.arg;
}

static void must_be_bound(u64 domid, unsigned int refs)
{
	must(file.record && !record.dead && !held && !accessing && !open_files);
	must(domid == scene.bound && file.rights.acts & DMOP_RIGHT_EVENT && eventfd.refs == refs);
	entered++;
}

int dmop_serve_begin(struct dmop_file *f, u32 id, unsigned int vcpus, struct eventfd_ctx *rest)
{
	struct dmop_serve a;

	must(f == &file && rest == &eventfd && scene.cmd == DMOP_IOCTL_SERVE);
	must(stood(&a, user_arg(), sizeof(a)));
	must_be_bound(a.domid, 1);
	must(!a.flags && a.server == id && a.vcpus == vcpus && !error_of_fd(a.rest_fd));
	must(id <= 65535 && vcpus >= 1 && vcpus <= 128);
	/* On success it is the file's from now on. */
	if (!tell(scene.answer % 2 ? -EBUSY : -EPERM))
		eventfd_ctx_put(rest);
	return told == -EPERM ? tell_narrowed() : told;
}

int dmop_serve_end(struct dmop_file *f, u32 id)
{
	struct dmop_serve a;

	must(f == &file && scene.cmd == DMOP_IOCTL_SERVE);
	must(stood(&a, user_arg(), sizeof(a)));
	must_be_bound(a.domid, 0);
	must(a.flags == 1 && a.server == id && id <= 65535);
	return tell(-EINTR);
}

int dmop_serve_answer(struct dmop_file *f, struct dmop_record *of, const u64 vcpus[2])
{
	struct dmop_answer a;

	must(f == &file && of == &record && scene.cmd == DMOP_IOCTL_ANSWER);
	must(stood(&a, user_arg(), sizeof(a)));
	must_be_bound(scene.bound, 0);
	must(!a.flags && a.vcpus[0] == vcpus[0] && a.vcpus[1] == vcpus[1]);
	tell(scene.answer % 2 ? -EINVAL : -EPERM);
	return told == -EPERM ? tell_narrowed() : told;
}

static void must_be_a_kick(struct dmop_events *events, const struct dmop_kick_entry *e, bool remove)
{
	struct dmop_kick a;

	must(events == &file.events && scene.cmd == DMOP_IOCTL_KICK);
	must(stood(&a, user_arg(), sizeof(a)));
	must_be_bound(a.domid, 1);
	must(!(a.flags & ~7U) && !(a.flags & 1) == !remove && !error_of_fd(a.fd));
	must(a.server <= 65535 && (!a.len || a.len == 1 || a.len == 2 || a.len == 4 || a.len == 8));
	must(e->addr == a.addr && e->len == a.len && e->eventfd == &eventfd);
	must(e->space == a.server * 2 + !!(a.flags & 2));
	must(e->match == a.datamatch && e->mask == a.mask && !(e->match & ~e->mask));
	must(!(a.flags & 4) == !e->mask && (a.len || !e->mask));
	must(!(a.flags & 2) || (e->addr <= 0xffff && e->addr + e->len <= 0x10000));
}

int dmop_kick_assign(struct dmop_events *events, const struct dmop_kick_entry *e)
{
	must_be_a_kick(events, e, false);
	/* On success it is the kick's from now on. */
	if (!tell(-EEXIST))
		eventfd_ctx_put(e->eventfd);
	return told;
}

/* The reference of the kick itself is not counted here. */
int dmop_kick_deassign(struct dmop_events *events, const struct dmop_kick_entry *e)
{
	must_be_a_kick(events, e, true);
	return tell(-ENOENT);
}

unsigned int dmop_kick_number(struct dmop_events *events)
{
	must(events == &file.events);
	return scene.nr_bufs;
}

/* module/maps.c and ioeventfd.c */

/* Of three errors, one is that no page of requests is there. */
static int error_of_page(void)
{
	return scene.answer < 0 && scene.answer % 3 == 0 ? -EINVAL : 0;
}

int dmop_maps_server(struct file *filp, unsigned long addr, u32 *id)
{
	struct dmop_ioeventfd a;

	must(filp->private_data == &file && scene.cmd == DMOP_IOCTL_IOEVENTFD && !entered);
	must(file.record && !record.dead && !held && !accessing && !open_files);
	must(file.rights.acts & DMOP_RIGHT_EVENT && eventfd.refs == 1);
	must(stood(&a, scene.arg, sizeof(a)) && (u64)a.ioreq == addr);
	*id = scene.nr_bufs;
	return error_of_page();
}

static void must_be_an_ioeventfd(struct dmop_ioeventfd *a, u32 id, bool remove)
{
	must(scene.cmd == DMOP_IOCTL_IOEVENTFD && stood(a, scene.arg, sizeof(*a)));
	must_be_bound(a->dom, 1);
	must(a->flags == remove && !error_of_fd(a->event_fd));
	must(id == scene.nr_bufs && !error_of_page());
}

int dmop_ioeventfd_assign(struct dmop_file *f, u32 id, unsigned int vcpus, const u32 *ports,
			  const struct dmop_kick_entry *e)
{
	struct dmop_ioeventfd a;
	unsigned int i;
	u32 port;

	must(f == &file);
	must_be_an_ioeventfd(&a, id, false);
	must(vcpus == a.vcpus && vcpus >= 1 && vcpus <= 128);
	/* Of ports in the argument, each bit has been read before. */
	for (i = 0; i < vcpus && !overlap(scene.arg, sizeof(a), (u64)a.ports, 4 * vcpus); i++)
		must(stood(&port, (u64)(a.ports + i), 4) && ports[i] == port);
	must(e->addr == a.addr + 0x50 && e->addr > a.addr && e->space == id * 2);
	must(e->len == 1 || e->len == 2 || e->len == 4 || e->len == 8);
	must(e->len == a.addr_len && e->addr + e->len - 1 >= e->addr);
	must(e->mask == (e->len == 1 ? 0xff : 0xffff));
	must(e->match == a.vq && !(e->match & ~e->mask) && e->eventfd == &eventfd);
	/* On success it is the kick's from now on. */
	if (!tell(scene.answer % 3 == -1 ? -EBUSY : -EPERM))
		eventfd_ctx_put(e->eventfd);
	return told == -EPERM ? tell_narrowed() : told;
}

int dmop_ioeventfd_deassign(struct dmop_file *f, u32 id, const struct eventfd_ctx *ctx)
{
	struct dmop_ioeventfd a;

	must(f == &file && ctx == &eventfd);
	must_be_an_ioeventfd(&a, id, true);
	return tell(-ENODEV);
}

static bool is_a_queue(const struct dmop_ioeventfd *a)
{
	u32 len = a->addr_len;

	return a->vcpus >= 1 && a->vcpus <= 128 &&
	       (len == 1 || len == 2 || len == 4 || len == 8) &&
	       a->vq <= (len == 1 ? 255 : 65535) && a->addr <= ~0ULL - 0x50 - (len - 1);
}

/* The answer to IOEVENTFD, in the order of the ABI; 0: it is ioeventfd.c's. */
static long refusal_of_ioeventfd(unsigned int state, u64 acts)
{
	struct dmop_ioeventfd a;

	if (scene.compat & 1)
		return -ENOTTY;
	if (!stood(&a, scene.arg, sizeof(a)))
		return -EFAULT;
	if (state == 2)
		return -ESRCH;
	if (state != 1 || a.dom != scene.bound || !(acts & 16))
		return -EPERM;
	if (a.flags > 1 || (!a.flags && !is_a_queue(&a)))
		return -EINVAL;
	if (error_of_fd(a.event_fd))
		return error_of_fd(a.event_fd);
	if (!a.flags && scene.alloc == 1)
		return -ENOMEM;
	if (!a.flags && !at(a.ports, 4 * a.vcpus))
		return -EFAULT;
	return error_of_page();
}

/* Whatever the members are; the checks of a kick have a test of their own. */
static int error_of_members(u64 arg)
{
	struct dmop_serve s;
	struct dmop_answer a;
	struct dmop_kick k;

	switch (scene.cmd) {
	case DMOP_IOCTL_SERVE:
		must(stood(&s, arg, sizeof(s)));
		if (s.flags == 1)
			return s.server > 65535 ? -EINVAL : 0;
		return s.flags || s.server > 65535 || s.vcpus < 1 || s.vcpus > 128 ? -EINVAL : 0;
	case DMOP_IOCTL_ANSWER:
		must(stood(&a, arg, sizeof(a)));
		return a.flags ? -EINVAL : 0;
	default:
		must(stood(&k, arg, sizeof(k)));
		return dmop_kicks_check(&k) ? 0 : -EINVAL;
	}
}

static int error_of_eventfd(u64 arg)
{
	struct dmop_serve s;
	struct dmop_kick k;

	switch (scene.cmd) {
	case DMOP_IOCTL_SERVE:
		must(stood(&s, arg, sizeof(s)));
		return s.flags ? 0 : error_of_fd(s.rest_fd);
	case DMOP_IOCTL_KICK:
		must(stood(&k, arg, sizeof(k)));
		return error_of_fd(k.fd);
	default:
		return 0;
	}
}

/* Bytes that this module does not know. */
static int error_of_rest(u64 arg, size_t from, size_t size)
{
	bool zero = true;
	size_t i;
	u8 byte;

	if (size > 4096)
		return -E2BIG;
	for (i = from; i < size; i++) {
		if (!stood(&byte, arg + i, 1))
			return -EFAULT;
		zero &= !byte;
	}
	return zero ? 0 : -E2BIG;
}

/* The answer to SERVE, ANSWER and KICK, in the order of the ABI; 0: it is the other rooms'. */
static long refusal(unsigned int state, u64 acts)
{
	size_t known = scene.cmd == DMOP_IOCTL_KICK ? 48 : 24;
	u64 arg = user_arg();
	u32 head[6];		/* the size, and of two of them the domid */
	int err;

	if (!at((void *)arg, known))
		return -EFAULT;
	must(stood(head, arg, sizeof(head)));
	if (state == 2)
		return -ESRCH;
	if (state != 1 || (scene.cmd != DMOP_IOCTL_ANSWER && head[2] != scene.bound))
		return -EPERM;
	if (!(acts & 16))
		return -EPERM;
	err = head[0] < known ? -EINVAL : error_of_members(arg);
	if (!err)
		err = error_of_rest(arg, known, head[0]);
	return err ? err : error_of_eventfd(arg);
}

static bool is_serve(unsigned int cmd)
{
	return cmd == DMOP_IOCTL_SERVE || cmd == DMOP_IOCTL_ANSWER || cmd == DMOP_IOCTL_KICK;
}

/* The node's operations that this harness does not call */

struct dmop_file *dmop_file_create(struct file *filp)
{
	(void)filp;
	abort();
}

void dmop_file_close(struct dmop_file *f)
{
	(void)f;
	abort();
}

unsigned long dmop_maps_unmapped_area(struct file *filp, unsigned long addr, unsigned long len,
				      unsigned long pgoff, unsigned long flags)
{
	(void)filp;
	(void)addr;
	(void)len;
	(void)pgoff;
	(void)flags;
	abort();
}

void dmop_show_fdinfo(struct seq_file *m, struct file *filp)
{
	(void)m;
	(void)filp;
	abort();
}

void dmop_observe_refusal(struct dmop_file *f, const struct dmop_subject *s,
			  const struct dmop_request *r, int cause)
{
	must(f == &file && s && r && cause < 0);
	refusals++;
}

static const unsigned int cmds[] = {
	DMOP_IOCTL_HYPERCALL, DMOP_IOCTL_MMAPBATCH_V2, DMOP_IOCTL_DM_OP,
	DMOP_IOCTL_RESTRICT, DMOP_IOCTL_MMAP_RESOURCE, DMOP_IOCTL_INFO,
	DMOP_IOCTL_BATCH, DMOP_IOCTL_NARROW, DMOP_IOCTL_IRQFD,
	/* New ones come last: the corpus has numbers of this table. */
	DMOP_IOCTL_SERVE, DMOP_IOCTL_ANSWER, DMOP_IOCTL_KICK, DMOP_IOCTL_IOEVENTFD,
};

static unsigned int pick_cmd(u32 cmd)
{
	return cmd < ARRAY_SIZE(cmds) ? cmds[cmd] : cmd;
}

static bool is_known(unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++)
		if (cmds[i] == cmd)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct file filp = { .private_data = &file };
	struct vm_area_struct vma = { };
	struct dmop_narrow n = { .size = 64 };
	unsigned int cmd, refused;
	bool was_dead;
	u64 acts;
	long ret;

	result = 0;
	if (size < sizeof(scene))
		return 0;
	memcpy(&scene, data, sizeof(scene));
	data += sizeof(scene);
	size = min(size - sizeof(scene), (size_t)USER_SIZE);
	memset(memory, 0, sizeof(memory));
	if (size)
		memcpy(memory, data, size);
	memcpy(before, memory, sizeof(memory));

	scene.state %= 4;
	fake_admin = scene.admin & 1;
	dmop_max_nr_bufs = 1 + scene.nr_bufs % 64;
	dmop_max_buf_size = 1 + scene.buf_size;
	memset(&file, 0, sizeof(file));
	memset(&record, 0, sizeof(record));
	record.domid = scene.bound;
	record.dead = scene.state == 2;
	was_dead = record.dead;
	file.record = scene.state == 1 || scene.state == 2 ? &record : NULL;
	dmop_policy_rights(&file.rights);
	file.maps.rights = &file.rights;
	if (file.record) {
		n.flags = scene.compat >> 1 & 31;
		n.acts = scene.admin >> 1;
		n.ops[0] = 0x5555555555555555;
		n.resources = scene.own;
		n.max_frames = scene.nr_bufs;
		n.gfn_first = scene.buf_size;
		n.gfn_last = ~0ULL;
		dmop_policy_narrow(&file.rights, &n);
	}
	acts = file.rights.acts;
	vma.vm_flags = scene.alloc & VM_WRITE;
	allocs = live = held = entered = refusals = narrowed = 0;
	mapped = last_piece = 0;
	written = changed = 0;
	accessing = found_bound = false;

	cmd = scene.cmd = pick_cmd(scene.cmd);
	dmop_node_init();
	if (scene.compat & 1)
		ret = fake_fops->compat_ioctl(&filp, cmd, scene.arg);
	else
		ret = fake_fops->unlocked_ioctl(&filp, cmd, scene.arg);
	result = ret;
	refused = refusals;
	(void)fake_fops->poll(&filp, NULL);
	(void)fake_fops->mmap(&filp, &vma);

	/* Everything is given back. */
	must(!held && !live && !accessing && !open_files && !eventfd.refs);
	/* One call is one hypercall at most, and none for the dead. */
	must(entered <= 1 && !(was_dead && entered));
	/* Inherited ones, below 0x80, have 64-bit layouts only. */
	must(!(scene.compat & 1) || _IOC_NR(cmd) >= 0x80 || ret == -ENOTTY);
	must(!(cmd == DMOP_IOCTL_INFO && entered));
	must(!(cmd == DMOP_IOCTL_IRQFD && written));
	/* What was refused before anything was done has written nothing, ... */
	must(entered || cmd == DMOP_IOCTL_INFO || !written);
	must(!(cmd == DMOP_IOCTL_NARROW && (entered || written)));
	must(narrowed == (cmd == DMOP_IOCTL_NARROW && (!ret || ret == -EINTR)));
	if (narrowed) {
		u8 rest[4096];

		must(stood(&n, user_arg(), sizeof(n)));
		must(stood(rest, user_arg(), n.size));
		while (n.size > sizeof(n))
			must(!rest[--n.size]);
	}
	/* The first cause of a refusal is the answer, and what is not refused gets to the others. */
	if (is_serve(cmd)) {
		long want = refusal(scene.state, acts);

		must(!written && !allocs && entered == !want);
		must(ret == (want ? want : told));
		must(refused == (ret == -EPERM || ret == -ESRCH));
	}
	if (cmd == DMOP_IOCTL_IOEVENTFD) {
		long want = refusal_of_ioeventfd(scene.state, acts);

		must(!written && allocs <= 1 && entered == !want);
		must(ret == (want ? want : told));
		must(refused == (ret == -EPERM || ret == -ESRCH));
	}
	/* ... nor has a dm_op that Xen refused. */
	must(!(entered && scene.answer < 0 && written &&
	       (cmd == DMOP_IOCTL_DM_OP || cmd == DMOP_IOCTL_HYPERCALL)));
	if (cmd == DMOP_IOCTL_DM_OP || cmd == DMOP_IOCTL_HYPERCALL)
		must(!entered || ret == scene.answer || (scene.answer >= 0 && ret == -EFAULT));
	/* What Xen changed is written, all of it and nothing else. */
	must(!changed || ret < 0 || written == changed);
	must(changed || !entered || !written ||
	     (cmd != DMOP_IOCTL_DM_OP && cmd != DMOP_IOCTL_HYPERCALL));
	/* Results are written of each piece that was mapped, but perhaps not of the last one: EFAULT. */
	if (cmd == DMOP_IOCTL_MMAPBATCH_V2 && entered) {
		struct dmop_mmapbatch_v2 m;
		bool told = !ret || ret == -ENOENT;

		must(stood(&m, scene.arg, sizeof(m)));
		must(!told || (ret == maps_answer() && mapped == m.num));
		must(told || ret == maps_answer() || ret == -EFAULT || (ret == -EPERM && refusals));
		must(written == mapped * sizeof(*m.err) ||
		     (ret == -EFAULT && written == (mapped - last_piece) * sizeof(*m.err)));
	}
	/* A number that is not all of a known one is nothing. */
	must(is_known(cmd) || ret == -ENOTTY);
	if (cmd == DMOP_IOCTL_INFO) {
		u32 head[2];

		must(ret == 0 || !written);
		must(ret || stood(head, user_arg(), sizeof(head)));
		must(ret || (head[0] >= 80 && head[0] <= 4096 && !head[1]));
		must(ret || written == min(head[0], 200));
	}
	return 0;
}

#ifdef REPLAY
static u8 data[sizeof(struct scene) + USER_SIZE];

/* Where things stand in user memory; buffers in pages of their own. */
#define HEAD	0x2100
#define ARRAY	0x2200
#define BUF(i)	(0x3000 + (i) * 0x200)

static long one_call(struct scene s, u64 domid, u64 nr, u64 nr_there, size_t size, u64 last)
{
	u8 *user = data + sizeof(s);
	struct dmop_buf u;
	u64 i;

	s.arg = HEAD;
	s.nr_bufs = 3;		/* 4 of them */
	s.buf_size = 299;	/* 300 bytes */
	memset(user, 0, USER_SIZE);
	if (s.cmd == 0) {
		struct dmop_hypercall h = { .op = 41, .arg = { domid, nr, ARRAY } };

		memcpy(user + HEAD, &h, sizeof(h));
	} else {
		struct dmop_dm_op d = { .dom = domid, .num = nr, .ubufs = (void *)ARRAY };

		memcpy(user + HEAD, &d, sizeof(d));
	}
	for (i = 0; i < nr_there; i++) {
		u.uptr = (void *)(last && i == nr_there - 1 ? last : BUF(i));
		u.size = size;
		memcpy(user + ARRAY + i * sizeof(u), &u, sizeof(u));
	}
	for (i = 0; i < USER_SIZE - 0x3000; i++)
		user[0x3000 + i] = i * 7 + i / 256;
	memcpy(data, &s, sizeof(s));
	LLVMFuzzerTestOneInput(data, sizeof(data));
	return result;
}

/* Calls at each limit, just below and just above. */
static void limits(void)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 31, 64, 85, 86, 127, 128, 129, 255, 256, 257, 299, 300 };
	struct scene s = { .own = 0, .bound = 5 };
	unsigned int nr, i, cmd;

	for (cmd = 0; cmd <= 2; cmd += 2) {
		s.cmd = cmd;
		for (s.state = 0; s.state < 2; s.state++) {
			s.admin = !s.state;
			for (nr = 1; nr <= 4; nr++) {
				for (i = 0; i < ARRAY_SIZE(sizes); i++) {
					s.answer = 3;
					must(one_call(s, 5, nr, nr, sizes[i], 0) == 3 && entered == 1);
					s.answer = LEAVES_ALL;
					must(one_call(s, 5, nr, nr, sizes[i], 0) == LEAVES_ALL);
					s.answer = -22;
					must(one_call(s, 5, nr, nr, sizes[i], 0) == -22 && entered == 1);
					/* The last buffer cannot be written, or not be read. */
					s.answer = 3;
					must(one_call(s, 5, nr, nr, sizes[i], READ_ONLY) == (sizes[i] ? -EFAULT : 3));
					must(one_call(s, 5, nr, nr, sizes[i], 1ULL << 63) == (sizes[i] ? -EFAULT : 3));
					must(entered == (sizes[i] ? 0 : 1));
				}
				must(one_call(s, 5, nr, nr, 301, 0) == -E2BIG && !entered);
				must(one_call(s, 5, nr, nr, -1, 0) == -E2BIG && !entered);
			}
			must(one_call(s, 5, 5, 5, 8, 0) == -E2BIG && !entered);
			must(one_call(s, s.state ? 6 : 0x7ff0, 1, 1, 8, 0) == -EPERM && !entered);
			if (cmd)
				continue;
			must(one_call(s, 5, 0, 0, 0, 0) == -EINVAL && !entered);
			must(one_call(s, 5, 1ULL << 32, 1, 8, 0) == -E2BIG && !entered);
			must(one_call(s, 5, (1ULL << 32) + 1, 1, 8, 0) == -E2BIG && !entered);
			must(one_call(s, 5 + (1ULL << 16), 1, 1, 8, 0) == -EPERM && !entered);
			must(one_call(s, 5 + (1ULL << 63), 1, 1, 8, 0) == -EPERM && !entered);
		}
	}
}

/* INFO of each size there may be, and of some there may not */
static void sizes_of_info(void)
{
	struct scene s = { .cmd = DMOP_IOCTL_INFO, .arg = HEAD };
	u32 size;

	for (size = 0; size < 4200; size++) {
		memset(data, 0, sizeof(data));
		memcpy(data, &s, sizeof(s));
		memcpy(data + sizeof(s) + HEAD, &size, sizeof(size));
		LLVMFuzzerTestOneInput(data, sizeof(data));
		must(result == (size < 80 ? -EINVAL : size > 4096 ? -E2BIG : 0));
	}
}

/* Each number of an operation, assigned to an eventfd and to none */
static void operations_of_events(void)
{
	struct scene s = { .cmd = DMOP_IOCTL_IRQFD, .state = 1, .bound = 5, .arg = HEAD };
	struct dmop_irqfd a = { .dm_op = (void *)BUF(0), .size = 24, .dom = 5 };
	u32 op;

	for (op = 0; op < 200; op++) {
		bool may = op == 8 || op == 9 || op == 14 || op == 19;

		for (a.fd = 0; a.fd < 4; a.fd++) {
			memset(data, 0, sizeof(data));
			memcpy(data, &s, sizeof(s));
			memcpy(data + sizeof(s) + HEAD, &a, sizeof(a));
			memcpy(data + sizeof(s) + BUF(0), &op, sizeof(op));
			LLVMFuzzerTestOneInput(data, sizeof(data));
			must(result == (a.fd % 2 ? -EBADF : a.fd ? -EINVAL : may ? 0 : -EOPNOTSUPP));
			must(entered == (!a.fd && may));
		}
	}
}

/* --- SERVE, ANSWER, KICK: refusal() knows the answers, so it is enough to ask --- */

static void ask(const struct scene *s, const void *arg, size_t size)
{
	memset(data, 0, sizeof(data));
	memcpy(data, s, sizeof(*s));
	/* Not beyond the end of user memory, which comes again from its beginning. */
	memcpy(data + sizeof(*s) + s->arg % USER_SIZE, arg, min(size, USER_SIZE - s->arg % USER_SIZE));
	LLVMFuzzerTestOneInput(data, sizeof(data));
}

union serve_arg {
	u32 size;
	u32 words[12];
	struct dmop_serve serve;
	struct dmop_answer answer;
	struct dmop_kick kick;
	struct dmop_ioeventfd ioeventfd;
	u8 rest[4200];
};

/* Behind the argument of IOEVENTFD */
#define PORTS	64

/* Return: the bytes of a valid argument, for a file bound to domain 5. */
static size_t valid_arg(struct scene *s, u32 cmd, union serve_arg *a)
{
	unsigned int i;

	*s = (struct scene) { .cmd = cmd, .state = 1, .bound = 5, .arg = HEAD };
	memset(a, 0, sizeof(*a));
	switch (cmd) {
	case DMOP_IOCTL_IOEVENTFD:
		a->ioeventfd = (struct dmop_ioeventfd) {
			(void *)BUF(0), (void *)(HEAD + PORTS), 0xfee00000, 4, 4, 128, 65535, 0, 5,
		};
		for (i = PORTS; i < PORTS + 4 * 128; i++)
			a->rest[i] = i * 7 + i / 256;
		return sizeof(a->ioeventfd);
	case DMOP_IOCTL_SERVE:
		a->serve = (struct dmop_serve) { 24, 0, 5, 65535, 128, 4 };
		break;
	case DMOP_IOCTL_ANSWER:
		a->answer = (struct dmop_answer) { 24, 0, { 1, 1ULL << 63 } };
		break;
	default:
		a->kick = (struct dmop_kick) { 48, 6, 5, 65535, 4, 8, 0xfff8, 1, 3 };
	}
	return a->size;
}

/* Each size there may be, and of some there may not, without unknown bytes and with one */
static void sizes_of(u32 cmd)
{
	union serve_arg a;
	struct scene s;
	size_t known = valid_arg(&s, cmd, &a), i;

	for (a.size = 0; a.size < 4200; a.size++) {
		ask(&s, &a, sizeof(a));
		must(result == (a.size < known ? -EINVAL : a.size > 4096 ? -E2BIG : 0));
	}
	a.size = known + 100;
	for (i = known; i < known + 110; i++) {
		a.rest[i] = 1;
		ask(&s, &a, sizeof(a));
		must(result == (i < a.size ? -E2BIG : 0));
		a.rest[i] = 0;
	}
}

/* Every state, privilege and width of the caller, right or no right, and some answers of the others */
static void states_of(u32 cmd)
{
	static const int answers[] = { 0, -1, -2 };
	union serve_arg a;
	struct scene s;
	unsigned int i;

	valid_arg(&s, cmd, &a);
	for (i = 0; i < 4 * 2 * 2 * 2 * 3; i++) {
		s.state = i % 4;
		/* All rights, or all but EVENT. */
		s.admin = i / 4 % 2 | (i / 8 % 2 ? 31 : 15) << 1;
		s.compat = i / 16 % 2 | 1 << 1;
		s.answer = answers[i / 32];
		ask(&s, &a, sizeof(a));
		must(s.state != 2 || result == -ESRCH);
		must(s.state == 1 || s.state == 2 || result == -EPERM);
		must(s.state != 1 || i / 8 % 2 || result == -EPERM);
	}
	/* The high half of the address is not a 32-bit caller's. */
	s = (struct scene) { .cmd = cmd, .state = 1, .bound = 5, .arg = HEAD | 1ULL << 63, .compat = 1 };
	ask(&s, &a, sizeof(a));
	must(!result);
	s.compat = 0;
	ask(&s, &a, sizeof(a));
	must(result == -EFAULT);
	/* The argument ends where memory does, or is not all there. */
	for (i = 1; i < 64; i++) {
		s.arg = 2 * USER_SIZE - i;
		ask(&s, &a, sizeof(a));
		must(!result == (i >= a.size));
	}
}

/* Each bit of the argument, alone and with each other one */
static void bits_of(u32 cmd)
{
	union serve_arg a, b;
	struct scene s;
	size_t known = valid_arg(&s, cmd, &a), i, j;

	for (i = 0; i < 8 * known; i++) {
		/* Of the second one not all, for time's sake. */
		for (j = i % 7; j < 8 * known; j += 7) {
			b = a;
			b.rest[i / 8] ^= 1 << i % 8;
			if (i != j)
				b.rest[j / 8] ^= 1 << j % 8;
			ask(&s, &b, sizeof(b));
		}
	}
}

/* Descriptors of no file, of a file, and of an eventfd */
static void descriptors(void)
{
	union serve_arg a;
	struct scene s;
	int fd;

	for (fd = -3; fd < 70; fd++) {
		valid_arg(&s, DMOP_IOCTL_SERVE, &a);
		a.serve.rest_fd = fd;
		ask(&s, &a, sizeof(a));
		must(result == error_of_fd(fd));
		/* Not used. */
		a.serve.flags = DMOP_SERVE_END;
		a.serve.vcpus = fd;
		ask(&s, &a, sizeof(a));
		must(!result);
		valid_arg(&s, DMOP_IOCTL_KICK, &a);
		a.kick.fd = fd;
		ask(&s, &a, sizeof(a));
		must(result == error_of_fd(fd));
		a.kick.flags |= DMOP_KICK_DEASSIGN;
		ask(&s, &a, sizeof(a));
		must(result == error_of_fd(fd));
	}
}

static void arguments_of_serve(void)
{
	static const u32 with_arg[] = { DMOP_IOCTL_SERVE, DMOP_IOCTL_ANSWER, DMOP_IOCTL_KICK };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(with_arg); i++) {
		sizes_of(with_arg[i]);
		states_of(with_arg[i]);
		bits_of(with_arg[i]);
	}
	descriptors();
}

/* --- IOEVENTFD: likewise, by refusal_of_ioeventfd() --- */

static void states_of_ioeventfd(void)
{
	union serve_arg a;
	struct scene s;
	unsigned int i;

	valid_arg(&s, DMOP_IOCTL_IOEVENTFD, &a);
	for (i = 0; i < 4 * 2 * 2 * 2 * 2 * 2 * 4; i++) {
		s.state = i % 4;
		/* All rights, or all but EVENT. */
		s.admin = i / 4 % 2 | (i / 8 % 2 ? 31 : 15) << 1;
		s.compat = i / 16 % 2 | 1 << 1;
		s.alloc = i / 32 % 2;
		a.ioeventfd.flags = i / 64 % 2;
		s.answer = -(int)(i / 128);
		ask(&s, &a, sizeof(a));
		must(!(s.compat & 1) || result == -ENOTTY);
		must(s.compat & 1 || s.state != 2 || result == -ESRCH);
		must(s.compat & 1 || s.state == 1 || s.state == 2 || result == -EPERM);
		must(s.compat & 1 || s.state != 1 || i / 8 % 2 || result == -EPERM);
	}
	/* The argument ends where memory does, or is not all there. */
	valid_arg(&s, DMOP_IOCTL_IOEVENTFD, &a);
	for (i = 1; i < 64; i++) {
		s.arg = 2 * USER_SIZE - i;
		ask(&s, &a, sizeof(a));
		must(!result == (i >= sizeof(a.ioeventfd)));
	}
}

/* Each limit, just below and just above */
static void queues(void)
{
	static const u32 vqs[] = { 0, 1, 255, 256, 65535, 65536, 1U << 31 };
	static const u32 vcpus[] = { 0, 1, 2, 127, 128, 129, 1U << 30, ~0U };
	union serve_arg a;
	struct scene s;
	unsigned int len, i, j, below;

	for (len = 0; len < 20; len++) {
		for (i = 0; i < ARRAY_SIZE(vqs) * ARRAY_SIZE(vcpus); i++) {
			valid_arg(&s, DMOP_IOCTL_IOEVENTFD, &a);
			a.ioeventfd.addr_len = len;
			a.ioeventfd.vq = vqs[i % ARRAY_SIZE(vqs)];
			a.ioeventfd.vcpus = vcpus[i / ARRAY_SIZE(vqs)];
			ask(&s, &a, sizeof(a));
			for (below = 0; below < 0x50 + 20; below++) {
				a.ioeventfd.addr = -(u64)below;
				ask(&s, &a, sizeof(a));
			}
		}
	}
	/* The last of the ports ends where memory does, or is not all there. */
	for (i = 1; i <= 128; i++) {
		for (j = 0; j < 4; j++) {
			valid_arg(&s, DMOP_IOCTL_IOEVENTFD, &a);
			a.ioeventfd.vcpus = i;
			a.ioeventfd.ports = (void *)(u64)(2 * USER_SIZE - 4 * i + j);
			ask(&s, &a, sizeof(a));
			must(result == (j ? -EFAULT : 0));
		}
	}
}

static void arguments_of_ioeventfd(void)
{
	union serve_arg a;
	struct scene s;
	int fd;

	states_of_ioeventfd();
	bits_of(DMOP_IOCTL_IOEVENTFD);
	queues();
	for (fd = -3; fd < 70; fd++) {
		valid_arg(&s, DMOP_IOCTL_IOEVENTFD, &a);
		a.ioeventfd.event_fd = fd;
		ask(&s, &a, sizeof(a));
		must(result == error_of_fd(fd));
		/* Of these none is used. */
		a.ioeventfd = (struct dmop_ioeventfd) {
			(void *)BUF(0), (void *)1, -1, 3, fd, 0, ~0U, 1, 5,
		};
		ask(&s, &a, sizeof(a));
		must(result == error_of_fd(fd));
	}
}

/* Whatever mapping answers, with room for the errors of the frames and without */
static void errors_of_frames(void)
{
	struct scene s = { .cmd = DMOP_IOCTL_MMAPBATCH_V2, .state = 1, .bound = 5, .arg = HEAD };
	struct dmop_mmapbatch_v2 m = { .num = 3, .dom = 5, .addr = 0x10000, .arr = (void *)ARRAY };
	int none;

	for (s.answer = 1; s.answer > -200; s.answer--) {
		for (none = 0; none < 2; none++) {
			m.err = (void *)(u64)(none ? READ_ONLY : BUF(0));
			memset(data, 0, sizeof(data));
			memcpy(data, &s, sizeof(s));
			memcpy(data + sizeof(s) + HEAD, &m, sizeof(m));
			LLVMFuzzerTestOneInput(data, sizeof(data));
			must(entered);
			must(written == (!none && (s.answer >= 0 || s.answer == -ENOENT) ? 12 : 0));
		}
	}
}

/* Calls of three pieces, the second of which cannot be read, or its results cannot be written. */
static void pieces(void)
{
	static const struct { u64 arr, err; long ret; u32 written; } calls[] = {
		{ 0x4000, 0xa000, -ENOENT, 1100 },
		{ 0x4000, 0xa000, 0, 1100 },
		{ USER_SIZE - 0x1800, 0x4000, -EFAULT, 512 },	/* ends in the second piece */
		{ 0x4000, READ_ONLY - 0x800, -EFAULT, 512 },
		{ USER_SIZE - 0x800, 0x4000, -EFAULT, 0 },
	};
	struct scene s = { .cmd = DMOP_IOCTL_MMAPBATCH_V2, .state = 1, .bound = 5, .arg = HEAD };
	struct dmop_mmapbatch_v2 m = { .num = 1100, .dom = 5, .addr = 0x10000 };
	unsigned int i, limit;
	u64 gfn;
	int err;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		s.answer = calls[i].ret == -ENOENT ? -ENOENT : 0;
		m.arr = (void *)calls[i].arr;
		m.err = (void *)calls[i].err;
		memset(data, 0, sizeof(data));
		memcpy(data, &s, sizeof(s));
		memcpy(data + sizeof(s) + HEAD, &m, sizeof(m));
		for (gfn = 0; calls[i].arr + gfn * sizeof(gfn) < USER_SIZE && gfn < m.num; gfn++)
			memcpy(data + sizeof(s) + calls[i].arr + gfn * sizeof(gfn), &gfn, sizeof(gfn));
		LLVMFuzzerTestOneInput(data, sizeof(data));
		must(result == calls[i].ret && written == calls[i].written * sizeof(int));
		for (gfn = 0; gfn < calls[i].written; gfn++) {
			memcpy(&err, memory + calls[i].err + gfn * sizeof(err), sizeof(err));
			must(err == (int)gfn);
		}
	}

	for (limit = 4000; limit <= 4001; limit++) {
		m.num = limit;
		m.arr = (void *)0x4000;
		m.err = (void *)0x4000;
		memcpy(data + sizeof(s) + HEAD, &m, sizeof(m));
		LLVMFuzzerTestOneInput(data, sizeof(data));
		must(result == (limit == 4000 ? 0 : -E2BIG) && !entered == (limit != 4000));
	}
}

int main(int argc, char **argv)
{
	int i;

	printf("TAP version 13\n1..%d\n", argc + 6);
	limits();
	printf("ok 1 - calls at each limit\n");
	sizes_of_info();
	printf("ok 2 - sizes of INFO\n");
	errors_of_frames();
	printf("ok 3 - errors of frames\n");
	pieces();
	printf("ok 4 - pieces of a mapping call\n");
	operations_of_events();
	printf("ok 5 - operations of events\n");
	arguments_of_serve();
	printf("ok 6 - arguments of SERVE, ANSWER and KICK\n");
	arguments_of_ioeventfd();
	printf("ok 7 - arguments of IOEVENTFD\n");
	for (i = 1; i < argc; i++) {
		const char *name = strrchr(argv[i], '/');
		FILE *f = fopen(argv[i], "rb");
		size_t n;

		if (!f) {
			printf("not ok %d - cannot open %s\n", i + 7, argv[i]);
			return 1;
		}
		n = fread(data, 1, sizeof(data), f);
		fclose(f);
		LLVMFuzzerTestOneInput(data, n);
		printf("ok %d - input %s\n", i + 7, name ? name + 1 : argv[i]);
		fflush(stdout);
	}
	return 0;
}
#endif
