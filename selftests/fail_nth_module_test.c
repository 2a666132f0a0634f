// SPDX-License-Identifier: GPL-2.0
/*
 * fail_nth_module_test.c - failed allocations and copies while the module is loaded
 */
#include "fail_nth.h"

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
	return access("/sys/module/dmop_privcmd", F_OK) && access("/sys/class/dmop/xen!dmop", F_OK);
}

/* devtmpfs creates the node. If that fails, the kernel carries on without it, for any driver. */
static bool node_lost(void)
{
	return access(DMOP_NODE, F_OK) && !access("/sys/class/dmop/xen!dmop", F_OK);
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

/* Return: the number of allocations and copies while the module is loaded, or 0. */
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
 * After each failure the module is either loaded and works, or has left nothing behind. The kernel
 * WARNs about some failures before it parses the parameters. These are not the module's, so the
 * sweep skips them. Loading with an invalid parameter gives their number.
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
