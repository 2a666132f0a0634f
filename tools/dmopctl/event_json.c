// SPDX-License-Identifier: GPL-2.0
/*
 * event_json.c - an event as JSON
 */
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

#include "event.h"

static struct json_object *value_json(const char *value)
{
	char *end;
	long long n = strtoll(value, &end, 0);

	return *value && !*end ? json_object_new_int64(n) : json_object_new_string(value);
}

static void add_field(struct json_object *o, char *word)
{
	char *value = strchr(word, '=');

	if (value) {
		*value++ = 0;
		json_object_object_add(o, word, value_json(value));
	} else {
		json_object_object_add(o, "kind", json_object_new_string(word));
	}
}

struct json_object *event_json(const struct event *e)
{
	struct json_object *o = json_object_new_object();
	char fields[512], *at, *word;

	json_object_object_add(o, "time", json_object_new_double(e->time));
	json_object_object_add(o, "cpu", json_object_new_int64(e->cpu));
	json_object_object_add(o, "pid", json_object_new_int64(e->pid));
	json_object_object_add(o, "process", json_object_new_string(e->process));
	json_object_object_add(o, "event", json_object_new_string(e->name));
	/* Fields come from the kernel alone; they are escaped nevertheless. */
	text_clean(fields, sizeof(fields), e->fields, strlen(e->fields));
	for (word = strtok_r(fields, " ", &at); word; word = strtok_r(NULL, " ", &at))
		add_field(o, word);
	return o;
}
