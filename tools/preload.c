// SPDX-License-Identifier: GPL-2.0
/*
 * preload.c - redirect the Xen libraries of an unmodified program to the restricted node
 *
 * Xen's libraries have a fixed path of the stock node. This library interposes libc's open(), and
 * gives libxendevicemodel and libxenforeignmemory a duplicate of the descriptor that dmop-run has
 * opened and bound. The duplication needs neither privileges nor access to /dev, so it also works
 * after chroot() or a change of uid, and under seccomp.
 *
 * libxencall issues raw hypercalls. The restricted node refuses them, but some programs need a few
 * before they restrict themselves. So libxencall keeps the stock node (its own restriction replaces
 * the node by /dev/null), unless dmop-run was started with --no-stock.
 *
 * This library is no security barrier: a program with privileges can open any node. The barrier is
 * the binding of the descriptor in the kernel.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xen/dmop.h>
#include "handover.h"
#include "images.h"
#include "preload.h"

/* Not to be redirected: libc opens the file. */
#define NOT_OURS	(-2)

static int bound_fd = -1;
static struct stat bound_stat;
static bool for_xencall;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "dmop-run: " PRELOAD_NAME ": %s\n", what);
	_exit(EXIT_OTHER);
}

static bool is_bound_to(int fd, unsigned int domid)
{
	struct dmop_info info = { .size = sizeof(info) };

	return !ioctl(fd, DMOP_IOCTL_INFO, &info) &&
	       info.state != DMOP_STATE_UNBOUND && info.domid == domid;
}

/* Removes the first word, this library; the rest is the value from before dmop-run. */
static void clean_preload(void)
{
	char *value = getenv(PRELOAD_VAR), *rest = NULL;

	if (!value)
		return;
	value += strcspn(value, PRELOAD_SEPARATORS);
	value += strspn(value, PRELOAD_SEPARATORS);
	if (*value)
		rest = strdup(value);
	if (rest)
		setenv(PRELOAD_VAR, rest, 1);
	else
		unsetenv(PRELOAD_VAR);
	free(rest);
}

/*
 * The constructor of another library may call open() before this one runs, so each open() calls
 * this function too. At that time there is only one thread.
 */
static void __attribute__((constructor)) take_over(void)
{
	static bool done;
	unsigned int domid;
	const char *value;
	int fd, xencall;

	if (done)
		return;
	done = true;
	value = getenv(HANDOVER_VAR);
	if (!value)
		return;
	if (sscanf(value, HANDOVER_FORMAT, &fd, &domid, &xencall) != 3)
		die(HANDOVER_VAR " is garbled");
	if (!is_bound_to(fd, domid) || fstat(fd, &bound_stat) ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC))
		die("the descriptor that was handed over is not what it should be");
	bound_fd = fd;
	for_xencall = xencall;
	take_over_images();
	/* Children of the program must not inherit the redirection. */
	unsetenv(HANDOVER_VAR);
	clean_preload();
}

/* A program may close unknown descriptors and reuse their numbers. */
static bool still_ours(void)
{
	struct stat now;

	return !fstat(bound_fd, &now) && S_ISCHR(now.st_mode) &&
	       now.st_rdev == bound_stat.st_rdev;
}

static bool is_library(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return !strncmp(slash ? slash + 1 : path, name, strlen(name));
}

/* Identifies the calling library by the return address of open(). */
static bool is_from(const void *caller, const char *library)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname && is_library(info.dli_fname, library);
}

static bool is_confined(const void *caller)
{
	return is_from(caller, "libxendevicemodel.so") ||
	       is_from(caller, "libxenforeignmemory.so") ||
	       (for_xencall && is_from(caller, "libxencall.so"));
}

/* Return: a descriptor; -1 with errno; or NOT_OURS. */
static int instead(const char *path, int flags, const void *caller)
{
	int fd;

	take_over();
	if (bound_fd < 0 || !path)
		return NOT_OURS;
	fd = open_image(path, flags);
	if (fd != NO_IMAGE)
		return fd;
	/*
	 * The stock driver's hypercall buffers are of no use here. libxencall works without them on
	 * ENOENT, but fails on any other error.
	 */
	if (for_xencall && !strcmp(path, BUFFER_NODE) && is_from(caller, "libxencall.so")) {
		errno = ENOENT;
		return -1;
	}
	if ((strcmp(path, STOCK_NODE) && strcmp(path, STOCK_NODE_OLD)) || !is_confined(caller))
		return NOT_OURS;
	if (!still_ours()) {
		fprintf(stderr, "dmop-run: the program has closed the descriptor of "
			DMOP_NODE " before its libraries opened it\n");
		errno = EBADF;
		return -1;
	}
	return fcntl(bound_fd, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
}

static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		die("the program's C library lacks a function that it calls");
	return function;
}

static int any_open(const char *name, const char *path, int flags, mode_t mode,
		    const void *caller)
{
	int (*real)(const char *path, int flags, ...);
	int fd = instead(path, flags, caller);

	if (fd != NOT_OURS)
		return fd;
	real = next(name);
	return real(path, flags, mode);
}

static int any_openat(const char *name, int dir, const char *path, int flags,
		      mode_t mode, const void *caller)
{
	int (*real)(int dir, const char *path, int flags, ...);
	int fd = instead(path, flags, caller);

	if (fd != NOT_OURS)
		return fd;
	real = next(name);
	return real(dir, path, flags, mode);
}

/* Separate functions, so that the return address is that of the caller of open(). */
#define CALLER __builtin_return_address(0)

int dmop_open(const char *path, int flags, mode_t mode)
{
	return any_open("open", path, flags, mode, CALLER);
}

int dmop_open64(const char *path, int flags, mode_t mode)
{
	return any_open("open64", path, flags, mode, CALLER);
}

int dmop_openat(int dir, const char *path, int flags, mode_t mode)
{
	return any_openat("openat", dir, path, flags, mode, CALLER);
}

int dmop_openat64(int dir, const char *path, int flags, mode_t mode)
{
	return any_openat("openat64", dir, path, flags, mode, CALLER);
}

/* Variants of open() in programs built with _FORTIFY_SOURCE. */

int dmop_open_2(const char *path, int flags)
{
	return any_open("__open_2", path, flags, 0, CALLER);
}

int dmop_open64_2(const char *path, int flags)
{
	return any_open("__open64_2", path, flags, 0, CALLER);
}

int dmop_openat_2(int dir, const char *path, int flags)
{
	return any_openat("__openat_2", dir, path, flags, 0, CALLER);
}

int dmop_openat64_2(int dir, const char *path, int flags)
{
	return any_openat("__openat64_2", dir, path, flags, 0, CALLER);
}
