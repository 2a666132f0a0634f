// SPDX-License-Identifier: GPL-2.0
/*
 * model.c - a device model; it prints the node behind its descriptor: dmop or stock
 *
 * model [WORD...]; own: opens the node itself, twice; stream: the same by fopen(); child: a child
 * counts its inheritance; call: prints the node of libxencall; for: prints what the descriptors of
 * libxendevicemodel and libxenforeignmemory are for, see fake.c.
 * With LATE it loads libxendevicemodel at run time. It ignores other words.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "purpose.h"

static int open_by(const char *name, const char *symbol)
{
	void *library = dlopen(name, RTLD_NOW);
	int (*function)(void) = library ? dlsym(library, symbol) : NULL;

	return function ? function() : -1;
}

#ifdef LATE
static int xendevicemodel_open(void)
{
	return open_by("libxendevicemodel.so.1", "xendevicemodel_open");
}
#else
int xendevicemodel_open(void);
#endif

static int xenforeignmemory_open(void)
{
	return open_by("libxenforeignmemory.so.1", "xenforeignmemory_open");
}

static const char *node(int fd)
{
	struct stat st, zero, full;

	if (fstat(fd, &st) || stat("/dev/zero", &zero) || stat("/dev/full", &full))
		return "none";
	return st.st_rdev == zero.st_rdev ? "dmop" : st.st_rdev == full.st_rdev ? "stock" : "other";
}

int main(int argc, char **argv)
{
	int i;

	puts(node(xendevicemodel_open()));
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "own")) {
			puts(node(open("/dev/xen/privcmd", O_RDWR)));
			puts(node(open("/dev/xen/privcmd", O_RDWR)));
		} else if (!strcmp(argv[i], "stream")) {
			puts(fopen("/dev/xen/privcmd", "r+") ? "stream" : "no stream");
			puts(fopen64("/dev/xen/privcmd", "r+") ? "stream" : "no stream");
		} else if (!strcmp(argv[i], "call")) {
			puts(node(open_by("libxencall.so.1", "xencall_open")));
		} else if (!strcmp(argv[i], "for")) {
			puts(purpose(xendevicemodel_open()));
			puts(purpose(xenforeignmemory_open()));
		} else if (!strcmp(argv[i], "child")) {
			fflush(stdout);
			if (system("env | grep -cE 'HANDOVER|libdmop'; ls -l /proc/self/fd | grep -c /dev/zero") < 0)
				return 1;
		}
	}
	return 0;
}
