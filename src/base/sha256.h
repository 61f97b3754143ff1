/* SPDX-License-Identifier: Apache-2.0
 * base/sha256.h - SHA-256 (FIPS 180-4): of bytes in memory as hex, or of pieces. For identity and
 * integrity, and for secrets of 256 random bits, which need no slower hash. */
#pragma once

#include "base/digest.h"

/* ret_hex  64 lower-case hex digits and a zero. */
void swin2sr__sha256_hex(const void *data, size_t size, char ret_hex[65]);

/* An empty message for swin2sr__digest_add; the digest has 32 bytes. */
swin2sr__digest swin2sr__sha256_begin(void);

/* Every variant of the compression gives the same bits. */
swin2sr__digest_compress swin2sr__sha256_compress_c;
swin2sr__digest_compress swin2sr__sha256_compress_sha; /* x86-64 with cpu.has_sha */

/* swin2sr__sha256_hex by one of them. */
void swin2sr__sha256_hex_by(swin2sr__digest_compress *compress, const void *data, size_t size, char ret_hex[65]);

extern const uint32_t swin2sr__sha256_constants[64];
