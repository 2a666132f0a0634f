// SPDX-License-Identifier: GPL-2.0
/* xen.c - a libxendevicemodel with nothing but an open() of the stock node */
#include <fcntl.h>

int xendevicemodel_open(void);

int xendevicemodel_open(void)
{
	return open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
}
