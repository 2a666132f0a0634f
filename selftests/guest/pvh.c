// SPDX-License-Identifier: GPL-2.0
/*
 * pvh.c - the PVH test guest: drives the device of selftests/example
 *
 * A PVH guest has no emulated devices at all but those that somebody's device
 * model gives it. This one hands a text to the device, waits until the device
 * interrupts, and compares what has become of it. Then it kicks the device.
 */
#include <stdbool.h>
#include <stdint.h>
#include "../example/device.h"
#include "io.h"
#include "pvh.h"

/* The local APIC, and what of it a guest must touch to get messages. */
#define APIC_SPURIOUS	0xfee000f0
#define APIC_EOI	0xfee000b0
#define APIC_ENABLE	0x1ff

#define CODE_SELECTOR	(8 << 16)
#define INTERRUPT_GATE	0x8e00

static uint32_t idt[DEVICE_VECTOR + 1][2];
static uint32_t interrupts;

static void write32(uint32_t address, uint32_t value)
{
	asm volatile("movl %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

/* Called by pvh.S. */
void interrupted(void)
{
	interrupts++;
	write32(APIC_EOI, 0);
}

static void interrupts_init(void)
{
	uint32_t address = (uint32_t)message_interrupt;
	uint16_t idtr[] = {
		sizeof(idt) - 1, (uint32_t)idt & 0xffff, (uint32_t)idt >> 16,
	};

	idt[DEVICE_VECTOR][0] = CODE_SELECTOR | (address & 0xffff);
	idt[DEVICE_VECTOR][1] = (address & 0xffff0000) | INTERRUPT_GATE;
	asm volatile("lidt %0" : : "m"(idtr));
	write32(APIC_SPURIOUS, APIC_ENABLE);
}

/*
 * The device answers a text with an interrupt, when it has changed it. For why the
 * guest does not sleep until then, see wait_for() in hvm.c: it has no timer.
 */
static void hand_over(const char *text)
{
	uint32_t before = interrupts;

	out32(DEVICE_TEXT, (uint32_t)text);
	while (interrupts == before)
		asm volatile("sti; nop; cli" : : : "memory");
}

static bool equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static uint32_t clock_ticks(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return low;
}

/* Return: the median time from a kick to the next instruction. */
static uint32_t kick(void)
{
	static uint32_t took[DEVICE_KICKS];
	uint32_t i, k;

	for (i = 0; i < DEVICE_KICKS; i++) {
		uint32_t before = clock_ticks(), t;

		out32(DEVICE_KICK, DEVICE_KICK_VALUE);
		t = clock_ticks() - before;
		for (k = i; k && took[k - 1] > t; k--)
			took[k] = took[k - 1];
		took[k] = t;
	}
	return took[DEVICE_KICKS / 2];
}

void guest_main(void)
{
	static char text[32] = "hello, device model";
	uint32_t results = 0, ticks;

	interrupts_init();
	if (in32(DEVICE_ID) == DEVICE_MAGIC)
		results |= RESULT_ID;
	hand_over(text);
	if (equal(text, "HELLO, DEVICE MODEL"))
		results |= RESULT_TEXT;
	hand_over(text);
	if (in32(DEVICE_COUNT) == 2)
		results |= RESULT_COUNT;
	if (interrupts == 2)
		results |= RESULT_INTERRUPTS;
	/* Not counted. */
	out32(DEVICE_KICK, 0);
	ticks = kick();
	if (in32(DEVICE_KICK) == DEVICE_KICKS)
		results |= RESULT_KICKS;
	out32(DEVICE_TICKS, ticks);
	out32(DEVICE_DONE, results);
	for (;;)
		asm volatile("sti; hlt");
}
