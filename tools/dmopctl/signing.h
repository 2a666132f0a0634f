/* SPDX-License-Identifier: GPL-2.0 */
/*
 * signing.h - the certificate by which DKMS has signed the module
 */
#ifndef DMOPCTL_SIGNING_H
#define DMOPCTL_SIGNING_H

#include <stdbool.h>
#include <stddef.h>

/**
 * signing_serial() - read the serial number of a certificate
 * @der:  the certificate, in DER
 * @n:    its bytes
 * @hex:  result: "1A:2B:..", as modinfo prints the key of a signature
 * @size: of @hex
 *
 * Return: false if it is no certificate, or its number is too long for @hex.
 */
bool signing_serial(const unsigned char *der, size_t n, char *hex, size_t size);

/**
 * signing_certificate() - find the certificate of a signature
 * @root: "", or the directory that stands for the root directory
 * @key:  the serial number in the signature; "" if it is unknown
 * @path: result, without @root
 * @size: of @path
 *
 * These are, in DKMS's order: the one configured in /etc/dkms, Ubuntu's, and DKMS's own. The one
 * with the number @key is the result, or else the first one that exists.
 */
void signing_certificate(const char *root, const char *key, char *path, size_t size);

/* Prints what to do about a module that the kernel refuses for its signature. */
void signing_remedy(char *remedy, size_t size);

#endif /* DMOPCTL_SIGNING_H */
