// SPDX-License-Identifier: GPL-2.0
/*
 * rows.c - sums of a snapshot: a row for each process, domain and state
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

#include "memory.h"
#include "rows.h"

static void add_file(struct row *row, const struct open_file *f)
{
	row->files++;
	row->fds += f->nr_fds;
	row->calls += f->info.calls;
	row->refused_policy += f->info.refused_policy;
	row->refused_dead += f->info.refused_dead;
	row->mapped_frames += f->info.mapped_frames;
	row->narrowed += !!f->info.rights.narrowed;
	if (row->files == 1)
		row->rights = f->info.rights;
	else
		rights_add(&row->rights, &f->info.rights);
}

static struct row *row_of(struct rows *r, const struct process *p, const struct file_info *info)
{
	struct row *row;
	unsigned int i;

	for (i = r->nr; i-- && r->list[i].process == p;) {
		row = &r->list[i];
		if (row->state == info->state && row->domid == info->domid)
			return row;
	}
	r->list = grow(r->list, r->nr + 1, sizeof(*r->list));
	row = &r->list[r->nr++];
	*row = (struct row){
		.process = p, .state = info->state, .domid = info->domid, .rate = -1,
		.cpu = -1,
	};
	return row;
}

static const struct process *same_process(const struct snapshot *s, const struct process *p)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		if (s->processes[i].pid == p->pid && s->processes[i].start == p->start)
			return &s->processes[i];
	return NULL;
}

/* Counts only files in both snapshots; a file that was opened or closed has no rate. */
static unsigned long long calls_since(const struct process *now, const struct process *then,
				      const struct row *row)
{
	unsigned long long calls = 0;
	unsigned int i, j;

	for (i = 0; i < now->nr_files; i++) {
		const struct open_file *f = &now->files[i], *g;

		if (f->info.state != row->state || f->info.domid != row->domid)
			continue;
		for (j = 0; j < then->nr_files; j++) {
			g = &then->files[j];
			if (g->fds[0] == f->fds[0] && g->info.calls <= f->info.calls)
				calls += f->info.calls - g->info.calls;
		}
	}
	return calls;
}

/* A process that has changed its group since then has no rate. Return: negative if it is unknown. */
static double cpu_since(const struct control_group *now, const struct control_group *then,
			double seconds)
{
	if (strcmp(now->path, then->path) || now->cpu.used == NO_AMOUNT ||
	    then->cpu.used > now->cpu.used)
		return -1;
	return (now->cpu.used - then->cpu.used) / CPU_PERCENT / seconds;
}

static void set_rate(struct row *row, const struct snapshot *now, const struct snapshot *before)
{
	const struct process *then = same_process(before, row->process);
	double seconds = now->when.tv_sec - before->when.tv_sec +
			 (now->when.tv_nsec - before->when.tv_nsec) / 1e9;

	if (!then || seconds <= 0)
		return;
	row->rate = calls_since(row->process, then, row) / seconds;
	row->cpu = cpu_since(&row->process->group, &then->group, seconds);
}

void rows_make(struct rows *r, const struct snapshot *now, const struct snapshot *before)
{
	unsigned int i, j;

	*r = (struct rows){ 0 };
	for (i = 0; i < now->nr; i++)
		for (j = 0; j < now->processes[i].nr_files; j++) {
			const struct open_file *f = &now->processes[i].files[j];

			add_file(row_of(r, &now->processes[i], &f->info), f);
		}
	for (i = 0; before && i < r->nr; i++)
		set_rate(&r->list[i], now, before);
}

void rows_free(struct rows *r)
{
	free(r->list);
	r->list = NULL;
	r->nr = 0;
}

/* --- text -------------------------------------------------------------- */

enum colour row_colour(const struct row *row)
{
	if (row->state == UNBOUND)
		return RED;
	return row->state == REVOKED || row->refused_policy ? YELLOW : PLAIN;
}

char *user_name(char *to, size_t size, uid_t uid)
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		return text_clean(to, size, user->pw_name, strlen(user->pw_name));
	snprintf(to, size, "%u", uid);
	return to;
}

/* Writes "12/200%", "12%" without a limit, "-" for what is unknown. */
static void cpu_cell(char *to, size_t size, double percent, unsigned long long limit)
{
	char used[24] = "-";

	if (percent >= 0)
		snprintf(used, sizeof(used), "%.0f", percent);
	if (limit != NO_AMOUNT)
		snprintf(to, size, "%s/%g%%", used, limit / CPU_PERCENT);
	else
		snprintf(to, size, "%s%s", used, percent >= 0 ? "%" : "");
}

/* Writes "230M/1024M", "230M" without a limit, "-" for what is unknown. */
static void memory_cell(char *to, size_t size, const struct amount *memory)
{
	char used[24] = "-", limit[24];

	if (memory->used != NO_AMOUNT)
		text_bytes(used, sizeof(used), memory->used);
	if (memory->limit != NO_AMOUNT)
		snprintf(to, size, "%s/%s", used, text_bytes(limit, sizeof(limit), memory->limit));
	else
		snprintf(to, size, "%s", used);
}

static void row_add(struct table *t, const struct row *row, const struct domains *d)
{
	char pid[16], user[NAME_SIZE], domid[16] = "-", files[16], rate[16], calls[24], policy[24],
	     dead[24], mapped[24], cpu[48], memory[56], rights[32] = "-";
	const char *name = domains_name(d, row->domid);

	snprintf(pid, sizeof(pid), "%d", row->process->pid);
	user_name(user, sizeof(user), row->process->uid);
	if (row->domid != NO_DOMID)
		snprintf(domid, sizeof(domid), "%ld", row->domid);
	/* A domain with the domid of a revoked file is another one by now. */
	if (row->state == REVOKED || !*name)
		name = "-";
	/* A revoked file has no use for its rights. */
	if (row->state != REVOKED)
		rights_word(rights, sizeof(rights), &row->rights);
	snprintf(files, sizeof(files), "%u", row->files);
	text_rate(rate, sizeof(rate), row->rate);
	snprintf(calls, sizeof(calls), "%llu", row->calls);
	snprintf(policy, sizeof(policy), "%llu", row->refused_policy);
	snprintf(dead, sizeof(dead), "%llu", row->refused_dead);
	text_bytes(mapped, sizeof(mapped), row->mapped_frames * FRAME_BYTES);
	cpu_cell(cpu, sizeof(cpu), row->cpu, row->process->group.cpu.limit);
	memory_cell(memory, sizeof(memory), &row->process->group.memory);
	table_add(t, row_colour(row), (const char *[]){
		pid, user, domid, name, state_name(row->state), files, rate, calls, policy, dead,
		mapped, cpu, memory, rights, row->process->name });
}

void rows_table(const struct rows *r, const struct domains *d, struct table *t)
{
	unsigned int i;

	*t = (struct table){ .columns = 15, .right = 1 << 0 | 1 << 2 | 0xff << 5 };
	table_add(t, BOLD, (const char *[]){
		"PID", "USER", "DOMID", "DOMAIN", "STATE", "FILES", "CALLS/S", "CALLS", "REFUSED",
		"DEAD", "MAPPED", "CPU", "MEMORY", "RIGHTS", "PROCESS" });
	for (i = 0; i < r->nr; i++)
		row_add(t, &r->list[i], d);
}

/* --- JSON -------------------------------------------------------------- */

static void add_number(struct json_object *o, const char *key, unsigned long long n)
{
	json_object_object_add(o, key, json_object_new_uint64(n));
}

static void add_binding(struct json_object *o, enum state state, long domid, const struct domains *d)
{
	const char *name = state == BOUND ? domains_name(d, domid) : "";

	json_object_object_add(o, "state", json_object_new_string(state_name(state)));
	json_object_object_add(o, "domid", domid == NO_DOMID ? NULL : json_object_new_int64(domid));
	json_object_object_add(o, "domain", *name ? json_object_new_string(name) : NULL);
}

struct json_object *row_json(const struct row *row, const struct domains *d)
{
	struct json_object *o = json_object_new_object();
	char word[32];

	add_number(o, "pid", row->process->pid);
	json_object_object_add(o, "process", json_object_new_string(row->process->name));
	add_number(o, "uid", row->process->uid);
	add_binding(o, row->state, row->domid, d);
	add_number(o, "files", row->files);
	add_number(o, "descriptors", row->fds);
	add_number(o, "calls", row->calls);
	json_object_object_add(o, "calls_per_second",
			       row->rate < 0 ? NULL : json_object_new_double(row->rate));
	add_number(o, "refused_policy", row->refused_policy);
	add_number(o, "refused_dead", row->refused_dead);
	add_number(o, "mapped_bytes", row->mapped_frames * FRAME_BYTES);
	add_number(o, "narrowed_files", row->narrowed);
	json_object_object_add(o, "rights", json_object_new_string(
		rights_word(word, sizeof(word), &row->rights)));
	json_object_object_add(o, "cpu_percent",
			       row->cpu < 0 ? NULL : json_object_new_double(row->cpu));
	json_object_object_add(o, "control_group", control_group_json(&row->process->group));
	return o;
}

struct json_object *file_json(const struct open_file *f, const struct domains *d)
{
	struct json_object *o = json_object_new_object(), *fds = json_object_new_array();
	unsigned int i;

	for (i = 0; i < f->nr_fds; i++)
		json_object_array_add(fds, json_object_new_int(f->fds[i]));
	json_object_object_add(o, "descriptors", fds);
	add_binding(o, f->info.state, f->info.domid, d);
	add_number(o, "calls", f->info.calls);
	add_number(o, "refused_policy", f->info.refused_policy);
	add_number(o, "refused_dead", f->info.refused_dead);
	add_number(o, "mapped_bytes", f->info.mapped_frames * FRAME_BYTES);
	add_number(o, "max_nr_bufs", f->info.max_nr_bufs);
	add_number(o, "max_buf_size", f->info.max_buf_size);
	add_number(o, "max_map_frames", f->info.max_map_frames);
	json_object_object_add(o, "rights", rights_json(&f->info.rights));
	return o;
}
