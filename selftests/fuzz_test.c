// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_test.c - random programs of system calls on the device
 *
 * An input is a string of bytes, read as a program: each byte selects a step, the next ones its
 * arguments. A program acts on several descriptors and areas, in up to two threads. Of its domains,
 * one is created and destroyed all the time. Some answers are known in advance and are checked.
 * After the program the module must have no reference left.
 *
 *	fuzz_test		runs the inputs in fuzz.corpus
 *	fuzz_test fuzz SECONDS	searches for more inputs, with the coverage reported by the
 *				kernel's KCOV. New inputs are added to $DMOP_OUT/fuzz.corpus.
 *
 * A program issues only some of Xen's operations. The module handles the others in the same way,
 * and not every Xen survives all of them.
 */
#include "fuzz_search.h"

/* --- the kept inputs --------------------------------------------------------------------- */

TEST(inputs_that_are_kept)
{
	struct input in;
	unsigned int i;
	pid_t life;

	ASSERT_TRUE(corpus_read("fuzz.corpus")) {
		TH_LOG("no fuzz.corpus here");
	}
	ASSERT_TRUE(arenas_make());
	life = life_begin();
	for (i = 0; i < nr_corpus; i++) {
		in = corpus[i];
		run_input(&in);
		clean_up();
		unused();
		EXPECT_EQ(NULL, fault) {
			TH_LOG("%s: line %u", fault, i + 1);
		}
	}
	life_end(life);
	TH_LOG("%u inputs", nr_corpus);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "fuzz")) {
		dmop_require();
		return fuzz(atoi(argv[2]));
	}
	return dmop_test_run(argc, argv);
}
