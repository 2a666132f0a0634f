// SPDX-License-Identifier: GPL-2.0
/*
 * domains.c - the domains in XenStore
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "domains.h"
#include "memory.h"

/* Return: the value, @n bytes and a NUL, for free(); or NULL. */
static char *read_of(struct xs_handle *xs, const char *domid, const char *what, unsigned int *n)
{
	char path[128];

	snprintf(path, sizeof(path), "/local/domain/%.16s/%s", domid, what);
	return xs_read(xs, XBT_NULL, path, n);
}

static void add(struct domains *d, struct xs_handle *xs, const char *domid)
{
	struct domain *domain;
	unsigned int n;
	char *text;

	d->list = grow(d->list, d->nr + 1, sizeof(*d->list));
	domain = &d->list[d->nr++];
	*domain = (struct domain){ .domid = atol(domid) };
	text = read_of(xs, domid, "name", &n);
	if (text)
		text_clean(domain->name, sizeof(domain->name), text, n);
	free(text);
	text = read_of(xs, domid, "image/device-model-pid", &n);
	if (text && atol(text) > 0)
		domain->device_model = atol(text);
	free(text);
}

void domains_read(struct domains *d)
{
	/* Without the flag, the library falls back to a device, and blocks if xenstored is down. */
	struct xs_handle *xs = xs_open(XS_OPEN_SOCKETONLY);
	unsigned int nr, i;
	char **domids;

	*d = (struct domains){ 0 };
	if (!xs)
		return;
	domids = xs_directory(xs, XBT_NULL, "/local/domain", &nr);
	if (domids) {
		d->known = true;
		for (i = 0; i < nr; i++)
			add(d, xs, domids[i]);
	}
	free(domids);
	xs_close(xs);
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
