// SPDX-License-Identifier: GPL-2.0
/*
 * dmop-limit.c - start a program in a control group of its own, with limits
 *
 * dmop-limit GROUP [FILE=VALUE...] PROGRAM [ARGUMENT...]: FILE is one of the group's, such as
 * memory.max. The program has the process id of this one. Without cgroup v2, or if a limit cannot be
 * set, it is started nevertheless, and standard error says why.
 *
 * A second process waits for the end of the program, kills what it has left behind, and removes the
 * group. It holds nothing of the program.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handover.h"
#include "put.h"

/* A group of the root's: the programs together compete as one group with the rest of the host. */
#ifndef CGROUP_ROOT
#define CGROUP_ROOT	"/sys/fs/cgroup"
#define CGROUP2_MAGIC	0x63677270
#endif
#define PARENT		CGROUP_ROOT "/dmop-qemu"

#define RETRY_US	100000

static char group[256], report[512];

static void say(const char *what, const char *why)
{
	dprintf(STDERR_FILENO, "dmop-limit: %s: %s\n", what, why);
}

/* Return: 0 or the errno. */
static int put(const char *dir, const char *file, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return put_text(path, text);
}

static bool is_cgroup2(void)
{
#ifdef CGROUP2_MAGIC
	struct statfs fs;

	return !statfs(CGROUP_ROOT, &fs) && fs.f_type == CGROUP2_MAGIC;
#else
	return true;
#endif
}

/* The controller of "memory.max", in the root and for the children of PARENT. */
static int enable(const char *limit)
{
	char text[32];
	int err;

	snprintf(text, sizeof(text), "+%.*s", (int)strcspn(limit, "."), limit);
	err = put(CGROUP_ROOT, "cgroup.subtree_control", text);
	return err ? err : put(PARENT, "cgroup.subtree_control", text);
}

/* @limit: FILE=VALUE. Appends what was done to the report. */
static void set_limit(char *limit)
{
	char *value = strchr(limit, '=');
	size_t at = strlen(report);
	int err = enable(limit);

	*value++ = 0;
	if (!err)
		err = put(group, limit, value);
	if (err)
		snprintf(report + at, sizeof(report) - at, "%sNO %s %s (%s)", at ? ", " : "", limit, value,
			 strerror(err));
	else
		snprintf(report + at, sizeof(report) - at, "%s%s %s", at ? ", " : "", limit, value);
}

/* --- the end of the group ---------------------------------------------- */

static void close_all_but(int a)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != a && atoi(entry->d_name) != dirfd(dir))
			close(atoi(entry->d_name));
	if (dir)
		closedir(dir);
}

/* It may be long until the last process has gone; until then the limits stay. */
static _Noreturn void remove_at_end(int program)
{
	struct pollfd p = { .fd = program, .events = POLLIN };

	close_all_but(program);
	if (chdir("/"))
		_exit(1);
	while (poll(&p, 1, -1) != 1)
		;
	/* Linux 5.14 and later. */
	put(group, "cgroup.kill", "1");
	while (rmdir(group) && errno == EBUSY)
		usleep(RETRY_US);
	_exit(0);
}

/* Whoever looks for a QEMU by its arguments must not find this process. */
static void hide(char **argv)
{
	for (; *argv; argv++)
		memset(*argv, 0, strlen(*argv));
}

static bool start_remover(char **argv)
{
	int program = syscall(SYS_pidfd_open, getpid(), 0), status = 1;
	pid_t pid = program < 0 ? -1 : fork();

	if (!pid) {
		setsid();
		pid = fork();
		if (pid)
			_exit(pid < 0);
		hide(argv);
		remove_at_end(program);
	}
	if (program >= 0)
		close(program);
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* --- the program ------------------------------------------------------- */

/* Return: the number of limits. */
static int count_limits(char **argv)
{
	int n = 0;

	while (argv[n] && argv[n][0] != '/' && strchr(argv[n], '='))
		n++;
	return n;
}

static void enter_group(char **limits, int nr)
{
	char self[16];
	int i, err;

	if (!is_cgroup2()) {
		say("no limits", "no cgroup v2 is mounted on " CGROUP_ROOT);
		return;
	}
	/* A group that is left over has other limits. */
	rmdir(group);
	if ((mkdir(PARENT, 0755) && errno != EEXIST) || mkdir(group, 0755)) {
		say("no limits", strerror(errno));
		return;
	}
	for (i = 0; i < nr; i++)
		set_limit(limits[i]);
	snprintf(self, sizeof(self), "%d", getpid());
	if (!start_remover(limits + nr)) {
		say("no limits", "no process to remove the group");
		rmdir(group);
		return;
	}
	err = put(group, "cgroup.procs", self);
	if (err)
		say("no limits", strerror(err));
	else
		say(group, *report ? report : "no limits are set");
}

int main(int argc, char **argv)
{
	int nr = argc > 2 ? count_limits(argv + 2) : 0;
	char **program = argv + 2 + nr;

	if (argc < 3 || !*program || strchr(argv[1], '/')) {
		fputs("usage: dmop-limit GROUP [FILE=VALUE...] PROGRAM [ARGUMENT...]\n", stderr);
		return EXIT_USAGE;
	}
	snprintf(group, sizeof(group), PARENT "/%s", argv[1]);
	enter_group(argv + 2, nr);
	execv(*program, program);
	say(*program, strerror(errno));
	return EXIT_NOT_FOUND;
}
