/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_bench.c - how fast each kernel is, as a share of the multiply-add peak. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

enum {
    ROW_STRIDE = SWIN2SR__CONV_COLUMNS
};

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

/* Multiply-adds per nanosecond of this thread's processor time, the best of many runs. */
static double best_rate(bench_case *b, double (*run)(bench_case *b)) {
    double best = 0.0;
    for (int i = 0; i < 50; i++) {
        struct timespec from, to;
        double macs = 0.0;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        while (macs < 2e7) /* reading the clock takes a microsecond or two */
            macs += run(b);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        double ns = 1e9 * (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec);
        best = fmax(best, macs / ns);
    }
    return best;
}

void check_bench(const swin2sr__kernels *table, int32_t C, int32_t D) {
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
