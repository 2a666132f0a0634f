// SPDX-License-Identifier: GPL-2.0
/*
 * map_area_test.c - the area of a mapping: its frames, its flags, and calls to change it
 *
 * mmap() on the device makes an area. It belongs to one process and one domain. It cannot be moved,
 * split, resized or given another protection, and a child process does not inherit it.
 */
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "mapping.h"

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
	/* If the file system of the node is mounted noexec, the kernel returns EPERM first. */
	EXPECT_TRUE(errno == EACCES || errno == EPERM);
	/* On PV, Xen would not check the frames of such an area. */
	EXPECT_EQ(MAP_FAILED, area(self->bound, 1, PROT_NONE));
	EXPECT_EQ(EACCES, errno);
	/* The end of this mapping would be beyond the largest file offset. */
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->bound, -PAGE));
}

/* Calls that would move, split, resize or change the area fail, and leave it unchanged. */
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

/* Gets the flags of the area at @p, in the abbreviations of proc(5), or "" without an area. */
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

/* The flags that exclude the area from fork, core dumps and mremap. */
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

/* Linux 5.10 cannot refuse mprotect(PROT_NONE). The area then stays without access. */
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

/* Soft-dirty tracking removes the write permission of later mappings. */
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

/* A system call that writes to a read-only mapping returns EFAULT. */
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

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
