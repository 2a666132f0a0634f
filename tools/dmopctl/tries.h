/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tries.h - calls that verify tries on descriptors of another process
 *
 * None of them has an effect, not even where a restriction is missing: a call that is admitted does
 * nothing.
 */
#ifndef DMOPCTL_TRIES_H
#define DMOPCTL_TRIES_H

#include <stddef.h>

#include <xen/dmop.h>

/* Return: 0 or the errno. */
int try_info(int fd, struct dmop_info *info);

/**
 * try_others() - try all calls that a bound file must refuse
 * @fd:    a bound file of /dev/xen/dmop
 * @info:  of that file
 * @other: the domid of another domain
 * @text:  result: the calls that were refused, or those that were not
 * @size:  size of @text
 *
 * Return: 0 if all calls were refused as required, else -1.
 */
int try_others(int fd, const struct dmop_info *info, unsigned int other, char *text, size_t size);

/**
 * try_removed() - try what NARROW has removed
 * @fd:    a bound file of /dev/xen/dmop
 * @info:  of that file
 * @text:  result: what was not refused
 * @size:  size of @text
 * @nr:    result: number of calls tried
 *
 * An operation is tried in a buffer without room for anything but its number, which Xen rejects. A
 * frame is tried by a number that no machine has, a resource by a query of its size, and write
 * access by an empty area. A number of frames is not tried.
 *
 * Return: 0 if all calls were refused, else -1.
 */
int try_removed(int fd, const struct dmop_info *info, char *text, size_t size, unsigned int *nr);

enum stock { STOCK_OPEN, STOCK_RESTRICTED, STOCK_UNKNOWN };

/* The stock driver's node: is it restricted? Issues a hypercall with a NULL argument. */
enum stock try_privcmd(int fd);

/* Return: true if a restricted stock node is restricted to this domain. */
int try_privcmd_domain(int fd, unsigned int domid);

/* Event channels: the errno of a restriction to an impossible domid tells the state. */
enum stock try_evtchn(int fd);

#endif /* DMOPCTL_TRIES_H */
