// SPDX-License-Identifier: GPL-2.0
/*
 * domains.c - the domains in XenStore
 *
 * libxenstore waits for an answer without an end. So a child process asks, and writes each domain
 * into a pipe.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenstore.h>

#include "domains.h"
#include "memory.h"

/* Exit codes of the child, apart from 0. */
#define CHILD_CANNOT_ASK	1
#define CHILD_CANNOT_WRITE	2

const char *domains_socket(void)
{
	return xs_daemon_socket();
}

/* --- in the child ------------------------------------------------------ */

/* Return: the value, @n bytes and a NUL, for free(); or NULL. */
static char *read_of(struct xs_handle *xs, const char *domid, const char *what, unsigned int *n)
{
	char path[128];

	snprintf(path, sizeof(path), "/local/domain/%.16s/%s", domid, what);
	return xs_read(xs, XBT_NULL, path, n);
}

static void read_domain(struct xs_handle *xs, const char *domid, struct domain *domain)
{
	unsigned int n;
	char *text;

	memset(domain, 0, sizeof(*domain));
	domain->domid = atol(domid);
	text = read_of(xs, domid, "name", &n);
	if (text)
		text_clean(domain->name, sizeof(domain->name), text, n);
	free(text);
	text = read_of(xs, domid, "image/device-model-pid", &n);
	if (text && atol(text) > 0)
		domain->device_model = atol(text);
	free(text);
}

/* A domain is smaller than PIPE_BUF, so a reader never gets half of one. */
static int ask(int to)
{
	/* Without the flag, the library falls back to a device, and blocks if xenstored is down. */
	struct xs_handle *xs = xs_open(XS_OPEN_SOCKETONLY);
	struct domain domain;
	unsigned int nr, i;
	char **domids;

	domids = xs ? xs_directory(xs, XBT_NULL, "/local/domain", &nr) : NULL;
	if (!domids)
		return CHILD_CANNOT_ASK;
	for (i = 0; i < nr; i++) {
		read_domain(xs, domids[i], &domain);
		if (write(to, &domain, sizeof(domain)) != sizeof(domain))
			return CHILD_CANNOT_WRITE;
	}
	return 0;
}

/* --- in the parent ----------------------------------------------------- */

/* Return: true at the end of the child's output, false if it pauses for too long. */
static bool collect(struct domains *d, int from)
{
	struct pollfd wait = { .fd = from, .events = POLLIN };
	struct domain domain;
	ssize_t n;
	int ready;

	for (;;) {
		ready = poll(&wait, 1, DOMAINS_PATIENCE * 1000);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		n = read(from, &domain, sizeof(domain));
		if (n != sizeof(domain))
			return true;
		d->list = grow(d->list, d->nr + 1, sizeof(*d->list));
		d->list[d->nr++] = domain;
	}
}

static bool is_silent(struct domains *d)
{
	int ends[2], status = 0;
	bool ended;
	pid_t child;

	d->xenstore = XENSTORE_REFUSES;
	if (pipe(ends))
		return false;
	fflush(NULL);
	child = fork();
	if (!child) {
		signal(SIGPIPE, SIG_IGN);
		close(ends[0]);
		_exit(ask(ends[1]));
	}
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return false;
	}
	ended = collect(d, ends[0]);
	close(ends[0]);
	if (!ended)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (ended && WIFEXITED(status) && !WEXITSTATUS(status))
		d->xenstore = XENSTORE_ANSWERS;
	return !ended;
}

void domains_read(struct domains *d)
{
	static bool silent;

	*d = (struct domains){ .xenstore = XENSTORE_SILENT };
	if (access(domains_socket(), F_OK))
		d->xenstore = errno == EACCES ? XENSTORE_DENIED : XENSTORE_NO_SOCKET;
	else if (access(domains_socket(), W_OK) && errno == EACCES)
		d->xenstore = XENSTORE_DENIED;
	else if (!silent)
		silent = is_silent(d);
	if (silent)
		d->xenstore = XENSTORE_SILENT;
	if (d->xenstore != XENSTORE_ANSWERS)
		domains_free(d);
}

void domains_free(struct domains *d)
{
	free(d->list);
	d->list = NULL;
	d->nr = 0;
}

const char *domains_name(const struct domains *d, long domid)
{
	unsigned int i;

	for (i = 0; i < d->nr; i++)
		if (d->list[i].domid == domid)
			return d->list[i].name;
	return "";
}
