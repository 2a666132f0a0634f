// SPDX-License-Identifier: GPL-2.0
/*
 * tries.c - calls that verify tries on descriptors of another process
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define domid_t uint16_t	/* needed by the header */
#include <xen/evtchn.h>

#include "dmopctl.h"
#include "narrowed.h"
#include "tries.h"

/* This hypercall returns a version number, and has no effect. */
#define OP_XEN_VERSION	17
#define XEN_VERSION	0

/* A dm_op that does not exist. */
#define DM_OP_NONE	0xffffffffU

#define DOMID_NOT_POSSIBLE	0xffff

#define AREA_SIZE	4096

int try_info(int fd, struct dmop_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return ioctl(fd, DMOP_IOCTL_INFO, info) ? errno : 0;
}

/* --- calls that must be refused ---------------------------------------- */

static int dm_op(int fd, unsigned int domid)
{
	uint32_t op[32] = { DM_OP_NONE };
	struct dmop_buf buf = { op, sizeof(op) };
	struct dmop_dm_op arg = { domid, 1, &buf };

	return ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

static int raw_dm_op(int fd, unsigned int domid)
{
	uint32_t op[32] = { DM_OP_NONE };
	struct dmop_buf buf = { op, sizeof(op) };
	struct dmop_hypercall arg = { DMOP_HYPERCALL_NR, { domid, 1, (uintptr_t)&buf } };

	return ioctl(fd, DMOP_IOCTL_HYPERCALL, &arg);
}

static int other_hypercall(int fd, unsigned int domid)
{
	struct dmop_hypercall arg = { OP_XEN_VERSION, { XEN_VERSION } };

	(void)domid;
	return ioctl(fd, DMOP_IOCTL_HYPERCALL, &arg);
}

/* There is no area at address 0, so an admitted call maps nothing. */
static int map_memory(int fd, unsigned int domid)
{
	__u64 gfn = 0;
	int err = 0;
	struct dmop_mmapbatch_v2 arg = { .num = 1, .dom = domid, .arr = &gfn, .err = &err };

	return ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &arg);
}

/* Without an address and frames it is a query of the size. */
static int map_resource(int fd, unsigned int domid)
{
	struct dmop_mmap_resource arg = { .dom = domid };

	return ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &arg);
}

/* In these four the descriptor is of no file, so an admitted call changes nothing. */
static int irqfd(int fd, unsigned int domid)
{
	struct dmop_irqfd arg = { .fd = -1, .size = DMOP_IRQFD_OP_MIN, .dom = domid };

	return ioctl(fd, DMOP_IOCTL_IRQFD, &arg);
}

static int ioeventfd(int fd, unsigned int domid)
{
	struct dmop_ioeventfd arg = {
		.addr_len = 4, .event_fd = -1, .vcpus = 1, .dom = domid,
	};

	return ioctl(fd, DMOP_IOCTL_IOEVENTFD, &arg);
}

static int serve(int fd, unsigned int domid)
{
	struct dmop_serve arg = {
		.size = sizeof(arg), .domid = domid, .vcpus = 1, .rest_fd = -1,
	};

	return ioctl(fd, DMOP_IOCTL_SERVE, &arg);
}

static int kick(int fd, unsigned int domid)
{
	struct dmop_kick arg = { .size = sizeof(arg), .domid = domid, .fd = -1 };

	return ioctl(fd, DMOP_IOCTL_KICK, &arg);
}

/* It names no domain. Of no virtual processor, an admitted call changes nothing. */
static int answer(int fd)
{
	struct dmop_answer arg = { .size = sizeof(arg) };

	return ioctl(fd, DMOP_IOCTL_ANSWER, &arg);
}

/* The file is bound already, so this cannot bind it. */
static int bind_again(int fd, unsigned int domid)
{
	uint16_t arg = domid;

	return ioctl(fd, DMOP_IOCTL_RESTRICT, &arg);
}

static const struct {
	const char *what;
	int (*run)(int fd, unsigned int domid);
	int expected;
	unsigned long long feature;	/* without it the call is not tried */
} tries[] = {
	{ "dm_op", dm_op, EPERM, 0 },
	{ "dm_op as a raw hypercall", raw_dm_op, EPERM, 0 },
	{ "another hypercall", other_hypercall, EPERM, 0 },
	{ "mapping its memory", map_memory, EPERM, 0 },
	{ "mapping a resource", map_resource, EPERM, 0 },
	{ "an irqfd", irqfd, EPERM, 0 },
	{ "an ioeventfd", ioeventfd, EPERM, DMOP_FEATURE_IOEVENTFD },
	{ "serving an ioreq server", serve, EPERM, 0 },
	{ "a kick", kick, EPERM, 0 },
	{ "binding to it", bind_again, EINVAL, 0 },
};

int try_others(int fd, const struct dmop_info *info, unsigned int other, char *text, size_t size)
{
	int bad = 0, got;
	size_t at = 0, i;

	*text = 0;
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		if (tries[i].feature & ~info->features)
			continue;
		got = tries[i].run(fd, other) < 0 ? errno : 0;
		/* An older module does not have the call. */
		if (got == ENOTTY || (got == tries[i].expected && bad))
			continue;
		if (got != tries[i].expected && !bad) {
			bad = -1;
			at = 0;
		}
		if (at < size)
			at += snprintf(text + at, size - at, "%s%s", at ? ", " : "", tries[i].what);
		if (bad && at < size)
			at += snprintf(text + at, size - at, " (%s)", got ? strerror(got) : "done");
	}
	return bad;
}

/* --- calls that NARROW has removed -------------------------------------- */

struct removed {
	int fd;
	unsigned int domid, nr;
	char *text;
	size_t size, at;
};

/* Counts a call with this result. Of a domain that has died meanwhile, ESRCH is an answer as well. */
static void must_refuse(struct removed *r, int ret, const char *what, int number)
{
	int err = ret < 0 ? errno : 0;

	r->nr++;
	if (err == EPERM || err == ESRCH || r->at >= r->size)
		return;
	r->at += snprintf(r->text + r->at, r->size - r->at, "%s%s", r->at ? ", " : "", what);
	if (number >= 0 && r->at < r->size)
		r->at += snprintf(r->text + r->at, r->size - r->at, " %d", number);
	if (r->at < r->size)
		r->at += snprintf(r->text + r->at, r->size - r->at, " (%s)", err ? strerror(err) : "done");
}

/* Xen wants the 4 bytes behind the number before it reads it: EFAULT. */
static int short_op(int fd, unsigned int domid, uint32_t op)
{
	struct dmop_buf buf = { &op, sizeof(op) };
	struct dmop_dm_op arg = { domid, 1, &buf };

	return ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

static int batch_op(int fd, unsigned int domid)
{
	struct {
		struct dmop_batch batch;
		struct dmop_batch_op op;
		uint32_t buf[2];
	} arg = {
		.batch = {
			.size = sizeof(arg.batch), .domid = domid, .nr = 1,
			.bytes = sizeof(arg.op) + sizeof(arg.buf),
		},
		.op.size = { sizeof(arg.buf) },
		.buf = { DM_OP_NONE },
	};

	return ioctl(fd, DMOP_IOCTL_BATCH, &arg);
}

static int query_resource(int fd, unsigned int domid, unsigned int type)
{
	struct dmop_mmap_resource arg = { .dom = domid, .type = type };

	return ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &arg);
}

static int make_area(int fd, int protection)
{
	void *area = mmap(NULL, AREA_SIZE, protection, MAP_SHARED, fd, 0);

	if (area == MAP_FAILED)
		return -1;
	munmap(area, AREA_SIZE);
	return 0;
}

static int map_no_frame(int fd, unsigned int domid)
{
	void *area = mmap(NULL, AREA_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	__u64 gfn = ~0ULL;
	int ret, result = 0, err;
	struct dmop_mmapbatch_v2 arg = {
		.num = 1, .dom = domid, .addr = (uintptr_t)area, .arr = &gfn, .err = &result,
	};

	if (area == MAP_FAILED)
		return -1;
	ret = ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &arg);
	err = errno;
	munmap(area, AREA_SIZE);
	errno = err;
	return ret;
}

static void try_calls(struct removed *r, const struct rights *rights)
{
	const bool call = rights->acts & DMOP_RIGHT_CALL;
	unsigned int op;

	if (call && !(rights->narrowed & DMOP_NARROW_OPS))
		return;
	must_refuse(r, dm_op(r->fd, r->domid), "an unknown dm_op", -1);
	must_refuse(r, raw_dm_op(r->fd, r->domid), "an unknown dm_op as a raw hypercall", -1);
	must_refuse(r, batch_op(r->fd, r->domid), "an unknown dm_op in a batch", -1);
	for (op = 0; call && op < NR_OPS; op++)
		if (!rights_op(rights, op))
			must_refuse(r, short_op(r->fd, r->domid, op), "dm_op", op);
}

static void try_maps(struct removed *r, const struct rights *rights)
{
	const unsigned long long maps = DMOP_RIGHT_MAP_FOREIGN | DMOP_RIGHT_MAP_RESOURCE;
	unsigned int type;

	if (!(rights->acts & DMOP_RIGHT_MAP_FOREIGN))
		must_refuse(r, map_memory(r->fd, r->domid), "mapping memory", -1);
	else if (rights->narrowed & DMOP_NARROW_GFNS && rights->gfn_last < ~0ULL)
		must_refuse(r, map_no_frame(r->fd, r->domid), "mapping frame -1", -1);
	if (!(rights->acts & DMOP_RIGHT_MAP_RESOURCE))
		must_refuse(r, query_resource(r->fd, r->domid, 0), "mapping a resource", -1);
	for (type = 0; rights->acts & DMOP_RIGHT_MAP_RESOURCE && type < NR_RESOURCES; type++)
		if (!rights_resource(rights, type))
			must_refuse(r, query_resource(r->fd, r->domid, type), "resource", type);
	if (!(rights->acts & maps))
		must_refuse(r, make_area(r->fd, PROT_READ), "an area", -1);
	if (!(rights->acts & maps) || !(rights->acts & DMOP_RIGHT_MAP_WRITE))
		must_refuse(r, make_area(r->fd, PROT_READ | PROT_WRITE), "a writable area", -1);
}

/* A module without a feature does not know its calls, or has no use for them. */
static void try_events(struct removed *r, const struct rights *rights, unsigned long long features)
{
	if (rights->acts & DMOP_RIGHT_EVENT)
		return;
	if (features & DMOP_FEATURE_IRQFD)
		must_refuse(r, irqfd(r->fd, r->domid), "an irqfd", -1);
	if (features & DMOP_FEATURE_IOEVENTFD)
		must_refuse(r, ioeventfd(r->fd, r->domid), "an ioeventfd", -1);
	if (features & DMOP_FEATURE_SERVE) {
		must_refuse(r, serve(r->fd, r->domid), "serving an ioreq server", -1);
		must_refuse(r, answer(r->fd), "an answer", -1);
		must_refuse(r, kick(r->fd, r->domid), "a kick", -1);
	}
}

int try_removed(int fd, const struct dmop_info *info, char *text, size_t size, unsigned int *nr)
{
	struct removed r = { .fd = fd, .domid = info->domid, .text = text, .size = size };
	struct rights rights;

	*text = 0;
	rights_of_info(&rights, info);
	if (rights.narrowed) {
		try_calls(&r, &rights);
		try_maps(&r, &rights);
		try_events(&r, &rights, info->features);
	}
	*nr = r.nr;
	return r.at ? -1 : 0;
}

/* --- the stock nodes --------------------------------------------------- */

enum stock try_privcmd(int fd)
{
	/* The driver checks the restriction before it reads the argument; the read then fails. */
	if (!ioctl(fd, DMOP_IOCTL_HYPERCALL, NULL))
		return STOCK_UNKNOWN;
	if (errno == EPERM)
		return STOCK_RESTRICTED;
	return errno == EFAULT ? STOCK_OPEN : STOCK_UNKNOWN;
}

/* Without buffers the call only checks the restriction. */
int try_privcmd_domain(int fd, unsigned int domid)
{
	struct dmop_dm_op arg = { domid, 0, NULL };

	return !ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

enum stock try_evtchn(int fd)
{
	struct ioctl_evtchn_restrict_domid arg = { .domid = DOMID_NOT_POSSIBLE };

	if (!ioctl(fd, IOCTL_EVTCHN_RESTRICT_DOMID, &arg))
		return STOCK_UNKNOWN;
	if (errno == EACCES)
		return STOCK_RESTRICTED;
	return errno == EINVAL || errno == ENOTTY ? STOCK_OPEN : STOCK_UNKNOWN;
}
