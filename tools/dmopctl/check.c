// SPDX-License-Identifier: GPL-2.0
/*
 * check.c - dmopctl check: the setup of this host
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "census.h"
#include "commands.h"
#include "config.h"
#include "dmopctl.h"
#include "domains.h"
#include "findings.h"
#include "limits.h"
#include "proc.h"
#include "signing.h"
#include "users.h"

/* Reads the first line, through text_clean(), without the newline. Return: false without one. */
static bool read_line(const char *path, char *to, size_t size)
{
	char text[256];
	ssize_t n = read_text(AT_FDCWD, path, text, sizeof(text));

	if (n <= 0)
		return false;
	text_clean(to, size, text, strcspn(text, "\n"));
	return true;
}

/* --- Xen --------------------------------------------------------------- */

static bool check_xen(struct findings *f)
{
	char type[32] = "", major[32] = "", minor[32] = "";

	if (!read_line("/sys/hypervisor/type", type, sizeof(type)) || strcmp(type, "xen")) {
		finding(f, FAULT, "Xen", "boot Xen (on Debian: apt install xen-system-amd64, and choose it in GRUB)",
			"this system does not run on Xen");
		return false;
	}
	read_line("/sys/hypervisor/version/major", major, sizeof(major));
	read_line("/sys/hypervisor/version/minor", minor, sizeof(minor));
	finding(f, OK, "Xen", NULL, "%s.%s", major, minor);
	return true;
}

static void check_control(struct findings *f)
{
	char text[64] = "";

	if (read_text(AT_FDCWD, "/proc/xen/capabilities", text, sizeof(text)) < 0)
		finding(f, WARN, "control domain", "mount -t xenfs xenfs /proc/xen",
			"/proc/xen is not mounted, so this cannot be told");
	else if (!strstr(text, "control_d"))
		finding(f, NOTE, "control domain", NULL,
			"this is none: an open file serves the domain that XenStore names as its target");
	else
		finding(f, OK, "control domain", NULL, "this is it");
}

/* A second xenstored would be the end of all guests, so no remedy starts one. */
static void check_xenstore(struct findings *f, const struct domains *d)
{
	char path[256];

	text_clean(path, sizeof(path), domains_socket(), strlen(domains_socket()));
	switch (d->xenstore) {
	case XENSTORE_ANSWERS:
		finding(f, OK, "XenStore", NULL, "%u domains, with this one", d->nr);
		return;
	case XENSTORE_DENIED:
		finding(f, NOTE, "XenStore", NULL, "not looked at, for that needs root");
		return;
	case XENSTORE_NO_SOCKET:
		finding(f, NOTE, "XenStore", NULL,
			"names of domains are unknown: no %s, as if another domain served XenStore", path);
		return;
	case XENSTORE_REFUSES:
		finding(f, WARN, "XenStore", "see its log; to start it again means to boot again",
			"names of domains are unknown: nobody serves %s", path);
		return;
	default:
		finding(f, WARN, "XenStore", "see its log; xl waits for it as well",
			"names of domains are unknown: xenstored (%s) has not answered in %d seconds", path,
			DOMAINS_PATIENCE);
	}
}

/* --- the module -------------------------------------------------------- */

static bool built_for(const char *release)
{
	char path[512], line[1024];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, "/" MODULE ".ko") || !strncmp(line, MODULE ".ko", strlen(MODULE) + 3);
	if (file)
		fclose(file);
	return found;
}

/* Return: the reason why this kernel loads signed modules only, or NULL. */
static const char *signed_only(void)
{
	char text[128] = "";

	if (read_line("/sys/kernel/security/lockdown", text, sizeof(text)) && !strstr(text, "[none]"))
		return "lockdown, as under Secure Boot";
	if (read_line("/sys/module/module/parameters/sig_enforce", text, sizeof(text)) && *text == 'Y')
		return "module.sig_enforce";
	return NULL;
}

static void why_not_loaded(struct findings *f)
{
	const char *signatures = signed_only();
	char remedy[1024];
	struct utsname name;

	uname(&name);
	if (!built_for(name.release)) {
		snprintf(remedy, sizeof(remedy),
			 "install it with DKMS, and linux-headers-%s; dkms status tells how far that got",
			 name.release);
		finding(f, FAULT, "module", remedy, "not built for the running kernel %s", name.release);
		return;
	}
	if (signatures) {
		signing_remedy(remedy, sizeof(remedy));
		finding(f, FAULT, "module", remedy,
			"not loaded, and this kernel takes signed modules only (%s)", signatures);
		return;
	}
	finding(f, FAULT, "module", "modprobe " MODULE " (the end of dmesg says why, if that fails)",
		"not loaded");
}

static bool check_module(struct findings *f)
{
	char version[64] = "";

	if (access(SYS_MODULE, F_OK)) {
		why_not_loaded(f);
		return false;
	}
	read_line(SYS_MODULE "/version", version, sizeof(version));
	if (strcmp(version, DMOP_VERSION))
		finding(f, FAULT, "module",
			"install both of one version, then modprobe -r " MODULE " and modprobe " MODULE,
			"version %s is loaded, dmopctl is of version " DMOP_VERSION, version);
	else
		finding(f, OK, "module", NULL, "loaded, version %s", version);
	return true;
}

/* Return: true if a line of a file that matches @pattern is the name of the module. */
static bool named_in(const char *pattern)
{
	char text[4096];
	bool found = false;
	glob_t paths;
	size_t i;

	if (glob(pattern, 0, NULL, &paths))
		return false;
	for (i = 0; i < paths.gl_pathc && !found; i++) {
		char *line, *at;

		if (read_text(AT_FDCWD, paths.gl_pathv[i], text, sizeof(text)) <= 0)
			continue;
		for (line = strtok_r(text, "\n", &at); line && !found; line = strtok_r(NULL, "\n", &at))
			found = !strcmp(line + strspn(line, " \t"), MODULE);
	}
	globfree(&paths);
	return found;
}

static void check_boot(struct findings *f)
{
	if (named_in("/etc/modules-load.d/*.conf") || named_in("/usr/lib/modules-load.d/*.conf") ||
	    named_in("/etc/modules"))
		finding(f, OK, "at boot", NULL, "the module is loaded at every boot");
	else
		finding(f, WARN, "at boot", "echo " MODULE " >/etc/modules-load.d/" MODULE ".conf",
			"the module is not loaded at boot");
}

static const struct {
	const char *name;
	unsigned long normal, least;
	const char *why;
} parameters[] = {
	{ "dm_op_max_nr_bufs", 16, 2, "device models need 2 buffers in a call" },
	{ "dm_op_buf_max_size", 4096, 64, "an operation alone needs 64 bytes" },
	{ "max_map_frames", 16777216, 262144, "QEMU maps 1 GiB and more of a guest" },
};

/* Return: the value of a parameter of the module; its default if the module is not loaded. */
static unsigned long parameter(const char *name)
{
	char path[128], text[64];
	size_t i;

	snprintf(path, sizeof(path), SYS_MODULE "/parameters/%s", name);
	if (read_line(path, text, sizeof(text)))
		return strtoul(text, NULL, 10);
	for (i = 0; i < ARRAY_SIZE(parameters) - 1; i++)
		if (!strcmp(parameters[i].name, name))
			break;
	return parameters[i].normal;
}

static void check_parameters(struct findings *f)
{
	char path[128], text[64], remedy[192];
	unsigned long n;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parameters); i++) {
		const char *name = parameters[i].name;

		snprintf(path, sizeof(path), SYS_MODULE "/parameters/%s", name);
		snprintf(remedy, sizeof(remedy), "echo %lu >%s", parameters[i].normal, path);
		if (!read_line(path, text, sizeof(text))) {
			finding(f, FAULT, "parameters", "install module and dmopctl of one version",
				"%s cannot be read", name);
			continue;
		}
		n = strtoul(text, NULL, 10);
		if (n < parameters[i].least)
			finding(f, FAULT, "parameters", remedy, "%s is %lu: %s", name, n, parameters[i].why);
		else if (n != parameters[i].normal)
			finding(f, NOTE, "parameters", NULL, "%s is %lu, by default %lu", name, n,
				parameters[i].normal);
		else
			finding(f, OK, "parameters", NULL, "%s is %lu", name, n);
	}
}

/* --- nodes ------------------------------------------------------------- */

static void check_owner(struct findings *f, const struct stat *st)
{
	unsigned int mode = st->st_mode & 0777;

	if (mode & 0007)
		finding(f, FAULT, "node", "chmod 600 " NODE ", and see to the udev rule that changes it",
			NODE " is open to everyone (mode %03o)", mode);
	else if (st->st_uid)
		finding(f, FAULT, "node", "chown root " NODE, NODE " belongs to uid %u", st->st_uid);
	else if (mode & 0070 && st->st_gid)
		finding(f, WARN, "node", "chmod 600 " NODE ", unless a launcher needs it",
			NODE " is open to group %u (mode %03o)", st->st_gid, mode);
	else if ((mode & 0600) != 0600)
		finding(f, WARN, "node", "chmod 600 " NODE, NODE " has mode %03o", mode);
	else
		finding(f, OK, "node", NULL, NODE ", mode %03o, of root", mode);
}

static void check_node(struct findings *f)
{
	dev_t device = xen_device("dmop");
	struct stat st;

	if (stat(NODE, &st))
		finding(f, FAULT, "node", "systemctl restart systemd-udevd, or modprobe -r and modprobe " MODULE,
			NODE ": %s", strerror(errno));
	else if (!S_ISCHR(st.st_mode) || st.st_rdev != device)
		finding(f, FAULT, "node", "rm " NODE ", then modprobe -r and modprobe " MODULE,
			NODE " is not the module's device %u:%u", major(device), minor(device));
	else
		check_owner(f, &st);
}

/* A process with access to one of these nodes is not confined. */
static void check_stock(struct findings *f)
{
	static const char *const names[] = { "privcmd", "xenbus", "gntdev", "gntalloc", "evtchn" };
	char path[64], remedy[80];
	struct stat st;
	bool good = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "/dev/xen/%s", names[i]);
		if (stat(path, &st) || !(st.st_mode & 0007))
			continue;
		snprintf(remedy, sizeof(remedy), "chmod o= %s", path);
		finding(f, FAULT, "other nodes", remedy, "%s is open to everyone (mode %03o)", path,
			st.st_mode & 0777);
		good = false;
	}
	if (good)
		finding(f, OK, "other nodes", NULL, "the stock nodes are not open to everyone");
}

/* --- xl and QEMU ------------------------------------------------------- */

/* The last line of dmop-qemu is the path of its QEMU, or why there is none. */
static void check_qemu(struct findings *f)
{
	FILE *pipe = popen("timeout 60 " LIBDIR "/dmop-qemu --find 2>&1 </dev/null", "re");
	char line[1024], text[1024] = "";

	while (pipe && fgets(line, sizeof(line), pipe)) {
		if (*text)
			finding(f, WARN, "programs", NULL, "%s", text);
		text_clean(text, sizeof(text), line, strcspn(line, "\n"));
	}
	if (!pipe || pclose(pipe))
		finding(f, FAULT, "programs", NULL, "%s",
			*text ? text : LIBDIR "/dmop-qemu --find does not answer");
	else
		finding(f, OK, "programs", NULL, "dmop-qemu starts %s", text);
}

static void check_programs(struct findings *f)
{
	static const char *const paths[] = {
		SBINDIR "/dmop-run", LIBDIR "/dmop-qemu", LIBDIR "/dmop-limit", LIBDIR "/libdmop-preload.so",
	};
	bool good = true;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!access(paths[i], F_OK))
			continue;
		finding(f, FAULT, "programs", "install dmop-tools", "%s: %s", paths[i], strerror(errno));
		good = false;
	}
	if (!good)
		return;
	finding(f, OK, "programs", NULL, "dmop-run and dmop-qemu are installed");
	check_qemu(f);
}

static void check_configs(struct findings *f, struct config_users *users, const struct options *o)
{
	unsigned long buf_size = parameter("dm_op_buf_max_size");
	glob_t paths;
	size_t i;

	for (i = 0; i < (size_t)o->nr_args; i++)
		config_check(o->args[i], buf_size, users, f);
	/* Without operands: the guests that the toolstack starts at boot. */
	if (o->nr_args || glob("/etc/xen/auto/*", 0, NULL, &paths))
		return;
	for (i = 0; i < paths.gl_pathc; i++)
		config_check(paths.gl_pathv[i], buf_size, users, f);
	globfree(&paths);
}

/* --- running device models --------------------------------------------- */

/* What a device model that its guest has taken over can still do. */
static void check_bounds(struct findings *f, const struct holder *h, const char *of)
{
	bool narrowed = h->rights.narrowed & DMOP_NARROW_OPS;
	char rights[32], limits[256];

	finding(f, narrowed ? OK : NOTE, "device models",
		narrowed ? NULL : "PROFILE in /etc/default/dmop-qemu, or dmop-run --narrow",
		"process %d, of %s, is %s (%s)", h->pid, of,
		narrowed ? "narrowed by a profile" : "not narrowed by a profile",
		rights_word(rights, sizeof(rights), &h->rights));
	if (limits_read(h->pid, limits, sizeof(limits)))
		finding(f, OK, "device models", NULL, "process %d, of %s, has limits: %s", h->pid, of, limits);
	else
		finding(f, NOTE, "device models", "dmop-qemu(8) sets them, on a host with cgroup v2",
			"process %d, of %s, has no limits of processor, memory and processes", h->pid, of);
}

static const char *confinement_remedy(const struct holder *h)
{
	if (h->qemu.pv)
		return "a PV or PVH guest with raw disks, and without vfb and the like, needs no QEMU";
	if (h->bound && h->qemu.domid != NO_DOMID && !h->qemu.restricted)
		return "dm_restrict = 1 in its xl.cfg, and start it again";
	return "dmop-qemu(8) in its xl.cfg, and start it again";
}

static void check_model(struct findings *f, const struct domains *d, const struct holder *h)
{
	const char *name = domains_name(d, h->domid);
	char of[NAME_SIZE + 32], remedy[128];
	unsigned long bitmap = h->qemu.video ? config_bitmap_size(h->qemu.video) : 0;

	snprintf(of, sizeof(of), "domain %ld%s%s", h->domid, *name ? ", " : "", name);
	if (holder_confined(h))
		finding(f, OK, "device models", NULL, "process %d holds " NODE " for %s", h->pid, of);
	else
		finding(f, WARN, "device models", confinement_remedy(h),
			"process %d, of %s, is not confined%s%s", h->pid, of,
			h->privcmd == PRIVCMD_OPEN ? ": it holds an unrestricted /dev/xen/privcmd" :
			h->privcmd == PRIVCMD_UNKNOWN ? ": it holds what cannot be queried" : "",
			h->uid ? "" : ", and is root");
	if (h->bound)
		check_bounds(f, h, of);
	if (!h->bound || bitmap <= h->buf_size)
		return;
	snprintf(remedy, sizeof(remedy), "echo %lu >" SYS_MODULE "/parameters/dm_op_buf_max_size",
		 bitmap);
	finding(f, WARN, "device models", remedy,
		"process %d, of %s: with %lu MiB of video memory its picture freezes: it needs buffers of %lu bytes, and has %llu",
		h->pid, of, h->qemu.video, bitmap, h->buf_size);
}

static void check_holder(struct findings *f, const struct holder *h)
{
	const char *remedy = "if it is a device model, start it by dmop-run(8)";
	bool expected = !h->uid && h->kind != KIND_OTHER;

	if (h->privcmd == PRIVCMD_UNKNOWN)
		finding(f, expected ? NOTE : WARN, "privcmd", NULL,
			"whether process %d, %s (%s, uid %u), holds an unrestricted /dev/xen/privcmd cannot be told",
			h->pid, h->name, kind_name(h->kind), h->uid);
	else
		finding(f, expected ? NOTE : WARN, "privcmd", expected ? NULL : remedy,
			"process %d, %s (%s, uid %u), holds an unrestricted /dev/xen/privcmd", h->pid,
			h->name, kind_name(h->kind), h->uid);
}

static void check_processes(struct findings *f, const struct domains *d)
{
	struct census c;
	unsigned int i;

	if (census_take(&c, d))
		return;
	for (i = 0; i < c.nr; i++) {
		if (c.list[i].kind == KIND_DEVICE_MODEL)
			check_model(f, d, &c.list[i]);
		else
			check_holder(f, &c.list[i]);
	}
	finding(f, c.confined == c.models ? OK : NOTE, "device models", NULL, "%u of %u are confined",
		c.confined, c.models);
	if (c.hidden)
		finding(f, geteuid() ? NOTE : WARN, "device models", NULL,
			"%u processes cannot be looked into%s", c.hidden, geteuid() ? ", for that needs root" : "");
	census_free(&c);
}

int run_check(const struct options *o)
{
	struct config_users users = { 0 };
	struct findings f = { 0 };
	struct domains d;
	bool xen, module;

	domains_read(&d);
	xen = check_xen(&f);
	if (xen) {
		check_control(&f);
		check_xenstore(&f, &d);
	}
	module = check_module(&f);
	check_boot(&f);
	if (module) {
		check_parameters(&f);
		check_node(&f);
	}
	if (xen)
		check_stock(&f);
	check_programs(&f);
	check_configs(&f, &users, o);
	users_check(&users, &f);
	if (xen)
		check_processes(&f, &d);
	domains_free(&d);
	return findings_print(&f, o->json);
}
