/* SPDX-License-Identifier: GPL-2.0 */
/*
 * observer.h - a process beside a stopped call: everything that it does has to end in time
 *
 * It takes one request at a time, from the test that forked it. Its current action is in shared
 * memory, so the test can name an action that hangs. It also owns the domains, and with them a
 * process of stall_domains.
 */
#ifndef DMOP_STALL_OBSERVER_H
#define DMOP_STALL_OBSERVER_H

#include <dirent.h>

#include "../hold.h"
#include "calls.h"

/* Seconds for an action. Emulation can be a hundred times slower than a machine. */
#ifndef PATIENCE
#define PATIENCE	120
#endif
/* The same, once an action was too slow for PATIENCE: the test has failed already. */
#define IMPATIENCE	(PATIENCE / 2)

enum request {
	R_PREPARE,	/* creates the domain of the next call. Answer: its domid */
	R_PREPARE_BOTH,	/* the same, and a domain to be destroyed beside the call */
	R_PREPARE_FIRST, /* the same, but no descriptor of the first one yet */
	R_OBSERVE,	/* all actions */
	R_END,		/* the domain of the call is destroyed, and its other descriptor revoked */
	R_REUSE,	/* a domain with its number. Answer: 0 or minus the errno */
	R_REUSE_WAIT,	/* the same, once its number is free */
	R_SERVERS,	/* the ioreq servers of a domain with its number, as a mask */
	R_FREE,		/* waits until no domain has its number; then the rest is closed */
	R_RESET,	/* destroys what has its number, and waits as above */
};

struct shared {
	const char *volatile action;
	volatile bool failed;
};

struct observer {
	pid_t pid;
	int requests, answers;
	struct shared *shared;
};

/* --- in its process ------------------------------------------------------------------ */

/*
 * @domid, @fd, @p:  the domain of the call; a descriptor of it and a frame mapped there
 * @doomed, ...:     a domain to be destroyed beside a stopped call
 * @xenbus:          the kernel's connection to XenStore
 */
static struct {
	struct shared *shared;
	FILE *to, *from;
	__u16 domid, doomed;
	int fd, doomed_fd;
	char *p, *doomed_p;
	int xenbus;
	int unbound;
} o;

static inline long domains(const char *verb, unsigned int domid)
{
	char line[32];

	fprintf(o.to, "%s %u\n", verb, domid);
	fflush(o.to);
	if (!fgets(line, sizeof(line), o.from))
		_exit(3);
	return atol(line);
}

static inline bool domains_start(void)
{
	int to[2], from[2];
	pid_t pid;

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		return false;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(to[0], 0);
		dup2(from[1], 1);
		execl("./stall_domains", "stall_domains", NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	o.to = fdopen(to[1], "w");
	o.from = fdopen(from[0], "r");
	return pid > 0 && o.to && o.from;
}

static inline void must(bool ok)
{
	if (!ok)
		o.shared->failed = true;
}

static inline void begin(const char *action)
{
	o.shared->action = action;
}

static inline bool runs(char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		execv(argv[0], argv);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* Every call, on another descriptor. */
static inline bool use_domain(__u16 domid, __u64 gfn)
{
	struct dmop_mmap_resource size = { .dom = domid, .type = RESOURCE_GRANT_TABLE };
	int fd = dmop_open();
	char *p = NULL;
	bool ok;

	ok = fd >= 0 && !dmop_restrict(fd, domid) && unknown_op(fd, domid) == -EOPNOTSUPP &&
	     unknown_batch(fd, domid) == -EOPNOTSUPP &&
	     !do_ioctl(fd, DMOP_IOCTL_MMAP_RESOURCE, &size) &&
	     !poll(&(struct pollfd){ .fd = fd }, 1, 0);
	if (ok)
		p = map_one(fd, domid, gfn);
	ok = p && !touch(p, true) && mapped_frames(fd) == 1 && !munmap(p, PAGE) &&
	     dmop_state(fd) == DMOP_STATE_BOUND;
	close(fd);
	return ok;
}

static inline bool narrows(__u16 domid)
{
	int fd = dmop_open_bound(domid);
	bool ok = !narrow_acts(fd, 0) && unknown_op(fd, domid) == -EPERM;

	close(fd);
	return ok;
}

/* Return: the state of a worker of the module, see proc(5), or 0: there is none. */
static inline char state_of_worker(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char state = 0;

	while (proc && !state && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);
		char text[4096];

		/* Of an unbound queue; there are few. */
		if (pid && read_thread(pid, pid, "comm", text, sizeof(text)) &&
		    !strncmp(text, "kworker/u", 9) &&
		    read_thread(pid, pid, "stack", text, sizeof(text)) &&
		    strstr(text, "[dmop_privcmd]"))
			state = thread_state(pid, pid);
	}
	if (proc)
		closedir(proc);
	return state;
}

/*
 * NARROW waits for the stopped call if that is in a section. A kill ends its wait. A worker goes on
 * waiting, as an idle one: a host may be set up to panic if a task is in state D for minutes.
 */
static inline bool killed_narrow(__u16 domid)
{
	int node = open(STALL_NODE, O_RDWR | O_CLOEXEC), fd = dmop_open_bound(domid);
	struct stall_status st = { };
	int status = 0;
	bool ok;
	pid_t pid;

	ok = node >= 0 && fd >= 0 && !ioctl(node, STALL_STATUS, &st);
	pid = fork();
	if (!pid) {
		narrow_acts(fd, 0);
		_exit(0);
	}
	if (ok && st.sections) {
		ok = wait_asleep(pid, pid, NULL);
		while (ok && state_of_worker() != 'S')
			usleep(10000);
	}
	kill(pid, SIGKILL);
	ok = ok && waitpid(pid, &status, 0) == pid && (!st.sections || WIFSIGNALED(status));
	/* The rights are removed all the same. */
	ok = ok && (!st.sections || unknown_op(fd, domid) == -EPERM);
	close(fd);
	close(node);
	return ok;
}

/* --- XenStore: its wire protocol is that of Xen's public/io/xs_wire.h ---------- */

#define XS_WATCH	4
#define XS_UNWATCH	5
#define XS_WRITE	11
#define XS_WATCH_EVENT	15
#define WATCHED		"/dmop-stall"

struct xs_head {
	__u32 type, id, tx, len;
};

static inline bool xs_send(__u32 type, const char *body, __u32 len)
{
	char message[128];
	struct xs_head head = { .type = type, .len = len };

	memcpy(message, &head, sizeof(head));
	memcpy(message + sizeof(head), body, len);
	return write(o.xenbus, message, sizeof(head) + len) == (ssize_t)(sizeof(head) + len);
}

static inline bool xs_bytes(char *to, size_t nr)
{
	while (nr) {
		ssize_t n = read(o.xenbus, to, nr);

		if (n <= 0)
			return false;
		to += n;
		nr -= n;
	}
	return true;
}

/*
 * Waits for the reply to a request of @type and, if @event, for an event of the watch, in any
 * order. The kernel must not get a request before the reply to the one before was read: its thread
 * for XenStore could then wait for a lock of this file, held by the request (seen on Linux 6.1).
 */
static inline bool xs_receive(__u32 type, bool event)
{
	bool reply = true;

	while (reply || event) {
		struct xs_head head;
		char body[256];

		if (!xs_bytes((char *)&head, sizeof(head)) || head.len > sizeof(body) ||
		    !xs_bytes(body, head.len))
			return false;
		if (head.type == XS_WATCH_EVENT)
			event = false;
		else if (head.type == type)
			reply = false;
		else
			return false;
	}
	return true;
}

static inline bool watch_round_trip(void)
{
	static const char watch[] = WATCHED "\0token", written[] = WATCHED "\0x";

	return xs_send(XS_WATCH, watch, sizeof(watch)) && xs_receive(XS_WATCH, true) &&
	       xs_send(XS_WRITE, written, sizeof(written) - 1) && xs_receive(XS_WRITE, true) &&
	       xs_send(XS_UNWATCH, watch, sizeof(watch)) && xs_receive(XS_UNWATCH, false);
}

/* --- the end of a domain ------------------------------------------------------- */

static inline bool bind_and_map(__u16 domid, int *fd, char **p)
{
	*fd = dmop_open_bound(domid);
	*p = *fd < 0 ? NULL : map_one(*fd, domid, FIRST_GFN);
	return *p;
}

/* A RESTRICT finds the domain dead, so that its record is revoked. */
static inline void destroy_and_notice(__u16 domid)
{
	int fd;

	must(!domains("forget", domid));
	must(!domains("destroy", domid));
	do {
		fd = dmop_open_bound(domid);
		if (fd >= 0)
			close(fd);
	} while (fd >= 0);
	must(fd == -ESRCH);
}

static inline void await_revocation(int fd, char *p)
{
	struct pollfd poller = { .fd = fd };

	while (poll(&poller, 1, -1) < 1)
		;
	must(poller.revents == (POLLHUP | POLLERR));
	while (!touch(p, true))
		usleep(1000);
	must(dmop_state(fd) == DMOP_STATE_REVOKED);
}

static inline void await_free(__u16 domid)
{
	while (domid && domains("exists", domid))
		usleep(2000);
}

static inline void destroy_domain(__u16 domid)
{
	if (!domid || !domains("exists", domid))
		return;
	domains("forget", domid);
	domains("destroy", domid);
	await_free(domid);
}

static inline void close_mapping(int *fd, char **p)
{
	if (*p)
		munmap(*p, PAGE);
	if (*fd >= 0)
		close(*fd);
	*p = NULL;
	*fd = -1;
}

/* --- requests -------------------------------------------------------------------- */

static inline long create_domain(void)
{
	long domid = domains("create", 0);

	must(domid > 0);
	return domid;
}

static inline long prepare(bool both, bool first)
{
	begin("creation of domains");
	o.domid = create_domain();
	o.doomed = both ? create_domain() : 0;
	begin("mapping of domains");
	if (!first)
		must(bind_and_map(o.domid, &o.fd, &o.p));
	if (both)
		must(bind_and_map(o.doomed, &o.doomed_fd, &o.doomed_p));
	return o.domid;
}

static inline void observe(void)
{
	begin("fork and exec");
	must(runs((char *[]){ "/bin/true", NULL }));
	begin("calls on another domain");
	must(use_domain(other_domid, GFN));
	begin("NARROW on another domain");
	must(narrows(other_domid));
	begin("calls on another descriptor of the domain");
	must(use_domain(o.domid, FIRST_GFN));
	if (!o.p)
		must(bind_and_map(o.domid, &o.fd, &o.p));
	begin("a killed NARROW of another descriptor of the domain");
	must(killed_narrow(o.domid));
	begin("a watch of XenStore");
	must(watch_round_trip());
	begin("dmopctl list");
	must(runs((char *[]){ "./dmopctl", "list", "-i", "0", NULL }));
	begin("the end of another domain: noticed");
	destroy_and_notice(o.doomed);
	begin("the end of another domain: revoked");
	await_revocation(o.doomed_fd, o.doomed_p);
	begin("the end of another domain: gone");
	await_free(o.doomed);
	begin("the end of the domain: noticed");
	destroy_and_notice(o.domid);
	begin("the end of the domain: revocation of another descriptor");
	await_revocation(o.fd, o.p);
}

static inline void end(void)
{
	begin("the end of the domain: noticed");
	destroy_and_notice(o.domid);
	begin("the end of the domain: revocation of another descriptor");
	await_revocation(o.fd, o.p);
}

/* A number becomes free soon after the revocation, or only when the call ends. */
#define REUSE_TRIES	30

static inline long reuse(unsigned int tries)
{
	long ret = -EEXIST;

	begin("a domain with the number of the call's");
	while (tries-- && ret == -EEXIST) {
		ret = domains("create", o.domid);
		if (ret == -EEXIST)
			usleep(10000);
	}
	return ret == o.domid ? 0 : ret;
}

static inline void close_all(void)
{
	close_mapping(&o.fd, &o.p);
	close_mapping(&o.doomed_fd, &o.doomed_p);
}

static inline void wait_free(void)
{
	begin("the last of the domain");
	await_free(o.domid);
	begin("close");
	close_all();
}

static inline void reset(void)
{
	begin("destruction of domains");
	close_all();
	destroy_domain(o.domid);
	destroy_domain(o.doomed);
}

static inline void observer_main(int requests, int answers)
{
	char request;
	long answer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	o.fd = o.doomed_fd = -1;
	o.unbound = dmop_open();
	o.xenbus = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
	must(o.unbound >= 0 && o.xenbus >= 0 && domains_start());
	while (read(requests, &request, 1) == 1) {
		answer = 0;
		switch (request) {
		case R_PREPARE:
			answer = prepare(false, false);
			break;
		case R_PREPARE_BOTH:
			answer = prepare(true, false);
			break;
		case R_PREPARE_FIRST:
			answer = prepare(true, true);
			break;
		case R_OBSERVE:
			observe();
			break;
		case R_END:
			end();
			break;
		case R_REUSE:
			answer = reuse(REUSE_TRIES);
			break;
		case R_REUSE_WAIT:
			answer = reuse(-1);
			break;
		case R_SERVERS:
			answer = ioreq_mask(o.unbound, o.domid);
			break;
		case R_FREE:
			wait_free();
			break;
		case R_RESET:
			reset();
			break;
		}
		begin("nothing");
		if (write(answers, &answer, sizeof(answer)) != sizeof(answer))
			_exit(1);
	}
	_exit(0);
}

/* --- in the process of the test ------------------------------------------------------ */

static inline bool observer_start(struct observer *ob)
{
	int requests[2], answers[2];

	ob->shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ob->shared == MAP_FAILED || pipe2(requests, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		return false;
	ob->pid = fork();
	if (!ob->pid) {
		o.shared = ob->shared;
		close(requests[1]);
		close(answers[0]);
		observer_main(requests[0], answers[1]);
	}
	close(requests[0]);
	close(answers[1]);
	ob->requests = requests[1];
	ob->answers = answers[0];
	return ob->pid > 0;
}

static inline void show_lines(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		printf("#	%s", line);
	if (f)
		fclose(f);
}

/* Shows where in the kernel a process and its descendants are. */
static inline void show_stacks(pid_t pid)
{
	char path[64];
	int child;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	show_lines(path);
	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	show_lines(path);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &child) == 1)
		show_stacks(child);
	if (f)
		fclose(f);
}

/* Return: true if the answer came in time; else the action that hangs is in @ob->shared. */
static inline bool observer_answers(struct observer *ob, long *answer, unsigned int seconds)
{
	struct pollfd p = { .fd = ob->answers, .events = POLLIN };

	return poll(&p, 1, seconds * 1000) == 1 &&
	       read(ob->answers, answer, sizeof(*answer)) == sizeof(*answer);
}

static inline bool observer_asked(struct observer *ob, char request, long *answer,
				  unsigned int seconds)
{
	ob->shared->failed = false;
	return write(ob->requests, &request, 1) == 1 && observer_answers(ob, answer, seconds);
}

#endif /* DMOP_STALL_OBSERVER_H */
