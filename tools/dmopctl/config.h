/* SPDX-License-Identifier: GPL-2.0 */
/*
 * config.h - device model settings in an xl.cfg
 */
#ifndef DMOPCTL_CONFIG_H
#define DMOPCTL_CONFIG_H

#include "findings.h"

/**
 * config_value() - get the value of a line KEY = VALUE
 * @line: a line; modified
 * @key:  the key
 *
 * Return: the value, in @line, without quotes; NULL if the line has another key.
 */
char *config_value(char *line, const char *key);

/* Checks the file, and adds findings to @f. */
void config_check(const char *path, struct findings *f);

#endif /* DMOPCTL_CONFIG_H */
