/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_kernels.c - every kernel of every runnable table against C (in the manner of checkasm).
 * usage: check_kernels [--bench]
 * Inputs are random and extreme, sizes odd, outputs stand between guard zones. Bounds are derived: the reference
 * computes in double the sum of |terms| behind each value, and a variant may be wrong by k * eps of that sum. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "kernels/kernels.h"
#include "emulated/tables.h"

#define T SWIN2SR__LANES
#define EPS 1.1920929e-7
#define GUARD 64
#define GUARD_VALUE 12345.678f

typedef struct result {
    const char *kernel;
    const char *table;
    int checked;
    int failed;
    double worst; /* error over bound */
} result;

static uint32_t random_state = 1;

static float random_float(void) { /* -1..1 */
    random_state = random_state * 1664525u + 1013904223u;
    return (float)(random_state >> 8) / 8388608.0f - 1.0f;
}

static float *new_floats(size_t count) {
    float *memory = aligned_alloc(SWIN2SR__ALIGN, (count * sizeof *memory + 63) / 64 * 64);
    for (size_t i = 0; i < count; i++)
        memory[i] = random_float();
    return memory;
}

/* An output between two guard zones, aligned as the kernels expect. */
static float *new_guarded(size_t count) {
    float *memory = new_floats(count + 2 * GUARD);
    for (size_t i = 0; i < count + 2 * GUARD; i++)
        memory[i] = GUARD_VALUE;
    return memory + GUARD;
}

static bool is_guard_whole(const float *output, size_t count) {
    for (size_t i = 0; i < GUARD; i++) {
        if (output[-1 - (ptrdiff_t)i] != GUARD_VALUE || output[count + i] != GUARD_VALUE)
            return false;
    }
    return true;
}

static void free_guarded(float *output) {
    free(output - GUARD);
}

/* |got - want| <= bound[i] for all; NaN anywhere fails. */
static void judge(result *r, const float *got, const float *want, const double *bound, size_t count) {
    bool is_good = is_guard_whole(got, count);
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)got[i] - (double)want[i]), share = error / bound[i];
        if (!(share <= r->worst))
            r->worst = share;
        is_good = share <= 1.0 && is_good;
    }
    r->checked++;
    r->failed += !is_good;
}

static bool is_bf16(const swin2sr__kernels *table) {
    return table->precision == SWIN2SR_PRECISION_BF16 || table->pair == 2;
}

/* The plain C table that a table's linear layers are checked against. */
static const swin2sr__kernels *linear_oracle(const swin2sr__kernels *table) {
    return table->to_operand ? &swin2sr__kernels_c_int8
           : is_bf16(table)  ? &swin2sr__kernels_c_bf16
                             : &swin2sr__kernels_c;
}

/* And its attention and convolutions. */
static const swin2sr__kernels *panel_oracle(const swin2sr__kernels *table) {
    return is_bf16(table) ? &swin2sr__kernels_c_bf16 : &swin2sr__kernels_c;
}

/* What rounding an intermediate the other way costs, relative: half the spacing of bf16, on both sides; 0 in fp32. */
static double flip_of(const swin2sr__kernels *table) {
    return is_bf16(table) ? 1.0 / 128.0 : 0.0;
}

/* Errors of the vector kernels' 2^x (relative) and GELU (absolute below 1), the C library's own included. */
static double exp_error_of(const swin2sr__kernels *table) {
    return table->precision == SWIN2SR_PRECISION_FP32 ? 4.0 * EPS : 8e-5;
}

static double gelu_error_of(const swin2sr__kernels *table) {
    return table->precision == SWIN2SR_PRECISION_FP32 ? 2.6e-7 : 2e-5;
}

/* Inputs of an int8 table that rounds them to bf16 first: values that do not change by that. */
static void settle(const swin2sr__kernels *table, float *x, int32_t K) {
    for (int32_t i = 0; i < K * T && table->to_operand && is_bf16(table); i++) {
        uint32_t bits = swin2sr__bf16_bits(x[i]) << 16;
        memcpy(&x[i], &bits, sizeof bits);
    }
}

/* x [K][64] as the table's linear layers read it. */
static void put_operand(const swin2sr__kernels *table, float *operand, const float *x, int32_t K) {
    float *panel = new_floats((size_t)(K + 1) * T);
    memcpy(panel, x, (size_t)K * T * sizeof *x);
    if (table->to_panel)
        table->to_panel(panel, x, K);
    if (table->to_operand)
        table->to_operand(operand, panel, K);
    else
        memcpy(operand, panel, (size_t)K * T * sizeof *x);
    free(panel);
}

static float *new_operand(const swin2sr__kernels *table, const float *x, int32_t K) {
    float *operand = new_floats((size_t)(K + 2) * T);
    put_operand(table, operand, x, K);
    return operand;
}

/* A panel of n (even) channels back to floats, in place: words are split from the last one down. */
static void open_panel(const swin2sr__kernels *table, float *panel, int32_t n) {
    for (int32_t k = n / 2 - 1; k >= 0 && table->pair == 2; k--) {
        for (int32_t t = 0; t < T; t++) {
            uint32_t word, low, high;
            memcpy(&word, &panel[k * T + t], sizeof word);
            low = word << 16;
            high = word & 0xffff0000u;
            memcpy(&panel[(2 * k + 1) * T + t], &high, sizeof high);
            memcpy(&panel[2 * k * T + t], &low, sizeof low);
        }
    }
}

typedef struct layer {
    swin2sr__linear packed; /* for the fp32 tables */
    float *weights, *bias, *packed_weights;
    int32_t outputs;
} layer;

/* The layer packed for a table; free the weights. */
static swin2sr__linear pack_for(const swin2sr__kernels *table, const layer *l) {
    float *weights = new_floats((size_t)l->packed.outputs * (size_t)swin2sr__linear_words(table, l->packed.inputs));
    table->pack_linear(weights, l->weights, l->outputs, l->packed.inputs);
    return (swin2sr__linear){weights, l->bias, l->packed.inputs, l->packed.outputs};
}

static layer new_layer(int32_t outputs, int32_t inputs, float scale) {
    int32_t padded = swin2sr__pack_outputs(outputs);
    layer l = {.weights = new_floats((size_t)outputs * (size_t)inputs),
               .bias = new_floats((size_t)padded),
               .outputs = outputs};
    for (int32_t i = 0; i < outputs * inputs; i++)
        l.weights[i] *= scale;
    for (int32_t n = outputs; n < padded; n++)
        l.bias[n] = 0.0f;
    l.packed_weights = new_floats((size_t)padded * (size_t)inputs);
    swin2sr__pack_linear(l.packed_weights, l.weights, outputs, inputs);
    l.packed = (swin2sr__linear){l.packed_weights, l.bias, inputs, padded};
    return l;
}

static void free_layer(layer *l) {
    free(l->weights);
    free(l->bias);
    free(l->packed_weights);
}

/* sum |w||x| + |b| of each output, times k * eps: what reordering a sum of K terms may cost on both sides. */
static void linear_bounds(double *bound, const layer *l, const float *x, int32_t outputs) {
    int32_t K = l->packed.inputs;
    for (int32_t n = 0; n < l->packed.outputs; n++) {
        for (int32_t t = 0; t < T; t++) {
            double sum = n < outputs ? fabs((double)l->bias[n]) : 0.0;
            for (int32_t k = 0; k < K && n < outputs; k++)
                sum += fabs((double)l->weights[n * K + k] * (double)x[k * T + t]);
            bound[n * T + t] = 2.0 * (K + 2) * EPS * 0.5 * sum + 1e-37;
        }
    }
}

static const int32_t shapes[][2] = {{60, 30}, {60, 60}, {180, 90}, {120, 60}, {7, 4}, {1, 8}, {33, 14}, {360, 180}};
#define SHAPES (sizeof shapes / sizeof shapes[0])

static void check_linear(const swin2sr__kernels *table, result *r, int kind) {
    const swin2sr__kernels *oracle = linear_oracle(table);
    for (size_t i = 0; i < SHAPES; i++) {
        int32_t K = shapes[i][0], N = shapes[i][1];
        float scale = i == 2 ? 1e3f : i == 4 ? 1e-3f : 1.0f;
        layer l = new_layer(N, K, scale);
        swin2sr__linear ours = pack_for(table, &l), theirs = pack_for(oracle, &l);
        size_t count = (size_t)l.packed.outputs * T;
        float *x = new_floats((size_t)K * T), *want = new_guarded(count), *got = new_guarded(count);
        settle(table, x, K);
        float *operand = new_operand(table, x, K), *oracle_operand = new_operand(oracle, x, K);
        double *bound = malloc(count * sizeof *bound);
        float *squares_want = new_guarded(T), *squares_got = new_guarded(T);
        linear_bounds(bound, &l, x, N);
        for (size_t j = 0; j < count; j++)
            bound[j] = table->to_operand ? 1e-37                                    /* none: the same bits */
                                         : bound[j] * (1.0 + 3.0 * flip_of(table)); /* as |w||x| after rounding */
        if (kind == 0) {
            oracle->linear(want, oracle_operand, &theirs);
            table->linear(got, operand, &ours);
        } else if (kind == 1) {
            oracle->linear_gelu(want, oracle_operand, &theirs);
            table->linear_gelu(got, operand, &ours);
            open_panel(table, got, l.packed.outputs);
            for (size_t j = 0; j < count; j++) /* the slope of GELU is under 1.13; its own error is absolute below 1 */
                bound[j] = 1.13 * bound[j] + gelu_error_of(table) * fmax(1.0, fabs((double)want[j])) +
                           flip_of(table) * fabs((double)want[j]);
        } else {
            double squares_bound[T];
            oracle->linear_squares(want, squares_want, oracle_operand, &theirs);
            table->linear_squares(got, squares_got, operand, &ours);
            for (int32_t t = 0; t < T; t++) {
                squares_bound[t] = 1e-37;
                for (int32_t n = 0; n < l.packed.outputs; n++) {
                    double y = fabs((double)want[n * T + t]), e = bound[n * T + t];
                    squares_bound[t] += 2.0 * y * e + e * e + (l.packed.outputs + 1) * EPS * y * y;
                }
            }
            judge(r, squares_got, squares_want, squares_bound, T);
        }
        judge(r, got, want, bound, count);
        free_layer(&l);
        free((void *)ours.weights);
        free((void *)theirs.weights);
        free(x);
        free(operand);
        free(oracle_operand);
        free(bound);
        free_guarded(want);
        free_guarded(got);
        free_guarded(squares_want);
        free_guarded(squares_got);
    }
}

static void check_plain(const swin2sr__kernels *table, result *r) {
    check_linear(table, r, 0);
}

static void check_gelu(const swin2sr__kernels *table, result *r) {
    check_linear(table, r, 1);
}

static void check_squares(const swin2sr__kernels *table, result *r) {
    check_linear(table, r, 2);
}

/* Tokens with what a range may be: nothing, next to nothing, everything, no number; ties; and bytes at their ends, whose
 * products with the largest weights are the largest sums. */
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

/* Rounding to 8 bits: operands and results are those of C to the bit, and the results are within half a step of each
 * value and weight of what the numbers themselves give. */
static void check_int8(const swin2sr__kernels *table, result *r) {
    for (size_t i = 0; table->to_operand && i < SHAPES; i++) {
        int32_t K = shapes[i][0], N = shapes[i][1];
        layer l = new_layer(N, K, 1.0f);
        for (int32_t j = 0; j < N * K / 2; j++)
            l.weights[j] = j / K == 1 ? 0.0f : j % 2 ? 1.0f : -1.0f + (float)(j / K % 2) * 2.0f;
        swin2sr__linear packed = pack_for(table, &l);
        size_t count = (size_t)l.packed.outputs * T, rows = (size_t)swin2sr__operand_rows(table, K) * T;
        float *x = new_floats((size_t)K * T), *want = new_guarded(rows), *got = new_guarded(rows);
        float *y_want = new_guarded(count), *y_got = new_guarded(count);
        for (int32_t j = 0; j < K * T; j++)
            x[j] = extreme_value(j / T, j % T, x[j]);
        settle(table, x, K);
        put_operand(&swin2sr__kernels_c_int8, want, x, K);
        put_operand(table, got, x, K);
        swin2sr__kernels_c_int8.linear(y_want, want, &packed);
        table->linear(y_got, got, &packed);
        bool is_good =
            memcmp(got, want, rows * sizeof *got) == 0 && is_guard_whole(got, rows) && is_guard_whole(y_got, count);
        for (int32_t n = 0; n < N; n++) {
            for (int32_t t = 0; t < T; t++) {
                float value = y_got[n * T + t], expected = y_want[n * T + t];
                is_good = is_good && (value == expected || (isnan(value) && isnan(expected) && t == 3));
                if (t == 3 || t == 4)
                    continue;
                double sum = (double)l.bias[n], range = 1e-30, weights = 0.0, bound = 0.0, size = fabs(sum);
                for (int32_t k = 0; k < K; k++) {
                    range = fmax(range, fabs((double)x[k * T + t]));
                    weights = fmax(weights, fabs((double)l.weights[n * K + k]));
                }
                for (int32_t k = 0; k < K; k++) {
                    double a = (double)x[k * T + t], w = (double)l.weights[n * K + k];
                    sum += a * w;
                    size += fabs(a * w);
                    bound += fabs(a) * weights / 128.0 + fabs(w) * range / 254.0 + range * weights / 32512.0;
                }
                bound += 8.0 * EPS * (size + (double)K * range * weights);
                double share = fabs((double)value - sum) / (bound + 1e-37);
                r->worst = fmax(r->worst, share);
                is_good = is_good && share <= 1.0;
            }
        }
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
}

/* A weight 2^l is wrong by the relative error of its logit's absolute error: l is up to scale + 8, in eps. */
static void attention_case(const swin2sr__kernels *table, result *r, int32_t D, float natural_scale,
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

static void check_attention(const swin2sr__kernels *table, result *r) {
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
}

static void check_norms(const swin2sr__kernels *table, result *r) {
    static const int32_t widths[] = {60, 180, 240, 6, 64};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        int32_t C = widths[i];
        size_t count = (size_t)C * T;
        float *x = new_floats(count), *y = new_floats(count), *gamma = new_floats((size_t)C),
              *beta = new_floats((size_t)C);
        float *want = new_guarded(count), *got = new_guarded(count), squares[T];
        double *bound = malloc(count * sizeof *bound);
        for (int32_t t = 0; t < T; t++)
            squares[t] = t == 3 ? 0.0f : t == 4 ? 1e12f : fabsf(random_float()) * (float)C;
        memcpy(want, x, count * sizeof *x);
        memcpy(got, x, count * sizeof *x);
        swin2sr__kernels_c.norm_add(want, y, squares, gamma, beta, C);
        table->norm_add(got, y, squares, gamma, beta, C);
        for (size_t j = 0; j < count; j++) {
            double scale = 1.0 / sqrt((double)squares[j % T] / C + 1e-5),
                   term = fabs((double)y[j] * scale * (double)gamma[j / T]);
            bound[j] = 8.0 * EPS * (term + fabs((double)beta[j / T]) + fabs((double)x[j])) + 1e-37;
        }
        judge(r, got, want, bound, count);
        for (size_t j = 0; j < count; j++)
            want[j] = got[j] = x[j] * 3.0f + (float)(j % T) * 0.1f;
        double range[T] = {0};
        for (size_t j = 0; j < count; j++)
            range[j % T] = fmax(range[j % T], fabs((double)want[j]));
        swin2sr__kernels_c.layer_norm(want, gamma, beta, C);
        table->layer_norm(got, gamma, beta, C);
        for (size_t j = 0; j < count; j++) /* the mean carries C eps of the range; the deviation here is at least 1 */
            bound[j] = EPS * (C + 8.0) * (range[j % T] + 2.0) * (fabs((double)gamma[j / T]) * 2.0 + 1.0);
        judge(r, got, want, bound, count);
        free(x);
        free(y);
        free(gamma);
        free(beta);
        free(bound);
        free_guarded(want);
        free_guarded(got);
    }
}

enum {
    ROW_STRIDE = SWIN2SR__CONV_COLUMNS
};

/* Rows of floats [C][ROW_STRIDE] as conv3x3_panel reads them. */
static void to_words(const swin2sr__kernels *table, float *words, const float *rows, int32_t C) {
    for (int32_t i = 0; i < C * ROW_STRIDE; i++) {
        uint32_t bits = swin2sr__bf16_bits(rows[i]), half = (uint32_t)(i / ROW_STRIDE % 2), word = 0;
        float *to = words + i / ROW_STRIDE / table->pair * ROW_STRIDE + i % ROW_STRIDE;
        if (!is_bf16(table))
            bits = 0, memcpy(&word, &rows[i], sizeof word);
        else if (table->pair == 1)
            word = bits << 16;
        else if (half)
            memcpy(&word, to, sizeof word), word |= bits << 16;
        else
            word = bits;
        memcpy(to, &word, sizeof word);
    }
}

/* What a convolution of one or two inputs reads: rows of floats, column 0 at [16]. */
typedef struct conv_rows {
    float *rows[2][SWIN2SR__CONV_INPUT_ROWS];
    size_t strides[SWIN2SR__CONV_INPUT_ROWS];
    int32_t channels[2];
} conv_rows;

static conv_rows new_conv_rows(int32_t C1, int32_t C2, bool has_zero_stride) {
    conv_rows in = {.channels = {C1, C2}};
    for (int32_t y = 0; y < SWIN2SR__CONV_INPUT_ROWS; y++) {
        in.strides[y] = has_zero_stride && y == 0 ? 0 : ROW_STRIDE;
        for (int32_t i = 0; i < 2; i++) {
            float *row = in.rows[i][y] = new_floats((size_t)(in.channels[i] + 1) * ROW_STRIDE);
            for (int32_t x = 0; x < in.channels[i] * ROW_STRIDE && in.strides[y] == 0; x++)
                row[x] = row[x % ROW_STRIDE]; /* the same channel again and again */
        }
    }
    return in;
}

/* Weight and input of term k = (ky, channel, kx) of an output's sum, row y, lane t. */
static double conv_weight(const layer *l, int32_t n, int32_t k) {
    return (double)l->weights[n * l->packed.inputs + k];
}

static double conv_value(const conv_rows *in, int32_t k, int32_t y, int32_t t) {
    int32_t i = k >= 9 * in->channels[0], at = k - (i ? 9 * in->channels[0] : 0), C = in->channels[i];
    int32_t row = y + at / (3 * C), c = at % (3 * C) / 3;
    return (double)in->rows[i][row][16 + (size_t)c * in->strides[row] + (size_t)(t + at % 3) - 1];
}

/* sum |w||x| of an output. */
static double conv_size(const layer *l, const conv_rows *in, int32_t n, int32_t y, int32_t t) {
    double sum = fabs((double)l->bias[n]);
    for (int32_t k = 0; k < l->packed.inputs; k++)
        sum += fabs(conv_weight(l, n, k) * conv_value(in, k, y, t));
    return sum;
}

/* The same of the products at Winograd's points and back: sum |back| (sum |G||w|) (sum |D||d|), by the definition of
 * polynomials at points 0, a, -a, b, -b and infinity. */
static double winograd_size(const layer *l, const conv_rows *in, int32_t n, int32_t y, int32_t t) {
    const double a = SWIN2SR__WINOGRAD_A, b = SWIN2SR__WINOGRAD_B, points[] = {0.0, a, -a, b, -b};
    double sum = fabs((double)l->bias[n]);
    for (int32_t p = 0; p < SWIN2SR__WINOGRAD_POINTS; p++) {
        bool is_infinite = p == SWIN2SR__WINOGRAD_POINTS - 1;
        double x = is_infinite ? 0.0 : fabs(points[p]), powers[] = {!is_infinite, x, is_infinite ? 1.0 : x * x};
        double back = is_infinite ? y == 3 : pow(x, y), distance = 1.0;
        double others[SWIN2SR__WINOGRAD_POINTS] = {1.0}; /* |coefficients| of the product of (x + |other point|) */
        for (int32_t q = 0, degree = 0; q < SWIN2SR__WINOGRAD_POINTS - 1; q++) {
            if (q == p)
                continue;
            distance *= is_infinite ? 1.0 : fabs(points[p] - points[q]);
            for (int32_t i = ++degree; i >= 0; i--)
                others[i] = (i ? others[i - 1] : 0.0) + fabs(points[q]) * (i < degree ? others[i] : 0.0);
        }
        for (int32_t k = 0; k < l->packed.inputs && back > 0.0; k++) {
            int32_t i = k >= 9 * in->channels[0], first = i ? 9 * in->channels[0] : 0, row = 3 * in->channels[i];
            double weight = 0.0, value = 0.0;
            if (k - first >= row) /* the first of three weights of a column stands for all */
                continue;
            for (int32_t ky = 0; ky < 3; ky++)
                weight += fabs(conv_weight(l, n, k + ky * row)) * powers[ky] / distance;
            for (int32_t d = 0; d < SWIN2SR__CONV_INPUT_ROWS; d++)
                value += fabs(conv_value(in, k, d, t)) * others[d];
            sum += back * weight * value;
        }
    }
    return sum;
}

/* k * eps * the terms of every output; rows that are not asked for may be anything. */
static double *conv_bounds(const swin2sr__kernels *table, bool is_panel, const layer *l, const conv_rows *in,
                           int32_t rows) {
    int32_t K = l->packed.inputs, N = l->packed.outputs;
    double *bound = malloc((size_t)(SWIN2SR__CONV_ROWS * N * T) * sizeof *bound);
    for (int32_t i = 0; i < SWIN2SR__CONV_ROWS * N * T; i++) {
        int32_t y = i / (N * T), n = i / T % N, t = i % T;
        bound[i] = y < rows ? 1e-37 : INFINITY;
        if (y >= rows || n >= l->outputs)
            continue;
        bound[i] += (K + 2) * EPS * conv_size(l, in, n, y, t) * (1.0 + (is_panel ? 3.0 * flip_of(table) : 0.0));
        if (is_panel && table->taps == 3 * SWIN2SR__WINOGRAD_POINTS)
            bound[i] += (K / 3 + 16) * EPS * winograd_size(l, in, n, y, t);
    }
    return bound;
}

/* One table's convolution of the rows. */
static void run_convolution(const swin2sr__kernels *table, bool is_panel, const layer *l, const conv_rows *in,
                            swin2sr__conv conv, float *y) {
    const int32_t count = in->channels[1] ? 2 : 1, channels = in->channels[0] + in->channels[1];
    float *weights = new_floats(18 * (size_t)l->packed.outputs * ((size_t)channels + 2)),
          *words[2][SWIN2SR__CONV_INPUT_ROWS];
    swin2sr__linear linear = {weights, l->bias, 0, l->packed.outputs};
    swin2sr__conv_input inputs[2];
    (is_panel ? table->pack_conv : swin2sr__pack_conv)(weights, l->weights, l->outputs, in->channels, count);
    for (int32_t i = 0; i < 2; i++) {
        inputs[i].channels = is_panel ? (in->channels[i] + table->pair - 1) / table->pair : in->channels[i];
        for (int32_t row = 0; row < SWIN2SR__CONV_INPUT_ROWS; row++) {
            words[i][row] = new_floats((size_t)(in->channels[i] + 1) * ROW_STRIDE);
            if (is_panel)
                to_words(table, words[i][row], in->rows[i][row], in->channels[i]);
            inputs[i].rows[row] = (is_panel ? words[i][row] : in->rows[i][row]) + 16;
            inputs[i].strides[row] = in->strides[row];
        }
    }
    conv.inputs = inputs;
    conv.inputs_count = count;
    conv.linear = &linear;
    conv.scratch = is_panel ? new_floats(swin2sr__conv_scratch(table, channels)) : NULL;
    (is_panel ? table->conv3x3_panel : table->conv3x3)(y, &conv);
    free(conv.scratch);
    free(weights);
    for (int32_t i = 0; i < 2 * SWIN2SR__CONV_INPUT_ROWS; i++)
        free(words[i % 2][i / 2]);
}

static void conv_case(const swin2sr__kernels *table, result *r, bool is_panel, int32_t N, int32_t C1, int32_t C2,
                      int32_t units, float slope) {
    layer l = new_layer(N, 9 * (C1 + C2), 1.0f);
    conv_rows in = new_conv_rows(C1, C2, units == 2);
    size_t outputs = SWIN2SR__CONV_ROWS * (size_t)l.packed.outputs * T;
    swin2sr__conv conv = {.slope = slope, .units = units, .rows = 1 + (units + C1) % SWIN2SR__CONV_ROWS};
    float *want = new_guarded(outputs), *got = new_guarded(outputs);
    double *bound = conv_bounds(table, is_panel, &l, &in, conv.rows);
    run_convolution(is_panel ? panel_oracle(table) : &swin2sr__kernels_c, is_panel, &l, &in, conv, want);
    run_convolution(table, is_panel, &l, &in, conv, got);
    judge(r, got, want, bound, outputs); /* lanes past the units keep the guard value in both */
    for (int32_t i = 0; i < 2 * SWIN2SR__CONV_INPUT_ROWS; i++)
        free(in.rows[i % 2][i / 2]);
    free_layer(&l);
    free(bound);
    free_guarded(want);
    free_guarded(got);
}

static void conv_cases(const swin2sr__kernels *table, result *r, bool is_panel) {
    for (int32_t units = 1; units <= 4; units++) {
        conv_case(table, r, is_panel, 60, 3, 0, units, 1.0f);
        conv_case(table, r, is_panel, 48, 60, 0, units, 1.0f);
        conv_case(table, r, is_panel, 64, 20, 0, units, 0.01f);
        conv_case(table, r, is_panel, 3, 7, 0, units, 1.0f);
        conv_case(table, r, is_panel, 10, 16, 3, units, 0.2f);
    }
}

static void check_conv(const swin2sr__kernels *table, result *r) {
    conv_cases(table, r, false);
}

static void check_conv_panel(const swin2sr__kernels *table, result *r) {
    conv_cases(table, r, true);
}

static void check_bytes(const swin2sr__kernels *table, result *r) {
    static const int32_t shuffles[][2] = {{1, 3}, {2, 1}, {3, 3}, {4, 3}, {8, 3}};
    static const float mean[3] = {0.4488f, 0.4371f, 0.0f};
    for (size_t i = 0; i < sizeof shuffles / sizeof shuffles[0]; i++) {
        int32_t s = shuffles[i][0], channels = shuffles[i][1];
        float *values = new_floats((size_t)(channels * s * s) * T);
        uint8_t want[3 * SWIN2SR__MAX_SHUFFLE * T + 8], got[sizeof want];
        values[3] = NAN;
        values[5] = 1e30f;
        values[6] = -INFINITY;
        for (int32_t count = 1; count <= T * s; count += count < 9 ? 1 : 37) {
            bool is_good = true;
            memset(want, 0xA5, sizeof want);
            memset(got, 0xA5, sizeof got);
            swin2sr__kernels_c.put_bytes(want, values, s, channels, count, 1.5f, mean);
            table->put_bytes(got, values, s, channels, count, 1.5f, mean);
            for (size_t j = 0; j < sizeof want; j++)
                is_good = is_good && abs(got[j] - want[j]) <= ((int32_t)j < count * channels);
            r->checked++;
            r->failed += !is_good;
        }
        free(values);
    }
}

static void check_tiles(const swin2sr__kernels *table, result *r) {
    for (int32_t C = 1; C <= 61; C += 20) {
        size_t count = (size_t)C * T;
        float *tiles[4], *x = new_guarded(count), *back[4];
        for (int32_t s = 0; s < 4; s++) {
            tiles[s] = new_floats((size_t)C * SWIN2SR__UNIT);
            back[s] = new_guarded((size_t)C * SWIN2SR__UNIT);
        }
        table->gather(x, (const float *const *)tiles, C);
        table->scatter(back, x, C);
        bool is_good = is_guard_whole(x, count);
        for (int32_t s = 0; s < 4; s++) {
            is_good = is_good && is_guard_whole(back[s], (size_t)C * SWIN2SR__UNIT) &&
                      memcmp(back[s], tiles[s], (size_t)C * SWIN2SR__UNIT * sizeof(float)) == 0;
            is_good = is_good && x[s * SWIN2SR__UNIT + 3] == tiles[s][3];
            free(tiles[s]);
            free_guarded(back[s]);
        }
        free_guarded(x);
        r->checked++;
        r->failed += !is_good;
    }
}

static const struct {
    const char *name;
    void (*check)(const swin2sr__kernels *table, result *r);
} checks[] = {{"linear", check_plain},           {"linear_gelu", check_gelu},
              {"linear_squares", check_squares}, {"int8", check_int8},
              {"attention", check_attention},    {"norms", check_norms},
              {"conv3x3", check_conv},           {"conv3x3_panel", check_conv_panel},
              {"put_bytes", check_bytes},        {"gather and scatter", check_tiles}};

/* One measurement: what to run and how many multiply-adds that is. */
typedef struct bench_case {
    const swin2sr__kernels *table;
    swin2sr__linear linear, gelu, qkv, conv;
    swin2sr__attention_head head;
    swin2sr__conv_input input;
    float *x, *operand, *y, *scores, *transformed;
    float squares[T];
    int32_t shape; /* of the burst */
} bench_case;

static double run_burst(bench_case *b) {
    return (b->table->fma_burst ? b->table : &swin2sr__kernels_c)->fma_burst(b->shape);
}

static double run_operand(bench_case *b) {
    b->table->to_operand(b->y, b->x, b->linear.inputs);
    return (double)b->linear.inputs * b->linear.outputs * T;
}

static double run_linear(bench_case *b) {
    b->table->linear_squares(b->y, b->squares, b->operand, &b->linear);
    return (double)b->linear.inputs * b->linear.outputs * T;
}

static double run_gelu(bench_case *b) {
    b->table->linear_gelu(b->y, b->operand, &b->gelu);
    return (double)b->gelu.inputs * b->gelu.outputs * T;
}

static double run_head(bench_case *b) {
    b->table->linear(b->y, b->operand, &b->qkv);
    b->table->attention(b->y + 3 * b->head.dim * T, b->y, &b->head, NULL, b->scores);
    return ((double)b->qkv.inputs * b->qkv.outputs + 2.0 * T * b->head.dim) * T;
}

static double run_conv(bench_case *b) {
    swin2sr__conv conv = {
        &b->input, 1, &b->conv, 1.0f, SWIN2SR__CONV_ROWS, T / SWIN2SR__UNIT, b->transformed,
    };
    b->table->conv3x3_panel(b->y, &conv);
    return 9.0 * b->linear.inputs * b->conv.outputs * T * SWIN2SR__CONV_ROWS;
}

/* Multiply-adds a nanosecond of this thread's processor time, best of many. */
static double best_rate(bench_case *b, double (*run)(bench_case *b)) {
    double best = 0.0;
    for (int i = 0; i < 200; i++) {
        struct timespec from, to;
        double macs = 0.0;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        for (int j = 0; j < 4; j++)
            macs += run(b);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        double ns = 1e9 * (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec);
        best = fmax(best, macs / ns);
    }
    return best;
}

/* Each kernel's share of the multiply-add peak at the shapes of one network. */
static void bench(const swin2sr__kernels *table, int32_t C, int32_t D) {
    layer square = new_layer(C, C, 0.05f), wide = new_layer(2 * C, C, 0.05f), triple = new_layer(3 * D, C, 0.05f),
          taps = new_layer(C, 9 * C, 0.05f);
    bench_case b = {.table = table,
                    .linear = pack_for(table, &square),
                    .gelu = pack_for(table, &wide),
                    .qkv = pack_for(table, &triple),
                    .conv = {new_floats((size_t)(C * C) * 18), taps.bias, 0, taps.packed.outputs},
                    .x = new_floats((size_t)C * SWIN2SR__CONV_INPUT_ROWS * ROW_STRIDE),
                    .operand = new_floats((size_t)C * SWIN2SR__CONV_INPUT_ROWS * ROW_STRIDE),
                    .y = new_floats((size_t)(4 * C) * T),
                    .scores = new_floats(T * T),
                    .transformed = new_floats(swin2sr__conv_scratch(table, C))};
    b.head = (swin2sr__attention_head){new_floats(T * T), 14.0f, false, D, T};
    b.input.channels = C / table->pair;
    for (int32_t row = 0; row < SWIN2SR__CONV_INPUT_ROWS; row++) {
        b.input.rows[row] = b.x + 16 + (ptrdiff_t)row * ROW_STRIDE;
        b.input.strides[row] = (size_t)SWIN2SR__CONV_INPUT_ROWS * ROW_STRIDE;
    }
    table->pack_conv((float *)b.conv.weights, taps.weights, C, &C, 1);
    if (table->to_panel)
        memset(b.x, 0x3c,
               (size_t)C * SWIN2SR__CONV_INPUT_ROWS * ROW_STRIDE * sizeof *b.x); /* small numbers of any type */
    memcpy(b.operand, b.x, (size_t)C * SWIN2SR__CONV_INPUT_ROWS * ROW_STRIDE * sizeof *b.x);
    if (table->to_operand)
        table->to_operand(b.operand, b.x, C);
    double burst = 0.0;
    for (b.shape = 0; b.shape < SWIN2SR__BURSTS; b.shape++)
        burst = fmax(burst, best_rate(&b, run_burst));
    double percent = 100.0 / burst;
    printf("%-9s C %3d: burst %.1f GMAC/s; linear %.0f %%, with GELU %.0f %%, head %.0f %%, convolution %.0f %%\n",
           table->name, C, burst, percent * best_rate(&b, run_linear), percent * best_rate(&b, run_gelu),
           percent * best_rate(&b, run_head), percent * best_rate(&b, run_conv));
    if (table->to_operand)
        printf("%-9s C %3d: rounding to 8 bits takes %.0f %% as long as such a linear layer\n", table->name, C,
               100.0 * best_rate(&b, run_linear) / best_rate(&b, run_operand));
    free_layer(&square);
    free_layer(&wide);
    free_layer(&triple);
    free_layer(&taps);
    free((void *)b.linear.weights);
    free((void *)b.gelu.weights);
    free((void *)b.qkv.weights);
    free((void *)b.conv.weights);
    free((void *)b.head.bias);
    free(b.x);
    free(b.operand);
    free(b.y);
    free(b.scores);
    free(b.transformed);
}

/* Every check of a table's precision; counts. */
static void check_table(const swin2sr__kernels *table, const char *name, int *passed, int *failed) {
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        result r = {.kernel = checks[i].name, .table = name};
        random_state = 1;
        checks[i].check(table, &r);
        if (!r.checked) /* not of this precision */
            continue;
        printf("%s %-16s %-18s %3d cases, worst error %.2f of its bound\n", r.failed ? "FAIL" : "ok  ", r.table,
               r.kernel, r.checked, r.worst);
        *passed += !r.failed;
        *failed += !!r.failed;
    }
}

int main(int argc, char **argv) {
    static const char *const names[] = {"c",      "avx2",      "avx512",    "c_bf16",        "bf16",
                                        "c_int8", "avx2_int8", "avxvnni",   "vnni",          "vnni_bf16",
                                        "neon",   "neon_int8", "neon_bf16", "neon_int8_bf16"};
    static const struct {
        const char *name;
        const swin2sr__kernels *table;
    } emulated[] = {
        {"emulated avx512", &swin2sr__emulated_avx512},
        {"emulated vnni", &swin2sr__emulated_vnni},
        {"emulated bf16", &swin2sr__emulated_bf16},
        {"emulated vnni_bf16", &swin2sr__emulated_vnni_bf16},
#if defined(__x86_64__)
        {"emulated avxvnni", &swin2sr__emulated_avxvnni},
#endif
    };
    bool can_emulate = swin2sr__kernels_named("avx2") || swin2sr__kernels_named("neon");
    bool is_bench = argc > 1 && strcmp(argv[1], "--bench") == 0;
    int passed = 0, failed = 0, skipped = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const swin2sr__kernels *table = swin2sr__kernels_named(names[i]);
        if (!table) {
            printf("skip %s: this processor or build does not have it\n", names[i]);
            skipped++;
        } else if (is_bench) {
            bench(table, 180, 30);
            bench(table, 60, 10);
        } else {
            check_table(table, names[i], &passed, &failed);
        }
    }
    for (size_t i = 0; i < sizeof emulated / sizeof emulated[0] && can_emulate && !is_bench; i++)
        check_table(emulated[i].table, emulated[i].name, &passed, &failed);
    printf("kernels: %d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed != 0;
}
