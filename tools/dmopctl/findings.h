/* SPDX-License-Identifier: GPL-2.0 */
/*
 * findings.h - results of check and verify
 */
#ifndef DMOPCTL_FINDINGS_H
#define DMOPCTL_FINDINGS_H

#include <stdbool.h>

enum level { OK, NOTE, WARN, FAULT };

struct finding {
	enum level level;
	char *topic;
	char *text;
	char *remedy;		/* "" if there is none, or none is needed */
};

struct findings {
	struct finding *list;
	unsigned int nr;
};

/**
 * finding() - add a finding
 * @f:      the list
 * @level:  FAULT: wrong, and sets the exit code; WARN: may be intended
 * @topic:  the subject, in a word or two
 * @remedy: what to do; NULL or "" for nothing
 * @format: the finding itself
 */
__attribute__((format(printf, 5, 6)))
void finding(struct findings *f, enum level level, const char *topic, const char *remedy,
	     const char *format, ...);

/* Prints and frees all findings. Return: STATUS_FAULT if one is a FAULT, else STATUS_OK. */
int findings_print(struct findings *f, bool json);

#endif /* DMOPCTL_FINDINGS_H */
