/* SPDX-License-Identifier: GPL-2.0 */
/*
 * domains.h - the domains in XenStore
 */
#ifndef DMOPCTL_DOMAINS_H
#define DMOPCTL_DOMAINS_H

#include <stdbool.h>
#include <sys/types.h>

#include "text.h"

struct domain {
	long domid;
	pid_t device_model;	/* 0: none known to the toolstack */
	char name[NAME_SIZE];
};

enum xenstore {
	XENSTORE_ANSWERS,
	XENSTORE_DENIED,	/* not for this user */
	XENSTORE_NO_SOCKET,	/* it serves from another domain, or elsewhere */
	XENSTORE_REFUSES,	/* there is a socket, and no server behind it */
	XENSTORE_SILENT,	/* no answer in DOMAINS_PATIENCE seconds */
};

struct domains {
	enum xenstore xenstore;
	struct domain *list;	/* empty unless it answers */
	unsigned int nr;
};

/*
 * Reads the domains from xenstored through its socket; this needs root. With xenstored in another
 * domain there is no socket, and the domains stay unknown and without names. A xenstored that does
 * not answer is given up, for the rest of the program as well.
 */
#ifndef DOMAINS_PATIENCE
#define DOMAINS_PATIENCE	10
#endif
void domains_read(struct domains *d);
void domains_free(struct domains *d);

/* Return: the path of xenstored's socket. */
const char *domains_socket(void);

/* Return: the name, from text_clean(); "" if the domain has none or is unknown. */
const char *domains_name(const struct domains *d, long domid);

#endif /* DMOPCTL_DOMAINS_H */
