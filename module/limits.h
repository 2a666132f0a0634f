/* SPDX-License-Identifier: GPL-2.0 */
/*
 * limits.h - every maximum
 */
#ifndef DMOP_LIMITS_H
#define DMOP_LIMITS_H

/*
 * The module parameters. They may change at any time: read each once per call.
 * The first two stay within the limits below and so bound the memory of a call.
 */
extern unsigned int dmop_max_nr_bufs;		/* buffers per dm_op */
extern unsigned int dmop_max_buf_size;		/* bytes per buffer */
extern unsigned int dmop_max_map_frames;	/* frames mapped per open file, or by one call */
extern unsigned int dmop_max_empty_pages;	/* empty pages of all open files */

#define DMOP_NR_BUFS_LIMIT	64
#define DMOP_BUF_SIZE_LIMIT	(64 * 1024)

#endif /* DMOP_LIMITS_H */
