/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_attention.c - attention of one head in one window, with and without regions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* The relative error of a vector kernel's 2^x, the error of the C library's own included. */
static double exp_error_of(const swin2sr__kernels *table) {
    return table->precision == SWIN2SR_PRECISION_FP32 ? 4.0 * EPS : 8e-5;
}

/* The relative error of a weight 2^l is the absolute error of its logit l, which is eps times up to scale + 8. */
static void attention_case(const swin2sr__kernels *table, check_result *r, int32_t D, float natural_scale,
                           const uint8_t *region, int32_t keys) {
    size_t count = (size_t)D * T;
    float *qkv = new_floats(3 * count), *bias = new_floats((size_t)keys * T), *scores = new_guarded((size_t)keys * T);
    float *copy = new_floats(3 * count), *want = new_guarded(count), *got = new_guarded(count);
    double *bound = malloc(count * sizeof *bound);
    for (int32_t i = 0; i < keys * T; i++)
        bias[i] *= 8.0f * SWIN2SR__LOG2E;
    for (int32_t d = 0; d < 3 * D; d++)
        qkv[d * T + 5] *= d < 2 * D ? 1e-20f : 1.0f; /* a token whose norm underflows when squared */
    swin2sr__attention_head head = {.bias = bias,
                                    .scale = natural_scale * SWIN2SR__LOG2E,
                                    .has_max_pass = natural_scale > SWIN2SR__SCALE_WITHOUT_MAX,
                                    .dim = D,
                                    .keys = keys};
    memcpy(copy, qkv, 3 * count * sizeof *qkv);
    panel_oracle(table)->attention(want, copy, &head, region, scores);
    double logit_error = EPS * (natural_scale * 1.4427 * (D + 4) + 24.0), relative;
    logit_error += 2.0 * flip_of(table) * natural_scale * 1.4427; /* sum |q||k| <= 1 */
    relative = 2.0 * (exp2(logit_error) - 1.0 + exp_error_of(table) + keys * EPS) + 4.0 * flip_of(table);
    for (size_t i = 0; i < count; i++)
        bound[i] = relative; /* |v| <= 1 bounds the average of any of them */
    memcpy(copy, qkv, 3 * count * sizeof *qkv);
    table->attention(got, copy, &head, region, scores);
    open_panel(table, got, D);
    judge(r, got, want, bound, count);
    r->failed += !is_guard_whole(scores, (size_t)keys * T);
    free(qkv);
    free(bias);
    free(copy);
    free(bound);
    free_guarded(scores);
    free_guarded(want);
    free_guarded(got);
}

void check_attention(const swin2sr__kernels *table, check_result *r) {
    static const int32_t dims[] = {30, 10, 8, 4, 14, 64};
    static const float scales[] = {1.0f, 10.0f, 53.8f, 60.0f, 61.0f, 100.0f};
    uint8_t halves[T], corners[T], odd[T];
    for (int32_t t = 0; t < T; t++) {
        halves[t] = (uint8_t)(t / 32);
        corners[t] = (uint8_t)(t / 16);
        odd[t] = t < 49 ? (uint8_t)(t % 7 < 3) : 255; /* window 7 with a column edge */
    }
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
        for (size_t j = 0; j < sizeof scales / sizeof scales[0]; j++) {
            attention_case(table, r, dims[i], scales[j], NULL, T);
            attention_case(table, r, dims[i], scales[j], halves, T);
            attention_case(table, r, dims[i], scales[j], corners, T);
            attention_case(table, r, dims[i], scales[j], odd, 50);
        }
    }
    attention_case(table, r, 40, 10.0f, halves, T); /* over 32, and no multiple of it */
    attention_case(table, r, 130, 10.0f, odd, 50);
    attention_case(table, r, 10, 61.0f, NULL, 26); /* windows 5, 4 and 3 */
    attention_case(table, r, 34, 10.0f, NULL, 16);
    attention_case(table, r, 14, 1.0f, NULL, 10);
}
