/* SPDX-License-Identifier: GPL-2.0 */
/*
 * count.h - calls of a program in the machine to count.c, a plugin of the QEMU around it
 */
#ifndef DMOP_COUNT_H
#define DMOP_COUNT_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "windows.h"

static inline void count_call(uint64_t address)
{
	((void (*)(void))address)();
}

/*
 * Starts the counting, if it has not begun. Return: the file for the descriptions of the windows, one
 * line each in their order, after those that are there; NULL if that failed.
 */
static inline FILE *count_arm(const char *file)
{
	void *page = mmap((void *)COUNT_PAGE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	FILE *f;

	if (page == MAP_FAILED)
		return NULL;
	memset(page, 0xc3, 4096);	/* return instructions */
	f = fopen(file, "a");
	if (!f)
		return NULL;
	/* By lines, so that a child does not write the buffer of its parent again. */
	setlinebuf(f);
	count_call(COUNT_ARM);
	/* It takes effect once every processor has noticed it. */
	sleep(1);
	return f;
}

#endif /* DMOP_COUNT_H */
