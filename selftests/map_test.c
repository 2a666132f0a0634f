// SPDX-License-Identifier: GPL-2.0
/*
 * map_test.c - memory and resources of the target domain, mapped
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "dmop_test.h"

#define PAGE		4096UL
#define BAD_POINTER	((void *)8)

/* Frames that the test guest has, and one that it does not. */
#define GFN		64
#define NO_GFN		0x7fffffULL

/* Where a device model can have a page moved to; and more than twice what the guest may have. */
#define HIGH_GFN	0x700000ULL
#define MANY_FRAMES	32768

#define RESOURCE_IOREQ_SERVER	0
#define FRAME_IOREQ		1	/* frame 0 is that of buffered requests */

#define NR_DOOMED	"dmop-test-mapped"

/* --- wrappers ---------------------------------------------------------- */

static char *area(int fd, size_t nr, int prot)
{
	return mmap(NULL, nr * PAGE, prot, MAP_SHARED, fd, 0);
}

static long map(int fd, __u16 domid, void *at, unsigned int nr, const __u64 *gfns,
		int *errs)
{
	struct dmop_mmapbatch_v2 m = {
		.num = nr, .dom = domid, .addr = (unsigned long)at, .arr = gfns, .err = errs,
	};

	return dmop_ioctl(fd, DMOP_IOCTL_MMAPBATCH_V2, &m);
}

/* One frame, in an area of its own. */
static char *map_one(int fd, __u16 domid, __u64 gfn)
{
	char *p = area(fd, 1, PROT_READ | PROT_WRITE);
	int err = -1;

	if (p == MAP_FAILED)
		return NULL;
	if (!map(fd, domid, p, 1, &gfn, &err) && !err)
		return p;
	munmap(p, PAGE);
	return NULL;
}

static long map_resource(int fd, struct dmop_mmap_resource *r)
{
	return dmop_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, r);
}

static __u64 mapped_frames(int fd)
{
	struct dmop_info info;

	return dmop_info(fd, &info) ? ~0ULL : info.mapped_frames;
}

static sigjmp_buf fault_jump;

static void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

/* The signal that touching a byte gives, or 0. */
static int touch(volatile char *p, bool write)
{
	struct sigaction sa = { .sa_handler = on_fault }, bus, segv;
	int sig;

	sigaction(SIGBUS, &sa, &bus);
	sigaction(SIGSEGV, &sa, &segv);
	sig = sigsetjmp(fault_jump, 1);
	if (!sig) {
		char c = *p;

		if (write)
			*p = c;
	}
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return sig;
}

static void fill(__u64 *gfns, unsigned int nr)
{
	while (nr--)
		gfns[nr] = GFN + nr;
}

FIXTURE(map)
{
	int bound;	/* to the target */
	int observer;	/* unbound, privileged */
	__u64 gfns[32];
	int errs[32];
};

FIXTURE_SETUP(map)
{
	self->bound = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->bound);
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	fill(self->gfns, ARRAY_SIZE(self->gfns));
	memset(self->errs, POISON, sizeof(self->errs));
}

FIXTURE_TEARDOWN(map)
{
	close(self->bound);
	close(self->observer);
}

#define ALL	ARRAY_SIZE(self->gfns)

/* --- what it is for ---------------------------------------------------- */

TEST_F(map, one_side_writes_the_other_reads)
{
	char *mine = area(self->bound, ALL, PROT_READ | PROT_WRITE);
	char *theirs = area(self->observer, ALL, PROT_READ);
	unsigned int i;

	ASSERT_NE(MAP_FAILED, mine);
	ASSERT_NE(MAP_FAILED, theirs);
	ASSERT_EQ(0, map(self->bound, target_domid, mine, ALL, self->gfns, self->errs));
	EXPECT_TRUE(all_bytes(self->errs, 0, sizeof(self->errs)));
	ASSERT_EQ(0, map(self->observer, target_domid, theirs, ALL, self->gfns, self->errs));
	EXPECT_EQ(ALL, mapped_frames(self->bound));

	for (i = 0; i < ALL; i++)
		memset(mine + i * PAGE, i + 1, PAGE);
	for (i = 0; i < ALL; i++)
		EXPECT_TRUE(all_bytes(theirs + i * PAGE, i + 1, PAGE));

	/* A mapping that is made for reading is read only. */
	EXPECT_EQ(0, touch(theirs, false));
	EXPECT_EQ(SIGSEGV, touch(theirs, true));

	/* The other domain's frames of those numbers are others. */
	EXPECT_EQ(0, munmap(theirs, ALL * PAGE));
	theirs = area(self->observer, ALL, PROT_READ);
	ASSERT_EQ(0, map(self->observer, other_domid, theirs, ALL, self->gfns, self->errs));
	for (i = 0; i < ALL; i++)
		EXPECT_FALSE(all_bytes(theirs + i * PAGE, i + 1, PAGE));

	EXPECT_EQ(0, munmap(mine, ALL * PAGE));
	EXPECT_EQ(0, mapped_frames(self->bound));
}

TEST_F(map, works_without_privilege)
{
	ASSERT_TRUE(drop_privileges());
	EXPECT_NE(NULL, map_one(self->bound, target_domid, GFN));
	EXPECT_EQ(MAP_FAILED, area(self->observer, 1, PROT_READ));
	EXPECT_EQ(EPERM, errno);
}

/* The VMA holds the file: what is mapped outlives the descriptor. */
TEST_F(map, outlives_the_descriptor)
{
	int fd = dmop_open_bound(target_domid);
	char *p = map_one(fd, target_domid, GFN);

	ASSERT_NE(NULL, p);
	*p = 1;
	close(fd);
	EXPECT_EQ(0, touch(p, true));
	EXPECT_EQ(0, munmap(p, PAGE));
	EXPECT_EQ(SIGSEGV, touch(p, false));
}

/* --- frames that cannot be mapped -------------------------------------- */

TEST_F(map, bad_frames_fail_one_by_one)
{
	char *p = area(self->bound, ALL, PROT_READ | PROT_WRITE);
	unsigned int i;

	for (i = 0; i < ALL; i += 3)
		self->gfns[i] = NO_GFN + i;
	ASSERT_EQ(0, map(self->bound, target_domid, p, ALL, self->gfns, self->errs));
	for (i = 0; i < ALL; i++) {
		EXPECT_EQ(i % 3 == 0, self->errs[i] < 0) {
			TH_LOG("frame %u: %d", i, self->errs[i]);
		}
		EXPECT_EQ(i % 3 == 0 ? SIGBUS : 0, touch(p + i * PAGE, true));
	}

	/* Frame by frame, those that failed can be tried again, and no other. */
	fill(self->gfns, ALL);
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, ALL, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, 2, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p + PAGE, 1, self->gfns, self->errs));
	for (i = 0; i < ALL; i += 3) {
		ASSERT_EQ(0, map(self->bound, target_domid, p + i * PAGE, 1,
				 self->gfns + i, self->errs + i));
		EXPECT_EQ(0, self->errs[i]);
		EXPECT_EQ(0, touch(p + i * PAGE, true));
		EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p + i * PAGE, 1,
				       self->gfns + i, self->errs + i));
	}
	EXPECT_EQ(ALL, mapped_frames(self->bound));
}

TEST_F(map, all_frames_bad)
{
	char *p = area(self->bound, 4, PROT_READ | PROT_WRITE);
	unsigned int i;

	for (i = 0; i < 4; i++)
		self->gfns[i] = NO_GFN;
	ASSERT_EQ(0, map(self->bound, target_domid, p, 4, self->gfns, self->errs));
	for (i = 0; i < 4; i++) {
		EXPECT_GT(0, self->errs[i]);
		EXPECT_EQ(SIGBUS, touch(p + i * PAGE, false));
	}
}

/* No bit of a frame number may reach the flags of a page table entry. */
TEST_F(map, frame_numbers_with_high_bits)
{
	unsigned int bit;

	for (bit = 24; bit < 64; bit++) {
		char *p = area(self->bound, 1, PROT_READ | PROT_WRITE);
		__u64 gfn = GFN | 1ULL << bit;
		int err = 1;

		ASSERT_EQ(0, map(self->bound, target_domid, p, 1, &gfn, &err));
		EXPECT_GT(0, err) {
			TH_LOG("bit %u", bit);
		}
		EXPECT_EQ(SIGBUS, touch(p, false));
		munmap(p, PAGE);
	}
}

/* --- the area ---------------------------------------------------------- */

TEST_F(map, first_call_covers_the_area)
{
	char *p = area(self->bound, 4, PROT_READ | PROT_WRITE);

	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, 3, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p + PAGE, 3, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, 5, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p - PAGE, 5, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p + 1, 4, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p + 8, 3, self->gfns, self->errs));
	EXPECT_TRUE(all_bytes(self->errs, POISON, sizeof(self->errs)));
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(SIGBUS, touch(p, false));

	EXPECT_EQ(0, map(self->bound, target_domid, p, 4, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, 4, self->gfns, self->errs));
	EXPECT_EQ(0, touch(p, true));
}

TEST_F(map, not_over_two_areas)
{
	char *p = area(self->bound, 4, PROT_READ);

	ASSERT_EQ(0, munmap(p, 4 * PAGE));
	ASSERT_EQ(p, mmap(p, 2 * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, self->bound, 0));
	ASSERT_EQ(p + 2 * PAGE, mmap(p + 2 * PAGE, 2 * PAGE, PROT_READ,
				     MAP_SHARED | MAP_FIXED, self->bound, 2 * PAGE));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, 4, self->gfns, self->errs));
	EXPECT_EQ(0, map(self->bound, target_domid, p, 2, self->gfns, self->errs));
	EXPECT_EQ(0, map(self->bound, target_domid, p + 2 * PAGE, 2, self->gfns, self->errs));
}

TEST_F(map, only_into_its_own_areas)
{
	char *theirs = area(self->observer, 1, PROT_READ | PROT_WRITE);
	char *plain = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int zero = open("/dev/zero", O_RDWR);
	char *driver = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
	void *const places[] = {
		theirs, plain, driver, NULL, (void *)PAGE, (void *)-PAGE,
		(void *)0x7ffffffff000, (void *)0xffff888000000000, (void *)(1UL << 63),
	};
	unsigned int i;

	plain[0] = 42;
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_EQ(-EINVAL, map(self->bound, target_domid, places[i], 1, self->gfns, self->errs)) {
			TH_LOG("at %p", places[i]);
		}
	}
	EXPECT_EQ(42, plain[0]);
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(SIGBUS, touch(theirs, false));
	close(zero);
}

TEST_F(map, one_area_is_of_one_domain)
{
	char *p = area(self->observer, 2, PROT_READ);

	self->gfns[1] = NO_GFN;
	ASSERT_EQ(0, map(self->observer, target_domid, p, 2, self->gfns, self->errs));
	EXPECT_EQ(-EINVAL, map(self->observer, other_domid, p + PAGE, 1, self->gfns, self->errs));
	EXPECT_EQ(0, map(self->observer, target_domid, p + PAGE, 1, self->gfns, self->errs));
}

TEST_F(map, mmap_is_shared_and_not_executable)
{
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, self->bound, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, area(self->bound, 1, PROT_READ | PROT_EXEC));
	/* Where the node's file system is mounted noexec, that says so first. */
	EXPECT_TRUE(errno == EACCES || errno == EPERM);
	/* On PV, Xen would take the frames of such an area unseen. */
	EXPECT_EQ(MAP_FAILED, area(self->bound, 1, PROT_NONE));
	EXPECT_EQ(EACCES, errno);
	/* Further than areas begin; mmap() has no such offset, the old call has. */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->bound, -PAGE));
}

/* Everything that would move, split, grow or change it; it stays as it is. */
TEST_F(map, stays_as_it_is)
{
	char *p = area(self->bound, 4, PROT_READ | PROT_WRITE);
	char *free = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	ASSERT_EQ(0, map(self->bound, target_domid, p, 4, self->gfns, self->errs));
	for (i = 0; i < 4; i++)
		memset(p + i * PAGE, i + 1, PAGE);

	EXPECT_EQ(MAP_FAILED, mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, free));
	EXPECT_EQ(MAP_FAILED, mremap(p, 4 * PAGE, 8 * PAGE, 0));
	EXPECT_EQ(MAP_FAILED, mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(p, 4 * PAGE, 2 * PAGE, 0));
	EXPECT_EQ(MAP_FAILED, mremap(p, 0, 4 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | 4 /* DONTUNMAP */));
	EXPECT_EQ(MAP_FAILED, mremap(p + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, free));

	EXPECT_NE(0, munmap(p, PAGE));
	EXPECT_NE(0, munmap(p + 3 * PAGE, PAGE));
	EXPECT_NE(0, munmap(p + PAGE, PAGE));
	EXPECT_EQ(MAP_FAILED, mmap(p + PAGE, PAGE, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(-1, mprotect(p, 4 * PAGE, PROT_READ));
	EXPECT_EQ(-1, mprotect(p, 4 * PAGE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(-1, mprotect(p + PAGE, PAGE, PROT_READ));
	EXPECT_EQ(-1, madvise(p, 4 * PAGE, MADV_DONTNEED));
	EXPECT_EQ(-1, madvise(p, 4 * PAGE, MADV_DOFORK));
	EXPECT_EQ(-1, madvise(p, 4 * PAGE, MADV_DODUMP));
	EXPECT_EQ(-1, madvise(p, 4 * PAGE, MADV_REMOVE));
	EXPECT_EQ(-1, madvise(p, 4 * PAGE, MADV_FREE));
	EXPECT_EQ(-1, syscall(SYS_remap_file_pages, p, 4 * PAGE, 0, 1UL << 62, 0));

	for (i = 0; i < 4; i++)
		EXPECT_TRUE(all_bytes(p + i * PAGE, i + 1, PAGE));
	EXPECT_EQ(4, mapped_frames(self->bound));
	EXPECT_EQ(0, munmap(p, 4 * PAGE));
	EXPECT_EQ(0, mapped_frames(self->bound));
}

/* Linux 5.10 cannot refuse it. What is lost by that is lost for good, and to nobody else. */
TEST_F(map, access_does_not_come_back)
{
	char *p = area(self->bound, 2, PROT_READ | PROT_WRITE);
	struct utsname kernel;
	unsigned long major;
	unsigned long minor;
	char *end;
	bool refused;

	ASSERT_EQ(0, uname(&kernel));
	major = strtoul(kernel.release, &end, 10);
	ASSERT_EQ('.', *end);
	minor = strtoul(end + 1, NULL, 10);
	ASSERT_EQ(0, map(self->bound, target_domid, p, 2, self->gfns, self->errs));
	memset(p, 1, 2 * PAGE);

	refused = mprotect(p, 2 * PAGE, PROT_NONE);
	EXPECT_EQ(major > 5 || minor > 10, refused);
	EXPECT_EQ(-1, mprotect(p, 2 * PAGE, PROT_READ));
	EXPECT_EQ(-1, mprotect(p, 2 * PAGE, PROT_WRITE));
	EXPECT_EQ(-1, mprotect(p, 2 * PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(refused ? 0 : SIGSEGV, touch(p, false));
	EXPECT_EQ(refused ? 0 : SIGSEGV, touch(p + PAGE, true));
	EXPECT_EQ(0, munmap(p, 2 * PAGE));
	EXPECT_EQ(0, mapped_frames(self->bound));
}

/* Soft-dirty tracking takes the write permission from what is mapped later. */
TEST_F(map, survives_soft_dirty_tracking)
{
	char *p = area(self->bound, 2, PROT_READ | PROT_WRITE);
	int clear = open("/proc/self/clear_refs", O_WRONLY), zero = open("/dev/zero", O_RDONLY);

	ASSERT_EQ(1, write(clear, "4", 1));
	ASSERT_EQ(0, map(self->bound, target_domid, p, 2, self->gfns, self->errs));
	EXPECT_EQ(0, touch(p, true));
	ASSERT_EQ(1, write(clear, "4", 1));
	EXPECT_EQ(0, touch(p + PAGE, true));
	EXPECT_EQ(2 * PAGE, read(zero, p, 2 * PAGE));
	EXPECT_TRUE(all_bytes(p, 0, 2 * PAGE));
	close(clear);
	close(zero);
}

/* The kernel's own write to a read-only mapping ends, and not well. */
TEST_F(map, system_calls_cannot_write_it)
{
	char *p = area(self->bound, 1, PROT_READ);
	int zero = open("/dev/zero", O_RDONLY);

	ASSERT_EQ(0, map(self->bound, target_domid, p, 1, self->gfns, self->errs));
	EXPECT_EQ(-1, read(zero, p, PAGE));
	EXPECT_EQ(EFAULT, errno);
	close(zero);
}

TEST_F(map, nobody_else_gets_it)
{
	char *p = map_one(self->bound, target_domid, GFN);
	char copy[8];
	struct iovec local = { copy, sizeof(copy) }, remote = { p, sizeof(copy) };
	int mem = open("/proc/self/mem", O_RDONLY), status;
	pid_t child;

	ASSERT_NE(NULL, p);
	EXPECT_EQ(-1, process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
	EXPECT_EQ(-1, pread(mem, copy, sizeof(copy), (unsigned long)p));
	close(mem);

	child = fork();
	if (!child)
		_exit(touch(p, false) == SIGSEGV ? 0 : 1);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, touch(p, true));
}

/* --- policy, order, limits --------------------------------------------- */

TEST_F(map, policy)
{
	const __u16 refused[] = { other_domid, 0, ABSENT_DOMID, 0x7ff0, 0x7ff1, 0x7ff2, 0x7ff4, 0xffff };
	char *p = area(self->bound, 1, PROT_READ);
	struct dmop_mmap_resource r = { .type = RESOURCE_IOREQ_SERVER };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		r.dom = refused[i];
		EXPECT_EQ(-EPERM, map(self->bound, refused[i], p, 1, self->gfns, self->errs));
		EXPECT_EQ(-EPERM, map(self->bound, refused[i], BAD_POINTER, 0, BAD_POINTER, BAD_POINTER));
		EXPECT_EQ(-EPERM, map_resource(self->bound, &r));
		if (refused[i] == other_domid || refused[i] == ABSENT_DOMID)
			continue;
		EXPECT_EQ(-EPERM, map(self->observer, refused[i], p, 1, self->gfns, self->errs));
		EXPECT_EQ(-EPERM, map_resource(self->observer, &r));
	}
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(SIGBUS, touch(p, false));

	ASSERT_TRUE(drop_privileges());
	r.dom = target_domid;
	EXPECT_EQ(-EPERM, map(self->observer, target_domid, p, 1, self->gfns, self->errs));
	EXPECT_EQ(-EPERM, map_resource(self->observer, &r));
}

TEST_F(map, order_of_refusals)
{
	char *p = area(self->bound, 1, PROT_READ);
	struct dmop_info info;

	ASSERT_EQ(0, dmop_info(self->bound, &info));
	EXPECT_EQ(-EFAULT, dmop_ioctl(self->bound, DMOP_IOCTL_MMAPBATCH_V2, BAD_POINTER));
	EXPECT_EQ(-EFAULT, dmop_ioctl(self->bound, DMOP_IOCTL_MMAP_RESOURCE, BAD_POINTER));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p, 0, BAD_POINTER, BAD_POINTER));
	EXPECT_EQ(-E2BIG, map(self->bound, target_domid, p, info.max_call_frames + 1,
			      BAD_POINTER, BAD_POINTER));
	EXPECT_EQ(-E2BIG, map(self->bound, target_domid, p, -1, BAD_POINTER, BAD_POINTER));
	EXPECT_EQ(-EFAULT, map(self->bound, target_domid, BAD_POINTER, 1, BAD_POINTER, BAD_POINTER));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, BAD_POINTER, 1, self->gfns, BAD_POINTER));
	EXPECT_EQ(0, mapped_frames(self->bound));

	/* The exception: Xen has acted, and only then is it seen. */
	EXPECT_EQ(-EFAULT, map(self->bound, target_domid, p, 1, self->gfns, BAD_POINTER));
	EXPECT_EQ(0, touch(p, false));
}

TEST_F(map, limit_of_a_file)
{
	long before = param_get("max_map_frames");
	char *p = area(self->bound, 4, PROT_READ), *q = area(self->bound, 4, PROT_READ);
	long first, second, third;

	ASSERT_LT(0, before);
	ASSERT_EQ(0, param_set("max_map_frames", 6));
	first = map(self->bound, target_domid, p, 4, self->gfns, self->errs);
	second = map(self->bound, target_domid, q, 4, self->gfns, self->errs);
	munmap(p, 4 * PAGE);
	third = map(self->bound, target_domid, q, 4, self->gfns, self->errs);
	ASSERT_EQ(0, param_set("max_map_frames", before));
	EXPECT_EQ(0, first);
	EXPECT_EQ(-E2BIG, second);
	EXPECT_EQ(0, third);
	EXPECT_EQ(4, mapped_frames(self->bound));
}

/*
 * On an auto-translated dom0 each frame takes an empty page, for which nobody pays.
 * How many there are is the toolstack's word: a device model can move a page of its
 * domain to a frame as high as it likes.
 */
TEST_F(map, no_more_pages_than_the_domain_may_have)
{
	bool translated = !system("grep -qx PVH /sys/hypervisor/guest_type");
	struct dm_op op = {
		.op = DM_OP_RELOCATE_MEMORY,
		.u.relocate = { .size = 1, .src_gfn = GFN + 128, .dst_gfn = HIGH_GFN },
	};
	static __u64 gfns[MANY_FRAMES];
	static int errs[MANY_FRAMES];
	char *p = area(self->bound, MANY_FRAMES, PROT_READ);
	int i;

	for (i = 0; i < MANY_FRAMES; i++)
		gfns[i] = NO_GFN;
	ASSERT_EQ(0, dm_op(self->bound, target_domid, &op));
	EXPECT_EQ(translated ? -E2BIG : 0,
		  map(self->bound, target_domid, p, MANY_FRAMES, gfns, errs));
	EXPECT_EQ(translated ? 0 : MANY_FRAMES, mapped_frames(self->bound));

	op.u.relocate.size = 1;
	op.u.relocate.src_gfn = HIGH_GFN;
	op.u.relocate.dst_gfn = GFN + 128;
	EXPECT_EQ(0, dm_op(self->bound, target_domid, &op));
}

/* --- restriction ------------------------------------------------------- */

TEST_F(map, restrict_refuses_what_is_not_of_the_domain)
{
	char *p = map_one(self->observer, other_domid, GFN);
	char *q = map_one(self->observer, target_domid, GFN);

	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, q);
	EXPECT_EQ(-EBUSY, dmop_restrict(self->observer, target_domid));
	EXPECT_EQ(-EBUSY, dmop_restrict(self->observer, other_domid));
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(self->observer));
	EXPECT_EQ(0, touch(p, true));
	EXPECT_EQ(0, touch(q, true));

	ASSERT_EQ(0, munmap(p, PAGE));
	EXPECT_EQ(0, dmop_restrict(self->observer, target_domid));
	EXPECT_EQ(0, touch(q, true));
	EXPECT_EQ(-EPERM, map(self->observer, other_domid, q, 1, self->gfns, self->errs));
}

#define ROUNDS	300

struct mapper {
	int fd;
	volatile int stop;
	long wrong;
};

/* Maps the other domain as long as it may. */
static void *mapper_main(void *data)
{
	struct mapper *m = data;
	__u64 gfn = GFN;
	int err;

	while (!m->stop) {
		char *p = area(m->fd, 1, PROT_READ);
		long ret = map(m->fd, other_domid, p, 1, &gfn, &err);

		if (ret && ret != -EPERM)
			m->wrong = ret;
		munmap(p, PAGE);
	}
	return NULL;
}

/* Once RESTRICT has returned 0, nothing of the other domain is mapped. */
TEST_F(map, restrict_against_mapping)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		struct mapper m = { .fd = dmop_open() };
		pthread_t thread;
		long ret;

		ASSERT_LE(0, m.fd);
		ASSERT_EQ(0, pthread_create(&thread, NULL, mapper_main, &m));
		do
			ret = dmop_restrict(m.fd, target_domid);
		while (ret == -EBUSY);
		EXPECT_EQ(0, ret);
		EXPECT_EQ(0, mapped_frames(m.fd));
		m.stop = 1;
		pthread_join(thread, NULL);
		EXPECT_EQ(0, m.wrong);
		close(m.fd);
	}
}

/* Two threads at one area: one fills it, or neither is disturbed. */
static void *rival_main(void *data)
{
	struct mapper *m = data;
	__u64 gfns[8];
	int errs[8];

	fill(gfns, 8);
	while (!m->stop) {
		char *p = area(m->fd, 8, PROT_READ | PROT_WRITE);

		if (p == MAP_FAILED || map(m->fd, target_domid, p, 8, gfns, errs) ||
		    errs[7] || touch(p + 7 * PAGE, true))
			m->wrong++;
		munmap(p, 8 * PAGE);
	}
	return NULL;
}

TEST_F(map, many_threads)
{
	struct mapper m = { .fd = self->bound };
	pthread_t threads[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, rival_main, &m));
	for (i = 0; i < ROUNDS; i++) {
		char *p = map_one(m.fd, target_domid, GFN + 9);

		ASSERT_NE(NULL, p);
		ASSERT_EQ(0, munmap(p, PAGE));
	}
	m.stop = 1;
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, m.wrong);
	EXPECT_EQ(0, mapped_frames(m.fd));
}

/* --- taken away -------------------------------------------------------- */

#define TABLE		512UL	/* pages that one page table maps */
#define NR_TABLES	4

/*
 * Other memory of the process shares page tables with the area, and keeps its
 * pages when the area goes; also if some of the area's frames were not mapped.
 */
TEST_F(map, unmapping_spares_the_neighbours)
{
	static const unsigned int sizes[] = { 1, 15, 16, 17, 63, 64, 65, TABLE - 1, TABLE, TABLE + 1, 2 * TABLE };
	static const unsigned int offsets[] = { 1, 300, TABLE - 1 };
	static __u64 gfns[2 * TABLE];
	static int errs[2 * TABLE];
	size_t bytes = NR_TABLES * TABLE * PAGE;
	char *all = mmap(NULL, bytes + TABLE * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int o, s, i;

	ASSERT_NE(MAP_FAILED, all);
	all = (char *)(((unsigned long)all + TABLE * PAGE - 1) & -(TABLE * PAGE));
	ASSERT_EQ(0, madvise(all, bytes, MADV_NOHUGEPAGE));

	for (o = 0; o < ARRAY_SIZE(offsets); o++) {
		for (s = 0; s < 2 * ARRAY_SIZE(sizes); s++) {
			unsigned int nr = sizes[s / 2], bad = s % 2 ? 3 : nr + 1;
			char *p = all + offsets[o] * PAGE;

			for (i = 0; i < NR_TABLES * TABLE; i++)
				*(unsigned int *)(all + i * PAGE) = ~i;
			for (i = 0; i < nr; i++)
				gfns[i] = i % bad == 1 ? NO_GFN : GFN + i % 64;
			ASSERT_EQ(p, mmap(p, nr * PAGE, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_FIXED, self->bound, 0));
			ASSERT_EQ(0, map(self->bound, target_domid, p, nr, gfns, errs));
			for (i = 0; i < nr; i++)
				EXPECT_EQ(i % bad == 1, errs[i] < 0);
			EXPECT_EQ(0, touch(p, true));
			ASSERT_EQ(0, munmap(p, nr * PAGE));
			EXPECT_EQ(SIGSEGV, touch(p, false));
			EXPECT_EQ(0, mapped_frames(self->bound));

			/* It was the old memory's before, too. */
			ASSERT_EQ(p, mmap(p, nr * PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
			for (i = 0; i < NR_TABLES * TABLE; i++) {
				bool of_area = i >= offsets[o] && i < offsets[o] + nr;

				ASSERT_EQ(of_area ? 0 : ~i, *(unsigned int *)(all + i * PAGE)) {
					TH_LOG("page %u, area of %u at %u", i, nr, offsets[o]);
				}
			}
		}
	}
}

struct reader {
	volatile char *volatile at;
	volatile bool unmapped;
	volatile bool late;
	volatile unsigned long reads;
};

/* No system call between two reads: it could make the processor forget what it knows. */
static void *read_on(void *data)
{
	struct reader *r = data;
	bool unmapped;

	if (sigsetjmp(fault_jump, 1))
		return NULL;
	while (!r->late) {
		unmapped = r->unmapped;
		*r->at;
		r->late = unmapped;
		r->reads++;
	}
	return NULL;
}

/* On whatever processor: once munmap() is back, nobody reads there any more. */
TEST_F(map, unmapping_is_seen_by_all_processors)
{
	struct sigaction sa = { .sa_handler = on_fault };
	struct reader r = { };
	unsigned int i;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	for (i = 0; i < 200; i++) {
		/* With a neighbour, so that the page table stays. */
		char *all = mmap(NULL, 3 * ALL * PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		char *p = all + ALL * PAGE;
		pthread_t thread;

		ASSERT_EQ(p, mmap(p, ALL * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, self->bound, 0));
		ASSERT_EQ(0, map(self->bound, target_domid, p, ALL, self->gfns, self->errs));
		r = (struct reader) { .at = p };
		ASSERT_EQ(0, pthread_create(&thread, NULL, read_on, &r));
		while (r.reads < 100)
			sched_yield();
		ASSERT_EQ(0, munmap(p, ALL * PAGE));
		r.unmapped = true;
		ASSERT_EQ(0, pthread_join(thread, NULL));
		EXPECT_FALSE(r.late);
		munmap(all, 3 * ALL * PAGE);
	}
}

/* Each has its own frames and is taken away for itself, in whatever order. */
TEST_F(map, many_small_areas)
{
	char *areas[16];
	unsigned int round, i, nr, at;

	for (round = 0; round < 16; round++) {
		for (i = 0; i < 16; i++) {
			nr = 1 + (i + round) % 16;
			areas[i] = area(self->bound, nr, PROT_READ | PROT_WRITE);
			ASSERT_EQ(0, map(self->bound, target_domid, areas[i], nr, self->gfns, self->errs));
			EXPECT_EQ(-EINVAL, map(self->bound, target_domid, areas[i], nr, self->gfns, self->errs));
		}
		EXPECT_EQ(16 * 17 / 2, mapped_frames(self->bound));
		for (i = 0; i < 16; i++) {
			at = (i * 5 + round) % 16;
			nr = 1 + (at + round) % 16;
			EXPECT_EQ(0, touch(areas[at] + (nr - 1) * PAGE, true));
			ASSERT_EQ(0, munmap(areas[at], nr * PAGE));
		}
		EXPECT_EQ(0, mapped_frames(self->bound));
	}
}

/* --- resources --------------------------------------------------------- */

TEST_F(map, resource_of_an_ioreq_server)
{
	long id = ioreq_create(self->bound, target_domid);
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = RESOURCE_IOREQ_SERVER, .id = id,
	};
	char *p = area(self->bound, 1, PROT_READ | PROT_WRITE);
	char *q = area(self->observer, 1, PROT_READ | PROT_WRITE);

	ASSERT_LE(0, id);
	EXPECT_EQ(0, map_resource(self->bound, &r));
	EXPECT_LT(0, r.num);

	r.idx = FRAME_IOREQ;
	r.num = 1;
	r.addr = (unsigned long)p;
	ASSERT_EQ(0, map_resource(self->bound, &r));
	EXPECT_EQ(-EINVAL, map_resource(self->bound, &r));
	r.addr = (unsigned long)q;
	EXPECT_EQ(-EINVAL, map_resource(self->bound, &r));
	ASSERT_EQ(0, map_resource(self->observer, &r));
	strcpy(p, "ioreq");
	EXPECT_STREQ("ioreq", q);
	EXPECT_EQ(0, munmap(p, PAGE));
	EXPECT_EQ(0, munmap(q, PAGE));
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(0, ioreq_destroy(self->bound, target_domid, id));
}

TEST_F(map, resource_that_cannot_be_mapped)
{
	char *p = area(self->bound, 2, PROT_READ | PROT_WRITE);
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = RESOURCE_IOREQ_SERVER, .id = 7,
		.idx = FRAME_IOREQ, .num = 2, .addr = (unsigned long)p,
	};
	struct dmop_mmap_resource bad;

	EXPECT_GT(0, map_resource(self->bound, &r));
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(SIGBUS, touch(p, false));

	bad = r;
	bad.num = 0;
	EXPECT_EQ(-EINVAL, map_resource(self->bound, &bad));
	bad = r;
	bad.addr = 0;
	EXPECT_EQ(-EINVAL, map_resource(self->bound, &bad));
	bad = r;
	bad.type |= 1U << 16;
	EXPECT_EQ(-EINVAL, map_resource(self->bound, &bad));
	bad = r;
	bad.num = 1ULL << 32 | 2;
	EXPECT_EQ(-E2BIG, map_resource(self->bound, &bad));
	bad = r;
	bad.num = 1;
	EXPECT_EQ(-EINVAL, map_resource(self->bound, &bad));
	bad = r;
	bad.addr = (unsigned long)p | 1;
	EXPECT_EQ(-EINVAL, map_resource(self->bound, &bad));

	/* The area is as new. */
	EXPECT_EQ(0, map(self->bound, target_domid, p, 2, self->gfns, self->errs));
	EXPECT_EQ(0, touch(p, true));
}

/* --- the end ----------------------------------------------------------- */

static long doomed_create(void)
{
	FILE *f = popen("lab-domain create " NR_DOOMED, "r");
	long domid = -1;

	if (f && fscanf(f, "%ld", &domid) != 1)
		domid = -1;
	return f && !pclose(f) ? domid : -1;
}

/* Until no domain of that number is left, dying ones included. */
static void wait_until_gone(int observer, __u16 domid)
{
	while (unknown_op(observer, domid) != -ESRCH)
		usleep(10000);
}

/* The process lives on, with its areas; the domain does not. */
TEST_F(map, goes_with_the_domain)
{
	long domid = doomed_create();
	int fd = dmop_open_bound(domid);
	char *p = map_one(fd, domid, GFN), *empty = area(fd, 1, PROT_READ);

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, system("lab-domain destroy " NR_DOOMED));
	wait_until_gone(self->observer, domid);

	EXPECT_EQ(SIGBUS, touch(p, false));
	EXPECT_EQ(-ESRCH, map(fd, domid, empty, 1, self->gfns, self->errs));
	EXPECT_EQ(-ESRCH, map(fd, domid, p, 1, self->gfns, self->errs));
	EXPECT_EQ(MAP_FAILED, area(fd, 1, PROT_READ));
	EXPECT_EQ(ESRCH, errno);
	EXPECT_EQ(DMOP_STATE_REVOKED, dmop_state(fd));
	EXPECT_EQ(0, munmap(p, PAGE));
	EXPECT_EQ(0, mapped_frames(fd));
	close(fd);
}

/*
 * A toolstack that destroys first and cleans up later: no event tells of the
 * second, and until then nothing tells that the domain is gone for good.
 */
TEST_F(map, goes_when_the_toolstack_forgets_the_domain)
{
	long domid = doomed_create();
	int fd = dmop_open_bound(domid);
	char *p = map_one(fd, domid, GFN), command[64];
	struct pollfd events = { .fd = fd };

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, system("lab-domain create dmop-test-event >/dev/null && lab-domain destroy dmop-test-event"));
	EXPECT_EQ(0, poll(&events, 1, 3000));
	EXPECT_EQ(0, touch(p, true));

	snprintf(command, sizeof(command), "xenstore-rm /local/domain/%ld", domid);
	ASSERT_EQ(0, system(command));
	EXPECT_EQ(1, poll(&events, 1, -1));
	/* Pollers are woken first, mappings are taken then. */
	while (touch(p, false) != SIGBUS)
		usleep(1000);
	snprintf(command, sizeof(command), "lab-domain destroy %ld", domid);
	ASSERT_EQ(0, system(command));
	wait_until_gone(self->observer, domid);
	close(fd);
}

/* Mapping on all sides when it dies, and one mapper stopped in the middle. */
TEST_F(map, goes_with_the_domain_under_load)
{
	long domid = doomed_create();
	pid_t children[4];
	unsigned int i;

	ASSERT_LT(0, domid);
	for (i = 0; i < 4; i++) {
		children[i] = fork();
		if (!children[i]) {
			int fd = dmop_open_bound(domid);

			for (;;)
				map_one(fd, domid, GFN);
		}
	}
	usleep(200000);
	kill(children[0], SIGSTOP);
	kill(children[1], SIGKILL);
	ASSERT_EQ(0, system("lab-domain destroy " NR_DOOMED));
	wait_until_gone(self->observer, domid);
	for (i = 0; i < 4; i++) {
		kill(children[i], SIGKILL);
		EXPECT_EQ(children[i], waitpid(children[i], NULL, 0));
	}
}

/* Killed in the middle, again and again: nothing is left of it. */
TEST_F(map, killed_while_mapping)
{
	long domid = doomed_create();
	unsigned int i;

	ASSERT_LT(0, domid);
	for (i = 0; i < 40; i++) {
		pid_t child = fork();

		if (!child) {
			int fd = dmop_open_bound(domid);

			for (;;) {
				char *p = area(fd, ALL, PROT_READ | PROT_WRITE);

				map(fd, domid, p, ALL, self->gfns, self->errs);
			}
		}
		usleep(1000 * (i % 20));
		kill(child, SIGKILL);
		EXPECT_EQ(child, waitpid(child, NULL, 0));
	}
	ASSERT_EQ(0, system("lab-domain destroy " NR_DOOMED));
	wait_until_gone(self->observer, domid);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
