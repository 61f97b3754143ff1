/* SPDX-License-Identifier: Apache-2.0
 * base/hmac.c - HMAC (RFC 2104) by SHA-256.
 * In: a key and a message in pieces.  Out: 32 bytes. What is derived from the key is erased. */
#include "base/hmac.h"

#include <string.h>

#include "base/sha256.h"

swin2sr__hmac swin2sr__hmac_begin(const void *key, size_t size) {
    unsigned char block[SWIN2SR__DIGEST_BLOCK_BYTES] = {0}, inner_pad[SWIN2SR__DIGEST_BLOCK_BYTES];
    swin2sr__hmac self = {.inner = swin2sr__sha256_begin()};
    if (size <= sizeof block) {
        memcpy(block, key, size);
    } else {
        swin2sr__digest digest = swin2sr__sha256_begin();
        swin2sr__digest_add(&digest, key, size);
        swin2sr__digest_end(&digest, block);
    }
    for (size_t i = 0; i < sizeof block; i++) {
        inner_pad[i] = block[i] ^ 0x36;
        self.outer_pad[i] = block[i] ^ 0x5c;
    }
    swin2sr__digest_add(&self.inner, inner_pad, sizeof inner_pad);
    explicit_bzero(block, sizeof block);
    explicit_bzero(inner_pad, sizeof inner_pad);
    return self;
}

void swin2sr__hmac_end(swin2sr__hmac *self, unsigned char ret_bytes[SWIN2SR__HMAC_BYTES]) {
    unsigned char inner[SWIN2SR__HMAC_BYTES];
    swin2sr__digest_end(&self->inner, inner);
    swin2sr__digest outer = swin2sr__sha256_begin();
    swin2sr__digest_add(&outer, self->outer_pad, sizeof self->outer_pad);
    swin2sr__digest_add(&outer, inner, sizeof inner);
    swin2sr__digest_end(&outer, ret_bytes);
    explicit_bzero(self, sizeof *self);
}
