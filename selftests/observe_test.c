// SPDX-License-Identifier: GPL-2.0
/* observe_test.c - the module seen from outside: fdinfo, tracepoints, kernel log, audit records */
#include <elf.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "command.h"
#include "frames.h"
#include "kmsg.h"
#include "narrow.h"
#include "serve.h"

#define DOOMED		"dmop-test-observed"
#define TRACING		"/sys/kernel/tracing"

/* --- files of the kernel ----------------------------------------------- */

/* Return: the text of the file, or "" if it cannot be read. */
static const char *text_of(const char *path)
{
	static char text[8192];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	return text;
}

/* Return: 0 or minus the errno. */
static int put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* --- fdinfo ------------------------------------------------------------ */

/* Return: the value of a line of the descriptor's fdinfo, or "(none)". */
static const char *fdinfo_of(int fd, const char *name)
{
	static char value[64];
	const char *text, *at;
	char path[64], line[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	snprintf(line, sizeof(line), "\ndmop-%s:\t", name);
	text = text_of(path);
	at = strstr(text, line);
	if (!at)
		return "(none)";
	at += strlen(line);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n"), at);
	return value;
}

static long fdinfo_number(int fd, const char *name)
{
	const char *value = fdinfo_of(fd, name);
	char *end;
	long n = strtol(value, &end, 10);

	return *value && !*end ? n : -99;
}

#define EXPECT_LINE(name, ...) do {					\
	char line_[64];							\
									\
	snprintf(line_, sizeof(line_), __VA_ARGS__);			\
	EXPECT_STREQ(line_, fdinfo_of(fd, name));			\
} while (0)

static void expect_rights(struct __test_metadata *const _metadata, int fd,
			  const struct dmop_info *info)
{
	EXPECT_LINE("narrowed", "0x%llx", info->narrowed);
	EXPECT_LINE("acts", "0x%llx", info->acts);
	EXPECT_LINE("ops", "0x%llx 0x%llx", info->ops[0], info->ops[1]);
	EXPECT_LINE("resources", "0x%llx", info->resources);
	EXPECT_LINE("max-frames", "%llu", info->max_frames);
	EXPECT_LINE("gfns", "0x%llx 0x%llx", info->gfn_first, info->gfn_last);
	EXPECT_LINE("irqfds", "%llu", info->irqfds);
	EXPECT_LINE("events", "%llu", info->events);
	EXPECT_LINE("events-failed", "%llu", info->events_failed);
	EXPECT_LINE("servers", "%llu", info->servers);
	EXPECT_LINE("kicks", "%llu", info->kicks);
	EXPECT_LINE("kicked", "%llu", info->kicked);
	EXPECT_LINE("rest", "%llu", info->rest);
}

/* fdinfo has the same values as INFO. */
static void expect_agreement(struct __test_metadata *const _metadata, int fd)
{
	static const char *const states[] = { "unbound", "bound", "revoked" };
	struct dmop_info info;

	ASSERT_EQ(0, dmop_info(fd, &info));
	ASSERT_LE(info.state, 2);
	EXPECT_STREQ(states[info.state], fdinfo_of(fd, "state"));
	EXPECT_EQ((int)info.domid, fdinfo_number(fd, "domid"));
	EXPECT_EQ(info.calls, fdinfo_number(fd, "calls"));
	EXPECT_EQ(info.refused_policy, fdinfo_number(fd, "refused-policy"));
	EXPECT_EQ(info.refused_dead, fdinfo_number(fd, "refused-dead"));
	EXPECT_EQ(info.mapped_frames, fdinfo_number(fd, "mapped-frames"));
	EXPECT_EQ(info.max_nr_bufs, fdinfo_number(fd, "max-nr-bufs"));
	EXPECT_EQ(info.max_buf_size, fdinfo_number(fd, "max-buf-size"));
	EXPECT_EQ(info.max_map_frames, fdinfo_number(fd, "max-map-frames"));
	expect_rights(_metadata, fd, &info);
}

/* --- the end of a domain ----------------------------------------------- */

/* The timeout of the harness limits the wait. */
static bool wait_revoked(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, -1) == 1 && p.revents & POLLHUP;
}

/* --- the content of fdinfo --------------------------------------------- */

TEST(fdinfo_of_an_unbound_file)
{
	int fd = dmop_open();

	ASSERT_LE(0, fd);
	expect_agreement(_metadata, fd);
	EXPECT_STREQ("unbound", fdinfo_of(fd, "state"));
	EXPECT_EQ(-1, fdinfo_number(fd, "domid"));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, target_domid));
	EXPECT_EQ(1, fdinfo_number(fd, "calls"));
	expect_agreement(_metadata, fd);
	close(fd);
}

TEST(fdinfo_of_a_bound_file)
{
	int fd = dmop_open_bound(target_domid);

	ASSERT_LE(0, fd);
	expect_agreement(_metadata, fd);
	EXPECT_STREQ("bound", fdinfo_of(fd, "state"));
	EXPECT_EQ(target_domid, fdinfo_number(fd, "domid"));
	close(fd);
}

TEST(fdinfo_of_a_narrowed_file)
{
	int fd = dmop_open_bound(target_domid);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, narrow_ops(fd, 0x123456789abcdef0, 0xf));
	ASSERT_EQ(0, narrow_acts(fd, DMOP_RIGHT_CALL | DMOP_RIGHT_MAP_RESOURCE));
	ASSERT_EQ(0, narrow_frames(fd, 12));
	ASSERT_EQ(0, narrow_gfns(fd, 16, 32));
	expect_agreement(_metadata, fd);
	EXPECT_STREQ("0x1b", fdinfo_of(fd, "narrowed"));
	EXPECT_STREQ("0x5", fdinfo_of(fd, "acts"));
	EXPECT_STREQ("0x123456789abcdef0 0xf", fdinfo_of(fd, "ops"));
	EXPECT_STREQ("0xffffffffffffffff", fdinfo_of(fd, "resources"));
	EXPECT_STREQ("12", fdinfo_of(fd, "max-frames"));
	EXPECT_STREQ("0x10 0x20", fdinfo_of(fd, "gfns"));
	close(fd);
}

/* Each event increases one counter only. */
TEST(fdinfo_counters)
{
	int fd = dmop_open_bound(target_domid);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, target_domid));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, target_domid));
	EXPECT_EQ(-EPERM, unknown_op(fd, other_domid));
	EXPECT_EQ(-EINVAL, dmop_restrict(fd, other_domid));
	EXPECT_EQ(-EPERM, unknown_op(fd, 0));
	EXPECT_EQ(2, fdinfo_number(fd, "calls"));
	EXPECT_EQ(3, fdinfo_number(fd, "refused-policy"));
	EXPECT_EQ(0, fdinfo_number(fd, "refused-dead"));
	EXPECT_EQ(0, fdinfo_number(fd, "mapped-frames"));
	ASSERT_NE(NULL, map_one(fd, target_domid, GFN));
	EXPECT_EQ(1, fdinfo_number(fd, "mapped-frames"));
	expect_agreement(_metadata, fd);
	close(fd);
}

/* A request that matches a kick, then one that does not. The end of SERVE waits for either. */
TEST(fdinfo_of_a_served_server)
{
	int fd = dmop_open_bound(target_domid), event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	volatile struct request *page = NULL;
	struct dmop_kick k;
	long server;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, event);
	ioreq_destroy_all(fd, target_domid);
	server = server_create(fd, target_domid, &page);
	ASSERT_LE(0, server);
	k = kick_of(target_domid, server, event, PORT);
	ASSERT_EQ(0, kick(fd, &k));
	EXPECT_EQ(1, fdinfo_number(fd, "kicks"));
	put_request(page, port_write(PORT, 0));
	ASSERT_EQ(0, serve(fd, target_domid, server, 1, event, 0));
	EXPECT_EQ(1, fdinfo_number(fd, "servers"));
	EXPECT_TRUE(was_signalled(event));
	ASSERT_EQ(0, serve_end(fd, target_domid, server));
	EXPECT_EQ(0, fdinfo_number(fd, "servers"));
	EXPECT_EQ(1, fdinfo_number(fd, "kicked"));
	EXPECT_EQ(0, fdinfo_number(fd, "rest"));
	ASSERT_EQ(0, kick_deassign(fd, k));
	EXPECT_EQ(0, fdinfo_number(fd, "kicks"));
	put_request(page, port_write(PORT, 0));
	ASSERT_EQ(0, serve(fd, target_domid, server, 1, event, 0));
	EXPECT_TRUE(was_signalled(event));
	EXPECT_EQ(1, fdinfo_number(fd, "kicked"));
	EXPECT_EQ(1, fdinfo_number(fd, "rest"));
	expect_agreement(_metadata, fd);
	ioreq_destroy_all(fd, target_domid);
	close(fd);
	close(event);
}

TEST(fdinfo_of_a_revoked_file)
{
	long domid = create(DOOMED);
	int fd;

	ASSERT_LT(0, domid);
	fd = dmop_open_bound(domid);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(destroy(DOOMED));
	ASSERT_TRUE(wait_revoked(fd));
	EXPECT_EQ(-ESRCH, unknown_op(fd, domid));
	EXPECT_EQ(-ESRCH, unknown_op(fd, other_domid));
	EXPECT_STREQ("revoked", fdinfo_of(fd, "state"));
	EXPECT_EQ(domid, fdinfo_number(fd, "domid"));
	EXPECT_EQ(2, fdinfo_number(fd, "refused-dead"));
	EXPECT_EQ(0, fdinfo_number(fd, "refused-policy"));
	expect_agreement(_metadata, fd);
	close(fd);
}

TEST(fdinfo_limits)
{
	int fd = dmop_open();
	long before = param_get("dm_op_max_nr_bufs");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, param_set("dm_op_max_nr_bufs", before + 1));
	EXPECT_EQ(before + 1, fdinfo_number(fd, "max-nr-bufs"));
	EXPECT_EQ(0, param_set("dm_op_max_nr_bufs", before));
	EXPECT_EQ(before, fdinfo_number(fd, "max-nr-bufs"));
	close(fd);
}

/* --- the kernel's memory ----------------------------------------------- */

/* Reads a page of the kernel's memory at @addr from /proc/kcore. */
static bool read_kcore(unsigned long addr, void *page)
{
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	bool done = false;
	Elf64_Ehdr head;
	Elf64_Phdr part;
	unsigned int i;

	if (fd < 0 || read(fd, &head, sizeof(head)) != sizeof(head))
		return false;
	for (i = 0; i < head.e_phnum && !done; i++) {
		if (pread(fd, &part, sizeof(part), head.e_phoff + i * sizeof(part)) != sizeof(part))
			break;
		done = part.p_type == PT_LOAD && addr >= part.p_vaddr &&
		       addr - part.p_vaddr < part.p_memsz &&
		       pread(fd, page, PAGE, part.p_offset + addr - part.p_vaddr) == PAGE;
	}
	close(fd);
	return done;
}

/*
 * On a PV dom0, the PTE of a page that the module maps for itself is none that the kernel could make
 * sense of. Readers of the vmalloc area have to take the page for a hole.
 */
TEST(kcore_has_a_hole_for_a_frame)
{
	int fd = dmop_open_bound(target_domid), event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	static char page[PAGE], hole[PAGE];
	bool pv = run("grep -qx PV /sys/hypervisor/guest_type");
	volatile struct request *requests = NULL;
	unsigned int frames = 0;
	unsigned long addr;
	char line[256];
	FILE *areas;
	long server;

	ASSERT_LE(0, fd);
	ioreq_destroy_all(fd, target_domid);
	server = server_create(fd, target_domid, &requests);
	ASSERT_LE(0, server);
	/* The content is not that of a hole. */
	requests->data = -1;
	ASSERT_EQ(0, serve(fd, target_domid, server, 1, event, 0));

	/* With 1, root reads the addresses; with 0, all read hashes of them. */
	ASSERT_TRUE(run("cp /proc/sys/kernel/kptr_restrict /tmp/was && echo 1 >/proc/sys/kernel/kptr_restrict"));
	areas = fopen("/proc/vmallocinfo", "re");
	ASSERT_NE(NULL, areas);
	while (fgets(line, sizeof(line), areas)) {
		if (!strstr(line, "[dmop_privcmd]") || !strstr(line, "ioremap") ||
		    sscanf(line, "0x%lx-", &addr) != 1)
			continue;
		frames++;
		memset(page, POISON, PAGE);
		EXPECT_TRUE(read_kcore(addr, page));
		EXPECT_EQ(0, memcmp(page, hole, PAGE)) {
			TH_LOG("%s", line);
		}
	}
	fclose(areas);
	run("cat /tmp/was >/proc/sys/kernel/kptr_restrict");
	/* The pin, and the page of requests. */
	if (pv) {
		EXPECT_LE(2, frames);
	} else {
		EXPECT_EQ(0, frames);
	}
	ioreq_destroy_all(fd, target_domid);
	close(fd);
	close(event);
}

/* --- tracepoints ------------------------------------------------------- */

/* A tracing instance of its own, with the events of this test only. */
FIXTURE(trace)
{
	char dir[64];
	int pipe;
	char seen[16384];
	size_t length;
	int fd;			/* bound to the target */
};

FIXTURE_SETUP(trace)
{
	char path[128];

	if (access(TRACING "/instances", F_OK))
		ASSERT_EQ(0, mount("tracefs", TRACING, "tracefs", 0, NULL));
	/*
	 * Recording the names of processes patches a probe into the scheduler. In an emulator this
	 * has hung.
	 */
	ASSERT_EQ(0, put_text(TRACING "/options/record-cmd", "0"));
	snprintf(self->dir, sizeof(self->dir), TRACING "/instances/dmop_test.%d", getpid());
	ASSERT_EQ(0, mkdir(self->dir, 0700));
	snprintf(path, sizeof(path), "%s/events/dmop/enable", self->dir);
	ASSERT_EQ(0, put_text(path, "1"));
	snprintf(path, sizeof(path), "%s/trace_pipe", self->dir);
	self->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->pipe);
	self->fd = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(trace)
{
	char path[128];

	close(self->fd);
	close(self->pipe);
	snprintf(path, sizeof(path), "%s/events/dmop/enable", self->dir);
	EXPECT_EQ(0, put_text(path, "0"));
	EXPECT_EQ(0, rmdir(self->dir));
}

static void take_events(FIXTURE_DATA(trace) *self)
{
	ssize_t n;

	while (self->length < sizeof(self->seen) - 1 &&
	       (n = read(self->pipe, self->seen + self->length,
			 sizeof(self->seen) - 1 - self->length)) > 0)
		self->length += n;
	self->seen[self->length] = 0;
}

/*
 * Return: true if a traced line ends in @event. If @ours, the line also has to name the pid of this
 * process, printed by the kernel at its start.
 */
static bool saw(FIXTURE_DATA(trace) *self, bool ours, const char *event)
{
	char pid[32], *line, *end, *found;
	bool is = false;

	take_events(self);
	snprintf(pid, sizeof(pid), "-%d ", getpid());
	for (line = self->seen; !is && (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		found = strstr(line, event);
		is = found && !found[strlen(event)] && (!ours || strstr(line, pid));
		*end = '\n';
	}
	return is;
}

/* Return: true if a traced line contains @part. */
static bool saw_part(FIXTURE_DATA(trace) *self, const char *part)
{
	take_events(self);
	return strstr(self->seen, part);
}

#define EXPECT_EVENT(...) do {						\
	char event_[256];						\
									\
	snprintf(event_, sizeof(event_), ": " __VA_ARGS__);		\
	EXPECT_TRUE(saw(self, true, event_)) {				\
		TH_LOG("no '%s' in:\n%s", event_, self->seen);		\
	}								\
} while (0)

TEST_F(trace, restrict)
{
	int fd = dmop_open();

	ASSERT_LE(0, fd);
	EXPECT_EVENT("dmop_restrict: domid=%u ret=0", target_domid);
	EXPECT_EQ(-ESRCH, dmop_restrict(fd, ABSENT_DOMID));
	EXPECT_EVENT("dmop_restrict: domid=%u ret=%d", ABSENT_DOMID, -ESRCH);
	close(fd);
}

TEST_F(trace, op)
{
	char more[24] = "";
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	long id;

	EXPECT_EQ(-EOPNOTSUPP, dm_op(self->fd, target_domid, &op));
	EXPECT_EVENT("dmop_op: domid=%u op=%u bufs=1 sizes=%zu,0 ret=%d", target_domid,
		     DM_OP_UNKNOWN, sizeof(op), -EOPNOTSUPP);
	EXPECT_EQ(-EOPNOTSUPP, dm_op2(self->fd, target_domid, &op, more, sizeof(more)));
	EXPECT_EVENT("dmop_op: domid=%u op=%u bufs=2 sizes=%zu,%zu ret=%d", target_domid,
		     DM_OP_UNKNOWN, sizeof(op), sizeof(more), -EOPNOTSUPP);
	/* An operation too short to have a number. */
	EXPECT_GT(0, dmop_call(self->fd, target_domid, &(struct dmop_buf){ &op, 2 }, 1));
	EXPECT_EVENT("dmop_op: domid=%u op=%u bufs=1 sizes=2,0 ret=%d", target_domid, -1U, -EFAULT);
	/* An operation that succeeds. */
	id = ioreq_create(self->fd, target_domid);
	EXPECT_LE(0, id);
	EXPECT_EVENT("dmop_op: domid=%u op=%u bufs=1 sizes=%zu,0 ret=0", target_domid,
		     DM_OP_CREATE_IOREQ_SERVER, sizeof(op));
	EXPECT_EQ(0, ioreq_destroy(self->fd, target_domid, id));
}

/* Each operation of a batch has its own event. */
TEST_F(trace, batch)
{
	struct {
		struct dmop_batch head;
		struct dmop_batch_op ops[3];
		struct dm_op one, two;
		char more[24];
	} b = {
		.head = {
			.size = sizeof(b.head), .domid = target_domid, .nr = ARRAY_SIZE(b.ops),
			.bytes = sizeof(b) - sizeof(b.head),
		},
		/* The last operation is empty, and so has no number. */
		.ops = {
			{ .size = { sizeof(b.one) } },
			{ .size = { sizeof(b.two), sizeof(b.more) } },
			{ .size = { 0 } },
		},
		.one = ioreq_create_op(),
		.two.op = DM_OP_UNKNOWN,
	};

	EXPECT_EQ(ARRAY_SIZE(b.ops), do_ioctl(self->fd, DMOP_IOCTL_BATCH, &b));
	EXPECT_EVENT("dmop_op: domid=%u op=%u bufs=1 sizes=%zu,0 ret=0", target_domid,
		     DM_OP_CREATE_IOREQ_SERVER, sizeof(b.one));
	EXPECT_EVENT("dmop_op: domid=%u op=%u bufs=2 sizes=%zu,%zu ret=%d", target_domid,
		     DM_OP_UNKNOWN, sizeof(b.two), sizeof(b.more), -EOPNOTSUPP);
	EXPECT_EVENT("dmop_op: domid=%u op=%u bufs=1 sizes=0,0 ret=%d", target_domid, -1U,
		     b.ops[2].result);
	EXPECT_EQ(0, ioreq_destroy(self->fd, target_domid, b.one.u.create.id));
}

TEST_F(trace, refuse)
{
	struct dmop_mmap_resource resource = { .dom = other_domid };
	struct dmop_mmapbatch_v2 batch = { .num = 1, .dom = other_domid };
	struct dmop_kick k = kick_of(0, 0, -1, PORT);
	int unbound = dmop_open();

	ASSERT_LE(0, unbound);
	EXPECT_EQ(-EPERM, unknown_op(self->fd, other_domid));
	EXPECT_EVENT("dmop_refuse: act=call op=%u domid=%u bound=%u cause=%d", DMOP_HYPERCALL_NR,
		     other_domid, target_domid, -EPERM);
	/* The event has all 64 bits of the caller's domid. */
	EXPECT_EQ(-EPERM, dmop_hypercall(self->fd, 35, 1ULL << 40 | target_domid, 1, NULL));
	EXPECT_EVENT("dmop_refuse: act=call op=35 domid=%llu bound=%u cause=%d",
		     1ULL << 40 | target_domid, target_domid, -EPERM);
	EXPECT_EQ(-EINVAL, dmop_restrict(self->fd, other_domid));
	EXPECT_EVENT("dmop_refuse: act=restrict op=0 domid=%u bound=%u cause=%d", other_domid,
		     target_domid, -EINVAL);
	EXPECT_EQ(-EPERM, do_ioctl(self->fd, DMOP_IOCTL_MMAPBATCH_V2, &batch));
	EXPECT_EQ(-EPERM, do_ioctl(self->fd, DMOP_IOCTL_MMAP_RESOURCE, &resource));
	EXPECT_EVENT("dmop_refuse: act=map op=0 domid=%u bound=%u cause=%d", other_domid,
		     target_domid, -EPERM);
	EXPECT_EQ(-EPERM, serve(self->fd, other_domid, 0, 1, -1, 0));
	EXPECT_EVENT("dmop_refuse: act=event op=0 domid=%u bound=%u cause=%d", other_domid,
		     target_domid, -EPERM);
	/* All 32 bits of it. */
	k.domid = 1U << 31 | target_domid;
	EXPECT_EQ(-EPERM, kick(self->fd, &k));
	EXPECT_EVENT("dmop_refuse: act=event op=0 domid=%u bound=%u cause=%d", k.domid, target_domid,
		     -EPERM);
	/* It names no domain. */
	EXPECT_EQ(-EPERM, answer_vcpus(unbound, 1, 0));
	EXPECT_EVENT("dmop_refuse: act=answer op=0 domid=0 bound=-1 cause=%d", -EPERM);
	close(unbound);
	/* A refused call causes no event of an operation or mapping. */
	take_events(self);
	EXPECT_EQ(NULL, strstr(self->seen, ": dmop_op: "));
	EXPECT_EQ(NULL, strstr(self->seen, ": dmop_map: "));
}

/* What NARROW has removed: the event names the operation or the type. */
TEST_F(trace, narrow)
{
	struct dmop_mmap_resource resource = { .dom = target_domid, .type = RESOURCE_GRANT_TABLE };
	struct dm_op op = { .op = DM_OP_CREATE_IOREQ_SERVER };
	struct dmop_narrow bad = narrow_of(1U << 20);

	EXPECT_EQ(-EINVAL, narrow(self->fd, &bad));
	EXPECT_EVENT("dmop_narrow: domid=%u members=%#x ret=%d", target_domid, bad.flags, -EINVAL);
	ASSERT_EQ(0, narrow_ops(self->fd, 0, 0));
	EXPECT_EVENT("dmop_narrow: domid=%u members=%#x ret=0", target_domid, DMOP_NARROW_OPS);
	EXPECT_EQ(-EPERM, dm_op(self->fd, target_domid, &op));
	EXPECT_EVENT("dmop_refuse: act=operation op=%u domid=%u bound=%u cause=%d why=narrowed", op.op,
		     target_domid, target_domid, -EPERM);
	ASSERT_EQ(0, narrow_resources(self->fd, 0));
	EXPECT_EQ(-EPERM, do_ioctl(self->fd, DMOP_IOCTL_MMAP_RESOURCE, &resource));
	EXPECT_EVENT("dmop_refuse: act=resource op=%u domid=%u bound=%u cause=%d why=narrowed",
		     resource.type, target_domid, target_domid, -EPERM);
	EXPECT_EVENT("dmop_map: domid=%u resource addr=0x0 frames=0 mapped=0 ret=%d type=%u",
		     target_domid, -EPERM, resource.type);
	ASSERT_EQ(0, narrow_frames(self->fd, 0));
	EXPECT_EQ(NULL, map_one(self->fd, target_domid, GFN));
	EXPECT_EVENT("dmop_refuse: act=map op=0 domid=%u bound=%u cause=%d why=narrowed",
		     target_domid, target_domid, -EPERM);
	ASSERT_EQ(0, narrow_acts(self->fd, 0));
	EXPECT_EQ(-EPERM, dm_op(self->fd, target_domid, &op));
	EXPECT_EVENT("dmop_refuse: act=call op=%u domid=%u bound=%u cause=%d why=narrowed",
		     DMOP_HYPERCALL_NR, target_domid, target_domid, -EPERM);
	EXPECT_EQ(MAP_FAILED, area(self->fd, 1, PROT_READ));
	EXPECT_EVENT("dmop_refuse: act=mmap op=0 domid=0 bound=%u cause=%d why=narrowed",
		     target_domid, -EPERM);
	EXPECT_EQ(-EPERM, serve(self->fd, target_domid, 0, 1, -1, 0));
	EXPECT_EVENT("dmop_refuse: act=event op=0 domid=%u bound=%u cause=%d why=narrowed",
		     target_domid, target_domid, -EPERM);
	EXPECT_EQ(-EPERM, answer_vcpus(self->fd, 1, 0));
	EXPECT_TRUE(saw_part(self, ": dmop_refuse: act=answer op=0 domid="));
	EXPECT_EQ(NULL, strstr(self->seen, ": dmop_op: "));
}

TEST_F(trace, refuse_without_privilege)
{
	char call[96], area[96];
	int fd = dmop_open(), status;
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(!drop_privileges() || unknown_op(fd, target_domid) != -EPERM ||
		      mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	snprintf(call, sizeof(call), ": dmop_refuse: act=call op=%u domid=%u bound=-1 cause=%d",
		 DMOP_HYPERCALL_NR, target_domid, -EPERM);
	snprintf(area, sizeof(area), ": dmop_refuse: act=mmap op=0 domid=0 bound=-1 cause=%d",
		 -EPERM);
	EXPECT_TRUE(saw(self, false, call));
	EXPECT_TRUE(saw(self, false, area));
	close(fd);
}

TEST_F(trace, map)
{
	struct dmop_mmap_resource resource = { .dom = target_domid, .type = 0xffff };
	char *p = map_one(self->fd, target_domid, GFN);
	long ret;

	ASSERT_NE(NULL, p);
	EXPECT_EVENT("dmop_map: domid=%u foreign addr=%#lx frames=1 mapped=1 ret=0 type=-1", target_domid,
		     (unsigned long)p);
	ret = do_ioctl(self->fd, DMOP_IOCTL_MMAP_RESOURCE, &resource);
	EXPECT_EVENT("dmop_map: domid=%u resource addr=0x0 frames=0 mapped=1 ret=%ld type=%u", target_domid,
		     ret, resource.type);
}

TEST_F(trace, revoke)
{
	long domid = create(DOOMED);
	char event[64];
	int a, b;

	ASSERT_LT(0, domid);
	a = dmop_open_bound(domid);
	b = dmop_open_bound(domid);
	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	ASSERT_TRUE(destroy(DOOMED));
	ASSERT_TRUE(wait_revoked(a));
	/* A kernel thread emits the event at the end of the revocation. */
	snprintf(event, sizeof(event), ": dmop_revoke: domid=%ld files=2", domid);
	while (!saw(self, false, event))
		usleep(10000);
	EXPECT_EQ(-ESRCH, unknown_op(a, domid));
	EXPECT_EVENT("dmop_refuse: act=call op=%u domid=%ld bound=-1 cause=%d", DMOP_HYPERCALL_NR,
		     domid, -ESRCH);
	close(a);
	close(b);
}

TEST_F(trace, nothing_when_off)
{
	char path[128];

	take_events(self);
	snprintf(path, sizeof(path), "%s/events/dmop/enable", self->dir);
	ASSERT_EQ(0, put_text(path, "0"));
	self->length = 0;
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->fd, target_domid));
	EXPECT_EQ(-EPERM, unknown_op(self->fd, other_domid));
	take_events(self);
	EXPECT_STREQ("", self->seen);
}

/* --- the kernel's log -------------------------------------------------- */

/*
 * Causes refusals until one is logged. Earlier lines may have used up the rate limit, which allows
 * lines again after 5 seconds.
 */
static unsigned int logged_refusal(int log, int fd, const char *what, char *last, size_t size)
{
	unsigned int n = 0;
	int tries;

	for (tries = 0; !n && tries < 1000; tries++) {
		if (tries)
			usleep(100000);
		unknown_op(fd, other_domid);
		n = kmsg_count(log, what, last, size);
	}
	return n;
}

TEST(log_names_who_and_what)
{
	int fd = dmop_open_bound(target_domid), log = kmsg_open();
	char wanted[128], last[1024];

	ASSERT_LE(0, fd);
	ASSERT_LE(0, log);
	snprintf(wanted, sizeof(wanted), "[%d] refused: call op %u on domain %u, descriptor bound %u (error %d)",
		 getpid(), DMOP_HYPERCALL_NR, other_domid, target_domid, -EPERM);
	EXPECT_LT(0, logged_refusal(log, fd, wanted, last, sizeof(last)));
	close(log);
	close(fd);
}

TEST(log_names_a_narrowed_operation)
{
	int fd = dmop_open_bound(target_domid), log = kmsg_open();
	char wanted[128], last[1024];
	unsigned int n = 0;
	int tries;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, log);
	ASSERT_EQ(0, narrow_ops(fd, 0, 0));
	snprintf(wanted, sizeof(wanted), "[%d] refused: operation op %u on domain %u, descriptor bound %u (narrowed)",
		 getpid(), DM_OP_UNKNOWN, target_domid, target_domid);
	/* As logged_refusal() */
	for (tries = 0; !n && tries < 1000; tries++) {
		if (tries)
			usleep(100000);
		EXPECT_EQ(-EPERM, unknown_op(fd, target_domid));
		n = kmsg_count(log, wanted, last, sizeof(last));
	}
	EXPECT_LT(0, n);
	close(log);
	close(fd);
}

/* --- the log: SERVE, KICK and ANSWER ------------------------------------ */

static long refused_serve(int fd)
{
	return serve(fd, other_domid, 0, 1, -1, 0);
}

static long refused_kick(int fd)
{
	struct dmop_kick k = kick_of(other_domid, 0, -1, PORT);

	return kick(fd, &k);
}

static long refused_answer(int fd)
{
	return answer_vcpus(fd, 1, 0);
}

/* As logged_refusal(). Return: true if a line has both parts. */
static bool logs(long (*call)(int fd), int fd, const char *what, const char *why)
{
	int log = kmsg_open(), tries;
	char wanted[128], last[1024];
	bool found = false;

	snprintf(wanted, sizeof(wanted), "[%d] refused: %s", getpid(), what);
	for (tries = 0; !found && tries < 1000; tries++) {
		if (tries)
			usleep(100000);
		if (call(fd) != -EPERM)
			break;
		found = kmsg_count(log, wanted, last, sizeof(last)) && strstr(last, why);
	}
	close(log);
	return found;
}

TEST(log_names_an_event)
{
	int fd = dmop_open_bound(target_domid);
	char what[64], why[64];

	ASSERT_LE(0, fd);
	snprintf(what, sizeof(what), "event op 0 on domain %u, ", other_domid);
	snprintf(why, sizeof(why), ", descriptor bound %u (error %d)", target_domid, -EPERM);
	EXPECT_TRUE(logs(refused_serve, fd, what, why));
	EXPECT_TRUE(logs(refused_kick, fd, what, why));
	close(fd);
}

/* It names no domain. */
TEST(log_names_an_answer)
{
	int fd = dmop_open_bound(target_domid), unbound = dmop_open();
	char why[64];

	ASSERT_LE(0, fd);
	ASSERT_LE(0, unbound);
	snprintf(why, sizeof(why), ", descriptor unbound -1 (error %d)", -EPERM);
	EXPECT_TRUE(logs(refused_answer, unbound, "answer op 0 on domain ", why));
	ASSERT_EQ(0, narrow_acts(fd, ~DMOP_RIGHT_EVENT));
	snprintf(why, sizeof(why), ", descriptor bound %u (narrowed)", target_domid);
	EXPECT_TRUE(logs(refused_answer, fd, "answer op 0 on domain ", why));
	close(unbound);
	close(fd);
}

/* --- the log: its limits ------------------------------------------------- */

/* An attacker can choose the name of a process. It must not start a new line in the log. */
TEST(log_line_cannot_be_forged)
{
	int fd = dmop_open_bound(target_domid), log = kmsg_open();
	char last[1024];

	ASSERT_LE(0, fd);
	ASSERT_LE(0, log);
	ASSERT_EQ(0, prctl(PR_SET_NAME, "a\nforged \033[2J"));
	ASSERT_LT(0, logged_refusal(log, fd, "refused: call", last, sizeof(last)));
	/* /dev/kmsg shows a backslash as \x5c. */
	EXPECT_NE(NULL, strstr(last, "a\\x5cnforged \\x5ce[2J[")) {
		TH_LOG("%s", last);
	}
	close(log);
	close(fd);
}

/* At most ten lines in five seconds, for any number of refusals. */
TEST(log_is_limited)
{
	int fd = dmop_open_bound(target_domid), log = kmsg_open();
	struct timespec before, after;
	unsigned int n, i;
	char last[1024];

	ASSERT_LE(0, fd);
	ASSERT_LE(0, log);
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (i = 0; i < 5000; i++)
		EXPECT_EQ(-EPERM, unknown_op(fd, other_domid));
	clock_gettime(CLOCK_MONOTONIC, &after);
	n = kmsg_count(log, "refused: call", last, sizeof(last));
	EXPECT_LE(n, 10 * ((after.tv_sec - before.tv_sec) / 5 + 2)) {
		TH_LOG("%u lines in %ld s", n, after.tv_sec - before.tv_sec);
	}
	EXPECT_EQ(5000, fdinfo_number(fd, "refused-policy"));
	close(log);
	close(fd);
}

/*
 * Each domain has a limit of its own: a noisy device model suppresses no line about another
 * domain. The kernel's line about suppressed lines names the module.
 */
TEST(log_limit_of_each_domain)
{
	int noisy = dmop_open_bound(target_domid), fd = dmop_open_bound(other_domid);
	int log = kmsg_open();
	char wanted[128], last[1024];
	unsigned int i;

	ASSERT_LE(0, noisy);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, log);
	for (i = 0; i < 5000; i++)
		EXPECT_EQ(-EPERM, unknown_op(noisy, other_domid));
	EXPECT_EQ(-EPERM, unknown_op(fd, target_domid));
	snprintf(wanted, sizeof(wanted), "refused: call op %u on domain %u, descriptor bound %u",
		 DMOP_HYPERCALL_NR, target_domid, other_domid);
	EXPECT_EQ(1, kmsg_count(log, wanted, last, sizeof(last)));

	/* After 5 seconds lines are allowed again, and the kernel reports the suppressed ones. */
	EXPECT_LT(0, logged_refusal(log, noisy, "dmop_privcmd: refusals: ", last, sizeof(last)));
	EXPECT_NE(NULL, strstr(last, "suppressed")) {
		TH_LOG("%s", last);
	}
	close(log);
	close(fd);
	close(noisy);
}

/* --- audit --------------------------------------------------------------- */

/* Return: a socket that receives all new records, with or without an audit daemon. */
static int audit_open(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1 << (AUDIT_NLGRP_READLOG - 1),
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	if (fd >= 0 && bind(fd, (void *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Return: true if a record of this type contains @what. It starts with its time and number. */
static bool audited(int fd, __u16 type, const char *what)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	union {
		struct nlmsghdr head;
		char bytes[8192];
	} u;
	ssize_t length;

	/* A kernel thread sends the records, so they may come late. */
	while (poll(&p, 1, 100) == 1) {
		length = recv(fd, &u, sizeof(u) - 1, MSG_DONTWAIT);
		if (length < (ssize_t)sizeof(u.head) || u.head.nlmsg_type != type)
			continue;
		u.bytes[length] = 0;
		if (strstr(NLMSG_DATA(&u.head), what))
			return true;
	}
	return false;
}

TEST(audit_names_who_and_what)
{
	int fd = dmop_open_bound(target_domid), audit = audit_open();
	bool seen = false;
	char wanted[128];
	int tries;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, audit);
	snprintf(wanted, sizeof(wanted), "op=dmop-call hypercall=%u domid=%u bound=%u pid=%d res=0",
		 DMOP_HYPERCALL_NR, other_domid, target_domid, getpid());
	for (tries = 0; !seen && tries < 1000; tries++) {
		EXPECT_EQ(-EPERM, unknown_op(fd, other_domid));
		seen = audited(audit, AUDIT_KERNEL_OTHER, wanted);
	}
	EXPECT_TRUE(seen);
	close(audit);
	close(fd);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
