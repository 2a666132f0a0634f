// SPDX-License-Identifier: GPL-2.0
/*
 * irqfd_test.c - IRQFD: its errors, its effect, and the end of an irqfd
 */
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/wait.h>

#include "frames.h"
#include "irqfd.h"
#include "narrow.h"

#define BAD_POINTER	((void *)8)

FIXTURE(irqfd)
{
	int fd;			/* bound to the target */
	int event;		/* an eventfd, non-blocking */
	struct dm_op op;
	struct dmop_info before;
};

FIXTURE_SETUP(irqfd)
{
	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->event);
	self->op = interrupt_op(VECTOR);
	/* What the signals below issue is valid. */
	ASSERT_EQ(0, dm_op(self->fd, target_domid, &self->op));
	ASSERT_EQ(0, dmop_info(self->fd, &self->before));
}

FIXTURE_TEARDOWN(irqfd)
{
	close(self->event);
	close(self->fd);
}

/* INFO is as before the test but for these: irqfds, operations issued, and those that failed. */
#define EXPECT_EVENTS(_irqfds, _events, _failed) do {					\
	struct dmop_info now_, want_ = self->before;					\
											\
	want_.irqfds = (_irqfds);							\
	want_.events = (_events);							\
	want_.calls += (_events);							\
	want_.events_failed = (_failed);						\
	ASSERT_EQ(0, dmop_info(self->fd, &now_));					\
	EXPECT_EQ(0, memcmp(&want_, &now_, sizeof(now_))) {				\
		TH_LOG("irqfds %llu, events %llu, failed %llu, calls %llu, refused %llu",	\
		       now_.irqfds, now_.events, now_.events_failed,			\
		       now_.calls - self->before.calls, now_.refused_policy);		\
	}										\
} while (0)

#define EXPECT_RESET(_fd) do {								\
	if (counter_is_reset())								\
		EXPECT_EQ(0, counter(_fd));						\
} while (0)

/* --- errors ------------------------------------------------------------ */

TEST_F(irqfd, is_a_feature)
{
	EXPECT_TRUE(self->before.features & DMOP_FEATURE_IRQFD);
	EXPECT_EVENTS(0, 0, 0);
}

/* Each argument has two causes of refusal, next to each other in the order. */
TEST_F(irqfd, order_of_refusals)
{
	struct dm_op unknown = { .op = DM_OP_UNKNOWN };
	int unbound = dmop_open(), no_eventfd = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, unbound);
	ASSERT_LE(0, no_eventfd);
	/* unreadable, unbound */
	EXPECT_EQ(-EFAULT, do_ioctl(unbound, DMOP_IOCTL_IRQFD, BAD_POINTER));
	/* unbound, or another domain; and an unknown flag. Privilege is no help. */
	EXPECT_EQ(-EPERM, irqfd(unbound, target_domid, -1, BAD_POINTER, 0, ~0U));
	EXPECT_EQ(-EPERM, irqfd(unbound, target_domid, self->event, &self->op, 24, 0));
	EXPECT_EQ(-EPERM, irqfd(self->fd, other_domid, -1, BAD_POINTER, 0, ~0U));
	self->before.refused_policy++;
	/* an unknown flag, or too small, or too large; and no file */
	EXPECT_EQ(-EINVAL, irqfd(self->fd, target_domid, -1, BAD_POINTER, 8, 2));
	EXPECT_EQ(-EINVAL, irqfd(self->fd, target_domid, -1, BAD_POINTER, 8, 1U << 31));
	EXPECT_EQ(-EINVAL, irqfd(self->fd, target_domid, -1, BAD_POINTER, 0, 0));
	EXPECT_EQ(-EINVAL, irqfd(self->fd, target_domid, -1, BAD_POINTER, 7, 0));
	EXPECT_EQ(-E2BIG, irqfd(self->fd, target_domid, -1, BAD_POINTER, 257, 0));
	EXPECT_EQ(-E2BIG, irqfd(self->fd, target_domid, -1, BAD_POINTER, ~0U, 0));
	/* no file, or no eventfd; and an unreadable operation */
	EXPECT_EQ(-EBADF, irqfd(self->fd, target_domid, -1, BAD_POINTER, 8, 0));
	EXPECT_EQ(-EBADF, irqfd(self->fd, target_domid, 1 << 20, BAD_POINTER, 256, 0));
	EXPECT_EQ(-EINVAL, irqfd(self->fd, target_domid, no_eventfd, BAD_POINTER, 8, 0));
	EXPECT_EQ(-EINVAL, irqfd(self->fd, target_domid, self->fd, BAD_POINTER, 8, 0));
	EXPECT_EQ(-EBADF, irqfd_deassign(self->fd, -1));
	EXPECT_EQ(-EINVAL, irqfd_deassign(self->fd, no_eventfd));
	/* an unreadable operation */
	EXPECT_EQ(-EFAULT, irqfd(self->fd, target_domid, self->event, BAD_POINTER, 8, 0));
	EXPECT_EQ(-EFAULT, irqfd(self->fd, target_domid, self->event,
				 guarded_pages(1, 0) + PAGE - 8, 9, 0));
	EXPECT_EVENTS(0, 0, 0);

	/* not for eventfds, and the eventfd is in use */
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	EXPECT_EQ(-EOPNOTSUPP, irqfd_assign(self->fd, self->event, &unknown));
	EXPECT_EQ(-EBUSY, irqfd_assign(self->fd, self->event, &self->op));
	/* removed, and not for eventfds */
	ASSERT_EQ(0, narrow_ops(self->fd, OP(self->op.op), 0));
	EXPECT_EQ(-EPERM, irqfd_assign(self->fd, self->event, &unknown));
	/* EVENT removed, and an unknown flag */
	ASSERT_EQ(0, narrow_acts(self->fd, ~DMOP_RIGHT_EVENT));
	EXPECT_EQ(-EPERM, irqfd(self->fd, target_domid, -1, BAD_POINTER, 0, ~0U));
	close(no_eventfd);
	close(unbound);
}

TEST_F(irqfd, operations)
{
	const __u32 admitted[] = { 8, 9, DM_OP_INJECT_MSI, DM_OP_SET_IRQ_LEVEL };
	struct dm_op op = { };
	unsigned int i;
	__u64 bits = 0;

	for (op.op = 0; op.op < 130; op.op++) {
		long ret = irqfd_assign(self->fd, self->event, &op);

		if (!ret) {
			bits |= op.op < 64 ? OP(op.op) : ~0ULL;
			EXPECT_EQ(0, irqfd_deassign(self->fd, self->event));
		} else {
			EXPECT_EQ(-EOPNOTSUPP, ret);
		}
	}
	for (i = 0; i < ARRAY_SIZE(admitted); i++)
		bits ^= OP(admitted[i]);
	EXPECT_EQ(0, bits);
	op.op = admitted[0] | 1U << 31;
	EXPECT_EQ(-EOPNOTSUPP, irqfd_assign(self->fd, self->event, &op));
	EXPECT_EVENTS(0, 0, 0);
}

/* --- signals ----------------------------------------------------------- */

TEST_F(irqfd, a_signal_issues_the_operation)
{
	unsigned int i;

	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	EXPECT_EVENTS(1, 0, 0);
	for (i = 1; i <= 3; i++) {
		ASSERT_TRUE(signal_it(self->event));
		EXPECT_EVENTS(1, i, 0);
		EXPECT_RESET(self->event);
	}
}

/* Sizes from the shortest to the longest. Xen gets the size, and takes no operation that is cut off. */
TEST_F(irqfd, sizes)
{
	char *end = guarded_pages(1, 0) + PAGE;
	struct dm_op *op = (void *)(end - DMOP_IRQFD_OP_MAX);

	*op = self->op;
	ASSERT_EQ(0, irqfd(self->fd, target_domid, self->event, op, DMOP_IRQFD_OP_MAX, 0));
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EVENTS(1, 1, 0);
	ASSERT_EQ(0, irqfd_deassign(self->fd, self->event));

	op = (void *)(end - 8);
	memcpy(op, &self->op, 8);
	ASSERT_EQ(0, irqfd(self->fd, target_domid, self->event, op, 8, 0));
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EVENTS(1, 2, 1);
}

/* Xen rejects it: no processor takes the interrupt, or it is not one that devices share. */
static struct dm_op rejected_op(void)
{
	struct dm_op op = interrupt_op(VECTOR);

	if (ON_X86) {
		op.u.msi.data |= DM_OP_MSI_LOWEST_PRIORITY;
		op.u.msi.addr |= 0xff << 12;
	} else {
		op.u.irq_level.irq = 1;
	}
	return op;
}

TEST_F(irqfd, a_failure_is_counted)
{
	struct dm_op op = rejected_op();

	ASSERT_GT(0, dm_op(self->fd, target_domid, &op));
	self->before.calls++;
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &op));
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EVENTS(1, 1, 1);
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(self->fd));
}

/* Xen gets the operation as it was at the assignment. */
TEST_F(irqfd, the_operation_is_copied)
{
	struct dm_op *op = (void *)guarded_pages(1, 0);

	*op = self->op;
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, op));
	*op = rejected_op();
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EVENTS(1, 1, 0);
	ASSERT_EQ(0, irqfd_deassign(self->fd, self->event));

	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, op));
	ASSERT_EQ(0, munmap(op, PAGE));
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EVENTS(1, 2, 1);
}

TEST_F(irqfd, signals_from_before)
{
	ASSERT_TRUE(signal_it(self->event));
	ASSERT_TRUE(signal_it(self->event));
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	EXPECT_EVENTS(1, 1, 0);
	EXPECT_RESET(self->event);
}

/* One that is not privileged, and holds the eventfd only. */
TEST_F(irqfd, any_process_may_signal)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(self->fd);
		_exit(!drop_privileges() || !signal_it(self->event));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EVENTS(1, 1, 0);
}

/* Two open files, one eventfd: each issues its own. */
TEST_F(irqfd, one_eventfd_of_two_files)
{
	struct dmop_info other;
	int fd = dmop_open_bound(other_domid);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	ASSERT_EQ(0, irqfd(fd, other_domid, self->event, &self->op, sizeof(self->op), 0));
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EVENTS(1, 1, 0);
	ASSERT_EQ(0, dmop_info(fd, &other));
	EXPECT_EQ(1, other.events);
	close(fd);
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EVENTS(1, 2, 0);
}

/* --- limits ------------------------------------------------------------ */

TEST_F(irqfd, as_many_as_there_may_be)
{
	int fds[DMOP_IRQFDS_MAX + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ASSERT_LE(0, fds[i]);
		EXPECT_EQ(i < DMOP_IRQFDS_MAX ? 0 : -E2BIG, irqfd_assign(self->fd, fds[i], &self->op));
	}
	EXPECT_EVENTS(DMOP_IRQFDS_MAX, 0, 0);
	EXPECT_EQ(-EBUSY, irqfd_assign(self->fd, fds[0], &self->op));
	EXPECT_EQ(0, irqfd_deassign(self->fd, fds[0]));
	EXPECT_EQ(0, irqfd_assign(self->fd, fds[DMOP_IRQFDS_MAX], &self->op));
	EXPECT_EQ(-E2BIG, irqfd_assign(self->fd, fds[0], &self->op));
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		ASSERT_TRUE(signal_it(fds[i]));
	EXPECT_EVENTS(DMOP_IRQFDS_MAX, DMOP_IRQFDS_MAX, 0);

	/* Closed eventfds make room. */
	for (i = 1; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	EXPECT_EQ(0, irqfd_assign(self->fd, fds[0], &self->op));
	EXPECT_EVENTS(1, DMOP_IRQFDS_MAX + 1, 0);
	close(fds[0]);
}

/* --- the end of an irqfd ----------------------------------------------- */

TEST_F(irqfd, deassigned)
{
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	ASSERT_EQ(0, irqfd_deassign(self->fd, self->event));
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EVENTS(0, 0, 0);
	EXPECT_EQ(1, counter(self->event));
	/* There is none. */
	EXPECT_EQ(0, irqfd_deassign(self->fd, self->event));
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EVENTS(1, 1, 0);
}

/* It belongs to the open file: it stays with the last descriptor, and ends with that. */
TEST_F(irqfd, ends_with_its_file)
{
	int alias = dup(self->fd);

	ASSERT_LE(0, alias);
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	close(self->fd);
	self->fd = alias;
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EVENTS(1, 1, 0);
	EXPECT_RESET(self->event);

	close(self->fd);
	counter(self->event);
	ASSERT_TRUE(signal_it(self->event));
	EXPECT_EQ(1, counter(self->event));
}

TEST_F(irqfd, ends_by_narrow_of_the_act)
{
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	ASSERT_EQ(0, narrow_acts(self->fd, ~DMOP_RIGHT_EVENT));
	ASSERT_TRUE(signal_it(self->event));
	ASSERT_EQ(0, dmop_info(self->fd, &self->before));
	EXPECT_EQ(0, self->before.events);
	EXPECT_EQ(1, counter(self->event));
	/* Nor can it be removed, but it does nothing. */
	EXPECT_EQ(-EPERM, irqfd_deassign(self->fd, self->event));
}

TEST_F(irqfd, ends_by_narrow_of_the_operation)
{
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	ASSERT_EQ(0, narrow_ops(self->fd, ~OP(self->op.op), ~0ULL));
	ASSERT_TRUE(signal_it(self->event));
	ASSERT_EQ(0, dmop_info(self->fd, &self->before));
	EXPECT_EQ(0, self->before.events);
	EXPECT_EQ(0, self->before.refused_policy);
	EXPECT_EQ(0, irqfd_deassign(self->fd, self->event));
}

/*
 * Every descriptor of the eventfd is closed, but the kernel signals it: when the pipe is readable.
 * The irqfd has ended all the same.
 */
TEST_F(irqfd, ends_with_its_eventfd)
{
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = POLLIN,
		.aio_flags = IOCB_FLAG_RESFD, .aio_resfd = self->event,
	}, *cbs = &cb;
	int ends[2], other = eventfd(0, EFD_CLOEXEC);
	aio_context_t aio = 0;
	struct io_event done;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	cb.aio_fildes = ends[0];
	ASSERT_EQ(0, syscall(SYS_io_setup, 2, &aio));
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	/* With the eventfd open the signal issues the operation. */
	ASSERT_EQ(1, syscall(SYS_io_submit, aio, 1, &cbs));
	ASSERT_EQ(1, write(ends[1], "", 1));
	ASSERT_EQ(1, syscall(SYS_io_getevents, aio, 1, 1, &done, NULL));
	EXPECT_EVENTS(1, 1, 0);
	ASSERT_EQ(1, read(ends[0], &done, 1));

	ASSERT_EQ(1, syscall(SYS_io_submit, aio, 1, &cbs));
	close(self->event);
	self->event = -1;
	ASSERT_EQ(1, write(ends[1], "", 1));
	ASSERT_EQ(1, syscall(SYS_io_getevents, aio, 1, 1, &done, NULL));
	EXPECT_EVENTS(1, 1, 0);

	/* The next IRQFD frees it. */
	ASSERT_EQ(0, irqfd_deassign(self->fd, other));
	ASSERT_EQ(0, irqfd_assign(self->fd, other, &self->op));
	EXPECT_EVENTS(1, 1, 0);
	syscall(SYS_io_destroy, aio);
	close(other);
	close(ends[0]);
	close(ends[1]);
}

/* Without CALL no operation is left, so none for events. */
TEST_F(irqfd, ends_by_narrow_of_calls)
{
	ASSERT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
	ASSERT_EQ(0, narrow_acts(self->fd, ~DMOP_RIGHT_CALL));
	ASSERT_TRUE(signal_it(self->event));
	ASSERT_EQ(0, dmop_info(self->fd, &self->before));
	EXPECT_EQ(0, self->before.events);
}

/* --- races ------------------------------------------------------------- */

#define ROUNDS	2000

static void *signals(void *data)
{
	int event = *(int *)data, i;

	for (i = 0; i < ROUNDS; i++) {
		if (!signal_it(event))
			return data;
		if (!(i % 16))
			sched_yield();
	}
	return NULL;
}

/* None comes after the end of a DEASSIGN. */
TEST_F(irqfd, deassigned_beside_signals)
{
	struct dmop_info now, later;
	pthread_t threads[2];
	unsigned int i;
	void *failed;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, signals, &self->event));
	for (i = 0; i < ROUNDS / 4; i++) {
		EXPECT_EQ(0, irqfd_assign(self->fd, self->event, &self->op));
		EXPECT_EQ(0, irqfd_deassign(self->fd, self->event));
		ASSERT_EQ(0, dmop_info(self->fd, &now));
		sched_yield();
		ASSERT_EQ(0, dmop_info(self->fd, &later));
		EXPECT_EQ(now.events, later.events);
		EXPECT_EQ(0, later.irqfds);
	}
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &failed));
		EXPECT_EQ(NULL, failed);
	}
}

/* The file is closed beside signals. The next has as many irqfds as it makes. */
TEST_F(irqfd, closed_beside_signals)
{
	unsigned int i;
	pthread_t thread;
	void *failed;

	ASSERT_EQ(0, pthread_create(&thread, NULL, signals, &self->event));
	for (i = 0; i < 50; i++) {
		int fd = dmop_open_bound(target_domid);

		ASSERT_LE(0, fd);
		EXPECT_EQ(0, irqfd_assign(fd, self->event, &self->op));
		sched_yield();
		EXPECT_EQ(0, close(fd));
	}
	ASSERT_EQ(0, pthread_join(thread, &failed));
	EXPECT_EQ(NULL, failed);
	EXPECT_EVENTS(0, 0, 0);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
