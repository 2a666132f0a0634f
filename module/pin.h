/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pin.h - a reference to one frame of a domain, which keeps its domid from reuse
 *
 * Xen frees a domid when the last frame of the domain is released. While a frame is
 * pinned, a destroyed domain remains as one frame and its number, and no other
 * domain can get that number.
 */
#ifndef DMOP_PIN_H
#define DMOP_PIN_H

#include <xen/interface/xen.h>

struct dmop_pin;

/**
 * dmop_pin_create() - pin a frame of a domain
 * @domid: the domain
 *
 * Context: process context; may wait, killably, for a worker.
 *
 * Return: the pin, or ERR_PTR of
 *  -ENOMEM no memory
 *  -EINTR  the caller is being killed
 *  another errno of Xen, which is too old, or refuses the caller
 */
struct dmop_pin *dmop_pin_create(domid_t domid);

/**
 * dmop_pin_destroy() - release the frame
 * @pin: the pin
 *
 * Context: process context.
 */
void dmop_pin_destroy(struct dmop_pin *pin);

#endif /* DMOP_PIN_H */
