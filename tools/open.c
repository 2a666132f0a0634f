// SPDX-License-Identifier: GPL-2.0
/*
 * open.c - the functions of libc that open a file
 *
 * Part of the preload library; preload.c decides which opens are replaced.
 */
#include "preload.h"

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
