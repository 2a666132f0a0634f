/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz_input.h - an input of fuzz_test: run, cleaned up after, read from a file and written to one
 */
#ifndef DMOP_TEST_FUZZ_INPUT_H
#define DMOP_TEST_FUZZ_INPUT_H

#include "fuzz_steps.h"

#define MAX_INPUT	320

struct input {
	unsigned int len;
	__u8 bytes[MAX_INPUT];
};

#define LIFE		"dmop-test-fuzz"

/* --- one input -------------------------------------------------------------------- */

static inline void arena_fill(char *arena)
{
	__u32 *p = (void *)arena;
	size_t i;

	for (i = 0; i < EDGE / sizeof(*p); i++)
		p[i] = i % 16 ? i % 5 : DM_OP_UNKNOWN;
}

static inline bool arenas_make(void)
{
	struct sigaction sa = { .sa_handler = on_fault };
	int i;

	for (i = 0; i < 2; i++) {
		arenas[i] = mmap(NULL, EDGE + 2 * PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (arenas[i] == MAP_FAILED || mprotect(arenas[i] + EDGE, PAGE, PROT_NONE) ||
		    mprotect(arenas[i] + READ_ONLY, PAGE, PROT_READ))
			return false;
	}
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	return true;
}

static inline void run_input(const struct input *in)
{
	struct thread t = { .at = in->bytes, .end = in->bytes + in->len, .arena = arenas[0],
			    .alone = true };

	arena_fill(arenas[0]);
	arena_fill(arenas[1]);
	memset(slots, -1, sizeof(slots));
	fault = NULL;
	helped = false;
	privileged = true;
	slots[0] = dmop_open();
	go(&t);
	if (helped)
		pthread_join(helper, NULL);
}

/* Releases everything, and restores the parameters and the domains. */
static inline void clean_up(void)
{
	unsigned int i;
	int fd;

	set_privilege(true);
	for (i = 0; i < ARRAY_SIZE(areas); i++) {
		if (areas[i].p)
			munmap(areas[i].p, areas[i].len);
		areas[i].p = NULL;
	}
	for (i = 0; i < NR_SLOTS; i++)
		close(slots[i]);
	if (param_set("dm_op_max_nr_bufs", 16) || param_set("dm_op_buf_max_size", 4096) ||
	    param_set("max_map_frames", 16777216))
		wrong("a parameter cannot be put back");
	fd = dmop_open();
	if (fd < 0)
		wrong("it cannot be opened any more");
	ioreq_destroy_all(fd, target_domid);
	ioreq_destroy_all(fd, other_domid);
	close(fd);
	shared->runs++;
}

static inline long refs(void)
{
	char text[16] = "";
	int fd = open("/sys/module/dmop_privcmd/refcnt", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 ? atol(text) : -1;
}

/* A revocation holds no reference on the module, even while its work runs. */
static inline bool unused(void)
{
	if (refs())
		wrong("the module is still used");
	return !fault;
}

/* --- inputs in files ----------------------------------------------------------------- */

static inline bool input_parse(struct input *in, const char *line)
{
	unsigned int b;

	in->len = 0;
	while (in->len < MAX_INPUT && sscanf(line, "%2x", &b) == 1) {
		in->bytes[in->len++] = b;
		line += 2;
	}
	return in->len && (*line == '\n' || !*line);
}

static inline void input_print(FILE *f, const struct input *in)
{
	unsigned int i;

	for (i = 0; i < in->len; i++)
		fprintf(f, "%02x", in->bytes[i]);
	fputc('\n', f);
	fflush(f);
}

static struct input *corpus;
static unsigned int nr_corpus, max_corpus;

static inline void corpus_add(const struct input *in)
{
	if (nr_corpus == max_corpus) {
		max_corpus = max_corpus ? 2 * max_corpus : 256;
		corpus = realloc(corpus, max_corpus * sizeof(*corpus));
		if (!corpus)
			abort();
	}
	corpus[nr_corpus++] = *in;
}

static inline bool corpus_read(const char *path)
{
	char line[2 * MAX_INPUT + 2];
	FILE *f = fopen(path, "r");
	struct input in;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (input_parse(&in, line))
			corpus_add(&in);
	fclose(f);
	return true;
}

/* --- a domain that is created and destroyed -------------------------------------------- */

static inline pid_t life_begin(void)
{
	pid_t pid;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		abort();
	shared->life = ABSENT_DOMID;
	pid = fork();
	if (pid)
		return pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!shared->stop) {
		FILE *f = popen("lab-domain create " LIFE, "r");
		unsigned int domid, then = shared->runs;

		if (!f || fscanf(f, "%u", &domid) != 1)
			domid = ABSENT_DOMID;
		pclose(f);
		shared->life = domid;
		while (!shared->stop && shared->runs - then < 50)
			usleep(10000);
		if (system("lab-domain destroy " LIFE " >/dev/null 2>&1"))
			usleep(10000);
	}
	_exit(0);
}

static inline void life_end(pid_t pid)
{
	shared->stop = true;
	waitpid(pid, NULL, 0);
}

#endif /* DMOP_TEST_FUZZ_INPUT_H */
