// SPDX-License-Identifier: GPL-2.0
/* xen.c - a library of Xen's with nothing but NAME, an open() of the stock node */
#include <fcntl.h>

int NAME(void);

int NAME(void)
{
	return open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
}
