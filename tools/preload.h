/* SPDX-License-Identifier: GPL-2.0 */
/*
 * preload.h - the functions of libc that the preload library interposes
 *
 * The names differ from libc's in the source only, not in the object file. The mode is always a
 * parameter: on x86-64 it is in the same register as an argument for "...", and without O_CREAT it
 * is ignored.
 */
#ifndef PRELOAD_H
#define PRELOAD_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* All other functions are hidden. */
#define INTERPOSED	__attribute__((visibility("default")))

INTERPOSED int dmop_open(const char *path, int flags, mode_t mode) asm("open");
INTERPOSED int dmop_open64(const char *path, int flags, mode_t mode) asm("open64");
INTERPOSED int dmop_openat(int dir, const char *path, int flags, mode_t mode) asm("openat");
INTERPOSED int dmop_openat64(int dir, const char *path, int flags, mode_t mode) asm("openat64");

INTERPOSED int dmop_open_2(const char *path, int flags) asm("__open_2");
INTERPOSED int dmop_open64_2(const char *path, int flags) asm("__open64_2");
INTERPOSED int dmop_openat_2(int dir, const char *path, int flags) asm("__openat_2");
INTERPOSED int dmop_openat64_2(int dir, const char *path, int flags) asm("__openat64_2");

/* Xen's libraries use open() only; other code may use these. */
INTERPOSED FILE *dmop_fopen(const char *path, const char *mode) asm("fopen");
INTERPOSED FILE *dmop_fopen64(const char *path, const char *mode) asm("fopen64");

/* Not to be replaced: libc opens the file. */
#define NOT_OURS	(-2)

/*
 * instead() - replace an open of the stock node, or of an image
 * @path:   of the file; not the stock node: NOT_OURS
 * @flags:  O_CLOEXEC counts
 * @caller: return address of the open function
 *
 * Return: a descriptor; -1 with errno; or NOT_OURS.
 */
int instead(const char *path, int flags, const void *caller);

/* The same for a stream; images are left to libc. */
int instead_of_stream(const char *path, int flags, const void *caller);

/*
 * confine() - replace the file behind a descriptor that libc has opened
 *
 * Only if it is the stock node and --every-caller was given: a link and a relative path lead to the
 * node as well.
 *
 * Return: false with errno if the file cannot be replaced.
 */
bool confine(int fd, int flags);

/* The handover to the next program. */
struct handover {
	char text[64];		/* the value of HANDOVER_VAR */
	const char *library;
	bool open;		/* the descriptors are there, and stay open across exec */
};

/* Return: false: this program is no launcher, and *@h is not set. */
bool launcher_handover(struct handover *h);

/* Return: libc's function, or that of the next preloaded library. */
void *next(const char *name);

#endif /* PRELOAD_H */
