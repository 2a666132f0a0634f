/* SPDX-License-Identifier: GPL-2.0 */
/*
 * device.h - the example device, as its guest sees it: four 32-bit ports
 *
 *   DEVICE_ID      read   DEVICE_MAGIC
 *   DEVICE_TEXT    write  guest address of a text that ends with 0: the device makes
 *                         its small letters large, and sends DEVICE_VECTOR
 *   DEVICE_COUNT   read   how many texts there were
 *   DEVICE_DONE    write  the guest's results (RESULT_*); the device then ends it
 */
#ifndef DEVICE_H
#define DEVICE_H

#define DEVICE_FIRST	0x500
#define DEVICE_ID	0x500
#define DEVICE_TEXT	0x504
#define DEVICE_COUNT	0x508
#define DEVICE_DONE	0x50c
#define DEVICE_LAST	0x50f

#define DEVICE_MAGIC	0x706f6d64
#define DEVICE_VECTOR	0x40

#define RESULT_ID		1
#define RESULT_TEXT		2
#define RESULT_COUNT		4
#define RESULT_INTERRUPTS	8
#define RESULT_ALL		15

#endif /* DEVICE_H */
