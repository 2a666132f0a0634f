/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz_steps.h - the steps of a program of fuzz_test: one or a few system calls each
 *
 * A byte selects the step, the bytes after it its arguments.
 */
#ifndef DMOP_TEST_FUZZ_STEPS_H
#define DMOP_TEST_FUZZ_STEPS_H

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <linux/types.h>
/* The next header lacks it. */
typedef __u16 domid_t;
#include <xen/evtchn.h>

#include "fuzz_state.h"

/* --- steps ---------------------------------------------------------------------- */

/* Of two threads that replace a slot, each closes another descriptor. */
static inline void put_slot(int i, int fd)
{
	close(__atomic_exchange_n(&slots[i], fd, __ATOMIC_RELAXED));
}

static inline void step_open(struct thread *t)
{
	int i = byte(t) % NR_SLOTS;

	put_slot(i, dmop_open());
}

static inline void step_close(struct thread *t)
{
	int i = byte(t) % NR_SLOTS;

	put_slot(i, -1);
}

static inline void step_dup(struct thread *t)
{
	int from = slot(t), i = byte(t) % NR_SLOTS;

	if (from < 0 || slots[i] == from)
		return;
	put_slot(i, dup(from));
}

static inline void step_restrict(struct thread *t)
{
	static const long other[] = { -EINVAL, -EFAULT, -EBADF, 0 };
	int fd = slot(t);
	__u16 domid = pick_domid(t);
	struct dmop_info was, is;
	long ret;

	look(t, fd, &was);
	ret = do_ioctl(fd, DMOP_IOCTL_RESTRICT, place(t, &domid, sizeof(domid)));
	look(t, fd, &is);
	if (!t->alone || was.size == 0 || is.state == DMOP_STATE_REVOKED)
		return;
	if (was.state == DMOP_STATE_BOUND &&
	    (is.domid != was.domid || (domid != was.domid && ret && !any_of(ret, other))))
		wrong("a bound file and RESTRICT");
	if (was.state == DMOP_STATE_UNBOUND && ret && is.state != DMOP_STATE_UNBOUND)
		wrong("a RESTRICT that failed has bound the file");
	if (was.state == DMOP_STATE_UNBOUND && !privileged && !ret)
		wrong("RESTRICT without privilege");
}

static inline unsigned int pick_bufs(struct thread *t, struct dmop_buf *bufs, unsigned int max)
{
	static const size_t sizes[] = {
		64, 0, 1, 3, 4, 8, 63, 128, 191, 192, 193, 256, 257, 1000, 4095, 4096, 4097,
		65536, 65537, ~0UL,
	};
	unsigned int i, nr = byte(t) % 8 ? 1 + byte(t) % 3 : byte(t);

	for (i = 0; i < nr && i < max; i++) {
		bufs[i].size = sizes[byte(t) % ARRAY_SIZE(sizes)];
		bufs[i].uptr = pick_pointer(t, bufs[i].size);
	}
	return nr;
}

static inline void step_dm_op(struct thread *t)
{
	struct dmop_dm_op arg = { };
	struct dmop_buf bufs[128] = { };
	struct dmop_info was;
	int fd = slot(t);
	void *p;
	long ret;

	arg.dom = pick_domid(t);
	arg.num = pick_bufs(t, bufs, ARRAY_SIZE(bufs));
	arg.ubufs = memcpy(t->arena + 17 * PAGE, bufs, sizeof(bufs));
	if (!(byte(t) % 16))
		arg.ubufs = pick_pointer(t, sizeof(bufs));
	p = place(t, &arg, sizeof(arg));
	look(t, fd, &was);
	ret = do_ioctl(fd, DMOP_IOCTL_DM_OP, p);
	if (arg.num && placed(t, p))
		judge(t, &was, arg.dom, true, ret);
}

static inline void step_hypercall(struct thread *t)
{
	static const __u64 ops[] = {
		DMOP_HYPERCALL_NR, DMOP_HYPERCALL_NR, DMOP_HYPERCALL_NR, 12, 17, 32, 36, 0,
		DMOP_HYPERCALL_NR | 1ULL << 32, ~0ULL,
	};
	struct dmop_hypercall arg = { };
	struct dmop_buf bufs[128] = { };
	struct dmop_info was;
	int fd = slot(t);
	void *p;
	__u8 b;
	long ret;

	arg.op = ops[byte(t) % ARRAY_SIZE(ops)];
	arg.arg[0] = pick_domid(t);
	arg.arg[1] = pick_bufs(t, bufs, ARRAY_SIZE(bufs));
	arg.arg[2] = (unsigned long)memcpy(t->arena + 17 * PAGE, bufs, sizeof(bufs));
	b = byte(t);
	if (b < 48)
		arg.arg[b % 3] |= 1ULL << (16 + b);
	p = place(t, &arg, sizeof(arg));
	look(t, fd, &was);
	ret = do_ioctl(fd, DMOP_IOCTL_HYPERCALL, p);
	if (placed(t, p))
		judge(t, &was, arg.arg[0], arg.op == DMOP_HYPERCALL_NR, ret);
}

static inline void step_batch(struct thread *t)
{
	char *at = t->arena + 18 * PAGE;	/* two pages */
	struct dmop_batch head = { };
	struct dmop_batch_op ops[64] = { };
	struct dmop_info was;
	unsigned int i, sum = 0;
	int fd = slot(t);
	long ret;
	__u8 b;

	head.size = sizeof(head);
	head.domid = pick_domid(t);
	head.nr = byte(t) % 12;
	for (i = 0; i < head.nr; i++) {
		ops[i].size[0] = byte(t) % 72;
		ops[i].size[1] = byte(t) % 4 ? 0 : byte(t);
		sum += (ops[i].size[0] + 7) / 8 * 8 + (ops[i].size[1] + 7) / 8 * 8;
	}
	head.bytes = head.nr * sizeof(*ops) + sum;
	b = byte(t);
	switch (b) {
	case 0 ... 7:
		head.size = b * 12;
		break;
	case 8:
		head.size = 4096 + word(t);
		break;
	case 9 ... 16:
		head.bytes ^= 1U << (b - 9);
		break;
	case 17:
		head.flags = word(t);
		break;
	case 18:
		head.pad = word(t);
		break;
	case 19:
		head.nr = word(t);
		break;
	case 20:
		head.bytes = word(t) << 4;
		break;
	case 21:
		ops[0].flags = 1;
		break;
	case 22:
		ops[byte(t) % 64].size[b % 2] = word(t);
		break;
	case 23:
		head.domid |= 0x10000;
		break;
	}
	memcpy(at + sizeof(head), ops, head.nr < 64 ? head.nr * sizeof(*ops) : sizeof(ops));
	memcpy(at, &head, sizeof(head));
	if (byte(t) < 8)
		at = pick_pointer(t, sizeof(head) + head.bytes);
	look(t, fd, &was);
	ret = do_ioctl(fd, DMOP_IOCTL_BATCH, at);
	if (at == t->arena + 18 * PAGE)
		judge(t, &was, head.domid, true, ret);
	if (ret > 64)
		wrong("a batch that made more than it has");
}

static inline void step_info(struct thread *t)
{
	struct dmop_info *info = (void *)t->arena + 16 * PAGE;
	int fd = slot(t);
	__u8 b = byte(t);
	long ret;

	memset(info, 0, 2 * sizeof(*info));
	info->size = b < 128 ? (int)sizeof(*info) : b < 192 ? b - 64 : b < 224 ? b - 192 : 4090 + b % 16;
	if (byte(t) < 8)
		((__u8 *)info)[byte(t)] = 1;
	ret = do_ioctl(fd, DMOP_IOCTL_INFO, byte(t) < 240 ? info : pick_pointer(t, 1));
	if (!ret && info->size > sizeof(*info))
		wrong("INFO is larger than it is");
}

static inline void keep_area(struct area *a, char *p, size_t len)
{
	if (a->p)
		munmap(a->p, a->len);
	*a = (struct area){ .p = p, .len = len };
}

static inline void step_mmap(struct thread *t)
{
	static const int prots[] = { PROT_READ | PROT_WRITE, PROT_READ, PROT_WRITE, PROT_NONE,
				     PROT_READ | PROT_EXEC };
	struct area *a = my_area(t);
	size_t len = (1 + byte(t) % 40) * PAGE;
	int fd = slot(t), prot = prots[byte(t) % 8 ? 0 : byte(t) % ARRAY_SIZE(prots)];
	int flags = byte(t) % 16 ? MAP_SHARED : MAP_PRIVATE;
	char *p = mmap(NULL, len, prot, flags, fd, byte(t) % 16 ? 0 : word(t) * PAGE);

	if (p != MAP_FAILED)
		keep_area(a, p, len);
}

static inline void step_unmap(struct thread *t)
{
	struct area *a = my_area(t);
	size_t first = byte(t) % 4 ? 0 : byte(t) % 8 * PAGE;

	if (!a->p || first >= a->len)
		return;
	if (!munmap(a->p + first, a->len - first) && !first)
		a->p = NULL;
}

static inline void step_change_area(struct thread *t)
{
	static const int advice[] = { MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_DODUMP,
				      MADV_FREE, MADV_HUGEPAGE, MADV_WILLNEED };
	struct area *a = my_area(t);
	__u8 b = byte(t);
	char *p;

	if (!a->p)
		return;
	switch (b % 4) {
	case 0:
		if (!mprotect(a->p, a->len, b / 4 % 8) && b / 4 % 8 == 7)
			wrong("an area that became executable");
		break;
	case 1:
		p = mremap(a->p, a->len, (1 + b / 4) * PAGE, b & 128 ? MREMAP_MAYMOVE : 0);
		if (p != MAP_FAILED && p != a->p)
			wrong("an area that moved");
		break;
	case 2:
		madvise(a->p, a->len, advice[b / 4 % ARRAY_SIZE(advice)]);
		break;
	case 3:
		mlock(a->p, a->len);
		break;
	}
}

static __thread sigjmp_buf jump;
static __thread volatile sig_atomic_t touching;

static inline void on_fault(int sig)
{
	if (!touching)
		_exit(128 + sig);
	touching = 0;
	siglongjmp(jump, sig);
}

static inline void touch(volatile char *p, bool write)
{
	if (sigsetjmp(jump, 1))
		return;
	touching = 1;
	if (write)
		*p = *p;
	else
		(void)*p;
	touching = 0;
}

static inline void step_touch(struct thread *t)
{
	struct area *a = my_area(t);
	size_t at = byte(t) * PAGE;
	bool write = byte(t) % 2;

	if (a->p && at < a->len)
		touch(a->p + at, write);
}

static inline void step_map(struct thread *t)
{
	const struct area *a = &areas[byte(t) % ARRAY_SIZE(areas)];
	__u64 *gfns = (void *)t->arena + 14 * PAGE + 64;
	struct dmop_mmapbatch_v2 m = { };
	struct dmop_info was;
	size_t first = byte(t) % 4 ? 0 : byte(t) % 40;
	int fd = slot(t), i;
	void *p;
	__u8 b;
	long ret;

	m.dom = pick_domid(t);
	m.num = a->p ? a->len / PAGE : 1;
	m.addr = (unsigned long)a->p + first * PAGE;
	m.arr = gfns;
	m.err = (void *)(t->arena + 15 * PAGE + 64);
	for (i = 0; i < 64; i++)
		gfns[i] = GFN - 4 + i;
	b = byte(t);
	switch (b) {
	case 0 ... 31:
		m.num = b;
		break;
	case 32:
		m.num = word(t) << 5;
		break;
	case 33:
		m.num = ~0U;
		break;
	case 34:
		m.addr += 1 + byte(t);
		break;
	case 35:
		m.addr = (unsigned long)t->arena;
		break;
	case 36:
		m.arr = pick_pointer(t, m.num * 8UL);
		break;
	case 37:
		m.err = pick_pointer(t, m.num * 4UL);
		break;
	case 38 ... 60:
		gfns[b - 38] = (__u64)word(t) << (byte(t) % 56);
		break;
	case 61:
		gfns[0] = ~0ULL;
		break;
	}
	if (m.num > 64 && m.arr == gfns)
		m.num = byte(t) ? 64 : m.num;
	p = place(t, &m, sizeof(m));
	look(t, fd, &was);
	ret = do_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, p);
	if (placed(t, p))
		judge(t, &was, m.dom, true, ret);
}

static inline void step_resource(struct thread *t)
{
	const struct area *a = &areas[byte(t) % ARRAY_SIZE(areas)];
	struct dmop_mmap_resource r = { };
	struct dmop_info was;
	int fd = slot(t);
	void *p;
	__u8 b;
	long ret;

	r.dom = pick_domid(t);
	r.num = a->p ? a->len / PAGE : 0;
	r.addr = (unsigned long)a->p;
	r.id = byte(t) % 9;
	r.idx = byte(t) % 3;
	b = byte(t);
	switch (b) {
	case 0 ... 3:
		r.type = b;
		break;
	case 4:
		r.type = word(t) << 4;
		break;
	case 5:
		r.num = word(t);
		break;
	case 6:
		r.num = 1ULL << byte(t) % 64;
		break;
	case 7:
		r.addr = 0;
		break;
	case 8:
		r.addr = 0;
		r.num = 0;
		break;
	case 9 ... 40:
		r.addr = 0;
		r.num = 0;
		r.idx = 0;
		break;
	case 41:
		r.addr += 1;
		break;
	case 42:
		r.id = word(t) << 8;
		break;
	case 43:
		r.idx = ~0U;
		break;
	}
	p = place(t, &r, sizeof(r));
	look(t, fd, &was);
	ret = do_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, p);
	if (placed(t, p))
		judge(t, &was, r.dom, true, ret);
}

static inline void step_poll(struct thread *t)
{
	struct pollfd p = { .fd = slot(t), .events = word(t) };
	char path[64], text[1024];
	int fd;

	poll(&p, 1, 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", p.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, text, sizeof(text)) < 0 && t->alone)
		wrong("fdinfo cannot be read");
	close(fd);
}

static inline void step_raw(struct thread *t)
{
	unsigned int cmd = _IOC(byte(t) % 4, byte(t) % 8 ? 'P' : byte(t), byte(t), byte(t));
	int fd = slot(t);

	switch (cmd) {
	case DMOP_IOCTL_DM_OP:
	case DMOP_IOCTL_HYPERCALL:
	case DMOP_IOCTL_BATCH:
		return;
	}
	do_ioctl(fd, cmd, pick_pointer(t, 64));
}

/* Fills a buffer with an operation and its arguments. */
static inline void step_fill(struct thread *t)
{
	struct dm_op *op = (void *)t->arena + byte(t) % 16 * PAGE;
	unsigned int i;

	memset(op, 0, sizeof(*op));
	op->op = harmless(t);
	switch (op->op) {
	case DM_OP_CREATE_IOREQ_SERVER:
		op->u.create.handle_bufioreq = byte(t) % 4;
		break;
	case DM_OP_MODIFIED_MEMORY:
		op->u.modified.nr_extents = byte(t) % 4;
		break;
	default:
		for (i = 0; i < 24; i++)
			op->u.raw[i] = byte(t) % 8;
	}
}

static inline void step_parameter(struct thread *t)
{
	static const char *const names[] = { "dm_op_max_nr_bufs", "dm_op_buf_max_size",
					     "max_map_frames" };
	static const char *const values[] = { "1", "2", "16", "64", "65", "0", "4096", "65536",
					      "65537", "-1", "x", "1000000" };

	param_set_text(names[byte(t) % 3], values[byte(t) % ARRAY_SIZE(values)]);
}

/* The effective capabilities of this thread only. They can be set again. */
static inline void set_privilege(bool on)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		abort();
	data[0].effective = on ? data[0].permitted : 0;
	data[1].effective = on ? data[1].permitted : 0;
	if (syscall(SYS_capset, &head, data))
		abort();
	privileged = on;
}

static inline void step_privilege(struct thread *t)
{
	if (t->arena == arenas[0])
		set_privilege(byte(t) % 2);
}

static void go(struct thread *t);

static inline void step_fork(struct thread *t)
{
	struct thread child = *t;
	size_t left = t->end - t->at, n = byte(t) % 32;
	pid_t pid;

	child.end = child.at + (n < left ? n : left);
	pid = fork();
	if (!pid) {
		go(&child);
		_exit(fault ? 1 : 0);
	}
	t->at = child.end > t->at ? child.end : t->at;
	if (pid > 0) {
		int status;

		waitpid(pid, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status))
			wrong("something in a child");
	}
}

static pthread_t helper;
static struct thread helper_state;
static bool helped;

static inline void *help(void *data)
{
	go(data);
	return NULL;
}

static inline void step_thread(struct thread *t)
{
	size_t left = t->end - t->at, n = byte(t) % 64;

	if (helped || t->arena != arenas[0])
		return;
	helper_state = *t;
	helper_state.arena = arenas[1];
	helper_state.end = t->at + (n < left ? n : left);
	helper_state.alone = false;
	t->alone = false;
	t->at = helper_state.end > t->at ? helper_state.end : t->at;
	helped = !pthread_create(&helper, NULL, help, &helper_state);
}

static inline void step_narrow(struct thread *t)
{
	static const long errors[] = { -EFAULT, -ESRCH, -EPERM, -EINVAL, -E2BIG, -EINTR, -EBADF, 0 };
	struct dmop_narrow n = { .size = sizeof(n) };
	struct dmop_info was, is;
	int fd = slot(t);
	long ret;
	__u8 b;

	b = byte(t);
	n.flags = b % 8 ? b % 32 : b;
	/* Most keep most, so that more than refusals is left. */
	n.acts = byte(t) % 4 ? ~0ULL : byte(t);
	n.ops[0] = byte(t) % 4 ? ~0ULL : word(t);
	n.ops[1] = byte(t) % 4 ? ~0ULL : word(t);
	n.resources = byte(t) % 4 ? ~0ULL : byte(t);
	n.max_frames = byte(t) % 4 ? 1000 : byte(t);
	n.gfn_first = byte(t) % 4 ? 0 : byte(t);
	n.gfn_last = byte(t) % 4 ? ~0ULL : byte(t);
	b = byte(t);
	if (b < 16)
		n.size = b < 8 ? 57 + b : 4080 + 2 * b;
	look(t, fd, &was);
	ret = do_ioctl(fd, DMOP_IOCTL_NARROW, place(t, &n, sizeof(n)));
	look(t, fd, &is);
	if (ret && !any_of(ret, errors))
		wrong("NARROW with an error of its own");
	if (!t->alone || !was.size)
		return;
	if ((is.acts & ~was.acts) || (is.ops[0] & ~was.ops[0]) || (is.ops[1] & ~was.ops[1]) ||
	    (is.resources & ~was.resources) || (was.narrowed & ~is.narrowed) ||
	    is.max_frames > was.max_frames || is.gfn_first < was.gfn_first ||
	    is.gfn_last > was.gfn_last)
		wrong("NARROW that gives a right");
	if (was.state != DMOP_STATE_BOUND && is.narrowed != was.narrowed)
		wrong("an unbound file that was narrowed");
}

/* An eventfd of its own each time. Signals come before and after. */
static inline void step_irqfd(struct thread *t)
{
	static const long errors[] = { -EFAULT, -ESRCH, -EPERM, -EINVAL, -E2BIG, -EBADF, -ENOMEM,
				       -EOPNOTSUPP, -EBUSY, -EINTR, 0 };
	static const __u32 ops[] = { 14, 19, 0x7fffffff, 1 };
	struct dm_op op = { .op = ops[byte(t) % ARRAY_SIZE(ops)] };
	struct dmop_irqfd arg = { .size = sizeof(op), .dom = pick_domid(t) };
	int fd = slot(t), event = eventfd(byte(t) % 2, EFD_CLOEXEC | EFD_NONBLOCK);
	__u8 b = byte(t);
	__u64 one = 1;
	long ret;

	if (event < 0)
		return;
	arg.dm_op = place(t, &op, sizeof(op));
	arg.fd = b % 8 ? event : fd;
	arg.flags = b < 200 ? 0 : b < 250 ? DMOP_IRQFD_DEASSIGN : b;
	if (b % 16 == 1)
		arg.size = byte(t) * 2;
	ret = do_ioctl(fd, DMOP_IOCTL_IRQFD, place(t, &arg, sizeof(arg)));
	if (ret && !any_of(ret, errors))
		wrong("IRQFD with an error of its own");
	if (write(event, &one, sizeof(one)) != sizeof(one))
		wrong("an eventfd that cannot be signalled");
	close(event);
}

/*
 * KICK, SERVE, ANSWER. If another thread closes the descriptor, its number may be that of an eventfd,
 * which has errors of its own.
 */

/* What a kick is for, and a request: a few addresses, so that some are the same. */
static inline __u64 pick_address(struct thread *t)
{
	static const __u64 bases[] = { 0x510, 0xfee00000, 0xfffe, ~3ULL };
	__u8 b = byte(t);

	return bases[b % 16 < 13 ? 0 : b % 4] + b / 16 % 4;
}

static inline void step_kick(struct thread *t)
{
	static const long errors[] = { -EFAULT, -ESRCH, -EPERM, -EINVAL, -E2BIG, -EBADF, -ENOMEM,
				       -EOPNOTSUPP, -ENOENT, -EEXIST, -EINTR, 0 };
	static const __u32 lens[] = { 4, 4, 4, 0, 1, 2, 8, 3 };
	struct dmop_kick arg = { .size = sizeof(arg), .domid = pick_domid(t) };
	int fd = slot(t), event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), i;
	__u8 b = byte(t);
	struct dmop_info was;
	long ret;
	void *p;

	if (event < 0)
		return;
	arg.server = b % 16 < 12 ? 0 : b % 9;
	arg.flags = b < 224 ? DMOP_KICK_PIO : b;
	arg.fd = b % 32 != 31 ? event : fd;
	arg.addr = pick_address(t);
	b = byte(t);
	arg.len = lens[b % 8];
	if (b & 64) {
		arg.flags |= DMOP_KICK_DATAMATCH;
		arg.mask = b & 128 ? byte(t) : 0xf;
		arg.datamatch = byte(t) & (b % 16 ? arg.mask : ~0ULL);
	}
	if (b == 8)
		arg.size = byte(t) * 17;
	p = place(t, &arg, sizeof(arg));
	look(t, fd, &was);
	/* Sometimes removed at once, which its own eventfd alone can do. */
	for (i = 0; i < (b & 32 ? 2 : 1); i++) {
		ret = do_ioctl(fd, DMOP_IOCTL_KICK, p);
		if (ret && t->alone && !any_of(ret, errors))
			wrong("KICK with an error of its own");
		if (!placed(t, p))
			break;
		judge_event(t, &was, arg.domid, ret);
		((struct dmop_kick *)p)->flags |= DMOP_KICK_DEASSIGN;
	}
	close(event);
}

/* struct ioreq of Xen */
struct ioreq {
	__u64 addr, data;
	__u32 count, size, port;
	__u16 pad;
	__u8 state, type;
};

static inline void put_request(volatile struct ioreq *slot, const struct ioreq *r)
{
	/* The domain may end meanwhile, and the page with it. */
	if (sigsetjmp(jump, 1))
		return;
	touching = 1;
	slot->addr = r->addr;
	slot->data = r->data;
	slot->count = r->count;
	slot->size = r->size;
	slot->type = r->type;
	__atomic_store_n(&slot->state, r->state, __ATOMIC_RELEASE);
	touching = 0;
}

/*
 * A server that is enabled, with a request in its page. Random operations hardly ever get that far.
 * @page: out: the page, or MAP_FAILED. Return: its id, or 0.
 */
static inline __u32 map_server(struct thread *t, int fd, __u16 domid, char **page)
{
	struct dm_op create = { .op = DM_OP_CREATE_IOREQ_SERVER };
	struct dm_op enable = { .op = DM_OP_SET_IOREQ_SERVER_STATE };
	struct ioreq r = { .addr = pick_address(t), .data = byte(t), .count = 1, .size = 4 };
	struct dmop_mmap_resource m = { .dom = domid, .idx = 1, .num = 1 };
	__u8 b = byte(t);

	*page = MAP_FAILED;
	/* READY, perhaps a read; or any state and type. */
	r.state = b < 240 ? 1 | b / 64 << 5 : b;
	r.type = b < 240 ? b % 8 == 7 : b % 8;
	if (dm_op(fd, domid, &create))
		return 0;
	m.id = enable.u.state.id = create.u.create.id;
	enable.u.state.enabled = 1;
	*page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*page == MAP_FAILED)
		return m.id;
	m.addr = (unsigned long)*page;
	if (!do_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &m) && !dm_op(fd, domid, &enable))
		put_request((void *)*page, &r);
	return m.id;
}

static inline __u32 prepare_server(struct thread *t, int fd, __u16 domid)
{
	char *page;
	__u32 id = map_server(t, fd, domid, &page);

	if (page != MAP_FAILED)
		munmap(page, PAGE);
	return id;
}

/* The last descriptor of the eventfd is closed while the server is served. */
static inline void step_serve(struct thread *t)
{
	static const long errors[] = { -EFAULT, -ESRCH, -EPERM, -EINVAL, -E2BIG, -EBADF, -ENOMEM,
				       -EOPNOTSUPP, -EBUSY, -EINTR,
				       /* Xen's and the kernel's, of the page and the ports */
				       -ENOENT, -ENOSPC, -EEXIST, -EAGAIN, 0 };
	struct dmop_serve arg = { .size = sizeof(arg), .domid = pick_domid(t), .vcpus = 1 };
	int fd = slot(t), event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	__u8 b = byte(t);
	struct dmop_info was;
	long ret;
	void *p;

	if (event < 0)
		return;
	arg.server = b & 1 ? prepare_server(t, fd, arg.domid) : b / 2 % 9;
	arg.rest_fd = b % 64 != 62 ? event : fd;
	b = byte(t);
	arg.flags = b < 160 ? 0 : b < 248 ? DMOP_SERVE_END : b;
	if (b % 32 == 1)
		arg.vcpus = byte(t);
	if (b % 32 == 2)
		arg.size = byte(t) * 17;
	p = place(t, &arg, sizeof(arg));
	look(t, fd, &was);
	ret = do_ioctl(fd, DMOP_IOCTL_SERVE, p);
	if (ret && t->alone && !any_of(ret, errors))
		wrong("SERVE with an error of its own");
	if (placed(t, p))
		judge_event(t, &was, arg.domid, ret);
	close(event);
}

static inline void step_answer(struct thread *t)
{
	static const long errors[] = { -EFAULT, -ESRCH, -EPERM, -EINVAL, -E2BIG, -EBADF, -EINTR, 0 };
	struct dmop_answer arg = { .size = sizeof(arg) };
	int fd = slot(t);
	__u8 b = byte(t);
	struct dmop_info was;
	long ret;
	void *p;

	arg.vcpus[0] = b < 192 ? 1 : b;
	if (b % 32 == 1)
		arg.vcpus[1] = 1ULL << byte(t) % 64;
	if (b % 32 == 2)
		arg.size = byte(t) * 17;
	if (b % 32 == 3)
		arg.flags = byte(t);
	p = place(t, &arg, sizeof(arg));
	look(t, fd, &was);
	ret = do_ioctl(fd, DMOP_IOCTL_ANSWER, p);
	if (ret && t->alone && !any_of(ret, errors))
		wrong("ANSWER with an error of its own");
	/* It has no domid. */
	if (placed(t, p))
		judge_event(t, &was, was.domid, ret);
}

/* Return: the port of the first slot of the page, or 0. */
static inline __u32 port_in(volatile struct ioreq *slot)
{
	__u32 port = 0;

	if (sigsetjmp(jump, 1))
		return 0;
	touching = 1;
	port = slot->port;
	touching = 0;
	return port;
}

/* Return: the port that this process has bound to it, or any number. */
static inline __u32 bind_port(int evtchn, __u16 domid, char *page, __u8 other)
{
	struct ioctl_evtchn_bind_interdomain arg = { .remote_domain = domid };
	long ret;

	if (page == MAP_FAILED)
		return other;
	arg.remote_port = port_in((void *)page);
	ret = do_ioctl(evtchn, IOCTL_EVTCHN_BIND_INTERDOMAIN, &arg);
	return ret > 0 ? ret : other;
}

/*
 * The page becomes an area, which may go. The process closes the event channel and the eventfd while
 * the kernel shares the one and signals the other.
 */
static inline void step_ioeventfd(struct thread *t)
{
	static const long errors[] = { -EFAULT, -ESRCH, -EPERM, -EINVAL, -E2BIG, -EBADF, -ENOMEM,
				       -EOPNOTSUPP, -EBUSY, -EEXIST, -ENODEV, -EINTR,
				       /* Xen's and the kernel's, of the page */
				       -ENOENT, -ENOSPC, -EAGAIN, 0 };
	struct dmop_ioeventfd arg = { .dom = pick_domid(t), .vcpus = 1 };
	int fd = slot(t), event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), i;
	int evtchn = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	char *page = MAP_FAILED;
	__u8 b = byte(t);
	struct dmop_info was;
	__u32 port[4] = { };
	long ret;
	void *p;

	if (event < 0)
		goto out;
	if (b % 4)
		map_server(t, fd, arg.dom, &page);
	port[0] = bind_port(evtchn, arg.dom, page, byte(t));
	arg.ioreq = page != MAP_FAILED ? page : pick_pointer(t, PAGE);
	if (b == 1)
		arg.ioreq = (char *)arg.ioreq + byte(t);
	arg.ports = b % 32 != 2 ? place(t, port, sizeof(port)) : pick_pointer(t, sizeof(port));
	arg.event_fd = b % 64 != 3 ? event : fd;
	b = byte(t);
	arg.addr = pick_address(t);
	arg.addr_len = b % 16 ? 4 : byte(t);
	arg.vq = b % 8;
	arg.flags = b < 224 ? 0 : b;
	if (b % 32 == 1)
		arg.vcpus = byte(t);
	p = place(t, &arg, sizeof(arg));
	look(t, fd, &was);
	/* Sometimes removed at once, which its own eventfd alone can do. */
	for (i = 0; i < (b & 64 ? 2 : 1); i++) {
		ret = do_ioctl(fd, DMOP_IOCTL_IOEVENTFD, p);
		if (ret && t->alone && !any_of(ret, errors))
			wrong("IOEVENTFD with an error of its own");
		if (!placed(t, p))
			break;
		judge_event(t, &was, arg.dom, ret);
		((struct dmop_ioeventfd *)p)->flags |= DMOP_IOEVENTFD_DEASSIGN;
	}
	if (page != MAP_FAILED)
		keep_area(my_area(t), page, PAGE);
out:
	close(evtchn);
	close(event);
}

/* New ones come last, so that those before keep the bytes that they have in the kept inputs. */
static void (*const steps[])(struct thread *t) = {
	step_open, step_restrict, step_dm_op, step_mmap, step_map, step_fill, step_batch,
	step_hypercall, step_resource, step_touch, step_info, step_unmap, step_poll,
	step_close, step_dup, step_change_area, step_thread, step_fork, step_privilege,
	step_parameter, step_raw, step_narrow, step_irqfd, step_kick, step_serve, step_answer,
	step_ioeventfd,
};

static inline void go(struct thread *t)
{
	while (t->at < t->end && !fault)
		steps[byte(t) % ARRAY_SIZE(steps)](t);
}

#endif /* DMOP_TEST_FUZZ_STEPS_H */
