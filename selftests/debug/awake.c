// SPDX-License-Identifier: GPL-2.0
/*
 * awake.c - deliberate faults, one for each load, to verify the kernel's checkers
 *
 * For the kernels of check-debug only. The kernel survives each fault: a wrong access hits memory
 * without an owner, or is undone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kfence.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

static char *plant = "";
module_param(plant, charp, 0);
MODULE_PARM_DESC(plant, "which fault");

/* What the compiler must not see through. */
static volatile unsigned int past = 64;
static volatile u8 sink;
static u8 global[64];

static noinline void plant_rcu(void)
{
	static int __rcu *p;

	sink = !!rcu_dereference(p);
}

static noinline void plant_atomic(void)
{
	preempt_disable();
	might_sleep();
	preempt_enable();
}

/* Both orders, one after the other: nobody waits, and lockdep sees it. */
static noinline void plant_lock_order(void)
{
	static DEFINE_MUTEX(a);
	static DEFINE_MUTEX(b);

	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);

	mutex_lock(&b);
	mutex_lock(&a);
	mutex_unlock(&a);
	mutex_unlock(&b);
}

static noinline void plant_refcount(void)
{
	refcount_t r = REFCOUNT_INIT(0);

	refcount_inc(&r);
}

static noinline void plant_index(void)
{
	struct {
		u8 at[64];
		u8 behind[8];
	} s = {};

	s.at[past] = 1;
	sink = s.at[1];
}

static void nothing(struct timer_list *t)
{
}

static noinline void plant_active_timer(void)
{
	struct timer_list *t = kmalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return;
	timer_setup(t, nothing, 0);
	mod_timer(t, jiffies + 1000 * HZ);
	/* Debug objects stops the timer before the memory goes. */
	kfree(t);
}

/* More than one: an address that lies about somewhere keeps one from being seen. */
static noinline void plant_leak(void)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		u8 *p = kmalloc(200, GFP_KERNEL);

		if (p)
			sink = *p;
	}
}

/* One out of many is KFENCE's, and has no such zone: then the next. */
static noinline void plant_redzone(void)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		u8 *p = kmalloc(64, GFP_KERNEL);
		bool guarded = is_kfence_address(p);

		if (p && !guarded)
			p[past] ^= 0xff;
		kfree(p);
		if (p && !guarded)
			return;
	}
}

/* KFENCE guards one allocation out of many: until it is ours. */
static noinline void plant_kfence(void)
{
#ifdef CONFIG_KFENCE
	unsigned int i;

	for (i = 0; i < 100000; i++) {
		u8 *p = kmalloc(64, GFP_KERNEL);
		bool guarded = is_kfence_address(p);

		kfree(p);
		if (guarded) {
			sink = *(volatile u8 *)p;
			return;
		}
		usleep_range(100, 200);
	}
#endif
}

static noinline void plant_slab(void)
{
	u8 *p = kmalloc(64, GFP_KERNEL);

	sink = p[past];
	kfree(p);
}

static noinline void plant_use_after_free(void)
{
	volatile u8 *p = kmalloc(64, GFP_KERNEL);

	kfree((void *)p);
	sink = p[8];
}

static noinline void plant_double_free(void)
{
	u8 *p = kmalloc(64, GFP_KERNEL);
	u8 *volatile q = p;

	kfree(p);
	kfree(q);
}

static noinline void plant_vmalloc(void)
{
	u8 *p = vmalloc(PAGE_SIZE - 64);

	if (p)
		sink = p[PAGE_SIZE - 128 + past];
	vfree(p);
}

static noinline void plant_stack(void)
{
	volatile u8 at[64] = {};
	volatile u8 *p = at;

	sink = p[past];
}

static noinline void plant_global(void)
{
	volatile u8 *p = global;

	sink = p[past];
}

static unsigned long raced;

static int race_with(void *unused)
{
	while (!kthread_should_stop()) {
		raced++;
		cond_resched();
	}
	return 0;
}

static noinline void plant_race(void)
{
	unsigned long end = jiffies + 20 * HZ;
	struct task_struct *other;

	other = kthread_run(race_with, NULL, "awake");
	if (IS_ERR(other))
		return;
	while (time_before(jiffies, end)) {
		raced++;
		cond_resched();
	}
	kthread_stop(other);
}

static const struct {
	const char *name;
	void (*plant)(void);
} plants[] = {
	{ "rcu", plant_rcu },
	{ "atomic", plant_atomic },
	{ "lock_order", plant_lock_order },
	{ "refcount", plant_refcount },
	{ "index", plant_index },
	{ "active_timer", plant_active_timer },
	{ "leak", plant_leak },
	{ "redzone", plant_redzone },
	{ "kfence", plant_kfence },
	{ "slab", plant_slab },
	{ "use_after_free", plant_use_after_free },
	{ "double_free", plant_double_free },
	{ "vmalloc", plant_vmalloc },
	{ "stack", plant_stack },
	{ "global", plant_global },
	{ "race", plant_race },
};

static int __init awake_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(plants); i++) {
		if (strcmp(plants[i].name, plant))
			continue;
		pr_info("plants %s\n", plant);
		plants[i].plant();
		return 0;
	}
	pr_err("no fault '%s'\n", plant);
	return -EINVAL;
}
module_init(awake_init);

static void __exit awake_exit(void)
{
}
module_exit(awake_exit);

MODULE_DESCRIPTION("Faults for the kernel's checkers to find");
MODULE_LICENSE("GPL");
