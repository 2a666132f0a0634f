/* SPDX-License-Identifier: GPL-2.0 */
/*
 * proc.h - who holds what, as /proc tells it
 *
 * Processes come and go while they are looked at, and what they are called is
 * theirs to choose: one that is gone is left out, and every name is clean text.
 */
#ifndef DMOPCTL_PROC_H
#define DMOPCTL_PROC_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "text.h"

#define NO_DOMID	(-1L)

enum state { UNBOUND, BOUND, REVOKED };

const char *state_name(enum state state);

/* What fdinfo tells of an open file of /dev/xen/dmop. */
struct file_info {
	enum state state;
	long domid;		/* NO_DOMID if it was never bound */
	unsigned long long calls;
	unsigned long long refused_policy;
	unsigned long long refused_dead;
	unsigned long long mapped_frames;
	unsigned long long max_nr_bufs;
	unsigned long long max_buf_size;
	unsigned long long max_map_frames;
};

/* An open file, and the descriptors of one process that lead to it. */
struct open_file {
	int *fds;
	unsigned int nr_fds;
	struct file_info info;
};

struct process {
	pid_t pid;
	uid_t uid;			/* effective */
	unsigned long long start;	/* with @pid: this process and no other */
	char name[NAME_SIZE];
	struct open_file *files;
	unsigned int nr_files;
};

struct snapshot {
	struct timespec when;
	struct process *processes;	/* those that hold at least one, by pid */
	unsigned int nr;
	unsigned int hidden;		/* processes that could not be looked into */
};

/**
 * fdinfo_parse() - read what the module says in /proc/PID/fdinfo/N
 * @text: all of it
 * @info: result
 *
 * Return: whether all is there.
 */
bool fdinfo_parse(const char *text, struct file_info *info);

/* Reads /proc. Return: 0, or a STATUS_ after a complaint. */
int snapshot_take(struct snapshot *s);
void snapshot_free(struct snapshot *s);

/**
 * process_read() - look at one process
 * @pid: which
 * @p:   result; with no files if it holds none
 *
 * Return: 0 or minus the errno: -EACCES, -ENOENT if there is none, -EIO if there is no module.
 */
int process_read(pid_t pid, struct process *p);
void process_free(struct process *p);

/* Reads a small file, cut at @size, with a NUL at its end. Return: bytes, or minus the errno. */
ssize_t read_text(int dirfd, const char *path, char *to, size_t size);

/* Opens the directory @name of @dirfd. Return: it, or NULL with errno set. */
DIR *dir_at(int dirfd, const char *name);

/* Return: the number of Xen's device @name ("dmop"), or 0 if there is none. */
dev_t xen_device(const char *name);

#endif /* DMOPCTL_PROC_H */
