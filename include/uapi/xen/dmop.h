/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * dmop.h - the user ABI of /dev/xen/dmop
 *
 * A device model opens /dev/xen/dmop and restricts it to one target domain with
 * DMOP_IOCTL_RESTRICT. From then on it can issue dm_op hypercalls on that
 * domain, map memory and resources of that domain, and do nothing else. The
 * restriction belongs to the open file: every descriptor of the file shares it
 * (dup, fork, exec, SCM_RIGHTS, pidfd_getfd), and nothing lifts it.
 *
 * States
 *
 * An open file is in one of three states and only moves down this list:
 *
 *   DMOP_STATE_UNBOUND   As opened. Every ioctl but INFO and the probe (DM_OP
 *                        with num == 0), and mmap(), needs CAP_SYS_ADMIN in the
 *                        initial user namespace. Each call checks its own
 *                        caller.
 *   DMOP_STATE_BOUND     Restricted to one domain. No capability is needed, and
 *                        none widens the restriction.
 *   DMOP_STATE_REVOKED   The domain is gone. Every ioctl but INFO, and mmap(),
 *                        fails with ESRCH for ever, even after a new domain has
 *                        received the same domid. poll() reports EPOLLHUP |
 *                        EPOLLERR. A moment later all mappings of the file are
 *                        unmapped; an access to one raises SIGBUS.
 *
 * In a domain other than the initial one (a stub domain), open() binds the file
 * to the domain that XenStore names as its target. Without a target, or if the
 * domain cannot be bound, the file is UNBOUND, and no capability counts.
 *
 * Targets
 *
 * A target is a domid from 1 to DMOP_DOMID_MAX, other than the caller's own
 * domain. An unbound file with CAP_SYS_ADMIN reaches every target; a bound file
 * reaches one.
 *
 * 32-bit callers
 *
 * INFO, NARROW, BATCH, SERVE, ANSWER and KICK work. The inherited ioctls are for 64-bit
 * callers only, and fail with ENOTTY here.
 *
 * Rights
 *
 * A bound file has rights: kinds of calls, operations, types of resources, a number of
 * frames, and a window of frame numbers. It has all of them at first. NARROW removes
 * rights, and nothing gives one back. A call that needs a removed right fails with
 * EPERM. INFO, the probe, poll(), and RESTRICT to the domid already bound need none.
 *
 * Order of refusals
 *
 * The checks are made in this order, and the first that fails gives the answer:
 *
 *    1. ENOTTY: unknown number, or an inherited ioctl from a 32-bit caller
 *    2. EFAULT: the argument cannot be read; of INFO, its first 8 bytes; of
 *       NARROW, BATCH, SERVE, ANSWER and KICK, its first DMOP_*_SIZE_V1 bytes
 *    3. ESRCH: the file is revoked
 *    4. 0: DM_OP with num == 0, and RESTRICT to the domid already bound
 *    5. EPERM: refused by policy: the hypercall, the domain, no privilege; or
 *       NARROW has removed the kind of call or the type of resource
 *    6. EINVAL, E2BIG, EFAULT: the argument is out of bounds; or the rest of
 *       the argument of an own ioctl cannot be read; then EBADF, EINVAL: the
 *       eventfd of IRQFD, IOEVENTFD, SERVE or KICK
 *    7. ENOMEM, EFAULT: no memory for the array of buffers, or for a piece of the
 *       frames, or it cannot be read; likewise all that follows struct dmop_batch
 *    8. E2BIG: a buffer of DM_OP or HYPERCALL is too large; all sizes are
 *       checked before any buffer is read
 *    9. ENOMEM, EFAULT: no memory for the buffers, or one cannot be read; likewise
 *       the operation of IRQFD, and the event channels of IOEVENTFD
 *   10. EINVAL, E2BIG: checks of the mapped area, of the page of IOEVENTFD, and of the
 *       layout of a batch
 *   11. EPERM: NARROW has removed an operation, a frame number, write access, or
 *       so many frames
 *   12. EOPNOTSUPP, EBUSY, EEXIST, ENOENT, ENODEV, E2BIG, ENOMEM: limits of mapping and of
 *       events; checks of RESTRICT, IRQFD, IOEVENTFD, SERVE, ANSWER and KICK
 *   13. Xen's answer, unchanged; of IOEVENTFD, then EPERM, EBUSY, EEXIST, E2BIG, ENOMEM: the event
 *       channels, the kick
 *
 * Each ioctl below lists its errors in this order. ENOTTY is not repeated there.
 * MMAPBATCH_V2 makes the checks from step 7 on for each piece of its frames in turn.
 *
 * Xen's answer can be any of these errors too. ESRCH from Xen can also mean that
 * the operation found nothing to act on in a live domain, such as an interrupt
 * that no virtual processor takes. INFO reports whether the file is revoked.
 *
 * ESRCH (revoked) can also be the answer after step 5: the file is checked again
 * just before Xen is entered, and while frames are mapped. A right is checked again
 * there as well, so EPERM of step 5 can also come after it. EINTR ends a call if
 * the caller is killed while it waits or maps frames; no program sees it.
 *
 * User memory
 *
 * The argument, the arrays and the buffers are copied in once, before Xen is
 * entered; the frame numbers of MMAPBATCH_V2 piece by piece. Xen works on the copies.
 *
 * A refused call changes nothing but the counters and writes nothing to user
 * memory. A call that Xen answers with an error writes nothing either.
 * Exceptions:
 *
 *   EFAULT  after success, if the results cannot be written back, or not wholly;
 *           the call took effect
 *   ENOENT  of MMAPBATCH_V2: the results of all frames are written
 *   BATCH   a part of it can have been issued
 *   EINTR   of MMAPBATCH_V2: frames mapped before the kill stay mapped
 *   any     but ESRCH (revoked), of MMAPBATCH_V2, after its first piece: the pieces before
 *           stay mapped, and their results are written
 *   any     of SERVE and IOEVENTFD, after it has bound an event channel: requests can have
 *           been received, so the page of requests has changed, and eventfds were signalled
 *
 * mmap()
 *
 * mmap() makes an area: an empty mapping for MMAPBATCH_V2 or MMAP_RESOURCE to
 * fill. The file offset is not used. Errors, in this order:
 *
 *   ESRCH   the file is revoked
 *   EPERM   the file is unbound, and the caller lacks CAP_SYS_ADMIN; or NARROW has
 *           removed both rights to map, or, of a writable area, MAP_WRITE
 *   EINVAL  the mapping is private
 *   EACCES  it is executable, or neither readable nor writable
 *
 * (EPERM comes first for an executable mapping if the file system of the node is
 * mounted noexec.)
 *
 * An area keeps the place, the size and the protection that mmap() gave it:
 * mremap() and mprotect() fail, and munmap() of a part fails. (Linux 5.10 lets
 * mprotect() with PROT_NONE pass. The area is then out of reach until it is
 * unmapped.) An area is not inherited over fork, not dumped, and debuggers cannot
 * read it.
 *
 * Stability
 *
 * Numbers 0 to 10 and their structures are those of the stock driver's
 * <xen/privcmd.h>. Numbers from 0x80 are this module's own. Own structures begin
 * with their size.
 *
 * Numbers, structures, the answers in each state and the order of refusals stay.
 * New members are added at the end of own structures, and a new ability gets a
 * DMOP_FEATURE_* bit.
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

/* The hypercall number of dm_op: __HYPERVISOR_dm_op in Xen's public/xen.h. */
#define DMOP_HYPERCALL_NR	41

/* The highest domid of a domain: DOMID_FIRST_RESERVED of Xen, minus 1. */
#define DMOP_DOMID_MAX		0x7fef

/*
 * A raw hypercall. dm_op is the only one admitted. @op and the arguments are
 * checked with all 64 bits: none is truncated.
 *
 * @op:      DMOP_HYPERCALL_NR
 * @arg[0]:  domid of the target domain
 * @arg[1]:  number of buffers, 1 to dmop_info.max_nr_bufs
 * @arg[2]:  address of the array of buffers, struct dmop_buf
 * @arg[3], @arg[4]: not used by dm_op; any value
 */
struct dmop_hypercall {
	__u64 op;
	__u64 arg[5];
};

/*
 * One buffer of a dm_op. Buffer 0 holds struct xen_dm_op; Xen's
 * public/hvm/dm_op.h defines the contents of the others.
 *
 * Buffers may overlap: Xen gets a copy of each. If Xen returns success, each
 * buffer that Xen changed is written back whole, in the order of the array. A
 * buffer that Xen did not change is not written, so it may be read-only.
 *
 * @uptr: address in the caller; not used if @size is 0
 * @size: bytes, 0 to dmop_info.max_buf_size
 */
struct dmop_buf {
	void DMOP_USER *uptr;
	__kernel_size_t size;
};

/*
 * A dm_op.
 *
 * @dom:   domid of the target domain
 * @num:   number of buffers, at most dmop_info.max_nr_bufs; 0: the call is a
 *         probe for the ioctl, and @dom and @ubufs are not used
 * @ubufs: array of @num buffers
 */
struct dmop_dm_op {
	__u16 dom;
	__u16 num;
	const struct dmop_buf DMOP_USER *ubufs;
};

/*
 * Frames of a domain to map. A frame is 4 KiB.
 *
 * The frames are mapped in pieces, in the order of @arr. A piece has 512 frames, and
 * the last one the rest. For each piece the frame numbers are read, the checks are made,
 * the frames are mapped, and the results are written. The first piece that fails ends
 * the call.
 *
 * @num:  number of frames, 1 to dmop_info.max_call_frames
 * @dom:  domid of the target domain
 * @addr: address in an area that mmap() of this same open file made. The first
 *        call on an area covers it wholly. A later call, for the same domain, may
 *        cover any part of it in which no frame is mapped.
 * @arr:  the @num frame numbers (gfn)
 * @err:  out: @num results, 0 or a negative errno each; -ENOENT: the frame is
 *        paged out. If @arr and @err overlap, results replace frame numbers.
 */
struct dmop_mmapbatch_v2 {
	unsigned int num;
	__u16 dom;
	__u64 addr;
	const __u64 DMOP_USER *arr;
	int DMOP_USER *err;
};

/*
 * A resource of a domain to map, or to query for its size.
 *
 * @dom:  domid of the target domain
 * @type: XENMEM_resource_* of Xen's public/memory.h; 16 bits
 * @id:   the resource among those of @type, such as the id of an ioreq server
 * @idx:  first frame of the resource to map; not used by a query
 * @num:  number of frames of 4 KiB, 1 to DMOP_RESOURCE_NUM_MAX. A query has 0 here
 *        and in @addr; out: the size of the resource in frames, as reported by Xen
 *        (before Xen 4.15, always 32)
 * @addr: start of an area that mmap() of this same open file made. The call
 *        covers the area wholly, and no mapping call has used it before; see
 *        dmop_info.mapped_frames.
 */
struct dmop_mmap_resource {
	__u16 dom;
	__u32 type;
	__u32 id;
	__u32 idx;
	__u64 num;
	__u64 addr;
};

#define DMOP_RESOURCE_NUM_MAX	1048576

/*
 * One operation of a batch.
 *
 * @result: out: Xen's return value, a negative errno if Xen rejects the operation
 * @flags:  0
 * @size:   bytes of its two buffers, each at most dmop_info.max_buf_size. Buffer
 *          0 holds struct xen_dm_op. Buffer 1 is absent if its size is 0.
 */
struct dmop_batch_op {
	__s32 result;
	__u32 flags;
	__u32 size[2];
};

/*
 * Several operations on one domain, in one block of memory without pointers:
 *
 *   struct dmop_batch      @size bytes
 *   struct dmop_batch_op   @nr of them
 *   the buffers            of operation 0: buffer 0, buffer 1; of operation 1; ...
 *                          each padded to a multiple of 8 bytes
 *
 * @size:  bytes of this structure, DMOP_BATCH_SIZE_V1 to DMOP_BATCH_SIZE_MAX.
 *         The operations begin there. Members unknown to this module must be 0.
 * @flags: 0
 * @domid: domid of the target domain of all operations; all 32 bits are checked
 * @nr:    number of operations, 1 to DMOP_BATCH_NR_MAX
 * @bytes: exact number of bytes of the operations and the padded buffers, at most
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

/* dmop_narrow.flags, dmop_info.narrowed: members of struct dmop_narrow */
#define DMOP_NARROW_ACTS	(1U << 0)
#define DMOP_NARROW_OPS		(1U << 1)
#define DMOP_NARROW_RESOURCES	(1U << 2)
#define DMOP_NARROW_FRAMES	(1U << 3)
#define DMOP_NARROW_GFNS	(1U << 4)	/* @gfn_first and @gfn_last */
#define DMOP_NARROW_ALL		0x1fU		/* all of these */

/*
 * dmop_narrow.acts, dmop_info.acts
 *
 * MAP_WRITE is needed beside one of the other two to map anything in a writable area.
 * Without EVENT no signal of an eventfd issues an operation, and no request of the domain signals
 * one.
 */
#define DMOP_RIGHT_CALL		(1ULL << 0)	/* DM_OP, HYPERCALL, BATCH */
#define DMOP_RIGHT_MAP_FOREIGN	(1ULL << 1)	/* MMAPBATCH_V2 */
#define DMOP_RIGHT_MAP_RESOURCE	(1ULL << 2)	/* MMAP_RESOURCE, also a query */
#define DMOP_RIGHT_MAP_WRITE	(1ULL << 3)
#define DMOP_RIGHT_EVENT	(1ULL << 4)	/* the ioctls with eventfds, and what they set up */
#define DMOP_RIGHT_ALL		0x1fULL		/* all of these */

/*
 * The rights that an open file keeps. A member that is not selected removes nothing and
 * is not used.
 *
 * @size:  bytes of this structure, DMOP_NARROW_SIZE_V1 to DMOP_NARROW_SIZE_MAX.
 *         Members unknown to this module must be 0.
 * @flags: DMOP_NARROW_*, the members that are selected
 * @acts:  kept kinds of calls: DMOP_RIGHT_*; a bit without a meaning is not used.
 *         Without CALL no operation is kept either.
 * @ops:   kept operations of dm_op: bit n % 64 of @ops[n / 64] stands for operation n.
 *         Operations from 128 on are removed, and so is a first buffer of less than
 *         4 bytes, which has no operation.
 * @resources: kept types of resources: bit n stands for type n. Types from 64 on are
 *         removed.
 * @max_frames: most frames of 4 KiB that the areas of the file may have together, as
 *         counted by dmop_info.mapped_frames
 * @gfn_first, @gfn_last: first and last frame number (gfn) that MMAPBATCH_V2 may map.
 *         Resources, and frame numbers in the buffers of a dm_op, are not concerned.
 */
struct dmop_narrow {
	__u32 size;
	__u32 flags;
	__aligned_u64 acts;
	__aligned_u64 ops[2];
	__aligned_u64 resources;
	__aligned_u64 max_frames;
	__aligned_u64 gfn_first;
	__aligned_u64 gfn_last;
};

#define DMOP_NARROW_SIZE_V1	64
#define DMOP_NARROW_SIZE_MAX	4096

/*
 * An operation that an eventfd issues when it is signalled.
 *
 * @dm_op: address of struct xen_dm_op, buffer 0 of the operation; it has no other. It is
 *         copied, once
 * @size:  bytes of it, DMOP_IRQFD_OP_MIN to DMOP_IRQFD_OP_MAX
 * @fd:    the eventfd
 * @flags: 0 or DMOP_IRQFD_DEASSIGN, with which @dm_op and @size are not used
 * @dom:   domid of the target domain
 * @pad:   not used
 */
struct dmop_irqfd {
	const void DMOP_USER *dm_op;
	__u32 size;
	__u32 fd;
	__u32 flags;
	__u16 dom;
	__u8 pad[2];
};

#define DMOP_IRQFD_OP_MIN	8
#define DMOP_IRQFD_OP_MAX	256

/* irqfds of an open file at most */
#define DMOP_IRQFDS_MAX		256

/* dmop_irqfd.flags */
#define DMOP_IRQFD_DEASSIGN	(1U << 0)

/*
 * A write of the guest to a register QueueNotify of virtio-mmio that signals an eventfd.
 *
 * @ioreq:  address of the page of requests of an ioreq server, which this same open file has
 *          mapped there with MMAP_RESOURCE
 * @ports:  @vcpus event channels: those of the server, in the order of its virtual processors, to
 *          which a process has bound them through /dev/xen/evtchn
 * @addr:   guest physical address of the device; the register is 0x50 bytes above it
 * @addr_len: bytes of the access, 1, 2, 4 or 8
 * @event_fd: the eventfd
 * @vcpus:  number of virtual processors of the domain, 1 to DMOP_SERVE_VCPUS_MAX
 * @vq:     number of the queue: the low 16 bits that are written, 8 if @addr_len is 1
 * @flags:  0 or DMOP_IOEVENTFD_DEASSIGN, with which only @ioreq, @event_fd and @dom are used
 * @dom:    domid of the target domain
 * @pad:    not used
 */
struct dmop_ioeventfd {
	void DMOP_USER *ioreq;
	const __u32 DMOP_USER *ports;
	__u64 addr;
	__u32 addr_len;
	__u32 event_fd;
	__u32 vcpus;
	__u32 vq;
	__u32 flags;
	__u16 dom;
	__u8 pad[2];
};

/* dmop_ioeventfd.flags */
#define DMOP_IOEVENTFD_DEASSIGN	(1U << 0)

/*
 * An ioreq server whose requests the kernel receives.
 *
 * @size:   bytes of this structure, DMOP_SERVE_SIZE_V1 to DMOP_SERVE_SIZE_MAX. Members
 *          unknown to this module must be 0.
 * @flags:  0 or DMOP_SERVE_END, with which @vcpus and @rest_fd are not used
 * @domid:  domid of the target domain; all 32 bits are checked
 * @server: id of the ioreq server, 0 to DMOP_SERVER_MAX
 * @vcpus:  number of virtual processors of the domain, 1 to DMOP_SERVE_VCPUS_MAX
 * @rest_fd: the eventfd that a request signals if it matches no kick
 */
struct dmop_serve {
	__u32 size;
	__u32 flags;
	__u32 domid;
	__u32 server;
	__u32 vcpus;
	__s32 rest_fd;
};

#define DMOP_SERVE_SIZE_V1	24
#define DMOP_SERVE_SIZE_MAX	4096
#define DMOP_SERVER_MAX		0xffff
#define DMOP_SERVE_VCPUS_MAX	128

/* ioreq servers that an open file serves at most */
#define DMOP_SERVERS_MAX	8

/* served virtual processors of one domain, summed over all its servers and files, at most */
#define DMOP_DOMAIN_PORTS_MAX	1024

/* dmop_serve.flags */
#define DMOP_SERVE_END		(1U << 0)

/*
 * Virtual processors whose requests were answered.
 *
 * @size:  bytes of this structure, DMOP_ANSWER_SIZE_V1 to DMOP_ANSWER_SIZE_MAX. Members
 *         unknown to this module must be 0.
 * @flags: 0
 * @vcpus: bit n % 64 of @vcpus[n / 64] stands for virtual processor n
 */
struct dmop_answer {
	__u32 size;
	__u32 flags;
	__aligned_u64 vcpus[2];
};

#define DMOP_ANSWER_SIZE_V1	24
#define DMOP_ANSWER_SIZE_MAX	4096

/*
 * A write access of the guest that signals an eventfd.
 *
 * @size:   bytes of this structure, DMOP_KICK_SIZE_V1 to DMOP_KICK_SIZE_MAX. Members
 *          unknown to this module must be 0.
 * @flags:  DMOP_KICK_*
 * @domid:  domid of the target domain; all 32 bits are checked
 * @server: id of the ioreq server that gets the access, 0 to DMOP_SERVER_MAX. It may be served
 *          later.
 * @fd:     the eventfd
 * @len:    bytes of the access, 1, 2, 4 or 8; 0: any, without DMOP_KICK_DATAMATCH
 * @addr:   guest physical address, or with DMOP_KICK_PIO the port
 * @datamatch: with DMOP_KICK_DATAMATCH, what the data must be after @mask; else 0
 * @mask:   with DMOP_KICK_DATAMATCH, the bits of the data that count, at least one, of those of
 *          @len bytes; else 0
 */
struct dmop_kick {
	__u32 size;
	__u32 flags;
	__u32 domid;
	__u32 server;
	__s32 fd;
	__u32 len;
	__aligned_u64 addr;
	__aligned_u64 datamatch;
	__aligned_u64 mask;
};

#define DMOP_KICK_SIZE_V1	48
#define DMOP_KICK_SIZE_MAX	4096

/* kicks of an open file at most */
#define DMOP_KICKS_MAX		256
/* pairs of @mask and @len among them at most */
#define DMOP_KICK_SHAPES_MAX	16

/* dmop_kick.flags */
#define DMOP_KICK_DEASSIGN	(1U << 0)
#define DMOP_KICK_PIO		(1U << 1)
#define DMOP_KICK_DATAMATCH	(1U << 2)
#define DMOP_KICK_ALL		0x7U		/* all of these */

/* dmop_info.state */
#define DMOP_STATE_UNBOUND	0
#define DMOP_STATE_BOUND	1
#define DMOP_STATE_REVOKED	2

/* dmop_info.domid of an unbound file. */
#define DMOP_DOMID_NONE		0xffffffffU

/* dmop_info.abi_version: changes only if something in this file changes its meaning. */
#define DMOP_ABI_VERSION	1

/* dmop_info.features */
#define DMOP_FEATURE_DM_OP	(1ULL << 0)	/* DM_OP and HYPERCALL */
#define DMOP_FEATURE_MAP	(1ULL << 1)	/* MMAPBATCH_V2 and MMAP_RESOURCE */
#define DMOP_FEATURE_REVOKE	(1ULL << 2)	/* revocation at the domain's end; poll() */
#define DMOP_FEATURE_BATCH	(1ULL << 3)	/* BATCH */
#define DMOP_FEATURE_PINNED	(1ULL << 4)	/* of this file: its domid is not reused during a call */
#define DMOP_FEATURE_NARROW	(1ULL << 5)	/* NARROW */
#define DMOP_FEATURE_IRQFD	(1ULL << 6)	/* IRQFD */
#define DMOP_FEATURE_SERVE	(1ULL << 7)	/* SERVE, ANSWER, KICK */
#define DMOP_FEATURE_IOEVENTFD	(1ULL << 8)	/* IOEVENTFD */

/*
 * The state, limits and counters of an open file. The counters belong to the file,
 * not to the domain.
 *
 * @size:           in: bytes of the caller's structure, DMOP_INFO_SIZE_V1 to
 *                  DMOP_INFO_SIZE_MAX; out: bytes filled in
 * @flags:          in: 0; out: 0
 * @abi_version:    DMOP_ABI_VERSION
 * @state:          DMOP_STATE_*
 * @domid:          target domain; of a revoked file, its former target; of an
 *                  unbound file, DMOP_DOMID_NONE
 * @own_domid:      domain of this kernel, never a target
 * @max_nr_bufs:    buffers per dm_op (module parameter dm_op_max_nr_bufs)
 * @max_buf_size:   bytes per buffer (module parameter dm_op_buf_max_size)
 * @max_map_frames: frames mapped through one open file (module parameter
 *                  max_map_frames)
 * @max_call_frames: frames per MMAPBATCH_V2; the same as @max_map_frames
 * @features:       DMOP_FEATURE_*
 * @calls:          dm_ops that were issued to Xen, whatever Xen returned; those of
 *                  eventfds too
 * @refused_policy: calls refused by policy: EPERM, and EINVAL of RESTRICT
 * @refused_dead:   calls refused with ESRCH because the file is revoked
 * @mapped_frames:  total size, in frames of 4 KiB, of the areas that mapping calls
 *                  have used. MMAPBATCH_V2 uses its area even if every frame
 *                  failed; a failed MMAP_RESOURCE does not. 0 after revocation.
 * @narrowed:       DMOP_NARROW_*: members that a NARROW has selected. OPS also if a
 *                  NARROW has removed CALL.
 * @acts:           rights that are left: DMOP_RIGHT_*
 * @ops:            operations that are left; all bits are 1, and operations from 128
 *                  on are left too, if @narrowed has no OPS
 * @resources:      types of resources that are left; likewise if @narrowed has no
 *                  RESOURCES
 * @max_frames:     frames that the areas may have together; at first all bits are 1.
 *                  @max_map_frames is a limit beside it.
 * @gfn_first, @gfn_last: frame numbers that may be mapped: none if @gfn_first is above
 *                  @gfn_last; at first 0, and all bits 1
 * @irqfds:         irqfds in use. One whose eventfd is closed counts until the next IRQFD.
 * @events:         dm_ops that a signal of an irqfd has issued to Xen
 * @events_failed:  those of them that Xen answered with an error
 * @servers:        ioreq servers that are served, or were until the domain died; also one whose
 *                  SERVE or DMOP_SERVE_END was killed, until the next one of these. One with
 *                  ioeventfds counts as served.
 * @kicks:          kicks and ioeventfds in use
 * @kicked:         requests that were completed because they matched a kick
 * @rest:           requests that signalled the @rest_fd of their server
 *
 * The rights can be narrowed further at any time; no member is ever less than what is
 * left.
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
	__aligned_u64 narrowed;
	__aligned_u64 acts;
	__aligned_u64 ops[2];
	__aligned_u64 resources;
	__aligned_u64 max_frames;
	__aligned_u64 gfn_first;
	__aligned_u64 gfn_last;
	__aligned_u64 irqfds;
	__aligned_u64 events;
	__aligned_u64 events_failed;
	__aligned_u64 servers;
	__aligned_u64 kicks;
	__aligned_u64 kicked;
	__aligned_u64 rest;
};

#define DMOP_INFO_SIZE_V1	80
#define DMOP_INFO_SIZE_MAX	4096

/*
 * DMOP_IOCTL_HYPERCALL - issue a dm_op in the form of a raw hypercall
 * @arg: struct dmop_hypercall
 *
 * Return: as DMOP_IOCTL_DM_OP, after the same checks. Differences:
 *   EPERM   also if @op is not DMOP_HYPERCALL_NR
 *   EINVAL  the number of buffers is 0: this ioctl has no probe
 *
 * Contract: IOCTL_PRIVCMD_HYPERCALL of the stock driver, as used by libxencall;
 * the rule that only dm_op is admitted is this module's.
 */
#define DMOP_IOCTL_HYPERCALL	\
	_IOC(_IOC_NONE, 'P', 0, sizeof(struct dmop_hypercall))

/*
 * DMOP_IOCTL_MMAPBATCH_V2 - map memory of a domain
 * @arg: struct dmop_mmapbatch_v2
 *
 * Return: 0, and @err holds the result of each frame, even if every frame failed;
 * or ENOENT, with @err likewise: at least one frame is paged out, and those with
 * -ENOENT can be tried again. A frame number above those of the machine fails by
 * itself, as any invalid one does.
 *
 *   EFAULT  @arg cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   @dom is not a domain that this file may reach; or MAP_FOREIGN is removed
 *   EINVAL  @num is 0
 *   E2BIG   @num is above dmop_info.max_call_frames
 *   ENOMEM  no memory for the frame numbers and results of a piece
 *           then for each piece in turn:
 *   EFAULT  its part of @arr cannot be read
 *   EINVAL  there is no area of this open file at @addr, or not @num frames of
 *           it; or the area is not wholly covered by its first call, is used for
 *           another domain, or has a frame mapped in the range; after the first
 *           piece, because another thread has unmapped the area or mapped a frame
 *   EPERM   NARROW has removed a frame number of the piece, or so many frames; or the
 *           area is writable, and MAP_WRITE is removed
 *   E2BIG   the file would have more frames than dmop_info.max_map_frames; or, on
 *           an auto-translated (PVH) dom0, more than the maximum reservation
 *           (maxmem) of the domain plus 4096, or more than twice that with those
 *           of areas just unmapped, which count until they are freed, soon after
 *   ESRCH   auto-translated dom0: Xen knows no such domain (on PV, @err says so
 *           for each frame)
 *   ENOMEM  no memory for the area; or, on an auto-translated dom0, all files
 *           together would have more empty pages than the module parameter
 *           max_empty_pages, or this file more than half of what the others leave
 *           (with those of areas just unmapped)
 *   ESRCH   the domain died during the call; its frames are unmapped, soon after
 *   EFAULT  its part of @err cannot be written; its frames are mapped
 *
 * An error after the first piece leaves the pieces before it mapped, and their results
 * written. To begin again, unmap the area.
 *
 * Contract: IOCTL_PRIVCMD_MMAPBATCH_V2 of the stock driver, as used by
 * libxenforeignmemory; the limits are this module's.
 */
#define DMOP_IOCTL_MMAPBATCH_V2	\
	_IOC(_IOC_NONE, 'P', 4, sizeof(struct dmop_mmapbatch_v2))

/*
 * DMOP_IOCTL_DM_OP - issue a dm_op
 * @arg: struct dmop_dm_op
 *
 * Return: Xen's return value. With @num == 0 the call is a probe: 0, unless the
 * file is revoked.
 *
 *   EFAULT  @arg cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   @dom is not the bound domain; or the file is unbound and the caller
 *           lacks CAP_SYS_ADMIN, or @dom cannot be a target; or CALL is removed
 *   E2BIG   @num is above dmop_info.max_nr_bufs
 *   ENOMEM  no memory for the array
 *   EFAULT  @ubufs cannot be read
 *   E2BIG   a buffer is larger than dmop_info.max_buf_size
 *   ENOMEM  no memory for the buffers
 *   EFAULT  a buffer cannot be read
 *   EPERM   NARROW has removed the operation, or buffer 0 has none
 *   (Xen)   among others: EPERM: Xen forbids it; E2BIG: more buffers than Xen
 *           takes (2 up to Xen 4.20); ESRCH: Xen knows no such domain, or the
 *           operation found nothing to act on
 *   EFAULT  Xen succeeded, and a buffer cannot be written back
 *
 * Contract: IOCTL_PRIVCMD_DM_OP of the stock driver, as used by
 * libxendevicemodel. The operations and their results are Xen's.
 */
#define DMOP_IOCTL_DM_OP	\
	_IOC(_IOC_NONE, 'P', 5, sizeof(struct dmop_dm_op))

/*
 * DMOP_IOCTL_RESTRICT - bind the open file to one domain, for ever
 * @arg: __u16, the domid
 *
 * Return: 0. Every dm_op and every mapping call that was admitted before has then
 * ended. (INFO, the probe and mmap() reach no domain and are not waited for.) On
 * a bound file, the same domid again gives 0 and needs no privilege.
 *
 *   EFAULT  @arg cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   the file is unbound, and the caller lacks CAP_SYS_ADMIN
 *   EINVAL  the file is bound to another domain; or it is unbound and @arg cannot
 *           be a target
 *   EBUSY   memory of another domain is mapped through the file; memory of the
 *           same domain stays mapped
 *   ENOMEM  no memory for the binding
 *   ESRCH   Xen knows no such domain, or it is dying; or, with Xen before 4.21,
 *           XenStore runs and has no directory for it, in which case Xen may still
 *           have the domain, but it is about to end
 *   EPERM   Xen does not let this domain act on that one
 *
 * A call that fails leaves the file as it was.
 *
 * Contract: IOCTL_PRIVCMD_RESTRICT of the stock driver, as used by the libraries'
 * restrict_all; the checks of the domain, EBUSY and the wait are this module's.
 */
#define DMOP_IOCTL_RESTRICT	\
	_IOC(_IOC_NONE, 'P', 6, sizeof(__u16))

/*
 * DMOP_IOCTL_MMAP_RESOURCE - map a resource of a domain, or query its size
 * @arg: struct dmop_mmap_resource
 *
 * Return: 0, and all frames are mapped, or the size is in @num. After an error no
 * frame is mapped.
 *
 *   EFAULT  @arg cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   @dom is not a domain that this file may reach; or MAP_RESOURCE or @type is
 *           removed
 *   EINVAL  one of @addr and @num is 0 and the other is not; or @type has more
 *           than 16 bits
 *   E2BIG   @num is above DMOP_RESOURCE_NUM_MAX
 *   ENOMEM  no memory for the frame numbers
 *   EINVAL  @addr and @num are not exactly an area of this open file; or a
 *           mapping call has used the area before
 *   EPERM   NARROW has removed so many frames; or the area is writable, and MAP_WRITE
 *           is removed
 *   E2BIG   the frames of the file, as for DMOP_IOCTL_MMAPBATCH_V2
 *   ENOMEM  no memory for the area
 *   (Xen)   Xen's answer; ESRCH: Xen knows no such domain
 *   EFAULT  the size cannot be written
 *
 * Contract: IOCTL_PRIVCMD_MMAP_RESOURCE of the stock driver, as used by
 * libxenforeignmemory. The resources are Xen's; the limits are this module's.
 */
#define DMOP_IOCTL_MMAP_RESOURCE	\
	_IOC(_IOC_NONE, 'P', 7, sizeof(struct dmop_mmap_resource))

/*
 * DMOP_IOCTL_IRQFD - let the signals of an eventfd issue a dm_op
 * @arg: struct dmop_irqfd
 *
 * From now on, a write() to the eventfd, or a signal of another kind, issues the
 * operation before it returns, and resets the counter of the eventfd as read() does.
 * (Linux before 5.10.195 does not reset it, and may issue the operation twice for a signal
 * during the ioctl. Before Linux 6.6 the counter of an eventfd with EFD_SEMAPHORE can
 * wrap.) If the counter is not 0 when the ioctl is issued, the operation is issued at
 * once.
 *
 * Its result is reported to nobody, but see dmop_info.events_failed. A level that an
 * operation asserts stays until another operation deasserts it, for which another eventfd
 * serves. Xen reports no end of interrupt, so nothing corresponds to KVM's resampling.
 *
 * The irqfd belongs to the open file and ends with it, with DMOP_IRQFD_DEASSIGN, or with
 * the last descriptor of the eventfd. When the domain is gone, or NARROW has removed
 * EVENT, CALL or the operation, a signal issues nothing and leaves the counter.
 *
 * Return: 0. With DMOP_IRQFD_DEASSIGN the irqfd of @fd, if there is one, has ended, and no
 * operation of it is in progress.
 *
 *   EFAULT  @arg cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   the file is unbound, whatever the privilege; or @dom is not the bound
 *           domain; or EVENT is removed
 *   EINVAL  @flags has an unknown bit; or @size is below DMOP_IRQFD_OP_MIN
 *   E2BIG   @size is above DMOP_IRQFD_OP_MAX
 *   EBADF   @fd is not open
 *   EINVAL  @fd is not an eventfd
 *   ENOMEM  no memory for the irqfd
 *   EFAULT  @dm_op cannot be read
 *   EPERM   NARROW has removed the operation
 *   EOPNOTSUPP the operation is none of set_pci_intx_level, set_isa_irq_level, inject_msi
 *           and set_irq_level: others take too long to be issued with interrupts off.
 *           DM_OP issues them. Or the kernel is a real-time one (PREEMPT_RT), and INFO
 *           has no DMOP_FEATURE_IRQFD.
 *   EBUSY   the open file has an irqfd with this eventfd
 *   E2BIG   it has DMOP_IRQFDS_MAX irqfds
 *   ESRCH   the domain died during the call
 *
 * Contract: IOCTL_PRIVCMD_IRQFD of the stock driver since Linux 6.6, as used by
 * virtio backends. That driver lets a descriptor without a restriction set up an
 * irqfd. Here an operation that is issued later, by whoever signals the eventfd, would
 * escape the check of the caller's privilege at each call.
 */
#define DMOP_IOCTL_IRQFD	\
	_IOC(_IOC_WRITE, 'P', 8, sizeof(struct dmop_irqfd))

/*
 * DMOP_IOCTL_IOEVENTFD - let a write to QueueNotify signal an eventfd
 * @arg: struct dmop_ioeventfd
 *
 * For programs that have it from the stock driver. SERVE and KICK need no other kernel, take the
 * event channels off the process, and do not wake it for what a kick completes.
 *
 * The kernel receives the events of the server's channels beside the process. It takes a request
 * that matches: the state goes from STATE_IOREQ_READY to STATE_IORESP_READY, and the eventfd is
 * signalled. It leaves others alone. The process is woken for each, and takes what is still in state
 * STATE_IOREQ_READY with a compare-and-exchange of the state. It had better leave alone what matches.
 * But it has to take that too once after this call, after its opposite, DMOP_SERVE_END and a NARROW
 * that removes EVENT: the kernel may have left a request that came meanwhile. The next event of a
 * channel comes after the process has unmasked it.
 *
 * The ioeventfd is a kick of the file (DMOP_IOCTL_KICK), and ends with the file, or with
 * DMOP_IOEVENTFD_DEASSIGN. If that removes the last kick at an address of the server, the channels
 * are the process's alone again; also after DMOP_SERVE_END, which leaves the kicks. Until then, to
 * close or unbind them in /dev/xen/evtchn does not free them, and a server that is destroyed and
 * created again cannot have ioeventfds.
 *
 * Who can write to the page of requests can let this share another event channel that a process has
 * bound to the same domain. That process receives its events as before, but its channel is not free
 * until this ends.
 *
 * Return: 0. With DMOP_IOEVENTFD_DEASSIGN, a kick at an address of the server with this eventfd is
 * gone.
 *
 *   EFAULT  @arg cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   the file is unbound, whatever the privilege; or @dom is not the bound
 *           domain; or EVENT is removed
 *   EINVAL  @flags has an unknown bit; @vcpus, @addr_len or @vq is out of range; or the access
 *           goes beyond the last address
 *   EBADF   @event_fd is not open
 *   EINVAL  @event_fd is not an eventfd
 *   ENOMEM  no memory for the event channels
 *   EFAULT  @ports cannot be read
 *   EINVAL  @ioreq is not where this open file has mapped the page of requests of an ioreq server
 *   EOPNOTSUPP the kernel is older than Linux 6.7, or a real-time one (PREEMPT_RT), and INFO
 *           has no DMOP_FEATURE_IOEVENTFD
 *   ENODEV  DMOP_IOEVENTFD_DEASSIGN: the server has no kick at an address with this eventfd
 *   EBUSY   the server has one already; or SERVE serves it
 *   EINVAL  it is shared with other @ports
 *   E2BIG   the open file serves DMOP_SERVERS_MAX servers
 *   ENOMEM  no memory
 *   E2BIG   DMOP_DOMAIN_PORTS_MAX virtual processors of the domain would be served, by all
 *           servers and files
 *   EBUSY   one of @ports is there twice, or the module has its events already
 *   ESRCH   the domain died during the call
 *   (Xen)   of the page, as for SERVE
 *   EPERM   one of @ports is not bound to the event channel of its virtual processor, or not by a
 *           process
 *   EBUSY   the kernel cannot share one
 *   EEXIST, E2BIG, ENOMEM as for KICK
 *
 * Contract: IOCTL_PRIVCMD_IOEVENTFD of the stock driver since Linux 6.7, as used by virtio
 * backends. The checks of the event channels and the order of the states of a request are this
 * module's.
 */
#define DMOP_IOCTL_IOEVENTFD	\
	_IOC(_IOC_WRITE, 'P', 9, sizeof(struct dmop_ioeventfd))

/*
 * DMOP_IOCTL_INFO - report the state, limits and counters of the open file
 * @arg: struct dmop_info
 *
 * Return: 0, in every state and for every holder of the file.
 *
 *   EFAULT  @size and @flags cannot be read
 *   EINVAL  @size is below DMOP_INFO_SIZE_V1
 *   E2BIG   @size is above DMOP_INFO_SIZE_MAX
 *   EINVAL  @flags is not 0
 *   E2BIG   bytes unknown to this module are not 0
 *   EFAULT  the rest of @arg cannot be read, or @arg cannot be written
 *
 * Contract: this module's own.
 */
#define DMOP_IOCTL_INFO		_IO('P', 0x80)

/*
 * DMOP_IOCTL_NARROW - remove rights of the open file, for ever
 * @arg: struct dmop_narrow
 *
 * The file keeps the rights that it had and that @arg names: an intersection. Removing
 * what is removed already is no error, so a launcher and its program can both narrow,
 * in any order. Every holder of a bound file may do so; no capability is needed.
 *
 * Return: 0. Every dm_op and every mapping call that is now forbidden has then ended.
 * Without EVENT no signal issues an operation any more, no request is received, no SERVE
 * binds an event channel, and no ANSWER notifies one. Existing mappings stay, so narrow
 * before mapping. A writable area without frames is useless once MAP_WRITE is removed.
 *
 * The call waits for the dm_ops and mapping calls in progress on all files that are bound to
 * the domain, some hundredths of a second at least, and for another NARROW of the file.
 *
 * It narrows this open file only. In a stub domain each open() of the node gives another
 * one, with all rights: there the process must not be able to open the node.
 *
 *   EFAULT  @arg cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   the file is unbound
 *   EINVAL  @size is below DMOP_NARROW_SIZE_V1; @flags has an unknown bit; or
 *           @gfn_first is above @gfn_last, if they are selected
 *   E2BIG   @size is above DMOP_NARROW_SIZE_MAX; or bytes unknown to this module are
 *           not 0
 *   EFAULT  these bytes cannot be read
 *   EINTR   the caller is being killed; the rights are removed, but calls that need
 *           them can still be in progress
 *
 * A call that fails in any other way removes nothing.
 *
 * Contract: this module's own.
 */
#define DMOP_IOCTL_NARROW	_IO('P', 0x81)

/*
 * DMOP_IOCTL_BATCH - issue several dm_ops in one call
 * @arg: struct dmop_batch, and the operations and buffers behind it
 *
 * The batch is copied in once and checked as a whole before Xen is entered. Each
 * operation is one hypercall. They are issued in order, with a scheduling point
 * between two.
 *
 * Return: number of operations issued, at least 1, always a prefix of the array.
 * An operation that Xen rejects was issued too, and does not stop the batch.
 * The batch ends early only if
 *   - the file is revoked: the next call on it fails with ESRCH;
 *   - NARROW removes an operation of it meanwhile; or
 *   - the caller is being killed. No other signal ends a batch.
 *
 * An issued operation has @result set, and its buffers hold the contents that Xen
 * left there. @result and the buffers of the other operations are unchanged.
 * Everything behind struct dmop_batch is written back once, at the end, even where
 * Xen changed nothing.
 *
 * The domain may end during a batch. An operation that finds it gone has a @result
 * of -ESRCH, and a bound file is then revoked.
 *
 * An error means that no operation was issued and nothing is written, except for
 * the last EFAULT:
 *
 *   EFAULT  struct dmop_batch cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   @domid is not a domain that this file may reach; or CALL is removed
 *   EINVAL  @size is below DMOP_BATCH_SIZE_V1
 *   E2BIG   @size is above DMOP_BATCH_SIZE_MAX
 *   EINVAL  @flags or @pad is not 0, or @nr is 0
 *   E2BIG   @nr or @bytes is above its maximum
 *   EINVAL  @bytes is less than the size of the operations
 *   E2BIG   bytes of the structure unknown to this module are not 0
 *   EFAULT  these bytes cannot be read
 *   ENOMEM  no memory for the batch
 *   EFAULT  the operations or buffers cannot be read
 *           then for each operation in turn:
 *   EINVAL  its flags are not 0
 *   E2BIG   it has more buffers than dmop_info.max_nr_bufs, or one larger than
 *           dmop_info.max_buf_size
 *   EINVAL  its buffers do not fit in @bytes; or bytes are left after the last
 *           then for all operations:
 *   EPERM   NARROW has removed one, or the buffer 0 of one has none
 *   EFAULT  operations were issued, and the results cannot be written back, or
 *           not wholly
 *
 * Contract: this module's own; the operations and their results are Xen's.
 */
#define DMOP_IOCTL_BATCH	_IO('P', 0x82)

/*
 * DMOP_IOCTL_SERVE - let the kernel receive the requests of an ioreq server
 * @arg: struct dmop_serve
 *
 * The server was created and enabled by dm_ops. The kernel maps the page of its requests for
 * itself, and binds the event channels, which nobody may have bound yet. A write access that
 * matches a kick (DMOP_IOCTL_KICK) signals the eventfd of the kick, and is complete: no process
 * is involved. Every other request gets the state STATE_IOREQ_INPROCESS, and signals @rest_fd. The
 * caller then handles it in its own mapping of the page (MMAP_RESOURCE), sets its state to
 * STATE_IORESP_READY, and issues ANSWER. A request in state STATE_IOREQ_READY is still the
 * kernel's: leave it alone. A signal can stand for several requests, and for none. Requests
 * that waited before the call in state STATE_IOREQ_READY are received, too. One that is in
 * state STATE_IOREQ_INPROCESS already signals nothing. Buffered requests are not received:
 * create the server without them.
 *
 * Virtual processors from @vcpus on are not served. A server that was enabled once can be served
 * while it is disabled. A server that is destroyed and created again needs DMOP_SERVE_END first.
 *
 * It belongs to the open file and ends with it, with DMOP_SERVE_END, or with the domain. When
 * NARROW has removed EVENT, a request signals nothing, and its virtual processor waits. No
 * other right is needed.
 *
 * Return: 0. With DMOP_SERVE_END the server, if it is served through this open file, is no
 * more: none of its requests signals an eventfd, and its event channels are free again.
 *
 *   EFAULT  @arg cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   the file is unbound, whatever the privilege; or @domid is not the bound
 *           domain; or EVENT is removed
 *   EINVAL  @size is below DMOP_SERVE_SIZE_V1; @flags has an unknown bit; or @server or
 *           @vcpus is out of range
 *   E2BIG   @size is above DMOP_SERVE_SIZE_MAX; or bytes unknown to this module are not 0
 *   EFAULT  these bytes cannot be read
 *   EBADF   @rest_fd is not open
 *   EINVAL  @rest_fd is not an eventfd
 *   EOPNOTSUPP the kernel is a real-time one (PREEMPT_RT), and INFO has no
 *           DMOP_FEATURE_SERVE; also with DMOP_SERVE_END
 *   EBUSY   the open file serves it already
 *   E2BIG   the open file serves DMOP_SERVERS_MAX servers
 *   ENOMEM  no memory
 *   E2BIG   DMOP_DOMAIN_PORTS_MAX virtual processors of the domain would be served, by all
 *           servers and files
 *   ESRCH   the domain died during the call
 *   (Xen)   among others: ENOENT: no such server; EPERM: a device model in another domain has
 *           created it; EINVAL: it was never enabled, or it has fewer virtual processors, or an
 *           event channel is bound already
 *
 * A call that fails after it has bound an event channel can have received requests of it: they
 * are complete, or in state STATE_IOREQ_INPROCESS, and have signalled.
 *
 * Contract: this module's own; the requests are Xen's (public/hvm/ioreq.h).
 */
#define DMOP_IOCTL_SERVE	_IO('P', 0x83)

/*
 * DMOP_IOCTL_ANSWER - tell Xen that requests were answered
 * @arg: struct dmop_answer
 *
 * Notifies the virtual processors in each server that the open file serves. Xen looks at the
 * state of the request, so one too many changes nothing.
 *
 * Return: 0. After an error nothing is notified.
 *
 *   EFAULT  @arg cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   the file is unbound, whatever the privilege; or EVENT is removed
 *   EINVAL  @size is below DMOP_ANSWER_SIZE_V1; or @flags is not 0
 *   E2BIG   @size is above DMOP_ANSWER_SIZE_MAX; or bytes unknown to this module are not 0
 *   EFAULT  these bytes cannot be read
 *   EINVAL  none of the servers that the file serves has all of the virtual processors
 *   ESRCH   the domain died during the call
 *
 * Contract: this module's own.
 */
#define DMOP_IOCTL_ANSWER	_IO('P', 0x84)

/*
 * DMOP_IOCTL_KICK - let a write access of the guest signal an eventfd
 * @arg: struct dmop_kick
 *
 * The access must be one write, to exactly @addr, that Xen sends to @server, which this same open
 * file serves. It is complete when the eventfd is signalled; the data is dropped.
 *
 * The kick belongs to the open file and ends with it, or with DMOP_KICK_DEASSIGN and the same
 * members. It keeps the eventfd.
 *
 * Return: 0. With DMOP_KICK_DEASSIGN, the kick signals no more.
 *
 *   EFAULT  @arg cannot be read
 *   ESRCH   the file is revoked
 *   EPERM   the file is unbound, whatever the privilege; or @domid is not the bound
 *           domain; or EVENT is removed
 *   EINVAL  @size is below DMOP_KICK_SIZE_V1; @flags has an unknown bit; or another member is
 *           out of range; or the access goes beyond the last address or port
 *   E2BIG   @size is above DMOP_KICK_SIZE_MAX; or bytes unknown to this module are not 0
 *   EFAULT  these bytes cannot be read
 *   EBADF   @fd is not open
 *   EINVAL  @fd is not an eventfd
 *   EOPNOTSUPP as for SERVE
 *   ENOENT  DMOP_KICK_DEASSIGN: the open file has no such kick
 *   EEXIST  an access could match this kick and another one of the file
 *   E2BIG   the open file has DMOP_KICKS_MAX kicks, or DMOP_KICK_SHAPES_MAX other pairs of
 *           @mask and @len
 *   ENOMEM  no memory
 *
 * Contract: this module's own, after KVM's ioeventfd.
 */
#define DMOP_IOCTL_KICK		_IO('P', 0x85)

#endif /* _UAPI_XEN_DMOP_H */
