/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/vector_avx512.h - vector operations of AVX-512 (F, BW, DQ, VL): 64 lanes x 6 outputs in 24 registers. */
#pragma once

#include <immintrin.h>
#include <stdint.h>

typedef __m512 vf;
#define VL 16
#define MAIN 4
#ifndef V_CONSTRAINT /* emulated instructions define another one */
#define V_CONSTRAINT "v"
#endif

#define v_load(p) _mm512_loadu_ps(p)
#define v_store(p, a) _mm512_storeu_ps(p, a)
#define v_set(s) _mm512_set1_ps(s)
#define v_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define v_fnma(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define v_add(a, b) _mm512_add_ps(a, b)
#define v_sub(a, b) _mm512_sub_ps(a, b)
#define v_mul(a, b) _mm512_mul_ps(a, b)
#define v_div(a, b) _mm512_div_ps(a, b)
#define v_sqrt(a) _mm512_sqrt_ps(a)
#define v_max(a, b) _mm512_max_ps(a, b) /* b if a is NaN */
#define v_min(a, b) _mm512_min_ps(a, b)
#define v_store_bytes(p, a) _mm_storeu_si128((__m128i *)(void *)(p), _mm512_cvtusepi32_epi8(_mm512_cvttps_epi32(a)))
#define v_abs(a) _mm512_abs_ps(a)

/* One load for four uses. The compiler would fold a broadcast into each FMA, and loads would limit the speed. */
static inline __attribute__((always_inline)) vf v_bcast(const float *p) {
    vf b = v_set(*p);
    __asm__("" : "+" V_CONSTRAINT(b));
    return b;
}

#define v_whole(a) _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define v_fraction(a, whole) _mm512_sub_ps(a, whole)
#define v_scale(a, whole) _mm512_scalef_ps(a, whole) /* a * 2^whole */

static inline __attribute__((always_inline)) vf v_keep(vf value, const uint8_t *region, int32_t t, int32_t key) {
    __m128i lanes = _mm_loadu_si128((const __m128i *)(const void *)(region + t));
    return _mm512_maskz_mov_ps(_mm_cmpeq_epi8_mask(lanes, _mm_set1_epi8((char)region[key])), value);
}
