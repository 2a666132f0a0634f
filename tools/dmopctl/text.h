/* SPDX-License-Identifier: GPL-2.0 */
/*
 * text.h - text that others wrote, made fit for a terminal; tables and colours
 */
#ifndef DMOPCTL_TEXT_H
#define DMOPCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Room for a process's name, each byte of it escaped, and then some. */
#define NAME_SIZE	128

/**
 * text_clean() - printable ASCII of any bytes
 * @to:   result: what is not printable ASCII is \xNN, a backslash is \\
 * @size: room there, not 0; what does not fit is left out, an escape wholly
 * @from: anything
 * @n:    bytes of it; a NUL ends it before
 *
 * Return: @to.
 */
char *text_clean(char *to, size_t size, const char *from, size_t n);

/**
 * text_label() - the value of a Prometheus label
 * @to:   result, without the quotes around it
 * @size: room there: twice the length of @from and one more is always enough
 * @from: clean text
 *
 * Return: @to.
 */
char *text_label(char *to, size_t size, const char *from);

/* A number for a person: 0, 12.3k, 4.0M */
char *text_rate(char *to, size_t size, double rate);
char *text_bytes(char *to, size_t size, unsigned long long bytes);

enum colour { PLAIN, BOLD, GREEN, YELLOW, RED };

/* Return: whether standard output takes colours: a terminal, and nobody said no. */
bool text_coloured(void);

/* Prints, without any control character, in a colour if that is wanted. */
void text_put(FILE *to, enum colour colour, const char *text);

#define TABLE_COLUMNS	12

/* Cells are copied. The first row is the heading. */
struct table {
	unsigned int columns;
	unsigned int right;	/* bits: columns that are numbers */
	unsigned int rows;
	char *(*cells)[TABLE_COLUMNS];
	enum colour *colours;
};

/* Adds a row; @cells has table->columns of them. */
void table_add(struct table *t, enum colour colour, const char *const *cells);

/* One row as a line. Return: @to. */
char *table_line(const struct table *t, unsigned int row, char *to, size_t size);

void table_print(const struct table *t);
void table_free(struct table *t);

#endif /* DMOPCTL_TEXT_H */
