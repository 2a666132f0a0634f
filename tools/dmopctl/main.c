// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the command line of dmopctl
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "common.h"
#include "dmopctl.h"

struct command {
	const char *name;
	int (*run)(const struct options *o);
	const char *letters;	/* its options besides j and h */
	int least, most;	/* operands */
	const char *usage;
	const char *about;
};

static const struct command commands[] = {
	{ "check", run_check, "", 0, 1000, "[CONFIG...]",
	  "Is this host set up right? And each xl.cfg CONFIG?" },
	{ "list", run_list, "i", 0, 0, "",
	  "Which processes hold " NODE ", and for which domain" },
	{ "top", run_top, "bin", 0, 0, "",
	  "The same, live" },
	{ "show", run_show, "", 1, 1, "PID",
	  "All that is known of one process's open files" },
	{ "trace", run_trace, "dn", 0, 5, "[EVENT...]",
	  "What happens, as it happens: restrict, op, refuse, map, narrow, revoke" },
	{ "verify", run_verify, "", 1, 1, "PID",
	  "Prove that a process can reach one domain and no other" },
	{ "metrics", run_metrics, "o", 0, 0, "",
	  "For Prometheus, in its text format" },
};

#define NR_COMMANDS ARRAY_SIZE(commands)

struct option_text {
	struct option option;
	const char *argument;
	const char *about;
};

static const struct option_text option_texts[] = {
	{ { "batch", no_argument, NULL, 'b' }, "", "plain text, no screen" },
	{ { "domain", required_argument, NULL, 'd' }, " DOMID", "only what concerns this domain" },
	{ { "interval", required_argument, NULL, 'i' }, " SECONDS", "between two looks" },
	{ { "json", no_argument, NULL, 'j' }, "", "JSON instead of text" },
	{ { "count", required_argument, NULL, 'n' }, " N", "end after so many" },
	{ { "output", required_argument, NULL, 'o' }, " FILE", "write there, all at once" },
	{ { "help", no_argument, NULL, 'h' }, "", "print this" },
	{ { "version", no_argument, NULL, 'V' }, "", "print the version" },
};

#define NR_OPTIONS ARRAY_SIZE(option_texts)

/* --- help -------------------------------------------------------------- */

static void help_options(const char *letters)
{
	char name[64];
	size_t i;

	puts("\nOptions:");
	for (i = 0; i < NR_OPTIONS; i++) {
		const struct option_text *t = &option_texts[i];

		if (letters && !strchr(letters, t->option.val) && !strchr("jh", t->option.val))
			continue;
		snprintf(name, sizeof(name), "-%c, --%s%s", t->option.val, t->option.name, t->argument);
		printf("  %-24s %s\n", name, t->about);
	}
}

static int help(const struct command *c)
{
	size_t i;

	if (c) {
		printf("usage: dmopctl %s [OPTIONS]%s%s\n\n%s\n", c->name, *c->usage ? " " : "",
		       c->usage, c->about);
		help_options(c->letters);
		return STATUS_OK;
	}
	puts("usage: dmopctl COMMAND [OPTIONS] [ARGUMENTS]\n"
	     "\n"
	     "Sees to " NODE ": what is set up, who holds it, and what they may do.\n"
	     "\n"
	     "Commands:");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("  %-8s %-12s %s\n", commands[i].name, commands[i].usage, commands[i].about);
	help_options(NULL);
	puts("\ndmopctl COMMAND --help tells which options a command takes; dmopctl(8) tells all.");
	return STATUS_OK;
}

/* --- the command line -------------------------------------------------- */

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static bool parse_interval(const char *text, struct options *o)
{
	char *end;

	o->interval = strtod(text, &end);
	/* A NaN fails both comparisons, so it is refused. */
	return end != text && !*end && o->interval >= 0 && o->interval <= 86400;
}

static bool parse_number(const char *text, long least, long most, long *n)
{
	char *end;

	errno = 0;
	*n = strtol(text, &end, 10);
	return !errno && end != text && !*end && *n >= least && *n <= most;
}

static bool set_option(int letter, const char *text, struct options *o)
{
	switch (letter) {
	case 'b':
		o->batch = true;
		return true;
	case 'd':
		return parse_number(text, 0, 0xffff, &o->domid);
	case 'i':
		return parse_interval(text, o);
	case 'j':
		o->json = true;
		return true;
	case 'n':
		return parse_number(text, 1, 1000000000, &o->count);
	default:
		o->output = text;
		return *text;
	}
}

/* All options, for getopt_long(); each command accepts a subset. */
static void all_options(struct option *longs, char *shorts)
{
	size_t i;

	for (i = 0; i < NR_OPTIONS; i++) {
		longs[i] = option_texts[i].option;
		*shorts++ = longs[i].val;
		if (longs[i].has_arg)
			*shorts++ = ':';
	}
	*shorts = 0;
	longs[i] = (struct option){ 0 };
}

static int usage(const struct command *c, const char *why, const char *what)
{
	return fail(STATUS_USAGE, "%s%s; dmopctl %s%s--help tells the usage", why, what,
		    c ? c->name : "", c ? " " : "");
}

static int command_line(const struct command *c, int argc, char **argv)
{
	struct options o = { .interval = -1, .domid = -1 };
	struct option longs[NR_OPTIONS + 1];
	char shorts[2 * NR_OPTIONS + 1];
	int letter;

	all_options(longs, shorts);
	/* getopt_long() prints this name in its error messages. */
	argv[0] = (char *)"dmopctl";
	while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) >= 0) {
		const char name[] = { '-', letter, 0 };

		if (letter == 'h')
			return help(c);
		if (letter == '?')
			return STATUS_USAGE;
		if (letter != 'j' && !strchr(c->letters, letter))
			return usage(c, "this command does not take ", name);
		if (!set_option(letter, optarg, &o))
			return usage(c, "not a value for that option: ", optarg);
	}
	o.args = argv + optind;
	o.nr_args = argc - optind;
	if (o.nr_args < c->least)
		return usage(c, "missing: ", c->usage);
	if (o.nr_args > c->most)
		return usage(c, "too many arguments: ", o.args[c->most]);
	return c->run(&o);
}

static int help_command(int argc, char **argv)
{
	const struct command *c = argc ? find_command(argv[0]) : NULL;

	if (argc && !c)
		return usage(NULL, "no such command: ", argv[0]);
	if (argc > 1)
		return usage(NULL, "too many arguments: ", argv[1]);
	return help(c);
}

static bool is_either(const char *word, const char *letter, const char *name)
{
	return !strcmp(word, letter) || !strcmp(word, name);
}

static int run(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2)
		return usage(NULL, "which command?", "");
	if (!strcmp(argv[1], "help") || is_either(argv[1], "-h", "--help"))
		return help_command(argc - 2, argv + 2);
	if (is_either(argv[1], "-V", "--version")) {
		puts("dmopctl " DMOP_VERSION);
		return STATUS_OK;
	}
	/* --json is accepted before the command as well. */
	if (argc > 2 && is_either(argv[1], "-j", "--json")) {
		argv[1] = argv[2];
		argv[2] = (char *)"--json";
	}
	c = find_command(argv[1]);
	if (!c)
		return usage(NULL, "no such command: ", argv[1]);
	return command_line(c, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	/* Incomplete output, as on a full disk or a closed pipe, must not pass for the result. */
	if ((fflush(stdout) || ferror(stdout)) && !ended() && errno != EPIPE && status <= STATUS_FAULT)
		return fail(STATUS_OTHER, "cannot write the output: %s", strerror(errno));
	return status;
}
