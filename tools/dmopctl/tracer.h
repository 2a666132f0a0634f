/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tracer.h - the module's tracepoints, in a tracefs instance of this process alone
 *
 * Other tracing is not disturbed, and removing the instance restores the earlier state.
 */
#ifndef DMOPCTL_TRACER_H
#define DMOPCTL_TRACER_H

#include <stdbool.h>
#include <sys/types.h>

struct tracer {
	char dir[64];		/* path of the instance; "": no tracefs */
	int pipe;		/* trace_pipe, non-blocking */
	char line[1024];	/* the current line, maybe incomplete */
	size_t length;
};

/**
 * tracer_open() - enable events
 * @t:      result
 * @domid:  only events concerning this domain; negative: all
 * @events: names out of event_names, NULL at the end; the first NULL: all events
 *
 * Return: 0 or the errno, also of an event that the module lacks. tracer_close() in both cases.
 */
int tracer_open(struct tracer *t, long domid, const char *const *events);

/* Return: 0, or the errno that has left the instance behind. */
int tracer_close(struct tracer *t);

/**
 * tracer_add() - add a byte of trace_pipe
 * @t:    the tracer
 * @byte: the byte
 *
 * Return: true if it completes a line, in @t->line without the newline.
 */
bool tracer_add(struct tracer *t, char byte);

#endif /* DMOPCTL_TRACER_H */
