/* SPDX-License-Identifier: GPL-2.0 */
/*
 * calls.h - every call of the ABI, prepared for a stop, and the process that issues one
 */
#ifndef DMOP_STALL_CALLS_H
#define DMOP_STALL_CALLS_H

#include <poll.h>
#include <sys/wait.h>

#include "../command.h"
#include "../frames.h"
#include "../ioeventfd.h"
#include "../irqfd.h"
#include "../narrow.h"
#include "stall.h"

#define STALL_NODE	"/proc/dmop_stall"

/* More than one portion of the module, more than an area without allocation can have. */
#define MANY		80
/* An area whose frames are removed in several portions, in an auto-translated dom0. */
#define LARGE		600
#define GRANT_FRAMES	6
/* The test domains have these frames. */
#define FIRST_GFN	8

/* --- user memory ------------------------------------------------------------- */

/*
 * Each window is reached by a page fault of its own: neighbours are mapped up to 64 KiB at a time.
 * Nothing else is near them, so there are no page tables either.
 */
#define WINDOW		(64UL << 10)
#define FAR_AWAY	((char *)(1UL << 44))

enum window { W_ARG, W_ARRAY, W_DATA, W_MORE, W_OUT, WINDOWS };

/*
 * The issuer of a call.
 *
 * @domid: target domain
 * @fd:    the descriptor
 * @area:  an area of it
 * @fill:  the windows, for writing; @use: the same memory at its addresses in the call
 * @served: the descriptor serves a server
 */
struct issuer {
	__u16 domid;
	int fd;
	char *area;
	char *fill, *use;
	bool served;
};

static inline void *fill(struct issuer *i, enum window w)
{
	return i->fill + w * WINDOW;
}

static inline void *use(struct issuer *i, enum window w)
{
	return i->use + w * WINDOW;
}

static inline bool windows_open(struct issuer *i)
{
	int fd = memfd_create("windows", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, WINDOWS * WINDOW))
		return false;
	i->fill = mmap(NULL, WINDOWS * WINDOW, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	i->use = mmap(FAR_AWAY, WINDOWS * WINDOW, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (i->fill == MAP_FAILED || i->use == MAP_FAILED)
		return false;
	memset(i->fill, POISON, WINDOWS * WINDOW);
	return true;
}

/* --- the calls ----------------------------------------------------------------- */

/*
 * A call.
 *
 * @prepare: brings everything to the state before it. Return: true if that worked
 * @issue:   the system call. Return: its value, or minus the errno
 * @least:   scheduling points that it has at least
 * @classes: bits of the classes of these
 * @maps:    it maps frames in the area of the issuer
 * @first:   nobody is bound to the domain before
 * @once:    once for each domain: its log lines have a rate limit
 */
struct call {
	const char *name;
	bool (*prepare)(struct issuer *i);
	long (*issue)(struct issuer *i);
	unsigned int least;
	unsigned int classes;
	bool maps;
	bool first;
	bool once;
};

#define C_ENTRY		(1U << STALL_ENTRY)
#define C_LOCK		(1U << STALL_LOCK)
#define C_ALLOC		(1U << STALL_ALLOC)
#define C_FAULT		(1U << STALL_FAULT)
#define C_RESCHED	(1U << STALL_RESCHED)
#define C_WAIT		(1U << STALL_WAIT)
#define C_SECTION	(1U << STALL_SECTION)
#define C_XEN		(1U << STALL_XEN)

static inline bool with_nothing(struct issuer *i)
{
	i->fd = -1;
	return true;
}

static inline bool with_unbound(struct issuer *i)
{
	i->fd = dmop_open();
	*(__u16 *)fill(i, W_ARG) = i->domid;
	return i->fd >= 0;
}

static inline bool with_bound(struct issuer *i)
{
	i->fd = dmop_open_bound(i->domid);
	return i->fd >= 0;
}

static inline bool with_area_of(struct issuer *i, unsigned int nr)
{
	if (!with_bound(i))
		return false;
	/* Its page tables are not there either. */
	i->area = mmap(FAR_AWAY + (1UL << 40), nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       i->fd, 0);
	return i->area != MAP_FAILED;
}

static inline long issue_open(struct issuer *i)
{
	i->fd = dmop_open();
	return i->fd < 0 ? i->fd : 0;
}

static inline long issue_close(struct issuer *i)
{
	return syscall(SYS_close, i->fd);
}

static inline long issue_poll(struct issuer *i)
{
	struct pollfd p = { .fd = i->fd, .events = POLLIN };

	return poll(&p, 1, 0);
}

static inline long issue_mmap(struct issuer *i)
{
	i->area = mmap(FAR_AWAY + (1UL << 40), MANY * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       i->fd, 0);
	return i->area == MAP_FAILED ? -errno : 0;
}

static inline long issue_restrict(struct issuer *i)
{
	return do_ioctl(i->fd, DMOP_IOCTL_RESTRICT, use(i, W_ARG));
}

static inline bool info_prepare(struct issuer *i)
{
	*(struct dmop_info *)fill(i, W_ARG) = (struct dmop_info){ .size = sizeof(struct dmop_info) };
	return with_bound(i);
}

static inline long issue_info(struct issuer *i)
{
	return do_ioctl(i->fd, DMOP_IOCTL_INFO, use(i, W_ARG));
}

/* The operation leaves a server behind in the domain that it reached. */
static inline bool bufs_prepare(struct issuer *i, struct dmop_buf *bufs)
{
	struct dm_op *op = fill(i, W_DATA);

	*op = ioreq_create_op();
	bufs[0] = (struct dmop_buf){ .uptr = use(i, W_DATA), .size = sizeof(*op) };
	return with_bound(i);
}

static inline bool dm_op_prepare(struct issuer *i)
{
	*(struct dmop_dm_op *)fill(i, W_ARG) = (struct dmop_dm_op){
		.dom = i->domid, .num = 1, .ubufs = use(i, W_ARRAY),
	};
	return bufs_prepare(i, fill(i, W_ARRAY));
}

/* Too large for the stack. */
static inline bool dm_op_large_prepare(struct issuer *i)
{
	struct dmop_buf *bufs = fill(i, W_ARRAY);

	*(struct dmop_dm_op *)fill(i, W_ARG) = (struct dmop_dm_op){
		.dom = i->domid, .num = 2, .ubufs = use(i, W_ARRAY),
	};
	bufs[1] = (struct dmop_buf){ .uptr = use(i, W_MORE), .size = PAGE };
	return bufs_prepare(i, bufs);
}

static inline bool dm_op_unbound_prepare(struct issuer *i)
{
	if (!dm_op_prepare(i))
		return false;
	close(i->fd);
	i->fd = dmop_open();
	return i->fd >= 0;
}

static inline long issue_dm_op(struct issuer *i)
{
	return do_ioctl(i->fd, DMOP_IOCTL_DM_OP, use(i, W_ARG));
}

/* Refused, counted, and reported in the log. */
static inline bool refused_prepare(struct issuer *i)
{
	struct dmop_dm_op *call = fill(i, W_ARG);

	if (!dm_op_prepare(i))
		return false;
	call->dom = i->domid + 1;
	return true;
}

static inline long issue_refused(struct issuer *i)
{
	long ret = issue_dm_op(i);

	return ret == -EPERM ? 0 : -EPROTO;
}

static inline bool hypercall_prepare(struct issuer *i)
{
	*(struct dmop_hypercall *)fill(i, W_ARG) = (struct dmop_hypercall){
		.op = DMOP_HYPERCALL_NR,
		.arg = { i->domid, 1, (unsigned long)use(i, W_ARRAY) },
	};
	return bufs_prepare(i, fill(i, W_ARRAY));
}

static inline long issue_hypercall(struct issuer *i)
{
	return do_ioctl(i->fd, DMOP_IOCTL_HYPERCALL, use(i, W_ARG));
}

struct two_ops {
	struct dmop_batch_op op[2];
	struct dm_op create[2];
};

/* The head ends with its window, the rest begins with the next. */
#define HEAD_AT	(WINDOW - sizeof(struct dmop_batch))

static inline bool batch_prepare(struct issuer *i)
{
	struct dmop_batch *head = fill(i, W_ARG) + HEAD_AT;
	struct two_ops *ops = fill(i, W_ARRAY);

	*head = (struct dmop_batch){
		.size = sizeof(*head), .domid = i->domid, .nr = 2, .bytes = sizeof(*ops),
	};
	*ops = (struct two_ops){
		.op = { { .size = { sizeof(struct dm_op) } }, { .size = { sizeof(struct dm_op) } } },
		.create = { ioreq_create_op(), ioreq_create_op() },
	};
	return with_bound(i);
}

static inline long issue_batch(struct issuer *i)
{
	struct two_ops *ops = fill(i, W_ARRAY);
	long ret = do_ioctl(i->fd, DMOP_IOCTL_BATCH, use(i, W_ARG) + HEAD_AT);

	if (ret < 0)
		return ret;
	return ret == 2 ? ops->op[0].result : -EAGAIN;
}

static inline void frames_prepare(struct issuer *i, unsigned int first, unsigned int nr)
{
	__u64 *gfns = fill(i, W_ARRAY);
	unsigned int n;

	for (n = 0; n < nr; n++)
		gfns[n] = FIRST_GFN + first + n;
	*(struct dmop_mmapbatch_v2 *)fill(i, W_ARG) = (struct dmop_mmapbatch_v2){
		.num = nr, .dom = i->domid, .addr = (unsigned long)i->area + first * PAGE,
		.arr = use(i, W_ARRAY), .err = use(i, W_OUT),
	};
}

static inline bool map_prepare(struct issuer *i)
{
	if (!with_area_of(i, MANY))
		return false;
	frames_prepare(i, 0, MANY);
	return true;
}

static inline long issue_map(struct issuer *i)
{
	struct dmop_mmapbatch_v2 *m = fill(i, W_ARG);
	int *errs = fill(i, W_OUT);
	long ret = do_ioctl(i->fd, DMOP_IOCTL_MMAPBATCH_V2, use(i, W_ARG));
	unsigned int n;

	for (n = 0; !ret && n < m->num; n++)
		ret = errs[n];
	return ret;
}

/* Two pieces: the module accesses user memory between them. */
static inline bool pieces_prepare(struct issuer *i)
{
	__u64 *gfns = fill(i, W_ARRAY);
	unsigned int n;

	if (!with_area_of(i, LARGE))
		return false;
	frames_prepare(i, 0, LARGE);
	for (n = MANY; n < LARGE; n++)
		gfns[n] = gfns[n % MANY];
	return true;
}

/* The first call failed for some of the frames. */
#define RETRIED		4
#define RETRIED_AT	70

static inline bool retry_prepare(struct issuer *i)
{
	__u64 *gfns = fill(i, W_ARRAY);
	int errs[MANY];
	unsigned int n;

	if (!with_area_of(i, MANY))
		return false;
	frames_prepare(i, 0, MANY);
	for (n = 0; n < RETRIED; n++)
		gfns[RETRIED_AT + n] = NO_GFN;
	if (map(i->fd, i->domid, i->area, MANY, gfns, errs) < 0)
		return false;
	for (n = 0; n < MANY; n++)
		if (!errs[n] == (n - RETRIED_AT < RETRIED))
			return false;
	frames_prepare(i, RETRIED_AT, RETRIED);
	return true;
}

static inline bool mapped_prepare(struct issuer *i)
{
	__u64 *gfns = fill(i, W_ARRAY);
	int errs[LARGE];
	unsigned int n;

	if (!with_area_of(i, LARGE))
		return false;
	for (n = 0; n < LARGE; n++)
		gfns[n] = FIRST_GFN + n % MANY;
	return !map(i->fd, i->domid, i->area, LARGE, gfns, errs) &&
	       all_bytes(errs, 0, sizeof(errs));
}

static inline long issue_munmap(struct issuer *i)
{
	if (munmap(i->area, LARGE * PAGE))
		return -errno;
	i->area = NULL;
	return 0;
}

static inline bool resource_prepare(struct issuer *i)
{
	long id;

	if (!with_area_of(i, 1))
		return false;
	id = ioreq_create(i->fd, i->domid);
	*(struct dmop_mmap_resource *)fill(i, W_ARG) = (struct dmop_mmap_resource){
		.dom = i->domid, .type = RESOURCE_IOREQ_SERVER, .id = id,
		.idx = FRAME_IOREQ, .num = 1, .addr = (unsigned long)i->area,
	};
	return id >= 0;
}

/* More than fit on the stack. */
static inline bool resources_prepare(struct issuer *i)
{
	if (!with_area_of(i, GRANT_FRAMES))
		return false;
	*(struct dmop_mmap_resource *)fill(i, W_ARG) = (struct dmop_mmap_resource){
		.dom = i->domid, .type = RESOURCE_GRANT_TABLE,
		.num = GRANT_FRAMES, .addr = (unsigned long)i->area,
	};
	return true;
}

static inline bool size_prepare(struct issuer *i)
{
	*(struct dmop_mmap_resource *)fill(i, W_ARG) = (struct dmop_mmap_resource){
		.dom = i->domid, .type = RESOURCE_GRANT_TABLE,
	};
	return with_bound(i);
}

static inline long issue_resource(struct issuer *i)
{
	return do_ioctl(i->fd, DMOP_IOCTL_MMAP_RESOURCE, use(i, W_ARG));
}

static inline bool narrow_prepare(struct issuer *i)
{
	*(struct dmop_narrow *)fill(i, W_ARG) = narrow_of(DMOP_NARROW_ALL);
	return with_bound(i);
}

static inline long issue_narrow(struct issuer *i)
{
	return narrow(i->fd, use(i, W_ARG));
}

/* One for all calls of a process. */
static inline int some_eventfd(void)
{
	static int event = -1;

	if (event < 0)
		event = eventfd(0, EFD_CLOEXEC);
	return event;
}

static inline bool irqfd_prepare(struct issuer *i)
{
	int event = some_eventfd();

	*(struct dm_op *)fill(i, W_DATA) = interrupt_op(VECTOR);
	*(struct dmop_irqfd *)fill(i, W_ARG) = (struct dmop_irqfd){
		.dm_op = use(i, W_DATA), .size = sizeof(struct dm_op), .fd = event, .dom = i->domid,
	};
	return event >= 0 && with_bound(i);
}

static inline long issue_irqfd(struct issuer *i)
{
	long ret = do_ioctl(i->fd, DMOP_IOCTL_IRQFD, use(i, W_ARG));

	/* A real-time kernel refuses it after all but the lock. */
	return ret == -EOPNOTSUPP ? 0 : ret;
}

/*
 * A server that is enabled. Its page, the area, has to exist then: Xen puts the ports there.
 * Return: its id, or -1.
 */
static inline long server_prepare(struct issuer *i)
{
	struct dmop_mmap_resource *m = fill(i, W_ARG);
	struct dm_op enable = { .op = DM_OP_SET_IOREQ_SERVER_STATE };

	if (!resource_prepare(i) || do_ioctl(i->fd, DMOP_IOCTL_MMAP_RESOURCE, m))
		return -1;
	enable.u.state.id = m->id;
	enable.u.state.enabled = 1;
	return dm_op(i->fd, i->domid, &enable) ? -1 : (long)m->id;
}

static inline bool serve_prepare(struct issuer *i)
{
	long id = server_prepare(i);

	if (id < 0)
		return false;
	munmap(i->area, PAGE);
	i->area = NULL;
	*(struct dmop_serve *)fill(i, W_ARG) = (struct dmop_serve){
		.size = sizeof(struct dmop_serve), .domid = i->domid, .server = id, .vcpus = 1,
		.rest_fd = some_eventfd(),
	};
	return some_eventfd() >= 0;
}

/* It ends with the descriptor. */
static inline long issue_serve(struct issuer *i)
{
	long ret = do_ioctl(i->fd, DMOP_IOCTL_SERVE, use(i, W_ARG));

	/* A real-time kernel refuses it before the lock, and so its end. */
	return ret == -EOPNOTSUPP ? 0 : ret;
}

static inline bool served_prepare(struct issuer *i)
{
	struct dmop_serve *s = fill(i, W_ARG);
	long ret;

	if (!serve_prepare(i))
		return false;
	ret = do_ioctl(i->fd, DMOP_IOCTL_SERVE, s);
	i->served = !ret;
	return !ret || ret == -EOPNOTSUPP;
}

static inline bool serve_end_prepare(struct issuer *i)
{
	struct dmop_serve *s = fill(i, W_ARG);

	if (!served_prepare(i))
		return false;
	s->flags = DMOP_SERVE_END;
	return true;
}

static inline bool answer_prepare(struct issuer *i)
{
	if (!served_prepare(i))
		return false;
	*(struct dmop_answer *)fill(i, W_ARG) = (struct dmop_answer){
		.size = sizeof(struct dmop_answer), .vcpus = { 1 },
	};
	return true;
}

static inline long issue_answer(struct issuer *i)
{
	long ret = do_ioctl(i->fd, DMOP_IOCTL_ANSWER, use(i, W_ARG));

	return ret == -EINVAL && !i->served ? 0 : ret;
}

static inline bool kick_prepare(struct issuer *i)
{
	*(struct dmop_kick *)fill(i, W_ARG) = (struct dmop_kick){
		.size = sizeof(struct dmop_kick), .domid = i->domid, .fd = some_eventfd(),
		.addr = 64,
	};
	return some_eventfd() >= 0 && with_bound(i);
}

static inline long issue_kick(struct issuer *i)
{
	long ret = do_ioctl(i->fd, DMOP_IOCTL_KICK, use(i, W_ARG));

	return ret == -EOPNOTSUPP ? 0 : ret;
}

/* One at a time of a process: the ports of the last one end here. */
static inline int new_evtchn(void)
{
	static int evtchn = -1;

	close(evtchn);
	evtchn = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	return evtchn;
}

static inline bool ioeventfd_prepare(struct issuer *i)
{
	long port;

	if (server_prepare(i) < 0)
		return false;
	port = bind_port(new_evtchn(), i->domid, first_port(i->area));
	*(__u32 *)fill(i, W_ARRAY) = port;
	*(struct dmop_ioeventfd *)fill(i, W_ARG) =
		ioeventfd_of(i->domid, i->area, use(i, W_ARRAY), some_eventfd());
	return port > 0 && some_eventfd() >= 0;
}

static inline long issue_ioeventfd(struct issuer *i)
{
	long ret = do_ioctl(i->fd, DMOP_IOCTL_IOEVENTFD, use(i, W_ARG));

	/* Linux before 6.7, and a real-time kernel, refuse it before the lock of the events. */
	return ret == -EOPNOTSUPP ? 0 : ret;
}

enum call_number {
	OPEN, CLOSE, CLOSE_LAST, POLL, MMAP, MUNMAP, INFO, RESTRICT, RESTRICT_FIRST,
	DM_OP, DM_OP_LARGE, DM_OP_UNBOUND, REFUSED, HYPERCALL, BATCH,
	MAP, MAP_RETRY, RESOURCE, RESOURCES, RESOURCE_SIZE, NARROW,
	MAP_PIECES, IRQFD, SERVE, SERVE_END, ANSWER, KICK, IOEVENTFD,
};

static const struct call calls[] = {
	[OPEN] = { "open", with_nothing, issue_open, 4, C_ENTRY | C_ALLOC },
	[CLOSE] = { "close", with_bound, issue_close, 1, C_ENTRY },
	[CLOSE_LAST] = { "close_last", with_bound, issue_close, 1, C_ENTRY, .first = true },
	[POLL] = { "poll", with_bound, issue_poll, 1, C_ENTRY },
	[MMAP] = { "mmap", with_bound, issue_mmap, 3, C_ENTRY | C_LOCK | C_ALLOC },
	[MUNMAP] = { "munmap", mapped_prepare, issue_munmap, 3, C_ENTRY | C_LOCK },
	[INFO] = { "info", info_prepare, issue_info, 3, C_ENTRY | C_FAULT },
	[RESTRICT] = { "restrict", with_unbound, issue_restrict, 6,
		       C_ENTRY | C_FAULT | C_ALLOC },
	[RESTRICT_FIRST] = { "restrict_first", with_unbound, issue_restrict, 6,
			     C_ENTRY | C_FAULT | C_ALLOC, .first = true },
	[DM_OP] = { "dm_op", dm_op_prepare, issue_dm_op, 8,
		    C_ENTRY | C_FAULT | C_SECTION | C_XEN },
	[DM_OP_LARGE] = { "dm_op_large", dm_op_large_prepare, issue_dm_op, 10,
			  C_ENTRY | C_FAULT | C_ALLOC | C_SECTION | C_XEN },
	[DM_OP_UNBOUND] = { "dm_op_unbound", dm_op_unbound_prepare, issue_dm_op, 8,
			    C_ENTRY | C_FAULT | C_LOCK | C_XEN },
	[REFUSED] = { "refused", refused_prepare, issue_refused, 4,
		      C_ENTRY | C_FAULT | C_ALLOC, .once = true },
	[HYPERCALL] = { "hypercall", hypercall_prepare, issue_hypercall, 8,
			C_ENTRY | C_FAULT | C_SECTION | C_XEN },
	[BATCH] = { "batch", batch_prepare, issue_batch, 10,
		    C_ENTRY | C_FAULT | C_ALLOC | C_SECTION | C_XEN },
	[MAP] = { "map", map_prepare, issue_map, 10,
		  C_ENTRY | C_FAULT | C_ALLOC | C_LOCK, .maps = true },
	[MAP_RETRY] = { "map_retry", retry_prepare, issue_map, 8,
			C_ENTRY | C_FAULT | C_ALLOC | C_LOCK, .maps = true },
	[RESOURCE] = { "resource", resource_prepare, issue_resource, 6,
		       C_ENTRY | C_FAULT | C_LOCK | C_XEN, .maps = true },
	[RESOURCES] = { "resources", resources_prepare, issue_resource, 6,
			C_ENTRY | C_FAULT | C_ALLOC | C_LOCK | C_XEN, .maps = true },
	[RESOURCE_SIZE] = { "resource_size", size_prepare, issue_resource, 4,
			    C_ENTRY | C_FAULT | C_XEN },
	[NARROW] = { "narrow", narrow_prepare, issue_narrow, 6,
		     C_ENTRY | C_FAULT | C_LOCK | C_WAIT },
	[MAP_PIECES] = { "map_pieces", pieces_prepare, issue_map, 12,
			 C_ENTRY | C_FAULT | C_ALLOC | C_LOCK, .maps = true },
	/* And C_LOCK, unless the kernel is a real-time one. */
	[IRQFD] = { "irqfd", irqfd_prepare, issue_irqfd, 4, C_ENTRY | C_FAULT | C_ALLOC },
	/* And C_LOCK, likewise; SERVE also C_ALLOC. */
	[SERVE] = { "serve", serve_prepare, issue_serve, 3, C_ENTRY | C_FAULT },
	[SERVE_END] = { "serve_end", serve_end_prepare, issue_serve, 3, C_ENTRY | C_FAULT },
	/* And C_XEN, likewise. */
	[ANSWER] = { "answer", answer_prepare, issue_answer, 7,
		     C_ENTRY | C_FAULT | C_LOCK | C_SECTION },
	/* And C_LOCK and C_ALLOC, likewise. */
	[KICK] = { "kick", kick_prepare, issue_kick, 3, C_ENTRY | C_FAULT },
	/* The lock is mmap_lock. */
	[IOEVENTFD] = { "ioeventfd", ioeventfd_prepare, issue_ioeventfd, 6,
			C_ENTRY | C_FAULT | C_ALLOC | C_LOCK },
};

/* --- the process that issues one --------------------------------------------------- */

/*
 * After the call.
 *
 * @ready: it was prepared
 * @ret:   its value
 * @stall: all of its points
 * @state: of the descriptor, DMOP_STATE_*
 * @mapped: frames, from INFO
 * @touch: signal from reading the area
 */
struct outcome {
	bool ready;
	long ret;
	struct stall_status stall;
	unsigned int state;
	__u64 mapped;
	int touch;
};

struct victim {
	pid_t pid;
	int results;	/* an outcome comes here if the call returns */
	int leave;	/* closed: it may exit */
};

/* Opened before a test stops anybody. */
static int stall_node = -1;

static inline bool status_of_stall(struct stall_status *st)
{
	return !ioctl(stall_node, STALL_STATUS, st);
}

static inline void after_call(const struct call *c, struct issuer *i, struct outcome *o)
{
	o->state = DMOP_STATE_UNBOUND;
	if (i->fd >= 0 && c->issue != issue_close) {
		struct dmop_info info;

		if (!dmop_info(i->fd, &info)) {
			o->state = info.state;
			o->mapped = info.mapped_frames;
		}
	}
	if (i->area && i->area != MAP_FAILED)
		o->touch = touch(i->area, false);
}

static inline void victim_main(const struct call *c, __u16 domid, __u32 nth, int results, int leave)
{
	struct issuer i = { .domid = domid, .fd = -1 };
	struct outcome o = { };
	char byte;
	int node;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	node = open(STALL_NODE, O_RDWR | O_CLOEXEC);
	o.ready = node >= 0 && windows_open(&i) && c->prepare(&i) &&
		  !ioctl(node, STALL_ARM, &nth);
	if (o.ready) {
		o.ret = c->issue(&i);
		ioctl(node, STALL_DISARM);
		ioctl(node, STALL_STATUS, &o.stall);
	}
	if (write(results, &o, sizeof(o)) != sizeof(o))
		_exit(1);
	if (o.ready && read(leave, &byte, 1) == 1) {
		after_call(c, &i, &o);
		if (write(results, &o, sizeof(o)) != sizeof(o) || read(leave, &byte, 1))
			_exit(1);
	}
	/* For the next call on this domain: it can have so many servers. */
	if (dmop_state(i.fd) != DMOP_STATE_REVOKED)
		ioreq_destroy_all(i.fd, domid);
	_exit(0);
}

static inline bool victim_start(struct victim *v, const struct call *c, __u16 domid, __u32 nth)
{
	int results[2], leave[2];

	if (pipe2(results, O_CLOEXEC) || pipe2(leave, O_CLOEXEC))
		return false;
	v->pid = fork();
	if (!v->pid) {
		close(results[0]);
		close(leave[1]);
		victim_main(c, domid, nth, results[1], leave[0]);
	}
	close(results[1]);
	close(leave[0]);
	v->results = results[0];
	v->leave = leave[1];
	return v->pid > 0;
}

static inline bool victim_outcome(struct victim *v, struct outcome *o)
{
	return read(v->results, o, sizeof(*o)) == sizeof(*o);
}

/* Has it look at its descriptor now. */
static inline bool victim_look(struct victim *v, struct outcome *o)
{
	return write(v->leave, "", 1) == 1 && victim_outcome(v, o);
}

/* The state of a victim that was started. */
#define V_STOPPED	1
#define V_RETURNED	2
#define V_LOST		3	/* neither, for a long time */

static inline int victim_wait(struct victim *v, struct stall_status *st, struct outcome *o,
			      unsigned int seconds)
{
	struct pollfd p = { .fd = v->results, .events = POLLIN };
	unsigned int tries = seconds * 1000;

	while (tries--) {
		if (status_of_stall(st) && st->stopped && st->pid == (__u32)v->pid)
			return V_STOPPED;
		if (poll(&p, 1, 1) > 0)
			return victim_outcome(v, o) ? V_RETURNED : V_LOST;
	}
	return V_LOST;
}

/* Return: true if it has ended. */
static inline bool victim_end(struct victim *v, bool kills)
{
	int i;

	if (kills)
		kill(v->pid, SIGKILL);
	close(v->leave);
	close(v->results);
	for (i = 0; i < 60000; i++) {
		if (waitpid(v->pid, NULL, WNOHANG) == v->pid)
			return true;
		usleep(1000);
	}
	return false;
}

#endif /* DMOP_STALL_CALLS_H */
