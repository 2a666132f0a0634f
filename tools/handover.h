/* SPDX-License-Identifier: GPL-2.0 */
/*
 * handover.h - what dmop-run leaves for the preload library
 *
 * One variable, HANDOVER_VAR, with the numbers of HANDOVER_FORMAT in this order:
 *   the descriptor of /dev/xen/dmop, bound, open across the exec
 *   the domid it is bound to
 *   1 if libxencall gets it as well, else 0
 *
 * The library itself is the first word of LD_PRELOAD. It takes both away again
 * before the program's main() runs.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#define HANDOVER_VAR	"DMOP_RUN_HANDOVER"
#define HANDOVER_FORMAT	"%d %u %d"
#define PRELOAD_VAR	"LD_PRELOAD"
#define PRELOAD_NAME	"libdmop-preload.so"
#define PRELOAD_SEPARATORS ": "

#define STOCK_NODE	"/dev/xen/privcmd"
#define STOCK_NODE_OLD	"/proc/xen/privcmd"
#define BUFFER_NODE	"/dev/xen/hypercall"
#define DMOP_NODE	"/dev/xen/dmop"

/* What dmop-run and the library end with, before the program has begun. */
#define EXIT_USAGE	120
#define EXIT_NO_XEN	121
#define EXIT_NO_MODULE	122
#define EXIT_NO_RIGHT	123
#define EXIT_NO_DOMAIN	124
#define EXIT_OTHER	125
#define EXIT_UNFIT	126
#define EXIT_NOT_FOUND	127

#endif /* HANDOVER_H */
