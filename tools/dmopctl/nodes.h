/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nodes.h - identification of Xen's device nodes and xenfs files
 */
#ifndef DMOPCTL_NODES_H
#define DMOPCTL_NODES_H

#include <sys/types.h>

struct node {
	char name[64];		/* "privcmd" */
	dev_t device;
};

/* The Xen devices of this kernel, and xenfs, which offers some of them in /proc/xen as well. */
struct nodes {
	struct node *list;
	unsigned int nr;
	dev_t xenfs;		/* its device number; 0: not mounted */
};

void nodes_read(struct nodes *n);
void nodes_free(struct nodes *n);

/**
 * nodes_which() - identify the target of a link below /proc/PID
 * @n:     the nodes
 * @dirfd: the directory
 * @path:  a link there, fd/N or map_files/N; or "" for the file @dirfd itself
 * @name:  result, 64 bytes: "privcmd"; from text_clean()
 *
 * Never blocks on a file system with a server in user space.
 * Return: 1 if the target is a node of Xen, 0 if not, minus the errno if that cannot be told.
 */
int nodes_which(const struct nodes *n, int dirfd, const char *path, char *name);

#endif /* DMOPCTL_NODES_H */
