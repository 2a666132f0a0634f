/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xenstored.h - stop the XenStore daemon for a while
 */
#ifndef DMOP_TEST_XENSTORED_H
#define DMOP_TEST_XENSTORED_H

#include "domains.h"

static inline long xenstored(void)
{
	return number("pidof xenstored || pidof oxenstored");
}

/*
 * Stops xenstored. It continues when the descriptor is closed, by the test or because the test has
 * ended. Return: the descriptor, or -1.
 */
static inline int stop_xenstored(long pid)
{
	int guard[2];
	char c;

	if (pipe2(guard, O_CLOEXEC))
		return -1;
	switch (fork()) {
	case -1:
		return -1;
	case 0:
		close(guard[1]);
		setsid();
		while (read(guard[0], &c, 1) > 0)
			;
		kill(pid, SIGCONT);
		_exit(0);
	}
	close(guard[0]);
	return kill(pid, SIGSTOP) ? -1 : guard[1];
}

#endif /* DMOP_TEST_XENSTORED_H */
