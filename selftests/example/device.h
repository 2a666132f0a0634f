/* SPDX-License-Identifier: GPL-2.0 */
/*
 * device.h - the example device, as its guest sees it: six 32-bit ports
 *
 *   DEVICE_ID      read   DEVICE_MAGIC
 *   DEVICE_TEXT    write  guest address of a text that ends with 0: the device makes
 *                         its small letters large, and sends DEVICE_VECTOR
 *   DEVICE_COUNT   read   how many texts there were
 *   DEVICE_DONE    write  the guest's results (RESULT_*); the device then ends it
 *   DEVICE_KICK    write  DEVICE_KICK_VALUE: the device counts it
 *                  read   how many of them there were
 *   DEVICE_TICKS   write  what a kick took the guest, by its clock
 */
#ifndef DEVICE_H
#define DEVICE_H

#define DEVICE_FIRST	0x500
#define DEVICE_ID	0x500
#define DEVICE_TEXT	0x504
#define DEVICE_COUNT	0x508
#define DEVICE_DONE	0x50c
#define DEVICE_KICK	0x510
#define DEVICE_TICKS	0x514
#define DEVICE_LAST	0x517

#define DEVICE_MAGIC	0x706f6d64
#define DEVICE_VECTOR	0x40
#define DEVICE_KICK_VALUE	3
#define DEVICE_KICKS	100	/* of a guest */

#define RESULT_ID		1
#define RESULT_TEXT		2
#define RESULT_COUNT		4
#define RESULT_INTERRUPTS	8
#define RESULT_KICKS		16
#define RESULT_ALL		31

#endif /* DEVICE_H */
