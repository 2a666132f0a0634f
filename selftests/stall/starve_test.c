// SPDX-License-Identifier: GPL-2.0
/*
 * starve_test.c - a device model that is starved, throttled or stopped holds up nobody else
 *
 * These are the means of a real system, without stall.ko. A process issues all calls in a loop. It
 * is then hampered, and another process observes as in stall_test.c. At which point the process is
 * at that moment is left to chance, so each means has several rounds.
 */
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "observer.h"

#define ROUNDS	5

static struct observer observer;

/* --- a process that issues all calls ------------------------------------------------ */

/* Shared with it. */
static volatile unsigned int *rounds_done;

static bool all_calls(__u16 domid)
{
	enum call_number nr;

	for (nr = MMAP; nr < ARRAY_SIZE(calls); nr++) {
		struct issuer i = { .domid = domid, .fd = -1 };

		if (!windows_open(&i))
			return false;
		if (calls[nr].prepare(&i)) {
			calls[nr].issue(&i);
			ioreq_destroy_all(i.fd, domid);
		}
		if (i.area && i.area != MAP_FAILED)
			munmap(i.area, MANY * PAGE);
		close(i.fd);
		munmap(i.fill, WINDOWS * WINDOW);
		munmap(i.use, WINDOWS * WINDOW);
	}
	(*rounds_done)++;
	return true;
}

static pid_t caller_process(__u16 domid)
{
	pid_t pid;

	*rounds_done = 0;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (all_calls(domid))
			;
		_exit(1);
	}
	return pid;
}

/* It is in the middle of its work. */
static bool has_begun(pid_t pid)
{
	int i;

	for (i = 0; i < 60000 && *rounds_done < 2; i++)
		usleep(1000);
	return pid > 0 && *rounds_done >= 2;
}

static bool is_killed(pid_t pid)
{
	struct victim v = { .pid = pid, .results = -1, .leave = -1 };

	return victim_end(&v, true);
}

/* --- means ----------------------------------------------------------------------------- */

static bool pin(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(pid, sizeof(set), &set);
}

/* Beside so many threads, one with SCHED_IDLE gets a thousandth of a processor. */
#define BUSY	8

static pid_t busy[BUSY];

static bool starve(pid_t pid)
{
	int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1, i;
	struct sched_param param = { };

	if (!pin(pid, cpu) || sched_setscheduler(pid, SCHED_IDLE, &param))
		return false;
	for (i = 0; i < BUSY; i++) {
		busy[i] = fork();
		if (!busy[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pin(0, cpu);
			for (;;)
				;
		}
		if (busy[i] < 0)
			return false;
	}
	/* The observer shares no processor with them, if there is a second one. */
	return !cpu || pin(observer.pid, 0);
}

static void feed(void)
{
	int i;

	for (i = 0; i < BUSY; i++) {
		if (busy[i] > 0) {
			kill(busy[i], SIGKILL);
			waitpid(busy[i], NULL, 0);
		}
		busy[i] = 0;
	}
}

#define CGROUP	"/sys/fs/cgroup/dmop-starve"

static bool limit(pid_t pid, const char *controller, const char *file, const char *value)
{
	return run("echo +%s >/sys/fs/cgroup/cgroup.subtree_control && mkdir -p " CGROUP, controller) &&
	       run("echo '%s' >" CGROUP "/%s && echo %d >" CGROUP "/cgroup.procs", value, file, pid);
}

static bool throttle(pid_t pid)
{
	return limit(pid, "cpu", "cpu.max", "1000 1000000");
}

/* A killed process needs some time of a processor to end. */
static void accelerate(void)
{
	run("echo max >" CGROUP "/cpu.max");
}

static bool squeeze(pid_t pid)
{
	return limit(pid, "memory", "memory.high", "0");
}

static bool freeze(pid_t pid)
{
	return limit(pid, "cpu", "cgroup.freeze", "1");
}

static void no_cgroup(void)
{
	int i;

	for (i = 0; i < 1000 && rmdir(CGROUP); i++)
		usleep(10000);
}

static bool halt(pid_t pid)
{
	return !kill(pid, SIGSTOP);
}

static bool none(pid_t pid)
{
	return pid > 0;
}

static void nothing(void)
{
}

struct means {
	bool (*hamper)(pid_t pid);
	void (*end)(void);
};

static bool one_round(const struct means *m)
{
	long domid, answer;
	bool ok, hung;
	pid_t pid;

	if (!observer_asked(&observer, R_PREPARE_BOTH, &domid, PATIENCE) || observer.shared->failed)
		return false;
	pid = caller_process(domid);
	ok = has_begun(pid) && m->hamper(pid);
	/* Some time for it to get stuck. */
	usleep(200000);
	hung = ok && !observer_asked(&observer, R_OBSERVE, &answer, 2 * PATIENCE);
	if (hung) {
		printf("# waits: %s\n", observer.shared->action);
		show_stacks(observer.pid);
	} else if (observer.shared->failed) {
		printf("# an action of the observer failed\n");
	}
	ok = ok && !hung && !observer.shared->failed;
	m->end();
	if (!is_killed(pid)) {
		printf("# the killed process survives\n");
		return false;
	}
	if (hung && !observer_answers(&observer, &answer, PATIENCE))
		return false;
	ok = observer_asked(&observer, R_FREE, &answer, PATIENCE) && ok;
	no_cgroup();
	return ok;
}

FIXTURE(starve)
{
};

FIXTURE_VARIANT(starve)
{
	struct means means;
};

static bool start(void)
{
	rounds_done = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return rounds_done != MAP_FAILED && observer_start(&observer);
}

FIXTURE_SETUP(starve)
{
	ASSERT_TRUE(start());
}

FIXTURE_TEARDOWN(starve)
{
	feed();
	close(observer.requests);
	waitpid(observer.pid, NULL, 0);
}

FIXTURE_VARIANT_ADD(starve, idle) { .means = { starve, feed } };
FIXTURE_VARIANT_ADD(starve, cpu_max) { .means = { throttle, accelerate } };
FIXTURE_VARIANT_ADD(starve, memory_high) { .means = { squeeze, nothing } };
FIXTURE_VARIANT_ADD(starve, frozen) { .means = { freeze, nothing } };
FIXTURE_VARIANT_ADD(starve, stopped) { .means = { halt, nothing } };
FIXTURE_VARIANT_ADD(starve, at_large) { .means = { none, nothing } };

TEST_F(starve, holds_up_nobody)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_TRUE(one_round(&variant->means)) {
			TH_LOG("round %d", i);
		}
	}
}

/* --- user memory served by nobody -------------------------------------------------------- */

#define MOUNTED		"/tmp/dmop-starve"
#define FUSE_FILE	2	/* node of the one file */

static bool fuse_reply(int fd, __u64 unique, const void *body, size_t len)
{
	char message[512];
	struct fuse_out_header head = { .len = sizeof(head) + len, .unique = unique };

	memcpy(message, &head, sizeof(head));
	memcpy(message + sizeof(head), body, len);
	return write(fd, message, head.len) == (ssize_t)head.len;
}

static struct fuse_attr file_attr(__u64 node)
{
	return (struct fuse_attr){
		.ino = node, .nlink = 1,
		.mode = node == FUSE_FILE ? S_IFREG | 0600 : S_IFDIR | 0700,
		.size = node == FUSE_FILE ? WINDOW : 0,
	};
}

/* A file system whose one file can be opened and mapped. No read of it is answered. */
static void serve(int fd)
{
	static char buf[1 << 17];

	while (read(fd, buf, sizeof(buf)) > 0) {
		struct fuse_in_header *in = (void *)buf;
		struct fuse_init_out init = {
			.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096,
		};
		struct fuse_entry_out entry = {
			.nodeid = FUSE_FILE, .attr_valid = 1000, .entry_valid = 1000,
			.attr = file_attr(FUSE_FILE),
		};
		struct fuse_attr_out attr = { .attr_valid = 1000, .attr = file_attr(in->nodeid) };
		struct fuse_open_out open = { };

		switch (in->opcode) {
		case FUSE_INIT:
			fuse_reply(fd, in->unique, &init, sizeof(init));
			break;
		case FUSE_LOOKUP:
			fuse_reply(fd, in->unique, &entry, sizeof(entry));
			break;
		case FUSE_GETATTR:
			fuse_reply(fd, in->unique, &attr, sizeof(attr));
			break;
		case FUSE_OPEN:
			fuse_reply(fd, in->unique, &open, sizeof(open));
			break;
		default:
			break;
		}
	}
	_exit(0);
}

/* Return: the process that serves it. */
static pid_t fuse_start(void)
{
	char options[128];
	pid_t pid;
	int fd;

	run("modprobe -q fuse");
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	mkdir(MOUNTED, 0700);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40700,user_id=0,group_id=0", fd);
	if (fd < 0 || mount("starve", MOUNTED, "fuse", MS_NOSUID | MS_NODEV, options))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fd);
	}
	close(fd);
	return pid;
}

/*
 * A request that the server has read is waited for even by a killed process, until the server
 * answers or ends. The server is the device model's own.
 */
static void fuse_end(pid_t server)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	umount2(MOUNTED, MNT_DETACH);
}

/* The windows of a call, one of them in that file. */
static pid_t stuck_process(const struct call *c, __u16 domid, enum window w)
{
	pid_t pid;

	*rounds_done = 0;
	pid = fork();
	if (!pid) {
		struct issuer i = { .domid = domid, .fd = -1 };
		int fd = open(MOUNTED "/file", O_RDWR | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fd < 0 || !windows_open(&i) || !c->prepare(&i) ||
		    mmap(use(&i, w), WINDOW, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
		    MAP_FAILED)
			_exit(2);
		*rounds_done = 1;
		c->issue(&i);
		_exit(3);
	}
	return pid;
}

static bool is_asleep(pid_t pid)
{
	char path[64], stat[256];
	int i;

	for (i = 0; i < 60000; i++) {
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = read(fd, stat, sizeof(stat) - 1);
		close(fd);
		stat[n > 0 ? n : 0] = 0;
		if (*rounds_done && (strstr(stat, ") D ") || strstr(stat, ") S ")))
			return true;
		usleep(1000);
	}
	return false;
}

static bool one_file(const struct call *c, enum window w)
{
	long domid, answer;
	pid_t pid, server;
	bool ok, hung;

	if (!observer_asked(&observer, R_PREPARE_BOTH, &domid, PATIENCE) || observer.shared->failed)
		return false;
	server = fuse_start();
	if (server <= 0)
		return false;
	pid = stuck_process(c, domid, w);
	ok = is_asleep(pid);
	hung = ok && !observer_asked(&observer, R_OBSERVE, &answer, PATIENCE);
	if (!ok) {
		printf("# %s: it does not wait for the file\n", c->name);
	} else if (hung) {
		printf("# %s: window %d: waits: %s\n", c->name, w, observer.shared->action);
		show_stacks(observer.pid);
	} else if (observer.shared->failed) {
		printf("# %s: window %d: an action of the observer failed\n", c->name, w);
	}
	ok = ok && !hung && !observer.shared->failed;
	kill(pid, SIGKILL);
	fuse_end(server);
	if (!is_killed(pid)) {
		printf("# the killed process survives\n");
		return false;
	}
	if (hung && !observer_answers(&observer, &answer, PATIENCE))
		return false;
	return observer_asked(&observer, R_FREE, &answer, PATIENCE) && ok;
}

TEST(file_without_answers)
{
	static const struct {
		enum call_number call;
		enum window w;
	} files[] = {
		{ INFO, W_ARG }, { RESTRICT, W_ARG }, { DM_OP, W_ARG }, { DM_OP, W_ARRAY },
		{ DM_OP, W_DATA }, { DM_OP_LARGE, W_MORE }, { HYPERCALL, W_ARRAY },
		{ BATCH, W_ARG }, { BATCH, W_ARRAY }, { MAP, W_ARG }, { MAP, W_ARRAY }, { MAP, W_OUT },
		{ MAP_RETRY, W_OUT }, { RESOURCE, W_ARG },
	};
	unsigned int i;

	ASSERT_TRUE(start());
	for (i = 0; i < ARRAY_SIZE(files); i++)
		EXPECT_TRUE(one_file(&calls[files[i].call], files[i].w));
	close(observer.requests);
	waitpid(observer.pid, NULL, 0);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
