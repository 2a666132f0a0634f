/* SPDX-License-Identifier: GPL-2.0 */
/* What entry.S and the guest's C call of one another. */
#ifndef ENTRY_H
#define ENTRY_H

#include <stdint.h>

/* Stubs for the interrupts; each calls interrupted(), with interrupts off. */
void irq0(void);
void irq1(void);
void irq4(void);
void irq14(void);
void interrupted(uint32_t irq);

/* The beginning: 32-bit, flat, no paging, interrupts off. */
void guest_main(const uint8_t *vga_font);

#endif /* ENTRY_H */
