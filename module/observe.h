/* SPDX-License-Identifier: GPL-2.0 */
/*
 * observe.h - the reports about an open file: fdinfo, log, audit, traces
 */
#ifndef DMOP_OBSERVE_H
#define DMOP_OBSERVE_H

#include <linux/fs.h>
#include <linux/seq_file.h>

#include "file.h"
#include "policy.h"

/**
 * dmop_show_fdinfo() - /proc/PID/fdinfo/N of an open file
 * @m:    the output
 * @filp: open file of /dev/xen/dmop
 */
void dmop_show_fdinfo(struct seq_file *m, struct file *filp);

/**
 * dmop_observe_narrowed() - count and report the refusal of something that NARROW has removed
 * @f:      the file
 * @act:    what was refused
 * @number: hypercall, operation or type of resource, by @act
 * @domid:  target domain
 *
 * Context: as dmop_observe_refusal()
 *
 * Return: -EPERM
 */
int dmop_observe_narrowed(struct dmop_file *f, enum dmop_act act, u64 number, u64 domid);

/**
 * dmop_observe_refusal() - count a refusal and report it
 * @f:     the file
 * @s:     the caller
 * @r:     the request
 * @cause: the errno of the decision, or DMOP_NARROWED
 *
 * A refusal by policy is logged, and recorded by audit if audit is on, as far as the
 * kernel's usual rate limit admits. Each domain has a limit of its own; all unbound
 * files share one.
 *
 * Context: process context; may sleep.
 */
void dmop_observe_refusal(struct dmop_file *f, const struct dmop_subject *s,
			  const struct dmop_request *r, int cause);

#endif /* DMOP_OBSERVE_H */
