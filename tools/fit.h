/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fit.h - is a program fit for the preload library?
 */
#ifndef FIT_H
#define FIT_H

#include <stddef.h>

enum fit {
	FIT,
	UNFIT,		/* it would run without the library */
	NO_PROGRAM,	/* neither ELF nor "#!": the kernel does not execute it */
	MISSING,	/* no such file */
};

/*
 * fit_file() - will the loader load a library from LD_PRELOAD into a program?
 *
 * A script is as fit as its interpreter. Apart from the file, the ids of this process count.
 *
 * @path: the program; named in the reason
 * @why:  the reason, a sentence with the name of the file, unless FIT
 * @size: of @why
 */
enum fit fit_file(const char *path, char *why, size_t size);

/* The same for an open file. @name: for the reason. */
enum fit fit_descriptor(int fd, const char *name, char *why, size_t size);

#endif /* FIT_H */
