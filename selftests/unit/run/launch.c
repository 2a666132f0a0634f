// SPDX-License-Identifier: GPL-2.0
/*
 * launch.c - execute a program by each function of C, with an empty environment
 *
 * launch WAY PROGRAM [PRELOAD]
 *
 * PRELOAD is the value of LD_PRELOAD for a shell between this program and the other.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags);

static int wait_for(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

static int copy(FILE *from)
{
	int c;

	while ((c = fgetc(from)) != EOF)
		putchar(c);
	return pclose(from);
}

int main(int argc, char **argv)
{
	char *none[] = { NULL }, *path, *arguments[] = { NULL, "x", NULL };
	const char *way;
	pid_t pid;

	if (argc < 3)
		return 2;
	way = argv[1];
	arguments[0] = path = argv[2];
	clearenv();
	if (argc > 3)
		setenv("LD_PRELOAD", argv[3], 1);
	if (!strcmp(way, "execve"))
		execve(path, arguments, none);
	else if (!strcmp(way, "execv"))
		execv(path, arguments);
	else if (!strcmp(way, "execvp"))
		execvp(path, arguments);
	else if (!strcmp(way, "execvpe"))
		execvpe(path, arguments, none);
	else if (!strcmp(way, "execl"))
		execl(path, path, "x", "y", NULL);
	else if (!strcmp(way, "execlp"))
		execlp(path, path, "x", "y", NULL);
	else if (!strcmp(way, "execle"))
		execle(path, path, "x", "y", NULL, none);
	else if (!strcmp(way, "fexecve"))
		fexecve(open(path, O_RDONLY | O_CLOEXEC), arguments, none);
	else if (!strcmp(way, "execveat"))
		execveat(AT_FDCWD, path, arguments, none, 0);
	else if (!strcmp(way, "posix_spawn") && !posix_spawn(&pid, path, NULL, NULL, arguments, none))
		return wait_for(pid);
	else if (!strcmp(way, "posix_spawnp") && !posix_spawnp(&pid, path, NULL, NULL, arguments, none))
		return wait_for(pid);
	else if (!strcmp(way, "system"))
		return WEXITSTATUS(system(path));
	else if (!strcmp(way, "popen"))
		return copy(popen(path, "r"));
	else if (!strcmp(way, "vfork")) {
		pid = vfork();
		if (!pid) {
			execve(path, arguments, none);
			_exit(126);
		}
		return wait_for(pid);
	}
	return 126;
}
