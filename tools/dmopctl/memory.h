/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memory.h - memory, or the end of the program
 */
#ifndef DMOPCTL_MEMORY_H
#define DMOPCTL_MEMORY_H

#include <stddef.h>

/**
 * grow() - reallocate an array
 * @p:    the array, or NULL for a new one
 * @nr:   number of elements
 * @size: bytes of an element
 *
 * Ends the program with STATUS_OTHER when memory is exhausted.
 * Return: the array, never NULL.
 */
void *grow(void *p, size_t nr, size_t size);

#endif /* DMOPCTL_MEMORY_H */
