/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rows.h - sums of a snapshot: a row for each process, domain and state
 */
#ifndef DMOPCTL_ROWS_H
#define DMOPCTL_ROWS_H

#include "domains.h"
#include "proc.h"
#include "text.h"

#define FRAME_BYTES	4096ULL

struct row {
	const struct process *process;	/* in the snapshot */
	enum state state;
	long domid;
	unsigned int files;
	unsigned int fds;
	unsigned long long calls;
	unsigned long long refused_policy;
	unsigned long long refused_dead;
	unsigned long long mapped_frames;
	unsigned int narrowed;		/* files with fewer rights than all */
	struct rights rights;		/* of all its files together */
	double rate;			/* calls per second; negative: unknown */
	double cpu;			/* percent of a processor, by the group; negative: unknown */
};

struct rows {
	struct row *list;
	unsigned int nr;
};

/**
 * rows_make() - sum up a snapshot
 * @r:      result; refers to @now
 * @now:    a snapshot
 * @before: an earlier snapshot for the rates and the use of processors, or NULL
 */
void rows_make(struct rows *r, const struct snapshot *now, const struct snapshot *before);
void rows_free(struct rows *r);

/* Return: RED for an unbound file, YELLOW for a revoked one or refusals, else PLAIN. */
enum colour row_colour(const struct row *row);

/* Makes a new table of the heading and the rows. */
void rows_table(const struct rows *r, const struct domains *d, struct table *t);

/* Return: a row as a new JSON object, as printed by list and top. */
struct json_object;
struct json_object *row_json(const struct row *row, const struct domains *d);

/* Return: an open file as a new JSON object, as printed by show. */
struct json_object *file_json(const struct open_file *f, const struct domains *d);

/* Writes the name of a user, from text_clean(), or else the number. Return: @to. */
char *user_name(char *to, size_t size, uid_t uid);

#endif /* DMOPCTL_ROWS_H */
