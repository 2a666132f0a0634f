// SPDX-License-Identifier: GPL-2.0
/*
 * disk.c - the server of a disk in an xl.cfg
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "disk.h"
#include "dmopctl.h"
#include "memory.h"
#include "text.h"

struct spec {
	const char *target, *format, *vdev, *access, *backend, *type;
	bool prefix;		/* a deprecated prefix took the place of the format */
	bool script;
	bool cdrom;
};

static bool take_key(struct spec *s, char *word)
{
	static const char unused[] = "";
	const char *devtype = unused, *script = NULL;
	const struct {
		const char *key;
		const char **value;
	} keys[] = {
		{ "format=", &s->format }, { "vdev=", &s->vdev }, { "access=", &s->access },
		{ "backend=", &s->backend }, { "backendtype=", &s->type },
		{ "devtype=", &devtype }, { "script=", &script },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t n = strlen(keys[i].key);

		if (strncmp(word, keys[i].key, n))
			continue;
		*keys[i].value = word + n;
		if (*devtype)
			s->cdrom = !strcmp(devtype, "cdrom");
		s->script = s->script || script;
		return true;
	}
	return strchr(word, '=');
}

static bool is_flag(const char *word)
{
	static const char *const flags[] = {
		"direct-io-safe", "discard", "no-discard", "colo", "no-colo", "trusted", "untrusted",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(word, flags[i]))
			return true;
	return false;
}

/* The old form of a target, "qcow2:/path". Return: the path. */
static char *take_prefix(struct spec *s, char *word)
{
	static const char *const formats[] = { "raw", "qcow", "qcow2", "vhd" };
	static const char *const scripts[] = { "iscsi", "nbd", "enbd", "drbd" };
	static const char *const others[] = {
		"tapdisk", "tap", "tap2", "aio", "ioemu", "file", "phy",
	};
	char *colon, *at = word;
	bool known = true;
	size_t i;

	while (known && (colon = strchr(at, ':')) && colon[1]) {
		known = false;
		*colon = 0;
		for (i = 0; i < ARRAY_SIZE(formats); i++)
			if (!strcmp(at, formats[i])) {
				s->format = formats[i];
				known = true;
			}
		for (i = 0; i < ARRAY_SIZE(scripts); i++)
			s->script = s->script || !strcmp(at, scripts[i]);
		for (i = 0; i < ARRAY_SIZE(others); i++)
			known = known || !strcmp(at, others[i]);
		if (!known && !s->script) {
			*colon = ':';
			break;
		}
		s->prefix = true;
		at = colon + 1;
	}
	return at;
}

/* "hdc:cdrom" */
static void take_vdev(struct spec *s, char *word)
{
	char *colon = strrchr(word, ':');

	if (colon) {
		*colon++ = 0;
		s->cdrom = !strcmp(colon, "cdrom");
	}
	s->vdev = word;
}

static void take_position(struct spec *s, char *word)
{
	if (!s->target) {
		s->target = take_prefix(s, word);
	} else if (!s->prefix && !s->format) {
		/* An empty drive: without a target, the format may be left out. */
		if (!*s->target && strchr(word, ':')) {
			s->format = "empty";
			take_vdev(s, word);
		} else {
			s->format = word;
		}
	} else if (!s->vdev) {
		take_vdev(s, word);
	} else {
		s->access = word;
	}
}

static void take_words(struct spec *s, char *at)
{
	char *comma;

	for (; at; at = comma) {
		at += strspn(at, " \t\n");
		/* The target may contain commas, and ends the element. */
		if (!strncmp(at, "target=", 7)) {
			s->target = at + 7;
			return;
		}
		comma = strchr(at, ',');
		if (comma)
			*comma++ = 0;
		else if (!*at)
			return;
		if (!strcmp(at, "cdrom"))
			s->cdrom = true;
		else if (!is_flag(at) && !take_key(s, at))
			take_position(s, at);
	}
}

bool disk_in_this_domain(const char *backend)
{
	return !backend || !*backend || !strcmp(backend, "0") || !strcmp(backend, "Domain-0");
}

/* As libxl chooses: the kernel serves block devices and plain files, and only in raw format. */
static bool by_qemu(const struct spec *s, bool hvm)
{
	struct stat st;

	if (s->script || !disk_in_this_domain(s->backend))
		return false;
	if (s->type)
		return !strcmp(s->type, "qdisk");
	if (s->cdrom && hvm)
		return true;
	if (s->format && *s->format && strcmp(s->format, "raw") && strcmp(s->format, "empty"))
		return true;
	return s->target && !stat(s->target, &st) && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode);
}

/* An image without a type is tried as one for the kernel first, except a CD of an HVM guest. */
static bool is_missing(const struct spec *s, bool hvm)
{
	struct stat st;

	if (s->script || !disk_in_this_domain(s->backend) || !s->target || *s->target != '/')
		return false;
	if (s->type ? strcmp(s->type, "phy") : s->cdrom && hvm)
		return false;
	if (s->format && !strcmp(s->format, "empty"))
		return false;
	return stat(s->target, &st) && (errno == ENOENT || errno == ENOTDIR);
}

void disk_parse(const char *spec, bool hvm, struct disk *disk)
{
	char *copy = grow(NULL, strlen(spec) + 1, 1);
	struct spec s = { 0 };

	take_words(&s, strcpy(copy, spec));
	*disk = (struct disk){ .cdrom = s.cdrom, .by_qemu = by_qemu(&s, hvm) };
	if (s.vdev)
		text_clean(disk->vdev, sizeof(disk->vdev), s.vdev, strlen(s.vdev));
	if (is_missing(&s, hvm))
		text_clean(disk->missing, sizeof(disk->missing), s.target, strlen(s.target));
	free(copy);
}
