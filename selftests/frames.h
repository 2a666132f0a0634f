/* SPDX-License-Identifier: GPL-2.0 */
/*
 * frames.h - map memory of a domain, and touch mapped memory
 */
#ifndef DMOP_TEST_FRAMES_H
#define DMOP_TEST_FRAMES_H

#include <setjmp.h>
#include <signal.h>

#include "dmop_test.h"

#define PAGE		4096UL

/* The test guest does not have this frame. */
#define NO_GFN		0x7fffffULL

#define RESOURCE_IOREQ_SERVER	0
#define RESOURCE_GRANT_TABLE	1
#define FRAME_IOREQ		1	/* frame 0 is for buffered requests */

static inline char *area(int fd, size_t nr, int prot)
{
	return mmap(NULL, nr * PAGE, prot, MAP_SHARED, fd, 0);
}

static inline long map(int fd, __u16 domid, void *at, unsigned int nr, const __u64 *gfns,
		       int *errs)
{
	struct dmop_mmapbatch_v2 m = {
		.num = nr, .dom = domid, .addr = (unsigned long)at, .arr = gfns, .err = errs,
	};

	return do_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &m);
}

/* Maps one frame in a new area. Return: the address, or NULL. */
static inline char *map_one(int fd, __u16 domid, __u64 gfn)
{
	char *p = area(fd, 1, PROT_READ | PROT_WRITE);
	int err = -1;

	if (p == MAP_FAILED)
		return NULL;
	if (!map(fd, domid, p, 1, &gfn, &err) && !err)
		return p;
	munmap(p, PAGE);
	return NULL;
}

/* Return: the mapped frames of the file, from INFO. */
static inline __u64 mapped_frames(int fd)
{
	struct dmop_info info;

	return dmop_info(fd, &info) ? ~0ULL : info.mapped_frames;
}

static sigjmp_buf fault_jump;

static inline void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

/* Return: the signal raised by reading, or writing, a byte; or 0. */
static inline int touch(volatile char *p, bool write)
{
	struct sigaction sa = { .sa_handler = on_fault }, bus, segv;
	int sig;

	sigaction(SIGBUS, &sa, &bus);
	sigaction(SIGSEGV, &sa, &segv);
	sig = sigsetjmp(fault_jump, 1);
	if (!sig) {
		char c = *p;

		if (write)
			*p = c;
	}
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return sig;
}

#endif /* DMOP_TEST_FRAMES_H */
