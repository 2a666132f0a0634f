/* SPDX-License-Identifier: GPL-2.0 */
/*
 * config.h - what an xl.cfg says of its device model
 */
#ifndef DMOPCTL_CONFIG_H
#define DMOPCTL_CONFIG_H

#include "findings.h"

/**
 * config_value() - the value of a line KEY = VALUE
 * @line: a line; changed
 * @key:  the key
 *
 * Return: the value, in @line, without quotes; NULL if the line is not about @key.
 */
char *config_value(char *line, const char *key);

/* Adds what is to be said of the file. */
void config_check(const char *path, struct findings *f);

#endif /* DMOPCTL_CONFIG_H */
