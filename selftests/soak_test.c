// SPDX-License-Identifier: GPL-2.0
/*
 * soak_test.c - an hour of many device models that bind, call, map and are killed
 *
 * Domains come and go meanwhile. The memory held by the kernel is compared with that before.
 *
 * DMOP_SECONDS=N: the duration. `make soak` runs this program.
 */
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include "command.h"
#include "domains.h"

#define NR_PROCESSES	64
#define NR_DOMAINS	16

/* Counters of one process and its successors. */
struct counts {
	unsigned long bound, calls, refusals, revocations, frames, late, wrong;
	int line;		/* of the last wrong result */
	long ret;
};

struct soak {
	volatile int stop;
	volatile __u16 domids[NR_DOMAINS];	/* 0: no domain */
	struct counts counts[NR_PROCESSES];
};

static struct soak *soak;

/* --- a device model ------------------------------------------------------ */

/*
 * One open file, and its expected state.
 *
 * @refusals: the expected counter in INFO
 */
struct model {
	struct counts *c;
	int fd;
	__u16 domid;
	char *frames;
	unsigned int nr;
	__u64 refusals;
	bool gone;
};

/* Records the line and the value of a wrong result. The test then fails at its end. */
#define RIGHT(m, condition, value) do {					\
	if (!(condition)) {						\
		(m)->c->wrong++;					\
		(m)->c->line = __LINE__;				\
		(m)->c->ret = (value);					\
	}								\
} while (0)

/* Any result other than @expected is wrong, except for -ESRCH: the domain may end at any time. */
static void expect(struct model *m, long expected, long ret)
{
	if (ret == -ESRCH)
		m->gone = true;
	else
		RIGHT(m, ret == expected, ret);
}

static __u16 another(const struct model *m)
{
	return m->domid == target_domid ? other_domid : target_domid;
}

static void refused(struct model *m, long ret)
{
	expect(m, -EPERM, ret);
	if (ret != -EPERM)
		return;
	m->refusals++;
	m->c->refusals++;
}

static void unmap_all(struct model *m)
{
	if (m->frames)
		RIGHT(m, !munmap(m->frames, m->nr * PAGE), errno);
	m->frames = NULL;
}

static void map_some(struct model *m)
{
	__u64 gfns[NR_FRAMES];
	int errs[NR_FRAMES] = { };
	unsigned int i;
	long ret;

	unmap_all(m);
	m->nr = 1 + rand() % NR_FRAMES;
	m->frames = area(m->fd, m->nr, PROT_READ | PROT_WRITE);
	if (m->frames == MAP_FAILED) {
		m->frames = NULL;
		expect(m, 0, -errno);
		return;
	}
	for (i = 0; i < m->nr; i++)
		gfns[i] = GFN + i;
	ret = map(m->fd, m->domid, m->frames, m->nr, gfns, errs);
	/* In a dying domain single frames fail. */
	for (i = 0; !ret && i < m->nr; i++)
		ret = errs[i];
	if (ret) {
		/* The only allowed cause is the end of the domain. end() verifies it. */
		m->c->late++;
		m->gone = true;
		unmap_all(m);
		return;
	}
	m->c->frames += m->nr;
}

static void step(struct model *m)
{
	struct dmop_info info;
	int sig;

	switch (rand() % 8) {
	case 0:
	case 1:
	case 2:
		expect(m, -EOPNOTSUPP, unknown_op(m->fd, m->domid));
		m->c->calls++;
		break;
	case 3:
		expect(m, -EOPNOTSUPP, unknown_batch(m->fd, m->domid));
		m->c->calls++;
		break;
	case 4:
		refused(m, unknown_op(m->fd, another(m)));
		break;
	case 5:
		refused(m, dmop_hypercall(m->fd, DMOP_HYPERCALL_NR + 1, m->domid, 0, NULL));
		break;
	case 6:
		map_some(m);
		break;
	case 7:
		if (!m->frames)
			break;
		sig = touch(m->frames + rand() % m->nr * PAGE, true);
		RIGHT(m, !sig || sig == SIGBUS, sig);
		m->gone |= sig == SIGBUS;
		break;
	}
	RIGHT(m, !dmop_info(m->fd, &info), 0);
	RIGHT(m, info.refused_policy == m->refusals, info.refused_policy);
	RIGHT(m, info.domid == m->domid, info.domid);
}

/* The domain has ended, and the file must be revoked. */
static void end(struct model *m)
{
	unsigned int events = wait_for_end(m->fd);

	RIGHT(m, events == THE_END, events);
	RIGHT(m, dmop_state(m->fd) == DMOP_STATE_REVOKED, 0);
	RIGHT(m, unknown_op(m->fd, m->domid) == -ESRCH, 0);
	RIGHT(m, !m->frames || touch_until_gone(m->frames) == SIGBUS, 0);
	m->c->revocations++;
}

static void pause_some(void)
{
	usleep(1000 + rand() % 200000);
}

static void serve_one(struct counts *c)
{
	struct model m = { .c = c, .domid = soak->domids[rand() % NR_DOMAINS] };
	int steps = rand() % 100;

	pause_some();
	if (!m.domid)
		return;
	m.fd = dmop_open_bound(m.domid);
	if (m.fd < 0) {
		RIGHT(&m, m.fd == -ESRCH, m.fd);
		c->late++;
		return;
	}
	c->bound++;
	while (!m.gone && !soak->stop && steps--) {
		step(&m);
		pause_some();
	}
	if (m.gone)
		end(&m);
	/* Some files are closed before their mapping is removed. */
	if (rand() % 2)
		unmap_all(&m);
	close(m.fd);
	unmap_all(&m);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* --- starved and throttled processes ----------------------------------------- */

#define NR_BUSY	4
#define CGROUP	"/sys/fs/cgroup/dmop-soak"

static pid_t busy[NR_BUSY];

/* They take each processor from those with SCHED_IDLE, and little from all others. */
static bool busy_start(void)
{
	unsigned int i;

	for (i = 0; i < NR_BUSY; i++) {
		busy[i] = fork();
		if (!busy[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			setpriority(PRIO_PROCESS, 0, 19);
			for (;;)
				;
		}
		if (busy[i] < 0)
			return false;
	}
	return run("echo +cpu >/sys/fs/cgroup/cgroup.subtree_control && mkdir -p " CGROUP
		   " && echo '20000 1000000' >" CGROUP "/cpu.max");
}

/* The processes have to end in time. */
static bool busy_end(void)
{
	unsigned int i;

	for (i = 0; i < NR_BUSY; i++) {
		kill(busy[i], SIGKILL);
		waitpid(busy[i], NULL, 0);
	}
	return run("echo max >" CGROUP "/cpu.max");
}

/* Of four processes one is starved, and one is in a control group with a fiftieth of a processor. */
static bool hamper(unsigned int i)
{
	struct sched_param param = { };

	switch (i % 4) {
	case 0:
		return !sched_setscheduler(0, SCHED_IDLE, &param);
	case 1:
		return run("echo %d >" CGROUP "/cgroup.procs", getpid());
	default:
		return true;
	}
}

static pid_t process_start(unsigned int i)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!hamper(i))
		_exit(1);
	srand(getpid());
	while (!soak->stop)
		serve_one(&soak->counts[i]);
	_exit(0);
}

/* --- domains, signals and kills -------------------------------------------- */

static void domain_name(char *name, size_t size, unsigned int i)
{
	snprintf(name, size, PREFIX "%u", i);
}

static bool domain_start(unsigned int i)
{
	char name[64];
	long domid;

	domain_name(name, sizeof(name), i);
	domid = create(name);
	soak->domids[i] = domid > 0 ? domid : 0;
	return domid > 0;
}

/* The domid stays in @domids for a while, so some processes try to bind too late. */
static bool domain_end(unsigned int i)
{
	char name[64];

	domain_name(name, sizeof(name), i);
	return destroy(name);
}

struct done {
	unsigned long domains, killed, signals;
};

/* Sends signals, kills processes, and replaces one domain after another, for @seconds. */
static void run_for(struct __test_metadata *const _metadata, long seconds, struct done *done)
{
	pid_t pids[NR_PROCESSES];
	time_t until;
	unsigned int i;
	int status;

	/* Set before fork(), because a process may get a signal as soon as it exists. */
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL);
	soak->stop = 0;
	for (i = 0; i < NR_DOMAINS; i++)
		ASSERT_TRUE(domain_start(i));
	ASSERT_TRUE(busy_start());
	for (i = 0; i < NR_PROCESSES; i++) {
		pids[i] = process_start(i);
		ASSERT_LT(0, pids[i]);
	}
	until = time(NULL) + seconds;
	while (time(NULL) < until) {
		unsigned int n;

		for (n = 0; n < 8; n++) {
			kill(pids[rand() % NR_PROCESSES], SIGUSR1);
			done->signals++;
		}
		i = rand() % NR_PROCESSES;
		kill(pids[i], SIGSTOP);
		n = rand() % NR_DOMAINS;
		ASSERT_TRUE(domain_end(n));
		ASSERT_TRUE(domain_start(n));
		done->domains++;
		kill(pids[i], SIGCONT);
		done->signals += 2;

		for (n = 0; n < 4; n++) {
			i = rand() % NR_PROCESSES;
			kill(pids[i], SIGKILL);
			ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
			ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
				TH_LOG("process %u ended by itself: %#x", i, status);
			}
			pids[i] = process_start(i);
			ASSERT_LT(0, pids[i]);
			done->killed++;
		}
	}
	soak->stop = 1;
	EXPECT_TRUE(busy_end());
	for (i = 0; i < NR_PROCESSES; i++)
		EXPECT_TRUE(ends_well_in_time(pids[i]));
	for (i = 0; i < NR_DOMAINS; i++)
		EXPECT_TRUE(domain_end(i));
	EXPECT_TRUE(no_zombies());
	EXPECT_TRUE(run("rmdir " CGROUP));
}

static struct counts all_counts(void)
{
	struct counts all = { };
	unsigned int i;

	for (i = 0; i < NR_PROCESSES; i++) {
		const struct counts *c = &soak->counts[i];

		all.bound += c->bound;
		all.calls += c->calls;
		all.refusals += c->refusals;
		all.revocations += c->revocations;
		all.frames += c->frames;
		all.late += c->late;
		all.wrong += c->wrong;
		if (c->wrong)
			printf("# process %u, line %d: %ld; wrong %lu times\n", i, c->line, c->ret, c->wrong);
	}
	return all;
}

/* Compares memory, objects (open files among them) and references with those after a short run. */
TEST_F(lifetime, soak)
{
	const char *text = getenv("DMOP_SECONDS");
	long seconds = text ? atol(text) : 60, references = refcount();
	struct memory before, now;
	struct done done = { };
	struct counts all;

	ASSERT_LT(0, seconds);
	soak = mmap(NULL, sizeof(*soak), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, soak);
	run_for(_metadata, 1 + seconds / 20, &done);
	before = memory_now(BEFORE);
	ASSERT_LT(0, before.used);
	EXPECT_EQ(references, refcount());
	EXPECT_EQ(0, all_counts().wrong);

	memset(soak->counts, 0, sizeof(soak->counts));
	memset(&done, 0, sizeof(done));
	run_for(_metadata, seconds, &done);
	now = memory_now(NOW);
	ASSERT_LT(0, now.used);
	all = all_counts();
	printf("# soak: %ld s, %u processes, %u of them starved and %u throttled, %u domains at a time\n",
	       seconds, NR_PROCESSES, NR_PROCESSES / 4, NR_PROCESSES / 4, NR_DOMAINS);
	printf("# soak: %lu domains destroyed and made, %lu processes killed, %lu signals\n",
	       done.domains, done.killed, done.signals);
	printf("# soak: %lu files bound, %lu calls, %lu refused, %lu frames mapped\n",
	       all.bound, all.calls, all.refusals, all.frames);
	printf("# soak: %lu files revoked in their process's hands, %lu calls came too late for their domain\n",
	       all.revocations, all.late);
	printf("# soak: memory in use %+ld KiB, per-CPU %+ld KiB; references %+ld\n",
	       now.used - before.used, now.percpu - before.percpu, refcount() - references);

	EXPECT_EQ(0, all.wrong);
	EXPECT_LT(0, all.calls);
	EXPECT_LT(0, all.refusals);
	EXPECT_LT(0, all.revocations);
	EXPECT_LT(0, all.frames);
	EXPECT_LT(0, done.domains);
	EXPECT_EQ(references, refcount());
	/*
	 * Detects a leak of an object or a page for each killed process, once there are more of
	 * them than the thousand names and files that come and go. rounds_test detects a leak for
	 * each domain.
	 */
	EXPECT_EQ(0, grown(BEFORE, NOW, done.killed > 2000 ? done.killed : 2000));
	EXPECT_GT(1024 + 2 * (long)done.killed, now.used - before.used);
	EXPECT_GT(64 + (long)done.domains / 2, now.percpu - before.percpu);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
