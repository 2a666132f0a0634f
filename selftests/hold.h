/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hold.h - hold a system call at the moment it reads a page
 *
 * The page is registered with userfaultfd. A thread that touches it sleeps until the page gets its
 * content. So a test can act in between, in a known order.
 */
#ifndef DMOP_TEST_HOLD_H
#define DMOP_TEST_HOLD_H

#include <linux/userfaultfd.h>
#include <stdatomic.h>

#include "dmop_test.h"

/* The page before @page is an ordinary one, for data to be read first. */
struct hold {
	int uffd;
	char *page;
	size_t size;
};

/* Return: 0 or minus the errno. */
static inline int hold_init(struct hold *h)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	h->size = sysconf(_SC_PAGESIZE);
	h->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (h->uffd < 0 || ioctl(h->uffd, UFFDIO_API, &api))
		return -errno;
	h->page = mmap(NULL, 2 * h->size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->page == MAP_FAILED)
		return -errno;
	h->page += h->size;
	reg.range.start = (unsigned long)h->page;
	reg.range.len = h->size;
	return ioctl(h->uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

/* Waits until a thread sleeps on the page. */
static inline bool hold_wait(struct hold *h)
{
	struct uffd_msg msg;

	return read(h->uffd, &msg, sizeof(msg)) == sizeof(msg) &&
	       msg.event == UFFD_EVENT_PAGEFAULT;
}

/* Gives the page its content: @len bytes of @content, then zeros. */
static inline bool hold_release(struct hold *h, const void *content, size_t len)
{
	static char page[1 << 16];
	struct uffdio_copy copy = {
		.dst = (unsigned long)h->page,
		.src = (unsigned long)page,
		.len = h->size,
	};

	memset(page, 0, h->size);
	memcpy(page, content, len);
	return !ioctl(h->uffd, UFFDIO_COPY, &copy);
}

/* Empties the page. The next thread that touches it sleeps again. */
static inline bool hold_again(struct hold *h)
{
	return !madvise(h->page, h->size, MADV_DONTNEED);
}

static inline void hold_exit(struct hold *h)
{
	munmap(h->page - h->size, 2 * h->size);
	close(h->uffd);
}

/* Reads a file of a thread in /proc. Return: false if there is no such thread. */
static inline bool read_thread(pid_t pid, pid_t tid, const char *file, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, file);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	text[n < 0 ? 0 : n] = 0;
	close(fd);
	return true;
}

/* Return: R, S, D, Z, ... as in proc(5); 0 if there is no such thread. */
static inline char thread_state(pid_t pid, pid_t tid)
{
	const char *name_end;
	char stat[256];

	if (!read_thread(pid, tid, "stat", stat, sizeof(stat)))
		return 0;
	name_end = strrchr(stat, ')');
	return name_end ? name_end[2] : 0;
}

/*
 * Waits until the thread sleeps where only a kill can wake it (state D), has ended, or has set
 * @done. Return: true if it sleeps.
 */
static inline bool wait_asleep(pid_t pid, pid_t tid, atomic_int *done)
{
	while (!done || !atomic_load(done)) {
		switch (thread_state(pid, tid)) {
		case 'D':
			return true;
		case 'Z':
		case 'X':
		case 0:
			return false;
		default:
			sched_yield();
		}
	}
	return false;
}

/* --- a call in a thread ------------------------------------------------ */

struct caller {
	pthread_t thread;
	int fd;
	unsigned int cmd;
	void *arg;
	/* If set: called by the thread once the call has returned. */
	void (*after)(void *arg);
	void *after_arg;

	atomic_int tid;
	atomic_int done;
	long ret;
};

static inline void *caller_main(void *data)
{
	struct caller *c = data;

	atomic_store(&c->tid, syscall(SYS_gettid));
	c->ret = do_ioctl(c->fd, c->cmd, c->arg);
	if (c->after)
		c->after(c->after_arg);
	atomic_store(&c->done, 1);
	return NULL;
}

/* Return: true once the thread runs. */
static inline bool caller_start(struct caller *c, int fd, unsigned int cmd, void *arg)
{
	c->fd = fd;
	c->cmd = cmd;
	c->arg = arg;
	if (pthread_create(&c->thread, NULL, caller_main, c))
		return false;
	while (!atomic_load(&c->tid))
		sched_yield();
	return true;
}

static inline bool caller_asleep(struct caller *c)
{
	return wait_asleep(getpid(), atomic_load(&c->tid), &c->done);
}

/*
 * Waits until the thread sleeps in dmop_file_restrict() itself. The wait for the worker of a new
 * record is in another function of the module. The kernel's own functions for sleeping are not
 * listed. Return: true if so; false if the call has returned.
 */
static inline bool caller_waits_in_restrict(struct caller *c)
{
	char stack[4096];

	while (!atomic_load(&c->done)) {
		if (read_thread(getpid(), atomic_load(&c->tid), "stack", stack, sizeof(stack))) {
			stack[strcspn(stack, "\n")] = 0;
			if (strstr(stack, "dmop_file_restrict"))
				return true;
		}
		sched_yield();
	}
	return false;
}

static inline long caller_join(struct caller *c)
{
	pthread_join(c->thread, NULL);
	return c->ret;
}

#endif /* DMOP_TEST_HOLD_H */
