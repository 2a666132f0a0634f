/* SPDX-License-Identifier: GPL-2.0 */
/*
 * purpose.h - what a descriptor is for, as the flags that fake.c has given it tell
 */
#ifndef PURPOSE_H
#define PURPOSE_H

#include <fcntl.h>

static inline const char *purpose(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return "nothing";
	if (flags & O_APPEND)
		return flags & O_NONBLOCK ? "nothing" : "mappings";
	return flags & O_NONBLOCK ? "calls" : "both";
}

#endif /* PURPOSE_H */
