// SPDX-License-Identifier: GPL-2.0
/*
 * fit.c - is a program fit for the preload library?
 *
 * Part of dmop-run and of the library, for each program executed by a launcher. It may run in a
 * child of vfork(), so it allocates nothing.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fit.h"
#include "handover.h"

/* The kernel's own limits for scripts: bytes of the first line, and interpreters in a row. */
#define SCRIPT_LINE	256
#define SCRIPT_DEPTH	5

/* The ELF header of this program or library, as the reference for class and machine. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

struct reason {
	char *text;
	size_t size;
};

static enum fit __attribute__((format(printf, 3, 4)))
answer(struct reason *why, enum fit fit, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why->text, why->size, format, ap);
	va_end(ap);
	return fit;
}

/* Return: true if all @size bytes were read. */
static bool read_at(int fd, void *to, size_t size, off_t where)
{
	return pread(fd, to, size, where) == (ssize_t)size;
}

static bool has_interpreter(int fd, const ElfW(Ehdr) *elf)
{
	ElfW(Phdr) segment;
	int i;

	for (i = 0; i < elf->e_phnum; i++)
		if (read_at(fd, &segment, sizeof(segment),
			    elf->e_phoff + (off_t)i * elf->e_phentsize) &&
		    segment.p_type == PT_INTERP)
			return true;
	return false;
}

/* The loader ignores LD_PRELOAD in a program with setuid, setgid or file capabilities. */
static enum fit fit_privileges(int fd, const char *name, struct reason *why)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return answer(why, UNFIT, "%s is not a file", name);
	if (st.st_mode & (S_ISUID | S_ISGID))
		return answer(why, UNFIT, "%s is setuid or setgid, where the loader takes no library from outside; use a copy without that bit",
			      name);
	if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return answer(why, UNFIT, "%s has file capabilities, where the loader takes no library from outside; use a copy without them",
			      name);
	return FIT;
}

static enum fit fit_elf(int fd, const char *name, const ElfW(Ehdr) *elf, struct reason *why)
{
	if (elf->e_ident[EI_CLASS] != __ehdr_start.e_ident[EI_CLASS] ||
	    elf->e_machine != __ehdr_start.e_machine)
		return answer(why, UNFIT, "%s is for another kind of processor than " PRELOAD_NAME, name);
	if (!has_interpreter(fd, elf))
		return answer(why, UNFIT, "%s is linked statically, so nothing can be put before its libraries; use one that is linked dynamically",
			      name);
	return FIT;
}

/* Return: the interpreter in the line "#! INTERPRETER [ARGUMENT]", or "". */
static const char *script_interpreter(char *line)
{
	char *at = line + 2;

	line[strcspn(line, "\n")] = 0;
	at += strspn(at, " \t");
	at[strcspn(at, " \t")] = 0;
	return at;
}

static enum fit fit_open(const char *path, unsigned int depth, struct reason *why);

static enum fit fit_at(int fd, const char *name, unsigned int depth, struct reason *why)
{
	union {
		ElfW(Ehdr) elf;
		char line[SCRIPT_LINE + 1];
	} head = { .line = "" };
	enum fit fit = fit_privileges(fd, name, why);
	const char *interpreter;

	if (fit != FIT)
		return fit;
	/* A script may be shorter than an ELF header; the rest stays 0. */
	if (pread(fd, &head, SCRIPT_LINE, 0) < 0)
		return answer(why, UNFIT, "%s: %s", name, strerror(errno));
	if (!memcmp(head.elf.e_ident, ELFMAG, SELFMAG))
		return fit_elf(fd, name, &head.elf, why);
	if (memcmp(head.line, "#!", 2))
		return answer(why, NO_PROGRAM, "%s is not a program (no ELF file)", name);
	interpreter = script_interpreter(head.line);
	if (depth >= SCRIPT_DEPTH)
		return answer(why, NO_PROGRAM, "%s: too many interpreters in a row", name);
	fit = fit_open(interpreter, depth + 1, why);
	if (fit == MISSING)
		return answer(why, NO_PROGRAM, "%s: its interpreter '%s' is not there", name, interpreter);
	return fit;
}

static enum fit fit_open(const char *path, unsigned int depth, struct reason *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum fit fit;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return answer(why, MISSING, "%s: %s", path, strerror(errno));
	if (fd < 0)
		return answer(why, UNFIT, "%s: cannot be read to see what it is: %s", path, strerror(errno));
	fit = fit_at(fd, path, depth, why);
	close(fd);
	return fit;
}

/* Executed with such ids, every program counts as one that gains privileges. */
static enum fit fit_ids(struct reason *why)
{
	if (geteuid() != getuid() || getegid() != getgid())
		return answer(why, UNFIT, "the real and the effective user or group differ, so the loader takes no library from outside; change both");
	return FIT;
}

enum fit fit_file(const char *path, char *text, size_t size)
{
	struct reason why = { text, size };
	enum fit fit = fit_ids(&why);

	return fit == FIT ? fit_open(path, 0, &why) : fit;
}

enum fit fit_descriptor(int fd, const char *name, char *text, size_t size)
{
	struct reason why = { text, size };
	enum fit fit = fit_ids(&why);

	return fit == FIT ? fit_at(fd, name, 0, &why) : fit;
}
