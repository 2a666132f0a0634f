// SPDX-License-Identifier: GPL-2.0
/*
 * observe.c - the reports about an open file: fdinfo, log, audit, traces
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/audit.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include <xen/dmop.h>

#include "limits.h"
#include "observe.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static const char *act_name(enum dmop_act act)
{
#define ACT_NAME(act, name)	name,
	static const char *const names[] = { DMOP_ACTS(ACT_NAME, ACT_NAME) };
#undef ACT_NAME

	return names[act];
}

static const char *state_name(unsigned int state)
{
	switch (state) {
	case DMOP_STATE_UNBOUND:
		return "unbound";
	case DMOP_STATE_BOUND:
		return "bound";
	default:
		return "revoked";
	}
}

void dmop_show_fdinfo(struct seq_file *m, struct file *filp)
{
	struct dmop_file *f = filp->private_data;
	const struct dmop_record *record = dmop_file_record(f);
	struct dmop_rights rights;

	dmop_rights_read(&f->rights, &rights);
	seq_printf(m, "dmop-state:\t%s\n", state_name(dmop_file_state(record)));
	seq_printf(m, "dmop-domid:\t%d\n", record ? record->domid : -1);
	seq_printf(m, "dmop-calls:\t%lld\n", atomic64_read(&f->calls));
	seq_printf(m, "dmop-refused-policy:\t%lld\n",
		   atomic64_read(&f->refused_policy));
	seq_printf(m, "dmop-refused-dead:\t%lld\n",
		   atomic64_read(&f->refused_dead));
	seq_printf(m, "dmop-mapped-frames:\t%lu\n", dmop_maps_frames(&f->maps));
	seq_printf(m, "dmop-max-nr-bufs:\t%u\n", READ_ONCE(dmop_max_nr_bufs));
	seq_printf(m, "dmop-max-buf-size:\t%u\n", READ_ONCE(dmop_max_buf_size));
	seq_printf(m, "dmop-max-map-frames:\t%u\n",
		   READ_ONCE(dmop_max_map_frames));
	seq_printf(m, "dmop-narrowed:\t%#llx\n", DMOP_NARROW_ALL & ~rights.untouched);
	seq_printf(m, "dmop-acts:\t%#llx\n", rights.acts);
	seq_printf(m, "dmop-ops:\t%#llx %#llx\n", rights.ops[0], rights.ops[1]);
	seq_printf(m, "dmop-resources:\t%#llx\n", rights.resources);
	seq_printf(m, "dmop-max-frames:\t%llu\n", rights.max_frames);
	seq_printf(m, "dmop-gfns:\t%#llx %#llx\n", rights.gfn_first, rights.gfn_last);
	seq_printf(m, "dmop-irqfds:\t%u\n", READ_ONCE(f->events.irqfds));
	seq_printf(m, "dmop-events:\t%lld\n", atomic64_read(&f->events.issued));
	seq_printf(m, "dmop-events-failed:\t%lld\n", atomic64_read(&f->events.failed));
	seq_printf(m, "dmop-servers:\t%u\n", READ_ONCE(f->events.nr_servers));
	seq_printf(m, "dmop-kicks:\t%u\n", dmop_kick_number(&f->events));
	seq_printf(m, "dmop-kicked:\t%lld\n", atomic64_read(&f->events.kicked));
	seq_printf(m, "dmop-rest:\t%lld\n", atomic64_read(&f->events.rest));
}

static void log_refusal(struct dmop_log_limit *l, const struct dmop_subject *s,
			const struct dmop_request *r, int cause)
{
	int bound = s->state == DMOP_STATE_BOUND ? s->bound : -1;
	char comm[TASK_COMM_LEN], why[32];

	/* The second argument begins the kernel's line about suppressed lines. */
	if (!___ratelimit(&l->limit, KBUILD_MODNAME ": refusals")) {
		/* Nor is its lock taken for each refusal. */
		WRITE_ONCE(l->quiet_until, jiffies + HZ / 10);
		return;
	}

	get_task_comm(comm, current);
	if (cause == DMOP_NARROWED)
		strscpy(why, "narrowed", sizeof(why));
	else
		snprintf(why, sizeof(why), "error %d", cause);
	/* Escaped: a process may have any bytes in its name, a new line too. */
	pr_notice("%*pE[%d] refused: %s op %llu on domain %llu, descriptor %s %d (%s)\n",
		  (int)strlen(comm), comm, task_pid_nr(current), act_name(r->act), r->op,
		  r->domid, state_name(s->state), bound, why);
	audit_log(audit_context(), GFP_KERNEL, AUDIT_KERNEL_OTHER,
		  "op=dmop-%s hypercall=%llu domid=%llu bound=%d pid=%d res=0",
		  act_name(r->act), r->op, r->domid, bound, task_pid_nr(current));
}

/* The arguments of its caller, in the same order, so that no register is moved. */
static noinline __noclone void report_refusal(struct dmop_file *f,
					      const struct dmop_subject *s,
					      const struct dmop_request *r, int cause)
{
	trace_dmop_refuse(r->act, r->op, r->domid,
			  s->state == DMOP_STATE_BOUND ? s->bound : DMOP_DOMID_NONE,
			  cause == DMOP_NARROWED ? -EPERM : cause, cause == DMOP_NARROWED);
	if (cause != -ESRCH)
		log_refusal(READ_ONCE(f->log_limit), s, r, cause);
}

/* Nearly always a counter is all: a refusal costs little more than an unknown ioctl. */
void dmop_observe_refusal(struct dmop_file *f, const struct dmop_subject *s,
			  const struct dmop_request *r, int cause)
{
	if (unlikely(cause == -ESRCH))
		atomic64_inc(&f->refused_dead);
	else
		atomic64_inc(&f->refused_policy);
	if (trace_dmop_refuse_enabled() ||
	    (long)(jiffies - READ_ONCE(READ_ONCE(f->log_limit)->quiet_until)) >= 0)
		report_refusal(f, s, r, cause);
}

int dmop_observe_narrowed(struct dmop_file *f, enum dmop_act act, u64 number, u64 domid)
{
	const struct dmop_record *record = dmop_file_record(f);
	struct dmop_subject s = {
		.state = dmop_file_state(record),
		.bound = record ? record->domid : 0,
	};
	struct dmop_request r = { .act = act, .op = number, .domid = domid };

	dmop_observe_refusal(f, &s, &r, DMOP_NARROWED);
	return -EPERM;
}
