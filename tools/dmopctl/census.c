// SPDX-License-Identifier: GPL-2.0
/*
 * census.c - device models, and holders of an unrestricted /dev/xen/privcmd
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "census.h"
#include "common.h"
#include "config.h"
#include "dmopctl.h"
#include "memory.h"
#include "nodes.h"
#include "proc.h"
#include "tries.h"

/* More than the arguments that xl gives to any QEMU. */
#define ARGUMENTS_SIZE	65536
/* Seconds until they are taken for unknown */
#define ARGUMENTS_PATIENCE	2

/* --- the kind of a process --------------------------------------------- */

static const char *const kinds[] = {
	[KIND_DEVICE_MODEL] = "device model", [KIND_XENSTORED] = "xenstored",
	[KIND_TOOLSTACK] = "toolstack", [KIND_BACKEND] = "backend", [KIND_OTHER] = "other",
};

const char *kind_name(enum kind kind)
{
	return kinds[kind];
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Programs of Xen, libvirt and XAPI. */
static bool is_toolstack(const char *name)
{
	static const char *const beginnings[] = {
		"xl", "libxl-", "xen", "libvirtd", "virtxend", "virtqemud", "xapi", "squeezed",
		"message-switch",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (begins(name, beginnings[i]))
			return true;
	return false;
}

static void read_arguments(const char *arguments, size_t n, struct qemu *qemu)
{
	const char *at, *end = arguments + n;
	bool next = false;
	char *rest;
	long value;

	for (at = arguments; at < end; at += strlen(at) + 1) {
		if (next) {
			value = strtol(at, &rest, 10);
			if (rest != at && !*rest && value >= 0 && value <= 0xffff)
				qemu->domid = value;
		}
		next = !strcmp(at, "-xen-domid");
		if (config_video_memory(at))
			qemu->video = config_video_memory(at);
		if (!strcmp(at, "-xen-attach"))
			qemu->pv = true;
		if (!strcmp(at, "-xen-domid-restrict"))
			qemu->restricted = true;
	}
}

enum kind kind_of(const char *name, const char *arguments, size_t n, struct qemu *qemu)
{
	*qemu = (struct qemu){ .domid = NO_DOMID };
	if (strstr(name, "qemu")) {
		read_arguments(arguments, n, qemu);
		if (qemu->domid > 0)
			return KIND_DEVICE_MODEL;
		/* The QEMU of domain 0, from Xen's init script, serves disks attached to domain 0. */
		return !qemu->domid && qemu->pv ? KIND_BACKEND : KIND_OTHER;
	}
	if (!strcmp(name, "xenstored") || !strcmp(name, "oxenstored"))
		return KIND_XENSTORED;
	return is_toolstack(name) ? KIND_TOOLSTACK : KIND_OTHER;
}

/* --- one process ------------------------------------------------------- */

/* A process can change its name, but needs privileges to change the link to its program. */
static int read_program(int dirfd, char *name)
{
	static const char deleted[] = " (deleted)";
	char target[4096];
	ssize_t n = readlinkat(dirfd, "exe", target, sizeof(target) - 1);
	const char *last;
	size_t length;

	if (n < 0)
		return -errno;
	target[n] = 0;
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	length = strlen(last);
	if (length > strlen(deleted) && !strcmp(last + length - strlen(deleted), deleted))
		length -= strlen(deleted);
	text_clean(name, NAME_SIZE, last, length);
	return 0;
}

/* Return: true if there is more, in time. */
static bool read_more(int from, char *text, size_t size, ssize_t *n)
{
	struct pollfd wait = { .fd = from, .events = POLLIN };
	ssize_t got = -1;

	if ((size_t)*n < size && poll(&wait, 1, ARGUMENTS_PATIENCE * 1000) > 0)
		got = read(from, text + *n, size - *n);
	*n += got > 0 ? got : 0;
	return got > 0;
}

ssize_t arguments_read(int dirfd, char *text, size_t size)
{
	ssize_t n = 0;
	int ends[2];
	pid_t child;

	text[0] = 0;
	if (pipe(ends))
		return 0;
	fflush(NULL);
	child = fork();
	if (!child) {
		n = read_text(dirfd, "cmdline", text, size);
		_exit(n > 0 && write(ends[1], text, n) != n);
	}
	close(ends[1]);
	while (child > 0 && read_more(ends[0], text, size - 1, &n))
		;
	text[n] = 0;
	close(ends[0]);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return n;
}

static void read_kind(int dirfd, struct holder *h)
{
	bool qemu = strstr(h->name, "qemu");
	char *text = grow(NULL, ARGUMENTS_SIZE, 1);

	h->kind = kind_of(h->name, text, qemu ? arguments_read(dirfd, text, ARGUMENTS_SIZE) : 0,
			  &h->qemu);
	h->domid = h->qemu.domid;
	free(text);
}

/* __NR_: the C library of Linux 5.10's time has no SYS_pidfd_getfd. */
static enum privcmd try_descriptor(pid_t pid, int number)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), fd = -1;
	enum stock stock = STOCK_UNKNOWN;

	if (pidfd >= 0)
		fd = syscall(__NR_pidfd_getfd, pidfd, number, 0);
	if (fd >= 0)
		stock = try_privcmd(fd);
	if (fd >= 0)
		close(fd);
	if (pidfd >= 0)
		close(pidfd);
	if (stock == STOCK_RESTRICTED)
		return PRIVCMD_NONE;
	return stock == STOCK_OPEN ? PRIVCMD_OPEN : PRIVCMD_UNKNOWN;
}

/* Return: 0, or minus the errno if the descriptors cannot be listed. */
static int read_privcmd(int dirfd, const struct nodes *nodes, struct holder *h)
{
	DIR *dir = dir_at(dirfd, "fd");
	char path[32], node[64];
	struct dirent *entry;
	enum privcmd found;
	int which;

	if (!dir)
		return -errno;
	while (h->privcmd != PRIVCMD_OPEN && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "fd/%.20s", entry->d_name);
		which = nodes_which(nodes, dirfd, path, node);
		if (which < 0 && which != -ENOENT)
			h->privcmd = PRIVCMD_UNKNOWN;
		if (which <= 0 || strcmp(node, "privcmd"))
			continue;
		found = try_descriptor(h->pid, atoi(entry->d_name));
		if (found != PRIVCMD_NONE)
			h->privcmd = found;
	}
	closedir(dir);
	return 0;
}

/* A program other than QEMU is a device model if it is bound to a domain. */
static void read_binding(struct holder *h)
{
	struct process p;
	unsigned int i;

	/* Without the module there is no binding. */
	if (process_read(h->pid, &p))
		return;
	for (i = 0; i < p.nr_files; i++) {
		const struct file_info *info = &p.files[i].info;

		if (info->state != BOUND || (h->domid != NO_DOMID && info->domid != h->domid))
			continue;
		if (!h->bound || info->max_buf_size < h->buf_size)
			h->buf_size = info->max_buf_size;
		if (h->bound)
			rights_add(&h->rights, &info->rights);
		else
			h->rights = info->rights;
		h->bound = true;
		h->domid = info->domid;
		h->kind = KIND_DEVICE_MODEL;
	}
	process_free(&p);
}

static void read_domain(const struct domains *d, struct holder *h)
{
	unsigned int i;

	for (i = 0; i < d->nr; i++)
		if (d->list[i].domid && d->list[i].device_model == h->pid) {
			h->kind = KIND_DEVICE_MODEL;
			h->domid = d->list[i].domid;
		}
}

bool holder_confined(const struct holder *h)
{
	return h->kind == KIND_DEVICE_MODEL && h->bound && h->privcmd == PRIVCMD_NONE;
}

/* --- all processes ----------------------------------------------------- */

static int read_holder(struct holder *h, const struct nodes *nodes, const struct domains *d)
{
	char path[32];
	int dirfd, err;

	snprintf(path, sizeof(path), "/proc/%d", h->pid);
	dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	err = read_program(dirfd, h->name);
	if (!err && !process_uid(dirfd, &h->uid))
		err = -ENOENT;
	if (!err)
		err = read_privcmd(dirfd, nodes, h);
	if (!err) {
		read_kind(dirfd, h);
		read_domain(d, h);
		read_binding(h);
	}
	close(dirfd);
	return err;
}

static void count(struct census *c, pid_t pid, const struct nodes *nodes, const struct domains *d)
{
	struct holder h = { .pid = pid, .domid = NO_DOMID };
	int err = read_holder(&h, nodes, d);

	/* ENOENT: the process has ended, or is one of the kernel's. */
	if (err == -EACCES || err == -EPERM)
		c->hidden++;
	if (err || (h.kind != KIND_DEVICE_MODEL && h.privcmd == PRIVCMD_NONE))
		return;
	c->models += h.kind == KIND_DEVICE_MODEL;
	c->confined += holder_confined(&h);
	c->list = grow(c->list, c->nr + 1, sizeof(*c->list));
	c->list[c->nr++] = h;
}

static int by_pid(const void *a, const void *b)
{
	return ((const struct holder *)a)->pid - ((const struct holder *)b)->pid;
}

int census_take(struct census *c, const struct domains *d)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	struct nodes nodes;

	*c = (struct census){ 0 };
	if (!dir)
		return fail(STATUS_OTHER, "/proc: %s; mount -t proc proc /proc", strerror(errno));
	nodes_read(&nodes);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] > '0' && entry->d_name[0] <= '9')
			count(c, atoi(entry->d_name), &nodes, d);
	closedir(dir);
	nodes_free(&nodes);
	if (c->nr)
		qsort(c->list, c->nr, sizeof(*c->list), by_pid);
	return 0;
}

void census_free(struct census *c)
{
	free(c->list);
	c->list = NULL;
	c->nr = 0;
}
