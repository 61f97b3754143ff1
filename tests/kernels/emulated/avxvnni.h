/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/emulated/avxvnni.h - the one instruction of AVX-VNNI by its definition, for processors with AVX2 only. */
#pragma once

#include <immintrin.h>
#include <stdint.h>

#define __AVXVNNI__ 1
#define _mm256_dpbusd_avx_epi32 emulated_dpbusd

typedef int32_t ints_256 __attribute__((vector_size(32)));
typedef int8_t chars_256 __attribute__((vector_size(32)));
typedef uint8_t bytes_256 __attribute__((vector_size(32)));

/* Sums of four products of a byte without sign (of the second operand) and one with (of the third). */
static inline __attribute__((always_inline)) __m256i emulated_dpbusd(__m256i sums, __m256i a, __m256i b) {
    ints_256 result = (ints_256)sums;
    for (int i = 0; i < 32; i++)
        result[i / 4] += ((bytes_256)a)[i] * ((chars_256)b)[i];
    return (__m256i)result;
}
