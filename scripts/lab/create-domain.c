// SPDX-License-Identifier: GPL-2.0
/*
 * create-domain DOMID: creates the domain whose configuration comes on standard input,
 * as `xl -N create` prints it, under a number of the caller's choice, and leaves it
 * paused. libxl can do that and xl does not offer it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <libxl.h>
#include <xentoollog.h>

int main(int argc, char **argv)
{
	static char json[65536];
	xentoollog_logger_stdiostream *log;
	libxl_domain_config config;
	libxl_ctx *ctx;
	uint32_t domid;
	char *end;

	if (argc != 2)
		return 2;
	domid = strtoul(argv[1], &end, 10);
	if (end == argv[1] || *end || domid < 1 || domid > 0x7fef) {
		fprintf(stderr, "create-domain: %s is no domid\n", argv[1]);
		return 2;
	}
	json[fread(json, 1, sizeof(json) - 1, stdin)] = 0;

	log = xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
	if (!log || libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, (xentoollog_logger *)log))
		return 1;
	libxl_domain_config_init(&config);
	if (libxl_domain_config_from_json(ctx, &config, json)) {
		fprintf(stderr, "create-domain: no configuration on standard input\n");
		return 1;
	}
	config.c_info.domid = domid;
	if (libxl_domain_create_new(ctx, &config, &domid, NULL, NULL))
		return 1;
	printf("%u\n", domid);
	libxl_domain_config_dispose(&config);
	libxl_ctx_free(ctx);
	return 0;
}
