/* SPDX-License-Identifier: GPL-2.0 */
/*
 * proc.h - open files of /dev/xen/dmop by process, from /proc
 *
 * Processes start and exit during the scan; one that has exited is omitted. A process chooses its
 * own name, so every name here went through text_clean().
 */
#ifndef DMOPCTL_PROC_H
#define DMOPCTL_PROC_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "limits.h"
#include "narrowed.h"
#include "text.h"

#define NO_DOMID	(-1L)

enum state { UNBOUND, BOUND, REVOKED };

const char *state_name(enum state state);

/* The fdinfo of an open file of /dev/xen/dmop. */
struct file_info {
	enum state state;
	long domid;		/* NO_DOMID if never bound */
	unsigned long long calls;
	unsigned long long refused_policy;
	unsigned long long refused_dead;
	unsigned long long mapped_frames;
	unsigned long long max_nr_bufs;
	unsigned long long max_buf_size;
	unsigned long long max_map_frames;
	struct rights rights;
};

/* An open file, and its descriptors in one process. */
struct open_file {
	int *fds;
	unsigned int nr_fds;
	struct file_info info;
};

struct process {
	pid_t pid;
	uid_t uid;			/* effective */
	unsigned long long start;	/* with @pid, identifies the process */
	char name[NAME_SIZE];
	struct open_file *files;
	unsigned int nr_files;
	unsigned int unreadable;	/* descriptors of unknown target or state */
	struct control_group group;	/* unknown without a file */
};

struct snapshot {
	struct timespec when;
	struct process *processes;	/* holders of at least one file, by pid */
	unsigned int nr;
	unsigned int hidden;		/* processes not readable by this user */
	unsigned int unreadable;	/* descriptors, of the others */
};

/**
 * fdinfo_parse() - parse the module's lines in /proc/PID/fdinfo/N
 * @text: the complete file
 * @info: result
 *
 * A module that cannot narrow has no lines of rights.
 *
 * Return: true if all other lines are present, and all are valid.
 */
bool fdinfo_parse(const char *text, struct file_info *info);

/* Scans /proc. Return: 0, or a STATUS_ after an error message. */
int snapshot_take(struct snapshot *s);
void snapshot_free(struct snapshot *s);

/**
 * process_read() - read one process
 * @pid: the process
 * @p:   result; without files if it holds none
 *
 * Return: 0 or minus the errno: -EACCES, -ENOENT without such a process, -EIO without the module.
 */
int process_read(pid_t pid, struct process *p);
void process_free(struct process *p);

/* Reads the effective uid of the process with the directory @dirfd. Return: false without it. */
bool process_uid(int dirfd, uid_t *uid);

/* Reads up to @size - 1 bytes of a file and adds a NUL. Return: bytes, or minus the errno. */
ssize_t read_text(int dirfd, const char *path, char *to, size_t size);

/* Opens the directory @name in @dirfd. Return: the stream, or NULL with errno set. */
DIR *dir_at(int dirfd, const char *name);

/* Return: the device number of Xen's node @name ("dmop"), or 0 without such a device. */
dev_t xen_device(const char *name);

#endif /* DMOPCTL_PROC_H */
