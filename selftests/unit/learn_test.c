// SPDX-License-Identifier: GPL-2.0
/*
 * learn_test.c - dmop-run --learn: from the lines of trace_pipe to a profile, and back
 */
#include "learn.c"

#include "tap.h"

#define PLAN 7

#define HEAD	"  qemu-1234    [001] d..3.   123.456789: "
#define OP(n)	HEAD "dmop_op: domid=7 op=" #n " bufs=1 sizes=32,0 ret=-22"
#define MAP(kind, mapped, type) \
	HEAD "dmop_map: domid=7 " kind " addr=0x7f001000 frames=1 mapped=" #mapped " ret=0 type=" #type

static const char profile[] =
	"\n# operations, and how often\n"
	"op 1   # create_ioreq_server, 1\n"
	"op 9   # set_isa_irq_level, 2\n"
	"op 64  # unknown, 1\n"
	"\n# types of resources, and how often they were mapped\n"
	"resource 0   # ioreq_server, 1\n"
	"resource 63  # unknown, 1\n"
	"\nact map-foreign # 2\n"
	"# not recorded; without it, all is mapped for reading only\n"
	"act map-write\n"
	"\n# the most at the same time; another guest can need more\n"
	"frames 300\n";

/* Return: the profile of these lines, NULL at the end. */
static const char *profile_of(const char *const *lines)
{
	static char text[4096];
	struct recording r = { .lost = 0 };
	FILE *to = fmemopen(text, sizeof(text), "w");

	for (; *lines; lines++)
		count(&r, *lines);
	write_profile(to, &r);
	fclose(to);
	return text;
}

static bool read_back(const char *text, struct dmop_narrow *n)
{
	char path[] = "/tmp/learn_test.XXXXXX", why[256];
	int fd = mkstemp(path);
	bool good = write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
		    profile_read(path, n, why, sizeof(why));

	close(fd);
	unlink(path);
	return good;
}

int main(void)
{
	static const char *const lines[] = {
		OP(9), OP(1), OP(64), OP(9), MAP("foreign", 300, -1), MAP("foreign", 3, -1),
		MAP("resource", 4, 0), MAP("resource", 4, 63), NULL };
	static const char *const none[] = { NULL };
	static const char *const others[] = { OP(128), OP(4294967295), MAP("resource", 1, 64), NULL };
	static const char *const lost[] = { OP(1), "CPU:1 [LOST 12 EVENTS]", NULL };
	static const char *const old[] = {
		HEAD "dmop_map: domid=7 foreign addr=0x7f001000 frames=1 mapped=9 ret=0",
		HEAD "dmop_refuse: act=operation op=13 domid=7 bound=7 cause=-1 why=narrowed",
		HEAD "dmop_map: domid=7 resource addr=0x0 frames=0 mapped=0 ret=-1 type=1", NULL };
	struct dmop_narrow n;

	tap_begin(PLAN);
	tap_result(!strcmp(profile_of(lines), profile), "learn: a profile");
	tap_result(read_back(profile, &n) && n.flags == 0xf && n.acts == 0xf && n.ops[0] == 0x202 &&
		   n.ops[1] == 1 && n.resources == (1ULL << 63 | 1) && n.max_frames == 300,
		   "learn: it keeps what was recorded");
	tap_result(!strstr(profile_of(none), "act") && read_back(profile_of(none), &n) && !n.acts,
		   "learn: of nothing");
	tap_result(strstr(profile_of(others), "# 3 calls with numbers"), "learn: numbers without a bit");
	tap_result(strstr(profile_of(lost), "INCOMPLETE"), "learn: lost events");
	tap_result(!strstr(profile_of(old), "op 13") && !strstr(profile_of(old), "act") && !strstr(profile_of(old), "resource 1"),
		   "learn: what is neither an operation nor a mapping, or refused");
	tap_result(!strcmp(profile_op_name(20), "nr_vcpus") && !profile_op_name(0) && !profile_op_name(21) &&
		   !profile_resource_name(3), "names");
	return tap_end(PLAN);
}
