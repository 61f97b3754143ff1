/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_linear.c - linear layers, alone, with GELU, and with sums of squares. */
#include <math.h>
#include <stdlib.h>

#include "check.h"

typedef enum linear_kind {
    PLAIN,
    GELU,
    SQUARES
} linear_kind;

/* The absolute error of a vector kernel's GELU for values below 1, the error of the C library's own included. */
static double gelu_error_of(const swin2sr__kernels *table) {
    return table->precision == SWIN2SR_PRECISION_FP32 ? 2.6e-7 : 2e-5;
}

/* For each output, sum |w||x| + |b| times k * eps: what reordering a sum of K terms may cost on both sides. */
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

/* For the sum of squares of each token's outputs: the square of a value y that is wrong by e is wrong by up to
 * 2 |y| e + e^2. */
static void squares_bounds(double *squares_bound, const float *want, const double *bound, int32_t outputs) {
    for (int32_t t = 0; t < T; t++) {
        squares_bound[t] = 1e-37;
        for (int32_t n = 0; n < outputs; n++) {
            double y = fabs((double)want[n * T + t]), e = bound[n * T + t];
            squares_bound[t] += 2.0 * y * e + e * e + (outputs + 1) * EPS * y * y;
        }
    }
}

/* Runs the kernel [0] of that kind and its oracle [1], and turns the bounds of the plain sums into those of the results. */
static void run_both(const swin2sr__kernels *table, check_result *r, linear_kind kind, const float *const operands[2],
                     const swin2sr__linear layers[2], float *const squares[2], float *got, float *want, double *bound) {
    const swin2sr__kernels *oracle = linear_oracle(table);
    int32_t outputs = layers[0].outputs;
    if (kind == PLAIN) {
        oracle->linear(want, operands[1], &layers[1]);
        table->linear(got, operands[0], &layers[0]);
    } else if (kind == GELU) {
        oracle->linear_gelu(want, operands[1], &layers[1]);
        table->linear_gelu(got, operands[0], &layers[0]);
        open_panel(table, got, outputs);
        for (int32_t i = 0; i < outputs * T; i++) /* the slope of GELU is under 1.13 */
            bound[i] = 1.13 * bound[i] + gelu_error_of(table) * fmax(1.0, fabs((double)want[i])) +
                       flip_of(table) * fabs((double)want[i]);
    } else {
        double squares_bound[T];
        oracle->linear_squares(want, squares[1], operands[1], &layers[1]);
        table->linear_squares(got, squares[0], operands[0], &layers[0]);
        squares_bounds(squares_bound, want, bound, outputs);
        judge(r, squares[0], squares[1], squares_bound, T);
    }
}

static void linear_case(const swin2sr__kernels *table, check_result *r, linear_kind kind, int32_t K, int32_t N,
                        float scale) {
    layer l = new_layer(N, K, scale);
    swin2sr__linear layers[2] = {pack_for(table, &l), pack_for(linear_oracle(table), &l)};
    size_t count = (size_t)l.packed.outputs * T;
    float *x = new_floats((size_t)K * T), *want = new_guarded(count), *got = new_guarded(count);
    double *bound = malloc(count * sizeof *bound);
    settle(table, x, K);
    float *operand = new_operand(table, x, K), *oracle_operand = new_operand(linear_oracle(table), x, K);
    float *squares[2] = {new_guarded(T), new_guarded(T)};
    linear_bounds(bound, &l, x, N);
    for (size_t i = 0; i < count; i++) /* int8 sums are exact: the bits are equal. bf16: |w||x| grows by rounding */
        bound[i] = table->to_operand ? 1e-37 : bound[i] * (1.0 + 3.0 * flip_of(table));
    run_both(table, r, kind, (const float *const[]){operand, oracle_operand}, layers, squares, got, want, bound);
    judge(r, got, want, bound, count);
    free_layer(&l);
    free((void *)layers[0].weights);
    free((void *)layers[1].weights);
    free(x);
    free(operand);
    free(oracle_operand);
    free(bound);
    free_guarded(want);
    free_guarded(got);
    free_guarded(squares[0]);
    free_guarded(squares[1]);
}

static void linear_cases(const swin2sr__kernels *table, check_result *r, linear_kind kind) {
    static const float scales[LINEAR_SHAPES] = {1.0f, 1.0f, 1e3f, 1.0f, 1e-3f, 1.0f, 1.0f, 1.0f};
    for (size_t i = 0; i < LINEAR_SHAPES; i++)
        linear_case(table, r, kind, linear_shapes[i][0], linear_shapes[i][1], scales[i]);
}

void check_linear(const swin2sr__kernels *table, check_result *r) {
    linear_cases(table, r, PLAIN);
}

void check_linear_gelu(const swin2sr__kernels *table, check_result *r) {
    linear_cases(table, r, GELU);
}

void check_linear_squares(const swin2sr__kernels *table, check_result *r) {
    linear_cases(table, r, SQUARES);
}
