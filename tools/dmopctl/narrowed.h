/* SPDX-License-Identifier: GPL-2.0 */
/*
 * narrowed.h - the rights that NARROW has left to an open file
 */
#ifndef DMOPCTL_NARROWED_H
#define DMOPCTL_NARROWED_H

#include <stdbool.h>
#include <stddef.h>

#include <xen/dmop.h>

/* Room for the text of any rights. */
#define RIGHTS_SIZE	512

/* The numbers that the words have bits for. */
#define NR_OPS		128
#define NR_RESOURCES	64

/* As in struct dmop_info. */
struct rights {
	unsigned long long narrowed;
	unsigned long long acts;
	unsigned long long ops[2];
	unsigned long long resources;
	unsigned long long max_frames;
	unsigned long long gfn_first, gfn_last;
};

/* All rights: of a file that was never narrowed, or of a module that cannot narrow. */
void rights_all(struct rights *r);

/* Copies the rights out of the answer to INFO, also of a module that reports none. */
void rights_of_info(struct rights *r, const struct dmop_info *info);

/* Return: true if operation @op, below 128, is left. */
bool rights_op(const struct rights *r, unsigned int op);

/* Return: true if resource type @type, below 64, is left. */
bool rights_resource(const struct rights *r, unsigned int type);

/* Adds the kinds of calls, operations and members in @more to those in @sum. */
void rights_add(struct rights *sum, const struct rights *more);

/* Writes what is left: "dm_ops 1-6 20; memory; resources 0; read-only". Return: @to. */
char *rights_text(char *to, size_t size, const struct rights *r);

/* The same in a word, for a table: "all", "call:18,map", "map:ro", "none". Return: @to. */
char *rights_word(char *to, size_t size, const struct rights *r);

/* Return: the rights as a new JSON object. */
struct json_object;
struct json_object *rights_json(const struct rights *r);

#endif /* DMOPCTL_NARROWED_H */
