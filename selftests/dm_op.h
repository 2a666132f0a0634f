/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dm_op.h - the device model operations of Xen that the tests issue
 *
 * Numbers and layouts are those of Xen's public/hvm/dm_op.h, a stable interface. They are repeated
 * here so that the tests build without the headers of a particular Xen.
 */
#ifndef DMOP_TEST_DM_OP_H
#define DMOP_TEST_DM_OP_H

#include <linux/types.h>

#define DM_OP_CREATE_IOREQ_SERVER	1
#define DM_OP_GET_IOREQ_SERVER_INFO	2
#define DM_OP_MAP_IO_RANGE		3
#define DM_OP_UNMAP_IO_RANGE		4
#define DM_OP_SET_IOREQ_SERVER_STATE	5
#define DM_OP_DESTROY_IOREQ_SERVER	6
#define DM_OP_TRACK_DIRTY_VRAM		7
#define DM_OP_MODIFIED_MEMORY		11
#define DM_OP_SET_MEM_TYPE		12
#define DM_OP_INJECT_MSI		14
#define DM_OP_RELOCATE_MEMORY		17
#define DM_OP_SET_IRQ_LEVEL		19
#define DM_OP_NR_VCPUS			20
#define DM_OP_UNKNOWN			0x7fffffff	/* not an operation in any Xen */

/* How a server gets buffered requests. On arm64 there are none. */
#ifdef __x86_64__
#define DM_OP_BUFIOREQ			2
#else
#define DM_OP_BUFIOREQ			0
#endif
#define DM_OP_INFO_NO_GFNS		1
#define DM_OP_RANGE_PORT		0
#define DM_OP_MEM_RAM_RW		0
#define DM_OP_MSI_LOWEST_PRIORITY	(1 << 8)	/* delivery mode, in the data */

/* Ioreq servers of a domain at most. Their ids start at 0. */
#define DM_OP_NR_IOREQ_SERVERS		8

/* Buffers of a dm_op at most, in all releases of Xen up to 4.20. */
#define DM_OP_XEN_NR_BUFS		2

struct dm_op {
	__u32 op;
	__u32 pad;
	union {
		struct {
			__u8 handle_bufioreq;
			__u8 pad[3];
			__u16 id;		/* out */
		} create;
		struct {
			__u16 id;
			__u16 flags;
			__u32 bufioreq_port;	/* out */
			__aligned_u64 ioreq_gfn;	/* out */
			__aligned_u64 bufioreq_gfn;	/* out */
		} info;
		struct {
			__u16 id;
			__u16 pad;
			__u32 type;
			__aligned_u64 start, end;	/* both inclusive */
		} range;
		struct {
			__u16 id;
			__u8 enabled;
			__u8 pad;
		} state;
		struct {
			__u16 id;
			__u16 pad;
		} destroy;
		struct {
			__u32 nr;
			__u32 pad;
			__aligned_u64 first_pfn;
		} vram;
		struct {
			__u32 nr_extents;
			__u32 opaque;
		} modified;
		struct {
			__u32 nr;
			__u16 type;
			__u16 pad;
			__aligned_u64 first_pfn;
		} mem_type;
		struct {
			__u32 data;
			__u32 pad;
			__aligned_u64 addr;
		} msi;
		struct {
			__u32 size;
			__u32 pad;
			__aligned_u64 src_gfn, dst_gfn;
		} relocate;
		struct {
			__u32 irq;
			__u8 level;
			__u8 pad[3];
		} irq_level;
		__u32 vcpus;			/* out */
		/* No operation of any Xen is larger. */
		__u8 raw[56];
	} u;
};

/* An element of buffer 1 of DM_OP_MODIFIED_MEMORY, which is an array. */
struct dm_op_extent {
	__u32 nr;
	__u32 pad;
	__aligned_u64 first_pfn;
};

#endif /* DMOP_TEST_DM_OP_H */
