// SPDX-License-Identifier: GPL-2.0
/*
 * users.c - the users of restricted device models
 *
 * A user namespace may contain its owner's subordinate uids. The owner is root in there, and can
 * signal each process with such a uid, also a QEMU.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "users.h"

#define RANGE	"xen-qemuuser-range-base"
#define SHARED	"xen-qemuuser-shared"
#define REAPER	"xen-qemuuser-reaper"
#define ADD_RANGE	"useradd --system --no-create-home --uid " RANGE_BASE " " RANGE

struct range {
	char owner[64];
	unsigned long first, last;
};

/* --- subordinate uids -------------------------------------------------- */

/* Return: false at the end of the file. A line that is none gives an empty range. */
static bool next_range(FILE *file, struct range *r)
{
	unsigned long count = 0;
	char line[512];

	if (!fgets(line, sizeof(line), file))
		return false;
	*r = (struct range){ .first = 1 };
	if (sscanf(line, "%63[^:\n]:%lu:%lu", r->owner, &r->first, &count) == 3 && count)
		r->last = r->first + count - 1;
	return true;
}

static bool of_range(const struct range *r)
{
	const struct passwd *user = getpwnam(RANGE);
	char uid[32] = "";

	if (user)
		snprintf(uid, sizeof(uid), "%u", user->pw_uid);
	return !strcmp(r->owner, RANGE) || !strcmp(r->owner, uid);
}

bool users_subordinate(const char *path, unsigned long first, unsigned long last, char *owner,
		       size_t size)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	struct range r;

	while (file && !found && next_range(file, &r))
		found = r.first <= last && r.last >= first && !of_range(&r);
	if (file)
		fclose(file);
	if (found)
		text_clean(owner, size, r.owner, strlen(r.owner));
	return found;
}

bool users_reserved(const char *path, unsigned long first, unsigned long last)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	struct range r;

	while (file && !found && next_range(file, &r))
		found = r.first <= first && r.last >= last && of_range(&r);
	if (file)
		fclose(file);
	return found;
}

bool users_allocatable(const char *path, unsigned long first, unsigned long last)
{
	/* The defaults of login.defs(5). */
	unsigned long least = 100000, most = 600100000, count = 65536, n;
	FILE *file = fopen(path, "re");
	char line[512], key[32];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %31s %lu", key, &n) != 2)
			continue;
		if (!strcmp(key, "SUB_UID_MIN"))
			least = n;
		else if (!strcmp(key, "SUB_UID_MAX"))
			most = n;
		else if (!strcmp(key, "SUB_UID_COUNT"))
			count = n;
	}
	fclose(file);
	return count && least <= last && most >= first;
}

static void check_subordinate(unsigned long first, unsigned long last, struct findings *f)
{
	char owner[NAME_SIZE], remedy[256];

	if (users_subordinate("/etc/subuid", first, last, owner, sizeof(owner))) {
		finding(f, WARN, "users",
			"with no such guest running: userdel " RANGE "; " ADD_RANGE,
			"uids of " RANGE " are subordinate uids of %s, who can end a guest's QEMU from a user namespace",
			owner);
		return;
	}
	snprintf(remedy, sizeof(remedy), "usermod --add-subuids %lu-%lu " RANGE, first, last);
	if (users_allocatable("/etc/login.defs", first, last) &&
	    !users_reserved("/etc/subuid", first, last))
		finding(f, NOTE, "users", remedy,
			"uids of " RANGE " are among those that useradd gives to new users as subordinate uids (SUB_UID_MIN in login.defs)");
}

/* --- the users --------------------------------------------------------- */

static bool is_root(const char *name, const struct passwd *user, struct findings *f)
{
	if (!user || user->pw_uid)
		return false;
	finding(f, FAULT, "users", "give that user a uid of its own", "%s is root", name);
	return true;
}

/* xl does not start a guest whose uid belongs to a user. */
static void check_clash(unsigned long first, unsigned long last, struct findings *f)
{
	const struct passwd *user;
	char name[NAME_SIZE];

	setpwent();
	while ((user = getpwent())) {
		if (user->pw_uid < first || user->pw_uid > last)
			continue;
		text_clean(name, sizeof(name), user->pw_name, strlen(user->pw_name));
		finding(f, WARN, "users", "with no such guest running: userdel " RANGE "; " ADD_RANGE,
			"user %s has a uid of " RANGE ": the guest with domid %lu will not start", name,
			user->pw_uid - first + 1);
		break;
	}
	endpwent();
}

/* Return: true if there is a user for guests that do not name one. */
static bool check_host(struct findings *f)
{
	const struct passwd *user = getpwnam(RANGE);
	unsigned long first;

	if (is_root(RANGE, user, f))
		return true;
	if (user) {
		first = user->pw_uid + 1UL;
		finding(f, OK, "users", NULL, RANGE ": a uid for each guest's QEMU");
		check_clash(first, first + LAST_DOMID - 1, f);
		check_subordinate(first, first + LAST_DOMID - 1, f);
		return true;
	}
	user = getpwnam(SHARED);
	if (user && !is_root(SHARED, user, f))
		finding(f, NOTE, "users", ADD_RANGE, SHARED ": one uid for the QEMUs of all guests");
	return user;
}

/*
 * xl kills all processes with the uid of a guest's QEMU. It does so with a uid of its own, or else
 * a process that shares QEMU's uid can kill the killer first.
 */
static void check_reaper(struct findings *f)
{
	const struct passwd *user = getpwnam(REAPER);

	if (!is_root(REAPER, user, f) && !user && !getpwnam(RANGE))
		finding(f, NOTE, "users", "useradd --system --no-create-home " REAPER,
			"no user " REAPER ", with which xl ends the QEMUs of device_model_user");
}

void users_check(const struct config_users *need, struct findings *f)
{
	bool found = check_host(f);

	if (!found && need->of_guest && !need->of_host)
		finding(f, OK, "users", NULL, "each guest checked has a user for its QEMU (device_model_user)");
	else if (!found)
		finding(f, WARN, "users", ADD_RANGE,
			"no user for dm_restrict, so xl cannot start a restricted QEMU");
	if (need->of_guest)
		check_reaper(f);
}
