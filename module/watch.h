/* SPDX-License-Identifier: GPL-2.0 */
/*
 * watch.h - is a domain still there, and still the same one?
 */
#ifndef DMOP_WATCH_H
#define DMOP_WATCH_H

#include <linux/types.h>
#include <xen/interface/xen.h>

struct dmop_record;

/**
 * dmop_watch_check() - have a record checked before a file is bound to it
 * @record: the record, with a reference
 *
 * A new record learns the identity of its domain; an old one may be found dead
 * if its domain has ended unnoticed. If XenStore is slow, the check comes later.
 * The check does not consume the periodic checks scheduled by an event, so
 * frequent RESTRICTs cannot exhaust them. With Xen 4.21 or later, in the initial
 * domain, Xen identifies the domain at once, and XenStore is not asked.
 *
 * Context: process context; waits, killably, for XenStore for at most five seconds.
 *
 * Return: 0, and the record may be dead; or
 *  -ESRCH  the domain lives, but XenStore, which was asked, has no directory for it
 *  -EINTR  the caller is being killed
 */
int dmop_watch_check(struct dmop_record *record);

/**
 * dmop_own_domid() - the domid of the domain that this kernel runs in
 *
 * Context: any.
 *
 * Return: the domid; 0 in the initial domain, and elsewhere until XenStore is up.
 */
domid_t dmop_own_domid(void);

/**
 * dmop_watch_own_target() - the target domain that the toolstack gave this domain
 * @domid: out: the value of the node "target" in this domain's XenStore directory
 *
 * Context: process context; waits for XenStore.
 *
 * Return: true if there is one.
 */
bool dmop_watch_own_target(unsigned int *domid);

/**
 * dmop_watch_init() - watch for the death of domains
 *
 * XenStore may come up at any later time.
 *
 * Context: module init, after dmop_record_init(); waits for XenStore if it is up.
 *
 * Return: 0, or -ENOMEM.
 */
int dmop_watch_init(void);

/**
 * dmop_watch_exit() - end the watch
 *
 * Context: module exit, when no file is open; waits for XenStore if it is up.
 */
void dmop_watch_exit(void);

#endif /* DMOP_WATCH_H */
