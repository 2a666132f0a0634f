// SPDX-License-Identifier: GPL-2.0
/*
 * stall_domains.c - creates and destroys small domains, fast, for the tests beside it
 *
 * Requests are lines on standard input; each is answered by a line with a number.
 *
 *   create N     a domain with memory and a name in XenStore; N is its domid, or 0 for any.
 *                Answer: its domid, or minus the errno
 *   forget N     its directory in XenStore is removed
 *   destroy N    it is destroyed. Answer: 0 or minus the errno
 *   exists N     Answer: 1, also if it is dying; or 0
 *
 * No process serves such a domain, and no toolstack knows it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>
#include <xenstore.h>

#define FRAMES	128

static xc_interface *xch;
static struct xs_handle *xs;

static int fill(uint32_t domid)
{
	xen_pfn_t gfns[FRAMES];
	unsigned int i;

	for (i = 0; i < FRAMES; i++)
		gfns[i] = i;
	/* Also for pages of resources. An ioreq server has an event channel for each vcpu. */
	if (xc_domain_setmaxmem(xch, domid, 4096) || xc_domain_max_vcpus(xch, domid, 1) ||
	    xc_domain_populate_physmap_exact(xch, domid, FRAMES, 0, 0, gfns))
		return -errno;
	return 0;
}

static int name(uint32_t domid)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	return xs_write(xs, XBT_NULL, path, "stall", 5) ? 0 : -errno;
}

static long create(uint32_t domid)
{
	struct xen_domctl_createdomain config = {
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = 1,
		.max_evtchn_port = -1,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
#ifdef XEN_DOMCTL_GRANT_version	/* since Xen 4.16 */
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
#endif
		.arch.emulation_flags = XEN_X86_EMU_LAPIC,
	};
	int err;

	if (xc_domain_create(xch, &domid, &config))
		return -errno;
	err = fill(domid);
	if (!err)
		err = name(domid);
	if (!err)
		return domid;
	fprintf(stderr, "stall_domains: domain %u: %s\n", domid, strerror(-err));
	xc_domain_destroy(xch, domid);
	return err;
}

static int forget(uint32_t domid)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	return xs_rm(xs, XBT_NULL, path) || errno == ENOENT ? 0 : -errno;
}

static int destroy(uint32_t domid)
{
	return xc_domain_destroy(xch, domid) ? -errno : 0;
}

static int exists(uint32_t domid)
{
	xc_domaininfo_t info;

	return xc_domain_getinfolist(xch, domid, 1, &info) == 1 && info.domain == domid;
}

int main(void)
{
	char line[64], verb[16];
	unsigned int domid;

	xch = xc_interface_open(NULL, NULL, 0);
	xs = xs_open(0);
	if (!xch || !xs) {
		fprintf(stderr, "stall_domains: no Xen or no XenStore\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		long answer = -EINVAL;

		if (sscanf(line, "%15s %u", verb, &domid) == 2) {
			if (!strcmp(verb, "create"))
				answer = create(domid);
			else if (!strcmp(verb, "forget"))
				answer = forget(domid);
			else if (!strcmp(verb, "destroy"))
				answer = destroy(domid);
			else if (!strcmp(verb, "exists"))
				answer = exists(domid);
		}
		printf("%ld\n", answer);
	}
	return 0;
}
