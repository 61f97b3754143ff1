/* SPDX-License-Identifier: Apache-2.0
 * base/sha1.c - the compression of SHA-1 (FIPS 180-4, section 6.1.2).
 * In: blocks of 64 bytes.  Out: the hash.  The names follow the standard. */
#include "base/sha1.h"

static uint32_t rotate_left(uint32_t x, int bits) {
    return x << bits | x >> (32 - bits);
}

/* f_t(b, c, d) + K_t of round t. */
static uint32_t mix(int t, uint32_t b, uint32_t c, uint32_t d) {
    if (t < 20)
        return ((b & c) ^ (~b & d)) + 0x5a827999;
    if (t < 40)
        return (b ^ c ^ d) + 0x6ed9eba1;
    if (t < 60)
        return ((b & c) ^ (b & d) ^ (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

static void compress(uint32_t *hash, const unsigned char *blocks, size_t count) {
    for (; count; count--) {
        uint32_t w[80], a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4];
        for (int t = 0; t < 16; t++, blocks += 4)
            w[t] = (uint32_t)blocks[0] << 24 | (uint32_t)blocks[1] << 16 | (uint32_t)blocks[2] << 8 | blocks[3];
        for (int t = 16; t < 80; t++)
            w[t] = rotate_left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
        for (int t = 0; t < 80; t++) {
            uint32_t next = rotate_left(a, 5) + mix(t, b, c, d) + e + w[t];
            e = d;
            d = c;
            c = rotate_left(b, 30);
            b = a;
            a = next;
        }
        hash[0] += a;
        hash[1] += b;
        hash[2] += c;
        hash[3] += d;
        hash[4] += e;
    }
}

swin2sr__digest swin2sr__sha1_begin(void) {
    return (swin2sr__digest){
        .compress = compress, .hash = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, .digest_bytes = 20};
}
