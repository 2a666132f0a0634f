/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check_rest.h - the bytes of a caller's structure that this module does not know
 */
#ifndef DMOP_CHECK_REST_H
#define DMOP_CHECK_REST_H

#include <linux/errno.h>
#include <linux/types.h>
#include <linux/uaccess.h>

/**
 * dmop_check_rest() - check that the caller knows no more of a structure than this module
 * @uarg:  the structure
 * @known: bytes of it that this module knows
 * @size:  bytes of it that the caller has, at least @known
 *
 * Context: process context; may sleep.
 *
 * Return: 0: the bytes from @known on are 0; or -E2BIG: not so; -EFAULT: they cannot be read.
 */
static inline int dmop_check_rest(const void __user *uarg, size_t known, size_t size)
{
	int ret = check_zeroed_user(uarg + known, size - known);

	if (ret < 0)
		return ret;
	return ret ? 0 : -E2BIG;
}

#endif /* DMOP_CHECK_REST_H */
