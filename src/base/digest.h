/* SPDX-License-Identifier: Apache-2.0
 * base/digest.h - SHA-256 or SHA-1 of a message that arrives in pieces: begin with swin2sr__sha256_begin or
 * swin2sr__sha1_begin, add any number of pieces, end. The digest does not depend on the pieces. No allocation. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SWIN2SR__DIGEST_BLOCK_BYTES 64 /* of both SHA-1 and SHA-256 (FIPS 180-4 section 1) */
#define SWIN2SR__DIGEST_MAX_BYTES 32

/* Compress `count` blocks into a hash. */
typedef void swin2sr__digest_compress(uint32_t *hash, const unsigned char *blocks, size_t count);

typedef struct swin2sr__digest {
    swin2sr__digest_compress *compress;
    uint32_t hash[8];
    size_t digest_bytes; /* of the whole digest: 20 or 32 */
    uint64_t message_bytes;
    unsigned char
        rest[SWIN2SR__DIGEST_BLOCK_BYTES]; /* the last message_bytes % 64 bytes, which are not compressed yet */
} swin2sr__digest;

void swin2sr__digest_add(swin2sr__digest *self, const void *data, size_t size);

/* Bytes as lower-case hex digits.
 * ret_text  [2 * size + 1] */
void swin2sr__hex(const unsigned char *bytes, size_t size, char *ret_text);

/* ret_bytes  Receives digest_bytes bytes. Nothing may be added afterwards. */
void swin2sr__digest_end(swin2sr__digest *self, unsigned char ret_bytes[SWIN2SR__DIGEST_MAX_BYTES]);
