/* SPDX-License-Identifier: GPL-2.0 */
/*
 * limits.h - the limits of a process by its control group
 */
#ifndef DMOPCTL_LIMITS_H
#define DMOPCTL_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

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
