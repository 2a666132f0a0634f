/* SPDX-License-Identifier: GPL-2.0 */
/* Functions shared by pvh.S and the C code of the guest. */
#ifndef PVH_H
#define PVH_H

/* Stub of the only interrupt handler. It calls interrupted() with interrupts disabled. */
void message_interrupt(void);
void interrupted(void);

void guest_main(void);

#endif /* PVH_H */
