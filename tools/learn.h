/* SPDX-License-Identifier: GPL-2.0 */
/*
 * learn.h - record the profile of a program
 */
#ifndef LEARN_H
#define LEARN_H

/**
 * learn() - start a process that records what this one will do, also after exec
 * @file:    the profile, written once this process has ended
 * @domid:   the domain
 * @program: the program that this process is going to execute
 * @ask:     ask it for its version
 * @why:     the reason of a failure
 * @size:    of @why
 *
 * It records all calls on the domain. Call it before anything is opened that this process alone
 * shall hold.
 *
 * Return: 0, once the recording has begun, or an EXIT_ code.
 */
int learn(const char *file, int domid, const char *program, int ask, char *why, size_t size);

#endif /* LEARN_H */
