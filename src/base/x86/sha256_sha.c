/* SPDX-License-Identifier: Apache-2.0
 * base/x86/sha256_sha.c - the compression of SHA-256 with the processor's own instructions.
 * In: blocks of 64 bytes, not aligned.  Out: the hash, as swin2sr__sha256_compress_c leaves it.
 * The instructions keep the eight words in two registers, ABEF and CDGH, from the high lane down; each runs two rounds,
 * and four words of the schedule at a time come from the sixteen before them. */
#include <immintrin.h>

#include "base/sha256.h"

static inline __m128i load(const void *at) {
    return _mm_loadu_si128((const __m128i *)at);
}

static inline void run_block(__m128i *abef, __m128i *cdgh, const unsigned char *block) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i w[4];
    for (int i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(load(block + 16 * i), big_endian);
#pragma GCC unroll 16
    for (int t = 0; t < 16; t++) { /* rounds 4t to 4t + 3, with w[t] in the place of w[t - 4] */
        __m128i *now = &w[t & 3], last = w[(t + 3) & 3];
        if (t >= 4) {
            __m128i sum =
                _mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(t + 1) & 3]), _mm_alignr_epi8(last, w[(t + 2) & 3], 4));
            *now = _mm_sha256msg2_epu32(sum, last);
        }
        __m128i sum = _mm_add_epi32(*now, load(swin2sr__sha256_constants + 4 * t));
        *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
        *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0e));
    }
}

void swin2sr__sha256_compress_sha(uint32_t *hash, const unsigned char *blocks, size_t count) {
    __m128i cdab = _mm_shuffle_epi32(load(hash), 0xb1), efgh = _mm_shuffle_epi32(load(hash + 4), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; count; count--, blocks += 64) {
        __m128i abef_before = abef, cdgh_before = cdgh;
        run_block(&abef, &cdgh, blocks);
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)hash, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(hash + 4), _mm_alignr_epi8(dchg, feba, 8));
}
