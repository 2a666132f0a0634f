/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The smallest useful domain: a PVH kernel that says one line and sleeps.
 *
 * Port 0xe9 is Xen's debug console and QEMU's -debugcon, so the same file
 * shows that a domain runs and that an accelerator works.
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
	mov	$line, %esi
	mov	$line_end - line, %ecx
	mov	$0xe9, %edx
	cld
	rep outsb
	/*
	 * Interrupts stay on: Xen takes a halt with interrupts off for a
	 * wish to power off. Nothing raises one, so this sleeps for ever.
	 */
1:	sti
	hlt
	jmp	1b

line:
	.ascii	"lab guest runs\n"
line_end:
