/* SPDX-License-Identifier: GPL-2.0 */
/*
 * census.h - device models, and holders of an unrestricted /dev/xen/privcmd
 */
#ifndef DMOPCTL_CENSUS_H
#define DMOPCTL_CENSUS_H

#include <stdbool.h>
#include <sys/types.h>

#include "domains.h"
#include "narrowed.h"
#include "text.h"

enum kind { KIND_DEVICE_MODEL, KIND_XENSTORED, KIND_TOOLSTACK, KIND_BACKEND, KIND_OTHER };

enum privcmd {
	PRIVCMD_NONE,		/* no descriptor, or only those restricted by the stock driver */
	PRIVCMD_OPEN,		/* an unrestricted one */
	PRIVCMD_UNKNOWN,	/* one that cannot be queried */
};

/* From the arguments of a QEMU; of another program, NO_DOMID and zeros. */
struct qemu {
	long domid;			/* its domain, or NO_DOMID */
	unsigned long video;		/* MiB of video memory; 0: unknown */
	bool pv;			/* the backend of a PV or PVH guest, which has no restriction */
	bool restricted;		/* started with dm_restrict */
};

struct holder {
	pid_t pid;
	uid_t uid;			/* effective */
	char name[NAME_SIZE];		/* of the program, from text_clean() */
	enum kind kind;
	enum privcmd privcmd;
	long domid;			/* of a device model, or NO_DOMID */
	bool bound;			/* holds a /dev/xen/dmop bound to it */
	unsigned long long buf_size;	/* of the smallest limit of these files */
	struct rights rights;		/* of these files together */
	struct qemu qemu;
};

struct census {
	struct holder *list;		/* by pid */
	unsigned int nr;
	unsigned int hidden;		/* processes not readable by this user */
	unsigned int models;		/* device models */
	unsigned int confined;		/* those bound, and without an unrestricted descriptor */
};

/* Return: "device model", "xenstored", "toolstack", "backend", "other". */
const char *kind_name(enum kind kind);

/*
 * kind_of() - tell the kind of a process
 * @name:      its program
 * @arguments: its arguments, each with a NUL
 * @n:         their bytes
 * @qemu:      result
 */
enum kind kind_of(const char *name, const char *arguments, size_t n, struct qemu *qemu);

/*
 * arguments_read() - read the arguments of a process, if it lets them be read
 * @dirfd: its directory in /proc
 * @text:  result: the arguments, each with a NUL, and one more
 * @size:  size of @text
 *
 * The kernel reads them from the memory of the process. It waits while a call of that process holds
 * mmap_lock for writing, and the process may be starved there. So a child reads them.
 *
 * Return: their bytes; 0 if they cannot be read, or not within two seconds.
 */
ssize_t arguments_read(int dirfd, char *text, size_t size);

/* Return: true if this device model is confined. */
bool holder_confined(const struct holder *h);

/* Scans /proc. Return: 0, or a STATUS_ after an error message. */
int census_take(struct census *c, const struct domains *d);
void census_free(struct census *c);

#endif /* DMOPCTL_CENSUS_H */
