// SPDX-License-Identifier: GPL-2.0
/*
 * module_test.c - the device node, its permissions, and loading and unloading of the module
 *
 * It unloads the module and loads it again, so it runs last.
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "command.h"
#include "dmop_test.h"

#define MODULE		"dmop_privcmd"

static long unload(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) ? -errno : 0;
}

static bool load(const char *params)
{
	char command[128];

	snprintf(command, sizeof(command), "modprobe %s %s 2>/dev/null", MODULE, params);
	return !system(command);
}

FIXTURE(module) {};

FIXTURE_SETUP(module)
{
	ASSERT_EQ(0, refcount()) {
		TH_LOG("somebody else has " DMOP_NODE " open");
	}
}

/* Loads the module again for the next test, also after a failure. */
FIXTURE_TEARDOWN(module)
{
	load("");
}

TEST_F(module, node)
{
	struct stat st;

	ASSERT_EQ(0, stat(DMOP_NODE, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);
	EXPECT_EQ(number("awk '$2 == \"dmop\" { print $1 }' /proc/devices"), major(st.st_rdev));
	/* That of misc devices: the open of one waits for the open of any other. */
	EXPECT_NE(10, major(st.st_rdev));
}

TEST_F(module, open_by_others)
{
	pid_t pid = fork();
	int status;

	ASSERT_LE(0, pid);
	if (!pid) {
		bool ok = drop_privileges() && open(DMOP_NODE, O_RDWR) < 0 &&
			  errno == EACCES && open(DMOP_NODE, O_RDONLY) < 0 &&
			  errno == EACCES && open(DMOP_NODE, O_WRONLY) < 0 &&
			  errno == EACCES;
		_exit(!ok);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Each open file has two references, by its device and its operations; a duplicate has none. */
TEST_F(module, counts_open_files)
{
	int a = dmop_open(), b, c;

	ASSERT_LE(0, a);
	EXPECT_EQ(2, refcount());
	b = dup(a);
	EXPECT_EQ(2, refcount());
	c = dmop_open_bound(target_domid);
	ASSERT_LE(0, c);
	EXPECT_EQ(4, refcount());
	close(a);
	EXPECT_EQ(4, refcount());
	close(b);
	EXPECT_EQ(2, refcount());
	close(c);
	EXPECT_EQ(0, refcount());
}

TEST_F(module, unload_with_open_file)
{
	int fd = dmop_open(), bound = dmop_open_bound(target_domid);

	ASSERT_LE(0, fd);
	ASSERT_LE(0, bound);
	EXPECT_EQ(-EWOULDBLOCK, unload());
	close(fd);
	EXPECT_EQ(-EWOULDBLOCK, unload());

	/* The refused unloading had no effect. */
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(bound, target_domid));
	EXPECT_EQ(-EPERM, unknown_op(bound, other_domid));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(bound));
	close(bound);

	EXPECT_EQ(0, unload());
	EXPECT_EQ(-1, access(DMOP_NODE, F_OK));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_TRUE(load(""));
	EXPECT_EQ(0, access(DMOP_NODE, F_OK));
}

/* A file held only by a message in a socket is open as well. */
TEST_F(module, unload_with_file_in_flight)
{
	int fd = dmop_open_bound(target_domid), pair[2];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, send_fd(pair[0], fd));
	close(fd);
	close(pair[0]);
	EXPECT_EQ(-EWOULDBLOCK, unload());
	fd = recv_fd(pair[1]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(fd, target_domid));
	close(fd);
	close(pair[1]);
	EXPECT_EQ(0, unload());
}

/* A killed holder leaves no reference. */
TEST_F(module, unload_after_kill)
{
	int ready[2], status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int a = dmop_open_bound(target_domid), b = dmop_open();

		if (a < 0 || b < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			unknown_op(a, target_domid);
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
	EXPECT_EQ(-EWOULDBLOCK, unload());
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, refcount());
	EXPECT_EQ(0, unload());
}

/* Loads and unloads many times, with bindings in between. Unloading frees the table of domains. */
TEST_F(module, load_and_unload)
{
	int i;

	for (i = 0; i < 20; i++) {
		int a, b, c;

		ASSERT_EQ(0, unload());
		ASSERT_TRUE(load(""));
		a = dmop_open_bound(target_domid);
		b = dmop_open_bound(other_domid);
		c = dmop_open_bound(target_domid);
		ASSERT_LE(0, a);
		ASSERT_LE(0, b);
		ASSERT_LE(0, c);
		EXPECT_EQ(-EOPNOTSUPP, unknown_op(c, target_domid));
		close(a);
		EXPECT_EQ(-EOPNOTSUPP, unknown_op(c, target_domid));
		close(b);
		close(c);
	}
}

/* Parameters have the same range at load time. */
TEST_F(module, load_parameters)
{
	static const char * const bad[] = {
		"dm_op_max_nr_bufs=0", "dm_op_max_nr_bufs=65", "dm_op_max_nr_bufs=-1",
		"dm_op_buf_max_size=0", "dm_op_buf_max_size=65537",
		"dm_op_buf_max_size=large",
	};
	struct dmop_info info;
	unsigned int i;
	int fd;

	ASSERT_EQ(0, unload());
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_FALSE(load(bad[i])) {
			TH_LOG("%s", bad[i]);
		}
		EXPECT_EQ(-1, access(DMOP_NODE, F_OK));
	}

	ASSERT_TRUE(load("dm_op_max_nr_bufs=64 dm_op_buf_max_size=65536"));
	fd = dmop_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dmop_info(fd, &info));
	EXPECT_EQ(64, info.max_nr_bufs);
	EXPECT_EQ(1 << 16, info.max_buf_size);
	close(fd);

	/* Without parameters: the defaults of the stock driver. */
	ASSERT_EQ(0, unload());
	ASSERT_TRUE(load(""));
	EXPECT_EQ(16, param_get("dm_op_max_nr_bufs"));
	EXPECT_EQ(4096, param_get("dm_op_buf_max_size"));
}

/* Only root can write the parameters. */
TEST_F(module, parameter_files)
{
	struct stat st;

	ASSERT_EQ(0, stat(DMOP_PARAMS "dm_op_max_nr_bufs", &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	ASSERT_EQ(0, stat(DMOP_PARAMS "dm_op_buf_max_size", &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
