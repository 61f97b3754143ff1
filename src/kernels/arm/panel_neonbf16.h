/* SPDX-License-Identifier: Apache-2.0
 * kernels/arm/panel_neonbf16.h - panels of bf16 and their products with BFDOT, whose lanes are pairs as on x86 (BFMMLA
 * multiplies blocks of 2x4 by 4x2 and would need its own packing). Processors differ in how they round inside it.
 * Included after the vector's header. */
#pragma once

#include "kernels/simd/panel_bf16.h"

#define v_dot(b, x, acc) vbfdotq_f32(acc, vreinterpretq_bf16_f32(b), vreinterpretq_bf16_f32(x))
#define v_low_half(word) vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(word), 16))
#define v_high_half(word) vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(word), vdupq_n_u32(0xffff0000)))

/* The lower half of the result comes from lo, the upper one from hi. */
static inline __attribute__((always_inline)) uint16x8_t round_both(vf lo, vf hi) {
    return vreinterpretq_u16_bf16(vcvtq_high_bf16_f32(vcvtq_low_bf16_f32(lo), hi));
}

static inline __attribute__((always_inline)) void v_store_panel(float *p, int32_t n, vf lo, vf hi) {
    uint16x8_t halves = round_both(lo, hi);
    uint16x8_t pairs = vzip1q_u16(halves, vextq_u16(halves, halves, 4));
    vst1q_f32(p + n / 2 * SWIN2SR__LANES, vreinterpretq_f32_u16(pairs));
}

/* p may be equal to row, or before it. */
static inline void compact_row(float *p, const float *row) {
    for (int32_t i = 0; i < SWIN2SR__LANES / 2; i += VL, row += 2 * VL)
        vst1q_f32(p + i, vreinterpretq_f32_u16(round_both(v_load(row), v_load(row + VL))));
}
