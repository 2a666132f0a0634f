// SPDX-License-Identifier: GPL-2.0
/*
 * kicks_test.c - the table of kicks, against a list that is searched from end to end
 *
 * The rules are stated a second time here, from the ABI in the header: which arguments are valid,
 * which accesses match a kick, which kicks collide. Tables are random, with a fixed seed, and
 * have exactly the size of their entries, so the sanitizer sees a search that goes beyond the end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kicks.h"
#include "tap.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static uint64_t failures;

static uint64_t state = 88172645463325252;

/* Return: a number below @n. */
static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state * 0x2545f4914f6cdd1d >> 11) % n;
}

/* --- arguments --------------------------------------------------------- */

/* Numbers from the ABI, not from the header under test. */
static bool is_valid(const struct dmop_kick *k)
{
	const bool port = k->flags >> 1 & 1, match = k->flags >> 2 & 1;
	const uint64_t last = port ? 0xffff : UINT64_MAX;
	unsigned int bit;

	if (k->flags > 7 || k->server > 65535)
		return false;
	if (k->len != 0 && k->len != 1 && k->len != 2 && k->len != 4 && k->len != 8)
		return false;
	if (k->addr > last || (k->len && k->len - 1 > last - k->addr))
		return false;
	if (!match)
		return k->datamatch == 0 && k->mask == 0;
	if (k->len == 0 || k->mask == 0)
		return false;
	for (bit = 0; bit < 64; bit++) {
		bool counts = k->mask >> bit & 1;

		if (counts && bit >= 8 * k->len)
			return false;
		if (!counts && k->datamatch >> bit & 1)
			return false;
	}
	return true;
}

static void check_argument(const struct dmop_kick *k)
{
	if (dmop_kicks_check(k) == is_valid(k) || failures++ >= 10)
		return;
	printf("# flags %#x server %u len %u addr %#llx match %#llx mask %#llx: expected %s\n", k->flags,
	       k->server, k->len, (unsigned long long)k->addr, (unsigned long long)k->datamatch,
	       (unsigned long long)k->mask, is_valid(k) ? "valid" : "invalid");
}

static const uint32_t lens[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 32, 64, 255, 256, 257, 1u << 16, 1u << 31,
	(1u << 31) + 1, UINT32_MAX,
};

static void test_flags_and_servers(void)
{
	static const uint32_t servers[] = { 0, 1, 2, 255, 256, 65534, 65535, 65536, 65537, 1u << 31, UINT32_MAX };
	static const uint64_t values[][2] = { { 0, 0 }, { 1, 1 }, { 0, 1 }, { 1, 0 } };
	unsigned int flags, i, j;

	failures = 0;
	for (flags = 0; flags < 40; flags++) {
		for (i = 0; i < ARRAY_SIZE(servers); i++) {
			for (j = 0; j < ARRAY_SIZE(values); j++) {
				struct dmop_kick k = {
					/* Numbers of one bit, from 8 on. */
					.flags = flags < 8 ? flags : 1u << (flags - 8), .server = servers[i],
					.len = 4, .datamatch = values[j][0], .mask = values[j][1],
					/* Not looked at. */
					.size = ~0U, .domid = ~0U, .fd = -1,
				};

				check_argument(&k);
				k.flags |= 4;
				check_argument(&k);
			}
		}
	}
	tap_result(!failures, "kicks: flags and servers");
}

static void test_addresses(void)
{
	static const uint64_t edges[] = { 0, 0x10000, 1ULL << 32, 1ULL << 48, 1ULL << 63 };
	unsigned int flags, i, j;
	int distance;

	failures = 0;
	for (flags = 0; flags < 8; flags++) {
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			for (j = 0; j < ARRAY_SIZE(edges); j++) {
				for (distance = -300; distance <= 300; distance++) {
					struct dmop_kick k = {
						.flags = flags, .len = lens[i], .addr = edges[j] + distance,
						.datamatch = flags >> 2, .mask = flags >> 2,
					};

					check_argument(&k);
				}
			}
		}
	}
	tap_result(!failures, "kicks: lengths and addresses");
}

static void test_masks(void)
{
	static const uint64_t masks[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1ff, 0xfffe, 0xffff, 0x10000, 0x1ffff, 0xffffffff,
		0x100000000, 0x1ffffffff, 1ULL << 63, 0x5555555555555555, UINT64_MAX,
	};
	unsigned int flags, i, j, bit;

	failures = 0;
	for (flags = 0; flags < 8; flags++) {
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			for (j = 0; j < ARRAY_SIZE(masks); j++) {
				for (bit = 0; bit < 64; bit++) {
					struct dmop_kick k = {
						.flags = flags, .len = lens[i], .addr = 0x100,
						.datamatch = 1ULL << bit, .mask = masks[j],
					};

					check_argument(&k);
					k.datamatch = masks[j] ^ 1ULL << bit;
					check_argument(&k);
					k.datamatch = masks[j];
					check_argument(&k);
					k.datamatch = 0;
					check_argument(&k);
					k.mask = 1ULL << bit;
					check_argument(&k);
				}
			}
		}
	}
	tap_result(!failures, "kicks: masks and data");
}

/* Each server has two spaces, which no other server has. */
static void test_spaces(void)
{
	static bool seen[1 << 17];
	uint32_t server, space;
	int port;

	failures = 0;
	for (server = 0; server <= 65535; server++) {
		for (port = 0; port < 2; port++) {
			space = dmop_kicks_space(server, port);
			if (space >= ARRAY_SIZE(seen) || seen[space])
				failures++;
			else
				seen[space] = true;
		}
	}
	tap_result(!failures, "kicks: spaces");
}

static void test_entries(void)
{
	struct dmop_kick_entry e;
	unsigned int flags;

	failures = 0;
	for (flags = 0; flags < 8; flags++) {
		struct dmop_kick k = {
			.flags = flags, .server = 65535 - flags, .len = 4, .addr = 0x1234567890,
			.datamatch = flags & 4 ? 0x50607080 : 0, .mask = flags & 4 ? 0xf0f0f0f0 : 0,
		};

		memset(&e, 0xff, sizeof(e));
		dmop_kicks_entry(&k, &e);
		failures += e.addr != k.addr || e.match != k.datamatch || e.mask != k.mask ||
			    e.len != 4 || e.eventfd || e.space != dmop_kicks_space(k.server, flags & 2);
	}
	tap_result(!failures, "kicks: entries");
}

/* --- accesses ---------------------------------------------------------- */

struct access {
	uint64_t addr, data;
	uint32_t space, size;
};

static bool matches(const struct dmop_kick_entry *e, const struct access *a)
{
	return e->space == a->space && e->addr == a->addr && (e->len == 0 || e->len == a->size) &&
	       !((e->match ^ a->data) & e->mask);
}

/* All entries with 3 bits of data, at two addresses in two spaces; and all accesses there. */
#define SMALL	8

/* Any length has no data. */
static bool is_small(const struct dmop_kick_entry *e)
{
	return !(e->match & ~e->mask) && (e->len || !e->mask);
}

static size_t small_entries(struct dmop_kick_entry *list)
{
	struct dmop_kick_entry e = { };
	unsigned int i;
	size_t nr = 0;

	for (i = 0; i < 2 * 2 * 3 * SMALL * SMALL; i++) {
		e.addr = i % 2;
		e.space = i / 2 % 2;
		e.len = i / 4 % 3;
		e.mask = i / 12 % SMALL;
		e.match = i / 12 / SMALL;
		if (is_small(&e))
			list[nr++] = e;
	}
	return nr;
}

static size_t small_accesses(struct access *list)
{
	struct access a;
	size_t nr = 0;

	for (a.addr = 0; a.addr < 2; a.addr++)
		for (a.space = 0; a.space < 2; a.space++)
			for (a.size = 1; a.size < 4; a.size++)
				for (a.data = 0; a.data < SMALL; a.data++)
					list[nr++] = a;
	return nr;
}

static void test_collisions(void)
{
	static struct dmop_kick_entry entries[512];
	static struct access accesses[128];
	size_t nr = small_entries(entries), nr_accesses = small_accesses(accesses), i, j, k;

	failures = nr > ARRAY_SIZE(entries) || nr_accesses > ARRAY_SIZE(accesses);
	for (i = 0; i < nr; i++) {
		for (j = 0; j < nr; j++) {
			const struct dmop_kick_entry *a = &entries[i], *b = &entries[j];
			bool both = false;

			for (k = 0; k < nr_accesses; k++)
				both |= matches(a, &accesses[k]) && matches(b, &accesses[k]);
			failures += dmop_kicks_collide(a, b) != both;
		}
	}
	tap_result(!failures, "kicks: collisions of %zu entries with each other", nr);
}

/* --- tables ------------------------------------------------------------ */

#define TABLES	4000

/* What the entries of a table are taken from: the fewer there are, the more have in common. */
struct kind {
	unsigned int addresses, servers, values;
	uint64_t base, stride;
};

static const uint32_t good_lens[] = { 0, 1, 2, 4, 8 };

static const uint64_t bases[] = { 0, 0x100, 0xff00, 0xfee00000, 0xfffffffffffff000 };

static struct kind any_kind(void)
{
	static const unsigned int few_or_many[] = { 1, 2, 3, 8, 40, 1000 };

	return (struct kind) {
		.addresses = few_or_many[below(ARRAY_SIZE(few_or_many))],
		.servers = few_or_many[below(3)],
		.values = few_or_many[below(ARRAY_SIZE(few_or_many))],
		.base = bases[below(ARRAY_SIZE(bases))],
		.stride = below(4) ? 1 + below(8) : 0x100000001,
	};
}

/* Most kicks at one address have the same mask for the same length. */
static uint64_t mask_of(uint64_t addr, uint32_t len)
{
	static const uint64_t masks[] = { 0xff, 0xffff, 0xf0f0f0f0f0f0f0f0, 0x8001800180018001, UINT64_MAX };
	uint64_t all = ~0ULL >> (64 - 8 * len);

	return (masks[(addr ^ addr >> 7 ^ len) % ARRAY_SIZE(masks)] & all) ?: all;
}

/* Return: false if the argument is not valid, such as a port that does not exist. */
static bool any_entry(const struct kind *kind, struct dmop_kick_entry *e)
{
	struct dmop_kick k = {
		.flags = below(2) ? 2 : 0,
		.server = 65535 - below(kind->servers),
		.len = good_lens[below(ARRAY_SIZE(good_lens))],
		.addr = kind->base + kind->stride * below(kind->addresses),
	};

	if (k.len && below(4)) {
		k.flags |= 4;
		k.mask = mask_of(k.addr, k.len);
		/* Sometimes another one, which may collide with the others. */
		if (!below(16))
			k.mask = 1 + below(255);
		/* Some low bits, and some in each byte. */
		k.datamatch = k.mask & (below(kind->values) * (below(2) ? 1 : 0x0101010101010101));
	}
	if (!dmop_kicks_check(&k))
		return false;
	dmop_kicks_entry(&k, e);
	return true;
}

/* Exactly as large as its entries need, as in module/kick.c. */
static struct dmop_kicks *create(unsigned int nr)
{
	struct dmop_kicks *t = calloc(1, sizeof(*t) + nr * sizeof(t->entries[0]));

	if (!t)
		abort();
	return t;
}

/* Return: a new table with the entries of @t, but for the one at @but, and with @e if there is one. */
static struct dmop_kicks *rebuild(struct dmop_kicks *t, unsigned int but,
				  const struct dmop_kick_entry *e)
{
	struct dmop_kicks *new = create(t->nr - (but < t->nr) + !!e);
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		if (i != but)
			dmop_kicks_add(new, &t->entries[i]);
	if (e)
		dmop_kicks_add(new, e);
	free(t);
	return new;
}

#define NONE	(~0U)

static bool collides(const struct dmop_kicks *t, const struct dmop_kick_entry *e)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		if (dmop_kicks_collide(&t->entries[i], e))
			return true;
	return false;
}

static void wrong(const char *what, const struct dmop_kicks *t, const struct dmop_kick_entry *e)
{
	if (failures++ < 10)
		printf("# %s, table of %u, space %#x addr %#llx len %u match %#llx mask %#llx\n", what, t->nr,
		       e->space, (unsigned long long)e->addr, e->len, (unsigned long long)e->match,
		       (unsigned long long)e->mask);
}

static void look_up(const struct dmop_kicks *t, const struct access *a)
{
	const struct dmop_kick_entry *want = NULL, *got;
	unsigned int i;

	for (i = 0; i < t->nr; i++) {
		if (matches(&t->entries[i], a)) {
			if (want)
				wrong("two entries match", t, &t->entries[i]);
			want = &t->entries[i];
		}
	}
	got = dmop_kicks_find(t, a->space, a->addr, a->size, a->data);
	if (got != want)
		wrong(want ? "not found" : "found", t, want ? want : got);
}

/* The access of an entry, and accesses that differ from it in one respect. */
static void look_up_around(const struct dmop_kicks *t, const struct dmop_kick_entry *e)
{
	static const uint32_t sizes[] = { 1, 2, 3, 4, 8, 9, 1u << 31, UINT32_MAX };
	const struct access hit = {
		.addr = e->addr, .data = e->match, .space = e->space, .size = e->len ?: 4,
	};
	struct access a = hit;
	unsigned int i;

	look_up(t, &a);
	/* Bits that do not count, and then all of them. */
	a.data |= ~e->mask;
	look_up(t, &a);
	a.data = below(UINT64_MAX);
	look_up(t, &a);
	a = hit;
	a.data ^= 1ULL << below(64);
	look_up(t, &a);
	for (a = hit, i = 0; i < ARRAY_SIZE(sizes); i++) {
		a.size = sizes[i];
		look_up(t, &a);
	}
	a = hit;
	a.addr++;
	look_up(t, &a);
	a.addr -= 2;
	look_up(t, &a);
	a.addr = hit.addr ^ 1ULL << below(64);
	look_up(t, &a);
	a = hit;
	a.space ^= 1;
	look_up(t, &a);
	a.space = hit.space ^ 1U << below(17);
	look_up(t, &a);
}

/* Fills a table until it is full or nothing new is found. */
static struct dmop_kicks *fill(struct dmop_kicks *t, const struct kind *kind, unsigned int most)
{
	struct dmop_kick_entry e;
	unsigned int tries;

	for (tries = 0; t->nr < most && tries < 4 * most; tries++)
		if (any_entry(kind, &e) && !collides(t, &e))
			t = rebuild(t, NONE, &e);
	return t;
}

/* In no order, each is removed. */
static struct dmop_kicks *empty(struct dmop_kicks *t)
{
	while (t->nr) {
		unsigned int i = below(t->nr);
		struct dmop_kick_entry e = t->entries[i];

		t = rebuild(t, i, NULL);
		if (t->nr % 16 == 0)
			look_up_around(t, &e);
	}
	return t;
}

static void test_tables(void)
{
	static const struct dmop_kick_entry none;
	unsigned int sizes[] = { 0, 0, 0 }, i, n;

	failures = 0;
	for (n = 0; n < TABLES && failures < 10; n++) {
		struct dmop_kicks *t = create(0);
		const struct kind kind = any_kind();

		t = fill(t, &kind, n % 4 ? 1 + below(256) : 256);
		for (i = 0; i < 32 && t->nr; i++)
			look_up_around(t, &t->entries[t->nr <= 32 ? i % t->nr : below(t->nr)]);
		look_up_around(t, &none);
		sizes[t->nr == 256 ? 2 : t->nr > 16]++;
		t = empty(t);
		look_up_around(t, &none);
		free(t);
	}
	/* They are of all sizes. */
	failures += sizes[0] < 100 || sizes[1] < 100 || sizes[2] < 100;
	tap_result(!failures, "kicks: %u random tables, of which %u are full and %u have up to 16 entries",
		   n, sizes[2], sizes[0]);
}

/* A full table of one address: each value of a byte. */
static void test_one_address(void)
{
	struct dmop_kicks *t = create(0);
	struct access a = { .addr = 0x510, .space = dmop_kicks_space(3, true) };
	unsigned int i;

	failures = 0;
	for (i = 0; i < 256; i++) {
		/* In no order. */
		struct dmop_kick k = {
			.flags = 6, .server = 3, .len = 4, .addr = 0x510, .datamatch = (i * 37 % 256) << 8,
			.mask = 0xff00,
		};
		struct dmop_kick_entry e;

		failures += !dmop_kicks_check(&k);
		dmop_kicks_entry(&k, &e);
		failures += collides(t, &e);
		t = rebuild(t, NONE, &e);
	}
	for (a.size = 1; a.size <= 8; a.size++)
		for (a.data = 0; a.data < 0x20000; a.data += 0x55)
			look_up(t, &a);
	tap_result(!failures, "kicks: all values of a byte at one address");
	free(t);
}

int main(void)
{
	const unsigned int plan = 8;

	tap_begin(plan);
	test_flags_and_servers();
	test_addresses();
	test_masks();
	test_spaces();
	test_entries();
	test_collisions();
	test_tables();
	test_one_address();
	return tap_end(plan);
}
