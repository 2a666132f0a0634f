/* SPDX-License-Identifier: GPL-2.0 */
/*
 * common.h - helpers that the commands share: messages, signals, preconditions
 */
#ifndef DMOPCTL_COMMON_H
#define DMOPCTL_COMMON_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * fail() - print an error message
 * @status: a STATUS_
 * @format: the cause, and the remedy if there is one
 *
 * Return: @status.
 */
__attribute__((format(printf, 2, 3)))
int fail(int status, const char *format, ...);

/**
 * on_end() - let SIGINT, SIGTERM and SIGHUP end the command in order, not kill the program
 *
 * From then on these signals interrupt blocked system calls (EINTR) and make ended() true.
 * SIGPIPE is ignored.
 */
void on_end(void);
bool ended(void);

/* Return: 0 if the module is loaded, else STATUS_NO_MODULE after an error message. */
int need_module(void);

/* Return: advice after EPERM or EACCES, for root and for others. */
const char *permission_remedy(void);

/* Return: the process id in @text, or 0 after an error message. */
pid_t parse_pid(const char *text);

/* Prints a JSON value on standard output, and drops the reference to it. */
struct json_object;
void print_json(struct json_object *value, bool pretty);

#endif /* DMOPCTL_COMMON_H */
