// SPDX-License-Identifier: GPL-2.0
/*
 * count.c - a plugin of QEMU: what runs in a window, instruction by instruction
 *
 * A program in the machine calls address COUNT_ARM once. It, or a guest at other addresses, then
 * opens windows by calling COUNT_BEGIN and closes them by calling COUNT_END. What counts is what
 * the processor does that it runs on; the program stays on one.
 *
 * The file named by out= gets "window NUMBER TOTAL" for each, and then
 *	x ADDRESS TIMES		an instruction that was executed
 *	w LINE ADDRESS		a line of 64 bytes that was written to, and the
 *				instruction that did it last
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"
#include "plugin.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

#define SLOTS	(1U << 16)
#define LINE	64

struct table {
	struct {
		uint64_t key;		/* 0: none */
		uint64_t value;
	} slots[SLOTS];
};

static struct table executed, written;
static volatile bool in_window;
static unsigned int window_vcpu, number;
static uint64_t total;
static FILE *out;

static uint64_t *find(struct table *t, uint64_t key)
{
	unsigned int i = key * 0x9e3779b97f4a7c15ULL >> 48, n;

	for (n = 0; n < SLOTS; n++, i = (i + 1) % SLOTS) {
		if (t->slots[i].key && t->slots[i].key != key)
			continue;
		t->slots[i].key = key;
		return &t->slots[i].value;
	}
	fprintf(stderr, "count: the window has more than %u addresses\n", SLOTS);
	exit(1);
}

static void begin(unsigned int vcpu)
{
	memset(&executed, 0, sizeof(executed));
	memset(&written, 0, sizeof(written));
	total = 0;
	window_vcpu = vcpu;
	in_window = true;
}

static void end(void)
{
	unsigned int i;

	in_window = false;
	fprintf(out, "window %u %" PRIu64 "\n", number++, total);
	for (i = 0; i < SLOTS; i++)
		if (executed.slots[i].key)
			fprintf(out, "x %016" PRIx64 " %" PRIu64 "\n", executed.slots[i].key,
				executed.slots[i].value);
	for (i = 0; i < SLOTS; i++)
		if (written.slots[i].key)
			fprintf(out, "w %016" PRIx64 " %016" PRIx64 "\n", written.slots[i].key,
				written.slots[i].value);
	fflush(out);
}

static void on_execution(unsigned int vcpu, void *data)
{
	uint64_t address = (uintptr_t)data;

	if (address == COUNT_BEGIN || address == COUNT_GUEST_BEGIN)
		begin(vcpu);
	if (!in_window || vcpu != window_vcpu)
		return;
	if (address == COUNT_END || address == COUNT_GUEST_END) {
		end();
		return;
	}
	++*find(&executed, address);
	total++;
}

static void on_write(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
	if (in_window && vcpu == window_vcpu && qemu_plugin_mem_is_store(info))
		*find(&written, address & -(uint64_t)LINE) = (uintptr_t)data;
}

static void watch(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i;

	(void)id;
	for (i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		void *address = (void *)(uintptr_t)qemu_plugin_insn_vaddr(insn);

		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_execution, QEMU_PLUGIN_CB_NO_REGS,
						       address);
		qemu_plugin_register_vcpu_mem_cb(insn, on_write, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_W, address);
	}
}

static void armed(qemu_plugin_id_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, watch);
}

/* To watch all makes the machine slow, so it begins when the program says so. */
static void wait(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	if (qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)) == COUNT_ARM)
		qemu_plugin_reset(id, armed);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
					   int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "count: out=FILE is needed\n");
		return -1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror(argv[0] + 4);
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, wait);
	return 0;
}
