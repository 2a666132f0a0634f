// SPDX-License-Identifier: GPL-2.0
/*
 * matrix_test.c - every act by every kind of caller on every kind of domain
 *
 * Subjects (a descriptor and the process that holds it) x operations x domids. oracle() computes
 * the expected result from the rules of the ABI. The tests read INFO before and after each cell,
 * and compare state, domid and counters.
 */
#include <linux/sched.h>

#include "dmop_test.h"

/* --- the acts ---------------------------------------------------------- */

enum act {
	ACT_DM_OP,
	ACT_PROBE,
	ACT_HYPERCALL,
	ACT_RESTRICT,
	ACT_MMAPBATCH,
	ACT_MMAP_RESOURCE,
	ACT_NARROW,
	ACT_IRQFD,
	ACT_IOEVENTFD,
	ACT_SERVE,
	ACT_ANSWER,
	ACT_KICK,
	NR_ACTS,
};

/* A call for the process that holds the descriptor. */
struct question {
	__u32 act;
	__u32 fresh;		/* use a new file, opened for this cell only */
	__u64 domid;
};

struct answer {
	long ret;
	long info_ret;		/* 0 if both INFO calls returned 0 */
	struct dmop_info before, after;
	bool touched;		/* the call has changed user memory */
};

/* All user memory of one call, so that one comparison covers it. */
struct user_memory {
	struct dm_op op;
	struct dmop_buf buf;
	union {
		struct dmop_dm_op dm_op;
		struct dmop_hypercall hypercall;
		struct dmop_mmapbatch_v2 batch;
		struct dmop_mmap_resource resource;
		struct dmop_narrow narrow;
		struct dmop_irqfd irqfd;
		struct dmop_ioeventfd ioeventfd;
		struct dmop_serve serve;
		struct dmop_answer answer;
		struct dmop_kick kick;
		__u16 domid;
	} arg;
};

static unsigned int prepare(struct user_memory *m, const struct question *q)
{
	memset(m, POISON, sizeof(*m));
	m->op.op = DM_OP_UNKNOWN;
	m->op.pad = 0;
	m->buf.uptr = &m->op;
	m->buf.size = sizeof(m->op);

	switch (q->act) {
	case ACT_DM_OP:
	case ACT_PROBE:
		m->arg.dm_op.dom = q->domid;
		m->arg.dm_op.num = q->act == ACT_DM_OP;
		m->arg.dm_op.ubufs = &m->buf;
		return DMOP_IOCTL_DM_OP;
	case ACT_HYPERCALL:
		m->arg.hypercall.op = DMOP_HYPERCALL_NR;
		m->arg.hypercall.arg[0] = q->domid;
		m->arg.hypercall.arg[1] = 1;
		m->arg.hypercall.arg[2] = (unsigned long)&m->buf;
		return DMOP_IOCTL_HYPERCALL;
	/* No frames: an admitted call then returns EINVAL. */
	case ACT_MMAPBATCH:
		m->arg.batch.num = 0;
		m->arg.batch.dom = q->domid;
		return DMOP_IOCTL_MMAPBATCH_V2;
	case ACT_MMAP_RESOURCE:
		m->arg.resource.num = 0;
		m->arg.resource.dom = q->domid;
		return DMOP_IOCTL_MMAP_RESOURCE;
	/* Too small: an admitted call then returns EINVAL. */
	case ACT_NARROW:
		m->arg.narrow.size = 0;
		return DMOP_IOCTL_NARROW;
	/* Too small, likewise. */
	case ACT_IRQFD:
		m->arg.irqfd.size = 0;
		m->arg.irqfd.flags = 0;
		m->arg.irqfd.dom = q->domid;
		return DMOP_IOCTL_IRQFD;
	/* No virtual processor, likewise. */
	case ACT_IOEVENTFD:
		m->arg.ioeventfd.vcpus = 0;
		m->arg.ioeventfd.flags = 0;
		m->arg.ioeventfd.dom = q->domid;
		return DMOP_IOCTL_IOEVENTFD;
	case ACT_SERVE:
		m->arg.serve.size = 0;
		m->arg.serve.domid = q->domid;
		return DMOP_IOCTL_SERVE;
	case ACT_ANSWER:
		m->arg.answer.size = 0;
		return DMOP_IOCTL_ANSWER;
	case ACT_KICK:
		m->arg.kick.size = 0;
		m->arg.kick.domid = q->domid;
		return DMOP_IOCTL_KICK;
	default:
		m->arg.domid = q->domid;
		return DMOP_IOCTL_RESTRICT;
	}
}

static void ask_here(int fd, const struct question *q, struct answer *a)
{
	struct user_memory m, given;
	unsigned int cmd = prepare(&m, q);

	if (q->fresh)
		fd = dmop_open();

	given = m;
	a->info_ret = dmop_info(fd, &a->before);
	a->ret = do_ioctl(fd, cmd, &m.arg);
	if (!a->info_ret)
		a->info_ret = dmop_info(fd, &a->after);
	a->touched = memcmp(&m, &given, sizeof(m));

	if (q->fresh)
		close(fd);
}

/* --- the holders ------------------------------------------------------- */

/* Issues calls until the other end of the socket is closed. */
static void serve(int sock, int fd)
{
	struct question q;

	while (recv(sock, &q, sizeof(q), 0) == sizeof(q)) {
		struct answer a = { };

		ask_here(fd, &q, &a);
		if (send(sock, &a, sizeof(a), MSG_NOSIGNAL) != sizeof(a))
			break;
	}
	_exit(0);
}

/* "matrix_test --serve SOCK FD": the holder after exec of this program. */
static void serve_if_asked(int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[1], "--serve"))
		return;
	if (capabilities())
		_exit(1);
	serve(atoi(argv[2]), atoi(argv[3]));
}

/* The holder of the descriptor, and its relation to the process that opened and bound the file. */
enum holder {
	HOLDER_SELF,
	HOLDER_DUP,		/* the same process, through dup() */
	HOLDER_FORK_NOBODY,	/* a child without privilege */
	HOLDER_FORK_USERNS,	/* a child with privilege in a user namespace only */
	HOLDER_SCM_NOBODY,	/* an unprivileged process that received it by socket */
	HOLDER_EXEC_NOBODY,	/* a child without privilege that executed a program */
};

static bool become_userns_admin(void)
{
	/* All capabilities, in a user namespace other than the initial one. */
	return !unshare(CLONE_NEWUSER) &&
	       (capabilities() & (1ULL << CAP_SYS_ADMIN));
}

static void exec_self(int sock, int fd)
{
	char sock_text[16], fd_text[16];

	/* exec of /proc/self/exe needs no privilege. */
	snprintf(sock_text, sizeof(sock_text), "%d", sock);
	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	if (fcntl(sock, F_SETFD, 0) || fcntl(fd, F_SETFD, 0))
		return;
	execl("/proc/self/exe", "matrix_test", "--serve", sock_text, fd_text, NULL);
}

static void child_main(enum holder holder, int sock, int fd)
{
	switch (holder) {
	case HOLDER_FORK_NOBODY:
		if (drop_privileges())
			serve(sock, fd);
		break;
	case HOLDER_FORK_USERNS:
		if (become_userns_admin())
			serve(sock, fd);
		break;
	case HOLDER_SCM_NOBODY:
		if (drop_privileges())
			serve(sock, recv_fd(sock));
		break;
	case HOLDER_EXEC_NOBODY:
		if (drop_privileges())
			exec_self(sock, fd);
		break;
	default:
		break;
	}
	_exit(1);
}

/* --- the fixture: one subject ------------------------------------------ */

struct subject {
	int fd;			/* in this process */
	int sock;		/* to the holder, if it is another process */
	pid_t holder;
	int observer;		/* unbound, privileged, from an open() of its own */
};

struct subject_kind {
	bool bound;
	bool admin;		/* CAP_SYS_ADMIN in the initial user namespace */
	enum holder holder;
};

FIXTURE(subject)
{
	struct subject s;
};

FIXTURE_VARIANT(subject)
{
	struct subject_kind k;
};

FIXTURE_VARIANT_ADD(subject, unbound_admin) {
	.k = { .admin = true, .holder = HOLDER_SELF },
};

FIXTURE_VARIANT_ADD(subject, unbound_admin_dup) {
	.k = { .admin = true, .holder = HOLDER_DUP },
};

FIXTURE_VARIANT_ADD(subject, unbound_nobody) {
	.k = { .holder = HOLDER_FORK_NOBODY },
};

FIXTURE_VARIANT_ADD(subject, unbound_userns_admin) {
	.k = { .holder = HOLDER_FORK_USERNS },
};

FIXTURE_VARIANT_ADD(subject, unbound_passed_to_nobody) {
	.k = { .holder = HOLDER_SCM_NOBODY },
};

FIXTURE_VARIANT_ADD(subject, unbound_exec_nobody) {
	.k = { .holder = HOLDER_EXEC_NOBODY },
};

FIXTURE_VARIANT_ADD(subject, bound_admin) {
	.k = { .bound = true, .admin = true, .holder = HOLDER_SELF },
};

FIXTURE_VARIANT_ADD(subject, bound_dup) {
	.k = { .bound = true, .admin = true, .holder = HOLDER_DUP },
};

FIXTURE_VARIANT_ADD(subject, bound_nobody) {
	.k = { .bound = true, .holder = HOLDER_FORK_NOBODY },
};

FIXTURE_VARIANT_ADD(subject, bound_userns_admin) {
	.k = { .bound = true, .holder = HOLDER_FORK_USERNS },
};

FIXTURE_VARIANT_ADD(subject, bound_passed_to_nobody) {
	.k = { .bound = true, .holder = HOLDER_SCM_NOBODY },
};

FIXTURE_VARIANT_ADD(subject, bound_exec_nobody) {
	.k = { .bound = true, .holder = HOLDER_EXEC_NOBODY },
};

static bool in_this_process(const struct subject_kind *k)
{
	return k->holder == HOLDER_SELF || k->holder == HOLDER_DUP;
}

static void start_holder(struct __test_metadata *const _metadata,
			 struct subject *s,
			 const struct subject_kind *k)
{
	int pair[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(pair[0]);
		child_main(k->holder, pair[1], s->fd);
	}
	close(pair[1]);
	s->sock = pair[0];
	s->holder = pid;
}

/*
 * The receiver of the socket is forked before the file is opened, so it does not inherit the file.
 * The dup() comes before the binding.
 */
FIXTURE_SETUP(subject)
{
	int alias;

	self->s.sock = -1;
	self->s.observer = dmop_open();
	ASSERT_LE(0, self->s.observer);
	if (variant->k.holder == HOLDER_SCM_NOBODY)
		start_holder(_metadata, &self->s, &variant->k);

	self->s.fd = dmop_open();
	ASSERT_LE(0, self->s.fd);
	alias = dup(self->s.fd);
	ASSERT_LE(0, alias);
	if (variant->k.bound)
		ASSERT_EQ(0, dmop_restrict(self->s.fd, target_domid));

	switch (variant->k.holder) {
	case HOLDER_SELF:
		break;
	case HOLDER_DUP:
		close(self->s.fd);
		self->s.fd = alias;
		return;
	case HOLDER_SCM_NOBODY:
		ASSERT_EQ(0, send_fd(self->s.sock, self->s.fd));
		break;
	default:
		start_holder(_metadata, &self->s, &variant->k);
	}
	close(alias);
}

FIXTURE_TEARDOWN(subject)
{
	close(self->s.fd);
	close(self->s.observer);
	if (self->s.holder) {
		close(self->s.sock);
		waitpid(self->s.holder, NULL, 0);
	}
}

static bool ask(struct subject *s, const struct question *q,
		struct answer *a)
{
	if (s->sock < 0) {
		ask_here(s->fd, q, a);
		return true;
	}
	return send(s->sock, q, sizeof(*q), MSG_NOSIGNAL) == sizeof(*q) &&
	       recv(s->sock, a, sizeof(*a), 0) == sizeof(*a);
}

/* --- the domids -------------------------------------------------------- */

struct domids {
	unsigned int nr;
	__u64 v[256];
};

static void add_domid(struct domids *d, __u64 domid)
{
	if (d->nr == ARRAY_SIZE(d->v))
		abort();
	d->v[d->nr++] = domid;
}

static void add_16_bit_domids(struct domids *d)
{
	__u64 domid;

	add_domid(d, target_domid);
	add_domid(d, other_domid);
	add_domid(d, ABSENT_DOMID);
	add_domid(d, DMOP_DOMID_MAX);	/* the highest, also absent */
	add_domid(d, 0);		/* the caller's own */
	for (domid = 0x7ff0; domid <= 0x7fff; domid++)
		add_domid(d, domid);
	add_domid(d, 0x8000);
	add_domid(d, 0x8000 | target_domid);
	add_domid(d, 0xffff);
	add_domid(d, (__u16)-target_domid);
}

/* Values with a valid domid in the low 16 bits, and other bits of a member of @bits bits set. */
static void add_wrapping_domids(struct domids *d, unsigned int bits)
{
	unsigned int bit;

	for (bit = 16; bit < bits; bit++) {
		add_domid(d, target_domid | 1ULL << bit);
		add_domid(d, other_domid | 1ULL << bit);
		add_domid(d, 1ULL << bit);
	}
	add_domid(d, target_domid | ~0xffffULL);
	add_domid(d, (__u64)target_domid << 48);
	add_domid(d, ~0ULL);
}

/* --- the expected results ---------------------------------------------- */

struct expected {
	long ret;
	unsigned int calls, refused;	/* increase of the counters */
	bool binds;
};

static bool is_valid_target(__u64 domid)
{
	return domid != 0 && domid < 0x7ff0;
}

/* The result of Xen for the unknown operation. */
static long xen_says(__u64 domid)
{
	return domid == target_domid || domid == other_domid ? -EOPNOTSUPP : -ESRCH;
}

static struct expected refused(long err)
{
	return (struct expected) { .ret = err, .refused = 1 };
}

static bool may_reach(const struct subject_kind *k, __u64 domid)
{
	return k->bound ? domid == target_domid : k->admin && is_valid_target(domid);
}

static struct expected oracle_map(const struct subject_kind *k, __u64 domid)
{
	if (!may_reach(k, domid))
		return refused(-EPERM);
	return (struct expected) { .ret = -EINVAL };
}

static struct expected oracle_call(const struct subject_kind *k, __u64 domid)
{
	if (!may_reach(k, domid))
		return refused(-EPERM);
	return (struct expected) { .ret = xen_says(domid), .calls = 1 };
}

static struct expected oracle_restrict(const struct subject_kind *k, __u64 domid)
{
	if (k->bound)
		return domid == target_domid ? (struct expected) { } : refused(-EINVAL);
	if (!k->admin)
		return refused(-EPERM);
	if (!is_valid_target(domid))
		return refused(-EINVAL);
	if (xen_says(domid) == -ESRCH)
		return (struct expected) { .ret = -ESRCH };
	return (struct expected) { .binds = true };
}

static struct expected oracle(const struct subject_kind *k,
			      const struct question *q)
{
	switch (q->act) {
	case ACT_PROBE:
		return (struct expected) { };
	case ACT_RESTRICT:
		return oracle_restrict(k, q->domid);
	case ACT_MMAPBATCH:
	case ACT_MMAP_RESOURCE:
		return oracle_map(k, q->domid);
	/* They have no domid. */
	case ACT_NARROW:
	case ACT_ANSWER:
		return k->bound ? (struct expected) { .ret = -EINVAL } : refused(-EPERM);
	/* Privilege counts for nothing. */
	case ACT_IRQFD:
	case ACT_IOEVENTFD:
	case ACT_SERVE:
	case ACT_KICK:
		return k->bound && may_reach(k, q->domid) ? (struct expected) { .ret = -EINVAL } :
							    refused(-EPERM);
	default:
		return oracle_call(k, q->domid);
	}
}

/* --- the cells --------------------------------------------------------- */

static const char * const act_names[NR_ACTS] = {
	[ACT_DM_OP] = "DM_OP",
	[ACT_PROBE] = "probe",
	[ACT_HYPERCALL] = "HYPERCALL",
	[ACT_RESTRICT] = "RESTRICT",
	[ACT_MMAPBATCH] = "MMAPBATCH_V2",
	[ACT_MMAP_RESOURCE] = "MMAP_RESOURCE",
	[ACT_NARROW] = "NARROW",
	[ACT_IRQFD] = "IRQFD",
	[ACT_IOEVENTFD] = "IOEVENTFD",
	[ACT_SERVE] = "SERVE",
	[ACT_ANSWER] = "ANSWER",
	[ACT_KICK] = "KICK",
};

static struct dmop_info info_after(const struct answer *a,
				   const struct expected *e, __u64 domid)
{
	struct dmop_info want = a->before;

	want.calls += e->calls;
	want.refused_policy += e->refused;
	if (e->binds) {
		want.state = DMOP_STATE_BOUND;
		want.domid = domid;
		want.features |= DMOP_FEATURE_PINNED;
	}
	return want;
}

static void check_cell(struct __test_metadata *const _metadata,
		       struct subject *s,
		       const struct subject_kind *k,
		       enum act act, __u64 domid)
{
	struct question q = {
		.act = act,
		.domid = domid,
		/* A RESTRICT that succeeds would bind the file used by all other cells. */
		.fresh = act == ACT_RESTRICT && !k->bound && k->admin,
	};
	struct expected e = oracle(k, &q);
	struct dmop_info want;
	struct answer a = { };

	ASSERT_TRUE(ask(s, &q, &a));
	want = info_after(&a, &e, domid);

	EXPECT_EQ(e.ret, a.ret) {
		TH_LOG("%s, domid %#llx", act_names[act], domid);
	}
	EXPECT_EQ(0, a.info_ret);
	EXPECT_EQ(k->bound ? DMOP_STATE_BOUND : DMOP_STATE_UNBOUND,
		  a.before.state);
	EXPECT_EQ(0, memcmp(&want, &a.after, sizeof(want))) {
		TH_LOG("%s, domid %#llx: state %u -> %u, domid %#x -> %#x, calls %llu -> %llu, refused %llu -> %llu",
		       act_names[act], domid, a.before.state, a.after.state,
		       a.before.domid, a.after.domid, a.before.calls,
		       a.after.calls, a.before.refused_policy,
		       a.after.refused_policy);
	}
	EXPECT_FALSE(a.touched) {
		TH_LOG("%s, domid %#llx: user memory written", act_names[act], domid);
	}
}

static void check_row(struct __test_metadata *const _metadata,
		      struct subject *s,
		      const struct subject_kind *k, enum act act)
{
	struct domids d = { };
	unsigned int i;

	add_16_bit_domids(&d);
	if (act == ACT_HYPERCALL)
		add_wrapping_domids(&d, 64);
	if (act == ACT_SERVE || act == ACT_KICK)
		add_wrapping_domids(&d, 32);

	for (i = 0; i < d.nr; i++)
		check_cell(_metadata, s, k, act, d.v[i]);
}

TEST_F(subject, dm_op)
{
	check_row(_metadata, &self->s, &variant->k, ACT_DM_OP);
}

TEST_F(subject, probe)
{
	check_row(_metadata, &self->s, &variant->k, ACT_PROBE);
}

TEST_F(subject, hypercall)
{
	check_row(_metadata, &self->s, &variant->k, ACT_HYPERCALL);
}

TEST_F(subject, restrict)
{
	check_row(_metadata, &self->s, &variant->k, ACT_RESTRICT);
}

TEST_F(subject, mmapbatch)
{
	check_row(_metadata, &self->s, &variant->k, ACT_MMAPBATCH);
}

TEST_F(subject, mmap_resource)
{
	check_row(_metadata, &self->s, &variant->k, ACT_MMAP_RESOURCE);
}

TEST_F(subject, narrow)
{
	check_row(_metadata, &self->s, &variant->k, ACT_NARROW);
}

TEST_F(subject, irqfd)
{
	check_row(_metadata, &self->s, &variant->k, ACT_IRQFD);
}

TEST_F(subject, ioeventfd)
{
	check_row(_metadata, &self->s, &variant->k, ACT_IOEVENTFD);
}

TEST_F(subject, serve)
{
	check_row(_metadata, &self->s, &variant->k, ACT_SERVE);
}

TEST_F(subject, answer)
{
	check_row(_metadata, &self->s, &variant->k, ACT_ANSWER);
}

TEST_F(subject, kick)
{
	check_row(_metadata, &self->s, &variant->k, ACT_KICK);
}

/* INFO is never refused. Each holder of the file gets all of it. */
TEST_F(subject, info)
{
	struct question q = { .act = ACT_PROBE };
	struct answer a = { };

	ASSERT_TRUE(ask(&self->s, &q, &a));
	EXPECT_EQ(0, a.info_ret);
	EXPECT_EQ(sizeof(struct dmop_info), a.after.size);
	EXPECT_EQ(0, a.after.flags);
	EXPECT_EQ(DMOP_ABI_VERSION, a.after.abi_version);
	EXPECT_EQ(variant->k.bound ? DMOP_STATE_BOUND : DMOP_STATE_UNBOUND, a.after.state);
	EXPECT_EQ(variant->k.bound ? target_domid : DMOP_DOMID_NONE, a.after.domid);
	EXPECT_EQ(0, a.after.own_domid);
	EXPECT_TRUE(a.after.features & DMOP_FEATURE_DM_OP);
	EXPECT_EQ(0, a.after.calls);
	EXPECT_EQ(0, a.after.refused_policy);
	EXPECT_EQ(0, a.after.refused_dead);
}

/* Binding through one descriptor binds all others of the same open file. */
TEST_F(subject, follows_the_open_file)
{
	struct question q = { .act = ACT_DM_OP, .domid = other_domid };
	struct answer a = { };

	if (!variant->k.bound)
		ASSERT_EQ(0, dmop_restrict(self->s.fd, target_domid));

	ASSERT_TRUE(ask(&self->s, &q, &a));
	EXPECT_EQ(-EPERM, a.ret);
	EXPECT_EQ(DMOP_STATE_BOUND, a.after.state);
	EXPECT_EQ(target_domid, a.after.domid);

	q.domid = target_domid;
	ASSERT_TRUE(ask(&self->s, &q, &a));
	EXPECT_EQ(-EOPNOTSUPP, a.ret);

	/* A file from another open() is not affected. */
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(self->s.observer));
	EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->s.observer, other_domid));
}

/* The privilege of a caller does not lift the restriction of a bound file. */
TEST_F(subject, privilege_does_not_lift_it)
{
	if (variant->k.bound) {
		EXPECT_EQ(-EPERM, unknown_op(self->s.fd, other_domid));
		EXPECT_EQ(-EINVAL, dmop_restrict(self->s.fd, other_domid));
		EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->s.fd, target_domid));
	} else if (!in_this_process(&variant->k)) {
		struct question q = { .act = ACT_DM_OP, .domid = target_domid };
		struct answer a = { };

		/*
		 * A privileged call on an unbound file gives no access to its unprivileged holder.
		 */
		EXPECT_EQ(-EOPNOTSUPP, unknown_op(self->s.fd, target_domid));
		ASSERT_TRUE(ask(&self->s, &q, &a));
		EXPECT_EQ(-EPERM, a.ret);
	}
}

int main(int argc, char **argv)
{
	serve_if_asked(argc, argv);
	return dmop_test_run(argc, argv);
}
