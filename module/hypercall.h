/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hypercall.h - the only way into Xen
 */
#ifndef DMOP_HYPERCALL_H
#define DMOP_HYPERCALL_H

#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/hvm/dm_op.h>

struct xen_mem_acquire_resource;

/**
 * dmop_hypercall_dm_op() - issue a dm_op that was admitted
 * @domid: target domain
 * @nr:    number of buffers
 * @bufs:  the buffers, all of them in kernel memory
 *
 * Context: process context. On PV the task may be preempted inside the hypercall also if
 * voluntary or no preemption is built into the kernel.
 *
 * Return: Xen's return value.
 */
int dmop_hypercall_dm_op(domid_t domid, unsigned int nr,
			 struct xen_dm_op_buf *bufs);

/**
 * dmop_hypercall_dm_op_atomic() - the same where nothing may preempt the caller
 * @domid: target domain
 * @nr:    number of buffers
 * @bufs:  the buffers, all of them in kernel memory
 *
 * Context: any; for operations that take Xen little time.
 *
 * Return: Xen's return value.
 */
int dmop_hypercall_dm_op_atomic(domid_t domid, unsigned int nr,
				struct xen_dm_op_buf *bufs);

/**
 * dmop_hypercall_buf() - the contents of a buffer
 * @buf: a buffer in kernel memory
 *
 * Return: their address. The handle is a pointer; on some architectures a union that begins with
 * one.
 */
static inline const void *dmop_hypercall_buf(const struct xen_dm_op_buf *buf)
{
	return *(void *const *)&buf->h;
}

/**
 * dmop_hypercall_probe() - ask Xen for a domain without acting on it
 * @domid: the domain
 *
 * Xen keeps a destroyed domain in its list while a frame of it is mapped anywhere. On
 * x86 the probe reports an HVM or PVH domain from the start of its destruction on: Xen's
 * track_dirty_vram() checks is_dying. It reports a PV domain, and any domain on other
 * architectures, only when the last mapping is gone.
 *
 * Context: any; Xen answers at once.
 *
 * Return: 0: the domain exists and the caller may act on it; else an errno of
 * Xen, among them
 *  -ESRCH  Xen knows no such domain, or it is dying
 *  -EPERM  it is the caller's own domain, or Xen's policy forbids it
 *  -ENOSYS Xen has no dm_op
 */
int dmop_hypercall_probe(domid_t domid);

/**
 * dmop_hypercall_sees_dying() - would the probe report the destruction of a domain?
 * @domid: a domain that the probe has just found
 *
 * Context: any; Xen answers at once.
 *
 * Return: true if the probe reports the domain from the start of its destruction
 * on; false if only when the last mapping of it is gone.
 */
bool dmop_hypercall_sees_dying(domid_t domid);

/**
 * dmop_hypercall_domain_state() - ask Xen 4.21 or later which domain has a domid
 * @domid:     the domain; not DOMID_INVALID, by which xenstored takes the changes
 *             that it has not seen yet
 * @unique_id: out: differs from that of every other domain since the host booted
 * @dying:     out: its destruction has begun
 *
 * Context: any; Xen answers at once.
 *
 * Return: 0; or an errno of Xen with nothing written, among them
 *  -ESRCH  Xen knows no such domain
 *  -EACCES Xen is older than 4.21
 *  -EPERM  the caller is not the control domain, or Xen's policy forbids it
 *  -ENOSYS Xen is built without these operations
 */
int dmop_hypercall_domain_state(domid_t domid, u64 *unique_id, bool *dying);

/**
 * dmop_hypercall_acquire_resource() - issue XENMEM_acquire_resource
 * @xar: argument in kernel memory; Xen writes its results there. With no frames
 *       requested Xen only reports the size of the resource.
 *
 * Context: as dmop_hypercall_dm_op()
 *
 * Return: Xen's return value: 0 or an errno.
 */
int dmop_hypercall_acquire_resource(struct xen_mem_acquire_resource *xar);

/**
 * dmop_hypercall_add_foreign() - place frames of a domain in the caller's own p2m
 * @domid: owner of the frames
 * @nr:    number of frames
 * @gfns:  their numbers in that domain
 * @pfns:  where to place them: empty pages of the caller, which is auto-translated
 * @errs:  out: 0 or a negative errno for each frame
 *
 * Context: as dmop_hypercall_dm_op()
 *
 * Return: 0 with @errs filled in, or an errno of Xen: no frame was tried, or @errs is
 * positive for those that were not.
 */
int dmop_hypercall_add_foreign(domid_t domid, unsigned int nr, xen_pfn_t *gfns,
			       xen_pfn_t *pfns, int *errs);

/**
 * dmop_hypercall_replace_frame() - let a page of the vmalloc area refer to a foreign frame
 * @page:  address of the page, which was not accessed before
 * @domid: owner of the frame
 * @mfn:   its machine frame number
 * @writable: the kernel may write to it
 * @pte:   out: the original PTE, for dmop_hypercall_restore_frame()
 *
 * The kernel has no function for this: its own map frames in a VMA. Only Xen writes the
 * PTE, so Xen's reference counts are right.
 *
 * Context: a PV kernel, process context.
 *
 * Return: 0, or an errno of Xen.
 */
int dmop_hypercall_replace_frame(void *page, domid_t domid, xen_pfn_t mfn, bool writable,
				 u64 *pte);

/**
 * dmop_hypercall_restore_frame() - the opposite
 * @page: address of the page
 * @pte:  the original PTE
 *
 * Context: as dmop_hypercall_replace_frame()
 *
 * Return: 0, or an errno of Xen.
 */
int dmop_hypercall_restore_frame(void *page, u64 pte);

/**
 * dmop_hypercall_bind_port() - bind a port of the kernel's own domain to one of another domain
 * @domid:  the other domain
 * @remote: its port, which has to wait for the kernel's domain
 * @local:  out: the new port
 *
 * Context: any; Xen answers at once.
 *
 * Return: 0; or an errno of Xen, among them
 *  -EINVAL @remote is no such port, or it is bound already
 *  -ENOSPC no port is free
 */
int dmop_hypercall_bind_port(domid_t domid, evtchn_port_t remote, evtchn_port_t *local);

/**
 * dmop_hypercall_is_bound() - is a port bound to this one of another domain?
 * @local:  the port
 * @domid:  the other domain
 * @remote: its port
 *
 * Context: any; Xen answers at once.
 *
 * Return: true if so.
 */
bool dmop_hypercall_is_bound(evtchn_port_t local, domid_t domid, evtchn_port_t remote);

/**
 * dmop_hypercall_close_port() - close a port of dmop_hypercall_bind_port(), if it is open
 * @local:  the port
 * @domid:  the domain that it was bound to
 * @remote: the port of that domain
 *
 * Context: any; Xen answers at once.
 */
void dmop_hypercall_close_port(evtchn_port_t local, domid_t domid, evtchn_port_t remote);

/**
 * dmop_hypercall_notify() - send an event through a port
 * @local: a port that is bound to one of another domain
 *
 * Context: any; Xen answers at once.
 */
void dmop_hypercall_notify(evtchn_port_t local);

/**
 * dmop_hypercall_maximum_reservation() - ask Xen for a domain's maxmem
 * @domid: the domain
 *
 * Context: any; Xen answers at once.
 *
 * Return: the domain's maximum reservation in frames of 4 KiB, or an errno.
 */
long dmop_hypercall_maximum_reservation(domid_t domid);

#endif /* DMOP_HYPERCALL_H */
