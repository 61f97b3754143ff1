/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/emulated/immintrin.h - in the place of the compiler's header: the AVX-512, AVX512-VNNI and AVX512-BF16
 * instructions that src/kernels/x86/ uses, by their definitions, in plain C. So the sources of these levels are proven
 * on every machine, under the sanitizers too; left to processors that have them are the instructions themselves. */
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#define HERE static __attribute__((noinline, unused)) /* or the sanitizers' build takes minutes */
#define V_CONSTRAINT "m"                              /* no register holds 64 bytes */

typedef float __m512 __attribute__((vector_size(64)));
typedef long long __m512i __attribute__((vector_size(64)));
typedef uint16_t __m512bh __attribute__((vector_size(64)));
typedef long long __m128i __attribute__((vector_size(16)));
typedef uint16_t __mmask16;

typedef int32_t ints_512 __attribute__((vector_size(64)));
typedef uint32_t words_512 __attribute__((vector_size(64)));
typedef int8_t chars_512 __attribute__((vector_size(64)));
typedef uint8_t bytes_512 __attribute__((vector_size(64)));
typedef uint8_t bytes_128 __attribute__((vector_size(16)));

#define EACH(type, count, value)      \
    type result;                      \
    for (int i = 0; i < (count); i++) \
        result[i] = (value);          \
    return result
#define EACH_FLOAT(value) EACH(__m512, 16, value)

typedef float anywhere_512 __attribute__((vector_size(64), aligned(1), may_alias));
typedef long long anywhere_128 __attribute__((vector_size(16), aligned(1), may_alias));

#define _mm512_loadu_ps(p) ((__m512) * (const anywhere_512 *)(p))
#define _mm512_storeu_ps(p, a) (*(anywhere_512 *)(p) = (anywhere_512)(a))
#define _mm512_load_si512(p) ((__m512i)_mm512_loadu_ps(p))
#define _mm512_storeu_si512(p, a) _mm512_storeu_ps(p, a)
#define _mm_loadu_si128(p) ((__m128i) * (const anywhere_128 *)(p))
#define _mm_storeu_si128(p, a) (*(anywhere_128 *)(p) = (anywhere_128)(a))

#define _mm512_set1_ps(s) ((s) - (__m512){0})
#define _mm512_set1_epi32(s) ((__m512i)((s) - (ints_512){0}))
#define _mm512_set1_epi8(s) ((__m512i)((s) - (chars_512){0}))
#define _mm512_setzero_si512() ((__m512i){0})
#define _mm_set1_epi8(s) ((__m128i)((uint8_t)(s) - (bytes_128){0}))
#define _mm512_castps_si512(a) ((__m512i)(a))
#define _mm512_castsi512_ps(a) ((__m512)(a))

#define _mm512_add_ps(a, b) ((a) + (b))
#define _mm512_sub_ps(a, b) ((a) - (b))
#define _mm512_mul_ps(a, b) ((a) * (b))
#define _mm512_div_ps(a, b) ((a) / (b))
#define _mm512_and_si512(a, b) ((a) & (b))
#define _mm512_or_si512(a, b) ((a) | (b))
#define _mm512_xor_si512(a, b) ((a) ^ (b))
#define _mm512_slli_epi32(a, n) ((__m512i)((words_512)(a) << (n)))

HERE __m512 _mm512_fmadd_ps(__m512 a, __m512 b, __m512 c) {
    EACH_FLOAT(fmaf(a[i], b[i], c[i]));
}

HERE __m512 _mm512_fnmadd_ps(__m512 a, __m512 b, __m512 c) {
    EACH_FLOAT(fmaf(-a[i], b[i], c[i]));
}

HERE __m512 _mm512_sqrt_ps(__m512 a) {
    EACH_FLOAT(sqrtf(a[i]));
}

HERE __m512 _mm512_abs_ps(__m512 a) {
    EACH_FLOAT(fabsf(a[i]));
}

/* The second one where either is not a number. */
HERE __m512 _mm512_max_ps(__m512 a, __m512 b) {
    EACH_FLOAT(a[i] > b[i] ? a[i] : b[i]);
}

HERE __m512 _mm512_min_ps(__m512 a, __m512 b) {
    EACH_FLOAT(a[i] < b[i] ? a[i] : b[i]);
}

#define _MM_FROUND_TO_NEAREST_INT 0
#define _MM_FROUND_NO_EXC 8

/* Only to the nearest, without fraction bits. */
HERE __m512 _mm512_roundscale_ps(__m512 a, int rule) {
    (void)rule;
    EACH_FLOAT(rintf(a[i]));
}

/* a 2^floor(n) */
HERE __m512 _mm512_scalef_ps(__m512 a, __m512 n) {
    EACH_FLOAT(ldexpf(a[i], (int)fmaxf(fminf(floorf(n[i]), 1000.0f), -1000.0f)));
}

/* What is no number or too large becomes the smallest one. */
HERE int32_t to_int(float whole) {
    return whole >= -0x1p31f && whole < 0x1p31f ? (int32_t)whole : INT32_MIN;
}

HERE __m512i _mm512_cvtps_epi32(__m512 a) {
    ints_512 result;
    for (int i = 0; i < 16; i++)
        result[i] = to_int(rintf(a[i]));
    return (__m512i)result;
}

HERE __m512i _mm512_cvttps_epi32(__m512 a) {
    ints_512 result;
    for (int i = 0; i < 16; i++)
        result[i] = to_int(a[i]);
    return (__m512i)result;
}

HERE __m512 _mm512_cvtepi32_ps(__m512i a) {
    EACH_FLOAT((float)((ints_512)a)[i]);
}

/* Without sign, the largest byte where it does not fit. */
HERE __m128i _mm512_cvtusepi32_epi8(__m512i a) {
    bytes_128 result;
    for (int i = 0; i < 16; i++)
        result[i] = (uint8_t)(((words_512)a)[i] < UINT8_MAX ? ((words_512)a)[i] : UINT8_MAX);
    return (__m128i)result;
}

HERE __mmask16 _mm_cmpeq_epi8_mask(__m128i a, __m128i b) {
    unsigned mask = 0;
    for (int i = 0; i < 16; i++)
        mask |= (unsigned)(((bytes_128)a)[i] == ((bytes_128)b)[i]) << i;
    return (__mmask16)mask;
}

HERE __m512 _mm512_maskz_mov_ps(__mmask16 mask, __m512 a) {
    EACH_FLOAT(mask >> i & 1 ? a[i] : 0.0f);
}

HERE __m512i _mm512_permutexvar_epi16(__m512i index, __m512i a) {
    __m512bh result;
    for (int i = 0; i < 32; i++)
        result[i] = ((__m512bh)a)[((__m512bh)index)[i] & 31];
    return (__m512i)result;
}

/* Floats 0 to 15 are those of a, 16 to 31 those of b. */
HERE __m512 _mm512_permutex2var_ps(__m512 a, __m512i index, __m512 b) {
    EACH_FLOAT(((ints_512)index)[i] & 16 ? b[((ints_512)index)[i] & 15] : a[((ints_512)index)[i] & 15]);
}

/* Sums of four products of a byte without sign (of the second operand) and one with (of the third). */
HERE __m512i _mm512_dpbusd_epi32(__m512i sums, __m512i a, __m512i b) {
    ints_512 result = (ints_512)sums;
    for (int i = 0; i < 64; i++)
        result[i / 4] += ((bytes_512)a)[i] * ((chars_512)b)[i];
    return (__m512i)result;
}

/* To the nearest, ties to even; what is below the smallest normal number is 0. */
HERE uint16_t to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return (uint16_t)(bits >> 16 | 0x40);
    if (fabsf(value) < 0x1p-126f)
        return (uint16_t)(bits >> 16 & 0x8000);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

HERE float from_bf16(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The first operand is the upper half of the result. */
HERE __m512bh _mm512_cvtne2ps_pbh(__m512 upper, __m512 lower) {
    EACH(__m512bh, 32, to_bf16(i < 16 ? lower[i % 16] : upper[i % 16]));
}

HERE __m512 _mm512_dpbf16_ps(__m512 sums, __m512bh a, __m512bh b) {
    EACH_FLOAT(fmaf(from_bf16(a[2 * i]), from_bf16(b[2 * i]),
                    fmaf(from_bf16(a[2 * i + 1]), from_bf16(b[2 * i + 1]), sums[i])));
}
