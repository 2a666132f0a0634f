/* SPDX-License-Identifier: GPL-2.0 */
/*
 * count.h - where a program calls that count.c, outside the machine, watches
 */
#ifndef DMOP_COUNT_H
#define DMOP_COUNT_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT_PAGE	0x123456789000ULL
#define COUNT_ARM	COUNT_PAGE
#define COUNT_BEGIN	(COUNT_PAGE + 0x400)
#define COUNT_END	(COUNT_PAGE + 0x800)

static inline void count_call(uint64_t address)
{
	((void (*)(void))address)();
}

/*
 * From here on there are windows. Return: where to write of what each is, a line
 * each in their order; NULL: not possible.
 */
static inline FILE *count_arm(const char *file)
{
	void *page = mmap((void *)COUNT_PAGE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	FILE *f;

	if (page == MAP_FAILED)
		return NULL;
	memset(page, 0xc3, 4096);	/* return instructions */
	f = fopen(file, "w");
	if (!f)
		return NULL;
	/* A child has nothing left to write of its parent's. */
	setlinebuf(f);
	count_call(COUNT_ARM);
	/* It takes effect when all processors come by. */
	sleep(1);
	return f;
}

#endif /* DMOP_COUNT_H */
