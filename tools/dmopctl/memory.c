// SPDX-License-Identifier: GPL-2.0
/*
 * memory.c - memory, or the end of the program
 */
#include <stdio.h>
#include <stdlib.h>

#include "dmopctl.h"
#include "memory.h"

void *grow(void *p, size_t nr, size_t size)
{
	p = reallocarray(p, nr, size);
	if (!p) {
		fputs("dmopctl: out of memory\n", stderr);
		exit(STATUS_OTHER);
	}
	return p;
}
