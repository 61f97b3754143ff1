/* SPDX-License-Identifier: Apache-2.0
 * base/sha256.h - SHA-256 (FIPS 180-4) of bytes in memory, as hex. Identity of weights; no secrets. */
#ifndef SWIN2SR_BASE_SHA256_H
#define SWIN2SR_BASE_SHA256_H

#include <stddef.h>

/* ret_hex  64 lower-case hex digits and a zero. */
void swin2sr__sha256_hex(const void *data, size_t size, char ret_hex[65]);

#endif
