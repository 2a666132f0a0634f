/* SPDX-License-Identifier: GPL-2.0 */
/*
 * limits.h - every maximum
 */
#ifndef DMOP_LIMITS_H
#define DMOP_LIMITS_H

/*
 * The parameters; they may change at any time. The first two stay within the
 * limits below, which together bound the memory of one call.
 */
extern unsigned int dmop_max_nr_bufs;		/* buffers per dm_op */
extern unsigned int dmop_max_buf_size;		/* bytes per buffer */
extern unsigned int dmop_max_map_frames;	/* frames mapped per open file */

#define DMOP_NR_BUFS_LIMIT	64
#define DMOP_BUF_SIZE_LIMIT	(64 * 1024)

/* How many frames one call can map: bounds its list of frames. */
#define DMOP_CALL_FRAMES_LIMIT	(1024 * 1024)

#endif /* DMOP_LIMITS_H */
