/* SPDX-License-Identifier: Apache-2.0
 * base/hmac.h - HMAC (RFC 2104) by SHA-256: begin, add any number of pieces to `inner`, end. No allocation. */
#pragma once

#include "base/digest.h"

#define SWIN2SR__HMAC_BYTES 32

typedef struct swin2sr__hmac {
    swin2sr__digest inner; /* swin2sr__digest_add adds pieces of the message */
    unsigned char outer_pad[SWIN2SR__DIGEST_BLOCK_BYTES];
} swin2sr__hmac;

swin2sr__hmac swin2sr__hmac_begin(const void *key, size_t size);

/* self is erased. */
void swin2sr__hmac_end(swin2sr__hmac *self, unsigned char ret_bytes[SWIN2SR__HMAC_BYTES]);
