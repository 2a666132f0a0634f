/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stall.h - requests to stall.ko, which stops a thread at its Nth scheduling point
 *
 * The requests are ioctls of /proc/dmop_stall.
 */
#ifndef DMOP_STALL_H
#define DMOP_STALL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Classes of scheduling points.
 *
 * @STALL_ENTRY:   start of a file operation of the module
 * @STALL_LOCK:    a sleeping lock, before it is taken and once it is held
 * @STALL_ALLOC:   an allocation with permission to sleep
 * @STALL_FAULT:   a page fault of the kernel on user memory
 * @STALL_RESCHED: cond_resched()
 * @STALL_WAIT:    a wait with or without a timeout
 * @STALL_SECTION: a read-side section of SRCU in the module, after its start and before its end
 * @STALL_XEN:     a hypercall during which the kernel may schedule, or which sends an event; before
 *                 and after
 */
#define STALL_ENTRY	0
#define STALL_LOCK	1
#define STALL_ALLOC	2
#define STALL_FAULT	3
#define STALL_RESCHED	4
#define STALL_WAIT	5
#define STALL_SECTION	6
#define STALL_XEN	7
#define STALL_CLASSES	8

#define STALL_STACK	512

/*
 * State of the armed thread.
 *
 * @pid:     the thread, 0: none
 * @stopped: it is at its stop now
 * @count:   its scheduling points so far
 * @sections: SRCU sections of the module that it is in
 * @xen:     returns from hypercalls and remap functions since the stop
 * @seen:    number of its scheduling points by class
 * @class:   of the stop
 * @where:   function of the stop, with "before" or "after"
 * @stack:   its callers, one per line
 */
struct stall_status {
	__u32 pid;
	__u32 stopped;
	__u32 count;
	__u32 sections;
	__u32 xen;
	__u32 class;
	__u32 seen[STALL_CLASSES];
	char where[64];
	char stack[STALL_STACK];
};

/* Arms the calling thread. It stops at the Nth point; with 0 it only counts. */
#define STALL_ARM	_IOW('s', 1, __u32)
/* Ends that. For the armed thread. */
#define STALL_DISARM	_IO('s', 2)
/* Releases the stopped thread. */
#define STALL_GO	_IO('s', 3)
#define STALL_STATUS	_IOR('s', 4, struct stall_status)

#endif /* DMOP_STALL_H */
