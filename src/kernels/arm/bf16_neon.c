/* SPDX-License-Identifier: Apache-2.0
 * kernels/arm/bf16_neon.c - bf16 products for 64-bit Arm with BF16: BFDOT, whose lanes are pairs as those of x86 are
 * (BFMMLA multiplies blocks of 2x4 by 4x2 and would need a packing of its own). Processors differ in how they round
 * inside it. The kernels themselves are in simd/block_simd.h. */
#include "kernels/arm/vector_neon.h"

#include "kernels/simd/panel_bf16.h"

#define TABLE swin2sr__kernels_neon_bf16
#define TABLE_NAME "neon_bf16"
#define v_dot(b, x, acc) vbfdotq_f32(acc, vreinterpretq_bf16_f32(b), vreinterpretq_bf16_f32(x))

/* The halves of the result are lo's and hi's. */
static inline __attribute__((always_inline)) uint16x8_t round_both(vf lo, vf hi) {
    return vreinterpretq_u16_bf16(vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(lo), hi));
}

static inline __attribute__((always_inline)) void v_store_panel(float *p, int32_t n, vf lo, vf hi) {
    uint16x8_t halves = round_both(lo, hi);
    uint16x8_t pairs = vzip1q_u16(halves, vextq_u16(halves, halves, 4));
    vst1q_f32(p + n / 2 * SWIN2SR__LANES, vreinterpretq_f32_u16(pairs));
}

/* p may be row or lie before it. */
static inline void compact_row(float *p, const float *row) {
    for (int32_t i = 0; i < SWIN2SR__LANES / 2; i += VL, row += 2 * VL)
        vst1q_f32(p + i, vreinterpretq_f32_u16(round_both(v_load(row), v_load(row + VL))));
}

#include "kernels/simd/block_simd.h"
