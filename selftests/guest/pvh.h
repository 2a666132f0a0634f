/* SPDX-License-Identifier: GPL-2.0 */
/* What pvh.S and the guest's C call of one another. */
#ifndef PVH_H
#define PVH_H

/* Stub for the one interrupt; it calls interrupted(), with interrupts off. */
void message_interrupt(void);
void interrupted(void);

void guest_main(void);

#endif /* PVH_H */
