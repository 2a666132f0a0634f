/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nodes.h - which of Xen's nodes a file is
 */
#ifndef DMOPCTL_NODES_H
#define DMOPCTL_NODES_H

#include <stdbool.h>
#include <sys/types.h>

struct node {
	char name[64];		/* "privcmd" */
	dev_t device;
};

/* Xen's devices that this kernel has, and the file system that has the same in /proc/xen. */
struct nodes {
	struct node *list;
	unsigned int nr;
	dev_t xenfs;		/* 0: not mounted */
};

void nodes_read(struct nodes *n);
void nodes_free(struct nodes *n);

/**
 * nodes_which() - look at what a path below /proc/PID leads to
 * @n:     the nodes
 * @dirfd: the directory
 * @path:  a link there, fd/N or map_files/N; or "" for what @dirfd is itself
 * @name:  result, 64 bytes: "privcmd"; clean
 *
 * Never waits for a file system that somebody else serves.
 * Return: whether it is one of Xen's.
 */
bool nodes_which(const struct nodes *n, int dirfd, const char *path, char *name);

#endif /* DMOPCTL_NODES_H */
