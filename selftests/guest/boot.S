/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Boot sector of the HVM test guest: what the firmware starts.
 *
 * Loads the sectors that follow to 0x10000, asks the VGA BIOS for its font, and
 * enters them in 32-bit mode.
 */
#include "layout.h"

	.code16
	.globl	_start
_start:
	ljmp	$0, $begin
begin:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$0x7c00, %sp
	cld

	/* The firmware says in dl where this sector came from. */
	mov	$packet, %si
	mov	$0x42, %ah
	int	$0x13
	jc	failed

	/* The 8x16 font, by its linear address. */
	mov	$0x1130, %ax
	mov	$6, %bh
	int	$0x10
	xor	%eax, %eax
	mov	%es, %ax
	shl	$4, %eax
	movzwl	%bp, %ebp
	add	%ebp, %eax
	mov	%eax, FONT_POINTER

	in	$0x92, %al
	or	$2, %al
	out	%al, $0x92
	lgdt	gdt_register
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmp	$8, $flat

	/* To the console of the firmware and of Xen: there is no other yet. */
failed:	mov	$text, %si
1:	lodsb
	test	%al, %al
	jz	2f
	out	%al, $0xe9
	jmp	1b
2:	hlt
	jmp	2b

	.code32
flat:	mov	$16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$GUEST_START, %esp
	jmp	GUEST_START

text:	.asciz	"test guest: the firmware cannot read the disk\n"

	.balign	4
packet:	.byte	16, 0
	.word	GUEST_SECTORS
	.word	0, GUEST_START >> 4
	.quad	1

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_register:
	.word	. - gdt - 1
	.long	gdt

	.org	510
	.word	0xaa55
