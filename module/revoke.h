/* SPDX-License-Identifier: GPL-2.0 */
/*
 * revoke.h - the order in which everything of a dead domain ends
 */
#ifndef DMOP_REVOKE_H
#define DMOP_REVOKE_H

#include <linux/workqueue.h>

/**
 * dmop_revoke() - revoke every file of a dead record
 * @work: the member @revoke of the record
 *
 * When it returns, no process has a mapping of the domain through these files, none of
 * their calls is in Xen, and the reference that was taken for the work is dropped.
 *
 * Context: workqueue; waits for calls in progress.
 */
void dmop_revoke(struct work_struct *work);

#endif /* DMOP_REVOKE_H */
