// SPDX-License-Identifier: GPL-2.0
/*
 * common.c - helpers that the commands share: messages, signals, preconditions
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <json-c/json.h>

#include "common.h"
#include "dmopctl.h"
#include "text.h"

int fail(int status, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fputs("dmopctl: ", stderr);
	text_put(stderr, PLAIN, text);
	fputc('\n', stderr);
	return status;
}

static volatile sig_atomic_t end_asked;

static void ask_end(int signal)
{
	(void)signal;
	end_asked = 1;
}

void on_end(void)
{
	/* No SA_RESTART: a blocked system call has to return. */
	struct sigaction action = { .sa_handler = ask_end };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	/* A reader of the output may exit first. Writing then fails, and the error is checked. */
	signal(SIGPIPE, SIG_IGN);
}

bool ended(void)
{
	return end_asked;
}

static bool on_xen(void)
{
	return !access("/proc/xen/capabilities", F_OK) || !access("/sys/hypervisor/type", F_OK);
}

int need_module(void)
{
	if (!on_xen())
		return fail(STATUS_NO_MODULE, "this system does not run on Xen");
	if (access(SYS_MODULE, F_OK))
		return fail(STATUS_NO_MODULE,
			    "the module is not loaded; modprobe " MODULE " (dmopctl check tells more)");
	return 0;
}

const char *permission_remedy(void)
{
	if (geteuid())
		return "try as root";
	return "this root lacks a capability (CAP_SYS_PTRACE, CAP_SYS_ADMIN), or a security module (SELinux, AppArmor, Yama, lockdown) denies it";
}

pid_t parse_pid(const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 1 || n > 0x7fffffff) {
		fail(STATUS_USAGE, "'%s' is no process id", text);
		return 0;
	}
	return n;
}

void print_json(struct json_object *value, bool pretty)
{
	puts(json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE |
					    (pretty ? JSON_C_TO_STRING_PRETTY : 0)));
	json_object_put(value);
}
