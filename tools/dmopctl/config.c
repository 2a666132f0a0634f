// SPDX-License-Identifier: GPL-2.0
/*
 * config.c - device model settings in an xl.cfg
 */
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "config.h"
#include "disk.h"
#include "dmopctl.h"
#include "text.h"
#include "xlutil.h"

#define TOPIC		"xl.cfg"
#define DMOP_QEMU	LIBDIR "/dmop-qemu"
#define VALUE_SIZE	128

enum type { TYPE_PV, TYPE_PVH, TYPE_HVM, TYPE_REFUSED };

struct config {
	const struct xl_config *xl;
	const char *name;		/* of the file, from text_clean() */
	unsigned long buf_size;
	struct config_users *users;
	struct findings *f;
	bool confined;			/* nothing found so far that prevents it */
};

static const char see[] = "dmop-qemu(8) has the four lines";

__attribute__((format(printf, 2, 3)))
static void refused(struct config *c, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	finding(c->f, FAULT, TOPIC, NULL, "%s: xl refuses it: %s", c->name, text);
	c->confined = false;
}

__attribute__((format(printf, 3, 4)))
static void not_confined(struct config *c, const char *remedy, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	finding(c->f, FAULT, TOPIC, remedy, "%s: %s", c->name, text);
	c->confined = false;
}

/* Return: the value of @key in printable characters, or NULL. */
static const char *clean_value(const struct config *c, const char *key, char *to)
{
	const char *value = xl_config_string(c->xl, key);

	return value ? text_clean(to, VALUE_SIZE, value, strlen(value)) : NULL;
}

static bool is_true(const struct config *c, const char *key)
{
	long value;

	return xl_config_long(c->xl, key, &value) && value;
}

/* --- the type of the guest --------------------------------------------- */

/* xl takes a prefix of a word for the word. */
static bool short_for(const char *value, const char *word)
{
	return !strncmp(value, word, strlen(value));
}

static enum type type_word(const struct config *c)
{
	const char *value = xl_config_string(c->xl, "type");

	if (short_for(value, "hvm"))
		return TYPE_HVM;
	if (short_for(value, "pv"))
		return TYPE_PV;
	return short_for(value, "pvh") ? TYPE_PVH : TYPE_REFUSED;
}

static enum type builder_word(const struct config *c)
{
	const char *value = xl_config_string(c->xl, "builder");

	if (short_for(value, "hvm"))
		return TYPE_HVM;
	return short_for(value, "generic") ? TYPE_PV : TYPE_REFUSED;
}

static enum type type_of(struct config *c)
{
	bool type = xl_config_string(c->xl, "type"), builder = xl_config_string(c->xl, "builder");
	enum type found;

	if (!type && !builder)
#if defined(__x86_64__) || defined(__i386__)
		return TYPE_PV;
#else
		return TYPE_PVH;
#endif
	found = type ? type_word(c) : builder_word(c);
	if (found == TYPE_REFUSED)
		refused(c, "an unknown type");
	else if (type && builder && builder_word(c) != found)
		refused(c, "type and builder contradict each other");
	else
		return found;
	return TYPE_REFUSED;
}

/* --- what xl itself refuses -------------------------------------------- */

static bool one_of(const char *value, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(value, *words))
			return true;
	return false;
}

static void check_refusals(struct config *c)
{
	static const char *const lists[] = {
		"device_model_args", "device_model_args_pv", "device_model_args_hvm",
	};
	static const char *const ends[] = {
		"on_poweroff", "on_reboot", "on_watchdog", "on_crash", "on_soft_reset",
	};
	static const char *const actions[] = {
		"destroy", "restart", "rename-restart", "preserve", "coredump-destroy",
		"coredump-restart", "soft-reset", NULL,
	};
	char value[VALUE_SIZE];
	size_t i;

	if (!xl_config_string(c->xl, "name"))
		refused(c, "it has no name");
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		if (xl_config_string(c->xl, lists[i]))
			refused(c, "%s is no list", lists[i]);
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		if (clean_value(c, ends[i], value) && !one_of(value, actions))
			refused(c, "%s = \"%s\" is unknown", ends[i], value);
}

static void check_bios(struct config *c)
{
	char value[VALUE_SIZE];

	if (!clean_value(c, "bios", value) || !strcasecmp(value, "seabios") ||
	    !strcasecmp(value, "ovmf"))
		return;
	refused(c, "bios = \"%s\" is not for qemu-xen", value);
}

/* The next disk from number @i on; @i is then the one behind it. Return: false if there is none. */
static bool next_disk(const struct config *c, bool hvm, int *i, struct disk *disk)
{
	const char *spec = NULL;

	while (!spec && *i < xl_config_list(c->xl, "disk"))
		spec = xl_config_item(c->xl, "disk", (*i)++);
	if (spec)
		disk_parse(spec, hvm, disk);
	return spec;
}

/* Not a fault of the file: the image may come before the guest starts. */
static void check_images(struct config *c, bool hvm)
{
	struct disk disk;
	int i = 0;

	while (next_disk(c, hvm, &i, &disk)) {
		if (*disk.missing)
			finding(c->f, WARN, TOPIC, NULL, "%s: xl does not start it, for there is no %s (disk %s)",
				c->name, disk.missing, disk.vdev);
	}
}

/* --- confinement ------------------------------------------------------- */

static bool same_file(const char *a, const char *b)
{
	struct stat one, other;

	return !stat(a, &one) && !stat(b, &other) && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

static void check_program(struct config *c)
{
	const char *path = xl_config_string(c->xl, "device_model_override");
	char value[VALUE_SIZE];

	if (!path)
		not_confined(c, see, "device_model_override is not dmop-qemu");
	else if (strcmp(path, DMOP_QEMU) && !same_file(path, DMOP_QEMU))
		not_confined(c, see, "device_model_override is not dmop-qemu (" DMOP_QEMU "), it is %s",
			     clean_value(c, "device_model_override", value));
	if (!clean_value(c, "device_model_version", value))
		finding(c->f, WARN, TOPIC, see,
			"%s: without device_model_version = \"qemu-xen\" xl has to guess", c->name);
	else if (strcmp(value, "qemu-xen"))
		not_confined(c, see, "device_model_version is %s, which dmop-qemu does not start", value);
}

static void check_user(struct config *c)
{
	const char *name = xl_config_string(c->xl, "device_model_user");
	const struct passwd *user;
	char value[VALUE_SIZE];

	if (!is_true(c, "dm_restrict"))
		not_confined(c, see, "without dm_restrict = 1 its QEMU keeps stock descriptors%s",
			     name ? "" : ", and stays root");
	if (!name) {
		c->users->of_host = true;
		return;
	}
	c->users->of_guest = true;
	user = getpwnam(name);
	clean_value(c, "device_model_user", value);
	if (!user)
		refused(c, "there is no user %s (device_model_user)", value);
	else if (!user->pw_uid)
		refused(c, "device_model_user is %s, which is root", value);
}

/* Arguments of QEMU that undo or replace those by which xl restricts it. */
static void check_argument(struct config *c, const char *argument)
{
	static const char *const words[] = {
		"runas", "run-with", "user", "chroot", "xen-domid", "xen-domid-restrict", NULL,
	};

	argument += strspn(argument, "-");
	if (one_of(argument, words))
		finding(c->f, WARN, TOPIC, "leave this argument to xl",
			"%s: -%s in device_model_args replaces what xl restricts QEMU by", c->name,
			argument);
}

/* --- paravirtual devices of QEMU --------------------------------------- */

struct device {
	const char *key;
	const char *option, *value;	/* of the elements served by QEMU; NULL: all */
	bool by_default;		/* also those without @option */
};

static const struct device devices[] = {
	{ .key = "channel" },
	{ "p9", "type", "qemu", true },
	{ "usbctrl", "type", "qusb", false },
	{ "vkb", "backend-type", "qemu", false },
};

/* The value of @name in an element like "type=qusb,ports=4". Return: false without it. */
static bool option_of(const char *item, const char *name, char *to, size_t size)
{
	size_t n = strlen(name), length;
	bool found = false;

	for (; *item; item += length + (item[length] == ',')) {
		item += strspn(item, " ");
		length = strcspn(item, ",");
		if (strncmp(item, name, n) || item[n] != '=')
			continue;
		snprintf(to, size, "%.*s", (int)(length - n - 1), item + n + 1);
		found = true;
	}
	return found;
}

static bool serves(const struct config *c, const struct device *d)
{
	char value[VALUE_SIZE];
	const char *item;
	int i;

	for (i = 0; i < xl_config_list(c->xl, d->key); i++) {
		item = xl_config_item(c->xl, d->key, i);
		if (!item || (option_of(item, "backend", value, sizeof(value)) &&
			      !disk_in_this_domain(value)))
			continue;
		if (!d->option || (option_of(item, d->option, value, sizeof(value)) ?
				   !strcasecmp(value, d->value) : d->by_default))
			return true;
	}
	return false;
}

/* --- devices that a restricted QEMU cannot serve ----------------------- */

static void check_disks(struct config *c)
{
	bool ovmf = xl_config_string(c->xl, "bios") &&
		    !strcasecmp(xl_config_string(c->xl, "bios"), "ovmf");
	struct disk disk;
	int i = 0;

	while (next_disk(c, true, &i, &disk)) {
		/* An emulated CD drive is all that drivers want, but for those of OVMF. */
		if (!disk.by_qemu || (disk.cdrom && !ovmf))
			continue;
		finding(c->f, WARN, TOPIC,
			disk.cdrom ? "boot from a raw image or a block device" :
			"convert it to a raw image or a block device, which the kernel serves",
			"%s: QEMU serves %s %s. Restricted, it cannot serve a paravirtual driver%s",
			c->name, disk.cdrom ? "the CD drive" : "disk", disk.vdev,
			ovmf ? "; OVMF has one, and may not boot from it" : "");
	}
}

static void check_passthrough(struct config *c)
{
	static const char *const lists[] = { "pci", "usbdev" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		if (xl_config_list(c->xl, lists[i]) > 0)
			finding(c->f, WARN, TOPIC, "no device of the host for a confined guest",
				"%s: a restricted QEMU cannot serve %s: that needs privileges on the host",
				c->name, lists[i]);
	for (i = 0; i < ARRAY_SIZE(devices); i++)
		if (serves(c, &devices[i]))
			finding(c->f, WARN, TOPIC, "leave it out, or choose another backend, see xl.cfg(5)",
				"%s: a restricted QEMU cannot serve %s: that needs XenStore", c->name,
				devices[i].key);
}

/* The value is a string or a list. */
static void check_usbdevice(struct config *c)
{
	const char *device = xl_config_string(c->xl, "usbdevice");
	int i;

	for (i = 0; !device && i < xl_config_list(c->xl, "usbdevice"); i++) {
		device = xl_config_item(c->xl, "usbdevice", i);
		if (device && strncmp(device, "host:", 5))
			device = NULL;
	}
	if (device && !strncmp(device, "host:", 5))
		finding(c->f, WARN, TOPIC, "no device of the host for a confined guest",
			"%s: QEMU does not start with usbdevice = \"host:...\"", c->name);
}

unsigned long config_bitmap_size(unsigned long mib)
{
	unsigned long rounded = 1;

	while (rounded < mib)
		rounded *= 2;
	/* A bit for each page of 4 KiB. */
	return rounded * 256 / 8;
}

/* "ram_size_mb=" is not part of "vram_size_mb=". */
static unsigned long number_behind(const char *argument, const char *key)
{
	const char *at = strstr(argument, key);

	while (at && at > argument && isalpha((unsigned char)at[-1]))
		at = strstr(at + 1, key);
	return at ? strtoul(at + strlen(key), NULL, 10) : 0;
}

unsigned long config_video_memory(const char *argument)
{
	unsigned long mib = number_behind(argument, "vgamem_mb=");

	return mib ? mib : number_behind(argument, "ram_size_mb=");
}

static void check_video(struct config *c, unsigned long mib)
{
	char remedy[192];
	unsigned long size;

	/* QEMU has a maximum of 512 MiB. */
	if (mib > 4096)
		return;
	size = config_bitmap_size(mib);
	if (size <= c->buf_size)
		return;
	snprintf(remedy, sizeof(remedy), "echo %lu >" SYS_MODULE "/parameters/dm_op_buf_max_size; "
		 "for every boot, in /etc/modprobe.d: options " MODULE " dm_op_buf_max_size=%lu", size, size);
	finding(c->f, WARN, TOPIC, remedy,
		"%s: with %lu MiB of video memory its picture freezes: QEMU needs buffers of %lu bytes, dm_op_buf_max_size is %lu",
		c->name, mib, size, c->buf_size);
}

static void check_picture(struct config *c)
{
	char value[VALUE_SIZE] = "";
	long mib;

	clean_value(c, "vga", value);
	if (!strcmp(value, "none") || !xl_config_long(c->xl, "videoram", &mib) || mib <= 0)
		return;
	/* Of a QXL card, QEMU tracks half: the other half is its own. */
	check_video(c, strcmp(value, "qxl") ? mib : mib / 2);
}

/* --- QEMU for a guest -------------------------------------------------- */

static void check_arguments(struct config *c, const char *key)
{
	const char *argument;
	int i;

	for (i = 0; i < xl_config_list(c->xl, key); i++) {
		argument = xl_config_item(c->xl, key, i);
		if (!argument)
			continue;
		check_argument(c, argument);
		if (config_video_memory(argument))
			check_video(c, config_video_memory(argument));
	}
}

static void check_hvm(struct config *c)
{
	long keyboard = 1;

	if (is_true(c, "device_model_stubdomain_override")) {
		finding(c->f, NOTE, TOPIC, NULL,
			"%s: its QEMU runs in a stub domain, not here, so dmop-qemu does not confine it; one here serves the consoles of that domain, not confined",
			c->name);
		return;
	}
	check_program(c);
	check_user(c);
	check_bios(c);
	if (!xl_config_long(c->xl, "vkb_device", &keyboard) || keyboard)
		finding(c->f, WARN, TOPIC, see,
			"%s: without vkb_device = 0 a restricted QEMU 10 does not start", c->name);
	check_arguments(c, "device_model_args");
	check_arguments(c, "device_model_args_hvm");
	check_disks(c);
	check_passthrough(c);
	check_usbdevice(c);
	check_picture(c);
	if (c->confined)
		finding(c->f, OK, TOPIC, NULL, "%s: its QEMU will be confined", c->name);
}

/* Return: the first device of a guest of another type that needs a QEMU, or NULL. */
static const char *backend_of_qemu(struct config *c, enum type type)
{
	struct disk disk;
	size_t d;
	int i = 0;

	if (xl_config_list(c->xl, "vfb") > 0)
		return "vfb";
	if (type == TYPE_PV && is_true(c, "vnc"))
		return "vnc";
	for (d = 0; d < ARRAY_SIZE(devices); d++)
		if (serves(c, &devices[d]))
			return devices[d].key;
	while (next_disk(c, false, &i, &disk))
		if (disk.by_qemu)
			return "a disk that is not raw";
	return NULL;
}

static void check_other(struct config *c, enum type type)
{
	const char *device = backend_of_qemu(c, type);

	if (device)
		finding(c->f, WARN, TOPIC, "without that, and with raw disks, it needs no QEMU",
			"%s: QEMU serves it (%s) %s in this domain, keeps stock descriptors, and is not confined",
			c->name, device, is_true(c, "dm_restrict") ? "under dm_restrict" :
			xl_config_string(c->xl, "device_model_user") ? "as device_model_user" : "as root");
	else
		finding(c->f, NOTE, TOPIC, NULL, "%s: not type = \"hvm\", no QEMU to confine", c->name);
}

void config_check(const char *path, unsigned long buf_size, struct config_users *users,
		  struct findings *f)
{
	char name[256], why[320];
	struct config c = {
		.name = name, .buf_size = buf_size, .users = users, .f = f, .confined = true,
	};
	struct xl_config *xl;
	enum type type;

	text_clean(name, sizeof(name), path, strlen(path));
	switch (xl_config_read(path, &xl, why, sizeof(why))) {
	case XL_NO_PARSER:
		finding(f, FAULT, TOPIC, "install xl here (on Debian: xen-utils), or check it where xl is",
			"%s: not read: there is no libxlutil, the parser of xl", name);
		return;
	case XL_REFUSED:
		finding(f, FAULT, TOPIC, strstr(why, "CR and LF") ? "convert it: sed -i 's/\\r$//' FILE" : NULL,
			"%s: xl does not read it, %s", name, why);
		return;
	default:
		break;
	}
	c.xl = xl;
	check_refusals(&c);
	type = type_of(&c);
	check_images(&c, type == TYPE_HVM);
	if (type == TYPE_HVM)
		check_hvm(&c);
	else if (type != TYPE_REFUSED && c.confined)
		check_other(&c, type);
	xl_config_free(xl);
}
