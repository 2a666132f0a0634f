// SPDX-License-Identifier: GPL-2.0
/*
 * verify.c - dmopctl verify: proof that a process can reach one domain and no other
 *
 * Each Xen descriptor of the process is duplicated with pidfd_getfd(), so it is the same open file
 * here. It is then queried, and forbidden calls are tried on it. A failed query is a FAULT, never a
 * pass.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <xen/dmop.h>

#include "commands.h"
#include "common.h"
#include "dmopctl.h"
#include "domains.h"
#include "findings.h"
#include "memory.h"
#include "narrowed.h"
#include "nodes.h"
#include "proc.h"
#include "tries.h"

#define FRAME_SIZE	4096ULL

struct taken {
	int number;		/* of the descriptor in the process */
	int fd;			/* its duplicate here */
	char node[64];
};

struct subject {
	pid_t pid;
	int dirfd;		/* /proc/PID */
	int pidfd;
	struct findings *f;
	struct nodes nodes;
	struct domains domains;
	struct taken *taken;
	unsigned int nr;
	long domid;		/* of the first bound file, or NO_DOMID */
	unsigned long long mapped;	/* bytes, by all its dmop files */
};

/* --- duplication of descriptors ---------------------------------------- */

/* What cannot be read is a FAULT: it may be a node of Xen. */
static void cannot_tell(struct subject *s, int number, int err)
{
	finding(s->f, FAULT, "descriptor", NULL, "what %d is cannot be told: %s", number,
		strerror(err));
}

/* Identifies the duplicate anew: the process may have reused the number since the first check. */
static void take(struct subject *s, int number)
{
	struct taken *t;
	int which, fd = syscall(__NR_pidfd_getfd, s->pidfd, number, 0);
	char node[64];

	if (fd < 0) {
		/* EBADF: closed by the process meanwhile. Any other error prevents the proof. */
		if (errno != EBADF)
			finding(s->f, FAULT, "descriptor", NULL, "%d cannot be taken: %s", number,
				strerror(errno));
		return;
	}
	which = nodes_which(&s->nodes, fd, "", node);
	if (which <= 0) {
		if (which)
			cannot_tell(s, number, -which);
		close(fd);
		return;
	}
	s->taken = grow(s->taken, s->nr + 1, sizeof(*s->taken));
	t = &s->taken[s->nr++];
	*t = (struct taken){ .number = number, .fd = fd };
	memcpy(t->node, node, sizeof(node));
}

static int by_number(const void *a, const void *b)
{
	return ((const struct taken *)a)->number - ((const struct taken *)b)->number;
}

/* Return: 0 or minus the errno. */
static int take_all(struct subject *s)
{
	char path[32], node[64];
	struct dirent *entry;
	DIR *dir = dir_at(s->dirfd, "fd");
	int which;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "fd/%.20s", entry->d_name);
		which = nodes_which(&s->nodes, s->dirfd, path, node);
		/* ENOENT: closed by the process meanwhile. */
		if (which > 0)
			take(s, atoi(entry->d_name));
		else if (which && which != -ENOENT)
			cannot_tell(s, atoi(entry->d_name), -which);
	}
	closedir(dir);
	if (s->nr)
		qsort(s->taken, s->nr, sizeof(*s->taken), by_number);
	return 0;
}

/* Return: an earlier descriptor of the same open file, or NULL. */
static const struct taken *seen_before(const struct subject *s, const struct taken *t)
{
	const struct taken *u;

	for (u = s->taken; u < t; u++)
		if (!strcmp(u->node, t->node) &&
		    !syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, u->fd, t->fd))
			return u;
	return NULL;
}

/* --- /dev/xen/dmop ----------------------------------------------------- */

/* Return: any other live domain as the target of forbidden calls, else domain 0. */
static long other_domain(const struct subject *s, long domid)
{
	unsigned int i;

	for (i = 0; i < s->domains.nr; i++)
		if (s->domains.list[i].domid > 0 && s->domains.list[i].domid != domid)
			return s->domains.list[i].domid;
	return 0;
}

static void verify_bound(struct subject *s, const char *topic, int fd, const struct dmop_info *info)
{
	const char *name = domains_name(&s->domains, info->domid);
	long other = other_domain(s, info->domid);
	char text[512];

	if (s->domid == NO_DOMID)
		s->domid = info->domid;
	if (s->domid != (long)info->domid)
		finding(s->f, FAULT, topic, "give each domain a device model of its own",
			"bound to domain %u, another one to domain %ld", info->domid, s->domid);
	else
		finding(s->f, OK, topic, NULL, NODE " bound to domain %u%s%s", info->domid,
			*name ? ", " : "", name);
	if (try_others(fd, info, other, text, sizeof(text)))
		finding(s->f, FAULT, topic, "the module is broken: unload it, and report this",
			"on domain %ld it was NOT refused: %s", other, text);
	else
		finding(s->f, OK, topic, NULL, "tried on domain %ld, all refused: %s", other, text);
}

static void verify_rights(struct subject *s, const char *topic, int fd, const struct dmop_info *info)
{
	char text[RIGHTS_SIZE];
	struct rights rights;
	unsigned int nr;

	rights_of_info(&rights, info);
	rights_text(text, sizeof(text), &rights);
	if (!rights.narrowed) {
		finding(s->f, NOTE, topic, NULL, "never narrowed: it has all rights");
		return;
	}
	finding(s->f, OK, topic, NULL, "narrowed to: %s", text);
	if (try_removed(fd, info, text, sizeof(text), &nr))
		finding(s->f, FAULT, topic, "the module is broken: unload it, and report this",
			"NARROW has removed these, and they were NOT refused: %s", text);
	else
		finding(s->f, OK, topic, NULL, "tried what NARROW has removed, all %u calls refused", nr);
}

static void verify_dmop(struct subject *s, const char *topic, int fd)
{
	struct dmop_info info;
	int err = try_info(fd, &info);

	if (err) {
		finding(s->f, FAULT, topic, "install the module and dmopctl of one version",
			NODE " does not say what it is: %s", strerror(err));
		return;
	}
	s->mapped += info.mapped_frames * FRAME_SIZE;
	switch (info.state) {
	case DMOP_STATE_BOUND:
		verify_bound(s, topic, fd, &info);
		verify_rights(s, topic, fd, &info);
		return;
	case DMOP_STATE_REVOKED:
		finding(s->f, OK, topic, NULL, NODE " revoked: reaches nothing, domain %u is gone",
			info.domid);
		return;
	default:
		finding(s->f, FAULT, topic, "the device model has to restrict it; dmop-run(8) does",
			NODE " is not bound to any domain");
	}
}

/* --- the other nodes --------------------------------------------------- */

/* Return: the domain that the stock driver has restricted it to, or NO_DOMID. */
static long privcmd_domain(const struct subject *s, int fd)
{
	unsigned int i;

	if (s->domid != NO_DOMID && try_privcmd_domain(fd, s->domid))
		return s->domid;
	for (i = 0; i < s->domains.nr; i++)
		if (try_privcmd_domain(fd, s->domains.list[i].domid))
			return s->domains.list[i].domid;
	return NO_DOMID;
}

static void verify_restricted_privcmd(struct subject *s, const char *topic, int fd,
				      const char *remedy)
{
	long domid = privcmd_domain(s, fd);

	if (domid == NO_DOMID)
		finding(s->f, FAULT, topic, remedy,
			"privcmd, restricted by the stock driver to a number that no domain here has");
	else
		finding(s->f, domid == s->domid ? WARN : FAULT, topic, remedy,
			"privcmd, restricted by the stock driver to domain %ld, also to one that gets that number later",
			domid);
}

static void verify_privcmd(struct subject *s, const char *topic, int fd)
{
	static const char remedy[] = "start it by dmop-run(8) or dmop-qemu(8)";
	enum stock stock = try_privcmd(fd);

	if (stock == STOCK_RESTRICTED)
		verify_restricted_privcmd(s, topic, fd, remedy);
	else if (stock == STOCK_OPEN)
		finding(s->f, FAULT, topic, remedy,
			"privcmd, not restricted: it makes every hypercall, on every domain");
	else
		finding(s->f, FAULT, topic, remedy, "privcmd that does not tell whether it is restricted");
}

static void verify_evtchn(struct subject *s, const char *topic, int fd)
{
	static const char remedy[] = "the device model has to restrict it (xentoolcore_restrict_all)";
	enum stock stock = try_evtchn(fd);

	if (stock == STOCK_RESTRICTED)
		finding(s->f, OK, topic, NULL,
			"evtchn, restricted to the event channels of one domain (the kernel does not tell which)");
	else if (stock == STOCK_OPEN)
		finding(s->f, FAULT, topic, remedy,
			"evtchn, not restricted: it reaches event channels of every domain");
	else
		finding(s->f, FAULT, topic, remedy, "evtchn that does not tell whether it is restricted");
}

/* Nodes that cannot be restricted, or need no restriction. */
static const struct {
	const char *node;
	enum level level;
	const char *text;
} others[] = {
	{ "gntdev", FAULT, "maps the pages that any domain has granted to this one; it cannot be restricted" },
	{ "gntalloc", FAULT, "gives pages of this domain to any other; it cannot be restricted" },
	{ "xenbus", FAULT, "reads and writes XenStore as this domain; it cannot be restricted" },
	{ "xenbus_backend", FAULT, "sets up XenStore; it cannot be restricted" },
	{ "hypercall", OK, "is memory for hypercalls, and can make none" },
	{ "capabilities", OK, "tells what this domain is" },
};

static void verify_other(struct subject *s, const char *topic, const char *node)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(others[i].node, node)) {
			finding(s->f, others[i].level, topic, NULL, "%s %s", node, others[i].text);
			return;
		}
	finding(s->f, FAULT, topic, NULL, "%s: of Xen, and nothing is known of what it reaches", node);
}

static void verify_node(struct subject *s, const struct taken *t, const char *topic)
{
	if (!strcmp(t->node, "dmop"))
		verify_dmop(s, topic, t->fd);
	else if (!strcmp(t->node, "privcmd"))
		verify_privcmd(s, topic, t->fd);
	else if (!strcmp(t->node, "evtchn"))
		verify_evtchn(s, topic, t->fd);
	else
		verify_other(s, topic, t->node);
}

/*
 * Verifies the dmop descriptors (@dmop) or all others. The dmop descriptors come first, because
 * they determine the domain for the rest. Return: number of descriptors.
 */
static unsigned int verify_taken(struct subject *s, bool dmop)
{
	const struct taken *same;
	unsigned int i, nr = 0;
	char topic[32];

	for (i = 0; i < s->nr; i++) {
		const struct taken *t = &s->taken[i];

		if (!strcmp(t->node, "dmop") != dmop)
			continue;
		nr++;
		snprintf(topic, sizeof(topic), "descriptor %d", t->number);
		same = seen_before(s, t);
		if (same)
			finding(s->f, OK, topic, NULL, "the same open file as descriptor %d", same->number);
		else
			verify_node(s, t, topic);
	}
	return nr;
}

/* --- mappings, also through closed descriptors ------------------------- */

static void verify_area(struct subject *s, const char *range, unsigned long long *dmop)
{
	unsigned long long start, end;
	char path[64], node[64];
	int which;

	if (sscanf(range, "%llx-%llx", &start, &end) != 2)
		return;
	snprintf(path, sizeof(path), "map_files/%.40s", range);
	which = nodes_which(&s->nodes, s->dirfd, path, node);
	if (which < 0 && which != -ENOENT)
		finding(s->f, FAULT, "mapping", NULL, "what is mapped at %s cannot be told: %s", range,
			strerror(-which));
	if (which <= 0)
		return;
	if (!strcmp(node, "dmop"))
		*dmop += end - start;
	else if (strcmp(node, "hypercall"))
		finding(s->f, FAULT, "mapping", "end the device model and start it confined",
			"%llu KiB are mapped through %s", (end - start) / 1024, node);
}

static void verify_mappings(struct subject *s)
{
	unsigned long long dmop = 0;
	struct dirent *entry;
	DIR *dir = dir_at(s->dirfd, "map_files");

	if (!dir) {
		finding(s->f, FAULT, "mapping", NULL, "/proc/%d/map_files: %s", s->pid, strerror(errno));
		return;
	}
	while ((entry = readdir(dir)))
		verify_area(s, entry->d_name, &dmop);
	closedir(dir);
	if (dmop > s->mapped)
		finding(s->f, WARN, "mapping", NULL,
			"%llu KiB of areas of " NODE " are empty, or of a descriptor that it has closed",
			(dmop - s->mapped) / 1024);
}

/* --- privileges and threads -------------------------------------------- */

static bool own_user_namespace(const struct subject *s)
{
	struct stat theirs, init;

	return !fstatat(s->dirfd, "ns/user", &theirs, 0) && !stat("/proc/1/ns/user", &init) &&
	       (theirs.st_dev != init.st_dev || theirs.st_ino != init.st_ino);
}

static void verify_privileges(struct subject *s)
{
	static const char remedy[] = "dm_restrict in its xl.cfg, or a uid of its own";
	unsigned int real, effective, saved, fs;
	unsigned long long caps;
	char text[4096];
	const char *uid, *cap;
	ssize_t n = read_text(s->dirfd, "status", text, sizeof(text));

	if (n <= 0) {
		finding(s->f, FAULT, "privileges", NULL, "/proc/%d/status: %s", s->pid, strerror(n ? -n : EIO));
		return;
	}
	uid = strstr(text, "\nUid:\t");
	cap = strstr(text, "\nCapPrm:\t");
	if (!uid || sscanf(uid, "\nUid:\t%u\t%u\t%u\t%u", &real, &effective, &saved, &fs) != 4 ||
	    !cap || sscanf(cap, "\nCapPrm:\t%llx", &caps) != 1) {
		finding(s->f, FAULT, "privileges", NULL, "/proc/%d/status is not understood", s->pid);
		return;
	}
	if (!real || !effective || !saved || !fs)
		finding(s->f, FAULT, "privileges", remedy, "it is root, and can open what it likes");
	else if (caps && !own_user_namespace(s))
		finding(s->f, FAULT, "privileges", remedy, "it has capabilities (%llx)", caps);
	else
		finding(s->f, OK, "privileges", NULL, "uid %u, no capability on this host", effective);
}

/* A thread can have its own descriptor table, out of reach of pidfd_getfd(). */
static void verify_threads(struct subject *s)
{
	struct dirent *entry;
	DIR *dir = dir_at(s->dirfd, "task");
	long differs;
	pid_t tid;

	while (dir && (entry = readdir(dir))) {
		tid = atoi(entry->d_name);
		if (tid <= 0 || tid == s->pid)
			continue;
		differs = syscall(SYS_kcmp, s->pid, tid, KCMP_FILES, 0, 0);
		if (differs < 0 && errno != ESRCH)
			finding(s->f, FAULT, "thread", NULL,
				"whether thread %d has descriptors of its own cannot be told: %s", tid,
				strerror(errno));
		else if (differs > 0)
			finding(s->f, FAULT, "thread", NULL,
				"thread %d has descriptors of its own, which cannot be taken", tid);
	}
	if (dir)
		closedir(dir);
	else
		finding(s->f, FAULT, "thread", NULL, "/proc/%d/task: %s", s->pid, strerror(errno));
}

/* --- the control group ------------------------------------------------- */

/* Information only: neither limits nor usage are part of the proof. */
static void verify_group(struct subject *s)
{
	char limits[AMOUNTS_SIZE], usage[AMOUNTS_SIZE];
	struct control_group g;

	control_group_read(s->dirfd, &g);
	if (*g.path)
		finding(s->f, control_group_limited(&g) ? OK : NOTE, "control group", NULL,
			"%s, limits: %s; usage: %s", g.path,
			control_group_limits(limits, sizeof(limits), &g),
			control_group_usage(usage, sizeof(usage), &g));
	else
		finding(s->f, NOTE, "control group", NULL, "unknown: it has none of cgroup v2 here");
}

/* --- the command ------------------------------------------------------- */

static void subject_close(struct subject *s)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		close(s->taken[i].fd);
	free(s->taken);
	domains_free(&s->domains);
	nodes_free(&s->nodes);
	if (s->pidfd >= 0)
		close(s->pidfd);
	if (s->dirfd >= 0)
		close(s->dirfd);
}

static int cannot(pid_t pid, int err)
{
	if (err == ENOENT || err == ESRCH)
		return fail(STATUS_NO_PROCESS, "there is no process %d", pid);
	if (err == EACCES || err == EPERM)
		return fail(STATUS_DENIED, "taking descriptors of process %d: %s; %s", pid,
			    strerror(err), permission_remedy());
	return fail(STATUS_OTHER, "process %d: %s", pid, strerror(err));
}

static int verify(struct subject *s, bool json)
{
	int err = take_all(s);

	if (err)
		return cannot(s->pid, -err);
	if (!verify_taken(s, true))
		finding(s->f, FAULT, "descriptors", "is this the device model? dmopctl list tells",
			"it holds no " NODE);
	verify_taken(s, false);
	verify_mappings(s);
	verify_threads(s);
	verify_privileges(s);
	verify_group(s);
	/* If the process has exited, another one may have its id by now. */
	if (syscall(SYS_pidfd_send_signal, s->pidfd, 0, NULL, 0) && errno == ESRCH)
		return cannot(s->pid, ESRCH);
	return findings_print(s->f, json);
}

int run_verify(const struct options *o)
{
	struct findings f = { 0 };
	struct subject s = { .f = &f, .domid = NO_DOMID, .dirfd = -1, .pid = parse_pid(o->args[0]) };
	char path[32];
	int status;

	if (!s.pid)
		return STATUS_USAGE;
	status = need_module();
	if (status)
		return status;
	s.pidfd = syscall(SYS_pidfd_open, s.pid, 0);
	if (s.pidfd < 0)
		/* EINVAL: the id of a thread that is not the group leader. */
		return cannot(s.pid, errno == EINVAL ? ESRCH : errno);
	snprintf(path, sizeof(path), "/proc/%d", s.pid);
	s.dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s.dirfd < 0)
		return cannot(s.pid, errno);
	/*
	 * Reading the links in map_files needs CAP_SYS_ADMIN. The permission to take descriptors is
	 * checked before their number, and no process has this one.
	 */
	if (geteuid() || (syscall(__NR_pidfd_getfd, s.pidfd, INT_MAX, 0) < 0 && errno == EPERM)) {
		subject_close(&s);
		return cannot(s.pid, EPERM);
	}
	nodes_read(&s.nodes);
	domains_read(&s.domains);
	status = verify(&s, o->json);
	subject_close(&s);
	return status;
}
