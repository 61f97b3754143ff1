/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/bf16_avx512.c - bf16 products with AVX512-BF16: inputs of products are rounded to bf16, two to 32 bits;
 * sums, norms and softmax stay fp32. The kernels themselves are in simd/block_simd.h. */
#include "kernels/x86/vector_avx512.h"

#include "kernels/kernels.h"

#define PAIR 2
#define TABLE swin2sr__kernels_bf16
#define TABLE_NAME "bf16"
#define PACK_LINEAR swin2sr__pack_linear_bf16
#define PACK_CONV swin2sr__pack_conv_bf16
/* What follows is rounded to bf16, by 2e-3 of itself. 2^x on [-1/2, 1/2]: relative error under 7.5e-5; GELU 2e-5. */
#define EXP2_DEGREE 3
#define EXP2_TERMS \
    { 0.0551713407f, 0.2426111698f, 0.6932610273f, 0.9999280572f }
#define GELU_DEGREE 4
#define GELU_TERMS \
    { 0.00386628875f, -0.0440794142f, -0.468014564f, -1.14737246f, -1.00047959f }
#define v_dot(b, x, acc) _mm512_dpbf16_ps(acc, (__m512bh)(b), (__m512bh)(x))

/* Word 2i from lane i of the lower half, word 2i + 1 from lane i of the upper one. */
static const uint16_t weave[32]
    __attribute__((aligned(64))) = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                    8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};

static inline __attribute__((always_inline)) void v_store_panel(float *p, int32_t n, vf lo, vf hi) {
    __m512i halves = (__m512i)_mm512_cvtne2ps_pbh(hi, lo);
    _mm512_storeu_si512(p + n / 2 * SWIN2SR__LANES, _mm512_permutexvar_epi16(_mm512_load_si512(weave), halves));
}

/* p may be row or lie before it. */
static inline void compact_row(float *p, const float *row) {
    __m512i low = (__m512i)_mm512_cvtne2ps_pbh(v_load(row + VL), v_load(row));
    __m512i high = (__m512i)_mm512_cvtne2ps_pbh(v_load(row + 3 * VL), v_load(row + 2 * VL));
    _mm512_storeu_si512(p, low);
    _mm512_storeu_si512(p + VL, high);
}

#include "kernels/simd/block_simd.h"
