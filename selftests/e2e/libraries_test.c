// SPDX-License-Identifier: GPL-2.0
/*
 * libraries_test.c - Xen's unmodified libraries under dmop-run
 *
 * To be started by dmop-run for DMOP_TARGET. With DMOP_NO_STOCK set it expects
 * to have been started with --no-stock, and with DMOP_EVERY_CALLER with --every-caller.
 */
#include "../dmop_test.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/stat.h>

/* Without it Xen 4.14 declares nothing of libxendevicemodel. */
#define __XEN_TOOLS__ 1
#include <xencall.h>
#include <xendevicemodel.h>
#include <xenforeignmemory.h>

#define STOCK_NODE	"/dev/xen/privcmd"
#define MAX_FD		256

/* In a paused test domain memory begins below this frame, and ends above. */
#define SOME_GFN	0x100

static bool every_caller(void)
{
	return getenv("DMOP_EVERY_CALLER");
}

static bool no_stock(void)
{
	return getenv("DMOP_NO_STOCK") || every_caller();
}

/* How many descriptors of a node this process has; -1: there is no such node. */
static int count(const char *path)
{
	struct stat node, st;
	int fd, n = 0;

	if (stat(path, &node))
		return -1;
	for (fd = 0; fd < MAX_FD; fd++)
		if (!fstat(fd, &st) && S_ISCHR(st.st_mode) && st.st_rdev == node.st_rdev)
			n++;
	return n;
}

/* --- what each library gets -------------------------------------------- */

TEST(libxendevicemodel_gets_dmop)
{
	int dmop = count(DMOP_NODE), stock = count(STOCK_NODE);
	xendevicemodel_handle *handle = xendevicemodel_open(NULL, 0);

	ASSERT_NE(NULL, handle);
	/* It has a libxencall of its own. */
	EXPECT_EQ(no_stock() ? 2 : 1, count(DMOP_NODE) - dmop);
	EXPECT_EQ(no_stock() ? 0 : 1, count(STOCK_NODE) - stock);
	EXPECT_EQ(0, xendevicemodel_close(handle));
	EXPECT_EQ(dmop, count(DMOP_NODE));
	EXPECT_EQ(stock, count(STOCK_NODE));
}

TEST(libxenforeignmemory_gets_dmop)
{
	int dmop = count(DMOP_NODE), stock = count(STOCK_NODE);
	xenforeignmemory_handle *handle = xenforeignmemory_open(NULL, 0);

	ASSERT_NE(NULL, handle);
	EXPECT_EQ(1, count(DMOP_NODE) - dmop);
	EXPECT_EQ(stock, count(STOCK_NODE));
	EXPECT_EQ(0, xenforeignmemory_close(handle));
	EXPECT_EQ(dmop, count(DMOP_NODE));
}

TEST(libxencall_keeps_stock_until_it_is_restricted)
{
	int stock = count(STOCK_NODE);
	xencall_handle *handle = xencall_open(NULL, 0);

	ASSERT_NE(NULL, handle);
	EXPECT_EQ(no_stock() ? 0 : 1, count(STOCK_NODE) - stock);
	EXPECT_EQ(0, xencall_close(handle));
}

TEST(the_program_itself_keeps_its_open_without_every_caller)
{
	int dmop = count(DMOP_NODE), stock = count(STOCK_NODE);
	int fd = open(STOCK_NODE, O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(every_caller(), count(DMOP_NODE) - dmop);
	EXPECT_EQ(!every_caller(), count(STOCK_NODE) - stock);
}

TEST(close_on_exec_is_as_the_library_asks)
{
	int before[MAX_FD], fd, n = 0;

	for (fd = 0; fd < MAX_FD; fd++)
		before[fd] = fcntl(fd, F_GETFD);
	ASSERT_NE(NULL, xenforeignmemory_open(NULL, 0));
	for (fd = 0; fd < MAX_FD; fd++) {
		if (before[fd] == fcntl(fd, F_GETFD))
			continue;
		n++;
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	}
	EXPECT_EQ(1, n);
}

/* --- what they can do with it ------------------------------------------ */

FIXTURE(libraries) {
	xendevicemodel_handle *devicemodel;
	xenforeignmemory_handle *memory;
};

FIXTURE_SETUP(libraries)
{
	self->devicemodel = xendevicemodel_open(NULL, 0);
	self->memory = xenforeignmemory_open(NULL, 0);
	ASSERT_NE(NULL, self->devicemodel);
	ASSERT_NE(NULL, self->memory);
}

FIXTURE_TEARDOWN(libraries)
{
	xendevicemodel_close(self->devicemodel);
	xenforeignmemory_close(self->memory);
}

/* Return: 0 or minus the errno. */
static int be_device_model(xendevicemodel_handle *handle, domid_t domid)
{
	ioservid_t id;

	if (xendevicemodel_create_ioreq_server(handle, domid, 0, &id))
		return -errno;
	return xendevicemodel_destroy_ioreq_server(handle, domid, id) ? -errno : 0;
}

static int touch_memory(xenforeignmemory_handle *handle, domid_t domid)
{
	xen_pfn_t gfn = SOME_GFN;
	unsigned int *p;

	p = xenforeignmemory_map(handle, domid, PROT_READ | PROT_WRITE, 1, &gfn, NULL);
	if (!p)
		return -errno;
	p[100] = ~p[100];
	return xenforeignmemory_unmap(handle, p, 1) ? -errno : 0;
}

TEST_F(libraries, reach_the_target)
{
	EXPECT_EQ(0, be_device_model(self->devicemodel, target_domid));
	EXPECT_EQ(0, touch_memory(self->memory, target_domid));
}

TEST_F(libraries, reach_no_other)
{
	EXPECT_EQ(-EPERM, be_device_model(self->devicemodel, other_domid));
	EXPECT_EQ(-EPERM, touch_memory(self->memory, other_domid));
}

TEST_F(libraries, can_be_restricted_to_the_same)
{
	EXPECT_EQ(0, xendevicemodel_restrict(self->devicemodel, target_domid));
	EXPECT_EQ(0, xenforeignmemory_restrict(self->memory, target_domid));
	EXPECT_EQ(0, be_device_model(self->devicemodel, target_domid));
	EXPECT_EQ(0, touch_memory(self->memory, target_domid));
}

TEST_F(libraries, can_be_restricted_to_no_other)
{
	EXPECT_EQ(-1, xendevicemodel_restrict(self->devicemodel, other_domid));
	EXPECT_EQ(-1, xenforeignmemory_restrict(self->memory, other_domid));
}

/* --- opened late ------------------------------------------------------- */

/* The stock node is out of reach then, so libxencall must not need it. */
static void expect_late_open(struct __test_metadata *_metadata)
{
	xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
	xendevicemodel_handle *devicemodel = xendevicemodel_open(NULL, 0);

	ASSERT_NE(NULL, memory);
	EXPECT_EQ(0, touch_memory(memory, target_domid));
	if (!no_stock()) {
		EXPECT_EQ(NULL, devicemodel);
		return;
	}
	ASSERT_NE(NULL, devicemodel);
	EXPECT_EQ(0, be_device_model(devicemodel, target_domid));
}

TEST(opened_in_an_empty_root_by_nobody)
{
	char dir[] = "/tmp/empty.XXXXXX";

	ASSERT_NE(NULL, mkdtemp(dir));
	ASSERT_EQ(0, chroot(dir));
	ASSERT_EQ(0, chdir("/"));
	ASSERT_TRUE(drop_privileges());
	expect_late_open(_metadata);
}

/* No file can be opened any more, but for what needs no open(). */
TEST(opened_under_seccomp)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOENT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(filter), .filter = filter };

	ASSERT_EQ(0, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ASSERT_EQ(0, prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
	ASSERT_EQ(-1, open("/dev/null", O_RDONLY));
	expect_late_open(_metadata);
}

/* --- the environment --------------------------------------------------- */

TEST(nothing_of_dmop_run_is_in_the_environment)
{
	const char *others = getenv("DMOP_OTHERS_PRELOAD"), *preload = getenv("LD_PRELOAD");
	int i;

	for (i = 0; environ[i]; i++)
		EXPECT_EQ(NULL, strstr(environ[i], "HANDOVER"));
	if (others) {
		ASSERT_NE(NULL, preload);
		EXPECT_STREQ(others, preload);
	} else {
		EXPECT_EQ(NULL, preload);
	}
}

TEST(children_get_the_stock_node)
{
	EXPECT_EQ(0, system("! env | grep -q HANDOVER"));
	EXPECT_EQ(0, system("! grep -q libdmop-preload /proc/self/maps"));
	EXPECT_EQ(0, system("! ls -l /proc/self/fd | grep -q xen/dmop"));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
