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
#include "../bench/windows.h"
#include "../example/device.h"
#include "io.h"
#include "pvh.h"

/* The device answers a text with an interrupt, when it has changed it. */
static void hand_over(const char *text)
{
	uint32_t before = interrupts;

	out32(DEVICE_TEXT, (uint32_t)text);
	wait_for_interrupt(before);
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

/* There is a return instruction, for whoever counts instructions outside of this machine. */
static void call(uint32_t address)
{
	*(volatile uint8_t *)address = 0xc3;
	((void (*)(void))address)();
}

/* Return: the median time from a kick to the next instruction. */
static uint32_t kick(void)
{
	static uint32_t took[DEVICE_KICKS];
	uint32_t i, k;

	for (i = 0; i < DEVICE_KICKS; i++) {
		bool counted = i + NR_WINDOWS >= DEVICE_KICKS;
		uint32_t before, t;

		if (counted)
			call(COUNT_GUEST_BEGIN);
		before = clock_ticks();
		out32(DEVICE_KICK, DEVICE_KICK_VALUE);
		t = clock_ticks() - before;
		if (counted)
			call(COUNT_GUEST_END);
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

	interrupts_init(DEVICE_VECTOR);
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
