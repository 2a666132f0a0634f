/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dmopctl.h - what the commands share: options, exit codes
 */
#ifndef DMOPCTL_H
#define DMOPCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifndef DMOP_VERSION
#error "DMOP_VERSION comes from dkms.conf, by the Makefile"
#endif

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define NODE		"/dev/xen/dmop"
#define MODULE		"dmop_privcmd"
#define SYS_MODULE	"/sys/module/" MODULE

/* The exit codes of dmopctl(8). */
enum {
	STATUS_OK = 0,
	STATUS_FAULT = 1,	/* check, verify: something is not as it should be */
	STATUS_USAGE = 2,
	STATUS_DENIED = 3,
	STATUS_NO_PROCESS = 4,
	STATUS_NO_MODULE = 5,	/* not on Xen, or the module is not loaded */
	STATUS_OTHER = 6,
};

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

/* Each command: parses nothing, prints its result. Return: a STATUS_. */
int run_check(const struct options *o);
int run_list(const struct options *o);
int run_metrics(const struct options *o);
int run_show(const struct options *o);
int run_top(const struct options *o);
int run_trace(const struct options *o);
int run_verify(const struct options *o);

/**
 * fail() - say why it cannot be done
 * @status: a STATUS_
 * @format: cause, and remedy if there is one
 *
 * Return: @status.
 */
__attribute__((format(printf, 2, 3)))
int fail(int status, const char *format, ...);

/* Memory, or the end of the program. */
void *grow(void *p, size_t nr, size_t size);

/**
 * on_end() - have SIGINT, SIGTERM and SIGHUP end what is going on, not the program
 *
 * System calls that wait then give EINTR, and ended() is true.
 */
void on_end(void);
bool ended(void);

/* Return: 0, or the STATUS_ with which all commands about a running module end without one. */
int need_module(void);

/* Return: the process that the operand names, or 0 after a complaint. */
pid_t the_pid(const struct options *o);

/* Prints a JSON value, and lets it go. */
struct json_object;
void print_json(struct json_object *value, bool pretty);

#endif /* DMOPCTL_H */
