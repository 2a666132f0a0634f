// SPDX-License-Identifier: GPL-2.0
/*
 * virtio.c - a PVH test guest: the driver of selftests/example/virtio_console.c
 *
 * It transmits lines in all the ways that a driver may, and then breaks one rule after the other.
 * After each of these, the device must ask for a reset and work after it. What has come out of the
 * console in the end is the result; a line that begins with FAILED is the last one.
 */
#include <stdbool.h>
#include <stdint.h>
#include "../example/virtio_console.h"
#include "io.h"
#include "pvh.h"

/* Registers */
#define MAGIC		0x000
#define VERSION		0x004
#define DEVICE_ID	0x008
#define FEATURES	0x010
#define FEATURES_SEL	0x014
#define DRIVER		0x020
#define DRIVER_SEL	0x024
#define QUEUE_SEL	0x030
#define QUEUE_NUM_MAX	0x034
#define QUEUE_NUM	0x038
#define QUEUE_READY	0x044
#define QUEUE_NOTIFY	0x050
#define INT_STATUS	0x060
#define INT_ACK		0x064
#define STATUS		0x070
#define QUEUE_DESC	0x080
#define QUEUE_AVAIL	0x090
#define QUEUE_USED	0x0a0
#define CONFIG		0x100

/* STATUS */
#define ACKNOWLEDGE	1
#define DRIVER_LOADED	2
#define DRIVER_OK	4
#define FEATURES_OK	8
#define NEEDS_RESET	0x40

/* INT_STATUS */
#define INT_USED	1
#define INT_CONFIG	2

/* struct desc */
#define NEXT		1
#define WRITE		2
#define INDIRECT	4

/* It has 4 MiB of memory, and none at NOWHERE. */
#define MEMORY_END	0x400000
#define NOWHERE		0x40000000

#define TRANSMIT	1
#define NUM		4

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

static struct desc desc[NUM] __attribute__((aligned(16)));
static volatile struct {
	uint16_t flags, idx, ring[NUM];
} avail;
static volatile struct {
	uint16_t flags, idx;
	struct {
		uint32_t id, len;
	} ring[NUM];
} used __attribute__((aligned(4)));

static char pages[2 * 4096] __attribute__((aligned(4096)));

static uint32_t get(uint32_t reg)
{
	return read32(CONSOLE_BASE + reg);
}

static void set(uint32_t reg, uint32_t value)
{
	write32(CONSOLE_BASE + reg, value);
}

static void expect(bool good, const char *what);

static void set_queue(uint32_t num, uint32_t descs, uint32_t high)
{
	set(QUEUE_SEL, TRANSMIT);
	set(QUEUE_NUM, num);
	set(QUEUE_DESC, descs);
	set(QUEUE_DESC + 4, high);
	set(QUEUE_AVAIL, (uint32_t)&avail);
	set(QUEUE_AVAIL + 4, 0);
	set(QUEUE_USED, (uint32_t)&used);
	set(QUEUE_USED + 4, 0);
	set(QUEUE_READY, 1);
}

/* Up to the point where the queues are set up */
static void negotiate(void)
{
	set(STATUS, 0);
	expect(!get(STATUS), "the device is reset");
	set(STATUS, ACKNOWLEDGE);
	set(STATUS, ACKNOWLEDGE | DRIVER_LOADED);
	/* VERSION_1 is bit 32. */
	set(DRIVER_SEL, 1);
	set(DRIVER, 1);
	set(STATUS, ACKNOWLEDGE | DRIVER_LOADED | FEATURES_OK);
	expect(get(STATUS) == (ACKNOWLEDGE | DRIVER_LOADED | FEATURES_OK), "VERSION_1 alone is accepted");
}

static void start(void)
{
	negotiate();
	avail.flags = 0;
	avail.idx = 0;
	used.idx = 0;
	set_queue(NUM, (uint32_t)desc, 0);
	expect(get(QUEUE_READY) == 1, "the queue is ready");
	set(STATUS, ACKNOWLEDGE | DRIVER_LOADED | FEATURES_OK | DRIVER_OK);
}

/* Return: why the device has interrupted */
static uint32_t notify(void)
{
	uint32_t before = interrupts, why;

	set(QUEUE_NOTIFY, TRANSMIT);
	do {
		wait_for_interrupt(before);
		before = interrupts;
		why = get(INT_STATUS);
	} while (!why);
	set(INT_ACK, why);
	return why;
}

static void offer(uint16_t head)
{
	avail.ring[avail.idx % NUM] = head;
	asm volatile("" : : : "memory");
	avail.idx++;
}

static void describe(uint16_t i, const char *text, uint16_t flags, uint16_t next)
{
	uint32_t len = 0;

	while (text[len])
		len++;
	desc[i] = (struct desc){ (uint32_t)text, len, flags, next };
}

static bool is_used(uint16_t head)
{
	uint16_t last = (used.idx - 1) % NUM;

	return used.idx == avail.idx && used.ring[last].id == head && !used.ring[last].len;
}

/* A chain of three in an unusual order: 2, 0, 3 */
static void say(const char *a, const char *b, const char *c)
{
	describe(2, a, NEXT, 0);
	describe(0, b, NEXT, 3);
	describe(3, c, 0, 0);
	offer(2);
	expect(notify() == INT_USED && is_used(2), "a chain is used");
}

static void expect(bool good, const char *what)
{
	static bool failed;

	if (good)
		return;
	/* The device may be able to say so, but need not be. */
	if (!failed) {
		failed = true;
		start();
		say("FAILED: ", what, "\n");
	}
	asm volatile("cli; hlt");
}

static void identify(void)
{
	expect(get(MAGIC) == 0x74726976, "the magic value");
	expect(get(VERSION) == 2 && get(DEVICE_ID) == 3, "version and device");
	set(FEATURES_SEL, 0);
	expect(!get(FEATURES), "the first word of the features");
	set(FEATURES_SEL, 1);
	expect(get(FEATURES) == 1, "the second word of the features");
	set(STATUS, ACKNOWLEDGE | DRIVER_LOADED | FEATURES_OK);
	expect(!(get(STATUS) & FEATURES_OK), "no features are not accepted");
	set(QUEUE_SEL, TRANSMIT);
	expect(get(QUEUE_NUM_MAX) >= NUM && !get(QUEUE_READY), "the transmit queue");
	set(QUEUE_SEL, 0x80000001);
	expect(!get(QUEUE_NUM_MAX) && !get(QUEUE_READY), "a queue that does not exist");
}

static void obey_rules(void)
{
	uint16_t i;

	start();
	describe(1, "hello, virtio\n", 0, 0);
	offer(1);
	expect(notify() == INT_USED && is_used(1), "a buffer is used");
	describe(1, "a chain ", NEXT, 3);
	describe(3, "of two\n", 0, 0);
	offer(1);
	expect(notify() == INT_USED && is_used(1), "a chain of two is used");

	for (i = 0; i < 8; i++)
		pages[4092 + i] = "frames\n"[i];
	say("text across ", &pages[4092], "");

	/* As many as the ring holds, with one notification and without an interrupt */
	avail.flags = 1;
	for (i = 0; i < NUM; i++) {
		describe(i, &"1\0002\0003\0004\n"[2 * i], 0, 0);
		offer(i);
	}
	set(QUEUE_NOTIFY, TRANSMIT);
	while (used.idx != avail.idx)
		asm volatile("pause");
	expect(is_used(NUM - 1) && !get(INT_STATUS), "no interrupt");
	avail.flags = 0;
}

static const struct offence {
	const char *name;
	struct desc desc[2];
	uint16_t head, ahead;
} offences[] = {
	{ "a loop", { { 0, 0, NEXT, 1 }, { 0, 0, NEXT, 0 } }, 0, 1 },
	{ "a loop of one", { { 0, 0, NEXT, 0 } }, 0, 1 },
	{ "a next one beyond the queue", { { 0, 0, NEXT, NUM } }, 0, 1 },
	{ "a head beyond the queue", { { 0 } }, NUM, 1 },
	{ "an index beyond the queue", { { 0 } }, 0, NUM + 1 },
	{ "an index in the past", { { 0 } }, 0, 0xffff },
	{ "an address beyond memory", { { NOWHERE, 1, 0, 0 } }, 0, 1 },
	{ "a negative address", { { -1ULL, 1, 0, 0 } }, 0, 1 },
	{ "an address that wraps", { { -4096ULL, 8192, 0, 0 } }, 0, 1 },
	{ "a buffer that leaves memory", { { MEMORY_END - 4, 8, 0, 0 } }, 0, 1 },
	{ "more than 1 MiB", { { 0x100000, 0x100001, 0, 0 } }, 0, 1 },
	{ "the longest buffer", { { 0x100000, -1U, 0, 0 } }, 0, 1 },
	{ "the registers as a buffer", { { CONSOLE_BASE, 4, 0, 0 } }, 0, 1 },
	{ "a buffer to write", { { 0x100000, 1, WRITE, 0 } }, 0, 1 },
	{ "an indirect one", { { 0x100000, 16, INDIRECT, 0 } }, 0, 1 },
};

static void break_rules_of_chains(void)
{
	const struct offence *o;

	for (o = offences; o < offences + sizeof(offences) / sizeof(*o); o++) {
		start();
		desc[0] = o->desc[0];
		desc[1] = o->desc[1];
		avail.ring[0] = o->head;
		asm volatile("" : : : "memory");
		avail.idx = o->ahead;
		expect(notify() == INT_CONFIG && get(STATUS) & NEEDS_RESET, o->name);
		/* Nothing but a reset helps. */
		avail.idx = 0;
		set(STATUS, ACKNOWLEDGE);
		offer(1);
		set(QUEUE_NOTIFY, TRANSMIT);
		expect(get(STATUS) & NEEDS_RESET && !used.idx, o->name);
		start();
		say("survived ", o->name, "\n");
	}
}

static void break_rules_of_queues(void)
{
	static const struct {
		uint32_t num, descs, high;
	} bad[] = {
		{ 0, 0x100000, 0 }, { 3, 0x100000, 0 }, { 0x10000, 0x100000, 0 },
		{ 0x80000000, 0x100000, 0 }, { NUM, 0x100008, 0 }, { NUM, NOWHERE, 0 },
		{ NUM, 0x100000, 1 }, { NUM, -16U, -1U },
	};
	uint32_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		negotiate();
		set_queue(bad[i].num, bad[i].descs, bad[i].high);
		expect(!get(QUEUE_READY) && get(STATUS) & NEEDS_RESET, "a bad queue");
	}
	start();
	say("survived ", "bad queues", "\n");
}

static void break_rules_of_registers(void)
{
	uint32_t reg;

	start();
	/* The device knows no other width. Nor has it anything to do for these queues. */
	expect(read8(CONSOLE_BASE + MAGIC) == 0xff, "a byte of a register");
	expect(read32(CONSOLE_BASE + MAGIC + 2) == 0xffffffff, "halves of two registers");
	write8(CONSOLE_BASE + STATUS, 0);
	expect(get(STATUS) & DRIVER_OK, "a byte written to a register");
	set(QUEUE_NOTIFY, 0);
	set(QUEUE_NOTIFY, 0xffffffff);
	set(QUEUE_SEL, 0xffffffff);
	set(QUEUE_READY, 1);
	set(QUEUE_NUM, NUM);
	set(DRIVER_SEL, 0xffffffff);
	set(DRIVER, 0xffffffff);
	set(QUEUE_SEL, TRANSMIT);
	/* A queue that is ready keeps its size and its place. */
	set_queue(1, NOWHERE, 0);
	for (reg = CONFIG; reg <= CONSOLE_LAST - CONSOLE_BASE; reg += 4) {
		set(reg, 0xffffffff);
		expect(!get(reg), "the configuration");
	}
	expect(!read8(CONSOLE_BASE + CONFIG + 1), "a byte of the configuration");
	say("survived ", "odd accesses", "\n");
}

void guest_main(void)
{
	interrupts_init(CONSOLE_VECTOR);
	identify();
	obey_rules();
	break_rules_of_chains();
	break_rules_of_queues();
	break_rules_of_registers();
	say("the ", "end", "\n");
}
