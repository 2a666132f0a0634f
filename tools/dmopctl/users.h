/* SPDX-License-Identifier: GPL-2.0 */
/*
 * users.h - the users of restricted device models
 */
#ifndef DMOPCTL_USERS_H
#define DMOPCTL_USERS_H

#include "config.h"
#include "findings.h"

/* Domids are 1 to this. The QEMU of a domain runs with the uid of the range's user plus the domid. */
#define LAST_DOMID	32751UL

/* Neither a subordinate uid by the defaults of login.defs(5), nor used by systemd. */
#define RANGE_BASE	"65536"

/* Checks the users that xl needs for dm_restrict, and for the guests in @need. */
void users_check(const struct config_users *need, struct findings *f);

/**
 * users_subordinate() - find a user whose subordinate uids are among others
 * @path:  a file as /etc/subuid
 * @first: first uid
 * @last:  last uid
 * @owner: result, from text_clean()
 * @size:  of @owner
 *
 * The range's own user does not count. It may have subordinate uids to keep them from others.
 *
 * Return: true if there is one.
 */
bool users_subordinate(const char *path, unsigned long first, unsigned long last, char *owner,
		       size_t size);

/* Return: true if a range of the range's own user in @path contains all these uids. */
bool users_reserved(const char *path, unsigned long first, unsigned long last);

/* Return: true if @path, as /etc/login.defs, has some of these uids for users to be added. */
bool users_allocatable(const char *path, unsigned long first, unsigned long last);

#endif /* DMOPCTL_USERS_H */
