/* SPDX-License-Identifier: Apache-2.0
 * base/sha256.h - SHA-256 (FIPS 180-4) of bytes in memory, as hex. Identity of weights; no secrets. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* ret_hex  64 lower-case hex digits and a zero. */
void swin2sr__sha256_hex(const void *data, size_t size, char ret_hex[65]);

/* The compression of so many blocks of 64 bytes into a hash; every variant gives the same bits. */
typedef void swin2sr__sha256_compress(uint32_t hash[8], const unsigned char *blocks, size_t count);
swin2sr__sha256_compress swin2sr__sha256_compress_c;
swin2sr__sha256_compress swin2sr__sha256_compress_sha; /* x86-64 with cpu.has_sha */

/* swin2sr__sha256_hex by one of them. */
void swin2sr__sha256_hex_by(swin2sr__sha256_compress *compress, const void *data, size_t size, char ret_hex[65]);

extern const uint32_t swin2sr__sha256_constants[64];
