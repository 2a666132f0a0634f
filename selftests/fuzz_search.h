/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz_search.h - the search for inputs that reach new code of the kernel, by KCOV
 */
#ifndef DMOP_TEST_FUZZ_SEARCH_H
#define DMOP_TEST_FUZZ_SEARCH_H

#include "fuzz_input.h"

/* --- the search ----------------------------------------------------------------------------- */

#define KCOV_WORDS	(1 << 18)
#define KCOV_INIT	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_DISABLE	_IO('c', 101)

static int kcov_fd;
static unsigned long *kcov;
static __u8 seen[1 << 16];
static unsigned int nr_seen;

static inline bool kcov_init(void)
{
	kcov_fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov_fd < 0 || ioctl(kcov_fd, KCOV_INIT, KCOV_WORDS))
		return false;
	kcov = mmap(NULL, KCOV_WORDS * sizeof(*kcov), PROT_READ | PROT_WRITE, MAP_SHARED,
		    kcov_fd, 0);
	return kcov != MAP_FAILED;
}

/* Return: the number of edges of the control flow that no input has reached before. */
static inline unsigned int reached(bool keep)
{
	unsigned long n = __atomic_load_n(&kcov[0], __ATOMIC_RELAXED), i, last = 0;
	static __u8 now[sizeof(seen)];
	unsigned int new = 0;

	memset(now, 0, sizeof(now));
	for (i = 1; i <= n && i < KCOV_WORDS; i++) {
		unsigned int h = ((kcov[i] ^ last << 1) * 0x9e3779b97f4a7c15ULL) >> 48;

		last = kcov[i];
		if (seen[h] || now[h])
			continue;
		now[h] = 1;
		new++;
	}
	for (i = 0; keep && i < sizeof(now); i++)
		seen[i] |= now[i];
	return new;
}

static inline unsigned int try_input(const struct input *in)
{
	__atomic_store_n(&kcov[0], 0, __ATOMIC_RELAXED);
	if (ioctl(kcov_fd, KCOV_ENABLE, 0))
		abort();
	run_input(in);
	ioctl(kcov_fd, KCOV_DISABLE, 0);
	clean_up();
	return reached(false);
}

static __u64 state = 88172645463325252ULL;

static inline unsigned int chance(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 20) % n;
}

static inline void cut(struct input *in, unsigned int at, unsigned int n)
{
	if (at + n > in->len)
		n = in->len - at;
	memmove(in->bytes + at, in->bytes + at + n, in->len - at - n);
	in->len -= n;
}

static inline void insert(struct input *in, unsigned int at, const __u8 *from, unsigned int n)
{
	if (in->len + n > MAX_INPUT)
		return;
	memmove(in->bytes + at + n, in->bytes + at, in->len - at);
	memcpy(in->bytes + at, from, n);
	in->len += n;
}

static inline void mutate(struct input *in)
{
	unsigned int times = 1 + chance(6), i;
	__u8 bytes[16];

	*in = (struct input){ };
	if (nr_corpus && chance(8))
		*in = corpus[chance(nr_corpus)];
	while (times--) {
		unsigned int at = in->len ? chance(in->len) : 0;

		switch (chance(5)) {
		case 0:
			for (i = 0; i < sizeof(bytes); i++)
				bytes[i] = chance(3) ? chance(256) : chance(22);
			insert(in, at, bytes, 1 + chance(sizeof(bytes)));
			break;
		case 1:
			if (in->len)
				in->bytes[at] = chance(2) ? chance(256) : chance(22);
			break;
		case 2:
			if (in->len)
				in->bytes[at] ^= 1U << chance(8);
			break;
		case 3:
			if (in->len)
				cut(in, at, 1 + chance(8));
			break;
		case 4:
			if (nr_corpus) {
				const struct input *other = &corpus[chance(nr_corpus)];
				unsigned int from = chance(other->len);
				unsigned int n = 1 + chance(other->len - from);

				insert(in, at, other->bytes + from, n);
			}
			break;
		}
	}
}

/* Removes the bytes that are not needed to reach as much. */
static inline void shorten(struct input *in, unsigned int new)
{
	unsigned int size, at, tries = 60;

	for (size = in->len / 2; size; size /= 2) {
		for (at = 0; at + size <= in->len && tries; tries--) {
			struct input less = *in;

			cut(&less, at, size);
			if (less.len && try_input(&less) >= new && !fault)
				*in = less;
			else
				at += size;
		}
	}
}

static inline int found_fault(const struct input *in)
{
	printf("FAULT: %s\n", fault);
	input_print(stdout, in);
	return 1;
}

static inline int fuzz(unsigned int seconds)
{
	const char *dir = getenv("DMOP_OUT") ?: ".";
	time_t end = time(NULL) + seconds, told = 0;
	unsigned int runs = 0, kept = 0, i, new;
	char path[256];
	struct input in;
	FILE *console, *out;
	pid_t life;

	if (!kcov_init()) {
		printf("no KCOV: this needs a kernel of make check-debug\n");
		return 4;
	}
	snprintf(path, sizeof(path), "%s/fuzz.corpus", dir);
	out = fopen(path, "w");
	/* The console keeps the last input if the machine stops. */
	console = fopen("/dev/console", "w");
	if (!out || !console || !arenas_make())
		return 1;
	if (getenv("DMOP_FUZZ_SEED"))
		state ^= strtoull(getenv("DMOP_FUZZ_SEED"), NULL, 0) << 1;
	life = life_begin();
	corpus_read("fuzz.corpus");
	for (i = 0; i < nr_corpus; i++) {
		in = corpus[i];
		if (try_input(&in)) {
			reached(true);
			input_print(out, &in);
			kept++;
		}
	}
	for (i = 0; i < sizeof(seen); i++)
		nr_seen += seen[i];
	printf("%u inputs of %u reach %u\n", kept, nr_corpus, nr_seen);

	while (time(NULL) < end) {
		mutate(&in);
		if (!in.len)
			continue;
		fputs("fuzz: ", console);
		input_print(console, &in);
		new = try_input(&in);
		runs++;
		if (fault || !unused())
			break;
		if (new) {
			shorten(&in, new);
			if (fault)
				break;
			/* The short input is dropped if it reached that only by chance. */
			if (try_input(&in)) {
				nr_seen += reached(true);
				corpus_add(&in);
				input_print(out, &in);
				kept++;
			}
		}
		if (time(NULL) >= told + 20) {
			told = time(NULL);
			printf("%u runs, %u inputs reach %u\n", runs, kept, nr_seen);
		}
	}
	life_end(life);
	if (fault)
		return found_fault(&in);
	printf("%u runs, %u inputs reach %u\n", runs, kept, nr_seen);
	return !runs;
}

#endif /* DMOP_TEST_FUZZ_SEARCH_H */
