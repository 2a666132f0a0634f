// SPDX-License-Identifier: GPL-2.0
/*
 * fake.c - /dev/xen/dmop, bound to FAKE_DOMID, and the stock node, for tests without Xen
 *
 * Preloaded by run_test.sh behind the library under test. /dev/zero stands for /dev/xen/dmop, and
 * /dev/full for the stock node. In the environment of dmop-run: FAKE_RESTRICT is the errno of
 * RESTRICT, FAKE_DM_OP that of a dm_op, FAKE_UNPRIVILEGED: without CAP_SYS_ADMIN, FAKE_OLD: a module
 * without NARROW. Each NARROW is a line on the descriptor FAKE_NARROW. The open file keeps what it
 * is for, as flags: O_APPEND without calls, O_NONBLOCK without mappings.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <xen/dmop.h>

#define FAKE_DOMID	7

static const char *other_path(const char *path)
{
	if (!strcmp(path, "/dev/xen/dmop"))
		return "/dev/zero";
	if (!strcmp(path, "/dev/xen/privcmd"))
		return "/dev/full";
	return path;
}

static int call_open(const char *name, const char *path, int flags, mode_t mode)
{
	int (*real)(const char *path, int flags, ...);

	real = dlsym(RTLD_NEXT, name);
	return real(other_path(path), flags, mode);
}

int fake_open(const char *path, int flags, mode_t mode) asm("open");
int fake_open64(const char *path, int flags, mode_t mode) asm("open64");
int fake_ioctl(int fd, unsigned long cmd, void *arg) asm("ioctl");

int fake_open(const char *path, int flags, mode_t mode)
{
	return call_open("open", path, flags, mode);
}

int fake_open64(const char *path, int flags, mode_t mode)
{
	return call_open("open64", path, flags, mode);
}

static int answer(const char *variable)
{
	const char *value = getenv(variable);

	errno = value ? atoi(value) : 0;
	return errno ? -1 : 0;
}

static int restrict_to(__u16 domid)
{
	if (getenv("FAKE_UNPRIVILEGED"))
		errno = EPERM;
	else if (domid > DMOP_DOMID_MAX)
		errno = EINVAL;
	else
		return answer("FAKE_RESTRICT");
	return -1;
}

static int narrow(int fd, const struct dmop_narrow *n)
{
	const unsigned long long maps = DMOP_RIGHT_MAP_FOREIGN | DMOP_RIGHT_MAP_RESOURCE;
	const char *log = getenv("FAKE_NARROW");
	int flags = fcntl(fd, F_GETFL);

	if (getenv("FAKE_OLD")) {
		errno = ENOTTY;
		return -1;
	}
	if (log)
		dprintf(atoi(log), "flags=%#x acts=%#llx ops=%#llx,%#llx resources=%#llx frames=%llu gfns=%#llx-%#llx\n",
			n->flags, n->acts, n->ops[0], n->ops[1], n->resources, n->max_frames,
			n->gfn_first, n->gfn_last);
	if (!(n->acts & DMOP_RIGHT_CALL))
		flags |= O_APPEND;
	if (!(n->acts & maps))
		flags |= O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags);
}

static int is_dmop(int fd)
{
	struct stat st, zero;

	return !fstat(fd, &st) && !stat("/dev/zero", &zero) && st.st_rdev == zero.st_rdev;
}

int fake_ioctl(int fd, unsigned long cmd, void *arg)
{
	int (*real)(int fd, unsigned long cmd, ...) = dlsym(RTLD_NEXT, "ioctl");

	if (!is_dmop(fd))
		return real(fd, cmd, arg);
	switch (cmd) {
	case DMOP_IOCTL_INFO:
		*(struct dmop_info *)arg = (struct dmop_info) {
			.size = sizeof(struct dmop_info),
			.abi_version = DMOP_ABI_VERSION,
			.state = DMOP_STATE_BOUND,
			.domid = FAKE_DOMID,
			.features = DMOP_FEATURE_DM_OP | DMOP_FEATURE_MAP |
				    (getenv("FAKE_OLD") ? 0 : DMOP_FEATURE_NARROW),
		};
		return 0;
	case DMOP_IOCTL_RESTRICT:
		return restrict_to(*(__u16 *)arg);
	case DMOP_IOCTL_NARROW:
		return narrow(fd, arg);
	case DMOP_IOCTL_DM_OP:
		return answer("FAKE_DM_OP");
	default:
		errno = ENOTTY;
		return -1;
	}
}
