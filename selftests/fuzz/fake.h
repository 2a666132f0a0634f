/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fake.h - the part of the kernel that the decoder needs, in user space
 *
 * Fakes, all of them: every <linux/...> and <xen/...> that the decoder (module/ioctl*.c,
 * node.c, policy.c and kicks.c) includes is this file. User memory is an array; every read leaves it
 * changed, as a hostile thread would. The input chooses the allocation that fails.
 */
#ifndef DMOP_FAKE_H
#define DMOP_FAKE_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/ioctl.h>
#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
/* As in the kernel, where they are of one type. */
typedef __u64 u64;
typedef __s64 s64;
typedef u16 domid_t;
typedef u64 xen_pfn_t;
typedef unsigned int __poll_t;

#define __user
#define __rcu
#define __packed		__attribute__((packed))
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define __maybe_unused		__attribute__((unused))
#define __acquire(context)	((void)(context))
#define __release(context)	((void)(context))
#define IS_ENABLED(CONFIG_option)	0
#define cond_resched()		((void)0)
#define noinline		__attribute__((noinline))
#define dmop_uninitialized
#define might_fault()		((void)0)
#define ALIGN(x, to)		(((x) + (to) - 1) / (to) * (to))
#define likely(x)		(x)
#define unlikely(x)		(x)
#define sizeof_field(t, m)	sizeof(((t *)0)->m)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define U8_MAX			UINT8_MAX
#define U16_MAX			UINT16_MAX
#define U32_MAX			UINT32_MAX
#define U64_MAX			UINT64_MAX
#define VM_WRITE		2
#define PAGE_SHIFT		12
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(t, a, b)		((t)(a) < (t)(b) ? (t)(a) : (t)(b))
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define cmpxchg(p, old, new)	__sync_val_compare_and_swap(p, old, new)
/* There is one thread. */
#define smp_load_acquire(p)	READ_ONCE(*(p))
#define static_assert(what)	_Static_assert(what, #what)
#define array_index_nospec(i, n)	((i) < (n) ? (i) : 0)

struct llist_node { struct llist_node *next; };
struct llist_head { struct llist_node *first; };
struct list_head { struct list_head *next; };
struct hlist_node { struct hlist_node *next, **pprev; };
struct hlist_head { struct hlist_node *first; };
struct mutex { int unused; };
struct eventfd_ctx;
typedef struct { int unused; } wait_queue_entry_t;
struct ratelimit_state { int unused; };
typedef struct { int unused; } spinlock_t;
typedef struct { int unused; } raw_spinlock_t;
struct rw_semaphore { int unused; };
struct srcu_struct { int unused; };
struct work_struct { int unused; };
struct rcu_head { int unused; };
typedef struct { long unused; } atomic_long_t;
struct completion { int unused; };
struct address_space { int unused; };
struct seq_file;
struct vm_area_struct { unsigned long vm_flags; };
struct poll_table_struct;
struct page;
struct inode;
typedef void (*work_func_t)(struct work_struct *work);
typedef struct { int n; } refcount_t;
typedef struct { int unused; } wait_queue_head_t;
typedef struct { s64 n; } atomic64_t;
struct file { void *private_data; };

/* The device node */
struct file_operations {
	void *owner;
	int (*open)(struct inode *inode, struct file *filp);
	int (*release)(struct inode *inode, struct file *filp);
	long (*unlocked_ioctl)(struct file *filp, unsigned int cmd, unsigned long arg);
	long (*compat_ioctl)(struct file *filp, unsigned int cmd, unsigned long arg);
	__poll_t (*poll)(struct file *filp, struct poll_table_struct *wait);
	int (*mmap)(struct file *filp, struct vm_area_struct *vma);
	void (*show_fdinfo)(struct seq_file *m, struct file *filp);
	unsigned long (*get_unmapped_area)(struct file *filp, unsigned long addr, unsigned long len,
					   unsigned long pgoff, unsigned long flags);
};
struct class {
	const char *name;
};
extern const struct file_operations *fake_fops;
#define THIS_MODULE		NULL
#define KBUILD_MODNAME		"fake"
#define MKDEV(major, minor)	((major) << 20 | (minor))
#define __register_chrdev(major, first, count, name, fops)	(fake_fops = (fops), 240)
#define __unregister_chrdev(major, first, count, name)	((void)(major), fake_fops = NULL)
#define class_register(c)	((void)(c), 0)
#define class_unregister(c)	((void)(c))
#define device_create(c, parent, number, data, ...)	((struct device *)(c))
#define device_destroy(c, number)	((void)(c))
#define ERR_PTR(e)		((void *)(intptr_t)(e))
#define IS_ERR(p)		((uintptr_t)(p) > (uintptr_t)-4096)
#define PTR_ERR(p)		((int)(intptr_t)(p))
#define nonseekable_open(i, f)	((void)(i), (void)(f), 0)
#define pr_err(...)		((void)0)

#define atomic64_read(a)	((a)->n)
#define atomic64_inc(a)		((void)(a)->n++)
#define poll_wait(f, q, w)	((void)(f), (void)(q), (void)(w))
#define EPOLLHUP		0x10
#define EPOLLERR		0x08

/* Files and eventfds */
struct file *fake_fget(unsigned int fd);
void fake_fput(struct file *filp);
#define fget			fake_fget
#define fput			fake_fput
struct eventfd_ctx *eventfd_ctx_fdget(int fd);
struct eventfd_ctx *eventfd_ctx_fileget(struct file *filp);
void eventfd_ctx_put(struct eventfd_ctx *ctx);
#define struct_size(p, member, n)	(sizeof(*(p)) + (n) * sizeof((p)->member[0]))
#define array_size(n, size)	((size_t)(n) * (size))
/* As in Linux 6.7. */
#define HAVE_SHARED_CHANNELS	1
#define VIRTIO_MMIO_QUEUE_NOTIFY	0x50

/* Locks */
int fake_down_read(void);
void fake_up_read(void);
#define down_read_killable(sem)	((void)(sem), fake_down_read())
#define up_read(sem)		((void)(sem), fake_up_read())

/* Privilege */
extern bool fake_admin;
#define CAP_SYS_ADMIN		21
#define capable(cap)		((cap) == CAP_SYS_ADMIN && fake_admin)
#define xen_initial_domain()	true

/* Xen */
#define __HYPERVISOR_dm_op	41
#define DOMID_FIRST_RESERVED	0x7ff0
struct xen_dm_op_buf {
	struct { void *p; } h;
	u64 size;
};
#define XENMEM_resource_ioreq_server	0
#define XENMEM_resource_ioreq_server_frame_ioreq(n)	(1UL + (n))
struct xen_mem_acquire_resource {
	domid_t domid;
	u16 type;
	u32 id;
	u32 nr_frames;
	u32 flags;
	u64 frame;
	void *frame_list;
};
#define set_xen_guest_handle(handle, v)	((handle).p = (v))

/* Memory */
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_NOWARN		0
void *fake_alloc(size_t n, size_t size);
void fake_free(const void *p);
#define kmalloc(size, gfp)		fake_alloc(1, size)
#define kvmalloc(size, gfp)		fake_alloc(1, size)
#define kmalloc_array(n, size, gfp)	fake_alloc(n, size)
#define kvmalloc_array(n, size, gfp)	fake_alloc(n, size)
#define kfree(p)			fake_free(p)
#define kvfree(p)			fake_free(p)

/* User memory. Like the kernel's: how many bytes were not copied. */
unsigned long fake_read(void *to, const void *from, unsigned long n);
unsigned long fake_write(void *to, const void *from, unsigned long n);
int copy_struct_from_user(void *to, size_t ksize, const void *from, size_t usize);
int check_zeroed_user(const void *from, size_t n);
#define copy_from_user		fake_read
#define copy_to_user		fake_write
#define u64_to_user_ptr(x)	((void *)(uintptr_t)(x))
#define compat_ptr(x)		((void *)(uintptr_t)(u32)(x))
#define put_user(x, p) \
	({ __typeof__(*(p)) v_ = (x); fake_write((void *)(p), &v_, sizeof(v_)) ? -EFAULT : 0; })
#define get_user(x, p) \
	({ __typeof__(*(p)) v_ = 0; int e_ = fake_read(&v_, (p), sizeof(v_)) ? -EFAULT : 0; (x) = v_; e_; })

bool fake_access_begin(const void *p, size_t n);
void fake_access_end(void);
#define user_access_begin(p, n)		fake_access_begin(p, n)
#define user_read_access_begin(p, n)	fake_access_begin(p, n)
#define user_write_access_begin(p, n)	fake_access_begin(p, n)
#define user_access_end()		fake_access_end()
#define user_read_access_end()		fake_access_end()
#define user_write_access_end()		fake_access_end()
#define unsafe_get_user(x, p, label) do {				\
	__typeof__(x) v_;						\
	_Static_assert(sizeof(v_) == sizeof(*(p)), "of one size");	\
	if (fake_read(&v_, (p), sizeof(v_)))				\
		goto label;						\
	(x) = v_;							\
} while (0)
#define unsafe_put_user(x, p, label) do {				\
	__typeof__(*(p)) v_ = (x);					\
	if (fake_write((void *)(p), &v_, sizeof(v_)))			\
		goto label;						\
} while (0)

/* Trace points */
#define DMOP_TRACE_H
#define trace_dmop_op_enabled()	true
#define trace_dmop_map_enabled()	true
#define trace_dmop_op(...)		fake_trace(__VA_ARGS__)
#define trace_dmop_restrict(...)	fake_trace(__VA_ARGS__)
#define trace_dmop_map(...)		fake_trace(__VA_ARGS__)
#define trace_dmop_narrow(...)		fake_trace(__VA_ARGS__)
static inline void fake_trace(int first, ...)
{
	(void)first;
}

static inline int srcu_read_lock(struct srcu_struct *s)
{
	return s->unused;
}

static inline void srcu_read_unlock(struct srcu_struct *s, int token)
{
	s->unused = token;
}

/* Functions of the module that are faked. */
#define dmop_own_domid		fake_own_domid
#define dmop_file_create	fake_file_create
#define dmop_file_close		fake_file_close
#define dmop_file_enter_unbound	fake_file_enter_unbound
#define dmop_file_restrict	fake_file_restrict
#define dmop_file_dm_op		fake_file_dm_op
#define dmop_file_dm_ops	fake_file_dm_ops
#define dmop_file_narrow	fake_file_narrow
#define dmop_record_probe	fake_record_probe
#define dmop_map_foreign	fake_map_foreign
#define dmop_map_resource	fake_map_resource
#define dmop_map_resource_size	fake_map_resource_size
#define dmop_maps_mmap		fake_maps_mmap
#define dmop_maps_frames	fake_maps_frames
#define dmop_maps_unmapped_area	fake_maps_unmapped_area
#define dmop_show_fdinfo	fake_show_fdinfo
#define dmop_observe_refusal	fake_observe_refusal
#define dmop_observe_narrowed	fake_observe_narrowed

#endif /* DMOP_FAKE_H */
