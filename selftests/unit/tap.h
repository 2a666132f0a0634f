/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tap.h - KTAP output of the user-space tests
 */
#ifndef DMOP_TAP_H
#define DMOP_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static unsigned int tap_passed, tap_failed;

static inline void tap_begin(unsigned int plan)
{
	/* Line by line, so that the output before a crash is not lost. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%u\n", plan);
}

static inline void tap_result(bool ok, const char *name, ...)
{
	va_list ap;

	if (ok)
		tap_passed++;
	else
		tap_failed++;
	printf("%s %u ", ok ? "ok" : "not ok", tap_passed + tap_failed);
	va_start(ap, name);
	vprintf(name, ap);
	va_end(ap);
	putchar('\n');
}

/* Prints the totals line of kselftest.h. Return: the exit code. */
static inline int tap_end(unsigned int plan)
{
	bool whole = tap_passed + tap_failed == plan;

	if (!whole)
		printf("# planned %u tests, ran %u\n", plan, tap_passed + tap_failed);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n",
	       tap_passed, tap_failed);
	return tap_failed || !whole;
}

#endif /* DMOP_TAP_H */
