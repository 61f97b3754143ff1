/* SPDX-License-Identifier: Apache-2.0
 * model/fold_block.c - the weights of one block: attention, projection, MLP, norms. */
#include <math.h>
#include <string.h>

#include "model/fold_read.h"

#define CPB_HIDDEN 512 /* of the position-bias MLP, in every published network */
#define POSITIONS 16   /* computed at once, in whole vectors: a window of 8 has 15 relative positions a side */

static void set_block_prefix(swin2sr__folds *folds, int32_t group, int32_t block) {
    swin2sr__fold_prefix(folds, "layers.%d.residual_group.blocks.%d.", group, block);
}

/* Signed logarithm of a relative coordinate, as in the paper: sign(r) log2(|r| + 1) / 3 for r = 8 d / (ws - 1). */
static float log_coordinate(int32_t distance, int32_t ws) {
    float r = 8.0f * (float)distance / (float)(ws - 1);
    return copysignf(log2f(fabsf(r) + 1.0f) / 3.0f, r);
}

/* The position-bias MLP at up to POSITIONS relative positions of one row, from dx = first on; dy and dx count from 0. The
 * sums are independent of each other, each in the order of the hidden layer. */
static void position_row(double *values, const float *w0, const float *b0, const float *w2, int32_t heads, int32_t ws,
                         int32_t dy, int32_t first) {
    int32_t side = 2 * ws - 1;
    float hidden[CPB_HIDDEN][POSITIONS], x[POSITIONS] = {0}, y = log_coordinate(dy - ws + 1, ws);
    for (int32_t i = 0; i < POSITIONS && first + i < side; i++)
        x[i] = log_coordinate(first + i - ws + 1, ws);
    for (int32_t k = 0; k < CPB_HIDDEN; k++) {
        for (int32_t i = 0; i < POSITIONS; i++) {
            float sum = w0[2 * k] * y + w0[2 * k + 1] * x[i] + b0[k];
            hidden[k][i] = sum > 0.0f ? sum : 0.0f;
        }
    }
    for (int32_t a = 0; a < heads; a++) {
        double sums[POSITIONS] = {0};
        for (int32_t k = 0; k < CPB_HIDDEN; k++)
            for (int32_t i = 0; i < POSITIONS; i++)
                sums[i] += (double)(w2[a * CPB_HIDDEN + k] * hidden[k][i]);
        for (int32_t i = 0; i < POSITIONS && first + i < side; i++)
            values[(a * side + dy) * side + first + i] = 16.0 / (1.0 + exp(-sums[i]));
    }
}

static const double *fold_positions(swin2sr__folds *folds) {
    const swin2sr__config *config = &folds->network->config;
    int32_t side = 2 * config->window_px - 1;
    const float *w0 = swin2sr__fold_tensor(folds, "attn.cpb_mlp.0.weight", 2, (int64_t[]){CPB_HIDDEN, 2});
    const float *b0 = swin2sr__fold_tensor(folds, "attn.cpb_mlp.0.bias", 1, (int64_t[]){CPB_HIDDEN});
    const float *w2 = swin2sr__fold_tensor(folds, "attn.cpb_mlp.2.weight", 2, (int64_t[]){config->heads, CPB_HIDDEN});
    double *values = swin2sr__fold_scratch(folds, (size_t)(config->heads * side * side), sizeof *values);
    for (int32_t dy = 0; values && dy < side; dy++) {
        for (int32_t first = 0; first < side; first += POSITIONS)
            position_row(values, w0, b0, w2, config->heads, config->window_px, dy, first);
    }
    return values;
}

/* q, k and v of one head lie together. In the file all q come first, and k has no bias; that of v goes elsewhere. */
static swin2sr__layer fold_qkv(swin2sr__folds *folds) {
    int32_t C = folds->network->config.dim, A = folds->network->config.heads, D = C / A;
    size_t part_floats = (size_t)D * (size_t)C;
    const float *file = swin2sr__fold_tensor(folds, "attn.qkv.weight", 2, (int64_t[]){3 * C, C});
    const float *q_bias = swin2sr__fold_tensor(folds, "attn.q_bias", 1, (int64_t[]){C});
    swin2sr__layer qkv = {.outputs = 3 * C, .planes = 1, .channels = {C}};
    qkv.weights = swin2sr__fold_scratch(folds, 3 * (size_t)C * (size_t)C, sizeof *qkv.weights);
    qkv.bias = swin2sr__fold_scratch(folds, 3 * (size_t)C, sizeof *qkv.bias);
    for (int32_t a = 0; qkv.bias && a < A; a++) {
        for (int32_t part = 0; part < 3; part++)
            memcpy(qkv.weights + (size_t)(a * 3 + part) * part_floats, file + (size_t)(part * A + a) * part_floats,
                   part_floats * sizeof *file);
        memcpy(qkv.bias + a * 3 * D, q_bias + a * D, (size_t)D * sizeof *q_bias);
    }
    return qkv;
}

swin2sr__attention swin2sr__fold_attention(swin2sr__folds *folds, int32_t group, int32_t block) {
    int32_t A = folds->network->config.heads;
    set_block_prefix(folds, group, block);
    swin2sr__attention attention = {.qkv = fold_qkv(folds), .position = fold_positions(folds)};
    float *scale = swin2sr__fold_tensor(folds, "attn.logit_scale", 3, (int64_t[]){A, 1, 1});
    for (int32_t a = 0; scale && a < A; a++)
        scale[a] = expf(fminf(scale[a], logf(100.0f)));
    attention.scale = scale;
    return attention;
}

/* Subtract the mean over outputs, so that the LayerNorm after this layer finds a mean of zero. */
static void centre_outputs(swin2sr__layer *layer) {
    int32_t N = layer->outputs, K = layer->channels[0];
    for (int32_t k = 0; k <= K; k++) {
        float *first = k < K ? layer->weights + k : layer->bias;
        size_t stride = k < K ? (size_t)K : 1;
        double mean = 0.0;
        for (int32_t n = 0; n < N; n++)
            mean += first[(size_t)n * stride];
        mean /= N;
        for (int32_t n = 0; n < N; n++)
            first[(size_t)n * stride] -= (float)mean;
    }
}

/* The projection takes the v bias along: a softmax row sums to 1. */
static swin2sr__layer fold_projection(swin2sr__folds *folds) {
    int32_t C = folds->network->config.dim;
    swin2sr__layer layer = swin2sr__fold_linear(folds, "attn.proj", C, C);
    const float *v_bias = swin2sr__fold_tensor(folds, "attn.v_bias", 1, (int64_t[]){C});
    float *carried = swin2sr__fold_scratch(folds, (size_t)C, sizeof *carried);
    if (carried) {
        swin2sr__fold_multiply(carried, layer.weights, v_bias, C, C, 1);
        for (int32_t n = 0; n < C; n++)
            layer.bias[n] += carried[n];
    }
    return layer;
}

swin2sr__layer swin2sr__fold_block_linear(swin2sr__folds *folds, int32_t group, int32_t block, int index) {
    int32_t C = folds->network->config.dim, hidden = folds->network->config.hidden;
    set_block_prefix(folds, group, block);
    if (index == 1)
        return swin2sr__fold_linear(folds, "mlp.fc1", hidden, C);
    swin2sr__layer layer = index == 0 ? fold_projection(folds) : swin2sr__fold_linear(folds, "mlp.fc2", C, hidden);
    if (layer.weights && layer.bias)
        centre_outputs(&layer);
    return layer;
}

swin2sr__norm swin2sr__fold_block_norm(swin2sr__folds *folds, int32_t group, int32_t block, int index) {
    set_block_prefix(folds, group, block);
    return swin2sr__fold_norm(folds, index == 1 ? "norm1" : "norm2");
}
