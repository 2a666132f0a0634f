// SPDX-License-Identifier: GPL-2.0
/*
 * nodes.c - identification of Xen's device nodes and xenfs files
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "memory.h"
#include "nodes.h"
#include "proc.h"

#define XENFS_MAGIC	0xabba1974

void nodes_read(struct nodes *n)
{
	struct dirent *entry;
	struct statfs fs;
	struct stat st;
	DIR *dir = opendir("/sys/class/misc");

	*n = (struct nodes){ 0 };
	while (dir && (entry = readdir(dir))) {
		struct node *node;

		if (strncmp(entry->d_name, "xen!", 4))
			continue;
		n->list = grow(n->list, n->nr + 1, sizeof(*n->list));
		node = &n->list[n->nr++];
		snprintf(node->name, sizeof(node->name), "%.63s", entry->d_name + 4);
		node->device = xen_device(node->name);
	}
	if (dir)
		closedir(dir);
	/* All mounts of xenfs share one superblock. */
	if (!statfs("/proc/xen", &fs) && fs.f_type == XENFS_MAGIC && !stat("/proc/xen", &st))
		n->xenfs = st.st_dev;
}

void nodes_free(struct nodes *n)
{
	free(n->list);
	n->list = NULL;
	n->nr = 0;
}

/* Gets the name of a xenfs file from its path: these files have no device numbers. */
static bool which_file(int dirfd, const char *path, char *name)
{
	char self[32], target[4096];
	const char *last;
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", dirfd);
	if (*path)
		n = readlinkat(dirfd, path, target, sizeof(target) - 1);
	else
		n = readlink(self, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = 0;
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	text_clean(name, 64, last, strlen(last));
	return true;
}

bool nodes_which(const struct nodes *n, int dirfd, const char *path, char *name)
{
	struct statx st;
	unsigned int i;

	if (statx(dirfd, path, AT_STATX_DONT_SYNC | AT_EMPTY_PATH, STATX_TYPE, &st))
		return false;
	if (S_ISCHR(st.stx_mode)) {
		dev_t device = makedev(st.stx_rdev_major, st.stx_rdev_minor);

		for (i = 0; i < n->nr; i++) {
			if (n->list[i].device != device)
				continue;
			snprintf(name, 64, "%s", n->list[i].name);
			return true;
		}
		return false;
	}
	return n->xenfs && S_ISREG(st.stx_mode) &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == n->xenfs &&
	       which_file(dirfd, path, name);
}
