/* SPDX-License-Identifier: GPL-2.0 */
/*
 * observe.h - what a person can see of an open file
 */
#ifndef DMOP_OBSERVE_H
#define DMOP_OBSERVE_H

#include <linux/fs.h>
#include <linux/seq_file.h>

#include "file.h"
#include "policy.h"

/**
 * dmop_show_fdinfo() - /proc/PID/fdinfo/N of an open file
 * @m:    where to print
 * @filp: open file of /dev/xen/dmop
 */
void dmop_show_fdinfo(struct seq_file *m, struct file *filp);

/**
 * dmop_observe_refusal() - count a refusal, and tell of it
 * @f:     the file
 * @s:     who asked
 * @r:     what was asked
 * @cause: the errno of the decision
 *
 * A line in the kernel log, and an audit record if audit is on: for refusals by
 * policy, and no more of them than the kernel's usual rate limit lets through.
 */
void dmop_observe_refusal(struct dmop_file *f, const struct dmop_subject *s,
			  const struct dmop_request *r, int cause);

#endif /* DMOP_OBSERVE_H */
