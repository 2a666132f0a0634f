/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - the tracepoints
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dmop

#if !defined(DMOP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DMOP_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

#include "policy.h"

/* RESTRICT on an unbound file, and its result. */
TRACE_EVENT(dmop_restrict,
	TP_PROTO(u16 domid, int ret),
	TP_ARGS(domid, ret),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->ret = ret;
	),
	TP_printk("domid=%u ret=%d", __entry->domid, __entry->ret)
);

/* A dm_op: @op is XEN_DMOP_*; @size0 and @size1 are the sizes of the first two buffers. */
TRACE_EVENT(dmop_op,
	TP_PROTO(u16 domid, u32 op, unsigned int nr, u64 size0, u64 size1, int ret),
	TP_ARGS(domid, op, nr, size0, size1, ret),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u32, op)
		__field(unsigned int, nr)
		__field(u64, size0)
		__field(u64, size1)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->op = op;
		__entry->nr = nr;
		__entry->size0 = size0;
		__entry->size1 = size1;
		__entry->ret = ret;
	),
	TP_printk("domid=%u op=%u bufs=%u sizes=%llu,%llu ret=%d", __entry->domid,
		  __entry->op, __entry->nr, __entry->size0, __entry->size1,
		  __entry->ret)
);

#define DMOP_ACT_VALUE(act, name)	TRACE_DEFINE_ENUM(DMOP_ACT_##act);
#define DMOP_ACT_NAME(act, name)	{ DMOP_ACT_##act, name },
#define DMOP_ACT_LAST_NAME(act, name)	{ DMOP_ACT_##act, name }

DMOP_ACTS(DMOP_ACT_VALUE, DMOP_ACT_VALUE)

/* A refusal by policy: @act is enum dmop_act, @cause the errno, @narrowed: because of NARROW. */
TRACE_EVENT(dmop_refuse,
	TP_PROTO(unsigned int act, u64 op, u64 domid, u32 bound, int cause, bool narrowed),
	TP_ARGS(act, op, domid, bound, cause, narrowed),
	TP_STRUCT__entry(
		__field(unsigned int, act)
		__field(u64, op)
		__field(u64, domid)
		__field(u32, bound)
		__field(int, cause)
		__field(bool, narrowed)
	),
	TP_fast_assign(
		__entry->act = act;
		__entry->op = op;
		__entry->domid = domid;
		__entry->bound = bound;
		__entry->cause = cause;
		__entry->narrowed = narrowed;
	),
	TP_printk("act=%s op=%llu domid=%llu bound=%d cause=%d%s",
		  __print_symbolic(__entry->act,
				   DMOP_ACTS(DMOP_ACT_NAME, DMOP_ACT_LAST_NAME)),
		  __entry->op, __entry->domid, (int)__entry->bound,
		  __entry->cause, __entry->narrowed ? " why=narrowed" : "")
);

/* NARROW on a bound file, and its result: @members is DMOP_NARROW_*. */
TRACE_EVENT(dmop_narrow,
	TP_PROTO(u16 domid, u32 members, int ret),
	TP_ARGS(domid, members, ret),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(u32, members)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->members = members;
		__entry->ret = ret;
	),
	TP_printk("domid=%u members=%#x ret=%d", __entry->domid, __entry->members,
		  __entry->ret)
);

/*
 * A mapping call that was admitted; @type: of the resource, or -1 for foreign frames; @mapped:
 * frames in the areas of the file after it.
 */
TRACE_EVENT(dmop_map,
	TP_PROTO(u16 domid, s64 type, u64 addr, u64 nr, u64 mapped, int ret),
	TP_ARGS(domid, type, addr, nr, mapped, ret),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(s64, type)
		__field(u64, addr)
		__field(u64, nr)
		__field(u64, mapped)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->type = type;
		__entry->addr = addr;
		__entry->nr = nr;
		__entry->mapped = mapped;
		__entry->ret = ret;
	),
	TP_printk("domid=%u %s addr=%#llx frames=%llu mapped=%llu ret=%d type=%lld", __entry->domid,
		  __entry->type < 0 ? "foreign" : "resource", __entry->addr,
		  __entry->nr, __entry->mapped, __entry->ret, __entry->type)
);

/* Revocation of all files of a domain that died. */
TRACE_EVENT(dmop_revoke,
	TP_PROTO(u16 domid, unsigned int files),
	TP_ARGS(domid, files),
	TP_STRUCT__entry(
		__field(u16, domid)
		__field(unsigned int, files)
	),
	TP_fast_assign(
		__entry->domid = domid;
		__entry->files = files;
	),
	TP_printk("domid=%u files=%u", __entry->domid, __entry->files)
);

#endif /* DMOP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
