// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_test.c - ioctl numbers, hypercall operations, and the order of refusals
 */
#include "serve.h"

/* Never mapped in any program. */
#define BAD_POINTER	((void *)8)

static const unsigned int known[] = {
	DMOP_IOCTL_HYPERCALL, DMOP_IOCTL_MMAPBATCH_V2, DMOP_IOCTL_DM_OP,
	DMOP_IOCTL_RESTRICT, DMOP_IOCTL_MMAP_RESOURCE, DMOP_IOCTL_INFO, DMOP_IOCTL_BATCH,
	DMOP_IOCTL_NARROW, DMOP_IOCTL_IRQFD, DMOP_IOCTL_SERVE, DMOP_IOCTL_ANSWER,
	DMOP_IOCTL_KICK, DMOP_IOCTL_IOEVENTFD,
};

static bool is_known(unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == cmd)
			return true;
	return false;
}

/* A file in each state before the end of its domain. */
FIXTURE(surface)
{
	int fd;
	char *arg;
};

FIXTURE_VARIANT(surface)
{
	bool bound;
};

FIXTURE_VARIANT_ADD(surface, unbound) { .bound = false };
FIXTURE_VARIANT_ADD(surface, bound) { .bound = true };

FIXTURE_SETUP(surface)
{
	self->fd = variant->bound ? dmop_open_bound(target_domid) : dmop_open();
	ASSERT_LE(0, self->fd);
	self->arg = guarded_pages(1, MAP_32BIT);
	ASSERT_NE(NULL, self->arg);
}

FIXTURE_TEARDOWN(surface)
{
	close(self->fd);
}

/* No effect, no counter changed, nothing written. */
static void expect_untouched(struct __test_metadata *const _metadata, int fd,
			     const char *arg, const struct dmop_info *before)
{
	struct dmop_info after;

	EXPECT_EQ(0, dmop_info(fd, &after));
	EXPECT_EQ(0, memcmp(before, &after, sizeof(after)));
	EXPECT_TRUE(all_bytes(arg, POISON, sysconf(_SC_PAGESIZE)));
}

/* Each number of the type, with each direction and with many sizes. */
TEST_F(surface, unknown_numbers)
{
	static const unsigned int sizes[] = {
		0, 1, 2, 3, 4, 8, 12, 16, 24, 32, 40, 47, 48, 49, 56, 63, 64,
		128, 4096, _IOC_SIZEMASK,
	};
	unsigned int nr, dir, i;
	struct dmop_info before;

	ASSERT_EQ(0, dmop_info(self->fd, &before));
	for (nr = 0; nr <= 0xff; nr++) {
		for (dir = 0; dir <= 3; dir++) {
			for (i = 0; i < ARRAY_SIZE(sizes); i++) {
				unsigned int cmd = _IOC(dir, 'P', nr, sizes[i]);

				if (is_known(cmd))
					continue;
				EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, cmd, self->arg)) {
					TH_LOG("ioctl %#x", cmd);
				}
			}
		}
	}
	expect_untouched(_metadata, self->fd, self->arg, &before);
}

/* The known numbers with each other type. */
TEST_F(surface, unknown_types)
{
	unsigned int type, i;
	struct dmop_info before;

	ASSERT_EQ(0, dmop_info(self->fd, &before));
	for (type = 0; type <= 0xff; type++) {
		for (i = 0; i < ARRAY_SIZE(known); i++) {
			unsigned int cmd = (known[i] & ~(0xffU << 8)) | type << 8;

			if (is_known(cmd))
				continue;
			EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, cmd, self->arg)) {
				TH_LOG("ioctl %#x", cmd);
			}
		}
	}
	expect_untouched(_metadata, self->fd, self->arg, &before);
}

/* Numbers of the stock driver that are not implemented, as the libraries issue them. */
TEST_F(surface, stock_numbers)
{
	static const unsigned int cmds[] = {
		_IOC(_IOC_NONE, 'P', 2, 16),	/* MMAP */
		_IOC(_IOC_NONE, 'P', 3, 24),	/* MMAPBATCH */
		_IOC(_IOC_NONE, 'P', 10, 4),	/* PCIDEV_GET_GSI */
		_IOC(_IOC_NONE, 'P', 0xff, 0),	/* the probe of libxenforeignmemory */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, cmds[i], self->arg));
		/* The number is checked first, before the argument is read. */
		EXPECT_EQ(-ENOTTY, do_ioctl(self->fd, cmds[i], BAD_POINTER));
	}
}

/* --- 32-bit callers ---------------------------------------------------- */

TEST_F(surface, inherited_numbers_of_32_bit_callers)
{
	static const unsigned int cmds[] = {
		DMOP_IOCTL_HYPERCALL, DMOP_IOCTL_MMAPBATCH_V2, DMOP_IOCTL_DM_OP,
		DMOP_IOCTL_RESTRICT, DMOP_IOCTL_MMAP_RESOURCE, DMOP_IOCTL_IRQFD,
		DMOP_IOCTL_IOEVENTFD,
		/* IRQFD and IOEVENTFD of a 32-bit program */
		_IOC(_IOC_WRITE, 'P', 8, 20),
		_IOC(_IOC_WRITE, 'P', 9, 40),
		/* DM_OP of a 32-bit program: two 16-bit members and a pointer */
		_IOC(_IOC_NONE, 'P', 5, 8),
		_IOC(_IOC_NONE, 'P', 0xff, 0),
	};
	struct dmop_info before;
	unsigned int i;

	X86_ONLY("int 0x80");
	ASSERT_EQ(0, dmop_info(self->fd, &before));
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-ENOTTY, ioctl_32(self->fd, cmds[i], self->arg)) {
			TH_LOG("ioctl %#x", cmds[i]);
		}
		EXPECT_EQ(-ENOTTY, ioctl_32(self->fd, cmds[i], BAD_POINTER));
	}
	expect_untouched(_metadata, self->fd, self->arg, &before);

	/* RESTRICT would bind the file if it were not refused. */
	*(__u16 *)self->arg = target_domid;
	EXPECT_EQ(-ENOTTY, ioctl_32(self->fd, DMOP_IOCTL_RESTRICT, self->arg));
	EXPECT_EQ(variant->bound ? DMOP_STATE_BOUND : DMOP_STATE_UNBOUND,
		  dmop_state(self->fd));
}

TEST_F(surface, info_of_32_bit_callers)
{
	struct dmop_info *info = (void *)self->arg, wide;

	X86_ONLY("int 0x80");
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	ASSERT_EQ(0, dmop_info(self->fd, &wide));
	EXPECT_EQ(0, ioctl_32(self->fd, DMOP_IOCTL_INFO, info));
	EXPECT_EQ(0, memcmp(&wide, info, sizeof(wide)));
	EXPECT_EQ(-EFAULT, ioctl_32(self->fd, DMOP_IOCTL_INFO, BAD_POINTER));
}

TEST_F(surface, narrow_of_32_bit_callers)
{
	struct dmop_narrow *n = (void *)self->arg;
	struct dmop_info info;

	X86_ONLY("int 0x80");
	memset(n, 0, sizeof(*n));
	n->size = sizeof(*n);
	n->flags = DMOP_NARROW_FRAMES;
	n->max_frames = 7;
	EXPECT_EQ(variant->bound ? 0 : -EPERM, ioctl_32(self->fd, DMOP_IOCTL_NARROW, n));
	ASSERT_EQ(0, dmop_info(self->fd, &info));
	EXPECT_EQ(variant->bound ? 7 : ~0ULL, info.max_frames);
	EXPECT_EQ(-EFAULT, ioctl_32(self->fd, DMOP_IOCTL_NARROW, BAD_POINTER));
}

static void *arg_32(void *at, const void *arg, size_t size)
{
	return memcpy(at, arg, size);
}

/* All of SERVE, ANSWER and KICK, with a server; on an unbound file each is refused. */
TEST_F(surface, serve_of_32_bit_callers)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct dmop_serve s = {
		.size = sizeof(s), .domid = target_domid, .vcpus = 1, .rest_fd = event,
	};
	struct dmop_answer a = { .size = sizeof(a), .vcpus = { 1 } };
	struct dmop_kick k = kick_of(target_domid, 0, event, PORT);
	volatile struct request *page = NULL;
	struct dmop_info info;
	long server = 0;

	X86_ONLY("int 0x80");
	ASSERT_LE(0, event);
	if (variant->bound) {
		ioreq_destroy_all(self->fd, target_domid);
		server = server_create(self->fd, target_domid, &page);
		ASSERT_LE(0, server);
		s.server = server;
	}
	EXPECT_EQ(variant->bound ? 0 : -EPERM,
		  ioctl_32(self->fd, DMOP_IOCTL_KICK, arg_32(self->arg, &k, sizeof(k))));
	EXPECT_EQ(variant->bound ? 0 : -EPERM,
		  ioctl_32(self->fd, DMOP_IOCTL_SERVE, arg_32(self->arg, &s, sizeof(s))));
	EXPECT_EQ(variant->bound ? 0 : -EPERM,
		  ioctl_32(self->fd, DMOP_IOCTL_ANSWER, arg_32(self->arg, &a, sizeof(a))));
	/* The high half of the mask is read, too. */
	a.vcpus[1] = 1ULL << 63;
	EXPECT_EQ(variant->bound ? -EINVAL : -EPERM,
		  ioctl_32(self->fd, DMOP_IOCTL_ANSWER, arg_32(self->arg, &a, sizeof(a))));
	ASSERT_EQ(0, dmop_info(self->fd, &info));
	EXPECT_EQ(variant->bound, info.servers);
	EXPECT_EQ(variant->bound, info.kicks);
	s.flags = DMOP_SERVE_END;
	EXPECT_EQ(variant->bound ? 0 : -EPERM,
		  ioctl_32(self->fd, DMOP_IOCTL_SERVE, arg_32(self->arg, &s, sizeof(s))));
	k.flags |= DMOP_KICK_DEASSIGN;
	EXPECT_EQ(variant->bound ? 0 : -EPERM,
		  ioctl_32(self->fd, DMOP_IOCTL_KICK, arg_32(self->arg, &k, sizeof(k))));
	ASSERT_EQ(0, dmop_info(self->fd, &info));
	EXPECT_EQ(0, info.servers);
	EXPECT_EQ(0, info.kicks);
	EXPECT_EQ(-EFAULT, ioctl_32(self->fd, DMOP_IOCTL_SERVE, BAD_POINTER));
	EXPECT_EQ(-EFAULT, ioctl_32(self->fd, DMOP_IOCTL_ANSWER, BAD_POINTER));
	EXPECT_EQ(-EFAULT, ioctl_32(self->fd, DMOP_IOCTL_KICK, BAD_POINTER));
	if (variant->bound)
		ioreq_destroy_all(self->fd, target_domid);
	close(event);
}

/* The file cannot be read, written or positioned. */
TEST_F(surface, no_other_operations)
{
	char c = 0;

	EXPECT_EQ(-1, read(self->fd, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fd, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
}

/* --- HYPERCALL --------------------------------------------------------- */

TEST_F(surface, hypercall_ops)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { .uptr = &op, .size = sizeof(op) };
	unsigned int n, bit;

	for (n = 0; n < 64; n++) {
		EXPECT_EQ(n == 41 ? -EOPNOTSUPP : -EPERM,
			  dmop_hypercall(self->fd, n, target_domid, 1, &buf)) {
			TH_LOG("hypercall %u", n);
		}
	}
	for (bit = 0; bit < 64; bit++) {
		__u64 nr = 41 ^ 1ULL << bit;

		EXPECT_EQ(-EPERM, dmop_hypercall(self->fd, nr, target_domid, 1, &buf)) {
			TH_LOG("hypercall %#llx", nr);
		}
	}
	EXPECT_EQ(-EPERM, dmop_hypercall(self->fd, -1, target_domid, 1, &buf));
}

TEST_F(surface, hypercall_domid_high_bits)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { .uptr = &op, .size = sizeof(op) };
	unsigned int bit;

	for (bit = 15; bit < 64; bit++) {
		EXPECT_EQ(-EPERM, dmop_hypercall(self->fd, 41, target_domid | 1ULL << bit,
						 1, &buf)) {
			TH_LOG("bit %u", bit);
		}
	}
	EXPECT_EQ(-EOPNOTSUPP, dmop_hypercall(self->fd, 41, target_domid, 1, &buf));
}

/* All 64 bits of the count matter. */
TEST_F(surface, hypercall_count_high_bits)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { .uptr = &op, .size = sizeof(op) };
	__u64 calls = dmop_calls(self->fd);
	unsigned int bit;

	for (bit = 7; bit < 64; bit++) {
		EXPECT_EQ(-E2BIG, dmop_hypercall(self->fd, 41, target_domid,
						 1 | 1ULL << bit, &buf)) {
			TH_LOG("bit %u", bit);
		}
		EXPECT_EQ(-E2BIG, dmop_hypercall(self->fd, 41, target_domid,
						 1ULL << bit, &buf));
	}
	EXPECT_EQ(-E2BIG, dmop_hypercall(self->fd, 41, target_domid, -1, &buf));
	EXPECT_EQ(calls, dmop_calls(self->fd));
}

/* A call without buffers is the probe for DM_OP, and invalid for HYPERCALL. Neither enters Xen. */
TEST_F(surface, no_buffers)
{
	EXPECT_EQ(-EINVAL, dmop_hypercall(self->fd, 41, target_domid, 0, NULL));
	EXPECT_EQ(-EINVAL, dmop_hypercall(self->fd, 41, target_domid, 0, BAD_POINTER));
	EXPECT_EQ(0, dmop_probe(self->fd, target_domid));
	EXPECT_EQ(0, dmop_call(self->fd, target_domid, BAD_POINTER, 0));
	EXPECT_EQ(0, dmop_calls(self->fd));
}

/* --- the order of refusals --------------------------------------------- */

/*
 * Each row has two causes of refusal, next to each other in the order. The errno is that of the
 * earlier one. death_test.c has the rows with a revoked file.
 */
enum { FILE_UNBOUND, FILE_BOUND };

enum domid_of { DOMID_TARGET, DOMID_OTHER, DOMID_ABSENT, DOMID_SELF };
enum nr_of { NR_NONE, NR_ONE, NR_TWO, NR_TOO_MANY };
enum array_of { ARRAY_GOOD, ARRAY_BAD_POINTER, ARRAY_SECOND_TOO_LARGE, ARRAY_FIRST_BAD_BUFFER,
		ARRAY_BAD_BUFFER_THEN_TOO_LARGE };

struct order {
	const char *what;
	int file;
	bool nobody;
	bool bad_arg;
	enum domid_of domid;
	enum nr_of nr;
	enum array_of array;
	long ret;
	bool probe;		/* for DM_OP only: HYPERCALL has no probe */
};

static const struct order orders[] = {
	{ .what = "unreadable argument before policy", .nobody = true,
	  .bad_arg = true, .domid = DOMID_OTHER, .nr = NR_ONE, .ret = -EFAULT },
	{ .what = "unreadable argument before policy, bound", .file = FILE_BOUND,
	  .bad_arg = true, .domid = DOMID_OTHER, .nr = NR_ONE, .ret = -EFAULT },
	{ .what = "probe before privilege", .nobody = true,
	  .domid = DOMID_TARGET, .nr = NR_NONE, .ret = 0, .probe = true },
	{ .what = "probe before domid", .file = FILE_BOUND,
	  .domid = DOMID_OTHER, .nr = NR_NONE, .ret = 0, .probe = true },
	{ .what = "probe before reserved domid", .file = FILE_BOUND,
	  .domid = DOMID_SELF, .nr = NR_NONE, .ret = 0, .probe = true },
	{ .what = "probe before unreadable array", .file = FILE_BOUND,
	  .domid = DOMID_TARGET, .nr = NR_NONE, .array = ARRAY_BAD_POINTER,
	  .ret = 0, .probe = true },
	{ .what = "privilege before count", .nobody = true,
	  .domid = DOMID_TARGET, .nr = NR_TOO_MANY, .ret = -EPERM },
	{ .what = "domid before count", .file = FILE_BOUND,
	  .domid = DOMID_OTHER, .nr = NR_TOO_MANY, .ret = -EPERM },
	{ .what = "domid before unreadable array", .file = FILE_BOUND,
	  .domid = DOMID_OTHER, .nr = NR_ONE, .array = ARRAY_BAD_POINTER, .ret = -EPERM },
	{ .what = "domid before size", .file = FILE_BOUND,
	  .domid = DOMID_OTHER, .nr = NR_TWO, .array = ARRAY_SECOND_TOO_LARGE,
	  .ret = -EPERM },
	{ .what = "domid before unreadable buffer", .file = FILE_BOUND,
	  .domid = DOMID_OTHER, .nr = NR_ONE, .array = ARRAY_FIRST_BAD_BUFFER,
	  .ret = -EPERM },
	{ .what = "reserved domid before count",
	  .domid = DOMID_SELF, .nr = NR_TOO_MANY, .ret = -EPERM },
	{ .what = "reserved domid before unreadable array",
	  .domid = DOMID_SELF, .nr = NR_ONE, .array = ARRAY_BAD_POINTER, .ret = -EPERM },
	{ .what = "count before unreadable array", .file = FILE_BOUND,
	  .domid = DOMID_TARGET, .nr = NR_TOO_MANY, .array = ARRAY_BAD_POINTER,
	  .ret = -E2BIG },
	{ .what = "count before what Xen says",
	  .domid = DOMID_ABSENT, .nr = NR_TOO_MANY, .ret = -E2BIG },
	{ .what = "size before unreadable buffer", .file = FILE_BOUND,
	  .domid = DOMID_TARGET, .nr = NR_TWO, .array = ARRAY_BAD_BUFFER_THEN_TOO_LARGE,
	  .ret = -E2BIG },
	{ .what = "size before what Xen says",
	  .domid = DOMID_ABSENT, .nr = NR_TWO, .array = ARRAY_SECOND_TOO_LARGE,
	  .ret = -E2BIG },
	{ .what = "unreadable array before what Xen says",
	  .domid = DOMID_ABSENT, .nr = NR_ONE, .array = ARRAY_BAD_POINTER, .ret = -EFAULT },
	{ .what = "unreadable buffer before what Xen says",
	  .domid = DOMID_ABSENT, .nr = NR_ONE, .array = ARRAY_FIRST_BAD_BUFFER,
	  .ret = -EFAULT },
	{ .what = "what Xen says",
	  .domid = DOMID_ABSENT, .nr = NR_ONE, .ret = -ESRCH },
};

static __u16 order_domid(const struct order *o)
{
	switch (o->domid) {
	case DOMID_TARGET:
		return target_domid;
	case DOMID_OTHER:
		return other_domid;
	case DOMID_ABSENT:
		return ABSENT_DOMID;
	default:
		return 0x7ff0;
	}
}

static unsigned int order_nr(const struct order *o)
{
	return o->nr == NR_TOO_MANY ? param_get("dm_op_max_nr_bufs") + 1 : o->nr;
}

static const struct dmop_buf *order_array(const struct order *o, struct dmop_buf *bufs,
					  struct dm_op *op)
{
	bool bad = o->array == ARRAY_FIRST_BAD_BUFFER ||
		   o->array == ARRAY_BAD_BUFFER_THEN_TOO_LARGE;
	bool large = o->array == ARRAY_SECOND_TOO_LARGE ||
		     o->array == ARRAY_BAD_BUFFER_THEN_TOO_LARGE;

	bufs[0].uptr = bad ? BAD_POINTER : op;
	bufs[0].size = sizeof(*op);
	bufs[1].uptr = op;
	bufs[1].size = sizeof(*op);
	if (large)
		bufs[1].size = param_get("dm_op_buf_max_size") + 1;
	return o->array == ARRAY_BAD_POINTER ? BAD_POINTER : bufs;
}

/* Issues the call of a row as DM_OP or as HYPERCALL. */
static long order_ask(int fd, const struct order *o, bool hypercall)
{
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf bufs[2];
	const struct dmop_buf *array = order_array(o, bufs, &op);

	if (o->bad_arg)
		return do_ioctl(fd, hypercall ? DMOP_IOCTL_HYPERCALL : DMOP_IOCTL_DM_OP,
				BAD_POINTER);
	if (hypercall)
		return dmop_hypercall(fd, DMOP_HYPERCALL_NR, order_domid(o),
				      order_nr(o), array);
	return dmop_call(fd, order_domid(o), array, order_nr(o));
}

TEST(order_of_refusals)
{
	int files[] = {
		[FILE_UNBOUND] = dmop_open(),
		[FILE_BOUND] = dmop_open_bound(target_domid),
	};
	int nobody, i, hypercall;

	ASSERT_LE(0, files[FILE_UNBOUND]);
	ASSERT_LE(0, files[FILE_BOUND]);

	/* The rows with privilege come first, because dropping it is irreversible. */
	for (nobody = 0; nobody < 2; nobody++) {
		if (nobody)
			ASSERT_TRUE(drop_privileges());
		for (i = 0; i < (int)ARRAY_SIZE(orders) * 2; i++) {
			const struct order *o = &orders[i / 2];

			hypercall = i % 2;
			if (o->nobody != nobody || (o->probe && hypercall))
				continue;
			EXPECT_EQ(o->ret, order_ask(files[o->file], o, hypercall)) {
				TH_LOG("%s, %s", o->what, hypercall ? "HYPERCALL" : "DM_OP");
			}
		}
	}
}

/* HYPERCALL also refuses by its op, at the same place in the order as by the domid. */
TEST(order_of_hypercall_refusals)
{
	int fd = dmop_open_bound(target_domid);
	struct dm_op op = { .op = DM_OP_UNKNOWN };
	struct dmop_buf buf = { .uptr = &op, .size = sizeof(op) };

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EPERM, dmop_hypercall(fd, 40, other_domid, 1, &buf));
	EXPECT_EQ(-EPERM, dmop_hypercall(fd, 40, target_domid, -1, &buf));
	EXPECT_EQ(-EPERM, dmop_hypercall(fd, 40, target_domid, 1, BAD_POINTER));
	EXPECT_EQ(-EPERM, dmop_hypercall(fd, 40, target_domid, 0, NULL));
	EXPECT_EQ(-EPERM, dmop_hypercall(fd, 41, other_domid, 0, NULL));
	EXPECT_EQ(-EPERM, dmop_hypercall(fd, 41 | 1ULL << 32, target_domid, -1, BAD_POINTER));
	EXPECT_EQ(-EPERM, dmop_hypercall(fd, 41, target_domid | 1ULL << 32, -1, BAD_POINTER));
	EXPECT_EQ(-E2BIG, dmop_hypercall(fd, 41, target_domid, -1, BAD_POINTER));
}

TEST(order_of_restrict_refusals)
{
	int bound = dmop_open_bound(target_domid);
	int unbound = dmop_open();

	ASSERT_LE(0, bound);
	ASSERT_LE(0, unbound);
	/* policy before the result of Xen */
	EXPECT_EQ(-EINVAL, dmop_restrict(bound, ABSENT_DOMID));
	EXPECT_EQ(-EINVAL, dmop_restrict(bound, other_domid));
	EXPECT_EQ(-EINVAL, dmop_restrict(unbound, 0));
	EXPECT_EQ(-ESRCH, dmop_restrict(unbound, ABSENT_DOMID));

	ASSERT_TRUE(drop_privileges());
	/* the argument before privilege */
	EXPECT_EQ(-EFAULT, do_ioctl(unbound, DMOP_IOCTL_RESTRICT, BAD_POINTER));
	EXPECT_EQ(-EFAULT, do_ioctl(bound, DMOP_IOCTL_RESTRICT, BAD_POINTER));
	/* privilege before the domid */
	EXPECT_EQ(-EPERM, dmop_restrict(unbound, 0));
	EXPECT_EQ(-EPERM, dmop_restrict(unbound, 0xffff));
	EXPECT_EQ(-EPERM, dmop_restrict(unbound, ABSENT_DOMID));
	EXPECT_EQ(-EPERM, dmop_restrict(unbound, target_domid));
	/* the domid already bound before privilege */
	EXPECT_EQ(0, dmop_restrict(bound, target_domid));
	EXPECT_EQ(-EINVAL, dmop_restrict(bound, 0));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
