/* SPDX-License-Identifier: GPL-2.0 */
/*
 * findings.h - what check and verify have to say
 */
#ifndef DMOPCTL_FINDINGS_H
#define DMOPCTL_FINDINGS_H

#include <stdbool.h>

enum level { OK, NOTE, WARN, FAULT };

struct finding {
	enum level level;
	char *topic;
	char *text;
	char *remedy;		/* "" if there is none, or nothing to remedy */
};

struct findings {
	struct finding *list;
	unsigned int nr;
};

/**
 * finding() - add one
 * @f:      where
 * @level:  FAULT: not as it should be, and told by the exit code; WARN: may be meant
 * @topic:  what it is about, in a word or two
 * @remedy: what to do; NULL or "" for nothing
 * @format: what was found
 */
__attribute__((format(printf, 5, 6)))
void finding(struct findings *f, enum level level, const char *topic, const char *remedy,
	     const char *format, ...);

/* Prints and frees them. Return: STATUS_FAULT if one is a FAULT, else STATUS_OK. */
int findings_print(struct findings *f, bool json);

#endif /* DMOPCTL_FINDINGS_H */
