// SPDX-License-Identifier: GPL-2.0
/*
 * proc.c - open files of /dev/xen/dmop by process, from /proc
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common.h"
#include "dmopctl.h"
#include "memory.h"
#include "proc.h"
#include "status.h"

ssize_t read_text(int dirfd, const char *path, char *to, size_t size)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd < 0)
		return -errno;
	n = read(fd, to, size - 1);
	err = errno;
	close(fd);
	if (n < 0)
		return -err;
	to[n] = 0;
	return n;
}

dev_t xen_device(const char *name)
{
	unsigned int major, minor;
	char path[128], text[32];

	/* Each of the kernel's own is a misc device. */
	snprintf(path, sizeof(path), "/sys/class/%s/xen!%s/dev",
		 strcmp(name, "dmop") ? "misc" : "dmop", name);
	if (read_text(AT_FDCWD, path, text, sizeof(text)) < 0 ||
	    sscanf(text, "%u:%u", &major, &minor) != 2)
		return 0;
	return makedev(major, minor);
}

/* --- one open file ----------------------------------------------------- */

static const char *const states[] = {
	[UNBOUND] = "unbound", [BOUND] = "bound", [REVOKED] = "revoked",
};

const char *state_name(enum state state)
{
	return states[state];
}

/* Return: the value in the line of @name, or NULL. */
static const char *line_of(const char *text, const char *name)
{
	size_t n = strlen(name);

	while (text) {
		if (!strncmp(text, name, n) && text[n] == ':' && text[n + 1] == '\t')
			return text + n + 2;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

static bool number_of(const char *text, const char *name, unsigned long long *value)
{
	const char *line = line_of(text, name);
	char *end;

	if (!line || *line < '0' || *line > '9')
		return false;
	errno = 0;
	*value = strtoull(line, &end, 10);
	return !errno && *end == '\n';
}

static bool state_of(const char *text, enum state *state)
{
	const char *line = line_of(text, "dmop-state");
	unsigned int i;

	for (i = 0; line && i <= REVOKED; i++) {
		size_t n = strlen(states[i]);

		if (!strncmp(line, states[i], n) && line[n] == '\n') {
			*state = i;
			return true;
		}
	}
	return false;
}

static bool domid_of(const char *text, long *domid)
{
	const char *line = line_of(text, "dmop-domid");
	unsigned long long n;

	if (line && !strncmp(line, "-1\n", 3)) {
		*domid = NO_DOMID;
		return true;
	}
	if (!number_of(text, "dmop-domid", &n) || n > UINT16_MAX)
		return false;
	*domid = n;
	return true;
}

/* @nr numbers in the line of @name, each in hex and up to a blank. */
static bool words_of(const char *text, const char *name, unsigned long long *words, int nr)
{
	const char *line = line_of(text, name);
	char *end;
	int i;

	for (i = 0; i < nr; i++) {
		if (!line || *line < '0' || *line > '9')
			return false;
		errno = 0;
		words[i] = strtoull(line, &end, 16);
		if (errno || *end != (i + 1 < nr ? ' ' : '\n'))
			return false;
		line = end + 1;
	}
	return true;
}

static bool rights_of(const char *text, struct rights *r)
{
	unsigned long long gfns[2];

	rights_all(r);
	if (!strstr(text, "dmop-narrowed"))
		return true;
	if (!words_of(text, "dmop-gfns", gfns, 2))
		return false;
	r->gfn_first = gfns[0];
	r->gfn_last = gfns[1];
	return words_of(text, "dmop-narrowed", &r->narrowed, 1) && words_of(text, "dmop-acts", &r->acts, 1) &&
	       words_of(text, "dmop-ops", r->ops, 2) && words_of(text, "dmop-resources", &r->resources, 1) &&
	       number_of(text, "dmop-max-frames", &r->max_frames);
}

bool fdinfo_parse(const char *text, struct file_info *info)
{
	return state_of(text, &info->state) && domid_of(text, &info->domid) &&
	       number_of(text, "dmop-calls", &info->calls) &&
	       number_of(text, "dmop-refused-policy", &info->refused_policy) &&
	       number_of(text, "dmop-refused-dead", &info->refused_dead) &&
	       number_of(text, "dmop-mapped-frames", &info->mapped_frames) &&
	       number_of(text, "dmop-max-nr-bufs", &info->max_nr_bufs) &&
	       number_of(text, "dmop-max-buf-size", &info->max_buf_size) &&
	       number_of(text, "dmop-max-map-frames", &info->max_map_frames) &&
	       rights_of(text, &info->rights);
}

/* Return: 1 or 0, or minus the errno if that cannot be told. */
static int leads_to(int dirfd, const char *fd, dev_t device)
{
	struct file_status st;
	char path[32];
	int err;

	snprintf(path, sizeof(path), "fd/%.20s", fd);
	err = file_status(dirfd, path, &st);
	/* Closed meanwhile. */
	if (err == -ENOENT)
		return 0;
	return err ? err : S_ISCHR(st.mode) && st.rdevice == device;
}

/* --- one process ------------------------------------------------------- */

/* Return: negative, 0 or positive. Descriptors that cannot be compared count as two files. */
static int compare_files(pid_t pid, int a, int b)
{
	long order = syscall(SYS_kcmp, pid, pid, KCMP_FILE, a, b);

	return order == 0 ? 0 : order == 1 ? -1 : 1;
}

static void add_fd(struct process *p, int fd, const struct file_info *info)
{
	unsigned int low = 0, high = p->nr_files;
	struct open_file *f;

	/* kcmp() defines a total order, so a binary search works: few calls, also with many files. */
	while (low < high) {
		unsigned int middle = (low + high) / 2;
		int order = compare_files(p->pid, fd, p->files[middle].fds[0]);

		if (!order) {
			f = &p->files[middle];
			f->fds = grow(f->fds, f->nr_fds + 1, sizeof(*f->fds));
			f->fds[f->nr_fds++] = fd;
			return;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	p->files = grow(p->files, p->nr_files + 1, sizeof(*p->files));
	f = &p->files[low];
	memmove(f + 1, f, (p->nr_files - low) * sizeof(*f));
	p->nr_files++;
	f->fds = grow(NULL, 1, sizeof(*f->fds));
	f->fds[0] = fd;
	f->nr_fds = 1;
	f->info = *info;
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int by_first_fd(const void *a, const void *b)
{
	return ((const struct open_file *)a)->fds[0] - ((const struct open_file *)b)->fds[0];
}

static void sort_files(struct process *p)
{
	unsigned int i;

	for (i = 0; i < p->nr_files; i++)
		qsort(p->files[i].fds, p->files[i].nr_fds, sizeof(int), by_number);
	if (p->nr_files)
		qsort(p->files, p->nr_files, sizeof(*p->files), by_first_fd);
}

/* The name can contain any byte, so the last bracket ends it. */
static bool read_start(int dirfd, unsigned long long *start)
{
	char text[1024], *at;
	int field;

	if (read_text(dirfd, "stat", text, sizeof(text)) <= 0)
		return false;
	at = strrchr(text, ')');
	/* The bracket ends the second field; the start time is the 22nd. */
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	*start = strtoull(at, NULL, 10);
	return true;
}

bool process_uid(int dirfd, uid_t *uid)
{
	char text[4096], *line;

	if (read_text(dirfd, "status", text, sizeof(text)) <= 0)
		return false;
	/* The kernel escapes newlines in the name, in the first line of this file. */
	line = strstr(text, "\nUid:\t");
	return line && sscanf(line, "\nUid:\t%*u\t%u", uid) == 1;
}

static bool read_name(int dirfd, char *name)
{
	char text[64];
	ssize_t n = read_text(dirfd, "comm", text, sizeof(text));

	if (n <= 0)
		return false;
	text_clean(name, NAME_SIZE, text, text[n - 1] == '\n' ? n - 1 : n);
	return true;
}

DIR *dir_at(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

static int read_files(int dirfd, struct process *p)
{
	dev_t device = xen_device("dmop");
	struct file_info info;
	struct dirent *entry;
	char path[32], text[4096];
	int found;
	DIR *dir;

	if (!device)
		return -EIO;
	dir = dir_at(dirfd, "fd");
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		found = leads_to(dirfd, entry->d_name, device);
		snprintf(path, sizeof(path), "fdinfo/%.20s", entry->d_name);
		if (found > 0)
			found = read_text(dirfd, path, text, sizeof(text));
		if (found > 0 && fdinfo_parse(text, &info))
			add_fd(p, atoi(entry->d_name), &info);
		else if (found && found != -ENOENT)
			p->unreadable++;
	}
	closedir(dir);
	return 0;
}

int process_read(pid_t pid, struct process *p)
{
	char path[32];
	int dirfd, err;

	*p = (struct process){ .pid = pid };
	control_group_unknown(&p->group);
	snprintf(path, sizeof(path), "/proc/%d", pid);
	/* All reads go through this descriptor, so a reused process id cannot mix two processes. */
	dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	err = read_files(dirfd, p);
	sort_files(p);
	if (!err && !(read_name(dirfd, p->name) && process_uid(dirfd, &p->uid) &&
		      read_start(dirfd, &p->start)))
		err = -ESRCH;
	if (!err && p->nr_files)
		control_group_read(dirfd, &p->group);
	close(dirfd);
	if (err)
		process_free(p);
	return err == -ESRCH ? -ENOENT : err;
}

void process_free(struct process *p)
{
	unsigned int i;

	for (i = 0; i < p->nr_files; i++)
		free(p->files[i].fds);
	free(p->files);
	p->files = NULL;
	p->nr_files = 0;
}

/* --- all processes ----------------------------------------------------- */

static int by_pid(const void *a, const void *b)
{
	return ((const struct process *)a)->pid - ((const struct process *)b)->pid;
}

static void look_at(struct snapshot *s, pid_t pid)
{
	struct process p;
	int err = process_read(pid, &p);

	if (err == -EACCES || err == -EPERM)
		s->hidden++;
	s->unreadable += p.unreadable;
	if (err || !p.nr_files) {
		process_free(&p);
		return;
	}
	s->processes = grow(s->processes, s->nr + 1, sizeof(*s->processes));
	s->processes[s->nr++] = p;
}

int snapshot_take(struct snapshot *s)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	*s = (struct snapshot){ 0 };
	if (!dir)
		return fail(STATUS_OTHER, "/proc: %s; mount -t proc proc /proc", strerror(errno));
	clock_gettime(CLOCK_MONOTONIC, &s->when);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] > '0' && entry->d_name[0] <= '9')
			look_at(s, atoi(entry->d_name));
	closedir(dir);
	if (s->nr)
		qsort(s->processes, s->nr, sizeof(*s->processes), by_pid);
	return 0;
}

void snapshot_free(struct snapshot *s)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		process_free(&s->processes[i]);
	free(s->processes);
	s->processes = NULL;
	s->nr = 0;
}
