/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kmsg.h - reads the kernel's log
 */
#ifndef DMOP_TEST_KMSG_H
#define DMOP_TEST_KMSG_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Return: a descriptor for the records from now on. */
static inline int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Return: the number of new records that contain @what. Copies the last of them to @last. */
static inline unsigned int kmsg_count(int fd, const char *what, char *last, size_t size)
{
	unsigned int n = 0;
	char record[8192];
	ssize_t length;

	*last = 0;
	/* EPIPE: records were overwritten before this read. The next read continues after them. */
	while ((length = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		record[length > 0 ? length : 0] = 0;
		if (!strstr(record, what))
			continue;
		n++;
		snprintf(last, size, "%.*s", (int)size - 1, record);
	}
	return n;
}

#endif /* DMOP_TEST_KMSG_H */
