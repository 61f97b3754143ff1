/* SPDX-License-Identifier: Apache-2.0
 * kernels/arm/vector_neon.h - the vector operations of 64-bit Arm: 16 lanes x 6 outputs in 24 of 32 registers. */
#pragma once

#include <arm_neon.h>
#include <stdint.h>

typedef float32x4_t vf;
#define VL 4
#define MAIN 4
#define V_CONSTRAINT "w"

#define v_load(p) vld1q_f32(p)
#define v_store(p, a) vst1q_f32(p, a)
#define v_set(s) vdupq_n_f32(s)
#define v_bcast(p) vld1q_dup_f32(p)
#define v_fma(a, b, c) vfmaq_f32(c, a, b)
#define v_fnma(a, b, c) vfmsq_f32(c, a, b)
#define v_add(a, b) vaddq_f32(a, b)
#define v_sub(a, b) vsubq_f32(a, b)
#define v_mul(a, b) vmulq_f32(a, b)
#define v_div(a, b) vdivq_f32(a, b)
#define v_sqrt(a) vsqrtq_f32(a)
#define v_max(a, b) vmaxnmq_f32(a, b) /* b if a is NaN */
#define v_min(a, b) vminnmq_f32(a, b)
#define v_abs(a) vabsq_f32(a)

/* a * 2^whole, by adding to the exponent. */
static inline __attribute__((always_inline)) vf v_scale(vf a, vf whole) {
    int32x4_t exponent = vshlq_n_s32(vreinterpretq_s32_f32(whole), 23);
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(a), exponent));
}

static inline __attribute__((always_inline)) void v_store_bytes(uint8_t *p, vf value) {
    uint16x4_t words = vmovn_u32(vcvtq_u32_f32(value));
    vst1_lane_u32((uint32_t *)(void *)p, vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
}

static inline __attribute__((always_inline)) vf v_keep(vf value, const uint8_t *region, int32_t t, int32_t key) {
    const uint32_t lanes[4] = {region[t], region[t + 1], region[t + 2], region[t + 3]};
    uint32x4_t is_seen = vceqq_u32(vld1q_u32(lanes), vdupq_n_u32(region[key]));
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(value), is_seen));
}
