/* SPDX-License-Identifier: GPL-2.0 */
/*
 * status.h - the status of a file, without waiting for its file system
 */
#ifndef DMOPCTL_STATUS_H
#define DMOPCTL_STATUS_H

#include <sys/types.h>

struct file_status {
	mode_t mode;
	dev_t device;		/* of the file system */
	dev_t rdevice;		/* of a device node */
};

/**
 * file_status() - get the status of a file
 * @dirfd: the directory
 * @path:  the file there; "" for @dirfd itself
 * @st:    result
 *
 * The holder of a descriptor may itself serve its file system (FUSE). The cached status is enough
 * here, so it cannot block this process.
 *
 * Return: 0 or minus the errno.
 */
int file_status(int dirfd, const char *path, struct file_status *st);

#endif /* DMOPCTL_STATUS_H */
