// SPDX-License-Identifier: GPL-2.0
/*
 * backend_test.c - a backend that opens the stock node by itself, without Xen's libraries
 *
 * It works as Rust backends do. As with xen-ioctls, each call and each mmap() has a descriptor of its
 * own. As with vm-memory, one call maps all memory of the guest, gigabytes, into one area.
 *
 * To be started by dmop-run --every-caller for DMOP_TARGET. With DMOP_STOCK set it expects the stock
 * driver: the same has to work there.
 */
#include "../command.h"
#include "../frames.h"

#include <sys/stat.h>

#define STOCK_NODE	"/dev/xen/privcmd"

/* Hypercalls of the toolstack. */
#define SYSCTL		35
#define DOMCTL		36

#define DOMID_INVALID	0x7ff4

/* 2 GiB, and 16 MiB. The test guest has less memory: the list starts again after NR_GFNS. */
#define MANY		(512 * 1024)
#define FEW		4096
#define NR_GFNS		32

static bool on_stock(void)
{
	return getenv("DMOP_STOCK");
}

/* --- as with xen-ioctls ------------------------------------------------ */

static int open_node(void)
{
	int fd = open(STOCK_NODE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static long call(unsigned int cmd, const void *arg)
{
	int fd = open_node();
	long ret = fd < 0 ? fd : do_ioctl(fd, cmd, arg);

	if (fd >= 0)
		close(fd);
	return ret;
}

static long op(__u16 domid, struct dm_op *op)
{
	struct dmop_buf buf = { .uptr = op, .size = sizeof(*op) };
	struct dmop_dm_op arg = { .dom = domid, .num = 1, .ubufs = &buf };

	return call(DMOP_IOCTL_DM_OP, &arg);
}

static long hypercall(__u64 nr)
{
	struct dmop_hypercall arg = { .op = nr };

	return call(DMOP_IOCTL_HYPERCALL, &arg);
}

/* The area remains after the descriptor is closed. */
static char *new_area(size_t nr)
{
	int fd = open_node();
	char *p = area(fd, nr, PROT_READ | PROT_WRITE);

	if (fd >= 0)
		close(fd);
	return p;
}

static long map_frames(__u16 domid, void *at, unsigned int nr, const __u64 *gfns, int *errs)
{
	struct dmop_mmapbatch_v2 m = {
		.num = nr, .dom = domid, .addr = (unsigned long)at, .arr = gfns, .err = errs,
	};

	return call(DMOP_IOCTL_MMAPBATCH_V2, &m);
}

/* Return: 0 or minus the errno. */
static long be_device_model(__u16 domid)
{
	struct dm_op create = ioreq_create_op(), destroy = { .op = DM_OP_DESTROY_IOREQ_SERVER };
	long ret = op(domid, &create);

	if (ret)
		return ret;
	destroy.u.destroy.id = create.u.create.id;
	return op(domid, &destroy);
}

static long touch_memory(__u16 domid)
{
	char *p = new_area(1);
	__u64 gfn = GFN;
	int err = -1;
	long ret;

	if (p == MAP_FAILED)
		return -errno;
	ret = map_frames(domid, p, 1, &gfn, &err);
	if (!ret)
		ret = err;
	if (!ret && touch(p, true))
		ret = -EFAULT;
	munmap(p, PAGE);
	return ret;
}

/* --- the descriptor ---------------------------------------------------- */

/* Return: true if it is of the expected driver; then also restricted, unless that is the stock one. */
static bool is_expected(int fd)
{
	struct stat node, st;
	struct dmop_info info;

	if (fd < 0 || stat(on_stock() ? STOCK_NODE : DMOP_NODE, &node) || fstat(fd, &st))
		return false;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != node.st_rdev)
		return false;
	return on_stock() || (!dmop_info(fd, &info) && info.state == DMOP_STATE_BOUND &&
			      info.domid == target_domid);
}

TEST(every_function_opens_the_node)
{
	FILE *stream = fopen(STOCK_NODE, "r+");
	int dir = open("/dev/xen", O_PATH | O_DIRECTORY);

	EXPECT_TRUE(is_expected(open(STOCK_NODE, O_RDWR)));
	EXPECT_TRUE(is_expected(open64(STOCK_NODE, O_RDWR)));
	EXPECT_TRUE(is_expected(openat(AT_FDCWD, STOCK_NODE, O_RDWR)));
	EXPECT_TRUE(is_expected(openat64(AT_FDCWD, STOCK_NODE, O_RDWR)));
	EXPECT_TRUE(is_expected(openat(dir, "privcmd", O_RDWR)));
	ASSERT_NE(NULL, stream);
	EXPECT_TRUE(is_expected(fileno(stream)));
}

TEST(every_path_leads_to_the_node)
{
	char dir[] = "/tmp/node.XXXXXX", link[64];

	EXPECT_TRUE(is_expected(open("/dev/xen/../xen/privcmd", O_RDWR)));
	EXPECT_TRUE(is_expected(open("/proc/self/root" STOCK_NODE, O_RDWR)));
	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(link, sizeof(link), "%s/link", dir);
	ASSERT_EQ(0, symlink(STOCK_NODE, link));
	EXPECT_TRUE(is_expected(open(link, O_RDWR)));
	EXPECT_EQ(0, unlink(link));
	EXPECT_EQ(0, rmdir(dir));
}

/* By this, xen-ioctls finds out whether the kernel has DM_OP. */
TEST(probe)
{
	struct dmop_dm_op arg = { .dom = DOMID_INVALID };

	EXPECT_EQ(0, call(DMOP_IOCTL_DM_OP, &arg));
}

/* --- calls and mappings ------------------------------------------------ */

TEST(each_call_has_its_descriptor)
{
	EXPECT_EQ(0, be_device_model(target_domid));
}

TEST(an_area_and_its_calls_have_different_descriptors)
{
	__u64 gfns[] = { GFN, GFN + 1 };
	int errs[] = { -1, -1 };
	char *p = new_area(2), *q = new_area(2);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(0, map_frames(target_domid, p, 2, gfns, errs));
	EXPECT_EQ(0, errs[0]);
	EXPECT_EQ(0, errs[1]);
	ASSERT_EQ(0, map_frames(target_domid, q, 2, gfns, errs));
	strcpy(p + PAGE, "backend");
	EXPECT_STREQ("backend", q + PAGE);
	EXPECT_EQ(0, munmap(p, 2 * PAGE));
	EXPECT_EQ(0, munmap(q, 2 * PAGE));
}

TEST(a_resource_and_its_call_have_different_descriptors)
{
	struct dm_op create = ioreq_create_op(), destroy = { .op = DM_OP_DESTROY_IOREQ_SERVER };
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = RESOURCE_IOREQ_SERVER, .idx = FRAME_IOREQ, .num = 1,
	};
	char *p = new_area(1);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, op(target_domid, &create));
	r.id = create.u.create.id;
	r.addr = (unsigned long)p;
	EXPECT_EQ(0, call(DMOP_IOCTL_MMAP_RESOURCE, &r));
	EXPECT_EQ(0, touch(p, true));
	EXPECT_EQ(0, munmap(p, PAGE));
	destroy.u.destroy.id = create.u.create.id;
	EXPECT_EQ(0, op(target_domid, &destroy));
}

/* --- as with vm-memory ------------------------------------------------- */

/*
 * In a PVH dom0, a file may map little more than the memory of the domain. DMOP_FEW: once is enough.
 */
static unsigned int all_frames(void)
{
	return !getenv("DMOP_FEW") && run("grep -qx PV /sys/hypervisor/guest_type") ? MANY : FEW;
}

/* Return: 0, minus an errno, or the number of the first frame that is wrong. */
static long map_guest(int fd, unsigned int nr)
{
	unsigned int i;
	__u64 *gfns = calloc(nr, sizeof(*gfns));
	int *errs = calloc(nr, sizeof(*errs));
	long ret;
	char *p;

	p = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (!gfns || !errs || p == MAP_FAILED)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		gfns[i] = GFN + i % NR_GFNS;
	printf("# %u frames in one call\n", nr);
	ret = map(fd, target_domid, p, nr, gfns, errs);
	if (ret)
		return ret;
	for (i = 0; i < NR_GFNS; i++)
		*(unsigned int *)(p + i * PAGE) = i;
	for (i = 0; i < nr && !ret; i++)
		if (errs[i] || *(volatile unsigned int *)(p + i * PAGE) != i % NR_GFNS)
			ret = i + 1;
	return munmap(p, nr * PAGE) ? -errno : ret;
}

TEST(gigabytes_in_one_call)
{
	int fd = open_node();

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, map_guest(fd, all_frames()));
}

/* A vhost-user frontend opens the node, and the backend in another process maps the guest. */
TEST(a_descriptor_passed_to_another_process)
{
	int status, sockets[2];
	pid_t backend;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	backend = fork();
	if (!backend) {
		int fd;

		close(sockets[0]);
		fd = recv_fd(sockets[1]);
		_exit(is_expected(fd) ? !!map_guest(fd, FEW) : 2);
	}
	ASSERT_EQ(0, send_fd(sockets[0], open_node()));
	ASSERT_EQ(backend, waitpid(backend, &status, 0));
	EXPECT_EQ(0, status);
}

/* --- what it cannot do ------------------------------------------------- */

TEST(the_target_is_in_reach_and_no_other_domain)
{
	EXPECT_EQ(0, touch_memory(target_domid));
	EXPECT_EQ(on_stock() ? 0 : -EPERM, be_device_model(other_domid));
	EXPECT_EQ(on_stock() ? 0 : -EPERM, touch_memory(other_domid));
}

/* Xen would read the argument at address 0. */
TEST(raw_hypercalls_are_refused)
{
	EXPECT_EQ(on_stock() ? -EFAULT : -EPERM, hypercall(DOMCTL));
	EXPECT_EQ(on_stock() ? -EFAULT : -EPERM, hypercall(SYSCTL));
}

TEST(opened_in_an_empty_root_by_nobody)
{
	char dir[] = "/tmp/empty.XXXXXX";

	ASSERT_NE(NULL, mkdtemp(dir));
	ASSERT_EQ(0, chroot(dir));
	ASSERT_EQ(0, chdir("/"));
	ASSERT_TRUE(drop_privileges());
	/* The directory is root's. */
	EXPECT_EQ(on_stock() ? -EACCES : 0, be_device_model(target_domid));
	EXPECT_EQ(on_stock() ? -EBADF : 0, touch_memory(target_domid));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
