// SPDX-License-Identifier: GPL-2.0
/*
 * xlutil.c - an xl.cfg, as xl's own parser reads it
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmopctl.h"
#include "memory.h"
#include "proc.h"
#include "text.h"
#include "xlutil.h"

/* The largest file. xl has no limit, and a configuration has a few hundred bytes. */
#define LARGEST		(1 << 20)
/* The minor versions of Xen 4 and 5 to look for, if the running one has no library. */
#define NEWEST_MINOR	60

#ifndef XLUTIL
#define XLUTIL		"libxlutil.so"
#endif

/* The part of libxlutil.h that has been the same since Xen 4.14. */
static struct {
	void *(*init)(FILE *report, const char *name);
	int (*readdata)(void *config, const char *data, int length);
	void (*destroy)(void *config);
	int (*get_string)(const void *config, const char *key, const char **value, int quiet);
	int (*get_long)(const void *config, const char *key, long *value, int quiet);
	int (*get_list)(const void *config, const char *key, void **list, int *nr, int quiet);
	const char *(*get_item)(const void *list, int i);
} xlu;

struct xl_config {
	void *config;		/* XLU_Config of the library */
	FILE *report;		/* in use until the end of @config */
	char *text;		/* its content */
	size_t size;
};

/* --- the library ------------------------------------------------------- */

static const struct {
	const char *name;
	void *to;
} symbols[] = {
	{ "xlu_cfg_init", &xlu.init }, { "xlu_cfg_readdata", &xlu.readdata },
	{ "xlu_cfg_destroy", &xlu.destroy }, { "xlu_cfg_get_string", &xlu.get_string },
	{ "xlu_cfg_get_long", &xlu.get_long }, { "xlu_cfg_get_list", &xlu.get_list },
	{ "xlu_cfg_get_listitem", &xlu.get_item },
};

static bool load_file(const char *name)
{
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL), *symbol;
	size_t i;

	for (i = 0; library && i < ARRAY_SIZE(symbols); i++) {
		symbol = dlsym(library, symbols[i].name);
		if (!symbol) {
			dlclose(library);
			return false;
		}
		memcpy(symbols[i].to, &symbol, sizeof(symbol));
	}
	return library;
}

static bool load_version(int major, int minor)
{
	char name[64];

	snprintf(name, sizeof(name), XLUTIL ".%d.%d", major, minor);
	return load_file(name);
}

static int read_number(const char *path)
{
	char text[32];

	return read_text(AT_FDCWD, path, text, sizeof(text)) > 0 ? atoi(text) : -1;
}

/* The running version comes first: several may be installed, and its xl starts the guests. */
static bool load(void)
{
	int major, minor;

	if (xlu.init)
		return true;
	major = read_number("/sys/hypervisor/version/major");
	minor = read_number("/sys/hypervisor/version/minor");
	if (major > 0 && minor >= 0 && load_version(major, minor))
		return true;
	for (major = 5; major >= 4; major--)
		for (minor = NEWEST_MINOR; minor >= 0; minor--)
			if (load_version(major, minor))
				return true;
	return load_file(XLUTIL);
}

/* --- a file ------------------------------------------------------------ */

/* Return: the content, *@n bytes, for free(); or NULL with the reason in @why. */
static char *read_all(const char *path, size_t *n, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char *data = NULL;
	struct stat st;
	ssize_t got;

	*n = 0;
	if (fd < 0 || fstat(fd, &st)) {
		snprintf(why, size, "%s", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		snprintf(why, size, "not a plain file");
	} else {
		data = grow(NULL, LARGEST + 1, 1);
		while ((got = read(fd, data + *n, LARGEST + 1 - *n)) > 0)
			*n += got;
		if (!got && *n <= LARGEST) {
			close(fd);
			return data;
		}
		snprintf(why, size, "%s", strerror(got ? errno : EFBIG));
		free(data);
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

/*
 * The library has assertions that a file can break, with a NUL in a string for example, and the
 * other checks have to go on. So a child tries the file first. Return: false if it dies of it.
 */
static bool survives(const char *data, size_t n)
{
	static const struct rlimit no_core;
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (!child) {
		FILE *null = fopen("/dev/null", "w");
		void *config = null ? xlu.init(null, "xl.cfg") : NULL;

		setrlimit(RLIMIT_CORE, &no_core);
		if (!null || !config || !freopen("/dev/null", "w", stderr))
			_exit(0);
		xlu.readdata(config, data, n);
		_exit(0);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return true;
	return child < 0 || WIFEXITED(status);
}

/* The first line of the report is "xl.cfg:LINE: MESSAGE". */
static void first_report(struct xl_config *c, char *why, size_t size)
{
	char text[256], message[160] = "";
	int line;

	fflush(c->report);
	text_clean(text, sizeof(text), c->text, strcspn(c->text, "\n"));
	if (sscanf(text, "xl.cfg:%d: %159[^\n]", &line, message) == 2)
		snprintf(why, size, "line %d: %s%s", line, message,
			 strstr(message, "\\x0d") ? " (the line ends in CR and LF)" : "");
	else
		snprintf(why, size, "%.200s", text);
}

enum xl_read xl_config_read(const char *path, struct xl_config **config, char *why, size_t size)
{
	struct xl_config *c;
	size_t n;
	char *data = read_all(path, &n, why, size);
	int err;

	*config = NULL;
	if (!data)
		return XL_REFUSED;
	if (!load()) {
		free(data);
		return XL_NO_PARSER;
	}
	if (!survives(data, n)) {
		snprintf(why, size, "its parser dies of this file");
		free(data);
		return XL_REFUSED;
	}
	c = grow(NULL, 1, sizeof(*c));
	*c = (struct xl_config){ 0 };
	c->report = open_memstream(&c->text, &c->size);
	c->config = c->report ? xlu.init(c->report, "xl.cfg") : NULL;
	err = c->config ? xlu.readdata(c->config, data, n) : ENOMEM;
	free(data);
	if (!err) {
		*config = c;
		return XL_READ;
	}
	if (c->config)
		first_report(c, why, size);
	else
		snprintf(why, size, "%s", strerror(err));
	xl_config_free(c);
	return XL_REFUSED;
}

void xl_config_free(struct xl_config *c)
{
	if (!c)
		return;
	if (c->config)
		xlu.destroy(c->config);
	if (c->report)
		fclose(c->report);
	free(c->text);
	free(c);
}

/* --- its settings ------------------------------------------------------ */

const char *xl_config_string(const struct xl_config *c, const char *key)
{
	const char *value;

	return xlu.get_string(c->config, key, &value, 1) ? NULL : value;
}

bool xl_config_long(const struct xl_config *c, const char *key, long *value)
{
	return !xlu.get_long(c->config, key, value, 1);
}

int xl_config_list(const struct xl_config *c, const char *key)
{
	void *list;
	int nr;

	return xlu.get_list(c->config, key, &list, &nr, 1) ? -1 : nr;
}

const char *xl_config_item(const struct xl_config *c, const char *key, int i)
{
	void *list;
	int nr;

	return xlu.get_list(c->config, key, &list, &nr, 1) ? NULL : xlu.get_item(list, i);
}
