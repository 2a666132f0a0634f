/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rows.h - what a snapshot comes to: a row for each process, domain and state
 */
#ifndef DMOPCTL_ROWS_H
#define DMOPCTL_ROWS_H

#include "domains.h"
#include "proc.h"
#include "text.h"

#define FRAME_BYTES	4096ULL

struct row {
	const struct process *process;	/* the snapshot's */
	enum state state;
	long domid;
	unsigned int files;
	unsigned int fds;
	unsigned long long calls;
	unsigned long long refused_policy;
	unsigned long long refused_dead;
	unsigned long long mapped_frames;
	double rate;			/* calls per second; negative: not known */
};

struct rows {
	struct row *list;
	unsigned int nr;
};

/**
 * rows_make() - add up a snapshot
 * @r:      result; refers to @now
 * @now:    a snapshot
 * @before: an earlier one, for the rates; or NULL
 */
void rows_make(struct rows *r, const struct snapshot *now, const struct snapshot *before);
void rows_free(struct rows *r);

/* A row that is worth a look. */
enum colour row_colour(const struct row *row);

/* Appends heading and rows. */
void rows_table(const struct rows *r, const struct domains *d, struct table *t);

/* An object of what list and top tell of a row. */
struct json_object;
struct json_object *row_json(const struct row *row, const struct domains *d);

/* An object of what show tells of an open file. */
struct json_object *file_json(const struct open_file *f, const struct domains *d);

/* NAME or number, clean. Return: @to. */
char *user_name(char *to, size_t size, uid_t uid);

#endif /* DMOPCTL_ROWS_H */
