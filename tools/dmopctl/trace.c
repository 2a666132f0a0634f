// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - dmopctl trace: the module's tracepoints, live
 *
 * Events are enabled in a tracefs instance of this process alone. Other tracing is not disturbed,
 * and removing the instance restores the earlier state.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "common.h"
#include "dmopctl.h"
#include "event.h"
#include "proc.h"
#include "text.h"

#define INSTANCE	"dmopctl."

/* The longest time until a signal is noticed. */
#define TICK_MS		200

struct tracer {
	const struct options *o;
	char dir[64];		/* path of the instance */
	int pipe;
	long printed;
	char line[1024];	/* the current line, maybe incomplete */
	size_t length;
};

static const char *tracefs(void)
{
	static const char *const dirs[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[64];
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/instances", dirs[i]);
		if (!access(path, F_OK))
			return dirs[i];
		if (errno == EACCES)
			return NULL;
	}
	errno = ENOENT;
	return NULL;
}

/* Removes instances of killed dmopctl processes. */
static void remove_stale(const char *root)
{
	char path[400];
	struct dirent *entry;
	DIR *dir;
	long pid;

	snprintf(path, sizeof(path), "%s/instances", root);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, INSTANCE, strlen(INSTANCE)))
			continue;
		pid = atol(entry->d_name + strlen(INSTANCE));
		snprintf(path, sizeof(path), "%s/instances/%s", root, entry->d_name);
		if (pid > 0 && kill(pid, 0) && errno == ESRCH)
			rmdir(path);
	}
	if (dir)
		closedir(dir);
}

/* Writes to a file below events/dmop in the instance. Return: 0 or the errno. */
static int put(const struct tracer *t, const char *file, const char *text)
{
	char path[256];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/events/dmop/%s", t->dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

static int put_event(const struct tracer *t, const char *name, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), EVENT_PREFIX "%s/%s", name, file);
	return put(t, path, text);
}

static bool wanted(const struct options *o, const char *name)
{
	int i;

	for (i = 0; i < o->nr_args; i++)
		if (!strcmp(o->args[i], name))
			return true;
	return !o->nr_args;
}

static int enable(const struct tracer *t)
{
	char filter[64];
	unsigned int i;
	int err = 0;

	for (i = 0; event_names[i] && !err; i++) {
		const char *name = event_names[i];

		if (!wanted(t->o, name))
			continue;
		snprintf(filter, sizeof(filter), strcmp(name, "refuse") ? "domid == %ld" :
			 "domid == %ld || bound == %ld", t->o->domid, t->o->domid);
		if (t->o->domid >= 0)
			err = put_event(t, name, "filter", filter);
		if (!err)
			err = put_event(t, name, "enable", "1");
		/* A module that cannot narrow. */
		if (err == ENOENT && !t->o->nr_args && !strcmp(name, "narrow"))
			err = 0;
	}
	return err;
}

static int tracer_open(struct tracer *t)
{
	const char *root = tracefs();
	char path[128];
	int err;

	if (!root && errno == EACCES)
		return fail(STATUS_DENIED, "tracing: not permitted; %s", permission_remedy());
	if (!root)
		return fail(STATUS_OTHER, "no tracefs; mount -t tracefs nodev /sys/kernel/tracing");
	remove_stale(root);
	snprintf(t->dir, sizeof(t->dir), "%s/instances/" INSTANCE "%d", root, getpid());
	err = mkdir(t->dir, 0700) ? errno : 0;
	if (err == EACCES || err == EPERM)
		return fail(STATUS_DENIED, "%s: %s; %s", t->dir, strerror(err), permission_remedy());
	if (err)
		return fail(STATUS_OTHER, "%s: %s", t->dir, strerror(err));
	err = enable(t);
	snprintf(path, sizeof(path), "%s/trace_pipe", t->dir);
	if (!err) {
		t->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		err = t->pipe < 0 ? errno : 0;
	}
	return err ? fail(STATUS_OTHER, "%s: %s", t->dir, strerror(err)) : 0;
}

static void tracer_close(struct tracer *t)
{
	if (t->pipe >= 0)
		close(t->pipe);
	if (!*t->dir)
		return;
	put(t, "enable", "0");
	if (rmdir(t->dir) && errno != ENOENT)
		fail(0, "%s is left behind: %s; rmdir it", t->dir, strerror(errno));
}

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

static void print_line(struct tracer *t)
{
	char fields[512];
	struct event e;

	t->line[t->length] = 0;
	t->length = 0;
	/* Another line is a fragment of a process name with a newline, or a "LOST EVENTS" notice. */
	if (!event_parse(t->line, &e)) {
		if (strstr(t->line, "LOST"))
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

static bool enough(const struct tracer *t)
{
	return ended() || ferror(stdout) || (t->o->count && t->printed >= t->o->count);
}

static void take_bytes(struct tracer *t, const char *bytes, ssize_t n)
{
	ssize_t i;

	for (i = 0; i < n && !enough(t); i++) {
		if (bytes[i] == '\n')
			print_line(t);
		else if (t->length < sizeof(t->line) - 1)
			t->line[t->length++] = bytes[i] ? bytes[i] : '?';
	}
	fflush(stdout);
}

static int follow(struct tracer *t)
{
	struct pollfd p[] = {
		{ .fd = t->pipe, .events = POLLIN },
		/* POLLERR or POLLHUP: the reader of the output is gone. */
		{ .fd = STDOUT_FILENO, .events = 0 },
	};
	char bytes[4096];
	ssize_t n;

	while (!enough(t)) {
		if (poll(p, 2, TICK_MS) > 0 && p[1].revents & (POLLERR | POLLHUP))
			break;
		n = read(t->pipe, bytes, sizeof(bytes));
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

int run_trace(const struct options *o)
{
	struct tracer t = { .o = o, .pipe = -1 };
	int status = check_names(o);

	if (!status)
		status = need_module();
	if (status)
		return status;
	on_end();
	status = tracer_open(&t);
	if (!status)
		status = follow(&t);
	tracer_close(&t);
	return status;
}
