// SPDX-License-Identifier: GPL-2.0
/*
 * abi_test.c - the inherited part of the ABI is the same as in the stock driver
 *
 * The compiler proves all of it: the test is that this file builds.
 */
#include <stddef.h>

#include <xen/dmop.h>
#include <xen/privcmd.h>	/* the stock header, as installed */

#include "tap.h"

#define SIZE_OF(s, member)	sizeof(((struct s *)0)->member)

/* Member @ours of @o sits where @theirs of @t sits, and is as large. */
#define SAME_MEMBER(o, ours, t, theirs)						\
	_Static_assert(offsetof(struct o, ours) == offsetof(struct t, theirs) &&	\
		       SIZE_OF(o, ours) == SIZE_OF(t, theirs), #o "." #ours)

/* So is what a member points at. */
#define SAME_TARGET(o, ours, t, theirs)						\
	_Static_assert(SIZE_OF(o, ours[0]) == SIZE_OF(t, theirs[0]), #o "." #ours)

#define SAME_STRUCT(o, t)							\
	_Static_assert(sizeof(struct o) == sizeof(struct t) &&			\
		       _Alignof(struct o) == _Alignof(struct t), #o)

_Static_assert(DMOP_IOCTL_HYPERCALL == IOCTL_PRIVCMD_HYPERCALL, "HYPERCALL");
_Static_assert(DMOP_IOCTL_DM_OP == IOCTL_PRIVCMD_DM_OP, "DM_OP");
_Static_assert(DMOP_IOCTL_RESTRICT == IOCTL_PRIVCMD_RESTRICT, "RESTRICT");
_Static_assert(DMOP_IOCTL_MMAPBATCH_V2 == IOCTL_PRIVCMD_MMAPBATCH_V2, "MMAPBATCH_V2");
_Static_assert(DMOP_IOCTL_MMAP_RESOURCE == IOCTL_PRIVCMD_MMAP_RESOURCE, "MMAP_RESOURCE");

SAME_STRUCT(dmop_hypercall, privcmd_hypercall);
SAME_MEMBER(dmop_hypercall, op, privcmd_hypercall, op);
SAME_MEMBER(dmop_hypercall, arg, privcmd_hypercall, arg);
SAME_MEMBER(dmop_hypercall, arg[4], privcmd_hypercall, arg[4]);

SAME_STRUCT(dmop_dm_op, privcmd_dm_op);
SAME_MEMBER(dmop_dm_op, dom, privcmd_dm_op, dom);
SAME_MEMBER(dmop_dm_op, num, privcmd_dm_op, num);
SAME_MEMBER(dmop_dm_op, ubufs, privcmd_dm_op, ubufs);

SAME_STRUCT(dmop_buf, privcmd_dm_op_buf);
SAME_MEMBER(dmop_buf, uptr, privcmd_dm_op_buf, uptr);
SAME_MEMBER(dmop_buf, size, privcmd_dm_op_buf, size);

SAME_STRUCT(dmop_mmapbatch_v2, privcmd_mmapbatch_v2);
SAME_MEMBER(dmop_mmapbatch_v2, num, privcmd_mmapbatch_v2, num);
SAME_MEMBER(dmop_mmapbatch_v2, dom, privcmd_mmapbatch_v2, dom);
SAME_MEMBER(dmop_mmapbatch_v2, addr, privcmd_mmapbatch_v2, addr);
SAME_MEMBER(dmop_mmapbatch_v2, arr, privcmd_mmapbatch_v2, arr);
SAME_TARGET(dmop_mmapbatch_v2, arr, privcmd_mmapbatch_v2, arr);
SAME_MEMBER(dmop_mmapbatch_v2, err, privcmd_mmapbatch_v2, err);
SAME_TARGET(dmop_mmapbatch_v2, err, privcmd_mmapbatch_v2, err);

SAME_STRUCT(dmop_mmap_resource, privcmd_mmap_resource);
SAME_MEMBER(dmop_mmap_resource, dom, privcmd_mmap_resource, dom);
SAME_MEMBER(dmop_mmap_resource, type, privcmd_mmap_resource, type);
SAME_MEMBER(dmop_mmap_resource, id, privcmd_mmap_resource, id);
SAME_MEMBER(dmop_mmap_resource, idx, privcmd_mmap_resource, idx);
SAME_MEMBER(dmop_mmap_resource, num, privcmd_mmap_resource, num);
SAME_MEMBER(dmop_mmap_resource, addr, privcmd_mmap_resource, addr);

/*
 * The module's own part, in figures: a change of any of these breaks programs
 * that were built before it.
 */
_Static_assert(DMOP_IOCTL_HYPERCALL == 0x305000, "HYPERCALL");
_Static_assert(DMOP_IOCTL_DM_OP == 0x105005, "DM_OP");
_Static_assert(DMOP_IOCTL_RESTRICT == 0x25006, "RESTRICT");
_Static_assert(DMOP_IOCTL_MMAPBATCH_V2 == 0x205004, "MMAPBATCH_V2");
_Static_assert(DMOP_IOCTL_MMAP_RESOURCE == 0x205007, "MMAP_RESOURCE");
_Static_assert(DMOP_IOCTL_IRQFD == 0x40185008, "IRQFD");
_Static_assert(DMOP_IOCTL_IOEVENTFD == 0x40305009, "IOEVENTFD");
_Static_assert(DMOP_IOCTL_INFO == 0x5080, "INFO");
_Static_assert(DMOP_IOCTL_NARROW == 0x5081, "NARROW");
_Static_assert(DMOP_IOCTL_BATCH == 0x5082, "BATCH");
_Static_assert(DMOP_IOCTL_SERVE == 0x5083, "SERVE");
_Static_assert(DMOP_IOCTL_ANSWER == 0x5084, "ANSWER");
_Static_assert(DMOP_IOCTL_KICK == 0x5085, "KICK");
_Static_assert(DMOP_HYPERCALL_NR == 41, "dm_op");
_Static_assert(DMOP_DOMID_MAX == 32751, "highest domid");
_Static_assert(DMOP_DOMID_NONE == 0xffffffff, "no domid");
_Static_assert(DMOP_STATE_UNBOUND == 0, "unbound");
_Static_assert(DMOP_STATE_BOUND == 1, "bound");
_Static_assert(DMOP_STATE_REVOKED == 2, "revoked");
_Static_assert(DMOP_ABI_VERSION == 1, "version");
_Static_assert(DMOP_FEATURE_DM_OP == 1, "dm_op feature");
_Static_assert(DMOP_FEATURE_MAP == 2, "mapping feature");
_Static_assert(DMOP_FEATURE_REVOKE == 4, "revocation feature");
_Static_assert(DMOP_FEATURE_BATCH == 8, "batch feature");
_Static_assert(DMOP_FEATURE_NARROW == 32, "narrow feature");
_Static_assert(DMOP_FEATURE_IRQFD == 64, "irqfd feature");
_Static_assert(DMOP_FEATURE_SERVE == 128, "serve feature");
_Static_assert(DMOP_FEATURE_IOEVENTFD == 256, "ioeventfd feature");
_Static_assert(DMOP_RESOURCE_NUM_MAX == 1048576, "frames of MMAP_RESOURCE");
_Static_assert(DMOP_INFO_SIZE_V1 == 80, "first size of INFO");
_Static_assert(DMOP_INFO_SIZE_MAX == 4096, "largest size of INFO");

#define AT_OF(s, member, offset, size)						\
	_Static_assert(offsetof(struct s, member) == (offset) &&			\
		       SIZE_OF(s, member) == (size), #s "." #member)
#define AT(member, offset, size)	AT_OF(dmop_info, member, offset, size)

AT(size, 0, 4);
AT(flags, 4, 4);
AT(abi_version, 8, 4);
AT(state, 12, 4);
AT(domid, 16, 4);
AT(own_domid, 20, 4);
AT(max_nr_bufs, 24, 4);
AT(max_buf_size, 28, 4);
AT(max_map_frames, 32, 4);
AT(max_call_frames, 36, 4);
AT(features, 40, 8);
AT(calls, 48, 8);
AT(refused_policy, 56, 8);
AT(refused_dead, 64, 8);
AT(mapped_frames, 72, 8);
AT(narrowed, 80, 8);
AT(acts, 88, 8);
AT(ops, 96, 16);
AT(resources, 112, 8);
AT(max_frames, 120, 8);
AT(gfn_first, 128, 8);
AT(gfn_last, 136, 8);
AT(irqfds, 144, 8);
AT(events, 152, 8);
AT(events_failed, 160, 8);
AT(servers, 168, 8);
AT(kicks, 176, 8);
AT(kicked, 184, 8);
AT(rest, 192, 8);
_Static_assert(sizeof(struct dmop_info) >= DMOP_INFO_SIZE_V1, "shrunk");
_Static_assert(_Alignof(struct dmop_info) == 8, "alignment");

_Static_assert(DMOP_NARROW_SIZE_V1 == 64, "first size of NARROW");
_Static_assert(DMOP_NARROW_SIZE_MAX == 4096, "largest size of NARROW");
_Static_assert(DMOP_NARROW_ACTS == 1, "acts");
_Static_assert(DMOP_NARROW_OPS == 2, "operations");
_Static_assert(DMOP_NARROW_RESOURCES == 4, "resources");
_Static_assert(DMOP_NARROW_FRAMES == 8, "frames");
_Static_assert(DMOP_NARROW_GFNS == 16, "frame numbers");
_Static_assert(DMOP_NARROW_ALL == 31, "all members");
_Static_assert(DMOP_RIGHT_CALL == 1, "call");
_Static_assert(DMOP_RIGHT_MAP_FOREIGN == 2, "map foreign");
_Static_assert(DMOP_RIGHT_MAP_RESOURCE == 4, "map resource");
_Static_assert(DMOP_RIGHT_MAP_WRITE == 8, "map write");
_Static_assert(DMOP_RIGHT_EVENT == 16, "event");
_Static_assert(DMOP_RIGHT_ALL == 31, "all rights");
AT_OF(dmop_narrow, size, 0, 4);
AT_OF(dmop_narrow, flags, 4, 4);
AT_OF(dmop_narrow, acts, 8, 8);
AT_OF(dmop_narrow, ops, 16, 16);
AT_OF(dmop_narrow, resources, 32, 8);
AT_OF(dmop_narrow, max_frames, 40, 8);
AT_OF(dmop_narrow, gfn_first, 48, 8);
AT_OF(dmop_narrow, gfn_last, 56, 8);
_Static_assert(sizeof(struct dmop_narrow) >= DMOP_NARROW_SIZE_V1, "shrunk");
_Static_assert(_Alignof(struct dmop_narrow) == 8, "alignment");

/* As in the stock driver since Linux 6.6; older headers do not have it. */
AT_OF(dmop_irqfd, dm_op, 0, 8);
AT_OF(dmop_irqfd, size, 8, 4);
AT_OF(dmop_irqfd, fd, 12, 4);
AT_OF(dmop_irqfd, flags, 16, 4);
AT_OF(dmop_irqfd, dom, 20, 2);
AT_OF(dmop_irqfd, pad, 22, 2);
_Static_assert(sizeof(struct dmop_irqfd) == 24, "irqfd");
_Static_assert(DMOP_IRQFD_DEASSIGN == 1, "deassign");
_Static_assert(DMOP_IRQFD_OP_MIN == 8, "smallest operation");
_Static_assert(DMOP_IRQFD_OP_MAX == 256, "largest operation");
_Static_assert(DMOP_IRQFDS_MAX == 256, "irqfds");

/* Likewise, since Linux 6.7. */
AT_OF(dmop_ioeventfd, ioreq, 0, 8);
AT_OF(dmop_ioeventfd, ports, 8, 8);
AT_OF(dmop_ioeventfd, addr, 16, 8);
AT_OF(dmop_ioeventfd, addr_len, 24, 4);
AT_OF(dmop_ioeventfd, event_fd, 28, 4);
AT_OF(dmop_ioeventfd, vcpus, 32, 4);
AT_OF(dmop_ioeventfd, vq, 36, 4);
AT_OF(dmop_ioeventfd, flags, 40, 4);
AT_OF(dmop_ioeventfd, dom, 44, 2);
AT_OF(dmop_ioeventfd, pad, 46, 2);
_Static_assert(sizeof(struct dmop_ioeventfd) == 48, "ioeventfd");
_Static_assert(DMOP_IOEVENTFD_DEASSIGN == 1, "deassign");

_Static_assert(DMOP_SERVE_SIZE_V1 == 24, "first size of SERVE");
_Static_assert(DMOP_SERVE_SIZE_MAX == 4096, "largest size of SERVE");
_Static_assert(DMOP_SERVER_MAX == 65535, "highest server");
_Static_assert(DMOP_SERVE_VCPUS_MAX == 128, "virtual processors");
_Static_assert(DMOP_SERVERS_MAX == 8, "servers");
_Static_assert(DMOP_DOMAIN_PORTS_MAX == 1024, "virtual processors of a domain");
_Static_assert(DMOP_SERVE_END == 1, "end");
AT_OF(dmop_serve, size, 0, 4);
AT_OF(dmop_serve, flags, 4, 4);
AT_OF(dmop_serve, domid, 8, 4);
AT_OF(dmop_serve, server, 12, 4);
AT_OF(dmop_serve, vcpus, 16, 4);
AT_OF(dmop_serve, rest_fd, 20, 4);
_Static_assert(sizeof(struct dmop_serve) >= DMOP_SERVE_SIZE_V1, "shrunk");
_Static_assert(_Alignof(struct dmop_serve) == 4, "alignment");

_Static_assert(DMOP_ANSWER_SIZE_V1 == 24, "first size of ANSWER");
_Static_assert(DMOP_ANSWER_SIZE_MAX == 4096, "largest size of ANSWER");
AT_OF(dmop_answer, size, 0, 4);
AT_OF(dmop_answer, flags, 4, 4);
AT_OF(dmop_answer, vcpus, 8, 16);
_Static_assert(sizeof(struct dmop_answer) >= DMOP_ANSWER_SIZE_V1, "shrunk");
_Static_assert(_Alignof(struct dmop_answer) == 8, "alignment");

_Static_assert(DMOP_KICK_SIZE_V1 == 48, "first size of KICK");
_Static_assert(DMOP_KICK_SIZE_MAX == 4096, "largest size of KICK");
_Static_assert(DMOP_KICKS_MAX == 256, "kicks");
_Static_assert(DMOP_KICK_DEASSIGN == 1, "deassign");
_Static_assert(DMOP_KICK_PIO == 2, "port");
_Static_assert(DMOP_KICK_DATAMATCH == 4, "datamatch");
_Static_assert(DMOP_KICK_ALL == 7, "all flags");
AT_OF(dmop_kick, size, 0, 4);
AT_OF(dmop_kick, flags, 4, 4);
AT_OF(dmop_kick, domid, 8, 4);
AT_OF(dmop_kick, server, 12, 4);
AT_OF(dmop_kick, fd, 16, 4);
AT_OF(dmop_kick, len, 20, 4);
AT_OF(dmop_kick, addr, 24, 8);
AT_OF(dmop_kick, datamatch, 32, 8);
AT_OF(dmop_kick, mask, 40, 8);
_Static_assert(sizeof(struct dmop_kick) >= DMOP_KICK_SIZE_V1, "shrunk");
_Static_assert(_Alignof(struct dmop_kick) == 8, "alignment");

_Static_assert(DMOP_BATCH_SIZE_V1 == 24, "first size of BATCH");
_Static_assert(DMOP_BATCH_SIZE_MAX == 4096, "largest size of BATCH");
_Static_assert(DMOP_BATCH_NR_MAX == 64, "operations of BATCH");
_Static_assert(DMOP_BATCH_BYTES_MAX == 65536, "bytes of BATCH");
AT_OF(dmop_batch, size, 0, 4);
AT_OF(dmop_batch, flags, 4, 4);
AT_OF(dmop_batch, domid, 8, 4);
AT_OF(dmop_batch, nr, 12, 4);
AT_OF(dmop_batch, bytes, 16, 4);
AT_OF(dmop_batch, pad, 20, 4);
_Static_assert(sizeof(struct dmop_batch) >= DMOP_BATCH_SIZE_V1, "shrunk");
AT_OF(dmop_batch_op, result, 0, 4);
AT_OF(dmop_batch_op, flags, 4, 4);
AT_OF(dmop_batch_op, size, 8, 8);
_Static_assert(sizeof(struct dmop_batch_op) == 16, "does not grow");

int main(void)
{
	tap_begin(2);
	tap_result(true, "abi: inherited numbers and structures equal the stock header");
	tap_result(true, "abi: own numbers and structures are the published ones");
	return tap_end(2);
}
