/* SPDX-License-Identifier: GPL-2.0 */
/*
 * event.h - parser for lines of trace_pipe
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
	char process[NAME_SIZE];	/* from text_clean() */
	long pid;
	long cpu;
	double time;			/* seconds, by the trace clock */
	char name[16];			/* one of event_names */
	const char *fields;		/* in the line: NAME=VALUE, separated by blanks */
};

/**
 * event_parse() - parse a line of trace_pipe
 * @line: a line from the kernel; the name of the process in it is untrusted. The header is searched
 *        from its end, so a name cannot imitate an event
 * @e:    result; refers to @line
 *
 * Return: true if the line is an event of the module.
 */
bool event_parse(const char *line, struct event *e);

/* Return: the event as a new JSON object. */
struct json_object *event_json(const struct event *e);

#endif /* DMOPCTL_EVENT_H */
