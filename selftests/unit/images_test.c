// SPDX-License-Identifier: GPL-2.0
/*
 * images_test.c - which disk images dmop-run opens for QEMU, and what QEMU then gets
 *
 * Both halves are here, tools/images.c and tools/reopen.c; the environment leads from one to the
 * other, as in a real start.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "images.h"
#include "tap.h"

#define PLAN	20

static char dir[32] = "/tmp/images_test.XXXXXX";
static const char *const names[] = { "a", "b", "c,d", "link" };

static const char *path_of(const char *name)
{
	static char path[4][sizeof(dir) + 16];
	static unsigned int next;
	char *to = path[next++ % 4];

	sprintf(to, "%s/%s", dir, name);
	return to;
}

static void make_files(void)
{
	unsigned int i;

	if (!mkdtemp(dir))
		abort();
	for (i = 0; i < 3; i++)
		close(open(path_of(names[i]), O_CREAT | O_RDWR, 0600));
	if (link(path_of("a"), path_of("link")))
		abort();
}

static void remove_files(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		unlink(path_of(names[i]));
	rmdir(dir);
}

/* In a process each, for both halves begin anew. Return: as the child says, with @check or a number. */
static int in_child(char **argv, int (*check)(unsigned int nr))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(check(hand_over_images(argv)));
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int number(unsigned int nr)
{
	return nr;
}

/* How many images there are with this one -drive. */
static int opened(const char *format, const char *name)
{
	char drive[256];
	char *argv[4] = { "-S", "-drive", drive, };

	snprintf(drive, sizeof(drive), format, path_of(name));
	return in_child(argv, number);
}

static void test_options(void)
{
	tap_result(opened("file=%s,if=ide,index=0,media=disk,format=raw,cache=writeback", "a") == 1, "a disk");
	tap_result(opened("if=none,format=raw,file.filename=%s", "a") == 1, "its path by the longer name");
	tap_result(opened("file=%s,readonly=off", "a") == 1, "a disk said to be writable");
	tap_result(opened("file=%s,readonly=on", "a") == 0, "a disk that is read only");
	tap_result(opened("read-only=true,file=%s", "a") == 0, "another spelling of that");
	tap_result(opened("readonly,file=%s", "a") == 0, "a third");
	tap_result(opened("file=%s,media=cdrom", "a") == 0, "a CD");
	tap_result(opened("file=%s,snapshot=on", "a") == 0, "a snapshot");
	tap_result(opened("file=%s", "none") == 0, "a file that is not there");
	tap_result(opened("file=%s", "") == 0, "a directory");
	tap_result(opened("file=nbd:%s", "a") == 0, "no path");
	tap_result(opened("if=none,id=%s", "a") == 0, "an empty drive");
}

static void test_sets(void)
{
	char one[256], other[256];
	char *two[5] = { "-drive", one, "--drive", other, };
	char *snapshot[4] = { "-drive", one, "-snapshot", };
	char *last[2] = { "-drive", };

	sprintf(one, "file=%s", path_of("a"));
	sprintf(other, "file=%s", path_of("b"));
	tap_result(in_child(two, number) == 2, "two disks");
	sprintf(other, "file=%s", path_of("a"));
	tap_result(in_child(two, number) == 0, "a disk named twice is left to QEMU");
	sprintf(other, "file=%s", path_of("link"));
	tap_result(in_child(two, number) == 0, "under two names as well");
	tap_result(in_child(snapshot, number) == 0, "all are snapshots");
	tap_result(in_child(last, number) == 0, "an option without its argument");
}

static bool same_file(int fd, const char *path)
{
	struct stat a, b;

	return fd >= 0 && !fstat(fd, &a) && !stat(path, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* A lock set through one descriptor is no obstacle to the other, and closing it keeps the lock. */
static bool one_lock(int fd, int other)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 1 };

	return !fcntl(fd, F_OFD_SETLK, &lock) && !fcntl(other, F_OFD_SETLK, &lock);
}

static int check_reopen(unsigned int nr)
{
	const char *path = path_of("c,d");
	int fd, reader;

	if (nr != 1)
		return 1;
	take_over_images();
	if (getenv(IMAGES_VAR))
		return 2;
	/* As if the path led nowhere. */
	fd = open_image(path, O_RDWR | O_CLOEXEC);
	reader = open_image(path, O_RDONLY);
	if (!same_file(fd, path) || !same_file(reader, path) || !(fcntl(fd, F_GETFD) & FD_CLOEXEC) ||
	    fcntl(reader, F_GETFD) & FD_CLOEXEC)
		return 3;
	return one_lock(fd, reader) ? 0 : 4;
}

static int check_others(unsigned int nr)
{
	take_over_images();
	if (nr != 1 || open_image(path_of("a"), O_RDWR) != NO_IMAGE)
		return 1;
	return open_image(path_of("c,d"), O_RDWR | O_CREAT) == NO_IMAGE ? 0 : 2;
}

/* A program may have closed the descriptor, and the number may be that of something else. */
static int check_closed(unsigned int nr)
{
	int fd = atoi(getenv(IMAGES_VAR)), other = open("/dev/null", O_RDWR);

	take_over_images();
	if (nr != 1 || dup2(other, fd) != fd)
		return 1;
	return open_image(path_of("c,d"), O_RDWR) == NO_IMAGE ? 0 : 2;
}

static void test_reopen(void)
{
	char drive[256];
	char *argv[3] = { "-drive", drive, };

	sprintf(drive, "if=ide,file=%s/c,,d,format=raw", dir);
	tap_result(in_child(argv, check_reopen) == 0, "a path with a comma is opened again, for both uses, under one lock");
	tap_result(in_child(argv, check_others) == 0, "another path, and a new file, are not");
	tap_result(in_child(argv, check_closed) == 0, "a descriptor that the program has closed is not used");
}

int main(void)
{
	make_files();
	tap_begin(PLAN);
	fflush(stdout);
	test_options();
	test_sets();
	test_reopen();
	remove_files();
	return tap_end(PLAN);
}
