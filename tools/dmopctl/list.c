// SPDX-License-Identifier: GPL-2.0
/*
 * list.c - dmopctl list and show: holders of /dev/xen/dmop
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>

#include "commands.h"
#include "common.h"
#include "dmopctl.h"
#include "rows.h"

/* Default time in seconds between the two snapshots for the rates. */
#define LIST_INTERVAL	0.5

static void wait_seconds(double seconds)
{
	struct timespec t = { .tv_sec = seconds };

	t.tv_nsec = (seconds - t.tv_sec) * 1e9;
	nanosleep(&t, NULL);
}

static void print_rows(const struct rows *r, const struct domains *d, bool json)
{
	struct json_object *all;
	struct table t;
	unsigned int i;

	if (json) {
		all = json_object_new_array();
		for (i = 0; i < r->nr; i++)
			json_object_array_add(all, row_json(&r->list[i], d));
		print_json(all, true);
		return;
	}
	rows_table(r, d, &t);
	table_print(&t);
	table_free(&t);
}

int run_list(const struct options *o)
{
	double interval = o->interval < 0 ? LIST_INTERVAL : o->interval;
	struct snapshot before, now;
	struct domains d;
	struct rows r;
	int status = need_module();

	if (!status)
		status = snapshot_take(&before);
	if (status)
		return status;
	/* Without processes there are no rates to measure. */
	if (interval > 0 && before.nr)
		wait_seconds(interval);
	status = snapshot_take(&now);
	if (!status) {
		domains_read(&d);
		rows_make(&r, &now, interval > 0 ? &before : NULL);
		print_rows(&r, &d, o->json);
		if (now.hidden && geteuid())
			fail(0, "%u processes of other users are not shown; root sees them", now.hidden);
		if (now.unreadable)
			fail(0, "%u descriptors cannot be read, and are not shown", now.unreadable);
		rows_free(&r);
		domains_free(&d);
		snapshot_free(&now);
	}
	snapshot_free(&before);
	return status;
}

/* --- show -------------------------------------------------------------- */

static void show_json(const struct process *p, const struct domains *d)
{
	struct json_object *o = json_object_new_object(), *files = json_object_new_array();
	unsigned int i;

	json_object_object_add(o, "pid", json_object_new_int(p->pid));
	json_object_object_add(o, "process", json_object_new_string(p->name));
	json_object_object_add(o, "uid", json_object_new_int64(p->uid));
	for (i = 0; i < p->nr_files; i++)
		json_object_array_add(files, file_json(&p->files[i], d));
	json_object_object_add(o, "files", files);
	json_object_object_add(o, "control_group", control_group_json(&p->group));
	print_json(o, true);
}

static void show_group(const struct control_group *g)
{
	char limits[AMOUNTS_SIZE], usage[AMOUNTS_SIZE];

	printf("\ncontrol group %s\n"
	       "  limits     %s\n"
	       "  usage      %s\n",
	       *g->path ? g->path : "unknown", control_group_limits(limits, sizeof(limits), g),
	       control_group_usage(usage, sizeof(usage), g));
}

static void show_fds(const struct open_file *f)
{
	unsigned int i;

	printf("\n%s", f->nr_fds == 1 ? "descriptor" : "descriptors");
	for (i = 0; i < f->nr_fds; i++)
		printf(" %d", f->fds[i]);
	printf(f->nr_fds == 1 ? "\n" : " (one open file)\n");
}

static void show_file(const struct open_file *f, const struct domains *d)
{
	const struct file_info *info = &f->info;
	const char *name = info->state == BOUND ? domains_name(d, info->domid) : "";
	struct row row = { .state = info->state, .refused_policy = info->refused_policy };
	char rights[RIGHTS_SIZE];

	show_fds(f);
	printf("  state      ");
	text_put(stdout, row_colour(&row), state_name(info->state));
	if (info->state == BOUND)
		printf(" to domain %ld", info->domid);
	else if (info->state == REVOKED)
		printf(": domain %ld, to which it was bound, is gone", info->domid);
	else
		printf(": of use to CAP_SYS_ADMIN only, on any domain");
	if (*name) {
		fputs(", ", stdout);
		text_put(stdout, PLAIN, name);
	}
	printf("\n  calls      %llu\n"
	       "  refused    %llu by policy, %llu because the domain is gone\n"
	       "  mapped     %llu KiB of at most %llu\n"
	       "  limits     %llu buffers of %llu bytes in a call\n"
	       "  rights     %s\n",
	       info->calls, info->refused_policy, info->refused_dead, info->mapped_frames * 4,
	       info->max_map_frames * 4, info->max_nr_bufs, info->max_buf_size,
	       rights_text(rights, sizeof(rights), &info->rights));
}

static int show_process(pid_t pid, bool json)
{
	char user[NAME_SIZE];
	struct domains d;
	struct process p;
	unsigned int i;
	int err = process_read(pid, &p);

	if (err == -ENOENT)
		return fail(STATUS_NO_PROCESS, "there is no process %d", pid);
	if (err == -EACCES || err == -EPERM)
		return fail(STATUS_DENIED, "process %d is not yours to look into; %s", pid,
			    permission_remedy());
	if (err)
		return fail(STATUS_OTHER, "process %d: %s", pid, strerror(-err));
	domains_read(&d);
	if (json) {
		show_json(&p, &d);
	} else {
		printf("process %d: ", pid);
		text_put(stdout, BOLD, p.name);
		printf(", user %s\n", user_name(user, sizeof(user), p.uid));
		for (i = 0; i < p.nr_files; i++)
			show_file(&p.files[i], &d);
		if (p.nr_files)
			show_group(&p.group);
		if (p.unreadable)
			printf("\n%u descriptors cannot be read.\n", p.unreadable);
		else if (!p.nr_files)
			printf("\nIt holds no " NODE ".\n");
	}
	domains_free(&d);
	process_free(&p);
	return STATUS_OK;
}

int run_show(const struct options *o)
{
	pid_t pid = parse_pid(o->args[0]);
	int status;

	if (!pid)
		return STATUS_USAGE;
	status = need_module();
	return status ? status : show_process(pid, o->json);
}
