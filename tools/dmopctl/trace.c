// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - dmopctl trace: the module's tracepoints, live
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "common.h"
#include "dmopctl.h"
#include "event.h"
#include "proc.h"
#include "text.h"
#include "tracer.h"

/* The longest time until a signal is noticed. */
#define TICK_MS		200

struct trace {
	const struct options *o;
	struct tracer tracer;
	long printed;
};

/* The kernel records names at context switches only; before the first one it prints "<...>". */
static void name_process(struct event *e)
{
	char path[32], text[64];
	ssize_t n;

	if (strcmp(e->process, "<...>"))
		return;
	snprintf(path, sizeof(path), "/proc/%ld/comm", e->pid);
	n = read_text(AT_FDCWD, path, text, sizeof(text));
	if (n > 0)
		text_clean(e->process, sizeof(e->process), text, n - (text[n - 1] == '\n'));
}

static void print_line(struct trace *t)
{
	const char *line = t->tracer.line;
	char fields[512];
	struct event e;

	/* Another line is a fragment of a process name with a newline, or a "LOST EVENTS" notice. */
	if (!event_parse(line, &e)) {
		if (strstr(line, "LOST"))
			fail(0, "events were lost: there were more than could be printed");
		return;
	}
	name_process(&e);
	t->printed++;
	if (t->o->json) {
		print_json(event_json(&e), false);
		return;
	}
	text_clean(fields, sizeof(fields), e.fields, strlen(e.fields));
	printf("%.6f %s[%ld] ", e.time, e.process, e.pid);
	text_put(stdout, !strcmp(e.name, "refuse") ? RED : BOLD, e.name);
	printf(" %s\n", fields);
}

static bool enough(const struct trace *t)
{
	return ended() || ferror(stdout) || (t->o->count && t->printed >= t->o->count);
}

static void take_bytes(struct trace *t, const char *bytes, ssize_t n)
{
	ssize_t i;

	for (i = 0; i < n && !enough(t); i++)
		if (tracer_add(&t->tracer, bytes[i]))
			print_line(t);
	fflush(stdout);
}

static int follow(struct trace *t)
{
	struct pollfd p[] = {
		{ .fd = t->tracer.pipe, .events = POLLIN },
		/* POLLERR or POLLHUP: the reader of the output is gone. */
		{ .fd = STDOUT_FILENO, .events = 0 },
	};
	char bytes[4096];
	ssize_t n;

	while (!enough(t)) {
		if (poll(p, 2, TICK_MS) > 0 && p[1].revents & (POLLERR | POLLHUP))
			break;
		n = read(t->tracer.pipe, bytes, sizeof(bytes));
		if (n > 0)
			take_bytes(t, bytes, n);
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(STATUS_OTHER, "trace_pipe: %s", strerror(errno));
	}
	return STATUS_OK;
}

static int check_names(const struct options *o)
{
	unsigned int i;
	int j;

	for (j = 0; j < o->nr_args; j++) {
		for (i = 0; event_names[i] && strcmp(event_names[i], o->args[j]); i++)
			;
		if (!event_names[i])
			return fail(STATUS_USAGE, "no event '%s'; there are restrict, op, refuse, map, narrow, revoke",
				    o->args[j]);
	}
	return 0;
}

static int open_tracer(struct trace *t)
{
	int err = tracer_open(&t->tracer, t->o->domid, (const char *const *)t->o->args);

	if ((err == EACCES || err == EPERM) && !*t->tracer.dir)
		return fail(STATUS_DENIED, "tracing: not permitted; %s", permission_remedy());
	if (!*t->tracer.dir)
		return fail(STATUS_OTHER, "no tracefs; mount -t tracefs nodev /sys/kernel/tracing");
	if (err == EACCES || err == EPERM)
		return fail(STATUS_DENIED, "%s: %s; %s", t->tracer.dir, strerror(err), permission_remedy());
	return err ? fail(STATUS_OTHER, "%s: %s", t->tracer.dir, strerror(err)) : 0;
}

int run_trace(const struct options *o)
{
	struct trace t = { .o = o, .tracer.pipe = -1 };
	int status = check_names(o), err;

	if (!status)
		status = need_module();
	if (status)
		return status;
	on_end();
	status = open_tracer(&t);
	if (!status)
		status = follow(&t);
	err = tracer_close(&t.tracer);
	if (err)
		fail(0, "%s is left behind: %s; rmdir it", t.tracer.dir, strerror(err));
	return status;
}
