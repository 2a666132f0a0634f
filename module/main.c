// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the order of init and exit
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/module.h>
#include <xen/xen.h>

#include "event.h"
#include "hypercall.h"
#include "node.h"
#include "pool.h"
#include "record.h"
#include "revoke.h"
#include "watch.h"

/* Return: NULL if the module can work here, else the reason why it cannot. */
static const char * __init unsupported(void)
{
	int err;

	if (!xen_domain())
		return "this kernel does not run on Xen";

	err = dmop_hypercall_probe(DOMID_INVALID);
	if (err == -ENOSYS && IS_ENABLED(CONFIG_ARM64))
		return "this Xen has no dm_op hypercall (older than 4.15, or built without IOREQ_SERVER, like Debian's)";
	if (err == -ENOSYS)
		return "this Xen has no dm_op hypercall (older than 4.9, or built without HVM)";
	if (err != -ESRCH)
		return "this Xen answers for a domain that cannot exist";
	if (xen_initial_domain() &&
	    dmop_hypercall_probe(dmop_own_domid()) != -EPERM)
		return "the initial domain is not domain 0";
	return NULL;
}

static int __init dmop_init(void)
{
	const char *why = unsupported();
	int err;

	if (why) {
		pr_err("not loaded: %s\n", why);
		return -ENODEV;
	}

	err = dmop_pool_init();
	if (err)
		return err;
	err = dmop_serve_init();
	if (err)
		goto exit_pool;
	err = dmop_record_init(dmop_revoke, dmop_serve_work, dmop_serve_late);
	if (err)
		goto exit_serve;
	err = dmop_watch_init();
	if (err)
		goto exit_record;
	err = dmop_node_init();
	if (err)
		goto exit_watch;
	return 0;

exit_watch:
	dmop_watch_exit();
exit_record:
	dmop_record_exit();
exit_serve:
	dmop_serve_exit();
exit_pool:
	dmop_pool_exit();
	return err;
}
module_init(dmop_init);

static void __exit dmop_exit(void)
{
	dmop_node_exit();
	dmop_watch_exit();
	dmop_record_exit();
	dmop_serve_exit();
	dmop_pool_exit();
}
module_exit(dmop_exit);

MODULE_DESCRIPTION("Xen device model hypercalls, confined to one domain");
MODULE_AUTHOR("The dmop_privcmd authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(DMOP_VERSION);
