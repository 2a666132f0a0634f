/* SPDX-License-Identifier: GPL-2.0 */
/*
 * config.h - device model settings in an xl.cfg
 */
#ifndef DMOPCTL_CONFIG_H
#define DMOPCTL_CONFIG_H

#include "findings.h"

/* The users for QEMU that the configurations checked so far need. */
struct config_users {
	bool of_host;		/* a user of dm_restrict: xen-qemuuser-range-base or -shared */
	bool of_guest;		/* device_model_user */
};

/**
 * config_check() - check a file
 * @path:     the file
 * @buf_size: bytes of the largest buffer of a dm_op, for the video memory
 * @users:    gets the users that this guest needs
 * @f:        gets the findings
 */
void config_check(const char *path, unsigned long buf_size, struct config_users *users,
		  struct findings *f);

/* Return: bytes of the dirty bitmap for @mib MiB of video memory, as QEMU rounds them up. */
unsigned long config_bitmap_size(unsigned long mib);

/* Return: the N of "vgamem_mb=N", or of QXL's "ram_size_mb=N", in an argument of QEMU; 0 without one. */
unsigned long config_video_memory(const char *argument);

#endif /* DMOPCTL_CONFIG_H */
