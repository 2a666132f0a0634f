// SPDX-License-Identifier: GPL-2.0
/*
 * profile.c - a file with the rights that a device model keeps, see dmop-run(8)
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile.h"

#define BLANKS		" \t\r\n"
#define ALL		"all"

/* Names of Xen's public/hvm/dm_op.h and public/memory.h. A file may have numbers without a name. */
static const char *const op_names[] = {
	[1] = "create_ioreq_server", [2] = "get_ioreq_server_info",
	[3] = "map_io_range_to_ioreq_server", [4] = "unmap_io_range_from_ioreq_server",
	[5] = "set_ioreq_server_state", [6] = "destroy_ioreq_server", [7] = "track_dirty_vram",
	[8] = "set_pci_intx_level", [9] = "set_isa_irq_level", [10] = "set_pci_link_route",
	[11] = "modified_memory", [12] = "set_mem_type", [13] = "inject_event", [14] = "inject_msi",
	[15] = "map_mem_type_to_ioreq_server", [16] = "remote_shutdown", [17] = "relocate_memory",
	[18] = "pin_memory_cacheattr", [19] = "set_irq_level", [20] = "nr_vcpus",
};

static const char *const resource_names[] = { "ioreq_server", "grant_table", "vmtrace_buf" };

static const char *const act_names[] = { "call", "map-foreign", "map-resource", "map-write", "event" };

#define COUNT(names)	(sizeof(names) / sizeof(*(names)))

struct parser {
	const char *path;
	unsigned int line;
	struct dmop_narrow *n;
	char *why;
	size_t size;
};

static bool __attribute__((format(printf, 2, 3))) wrong(struct parser *p, const char *format, ...)
{
	int at = snprintf(p->why, p->size, "%s:%u: ", p->path, p->line);
	va_list ap;

	va_start(ap, format);
	vsnprintf(p->why + at, p->size - at, format, ap);
	va_end(ap);
	return false;
}

/* "N", or "A-B"; decimal, or hex with 0x. */
static bool parse_range(const char *word, uint64_t *first, uint64_t *last)
{
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	*first = *last = strtoull(word, &end, 0);
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		*last = strtoull(end + 1, &end, 0);
	return !*end && !errno && *first <= *last;
}

/* A number below @nr, a range of them, or a name. Sets the bits of @words. */
static bool parse_bits(struct parser *p, const char *word, const char *const *names, size_t nr_names,
		       unsigned int nr, __u64 *words)
{
	uint64_t first, last;
	size_t i;

	for (i = 0; i < nr_names; i++)
		if (names[i] && !strcmp(word, names[i])) {
			words[i / 64] |= 1ULL << i % 64;
			return true;
		}
	if (!parse_range(word, &first, &last) || last >= nr)
		return wrong(p, "'%s' is neither a number from 0 to %u, nor a range, nor a known name",
			     word, nr - 1);
	for (i = first; i <= last; i++)
		words[i / 64] |= 1ULL << i % 64;
	return true;
}

static bool parse_op(struct parser *p, const char *word)
{
	p->n->acts |= DMOP_RIGHT_CALL;
	if (strcmp(word, ALL))
		return parse_bits(p, word, op_names, COUNT(op_names), NR_OPS, p->n->ops);
	p->n->flags &= ~DMOP_NARROW_OPS;
	return true;
}

static bool parse_resource(struct parser *p, const char *word)
{
	p->n->acts |= DMOP_RIGHT_MAP_RESOURCE;
	if (strcmp(word, ALL))
		return parse_bits(p, word, resource_names, COUNT(resource_names), NR_RESOURCES,
				  &p->n->resources);
	p->n->flags &= ~DMOP_NARROW_RESOURCES;
	return true;
}

static bool parse_act(struct parser *p, const char *word)
{
	size_t i;

	for (i = 0; i < COUNT(act_names); i++)
		if (!strcmp(word, act_names[i])) {
			p->n->acts |= 1ULL << i;
			return true;
		}
	return wrong(p, "'%s' is none of call, map-foreign, map-resource, map-write, event", word);
}

static bool parse_frames(struct parser *p, const char *word)
{
	uint64_t first, last;

	if (!parse_range(word, &first, &last) || first != last)
		return wrong(p, "'%s' is not a number of frames", word);
	p->n->max_frames = first;
	p->n->flags |= DMOP_NARROW_FRAMES;
	return true;
}

static bool parse_gfns(struct parser *p, const char *word)
{
	uint64_t first, last;

	if (!parse_range(word, &first, &last))
		return wrong(p, "'%s' is not a range of frame numbers, FIRST-LAST", word);
	p->n->gfn_first = first;
	p->n->gfn_last = last;
	p->n->flags |= DMOP_NARROW_GFNS;
	return true;
}

static const struct {
	const char *keyword;
	bool (*parse)(struct parser *p, const char *word);
	bool list;
} keywords[] = {
	{ "op", parse_op, true },
	{ "resource", parse_resource, true },
	{ "act", parse_act, true },
	{ "frames", parse_frames, false },
	{ "gfns", parse_gfns, false },
};

static bool parse_line(struct parser *p, char *line)
{
	char *at, *keyword, *word;
	size_t i, nr = 0;

	line[strcspn(line, "#")] = 0;
	keyword = strtok_r(line, BLANKS, &at);
	if (!keyword)
		return true;
	for (i = 0; i < COUNT(keywords) && strcmp(keyword, keywords[i].keyword); i++)
		;
	if (i == COUNT(keywords))
		return wrong(p, "'%s' is none of op, resource, act, frames, gfns", keyword);
	while ((word = strtok_r(NULL, BLANKS, &at))) {
		if (nr++ && !keywords[i].list)
			return wrong(p, "one value only behind '%s'", keyword);
		if (!keywords[i].parse(p, word))
			return false;
	}
	return nr ? true : wrong(p, "nothing behind '%s'", keyword);
}

bool profile_read(const char *name, struct dmop_narrow *n, char *why, size_t size)
{
	char path[PATH_MAX], *line = NULL;
	struct parser p = { .path = path, .n = n, .why = why, .size = size };
	size_t room = 0;
	bool good = true;
	FILE *from;

	snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : PROFILEDIR "/", name);
	*n = (struct dmop_narrow){
		.size = sizeof(*n),
		.flags = DMOP_NARROW_ACTS | DMOP_NARROW_OPS | DMOP_NARROW_RESOURCES,
	};
	from = fopen(path, "re");
	if (!from) {
		snprintf(why, size, "%s: %s", path, strerror(errno));
		return false;
	}
	while (good && getline(&line, &room, from) >= 0) {
		p.line++;
		good = parse_line(&p, line);
	}
	if (good && ferror(from))
		good = wrong(&p, "%s", strerror(errno));
	free(line);
	fclose(from);
	return good;
}

const char *profile_op_name(unsigned int op)
{
	return op < COUNT(op_names) ? op_names[op] : NULL;
}

const char *profile_resource_name(unsigned int type)
{
	return type < COUNT(resource_names) ? resource_names[type] : NULL;
}
