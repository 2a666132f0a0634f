// SPDX-License-Identifier: GPL-2.0
/*
 * tracer.c - the module's tracepoints, in a tracefs instance of this process alone
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../put.h"
#include "event.h"
#include "tracer.h"

#define INSTANCE	"dmopctl."

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

	snprintf(path, sizeof(path), "%s/events/dmop/%s", t->dir, file);
	return put_text(path, text);
}

static int put_event(const struct tracer *t, const char *name, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), EVENT_PREFIX "%s/%s", name, file);
	return put(t, path, text);
}

static bool wanted(const char *const *events, const char *name)
{
	if (!*events)
		return true;
	while (*events && strcmp(*events, name))
		events++;
	return *events;
}

static int enable(const struct tracer *t, long domid, const char *const *events)
{
	char filter[64];
	unsigned int i;
	int err = 0;

	for (i = 0; event_names[i] && !err; i++) {
		const char *name = event_names[i];

		if (!wanted(events, name))
			continue;
		snprintf(filter, sizeof(filter), strcmp(name, "refuse") ? "domid == %ld" :
			 "domid == %ld || bound == %ld", domid, domid);
		if (domid >= 0)
			err = put_event(t, name, "filter", filter);
		if (!err)
			err = put_event(t, name, "enable", "1");
		/* A module that cannot narrow. */
		if (err == ENOENT && !*events && !strcmp(name, "narrow"))
			err = 0;
	}
	return err;
}

int tracer_open(struct tracer *t, long domid, const char *const *events)
{
	const char *root = tracefs();
	char path[128];
	int err;

	*t = (struct tracer){ .pipe = -1 };
	if (!root)
		return errno;
	remove_stale(root);
	snprintf(t->dir, sizeof(t->dir), "%s/instances/" INSTANCE "%d", root, getpid());
	if (mkdir(t->dir, 0700))
		return errno;
	err = enable(t, domid, events);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/trace_pipe", t->dir);
	t->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return t->pipe < 0 ? errno : 0;
}

int tracer_close(struct tracer *t)
{
	if (t->pipe >= 0)
		close(t->pipe);
	if (!*t->dir)
		return 0;
	put(t, "enable", "0");
	return rmdir(t->dir) && errno != ENOENT ? errno : 0;
}

bool tracer_add(struct tracer *t, char byte)
{
	if (byte == '\n') {
		t->line[t->length] = 0;
		t->length = 0;
		return true;
	}
	if (t->length < sizeof(t->line) - 1)
		t->line[t->length++] = byte ? byte : '?';
	return false;
}
