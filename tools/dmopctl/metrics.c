// SPDX-License-Identifier: GPL-2.0
/*
 * metrics.c - dmopctl metrics: the text format of Prometheus
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <json-c/json.h>

#include "census.h"
#include "commands.h"
#include "common.h"
#include "dmopctl.h"
#include "rows.h"

enum value { FILES, NARROWED, RIGHTS, CALLS, REFUSED_POLICY, REFUSED_DEAD, MAPPED };

static unsigned long long value_of(const struct row *row, enum value value)
{
	switch (value) {
	case FILES:
		return row->files;
	case NARROWED:
		return row->narrowed;
	case RIGHTS:
		return 1;
	case CALLS:
		return row->calls;
	case REFUSED_POLICY:
		return row->refused_policy;
	case REFUSED_DEAD:
		return row->refused_dead;
	default:
		return row->mapped_frames * FRAME_BYTES;
	}
}

struct sheet {
	FILE *to;
	const struct rows *rows;
	const struct domains *domains;
	const struct census *census;
};

static void family(const struct sheet *s, const char *name, const char *type, const char *about)
{
	fprintf(s->to, "# HELP %s %s\n# TYPE %s %s\n", name, about, name, type);
}

/* Prints a sample for each row. @cause: the cause of refusals, or NULL. */
static void samples(const struct sheet *s, const char *name, enum value value, const char *cause)
{
	char process[2 * NAME_SIZE + 1], domain[2 * NAME_SIZE + 1], domid[16], word[32];
	unsigned int i;

	for (i = 0; i < s->rows->nr; i++) {
		const struct row *row = &s->rows->list[i];

		text_label(process, sizeof(process), row->process->name);
		text_label(domain, sizeof(domain),
			   row->state == BOUND ? domains_name(s->domains, row->domid) : "");
		*domid = 0;
		if (row->domid != NO_DOMID)
			snprintf(domid, sizeof(domid), "%ld", row->domid);
		fprintf(s->to, "%s{pid=\"%d\",process=\"%s\",uid=\"%u\",domid=\"%s\",domain=\"%s\",state=\"%s\"",
			name, row->process->pid, process, row->process->uid, domid, domain,
			state_name(row->state));
		if (cause)
			fprintf(s->to, ",cause=\"%s\"", cause);
		if (value == RIGHTS)
			fprintf(s->to, ",rights=\"%s\"", rights_word(word, sizeof(word), &row->rights));
		fprintf(s->to, "} %llu\n", value_of(row, value));
	}
}

enum group_value { CPU_USED, CPU_LIMIT, MEMORY_USED, MEMORY_LIMIT, PROCESSES_USED, PROCESSES_LIMIT };

static unsigned long long group_value_of(const struct control_group *g, enum group_value value)
{
	switch (value) {
	case CPU_USED:
		return g->cpu.used;
	case CPU_LIMIT:
		return g->cpu.limit;
	case MEMORY_USED:
		return g->memory.used;
	case MEMORY_LIMIT:
		return g->memory.limit;
	case PROCESSES_USED:
		return g->processes.used;
	default:
		return g->processes.limit;
	}
}

/* Prints a sample for each process with this amount. The rows of a process are adjacent. */
static void group_samples(const struct sheet *s, const char *name, enum group_value value)
{
	char process[2 * NAME_SIZE + 1], group[2 * sizeof(((struct control_group *)0)->path) + 1];
	const struct process *p, *last = NULL;
	unsigned long long n;
	unsigned int i;

	for (i = 0; i < s->rows->nr; i++, last = p) {
		p = s->rows->list[i].process;
		n = group_value_of(&p->group, value);
		if (p == last || n == NO_AMOUNT)
			continue;
		fprintf(s->to, "%s{pid=\"%d\",process=\"%s\",uid=\"%u\",control_group=\"%s\"} ", name,
			p->pid, text_label(process, sizeof(process), p->name), p->uid,
			text_label(group, sizeof(group), p->group.path));
		if (value == CPU_USED || value == CPU_LIMIT)
			fprintf(s->to, "%.6f\n", n / CPU_SECOND);
		else
			fprintf(s->to, "%llu\n", n);
	}
}

static void print_groups(const struct sheet *s)
{
	family(s, "dmop_cpu_seconds_total", "counter",
	       "Processor time that the control group of the process has used.");
	group_samples(s, "dmop_cpu_seconds_total", CPU_USED);
	family(s, "dmop_cpu_limit_ratio", "gauge", "Processors that this control group may keep busy.");
	group_samples(s, "dmop_cpu_limit_ratio", CPU_LIMIT);
	family(s, "dmop_memory_bytes", "gauge", "Memory that this control group uses.");
	group_samples(s, "dmop_memory_bytes", MEMORY_USED);
	family(s, "dmop_memory_limit_bytes", "gauge", "Memory that this control group may use.");
	group_samples(s, "dmop_memory_limit_bytes", MEMORY_LIMIT);
	family(s, "dmop_processes", "gauge", "Processes and threads in this control group.");
	group_samples(s, "dmop_processes", PROCESSES_USED);
	family(s, "dmop_processes_limit", "gauge",
	       "Processes and threads that this control group may have.");
	group_samples(s, "dmop_processes_limit", PROCESSES_LIMIT);
}

static void print_census(const struct sheet *s)
{
	char process[2 * NAME_SIZE + 1];
	const struct census *c = s->census;
	unsigned int i;

	family(s, "dmop_device_models", "gauge", "Device models of guests, by whether they are confined.");
	fprintf(s->to, "dmop_device_models{confined=\"true\"} %u\n", c->confined);
	fprintf(s->to, "dmop_device_models{confined=\"false\"} %u\n", c->models - c->confined);
	family(s, "dmop_privcmd_holders", "gauge",
	       "Processes with a /dev/xen/privcmd that is not restricted, or of which that is unknown.");
	for (i = 0; i < c->nr; i++) {
		const struct holder *h = &c->list[i];

		if (h->privcmd == PRIVCMD_NONE)
			continue;
		text_label(process, sizeof(process), h->name);
		fprintf(s->to, "dmop_privcmd_holders{pid=\"%d\",process=\"%s\",uid=\"%u\",kind=\"%s\",restricted=\"%s\"} 1\n",
			h->pid, process, h->uid, kind_name(h->kind),
			h->privcmd == PRIVCMD_OPEN ? "no" : "unknown");
	}
	family(s, "dmop_unreadable_processes", "gauge", "Processes that could not be looked into.");
	fprintf(s->to, "dmop_unreadable_processes %u\n", c->hidden);
}

static void print_module(const struct sheet *s, bool loaded)
{
	char version[64] = "", label[129];

	family(s, "dmop_module_loaded", "gauge", "Whether the module dmop_privcmd is loaded.");
	fprintf(s->to, "dmop_module_loaded %d\n", loaded);
	if (!loaded || read_text(AT_FDCWD, SYS_MODULE "/version", version, sizeof(version)) <= 0)
		return;
	version[strcspn(version, "\n")] = 0;
	family(s, "dmop_module_info", "gauge", "The version of the module that is loaded.");
	fprintf(s->to, "dmop_module_info{version=\"%s\"} 1\n",
		text_label(label, sizeof(label), version));
}

static void print_all(const struct sheet *s, bool loaded)
{
	print_module(s, loaded);
	family(s, "dmop_open_files", "gauge", "Open files of /dev/xen/dmop.");
	samples(s, "dmop_open_files", FILES, NULL);
	family(s, "dmop_narrowed_files", "gauge", "Open files of which NARROW has removed a right.");
	samples(s, "dmop_narrowed_files", NARROWED, NULL);
	family(s, "dmop_rights_info", "gauge", "The rights of all open files together.");
	samples(s, "dmop_rights_info", RIGHTS, NULL);
	family(s, "dmop_calls_total", "counter", "dm_op hypercalls that were passed to Xen.");
	samples(s, "dmop_calls_total", CALLS, NULL);
	family(s, "dmop_refused_total", "counter",
	       "Calls that were refused: by policy, or because the domain is gone (dead).");
	samples(s, "dmop_refused_total", REFUSED_POLICY, "policy");
	samples(s, "dmop_refused_total", REFUSED_DEAD, "dead");
	family(s, "dmop_mapped_bytes", "gauge", "Memory of the domain that is mapped.");
	samples(s, "dmop_mapped_bytes", MAPPED, NULL);
	print_groups(s);
	print_census(s);
}

static struct json_object *holder_json(const struct holder *h)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "pid", json_object_new_int(h->pid));
	json_object_object_add(o, "process", json_object_new_string(h->name));
	json_object_object_add(o, "uid", json_object_new_int64(h->uid));
	json_object_object_add(o, "kind", json_object_new_string(kind_name(h->kind)));
	json_object_object_add(o, "domid", h->domid == NO_DOMID ? NULL : json_object_new_int64(h->domid));
	json_object_object_add(o, "confined", json_object_new_boolean(holder_confined(h)));
	json_object_object_add(o, "privcmd_unrestricted", h->privcmd == PRIVCMD_UNKNOWN ? NULL :
			       json_object_new_boolean(h->privcmd == PRIVCMD_OPEN));
	return o;
}

static struct json_object *census_json(const struct census *c)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		json_object_array_add(list, holder_json(&c->list[i]));
	json_object_object_add(o, "device_models", json_object_new_int64(c->models));
	json_object_object_add(o, "confined", json_object_new_int64(c->confined));
	json_object_object_add(o, "unreadable", json_object_new_int64(c->hidden));
	json_object_object_add(o, "holders", list);
	return o;
}

static void print_object(const struct sheet *s, bool loaded)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const char *text;
	unsigned int i;

	json_object_object_add(o, "module_loaded", json_object_new_boolean(loaded));
	for (i = 0; i < s->rows->nr; i++)
		json_object_array_add(list, row_json(&s->rows->list[i], s->domains));
	json_object_object_add(o, "processes", list);
	json_object_object_add(o, "host", census_json(s->census));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	fprintf(s->to, "%s\n", text);
	json_object_put(o);
}

static int print_to(FILE *to, bool json)
{
	bool loaded = !access(SYS_MODULE, F_OK);
	struct snapshot now = { 0 };
	struct domains domains = { 0 };
	struct rows rows = { 0 };
	struct census census;
	struct sheet s = { .to = to, .rows = &rows, .domains = &domains, .census = &census };
	int status = loaded ? snapshot_take(&now) : 0;

	if (!status) {
		domains_read(&domains);
		status = census_take(&census, &domains);
	}
	if (status) {
		domains_free(&domains);
		snapshot_free(&now);
		return status;
	}
	if (loaded)
		rows_make(&rows, &now, NULL);
	if (json)
		print_object(&s, loaded);
	else
		print_all(&s, loaded);
	census_free(&census);
	rows_free(&rows);
	domains_free(&domains);
	snapshot_free(&now);
	return STATUS_OK;
}

/* Writes a new file and renames it, so a reader gets either the old or the new content. */
static int print_to_file(const char *path, bool json)
{
	char *new;
	int status = STATUS_OK, fd;
	FILE *to;

	if (asprintf(&new, "%s.XXXXXX", path) < 0)
		return fail(STATUS_OTHER, "out of memory");
	fd = mkstemp(new);
	to = fd < 0 ? NULL : fdopen(fd, "w");
	if (!to) {
		status = fail(STATUS_OTHER, "%s: %s", new, strerror(errno));
		free(new);
		return status;
	}
	status = print_to(to, json);
	/* The collector that reads the file does not run as root. */
	if (!status && (fflush(to) || ferror(to) || fchmod(fd, 0644) || rename(new, path)))
		status = fail(STATUS_OTHER, "%s: %s", path, strerror(errno));
	fclose(to);
	if (status)
		unlink(new);
	free(new);
	return status;
}

int run_metrics(const struct options *o)
{
	return o->output ? print_to_file(o->output, o->json) : print_to(stdout, o->json);
}
