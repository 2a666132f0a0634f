// SPDX-License-Identifier: GPL-2.0
/* interrupt.c - the interrupts of the PVH test guests: messages to the local APIC */
#include <stdint.h>
#include "io.h"
#include "pvh.h"

/* The local APIC, and what of it a guest must touch to get messages. */
#define APIC_SPURIOUS	0xfee000f0
#define APIC_EOI	0xfee000b0
#define APIC_ENABLE	0x1ff

#define CODE_SELECTOR	(8 << 16)
#define INTERRUPT_GATE	0x8e00

static uint32_t idt[256][2];
uint32_t interrupts;

/* Called by pvh.S. */
void interrupted(void)
{
	interrupts++;
	write32(APIC_EOI, 0);
}

void interrupts_init(uint8_t vector)
{
	uint32_t address = (uint32_t)message_interrupt;
	uint16_t idtr[] = {
		sizeof(idt) - 1, (uint32_t)idt & 0xffff, (uint32_t)idt >> 16,
	};

	idt[vector][0] = CODE_SELECTOR | (address & 0xffff);
	idt[vector][1] = (address & 0xffff0000) | INTERRUPT_GATE;
	asm volatile("lidt %0" : : "m"(idtr));
	write32(APIC_SPURIOUS, APIC_ENABLE);
}

void wait_for_interrupt(uint32_t before)
{
	while (interrupts == before)
		asm volatile("sti; nop; cli" : : : "memory");
}
