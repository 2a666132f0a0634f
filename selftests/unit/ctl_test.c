// SPDX-License-Identifier: GPL-2.0
/*
 * ctl_test.c - dmopctl: its parsers of text from elsewhere, and its output
 *
 * An attacker can choose the names of processes and domains. So the tests try names with all bytes
 * and of all lengths.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <json-c/json.h>

#include "census.h"
#include "common.h"
#include "config.h"
#include "dmopctl.h"
#include "domains.h"
#include "event.h"
#include "memory.h"
#include "narrowed.h"
#include "proc.h"
#include "rows.h"
#include "signing.h"
#include "tap.h"
#include "text.h"
#include "tries.h"
#include "users.h"

#define PLAN 90

/* In the place of memory.c, common.c and findings.c. */
void *grow(void *p, size_t nr, size_t size)
{
	return reallocarray(p, nr, size);
}

int fail(int status, const char *format, ...)
{
	(void)format;
	return status;
}

static char last_note[256];
static unsigned int warnings;

void finding(struct findings *f, enum level level, const char *topic, const char *remedy,
	     const char *format, ...)
{
	va_list ap;

	(void)topic;
	(void)remedy;
	if (level == NOTE) {
		va_start(ap, format);
		vsnprintf(last_note, sizeof(last_note), format, ap);
		va_end(ap);
	}
	warnings += level == WARN;
	f->nr++;
	if (level == FAULT)
		f->list = (void *)1;
}

/* In the place of the C library's: the users of this list exist. */
static const char *const no_users[] = { NULL };
static const char *const *users = no_users;
static uid_t users_uid = 70000;

struct passwd *getpwnam(const char *name)
{
	static struct passwd user;
	const char *const *u;

	user.pw_uid = users_uid;

	for (u = users; *u; u++)
		if (!strcmp(*u, name))
			return &user;
	return NULL;
}

/* --- clean text -------------------------------------------------------- */

static bool is_clean(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* Undoes text_clean(). Return: the length, or -1 if it is not what that makes. */
static int undo(const char *text, char *to)
{
	int n = 0;
	unsigned int c;

	while (*text) {
		if (*text != '\\') {
			to[n++] = *text++;
		} else if (text[1] == '\\') {
			to[n++] = '\\';
			text += 2;
		} else if (sscanf(text, "\\x%2x", &c) == 1 && strlen(text) >= 4) {
			to[n++] = c;
			text += 4;
		} else {
			return -1;
		}
	}
	return n;
}

static bool every_byte(void)
{
	char to[NAME_SIZE], back[NAME_SIZE], from;
	int c;

	for (c = 1; c < 256; c++) {
		from = c;
		text_clean(to, sizeof(to), &from, 1);
		if (!is_clean(to) || undo(to, back) != 1 || back[0] != from)
			return false;
	}
	return true;
}

/* Into memory of exactly that size, which the sanitizer watches over. */
static bool every_size(void)
{
	static const char from[] = "a\x1b[2J\\\n\xffg\t\"c";
	char back[NAME_SIZE];
	size_t size, n;

	for (size = 1; size < 60; size++) {
		for (n = 0; n < sizeof(from); n++) {
			char *to = malloc(size);
			int length;

			memset(to, 'x', size);
			text_clean(to, size, from, n);
			length = strlen(to) < size && is_clean(to) ? undo(to, back) : -1;
			free(to);
			if (length < 0 || length > (int)n || memcmp(back, from, length))
				return false;
		}
	}
	return true;
}

static void clean_tests(void)
{
	char to[NAME_SIZE];

	tap_result(every_byte(), "clean: every byte is told, in printable ASCII");
	tap_result(every_size(), "clean: no size is overrun, no escape is cut");
	text_clean(to, sizeof(to), "\033[31mroot\033[0m", 13);
	tap_result(!strcmp(to, "\\x1b[31mroot\\x1b[0m"), "clean: no escape sequence gets through");
	text_clean(to, sizeof(to), "qemu\0hidden", 11);
	tap_result(!strcmp(to, "qemu"), "clean: ends at a NUL");
}

/* --- a label ----------------------------------------------------------- */

/* Reads it as Prometheus does. Return: whether it ends where it should, and is @want. */
static bool label_is(const char *label, const char *want)
{
	char back[600];
	size_t n = 0;

	for (; *label; label++) {
		if (*label == '"' || *label == '\n')
			return false;
		if (*label == '\\' && (label[1] == '\\' || label[1] == '"' || label[1] == 'n'))
			label++;
		else if (*label == '\\')
			return false;
		back[n++] = *label;
	}
	back[n] = 0;
	return !strcmp(back, want);
}

static bool label_every_byte(void)
{
	char clean[NAME_SIZE], label[2 * NAME_SIZE + 1], from[3] = "";
	int a, b;

	for (a = 1; a < 256; a++) {
		for (b = 1; b < 256; b++) {
			from[0] = a;
			from[1] = b;
			text_clean(clean, sizeof(clean), from, 2);
			if (!label_is(text_label(label, sizeof(label), clean), clean))
				return false;
		}
	}
	return true;
}

static bool label_every_size(void)
{
	size_t size;

	for (size = 1; size < 20; size++) {
		char *to = malloc(size);
		bool good;

		text_label(to, size, "a\"b\\c\"\"\\");
		/* Not one that ends in half an escape, for that would take the quote with it. */
		good = strlen(to) < size && !strchr("\\\"", to[0] ? to[0] : 'x');
		if (good && *to) {
			size_t n = strlen(to), slashes = 0;

			while (slashes < n && to[n - 1 - slashes] == '\\')
				slashes++;
			good = !(slashes % 2) || to[n - 1] == '"';
		}
		free(to);
		if (!good)
			return false;
	}
	return true;
}

static void label_tests(void)
{
	tap_result(label_every_byte(), "label: Prometheus reads back what was meant, for any two bytes");
	tap_result(label_every_size(), "label: no size is overrun, no escape is cut");
}

/* --- numbers ----------------------------------------------------------- */

static void number_tests(void)
{
	char to[32];

	tap_result(!strcmp(text_rate(to, sizeof(to), -1), "-") &&
		   !strcmp(text_rate(to, sizeof(to), 0), "0") &&
		   !strcmp(text_rate(to, sizeof(to), 12345), "12.3k") &&
		   !strcmp(text_rate(to, sizeof(to), 12345678), "12.3M"), "rates");
	tap_result(!strcmp(text_bytes(to, sizeof(to), 0), "0K") &&
		   !strcmp(text_bytes(to, sizeof(to), 8192), "8K") &&
		   !strcmp(text_bytes(to, sizeof(to), 1ULL << 30), "1024M") &&
		   strlen(text_bytes(to, sizeof(to), UINT64_MAX)) < sizeof(to), "bytes");
}

/* --- a table ----------------------------------------------------------- */

static void table_tests(void)
{
	struct table t = { .columns = 2, .right = 1 };
	char line[64], tiny[4];

	table_add(&t, PLAIN, (const char *[]){ "N", "NAME" });
	table_add(&t, PLAIN, (const char *[]){ "100", "a" });
	tap_result(!strcmp(table_line(&t, 0, line, sizeof(line)), "  N  NAME") &&
		   !strcmp(table_line(&t, 1, line, sizeof(line)), "100  a"),
		   "table: columns stand under their headings, without blanks at the end");
	tap_result(!strcmp(table_line(&t, 1, tiny, sizeof(tiny)), "100"), "table: a short line is cut");
	table_free(&t);
}

/* --- fdinfo ------------------------------------------------------------ */

static const char *const fdinfo_lines[] = {
	"pos:\t0\n", "flags:\t02\n", "mnt_id:\t21\n", "ino:\t300\n",
	"dmop-state:\tbound\n", "dmop-domid:\t7\n", "dmop-calls:\t150\n",
	"dmop-refused-policy:\t3\n", "dmop-refused-dead:\t1\n", "dmop-mapped-frames:\t512\n",
	"dmop-max-nr-bufs:\t16\n", "dmop-max-buf-size:\t4096\n", "dmop-max-map-frames:\t16777216\n",
	"dmop-narrowed:\t0x1b\n", "dmop-acts:\t0x3\n", "dmop-ops:\t0x10007e 0x8000000000000000\n",
	"dmop-resources:\t0x1\n", "dmop-max-frames:\t64\n", "dmop-gfns:\t0x10 0xff\n",
};

/* Where the lines of rights begin, and end. */
#define RIGHTS_LINE	13

#define NR_LINES ARRAY_SIZE(fdinfo_lines)

/* All lines but one (NR_LINES: all), with another in its place. */
static bool parse_with(size_t but, const char *instead, struct file_info *info)
{
	char text[1024] = "";
	size_t i;

	for (i = 0; i < NR_LINES; i++)
		strcat(text, i == but ? instead : fdinfo_lines[i]);
	return fdinfo_parse(text, info);
}

static bool each_line_counts(void)
{
	struct file_info info;
	size_t i;

	for (i = 0; i < NR_LINES; i++)
		if (parse_with(i, "", &info) != (i < 4 || i == RIGHTS_LINE))
			return false;
	return true;
}

static bool refused(size_t line, const char *const *texts)
{
	struct file_info info;

	for (; *texts; texts++)
		if (parse_with(line, *texts, &info))
			return false;
	return true;
}

static bool cut_anywhere(void)
{
	struct file_info info;
	char text[1024] = "", *cut;
	size_t i, n, old;
	bool good = true;

	for (i = 0; i < NR_LINES; i++)
		strcat(text, fdinfo_lines[i]);
	n = strlen(text);
	old = strstr(text, "dmop-narrowed") - text;
	for (i = 0; i < n; i++) {
		cut = strndup(text, i);
		/* Up to the name of the first line of rights, it is that of a module without them. */
		good = good && fdinfo_parse(cut, &info) == (i >= old && i < old + strlen("dmop-narrowed"));
		free(cut);
	}
	return good;
}

static void fdinfo_tests(void)
{
	static const char *const states[] = {
		"dmop-state:\tboundless\n", "dmop-state:\t\n", "dmop-state:\tbound", "dmop-state: bound\n",
		"xdmop-state:\tbound\n", NULL };
	static const char *const domids[] = {
		"dmop-domid:\t-2\n", "dmop-domid:\t65536\n", "dmop-domid:\t7x\n", "dmop-domid:\t\n",
		"dmop-domid:\t -1\n", "dmop-domid:\t-1x\n", NULL };
	static const char *const calls[] = {
		"dmop-calls:\t-1\n", "dmop-calls:\t0x10\n", "dmop-calls:\t99999999999999999999\n",
		"dmop-calls:\t+1\n", NULL };
	static const char *const ops[] = {
		"dmop-ops:\t0x1\n", "dmop-ops:\t0x1 0x1x\n", "dmop-ops:\t0x1  0x1\n",
		"dmop-ops:\t0x10000000000000000 0x1\n", "dmop-ops:\t-1 0x1\n", "dmop-ops:\t0x1 x\n", NULL };
	struct file_info info;

	tap_result(parse_with(NR_LINES, "", &info) && info.state == BOUND && info.domid == 7 &&
		   info.calls == 150 && info.refused_policy == 3 && info.refused_dead == 1 &&
		   info.mapped_frames == 512 && info.max_nr_bufs == 16 && info.max_buf_size == 4096 &&
		   info.max_map_frames == 16777216, "fdinfo: all that the module says");
	tap_result(parse_with(5, "dmop-domid:\t-1\n", &info) && info.domid == NO_DOMID,
		   "fdinfo: one that was never bound has no domid");
	tap_result(parse_with(4, "dmop-state:\trevoked\n", &info) && info.state == REVOKED,
		   "fdinfo: revoked");
	tap_result(parse_with(6, "dmop-calls:\t18446744073709551615\n", &info) &&
		   info.calls == UINT64_MAX, "fdinfo: the largest counter");
	tap_result(parse_with(NR_LINES, "", &info) && info.rights.narrowed == 0x1b &&
		   info.rights.acts == 3 && info.rights.ops[0] == 0x10007e &&
		   info.rights.ops[1] == 1ULL << 63 && info.rights.resources == 1 &&
		   info.rights.max_frames == 64 && info.rights.gfn_first == 0x10 &&
		   info.rights.gfn_last == 0xff, "fdinfo: the rights");
	tap_result(parse_with(RIGHTS_LINE, "", &info) && !info.rights.narrowed && rights_op(&info.rights, 127),
		   "fdinfo: a module without rights");
	tap_result(refused(RIGHTS_LINE + 2, ops), "fdinfo: what is no set of operations is refused");
	tap_result(each_line_counts(), "fdinfo: none of the module's lines may be missing");
	tap_result(refused(4, states), "fdinfo: what is no state is refused");
	tap_result(refused(5, domids), "fdinfo: what is no domid is refused");
	tap_result(refused(6, calls), "fdinfo: what is no counter is refused");
	tap_result(cut_anywhere(), "fdinfo: refused, wherever it is cut");
}

/* --- rights ------------------------------------------------------------ */

static bool rights_are(const struct rights *r, const char *text, const char *word)
{
	char to[RIGHTS_SIZE], tiny[4];

	rights_text(tiny, sizeof(tiny), r);
	return !strcmp(rights_text(to, sizeof(to), r), text) &&
	       !strcmp(rights_word(to, sizeof(to), r), word);
}

static struct rights narrowed(unsigned int members)
{
	struct rights r;

	rights_all(&r);
	r.narrowed = members;
	return r;
}

static void rights_tests(void)
{
	struct rights all = narrowed(0), none = narrowed(DMOP_NARROW_ACTS | DMOP_NARROW_OPS),
		      call = narrowed(DMOP_NARROW_ACTS | DMOP_NARROW_OPS),
		      map = narrowed(DMOP_NARROW_ALL), sum;

	none.acts = none.ops[0] = none.ops[1] = 0;
	call.acts = DMOP_RIGHT_CALL;
	call.ops[0] = 1ULL << 63 | 0x7e;
	call.ops[1] = 3;
	map.acts = DMOP_RIGHT_MAP_FOREIGN | DMOP_RIGHT_MAP_RESOURCE;
	map.ops[0] = map.ops[1] = 0;
	map.resources = 5;
	map.max_frames = 64;
	map.gfn_last = 0xff;
	tap_result(rights_are(&all, "all", "all") && rights_are(&none, "none", "none") &&
		   rights_are(&call, "dm_ops 1-6 63-65", "call:9") &&
		   rights_are(&map, "memory from frame 0 to 0xff; resources 0 2; read-only; at most 64 frames", "map:ro"),
		   "rights: as text");
	sum = call;
	rights_add(&sum, &map);
	tap_result(rights_are(&sum, "dm_ops 1-6 63-65; memory; resources; read-only", "call:9,map:ro"),
		   "rights: of two files");
	rights_add(&sum, &all);
	tap_result(rights_are(&sum, "all", "all"), "rights: beside a file with all");
}

/* --- what NARROW has removed -------------------------------------------- */

/* A module in the place of the kernel's. It forgets to refuse @forgotten, an operation or an ioctl. */
static struct dmop_info fake;
static unsigned int forgotten;
/* This one is older. */
static bool fake_is_old;

static int fake_op(const struct dmop_dm_op *arg)
{
	__u32 op = *(const __u32 *)arg->ubufs->uptr;
	bool kept = fake.acts & DMOP_RIGHT_CALL && op < 128 && fake.ops[op / 64] >> op % 64 & 1;

	/* What the module lets pass has no room for an argument: Xen would do nothing. */
	errno = kept || op == forgotten ? EFAULT : EPERM;
	return arg->ubufs->size > sizeof(op) && errno == EFAULT ? 0 : -1;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	(void)fd;
	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (request == forgotten)
		return 0;
	if (request == DMOP_IOCTL_DM_OP)
		return fake_op(arg);
	errno = fake_is_old && request >= DMOP_IOCTL_SERVE && request <= DMOP_IOCTL_KICK ? ENOTTY :
		request == DMOP_IOCTL_RESTRICT ? EINVAL : EPERM;
	return -1;
}

static bool removed_are(unsigned int forget, int want, const char *words)
{
	unsigned int nr;
	char text[256];

	forgotten = forget;
	/* No module behind this descriptor either: mmap() of it fails with an errno of its own. */
	return try_removed(-1, &fake, text, sizeof(text), &nr) == want && strstr(text, words) && nr > 100;
}

static void removed_tests(void)
{
	fake = (struct dmop_info){
		.features = DMOP_FEATURE_NARROW, .state = DMOP_STATE_BOUND, .domid = 7,
		.narrowed = DMOP_NARROW_OPS | DMOP_NARROW_RESOURCES, .acts = DMOP_RIGHT_ALL, .ops = { 0x7e },
		.gfn_last = ~0ULL, .max_frames = ~0ULL,
	};
	tap_result(removed_are(~0U - 1, 0, ""), "removed: each is refused");
	tap_result(removed_are(13, -1, "dm_op 13 (") && removed_are(127, -1, "dm_op 127 (") &&
		   removed_are(0, -1, "dm_op 0 (") && removed_are(~0U, -1, "an unknown dm_op (done)"),
		   "removed: one that is not refused is found");
}

/* Return: the number of calls tried, or 0 if they are not as wanted. */
static unsigned int removed_calls(unsigned int forget, int want, const char *words)
{
	unsigned int nr;
	char text[256];

	forgotten = forget;
	return try_removed(-1, &fake, text, sizeof(text), &nr) == want && strstr(text, words) ? nr : 0;
}

static void removed_events_tests(void)
{
	unsigned int before;

	fake = (struct dmop_info){
		.features = DMOP_FEATURE_NARROW, .state = DMOP_STATE_BOUND, .domid = 7,
		.narrowed = DMOP_NARROW_ACTS, .ops = { ~0ULL, ~0ULL }, .resources = ~0ULL,
		.acts = DMOP_RIGHT_ALL & ~DMOP_RIGHT_EVENT & ~DMOP_RIGHT_MAP_FOREIGN,
		.gfn_last = ~0ULL, .max_frames = ~0ULL,
	};
	before = removed_calls(~0U - 1, 0, "");
	fake.features |= DMOP_FEATURE_IRQFD;
	tap_result(before == 1 && removed_calls(~0U - 1, 0, "") == 2 &&
		   removed_calls(DMOP_IOCTL_SERVE, 0, "") == 2, "removed: an irqfd of an older module");
	fake.features |= DMOP_FEATURE_SERVE;
	tap_result(removed_calls(~0U - 1, 0, "") == 5 &&
		   removed_calls(DMOP_IOCTL_IRQFD, -1, "an irqfd (done)") == 5 &&
		   removed_calls(DMOP_IOCTL_SERVE, -1, "serving an ioreq server (done)") == 5 &&
		   removed_calls(DMOP_IOCTL_ANSWER, -1, "an answer (done)") == 5 &&
		   removed_calls(DMOP_IOCTL_KICK, -1, "a kick (done)") == 5, "removed: events");
	fake.features |= DMOP_FEATURE_IOEVENTFD;
	tap_result(removed_calls(~0U - 1, 0, "") == 6 &&
		   removed_calls(DMOP_IOCTL_IOEVENTFD, -1, "an ioeventfd (done)") == 6,
		   "removed: an ioeventfd, if the module has it");
	fake.acts |= DMOP_RIGHT_EVENT;
	tap_result(removed_calls(DMOP_IOCTL_KICK, 0, "") == 1, "removed: events that are not");
}

/* --- calls on another domain -------------------------------------------- */

static bool others_are(unsigned int forget, int want, const char *words)
{
	char text[256];

	forgotten = forget;
	return try_others(-1, &fake, 9, text, sizeof(text)) == want && !strcmp(text, words);
}

#define UP_TO_IRQFD	"dm_op, dm_op as a raw hypercall, another hypercall, mapping its memory, mapping a resource, an irqfd, "

static void others_tests(void)
{
	fake = (struct dmop_info){ };
	tap_result(others_are(~0U - 1, 0, UP_TO_IRQFD "serving an ioreq server, a kick, binding to it"),
		   "others: each is refused");
	tap_result(others_are(DMOP_IOCTL_SERVE, -1, "serving an ioreq server (done)") &&
		   others_are(DMOP_IOCTL_KICK, -1, "a kick (done)") &&
		   others_are(DMOP_IOCTL_IRQFD, -1, "an irqfd (done)") &&
		   others_are(DMOP_IOCTL_RESTRICT, -1, "binding to it (done)"),
		   "others: one that is not refused is found");
	tap_result(others_are(DMOP_IOCTL_IOEVENTFD, 0, UP_TO_IRQFD "serving an ioreq server, a kick, binding to it"),
		   "others: no ioeventfd of a module without it");
	fake.features = DMOP_FEATURE_IOEVENTFD;
	tap_result(others_are(~0U - 1, 0, UP_TO_IRQFD "an ioeventfd, serving an ioreq server, a kick, binding to it") &&
		   others_are(DMOP_IOCTL_IOEVENTFD, -1, "an ioeventfd (done)"), "others: an ioeventfd");
	fake = (struct dmop_info){ };
	fake_is_old = true;
	tap_result(others_are(~0U - 1, 0, UP_TO_IRQFD "binding to it"), "others: of an older module");
	fake_is_old = false;
}

/* --- events ------------------------------------------------------------ */

#define REST "-1234    [001] d..3.   123.456789: dmop_op: domid=7 op=14 bufs=1 sizes=32,0 ret=-22"

static bool event_is(const char *line, const char *process, long pid)
{
	struct event e;

	return event_parse(line, &e) && !strcmp(e.process, process) && e.pid == pid && e.cpu == 1 &&
	       e.time > 123.45 && e.time < 123.46 && !strcmp(e.name, "op") &&
	       !strncmp(e.fields, "domid=7 ", 8);
}

static bool event_json_is(const char *line, const char *want)
{
	struct json_object *o;
	struct event e;
	bool good;

	if (!event_parse(line, &e))
		return false;
	o = event_json(&e);
	good = strstr(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), want);
	json_object_put(o);
	return good;
}

static bool event_cut_anywhere(void)
{
	static const char line[] = "       qemu-1-2 x" REST;
	struct event e;
	size_t i;

	for (i = 0; i < sizeof(line); i++) {
		char *cut = strndup(line, i);

		/* Good or not, it must stay within what is there. */
		if (event_parse(cut, &e) && strlen(e.fields) >= sizeof(line))
			return false;
		free(cut);
	}
	return true;
}

static void event_tests(void)
{
	struct event e;

	tap_result(event_is("            qemu" REST, "qemu", 1234), "event: as the kernel prints it");
	tap_result(event_is("            qemu-1234    [001]   123.456789: dmop_op: domid=7 ", "qemu",
			    1234), "event: without flags");
	tap_result(event_is(" a-9 [000] b" REST, "a-9 [000] b", 1234), "event: a name with all the marks in it");
	tap_result(event_is("x-1 [0] .: dmop_op: " REST, "x-1 [0] .: dmop_op: ", 1234),
		   "event: a name that would be one");
	tap_result(event_is("\033[2J" REST, "\\x1b[2J", 1234), "event: a name with an escape sequence");
	tap_result(!event_parse("", &e) && !event_parse("CPU:1 [LOST 12 EVENTS]", &e) &&
		   !event_parse("dmop_op: domid=7", &e) && !event_parse(": dmop_op: domid=7", &e) &&
		   !event_parse("-1 [x] 1.0: dmop_op: domid=7", &e) &&
		   !event_parse("x-1 [001] d..3. 1.0: op: domid=7", &e) &&
		   !event_parse("x-1 [001] d..3. 1.0: dmop_frob: domid=7", &e), "event: what is none");
	tap_result(event_json_is("  \"a\\" REST, "\"process\":\"\\\"a\\\\\\\\\",\"event\":\"op\",\"domid\":7,\"op\":14,\"bufs\":1,\"sizes\":\"32,0\",\"ret\":-22"),
		   "event: as JSON, quotes and all");
	tap_result(event_cut_anywhere(), "event: cut anywhere");
}

/* --- video memory ------------------------------------------------------ */

static void video_tests(void)
{
	tap_result(config_bitmap_size(16) == 512 && config_bitmap_size(128) == 4096 &&
		   config_bitmap_size(129) == 8192 && config_bitmap_size(256) == 8192 &&
		   config_bitmap_size(512) == 16384, "video memory: the bitmap of a size, rounded up");
	tap_result(config_video_memory("VGA,vgamem_mb=256") == 256 && !config_video_memory("VGA") &&
		   !config_video_memory("vgamem_mb=") && config_video_memory("vgamem_mb=16,x=1") == 16,
		   "video memory: in an argument of QEMU");
}

/* --- subordinate uids -------------------------------------------------- */

static const char *file_with(const char *text)
{
	static int fd = -1;
	static char path[32];

	if (fd < 0) {
		strcpy(path, "/tmp/ctl_test.XXXXXX");
		fd = mkstemp(path);
	}
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text))
		abort();
	return path;
}

static bool subordinate(const char *text, unsigned long first, unsigned long last, const char *want)
{
	char owner[NAME_SIZE] = "";
	bool found = users_subordinate(file_with(text), first, last, owner, sizeof(owner));

	return found == !!want && (!want || !strcmp(owner, want));
}

/* For a guest with or without device_model_user. Return: true if there is a fault. */
static bool users_fault(bool of_guest, const char *const *existing)
{
	struct config_users need = { .of_guest = of_guest };
	struct findings f = { 0 };

	users = existing;
	*last_note = 0;
	warnings = 0;
	users_check(&need, &f);
	users = no_users;
	return f.list;
}

/* The note about the user that ends QEMUs. */
static bool reaper_noted(bool of_guest, const char *const *existing)
{
	return !users_fault(of_guest, existing) &&
	       strstr(last_note, "no user xen-qemuuser-reaper");
}

static void reaper_tests(void)
{
	static const char *const shared[] = { "xen-qemuuser-shared", NULL };
	static const char *const none[] = { NULL };
	static const char *const reaper[] = { "xen-qemuuser-reaper", NULL };
	static const char *const range[] = { "xen-qemuuser-range-base", NULL };

	tap_result(reaper_noted(true, none) && reaper_noted(true, shared),
		   "device_model_user, and no user that ends such QEMUs: noted");
	tap_result(!reaper_noted(true, reaper) && !reaper_noted(true, range) && !reaper_noted(false, none) &&
		   !reaper_noted(false, shared), "no note if there is one, or none is needed");
	tap_result(!users_fault(true, none) && !warnings, "device_model_user alone: no warning");
	tap_result(!users_fault(false, none) && warnings == 1, "no user at all: a warning");
	users_uid = 0;
	tap_result(users_fault(false, range), "the user of the range is root: a fault");
	tap_result(users_fault(false, shared), "the shared user is root: a fault");
	tap_result(users_fault(true, reaper), "the user that ends QEMUs is root: a fault");
	users_uid = 70000;
}

static void users_tests(void)
{
	tap_result(subordinate("alice:100000:65536\n", 131073, 163823, "alice") &&
		   subordinate("a:1:1\nb:131073:1\n", 131073, 163823, "b") &&
		   subordinate("b:163823:9\n", 131073, 163823, "b") &&
		   subordinate("b\033:1:4294967295", 131073, 163823, "b\\x1b"), "subuid: a user is found");
	tap_result(subordinate("", 65537, 98287, NULL) && subordinate("alice:100000:65536\n", 65537, 98287, NULL) &&
		   subordinate("b:163824:9\nc:131072:1\n", 131073, 163823, NULL) &&
		   subordinate("b:131073:0\nnone\n::\nb:131073\n", 131073, 163823, NULL) &&
		   subordinate("xen-qemuuser-range-base:131073:32751\n", 131073, 163823, NULL),
		   "subuid: none is found");
	tap_result(users_reserved(file_with("xen-qemuuser-range-base:131073:32751\n"), 131073, 163823) &&
		   !users_reserved(file_with("xen-qemuuser-range-base:131073:32750\n"), 131073, 163823) &&
		   !users_reserved(file_with("alice:131073:32751\n"), 131073, 163823),
		   "subuid: reserved by the user of the range");
	tap_result(users_allocatable(file_with("#SUB_UID_MIN 5\n"), 131073, 163823) &&
		   !users_allocatable(file_with(""), 65537, 98287) &&
		   !users_allocatable(file_with("SUB_UID_MIN\t200000\n"), 131073, 163823) &&
		   !users_allocatable(file_with("SUB_UID_MAX 131072\n"), 131073, 163823) &&
		   !users_allocatable(file_with("SUB_UID_COUNT 0\n"), 131073, 163823) &&
		   !users_allocatable("/nowhere/login.defs", 131073, 163823), "login.defs: uids for new users");
	unlink(file_with(""));
}

/* --- kinds of processes ------------------------------------------------ */

static struct qemu qemu;

static bool kind_is(enum kind want, long want_domid, unsigned long want_video, const char *name,
		    const char *arguments, size_t n)
{
	/* Exactly @n bytes, which the sanitizer watches over. The kernel ends them with a NUL. */
	char *copy = malloc(n);
	enum kind kind;

	memcpy(copy, arguments, n);
	kind = kind_of(name, copy, n, &qemu);
	free(copy);
	return kind == want && qemu.domid == want_domid && qemu.video == want_video;
}

#define ARGUMENTS(text)	text, sizeof(text)

static void kind_tests(void)
{
	tap_result(kind_is(KIND_DEVICE_MODEL, 7, 256, "qemu-system-i386",
			   ARGUMENTS("qemu\0-xen-domid\0007\0-device\0VGA,vgamem_mb=256")) &&
		   kind_is(KIND_DEVICE_MODEL, 7, 0, "xen-qemu-system-i386", ARGUMENTS("x\0-xen-domid\0007")) &&
		   !qemu.pv && !qemu.restricted,
		   "kind: a device model");
	tap_result(kind_is(KIND_DEVICE_MODEL, 7, 64, "qemu-system-i386",
			   ARGUMENTS("q\0-xen-domid\0007\0-device\0qxl-vga,vram_size_mb=9,ram_size_mb=64\0-xen-domid-restrict")) &&
		   qemu.restricted, "kind: a device model under dm_restrict, with a QXL card");
	tap_result(kind_is(KIND_DEVICE_MODEL, 7, 0, "qemu-system-i386",
			   ARGUMENTS("q\0-xen-domid\0007\0-xen-attach\0-machine\0xenpv")) && qemu.pv,
		   "kind: the QEMU of a PV guest");
	tap_result(kind_is(KIND_BACKEND, 0, 0, "qemu-system-i386",
			   ARGUMENTS("q\0-xen-domid\0000\0-xen-attach\0-name\0dom0\0-nographic\0-M\0xenpv")),
		   "kind: the QEMU of domain 0");
	tap_result(kind_is(KIND_OTHER, 0, 0, "qemu-system-i386", ARGUMENTS("q\0-xen-domid\0000")) &&
		   kind_is(KIND_OTHER, NO_DOMID, 0, "qemu-system-i386", ARGUMENTS("q\0-xen-domid")) &&
		   kind_is(KIND_OTHER, NO_DOMID, 0, "qemu-system-i386", ARGUMENTS("q\0-xen-domid\0007x")) &&
		   kind_is(KIND_OTHER, NO_DOMID, 0, "qemu-img", ARGUMENTS("")),
		   "kind: a QEMU of no guest");
	tap_result(kind_is(KIND_XENSTORED, NO_DOMID, 0, "oxenstored", ARGUMENTS("x\0-xen-domid\0007")) &&
		   kind_is(KIND_TOOLSTACK, NO_DOMID, 0, "xl", ARGUMENTS("")) &&
		   kind_is(KIND_TOOLSTACK, NO_DOMID, 0, "libxl-save-helper", ARGUMENTS("")) &&
		   kind_is(KIND_OTHER, NO_DOMID, 0, "cat", ARGUMENTS("")), "kind: others");
}

static bool arguments_are(int dirfd, const char *want, ssize_t n)
{
	char text[64];

	return arguments_read(dirfd, text, sizeof(text)) == n && !memcmp(text, want, n);
}

/* A FIFO without a writer cannot be opened: so looks a process that holds its mmap_lock. */
static void arguments_tests(void)
{
	char dir[] = "/tmp/ctl_test.XXXXXX";
	int dirfd = mkdtemp(dir) ? open(dir, O_PATH | O_DIRECTORY) : -1;
	int fd = openat(dirfd, "cmdline", O_WRONLY | O_CREAT, 0600);

	tap_result(fd >= 0 && arguments_are(dirfd, "", 0), "arguments: none");
	tap_result(write(fd, "a\0b", 4) == 4 && arguments_are(dirfd, "a\0b", 4), "arguments: two");
	close(fd);
	unlinkat(dirfd, "cmdline", 0);
	tap_result(arguments_are(dirfd, "", 0), "arguments: of a process that is gone");
	tap_result(!mkfifoat(dirfd, "cmdline", 0600) && arguments_are(dirfd, "", 0),
		   "arguments: of a process that lets nobody read them");
	unlinkat(dirfd, "cmdline", 0);
	rmdir(dir);
}

/* --- the certificate of a signature ------------------------------------ */

/* The beginning of a certificate; the rest does not matter. */
static const unsigned char der[] = {
	0x30, 0x82, 0x00, 0x20, 0x30, 0x1e, 0xa0, 0x03, 0x02, 0x01, 0x02,
	0x02, 0x03, 0x00, 0xab, 0x0c, 0x30, 0x00,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

static bool serial_cut_anywhere(void)
{
	char hex[32];
	size_t n;

	for (n = 0; n < sizeof(der); n++) {
		unsigned char *copy = malloc(n ? n : 1);
		bool good;

		memcpy(copy, der, n);
		good = signing_serial(copy, n, hex, sizeof(hex));
		free(copy);
		if (good)
			return false;
	}
	return true;
}

/* Makes a file below @root, with its directories. */
static void make_file(const char *root, const char *path, const void *data, size_t n)
{
	char full[256], *at;
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (at = strchr(full + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		mkdir(full, 0700);
		*at = '/';
	}
	file = fopen(full, "w");
	if (!file || fwrite(data, 1, n, file) != n || fclose(file))
		abort();
}

static bool certificate_is(const char *root, const char *key, const char *want)
{
	char path[128];

	signing_certificate(root, key, path, sizeof(path));
	return !strcmp(path, want);
}

static void signing_tests(void)
{
	static const char ubuntu[] = "/var/lib/shim-signed/mok/MOK.der", own[] = "/var/lib/dkms/mok.pub";
	static const char configured[] = "#mok_certificate=/no\nmok_certificate=\"/etc/owner.der\"\n";
	char root[] = "/tmp/ctl_test.XXXXXX", hex[32], command[64];
	bool good;

	tap_result(signing_serial(der, sizeof(der), hex, sizeof(hex)) && !strcmp(hex, "AB:0C") &&
		   !signing_serial(der, sizeof(der), hex, 5), "certificate: its number");
	tap_result(serial_cut_anywhere(), "certificate: none, wherever it is cut");
	if (!mkdtemp(root))
		abort();
	good = certificate_is(root, "", own);
	make_file(root, own, "x", 1);
	good = good && certificate_is(root, "", own);
	make_file(root, ubuntu, "x", 1);
	good = good && certificate_is(root, "", ubuntu) && certificate_is(root, "AB:0C", ubuntu);
	tap_result(good, "certificate: the first one that DKMS takes");
	make_file(root, own, der, sizeof(der));
	tap_result(certificate_is(root, "ab:0c", own) && certificate_is(root, "AB:0D", ubuntu),
		   "certificate: the one with the number of the signature");
	make_file(root, "/etc/dkms/framework.conf.d/a.conf", configured, sizeof(configured) - 1);
	tap_result(certificate_is(root, "", "/etc/owner.der") && certificate_is(root, "AB:0C", own),
		   "certificate: the one of the configuration");
	snprintf(command, sizeof(command), "rm -r %s", root);
	if (system(command))
		abort();
}

/* --- control groups ---------------------------------------------------- */

/* The trees are below the current directory: "cgroup", and "proc/PID" of a process. */
static void group_file(const char *path, const char *text)
{
	make_file(".", path, text, strlen(text));
}

/* A process with this text as its /proc/PID/cgroup. */
static void read_process(const char *text, struct control_group *g)
{
	int dirfd;

	group_file("/proc/1/cgroup", text);
	dirfd = open("proc/1", O_PATH | O_DIRECTORY | O_CLOEXEC);
	control_group_read(dirfd, g);
	close(dirfd);
}

static bool amount_is(const struct amount *a, unsigned long long limit, unsigned long long used)
{
	return a->limit == limit && a->used == used;
}

static bool group_has_nothing(const struct control_group *g)
{
	return !control_group_limited(g) && g->cpu.used == NO_AMOUNT && g->memory.used == NO_AMOUNT &&
	       g->processes.used == NO_AMOUNT;
}

static bool texts_are(const struct control_group *g, const char *limits, const char *usage)
{
	char text[AMOUNTS_SIZE];

	return !strcmp(control_group_limits(text, sizeof(text), g), limits) &&
	       !strcmp(control_group_usage(text, sizeof(text), g), usage);
}

static void group_of_its_own_test(struct control_group *g)
{
	static const char json[] = "{\"path\":\"/a/b\",\"cpu_limit_percent\":125.0,\"cpu_usage_seconds\":12.345678,\"memory_limit_bytes\":1073741824,\"memory_bytes\":241172480,\"processes_limit\":256,\"processes\":9}";
	struct json_object *o;

	group_file("/cgroup/a/b/cpu.max", "250000 200000\n");
	group_file("/cgroup/a/b/cpu.stat", "usage_usec 12345678\nuser_usec 1\nsystem_usec 2\n");
	group_file("/cgroup/a/b/memory.max", "1073741824\n");
	group_file("/cgroup/a/b/memory.current", "241172480\n");
	group_file("/cgroup/a/b/pids.max", "256\n");
	group_file("/cgroup/a/b/pids.current", "9\n");
	read_process("0::/a/b\n", g);
	tap_result(!strcmp(g->path, "/a/b") && amount_is(&g->cpu, 1250000, 12345678) &&
		   amount_is(&g->memory, 1 << 30, 230 << 20) && amount_is(&g->processes, 256, 9),
		   "group: its limits and its usage");
	tap_result(texts_are(g, "processor 125%, memory 1024M, processes 256",
			     "processor 12.3 s, memory 230M, processes 9"), "group: as text");
	o = control_group_json(g);
	tap_result(!strcmp(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE), json),
		   "group: as JSON");
	json_object_put(o);
}

static void group_ancestors_test(struct control_group *g)
{
	group_file("/cgroup/cpu.stat", "usage_usec 5\n");
	group_file("/cgroup/a/cpu.max", "max 100000\n");
	group_file("/cgroup/a/cpu.stat", "usage_usec 99999999\n");
	group_file("/cgroup/a/memory.max", "1000000\n");
	group_file("/cgroup/a/memory.current", "999999\n");
	group_file("/cgroup/a/pids.max", "300\n");
	read_process("0::/a/b\n", g);
	tap_result(amount_is(&g->cpu, 1250000, 12345678) && amount_is(&g->memory, 1000000, 230 << 20) &&
		   amount_is(&g->processes, 256, 9), "group: the smallest limit up to the root, its own usage");
	/* Only cpu.stat is there without a controller. */
	group_file("/cgroup/a/c/cpu.stat", "usage_usec 7\n");
	read_process("0::/a/c\n", g);
	tap_result(amount_is(&g->cpu, NO_AMOUNT, 7) && amount_is(&g->memory, 1000000, NO_AMOUNT) &&
		   amount_is(&g->processes, 300, NO_AMOUNT) &&
		   texts_are(g, "memory 977K, processes 300", "processor 0.0 s"),
		   "group: without controllers of its own");
}

static void group_of_none_test(struct control_group *g)
{
	static const char *const none[] = {
		"", "0::/a/b", "1:cpu:/a/b\n", "2::/a/b\n", "0::a/b\n", "0::/../a/b\n", "0::/..\n",
		"1:name=0::/a/b\n",
	};
	bool good = true;
	size_t i;

	read_process("0::/\n", g);
	tap_result(!strcmp(g->path, "/") && group_has_nothing(g) && texts_are(g, "none", "unknown"),
		   "group: the root has no limits, and its usage is the host's");
	read_process("2:cpu:/x\n1:name=y:/0::/a\n0::/a/b\n", g);
	tap_result(!strcmp(g->path, "/a/b") && g->processes.used == 9, "group: beside those of cgroup v1");
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		read_process(none[i], g);
		good = good && !*g->path && group_has_nothing(g);
	}
	control_group_read(-1, g);
	tap_result(good && !*g->path && group_has_nothing(g) && texts_are(g, "unknown", "unknown"),
		   "group: none, of another namespace, of a process that is gone");
}

static void group_values_test(struct control_group *g)
{
	static const char *const numbers[] = { "", "\n", "max\n", "x\n", "-1\n", "99999999999999999999\n" };
	static const char *const cpu[] = { "", "100000\n", "max 100000\n", "100000 0\n", "100000 x\n",
					   "99999999999999999 100000\n", "1 99999999999999999999\n" };
	bool good = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		group_file("/cgroup/n/memory.max", numbers[i]);
		group_file("/cgroup/n/memory.current", numbers[i]);
		group_file("/cgroup/n/pids.max", numbers[i]);
		group_file("/cgroup/n/pids.current", numbers[i]);
		group_file("/cgroup/n/cpu.stat", "nr_usage_usec 5\n");
		read_process("0::/n\n", g);
		good = good && !strcmp(g->path, "/n") && group_has_nothing(g);
	}
	for (i = 0; i < ARRAY_SIZE(cpu); i++) {
		group_file("/cgroup/n/cpu.max", cpu[i]);
		read_process("0::/n\n", g);
		good = good && group_has_nothing(g);
	}
	tap_result(good, "group: what is no number is no limit, and no usage");
}

static void group_paths_test(struct control_group *g)
{
	char text[6000];
	bool good;

	group_file("/cgroup/\033[2J\xff\"/pids.max", "3\n");
	read_process("0::/\033[2J\xff\"\n", g);
	tap_result(!strcmp(g->path, "/\\x1b[2J\\xff\"") && g->processes.limit == 3,
		   "group: a name with an escape sequence");
	/* The longest path of the kernel, and one that is longer. */
	memset(text, '\033', sizeof(text));
	memcpy(text, "0::/", 4);
	strcpy(text + 3 + 4095, "\n");
	read_process(text, g);
	good = is_clean(g->path) && strlen(g->path) > sizeof(g->path) - 5 && group_has_nothing(g);
	memset(text + 4, 'a', sizeof(text) - 4);
	strcpy(text + 3 + 4096, "\n");
	read_process(text, g);
	tap_result(good && !*g->path, "group: a path of any length");
}

static bool cells_are(const struct rows *r, const char *cpu, const char *memory)
{
	static const struct domains none;
	struct table t;
	bool good;

	rows_table(r, &none, &t);
	good = !strcmp(t.cells[0][11], "CPU") && !strcmp(t.cells[1][11], cpu) &&
	       !strcmp(t.cells[0][12], "MEMORY") && !strcmp(t.cells[1][12], memory);
	table_free(&t);
	return good;
}

static void group_rows_test(void)
{
	int fd = 3;
	struct open_file file = { .fds = &fd, .nr_fds = 1, .info.domid = NO_DOMID };
	struct process processes[2];
	struct snapshot before = { .processes = &processes[0], .nr = 1 };
	struct snapshot now = { .when.tv_sec = 2, .processes = &processes[1], .nr = 1 };
	struct control_group *g = &processes[1].group;
	struct rows r;
	bool good;

	processes[0] = (struct process){ .pid = 1, .uid = 70000, .name = "x", .files = &file, .nr_files = 1 };
	control_group_unknown(&processes[0].group);
	processes[1] = processes[0];
	rows_make(&r, &now, &before);
	good = cells_are(&r, "-", "-");
	rows_free(&r);
	strcpy(g->path, "/a");
	g->cpu = (struct amount){ 2000000, 1500000 };
	g->memory = (struct amount){ 1 << 30, 230 << 20 };
	rows_make(&r, &now, &before);
	good = good && cells_are(&r, "-/200%", "230M/1024M");
	rows_free(&r);
	rows_make(&r, &now, NULL);
	tap_result(good && cells_are(&r, "-/200%", "230M/1024M"), "rows: a group without an earlier snapshot");
	rows_free(&r);
	processes[0].group = *g;
	processes[0].group.cpu.used = 1260000;
	rows_make(&r, &now, &before);
	good = cells_are(&r, "12/200%", "230M/1024M");
	g->memory.used = NO_AMOUNT;
	g->cpu.limit = 5000;
	tap_result(good && cells_are(&r, "12/0.5%", "-/1024M"), "rows: the use of processors since then");
	g->memory = (struct amount){ NO_AMOUNT, 8192 };
	g->cpu.limit = NO_AMOUNT;
	good = cells_are(&r, "12%", "8K");
	rows_free(&r);
	/* The counter of another group. */
	strcpy(g->path, "/b");
	rows_make(&r, &now, &before);
	tap_result(good && cells_are(&r, "-", "8K"), "rows: a group without limits");
	rows_free(&r);
	/* A new group of the same name. */
	strcpy(g->path, "/a");
	processes[0].group.cpu.used = 1500001;
	rows_make(&r, &now, &before);
	good = cells_are(&r, "-", "8K");
	rows_free(&r);
	processes[0].group.cpu.used = NO_AMOUNT;
	rows_make(&r, &now, &before);
	tap_result(good && cells_are(&r, "-", "8K"), "rows: a counter that went back, or was not there");
	rows_free(&r);
}

static void group_tests(void)
{
	char root[] = "/tmp/ctl_test.XXXXXX", command[64];
	int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct control_group g;

	if (back < 0 || !mkdtemp(root) || chdir(root))
		abort();
	group_of_its_own_test(&g);
	group_ancestors_test(&g);
	group_of_none_test(&g);
	group_values_test(&g);
	group_paths_test(&g);
	group_rows_test();
	snprintf(command, sizeof(command), "rm -r %s", root);
	if (fchdir(back) || system(command))
		abort();
	close(back);
}

/* --- XenStore ---------------------------------------------------------- */

static int listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8))
		abort();
	return fd;
}

static bool xenstore_is(enum xenstore want)
{
	struct domains d;
	bool good;

	domains_read(&d);
	good = d.xenstore == want && !d.nr && !strcmp(domains_name(&d, 1), "");
	domains_free(&d);
	return good;
}

static void xenstore_tests(void)
{
	static const char path[] = "/tmp/ctl_test.xenstored";
	int fd;

	setenv("XENSTORED_PATH", "/nowhere", 1);
	tap_result(xenstore_is(XENSTORE_NO_SOCKET), "XenStore: elsewhere");
	setenv("XENSTORED_PATH", path, 1);
	fd = listen_at(path);
	close(fd);
	tap_result(xenstore_is(XENSTORE_REFUSES), "XenStore: a socket without a server");
	fd = listen_at(path);
	/* On a library that waits for ever, the test ends here. */
	alarm(300);
	tap_result(xenstore_is(XENSTORE_SILENT) && xenstore_is(XENSTORE_SILENT),
		   "XenStore: a server that accepts and never answers");
	alarm(0);
	close(fd);
	unlink(path);
}

int main(void)
{
	tap_begin(PLAN);
	clean_tests();
	label_tests();
	number_tests();
	table_tests();
	fdinfo_tests();
	rights_tests();
	removed_tests();
	removed_events_tests();
	others_tests();
	event_tests();
	video_tests();
	users_tests();
	reaper_tests();
	kind_tests();
	arguments_tests();
	signing_tests();
	group_tests();
	xenstore_tests();
	return tap_end(PLAN);
}
