// SPDX-License-Identifier: GPL-2.0
/*
 * hvm.c - the HVM test guest: uses what a device model emulates, and tells
 *
 * Prints KTAP on the first serial port. Halfway it says "# ready" and waits
 * for a key, so that somebody can look at it from outside: 'q' makes it finish and
 * power off, 'l' makes it load its device model for ever.
 */
#include <stdbool.h>
#include <stdint.h>
#include "entry.h"
#include "io.h"
#include "layout.h"

static inline uint16_t mmio_read16(uint32_t address)
{
	uint16_t value;

	asm volatile("movw (%1), %0" : "=r"(value) : "r"(address));
	return value;
}

/* gcc calls these on its own. */
void *memset(void *to, int byte, unsigned int size)
{
	char *p = to;

	while (size--)
		*p++ = byte;
	return to;
}

void *memcpy(void *to, const void *from, unsigned int size)
{
	const char *f = from;
	char *t = to;

	while (size--)
		*t++ = *f++;
	return to;
}

/* --- serial port, results ---------------------------------------------- */

#define COM1		0x3f8
#define COM1_IER	(COM1 + 1)
#define COM1_IIR	(COM1 + 2)
#define COM1_LCR	(COM1 + 3)
#define COM1_MCR	(COM1 + 4)
#define COM1_LSR	(COM1 + 5)
#define LSR_EMPTY	0x20
#define IER_EMPTY	0x02
#define MCR_READY	0x0b	/* DTR, RTS, and OUT2 that lets interrupts out */

static int results;

static void print(const char *text)
{
	for (; *text; text++) {
		while (!(in8(COM1_LSR) & LSR_EMPTY))
			;
		out8(COM1, *text);
	}
}

static void print_number(uint32_t n, uint32_t base)
{
	char text[12], *p = text + sizeof(text) - 1;

	*p = 0;
	do {
		*--p = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	print(p);
}

static void print_hex(const char *what, uint32_t n)
{
	print("# ");
	print(what);
	print(" 0x");
	print_number(n, 16);
	print("\n");
}

static void result(bool good, const char *what)
{
	print(good ? "ok " : "not ok ");
	print_number(++results, 10);
	print(" - guest: ");
	print(what);
	print("\n");
}

static void serial_init(void)
{
	out8(COM1_IER, 0);
	out8(COM1_LCR, 0x03);
	out8(COM1_MCR, MCR_READY);
}

/* --- interrupts -------------------------------------------------------- */

#define PIC1		0x20
#define PIC2		0xa0
#define PIC_EOI		0x20
#define VECTOR_BASE	0x20
#define NR_VECTORS	(VECTOR_BASE + 16)
#define NR_IRQS		16

#define KEYBOARD_DATA	0x60
#define KEYBOARD_STATUS	0x64
#define KEYBOARD_FULL	0x01
#define SCANCODE_Q	0x10
#define SCANCODE_L	0x26
#define SCANCODE_RELEASE 0x80
#define IRQ_TIMER	0
#define IRQ_KEYBOARD	1
#define IRQ_COM1	4
#define IRQ_IDE		14

#define CODE_SELECTOR	(8 << 16)
#define INTERRUPT_GATE	0x8e00

static uint32_t seen[NR_IRQS];
static uint8_t scancode;
static uint32_t idt[NR_VECTORS][2];

void interrupted(uint32_t irq)
{
	uint8_t code;

	seen[irq]++;
	switch (irq) {
	case IRQ_KEYBOARD:
		code = in8(KEYBOARD_DATA);
		/* That it is let go may come before anybody has looked. */
		if (!(code & SCANCODE_RELEASE))
			scancode = code;
		break;
	case IRQ_COM1:
		/* Told of once is enough. */
		in8(COM1_IIR);
		out8(COM1_IER, 0);
		break;
	}
	if (irq >= 8)
		out8(PIC2, PIC_EOI);
	out8(PIC1, PIC_EOI);
}

static void set_handler(int irq, void (*handler)(void))
{
	uint32_t address = (uint32_t)handler;

	idt[VECTOR_BASE + irq][0] = CODE_SELECTOR | (address & 0xffff);
	idt[VECTOR_BASE + irq][1] = (address & 0xffff0000) | INTERRUPT_GATE;
}

static void pic_init(uint16_t port, uint8_t vector, uint8_t wiring, uint8_t mask)
{
	out8(port, 0x11);
	out8(port + 1, vector);
	out8(port + 1, wiring);
	out8(port + 1, 0x01);
	out8(port + 1, mask);
}

static void interrupts_init(void)
{
	uint16_t idtr[] = {
		sizeof(idt) - 1, (uint32_t)idt & 0xffff, (uint32_t)idt >> 16,
	};

	set_handler(IRQ_TIMER, irq0);
	set_handler(IRQ_KEYBOARD, irq1);
	set_handler(IRQ_COM1, irq4);
	set_handler(IRQ_IDE, irq14);
	pic_init(PIC1, VECTOR_BASE, 1 << 2,
		 (uint8_t)~(1 << IRQ_TIMER | 1 << IRQ_KEYBOARD | 1 << IRQ_COM1 | 1 << 2));
	pic_init(PIC2, VECTOR_BASE + 8, 2, (uint8_t)~(1 << (IRQ_IDE - 8)));
	asm volatile("lidt %0" : : "m"(idtr));
}

/*
 * One that never comes leaves the guest here, and whoever waits for it sees why.
 * STI lets HLT begin before an interrupt may come, but QEMU's emulation of SVM
 * forgets that when the host's processor is interrupted between the two. What it is
 * that is waited for has then come, nothing else will, and HLT would not end but
 * for the timer, which the firmware has set to 18 Hz.
 */
static void wait_for(int irq)
{
	while (!seen[irq])
		asm volatile("sti; hlt; cli" : : : "memory");
}

static void test_serial_interrupt(void)
{
	seen[IRQ_COM1] = 0;
	out8(COM1_IER, IER_EMPTY);
	wait_for(IRQ_COM1);
	result(true, "an interrupt of the serial port arrives");
}

/* --- PCI --------------------------------------------------------------- */

#define PCI_ADDRESS	0xcf8
#define PCI_DATA	0xcfc
#define PCI_ID		0x00
#define PCI_COMMAND	0x04
#define PCI_CLASS	0x08
#define PCI_BAR(n)	(0x10 + 4 * (n))
#define PCI_MEMORY	0x2
#define PCI_MASTER	0x4

#define ID_STDVGA	0x11111234
#define CLASS_IDE	0x0101
#define NR_FUNCTIONS	256
#define NOT_FOUND	NR_FUNCTIONS

static uint32_t pci_read(int function, int reg)
{
	out32(PCI_ADDRESS, 0x80000000 | function << 8 | reg);
	return in32(PCI_DATA);
}

static void pci_write(int function, int reg, uint32_t value)
{
	out32(PCI_ADDRESS, 0x80000000 | function << 8 | reg);
	out32(PCI_DATA, value);
}

/* The first function whose register has these bits in this place. */
static int pci_find(int reg, int shift, uint32_t value)
{
	int function;

	for (function = 0; function < NR_FUNCTIONS; function++)
		if (pci_read(function, PCI_ID) != ~0U &&
		    pci_read(function, reg) >> shift == value)
			return function;
	return NOT_FOUND;
}

/* As an operating system does it: what is behind the BAR is off meanwhile. */
static void pci_move_bar(int function, int bar, uint32_t to)
{
	uint32_t command = pci_read(function, PCI_COMMAND) & 0xffff;

	pci_write(function, PCI_COMMAND, command & ~PCI_MEMORY);
	pci_write(function, PCI_BAR(bar), to);
	pci_write(function, PCI_COMMAND, command);
}

/* --- VGA --------------------------------------------------------------- */

#define VBE_INDEX	0x1ce
#define VBE_DATA	0x1cf
#define VBE_XRES	1
#define VBE_YRES	2
#define VBE_BPP		3
#define VBE_ENABLE	4
#define VBE_LFB		0x41

/* The same registers in the memory of BAR 2, and what the first one reads. */
#define VBE_MMIO	0x500
#define VBE_MAGIC	0xb0c0
#define VBE_MAGIC_MASK	0xfff0

#define WIDTH		640
#define HEIGHT		400
#define FONT_WIDTH	8
#define FONT_HEIGHT	16

/* Free in a guest as small as this one. */
#define NEW_FRAMEBUFFER	0xe0000000
#define NEW_REGISTERS	0xe8000000

static int vga;
static const uint8_t *font;
static uint32_t *framebuffer;

static void vbe_set(uint16_t index, uint16_t value)
{
	out16(VBE_INDEX, index);
	out16(VBE_DATA, value);
}

/* selftests/e2e/picture_test.c knows this picture, too. */
static uint32_t background(int x, int y)
{
	return (x * 255 / (WIDTH - 1)) << 16 | (y * 255 / (HEIGHT - 1)) << 8 | 0x60;
}

static void draw_letter(int x, int y, unsigned char letter)
{
	const uint8_t *rows = font + letter * FONT_HEIGHT;
	int i, j;

	for (j = 0; j < FONT_HEIGHT; j++)
		for (i = 0; i < FONT_WIDTH; i++)
			if (rows[j] & (0x80 >> i))
				framebuffer[(y + j) * WIDTH + x + i] = 0xffffff;
}

static void draw_text(int x, int y, const char *text)
{
	for (; *text; text++, x += FONT_WIDTH)
		draw_letter(x, y, *text);
}

static bool framebuffer_holds(void)
{
	int y;

	/* To be read from there, whatever the compiler remembers. */
	asm volatile("" : : : "memory");
	/* The first column has no text. */
	for (y = 0; y < HEIGHT; y++)
		if (framebuffer[y * WIDTH] != background(0, y))
			return false;
	return true;
}

static void test_picture(void)
{
	int x, y;

	vbe_set(VBE_ENABLE, 0);
	vbe_set(VBE_XRES, WIDTH);
	vbe_set(VBE_YRES, HEIGHT);
	vbe_set(VBE_BPP, 32);
	vbe_set(VBE_ENABLE, VBE_LFB);
	framebuffer = (void *)(pci_read(vga, PCI_BAR(0)) & ~0xfU);
	for (y = 0; y < HEIGHT; y++)
		for (x = 0; x < WIDTH; x++)
			framebuffer[y * WIDTH + x] = background(x, y);
	draw_text(160, 184, "drawn by the guest into its video memory");
	result(framebuffer_holds(), "the video memory holds a picture");
}

/* The device model has to tell Xen where it listens now. */
static void test_move_registers(void)
{
	uint32_t old = pci_read(vga, PCI_BAR(2)) & ~0xfU;
	bool before = (mmio_read16(old + VBE_MMIO) & VBE_MAGIC_MASK) == VBE_MAGIC;
	bool left, after;

	pci_move_bar(vga, 2, NEW_REGISTERS);
	print_hex("registers moved from", old);
	after = (mmio_read16(NEW_REGISTERS + VBE_MMIO) & VBE_MAGIC_MASK) == VBE_MAGIC;
	left = (mmio_read16(old + VBE_MMIO) & VBE_MAGIC_MASK) != VBE_MAGIC;
	result(before && after && left, "a BAR of registers is moved");
}

/* The device model moves pages of the guest, or answers for them where they now are. */
static void test_move_framebuffer(void)
{
	uint32_t old = (uint32_t)framebuffer;

	pci_move_bar(vga, 0, NEW_FRAMEBUFFER);
	print_hex("framebuffer moved from", old);
	framebuffer = (void *)NEW_FRAMEBUFFER;
	result(framebuffer_holds(), "a BAR of memory is moved, with what is in it");
	draw_text(160, 208, "and this, after that memory was moved");
}

/* --- disk -------------------------------------------------------------- */

#define IDE_COUNT	0x1f2
#define IDE_LBA0	0x1f3
#define IDE_LBA1	0x1f4
#define IDE_LBA2	0x1f5
#define IDE_DEVICE	0x1f6
#define IDE_COMMAND	0x1f7
#define IDE_CONTROL	0x3f6
#define IDE_READ_DMA	0xc8
#define IDE_LBA_MODE	0xe0
#define IDE_BUSY	0x80
#define IDE_FAULTS	0x21
#define SECTOR		512
#define PRD_LAST	0x80000000

/* Bytes of the sector that scripts write: every one is its place, times three. */
static bool sector_is_right(const uint8_t *sector)
{
	int i;

	for (i = 0; i < SECTOR; i++)
		if (sector[i] != (uint8_t)(i * 3))
			return false;
	return true;
}

/* The device model reads and writes memory of the guest. */
static bool read_sector(void)
{
	static _Alignas(SECTOR) uint8_t sector[SECTOR];
	static _Alignas(8) uint32_t prd[2];
	int ide = pci_find(PCI_CLASS, 16, CLASS_IDE);
	uint16_t master;

	if (ide == NOT_FOUND)
		return false;
	memset(sector, 0, sizeof(sector));
	master = pci_read(ide, PCI_BAR(4)) & ~3U;
	pci_write(ide, PCI_COMMAND, (pci_read(ide, PCI_COMMAND) & 0xffff) | PCI_MASTER);
	prd[0] = (uint32_t)sector;
	prd[1] = SECTOR | PRD_LAST;
	while (in8(IDE_COMMAND) & IDE_BUSY)
		;
	out8(IDE_CONTROL, 0);
	out8(master, 0);
	out32(master + 4, (uint32_t)prd);
	out8(master + 2, 0x06);
	out8(IDE_DEVICE, IDE_LBA_MODE);
	out8(IDE_COUNT, 1);
	out8(IDE_LBA0, DATA_SECTOR);
	out8(IDE_LBA1, 0);
	out8(IDE_LBA2, 0);
	seen[IRQ_IDE] = 0;
	out8(IDE_COMMAND, IDE_READ_DMA);
	out8(master, 0x09);
	wait_for(IRQ_IDE);
	out8(master, 0);
	return !(in8(IDE_COMMAND) & IDE_FAULTS) && sector_is_right(sector);
}

/* --- the end ----------------------------------------------------------- */

#define PM1A_CONTROL	0xb004
#define SLEEP_ENABLE	0x2000	/* with type 0, which Xen's ACPI tables give as S5 */

/* What the firmware left would hold back what comes next. */
static void empty_keyboard(void)
{
	while (in8(KEYBOARD_STATUS) & KEYBOARD_FULL)
		in8(KEYBOARD_DATA);
}

static uint8_t wait_for_key(void)
{
	do {
		seen[IRQ_KEYBOARD] = 0;
		wait_for(IRQ_KEYBOARD);
	} while (scancode != SCANCODE_Q && scancode != SCANCODE_L);
	return scancode;
}

/* Ports, registers in memory and DMA, as fast as the device model follows. */
static void work_for_ever(void)
{
	uint32_t n;

	print("# load\n");
	for (n = 0;; n++) {
		pci_read(vga, PCI_ID);
		mmio_read16(NEW_REGISTERS + VBE_MMIO);
		framebuffer[n % (WIDTH * HEIGHT)] = n;
		out8(0x80, n);
		if (n % 256 == 0)
			read_sector();
	}
}

void guest_main(const uint8_t *vga_font)
{
	font = vga_font;
	serial_init();
	print("KTAP version 1\n1..9\n");
	result(true, "started by the firmware, from disk");
	interrupts_init();
	vga = pci_find(PCI_ID, 0, ID_STDVGA);
	result(vga != NOT_FOUND, "the graphics card is found in PCI configuration space");
	test_picture();
	test_move_registers();
	test_move_framebuffer();
	test_serial_interrupt();
	result(read_sector(), "a sector comes by DMA, and the disk's interrupt");
	/* Before anybody is told to press a key: else it would throw that one away. */
	empty_keyboard();
	print("# ready\n");
	if (wait_for_key() == SCANCODE_L)
		work_for_ever();
	result(true, "a key arrives, with an interrupt");
	result(true, "powers off");
	out16(PM1A_CONTROL, SLEEP_ENABLE);
}
