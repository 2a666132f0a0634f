/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tries.h - what verify does with a descriptor of another process
 *
 * Nothing here has an effect, not even where the restriction is not what it
 * should be: the operations that are tried do nothing when they are let through.
 */
#ifndef DMOPCTL_TRIES_H
#define DMOPCTL_TRIES_H

#include <stddef.h>

#include <xen/dmop.h>

/* Return: 0 or the errno. */
int try_info(int fd, struct dmop_info *info);

/**
 * try_others() - try all that a file that is bound must refuse
 * @fd:    a file of /dev/xen/dmop that is bound
 * @other: a domid that it is not bound to
 * @text:  result: what was refused, or what was not
 * @size:  room there
 *
 * Return: 0 if all was refused, as it has to be; else -1.
 */
int try_others(int fd, unsigned int other, char *text, size_t size);

enum stock { STOCK_OPEN, STOCK_RESTRICTED, STOCK_UNKNOWN };

/* The stock driver's node: what does it say to a hypercall that is not even there? */
enum stock try_privcmd(int fd);

/* Is it restricted to this domain? Only for one that is restricted. */
int try_privcmd_domain(int fd, unsigned int domid);

/* Event channels: a restriction to no possible domain is refused in two ways. */
enum stock try_evtchn(int fd);

#endif /* DMOPCTL_TRIES_H */
