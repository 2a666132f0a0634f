/* SPDX-License-Identifier: GPL-2.0 */
/*
 * put.h - write to a file of the kernel's, such as one of tracefs or of a control group
 */
#ifndef PUT_H
#define PUT_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The file is there already. Return: 0 or the errno. */
static inline int put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

#endif /* PUT_H */
