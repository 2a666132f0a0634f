// SPDX-License-Identifier: GPL-2.0
/*
 * top.c - dmopctl top: holders of /dev/xen/dmop, live
 */
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include <ncurses.h>

#include "commands.h"
#include "common.h"
#include "dmopctl.h"
#include "rows.h"

#define TOP_INTERVAL	2.0

enum order { BY_RATE, BY_PID, BY_DOMID, BY_REFUSED, NR_ORDERS };

static const char *const order_names[] = { "calls/s", "pid", "domid", "refused" };

struct top {
	const struct options *o;
	double interval;
	enum order order;
	struct snapshot before, now;
	struct domains domains;
	struct rows rows;
};

static enum order sort_by;

static double key(const struct row *row)
{
	switch (sort_by) {
	case BY_RATE:
		return -row->rate;
	case BY_DOMID:
		return row->domid;
	case BY_REFUSED:
		return -(double)row->refused_policy;
	default:
		return 0;
	}
}

static int compare(const void *a, const void *b)
{
	double x = key(a), y = key(b);
	const struct row *r = a, *s = b;

	if (x != y)
		return x < y ? -1 : 1;
	return r->process->pid - s->process->pid;
}

static int look(struct top *t)
{
	int status;

	snapshot_free(&t->before);
	t->before = t->now;
	status = snapshot_take(&t->now);
	if (status)
		return status;
	domains_free(&t->domains);
	domains_read(&t->domains);
	rows_free(&t->rows);
	rows_make(&t->rows, &t->now, t->before.when.tv_sec || t->before.when.tv_nsec ?
		  &t->before : NULL);
	sort_by = t->order;
	if (t->rows.nr)
		qsort(t->rows.list, t->rows.nr, sizeof(*t->rows.list), compare);
	return 0;
}

static void sums(const struct top *t, char *to, size_t size)
{
	unsigned long long mapped = 0, refused = 0;
	char text[32], rate_text[32];
	double rate = 0;
	unsigned int i;

	for (i = 0; i < t->rows.nr; i++) {
		const struct row *row = &t->rows.list[i];

		mapped += row->mapped_frames * FRAME_BYTES;
		refused += row->refused_policy;
		rate += row->rate > 0 ? row->rate : 0;
	}
	snprintf(to, size, "dmopctl " DMOP_VERSION ": %u processes, %s calls/s, %llu refused, %s mapped",
		 t->now.nr, text_rate(rate_text, sizeof(rate_text), rate), refused,
		 text_bytes(text, sizeof(text), mapped));
}

/* --- without a screen -------------------------------------------------- */

static void print_look(const struct top *t)
{
	struct json_object *o, *list;
	struct table table;
	char line[128];
	unsigned int i;

	if (t->o->json) {
		o = json_object_new_object();
		list = json_object_new_array();
		for (i = 0; i < t->rows.nr; i++)
			json_object_array_add(list, row_json(&t->rows.list[i], &t->domains));
		json_object_object_add(o, "processes", list);
		print_json(o, false);
	} else {
		sums(t, line, sizeof(line));
		puts(line);
		rows_table(&t->rows, &t->domains, &table);
		table_print(&table);
		table_free(&table);
		putchar('\n');
	}
	fflush(stdout);
}

static int batch(struct top *t)
{
	long i;
	int status;

	for (i = 0; !ended() && !ferror(stdout) && (!t->o->count || i < t->o->count); i++) {
		if (i)
			poll(NULL, 0, t->interval < 0.1 ? 100 : t->interval * 1000);
		status = ended() ? 0 : look(t);
		if (status)
			return status;
		if (!ended())
			print_look(t);
	}
	return STATUS_OK;
}

/* --- on a screen ------------------------------------------------------- */

static void screen_colour(enum colour colour)
{
	static const int pairs[] = { [GREEN] = COLOR_GREEN, [YELLOW] = COLOR_YELLOW, [RED] = COLOR_RED };

	attrset(A_NORMAL);
	if (colour == BOLD)
		attrset(A_BOLD);
	else if (colour != PLAIN && text_coloured() && has_colors())
		attrset(COLOR_PAIR(pairs[colour]));
}

static void draw(const struct top *t)
{
	struct table table;
	unsigned int row;
	char line[2048];

	erase();
	sums(t, line, sizeof(line));
	screen_colour(PLAIN);
	mvaddnstr(0, 0, line, COLS);
	rows_table(&t->rows, &t->domains, &table);
	for (row = 0; row < table.rows && (int)row + 2 < LINES - 1; row++) {
		screen_colour(table.colours[row]);
		mvaddnstr(row + 2, 0, table_line(&table, row, line, sizeof(line)), COLS);
	}
	table_free(&table);
	snprintf(line, sizeof(line), "q quit   s sort (by %s)   every %.1f s", order_names[t->order],
		 t->interval);
	screen_colour(PLAIN);
	mvaddnstr(LINES - 1, 0, line, COLS);
	refresh();
}

/* Waits for a key up to the interval. Return: false to quit. */
static bool keys(struct top *t)
{
	switch (getch()) {
	case 'q':
	case 'Q':
		return false;
	case 's':
		t->order = (t->order + 1) % NR_ORDERS;
		return true;
	default:
		return true;
	}
}

static int screen_loop(struct top *t)
{
	int status = 0;
	long i;

	for (i = 0; !ended() && (!t->o->count || i < t->o->count); i++) {
		status = look(t);
		if (status)
			break;
		draw(t);
		if (!keys(t))
			break;
	}
	return status;
}

static int screen(struct top *t)
{
	SCREEN *s;
	int status;

	/* initscr() exits the program on an unknown terminal. */
	s = newterm(NULL, stdout, stdin);
	if (!s)
		return fail(STATUS_OTHER, "this terminal is not known; dmopctl top --batch needs none");
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, true);
	timeout(t->interval < 0.1 ? 100 : t->interval * 1000);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(COLOR_GREEN, COLOR_GREEN, -1);
		init_pair(COLOR_YELLOW, COLOR_YELLOW, -1);
		init_pair(COLOR_RED, COLOR_RED, -1);
	}
	/*
	 * After newterm(), so that these handlers replace those of ncurses: screen() returns here and
	 * restores the terminal itself.
	 */
	on_end();
	status = screen_loop(t);
	endwin();
	delscreen(s);
	return status;
}

int run_top(const struct options *o)
{
	struct top t = { .o = o, .interval = o->interval < 0 ? TOP_INTERVAL : o->interval };
	int status = need_module();

	if (status)
		return status;
	if (o->batch || o->json || !isatty(STDOUT_FILENO)) {
		on_end();
		status = batch(&t);
	} else {
		status = screen(&t);
	}
	rows_free(&t.rows);
	domains_free(&t.domains);
	snapshot_free(&t.before);
	snapshot_free(&t.now);
	return status;
}
