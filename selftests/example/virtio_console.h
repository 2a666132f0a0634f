/* SPDX-License-Identifier: GPL-2.0 */
/* Where the guest finds the virtio console: in place of a description by firmware */
#ifndef VIRTIO_CONSOLE_H
#define VIRTIO_CONSOLE_H

/* Guest physical address of the registers. No memory of a small guest is there. */
#define CONSOLE_BASE	0xfe003000
#define CONSOLE_LAST	0xfe0031ff

/* The interrupt is a message with this vector. */
#define CONSOLE_VECTOR	0x41

#endif /* VIRTIO_CONSOLE_H */
