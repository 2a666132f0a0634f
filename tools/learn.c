// SPDX-License-Identifier: GPL-2.0
/*
 * learn.c - record the profile of a program
 *
 * The tracepoints report each operation and mapping. A process of its own counts them, and ends with
 * the program. It holds none of the program's descriptors but standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dmopctl/event.h"
#include "dmopctl/tracer.h"
#include "handover.h"
#include "learn.h"
#include "profile.h"

#define TICK_MS	200

/* What the recorder reports once it has begun: an errno, and the path that has caused it. */
struct report {
	int err;
	char path[64];
};

struct recording {
	unsigned long ops[NR_OPS];
	unsigned long resources[NR_RESOURCES];
	unsigned long foreign;
	unsigned long others;	/* operations and types without a bit in a profile */
	unsigned long lost;	/* notices of lost events */
	unsigned long long frames;
};

/* A mapping call that NARROW has refused is reported as well, with EPERM. */
static void count(struct recording *r, const char *line)
{
	unsigned long long mapped;
	unsigned int op;
	struct event e;
	long type, ret;

	if (!event_parse(line, &e)) {
		r->lost += !!strstr(line, "LOST");
		return;
	}
	if (sscanf(e.fields, "domid=%*u op=%u", &op) == 1) {
		if (op < NR_OPS)
			r->ops[op]++;
		else
			r->others++;
	} else if (sscanf(e.fields, "domid=%*u %*s addr=%*x frames=%*u mapped=%llu ret=%ld type=%ld",
			  &mapped, &ret, &type) == 3 && ret != -EPERM) {
		if (type < 0)
			r->foreign++;
		else if (type < NR_RESOURCES)
			r->resources[type]++;
		else
			r->others++;
		if (mapped > r->frames)
			r->frames = mapped;
	}
}

static void read_events(struct recording *r, struct tracer *t)
{
	char bytes[4096];
	ssize_t n, i;

	while ((n = read(t->pipe, bytes, sizeof(bytes))) > 0)
		for (i = 0; i < n; i++)
			if (tracer_add(t, bytes[i]))
				count(r, t->line);
}

/* --- the file ---------------------------------------------------------- */

static void write_number(FILE *to, const char *keyword, unsigned int n, const char *name,
			 unsigned long times)
{
	fprintf(to, "%s %-3u # %s, %lu\n", keyword, n, name ? name : "unknown", times);
}

static void write_profile(FILE *to, const struct recording *r)
{
	unsigned int i, mapped = !!r->foreign;

	fputs("\n# operations, and how often\n", to);
	for (i = 0; i < NR_OPS; i++)
		if (r->ops[i])
			write_number(to, "op", i, profile_op_name(i), r->ops[i]);
	fputs("\n# types of resources, and how often they were mapped\n", to);
	for (i = 0; i < NR_RESOURCES; i++) {
		mapped += !!r->resources[i];
		if (r->resources[i])
			write_number(to, "resource", i, profile_resource_name(i), r->resources[i]);
	}
	if (r->foreign)
		fprintf(to, "\nact map-foreign # %lu\n", r->foreign);
	if (mapped)
		fprintf(to, "# not recorded; without it, all is mapped for reading only\nact map-write\n"
			"\n# the most at the same time; another guest can need more\nframes %llu\n", r->frames);
	if (r->others)
		fprintf(to, "\n# %lu calls with numbers that no profile can have are not in here\n", r->others);
	if (r->lost)
		fprintf(to, "\n# INCOMPLETE: events were lost, %lu times; record it again\n", r->lost);
}

/* The first line of what PROGRAM -version prints. */
static void write_version(FILE *to, const char *program)
{
	char line[256] = "", clean[512];
	int output[2];
	ssize_t n = 0;
	pid_t pid;

	if (pipe2(output, O_CLOEXEC))
		return;
	pid = fork();
	if (!pid) {
		dup2(output[1], STDOUT_FILENO);
		execl(program, program, "-version", NULL);
		_exit(EXIT_NOT_FOUND);
	}
	close(output[1]);
	if (pid > 0)
		n = read(output[0], line, sizeof(line) - 1);
	close(output[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (n > 0)
		fprintf(to, "# %s\n", text_clean(clean, sizeof(clean), line, strcspn(line, "\n")));
}

static void write_head(FILE *to, int domid, const char *program, int ask)
{
	char clean[512], day[32];
	time_t now = time(NULL);

	strftime(day, sizeof(day), "%Y-%m-%d", localtime(&now));
	fprintf(to, "# dmop profile, see dmop-run(8); recorded on %s, on domain %d\n# %s\n", day, domid,
		text_clean(clean, sizeof(clean), program, strlen(program)));
	if (ask)
		write_version(to, program);
	fflush(to);
}

/* --- the process ------------------------------------------------------- */

static _Noreturn void record(FILE *to, const char *file, struct tracer *t, int program)
{
	struct pollfd p[] = {
		{ .fd = program, .events = POLLIN }, { .fd = t->pipe, .events = POLLIN },
	};
	struct recording r = { .lost = 0 };

	do {
		/* The kernel may wake it only once the buffer is half full. */
		poll(p, 2, TICK_MS);
		read_events(&r, t);
	} while (!(p[0].revents & POLLIN));
	read_events(&r, t);
	tracer_close(t);
	write_profile(to, &r);
	if (fclose(to))
		dprintf(STDERR_FILENO, "dmop-run: %s: %s\n", file, strerror(errno));
	else
		dprintf(STDERR_FILENO, "dmop-run: %s: the profile is complete\n", file);
	_exit(0);
}

/* Neither a child of the program, nor reached by a signal of its terminal. */
static _Noreturn void become_recorder(FILE *to, const char *file, int domid, const char *program,
				      int ask, int pidfd, int ready)
{
	static const char *const events[] = { "op", "map", NULL };
	struct report report = { 0 };
	struct tracer t;

	setsid();
	if (fork())
		_exit(0);
	signal(SIGPIPE, SIG_IGN);
	report.err = tracer_open(&t, domid, events);
	snprintf(report.path, sizeof(report.path), "%s", *t.dir ? t.dir : "tracefs");
	if (report.err)
		tracer_close(&t);
	if (write(ready, &report, sizeof(report)) != sizeof(report) || report.err)
		_exit(EXIT_OTHER);
	close(ready);
	write_head(to, domid, program, ask);
	record(to, file, &t, pidfd);
}

int learn(const char *file, int domid, const char *program, int ask, char *why, size_t size)
{
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0), ready[2];
	FILE *to = fopen(file, "we");
	struct report report;
	pid_t pid;
	ssize_t n;

	if (!to) {
		snprintf(why, size, "%s: %s", file, strerror(errno));
		return EXIT_USAGE;
	}
	if (pidfd < 0 || pipe2(ready, O_CLOEXEC)) {
		snprintf(why, size, "cannot record: %s", strerror(errno));
		return EXIT_OTHER;
	}
	pid = fork();
	if (!pid)
		become_recorder(to, file, domid, program, ask, pidfd, ready[1]);
	close(ready[1]);
	fclose(to);
	close(pidfd);
	n = pid > 0 && waitpid(pid, NULL, 0) == pid ? read(ready[0], &report, sizeof(report)) : -1;
	close(ready[0]);
	if (n == sizeof(report) && !report.err)
		return 0;
	if (n == sizeof(report))
		snprintf(why, size, "cannot record: %s: %s", report.path, strerror(report.err));
	else
		snprintf(why, size, "cannot record: the process for it has failed");
	return EXIT_OTHER;
}
