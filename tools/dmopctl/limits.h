/* SPDX-License-Identifier: GPL-2.0 */
/*
 * limits.h - what the control group of a process may use, and has used
 */
#ifndef DMOPCTL_LIMITS_H
#define DMOPCTL_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* An amount without a limit, or of unknown usage. */
#define NO_AMOUNT	(~0ULL)

struct amount {
	unsigned long long limit;	/* the smallest of the group and its ancestors */
	unsigned long long used;	/* by the group, with all its processes */
};

struct control_group {
	char path[512];			/* from text_clean(); "" if it is unknown */
	struct amount cpu;		/* in microseconds; the limit is for each second */
	struct amount memory;		/* in bytes */
	struct amount processes;	/* each thread counts */
};

/* The CPU_MAX of dmop-qemu(8), and the number of processors. */
#define CPU_PERCENT	1e4
#define CPU_SECOND	1e6

/* Room for either text of any group. */
#define AMOUNTS_SIZE	128

/**
 * control_group_read() - read the limits and the usage of the group of cgroup v2 of a process
 * @dirfd: /proc/PID
 * @g:     result
 *
 * Files come and go with the controllers, and the group with the process. An amount without its
 * file is NO_AMOUNT. So is the usage of the root group, the rest of the host.
 */
void control_group_read(int dirfd, struct control_group *g);

/* Makes a group with an unknown path, no limit and unknown usage. */
void control_group_unknown(struct control_group *g);

/* Return: true if the group or an ancestor has a limit. */
bool control_group_limited(const struct control_group *g);

/* Writes "processor 200%, memory 1024M, processes 256", or "none". Return: @to. */
char *control_group_limits(char *to, size_t size, const struct control_group *g);

/* Writes "processor 12.3 s, memory 230M, processes 9", or "unknown". Return: @to. */
char *control_group_usage(char *to, size_t size, const struct control_group *g);

/* Return: the group as a new JSON object. */
struct json_object;
struct json_object *control_group_json(const struct control_group *g);

/**
 * limits_read() - read the limits of the group of cgroup v2 that a process is in
 * @pid:  the process
 * @text: result: "cpu.max 200000 100000, memory.max 1073741824"
 * @size: of @text
 *
 * Return: true if there is a limit.
 */
bool limits_read(pid_t pid, char *text, size_t size);

#endif /* DMOPCTL_LIMITS_H */
