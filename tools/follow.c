// SPDX-License-Identifier: GPL-2.0
/*
 * follow.c - programs executed by a launcher get the preload library and its descriptor as well
 *
 * Most launchers pass on their environment, and need no help. For the others, this file interposes
 * the functions of libc for the execution of a program: it restores the variables in the
 * environment, and refuses a program not fit for the library. The loader would print a message at
 * most, and start an unconfined program.
 *
 * These functions also run in children of fork() and vfork(), so they allocate nothing.
 */
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fit.h"
#include "handover.h"
#include "preload.h"

/* --- the program ------------------------------------------------------- */

static int refuse(const char *why)
{
	const int err = EACCES;

	dprintf(STDERR_FILENO, "dmop-run: not started, because it would not be confined: %s; or put dmop-run behind its launcher, directly before it\n",
		why);
	return err;
}

/* Return: 0 or an errno. The kernel itself reports missing files, and files of other formats. */
static int may_execute(const struct handover *h, enum fit fit, const char *why)
{
	int fd;

	if (fit == MISSING || fit == NO_PROGRAM)
		return 0;
	if (fit == UNFIT)
		return refuse(why);
	if (!h->open)
		return refuse("a descriptor of " DMOP_NODE " has been closed");
	fd = open(h->library, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return refuse(PRELOAD_NAME " cannot be read by this user, or in this root directory; make it readable there under the same path");
	close(fd);
	return 0;
}

static int may_execute_file(const struct handover *h, const char *path)
{
	char why[WHY_SIZE];

	return may_execute(h, fit_file(path, why, sizeof(why)), why);
}

static int may_execute_descriptor(const struct handover *h, int fd, const char *name)
{
	char why[WHY_SIZE];

	return may_execute(h, fit_descriptor(fd, name, why, sizeof(why)), why);
}

/* Searches PATH like execvp(). Return: false if there is no such file. */
static bool search(const char *name, char *found, size_t size)
{
	const char *dir = getenv("PATH");
	struct stat st;

	if (strchr(name, '/'))
		return snprintf(found, size, "%s", name) < (int)size;
	for (dir = dir ? dir : _PATH_DEFPATH; ; dir++) {
		int length = strcspn(dir, ":");

		if (snprintf(found, size, "%.*s%s%s", length, dir, length ? "/" : "", name) < (int)size &&
		    !faccessat(AT_FDCWD, found, X_OK, AT_EACCESS) && !stat(found, &st) && S_ISREG(st.st_mode))
			return true;
		dir += length;
		if (!*dir)
			return false;
	}
}

static int may_execute_name(const struct handover *h, const char *name)
{
	char found[PATH_MAX];

	return search(name, found, sizeof(found)) ? may_execute_file(h, found) : 0;
}

/* --- the environment --------------------------------------------------- */

static const char *value_of(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(entry, name, n) && entry[n] == '=' ? entry + n + 1 : NULL;
}

/* Return: @value, an LD_PRELOAD, without this library at its beginning. */
static const char *others_in(const char *value, const char *library)
{
	size_t n = strlen(library);

	if (!strncmp(value, library, n) && (!value[n] || strchr(PRELOAD_SEPARATORS, value[n])))
		value += n + strspn(value + n, PRELOAD_SEPARATORS);
	return value;
}

static size_t environment_size(const struct handover *h, char *const *from)
{
	size_t n, bytes = 0;

	for (n = 0; from && from[n]; n++)
		if (value_of(from[n], PRELOAD_VAR))
			bytes += strlen(from[n]);
	return (n + 3) * sizeof(char *) + bytes + strlen(h->library) + sizeof(PRELOAD_VAR) +
	       sizeof(HANDOVER_VAR) + sizeof(h->text) + 4;
}

/* A copy of @from with the two variables as dmop-run has set them, in @space. */
static char **environment(const struct handover *h, char *const *from, void *space)
{
	const char *value, *others = "";
	char **to = space, *text;
	size_t i, n = 0;

	for (i = 0; from && from[i]; i++) {
		value = value_of(from[i], PRELOAD_VAR);
		if (value)
			others = others_in(value, h->library);
		else if (!value_of(from[i], HANDOVER_VAR))
			to[n++] = from[i];
	}
	text = (char *)(to + i + 3);
	to[n++] = text;
	text += 1 + sprintf(text, HANDOVER_VAR "=%s", h->text);
	to[n++] = text;
	sprintf(text, PRELOAD_VAR "=%s%s%s", h->library, *others ? ":" : "", others);
	to[n] = NULL;
	return to;
}

/* In the frame of the caller. */
#define ENVIRONMENT(h, from) \
	environment((h), (from), alloca(environment_size((h), (from))))

/* --- the execution of a program ---------------------------------------- */

INTERPOSED int execve(const char *path, char *const argv[], char *const envp[])
{
	int (*real)(const char *path, char *const *argv, char *const *envp) = next("execve");
	struct handover h;
	int err;

	if (!launcher_handover(&h))
		return real(path, argv, envp);
	err = may_execute_file(&h, path);
	if (!err)
		return real(path, argv, ENVIRONMENT(&h, envp));
	errno = err;
	return -1;
}

INTERPOSED int execvpe(const char *name, char *const argv[], char *const envp[])
{
	int (*real)(const char *name, char *const *argv, char *const *envp) = next("execvpe");
	struct handover h;
	int err;

	if (!launcher_handover(&h))
		return real(name, argv, envp);
	err = may_execute_name(&h, name);
	if (!err)
		return real(name, argv, ENVIRONMENT(&h, envp));
	errno = err;
	return -1;
}

INTERPOSED int fexecve(int fd, char *const argv[], char *const envp[])
{
	int (*real)(int fd, char *const *argv, char *const *envp) = next("fexecve");
	struct handover h;
	int err;

	if (!launcher_handover(&h))
		return real(fd, argv, envp);
	err = may_execute_descriptor(&h, fd, "the program");
	if (!err)
		return real(fd, argv, ENVIRONMENT(&h, envp));
	errno = err;
	return -1;
}

static int may_execute_at(const struct handover *h, int dir, const char *path, int flags)
{
	int err, fd;

	if (!*path && flags & AT_EMPTY_PATH)
		return may_execute_descriptor(h, dir, "the program");
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : refuse(path);
	err = may_execute_descriptor(h, fd, path);
	close(fd);
	return err;
}

/* Not declared by C libraries before 2.34. */
INTERPOSED int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags);

INTERPOSED int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
	int (*real)(int dir, const char *path, char *const *argv, char *const *envp, int flags) =
		next("execveat");
	struct handover h;
	int err;

	if (!launcher_handover(&h))
		return real(dir, path, argv, envp, flags);
	err = may_execute_at(&h, dir, path, flags);
	if (!err)
		return real(dir, path, argv, ENVIRONMENT(&h, envp), flags);
	errno = err;
	return -1;
}

INTERPOSED int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

INTERPOSED int execvp(const char *name, char *const argv[])
{
	return execvpe(name, argv, environ);
}

static size_t count_arguments(va_list ap)
{
	size_t n = 1;

	while (va_arg(ap, char *))
		n++;
	return n;
}

/* By reference: a va_list that was passed by value is indeterminate afterwards. */
static void collect_arguments(char **argv, const char *first, va_list *ap)
{
	*argv = (char *)first;
	while (*argv)
		*++argv = va_arg(*ap, char *);
}

/* argv in the frame of the caller, of its arguments from @first on; @ap then stands behind them. */
#define ARGUMENTS(argv, first, ap)					\
	do {								\
		va_start(ap, first);					\
		(argv) = alloca((count_arguments(ap) + 1) * sizeof(char *));	\
		va_end(ap);						\
		va_start(ap, first);					\
		collect_arguments((argv), (first), &(ap));			\
	} while (0)

INTERPOSED int execl(const char *path, const char *first, ...)
{
	char **argv;
	va_list ap;

	ARGUMENTS(argv, first, ap);
	va_end(ap);
	return execve(path, argv, environ);
}

INTERPOSED int execlp(const char *name, const char *first, ...)
{
	char **argv;
	va_list ap;

	ARGUMENTS(argv, first, ap);
	va_end(ap);
	return execvpe(name, argv, environ);
}

INTERPOSED int execle(const char *path, const char *first, ...)
{
	char **argv, *const *envp;
	va_list ap;

	ARGUMENTS(argv, first, ap);
	envp = va_arg(ap, char *const *);
	va_end(ap);
	return execve(path, argv, envp);
}

typedef int spawn_function(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attributes, char *const *argv, char *const *envp);

INTERPOSED int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	spawn_function *real = next("posix_spawn");
	struct handover h;
	int err;

	if (!launcher_handover(&h))
		return real(pid, path, actions, attributes, argv, envp);
	err = may_execute_file(&h, path);
	return err ? err : real(pid, path, actions, attributes, argv, ENVIRONMENT(&h, envp));
}

INTERPOSED int posix_spawnp(pid_t *pid, const char *name, const posix_spawn_file_actions_t *actions,
			    const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	spawn_function *real = next("posix_spawnp");
	struct handover h;
	int err;

	if (!launcher_handover(&h))
		return real(pid, name, actions, attributes, argv, envp);
	err = may_execute_name(&h, name);
	return err ? err : real(pid, name, actions, attributes, argv, ENVIRONMENT(&h, envp));
}

/* --- the execution of a shell ------------------------------------------ */

/* The C library executes the shell with the environment of this process. */
static void keep_environment(void)
{
	struct handover h;
	char **env, **entry;

	if (!launcher_handover(&h))
		return;
	env = ENVIRONMENT(&h, environ);
	for (entry = env; *entry; entry++) {
		if (value_of(*entry, HANDOVER_VAR))
			setenv(HANDOVER_VAR, value_of(*entry, HANDOVER_VAR), 1);
		if (value_of(*entry, PRELOAD_VAR))
			setenv(PRELOAD_VAR, value_of(*entry, PRELOAD_VAR), 1);
	}
}

INTERPOSED int system(const char *command)
{
	int (*real)(const char *command) = next("system");

	keep_environment();
	return real(command);
}

INTERPOSED FILE *popen(const char *command, const char *mode)
{
	FILE *(*real)(const char *command, const char *mode) = next("popen");

	keep_environment();
	return real(command, mode);
}
