// SPDX-License-Identifier: GPL-2.0
/*
 * preload.c - redirect the Xen libraries of an unmodified program to the restricted node
 *
 * Xen's libraries have a fixed path of the stock node. This library interposes libc's open(), and
 * gives libxendevicemodel and libxenforeignmemory a duplicate each of a descriptor that dmop-run has
 * opened and bound: one for calls, and one for mappings. The duplication needs neither privileges
 * nor access to /dev, so it also works after chroot() or a change of uid, and under seccomp.
 *
 * libxencall issues raw hypercalls. The restricted node refuses them, but some programs need a few
 * before they restrict themselves. So libxencall keeps the stock node (its own restriction replaces
 * the node by /dev/null), unless dmop-run was started with --no-stock.
 *
 * With --every-caller, all other code of the program gets a duplicate as well. All duplicates are
 * then of one open file: such code may map and call through different descriptors, and the module
 * accepts an area only from the open file that made it.
 *
 * A program without Xen's libraries is a launcher (env, taskset, sh -c, a script): what it executes
 * is loaded with this library as well, see follow.c. Children of a program with Xen's libraries are
 * not. A program with code of its own remains a launcher: it may have threads when it first opens the
 * node, and changing the environment is not safe then.
 *
 * This library is no security barrier: a program with privileges can open any node. The barrier is
 * the binding of the descriptors in the kernel.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xen/dmop.h>
#include "handover.h"
#include "images.h"
#include "preload.h"

enum { DEVICEMODEL, FOREIGNMEMORY, XENCALL, NR_CONFINED };

static const char *const confined_libraries[NR_CONFINED] = {
	"libxendevicemodel.so", "libxenforeignmemory.so", "libxencall.so",
};

/* One for calls, and one for mappings; they may be the same. */
enum { CALL, MAP, NR_BOUND };

static int bound_fd[NR_BOUND] = { -1, -1 };
static unsigned int bound_domid;
static struct stat bound_stat;
static enum callers callers;
static int reporter;

/* With CALLERS_ALL: the stock node, or no device if it does not exist. */
static struct stat stock_stat;

/* Set while this program is a launcher. */
static bool following;
static char library[PATH_MAX];

/* The file that was executed, as its caller named it. */
static const char *program(void)
{
	const char *name = (const char *)getauxval(AT_EXECFN);

	return name ? name : "?";
}

static _Noreturn void die(const char *what)
{
	dprintf(STDERR_FILENO, "dmop-run: " PRELOAD_NAME ": %s\n", what);
	_exit(EXIT_OTHER);
}

static bool is_bound_to(int fd, unsigned int domid)
{
	struct dmop_info info = { .size = sizeof(info) };

	return !ioctl(fd, DMOP_IOCTL_INFO, &info) &&
	       info.state != DMOP_STATE_UNBOUND && info.domid == domid;
}

/* Removes the first word, this library; the rest is the value from before dmop-run. */
static void clean_preload(void)
{
	char *value = getenv(PRELOAD_VAR), *rest = NULL;

	if (!value)
		return;
	value += strcspn(value, PRELOAD_SEPARATORS);
	value += strspn(value, PRELOAD_SEPARATORS);
	if (*value)
		rest = strdup(value);
	if (rest)
		setenv(PRELOAD_VAR, rest, 1);
	else
		unsetenv(PRELOAD_VAR);
	free(rest);
}

static void keep_library(void)
{
	const char *value = getenv(PRELOAD_VAR);
	size_t n = value ? strcspn(value, PRELOAD_SEPARATORS) : 0;

	if (!n || n >= sizeof(library))
		die(PRELOAD_VAR " is garbled");
	memcpy(library, value, n);
}

static bool is_library(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return !strncmp(slash ? slash + 1 : path, name, strlen(name));
}

static int is_confined_object(struct dl_phdr_info *info, size_t size, void *unused)
{
	size_t i;

	(void)size;
	(void)unused;
	for (i = 0; i < NR_CONFINED; i++)
		if (is_library(info->dlpi_name, confined_libraries[i]))
			return 1;
	return 0;
}

static bool set_inherited(bool inherited)
{
	const int flags = inherited ? 0 : FD_CLOEXEC;

	return !fcntl(bound_fd[CALL], F_SETFD, flags) && !fcntl(bound_fd[MAP], F_SETFD, flags);
}

/* At its start, or when it first opens the node. */
static void report_device_model(void)
{
	static bool reported;
	static const char *const callers_text[] = {
		[CALLERS_TWO] = "its libxendevicemodel and libxenforeignmemory",
		[CALLERS_XENCALL] = "its libxendevicemodel and libxenforeignmemory and libxencall",
		[CALLERS_ALL] = "all its opens of " STOCK_NODE,
	};

	if (reporter && !__atomic_exchange_n(&reported, true, __ATOMIC_RELAXED))
		dprintf(STDERR_FILENO, "dmop-run: %s: %s reach domain %u only, through " DMOP_NODE "\n",
			program(), callers_text[callers], bound_domid);
}

/* Ends the launchers: the children of this program must not inherit the redirection. */
static void become_device_model(void)
{
	following = false;
	set_inherited(false);
	take_over_images();
	unsetenv(HANDOVER_VAR);
	clean_preload();
	report_device_model();
}

static void become_launcher(void)
{
	following = true;
	keep_library();
	if (reporter == getpid())
		dprintf(STDERR_FILENO, "dmop-run: %s: has none of Xen's libraries; %sprograms that it executes are confined to domain %u\n",
			program(), callers == CALLERS_ALL ? "its opens of " STOCK_NODE " and " : "", bound_domid);
}

/* O_PATH needs no permission for the device, and does not enter its driver. */
static void find_stock_node(void)
{
	int (*real)(const char *path, int flags, ...) = next("open");
	int fd = real(STOCK_NODE, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return;
	if (fstat(fd, &stock_stat))
		stock_stat.st_mode = 0;
	close(fd);
}

/*
 * The constructor of another library may call open() before this one runs, so each interposed
 * function calls this one too. At that time there is only one thread.
 */
static void __attribute__((constructor)) take_over(void)
{
	static bool done;
	const char *value;
	int fd[NR_BOUND], whose;

	if (done)
		return;
	done = true;
	value = getenv(HANDOVER_VAR);
	if (!value)
		return;
	if (sscanf(value, HANDOVER_FORMAT, &fd[CALL], &fd[MAP], &bound_domid, &whose, &reporter) != 5 ||
	    whose < CALLERS_TWO || whose > CALLERS_ALL)
		die(HANDOVER_VAR " is garbled");
	if (!is_bound_to(fd[CALL], bound_domid) || !is_bound_to(fd[MAP], bound_domid) ||
	    fstat(fd[CALL], &bound_stat))
		die("the program that executed this one has closed a descriptor of " DMOP_NODE "; put dmop-run behind that program, directly before this one");
	bound_fd[CALL] = fd[CALL];
	bound_fd[MAP] = fd[MAP];
	callers = whose;
	if (callers == CALLERS_ALL)
		find_stock_node();
	if (dl_iterate_phdr(is_confined_object, NULL))
		become_device_model();
	else
		become_launcher();
}

/* A program may close unknown descriptors and reuse their numbers. */
static bool still_ours(int fd)
{
	struct stat now;

	return !fstat(fd, &now) && S_ISCHR(now.st_mode) &&
	       now.st_rdev == bound_stat.st_rdev;
}

/* Identifies the calling library by the return address of open(). */
static bool is_from(const void *caller, const char *library)
{
	Dl_info info;

	return dladdr(caller, &info) && info.dli_fname && is_library(info.dli_fname, library);
}

/* Return: the number of the one of Xen's libraries that calls, or NR_CONFINED. */
static unsigned int which_library(const void *caller)
{
	unsigned int i;

	for (i = 0; i < NR_CONFINED && !is_from(caller, confined_libraries[i]); i++)
		;
	return i;
}

static void warn_of_own_open(const char *path)
{
	static bool warned;

	if (__atomic_exchange_n(&warned, true, __ATOMIC_RELAXED))
		return;
	dprintf(STDERR_FILENO, "dmop-run: warning: %s opens %s without Xen's libraries, and gets the stock driver; this descriptor is not confined to domain %u; dmop-run --every-caller would confine it\n",
		program(), path, bound_domid);
}

static void warn_of_closed_descriptor(void)
{
	static bool warned;

	if (!__atomic_exchange_n(&warned, true, __ATOMIC_RELAXED))
		dprintf(STDERR_FILENO, "dmop-run: %s has closed the descriptor of " DMOP_NODE
			" that replaces " STOCK_NODE "; opening the latter fails\n", program());
}

static bool is_stock_node(const char *path)
{
	return !strcmp(path, STOCK_NODE) || !strcmp(path, STOCK_NODE_OLD);
}

/* Return: the descriptor for this one of Xen's libraries, or for other code; -1 with errno. */
static int bound_for(unsigned int which)
{
	int fd = bound_fd[which == FOREIGNMEMORY ? MAP : CALL];

	if (still_ours(fd))
		return fd;
	warn_of_closed_descriptor();
	errno = EBADF;
	return -1;
}

/* Return: as instead(). */
static int instead_of_node(const char *path, int flags, const void *caller)
{
	unsigned int which;
	int fd;

	/*
	 * The stock driver's hypercall buffers are of no use here. libxencall works without them on
	 * ENOENT, but fails on any other error.
	 */
	if (callers != CALLERS_TWO && !strcmp(path, BUFFER_NODE) && is_from(caller, confined_libraries[XENCALL])) {
		errno = ENOENT;
		return -1;
	}
	if (!is_stock_node(path))
		return NOT_OURS;
	which = which_library(caller);
	if (which == NR_CONFINED && callers != CALLERS_ALL) {
		warn_of_own_open(path);
		return NOT_OURS;
	}
	if (which == NR_CONFINED)
		report_device_model();
	else if (following)
		become_device_model();
	if (which == XENCALL && callers == CALLERS_TWO)
		return NOT_OURS;
	fd = bound_for(which);
	return fd < 0 ? fd : fcntl(fd, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
}

int instead(const char *path, int flags, const void *caller)
{
	int fd;

	take_over();
	if (bound_fd[CALL] < 0 || !path)
		return NOT_OURS;
	fd = open_image(path, flags);
	return fd != NO_IMAGE ? fd : instead_of_node(path, flags, caller);
}

int instead_of_stream(const char *path, int flags, const void *caller)
{
	take_over();
	return bound_fd[CALL] < 0 || !path ? NOT_OURS : instead_of_node(path, flags, caller);
}

/* With CALLERS_ALL only; otherwise no stock node is known. */
bool confine(int fd, int flags)
{
	struct stat now;
	int bound;

	if (!S_ISCHR(stock_stat.st_mode) || fstat(fd, &now) || !S_ISCHR(now.st_mode) ||
	    now.st_rdev != stock_stat.st_rdev)
		return true;
	report_device_model();
	bound = bound_for(NR_CONFINED);
	return bound >= 0 && dup3(bound, fd, flags & O_CLOEXEC) == fd;
}

bool launcher_handover(struct handover *h)
{
	take_over();
	if (!following)
		return false;
	h->library = library;
	h->open = still_ours(bound_fd[CALL]) && still_ours(bound_fd[MAP]) && set_inherited(true);
	snprintf(h->text, sizeof(h->text), HANDOVER_FORMAT, bound_fd[CALL], bound_fd[MAP], bound_domid,
		 callers, reporter);
	return true;
}

void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		die("the program's C library lacks a function that it calls");
	return function;
}
