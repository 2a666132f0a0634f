// SPDX-License-Identifier: GPL-2.0
/*
 * findings.c - results of check and verify
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

#include "common.h"
#include "dmopctl.h"
#include "findings.h"
#include "memory.h"
#include "text.h"

static const struct {
	const char *name;
	enum colour colour;
} levels[] = {
	[OK] = { "ok", GREEN }, [NOTE] = { "note", PLAIN },
	[WARN] = { "warning", YELLOW }, [FAULT] = { "FAULT", RED },
};

static char *copy(const char *text)
{
	char *to = grow(NULL, strlen(text) + 1, 1);

	return strcpy(to, text);
}

void finding(struct findings *f, enum level level, const char *topic, const char *remedy,
	     const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	f->list = grow(f->list, f->nr + 1, sizeof(*f->list));
	f->list[f->nr++] = (struct finding){
		.level = level, .topic = copy(topic), .text = copy(text),
		.remedy = copy(remedy ? remedy : ""),
	};
}

static void print_text(const struct findings *f)
{
	const struct finding *one;
	unsigned int i;
	char topic[64];

	for (i = 0; i < f->nr; i++) {
		one = &f->list[i];
		text_put(stdout, levels[one->level].colour, levels[one->level].name);
		snprintf(topic, sizeof(topic), "%*s%-18s ", 9 - (int)strlen(levels[one->level].name),
			 "", one->topic);
		text_put(stdout, PLAIN, topic);
		text_put(stdout, PLAIN, one->text);
		if (*one->remedy) {
			printf("\n%28s", "");
			text_put(stdout, BOLD, "remedy: ");
			text_put(stdout, PLAIN, one->remedy);
		}
		putchar('\n');
	}
}

static void print_list(const struct findings *f, bool good)
{
	struct json_object *all = json_object_new_object(), *list = json_object_new_array(), *o;
	unsigned int i;

	for (i = 0; i < f->nr; i++) {
		const struct finding *one = &f->list[i];

		o = json_object_new_object();
		json_object_object_add(o, "level", json_object_new_string(
			one->level == FAULT ? "fault" : levels[one->level].name));
		json_object_object_add(o, "topic", json_object_new_string(one->topic));
		json_object_object_add(o, "text", json_object_new_string(one->text));
		json_object_object_add(o, "remedy",
				       *one->remedy ? json_object_new_string(one->remedy) : NULL);
		json_object_array_add(list, o);
	}
	json_object_object_add(all, "ok", json_object_new_boolean(good));
	json_object_object_add(all, "findings", list);
	print_json(all, true);
}

int findings_print(struct findings *f, bool json)
{
	bool good = true;
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		good = good && f->list[i].level != FAULT;
	if (json)
		print_list(f, good);
	else
		print_text(f);
	for (i = 0; i < f->nr; i++) {
		free(f->list[i].topic);
		free(f->list[i].text);
		free(f->list[i].remedy);
	}
	free(f->list);
	*f = (struct findings){ 0 };
	return good ? STATUS_OK : STATUS_FAULT;
}
