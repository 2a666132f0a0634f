/* SPDX-License-Identifier: GPL-2.0 */
/*
 * images.h - disk images of QEMU, opened before it drops its privileges
 *
 * dmop-run opens them, the preload library gives them to QEMU. The environment variable IMAGES_VAR
 * has one line for each: the descriptor's number, a colon, and the path as QEMU has it.
 */
#ifndef IMAGES_H
#define IMAGES_H

#define IMAGES_VAR	"DMOP_RUN_IMAGES"

/* dmop-run: opens the writable images among QEMU's arguments, and sets the variable. Return: how many. */
unsigned int hand_over_images(char **argv);

/* The functions of the library are not for the program that it is loaded into. */
#define INTERNAL	__attribute__((visibility("hidden")))

/* The library: takes the descriptors of the variable, and unsets it. */
INTERNAL void take_over_images(void);

/* Return: a new descriptor of the image with this path; -1 with errno; or NO_IMAGE. */
INTERNAL int open_image(const char *path, int flags);

#define NO_IMAGE	(-2)

#endif /* IMAGES_H */
