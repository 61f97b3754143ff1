/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/int8_avx2.c - int8 linear layers for AVX2, or for AVX-VNNI if compiled for it; the rest is fp32.
 * The kernels themselves are in simd/block_simd.h. */
#include "kernels/x86/vector_avx2.h"

#include "kernels/simd/panel_fp32.h"

#define IS_INT8 1
#define ints(a) _mm256_castps_si256(a)
#define v_from_ints(a) _mm256_cvtepi32_ps(ints(a))

#ifdef __AVXVNNI__
#define TABLE swin2sr__kernels_avxvnni
#define TABLE_NAME "avxvnni"
#define v_dot_ints(b, x, acc) _mm256_castsi256_ps(_mm256_dpbusd_avx_epi32(ints(acc), ints(x), ints(b)))
#else
#define TABLE swin2sr__kernels_avx2_int8
#define TABLE_NAME "avx2_int8"

/* With weights in -64..64 (pack.h), vpmaddubsw does not saturate. */
static inline __attribute__((always_inline)) vf v_dot_ints(vf b, vf x, vf acc) {
    __m256i pairs = _mm256_maddubs_epi16(ints(x), ints(b));
    return _mm256_castsi256_ps(_mm256_add_epi32(ints(acc), _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
}
#endif

static inline __attribute__((always_inline)) vf v_bytes(const vf values[4]) {
    __m256i word = _mm256_setzero_si256(), low = _mm256_set1_epi32(0xff);
    for (int32_t i = 3; i >= 0; i--)
        word = _mm256_or_si256(_mm256_slli_epi32(word, 8), _mm256_and_si256(_mm256_cvtps_epi32(values[i]), low));
    return _mm256_castsi256_ps(_mm256_xor_si256(word, _mm256_set1_epi8((char)0x80)));
}

#include "kernels/simd/block_simd.h"
