// SPDX-License-Identifier: GPL-2.0
/*
 * status.c - the status of a file, without waiting for its file system
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "status.h"

/* Not every C library has statx(), and <linux/stat.h> contradicts those that have it. */
#define WITHOUT_SYNC	0x4000	/* AT_STATX_DONT_SYNC */
#define EMPTY_PATH	0x1000	/* AT_EMPTY_PATH */
#define TYPE_AND_MODE	3	/* STATX_TYPE | STATX_MODE */

struct kernel_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size, blocks, attributes_mask;
	uint64_t times[8];
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t spare[14];
};
_Static_assert(sizeof(struct kernel_statx) == 256, "struct statx of the kernel");

int file_status(int dirfd, const char *path, struct file_status *st)
{
	struct kernel_statx got;

	if (syscall(SYS_statx, dirfd, path, WITHOUT_SYNC | EMPTY_PATH, TYPE_AND_MODE, &got))
		return -errno;
	*st = (struct file_status){
		.mode = got.mode,
		.device = makedev(got.dev_major, got.dev_minor),
		.rdevice = makedev(got.rdev_major, got.rdev_minor),
	};
	return 0;
}
