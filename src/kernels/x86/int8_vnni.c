/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/int8_vnni.c - int8 linear layers with AVX512-VNNI; attention and convolutions are bf16 if this is
 * compiled for AVX512-BF16, else fp32. The kernels themselves are in simd/block_simd.h. */
#include "kernels/x86/vector_avx512.h"

#ifdef __AVX512BF16__
#include "kernels/x86/panel_avx512bf16.h"

#define TABLE swin2sr__kernels_vnni_bf16
#define TABLE_NAME "vnni_bf16"
#else
#include "kernels/simd/panel_fp32.h"

#define TABLE swin2sr__kernels_vnni
#define TABLE_NAME "vnni"
#endif

#define IS_INT8 1
#define ints(a) _mm512_castps_si512(a)
#define v_from_ints(a) _mm512_cvtepi32_ps(ints(a))
#define v_dot_ints(b, x, acc) _mm512_castsi512_ps(_mm512_dpbusd_epi32(ints(acc), ints(x), ints(b)))

static inline __attribute__((always_inline)) vf v_bytes(const vf values[4]) {
    __m512i word = _mm512_setzero_si512(), low = _mm512_set1_epi32(0xff);
    for (int32_t i = 3; i >= 0; i--)
        word = _mm512_or_si512(_mm512_slli_epi32(word, 8), _mm512_and_si512(_mm512_cvtps_epi32(values[i]), low));
    return _mm512_castsi512_ps(_mm512_xor_si512(word, _mm512_set1_epi8((char)0x80)));
}

#include "kernels/simd/block_simd.h"
