// SPDX-License-Identifier: GPL-2.0
/*
 * config.c - device model settings in an xl.cfg
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "dmopctl.h"
#include "text.h"

#define BLANKS	" \t\r\n"

char *config_value(char *line, const char *key)
{
	char *at = line + strspn(line, BLANKS), *end;
	size_t n = strlen(key);

	if (strncmp(at, key, n))
		return NULL;
	at += n;
	at += strspn(at, BLANKS);
	if (*at++ != '=')
		return NULL;
	at += strspn(at, BLANKS);
	if (*at == '"' || *at == '\'') {
		end = strchr(at + 1, *at);
		at++;
	} else {
		end = at + strcspn(at, BLANKS "#;");
	}
	if (end)
		*end = 0;
	return at;
}

struct config {
	bool hvm;		/* has a device model */
	bool override;		/* dmop-qemu */
	bool version;
	bool restricted;
	bool no_keyboard;
};

static void take_line(struct config *c, const char *line)
{
	static const char *const keys[] = {
		"type", "builder", "device_model_override", "device_model_version", "dm_restrict",
		"vkb_device",
	};
	char copy[1024], *value = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys) && !value; i++) {
		snprintf(copy, sizeof(copy), "%s", line);
		value = config_value(copy, keys[i]);
	}
	if (!value)
		return;
	switch (i - 1) {
	case 0:
	case 1:
		c->hvm = !strcmp(value, "hvm");
		return;
	case 2:
		c->override = strlen(value) >= 9 && !strcmp(value + strlen(value) - 9, "dmop-qemu");
		return;
	case 3:
		c->version = !strcmp(value, "qemu-xen");
		return;
	case 4:
		c->restricted = atoi(value) == 1;
		return;
	default:
		c->no_keyboard = !strcmp(value, "0");
	}
}

/* The four lines of dmop-qemu(8); all of them are needed. */
static void judge(const struct config *c, const char *name, struct findings *f)
{
	static const char see[] = "dmop-qemu(8) has the four lines";

	if (!c->hvm) {
		finding(f, NOTE, "xl.cfg", NULL, "%s: not type = \"hvm\", no QEMU to confine", name);
		return;
	}
	if (!c->override)
		finding(f, FAULT, "xl.cfg", see, "%s: device_model_override is not dmop-qemu", name);
	if (!c->restricted)
		finding(f, FAULT, "xl.cfg", see, "%s: without dm_restrict = 1 its QEMU stays root", name);
	if (!c->version)
		finding(f, WARN, "xl.cfg", see,
			"%s: without device_model_version = \"qemu-xen\" xl has to guess", name);
	if (!c->no_keyboard)
		finding(f, WARN, "xl.cfg", see,
			"%s: without vkb_device = 0 a restricted QEMU 10 does not start", name);
	if (c->override && c->restricted && c->version && c->no_keyboard)
		finding(f, OK, "xl.cfg", NULL, "%s: its QEMU will be confined", name);
}

void config_check(const char *path, struct findings *f)
{
	char name[256], *line = NULL;
	struct config c = { 0 };
	size_t size = 0;
	FILE *file = fopen(path, "re");

	text_clean(name, sizeof(name), path, strlen(path));
	if (!file) {
		finding(f, FAULT, "xl.cfg", NULL, "%s: %s", name, strerror(errno));
		return;
	}
	while (getline(&line, &size, file) >= 0)
		take_line(&c, line);
	if (ferror(file))
		finding(f, FAULT, "xl.cfg", NULL, "%s: %s", name, strerror(errno));
	else
		judge(&c, name, f);
	free(line);
	fclose(file);
}
