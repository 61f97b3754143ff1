/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/vector_avx2.h - the vector operations of AVX2 + FMA: 16 lanes x 6 outputs in 12 registers. */
#pragma once

#include <immintrin.h>
#include <stdint.h>

typedef __m256 vf;
#define VL 8
#define MAIN 2
#define V_CONSTRAINT "x"

#define v_load(p) _mm256_loadu_ps(p)
#define v_store(p, a) _mm256_storeu_ps(p, a)
#define v_set(s) _mm256_set1_ps(s)
#define v_bcast(p) _mm256_broadcast_ss(p)
#define v_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define v_fnma(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define v_add(a, b) _mm256_add_ps(a, b)
#define v_sub(a, b) _mm256_sub_ps(a, b)
#define v_mul(a, b) _mm256_mul_ps(a, b)
#define v_div(a, b) _mm256_div_ps(a, b)
#define v_sqrt(a) _mm256_sqrt_ps(a)
#define v_max(a, b) _mm256_max_ps(a, b) /* b if a is NaN */
#define v_min(a, b) _mm256_min_ps(a, b)
#define v_abs(a) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a)

static inline __attribute__((always_inline)) void v_store_bytes(uint8_t *p, vf value) {
    __m256i whole = _mm256_cvttps_epi32(value);
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)(void *)p, _mm_packus_epi16(words, words));
}

/* a * 2^whole, by adding to the exponent. */
static inline __attribute__((always_inline)) vf v_scale(vf a, vf whole) {
    __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(whole), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(a), exponent));
}

static inline __attribute__((always_inline)) vf v_keep(vf value, const uint8_t *region, int32_t t, int32_t key) {
    __m256i lanes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(region + t)));
    __m256i is_seen = _mm256_cmpeq_epi32(lanes, _mm256_set1_epi32(region[key]));
    return _mm256_and_ps(value, _mm256_castsi256_ps(is_seen));
}
