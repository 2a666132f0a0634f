// SPDX-License-Identifier: GPL-2.0
/*
 * fail_nth_test.c - each allocation and each copy that a call makes fails once
 *
 * For a kernel with fault injection (make check-debug). /proc/thread-self/fail-nth
 * has the Nth of them fail in this thread. A call is made with N from 1 up, until
 * it ends, a few times, before it comes to the Nth: then every one has failed, each
 * by itself.
 * After each failure the state is the one before the call, and in the end nothing
 * is held that was not held at the start.
 */
#include <poll.h>

#include "command.h"
#include "frames.h"

/* Where a sweep that does not end is given up. */
#define MOST	20000

#define LARGE	1024	/* bytes: not on the stack, and allocated in one way only */
#define MANY	40	/* frames: more than a small area has */

/* --- the Nth failure ----------------------------------------------------- */

static int fail_nth = -1;

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return ok;
}

/* All that can fail may, and no stack is printed for it. */
static bool faults_ready(void)
{
	static const char *const dirs[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	char path[128];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", dirs[i]);
		if (!write_text(path, "0"))
			return false;
	}
	if (!write_text("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") ||
	    !write_text("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N") ||
	    !write_text("/sys/kernel/debug/fail_page_alloc/min-order", "0"))
		return false;
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return fail_nth >= 0;
}

static bool arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	return pwrite(fail_nth, text, len, 0) == len;
}

/*
 * Return: did the call come to the Nth? If not, it is still to come: it is what this read
 * copies to us, if nothing else.
 */
static bool disarm(void)
{
	char text[16] = "";
	bool came = pread(fail_nth, text, sizeof(text) - 1, 0) > 0 && !atoi(text);

	pwrite(fail_nth, "0", 1, 0);
	return came;
}

/* --- a call, again and again --------------------------------------------- */

/*
 * @fd:    a descriptor that the call is about
 * @p:     an area of it, or memory of ours
 * @calls: what dmop_calls(@fd) was before the call
 * @module: the module's file, where that is what is loaded
 */
struct state {
	int fd;
	char *p;
	__u64 calls;
	int module;
};

/*
 * @before: makes what the call needs; true if it is there
 * @call:   Return: what the system call did
 * @failed: after a call that failed: is all as it was?
 * @done:   after one that did not: is it done?
 * @after:  takes away what is left of both
 */
struct sweep {
	bool (*before)(struct state *s);
	long (*call)(struct state *s);
	bool (*failed)(struct state *s);
	bool (*done)(struct state *s);
	void (*after)(struct state *s);
};

/* Return: how many of the failures, from @first on, made the call fail. */
static unsigned int sweep_from(struct __test_metadata *const _metadata, unsigned int first,
			       const struct sweep *w)
{
	unsigned int n, failures = 0, survived = 0, missed = 0;
	long references = refcount();

	/* A slab that is full takes one more now and then, so one that did not come is not the end. */
	for (n = first; missed < 3 && n < MOST; n++) {
		struct state s = { .fd = -1, .p = MAP_FAILED, .module = -1 };
		bool came;
		long ret;

		ASSERT_TRUE(w->before(&s));
		if (s.fd >= 0)
			s.calls = dmop_calls(s.fd);
		ASSERT_TRUE(arm(n));
		ret = w->call(&s);
		came = disarm();
		missed = came ? 0 : missed + 1;
		if (ret < 0) {
			EXPECT_TRUE(came);
			EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT) {
				TH_LOG("failure %u: errno %ld", n, -ret);
			}
			EXPECT_TRUE(w->failed(&s)) {
				TH_LOG("failure %u (errno %ld) leaves something behind", n, -ret);
			}
			failures++;
		} else {
			EXPECT_TRUE(w->done(&s)) {
				TH_LOG("failure %u: the call says %ld, and it is not done", n, ret);
			}
			survived += came;
		}
		w->after(&s);
		EXPECT_EQ(references, refcount()) {
			TH_LOG("failure %u leaves a reference on the module", n);
		}
	}
	EXPECT_EQ(3, missed);
	TH_LOG("%u failures: the call failed of %u, and was made in spite of %u",
	       failures + survived, failures, survived);
	return failures;
}

/* Which of its own allocations and copies a call came to is for coverage to tell. */
#define EXPECT_FAILURES(least, ...)						\
	EXPECT_LE((unsigned int)(least), sweep_from(_metadata, 1, &(struct sweep){ __VA_ARGS__ }))

static bool nothing(struct state *s)
{
	return s->fd < 0;
}

static void close_it(struct state *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static bool unbound(struct state *s)
{
	s->fd = dmop_open();
	return s->fd >= 0;
}

static bool bound(struct state *s)
{
	s->fd = dmop_open_bound(target_domid);
	return s->fd >= 0;
}

static bool is_bound(struct state *s)
{
	return dmop_state(s->fd) == DMOP_STATE_BOUND &&
	       unknown_op(s->fd, target_domid) == -EOPNOTSUPP &&
	       unknown_op(s->fd, other_domid) == -EPERM;
}

/* It works as ever afterwards. */
static bool can_be_bound(struct state *s)
{
	return dmop_state(s->fd) == DMOP_STATE_UNBOUND &&
	       !dmop_restrict(s->fd, target_domid) && is_bound(s);
}

/* Is the injection awake? A call of the kernel's own, and nothing of ours. */
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

/* Another holds the record: what was made for this call goes, and that one stays. */
TEST(restricted_as_another)
{
	struct state other;

	ASSERT_TRUE(faults_ready());
	ASSERT_TRUE(bound(&other));
	EXPECT_FAILURES(2, unbound, restrict_it, can_be_bound, is_bound, close_it);
	EXPECT_TRUE(is_bound(&other));
	close(other.fd);
}

/* What says that it was read has been. */
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

	return dmop_ioctl(s->fd, DMOP_IOCTL_INFO, &info) ?: info.info.domid == target_domid ? 0 : -EIO;
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

/* A server is made, or none: whatever became of the call, none is left. */
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

/* One that failed on its way out was made, and says so: the counter and Xen agree. */
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

/* Two words in, one out: the way in takes no copy that can be made to fail, the way out does. */
TEST(dm_op_small)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(1, bound_without_server, small_op, made_if_counted, made, close_without_server);
}

/* A second buffer that is not on the stack. */
static long large_op(struct state *s)
{
	static char large[LARGE];
	struct dm_op op = ioreq_create_op();

	return dm_op2(s->fd, target_domid, &op, large, sizeof(large));
}

/* Where the contents are put, the contents, and the result. */
TEST(dm_op_large)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(3, bound_without_server, large_op, made_if_counted, made, close_without_server);
}

/* More buffers than are on the stack, which is more than Xen takes: it is asked, and says so. */
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

/* Two arrays, and what is copied into one of them. */
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
	long ret = dmop_ioctl(s->fd, DMOP_IOCTL_BATCH, &b);

	return ret == 1 ? b.ops[0].result : ret;
}

/* The head, the allocation, the rest, and the results. */
TEST(batch)
{
	ASSERT_TRUE(faults_ready());
	EXPECT_FAILURES(4, bound_without_server, batch_it, made_if_counted, made, close_without_server);
}

/* --- areas and mappings ------------------------------------------------------ */

static unsigned int frames;

/* Where nothing else is: page tables are made for it, each of which can fail. */
#define ALONE	((void *)(1UL << 44))

static long mmap_it(struct state *s)
{
	s->p = mmap(ALONE, frames * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	return s->p == MAP_FAILED ? -errno : 0;
}

static bool with_area(struct state *s)
{
	return bound(s) && !mmap_it(s);
}

static bool no_area(struct state *s)
{
	return s->p == MAP_FAILED && is_bound(s);
}

static bool an_area(struct state *s)
{
	return !mapped_frames(s->fd) && touch(s->p, false) == SIGBUS;
}

static void unmap_it(struct state *s)
{
	if (s->p != MAP_FAILED)
		munmap(s->p, frames * PAGE);
	if (mapped_frames(s->fd))
		s->fd = -1;	/* is held by what is left, and refcount() tells */
	close_it(s);
}

TEST(area_made)
{
	ASSERT_TRUE(faults_ready());
	frames = MANY;
	EXPECT_FAILURES(1, bound, mmap_it, no_area, an_area, unmap_it);
}

static long map_it(struct state *s)
{
	__u64 gfns[MANY];
	int errs[MANY];
	unsigned int i;
	long ret;

	for (i = 0; i < frames; i++)
		gfns[i] = GFN + i % 32;
	memset(errs, POISON, sizeof(errs));
	ret = map(s->fd, target_domid, s->p, frames, gfns, errs);
	/* A frame of which Xen or the kernel says that it failed is a failure, too. */
	for (i = 0; !ret && i < frames; i++)
		ret = errs[i];
	return ret;
}

static bool all_there(struct state *s)
{
	unsigned int i;

	for (i = 0; i < frames; i++)
		if (touch(s->p + i * PAGE, true))
			return false;
	return mapped_frames(s->fd) == frames && is_bound(s);
}

/*
 * All frames or none are there. One that is there is the target's, and the area goes as ever;
 * what is not there can be mapped by the same call, in the same area.
 */
static bool all_or_none_there(struct state *s)
{
	unsigned int i, there = 0;

	for (i = 0; i < frames; i++)
		there += !touch(s->p + i * PAGE, true);
	if (there && there < frames)
		return false;
	if (there)
		return mapped_frames(s->fd) == frames;
	return !map_it(s) && all_there(s);
}

static void map_sweep(struct __test_metadata *const _metadata, unsigned int nr)
{
	ASSERT_TRUE(faults_ready());
	frames = nr;
	/* The argument, the arrays, the frames, the page tables, the results; and the area's own. */
	EXPECT_FAILURES(5, with_area, map_it, all_or_none_there, all_there, unmap_it);
}

TEST(one_frame)
{
	map_sweep(_metadata, 1);
}

TEST(many_frames)
{
	map_sweep(_metadata, MANY);
}

/* The second small area of a file takes an allocation. */
static char *first_area;

static bool with_second_area(struct state *s)
{
	if (!with_area(s))
		return false;
	first_area = map_one(s->fd, target_domid, GFN);
	return first_area;
}

static bool second_there(struct state *s)
{
	return mapped_frames(s->fd) == 1 + frames && !touch(s->p, true) && !touch(first_area, true);
}

static bool second_or_not(struct state *s)
{
	if (touch(first_area, true))
		return false;
	if (!touch(s->p, true))
		return mapped_frames(s->fd) == 1 + frames;
	return mapped_frames(s->fd) <= 1 + frames && !map_it(s) && second_there(s);
}

static void unmap_both(struct state *s)
{
	munmap(first_area, PAGE);
	unmap_it(s);
}

TEST(second_area)
{
	ASSERT_TRUE(faults_ready());
	frames = 1;
	EXPECT_FAILURES(5, with_second_area, map_it, second_or_not, second_there, unmap_both);
}

static long id = -1;

static bool with_server(struct state *s)
{
	if (!with_area(s))
		return false;
	ioreq_destroy_all(s->fd, target_domid);
	id = ioreq_create(s->fd, target_domid);
	return id >= 0;
}

static __u32 resource_type = RESOURCE_IOREQ_SERVER;

static long resource(struct state *s, __u32 nr)
{
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = resource_type, .id = resource_type == RESOURCE_IOREQ_SERVER ? id : 0,
		.num = nr, .addr = nr ? (unsigned long)s->p : 0,
	};

	return dmop_ioctl(s->fd, DMOP_IOCTL_MMAP_RESOURCE, &r);
}

static long size_it(struct state *s)
{
	return resource(s, 0);
}

static bool server_there(struct state *s)
{
	return is_bound(s) && ioreq_mask(s->fd, target_domid) == 1U << id && !mapped_frames(s->fd);
}

static void unmap_without_server(struct state *s)
{
	ioreq_destroy_all(s->fd, target_domid);
	unmap_it(s);
}

/* Argument and answer are single words, which fail in memory_test: nothing allocates. */
TEST(resource_size)
{
	ASSERT_TRUE(faults_ready());
	frames = 1;
	EXPECT_EQ(0, sweep_from(_metadata, 1, &(struct sweep){ with_server, size_it, server_there, server_there,
							       unmap_without_server }));
}

static long resource_it(struct state *s)
{
	return resource(s, frames);
}

static bool no_resource(struct state *s)
{
	return touch(s->p, false) == SIGBUS && server_there(s) &&
	       !resource_it(s) && all_there(s);
}

TEST(resource_frame)
{
	ASSERT_TRUE(faults_ready());
	frames = 2;
	/* Page tables; and in a PVH dom0 the empty pages. */
	EXPECT_FAILURES(2, with_server, resource_it, no_resource, all_there, unmap_without_server);
}

/* More than fit on the stack: those of the grant table. */
TEST(resource_frames)
{
	ASSERT_TRUE(faults_ready());
	frames = 6;
	resource_type = RESOURCE_GRANT_TABLE;
	/* And the list of them. */
	EXPECT_FAILURES(3, with_server, resource_it, no_resource, all_there, unmap_without_server);
}

/* --- the module itself ------------------------------------------------------- */

static char module_path[256];

static bool module_out(struct state *s)
{
	s->module = open(module_path, O_RDONLY | O_CLOEXEC);
	return s->module >= 0 &&
	       (!syscall(SYS_delete_module, "dmop_privcmd", O_NONBLOCK) || errno == ENOENT);
}

static long load_with(struct state *s, const char *params)
{
	return syscall(SYS_finit_module, s->module, params, 0) ? -errno : 0;
}

static long load_it(struct state *s)
{
	return load_with(s, "");
}

static bool not_loaded(struct state *s)
{
	(void)s;
	return access("/sys/module/dmop_privcmd", F_OK) && access("/sys/class/misc/xen!dmop", F_OK);
}

/* Making the node is devtmpfs's; where that fails, the kernel goes on without, for any driver. */
static bool node_lost(void)
{
	return access(DMOP_NODE, F_OK) && !access("/sys/class/misc/xen!dmop", F_OK);
}

static bool loaded(struct state *s)
{
	bool works;

	if (node_lost())
		return true;
	if (!unbound(s))
		return false;
	works = can_be_bound(s);
	close_it(s);
	return works;
}

static void close_module(struct state *s)
{
	close(s->module);
	if (not_loaded(s))
		run("modprobe dmop_privcmd");
}

/* Return: how many allocations and copies loading it takes, or 0. */
static unsigned int load_length(const char *params, long ret)
{
	struct state s;
	char text[16] = "";
	unsigned int left;

	if (!module_out(&s) || !arm(MOST) || load_with(&s, params) != ret)
		return 0;
	pread(fail_nth, text, sizeof(text) - 1, 0);
	disarm();
	close_module(&s);
	left = atoi(text);
	return left && left < MOST ? MOST - left : 0;
}

/*
 * Whether the module comes or does not, it comes whole or leaves nothing. What the kernel does
 * before it reads the parameters is its own, and a failure there makes it WARN: only what is
 * behind, which is how far one that it refuses does not come.
 */
TEST(module_load)
{
	const struct sweep w = { module_out, load_it, not_loaded, loaded, close_module };
	unsigned int before, length;
	FILE *f = popen("modinfo -n dmop_privcmd", "r");

	ASSERT_NE(NULL, f);
	ASSERT_EQ(1, fscanf(f, "%255s", module_path));
	pclose(f);
	ASSERT_TRUE(faults_ready());
	before = load_length("dm_op_max_nr_bufs=0", -EINVAL);
	length = load_length("", 0);
	ASSERT_LT(0, before);
	ASSERT_LT(before, length);
	TH_LOG("all but the first %u of %u", before, length);
	EXPECT_LE(10, sweep_from(_metadata, before, &w));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
