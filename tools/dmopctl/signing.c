// SPDX-License-Identifier: GPL-2.0
/*
 * signing.c - the certificate by which DKMS has signed the module
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "dmopctl.h"
#include "signing.h"
#include "text.h"

#define OF_UBUNTU	"/var/lib/shim-signed/mok/MOK.der"
#define OF_DKMS		"/var/lib/dkms/mok.pub"
#define PATH_SIZE	512

/* --- a certificate ----------------------------------------------------- */

/* Enters an element. Return: its contents, *@n bytes; NULL if it has another tag or is cut. */
static const unsigned char *enter(const unsigned char *at, size_t *n, unsigned char tag)
{
	size_t length, bytes, i, header = 2;

	if (*n < 2 || at[0] != tag)
		return NULL;
	length = at[1];
	if (length & 0x80) {
		bytes = length & 0x7f;
		if (!bytes || bytes > 4 || *n < 2 + bytes)
			return NULL;
		for (length = 0, i = 0; i < bytes; i++)
			length = length << 8 | at[2 + i];
		header += bytes;
	}
	if (length > *n - header)
		return NULL;
	*n = length;
	return at + header;
}

bool signing_serial(const unsigned char *der, size_t n, char *hex, size_t size)
{
	const unsigned char *at = enter(der, &n, 0x30), *version;
	size_t left, i;

	at = at ? enter(at, &n, 0x30) : NULL;
	if (!at)
		return false;
	/* The version is optional. */
	left = n;
	version = enter(at, &left, 0xa0);
	if (version) {
		n -= version + left - at;
		at = version + left;
	}
	at = enter(at, &n, 0x02);
	if (!at || !n)
		return false;
	/* A zero byte before a number with the highest bit is its sign. */
	if (n > 1 && !*at) {
		at++;
		n--;
	}
	if (size < 3 * n)
		return false;
	for (i = 0; i < n; i++)
		sprintf(hex + 3 * i, "%02X%s", at[i], i + 1 < n ? ":" : "");
	return true;
}

static bool has_serial(const char *root, const char *path, const char *key)
{
	unsigned char der[8192];
	char full[2 * PATH_SIZE], hex[128];
	FILE *file;
	size_t n;

	snprintf(full, sizeof(full), "%s%s", root, path);
	file = fopen(full, "re");
	if (!file)
		return false;
	n = fread(der, 1, sizeof(der), file);
	fclose(file);
	return signing_serial(der, n, hex, sizeof(hex)) && !strcasecmp(hex, key);
}

/* --- its place --------------------------------------------------------- */

/* Reads a line NAME=VALUE of a shell's file, with or without quotes; the last one counts. */
static void read_setting(const char *path, const char *name, char *value, size_t size)
{
	FILE *file = fopen(path, "re");
	char line[1024], *at, *end;

	while (file && fgets(line, sizeof(line), file)) {
		at = line + strspn(line, " \t");
		if (strncmp(at, name, strlen(name)) || at[strlen(name)] != '=')
			continue;
		at += strlen(name) + 1;
		end = *at == '"' || *at == '\'' ? strchr(at + 1, *at) : at + strcspn(at, " \t\n#;");
		at += *at == '"' || *at == '\'';
		snprintf(value, size, "%.*s", end ? (int)(end - at) : 0, at);
	}
	if (file)
		fclose(file);
}

/* DKMS reads framework.conf first, and then the others by name. */
static void read_configured(const char *root, char *value, size_t size)
{
	char path[PATH_SIZE];
	glob_t paths;
	size_t i;

	*value = 0;
	snprintf(path, sizeof(path), "%s/etc/dkms/framework.conf", root);
	read_setting(path, "mok_certificate", value, size);
	snprintf(path, sizeof(path), "%s/etc/dkms/framework.conf.d/*.conf", root);
	if (glob(path, 0, NULL, &paths))
		return;
	for (i = 0; i < paths.gl_pathc; i++)
		read_setting(paths.gl_pathv[i], "mok_certificate", value, size);
	globfree(&paths);
}

void signing_certificate(const char *root, const char *key, char *path, size_t size)
{
	char configured[PATH_SIZE], full[2 * PATH_SIZE];
	const char *const all[] = { configured, OF_UBUNTU, OF_DKMS };
	const char *found = NULL;
	size_t i;

	read_configured(root, configured, sizeof(configured));
	for (i = 0; i < ARRAY_SIZE(all) && !found; i++)
		if (*key && *all[i] && has_serial(root, all[i], key))
			found = all[i];
	if (!found && *configured)
		found = configured;
	for (i = 0; i < ARRAY_SIZE(all) && !found; i++) {
		snprintf(full, sizeof(full), "%s%s", root, all[i]);
		if (*all[i] && !access(full, F_OK))
			found = all[i];
	}
	if (!found)
		found = OF_DKMS;
	text_clean(path, size, found, strlen(found));
}

/* --- the module -------------------------------------------------------- */

/* A field of modinfo(8), its first line; "" if it is absent. */
static void read_field(const char *field, char *value, size_t size)
{
	char command[128];
	FILE *from;

	*value = 0;
	snprintf(command, sizeof(command), "PATH=/usr/sbin:/sbin:/usr/bin:/bin modinfo -F %s " MODULE " 2>/dev/null",
		 field);
	from = popen(command, "re");
	if (from && !fgets(value, size, from))
		*value = 0;
	if (from)
		pclose(from);
	value[strcspn(value, "\n")] = 0;
}

void signing_remedy(char *remedy, size_t size)
{
	char kind[64], key[256], path[PATH_SIZE];

	read_field("sig_id", kind, sizeof(kind));
	if (!*kind) {
		snprintf(remedy, size,
			 "it is not signed: install openssl (on Ubuntu also shim-signed), then dkms remove and dkms install it");
		return;
	}
	read_field("sig_key", key, sizeof(key));
	signing_certificate("", key, path, sizeof(path));
	snprintf(remedy, size, "modprobe " MODULE "; if its key is not known: mokutil --import %s, and reboot", path);
}
