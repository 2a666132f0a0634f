// SPDX-License-Identifier: GPL-2.0
/*
 * map_resource_test.c - mapped resources of the target domain: ioreq servers and the grant table
 */
#include "mapping.h"

/* --- resources --------------------------------------------------------- */

TEST_F(map, resource_of_an_ioreq_server)
{
	long id = ioreq_create(self->bound, target_domid);
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = RESOURCE_IOREQ_SERVER, .id = id,
	};
	char *p = area(self->bound, 1, PROT_READ | PROT_WRITE);
	char *q = area(self->observer, 1, PROT_READ | PROT_WRITE);

	ASSERT_LE(0, id);
	EXPECT_EQ(0, resource_map(self->bound, &r));
	EXPECT_LT(0, r.num);

	r.idx = FRAME_IOREQ;
	r.num = 1;
	r.addr = (unsigned long)p;
	ASSERT_EQ(0, resource_map(self->bound, &r));
	EXPECT_EQ(-EINVAL, resource_map(self->bound, &r));
	r.addr = (unsigned long)q;
	EXPECT_EQ(-EINVAL, resource_map(self->bound, &r));
	ASSERT_EQ(0, resource_map(self->observer, &r));
	strcpy(p, "ioreq");
	EXPECT_STREQ("ioreq", q);
	EXPECT_EQ(0, munmap(p, PAGE));
	EXPECT_EQ(0, munmap(q, PAGE));
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(0, ioreq_destroy(self->bound, target_domid, id));
}

/* Many frames in one call. The grant table grows to have as many. */
TEST_F(map, resource_of_more_frames)
{
	static const unsigned int numbers[] = { 6, 20 };
	struct dmop_mmap_resource r = { .dom = target_domid, .type = RESOURCE_GRANT_TABLE };
	unsigned int i, n;

	for (n = 0; n < ARRAY_SIZE(numbers); n++) {
		char *p = area(self->bound, numbers[n], PROT_READ);

		r.num = numbers[n];
		r.addr = (unsigned long)p;
		ASSERT_EQ(0, resource_map(self->bound, &r));
		EXPECT_EQ(r.num, mapped_frames(self->bound));
		for (i = 0; i < r.num; i++)
			EXPECT_EQ(0, touch(p + i * PAGE, false));
		EXPECT_EQ(0, munmap(p, r.num * PAGE));
		EXPECT_EQ(0, mapped_frames(self->bound));
	}
}

/* A query of the size needs no area. */
TEST_F(map, resource_size)
{
	long id = ioreq_create(self->bound, target_domid);
	char *pages = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct dmop_mmap_resource *r = (void *)pages;
	long ret;

	ASSERT_LE(0, id);
	ASSERT_NE(MAP_FAILED, pages);
	*r = (struct dmop_mmap_resource){ .dom = target_domid, .type = RESOURCE_IOREQ_SERVER, .id = id };
	EXPECT_EQ(0, resource_map(self->bound, r));
	EXPECT_LT(0, r->num);

	/* An unknown type. A failed call writes nothing. */
	r->num = 0;
	r->type = 0xffff;
	ret = resource_map(self->bound, r);
	/* Some releases of Xen return no error for a query of the size. */
	EXPECT_TRUE(ret ? !r->num : r->num);

	r->num = 0;
	r->type = RESOURCE_IOREQ_SERVER;
	ASSERT_EQ(0, mprotect(pages, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, resource_map(self->bound, r));
	EXPECT_EQ(0, r->num);
	EXPECT_EQ(0, munmap(pages, PAGE));
	EXPECT_EQ(0, ioreq_destroy(self->bound, target_domid, id));
}

TEST_F(map, resource_that_cannot_be_mapped)
{
	char *p = area(self->bound, 2, PROT_READ | PROT_WRITE);
	struct dmop_mmap_resource r = {
		.dom = target_domid, .type = RESOURCE_IOREQ_SERVER, .id = 7,
		.idx = FRAME_IOREQ, .num = 2, .addr = (unsigned long)p,
	};
	struct dmop_mmap_resource bad;

	EXPECT_GT(0, resource_map(self->bound, &r));
	EXPECT_EQ(0, mapped_frames(self->bound));
	EXPECT_EQ(SIGBUS, touch(p, false));

	bad = r;
	bad.num = 0;
	EXPECT_EQ(-EINVAL, resource_map(self->bound, &bad));
	bad = r;
	bad.addr = 0;
	EXPECT_EQ(-EINVAL, resource_map(self->bound, &bad));
	bad = r;
	bad.type |= 1U << 16;
	EXPECT_EQ(-EINVAL, resource_map(self->bound, &bad));
	bad = r;
	bad.num = 1ULL << 32 | 2;
	EXPECT_EQ(-E2BIG, resource_map(self->bound, &bad));
	bad.num = DMOP_RESOURCE_NUM_MAX + 1;
	EXPECT_EQ(-E2BIG, resource_map(self->bound, &bad));
	bad.num = DMOP_RESOURCE_NUM_MAX;
	EXPECT_EQ(-EINVAL, resource_map(self->bound, &bad));
	bad = r;
	bad.num = 1;
	EXPECT_EQ(-EINVAL, resource_map(self->bound, &bad));
	bad = r;
	bad.addr = (unsigned long)p | 1;
	EXPECT_EQ(-EINVAL, resource_map(self->bound, &bad));

	/* The result of Xen for an absent domain is the same in every kind of dom0. */
	bad = r;
	bad.dom = DMOP_DOMID_MAX;
	bad.addr = (unsigned long)area(self->observer, 2, PROT_READ | PROT_WRITE);
	EXPECT_EQ(-ESRCH, resource_map(self->observer, &bad));

	/* The area can still be mapped. */
	EXPECT_EQ(0, map(self->bound, target_domid, p, 2, self->gfns, self->errs));
	EXPECT_EQ(0, touch(p, true));
}

int main(int argc, char **argv)
{
	return dmop_test_run(argc, argv);
}
