// SPDX-License-Identifier: GPL-2.0
/*
 * tries.c - calls that verify tries on descriptors of another process
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define domid_t uint16_t	/* needed by the header */
#include <xen/evtchn.h>

#include "dmopctl.h"
#include "tries.h"

/* This hypercall returns a version number, and has no effect. */
#define OP_XEN_VERSION	17
#define XEN_VERSION	0

/* A dm_op that does not exist. */
#define DM_OP_NONE	0xffffffffU

#define DOMID_NOT_POSSIBLE	0xffff

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
} tries[] = {
	{ "dm_op", dm_op, EPERM },
	{ "dm_op as a raw hypercall", raw_dm_op, EPERM },
	{ "another hypercall", other_hypercall, EPERM },
	{ "mapping its memory", map_memory, EPERM },
	{ "mapping a resource", map_resource, EPERM },
	{ "binding to it", bind_again, EINVAL },
};

int try_others(int fd, unsigned int other, char *text, size_t size)
{
	int bad = 0, got;
	size_t at = 0, i;

	*text = 0;
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		got = tries[i].run(fd, other) < 0 ? errno : 0;
		if (got == tries[i].expected && bad)
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
