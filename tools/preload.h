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

#include <sys/types.h>

int dmop_open(const char *path, int flags, mode_t mode) asm("open");
int dmop_open64(const char *path, int flags, mode_t mode) asm("open64");
int dmop_openat(int dir, const char *path, int flags, mode_t mode) asm("openat");
int dmop_openat64(int dir, const char *path, int flags, mode_t mode) asm("openat64");

int dmop_open_2(const char *path, int flags) asm("__open_2");
int dmop_open64_2(const char *path, int flags) asm("__open64_2");
int dmop_openat_2(int dir, const char *path, int flags) asm("__openat_2");
int dmop_openat64_2(int dir, const char *path, int flags) asm("__openat64_2");

#endif /* PRELOAD_H */
