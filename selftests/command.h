/* SPDX-License-Identifier: GPL-2.0 */
/*
 * command.h - commands of the shell, and what they print
 */
#ifndef DMOP_TEST_COMMAND_H
#define DMOP_TEST_COMMAND_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Return: did it exit with 0? */
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

#endif /* DMOP_TEST_COMMAND_H */
