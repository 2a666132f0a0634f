// SPDX-License-Identifier: GPL-2.0
/*
 * dmop-demo.c - a device model without privileges, and what it may and may not do
 *
 * usage: dmop-demo TARGET OTHER	(domids of two live domains)
 *
 * Restricts a descriptor to TARGET as root, gives up every privilege, and then
 * tries things as an attacker inside the device model would.
 */
#define _GNU_SOURCE
#define __XEN_TOOLS__ 1
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <xen/dmop.h>
#include <xen/xen.h>
#include <xen/hvm/dm_op.h>

#define NODE	"/dev/xen/dmop"
#define NOBODY	65534

static int fd;
static int surprises;

static void row(const char *what, const char *where, int ret, int err, int expected)
{
	const char *got = ret >= 0 ? "allowed" : strerrorname_np(err);
	int right = (ret >= 0 ? 0 : err) == expected;

	if (!right)
		surprises++;
	printf("  %-46s %-12s %s%s\n", what, where, got ? got : "?",
	       right ? "" : "   <-- not what was expected");
}

static int dm_op(int domid, struct xen_dm_op *op)
{
	struct dmop_buf buf = { op, sizeof(*op) };
	struct dmop_dm_op arg = { domid, 1, &buf };

	return ioctl(fd, DMOP_IOCTL_DM_OP, &arg);
}

static int hypercall(unsigned long op, unsigned long a, unsigned long b, const void *c)
{
	struct dmop_hypercall arg = { op, { a, b, (unsigned long)c, 0, 0 } };

	return ioctl(fd, DMOP_IOCTL_HYPERCALL, &arg);
}

static int restrict_to(uint16_t domid)
{
	return ioctl(fd, DMOP_IOCTL_RESTRICT, &domid);
}

/* An ioreq server is what a device model is to Xen. */
static int be_device_model(int domid)
{
	struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server };

	if (dm_op(domid, &op) < 0)
		return -1;
	op = (struct xen_dm_op){
		.op = XEN_DMOP_destroy_ioreq_server,
		.u.destroy_ioreq_server.id = op.u.create_ioreq_server.id,
	};
	return dm_op(domid, &op);
}

static int raise_interrupt(int domid)
{
	struct xen_dm_op op = {
		.op = XEN_DMOP_set_pci_intx_level,
		.u.set_pci_intx_level = { .device = 3, .level = 1 },
	};

	return dm_op(domid, &op);
}

static void give_up_privileges(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		perror("dmop-demo: cannot give up privileges (is this root?)");
		exit(1);
	}
}

static void show_info(void)
{
	static const char *const states[] = { "unbound", "bound", "revoked" };
	struct dmop_info info = { .size = sizeof(info) };

	if (ioctl(fd, DMOP_IOCTL_INFO, &info) || info.state > DMOP_STATE_REVOKED) {
		perror("dmop-demo: INFO");
		exit(1);
	}
	printf("  the descriptor says: %s, domain %u; %llu passed to Xen, %llu refused\n",
	       states[info.state], info.domid, (unsigned long long)info.calls,
	       (unsigned long long)info.refused_policy);
	if (info.state != DMOP_STATE_BOUND)
		surprises++;
}

#define TRY(what, where, call, expected) do {		\
	int ret_ = (call);				\
	row(what, where, ret_, errno, expected);	\
} while (0)

int main(int argc, char **argv)
{
	int target = argc == 3 ? atoi(argv[1]) : 0;
	int other = argc == 3 ? atoi(argv[2]) : 0;
	char mine[24], theirs[24];

	if (target <= 0 || other <= 0 || target == other) {
		fprintf(stderr, "usage: dmop-demo TARGET OTHER   (domids, see `xl list`)\n");
		return 2;
	}
	snprintf(mine, sizeof(mine), "domain %d", target);
	snprintf(theirs, sizeof(theirs), "domain %d", other);

	fd = open(NODE, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "dmop-demo: " NODE ": %s (is this root, and dmop_privcmd loaded?)\n",
			strerror(errno));
		return 1;
	}
	if (restrict_to(target)) {
		fprintf(stderr, "dmop-demo: cannot restrict to domain %d: %s\n", target, strerror(errno));
		return 1;
	}
	give_up_privileges();

	printf("  pid %d, uid %d, no capability, holds " NODE " restricted to domain %d\n\n",
	       getpid(), getuid(), target);
	printf("  %-46s %-12s %s\n", "it tries to", "against", "and gets");
	TRY("be its device model (ioreq server)", mine, be_device_model(target), 0);
	TRY("raise a PCI interrupt", mine, raise_interrupt(target), 0);
	TRY("be its device model (ioreq server)", theirs, be_device_model(other), EPERM);
	TRY("raise a PCI interrupt", theirs, raise_interrupt(other), EPERM);
	TRY("be its device model (ioreq server)", "domain 0", be_device_model(0), EPERM);
	TRY("make dm_op as a raw hypercall", theirs,
	    hypercall(__HYPERVISOR_dm_op, other, 0, NULL), EPERM);
	TRY("set upper bits of the 64-bit domid", mine,
	    hypercall(__HYPERVISOR_dm_op, (1UL << 16) | target, 0, NULL), EPERM);
	TRY("make another hypercall (memory_op)", "Xen",
	    hypercall(__HYPERVISOR_memory_op, 0, 0, NULL), EPERM);
	TRY("make another hypercall (domctl)", "Xen",
	    hypercall(__HYPERVISOR_domctl, 0, 0, NULL), EPERM);
	TRY("restrict itself to another domain", theirs, restrict_to(other), EINVAL);
	TRY("open a new " NODE, "the host", open(NODE, O_RDWR), EACCES);
	TRY("open the toolstack's /dev/xen/privcmd", "the host",
	    open("/dev/xen/privcmd", O_RDWR), EACCES);
	printf("\n");
	show_info();
	return surprises ? 1 : 0;
}
