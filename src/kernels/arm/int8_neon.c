/* SPDX-License-Identifier: Apache-2.0
 * kernels/arm/int8_neon.c - int8 linear layers for 64-bit Arm with I8MM (USDOT); attention and convolutions are bf16 if
 * this is compiled for BF16, else fp32. The kernels themselves are in simd/block_simd.h. */
#include "kernels/arm/vector_neon.h"

#ifdef __ARM_FEATURE_BF16_VECTOR_ARITHMETIC
#include "kernels/arm/panel_neonbf16.h"

#define TABLE swin2sr__kernels_neon_int8_bf16
#define TABLE_NAME "neon_int8_bf16"
#else
#include "kernels/simd/panel_fp32.h"

#define TABLE swin2sr__kernels_neon_int8
#define TABLE_NAME "neon_int8"
#endif

#define IS_INT8 1
#define ints(a) vreinterpretq_s32_f32(a)
#define v_from_ints(a) vcvtq_f32_s32(ints(a))
#define v_dot_ints(b, x, acc) \
    vreinterpretq_f32_s32(vusdotq_s32(ints(acc), vreinterpretq_u8_f32(x), vreinterpretq_s8_f32(b)))

static inline __attribute__((always_inline)) vf v_bytes(const vf values[4]) {
    int32x4_t word = vdupq_n_s32(0), low = vdupq_n_s32(0xff);
    for (int32_t i = 3; i >= 0; i--)
        word = vorrq_s32(vshlq_n_s32(word, 8), vandq_s32(vcvtnq_s32_f32(values[i]), low));
    return vreinterpretq_f32_u8(veorq_u8(vreinterpretq_u8_s32(word), vdupq_n_u8(0x80)));
}

#include "kernels/simd/block_simd.h"
