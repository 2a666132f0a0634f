/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nondet.h - to CBMC a function of such a name and without a body gives anything
 */
#ifndef DMOP_NONDET_H
#define DMOP_NONDET_H

#include "policy.h"

struct dmop_subject nondet_subject(void);
struct dmop_request nondet_request(void);
unsigned short nondet_domid(void);
struct dmop_rights nondet_rights(void);
struct dmop_narrow nondet_narrow(void);
__u64 nondet_number(void);
unsigned int nondet_op(void);
_Bool nondet_write(void);

#endif /* DMOP_NONDET_H */
