// SPDX-License-Identifier: GPL-2.0
/*
 * open.c - the functions of libc that open a file
 *
 * Part of the preload library; preload.c decides which opens are replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "preload.h"

/* Return: @fd, or -1 with errno. */
static int confined(int fd, int flags)
{
	int err;

	if (fd < 0 || confine(fd, flags))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static int any_open(const char *name, const char *path, int flags, mode_t mode,
		    const void *caller)
{
	int (*real)(const char *path, int flags, ...);
	int fd = instead(path, flags, caller);

	if (fd != NOT_OURS)
		return fd;
	real = next(name);
	return confined(real(path, flags, mode), flags);
}

static int any_openat(const char *name, int dir, const char *path, int flags,
		      mode_t mode, const void *caller)
{
	int (*real)(int dir, const char *path, int flags, ...);
	int fd = instead(path, flags, caller);

	if (fd != NOT_OURS)
		return fd;
	real = next(name);
	return confined(real(dir, path, flags, mode), flags);
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

/* Return: a stream, or NULL with errno; @fd is closed then. */
static FILE *stream_of(int fd, const char *mode)
{
	FILE *stream = fdopen(fd, mode);
	int err = errno;

	if (!stream)
		close(fd);
	errno = err;
	return stream;
}

/* Return: @stream, or NULL with errno. */
static FILE *confined_stream(FILE *stream, int flags)
{
	int err;

	if (!stream || confine(fileno(stream), flags))
		return stream;
	err = errno;
	fclose(stream);
	errno = err;
	return NULL;
}

/* The C library does not call open() for it in a way that can be interposed. */
static FILE *any_fopen(const char *name, const char *path, const char *mode, const void *caller)
{
	FILE *(*real)(const char *path, const char *mode) = next(name);
	const int flags = memchr(mode, 'e', strcspn(mode, ",")) ? O_CLOEXEC : 0;
	int fd = instead_of_stream(path, flags, caller);

	if (fd == NOT_OURS)
		return confined_stream(real(path, mode), flags);
	return fd < 0 ? NULL : stream_of(fd, mode);
}

FILE *dmop_fopen(const char *path, const char *mode)
{
	return any_fopen("fopen", path, mode, CALLER);
}

FILE *dmop_fopen64(const char *path, const char *mode)
{
	return any_fopen("fopen64", path, mode, CALLER);
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
