// SPDX-License-Identifier: GPL-2.0
/*
 * fail_nth_test.c - failed allocations and copies: open, RESTRICT, INFO, fdinfo, poll, operations
 */
#include <poll.h>

#include "fail_nth.h"
#include "ioeventfd.h"
#include "serve.h"

#define LARGE	1024	/* bytes: too large for the stack, too small for vmalloc() */

/* Verifies fault injection itself, with a system call outside the module. */
TEST(the_kernel_fails_where_it_is_told_to)
{
	int fds[2];

	ASSERT_TRUE(faults_ready());
	ASSERT_TRUE(arm(1));
	EXPECT_EQ(-1, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	EXPECT_TRUE(disarm());

	ASSERT_TRUE(arm(MOST));
	EXPECT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	EXPECT_FALSE(disarm());
	close(fds[0]);
	close(fds[1]);
}

/* --- open, RESTRICT, INFO, fdinfo, poll ------------------------------------ */

static long open_it(struct state *s)
{
	int fd = dmop_open();

	if (fd >= 0)
		s->fd = fd;
	return fd;
}

TEST(opened)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(1, nothing, open_it, nothing, can_be_bound, close_it);
}

static long restrict_it(struct state *s)
{
	return dmop_restrict(s->fd, target_domid);
}

TEST(restricted)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(2, unbound, restrict_it, can_be_bound, is_bound, close_it);
}

/* Another file holds the record. A failed call frees its own allocations, and the record stays. */
TEST(restricted_as_another)
{
	struct state other;

	ASSERT_TRUE(faults_ready());
	ASSERT_TRUE(bound(&other));
	EXPECT_FAILURES(1, unbound, restrict_it, can_be_bound, is_bound, close_it);
	EXPECT_TRUE(is_bound(&other));
	close(other.fd);
}

/* A call that returns 0 has written INFO. */
static long info_it(struct state *s)
{
	struct dmop_info info;

	return dmop_info(s->fd, &info) ?: info.domid == target_domid ? 0 : -EIO;
}

TEST(info_read)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(3, bound, info_it, is_bound, is_bound, close_it);
}

static long info_longer(struct state *s)
{
	struct { struct dmop_info info; __u64 more[16]; } info = { .info.size = sizeof(info) };

	return do_ioctl(s->fd, DMOP_IOCTL_INFO, &info) ?: info.info.domid == target_domid ? 0 : -EIO;
}

TEST(info_read_of_tomorrow)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(3, bound, info_longer, is_bound, is_bound, close_it);
}

static long fdinfo_it(struct state *s)
{
	char path[64], text[1024];
	long ret;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", s->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = read(fd, text, sizeof(text));
	ret = ret < 0 ? -errno : ret;
	close(fd);
	return ret;
}

TEST(fdinfo_read)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(2, bound, fdinfo_it, is_bound, is_bound, close_it);
}

static long poll_it(struct state *s)
{
	struct pollfd p = { .fd = s->fd };
	int ret = poll(&p, 1, 0);

	return ret < 0 ? -errno : ret;
}

TEST(polled)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(1, bound, poll_it, is_bound, is_bound, close_it);
}

/* --- operations ------------------------------------------------------------ */

/* A server may have been created or not. Each call starts and ends without one. */
static bool bound_without_server(struct state *s)
{
	if (!bound(s))
		return false;
	ioreq_destroy_all(s->fd, target_domid);
	return true;
}

static void close_without_server(struct state *s)
{
	ioreq_destroy_all(s->fd, target_domid);
	close_it(s);
}

/* If the copy of the result failed, the server exists. The counter has to agree with Xen. */
static bool made_if_counted(struct state *s)
{
	__u64 made = dmop_calls(s->fd) - s->calls;
	bool there = ioreq_mask(s->fd, target_domid);

	return is_bound(s) && made <= 1 && there == (made == 1);
}

static bool made(struct state *s)
{
	return ioreq_mask(s->fd, target_domid) && is_bound(s);
}

static long small_op(struct state *s)
{
	long ret = ioreq_create(s->fd, target_domid);

	return ret < 0 ? ret : 0;
}

/*
 * A small input is copied word by word, and these copies cannot be made to fail. The copy of the
 * result can.
 */
TEST(dm_op_small)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(1, bound_without_server, small_op, made_if_counted, made, close_without_server);
}

/* The second buffer is too large for the stack. */
static long large_op(struct state *s)
{
	static char large[LARGE];
	struct dm_op op = ioreq_create_op();

	return dm_op2(s->fd, target_domid, &op, large, sizeof(large));
}

/* The allocation, the copy of the buffers, and the result. */
TEST(dm_op_large)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(3, bound_without_server, large_op, made_if_counted, made, close_without_server);
}

/* More buffers than fit on the stack. Xen does not take as many, so its -E2BIG is success here. */
static long many_bufs(struct state *s, bool hypercall)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf bufs[] = {
		{ .uptr = &op, .size = sizeof(op) },
		{ .uptr = &op, .size = sizeof(op) },
		{ .uptr = &op, .size = sizeof(op) },
	};
	long ret = hypercall ? dmop_hypercall(s->fd, DMOP_HYPERCALL_NR, target_domid, ARRAY_SIZE(bufs), bufs) :
			       dmop_call(s->fd, target_domid, bufs, ARRAY_SIZE(bufs));

	return ret == -E2BIG ? 0 : ret;
}

static long many_dm_op(struct state *s)
{
	return many_bufs(s, false);
}

static long many_hypercall(struct state *s)
{
	return many_bufs(s, true);
}

static bool asked(struct state *s)
{
	return dmop_calls(s->fd) == s->calls + 1 && is_bound(s);
}

static bool not_asked(struct state *s)
{
	return dmop_calls(s->fd) == s->calls && is_bound(s);
}

/* Two arrays, and the copy into one of them. */
TEST(dm_op_of_many_buffers)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(3, bound, many_dm_op, not_asked, asked, close_it);
}

TEST(hypercall_of_many_buffers)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(3, bound, many_hypercall, not_asked, asked, close_it);
}

static long batch_it(struct state *s)
{
	struct {
		struct dmop_batch head;
		struct dmop_batch_op ops[1];
		struct dm_op op;
	} b = {
		.head = {
			.size = sizeof(b.head), .domid = target_domid, .nr = 1,
			.bytes = sizeof(b) - sizeof(b.head),
		},
		.ops = { { .size = { sizeof(b.op) } } },
		.op = ioreq_create_op(),
	};
	long ret = do_ioctl(s->fd, DMOP_IOCTL_BATCH, &b);

	return ret == 1 ? b.ops[0].result : ret;
}

/* The head, the allocation, the rest, and the results. */
TEST(batch)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(4, bound_without_server, batch_it, made_if_counted, made, close_without_server);
}

static long irqfd_it(struct state *s)
{
	struct dm_op op = interrupt_op(VECTOR);
	int eventfd_of = eventfd(0, EFD_CLOEXEC);
	long ret;

	if (eventfd_of < 0)
		return -errno;
	ret = irqfd_assign(s->fd, eventfd_of, &op);
	close(eventfd_of);
	return ret;
}

static __u64 irqfds(int fd)
{
	struct dmop_info info;

	return dmop_info(fd, &info) ? ~0ULL : info.irqfds;
}

static bool no_irqfd(struct state *s)
{
	return !irqfds(s->fd) && is_bound(s);
}

static bool one_irqfd(struct state *s)
{
	return irqfds(s->fd) == 1 && is_bound(s);
}

/* The head, the allocation, the operation; more for the eventfd. */
TEST(irqfd_assigned)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(3, bound, irqfd_it, no_irqfd, one_irqfd, close_it);
}

/* --- SERVE and KICK: of their allocations, those of the caller. A worker binds the ports. --- */

/* The eventfd of a sweep, its kick, and the server. */
static int signalled_fd;
static struct dmop_kick wanted;
static long server;

static bool bound_with_eventfd(struct state *s)
{
	signalled_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	wanted = kick_of(target_domid, 0, signalled_fd, PORT);
	return signalled_fd >= 0 && bound(s);
}

static void close_with_eventfd(struct state *s)
{
	close_it(s);
	close(signalled_fd);
}

static __u64 kicks(int fd)
{
	struct dmop_info info;

	return dmop_info(fd, &info) ? ~0ULL : info.kicks;
}

static long kick_it(struct state *s)
{
	return kick(s->fd, &wanted);
}

static bool no_kick(struct state *s)
{
	return !kicks(s->fd) && is_bound(s) && !kick(s->fd, &wanted) && kicks(s->fd) == 1;
}

static bool one_kick(struct state *s)
{
	return kicks(s->fd) == 1 && is_bound(s) && kick(s->fd, &wanted) == -EEXIST;
}

/* The head, and the table. */
TEST(kick_assigned)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(2, bound_with_eventfd, kick_it, no_kick, one_kick, close_with_eventfd);
}

static bool bound_with_kicks(struct state *s)
{
	struct dmop_kick other;

	if (!bound_with_eventfd(s) || kick(s->fd, &wanted))
		return false;
	other = wanted;
	other.addr += 8;
	return !kick(s->fd, &other);
}

static long kick_removed(struct state *s)
{
	return kick_deassign(s->fd, wanted);
}

static bool two_kicks(struct state *s)
{
	return kicks(s->fd) == 2 && is_bound(s) && kick(s->fd, &wanted) == -EEXIST;
}

static bool other_kick(struct state *s)
{
	return kicks(s->fd) == 1 && is_bound(s) && kick_deassign(s->fd, wanted) == -ENOENT;
}

/* The same: the table without the kick is a new one. */
TEST(kick_deassigned)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(2, bound_with_kicks, kick_removed, two_kicks, other_kick, close_with_eventfd);
}

static bool bound_with_server(struct state *s)
{
	volatile struct request *page = NULL;

	if (!bound_with_eventfd(s))
		return false;
	ioreq_destroy_all(s->fd, target_domid);
	server = server_create(s->fd, target_domid, &page);
	s->p = (char *)page;
	return server >= 0;
}

/* The mapping keeps the file open. */
static void close_with_server(struct state *s)
{
	ioreq_destroy_all(s->fd, target_domid);
	munmap(s->p, PAGE);
	close_with_eventfd(s);
}

static __u64 servers(int fd)
{
	struct dmop_info info;

	return dmop_info(fd, &info) ? ~0ULL : info.servers;
}

static long serve_it(struct state *s)
{
	return serve(s->fd, target_domid, server, 1, signalled_fd, 0);
}

/* Nothing has kept the ports, so it can be served now. */
static bool no_server(struct state *s)
{
	return !servers(s->fd) && is_bound(s) && answer_vcpus(s->fd, 1, 0) == -EINVAL &&
	       !serve_it(s);
}

static bool one_server(struct state *s)
{
	return servers(s->fd) == 1 && is_bound(s) && !answer_vcpus(s->fd, 1, 0) &&
	       serve_it(s) == -EBUSY;
}

/* The head, and the server. */
TEST(served)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(2, bound_with_server, serve_it, no_server, one_server, close_with_server);
}

static bool bound_and_served(struct state *s)
{
	return bound_with_server(s) && !serve_it(s);
}

static long end_it(struct state *s)
{
	return serve_end(s->fd, target_domid, server);
}

/* The head. */
TEST(served_no_more)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(1, bound_and_served, end_it, one_server, no_server, close_with_server);
}

/* --- IOEVENTFD: before Linux 6.7 it ends in EOPNOTSUPP after the ports and the page ------ */

static int evtchn;
static __u32 port;

static bool shares(int fd)
{
	struct dmop_info info;

	return !dmop_info(fd, &info) && info.features & DMOP_FEATURE_IOEVENTFD;
}

static bool bound_with_port(struct state *s)
{
	long local;

	if (!bound_with_server(s))
		return false;
	evtchn = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	local = bind_port(evtchn, target_domid, first_port(s->p));
	port = local;
	return local > 0;
}

static void close_with_port(struct state *s)
{
	close(evtchn);
	close_with_server(s);
}

static long ioeventfd_it(struct state *s)
{
	struct dmop_ioeventfd arg = ioeventfd_of(target_domid, s->p, &port, signalled_fd);

	return do_ioctl(s->fd, DMOP_IOCTL_IOEVENTFD, &arg);
}

static long ioeventfd_end(struct state *s)
{
	struct dmop_ioeventfd arg = ioeventfd_of(target_domid, s->p, &port, signalled_fd);

	arg.flags = DMOP_IOEVENTFD_DEASSIGN;
	return do_ioctl(s->fd, DMOP_IOCTL_IOEVENTFD, &arg);
}

static long ioeventfd_or_not(struct state *s)
{
	long ret = ioeventfd_it(s);

	return ret == -EOPNOTSUPP && !shares(s->fd) ? 0 : ret;
}

static bool counted(int fd, unsigned int nr)
{
	return servers(fd) == nr && kicks(fd) == nr;
}

/* Nothing is left, so the same call works now. */
static bool not_shared(struct state *s)
{
	if (!counted(s->fd, 0) || !is_bound(s))
		return false;
	return shares(s->fd) ? !ioeventfd_it(s) && counted(s->fd, 1) :
			       ioeventfd_it(s) == -EOPNOTSUPP;
}

static bool is_shared(struct state *s)
{
	if (!shares(s->fd))
		return not_shared(s);
	return counted(s->fd, 1) && is_bound(s) && ioeventfd_it(s) == -EBUSY &&
	       !ioeventfd_end(s) && counted(s->fd, 0);
}

/* The head, the array of ports, and the ports. With Linux 6.7 the server and the table as well. */
TEST(ioeventfd_assigned)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(3, bound_with_port, ioeventfd_or_not, not_shared, is_shared, close_with_port);
}

static bool bound_and_shared(struct state *s)
{
	return bound_with_port(s) && !ioeventfd_or_not(s);
}

static long ioeventfd_no_more(struct state *s)
{
	long ret = ioeventfd_end(s);

	return ret == -EOPNOTSUPP && !shares(s->fd) ? 0 : ret;
}

/* The head. */
TEST(ioeventfd_deassigned)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(1, bound_and_shared, ioeventfd_no_more, is_shared, not_shared, close_with_port);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
