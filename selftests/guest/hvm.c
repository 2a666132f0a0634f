// SPDX-License-Identifier: GPL-2.0
/*
 * hvm.c - the HVM test guest: uses what a device model emulates, and tells
 *
 * Prints KTAP on the first serial port. Halfway it says "# ready" and waits
 * for a key, so that somebody can look at it from outside: 'q' makes it finish and
 * power off, 'l' makes it load its device model for ever. 'w' writes two sectors of a large
 * disk and reads them back, 'r' only reads them; the answer is a line "# disk: ...". 'b' resets the
 * machine; 'c' reports a crash to Xen. 's' asks Xen for a soft reset, and the answer after it is
 * "# reset softly". 'm' gives memory back to Xen, and the answer is a line "# memory: ..."; 'z' asks
 * for S3, and the answer is "# awake". 't' times accesses to the device model, 'f' forgets earlier
 * times before; the answer is a line "# access: ...", in ticks of the TSC.
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
#define SCANCODE_W	0x11
#define SCANCODE_R	0x13
#define SCANCODE_T	0x14
#define SCANCODE_S	0x1f
#define SCANCODE_F	0x21
#define SCANCODE_C	0x2e
#define SCANCODE_B	0x30
#define SCANCODE_L	0x26
#define SCANCODE_Z	0x2c
#define SCANCODE_M	0x32
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

/*
 * The device model moves pages of the guest, or answers for them where they now are. And back: QEMU
 * 7.2 looks for the pages where the BAR points when it is restored, and it had not moved them.
 */
static void test_move_framebuffer(void)
{
	uint32_t old = (uint32_t)framebuffer;
	bool moved;

	pci_move_bar(vga, 0, NEW_FRAMEBUFFER);
	print_hex("framebuffer moved from", old);
	framebuffer = (void *)NEW_FRAMEBUFFER;
	moved = framebuffer_holds();
	draw_text(160, 208, "and this, after that memory was moved");
	pci_move_bar(vga, 0, old);
	framebuffer = (void *)old;
	result(moved && framebuffer_holds(), "a BAR of memory is moved, with what is in it");
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
#define IDE_WRITE_DMA	0xca
#define IDE_FIRST	0xe0	/* with LBA */
#define IDE_SECOND	0xf0
#define IDE_BUSY	0x80
#define IDE_FAULTS	0x21
#define BM_COMMAND	0
#define BM_STATUS	2
#define BM_TABLE	4
#define BM_START	0x01
#define BM_TO_MEMORY	0x08
#define BM_CLEAR	0x06
#define SECTOR		512
#define PRD_LAST	0x80000000

static _Alignas(SECTOR) uint8_t sector[SECTOR];

/* Bytes of the sector that scripts write: every one is its place, times three. */
static uint8_t right_byte(int i, uint32_t seed)
{
	return i * 3 + seed;
}

static bool is_right(const uint8_t *memory, uint32_t seed)
{
	int i;

	for (i = 0; i < SECTOR; i++)
		if (memory[i] != right_byte(i, seed))
			return false;
	return true;
}

/*
 * Moves one sector between the disk and @memory: the device model reads or writes memory of the
 * guest. Return: the disk's status, or IDE_FAULTS without a disk.
 */
static uint8_t transfer(uint8_t device, uint32_t lba, uint8_t command, const uint8_t *memory)
{
	static _Alignas(8) uint32_t prd[2];
	int ide = pci_find(PCI_CLASS, 16, CLASS_IDE);
	uint8_t direction = command == IDE_READ_DMA ? BM_TO_MEMORY : 0;
	uint16_t master;

	if (ide == NOT_FOUND)
		return IDE_FAULTS;
	master = pci_read(ide, PCI_BAR(4)) & ~3U;
	pci_write(ide, PCI_COMMAND, (pci_read(ide, PCI_COMMAND) & 0xffff) | PCI_MASTER);
	prd[0] = (uint32_t)memory;
	prd[1] = SECTOR | PRD_LAST;
	while (in8(IDE_COMMAND) & IDE_BUSY)
		;
	out8(IDE_CONTROL, 0);
	out8(master + BM_COMMAND, direction);
	out32(master + BM_TABLE, (uint32_t)prd);
	out8(master + BM_STATUS, BM_CLEAR);
	out8(IDE_DEVICE, device | lba >> 24);
	out8(IDE_COUNT, 1);
	out8(IDE_LBA0, lba);
	out8(IDE_LBA1, lba >> 8);
	out8(IDE_LBA2, lba >> 16);
	seen[IRQ_IDE] = 0;
	out8(IDE_COMMAND, command);
	out8(master + BM_COMMAND, direction | BM_START);
	wait_for(IRQ_IDE);
	out8(master + BM_COMMAND, 0);
	return in8(IDE_COMMAND);
}

static bool read_sector_to(const uint8_t *memory)
{
	return !(transfer(IDE_FIRST, DATA_SECTOR, IDE_READ_DMA, memory) & IDE_FAULTS) &&
	       is_right(memory, 0);
}

static bool read_sector(void)
{
	memset(sector, 0, sizeof(sector));
	return read_sector_to(sector);
}

/* --- a large disk ------------------------------------------------------ */

/* In MiB: beyond the limits that a file of QEMU's may have had. */
#define NR_PLACES	2
static const uint32_t places[NR_PLACES] = { 8, 192 };
#define SECTORS_OF_MIB	2048

/* Contents that no other place has, nor another writer. */
static uint32_t seed_of(uint32_t place)
{
	return place + 1;
}

/* The second disk, if there is one. */
static uint8_t large_disk(void)
{
	out8(IDE_DEVICE, IDE_SECOND);
	return in8(IDE_COMMAND) ? IDE_SECOND : IDE_FIRST;
}

/* Return: the status of the disk, without its faults if all is well. */
static uint8_t write_places(uint8_t disk)
{
	uint8_t status = 0;
	unsigned int n;
	int i;

	for (n = 0; n < NR_PLACES && !(status & IDE_FAULTS); n++) {
		for (i = 0; i < SECTOR; i++)
			sector[i] = right_byte(i, seed_of(places[n]));
		status = transfer(disk, places[n] * SECTORS_OF_MIB, IDE_WRITE_DMA, sector);
	}
	return status;
}

static void report_disk(const char *what, uint8_t status)
{
	print("# disk: ");
	print(what);
	if (status & IDE_FAULTS) {
		print(", status 0x");
		print_number(status, 16);
	}
	print("\n");
}

static void read_places(uint8_t disk)
{
	uint8_t status;
	unsigned int n;

	for (n = 0; n < NR_PLACES; n++) {
		memset(sector, 0, sizeof(sector));
		status = transfer(disk, places[n] * SECTORS_OF_MIB, IDE_READ_DMA, sector);
		if (status & IDE_FAULTS) {
			report_disk("not read", status);
			return;
		}
		if (!is_right(sector, seed_of(places[n]))) {
			report_disk("read, but it is not what was written", 0);
			return;
		}
	}
	report_disk("as written", 0);
}

static void use_large_disk(bool writing)
{
	uint8_t disk = large_disk(), status = 0;

	if (writing)
		status = write_places(disk);
	if (status & IDE_FAULTS)
		report_disk("not written", status);
	else
		read_places(disk);
}

/* --- the end ----------------------------------------------------------- */

#define PM1A_CONTROL	0xb004
#define SLEEP_ENABLE	0x2000	/* with type 0, which Xen's ACPI tables give as S5 */
#define SLEEP_S3	0x0400	/* type 1 */

/* What the firmware left would hold back what comes next. */
static void empty_keyboard(void)
{
	while (in8(KEYBOARD_STATUS) & KEYBOARD_FULL)
		in8(KEYBOARD_DATA);
}

#define RESET_CONTROL	0xcf9
#define RESET_NOW	0x06

#define XEN_CPUID	0x40000000	/* and each 0x100 after it */
#define XEN_CPUID_END	0x40010000
#define XEN_SIGNATURE	0x566e6558	/* "XenV" */
#define MEMORY_OP	12		/* __HYPERVISOR_memory_op */
#define SCHED_OP	29		/* __HYPERVISOR_sched_op */
#define SCHED_SHUTDOWN	2
#define SHUTDOWN_CRASH	3
#define SHUTDOWN_SOFT_RESET 5
#define HYPERCALL_SIZE	32

static void cpuid(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c)
{
	uint32_t d;

	asm volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(d) : "0"(leaf), "2"(0));
}

/* Xen fills a page with its hypercalls when the guest names the page. Return: Xen's answer. */
static int32_t hypercall(uint32_t number, uint32_t command, const void *argument)
{
	static _Alignas(4096) uint8_t hypercalls[4096];
	uint32_t base = XEN_CPUID, a, b, c;

	for (;; base += 0x100) {
		if (base == XEN_CPUID_END)
			return -1;
		cpuid(base, &a, &b, &c);
		if (b == XEN_SIGNATURE)
			break;
	}
	cpuid(base + 2, &a, &b, &c);
	asm volatile("wrmsr" : : "c"(b), "a"(hypercalls), "d"(0) : "memory");
	asm volatile("call *%[entry]" : "=a"(a), "+b"(command), "+c"(argument)
		     : [entry] "r"(hypercalls + number * HYPERCALL_SIZE) : "memory");
	return a;
}

static void xen_shutdown(uint32_t reason)
{
	hypercall(SCHED_OP, SCHED_SHUTDOWN, &reason);
}

/* --- memory ------------------------------------------------------------ */

/* In MiB: memory for which the guest has no other use. */
#define GIVEN_FROM	16
#define GIVEN_EXTENTS	8
#define EXTENT_ORDER	9	/* 2 MiB */
#define EXTENT_FRAMES	(1 << EXTENT_ORDER)
#define DECREASE_RESERVATION 1
#define DOMID_SELF	0x7ff0

#define AT_MIB(n)	((uint8_t *)((n) << 20))

/* struct xen_memory_reservation of a 32-bit guest */
struct reservation {
	const uint32_t *extents;
	uint32_t nr;
	uint32_t order;
	uint32_t flags;
	uint16_t domid;
};

/* As a balloon driver does. */
static bool give_memory_back(void)
{
	uint32_t extents[GIVEN_EXTENTS];
	struct reservation r = {
		.extents = extents, .nr = GIVEN_EXTENTS, .order = EXTENT_ORDER, .domid = DOMID_SELF,
	};
	int i;

	for (i = 0; i < GIVEN_EXTENTS; i++)
		extents[i] = (GIVEN_FROM << 20 >> 12) + i * EXTENT_FRAMES;
	return hypercall(MEMORY_OP, DECREASE_RESERVATION, &r) == GIVEN_EXTENTS;
}

/*
 * The device model writes to a page that the guest has not touched, so maps it; Xen takes the page
 * away; then the device model writes to another one.
 */
static void use_memory(void)
{
	const char *answer = "given back";

	if (!read_sector_to(AT_MIB(GIVEN_FROM)))
		answer = "the device model does not reach the page to give back";
	else if (!give_memory_back())
		answer = "Xen does not take it";
	else if (!read_sector_to(AT_MIB(GIVEN_FROM + 2 * GIVEN_EXTENTS)))
		answer = "the device model does not reach the pages kept";
	print("# memory: ");
	print(answer);
	print("\n");
}

/* --- times ------------------------------------------------------------- */

#define PIT_CHANNEL_0	0x40
#define PIT_CONTROL	0x43
#define PIT_PERIODIC	0x34	/* channel 0, two bytes, mode 2 */
#define PIT_HZ		1193182
#define PIT_FIRMWARE	0	/* 65536, which gives 18 Hz */

/* Few enough for the device model to be idle in between, as with a guest that does other work. */
#define ACCESS_HZ	250
#define ACCESSES	500	/* for one key */
#define TIMES_MAX	65536
#define TIMES_AT	40	/* MiB; nothing else is there */

static uint32_t *const times = (uint32_t *)AT_MIB(TIMES_AT);
static uint32_t nr_times;

static inline uint64_t rdtsc(void)
{
	uint64_t ticks;

	asm volatile("rdtsc" : "=A"(ticks) : : "memory");
	return ticks;
}

static void pit_init(uint16_t divisor)
{
	out8(PIT_CONTROL, PIT_PERIODIC);
	out8(PIT_CHANNEL_0, divisor & 0xff);
	out8(PIT_CHANNEL_0, divisor >> 8);
}

/* Shell's method, with a gap that is halved. */
static void sort_times(void)
{
	uint32_t gap, i, j, time;

	for (gap = nr_times / 2; gap; gap /= 2)
		for (i = gap; i < nr_times; i++) {
			time = times[i];
			for (j = i; j >= gap && times[j - gap] > time; j -= gap)
				times[j] = times[j - gap];
			times[j] = time;
		}
}

static void print_time(const char *what, uint32_t time)
{
	print(what);
	print_number(time, 10);
}

static void report_times(void)
{
	if (!nr_times)
		return;
	sort_times();
	print_time("# access: ", nr_times);
	print_time(" times, median ", times[nr_times / 2]);
	print_time(" p99 ", times[nr_times * 99 / 100]);
	print_time(" most ", times[nr_times - 1]);
	print("\n");
}

/* A read of a port that has no other effect, once for each tick of the timer. */
static void time_accesses(void)
{
	uint64_t begin, ticks;
	int i;

	pit_init(PIT_HZ / ACCESS_HZ);
	for (i = 0; i < ACCESSES && nr_times < TIMES_MAX; i++) {
		seen[IRQ_TIMER] = 0;
		wait_for(IRQ_TIMER);
		begin = rdtsc();
		in8(COM1_LSR);
		ticks = rdtsc() - begin;
		times[nr_times++] = ticks > UINT32_MAX ? UINT32_MAX : ticks;
	}
	pit_init(PIT_FIRMWARE);
	report_times();
}

/* --- keys -------------------------------------------------------------- */

static void obey(uint8_t key)
{
	switch (key) {
	case SCANCODE_W:
	case SCANCODE_R:
		use_large_disk(key == SCANCODE_W);
		break;
	case SCANCODE_B:
		out8(RESET_CONTROL, RESET_NOW);
		break;
	case SCANCODE_C:
		xen_shutdown(SHUTDOWN_CRASH);
		break;
	case SCANCODE_S:
		xen_shutdown(SHUTDOWN_SOFT_RESET);
		/* As a kernel does that another has started by kexec. */
		interrupts_init();
		empty_keyboard();
		print("# reset softly\n");
		break;
	case SCANCODE_M:
		use_memory();
		break;
	case SCANCODE_Z:
		out16(PM1A_CONTROL, SLEEP_ENABLE | SLEEP_S3);
		print("# awake\n");
		break;
	case SCANCODE_F:
		nr_times = 0;
		time_accesses();
		break;
	case SCANCODE_T:
		time_accesses();
		break;
	}
}

static uint8_t wait_for_key(void)
{
	uint8_t key;

	do {
		seen[IRQ_KEYBOARD] = 0;
		wait_for(IRQ_KEYBOARD);
		key = scancode;
		/* One press is one answer: the release interrupts as well. */
		scancode = 0;
		obey(key);
	} while (key != SCANCODE_Q && key != SCANCODE_L);
	return key;
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
