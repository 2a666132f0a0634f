// SPDX-License-Identifier: GPL-2.0
/*
 * reopen.c - give QEMU the disk images that dmop-run has opened
 *
 * Part of the preload library; images.c says why. All duplicates share one open file, and with it
 * the locks that QEMU sets on an image and lifts. So QEMU never meets a lock of its own, and an
 * image that it has let go is free for others. This is why one descriptor, for reading and writing,
 * serves also an open for reading only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images.h"

/* Flags of an open file that fcntl() can change. */
#define CHANGEABLE	(O_APPEND | O_DIRECT | O_NOATIME | O_NONBLOCK)
/* Not what QEMU passes for an image that exists. */
#define UNFIT		(O_CREAT | O_EXCL | O_TRUNC | O_PATH | O_DIRECTORY)

struct image {
	struct image *next;
	const char *path;
	int fd;
	struct stat st;
};

static struct image *images;

static void add_image(char *line)
{
	struct image *image = malloc(sizeof(*image));
	char *path;

	if (!image)
		return;
	image->fd = strtol(line, &path, 10);
	if (*path != ':' || fstat(image->fd, &image->st) || fcntl(image->fd, F_SETFD, FD_CLOEXEC)) {
		free(image);
		return;
	}
	image->path = path + 1;
	image->next = images;
	images = image;
}

void take_over_images(void)
{
	const char *value = getenv(IMAGES_VAR);
	char *text, *line;

	if (!value)
		return;
	/* The images keep pointers into it. */
	text = strdup(value);
	while (text && (line = strsep(&text, "\n")))
		if (*line)
			add_image(line);
	unsetenv(IMAGES_VAR);
}

/* A program may close unknown descriptors and reuse their numbers. */
static int is_open(const struct image *image)
{
	struct stat now;

	return !fstat(image->fd, &now) && now.st_dev == image->st.st_dev &&
	       now.st_ino == image->st.st_ino;
}

int open_image(const char *path, int flags)
{
	const struct image *image;
	int fd;

	for (image = images; image && strcmp(image->path, path); image = image->next)
		;
	if (!image || flags & UNFIT || !is_open(image))
		return NO_IMAGE;
	fd = fcntl(image->fd, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
	if (fd >= 0 && fcntl(fd, F_SETFL, flags & CHANGEABLE)) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}
