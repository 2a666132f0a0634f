// SPDX-License-Identifier: GPL-2.0
/*
 * holder.c - a process that holds what it is told to, for dmopctl to look at
 *
 * usage: holder ACTION...	in this order; then it says "ready" and stays
 *
 *   name:TEXT     is called so; \xNN is a byte
 *   open:N        opens /dev/xen/dmop N times
 *   bind:D        opens it and binds it to domain D
 *   take:PID      a descriptor of it out of that process
 *   dup:N         N more descriptors of the last one
 *   call:D refuse:D   a dm_op on domain D, which nobody knows, through the last
 *   map:D         a frame of domain D, through the last
 *   ops:MASK acts:MASK    NARROW: keeps these operations below 64, these kinds of calls, of the last
 *   stock:NODE    opens /dev/xen/NODE
 *   privcmd:D evtchn:D    opens that node and restricts it to domain D
 *   area:NODE     opens /dev/xen/NODE, makes an area of it, closes it
 *   thread        a thread with a table of its own that has one more descriptor
 *   calls:D       from now on, one dm_op after another on domain D
 *   drop          no privileges from here on
 */
#include "../dmop_test.h"
#include "../narrow.h"

#include <dirent.h>
#include <sys/stat.h>
/* The header expects it of whoever includes it. */
#define domid_t __u16
#include <xen/evtchn.h>

#define PAGE	4096UL
#define GFN	64

static int last = -1;
static int calls = -1;

static int must(long ret, const char *what)
{
	if (ret >= 0)
		return ret;
	printf("holder: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static int stock_open(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/xen/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return must(fd < 0 ? -errno : fd, path);
}

/* Return: the first descriptor of /dev/xen/dmop that the process has, as one of this process. */
static int take(pid_t pid)
{
	int process = syscall(SYS_pidfd_open, pid, 0), fd;
	struct stat node, st;
	char path[64];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	must(process < 0 || !dir || stat(DMOP_NODE, &node) ? -errno : 0, "take");
	while ((entry = readdir(dir))) {
		fd = syscall(SYS_pidfd_getfd, process, atoi(entry->d_name), 0);
		if (fd >= 0 && entry->d_name[0] != '.' && !fstat(fd, &st) &&
		    st.st_rdev == node.st_rdev)
			break;
		close(fd);
	}
	must(entry ? 0 : -ENOENT, "take");
	closedir(dir);
	close(process);
	return fd;
}

static void set_name(const char *text)
{
	char name[16] = "";
	unsigned int n = 0, c;

	while (*text && n < sizeof(name) - 1) {
		if (sscanf(text, "\\x%2x", &c) == 1) {
			name[n++] = c;
			text += 4;
		} else {
			name[n++] = *text++;
		}
	}
	prctl(PR_SET_NAME, name);
}

static void map_frame(__u16 domid)
{
	__u64 gfn = GFN;
	int err = 0;
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, last, 0);
	struct dmop_mmapbatch_v2 m = {
		.num = 1, .dom = domid, .addr = (unsigned long)p, .arr = &gfn, .err = &err,
	};

	must(p == MAP_FAILED ? -errno : 0, "mmap");
	must(do_ioctl(last, DMOP_IOCTL_MMAPBATCH_V2, &m), "map");
}

static void make_area(const char *node)
{
	int fd = stock_open(node);

	if (mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
		must(-errno, "area");
	close(fd);
}

static void restrict_evtchn(__u16 domid)
{
	struct ioctl_evtchn_restrict_domid arg = { .domid = domid };

	must(do_ioctl(stock_open("evtchn"), IOCTL_EVTCHN_RESTRICT_DOMID, &arg), "evtchn");
}

static pthread_barrier_t there;

static void *own_table(void *unused)
{
	must(unshare(CLONE_FILES) ? -errno : 0, "unshare");
	must(dmop_open(), "open");
	pthread_barrier_wait(&there);
	/* The C library interrupts it when another thread gives up its groups. */
	for (;;)
		pause();
	return unused;
}

static bool act(const char *word, const char *text)
{
	int n = atoi(text), i;
	pthread_t thread;

	if (!strcmp(word, "name"))
		set_name(text);
	else if (!strcmp(word, "open"))
		for (i = 0; i < n; i++)
			last = must(dmop_open(), "open");
	else if (!strcmp(word, "bind"))
		last = must(dmop_open_bound(n), "bind");
	else if (!strcmp(word, "take"))
		last = take(n);
	else if (!strcmp(word, "dup"))
		for (i = 0; i < n; i++)
			must(dup(last), "dup");
	else if (!strcmp(word, "call"))
		return unknown_op(last, n) == -EOPNOTSUPP;
	else if (!strcmp(word, "refuse"))
		return unknown_op(last, n) == -EPERM;
	else if (!strcmp(word, "map"))
		map_frame(n);
	else if (!strcmp(word, "ops"))
		must(narrow_ops(last, strtoull(text, NULL, 0), 0), "ops");
	else if (!strcmp(word, "acts"))
		must(narrow_acts(last, strtoull(text, NULL, 0)), "acts");
	else if (!strcmp(word, "stock"))
		stock_open(text);
	else if (!strcmp(word, "privcmd"))
		must(dmop_restrict(stock_open("privcmd"), n), "privcmd");
	else if (!strcmp(word, "evtchn"))
		restrict_evtchn(n);
	else if (!strcmp(word, "area"))
		make_area(text);
	else if (!strcmp(word, "thread"))
		return !pthread_barrier_init(&there, NULL, 2) &&
		       !pthread_create(&thread, NULL, own_table, NULL) &&
		       pthread_barrier_wait(&there) <= 0;
	else if (!strcmp(word, "drop"))
		return drop_privileges();
	else if (!strcmp(word, "calls"))
		calls = n;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 1; i < argc; i++) {
		char *word = strdup(argv[i]), *text = word + strcspn(word, ":");

		if (*text)
			*text++ = 0;
		if (!act(word, text)) {
			printf("holder: %s: not so\n", argv[i]);
			return 1;
		}
		free(word);
	}
	printf("ready\n");
	for (;;) {
		if (calls < 0)
			pause();
		else
			unknown_op(last, calls);
		usleep(1000);
	}
}
