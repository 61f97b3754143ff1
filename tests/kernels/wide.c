/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/wide.c - the vector kernels at AVX-512's width in plain C: a vector is 16 floats of gcc's own. So the 64
 * lanes by six of simd/, and its tiles of 16 lanes, are proven on every machine, under the sanitizers too; what is left
 * to processors that have AVX-512 are the instructions. */
#include "wide.h"

#include <math.h>
#include <stdint.h>

typedef float vf __attribute__((vector_size(64)));
typedef float anywhere __attribute__((vector_size(64), aligned(4), may_alias));
#define VL 16
#define MAIN 4
#define V_CONSTRAINT "m"
#define TABLE swin2sr__kernels_wide
#define TABLE_NAME "wide"

#define HERE static inline __attribute__((always_inline))
#define EACH(value)                 \
    vf result;                      \
    for (int i = 0; i < VL; i++)    \
        result[i] = (float)(value); \
    return result

#define v_load(p) ((vf) * (const anywhere *)(p))
#define v_store(p, a) (*(anywhere *)(p) = (anywhere)(a))
#define v_set(s) ((s) - (vf){0})
#define v_bcast(p) v_set(*(p))
#define v_fma(a, b, c) ((a) * (b) + (c))
#define v_fnma(a, b, c) ((c) - (a) * (b))
#define v_add(a, b) ((a) + (b))
#define v_sub(a, b) ((a) - (b))
#define v_mul(a, b) ((a) * (b))
#define v_div(a, b) ((a) / (b))

HERE vf v_sqrt(vf a) {
    EACH(sqrtf(a[i]));
}

HERE vf v_max(vf a, vf b) { /* b where a is not a number */
    EACH(a[i] > b[i] ? a[i] : b[i]);
}

HERE vf v_min(vf a, vf b) {
    EACH(a[i] < b[i] ? a[i] : b[i]);
}

HERE vf v_abs(vf a) {
    EACH(fabsf(a[i]));
}

HERE vf v_round(vf a) {
    EACH(rintf(a[i]));
}

/* a 2^n; n below -126 counts as -126. */
HERE vf v_scale(vf a, vf n) {
    EACH(ldexpf(a[i], n[i] > -126.0f ? (int)n[i] : -126));
}

HERE vf v_keep(vf value, const uint8_t *region, int32_t t, int32_t key) {
    EACH(region[t + i] == region[key] ? value[i] : 0.0f);
}

HERE void v_store_bytes(uint8_t *p, vf value) {
    for (int i = 0; i < VL; i++)
        p[i] = (uint8_t)value[i];
}

#include "kernels/simd/panel_fp32.h"

#include "kernels/simd/block_simd.h"
