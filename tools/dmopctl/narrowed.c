// SPDX-License-Identifier: GPL-2.0
/*
 * narrowed.c - the rights that NARROW has left to an open file
 */
#include <stdarg.h>
#include <stdio.h>
#include <json-c/json.h>

#include "dmopctl.h"
#include "narrowed.h"

#define MAPS		(DMOP_RIGHT_MAP_FOREIGN | DMOP_RIGHT_MAP_RESOURCE)

static const struct {
	const char *name;
	unsigned long long right;
} acts[] = {
	{ "call", DMOP_RIGHT_CALL }, { "map-foreign", DMOP_RIGHT_MAP_FOREIGN },
	{ "map-resource", DMOP_RIGHT_MAP_RESOURCE }, { "map-write", DMOP_RIGHT_MAP_WRITE },
	{ "event", DMOP_RIGHT_EVENT },
};

void rights_all(struct rights *r)
{
	*r = (struct rights){
		.acts = DMOP_RIGHT_ALL, .ops = { ~0ULL, ~0ULL }, .resources = ~0ULL,
		.max_frames = ~0ULL, .gfn_last = ~0ULL,
	};
}

void rights_of_info(struct rights *r, const struct dmop_info *info)
{
	if (!(info->features & DMOP_FEATURE_NARROW)) {
		rights_all(r);
		return;
	}
	*r = (struct rights){
		.narrowed = info->narrowed, .acts = info->acts,
		.ops = { info->ops[0], info->ops[1] }, .resources = info->resources,
		.max_frames = info->max_frames,
		.gfn_first = info->gfn_first, .gfn_last = info->gfn_last,
	};
}

static bool bit(const unsigned long long *words, unsigned int n)
{
	return words[n / 64] >> n % 64 & 1;
}

bool rights_op(const struct rights *r, unsigned int op)
{
	return bit(r->ops, op);
}

bool rights_resource(const struct rights *r, unsigned int type)
{
	return bit(&r->resources, type);
}

void rights_add(struct rights *sum, const struct rights *more)
{
	/* Without CALL no operation is left, and the sum stays narrowed if both are. */
	if (more->acts & DMOP_RIGHT_CALL) {
		if (!(more->narrowed & DMOP_NARROW_OPS))
			sum->narrowed &= ~(unsigned long long)DMOP_NARROW_OPS;
		sum->ops[0] |= more->ops[0];
		sum->ops[1] |= more->ops[1];
	}
	sum->acts |= more->acts;
	if (!more->narrowed)
		sum->narrowed = 0;
}

/* --- text -------------------------------------------------------------- */

struct text {
	char *to;
	size_t size, at;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (t->at < t->size)
		t->at += vsnprintf(t->to + t->at, t->size - t->at, format, ap);
	va_end(ap);
}

/* The numbers of the bits that are set, as " 1-6 20". */
static void add_numbers(struct text *t, const unsigned long long *words, unsigned int nr)
{
	unsigned int first, last;

	for (first = 0; first < nr; first = last + 1) {
		last = first;
		if (!bit(words, first))
			continue;
		while (last + 1 < nr && bit(words, last + 1))
			last++;
		add(t, last > first ? " %u-%u" : " %u", first, last);
	}
}

static void add_part(struct text *t, const char *what)
{
	add(t, "%s%s", t->at ? "; " : "", what);
}

static void add_maps(struct text *t, const struct rights *r)
{
	if (r->acts & DMOP_RIGHT_MAP_FOREIGN) {
		add_part(t, "memory");
		if (r->narrowed & DMOP_NARROW_GFNS && r->gfn_first > r->gfn_last)
			add(t, " without frames");
		else if (r->narrowed & DMOP_NARROW_GFNS)
			add(t, " from frame %#llx to %#llx", r->gfn_first, r->gfn_last);
	}
	if (r->acts & DMOP_RIGHT_MAP_RESOURCE) {
		add_part(t, "resources");
		if (r->narrowed & DMOP_NARROW_RESOURCES)
			add_numbers(t, &r->resources, NR_RESOURCES);
	}
	if (!(r->acts & DMOP_RIGHT_MAP_WRITE))
		add_part(t, "read-only");
	if (r->narrowed & DMOP_NARROW_FRAMES)
		add(t, "; at most %llu frames", r->max_frames);
}

char *rights_text(char *to, size_t size, const struct rights *r)
{
	struct text t = { to, size, 0 };

	*to = 0;
	if (!r->narrowed)
		add(&t, "all");
	else if (r->acts & DMOP_RIGHT_CALL)
		add(&t, "dm_ops");
	if (r->acts & DMOP_RIGHT_CALL && r->narrowed & DMOP_NARROW_OPS)
		add_numbers(&t, r->ops, NR_OPS);
	if (r->narrowed && r->acts & MAPS)
		add_maps(&t, r);
	if (!t.at)
		add(&t, "none");
	return to;
}

char *rights_word(char *to, size_t size, const struct rights *r)
{
	struct text t = { to, size, 0 };

	*to = 0;
	if (!r->narrowed) {
		add(&t, "all");
		return to;
	}
	if (r->acts & DMOP_RIGHT_CALL && r->narrowed & DMOP_NARROW_OPS)
		add(&t, "call:%d", __builtin_popcountll(r->ops[0]) + __builtin_popcountll(r->ops[1]));
	else if (r->acts & DMOP_RIGHT_CALL)
		add(&t, "call");
	if (r->acts & MAPS)
		add(&t, "%smap%s", t.at ? "," : "", r->acts & DMOP_RIGHT_MAP_WRITE ? "" : ":ro");
	if (!t.at)
		add(&t, "none");
	return to;
}

/* --- JSON -------------------------------------------------------------- */

static struct json_object *numbers_json(bool narrowed, const unsigned long long *words, unsigned int nr)
{
	struct json_object *list = narrowed ? json_object_new_array() : NULL;
	unsigned int i;

	for (i = 0; list && i < nr; i++)
		if (bit(words, i))
			json_object_array_add(list, json_object_new_int(i));
	return list;
}

static void add_limit(struct json_object *o, const char *key, bool narrowed, unsigned long long value)
{
	json_object_object_add(o, key, narrowed ? json_object_new_uint64(value) : NULL);
}

struct json_object *rights_json(const struct rights *r)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(acts); i++)
		if (r->acts & acts[i].right)
			json_object_array_add(list, json_object_new_string(acts[i].name));
	json_object_object_add(o, "narrowed", json_object_new_boolean(r->narrowed));
	json_object_object_add(o, "acts", list);
	json_object_object_add(o, "ops", numbers_json(r->narrowed & DMOP_NARROW_OPS, r->ops, NR_OPS));
	json_object_object_add(o, "resources", numbers_json(r->narrowed & DMOP_NARROW_RESOURCES,
							    &r->resources, NR_RESOURCES));
	add_limit(o, "max_frames", r->narrowed & DMOP_NARROW_FRAMES, r->max_frames);
	add_limit(o, "gfn_first", r->narrowed & DMOP_NARROW_GFNS, r->gfn_first);
	add_limit(o, "gfn_last", r->narrowed & DMOP_NARROW_GFNS, r->gfn_last);
	return o;
}
