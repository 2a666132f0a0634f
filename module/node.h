/* SPDX-License-Identifier: GPL-2.0 */
/*
 * node.h - the device node /dev/xen/dmop
 */
#ifndef DMOP_NODE_H
#define DMOP_NODE_H

/**
 * dmop_node_init() - create the device node
 *
 * Files can be opened before it returns.
 *
 * Context: module init.
 *
 * Return: 0, or an errno of the kernel, which is then in the log.
 */
int dmop_node_init(void);

/**
 * dmop_node_exit() - remove the device node
 *
 * Context: module exit; no file is open.
 */
void dmop_node_exit(void);

#endif /* DMOP_NODE_H */
