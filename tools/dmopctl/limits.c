// SPDX-License-Identifier: GPL-2.0
/*
 * limits.c - the limits of a process by its control group
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "dmopctl.h"
#include "limits.h"
#include "proc.h"
#include "text.h"

#define CGROUP_ROOT	"/sys/fs/cgroup"

static const char *const files[] = { "cpu.max", "memory.max", "pids.max", "io.weight" };

/* Writes "" without a limit. */
static void read_limit(const char *group, const char *file, char *to, size_t size)
{
	char path[512], text[128];
	ssize_t n;

	*to = 0;
	snprintf(path, sizeof(path), CGROUP_ROOT "%.400s/%s", group, file);
	n = read_text(AT_FDCWD, path, text, sizeof(text));
	/* "default 100" is the weight of every group. */
	if (n > 0 && strncmp(text, "max", 3) && strcmp(text, "default 100\n"))
		text_clean(to, size, text, strcspn(text, "\n"));
}

bool limits_read(pid_t pid, char *text, size_t size)
{
	char path[32], groups[4096], limit[128], *group;
	size_t at = 0, i;

	*text = 0;
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (read_text(AT_FDCWD, path, groups, sizeof(groups)) <= 0)
		return false;
	/* The line of cgroup v2; those of v1 have other numbers. */
	group = strstr(groups, "0::/");
	if (!group || (group > groups && group[-1] != '\n'))
		return false;
	group += strlen("0::");
	group[strcspn(group, "\n")] = 0;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		read_limit(group, files[i], limit, sizeof(limit));
		if (*limit && at < size)
			at += snprintf(text + at, size - at, "%s%s %s", at ? ", " : "", files[i], limit);
	}
	return at;
}
