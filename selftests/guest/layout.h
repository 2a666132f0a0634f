/* SPDX-License-Identifier: GPL-2.0 */
/* Layout of the HVM test guest on its disk and in memory. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define GUEST_START	0x10000
#define GUEST_SECTORS	63

/* The sector after the program. The guest reads it by DMA. */
#define DATA_SECTOR	(1 + GUEST_SECTORS)

/* The boot sector stores the address of the font here. */
#define FONT_POINTER	0x600

#endif /* LAYOUT_H */
