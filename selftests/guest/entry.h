/* SPDX-License-Identifier: GPL-2.0 */
/* Functions shared by entry.S and the C code of the guest. */
#ifndef ENTRY_H
#define ENTRY_H

#include <stdint.h>

/* Stubs of interrupt handlers. Each calls interrupted() with interrupts disabled. */
void irq0(void);
void irq1(void);
void irq4(void);
void irq14(void);
void interrupted(uint32_t irq);

/* The entry point: 32-bit flat mode, no paging, interrupts disabled. */
void guest_main(const uint8_t *vga_font);

#endif /* ENTRY_H */
