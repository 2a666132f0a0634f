/* SPDX-License-Identifier: GPL-2.0 */
/*
 * command.h - run shell commands, read a number from their output, create domains with them
 */
#ifndef DMOP_TEST_COMMAND_H
#define DMOP_TEST_COMMAND_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Return: true if the command exits with 0. */
static inline __attribute__((format(printf, 1, 2))) bool run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return !system(command);
}

/* Return: the number that the command prints, or -1. */
static inline __attribute__((format(printf, 1, 2))) long number(const char *format, ...)
{
	char command[512], line[64] = "", *end;
	va_list args;
	FILE *f;
	long n;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	f = popen(command, "r");
	if (!f)
		return -1;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	n = strtol(line, &end, 10);
	return pclose(f) || end == line ? -1 : n;
}

/* --- domains ----------------------------------------------------------- */

/* Return: the domid, or -1. */
static inline long create(const char *name)
{
	return number("lab-domain create %s", name);
}

static inline long create_as(const char *name, long domid)
{
	return number("lab-domain create %s --domid %ld 2>/dev/null", name, domid);
}

static inline bool destroy(const char *name)
{
	return run("lab-domain destroy %s >/dev/null 2>&1", name);
}

/* Return: the references on the module, one for each open file. */
static inline long refcount(void)
{
	return number("cat /sys/module/dmop_privcmd/refcnt");
}

#endif /* DMOP_TEST_COMMAND_H */
