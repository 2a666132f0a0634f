// SPDX-License-Identifier: GPL-2.0
/*
 * backend.c - a program that opens the stock node by itself, without Xen's libraries
 *
 * backend WORD...; the words in this order:
 *   functions  opens it by each function of libc; prints the node of each, and whether it is closed
 *              on exec, which is asked for in turns
 *   old        the same by the old path, once
 *   PATH       the same by this path, a link, by three functions
 *   for        prints what the descriptor is for, see fake.c
 *   file       are the files of two descriptors one?
 *   threads    several threads open it at the same time; prints how many get dmop
 *   close      closes all descriptors but the first three
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fortify.h"
#include "purpose.h"

#define NODE		"/dev/xen/privcmd"
#define NODE_OLD	"/proc/xen/privcmd"
#define NR_THREADS	8
#define MAX_FD		256

static const char *node(int fd)
{
	struct stat st, zero, full;

	if (fstat(fd, &st) || stat("/dev/zero", &zero) || stat("/dev/full", &full))
		return "none";
	return st.st_rdev == zero.st_rdev ? "dmop" : st.st_rdev == full.st_rdev ? "stock" : "other";
}

static void print(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	printf("%s%s\n", node(fd), flags > 0 && flags & FD_CLOEXEC ? "-cloexec" : "");
}

static int number_of(FILE *stream)
{
	return stream ? fileno(stream) : -1;
}

static void open_by_functions(void)
{
	print(open(NODE, O_RDWR));
	print(open64(NODE, O_RDWR | O_CLOEXEC));
	print(openat(AT_FDCWD, NODE, O_RDWR));
	print(openat64(AT_FDCWD, NODE, O_RDWR | O_CLOEXEC));
	print(__open_2(NODE, O_RDWR));
	print(__open64_2(NODE, O_RDWR | O_CLOEXEC));
	print(__openat_2(AT_FDCWD, NODE, O_RDWR));
	print(__openat64_2(AT_FDCWD, NODE, O_RDWR | O_CLOEXEC));
	print(number_of(fopen(NODE, "r+")));
	print(number_of(fopen64(NODE, "r+e")));
}

static void open_link(const char *path)
{
	print(open(path, O_RDWR));
	print(openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC));
	print(number_of(fopen(path, "r+e")));
}

/* The flags belong to the open file. */
static const char *same_file(int one, int other)
{
	int flags = fcntl(one, F_GETFL);

	if (flags < 0 || fcntl(one, F_SETFL, flags ^ O_NONBLOCK))
		return "none";
	return fcntl(other, F_GETFL) == flags ? "two" : "one";
}

static pthread_barrier_t barrier;

static void *open_in_thread(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	return strcmp(node(open(NODE, O_RDWR)), "dmop") ? NULL : &barrier;
}

static void open_in_threads(void)
{
	pthread_t threads[NR_THREADS];
	void *confined;
	int i, nr = 0;

	pthread_barrier_init(&barrier, NULL, NR_THREADS);
	for (i = 0; i < NR_THREADS; i++)
		if (pthread_create(&threads[i], NULL, open_in_thread, NULL))
			exit(2);
	for (i = 0; i < NR_THREADS; i++)
		if (!pthread_join(threads[i], &confined) && confined)
			nr++;
	printf("%d\n", nr);
}

int main(int argc, char **argv)
{
	int i, fd;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "functions")) {
			open_by_functions();
		} else if (!strcmp(argv[i], "old")) {
			print(open(NODE_OLD, O_RDWR | O_CLOEXEC));
		} else if (*argv[i] == '/') {
			open_link(argv[i]);
		} else if (!strcmp(argv[i], "for")) {
			puts(purpose(open(NODE, O_RDWR)));
		} else if (!strcmp(argv[i], "file")) {
			puts(same_file(open(NODE, O_RDWR), open(NODE, O_RDWR)));
		} else if (!strcmp(argv[i], "threads")) {
			open_in_threads();
		} else if (!strcmp(argv[i], "close")) {
			for (fd = 3; fd < MAX_FD; fd++)
				close(fd);
		}
	}
	return 0;
}
