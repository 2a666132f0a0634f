// SPDX-License-Identifier: GPL-2.0
/*
 * stall_test.c - a call stopped at each of its scheduling points holds up nobody else
 *
 * stall.ko stops the call at its Nth point, for N from 1 up, until it returns before the Nth. At
 * each stop another process uses the machine, other domains, and the same domain through another
 * descriptor. Then the call's domain is destroyed, and other descriptors of it are revoked. The
 * stopped process is killed, and its domain goes.
 */
#include "sweep.h"

static bool judge(struct sweep *w, struct victim *v, const struct stall_status *st)
{
	long answer;

	ask(w, st, R_OBSERVE, &answer);
	return stop_ends(w, v, st) && ask(w, st, R_FREE, &answer);
}

FIXTURE(stall)
{
};

FIXTURE_VARIANT(stall)
{
	enum call_number call;
};

FIXTURE_SETUP(stall)
{
}

FIXTURE_TEARDOWN(stall)
{
}

#define CALL(number, name)	FIXTURE_VARIANT_ADD(stall, name) { .call = number }

/* A call much like another; scripts/stall --few leaves it out. */
#ifdef FEW
#define ALIKE(number, name)
#else
#define ALIKE	CALL
#endif

CALL(OPEN, open);
CALL(CLOSE, close);
ALIKE(CLOSE_LAST, close_last);
ALIKE(POLL, poll);
CALL(MMAP, mmap);
CALL(MUNMAP, munmap);
CALL(INFO, info);
ALIKE(RESTRICT, restrict);
CALL(RESTRICT_FIRST, restrict_first);
CALL(DM_OP, dm_op);
ALIKE(DM_OP_LARGE, dm_op_large);
ALIKE(DM_OP_UNBOUND, dm_op_unbound);
ALIKE(REFUSED, refused);
ALIKE(HYPERCALL, hypercall);
CALL(BATCH, batch);
CALL(MAP, map);
ALIKE(MAP_RETRY, map_retry);
CALL(RESOURCE, resource);
ALIKE(RESOURCES, resources);
ALIKE(RESOURCE_SIZE, resource_size);
CALL(NARROW, narrow);
ALIKE(MAP_PIECES, map_pieces);
CALL(IRQFD, irqfd);
CALL(SERVE, serve);
ALIKE(SERVE_END, serve_end);
CALL(ANSWER, answer);
CALL(KICK, kick);
CALL(IOEVENTFD, ioeventfd);

TEST_F(stall, holds_up_nobody)
{
	const struct call *call = &calls[variant->call];

	sweep(_metadata, &(struct sweep){
		.call = call,
		.request = call->first ? R_PREPARE_FIRST : R_PREPARE_BOTH,
		.judge = judge,
	});
}

int main(int argc, char **argv)
{
	if (!judged_init())
		return KSFT_FAIL;
	return dmop_test_run(argc, argv);
}
