/* SPDX-License-Identifier: GPL-2.0 */
/*
 * profile.h - a file with the rights that a device model keeps, see dmop-run(8)
 */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include <xen/dmop.h>

/* Where the Makefile installs to. */
#ifndef PROFILEDIR
#define PROFILEDIR	"/usr/share/dmop/profiles"
#endif

/* Operations and types of resources with a bit in struct dmop_narrow. */
#define NR_OPS		128
#define NR_RESOURCES	64

/**
 * profile_read() - read a profile
 * @name: a path, or without a slash the name of a file in PROFILEDIR
 * @n:    result
 * @why:  a sentence with the file, and the line of the first error; unless true
 * @size: of @why
 *
 * Return: true if there is no error.
 */
bool profile_read(const char *name, struct dmop_narrow *n, char *why, size_t size);

/* Return: the name of a number, or NULL. */
const char *profile_op_name(unsigned int op);
const char *profile_resource_name(unsigned int type);

#endif /* PROFILE_H */
