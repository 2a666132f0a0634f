// SPDX-License-Identifier: GPL-2.0
/*
 * dmop-log.c - start a program whose output can only fill a log of limited size
 *
 * Without this program, QEMU holds the log that libxl opened for it: a QEMU taken over by its guest
 * could fill the file system. RLIMIT_FSIZE is no remedy, because it applies to disk images as well.
 *
 * The program gets a pipe in place of the log. Only a process of its own, without privileges, holds
 * the log. It ends with the last holder of the pipe's other end.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handover.h"

/* The user "nobody" of every distribution, who owns no file and is no user of QEMU's. */
#define NOBODY		65534
#define CHUNK		4096
#define KIB_MIN		16
#define KIB_MAX		(1 << 20)

#define die(status, ...)			\
	do {					\
		fputs("dmop-log: ", stderr);	\
		fprintf(stderr, __VA_ARGS__);	\
		fputs("\n", stderr);		\
		exit(status);			\
	} while (0)

/* --- the log ----------------------------------------------------------- */

struct log {
	int fd;
	off_t limit;	/* bytes */
	off_t dropped;	/* bytes, since the start */
};

/* Return: false if the file system has no more room. */
static bool write_at(int fd, const char *from, size_t size, off_t where)
{
	while (size) {
		ssize_t n = pwrite(fd, from, size, where);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		from += n;
		size -= n;
		where += n;
	}
	return true;
}

/*
 * Keeps the first quarter of the log, which has the start of the program, and the last quarter.
 * Copies forwards, to lower offsets only, so the two may overlap. Return: the new end.
 */
static off_t drop_middle(struct log *log, off_t end)
{
	off_t quarter = log->limit / 4, from = end - quarter, to = quarter;
	char buffer[CHUNK];
	ssize_t n;

	log->dropped += from - to;
	n = snprintf(buffer, sizeof(buffer), "\ndmop-log: %lld bytes were dropped here\n",
		     (long long)log->dropped);
	write_at(log->fd, buffer, n, to);
	to += n;
	for (; from < end; from += n, to += n) {
		n = pread(log->fd, buffer, sizeof(buffer), from);
		if (n <= 0 || !write_at(log->fd, buffer, n, to))
			break;
	}
	/* After an error, the rest is lost and the limit still holds. */
	if (ftruncate(log->fd, to))
		return end;
	return to;
}

/* The log's own end, not a remembered one: an administrator may truncate the file. */
static off_t end_of(const struct log *log)
{
	struct stat st;

	return fstat(log->fd, &st) ? log->limit : st.st_size;
}

/* With a full file system, the output is lost and the program is not held up. */
static void append(struct log *log, const char *from, size_t size)
{
	off_t end = end_of(log);

	if (end + (off_t)size > log->limit)
		end = drop_middle(log, end);
	if (end + (off_t)size <= log->limit)
		write_at(log->fd, from, size, end);
}

static _Noreturn void keep(struct log *log, int pipe_fd)
{
	char buffer[CHUNK];
	ssize_t n;

	while ((n = read(pipe_fd, buffer, sizeof(buffer))))
		if (n > 0)
			append(log, buffer, n);
		else if (errno != EINTR)
			break;
	_exit(0);
}

/* --- the process that keeps it ----------------------------------------- */

/* Of the program's descriptors, such as its sockets and disks, none may stay open here. */
static bool close_all_but(int a, int b, int c)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	if (!dir)
		return false;
	while ((entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && fd != a && fd != b && fd != c && fd != dirfd(dir))
			close(fd);
	}
	closedir(dir);
	return true;
}

/*
 * The change of uid takes all capabilities and makes the process unreadable for others of this user
 * (PR_SET_DUMPABLE), so none of them gets at its descriptors.
 */
static bool drop_privileges(const struct log *log)
{
	const struct rlimit size = { log->limit, log->limit }, none = { 0, 0 };

	return !setrlimit(RLIMIT_FSIZE, &size) && !setrlimit(RLIMIT_CORE, &none) &&
	       !chdir("/") && !setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY) &&
	       !setresuid(NOBODY, NOBODY, NOBODY) && !prctl(PR_SET_DUMPABLE, 0) &&
	       !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !setrlimit(RLIMIT_NPROC, &none);
}

/* In a session of its own, it gets no signal of a terminal; and it is not a child of the program. */
static _Noreturn void become_keeper(struct log *log, int pipe_fd, int ready)
{
	pid_t pid;

	setsid();
	pid = fork();
	if (pid)
		_exit(pid < 0);
	signal(SIGXFSZ, SIG_IGN);
	if (!close_all_but(log->fd, pipe_fd, ready) || !drop_privileges(log) ||
	    write(ready, "", 1) != 1)
		_exit(1);
	close(ready);
	keep(log, pipe_fd);
}

/* Whoever looks for a QEMU by its arguments must not find this process. */
static void hide(char **argv)
{
	for (; *argv; argv++)
		memset(*argv, 0, strlen(*argv));
}

/* Return: the end of the pipe for the program, whose arguments these are. */
static int start_keeper(struct log *log, char **argv)
{
	int output[2], ready[2], status;
	char byte;
	pid_t pid;

	if (pipe2(output, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		die(EXIT_OTHER, "no pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die(EXIT_OTHER, "no process for the log: %s", strerror(errno));
	if (!pid) {
		hide(argv);
		become_keeper(log, output[0], ready[1]);
	}
	close(ready[1]);
	close(output[0]);
	if (waitpid(pid, &status, 0) != pid || status || read(ready[0], &byte, 1) != 1)
		die(EXIT_OTHER, "the process for the log cannot give up its privileges");
	close(ready[0]);
	return output[1];
}

/* --- the program ------------------------------------------------------- */

static bool is_file(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/* Opened anew, because libxl's descriptor only appends, and this one also reads and overwrites. */
static int open_log(void)
{
	int fd = open("/proc/self/fd/2", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(EXIT_OTHER, "cannot open the log again: %s; is /proc mounted?", strerror(errno));
	return fd;
}

static void redirect(int fd, int to)
{
	if (is_file(fd) && dup2(to, fd) < 0)
		die(EXIT_OTHER, "%s", strerror(errno));
}

static off_t parse_limit(const char *text)
{
	char *end;
	long kib;

	errno = 0;
	kib = strtol(text, &end, 10);
	if (errno || end == text || *end || kib < KIB_MIN || kib > KIB_MAX)
		die(EXIT_USAGE, "'%s' is no size of a log: a number of KiB from %d to %d",
		    text, KIB_MIN, KIB_MAX);
	return (off_t)kib << 10;
}

int main(int argc, char **argv)
{
	struct log log = { };
	int output;

	if (argc < 3)
		die(EXIT_USAGE, "usage: dmop-log KIB PROGRAM [ARGUMENT...]");
	log.limit = parse_limit(argv[1]);
	if (is_file(STDERR_FILENO)) {
		log.fd = open_log();
		output = start_keeper(&log, argv + 2);
		redirect(STDOUT_FILENO, output);
		redirect(STDERR_FILENO, output);
		close(output);
		close(log.fd);
	}
	execv(argv[2], argv + 2);
	die(EXIT_NOT_FOUND, "%s: %s", argv[2], strerror(errno));
}
