// SPDX-License-Identifier: GPL-2.0
/*
 * text.c - output: sanitized text, numbers, colours, tables
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "text.h"

static bool printable(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

char *text_clean(char *to, size_t size, const char *from, size_t n)
{
	size_t at = 0, i;

	for (i = 0; i < n && from[i]; i++) {
		unsigned char c = from[i];
		char escape[8];
		int length;

		if (c == '\\')
			length = sprintf(escape, "\\\\");
		else if (printable(c))
			length = sprintf(escape, "%c", c);
		else
			length = sprintf(escape, "\\x%02x", c);
		if (at + length >= size)
			break;
		memcpy(to + at, escape, length);
		at += length;
	}
	to[at] = 0;
	return to;
}

char *text_label(char *to, size_t size, const char *from)
{
	size_t at = 0;

	for (; *from; from++) {
		bool escape = *from == '\\' || *from == '"';

		if (at + escape + 1 >= size)
			break;
		if (escape)
			to[at++] = '\\';
		to[at++] = printable(*from) ? *from : '?';
	}
	to[at] = 0;
	return to;
}

char *text_rate(char *to, size_t size, double rate)
{
	if (rate < 0)
		snprintf(to, size, "-");
	else if (rate < 1e4)
		snprintf(to, size, "%.0f", rate);
	else if (rate < 1e7)
		snprintf(to, size, "%.1fk", rate / 1e3);
	else
		snprintf(to, size, "%.1fM", rate / 1e6);
	return to;
}

char *text_bytes(char *to, size_t size, unsigned long long bytes)
{
	static const char units[] = "KMGT";
	double value = bytes / 1024.0;
	unsigned int i = 0;

	while (value >= 10000 && i < 3) {
		value /= 1024;
		i++;
	}
	snprintf(to, size, "%.0f%c", value, units[i]);
	return to;
}

bool text_coloured(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term && *term && strcmp(term, "dumb");
}

void text_put(FILE *to, enum colour colour, const char *text)
{
	static const char *const codes[] = {
		[PLAIN] = "", [BOLD] = "\033[1m", [GREEN] = "\033[32m",
		[YELLOW] = "\033[33m", [RED] = "\033[31m",
	};
	bool coloured = colour != PLAIN && to == stdout && text_coloured();

	if (coloured)
		fputs(codes[colour], to);
	for (; *text; text++)
		fputc(printable(*text) || *text == '\n' ? *text : '?', to);
	if (coloured)
		fputs("\033[0m", to);
}

void table_add(struct table *t, enum colour colour, const char *const *cells)
{
	unsigned int i;

	t->cells = grow(t->cells, t->rows + 1, sizeof(*t->cells));
	t->colours = grow(t->colours, t->rows + 1, sizeof(*t->colours));
	for (i = 0; i < t->columns; i++) {
		t->cells[t->rows][i] = grow(NULL, strlen(cells[i]) + 1, 1);
		strcpy(t->cells[t->rows][i], cells[i]);
	}
	t->colours[t->rows++] = colour;
}

static int width(const struct table *t, unsigned int column)
{
	size_t most = 0, n;
	unsigned int row;

	for (row = 0; row < t->rows; row++) {
		n = strlen(t->cells[row][column]);
		if (n > most)
			most = n;
	}
	return most;
}

char *table_line(const struct table *t, unsigned int row, char *to, size_t size)
{
	unsigned int i;
	size_t at = 0;

	*to = 0;
	for (i = 0; i < t->columns && at < size; i++) {
		const char *gap = i ? "  " : "", *cell = t->cells[row][i];
		int w = width(t, i);

		if (t->right & 1U << i)
			at += snprintf(to + at, size - at, "%s%*s", gap, w, cell);
		else
			at += snprintf(to + at, size - at, "%s%-*s", gap, w, cell);
	}
	for (at = strlen(to); at && to[at - 1] == ' '; at--)
		to[at - 1] = 0;
	return to;
}

void table_print(const struct table *t)
{
	char line[2048];
	unsigned int row;

	for (row = 0; row < t->rows; row++) {
		text_put(stdout, t->colours[row], table_line(t, row, line, sizeof(line)));
		putchar('\n');
	}
}

void table_free(struct table *t)
{
	unsigned int row, i;

	for (row = 0; row < t->rows; row++)
		for (i = 0; i < t->columns; i++)
			free(t->cells[row][i]);
	free(t->cells);
	free(t->colours);
	t->cells = NULL;
	t->colours = NULL;
	t->rows = 0;
}
