/* SPDX-License-Identifier: Apache-2.0
 * base/digest.c - the cut of a message into blocks, and its padding (FIPS 180-4 section 5.1.1).
 * In: any bytes in any pieces.  Out: the digest.  Whole blocks of a piece are compressed without a copy. */
#include "base/digest.h"

#include <string.h>

#define BLOCK_BYTES SWIN2SR__DIGEST_BLOCK_BYTES

void swin2sr__digest_add(swin2sr__digest *self, const void *data, size_t size) {
    const unsigned char *at = data;
    size_t kept = (size_t)(self->message_bytes % BLOCK_BYTES);
    self->message_bytes += size;
    if (kept > 0) {
        size_t wanted = BLOCK_BYTES - kept, taken = size < wanted ? size : wanted;
        if (taken > 0)
            memcpy(self->rest + kept, at, taken);
        if (taken < wanted)
            return;
        self->compress(self->hash, self->rest, 1);
        at += taken;
        size -= taken;
    }
    self->compress(self->hash, at, size / BLOCK_BYTES);
    if (size % BLOCK_BYTES)
        memcpy(self->rest, at + size / BLOCK_BYTES * BLOCK_BYTES, size % BLOCK_BYTES);
}

/* After the message come a one bit, zeros, and the message's length in bits: one block or two. */
void swin2sr__digest_end(swin2sr__digest *self, unsigned char ret_bytes[SWIN2SR__DIGEST_MAX_BYTES]) {
    unsigned char blocks[2 * BLOCK_BYTES] = {0};
    size_t kept = (size_t)(self->message_bytes % BLOCK_BYTES);
    size_t end = kept + 9 <= BLOCK_BYTES ? BLOCK_BYTES : sizeof(blocks);
    memcpy(blocks, self->rest, kept);
    blocks[kept] = 0x80;
    for (int i = 0; i < 8; i++)
        blocks[end - 1 - (size_t)i] = (unsigned char)(self->message_bytes * 8 >> 8 * i);
    self->compress(self->hash, blocks, end / BLOCK_BYTES);
    for (size_t i = 0; i < self->digest_bytes; i++)
        ret_bytes[i] = (unsigned char)(self->hash[i / 4] >> (24 - i % 4 * 8));
}

void swin2sr__hex(const unsigned char *bytes, size_t size, char *ret_text) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < 2 * size; i++)
        ret_text[i] = digits[bytes[i / 2] >> (i % 2 ? 0 : 4) & 15];
    ret_text[2 * size] = '\0';
}
