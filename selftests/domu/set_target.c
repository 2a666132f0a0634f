// SPDX-License-Identifier: GPL-2.0
/*
 * set_target.c - set_target DOMID TARGET: lets a domain act on another, as a
 * stub domain does; libxl does this for its own stub domains only
 */
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

int main(int argc, char **argv)
{
	xc_interface *xch = xc_interface_open(NULL, NULL, 0);

	if (argc != 3 || !xch)
		return 2;
	if (xc_domain_set_target(xch, atoi(argv[1]), atoi(argv[2]))) {
		perror("set_target");
		return 1;
	}
	return 0;
}
