/* SPDX-License-Identifier: GPL-2.0 */
/*
 * windows.h - the addresses whose call tells count.c what to do
 */
#ifndef DMOP_WINDOWS_H
#define DMOP_WINDOWS_H

/* Of a program in dom0 */
#define COUNT_PAGE	0x123456789000ULL
#define COUNT_ARM	COUNT_PAGE
#define COUNT_BEGIN	(COUNT_PAGE + 0x400)
#define COUNT_END	(COUNT_PAGE + 0x800)

/*
 * Of the PVH test guest, which has no other addresses than those of its 4 MiB. Programs in dom0 have
 * theirs from 4 MiB on.
 */
#define COUNT_GUEST_BEGIN	0x3ff400
#define COUNT_GUEST_END		0x3ff800

/* Windows of a call */
#define NR_WINDOWS	3

#endif /* DMOP_WINDOWS_H */
