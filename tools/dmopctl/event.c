// SPDX-License-Identifier: GPL-2.0
/*
 * event.c - parser for lines of trace_pipe
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"

const char *const event_names[] = { "restrict", "op", "refuse", "map", "narrow", "revoke", NULL };

/* Return: the start of the last ": dmop_NAME: " in @line, or NULL; *@name is its NAME. */
static const char *last_event(const char *line, const char **name)
{
	const char *found = NULL, *at;
	char mark[32];
	unsigned int i;

	for (i = 0; event_names[i]; i++) {
		snprintf(mark, sizeof(mark), ": " EVENT_PREFIX "%s: ", event_names[i]);
		for (at = line; (at = strstr(at, mark)); at++)
			if (!found || at > found) {
				found = at;
				*name = event_names[i];
			}
	}
	return found;
}

/* Return: the start of the blank-free word that ends at @end. */
static const char *word_before(const char *line, const char *end)
{
	while (end > line && end[-1] != ' ')
		end--;
	return end;
}

static const char *skip_blanks_back(const char *line, const char *end)
{
	while (end > line && end[-1] == ' ')
		end--;
	return end;
}

/*
 * Parses NAME-PID [CPU] FLAGS TIME: EVENT: FIELDS from the end of the header backwards, because
 * NAME can contain any of these separators.
 */
bool event_parse(const char *line, struct event *e)
{
	const char *name, *end = last_event(line, &name), *word;
	int i;

	if (!end)
		return false;
	*e = (struct event){ .fields = end + strlen(": " EVENT_PREFIX ": ") + strlen(name) };
	snprintf(e->name, sizeof(e->name), "%s", name);
	word = word_before(line, end);
	e->time = atof(word);
	/* FLAGS are absent if the trace option irq-info is off. */
	for (i = 0; i < 2; i++) {
		word = word_before(line, skip_blanks_back(line, word));
		if (*word == '[')
			break;
	}
	if (sscanf(word, "[%ld]", &e->cpu) != 1)
		return false;
	end = skip_blanks_back(line, word);
	for (word = end; word > line && word[-1] >= '0' && word[-1] <= '9'; word--)
		;
	if (word == end || word == line || word[-1] != '-')
		return false;
	e->pid = atol(word);
	while (*line == ' ')
		line++;
	text_clean(e->process, sizeof(e->process), line, line < word - 1 ? word - 1 - line : 0);
	return true;
}
