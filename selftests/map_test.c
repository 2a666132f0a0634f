// SPDX-License-Identifier: GPL-2.0
/*
 * map_test.c - memory and resources of the target domain, mapped
 */
#include <poll.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "command.h"
#include "frames.h"
#include "hold.h"

#define BAD_POINTER	((void *)8)

/* Where a device model can have a page moved to; and more than twice what the guest may have. */
#define HIGH_GFN	0x700000ULL
#define MANY_FRAMES	32768

#define DOOMED		"dmop-test-mapped"
#define CGROUP		"/sys/fs/cgroup/dmop-test"

/* After so many the module looks whether it is to go on. */
#define PORTION		4096

/* --- wrappers ---------------------------------------------------------- */

static long map_resource(int fd, struct dmop_mmap_resource *r)
{
	return dmop_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, r);
}

/* A PVH dom0: there a file gets only so many frames, and each takes long. */
static bool auto_translated(void)
{
	return run("grep -qx PVH /sys/hypervisor/guest_type");
}

/* The first NR_GFNS, again and again. */
#define NR_GFNS		32

static void fill(__u64 *gfns, unsigned int nr)
{
	while (nr--)
		gfns[nr] = GFN + nr % NR_GFNS;
}

FIXTURE(map)
{
	int bound;	/* to the target */
	int observer;	/* unbound, privileged */
	__u64 gfns[NR_GFNS];
	int errs[NR_GFNS];
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

/* What fails at the end of one portion and at the beginning of the next, fails there. */
TEST_F(map, more_than_one_portion)
{
	static __u64 gfns[PORTION + 904];
	static int errs[ARRAY_SIZE(gfns)];
	const unsigned int nr = ARRAY_SIZE(gfns);
	char *p = area(self->bound, nr, PROT_READ | PROT_WRITE);
	char *q = area(self->observer, ALL, PROT_READ | PROT_WRITE);
	unsigned int i;

	ASSERT_EQ(0, map(self->observer, target_domid, q, ALL, self->gfns, self->errs));
	for (i = 0; i < ALL; i++)
		memset(q + i * PAGE, i + 1, PAGE);
	fill(gfns, nr);
	for (i = PORTION - 1; i <= PORTION + 1; i++)
		gfns[i] = NO_GFN;
	memset(errs, POISON, sizeof(errs));
	ASSERT_EQ(0, map(self->bound, target_domid, p, nr, gfns, errs));
	EXPECT_EQ(nr, mapped_frames(self->bound));
	for (i = 0; i < nr; i++) {
		bool bad = gfns[i] == NO_GFN;

		ASSERT_EQ(bad, errs[i] < 0) {
			TH_LOG("frame %u: %d", i, errs[i]);
		}
		ASSERT_EQ(bad ? SIGBUS : 0, touch(p + i * PAGE, false));
		ASSERT_TRUE(bad || p[i * PAGE] == (int)(i % NR_GFNS) + 1);
	}

	/* These can be tried again, those beside them cannot. */
	fill(gfns, nr);
	for (i = PORTION - 2; i <= PORTION + 2; i++)
		EXPECT_EQ(i == PORTION - 2 || i == PORTION + 2 ? -EINVAL : 0,
			  map(self->bound, target_domid, p + i * PAGE, 1, gfns + i, errs));
	EXPECT_EQ(-EINVAL, map(self->bound, target_domid, p + (nr - 1) * PAGE, 1, gfns, errs));
	EXPECT_EQ(0, munmap(p, nr * PAGE));
	EXPECT_EQ(0, mapped_frames(self->bound));
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

/* Of the area at @p, as proc(5) abbreviates them; "" if there is none. */
static void flags_of(const char *p, char *flags, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	bool here = false;

	flags[0] = 0;
	while (f && fgets(flags, size, f)) {
		if (sscanf(flags, "%lx-%lx ", &start, &end) == 2)
			here = start == (unsigned long)p;
		else if (here && !strncmp(flags, "VmFlags:", 8))
			break;
		flags[0] = 0;
	}
	if (f)
		fclose(f);
}

/* What keeps fork, core dumps, mremap and the rest of the kernel away from it. */
TEST_F(map, flags_of_the_area)
{
	static const char *const set[] = { "sh", "pf", "io", "dc", "de", "dd" };
	static const char *const clear[] = { "ex", "mr", "mw", "me" };
	char *p = map_one(self->bound, target_domid, GFN), flags[256], flag[8];
	unsigned int i;

	ASSERT_NE(NULL, p);
	flags_of(p, flags, sizeof(flags));
	ASSERT_STRNE("", flags);
	for (i = 0; i < ARRAY_SIZE(set); i++) {
		snprintf(flag, sizeof(flag), " %s ", set[i]);
		EXPECT_NE(NULL, strstr(flags, flag)) {
			TH_LOG("no%sin %s", flag, flags);
		}
	}
	for (i = 0; i < ARRAY_SIZE(clear); i++) {
		snprintf(flag, sizeof(flag), " %s ", clear[i]);
		EXPECT_EQ(NULL, strstr(flags, flag)) {
			TH_LOG("%sin %s", flag, flags);
		}
	}
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
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = RESOURCE_GRANT_TABLE, .num = 4, .addr = (unsigned long)q,
	};
	long first, second, second_resource, third;

	ASSERT_LT(0, before);
	ASSERT_EQ(0, param_set("max_map_frames", 6));
	first = map(self->bound, target_domid, p, 4, self->gfns, self->errs);
	second = map(self->bound, target_domid, q, 4, self->gfns, self->errs);
	second_resource = map_resource(self->bound, &r);
	munmap(p, 4 * PAGE);
	third = map(self->bound, target_domid, q, 4, self->gfns, self->errs);
	ASSERT_EQ(0, param_set("max_map_frames", before));
	EXPECT_EQ(0, first);
	EXPECT_EQ(-E2BIG, second);
	EXPECT_EQ(-E2BIG, second_resource);
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
	bool translated = auto_translated();
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

static long charged(void)
{
	return number("cat " CGROUP "/memory.current");
}

/*
 * A call that has made its allocation and now sleeps, reading the list of frames:
 * whose memory is that?
 */
static int charged_main(int fd, unsigned int nr)
{
	struct dmop_mmapbatch_v2 m = { .num = nr, .dom = target_domid };
	long before, within, size = nr * (sizeof(__u64) + sizeof(int));
	struct caller call = { };
	struct hold hold = { };

	if (!run("echo %d >" CGROUP "/cgroup.procs", getpid()) || hold_init(&hold))
		return 1;
	m.arr = (void *)hold.page;
	before = charged();
	if (!caller_start(&call, fd, DMOP_IOCTL_MMAPBATCH_V2, &m) || !hold_wait(&hold))
		return 2;
	within = charged();
	printf("# %ld bytes charged before the call, %ld within, for %ld\n", before, within, size);
	hold_release(&hold, "", 1);
	/* The list goes on where nothing can be read. */
	if (before < 0 || caller_join(&call) != -EFAULT)
		return 3;
	/* The shell that reads it is charged, too, and not always the same. */
	return within - before < size / 2;
}

TEST_F(map, memory_of_a_call_is_the_callers)
{
	struct dmop_info info;
	int status;
	pid_t child;

	if (!run("echo +memory >/sys/fs/cgroup/cgroup.subtree_control && mkdir -p " CGROUP))
		SKIP(return, "no memory controller (CONFIG_MEMCG), or no cgroup2 on /sys/fs/cgroup");
	ASSERT_EQ(0, dmop_info(self->bound, &info));
	child = fork();
	if (!child)
		_exit(charged_main(self->bound, info.max_call_frames));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	rmdir(CGROUP);
}

/* --- restriction ------------------------------------------------------- */

TEST_F(map, restrict_refuses_what_is_not_of_the_domain)
{
	char *p = map_one(self->observer, other_domid, GFN);
	char *q = map_one(self->observer, target_domid, GFN);
	char *none = area(self->observer, 1, PROT_READ);

	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, q);
	/* An area of the other domain that holds nothing of it. */
	self->gfns[0] = NO_GFN;
	ASSERT_EQ(0, map(self->observer, other_domid, none, 1, self->gfns, self->errs));
	EXPECT_GT(0, self->errs[0]);
	EXPECT_EQ(-EBUSY, dmop_restrict(self->observer, target_domid));
	EXPECT_EQ(-EBUSY, dmop_restrict(self->observer, other_domid));
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(self->observer));
	EXPECT_EQ(0, touch(p, true));
	EXPECT_EQ(0, touch(q, true));

	ASSERT_EQ(0, munmap(p, PAGE));
	EXPECT_EQ(0, dmop_restrict(self->observer, target_domid));
	EXPECT_EQ(0, touch(q, true));
	EXPECT_EQ(-EPERM, map(self->observer, other_domid, q, 1, self->gfns, self->errs));
	EXPECT_EQ(-EPERM, map(self->observer, other_domid, none, 1, self->gfns, self->errs));
	EXPECT_EQ(SIGBUS, touch(none, false));
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

/* Each in areas of its own, none disturbed by the others. */
static void *neighbour_main(void *data)
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
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, neighbour_main, &m));
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

#define RIVAL_FRAMES	8

enum role { MAPS, UNMAPS, CLOSES };

struct rival {
	pthread_t thread;
	pthread_barrier_t *barrier;
	enum role role;
	int fd;
	char *p;
	long ret;
};

static void *rival_main(void *data)
{
	struct rival *r = data;
	__u64 gfns[RIVAL_FRAMES];
	int errs[RIVAL_FRAMES];

	fill(gfns, RIVAL_FRAMES);
	pthread_barrier_wait(r->barrier);
	switch (r->role) {
	case MAPS:
		r->ret = map(r->fd, target_domid, r->p, RIVAL_FRAMES, gfns, errs);
		break;
	case UNMAPS:
		r->ret = munmap(r->p, RIVAL_FRAMES * PAGE);
		break;
	case CLOSES:
		r->ret = close(r->fd);
		break;
	}
	return NULL;
}

/* All at one area, at once. */
static void rivals(struct __test_metadata *const _metadata, struct rival *r, unsigned int nr, int fd)
{
	char *p = area(fd, RIVAL_FRAMES, PROT_READ | PROT_WRITE);
	pthread_barrier_t barrier;
	unsigned int i;

	ASSERT_NE(MAP_FAILED, p);
	pthread_barrier_init(&barrier, NULL, nr);
	for (i = 0; i < nr; i++) {
		r[i].barrier = &barrier;
		r[i].fd = fd;
		r[i].p = p;
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, rival_main, &r[i]));
	}
	for (i = 0; i < nr; i++)
		pthread_join(r[i].thread, NULL);
	pthread_barrier_destroy(&barrier);
}

TEST_F(map, one_of_many_fills_an_area)
{
	unsigned int i, round;

	for (round = 0; round < ROUNDS / 3; round++) {
		struct rival r[4] = { };	/* all of them map */
		unsigned int won = 0, lost = 0;

		rivals(_metadata, r, 4, self->bound);
		for (i = 0; i < 4; i++) {
			won += r[i].ret == 0;
			lost += r[i].ret == -EINVAL;
		}
		ASSERT_EQ(1, won);
		ASSERT_EQ(3, lost);
		EXPECT_EQ(RIVAL_FRAMES, mapped_frames(self->bound));
		EXPECT_EQ(0, touch(r[0].p + (RIVAL_FRAMES - 1) * PAGE, true));
		ASSERT_EQ(0, munmap(r[0].p, RIVAL_FRAMES * PAGE));
	}
	EXPECT_EQ(0, mapped_frames(self->bound));
}

/* One maps what another unmaps, and a third closes the descriptor, which may be the last. */
TEST_F(map, unmapped_and_closed_while_mapping)
{
	long users = refcount();
	unsigned int round;

	ASSERT_LT(0, users);
	for (round = 0; round < ROUNDS / 3; round++) {
		struct rival r[3] = { { .role = MAPS }, { .role = UNMAPS }, { .role = CLOSES } };
		int fd = dmop_open_bound(target_domid), alias = -1;

		ASSERT_LE(0, fd);
		if (round % 2)
			alias = dup(fd);
		rivals(_metadata, r, 3, fd);
		EXPECT_TRUE(r[0].ret == 0 || r[0].ret == -EINVAL || r[0].ret == -EBADF) {
			TH_LOG("%ld", r[0].ret);
		}
		EXPECT_EQ(0, r[1].ret);
		EXPECT_EQ(0, r[2].ret);
		if (alias >= 0) {
			EXPECT_EQ(0, mapped_frames(alias));
			close(alias);
		}
	}
	EXPECT_EQ(users, refcount());
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

/* Many frames at once: those of the grant table, which grows for that. */
TEST_F(map, resource_of_more_frames)
{
	static const unsigned int numbers[] = { 6, 20 };
	struct dmop_mmap_resource r = { .dom = target_domid, .type = RESOURCE_GRANT_TABLE };
	unsigned int i, n;

	for (n = 0; n < ARRAY_SIZE(numbers); n++) {
		char *p = area(self->bound, numbers[n], PROT_READ);

		r.num = numbers[n];
		r.addr = (unsigned long)p;
		ASSERT_EQ(0, map_resource(self->bound, &r));
		EXPECT_EQ(r.num, mapped_frames(self->bound));
		for (i = 0; i < r.num; i++)
			EXPECT_EQ(0, touch(p + i * PAGE, false));
		EXPECT_EQ(0, munmap(p, r.num * PAGE));
		EXPECT_EQ(0, mapped_frames(self->bound));
	}
}

/* The size is asked for without an area. */
TEST_F(map, resource_size)
{
	long id = ioreq_create(self->bound, target_domid);
	char *pages = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct dmop_mmap_resource *r = (void *)pages;
	long ret;

	ASSERT_LE(0, id);
	ASSERT_NE(MAP_FAILED, pages);
	*r = (struct dmop_mmap_resource){ .dom = target_domid, .type = RESOURCE_IOREQ_SERVER, .id = id };
	EXPECT_EQ(0, map_resource(self->bound, r));
	EXPECT_LT(0, r->num);

	/* One that there is not: nothing is written with an error. */
	r->num = 0;
	r->type = 0xffff;
	ret = map_resource(self->bound, r);
	/* Which Xen does not always say of what is asked for its size only. */
	EXPECT_TRUE(ret ? !r->num : r->num);

	r->num = 0;
	r->type = RESOURCE_IOREQ_SERVER;
	ASSERT_EQ(0, mprotect(pages, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, map_resource(self->bound, r));
	EXPECT_EQ(0, r->num);
	EXPECT_EQ(0, munmap(pages, PAGE));
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

	/* What Xen says of a domain that is not there, on any dom0. */
	bad = r;
	bad.dom = DMOP_DOMID_MAX;
	bad.addr = (unsigned long)area(self->observer, 2, PROT_READ | PROT_WRITE);
	EXPECT_EQ(-ESRCH, map_resource(self->observer, &bad));

	/* The area is as new. */
	EXPECT_EQ(0, map(self->bound, target_domid, p, 2, self->gfns, self->errs));
	EXPECT_EQ(0, touch(p, true));
}

/* --- the end ----------------------------------------------------------- */

/* Until no domain of that number is left, dying ones included. */
static void wait_until_gone(int observer, __u16 domid)
{
	while (unknown_op(observer, domid) != -ESRCH)
		usleep(10000);
}

/* The process lives on, with its areas; the domain does not. */
TEST_F(map, goes_with_the_domain)
{
	long domid = create(DOOMED);
	int fd = dmop_open_bound(domid);
	char *p = map_one(fd, domid, GFN), *empty = area(fd, 1, PROT_READ);

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_TRUE(destroy(DOOMED));
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
	long domid = create(DOOMED);
	int fd = dmop_open_bound(domid);
	char *p = map_one(fd, domid, GFN);
	struct pollfd events = { .fd = fd };

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, p);
	ASSERT_LT(0, create("dmop-test-event"));
	ASSERT_TRUE(destroy("dmop-test-event"));
	EXPECT_EQ(0, poll(&events, 1, 3000));
	EXPECT_EQ(0, touch(p, true));

	ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
	EXPECT_EQ(1, poll(&events, 1, -1));
	/* Pollers are woken first, mappings are taken then. */
	while (touch(p, false) != SIGBUS)
		usleep(1000);
	ASSERT_TRUE(run("lab-domain destroy %ld", domid));
	wait_until_gone(self->observer, domid);
	close(fd);
}

/* Mapping on all sides when it dies, and one mapper stopped in the middle. */
TEST_F(map, goes_with_the_domain_under_load)
{
	long domid = create(DOOMED);
	pid_t children[4];
	int ready[2];
	unsigned int i;

	ASSERT_LT(0, domid);
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	for (i = 0; i < 4; i++) {
		children[i] = fork();
		if (!children[i]) {
			int fd = dmop_open_bound(domid);

			if (!map_one(fd, domid, GFN) || write(ready[1], "", 1) != 1)
				_exit(1);
			for (;;)
				map_one(fd, domid, GFN);
		}
	}
	close(ready[1]);
	ASSERT_TRUE(bytes_from(ready[0], 4));
	kill(children[0], SIGSTOP);
	kill(children[1], SIGKILL);
	ASSERT_TRUE(destroy(DOOMED));
	wait_until_gone(self->observer, domid);
	for (i = 0; i < 4; i++) {
		kill(children[i], SIGKILL);
		EXPECT_EQ(children[i], waitpid(children[i], NULL, 0));
	}
}

/* One call of many frames, while which the toolstack forgets the domain: it ends early. */
TEST_F(map, ends_with_the_domain_half_way)
{
	const size_t nr = auto_translated() ? PORTION + 904 : 16 * PORTION;
	__u64 *gfns = malloc(nr * sizeof(*gfns));
	int *errs = malloc(nr * sizeof(*errs));
	unsigned int i, early = 0;

	ASSERT_NE(NULL, gfns);
	ASSERT_NE(NULL, errs);
	fill(gfns, nr);
	for (i = 0; i < 5 && !early; i++) {
		long domid = create(DOOMED);
		int fd = dmop_open_bound(domid), late = dmop_open(), status;
		pid_t child;

		ASSERT_LT(0, domid);
		ASSERT_LE(0, fd);
		child = fork();
		if (!child) {
			char *p = area(fd, nr, PROT_READ);
			long ret = map(fd, domid, p, nr, gfns, errs);

			/* What it has mapped by then is taken away, as all else. */
			while (ret == -ESRCH && touch(p, false) != SIGBUS)
				usleep(1000);
			_exit(ret == -ESRCH ? 2 : !!ret);
		}
		while (!mapped_frames(fd) && dmop_state(fd) == DMOP_STATE_BOUND)
			sched_yield();
		ASSERT_TRUE(run("xenstore-rm /local/domain/%ld", domid));
		EXPECT_EQ(-ESRCH, dmop_restrict(late, domid));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		/* A quick one was done by then. */
		EXPECT_TRUE(WEXITSTATUS(status) == 2 || WEXITSTATUS(status) == 0) {
			TH_LOG("the mapper ended with %d", WEXITSTATUS(status));
		}
		early += WEXITSTATUS(status) == 2;
		ASSERT_TRUE(run("lab-domain destroy %ld", domid));
		wait_until_gone(self->observer, domid);
		close(late);
		close(fd);
	}
	TH_LOG("%u of %u ended early", early, i);
	if (!one_processor())
		EXPECT_EQ(1, early);
	free(gfns);
	free(errs);
}

/* Another thread of the one that is killed, which waits for mmap_lock. */
struct other_mapper {
	pthread_t thread;
	int fd;
	struct dmop_mmap_resource r;
};

static void *other_mapper_main(void *data)
{
	struct other_mapper *o = data;

	while (!mapped_frames(o->fd))
		sched_yield();
	map_resource(o->fd, &o->r);
	return NULL;
}

/* Killed in the middle of one call, again and again: the call ends, and nothing is left of it. */
TEST_F(map, killed_while_mapping)
{
	const size_t nr = auto_translated() ? PORTION + 904 : 16 * PORTION, size = nr * sizeof(int);
	__u64 *gfns = malloc(nr * sizeof(*gfns));
	int *errs = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long users = refcount(), domid = create(DOOMED);
	const unsigned int times = auto_translated() ? 8 : 20;
	unsigned int i, ended = 0;

	ASSERT_LT(0, domid);
	ASSERT_NE(NULL, gfns);
	ASSERT_NE(MAP_FAILED, errs);
	fill(gfns, nr);
	for (i = 0; i < times; i++) {
		int fd = dmop_open_bound(domid), status;
		pid_t child;

		ASSERT_LE(0, fd);
		memset(errs, POISON, size);
		child = fork();
		if (!child) {
			char *p = area(fd, nr, PROT_READ | PROT_WRITE), *q = area(fd, 6, PROT_READ);
			struct other_mapper o = {
				.fd = fd,
				.r = {
					.dom = domid, .type = RESOURCE_GRANT_TABLE, .num = 6,
					.addr = (unsigned long)q,
				},
			};

			if (pthread_create(&o.thread, NULL, other_mapper_main, &o) ||
			    map(fd, domid, p, nr, gfns, errs))
				_exit(1);
			for (;;)
				pause();
		}
		/* From before its first frame is mapped they are counted, all of them. */
		while (!mapped_frames(fd))
			sched_yield();
		usleep(1000 * i);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(SIGKILL, status);
		ASSERT_EQ(0, mapped_frames(fd));
		close(fd);
		ASSERT_EQ(users, refcount());
		/* A call that gets to its end writes results, whoever has been killed. */
		ended += all_bytes(errs, POISON, size);
	}
	TH_LOG("%u of %u calls ended by the kill", ended, i);
	EXPECT_LT(0, ended);
	ASSERT_TRUE(destroy(DOOMED));
	wait_until_gone(self->observer, domid);
	munmap(errs, size);
	free(gfns);
}

/*
 * One that waits until another process has mapped through the same file: killed, it ends before
 * the other is done. Which that is by then, now and then.
 */
TEST_F(map, killed_while_another_maps)
{
	const size_t nr = auto_translated() ? PORTION + 904 : 16 * PORTION, size = nr * sizeof(int);
	__u64 *gfns = malloc(nr * sizeof(*gfns));
	int *errs = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int i, earlier = 0;

	ASSERT_NE(NULL, gfns);
	ASSERT_NE(MAP_FAILED, errs);
	fill(gfns, nr);
	for (i = 0; i < 20 && !earlier; i++) {
		int fd = dmop_open_bound(target_domid), status;
		pid_t mapper, waiter;

		ASSERT_LE(0, fd);
		memset(errs, POISON, size);
		mapper = fork();
		if (!mapper) {
			char *p = area(fd, nr, PROT_READ);

			_exit(!!map(fd, target_domid, p, nr, gfns, errs));
		}
		while (!mapped_frames(fd) && waitpid(mapper, &status, WNOHANG) != mapper)
			sched_yield();
		waiter = fork();
		if (!waiter)
			_exit(!map_one(fd, target_domid, GFN));
		if (wait_asleep(waiter, waiter, NULL)) {
			kill(waiter, SIGKILL);
			ASSERT_EQ(waiter, waitpid(waiter, &status, 0));
			EXPECT_EQ(SIGKILL, status);
			earlier += all_bytes(errs, POISON, size);
		} else {
			waitpid(waiter, NULL, 0);
		}
		kill(mapper, SIGKILL);
		waitpid(mapper, NULL, 0);
		ASSERT_EQ(0, mapped_frames(fd));
		close(fd);
	}
	/* With one processor the mapper may not be interrupted. */
	if (!one_processor())
		EXPECT_EQ(1, earlier);
	TH_LOG("%u of %u ended earlier", earlier, i);
	munmap(errs, size);
	free(gfns);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
