/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xlutil.h - an xl.cfg, as xl's own parser reads it
 */
#ifndef DMOPCTL_XLUTIL_H
#define DMOPCTL_XLUTIL_H

#include <stdbool.h>
#include <stddef.h>

struct xl_config;

enum xl_read {
	XL_READ,		/* success */
	XL_REFUSED,		/* xl does not read this file either */
	XL_NO_PARSER,		/* libxlutil is not installed, so nothing is known of the file */
};

/**
 * xl_config_read() - read a file with the parser of the installed xl
 * @path:   the file
 * @config: result, for xl_config_free()
 * @why:    the reason of a failure, from text_clean()
 * @size:   of @why
 *
 * libxlutil has a soname of its own in each version of Xen. It is loaded when it is needed, so one
 * dmopctl agrees with any xl. A host without it has no xl.
 */
enum xl_read xl_config_read(const char *path, struct xl_config **config, char *why, size_t size);
void xl_config_free(struct xl_config *c);

/*
 * The value of a setting. The last assignment counts, as in xl.
 *
 * xl_config_string(): NULL if it is absent or a list.
 * xl_config_long(): false if it is absent or no number; xl ignores the setting then.
 * xl_config_list(): number of elements; -1 if it is absent or no list.
 * xl_config_item(): NULL if the element is itself a list.
 */
const char *xl_config_string(const struct xl_config *c, const char *key);
bool xl_config_long(const struct xl_config *c, const char *key, long *value);
int xl_config_list(const struct xl_config *c, const char *key);
const char *xl_config_item(const struct xl_config *c, const char *key, int i);

#endif /* DMOPCTL_XLUTIL_H */
