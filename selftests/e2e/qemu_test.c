// SPDX-License-Identifier: GPL-2.0
/*
 * qemu_test.c - a running device model, looked at from outside
 *
 * DMOP_PID is a QEMU that dmop-qemu has started for the domain DMOP_TARGET;
 * DMOP_OTHER is another domain. What it is and holds is read from /proc, and its
 * descriptors are taken out of it and tried, which is all that somebody could do who
 * has taken it over.
 */
#include "../dmop_test.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
/* The header expects it of whoever includes it. */
#define domid_t __u16
#include <xen/evtchn.h>

#define STOCK_NODE	"/dev/xen/privcmd"
#define EVTCHN_NODE	"/dev/xen/evtchn"
#define MAX_FDS		64
#define OP_INJECT_EVENT	13	/* XEN_DMOP_inject_event, which QEMU does not use */
#define OP_MEMORY	12	/* __HYPERVISOR_memory_op */
#define OP_DOMCTL	36	/* __HYPERVISOR_domctl */

static pid_t qemu_pid(void)
{
	const char *text = getenv("DMOP_PID");

	return text ? atoi(text) : 0;
}

/* --- /proc ------------------------------------------------------------- */

/* Return: what follows NAME in a process's status, or NULL. */
static const char *status_of(pid_t pid, const char *name)
{
	static char line[256];
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	if (!f)
		return NULL;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, strlen(name))) {
			fclose(f);
			return line + strlen(name);
		}
	}
	fclose(f);
	return NULL;
}

/* Is it one user in all four ways? Return: that user, or -1. */
static long uid_of(pid_t pid)
{
	const char *text = status_of(pid, "Uid:");
	int real, effective, saved, fs;

	if (!text || sscanf(text, "%d %d %d %d", &real, &effective, &saved, &fs) != 4 ||
	    real != effective || real != saved || real != fs)
		return -1;
	return real;
}

static unsigned int processes_of(long uid)
{
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir = opendir("/proc");

	while (dir && (entry = readdir(dir)))
		if (atoi(entry->d_name) > 0 && uid_of(atoi(entry->d_name)) == uid)
			n++;
	if (dir)
		closedir(dir);
	return n;
}

/* --- its descriptors --------------------------------------------------- */

struct taken {
	int fds[MAX_FDS];
	unsigned int nr;
};

static int take_fd(int pidfd, int number)
{
	return syscall(SYS_pidfd_getfd, pidfd, number, 0);
}

/* The same file, or the same driver under another name. */
static bool is_node(const struct stat *st, const char *path)
{
	struct stat node;

	if (stat(path, &node))
		return false;
	return (st->st_dev == node.st_dev && st->st_ino == node.st_ino) ||
	       (S_ISCHR(st->st_mode) && S_ISCHR(node.st_mode) && st->st_rdev == node.st_rdev);
}

/*
 * Takes all descriptors of one node, or of any at all (PATH is NULL), out of a
 * process. Return: false if they could not be had.
 */
static bool take(pid_t pid, const char *path, struct taken *taken)
{
	char name[64];
	struct dirent *entry;
	struct stat st;
	int pidfd = syscall(SYS_pidfd_open, pid, 0), fd;
	DIR *dir;

	taken->nr = 0;
	snprintf(name, sizeof(name), "/proc/%d/fd", pid);
	dir = opendir(name);
	while (dir && pidfd >= 0 && taken->nr < MAX_FDS && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		fd = take_fd(pidfd, atoi(entry->d_name));
		if (fd >= 0 && !fstat(fd, &st) && (!path || is_node(&st, path)))
			taken->fds[taken->nr++] = fd;
		else
			close(fd);
	}
	close(pidfd);
	return dir && !closedir(dir) && pidfd >= 0;
}

/* --- what it is -------------------------------------------------------- */

TEST(has_no_capability)
{
	static const char *const sets[] = { "CapInh:", "CapPrm:", "CapEff:", "CapAmb:" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		const char *text = status_of(qemu_pid(), sets[i]);

		ASSERT_NE(NULL, text);
		EXPECT_EQ(0, strtoull(text, NULL, 16)) TH_LOG("%s %s", sets[i], text);
	}
}

TEST(has_a_uid_of_its_own)
{
	long uid = uid_of(qemu_pid());

	ASSERT_GT(uid, 0);
	EXPECT_EQ(1, processes_of(uid));
}

TEST(has_an_empty_root)
{
	char path[64];
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/root", qemu_pid());
	dir = opendir(path);
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir)))
		n++;
	closedir(dir);
	/* "." and ".." */
	EXPECT_EQ(2, n);
}

/* --- what it holds ----------------------------------------------------- */

TEST(holds_nothing_of_the_stock_node)
{
	struct taken taken;

	ASSERT_TRUE(take(qemu_pid(), STOCK_NODE, &taken));
	EXPECT_EQ(0, taken.nr);
}

/* Each node of Xen's is looked for, also those that nobody has thought of. */
TEST(holds_nothing_of_xen_but_dmop_and_evtchn)
{
	static const char *const dirs[] = { "/dev/xen", "/proc/xen" };
	struct taken taken;
	struct dirent *entry;
	char path[512];
	unsigned int i;
	DIR *dir;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		dir = opendir(dirs[i]);
		while (dir && (entry = readdir(dir))) {
			if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "dmop") ||
			    !strcmp(entry->d_name, "evtchn"))
				continue;
			snprintf(path, sizeof(path), "%s/%s", dirs[i], entry->d_name);
			ASSERT_TRUE(take(qemu_pid(), path, &taken));
			EXPECT_EQ(0, taken.nr) TH_LOG("%u of %s", taken.nr, path);
		}
		if (dir)
			closedir(dir);
	}
	/* There was something to look at. */
	ASSERT_TRUE(take(qemu_pid(), NULL, &taken));
	EXPECT_GT(taken.nr, 0);
}

FIXTURE(descriptors) {
	struct taken taken;
};

FIXTURE_SETUP(descriptors)
{
	ASSERT_TRUE(take(qemu_pid(), DMOP_NODE, &self->taken));
	/* Two of libxendevicemodel's and two of libxenforeignmemory's, at least. */
	ASSERT_GE(self->taken.nr, 4);
}

FIXTURE_TEARDOWN(descriptors)
{
}

TEST_F(descriptors, are_all_bound_to_the_guest)
{
	struct dmop_info info;
	unsigned int i;

	for (i = 0; i < self->taken.nr; i++) {
		ASSERT_EQ(0, dmop_info(self->taken.fds[i], &info));
		EXPECT_EQ(DMOP_STATE_BOUND, info.state);
		EXPECT_EQ(target_domid, info.domid);
	}
}

TEST_F(descriptors, have_served_it)
{
	struct dmop_info calls = { 0 }, maps = { 0 }, info;
	unsigned int i;

	/* One open file is for calls, the other for mappings. */
	for (i = 0; i < self->taken.nr; i++) {
		ASSERT_EQ(0, dmop_info(self->taken.fds[i], &info));
		EXPECT_EQ(0, info.refused_policy);
		if (info.acts & DMOP_RIGHT_CALL)
			calls = info;
		else
			maps = info;
	}
	EXPECT_GT(calls.calls, 0);
	EXPECT_EQ(0, calls.mapped_frames);
	EXPECT_EQ(0, maps.calls);
	EXPECT_GT(maps.mapped_frames, 0);
	TH_LOG("%llu dm_ops, %llu frames mapped", (unsigned long long)calls.calls,
	       (unsigned long long)maps.mapped_frames);
}

/* Operation @op without room for an argument: EFAULT by Xen. */
static long short_op(int fd, __u16 domid, __u32 op)
{
	struct dmop_buf buf = { .uptr = &op, .size = sizeof(op) };
	struct dmop_dm_op arg = { .dom = domid, .num = 1, .ubufs = &buf };

	return do_ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

static long map_frame(int fd, __u16 domid)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *area = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	__u64 gfn = 0x100;
	int err = 0;
	struct dmop_mmapbatch_v2 arg = {
		.num = 1,
		.dom = domid,
		.addr = (__u64)(unsigned long)area,
		.arr = &gfn,
		.err = &err,
	};
	long ret;

	if (area == MAP_FAILED)
		return -errno;
	ret = do_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &arg);
	munmap(area, page);
	return ret;
}

/* The profile keeps what QEMU needs, and nothing else. */
TEST_F(descriptors, work_for_the_guest)
{
	struct dmop_info info;
	unsigned int i;

	for (i = 0; i < self->taken.nr; i++) {
		int fd = self->taken.fds[i];
		bool calls;

		ASSERT_EQ(0, dmop_info(fd, &info));
		calls = info.acts & DMOP_RIGHT_CALL;
		EXPECT_EQ(calls ? -EFAULT : -EPERM, short_op(fd, target_domid, DM_OP_CREATE_IOREQ_SERVER));
		EXPECT_EQ(-EPERM, short_op(fd, target_domid, OP_INJECT_EVENT));
		EXPECT_EQ(-EPERM, unknown_op(fd, target_domid));
		EXPECT_EQ(calls ? -EPERM : 0, map_frame(fd, target_domid));
	}
}

/* --- what that is worth against others --------------------------------- */

static long ask_resource(int fd, __u16 domid)
{
	struct dmop_mmap_resource arg = { .dom = domid };

	return do_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &arg);
}

static long raw_op(int fd, __u16 domid)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { .uptr = &op, .size = sizeof(op) };

	return dmop_hypercall(fd, DMOP_HYPERCALL_NR, domid, 1, &buf);
}

static void expect_refusals(struct __test_metadata *_metadata, int fd, __u16 domid)
{
	EXPECT_EQ(-EPERM, unknown_op(fd, domid));
	EXPECT_EQ(-EPERM, raw_op(fd, domid));
	EXPECT_EQ(-EPERM, ioreq_create(fd, domid));
	EXPECT_EQ(-EPERM, map_frame(fd, domid));
	EXPECT_EQ(-EPERM, ask_resource(fd, domid));
	EXPECT_EQ(-EINVAL, dmop_restrict(fd, domid));
	EXPECT_EQ(-EPERM, dmop_hypercall(fd, OP_MEMORY, domid, 0, NULL));
	EXPECT_EQ(-EPERM, dmop_hypercall(fd, OP_DOMCTL, domid, 0, NULL));
}

TEST_F(descriptors, are_refused_another_guest)
{
	unsigned int i;

	for (i = 0; i < self->taken.nr; i++)
		expect_refusals(_metadata, self->taken.fds[i], other_domid);
}

TEST_F(descriptors, are_refused_dom0)
{
	unsigned int i;

	for (i = 0; i < self->taken.nr; i++)
		expect_refusals(_metadata, self->taken.fds[i], 0);
}

/* Not this module's work, but the claim is about the whole process. */
TEST(event_channels_reach_the_guest_only)
{
	struct ioctl_evtchn_bind_unbound_port bind = { .remote_domain = other_domid };
	struct taken taken;
	unsigned int i;

	ASSERT_TRUE(take(qemu_pid(), EVTCHN_NODE, &taken));
	ASSERT_GT(taken.nr, 0);
	for (i = 0; i < taken.nr; i++)
		EXPECT_EQ(-EACCES, do_ioctl(taken.fds[i], IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind));
}

int main(int argc, char **argv)
{
	dmop_require();
	if (!qemu_pid() || uid_of(qemu_pid()) == -1) {
		ksft_print_header();
		ksft_exit_skip("no device model: set DMOP_PID to its process id\n");
	}
	return test_harness_run(argc, argv);
}
