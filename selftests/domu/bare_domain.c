// SPDX-License-Identifier: GPL-2.0
/*
 * bare_domain.c - a domain that Xen alone knows of: nothing of it is in XenStore,
 * no process serves it, and it has no memory. It is a PVH domain, or a PV domain. Xen chooses its
 * number, or the caller does.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>

static int create(xc_interface *xch, bool pv, uint32_t domid)
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
	};

	if (pv)
		config.flags = 0;
#ifdef __x86_64__
	else
		config.arch.emulation_flags = XEN_X86_EMU_LAPIC;
#endif

	if (xc_domain_create(xch, &domid, &config)) {
		perror("bare_domain: create");
		return 1;
	}
	printf("%u\n", domid);
	return 0;
}

int main(int argc, char **argv)
{
	xc_interface *xch = xc_interface_open(NULL, NULL, 0);
	char line[2];

	if (!xch)
		return 2;
	if (argc == 2 && !strcmp(argv[1], "create"))
		return create(xch, false, 0);
	if (argc == 3 && !strcmp(argv[1], "create"))
		return create(xch, false, atoi(argv[2]));
	if (argc == 2 && !strcmp(argv[1], "create-pv"))
		return create(xch, true, 0);
	if (argc >= 3 && !strcmp(argv[1], "destroy")) {
		/* Ready to do it at once */
		if (argc == 4 && !fgets(line, sizeof(line), stdin))
			return 1;
		if (!xc_domain_destroy(xch, atoi(argv[2])))
			return 0;
		perror("bare_domain: destroy");
		return 1;
	}
	fprintf(stderr, "usage: bare_domain create [DOMID] | bare_domain create-pv |\n"
		"       bare_domain destroy DOMID [when-told]\n");
	return 2;
}
