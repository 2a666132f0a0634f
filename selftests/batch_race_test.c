// SPDX-License-Identifier: GPL-2.0
/* batch_race_test.c - BATCH at the same time as RESTRICT, signals, kills, the end of the domain */
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "batch.h"
#include "command.h"
#include "hold.h"

#define DOOMED		"dmop-test-doomed"

/* --- a held batch ------------------------------------------------------ */

/*
 * The head lies in front of the page that holds the call. The test changes the head after the call
 * has read it.
 */
TEST_F(batch, reads_nothing_twice)
{
	struct hold hold;
	struct dmop_batch *head;
	struct caller c = { };

	ASSERT_EQ(0, hold_init(&hold));
	batch_ports(self->b, target_domid, 20, DM_OP_MAP_IO_RANGE, self->server, 0x300);
	head = (struct dmop_batch *)hold.page - 1;
	*head = self->b->head;
	ASSERT_TRUE(caller_start(&c, self->observer, DMOP_IOCTL_BATCH, head));
	ASSERT_TRUE(hold_wait(&hold));
	head->domid = other_domid;
	head->nr = 1;
	head->bytes = 16;
	ASSERT_TRUE(hold_release(&hold, self->b->rest, self->b->head.bytes));
	EXPECT_EQ(20, caller_join(&c));
	EXPECT_EQ(1, ports_mapped(self->observer, target_domid, self->server, 0x313, 0x313));
	EXPECT_EQ(0, ports_mapped(self->observer, other_domid, self->server, 0x300, 0x313));
	hold_exit(&hold);
}

/* RESTRICT waits for a batch admitted before it. */
TEST_F(batch, is_waited_for)
{
	struct caller c = { }, restricter = { };
	struct dmop_batch *head;
	struct hold hold = { };
	long theirs = ioreq_create(self->observer, other_domid);
	int fd = dmop_open();

	ASSERT_LE(0, fd);
	ASSERT_LE(0, theirs);
	ASSERT_EQ(0, hold_init(&hold));
	batch_ports(self->b, other_domid, 20, DM_OP_MAP_IO_RANGE, theirs, 0x300);
	head = (struct dmop_batch *)hold.page - 1;
	*head = self->b->head;
	ASSERT_TRUE(caller_start(&c, fd, DMOP_IOCTL_BATCH, head));
	ASSERT_TRUE(hold_wait(&hold));
	ASSERT_TRUE(caller_start(&restricter, fd, DMOP_IOCTL_RESTRICT, &target_domid));
	EXPECT_TRUE(caller_asleep(&restricter)) {
		TH_LOG("RESTRICT returned %ld with a batch under way", restricter.ret);
	}
	EXPECT_EQ(DMOP_STATE_UNBOUND, dmop_state(fd));
	ASSERT_TRUE(hold_release(&hold, self->b->rest, self->b->head.bytes));
	EXPECT_EQ(20, caller_join(&c));
	EXPECT_EQ(0, caller_join(&restricter));
	EXPECT_EQ(1, ports_mapped(self->observer, other_domid, theirs, 0x313, 0x313));
	EXPECT_EQ(DMOP_STATE_BOUND, dmop_state(fd));
	EXPECT_EQ(0, ioreq_destroy(self->observer, other_domid, theirs));
	close(fd);
	hold_exit(&hold);
}

/* A batch is decided on after its head is copied. A RESTRICT during the copy applies to it. */
TEST_F(batch, restricted_while_its_head_is_read)
{
	struct hold hold = { };
	struct caller c = { };
	int fd = dmop_open(), status;
	pid_t child;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, hold_init(&hold));
	batch_ports(self->b, other_domid, 20, DM_OP_MAP_IO_RANGE, self->server, 0x300);
	ASSERT_TRUE(caller_start(&c, fd, DMOP_IOCTL_BATCH, hold.page));
	ASSERT_TRUE(hold_wait(&hold));
	ASSERT_EQ(0, dmop_restrict(fd, target_domid));
	ASSERT_TRUE(hold_release(&hold, self->b, sizeof(self->b->head) + self->b->head.bytes));
	EXPECT_EQ(-EPERM, caller_join(&c));
	EXPECT_EQ(0, ports_mapped(self->observer, other_domid, self->server, 0x300, 0x313));
	close(fd);
	hold_exit(&hold);

	/* A caller killed while it is held issues no operation. */
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (hold_init(&hold))
			_exit(1);
		memset(&c, 0, sizeof(c));
		if (!caller_start(&c, self->bound, DMOP_IOCTL_BATCH, hold.page) || !hold_wait(&hold))
			_exit(1);
		raise(SIGKILL);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(0, dmop_calls(self->bound));
}

/* --- a batch that ends early ------------------------------------------- */

static volatile sig_atomic_t alarms;

static void on_alarm(int sig __attribute__((unused)))
{
	alarms++;
}

/* A signal with a handler does not end a batch early. */
TEST_F(batch, signals_do_not_end_it)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_interval.tv_usec = 200, .it_value.tv_usec = 200 };
	unsigned int i;

	ASSERT_EQ(0, sigaction(SIGALRM, &sa, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &soon, NULL));
	batch_unknown(self->b, target_domid, MAX_NR);
	for (i = 0; i < 200 || alarms < 20; i++)
		ASSERT_EQ(MAX_NR, batch(self->bound, self->b));
	memset(&soon, 0, sizeof(soon));
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* A killed caller has issued the first operations of its batch, and none after a gap. */
TEST_F(batch, killed)
{
	/* On one processor the killer does not run before the batch is done. */
	bool alone = one_processor();
	unsigned int round, port, partial = 0;

	/* Ends once three batches were cut short. Without the check for kills, none ever is. */
	for (round = 0; round < 40 || (!alone && partial < 3 && round < 2000); round++) {
		int status, ready[2];
		pid_t child;
		char c;

		ASSERT_EQ(0, pipe(ready));
		batch_ports(self->b, target_domid, MAX_NR, DM_OP_MAP_IO_RANGE, self->server, 0x300);
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			if (write(ready[1], "", 1) == 1)
				batch(self->bound, self->b);
			_exit(0);
		}
		ASSERT_EQ(1, read(ready[0], &c, 1));
		for (port = 0; port < round % 400 * 50; port++)
			asm volatile ("");
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		close(ready[0]);
		close(ready[1]);

		for (port = 0; port < MAX_NR; port++)
			if (ports_mapped(self->observer, target_domid, self->server,
					 0x300 + port, 0x300 + port) != 1)
				break;
		partial += port > 0 && port < MAX_NR;
		/* No later port is mapped. */
		EXPECT_EQ(0, ports_mapped(self->observer, target_domid, self->server,
					  0x300 + port, 0x3ff));
		batch_ports(self->b, target_domid, MAX_NR, DM_OP_UNMAP_IO_RANGE, self->server, 0x300);
		ASSERT_EQ(MAX_NR, batch(self->bound, self->b));
	}
	TH_LOG("%u of %u were killed half-way", partial, round);
	if (!alone)
		EXPECT_LT(0, partial);
}

static atomic_int dying_go;

struct dying {
	pthread_t thread;
	int fd;
	__u16 domid;
	unsigned int whole, partial;
	bool bad;
	long last;
};

/*
 * Issues batches until the domain has ended. Checks that no result follows the last operation
 * issued.
 */
static void *dying_main(void *data)
{
	struct batch *b = malloc(sizeof(*b));
	struct dying *d = data;
	long i;

	do {
		batch_unknown(b, d->domid, MAX_NR);
		d->last = batch(d->fd, b);
		atomic_store(&dying_go, 1);
		for (i = 0; i < MAX_NR; i++) {
			int result = ops_of(b)[i].result;

			if (i >= d->last)
				d->bad |= result != POISON;
			else
				d->bad |= result != -EOPNOTSUPP && result != -ESRCH;
		}
		if (d->last == MAX_NR)
			d->whole++;
		else if (d->last > 0)
			d->partial++;
	} while (d->last > 0);
	free(b);
	return NULL;
}

TEST_F(batch, revoked)
{
	struct dying d = { };
	long domid = create(DOOMED);

	ASSERT_LT(0, domid);
	d.domid = domid;
	d.fd = dmop_open_bound(d.domid);
	ASSERT_LE(0, d.fd);
	ASSERT_EQ(0, pthread_create(&d.thread, NULL, dying_main, &d));
	while (!atomic_load(&dying_go))
		sched_yield();
	EXPECT_TRUE(destroy(DOOMED));
	pthread_join(d.thread, NULL);
	EXPECT_EQ(-ESRCH, d.last);
	EXPECT_FALSE(d.bad);
	EXPECT_LT(0, d.whole);
	TH_LOG("%u whole, %u half-done", d.whole, d.partial);

	/* On a revoked file, only an unreadable argument is reported before ESRCH. */
	batch_unknown(self->b, other_domid, 2);
	self->b->head.flags = 1;
	EXPECT_EQ(-ESRCH, batch(d.fd, self->b));
	EXPECT_EQ(-EFAULT, do_ioctl(d.fd, DMOP_IOCTL_BATCH, BAD_POINTER));
	close(d.fd);
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
