/* SPDX-License-Identifier: GPL-2.0 */
/*
 * commands.h - the commands of dmopctl, and their options
 */
#ifndef DMOPCTL_COMMANDS_H
#define DMOPCTL_COMMANDS_H

#include <stdbool.h>

struct options {
	bool json;
	bool batch;
	double interval;	/* seconds; negative: not given */
	long count;		/* 0: not given */
	long domid;		/* negative: not given */
	const char *output;	/* NULL: not given */
	char **args;		/* operands, NULL at the end */
	int nr_args;
};

/* A command gets parsed options, and prints its result. Return: a STATUS_. */
int run_check(const struct options *o);
int run_list(const struct options *o);
int run_metrics(const struct options *o);
int run_show(const struct options *o);
int run_top(const struct options *o);
int run_trace(const struct options *o);
int run_verify(const struct options *o);

#endif /* DMOPCTL_COMMANDS_H */
