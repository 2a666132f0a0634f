/* SPDX-License-Identifier: GPL-2.0 */
/*
 * domains.h - which domains there are, as XenStore tells it
 */
#ifndef DMOPCTL_DOMAINS_H
#define DMOPCTL_DOMAINS_H

#include <stdbool.h>
#include <sys/types.h>

#include "text.h"

struct domain {
	long domid;
	pid_t device_model;	/* 0: it has none that the toolstack knows */
	char name[NAME_SIZE];
};

struct domains {
	bool known;		/* XenStore answered */
	struct domain *list;
	unsigned int nr;
};

/*
 * Asks xenstored through its socket, which needs root. A dom0 whose XenStore is in
 * another domain has none: there the domains stay unknown, and without names.
 */
void domains_read(struct domains *d);
void domains_free(struct domains *d);

/* Return: the name, clean; "" if it has none, or is not known. */
const char *domains_name(const struct domains *d, long domid);

#endif /* DMOPCTL_DOMAINS_H */
