/* SPDX-License-Identifier: GPL-2.0 */
/*
 * event.h - a line of trace_pipe, taken apart
 */
#ifndef DMOPCTL_EVENT_H
#define DMOPCTL_EVENT_H

#include <stdbool.h>

#include "text.h"

/*
 * The names of the module's tracepoints without their prefix, as the user gives and reads them;
 * NULL at the end.
 */
#define EVENT_PREFIX	"dmop_"
extern const char *const event_names[];

struct event {
	char process[NAME_SIZE];	/* clean */
	long pid;
	long cpu;
	double time;			/* seconds, on the kernel's clock */
	char name[16];			/* one of event_names */
	const char *fields;		/* in the line: NAME=VALUE, blanks between them */
};

/**
 * event_parse() - take a line apart
 * @line: what the kernel printed, of which only the process's name is not its own;
 *        what follows the name is looked for from the end, so no name can pass for it
 * @e:    result
 *
 * Return: whether it is an event of the module's.
 */
bool event_parse(const char *line, struct event *e);

/* Return: a JSON object of it. */
struct json_object *event_json(const struct event *e);

#endif /* DMOPCTL_EVENT_H */
