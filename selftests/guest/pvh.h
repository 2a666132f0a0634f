/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of a PVH test guest share. */
#ifndef PVH_H
#define PVH_H

#include <stdint.h>

/* Stub of the only interrupt handler. It calls interrupted() with interrupts disabled. */
void message_interrupt(void);
void interrupted(void);

/* The number of interrupts so far */
extern uint32_t interrupts;

void interrupts_init(uint8_t vector);

/*
 * Returns when @interrupts is no longer @before. For why the guest does not sleep until then, see
 * wait_for() in hvm.c: it has no timer.
 */
void wait_for_interrupt(uint32_t before);

/* Of each guest; it is powered off when this returns. */
void guest_main(void);

#endif /* PVH_H */
