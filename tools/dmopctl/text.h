/* SPDX-License-Identifier: GPL-2.0 */
/*
 * text.h - output: sanitized text, numbers, colours, tables
 */
#ifndef DMOPCTL_TEXT_H
#define DMOPCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Room for the name of a process with each byte escaped, and a reserve. */
#define NAME_SIZE	128

/**
 * text_clean() - escape arbitrary bytes as printable ASCII
 * @to:   result: a byte outside printable ASCII becomes \xNN, a backslash \\
 * @size: size of @to, at least 1; a longer result is truncated, never within an escape
 * @from: untrusted bytes
 * @n:    number of bytes; a NUL ends @from earlier
 *
 * Return: @to.
 */
char *text_clean(char *to, size_t size, const char *from, size_t n);

/**
 * text_label() - escape the value of a Prometheus label
 * @to:   result, without the enclosing quotes
 * @size: size of @to: twice the length of @from plus 1 is always enough
 * @from: text from text_clean()
 *
 * Return: @to.
 */
char *text_label(char *to, size_t size, const char *from);

/* Human-readable numbers: "0", "12.3k", "4.0M"; a negative rate is "-". Return: @to. */
char *text_rate(char *to, size_t size, double rate);
char *text_bytes(char *to, size_t size, unsigned long long bytes);

enum colour { PLAIN, BOLD, GREEN, YELLOW, RED };

/* Return: true if standard output is a terminal with colours, and NO_COLOR is not set. */
bool text_coloured(void);

/*
 * Prints @text with each control character but newline replaced by "?". @colour has an effect on
 * standard output only, and only if text_coloured().
 */
void text_put(FILE *to, enum colour colour, const char *text);

#define TABLE_COLUMNS	15

/* The table owns copies of its cells. The first row is the heading. */
struct table {
	unsigned int columns;
	unsigned int right;	/* bit mask of right-aligned columns (numbers) */
	unsigned int rows;
	char *(*cells)[TABLE_COLUMNS];
	enum colour *colours;
};

/* Appends a row; @cells has @t->columns elements. */
void table_add(struct table *t, enum colour colour, const char *const *cells);

/* Formats one row as a line. Return: @to. */
char *table_line(const struct table *t, unsigned int row, char *to, size_t size);

void table_print(const struct table *t);
void table_free(struct table *t);

#endif /* DMOPCTL_TEXT_H */
