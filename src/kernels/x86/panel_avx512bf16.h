/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/panel_avx512bf16.h - bf16 panels and products with AVX512-BF16. Included after the vector's header. */
#pragma once

#include "kernels/simd/panel_bf16.h"

#define v_dot(b, x, acc) _mm512_dpbf16_ps(acc, (__m512bh)(b), (__m512bh)(x))
#define v_low_half(word) _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(word), 16))
#define v_high_half(word) \
    _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(word), _mm512_set1_epi32((int32_t)0xffff0000)))

/* Word 2i comes from lane i of the lower half, word 2i + 1 from lane i of the upper half. */
static const uint16_t weave[32]
    __attribute__((aligned(64))) = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                    8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};

static inline __attribute__((always_inline)) void v_store_panel(float *p, int32_t n, vf lo, vf hi) {
    __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(hi, lo);
    _mm512_storeu_si512(p + n / 2 * SWIN2SR__LANES, _mm512_permutexvar_epi16(_mm512_load_si512(weave), halves));
}

/* p may be equal to row, or before it. */
static inline void compact_row(float *p, const float *row) {
    __m512i low = (__m512i)_mm512_cvtne2ps_pbh(v_load(row + VL), v_load(row));
    __m512i high = (__m512i)_mm512_cvtne2ps_pbh(v_load(row + 3 * VL), v_load(row + 2 * VL));
    _mm512_storeu_si512(p, low);
    _mm512_storeu_si512(p + VL, high);
}
