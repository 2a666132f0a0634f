// SPDX-License-Identifier: GPL-2.0
/*
 * dmop-run.c - start a program with Xen libraries that reach one domain only
 *
 * Opens /dev/xen/dmop twice, for calls and for mappings, binds and narrows both, checks that a preload
 * library works in the program, and executes the program. See dmop-run(8), preload.c, profile.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xen/dmop.h>
#include "fit.h"
#include "handover.h"
#include "images.h"
#include "learn.h"
#include "profile.h"

#ifndef LIBDIR
#define LIBDIR "/usr/lib/dmop"
#endif

#define NO_DOMID	(-1)

/* What each of the two descriptors is for. */
#define FOR_CALLS	(DMOP_RIGHT_CALL | DMOP_RIGHT_EVENT)
#define FOR_MAPPINGS	(DMOP_RIGHT_ALL & ~FOR_CALLS)

#define die(status, ...)			\
	do {					\
		fputs("dmop-run: ", stderr);	\
		fprintf(stderr, __VA_ARGS__);	\
		fputs("\n", stderr);		\
		exit(status);			\
	} while (0)

static void help(FILE *to)
{
	fputs("usage: dmop-run [--domid N] [--every-caller] [--images] [--learn FILE] [--narrow FILE]\n"
	      "                [--no-stock] [--one] [--verbose] [--] PROGRAM [ARGUMENT...]\n"
	      "\n"
	      "Starts PROGRAM so that its libxendevicemodel and libxenforeignmemory use\n"
	      DMOP_NODE ", restricted to domain N.\n"
	      "\n"
	      "  -d, --domid N   the domain; else that of -xen-domid among the ARGUMENTs\n"
	      "  -e, --every-caller   replace every open of the stock node in PROGRAM, not only those of\n"
	      "                  these libraries; includes --no-stock and --one\n"
	      "  -i, --images    open the images of QEMU's -drive arguments, for QEMU to open them again\n"
	      "  -l, --learn FILE   record a profile, until PROGRAM ends\n"
	      "  -n, --narrow FILE  keep only what this profile names: a path, or a file in\n"
	      "                  " PROFILEDIR "\n"
	      "  -o, --one       one descriptor for calls and mappings, not two\n"
	      "  -s, --no-stock  give it to libxencall as well, whose hypercalls then fail\n"
	      "  -t, --try-narrow FILE  the same as --narrow, if the module can do it\n"
	      "  -v, --verbose   say what was done\n",
	      to);
}

/* --- the domain -------------------------------------------------------- */

static int parse_domid(const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 1 || n > DMOP_DOMID_MAX)
		die(EXIT_USAGE, "'%s' is no domid: a number from 1 to %d (xl domid NAME tells)",
		    text, DMOP_DOMID_MAX);
	return n;
}

/* QEMU's own option: with one dash or two, and the last one counts. */
static int domid_of_arguments(char **argv)
{
	int domid = NO_DOMID;

	for (; *argv; argv++) {
		const char *option = *argv;

		if (!strncmp(option, "--", 2))
			option++;
		if (!strcmp(option, "-xen-domid") && argv[1])
			domid = parse_domid(*++argv);
	}
	return domid;
}

static int choose_domid(int domid, char **argv)
{
	int theirs = domid_of_arguments(argv + 1);

	if (domid == NO_DOMID && theirs == NO_DOMID)
		die(EXIT_USAGE, "which domain? Give --domid N; %s has no -xen-domid N among its arguments",
		    argv[0]);
	if (domid != NO_DOMID && theirs != NO_DOMID && domid != theirs)
		die(EXIT_USAGE, "--domid %d, but the arguments of %s say -xen-domid %d",
		    domid, argv[0], theirs);
	return domid == NO_DOMID ? theirs : domid;
}

/* --- the program ------------------------------------------------------- */

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* Searches PATH like execvp(), because the file is checked before it is executed. */
static const char *find_program(const char *name)
{
	static char found[PATH_MAX];
	const char *dir = getenv("PATH");

	if (strchr(name, '/')) {
		if (access(name, F_OK))
			die(EXIT_NOT_FOUND, "%s: %s", name, strerror(errno));
		return name;
	}
	for (; dir && *dir; dir += strspn(dir, ":")) {
		int length = strcspn(dir, ":");

		if (length && snprintf(found, sizeof(found), "%.*s/%s", length, dir, name) <
		    (int)sizeof(found) && is_file(found) && !access(found, X_OK))
			return found;
		dir += length;
	}
	die(EXIT_NOT_FOUND, "%s: not found in PATH; name it with its directory", name);
}

static void check_program(const char *path)
{
	char why[WHY_SIZE];

	if (fit_file(path, why, sizeof(why)) != FIT)
		die(EXIT_UNFIT, "%s", why);
}

/* --- the descriptor ---------------------------------------------------- */

static bool on_xen(void)
{
	char text[8] = "";
	int fd = open("/sys/hypervisor/type", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return !access("/proc/xen/capabilities", F_OK);
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return !strncmp(text, "xen", 3);
}

static _Noreturn void no_node(int err)
{
	if (!on_xen())
		die(EXIT_NO_XEN, "this system does not run on Xen");
	if (err == EACCES || err == EPERM)
		die(EXIT_NO_RIGHT, DMOP_NODE ": %s; run this as root", strerror(err));
	if (access("/sys/module/dmop_privcmd", F_OK))
		die(EXIT_NO_MODULE, "the module is not loaded; run: modprobe dmop_privcmd");
	die(EXIT_NO_MODULE, DMOP_NODE ": %s, although the module is loaded; is /dev the system's own?",
	    strerror(err));
}

/* A domid out of range gets EINVAL, but only after the check of privileges. */
static bool may_restrict(int fd)
{
	__u16 out_of_range = DMOP_DOMID_MAX + 1;

	return ioctl(fd, DMOP_IOCTL_RESTRICT, &out_of_range) && errno == EINVAL;
}

/* An unbound descriptor passes a dm_op on, and Xen first looks the domain up. */
static bool xen_has_domain(int fd, int domid)
{
	char no_op[4] = "";
	struct dmop_buf buf = { .uptr = no_op, .size = sizeof(no_op) };
	struct dmop_dm_op op = { .dom = domid, .num = 1, .ubufs = &buf };

	return !ioctl(fd, DMOP_IOCTL_DM_OP, &op) || errno != ESRCH;
}

static _Noreturn void not_bound(int fd, int domid, int err)
{
	if (err == ESRCH && xen_has_domain(fd, domid))
		die(EXIT_NO_DOMAIN, "domain %d exists in Xen, but is being destroyed, or has no directory /local/domain/%d in XenStore; see xl list, and xenstore-ls /local/domain/%d",
		    domid, domid, domid);
	if (err == ESRCH)
		die(EXIT_NO_DOMAIN, "there is no domain %d; xl list tells which there are", domid);
	if ((err == EPERM || err == EACCES) && may_restrict(fd))
		die(EXIT_NO_RIGHT, "Xen does not permit this system to be the device model of domain %d: %s; this is not dom0, or Xen's policy (FLASK) denies dm_op (xl getenforce, xl dmesg | grep avc)",
		    domid, strerror(err));
	if (err == EPERM)
		die(EXIT_NO_RIGHT, "may not restrict " DMOP_NODE " to domain %d: this takes CAP_SYS_ADMIN in the initial user namespace; run this as root",
		    domid);
	die(EXIT_OTHER, "cannot restrict " DMOP_NODE " to domain %d: %s", domid, strerror(err));
}

/* Checks now for the calls of both libraries; the program itself would fail late. */
/* Return: true if it can narrow. */
static bool check_features(int fd)
{
	const uint64_t needed = DMOP_FEATURE_DM_OP | DMOP_FEATURE_MAP;
	struct dmop_info info = { .size = sizeof(info) };

	if (ioctl(fd, DMOP_IOCTL_INFO, &info))
		die(EXIT_NO_MODULE, DMOP_NODE ": INFO: %s; the module is of another version", strerror(errno));
	if (info.abi_version != DMOP_ABI_VERSION || (info.features & needed) != needed)
		die(EXIT_NO_MODULE, "the loaded module cannot do what is needed (ABI %u, features %#llx); load the one that came with this program",
		    info.abi_version, (unsigned long long)info.features);
	return info.features & DMOP_FEATURE_NARROW;
}

/* Return: a descriptor that stays open across exec. @narrows: the module can narrow it. */
static int open_bound(int domid, bool *narrows)
{
	__u16 arg = domid;
	int fd = open(DMOP_NODE, O_RDWR), high;

	if (fd < 0)
		no_node(errno);
	*narrows = check_features(fd);
	if (ioctl(fd, DMOP_IOCTL_RESTRICT, &arg))
		not_bound(fd, domid, errno);
	/* Not possible below a small limit on descriptors; then it keeps its number. */
	high = fcntl(fd, F_DUPFD, HANDOVER_FD);
	if (high < 0)
		return fd;
	close(fd);
	return high;
}

static void narrow(int fd, const struct dmop_narrow *profile, __u64 acts)
{
	struct dmop_narrow n = *profile;

	n.acts &= acts;
	if (ioctl(fd, DMOP_IOCTL_NARROW, &n))
		die(errno == ESRCH ? EXIT_NO_DOMAIN : EXIT_OTHER, "cannot narrow " DMOP_NODE ": %s",
		    errno == ESRCH ? "the domain is gone" : strerror(errno));
}

struct descriptors {
	int call, map;		/* the same: one for both */
};

/* @profile: its name, or NULL; @must: a module that cannot narrow is an error */
static struct descriptors open_descriptors(int domid, const char *profile, bool must, bool one,
					    bool verbose)
{
	struct dmop_narrow kept = {
		.size = sizeof(kept), .flags = DMOP_NARROW_ACTS, .acts = DMOP_RIGHT_ALL,
	};
	struct descriptors d;
	char why[WHY_SIZE];
	bool narrows;

	if (profile && !profile_read(profile, &kept, why, sizeof(why)))
		die(EXIT_USAGE, "%s", why);
	d.call = open_bound(domid, &narrows);
	d.map = one ? d.call : open_bound(domid, &narrows);
	if (!narrows && profile && must)
		die(EXIT_NO_MODULE, "the loaded module cannot narrow a descriptor; load the one that came with this program (rmmod dmop_privcmd; modprobe dmop_privcmd), or omit --narrow");
	if (!narrows && verbose && (profile || !one))
		fprintf(stderr, "dmop-run: the loaded module cannot narrow a descriptor: %s\n",
			profile ? "the profile is not applied" : "both have all rights");
	if (!narrows)
		return d;
	if (!one)
		narrow(d.map, &kept, FOR_MAPPINGS);
	if (!one || profile)
		narrow(d.call, &kept, one ? DMOP_RIGHT_ALL : FOR_CALLS);
	if (profile && verbose)
		fprintf(stderr, "dmop-run: only what the profile %s names is left\n", profile);
	return d;
}

/* --- the library ------------------------------------------------------- */

/* Return: the library beside this program (in a build directory), else the installed one. */
static const char *find_library(void)
{
	static char beside[PATH_MAX + sizeof(PRELOAD_NAME)];
	const char *installed = LIBDIR "/" PRELOAD_NAME;
	ssize_t length = readlink("/proc/self/exe", beside, PATH_MAX - 1);
	char *slash;

	beside[length > 0 ? length : 0] = 0;
	slash = strrchr(beside, '/');
	if (slash) {
		strcpy(slash + 1, PRELOAD_NAME);
		if (!access(beside, R_OK) && !strpbrk(beside, PRELOAD_SEPARATORS))
			return beside;
	}
	/* With the library missing, the loader only warns and starts the program unconfined. */
	if (access(installed, R_OK))
		die(EXIT_OTHER, "%s: %s; install dmop-tools", installed, strerror(errno));
	return installed;
}

static void set(const char *name, const char *value)
{
	if (setenv(name, value, 1))
		die(EXIT_OTHER, "%s", strerror(errno));
}

static void hand_over(struct descriptors d, int domid, enum callers callers, bool verbose)
{
	const char *library = find_library(), *others = getenv(PRELOAD_VAR);
	char text[64], *preload;

	snprintf(text, sizeof(text), HANDOVER_FORMAT, d.call, d.map, domid, callers,
		 verbose ? getpid() : 0);
	set(HANDOVER_VAR, text);
	if (!others || !*others) {
		set(PRELOAD_VAR, library);
		return;
	}
	if (asprintf(&preload, "%s:%s", library, others) < 0)
		die(EXIT_OTHER, "%s", strerror(errno));
	set(PRELOAD_VAR, preload);
	free(preload);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "domid", required_argument, NULL, 'd' },
		{ "every-caller", no_argument, NULL, 'e' },
		{ "images", no_argument, NULL, 'i' },
		{ "learn", required_argument, NULL, 'l' },
		{ "narrow", required_argument, NULL, 'n' },
		{ "no-stock", no_argument, NULL, 's' },
		{ "one", no_argument, NULL, 'o' },
		{ "try-narrow", required_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	bool images = false, must = false, one = false, verbose = false;
	enum callers callers = CALLERS_TWO;
	unsigned int nr_images = 0;
	int option, status, domid = NO_DOMID;
	const char *path, *profile = NULL, *recording = NULL;
	char why[WHY_SIZE];
	struct descriptors d;

	while ((option = getopt_long(argc, argv, "+d:eil:n:ost:vh", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			domid = parse_domid(optarg);
			break;
		case 'e':
			/* The purpose of a descriptor is not known when other code opens the node. */
			one = true;
			callers = CALLERS_ALL;
			break;
		case 'i':
			images = true;
			break;
		case 'l':
			recording = optarg;
			break;
		case 'n':
		case 't':
			must = option == 'n';
			profile = optarg;
			break;
		case 'o':
			one = true;
			break;
		case 's':
			if (callers == CALLERS_TWO)
				callers = CALLERS_XENCALL;
			break;
		case 'v':
			verbose = true;
			break;
		case 'h':
			help(stdout);
			if (fflush(stdout))
				die(EXIT_OTHER, "cannot write the help: %s", strerror(errno));
			return 0;
		default:
			help(stderr);
			return EXIT_USAGE;
		}
	}
	argv += optind;
	if (!argv[0]) {
		help(stderr);
		return EXIT_USAGE;
	}

	domid = choose_domid(domid, argv);
	path = find_program(argv[0]);
	check_program(path);
	if (recording) {
		/* A program with QEMU's option has its -version as well. */
		status = learn(recording, domid, path, domid_of_arguments(argv + 1) != NO_DOMID,
			       why, sizeof(why));
		if (status)
			die(status, "%s", why);
	}
	d = open_descriptors(domid, profile, must, one, verbose);
	hand_over(d, domid, callers, verbose);
	if (images)
		nr_images = hand_over_images(argv + 1);
	if (verbose && nr_images)
		fprintf(stderr, "dmop-run: %s: can open its %u writable disk images again\n", path, nr_images);
	execv(path, argv);
	die(EXIT_UNFIT, "%s: %s", path, strerror(errno));
}
