// SPDX-License-Identifier: GPL-2.0
/*
 * stall.c - stops a thread at its Nth scheduling point
 *
 * For tests only. Each function with a scheduling point is hooked by ftrace. If the armed thread
 * enters one, the hook redirects it to hooked(), which counts, sleeps if this is the Nth point,
 * and calls the function itself. A thread stops only where it may sleep.
 *
 * hooked() passes on six arguments in registers. No function with more arguments may be listed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "stall.h"

#define TARGET	"dmop_privcmd"

/* --- the points ------------------------------------------------------------ */

#define BEFORE	1
#define AFTER	2
#define BOTH	(BEFORE | AFTER)

/* No argument decides whether the function may sleep. */
#define ALWAYS	6

/*
 * A hooked function.
 *
 * @name:  symbol; a kernel has some of them
 * @class: STALL_*
 * @sides: BEFORE, AFTER: the thread can stop there
 * @arg:   index of the argument with the GFP or fault flags, or ALWAYS
 */
struct point {
	const char *name;
	u8 class;
	u8 sides;
	u8 arg;
	bool hooked;
	unsigned long addr;
	struct ftrace_ops ops;
};

#if defined(CONFIG_SLAB_BUCKETS)
#define NODE_GFP	2	/* the second argument is a bucket */
#else
#define NODE_GFP	1
#endif

static struct point points[] = {
	{ TARGET ":dmop_ioctl", STALL_ENTRY, BEFORE, ALWAYS },
	{ TARGET ":node_open", STALL_ENTRY, BEFORE, ALWAYS },
	{ TARGET ":node_release", STALL_ENTRY, BEFORE, ALWAYS },
	{ TARGET ":node_poll", STALL_ENTRY, BEFORE, ALWAYS },
	{ TARGET ":node_mmap", STALL_ENTRY, BEFORE, ALWAYS },
	{ TARGET ":area_vma_close", STALL_ENTRY, BEFORE, ALWAYS },

	{ "mutex_lock", STALL_LOCK, BOTH, ALWAYS },
	{ "mutex_lock_killable", STALL_LOCK, BOTH, ALWAYS },
	{ "mutex_lock_interruptible", STALL_LOCK, BOTH, ALWAYS },
	{ "down_read", STALL_LOCK, BOTH, ALWAYS },
	{ "down_read_killable", STALL_LOCK, BOTH, ALWAYS },
	{ "down_write", STALL_LOCK, BOTH, ALWAYS },
	{ "down_write_killable", STALL_LOCK, BOTH, ALWAYS },
	/* The same in a kernel with lockdep. */
	{ "mutex_lock_nested", STALL_LOCK, BOTH, ALWAYS },
	{ "mutex_lock_killable_nested", STALL_LOCK, BOTH, ALWAYS },
	{ "down_write_nested", STALL_LOCK, BOTH, ALWAYS },

	{ "__kmalloc", STALL_ALLOC, BEFORE, 1 },
	{ "__kmalloc_noprof", STALL_ALLOC, BEFORE, 1 },
	{ "__kmalloc_node", STALL_ALLOC, BEFORE, 1 },
	{ "__kmalloc_node_noprof", STALL_ALLOC, BEFORE, NODE_GFP },
	{ "kmem_cache_alloc", STALL_ALLOC, BEFORE, 1 },
	{ "kmem_cache_alloc_noprof", STALL_ALLOC, BEFORE, 1 },
	{ "kmem_cache_alloc_trace", STALL_ALLOC, BEFORE, 1 },
	{ "kmalloc_trace", STALL_ALLOC, BEFORE, 1 },
	{ "__kmalloc_cache_noprof", STALL_ALLOC, BEFORE, 1 },
	{ "__alloc_pages_nodemask", STALL_ALLOC, BEFORE, 0 },
	{ "__alloc_pages", STALL_ALLOC, BEFORE, 0 },
	{ "__alloc_pages_noprof", STALL_ALLOC, BEFORE, 0 },
	{ "__alloc_frozen_pages_noprof", STALL_ALLOC, BEFORE, 0 },

	{ "handle_mm_fault", STALL_FAULT, BOTH, 2 },

	{ "_cond_resched", STALL_RESCHED, BEFORE, ALWAYS },
	{ "__cond_resched", STALL_RESCHED, BEFORE, ALWAYS },

	{ "schedule_timeout", STALL_WAIT, BEFORE, ALWAYS },
	{ "prepare_to_wait_event", STALL_WAIT, BEFORE, ALWAYS },

	{ "__srcu_read_lock", STALL_SECTION, AFTER, ALWAYS },
	{ "__srcu_read_unlock", STALL_SECTION, BEFORE, ALWAYS },

	{ TARGET ":dmop_hypercall_dm_op", STALL_XEN, BOTH, ALWAYS },
	{ TARGET ":dmop_hypercall_acquire_resource", STALL_XEN, BOTH, ALWAYS },
	{ TARGET ":dmop_hypercall_add_foreign", STALL_XEN, BOTH, ALWAYS },
	{ TARGET ":dmop_hypercall_notify", STALL_XEN, BOTH, ALWAYS },
};

/* --- the armed thread -------------------------------------------------------- */

/*
 * @task:    the armed thread, with a reference. Only that thread writes the members from @busy
 *           to @nth.
 * @busy:    it is in this module
 * @passing: the point whose next entry is the call by hooked()
 * @at, @caller: the point that it was redirected from, and its return address
 * @stops:   it has not stopped yet
 */
static struct {
	struct task_struct *task;
	bool busy;
	struct point *passing, *at;
	unsigned long caller;
	bool stops;
	u32 nth;

	bool go;
	struct stall_status status;
} stall;

/* Protects arming and the text of the status. */
static DEFINE_MUTEX(stall_lock);
static DECLARE_WAIT_QUEUE_HEAD(stall_queue);

static bool armed(void)
{
	return READ_ONCE(stall.task) == current;
}

static void note_stack(void)
{
	struct stall_status *st = &stall.status;
	unsigned long entries[32];
	unsigned int i, nr, len = 0;

	nr = stack_trace_save(entries, ARRAY_SIZE(entries), 0);
	for (i = 0; i < nr && len < sizeof(st->stack); i++) {
		if (within_module(entries[i], THIS_MODULE))
			continue;
		len += scnprintf(st->stack + len, sizeof(st->stack) - len, "%ps\n",
				 (void *)entries[i]);
	}
}

static void stop(struct point *p, const char *side)
{
	struct stall_status *st = &stall.status;

	snprintf(st->where, sizeof(st->where), "%s %s", side, p->name);
	st->class = p->class;
	st->xen = 0;
	note_stack();

	/* For a caller with another state, this is a spurious wakeup. */
	__set_current_state(TASK_RUNNING);
	/* Pairs with the acquire in status(). */
	smp_store_release(&st->stopped, 1);
	wait_event_killable(stall_queue, READ_ONCE(stall.go));
	WRITE_ONCE(st->stopped, 0);
}

static void reach(struct point *p, const char *side)
{
	struct stall_status *st = &stall.status;

	/* Without CONFIG_PREEMPT_COUNT the functions themselves must not be called there. */
	if (preempt_count() || irqs_disabled())
		return;

	st->seen[p->class]++;
	if (++st->count != stall.nth || !stall.stops)
		return;
	stall.stops = false;
	stop(p, side);
}

static bool may_sleep(const struct point *p, const unsigned long *args)
{
	switch (p->class) {
	case STALL_ALLOC:
		return gfpflags_allow_blocking((gfp_t)args[p->arg]);
	case STALL_FAULT:
		return !(args[p->arg] & FAULT_FLAG_USER);
	default:
		return true;
	}
}

/* Sections of the kernel itself are not counted. */
static noinline bool is_relevant(const struct point *p, unsigned long caller)
{
	char name[KSYM_SYMBOL_LEN];

	if (p->class != STALL_SECTION)
		return true;
	sprint_symbol(name, caller);
	return strstr(name, "[" TARGET);
}

/* In the place of the function: the armed thread, in process context. */
static noinline unsigned long hooked(unsigned long a, unsigned long b, unsigned long c,
				     unsigned long d, unsigned long e, unsigned long f)
{
	unsigned long (*function)(unsigned long a, unsigned long b, unsigned long c,
				  unsigned long d, unsigned long e, unsigned long f);
	unsigned long args[] = { a, b, c, d, e, f }, ret;
	struct point *p = stall.at;
	bool counts;

	stall.busy = true;
	counts = is_relevant(p, stall.caller) && may_sleep(p, args);
	if (counts && (p->sides & BEFORE))
		reach(p, "before");
	function = (void *)p->addr;
	stall.passing = p;
	stall.busy = false;
	barrier();

	ret = function(a, b, c, d, e, f);

	/* The call may have closed the file that armed it. */
	if (!armed())
		return ret;
	stall.busy = true;
	if (counts && p->class == STALL_SECTION)
		stall.status.sections += p->sides & AFTER ? 1 : -1;
	if (p->class == STALL_XEN)
		stall.status.xen++;
	if (counts && (p->sides & AFTER))
		reach(p, "after");
	stall.busy = false;
	return ret;
}

#ifdef HAVE_FTRACE_REGS	/* since Linux 5.11 */
static void on_entry(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		     struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);
#else
static void on_entry(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		     struct pt_regs *regs)
{
#endif
	struct point *p = container_of(ops, struct point, ops);

	/* An interrupt of the thread is not the thread. */
	if (!armed() || !in_task() || stall.busy)
		return;
	if (stall.passing == p) {
		stall.passing = NULL;
		return;
	}
	stall.at = p;
	stall.caller = parent_ip;
	regs->ip = (unsigned long)hooked;
}

/* --- functions with more arguments -------------------------------------------- */

/* They enter Xen for a domain. Their returns are counted only. */
static int on_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	if (armed() && in_task())
		stall.status.xen++;
	return 0;
}

static struct kretprobe remaps[] = {
	{ .kp.symbol_name = "xen_remap_pfn", .handler = on_return },
	{ .kp.symbol_name = "xen_xlate_remap_gfn_array", .handler = on_return },
};

/* --- requests ------------------------------------------------------------------- */

static long arm(u32 nth)
{
	long ret = -EBUSY;

	mutex_lock(&stall_lock);
	if (!stall.task) {
		memset(&stall, 0, sizeof(stall));
		stall.nth = nth;
		stall.stops = nth;
		stall.status.pid = task_pid_nr(current);
		WRITE_ONCE(stall.task, get_task_struct(current));
		ret = 0;
	}
	mutex_unlock(&stall_lock);
	return ret;
}

static long disarm(void)
{
	if (!armed())
		return -ESRCH;
	WRITE_ONCE(stall.task, NULL);
	stall.status.pid = 0;
	put_task_struct(current);
	return 0;
}

static long status(void __user *arg)
{
	static struct stall_status copy;
	long ret = 0;

	mutex_lock(&stall_lock);
	memset(&copy, 0, sizeof(copy));
	/* Once stopped, nothing of it changes. Pairs with the release in stop(). */
	if (smp_load_acquire(&stall.status.stopped) || !READ_ONCE(stall.task))
		copy = stall.status;
	else
		copy.pid = stall.status.pid;
	if (copy_to_user(arg, &copy, sizeof(copy)))
		ret = -EFAULT;
	mutex_unlock(&stall_lock);
	return ret;
}

static long stall_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	u32 nth;

	switch (cmd) {
	case STALL_ARM:
		if (get_user(nth, (u32 __user *)arg))
			return -EFAULT;
		return arm(nth);
	case STALL_DISARM:
		return disarm();
	case STALL_GO:
		WRITE_ONCE(stall.go, true);
		wake_up_all(&stall_queue);
		return 0;
	case STALL_STATUS:
		return status((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

/* The file keeps this module loaded for as long as a thread is armed. */
static int stall_open(struct inode *inode, struct file *filp)
{
	return try_module_get(THIS_MODULE) ? 0 : -ENODEV;
}

static int stall_release(struct inode *inode, struct file *filp)
{
	disarm();
	module_put(THIS_MODULE);
	return 0;
}

static const struct proc_ops stall_ops = {
	.proc_open = stall_open,
	.proc_release = stall_release,
	.proc_ioctl = stall_ioctl,
};

/* --- hooks ------------------------------------------------------------------------ */

static unsigned long (*lookup)(const char *name);

static int find_lookup(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	int err = register_kprobe(&probe);

	if (err)
		return err;
	/* Some kernels place the probe behind an instruction at the start. Functions are aligned. */
	lookup = (void *)round_down((unsigned long)probe.addr, 16);
	unregister_kprobe(&probe);
	return 0;
}

static int hook(struct point *p)
{
	int err;

	p->addr = lookup(p->name);
	if (!p->addr)
		return 0;

	p->ops.func = on_entry;
	p->ops.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY;
	err = ftrace_set_filter_ip(&p->ops, p->addr, 0, 0);
	if (!err)
		err = register_ftrace_function(&p->ops);
	if (err)
		pr_err("%s: error %d\n", p->name, err);
	else
		p->hooked = true;
	return err;
}

static void unhook_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(points); i++) {
		if (points[i].hooked) {
			unregister_ftrace_function(&points[i].ops);
			ftrace_free_filter(&points[i].ops);
		}
	}
	for (i = 0; i < ARRAY_SIZE(remaps); i++) {
		if (remaps[i].kp.addr)
			unregister_kretprobe(&remaps[i]);
	}
}

/* A kernel that is preemptible everywhere has an empty cond_resched(). */
static bool may_lack(unsigned int class)
{
	return class == STALL_RESCHED && IS_ENABLED(CONFIG_PREEMPTION) &&
	       !IS_ENABLED(CONFIG_PREEMPT_DYNAMIC);
}

/* Every class needs a function of this kernel, and all of the target have to be there. */
static int hook_all(void)
{
	unsigned int i, found[STALL_CLASSES] = { }, returns = 0;
	int err;

	for (i = 0; i < ARRAY_SIZE(points); i++) {
		err = hook(&points[i]);
		if (err)
			return err;
		found[points[i].class] += points[i].hooked;
		if (!points[i].hooked && strstarts(points[i].name, TARGET)) {
			pr_err("no function %s\n", points[i].name);
			return -ENOENT;
		}
	}
	for (i = 0; i < STALL_CLASSES; i++) {
		if (!found[i] && !may_lack(i)) {
			pr_err("no function of class %u\n", i);
			return -ENOENT;
		}
	}
	for (i = 0; i < ARRAY_SIZE(remaps); i++) {
		if (register_kretprobe(&remaps[i]))
			remaps[i].kp.addr = NULL;
		else
			returns++;
	}
	return returns ? 0 : -ENOENT;
}

static int __init stall_init(void)
{
	int err = find_lookup();

	if (!err)
		err = hook_all();
	if (!err && !proc_create("dmop_stall", 0600, NULL, &stall_ops))
		err = -ENOMEM;
	if (err)
		unhook_all();
	return err;
}
module_init(stall_init);

static void __exit stall_exit(void)
{
	remove_proc_entry("dmop_stall", NULL);
	unhook_all();
}
module_exit(stall_exit);

MODULE_DESCRIPTION("Stops a thread at its Nth scheduling point, for a test");
MODULE_LICENSE("GPL");
