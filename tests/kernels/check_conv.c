/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_conv.c - 3x3 convolutions of floats and of panels, plain and by Winograd. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

enum {
    ROW_STRIDE = SWIN2SR__CONV_COLUMNS
};

/* Rows of floats [C][ROW_STRIDE] to the words that conv3x3_panel reads. */
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
                row[x] = row[x % ROW_STRIDE]; /* the stride is 0: every channel is the first one */
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

/* The size of an output by Winograd, the products at its points and the way back: sum |back| (sum |G||w|) (sum |D||d|),
 * by the definition of polynomials at points 0, a, -a, b, -b and infinity. */
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

/* k * eps * the terms of every output. Rows beyond `rows` are undefined. */
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

/* Convolves the rows by one table. */
static void run_convolution(const swin2sr__kernels *table, bool is_panel, const layer *l, const conv_rows *in,
                            swin2sr__conv conv, float *y) {
    const int32_t count = in->channels[1] ? 2 : 1, channels = in->channels[0] + in->channels[1];
    size_t pixel_floats = (size_t)l->packed.outputs * (size_t)l->packed.inputs;
    float *weights = new_floats(is_panel ? swin2sr__conv_floats(table, l->outputs, in->channels, count) : pixel_floats),
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

static void conv_case(const swin2sr__kernels *table, check_result *r, bool is_panel, int32_t N, int32_t C1, int32_t C2,
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

static void conv_cases(const swin2sr__kernels *table, check_result *r, bool is_panel) {
    for (int32_t units = 1; units <= 4; units++) {
        conv_case(table, r, is_panel, 60, 3, 0, units, 1.0f);
        conv_case(table, r, is_panel, 48, 60, 0, units, 1.0f);
        conv_case(table, r, is_panel, 64, 20, 0, units, 0.01f);
        conv_case(table, r, is_panel, 3, 7, 0, units, 1.0f);
        conv_case(table, r, is_panel, 10, 16, 3, units, 0.2f);
        conv_case(table, r, is_panel, 18, 33, 31, units, 0.2f);
    }
}

void check_conv(const swin2sr__kernels *table, check_result *r) {
    conv_cases(table, r, false);
}

void check_conv_panel(const swin2sr__kernels *table, check_result *r) {
    conv_cases(table, r, true);
}
