/* SPDX-License-Identifier: GPL-2.0 */
/*
 * disk.h - the server of a disk in an xl.cfg
 */
#ifndef DMOPCTL_DISK_H
#define DMOPCTL_DISK_H

#include <stdbool.h>

struct disk {
	char vdev[32];		/* "xvda" */
	bool cdrom;
	bool by_qemu;		/* QEMU in this domain is the backend (qdisk), not the kernel */
	char missing[256];	/* the image, if libxl would not find it; else "" */
};

/**
 * disk_parse() - parse an element of disk = [ ] in an xl.cfg
 * @spec: the element, see xl-disk-configuration(5)
 * @hvm:  of a guest of type hvm
 * @disk: result; its strings are from text_clean()
 *
 * Errors in @spec are for xl to report. Here, the rest of such a disk counts.
 */
void disk_parse(const char *spec, bool hvm, struct disk *disk);

/* Return: true if the value of "backend=" is this domain. */
bool disk_in_this_domain(const char *backend);

#endif /* DMOPCTL_DISK_H */
