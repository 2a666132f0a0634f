/* SPDX-License-Identifier: GPL-2.0 */
/*
 * small_copy.h - word loops for small buffers
 *
 * For a few words they cost less than the calls of copy_from_user() and memcmp().
 */
#ifndef DMOP_SMALL_COPY_H
#define DMOP_SMALL_COPY_H

#include <linux/errno.h>
#include <linux/types.h>
#include <linux/uaccess.h>

/* Eight bytes at any alignment. */
struct dmop_word {
	u64 v;
} __packed;

/**
 * dmop_small_copy_in() - read a user buffer once, into two copies
 * @data:  the first copy
 * @given: the second copy
 * @from:  the buffer
 * @size:  its size in bytes
 *
 * Context: process context; may fault.
 *
 * Return: 0, or -EFAULT.
 */
static inline int dmop_small_copy_in(u8 *data, u8 *given, const u8 __user *from,
				     size_t size)
{
	size_t i = 0;

	if (!size)
		return 0;
	might_fault();
	if (!user_access_begin(from, size))
		return -EFAULT;
#define WORD(at) do {								\
	u64 v;									\
										\
	unsafe_get_user(v, (const u64 __user *)(from + (at)), fault);		\
	((struct dmop_word *)(data + (at)))->v = v;				\
	((struct dmop_word *)(given + (at)))->v = v;				\
} while (0)
	for (; i + 32 <= size; i += 32) {
		WORD(i);
		WORD(i + 8);
		WORD(i + 16);
		WORD(i + 24);
	}
	for (; i + 8 <= size; i += 8)
		WORD(i);
#undef WORD
	for (; i < size; i++) {
		unsafe_get_user(data[i], from + i, fault);
		given[i] = data[i];
	}
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

/**
 * dmop_small_differ() - do two buffers differ?
 * @a:    a buffer
 * @b:    a buffer
 * @size: of both, in bytes
 *
 * memcmp() also finds out which is greater, and takes twice as long.
 *
 * Return: true if so.
 */
static inline bool dmop_small_differ(const u8 *a, const u8 *b, size_t size)
{
	size_t i = 0;

#define XOR(at) (((const struct dmop_word *)(a + (at)))->v ^		\
		 ((const struct dmop_word *)(b + (at)))->v)
	for (; i + 32 <= size; i += 32)
		if (XOR(i) | XOR(i + 8) | XOR(i + 16) | XOR(i + 24))
			return true;
	for (; i + 8 <= size; i += 8)
		if (XOR(i))
			return true;
#undef XOR
	for (; i < size; i++)
		if (a[i] != b[i])
			return true;
	return false;
}

#endif /* DMOP_SMALL_COPY_H */
