/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The smallest useful domain for arm64: it sleeps. An Image, that is a header of 64 bytes and the
 * program (Documentation/arch/arm64/booting.rst of Linux).
 */
	.globl	_start
_start:
	.long	0x14000010		/* b program */
	.long	0
	.quad	0			/* text_offset */
	.quad	4096			/* image_size */
	.quad	0xa			/* flags: little endian, pages of 4 KiB, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

program:
	.long	0xd503207f		/* wfi */
	.long	0x17ffffff		/* b program */

	.org	4096

	.section .note.GNU-stack, "", @progbits
