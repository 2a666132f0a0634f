/* SPDX-License-Identifier: GPL-2.0 */
/* fortify.h - glibc's variants of open() for programs built with _FORTIFY_SOURCE, always declared */
#ifndef FORTIFY_H
#define FORTIFY_H

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);

#endif /* FORTIFY_H */
