/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_int8.c - linear layers of values that are rounded to 8 bits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* Tokens whose range is zero, subnormal, huge, infinite or NaN; one with ties; and tokens at the ends of the 8-bit
 * range, whose products with the largest weights give the largest sums. */
static float extreme_value(int32_t k, int32_t t, float x) {
    switch (t) {
    case 0:
        return 0.0f;
    case 1:
        return 1e-42f * x;
    case 2:
        return 1e35f * x;
    case 3:
        return k == 2 ? INFINITY : x;
    case 4:
        return k == 1 ? NAN : x;
    case 5:
        return k == 0 ? 127.0f : (float)(k % 250 - 125) + 0.5f;
    case 6:
        return k % 3 ? -1.0f : 1.0f;
    default:
        return t < 16 ? 1.0f : x * (float)(1 << t % 16);
    }
}

/* Largest |x| of token t, and largest |w| of output n: what their 8-bit scales are made from. */
static double range_of_token(const float *x, int32_t K, int32_t t) {
    double range = 1e-30;
    for (int32_t k = 0; k < K; k++)
        range = fmax(range, fabs((double)x[k * T + t]));
    return range;
}

static double range_of_output(const layer *l, int32_t n) {
    double range = 0.0;
    for (int32_t k = 0; k < l->packed.inputs; k++)
        range = fmax(range, fabs((double)l->weights[n * l->packed.inputs + k]));
    return range;
}

/* The error of one output as a share of its bound: half a step of each value and of each weight. */
static double share_of_bound(const layer *l, const float *x, int32_t n, int32_t t, float got) {
    int32_t K = l->packed.inputs;
    double range = range_of_token(x, K, t), weights = range_of_output(l, n);
    double sum = (double)l->bias[n], size = fabs(sum), bound = 0.0;
    for (int32_t k = 0; k < K; k++) {
        double a = (double)x[k * T + t], w = (double)l->weights[n * K + k];
        sum += a * w;
        size += fabs(a * w);
        bound += fabs(a) * weights / 128.0 + fabs(w) * range / 254.0 + range * weights / 32512.0;
    }
    bound += 8.0 * EPS * (size + (double)K * range * weights);
    return fabs((double)got - sum) / (bound + 1e-37);
}

/* Results equal those of C, and are near the exact sums; tokens 3 and 4 are infinite and NaN. */
static bool are_outputs_good(const layer *l, const float *x, const float *got, const float *want, double *worst) {
    bool is_good = true;
    for (int32_t i = 0; i < l->outputs * T; i++) {
        int32_t n = i / T, t = i % T;
        is_good = is_good && (got[i] == want[i] || (isnan(got[i]) && isnan(want[i]) && t == 3));
        if (t == 3 || t == 4)
            continue;
        double share = share_of_bound(l, x, n, t, got[i]);
        *worst = fmax(*worst, share);
        is_good = is_good && share <= 1.0;
    }
    return is_good;
}

static void int8_case(const swin2sr__kernels *table, check_result *r, int32_t K, int32_t N) {
    layer l = new_layer(N, K, 1.0f);
    for (int32_t i = 0; i < N * K / 2; i++)
        l.weights[i] = i / K == 1 ? 0.0f : i % 2 ? 1.0f : -1.0f + (float)(i / K % 2) * 2.0f;
    swin2sr__linear packed = pack_for(table, &l);
    size_t count = (size_t)l.packed.outputs * T, rows = (size_t)swin2sr__operand_rows(table, K) * T;
    float *x = new_floats((size_t)K * T), *want = new_guarded(rows), *got = new_guarded(rows);
    float *y_want = new_guarded(count), *y_got = new_guarded(count);
    for (int32_t i = 0; i < K * T; i++)
        x[i] = extreme_value(i / T, i % T, x[i]);
    settle(table, x, K);
    put_operand(&swin2sr__kernels_c_int8, want, x, K);
    put_operand(table, got, x, K);
    swin2sr__kernels_c_int8.linear(y_want, want, &packed);
    table->linear(y_got, got, &packed);
    bool is_good = memcmp(got, want, rows * sizeof *got) == 0 && is_guard_whole(got, rows) &&
                   is_guard_whole(y_got, count) && are_outputs_good(&l, x, y_got, y_want, &r->worst);
    r->checked++;
    r->failed += !is_good;
    free_layer(&l);
    free((void *)packed.weights);
    free(x);
    free_guarded(want);
    free_guarded(got);
    free_guarded(y_want);
    free_guarded(y_got);
}

/* 8-bit operands and results equal those of C in every bit. */
void check_int8(const swin2sr__kernels *table, check_result *r) {
    for (size_t i = 0; table->to_operand && i < LINEAR_SHAPES; i++)
        int8_case(table, r, linear_shapes[i][0], linear_shapes[i][1]);
}
