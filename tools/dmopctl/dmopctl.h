/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dmopctl.h - constants of all files: version, paths, exit codes
 */
#ifndef DMOPCTL_H
#define DMOPCTL_H

#ifndef DMOP_VERSION
#error "DMOP_VERSION comes from dkms.conf, by the Makefile"
#endif

/* Where the Makefile installs to. */
#ifndef LIBDIR
#define LIBDIR	"/usr/lib/dmop"
#endif
#ifndef SBINDIR
#define SBINDIR	"/usr/sbin"
#endif

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define NODE		"/dev/xen/dmop"
#define MODULE		"dmop_privcmd"
#define SYS_MODULE	"/sys/module/" MODULE

/* The exit codes of dmopctl(8). */
enum {
	STATUS_OK = 0,
	STATUS_FAULT = 1,	/* check, verify: at least one finding is a FAULT */
	STATUS_USAGE = 2,
	STATUS_DENIED = 3,
	STATUS_NO_PROCESS = 4,
	STATUS_NO_MODULE = 5,	/* not on Xen, or the module is not loaded */
	STATUS_OTHER = 6,
};

#endif /* DMOPCTL_H */
