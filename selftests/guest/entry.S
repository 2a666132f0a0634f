/* SPDX-License-Identifier: GPL-2.0 */
/* Where the boot sector jumps to, and what the processor calls for an interrupt. */
#include "layout.h"

	.code32
	.section .head, "ax"
	.globl	_start
_start:
	push	FONT_POINTER
	call	guest_main
1:	hlt
	jmp	1b

	.text
	.macro	interrupt number
	.globl	irq\number
irq\number:
	pusha
	push	$\number
	call	interrupted
	add	$4, %esp
	popa
	iret
	.endm

	interrupt 0
	interrupt 1
	interrupt 4
	interrupt 14

	.section .note.GNU-stack, "", @progbits
