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

struct domains {
	bool known;		/* XenStore answered */
	struct domain *list;
	unsigned int nr;
};

/*
 * Reads the domains from xenstored through its socket; this needs root. With xenstored in another
 * domain there is no socket, and the domains stay unknown and without names.
 */
void domains_read(struct domains *d);
void domains_free(struct domains *d);

/* Return: the name, from text_clean(); "" if the domain has none or is unknown. */
const char *domains_name(const struct domains *d, long domid);

#endif /* DMOPCTL_DOMAINS_H */
