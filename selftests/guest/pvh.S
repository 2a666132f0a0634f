/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where Xen starts the PVH test guest: 32-bit, flat, no paging, interrupts off.
 * It needs a segment table of its own before an interrupt may come.
 */
	.section .note.Xen, "a", @note
	.balign	4
	.long	4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	_start

	.text
	.code32
	.globl	_start
_start:
	lgdt	gdt_register
	ljmp	$8, $1f
1:	mov	$16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$stack_end, %esp
	cld
	call	guest_main
2:	hlt
	jmp	2b

	.globl	message_interrupt
message_interrupt:
	pusha
	call	interrupted
	popa
	iret

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_register:
	.word	. - gdt - 1
	.long	gdt

	.bss
	.balign	16
	.skip	4096
stack_end:

	.section .note.GNU-stack, "", @progbits
