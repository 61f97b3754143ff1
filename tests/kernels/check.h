/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check.h - what the checks of single kernels share: random inputs, guard zones, bounds, packed layers.
 * Every kernel of every table that can run here is compared with the plain C kernel. Inputs are random and extreme, sizes
 * are odd, and outputs stand between guard zones. Bounds are derived: the reference computes in double the sum of
 * |terms| behind each value, and a kernel may be wrong by k * eps of that sum. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

#define T SWIN2SR__LANES
#define EPS 1.1920929e-7

/* What one check found out about one table. */
typedef struct check_result {
    const char *kernel;
    const char *table;
    int checked;
    int failed;
    double worst; /* largest error as a share of its bound */
} check_result;

/* The checks, one file each or a few of one operation. A check that does not apply to a table leaves `checked` at 0. */
void check_linear(const swin2sr__kernels *table, check_result *r);
void check_linear_gelu(const swin2sr__kernels *table, check_result *r);
void check_linear_squares(const swin2sr__kernels *table, check_result *r);
void check_int8(const swin2sr__kernels *table, check_result *r);
void check_attention(const swin2sr__kernels *table, check_result *r);
void check_norms(const swin2sr__kernels *table, check_result *r);
void check_conv(const swin2sr__kernels *table, check_result *r);
void check_conv_panel(const swin2sr__kernels *table, check_result *r);
void check_put_bytes(const swin2sr__kernels *table, check_result *r);
void check_cells(const swin2sr__kernels *table, check_result *r);

/* Prints each kernel's share of the multiply-add peak, at the shapes of a network of C channels and heads of D. */
void check_bench(const swin2sr__kernels *table, int32_t C, int32_t D);

/* Each check starts from the first random number, so that its inputs do not depend on the checks before it. */
void random_restart(void);
float random_float(void); /* -1..1 */

/* Random values, aligned for the kernels; free(). */
float *new_floats(size_t count);
/* An output between two guard zones, aligned for the kernels. */
float *new_guarded(size_t count);
bool is_guard_whole(const float *output, size_t count);
void free_guarded(float *output);

/* Counts one case: it fails unless |got - want| <= bound[i] for all i (NaN fails) and the guard zones are whole. */
void judge(check_result *r, const float *got, const float *want, const double *bound, size_t count);

/* The products are of bf16 values. */
bool is_bf16(const swin2sr__kernels *table);
/* The plain C table that a table's linear layers are compared with, and the one for its attention and convolutions. */
const swin2sr__kernels *linear_oracle(const swin2sr__kernels *table);
const swin2sr__kernels *panel_oracle(const swin2sr__kernels *table);
/* The relative cost of an intermediate value that is rounded the other way: half the spacing of bf16, on both sides; 0
 * in fp32. */
double flip_of(const swin2sr__kernels *table);

/* Inputs of an int8 table that first rounds them to bf16 become values that this rounding does not change. */
void settle(const swin2sr__kernels *table, float *x, int32_t K);
/* x [K][64] in the form that the table's linear layers read. */
void put_operand(const swin2sr__kernels *table, float *operand, const float *x, int32_t K);
float *new_operand(const swin2sr__kernels *table, const float *x, int32_t K);
/* A panel of n (even) channels back to floats, in place. */
void open_panel(const swin2sr__kernels *table, float *panel, int32_t n);

/* A linear layer or a convolution with random weights. */
typedef struct layer {
    swin2sr__linear packed; /* for the fp32 tables */
    float *weights, *bias, *packed_weights;
    int32_t outputs;
} layer;

/* The shapes of linear layers that are checked, inputs and outputs. */
#define LINEAR_SHAPES 8
extern const int32_t linear_shapes[LINEAR_SHAPES][2];

layer new_layer(int32_t outputs, int32_t inputs, float scale);
void free_layer(layer *l);
/* The layer packed for a table; the caller frees the weights. */
swin2sr__linear pack_for(const swin2sr__kernels *table, const layer *l);
