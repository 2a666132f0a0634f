// SPDX-License-Identifier: GPL-2.0
/*
 * images.c - open the disk images of QEMU for it to open again
 *
 * QEMU opens an image again, by its path, when the guest's disk begins or ends to be written: after
 * a restore, and around a save that the guest survives. By then a restricted QEMU has another uid
 * and an empty root directory, and the path leads nowhere. So dmop-run opens each writable image
 * once, and whenever QEMU opens this path, the preload library gives it a duplicate (reopen.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handover.h"
#include "images.h"

/* The limit of IDE and SCSI disks together is far below. */
#define MAX_IMAGES	64

struct image {
	char *path;
	int fd;
	struct stat st;
};

static struct image images[MAX_IMAGES];
static unsigned int nr_images;

/* --- QEMU's options ---------------------------------------------------- */

/*
 * Takes the next KEY=VALUE from *@text. QEMU doubles a comma that is part of a value.
 * Return: false at the end.
 */
static bool next_setting(const char **text, char *setting)
{
	const char *from = *text;

	if (!*from)
		return false;
	for (; *from; from++) {
		if (*from == ',' && *++from != ',')
			break;
		*setting++ = *from;
	}
	*setting = 0;
	*text = from;
	return true;
}

/* Return: the value of @setting if this is its key, else NULL. */
static const char *value_of(const char *setting, const char *key)
{
	size_t length = strlen(key);

	return !strncmp(setting, key, length) && setting[length] == '=' ?
	       setting + length + 1 : NULL;
}

/* As QEMU reads a switch; a key alone is on. */
static bool is_on(const char *setting, const char *key)
{
	const char *value = value_of(setting, key);

	if (!value)
		return !strcmp(setting, key);
	return strcmp(value, "off") && strcmp(value, "no") && strcmp(value, "false") &&
	       strcmp(value, "n");
}

/* QEMU writes to a temporary file with snapshot=on, and never to a CD. */
static bool is_read_only(const char *setting)
{
	return is_on(setting, "readonly") || is_on(setting, "read-only") ||
	       is_on(setting, "snapshot") || !strcmp(setting, "media=cdrom");
}

/* Return: the image of a -drive that may be written, to be freed; or NULL. */
static char *writable_image(const char *drive)
{
	char *setting = malloc(strlen(drive) + 1), *path = NULL;
	bool writable = true;

	while (setting && next_setting(&drive, setting)) {
		const char *file = value_of(setting, "file");

		if (!file)
			file = value_of(setting, "file.filename");
		if (file) {
			free(path);
			path = strdup(file);
		}
		if (is_read_only(setting))
			writable = false;
	}
	free(setting);
	if (writable && path && *path == '/' && !strchr(path, '\n'))
		return path;
	free(path);
	return NULL;
}

/* --- the images -------------------------------------------------------- */

static bool is_image(int fd, struct stat *st)
{
	return !fstat(fd, st) && (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode));
}

/*
 * An image given twice is left to QEMU. Its lock would not hold between two duplicates of one
 * descriptor, so QEMU has to open both by itself to notice.
 */
static bool is_known(const char *path, const struct stat *st)
{
	unsigned int i;

	for (i = 0; i < nr_images; i++) {
		struct image *image = &images[i];

		if (strcmp(image->path, path) &&
		    (image->st.st_dev != st->st_dev || image->st.st_ino != st->st_ino))
			continue;
		if (image->fd >= 0)
			close(image->fd);
		image->fd = -1;
		return true;
	}
	return false;
}

/* Of one that cannot be opened QEMU will say why. Takes @path. */
static void keep_image(char *path)
{
	struct image *image = &images[nr_images];
	int fd = nr_images < MAX_IMAGES ? open(path, O_RDWR | O_NONBLOCK) : -1;

	if (fd >= 0 && is_image(fd, &image->st) && !is_known(path, &image->st) &&
	    !fcntl(fd, F_SETFL, 0)) {
		image->path = path;
		image->fd = fd;
		nr_images++;
		return;
	}
	if (fd >= 0)
		close(fd);
	free(path);
}

static bool all_are_snapshots(char **argv)
{
	for (; *argv; argv++)
		if (!strcmp(*argv, "-snapshot") || !strcmp(*argv, "--snapshot"))
			return true;
	return false;
}

static unsigned int set_variable(void)
{
	unsigned int i, n = 0;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (i = 0; out && i < nr_images; i++)
		if (images[i].fd >= 0 && ++n)
			fprintf(out, "%d:%s\n", images[i].fd, images[i].path);
	if (!out || fclose(out) || setenv(IMAGES_VAR, text, 1)) {
		fprintf(stderr, "dmop-run: %s\n", strerror(errno));
		exit(EXIT_OTHER);
	}
	free(text);
	return n;
}

unsigned int hand_over_images(char **argv)
{
	if (all_are_snapshots(argv))
		return 0;
	for (; *argv; argv++) {
		char *path;

		if ((strcmp(*argv, "-drive") && strcmp(*argv, "--drive")) || !argv[1])
			continue;
		path = writable_image(*++argv);
		if (path)
			keep_image(path);
	}
	return set_variable();
}
