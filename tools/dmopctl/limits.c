// SPDX-License-Identifier: GPL-2.0
/*
 * limits.c - what the control group of a process may use, and has used
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

#include "dmopctl.h"
#include "limits.h"
#include "proc.h"
#include "text.h"

/* A test has a tree of its own. */
#ifndef CGROUP_ROOT
#define CGROUP_ROOT	"/sys/fs/cgroup"
#endif

/* --- the files --------------------------------------------------------- */

/* Return: true if the group is outside the cgroup namespace of dmopctl. */
static bool is_outside(const char *group)
{
	return !strncmp(group, "/..", 3) && (!group[3] || group[3] == '/');
}

/*
 * Reads the path of the group, "" for the root. The kernel admits no newline in it.
 * Return: false without cgroup v2.
 */
static bool read_group(int dirfd, const char *file, char *group)
{
	char text[4 * PATH_MAX], *line, *end;

	if (read_text(dirfd, file, text, sizeof(text)) <= 0)
		return false;
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		/* The lines of cgroup v1 have other numbers. */
		if (strncmp(line, "0::/", 4))
			continue;
		line += strlen("0::");
		if (strlen(line) >= PATH_MAX || is_outside(line))
			return false;
		strcpy(group, line[1] ? line : "");
		return true;
	}
	return false;
}

static bool read_file(const char *group, const char *file, char *text, size_t size)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), CGROUP_ROOT "%s/%s", group, file);
	return read_text(AT_FDCWD, path, text, size) > 0;
}

/* Return: NO_AMOUNT for "max" and for anything but a number. */
static unsigned long long number_at(const char *text, char **end)
{
	unsigned long long n;

	if (*text < '0' || *text > '9')
		return NO_AMOUNT;
	errno = 0;
	n = strtoull(text, end, 10);
	return errno ? NO_AMOUNT : n;
}

static unsigned long long read_number(const char *group, const char *file)
{
	char text[64], *end;

	return read_file(group, file, text, sizeof(text)) ? number_at(text, &end) : NO_AMOUNT;
}

/* "200000 100000" is a quota, in microseconds, for each period. */
static unsigned long long read_cpu_limit(const char *group)
{
	unsigned long long quota, period;
	char text[64], *end;

	if (!read_file(group, "cpu.max", text, sizeof(text)))
		return NO_AMOUNT;
	quota = number_at(text, &end);
	if (quota == NO_AMOUNT || *end != ' ')
		return NO_AMOUNT;
	period = number_at(end + 1, &end);
	/* The kernel's largest quota is 2^44, and its smallest period 1000. */
	if (quota >> 44 || !period || period == NO_AMOUNT)
		return NO_AMOUNT;
	return quota * CPU_SECOND / period;
}

static unsigned long long read_cpu_usage(const char *group)
{
	static const char key[] = "usage_usec ";
	char text[1024], *line, *end;

	if (!read_file(group, "cpu.stat", text, sizeof(text)))
		return NO_AMOUNT;
	line = strstr(text, key);
	if (!line || (line > text && line[-1] != '\n'))
		return NO_AMOUNT;
	return number_at(line + strlen(key), &end);
}

/* --- a control group --------------------------------------------------- */

void control_group_unknown(struct control_group *g)
{
	static const struct amount none = { NO_AMOUNT, NO_AMOUNT };

	*g = (struct control_group){ .cpu = none, .memory = none, .processes = none };
}

/* NO_AMOUNT is larger than any limit. */
static void lower(unsigned long long *limit, unsigned long long other)
{
	if (other < *limit)
		*limit = other;
}

/* Cuts @group down to the root on the way. */
static void read_limits(struct control_group *g, char *group)
{
	char *cut;

	for (;;) {
		lower(&g->cpu.limit, read_cpu_limit(group));
		lower(&g->memory.limit, read_number(group, "memory.max"));
		lower(&g->processes.limit, read_number(group, "pids.max"));
		cut = strrchr(group, '/');
		if (!cut)
			return;
		*cut = 0;
	}
}

void control_group_read(int dirfd, struct control_group *g)
{
	char group[PATH_MAX];

	control_group_unknown(g);
	if (!read_group(dirfd, "cgroup", group))
		return;
	text_clean(g->path, sizeof(g->path), *group ? group : "/", sizeof(group));
	if (*group) {
		g->cpu.used = read_cpu_usage(group);
		g->memory.used = read_number(group, "memory.current");
		g->processes.used = read_number(group, "pids.current");
	}
	read_limits(g, group);
}

bool control_group_limited(const struct control_group *g)
{
	return g->cpu.limit != NO_AMOUNT || g->memory.limit != NO_AMOUNT ||
	       g->processes.limit != NO_AMOUNT;
}

/* --- text and JSON ----------------------------------------------------- */

/* Joins three texts, each "" or of an amount. */
static char *join(char *to, size_t size, const char *cpu, const char *memory, const char *processes,
		  const char *nothing)
{
	bool comma = *cpu && (*memory || *processes);

	snprintf(to, size, "%s%s%s%s%s", cpu, comma ? ", " : "", memory,
		 *memory && *processes ? ", " : "", processes);
	if (!*to)
		snprintf(to, size, "%s", nothing);
	return to;
}

static char *memory_text(char *to, size_t size, unsigned long long bytes)
{
	char number[32];

	*to = 0;
	if (bytes != NO_AMOUNT)
		snprintf(to, size, "memory %s", text_bytes(number, sizeof(number), bytes));
	return to;
}

static char *processes_text(char *to, size_t size, unsigned long long nr)
{
	*to = 0;
	if (nr != NO_AMOUNT)
		snprintf(to, size, "processes %llu", nr);
	return to;
}

char *control_group_limits(char *to, size_t size, const struct control_group *g)
{
	char cpu[40] = "", memory[40], processes[40];

	if (g->cpu.limit != NO_AMOUNT)
		snprintf(cpu, sizeof(cpu), "processor %g%%", g->cpu.limit / CPU_PERCENT);
	return join(to, size, cpu, memory_text(memory, sizeof(memory), g->memory.limit),
		    processes_text(processes, sizeof(processes), g->processes.limit),
		    *g->path ? "none" : "unknown");
}

char *control_group_usage(char *to, size_t size, const struct control_group *g)
{
	char cpu[40] = "", memory[40], processes[40];

	if (g->cpu.used != NO_AMOUNT)
		snprintf(cpu, sizeof(cpu), "processor %.1f s", g->cpu.used / CPU_SECOND);
	return join(to, size, cpu, memory_text(memory, sizeof(memory), g->memory.used),
		    processes_text(processes, sizeof(processes), g->processes.used), "unknown");
}

static void add_number(struct json_object *o, const char *key, unsigned long long n)
{
	json_object_object_add(o, key, n == NO_AMOUNT ? NULL : json_object_new_uint64(n));
}

static void add_share(struct json_object *o, const char *key, unsigned long long n, double unit)
{
	struct json_object *value = n == NO_AMOUNT ? NULL : json_object_new_double(n / unit);

	/* Fewer digits than by default, so 12.3 is not 12.300000000000001. */
	if (value)
		json_object_set_serializer(value, json_object_double_to_json_string, (void *)"%.15g", NULL);
	json_object_object_add(o, key, value);
}

struct json_object *control_group_json(const struct control_group *g)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "path", *g->path ? json_object_new_string(g->path) : NULL);
	add_share(o, "cpu_limit_percent", g->cpu.limit, CPU_PERCENT);
	add_share(o, "cpu_usage_seconds", g->cpu.used, CPU_SECOND);
	add_number(o, "memory_limit_bytes", g->memory.limit);
	add_number(o, "memory_bytes", g->memory.used);
	add_number(o, "processes_limit", g->processes.limit);
	add_number(o, "processes", g->processes.used);
	return o;
}

/* --- the line of check ------------------------------------------------- */

static const char *const files[] = { "cpu.max", "memory.max", "pids.max", "io.weight" };

/* Writes "" without a limit. */
static void read_limit(const char *group, const char *file, char *to, size_t size)
{
	char text[128];

	*to = 0;
	/* "default 100" is the weight of every group. */
	if (read_file(group, file, text, sizeof(text)) && strncmp(text, "max", 3) &&
	    strcmp(text, "default 100\n"))
		text_clean(to, size, text, strcspn(text, "\n"));
}

bool limits_read(pid_t pid, char *text, size_t size)
{
	char path[32], group[PATH_MAX], limit[128];
	size_t at = 0, i;

	*text = 0;
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (!read_group(AT_FDCWD, path, group))
		return false;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		read_limit(group, files[i], limit, sizeof(limit));
		if (*limit && at < size)
			at += snprintf(text + at, size - at, "%s%s %s", at ? ", " : "", files[i], limit);
	}
	return at;
}
