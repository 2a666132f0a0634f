// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_test.c - calls that nobody thought of, in an order that nobody chose
 *
 * An input is a string of bytes. It is read as a program: each byte picks a
 * step, the next ones its arguments; several descriptors, areas and a second
 * thread, on domains of which one comes and goes. What is known of each answer
 * in advance is checked, and in the end that nothing is held any more.
 *
 *	fuzz_test		goes through the inputs in fuzz.corpus
 *	fuzz_test fuzz SECONDS	looks for more, by what the kernel's KCOV says that
 *				they reach; they are added to $DMOP_OUT/fuzz.corpus
 *
 * Of Xen's operations only some are made: those that concern the module in no
 * other way are no business of this test, and not every Xen survives them all.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "dmop_test.h"

#define PAGE		4096UL
#define NR_SLOTS	6
#define NR_AREAS	4
#define MAX_INPUT	320
#define LIFE		"dmop-test-fuzz"

struct input {
	unsigned int len;
	__u8 bytes[MAX_INPUT];
};

/* Shared with the process that makes the domain that comes and goes. */
static struct shared {
	_Atomic __u16 life;	/* its domid, also some time after its end */
	_Atomic unsigned int runs;
	_Atomic bool stop;
} *shared;

/* --- what a program acts on ------------------------------------------------ */

/*
 * Buffers of one thread: pages that are full of harmless operations, where the
 * kernel writes nothing that could be another one: 16 for buffers, 4 for what
 * calls are made of, 4 more; then one that cannot be read, then one that cannot
 * be written.
 */
#define ARENA_PAGES	24
#define EDGE		(ARENA_PAGES * PAGE)
#define READ_ONLY	(EDGE + PAGE)

struct area {
	char *p;
	size_t len;
};

struct thread {
	const __u8 *at;
	const __u8 *end;
	char *arena;
	bool alone;	/* no other thread changes what is known of a file */
};

static int slots[NR_SLOTS];
static struct area areas[2 * NR_AREAS];	/* of either thread */
static char *arenas[2];
static bool privileged;
static const char *fault;

static void wrong(const char *what)
{
	if (!fault)
		fault = what;
}

static __u8 byte(struct thread *t)
{
	return t->at < t->end ? *t->at++ : 0;
}

static __u32 word(struct thread *t)
{
	return byte(t) | byte(t) << 8;
}

/* Operations that do nothing to the domain that would matter, or none. */
static __u32 harmless(struct thread *t)
{
	static const __u32 ops[] = {
		DM_OP_UNKNOWN, DM_OP_CREATE_IOREQ_SERVER, DM_OP_GET_IOREQ_SERVER_INFO,
		DM_OP_MAP_IO_RANGE, DM_OP_UNMAP_IO_RANGE, DM_OP_SET_IOREQ_SERVER_STATE,
		DM_OP_DESTROY_IOREQ_SERVER, DM_OP_MODIFIED_MEMORY, 0,
	};

	return ops[byte(t) % ARRAY_SIZE(ops)];
}

static __u16 pick_domid(struct thread *t)
{
	__u8 b = byte(t);

	switch (b % 16) {
	default:
		return target_domid;
	case 6:
	case 7:
		return other_domid;
	case 8:
	case 9:
	case 10:
		return shared->life;
	case 11:
		return ABSENT_DOMID;
	case 12:
		return 0;
	case 13:
		return 0x7ff0 + b / 16;	/* the reserved ones */
	case 14:
		return word(t);
	}
}

/* An address for @size bytes, of which an operation may be made. */
static void *pick_pointer(struct thread *t, size_t size)
{
	char *arena = byte(t) % 8 ? t->arena : arenas[0];
	__u8 b = byte(t);

	switch (b % 16) {
	default:
		return arena + b / 16 * PAGE;
	case 8:
	case 9:
		return arena + (size < EDGE ? EDGE - size : 0);	/* all but too long */
	case 10:
		return arena + EDGE - size / 8 * 4;	/* half of it */
	case 11:
		return arena + READ_ONLY;
	case 12:
		return areas[b / 16 % ARRAY_SIZE(areas)].p;
	case 13:
		return NULL;
	case 14:
		return (void *)(0xffffULL << 48 | (unsigned long)arena);
	case 15:
		return (void *)0x7fffffffe000UL;
	}
}

/* A copy of @arg where it may be looked at only in part. */
static void *place(struct thread *t, const void *arg, size_t size)
{
	__u8 b = byte(t);

	if (b < 224) {
		void *p = t->arena + 16 * PAGE + b % 4 * 1024;

		return memcpy(p, arg, size);
	}
	return pick_pointer(t, size);
}

/* If not, it is another call than the one that was made up. */
static bool placed(const struct thread *t, const void *p)
{
	return p >= (void *)t->arena + 16 * PAGE && p < (void *)t->arena + 17 * PAGE;
}

/* One that this thread may take away: what comes there next is then its own, too. */
static struct area *my_area(struct thread *t)
{
	return &areas[byte(t) % NR_AREAS + (t->arena == arenas[0] ? 0 : NR_AREAS)];
}

static int slot(struct thread *t)
{
	return slots[byte(t) % NR_SLOTS];
}

/* --- what is known of an answer ---------------------------------------------- */

static bool any_of(long ret, const long *errs)
{
	for (; *errs; errs++)
		if (ret == *errs)
			return true;
	return false;
}

/* What the file was before the call says what the call can be. */
static void judge(const struct thread *t, const struct dmop_info *was, __u64 domid,
		  bool is_dm_op, long ret)
{
	static const long refused[] = { -EPERM, -ESRCH, -EFAULT, -EINTR, -EBADF, 0 };
	static const long dead[] = { -ESRCH, -EFAULT, -EBADF, 0 };

	if (!t->alone)
		return;
	if (!is_dm_op && !any_of(ret, refused))
		wrong("a hypercall that is no dm_op");
	if (was->state == DMOP_STATE_BOUND && domid != was->domid && !any_of(ret, refused))
		wrong("a bound file that reaches another domain");
	if (was->state == DMOP_STATE_REVOKED && !any_of(ret, dead))
		wrong("a revoked file that is answered");
	if (was->state == DMOP_STATE_UNBOUND && !privileged && !any_of(ret, refused))
		wrong("an unbound file that is worth something without privilege");
}

static void look(struct thread *t, int fd, struct dmop_info *is)
{
	if (!t->alone || dmop_info(fd, is))
		memset(is, 0, sizeof(*is));
}

/* --- steps ---------------------------------------------------------------------- */

/* Each descriptor is closed by one of them, and once. */
static void put_slot(int i, int fd)
{
	close(__atomic_exchange_n(&slots[i], fd, __ATOMIC_RELAXED));
}

static void step_open(struct thread *t)
{
	int i = byte(t) % NR_SLOTS;

	put_slot(i, dmop_open());
}

static void step_close(struct thread *t)
{
	int i = byte(t) % NR_SLOTS;

	put_slot(i, -1);
}

static void step_dup(struct thread *t)
{
	int from = slot(t), i = byte(t) % NR_SLOTS;

	if (from < 0 || slots[i] == from)
		return;
	put_slot(i, dup(from));
}

static void step_restrict(struct thread *t)
{
	static const long other[] = { -EINVAL, -EFAULT, -EBADF, 0 };
	int fd = slot(t);
	__u16 domid = pick_domid(t);
	struct dmop_info was, is;
	long ret;

	look(t, fd, &was);
	ret = dmop_ioctl(fd, DMOP_IOCTL_RESTRICT, place(t, &domid, sizeof(domid)));
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

static unsigned int pick_bufs(struct thread *t, struct dmop_buf *bufs, unsigned int max)
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

static void step_dm_op(struct thread *t)
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
	ret = dmop_ioctl(fd, DMOP_IOCTL_DM_OP, p);
	if (arg.num && placed(t, p))
		judge(t, &was, arg.dom, true, ret);
}

static void step_hypercall(struct thread *t)
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
	ret = dmop_ioctl(fd, DMOP_IOCTL_HYPERCALL, p);
	if (placed(t, p))
		judge(t, &was, arg.arg[0], arg.op == DMOP_HYPERCALL_NR, ret);
}

static void step_batch(struct thread *t)
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
	ret = dmop_ioctl(fd, DMOP_IOCTL_BATCH, at);
	if (at == t->arena + 18 * PAGE)
		judge(t, &was, head.domid, true, ret);
	if (ret > 64)
		wrong("a batch that made more than it has");
}

static void step_info(struct thread *t)
{
	struct dmop_info *info = (void *)t->arena + 16 * PAGE;
	int fd = slot(t);
	__u8 b = byte(t);
	long ret;

	memset(info, 0, 2 * sizeof(*info));
	info->size = b < 128 ? (int)sizeof(*info) : b < 192 ? b - 64 : b < 224 ? b - 192 : 4090 + b % 16;
	if (byte(t) < 8)
		((__u8 *)info)[byte(t)] = 1;
	ret = dmop_ioctl(fd, DMOP_IOCTL_INFO, byte(t) < 240 ? info : pick_pointer(t, 1));
	if (!ret && info->size > sizeof(*info))
		wrong("INFO is larger than it is");
}

static void step_mmap(struct thread *t)
{
	static const int prots[] = { PROT_READ | PROT_WRITE, PROT_READ, PROT_WRITE, PROT_NONE,
				     PROT_READ | PROT_EXEC };
	struct area *a = my_area(t);
	size_t len = (1 + byte(t) % 40) * PAGE;
	int fd = slot(t), prot = prots[byte(t) % 8 ? 0 : byte(t) % ARRAY_SIZE(prots)];
	int flags = byte(t) % 16 ? MAP_SHARED : MAP_PRIVATE;
	char *p = mmap(NULL, len, prot, flags, fd, byte(t) % 16 ? 0 : word(t) * PAGE);

	if (p == MAP_FAILED)
		return;
	if (a->p)
		munmap(a->p, a->len);
	*a = (struct area){ .p = p, .len = len };
}

static void step_unmap(struct thread *t)
{
	struct area *a = my_area(t);
	size_t first = byte(t) % 4 ? 0 : byte(t) % 8 * PAGE;

	if (!a->p || first >= a->len)
		return;
	if (!munmap(a->p + first, a->len - first) && !first)
		a->p = NULL;
}

static void step_change_area(struct thread *t)
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

static void on_fault(int sig)
{
	if (!touching)
		_exit(128 + sig);
	touching = 0;
	siglongjmp(jump, sig);
}

static void touch(volatile char *p, bool write)
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

static void step_touch(struct thread *t)
{
	struct area *a = my_area(t);
	size_t at = byte(t) * PAGE;
	bool write = byte(t) % 2;

	if (a->p && at < a->len)
		touch(a->p + at, write);
}

static void step_map(struct thread *t)
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
		gfns[i] = 60 + i;
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
	ret = dmop_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, p);
	if (placed(t, p))
		judge(t, &was, m.dom, true, ret);
}

static void step_resource(struct thread *t)
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
	ret = dmop_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, p);
	if (placed(t, p))
		judge(t, &was, r.dom, true, ret);
}

static void step_poll(struct thread *t)
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

static void step_raw(struct thread *t)
{
	unsigned int cmd = _IOC(byte(t) % 4, byte(t) % 8 ? 'P' : byte(t), byte(t), byte(t));
	int fd = slot(t);

	switch (cmd) {
	case DMOP_IOCTL_DM_OP:
	case DMOP_IOCTL_HYPERCALL:
	case DMOP_IOCTL_BATCH:
		return;
	}
	dmop_ioctl(fd, cmd, pick_pointer(t, 64));
}

/* Operations, with arguments, where the buffers are. */
static void step_fill(struct thread *t)
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

static void step_parameter(struct thread *t)
{
	static const char *const names[] = { "dm_op_max_nr_bufs", "dm_op_buf_max_size",
					     "max_map_frames" };
	static const char *const values[] = { "1", "2", "16", "64", "65", "0", "4096", "65536",
					      "65537", "-1", "x", "1000000" };

	param_set_text(names[byte(t) % 3], values[byte(t) % ARRAY_SIZE(values)]);
}

/* Of this thread only, and it can be taken back. */
static void set_privilege(bool on)
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

static void step_privilege(struct thread *t)
{
	if (t->arena == arenas[0])
		set_privilege(byte(t) % 2);
}

static void go(struct thread *t);

static void step_fork(struct thread *t)
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

static void *help(void *data)
{
	go(data);
	return NULL;
}

static void step_thread(struct thread *t)
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

static void (*const steps[])(struct thread *t) = {
	step_open, step_restrict, step_dm_op, step_mmap, step_map, step_fill, step_batch,
	step_hypercall, step_resource, step_touch, step_info, step_unmap, step_poll,
	step_close, step_dup, step_change_area, step_thread, step_fork, step_privilege,
	step_parameter, step_raw,
};

static void go(struct thread *t)
{
	while (t->at < t->end && !fault)
		steps[byte(t) % ARRAY_SIZE(steps)](t);
}

/* --- one input -------------------------------------------------------------------- */

static void arena_fill(char *arena)
{
	__u32 *p = (void *)arena;
	size_t i;

	for (i = 0; i < EDGE / sizeof(*p); i++)
		p[i] = i % 16 ? i % 5 : DM_OP_UNKNOWN;
}

static bool arenas_make(void)
{
	struct sigaction sa = { .sa_handler = on_fault };
	int i;

	for (i = 0; i < 2; i++) {
		arenas[i] = mmap(NULL, EDGE + 2 * PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (arenas[i] == MAP_FAILED || mprotect(arenas[i] + EDGE, PAGE, PROT_NONE) ||
		    mprotect(arenas[i] + READ_ONLY, PAGE, PROT_READ))
			return false;
	}
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	return true;
}

static void run_input(const struct input *in)
{
	struct thread t = { .at = in->bytes, .end = in->bytes + in->len, .arena = arenas[0],
			    .alone = true };

	arena_fill(arenas[0]);
	arena_fill(arenas[1]);
	memset(slots, -1, sizeof(slots));
	fault = NULL;
	helped = false;
	privileged = true;
	slots[0] = dmop_open();
	go(&t);
	if (helped)
		pthread_join(helper, NULL);
}

/* Nothing of it is left; the domains are as they were. */
static void clean_up(void)
{
	unsigned int i;
	int fd;

	set_privilege(true);
	for (i = 0; i < ARRAY_SIZE(areas); i++) {
		if (areas[i].p)
			munmap(areas[i].p, areas[i].len);
		areas[i].p = NULL;
	}
	for (i = 0; i < NR_SLOTS; i++)
		close(slots[i]);
	if (param_set("dm_op_max_nr_bufs", 16) || param_set("dm_op_buf_max_size", 4096) ||
	    param_set("max_map_frames", 16777216))
		wrong("a parameter cannot be put back");
	fd = dmop_open();
	if (fd < 0)
		wrong("it cannot be opened any more");
	ioreq_destroy_all(fd, target_domid);
	ioreq_destroy_all(fd, other_domid);
	close(fd);
	shared->runs++;
}

static long refs(void)
{
	char text[16] = "";
	int fd = open("/sys/module/dmop_privcmd/refcnt", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 ? atol(text) : -1;
}

/* Revocation holds no reference, but its work may be under way. */
static bool unused(void)
{
	if (refs())
		wrong("the module is still used");
	return !fault;
}

/* --- inputs in files ----------------------------------------------------------------- */

static bool input_parse(struct input *in, const char *line)
{
	unsigned int b;

	in->len = 0;
	while (in->len < MAX_INPUT && sscanf(line, "%2x", &b) == 1) {
		in->bytes[in->len++] = b;
		line += 2;
	}
	return in->len && (*line == '\n' || !*line);
}

static void input_print(FILE *f, const struct input *in)
{
	unsigned int i;

	for (i = 0; i < in->len; i++)
		fprintf(f, "%02x", in->bytes[i]);
	fputc('\n', f);
	fflush(f);
}

static struct input *corpus;
static unsigned int nr_corpus, max_corpus;

static void corpus_add(const struct input *in)
{
	if (nr_corpus == max_corpus) {
		max_corpus = max_corpus ? 2 * max_corpus : 256;
		corpus = realloc(corpus, max_corpus * sizeof(*corpus));
		if (!corpus)
			abort();
	}
	corpus[nr_corpus++] = *in;
}

static bool corpus_read(const char *path)
{
	char line[2 * MAX_INPUT + 2];
	FILE *f = fopen(path, "r");
	struct input in;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (input_parse(&in, line))
			corpus_add(&in);
	fclose(f);
	return true;
}

/* --- the domain that comes and goes ---------------------------------------------------- */

static pid_t life_begin(void)
{
	pid_t pid;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	shared->life = ABSENT_DOMID;
	pid = fork();
	if (pid)
		return pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!shared->stop) {
		FILE *f = popen("lab-domain create " LIFE, "r");
		unsigned int domid, then = shared->runs;

		if (!f || fscanf(f, "%u", &domid) != 1)
			domid = ABSENT_DOMID;
		pclose(f);
		shared->life = domid;
		while (!shared->stop && shared->runs - then < 50)
			usleep(10000);
		if (system("lab-domain destroy " LIFE " >/dev/null 2>&1"))
			usleep(10000);
	}
	_exit(0);
}

static void life_end(pid_t pid)
{
	shared->stop = true;
	waitpid(pid, NULL, 0);
}

/* --- going through what is kept ---------------------------------------------------------- */

TEST(inputs_that_are_kept)
{
	struct input in;
	unsigned int i;
	pid_t life;

	ASSERT_TRUE(corpus_read("fuzz.corpus")) {
		TH_LOG("no fuzz.corpus here");
	}
	ASSERT_TRUE(arenas_make());
	life = life_begin();
	for (i = 0; i < nr_corpus; i++) {
		in = corpus[i];
		run_input(&in);
		clean_up();
		unused();
		EXPECT_EQ(NULL, fault) {
			TH_LOG("%s: line %u", fault, i + 1);
		}
	}
	life_end(life);
	TH_LOG("%u inputs", nr_corpus);
}

/* --- looking for more ----------------------------------------------------------------------- */

#define KCOV_WORDS	(1 << 18)
#define KCOV_INIT	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_DISABLE	_IO('c', 101)

static int kcov_fd;
static unsigned long *kcov;
static __u8 seen[1 << 16];
static unsigned int nr_seen;

static bool kcov_init(void)
{
	kcov_fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov_fd < 0 || ioctl(kcov_fd, KCOV_INIT, KCOV_WORDS))
		return false;
	kcov = mmap(NULL, KCOV_WORDS * sizeof(*kcov), PROT_READ | PROT_WRITE, MAP_SHARED,
		    kcov_fd, 0);
	return kcov != MAP_FAILED;
}

/* Return: how many steps from one place to the next nobody took before. */
static unsigned int reached(bool keep)
{
	unsigned long n = __atomic_load_n(&kcov[0], __ATOMIC_RELAXED), i, last = 0;
	static __u8 now[sizeof(seen)];
	unsigned int new = 0;

	memset(now, 0, sizeof(now));
	for (i = 1; i <= n && i < KCOV_WORDS; i++) {
		unsigned int h = ((kcov[i] ^ last << 1) * 0x9e3779b97f4a7c15ULL) >> 48;

		last = kcov[i];
		if (seen[h] || now[h])
			continue;
		now[h] = 1;
		new++;
	}
	for (i = 0; keep && i < sizeof(now); i++)
		seen[i] |= now[i];
	return new;
}

static unsigned int try_input(const struct input *in)
{
	__atomic_store_n(&kcov[0], 0, __ATOMIC_RELAXED);
	if (ioctl(kcov_fd, KCOV_ENABLE, 0))
		abort();
	run_input(in);
	ioctl(kcov_fd, KCOV_DISABLE, 0);
	clean_up();
	return reached(false);
}

static __u64 state = 88172645463325252ULL;

static unsigned int chance(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % n;
}

static void cut(struct input *in, unsigned int at, unsigned int n)
{
	if (at + n > in->len)
		n = in->len - at;
	memmove(in->bytes + at, in->bytes + at + n, in->len - at - n);
	in->len -= n;
}

static void insert(struct input *in, unsigned int at, const __u8 *from, unsigned int n)
{
	if (in->len + n > MAX_INPUT)
		return;
	memmove(in->bytes + at + n, in->bytes + at, in->len - at);
	memcpy(in->bytes + at, from, n);
	in->len += n;
}

static void mutate(struct input *in)
{
	unsigned int times = 1 + chance(6), i;
	__u8 bytes[16];

	*in = (struct input){ };
	if (nr_corpus && chance(8))
		*in = corpus[chance(nr_corpus)];
	while (times--) {
		unsigned int at = in->len ? chance(in->len) : 0;

		switch (chance(5)) {
		case 0:
			for (i = 0; i < sizeof(bytes); i++)
				bytes[i] = chance(3) ? chance(256) : chance(22);
			insert(in, at, bytes, 1 + chance(sizeof(bytes)));
			break;
		case 1:
			if (in->len)
				in->bytes[at] = chance(2) ? chance(256) : chance(22);
			break;
		case 2:
			if (in->len)
				in->bytes[at] ^= 1U << chance(8);
			break;
		case 3:
			if (in->len)
				cut(in, at, 1 + chance(8));
			break;
		case 4:
			if (nr_corpus) {
				const struct input *other = &corpus[chance(nr_corpus)];
				unsigned int from = chance(other->len);
				unsigned int n = 1 + chance(other->len - from);

				insert(in, at, other->bytes + from, n);
			}
			break;
		}
	}
}

/* Without what is not needed for what it reaches. */
static void shorten(struct input *in, unsigned int new)
{
	unsigned int size, at, tries = 60;

	for (size = in->len / 2; size; size /= 2) {
		for (at = 0; at + size <= in->len && tries; tries--) {
			struct input less = *in;

			cut(&less, at, size);
			if (less.len && try_input(&less) >= new && !fault)
				*in = less;
			else
				at += size;
		}
	}
}

static int found_fault(const struct input *in)
{
	printf("FAULT: %s\n", fault);
	input_print(stdout, in);
	return 1;
}

static int fuzz(unsigned int seconds)
{
	const char *dir = getenv("DMOP_OUT") ?: ".";
	time_t end = time(NULL) + seconds, told = 0;
	unsigned int runs = 0, kept = 0, i, new;
	char path[256];
	struct input in;
	FILE *console, *out;
	pid_t life;

	if (!kcov_init()) {
		printf("no KCOV: this needs a kernel of make check-debug\n");
		return 4;
	}
	snprintf(path, sizeof(path), "%s/fuzz.corpus", dir);
	out = fopen(path, "w");
	/* What ran last is wanted most when nothing runs any more. */
	console = fopen("/dev/console", "w");
	if (!out || !console || !arenas_make())
		return 1;
	if (getenv("DMOP_FUZZ_SEED"))
		state ^= strtoull(getenv("DMOP_FUZZ_SEED"), NULL, 0) << 1;
	life = life_begin();
	corpus_read("fuzz.corpus");
	for (i = 0; i < nr_corpus; i++) {
		in = corpus[i];
		if (try_input(&in)) {
			reached(true);
			input_print(out, &in);
			kept++;
		}
	}
	for (i = 0; i < sizeof(seen); i++)
		nr_seen += seen[i];
	printf("%u inputs of %u reach %u\n", kept, nr_corpus, nr_seen);

	while (time(NULL) < end) {
		mutate(&in);
		if (!in.len)
			continue;
		fputs("fuzz: ", console);
		input_print(console, &in);
		new = try_input(&in);
		runs++;
		if (fault || !unused())
			break;
		if (new) {
			shorten(&in, new);
			if (fault)
				break;
			/* Shorter, it may have reached it by chance; then it is no loss. */
			if (try_input(&in)) {
				nr_seen += reached(true);
				corpus_add(&in);
				input_print(out, &in);
				kept++;
			}
		}
		if (time(NULL) >= told + 20) {
			told = time(NULL);
			printf("%u runs, %u inputs reach %u\n", runs, kept, nr_seen);
		}
	}
	life_end(life);
	if (fault)
		return found_fault(&in);
	printf("%u runs, %u inputs reach %u\n", runs, kept, nr_seen);
	return !runs;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "fuzz")) {
		dmop_require();
		return fuzz(atoi(argv[2]));
	}
	return dmop_test_run(argc, argv);
}
