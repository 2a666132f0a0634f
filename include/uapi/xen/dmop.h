/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * dmop.h - the user ABI of /dev/xen/dmop
 *
 * A device model opens /dev/xen/dmop, is restricted to one target domain with
 * DMOP_IOCTL_RESTRICT, and from then on can make dm_op hypercalls on that
 * domain and nothing else. The restriction belongs to the open file: it is
 * shared by every descriptor of it (dup, fork, exec, SCM_RIGHTS) and is never
 * lifted.
 *
 * An open file is in one of three states and moves only downwards:
 *
 *   DMOP_STATE_UNBOUND   as opened. Every call but INFO and the probe (DM_OP
 *                        with num == 0) needs CAP_SYS_ADMIN in the initial user
 *                        namespace, checked at each call.
 *   DMOP_STATE_BOUND     restricted to one domain. Needs no capability.
 *   DMOP_STATE_REVOKED   that domain is gone. Every call but INFO is ESRCH, for
 *                        ever: also after a new domain has got the same domid.
 *                        poll() tells EPOLLHUP | EPOLLERR, what was mapped is
 *                        taken away, and touching it gives SIGBUS.
 *
 * In a domain that is not the initial one (a stub domain), an open file is
 * BOUND from the start, to the domain that XenStore names as its target;
 * without one it is UNBOUND, and no capability counts.
 *
 * A domid that can be a target is 1 to 0x7fef and not the caller's own.
 *
 * mmap() makes an empty area for the mapping ioctls to fill. EPERM: unbound, and
 * no CAP_SYS_ADMIN; ESRCH: revoked; EINVAL: private, or an offset that only this
 * module gives; EACCES: executable, or without any access.
 *
 * Refusals come in one fixed order, the first that applies:
 *
 *   ENOTTY        number not known, or an inherited one from a 32-bit caller
 *   EFAULT        the ioctl's own argument cannot be read
 *   ESRCH         the open file is revoked
 *   (0)           DM_OP with num == 0, and RESTRICT to the domid already bound
 *   EPERM         policy: not this operation, or not on this domain
 *   EINVAL E2BIG  out of bounds: what the argument says
 *   ENOMEM EFAULT the buffer array cannot be held, or read
 *   E2BIG         out of bounds: the size of a buffer
 *   ENOMEM EFAULT the buffers cannot be held, or read
 *   EINVAL E2BIG EBUSY ENOMEM
 *                 what an area, an operation of a batch, or RESTRICT is then
 *                 found to be
 *   (other)       what Xen answers, unchanged
 *
 * Xen's own answers can be any of these too. ESRCH may then also mean that the
 * operation found nothing to act on in a domain that lives: INFO tells.
 *
 * A killed caller may see EINTR on its way out. A call that is refused changes
 * nothing but the counters and writes nothing to user memory; one that Xen
 * answers with an error writes nothing either. The exceptions are EFAULT when all
 * went well and the results cannot be written back, or not wholly; ENOENT of
 * MMAPBATCH_V2; and BATCH, of which a part can have been made.
 *
 * Numbers 0 to 10 and their structures are those of the stock driver's
 * <xen/privcmd.h>; numbers from 0x80 are this module's own, and only these
 * are open to 32-bit callers. Own structures begin with their size and grow
 * at the end.
 */
#ifndef _UAPI_XEN_DMOP_H
#define _UAPI_XEN_DMOP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#ifdef __KERNEL__
#define DMOP_USER	__user
#else
#define DMOP_USER
#endif

/* The hypercall number of dm_op: __HYPERVISOR_dm_op of xen/include/public. */
#define DMOP_HYPERCALL_NR	41

/* The highest domid that a domain can have: one below DOMID_FIRST_RESERVED. */
#define DMOP_DOMID_MAX		0x7fef

/*
 * A raw hypercall, of which only dm_op exists here. All 64 bits of @op and of
 * the arguments count.
 *
 * @op:      DMOP_HYPERCALL_NR
 * @arg[0]:  domid of the target domain
 * @arg[1]:  number of buffers, 1 to dmop_info.max_nr_bufs
 * @arg[2]:  address of an array of so many struct dmop_buf
 * @arg[3], @arg[4]: not used by dm_op; whatever they hold
 */
struct dmop_hypercall {
	__u64 op;
	__u64 arg[5];
};

/*
 * One buffer of a dm_op. Buffer 0 holds struct xen_dm_op; what the others are
 * is told by Xen's public/hvm/dm_op.h. Xen gets a copy of each, also where they
 * overlap; a buffer is written back only if the call succeeded and Xen changed
 * it, and it is then written back whole, in the order of the array.
 *
 * @uptr: address in the caller
 * @size: bytes, at most dmop_info.max_buf_size; 0 is allowed
 */
struct dmop_buf {
	void DMOP_USER *uptr;
	__kernel_size_t size;
};

/*
 * @dom:   domid of the target domain
 * @num:   number of buffers, at most dmop_info.max_nr_bufs; 0 asks only whether the
 *         ioctl is there and is answered 0 whatever @dom is, unless revoked
 * @ubufs: array of @num buffers
 */
struct dmop_dm_op {
	__u16 dom;
	__u16 num;
	const struct dmop_buf DMOP_USER *ubufs;
};

/*
 * @num:  number of frames, at most dmop_info.max_call_frames
 * @dom:  domid of the target domain
 * @addr: where they go: an area made by mmap() of this very open file. The
 *        first call on an area covers it wholly; a later one may cover any
 *        part of it in which nothing is mapped.
 * @arr:  the @num frame numbers (gfn; 4 KiB each)
 * @err:  out: for each frame 0 or a negative errno, -ENOENT if it is paged out
 */
struct dmop_mmapbatch_v2 {
	unsigned int num;
	__u16 dom;
	__u64 addr;
	const __u64 DMOP_USER *arr;
	int DMOP_USER *err;
};

/*
 * @dom:  domid of the target domain
 * @type: XENMEM_resource_* of Xen's public/memory.h; 16 bits
 * @id:   which one of that type, e.g. the id of an ioreq server
 * @idx:  first frame of it
 * @num:  number of frames, at most dmop_info.max_call_frames; with @addr == 0, 0 in, and out:
 *        the size of the resource in frames
 * @addr: where they go: an area made by mmap() of this very open file, covered
 *        wholly, with nothing mapped in it
 */
struct dmop_mmap_resource {
	__u16 dom;
	__u32 type;
	__u32 id;
	__u32 idx;
	__u64 num;
	__u64 addr;
};

/*
 * One operation of a batch.
 *
 * @result: out: what Xen returns for it
 * @flags:  0
 * @size:   bytes of its two buffers, each at most dmop_info.max_buf_size. Buffer
 *          0 holds struct xen_dm_op; buffer 1 is there if its size is not 0
 */
struct dmop_batch_op {
	__s32 result;
	__u32 flags;
	__u32 size[2];
};

/*
 * Several operations on one domain, in one piece of memory:
 *
 *   struct dmop_batch      @size bytes
 *   struct dmop_batch_op   @nr of them
 *   the buffers            of operation 0: buffer 0, buffer 1; of operation 1 ...
 *                          each filled up to a multiple of 8 bytes
 *
 * @size:  of this structure, at least DMOP_BATCH_SIZE_V1 and at most
 *         DMOP_BATCH_SIZE_MAX; what follows it begins there
 * @flags: 0
 * @domid: domid of the target domain of all operations
 * @nr:    number of operations, 1 to DMOP_BATCH_NR_MAX
 * @bytes: of all that follows this structure, exactly; at most
 *         DMOP_BATCH_BYTES_MAX
 * @pad:   0
 */
struct dmop_batch {
	__u32 size;
	__u32 flags;
	__u32 domid;
	__u32 nr;
	__u32 bytes;
	__u32 pad;
};

#define DMOP_BATCH_SIZE_V1	24
#define DMOP_BATCH_SIZE_MAX	4096
#define DMOP_BATCH_NR_MAX	64
#define DMOP_BATCH_BYTES_MAX	65536

/* dmop_info.state */
#define DMOP_STATE_UNBOUND	0
#define DMOP_STATE_BOUND	1
#define DMOP_STATE_REVOKED	2

/* dmop_info.domid of an open file that was never bound. */
#define DMOP_DOMID_NONE		0xffffffffU

/* dmop_info.abi_version: changes only if something here changes its meaning. */
#define DMOP_ABI_VERSION	1

/* dmop_info.features */
#define DMOP_FEATURE_DM_OP	(1ULL << 0)	/* DM_OP and HYPERCALL */
#define DMOP_FEATURE_MAP	(1ULL << 1)	/* MMAPBATCH_V2 and MMAP_RESOURCE */
#define DMOP_FEATURE_REVOKE	(1ULL << 2)	/* the domain's end is watched for; poll() */
#define DMOP_FEATURE_BATCH	(1ULL << 3)	/* BATCH */

/*
 * What an open file is and may do.
 *
 * @size:           in: bytes of the caller's structure, at least
 *                  DMOP_INFO_SIZE_V1 and at most DMOP_INFO_SIZE_MAX; out: bytes
 *                  filled in
 * @flags:          in: 0
 * @abi_version:    DMOP_ABI_VERSION
 * @state:          DMOP_STATE_*
 * @domid:          target domain; of a revoked file the one it had; else
 *                  DMOP_DOMID_NONE
 * @own_domid:      the domain that the module runs in, never a target
 * @max_nr_bufs:    buffers per call (module parameter dm_op_max_nr_bufs)
 * @max_buf_size:   bytes per buffer (module parameter dm_op_buf_max_size)
 * @max_map_frames: frames mapped through one open file (module parameter
 *                  max_map_frames)
 * @max_call_frames: frames per mapping call
 * @features:       DMOP_FEATURE_*
 * @calls:          dm_ops that were passed to Xen, whatever Xen said
 * @refused_policy: calls refused by policy: EPERM, and EINVAL of RESTRICT
 * @refused_dead:   calls refused with ESRCH because the file is revoked
 * @mapped_frames:  size of the areas in which something is mapped
 *
 * The counters are of the open file, not of the domain.
 */
struct dmop_info {
	__u32 size;
	__u32 flags;
	__u32 abi_version;
	__u32 state;
	__u32 domid;
	__u32 own_domid;
	__u32 max_nr_bufs;
	__u32 max_buf_size;
	__u32 max_map_frames;
	__u32 max_call_frames;
	__aligned_u64 features;
	__aligned_u64 calls;
	__aligned_u64 refused_policy;
	__aligned_u64 refused_dead;
	__aligned_u64 mapped_frames;
};

#define DMOP_INFO_SIZE_V1	80
#define DMOP_INFO_SIZE_MAX	4096

/*
 * DMOP_IOCTL_HYPERCALL - make a dm_op given as a raw hypercall
 * @arg: struct dmop_hypercall
 * Return: what Xen returns. The same checks as DMOP_IOCTL_DM_OP, but zero
 * buffers are no probe here: EINVAL. EPERM also for any op but
 * DMOP_HYPERCALL_NR.
 * Contract: IOCTL_PRIVCMD_HYPERCALL, as used by libxencall.
 */
#define DMOP_IOCTL_HYPERCALL	\
	_IOC(_IOC_NONE, 'P', 0, sizeof(struct dmop_hypercall))

/*
 * DMOP_IOCTL_MMAPBATCH_V2 - map memory of a domain
 * @arg: struct dmop_mmapbatch_v2
 * Return: 0, @err tells of each frame; or ENOENT, the same, and at least one
 * frame is paged out: try those again.
 *   EPERM   @dom is not a domain that this file may reach
 *   EINVAL  @num is 0; or no area of this open file is at @addr, or it is not
 *           wholly covered, or it is of another domain, or something is mapped
 *           there already
 *   E2BIG   @num, or the frames of the open file together, above the limits; on
 *           an auto-translated dom0 also more than twice what the toolstack lets
 *           the domain have, and 4096
 *   EFAULT  @arr cannot be read; or @err cannot be written, and the frames are
 *           mapped all the same
 *   ENOMEM  no memory
 *   ESRCH   revoked; or, on an auto-translated dom0, Xen knows no such domain
 *           (elsewhere @err says so of each frame)
 * An area is MAP_SHARED and not executable. It is not inherited over fork, not
 * dumped, and cannot be split, moved or grown; munmap() takes it away whole.
 * Contract: IOCTL_PRIVCMD_MMAPBATCH_V2, as used by libxenforeignmemory.
 */
#define DMOP_IOCTL_MMAPBATCH_V2	\
	_IOC(_IOC_NONE, 'P', 4, sizeof(struct dmop_mmapbatch_v2))

/*
 * DMOP_IOCTL_DM_OP - make a dm_op
 * @arg: struct dmop_dm_op
 * Return: what Xen returns.
 *   EPERM   @dom is not the bound domain; or the file is unbound and the
 *           caller has no CAP_SYS_ADMIN or @dom cannot be a target; or Xen says so
 *   E2BIG   more buffers, or a larger one, than the limits; or more buffers
 *           than Xen takes (2 up to Xen 4.20)
 *   EFAULT  @ubufs or a buffer cannot be read; or results cannot be written
 *   ENOMEM  no memory
 *   ESRCH   revoked; or Xen knows no such domain; or Xen found nothing there to
 *           act on (an interrupt that no processor takes)
 * Contract: IOCTL_PRIVCMD_DM_OP, as used by libxendevicemodel.
 */
#define DMOP_IOCTL_DM_OP	\
	_IOC(_IOC_NONE, 'P', 5, sizeof(struct dmop_dm_op))

/*
 * DMOP_IOCTL_RESTRICT - bind the open file to one domain, for ever
 * @arg: __u16, the domid
 * Return: 0. Every call that was let in before has then ended.
 *   EPERM   the file is unbound and the caller has no CAP_SYS_ADMIN; or Xen lets
 *           this domain not act on that one
 *   EINVAL  @arg cannot be a target; or the file is bound to another domain.
 *           On a bound file the same domid again is 0 and needs no privilege.
 *   EBUSY   memory of another domain is mapped through the file
 *   ESRCH   no such domain, for Xen or for XenStore; or the file is revoked
 *   ENOMEM  no memory for the binding
 * A call that fails leaves the file as it was.
 * Contract: IOCTL_PRIVCMD_RESTRICT, as used by the libraries' restrict_all.
 */
#define DMOP_IOCTL_RESTRICT	\
	_IOC(_IOC_NONE, 'P', 6, sizeof(__u16))

/*
 * DMOP_IOCTL_MMAP_RESOURCE - map a resource of a domain, or ask for its size
 * @arg: struct dmop_mmap_resource
 * Return: 0, all frames are mapped; or what Xen answers, and none is.
 *   EPERM   @dom is not a domain that this file may reach
 *   EINVAL  one of @addr and @num is 0 and the other is not; @type has more
 *           than 16 bits; or the area, as for DMOP_IOCTL_MMAPBATCH_V2
 *   E2BIG   @num, or the frames of the open file together, above the limits, as
 *           for DMOP_IOCTL_MMAPBATCH_V2
 *   EFAULT  the size cannot be written
 *   ENOMEM  no memory
 *   ESRCH   revoked
 * Contract: IOCTL_PRIVCMD_MMAP_RESOURCE, as used by libxenforeignmemory.
 */
#define DMOP_IOCTL_MMAP_RESOURCE	\
	_IOC(_IOC_NONE, 'P', 7, sizeof(struct dmop_mmap_resource))

/*
 * DMOP_IOCTL_INFO - tell what the open file is; for anyone who holds it
 * @arg: struct dmop_info
 * Return: 0
 *   EFAULT  @arg cannot be read or written
 *   EINVAL  @size is below DMOP_INFO_SIZE_V1, or @flags is not 0
 *   E2BIG   @size is above DMOP_INFO_SIZE_MAX; or bytes that this module does not know are not 0
 */
#define DMOP_IOCTL_INFO		_IO('P', 0x80)

/*
 * DMOP_IOCTL_BATCH - make several dm_ops in one call
 * @arg: struct dmop_batch, and what follows it
 * Return: how many were made, at least 1: always the first so many, in their
 * order, and also if Xen answers one of those before with an error. For these,
 * result tells what Xen answered, and the buffers hold what Xen left in them;
 * for the others, result and buffers are as they were given. All that follows
 * struct dmop_batch is written back in one piece, at the end.
 *
 * Fewer than @nr are made, but for the last ones, only if meanwhile
 *   - the file was revoked: the next call on it is ESRCH; or
 *   - the caller is being killed. No other signal ends a batch.
 *
 * Or none was made, and nothing is written:
 *   EPERM   @domid is not a domain that this file may reach
 *   EINVAL  @size is below DMOP_BATCH_SIZE_V1; @flags, @pad or an operation's
 *           flags are not 0; @nr is 0; or @bytes is not what the operations
 *           and their buffers take
 *   E2BIG   @size, @nr or @bytes is above its maximum; bytes of the structure
 *           that this module does not know are not 0; or a buffer is larger,
 *           or there are more in an operation, than the limits
 *   EFAULT  @arg, or what follows it, cannot be read
 *   ENOMEM  no memory
 *   ESRCH   revoked
 * EFAULT also if operations were made and what follows the structure cannot be
 * written back, or not wholly; and any error of Xen's that made none of them.
 */
#define DMOP_IOCTL_BATCH	_IO('P', 0x82)

#endif /* _UAPI_XEN_DMOP_H */
