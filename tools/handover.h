/* SPDX-License-Identifier: GPL-2.0 */
/*
 * handover.h - interface from dmop-run to the preload library
 *
 * The environment variable HANDOVER_VAR has these numbers, in HANDOVER_FORMAT:
 *   the bound descriptor of /dev/xen/dmop for calls, and that for mappings, open across the exec;
 *   the same number twice: one for both
 *   their domid
 *   whose opens of the stock node are replaced: an enum callers
 *   the process that is to report what the library does, else 0
 *
 * The library itself is the first word of LD_PRELOAD. In a program with Xen's libraries it removes
 * the variable and this word before main() runs, or when the first of these libraries opens the
 * stock node. Any other program is a launcher, and leaves both to the programs that it executes.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#define HANDOVER_VAR	"DMOP_RUN_HANDOVER"
#define HANDOVER_FORMAT	"%d %d %u %d %d"
#define PRELOAD_VAR	"LD_PRELOAD"
#define PRELOAD_NAME	"libdmop-preload.so"
#define PRELOAD_SEPARATORS ": "

enum callers {
	CALLERS_TWO,		/* libxendevicemodel and libxenforeignmemory */
	CALLERS_XENCALL,	/* these and libxencall */
	CALLERS_ALL,		/* the whole program */
};

/* A shell script uses the descriptors below 10 as it likes. */
#define HANDOVER_FD	64
#define WHY_SIZE	8192

#define STOCK_NODE	"/dev/xen/privcmd"
#define STOCK_NODE_OLD	"/proc/xen/privcmd"
#define BUFFER_NODE	"/dev/xen/hypercall"
#define DMOP_NODE	"/dev/xen/dmop"

/* Exit codes of dmop-run and the library, before main() of the program. */
#define EXIT_USAGE	120
#define EXIT_NO_XEN	121
#define EXIT_NO_MODULE	122
#define EXIT_NO_RIGHT	123
#define EXIT_NO_DOMAIN	124
#define EXIT_OTHER	125
#define EXIT_UNFIT	126
#define EXIT_NOT_FOUND	127

#endif /* HANDOVER_H */
