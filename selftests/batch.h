/* SPDX-License-Identifier: GPL-2.0 */
/*
 * batch.h - the fixture of the batch programs, and how a test fills a batch
 */
#ifndef DMOP_TEST_BATCH_H
#define DMOP_TEST_BATCH_H

#include "dmop_test.h"

#define BAD_POINTER	((void *)8)
#define MAX_NR		DMOP_BATCH_NR_MAX

struct batch {
	struct dmop_batch head;
	char rest[DMOP_BATCH_BYTES_MAX];
};

static inline struct dmop_batch_op *ops_of(struct batch *b)
{
	return (struct dmop_batch_op *)b->rest;
}

static inline void batch_init(struct batch *b, __u32 domid, unsigned int nr)
{
	memset(b, 0, sizeof(b->head));
	b->head.size = sizeof(b->head);
	b->head.domid = domid;
	b->head.nr = nr;
	b->head.bytes = nr * sizeof(struct dmop_batch_op);
	memset(b->rest, 0, b->head.bytes);
}

/*
 * Appends buffer @buf of operation @i. Operations must be added in order. Return: its address in
 * the batch.
 */
static inline void *batch_add(struct batch *b, unsigned int i, unsigned int buf,
			      const void *data, size_t size)
{
	struct dmop_batch_op *op = &ops_of(b)[i];
	void *at = b->rest + b->head.bytes;

	op->size[buf] = size;
	op->result = POISON;
	memcpy(at, data, size);
	b->head.bytes += (size + 7) & ~7UL;
	return at;
}

static inline struct dm_op *batch_op(struct batch *b, unsigned int i, const struct dm_op *op)
{
	return batch_add(b, i, 0, op, sizeof(*op));
}

static inline long batch(int fd, struct batch *b)
{
	return do_ioctl(fd, DMOP_IOCTL_BATCH, b);
}

/* Fills the batch with @nr operations unknown to Xen. */
static inline void batch_unknown(struct batch *b, __u32 domid, unsigned int nr)
{
	const struct dm_op unknown = { .op = DM_OP_UNKNOWN };
	unsigned int i;

	batch_init(b, domid, nr);
	for (i = 0; i < nr; i++)
		batch_op(b, i, &unknown);
}

/* Fills the batch with operations @code, one for each of @nr ports. */
static inline void batch_ports(struct batch *b, __u16 domid, unsigned int nr, __u32 code,
			       __u16 server, __u64 first)
{
	unsigned int i;

	batch_init(b, domid, nr);
	for (i = 0; i < nr; i++) {
		struct dm_op op = ports_op(code, server, first + i, first + i);

		batch_op(b, i, &op);
	}
}

FIXTURE(batch)
{
	int bound;		/* to the target */
	int observer;		/* unbound, privileged */
	long server;		/* on both domains */
	struct batch *b;
};

FIXTURE_SETUP(batch)
{
	self->bound = dmop_open_bound(target_domid);
	ASSERT_LE(0, self->bound);
	self->observer = dmop_open();
	ASSERT_LE(0, self->observer);
	self->server = ioreq_create_on_both(self->observer);
	ASSERT_LE(0, self->server);
	self->b = malloc(sizeof(*self->b));
	ASSERT_NE(NULL, self->b);
}

FIXTURE_TEARDOWN(batch)
{
	ioreq_destroy_all(self->observer, target_domid);
	ioreq_destroy_all(self->observer, other_domid);
	close(self->bound);
	close(self->observer);
	free(self->b);
}

#endif /* DMOP_TEST_BATCH_H */
