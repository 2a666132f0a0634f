/* SPDX-License-Identifier: GPL-2.0 */
/*
 * irqfd.h - wrappers of IRQFD
 */
#ifndef DMOP_TEST_IRQFD_H
#define DMOP_TEST_IRQFD_H

#include <sys/eventfd.h>
#include <sys/utsname.h>

#include "dmop_test.h"

/* No guest of the tests uses it. On arm64, an interrupt that devices share (SPI). */
#define VECTOR		(ON_X86 ? 0x51 : 33)

/*
 * An operation that an eventfd may issue, and that a paused domain accepts: an interrupt, as a
 * message to virtual processor 0, or of the virtual GIC.
 */
static inline struct dm_op interrupt_op(unsigned int vector)
{
	struct dm_op op = { .op = ON_X86 ? DM_OP_INJECT_MSI : DM_OP_SET_IRQ_LEVEL };

	if (ON_X86) {
		op.u.msi.data = vector;
		op.u.msi.addr = 0xfee00000;
	} else {
		op.u.irq_level.irq = vector;
		op.u.irq_level.level = 1;
	}
	return op;
}

static inline long irqfd(int fd, __u16 domid, int eventfd, const void *op, __u32 size, __u32 flags)
{
	struct dmop_irqfd arg = {
		.dm_op = op, .size = size, .fd = eventfd, .flags = flags, .dom = domid,
		/* Ignored. */
		.pad = { POISON, POISON },
	};

	return do_ioctl(fd, DMOP_IOCTL_IRQFD, &arg);
}

static inline long irqfd_assign(int fd, int eventfd, const struct dm_op *op)
{
	return irqfd(fd, target_domid, eventfd, op, sizeof(*op), 0);
}

static inline long irqfd_deassign(int fd, int eventfd)
{
	/* The operation is not looked at. */
	return irqfd(fd, target_domid, eventfd, (void *)8, ~0U, DMOP_IRQFD_DEASSIGN);
}

static inline bool signal_it(int eventfd)
{
	__u64 one = 1;

	return write(eventfd, &one, sizeof(one)) == sizeof(one);
}

/* Return: the counter of a non-blocking eventfd, which is 0 afterwards. */
static inline __u64 counter(int eventfd)
{
	__u64 n = 0;

	return read(eventfd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* Linux 5.10 does not always let a module reset it. */
static inline bool counter_is_reset(void)
{
	unsigned int major, minor;
	struct utsname u;

	return !uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 5 || minor > 10);
}

#endif /* DMOP_TEST_IRQFD_H */
