/* SPDX-License-Identifier: Apache-2.0
 * base/sha256.c - SHA-256 (FIPS 180-4, section 6.2).
 * In: blocks of 64 bytes, or any bytes.  Out: the hash, or 64 hex digits.  No allocation; names follow the standard. */
#include "base/sha256.h"

#include <string.h>

#include "base/cpu.h"

#define BLOCK_BYTES SWIN2SR__DIGEST_BLOCK_BYTES

static uint32_t rotate_right(uint32_t x, int bits) {
    return x >> bits | x << (32 - bits);
}

static void schedule(const unsigned char *block, uint32_t w[64]) {
    for (int t = 0; t < 16; t++, block += 4)
        w[t] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 | block[3];
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
}

/* v holds a, b, c, d, e, f, g, h. Instead of moving, the letters turn: after eight rounds all are back. */
static inline void run_eight_rounds(uint32_t v[8], const uint32_t w[8], const uint32_t constants[8]) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        uint32_t a = v[-i & 7], b = v[(1 - i) & 7], c = v[(2 - i) & 7], e = v[(4 - i) & 7], f = v[(5 - i) & 7],
                 g = v[(6 - i) & 7];
        uint32_t sum1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
        uint32_t t1 = v[(7 - i) & 7] + sum1 + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        uint32_t sum0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
        v[(3 - i) & 7] += t1;
        v[(7 - i) & 7] = t1 + sum0 + ((a & b) ^ (a & c) ^ (b & c));
    }
}

void swin2sr__sha256_compress_c(uint32_t *hash, const unsigned char *blocks, size_t count) {
    for (; count; count--, blocks += BLOCK_BYTES) {
        uint32_t w[64], v[8];
        schedule(blocks, w);
        memcpy(v, hash, sizeof(v));
        for (int t = 0; t < 64; t += 8)
            run_eight_rounds(v, w + t, swin2sr__sha256_constants + t);
        for (int i = 0; i < 8; i++)
            hash[i] += v[i];
    }
}

static swin2sr__digest begin_by(swin2sr__digest_compress *compress) {
    return (swin2sr__digest){
        .compress = compress,
        .hash = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
        .digest_bytes = 32};
}

/* Asked once: in a virtual machine each CPUID is a trap into the host, which costs more than hashing a small text. */
static swin2sr__digest_compress *best_compress(void) {
    static _Atomic(swin2sr__digest_compress *) best;
    if (!best) {
        swin2sr__digest_compress *found = swin2sr__sha256_compress_c;
#if defined(__x86_64__)
        if (swin2sr__cpu_detect().has_sha)
            found = swin2sr__sha256_compress_sha;
#endif
        best = found;
    }
    return best;
}

swin2sr__digest swin2sr__sha256_begin(void) {
    return begin_by(best_compress());
}

static void write_hex(swin2sr__digest *message, char ret_hex[65]) {
    unsigned char bytes[SWIN2SR__DIGEST_MAX_BYTES];
    swin2sr__digest_end(message, bytes);
    swin2sr__hex(bytes, sizeof(bytes), ret_hex);
}

void swin2sr__sha256_hex_by(swin2sr__digest_compress *compress, const void *data, size_t size, char ret_hex[65]) {
    swin2sr__digest message = begin_by(compress);
    swin2sr__digest_add(&message, data, size);
    write_hex(&message, ret_hex);
}

void swin2sr__sha256_hex(const void *data, size_t size, char ret_hex[65]) {
    swin2sr__digest message = swin2sr__sha256_begin();
    swin2sr__digest_add(&message, data, size);
    write_hex(&message, ret_hex);
}
