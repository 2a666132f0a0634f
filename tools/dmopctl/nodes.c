// SPDX-License-Identifier: GPL-2.0
/*
 * nodes.c - identification of Xen's device nodes and xenfs files
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "memory.h"
#include "nodes.h"
#include "proc.h"
#include "status.h"

#define XENFS_MAGIC	0xabba1974

static void nodes_add(struct nodes *n, const char *name)
{
	struct node *node;

	n->list = grow(n->list, n->nr + 1, sizeof(*n->list));
	node = &n->list[n->nr++];
	snprintf(node->name, sizeof(node->name), "%.63s", name);
	node->device = xen_device(node->name);
}

void nodes_read(struct nodes *n)
{
	struct dirent *entry;
	struct statfs fs;
	struct stat st;
	DIR *dir = opendir("/sys/class/misc");

	*n = (struct nodes){ 0 };
	while (dir && (entry = readdir(dir))) {
		if (!strncmp(entry->d_name, "xen!", 4))
			nodes_add(n, entry->d_name + 4);
	}
	if (xen_device("dmop"))
		nodes_add(n, "dmop");
	if (dir)
		closedir(dir);
	/* All mounts of xenfs share one superblock. */
	if (!statfs("/proc/xen", &fs) && (unsigned int)fs.f_type == XENFS_MAGIC && !stat("/proc/xen", &st))
		n->xenfs = st.st_dev;
}

void nodes_free(struct nodes *n)
{
	free(n->list);
	n->list = NULL;
	n->nr = 0;
}

/* Gets the name of a xenfs file from its path: these files have no device numbers. */
static int which_file(int dirfd, const char *path, char *name)
{
	char self[32], target[4096];
	const char *last;
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", dirfd);
	if (*path)
		n = readlinkat(dirfd, path, target, sizeof(target) - 1);
	else
		n = readlink(self, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	text_clean(name, 64, last, strlen(last));
	return 1;
}

int nodes_which(const struct nodes *n, int dirfd, const char *path, char *name)
{
	struct file_status st;
	unsigned int i;
	int err = file_status(dirfd, path, &st);

	if (err)
		return err;
	if (S_ISCHR(st.mode)) {
		for (i = 0; i < n->nr; i++) {
			if (n->list[i].device != st.rdevice)
				continue;
			snprintf(name, 64, "%s", n->list[i].name);
			return 1;
		}
		return 0;
	}
	if (!n->xenfs || !S_ISREG(st.mode) || st.device != n->xenfs)
		return 0;
	return which_file(dirfd, path, name);
}
