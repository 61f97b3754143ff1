/* SPDX-License-Identifier: Apache-2.0
 * model/fold.c - the weights of each layer: read, folded, in memory that lasts until the next fold. */
#include "model/fold.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define CPB_HIDDEN 512 /* of the position-bias MLP, in every published network */
#define POSITIONS 16   /* computed together, in whole vectors; a window of 8 has 15 relative positions per side */

/* True if there are weights to read and nothing has failed. Otherwise folds return shapes and NULL pointers. */
static bool is_reading(const swin2sr__folds *folds) {
    return folds->weights && folds->status == SWIN2SR_OK;
}

/* ---- memory and tensors ---- */

/* Zeroed memory that lasts until the next fold; NULL after any failure. */
static void *take_scratch(swin2sr__folds *folds, size_t count, size_t size) {
    if (!is_reading(folds))
        return NULL;
    void *memory = folds->scratch_count < SWIN2SR__MAX_SCRATCH ? calloc(count, size) : NULL;
    if (!memory)
        folds->status = swin2sr__error_set(folds->reterr, SWIN2SR_NOMEM, "no memory to prepare the weights");
    else
        folds->scratch[folds->scratch_count++] = memory;
    return memory;
}

void swin2sr__folds_drop(swin2sr__folds *folds) {
    while (folds->scratch_count)
        free(folds->scratch[--folds->scratch_count]);
}

/* Begin a fold: drop the memory of the previous one, and set the prefix of the tensor names that follow. */
static void set_prefix(swin2sr__folds *folds, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void set_prefix(swin2sr__folds *folds, const char *format, ...) {
    swin2sr__folds_drop(folds);
    va_list args;
    va_start(args, format);
    vsnprintf(folds->prefix, sizeof folds->prefix, format, args);
    va_end(args);
}

static void clear_prefix(swin2sr__folds *folds) {
    set_prefix(folds, "%s", "");
}

/* The tensor prefix + name as floats. */
static float *read_tensor(swin2sr__folds *folds, const char *name, int rank, const int64_t *shape) {
    char full[192];
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    float *data = take_scratch(folds, count, sizeof *data);
    if (!data)
        return NULL;
    snprintf(full, sizeof full, "%s%s", folds->prefix, name);
    folds->status = swin2sr__weights_read(folds->weights, full, shape, rank, data, folds->reterr);
    return folds->status == SWIN2SR_OK ? data : NULL;
}

/* NAME.weight of this shape, and NAME.bias with as many values as its first side. */
static swin2sr__layer read_layer(swin2sr__folds *folds, const char *name, int rank, const int64_t *shape) {
    char full[96];
    swin2sr__layer layer = {.outputs = (int32_t)shape[0], .planes = 1, .channels = {(int32_t)shape[1]}};
    snprintf(full, sizeof full, "%s.weight", name);
    layer.weights = read_tensor(folds, full, rank, shape);
    snprintf(full, sizeof full, "%s.bias", name);
    layer.bias = read_tensor(folds, full, 1, shape);
    return layer;
}

static swin2sr__layer read_linear(swin2sr__folds *folds, const char *name, int32_t outputs, int32_t inputs) {
    return read_layer(folds, name, 2, (int64_t[]){outputs, inputs});
}

static swin2sr__layer read_1x1(swin2sr__folds *folds, const char *name, int32_t outputs, int32_t inputs) {
    return read_layer(folds, name, 4, (int64_t[]){outputs, inputs, 1, 1});
}

static swin2sr__layer read_3x3(swin2sr__folds *folds, const char *name, int32_t outputs, int32_t inputs) {
    swin2sr__layer layer = read_layer(folds, name, 4, (int64_t[]){outputs, inputs, 3, 3});
    size_t C = (size_t)inputs;
    const float *file = layer.weights; /* [outputs][c][ky][kx] */
    layer.weights = take_scratch(folds, (size_t)outputs * C * 9, sizeof *file);
    for (size_t n = 0; layer.weights && n < (size_t)outputs; n++) {
        for (size_t c = 0; c < C; c++) {
            for (size_t ky = 0; ky < 3; ky++)
                memcpy(layer.weights + (n * 3 + ky) * 3 * C + 3 * c, file + (n * C + c) * 9 + 3 * ky, 3 * sizeof *file);
        }
    }
    return layer;
}

static swin2sr__norm read_norm(swin2sr__folds *folds, const char *name) {
    swin2sr__layer both = read_layer(folds, name, 1, (int64_t[]){folds->network->config.dim, 0});
    return (swin2sr__norm){.gamma = both.weights, .beta = both.bias};
}

/* A 3x3 convolution of this shape with zeroed memory. */
static swin2sr__layer make_layer(swin2sr__folds *folds, int32_t outputs, int32_t planes, int32_t channels) {
    swin2sr__layer layer = {.outputs = outputs, .planes = planes, .channels = {channels, planes > 1 ? channels : 0}};
    size_t inputs = 9 * (size_t)planes * (size_t)channels;
    layer.weights = take_scratch(folds, (size_t)outputs * inputs, sizeof *layer.weights);
    layer.bias = take_scratch(folds, (size_t)outputs, sizeof *layer.bias);
    return layer;
}

/* product [N][K] = a [N][M] b [M][K]. */
static void multiply(float *product, const float *a, const float *b, int32_t N, int32_t M, int32_t K) {
    memset(product, 0, (size_t)N * (size_t)K * sizeof *product);
    for (int32_t n = 0; n < N; n++) {
        for (int32_t m = 0; m < M; m++) {
            float weight = a[(size_t)n * (size_t)M + (size_t)m];
            const float *row = b + (size_t)m * (size_t)K;
            float *out = product + (size_t)n * (size_t)K;
            for (int32_t k = 0; k < K; k++)
                out[k] += weight * row[k];
        }
    }
}

/* ---- around the blocks: the embedding, convolutions of groups and of the body ---- */

/* A 3x3 convolution and the 1x1 of C to C channels after it, as one convolution. */
static swin2sr__layer fold_3x3_then_1x1(swin2sr__folds *folds, const char *conv, int32_t channels, const char *one) {
    int32_t C = folds->network->config.dim, K = 9 * channels;
    swin2sr__layer first = read_3x3(folds, conv, C, channels);
    swin2sr__layer second = read_1x1(folds, one, C, C);
    swin2sr__layer both = make_layer(folds, C, 1, channels);
    if (!both.bias)
        return both;
    multiply(both.weights, second.weights, first.weights, C, C, K);
    multiply(both.bias, second.weights, first.bias, C, C, 1);
    for (int32_t n = 0; n < C; n++)
        both.bias[n] += second.bias[n];
    return both;
}

swin2sr__layer swin2sr__fold_embed(swin2sr__folds *folds) {
    clear_prefix(folds);
    return fold_3x3_then_1x1(folds, "conv_first", folds->network->config.channels, "patch_embed.proj");
}

swin2sr__norm swin2sr__fold_embed_norm(swin2sr__folds *folds) {
    clear_prefix(folds);
    return read_norm(folds, "patch_embed.norm");
}

swin2sr__norm swin2sr__fold_final_norm(swin2sr__folds *folds) {
    clear_prefix(folds);
    return read_norm(folds, "norm");
}

swin2sr__layer swin2sr__fold_group_conv(swin2sr__folds *folds, int32_t group) {
    int32_t narrow = swin2sr__network_narrow(folds->network);
    set_prefix(folds, "layers.%d.", group);
    return fold_3x3_then_1x1(folds, narrow ? "conv.4" : "conv", narrow ? narrow : folds->network->config.dim,
                             "patch_embed.proj");
}

static void set_narrow_prefix(swin2sr__folds *folds, int32_t group) {
    if (group < folds->network->config.groups)
        set_prefix(folds, "layers.%d.conv.", group);
    else
        set_prefix(folds, "conv_after_body.");
}

swin2sr__layer swin2sr__fold_narrow_conv(swin2sr__folds *folds, int32_t group) {
    set_narrow_prefix(folds, group);
    return read_3x3(folds, "0", swin2sr__network_narrow(folds->network), folds->network->config.dim);
}

swin2sr__layer swin2sr__fold_narrow_point(swin2sr__folds *folds, int32_t group) {
    int32_t channels = swin2sr__network_narrow(folds->network);
    set_narrow_prefix(folds, group);
    return read_1x1(folds, "2", channels, channels);
}

/* conv_after_body, or the last of its three, with conv_first as a second plane: their sum is the long skip. */
swin2sr__layer swin2sr__fold_after_body(swin2sr__folds *folds) {
    const swin2sr__config *config = &folds->network->config;
    int32_t C = config->dim, narrow = swin2sr__network_narrow(folds->network), channels = narrow ? narrow : C;
    size_t K1 = 9 * (size_t)channels, K2 = 9 * (size_t)config->channels;
    clear_prefix(folds);
    swin2sr__layer after = read_3x3(folds, narrow ? "conv_after_body.4" : "conv_after_body", C, channels);
    swin2sr__layer first = read_3x3(folds, "conv_first", C, config->channels);
    swin2sr__layer both = {.outputs = C, .planes = 2, .channels = {channels, config->channels}};
    both.weights = take_scratch(folds, (size_t)C * (K1 + K2), sizeof *both.weights);
    both.bias = take_scratch(folds, (size_t)C, sizeof *both.bias);
    for (size_t n = 0; both.bias && n < (size_t)C; n++) {
        memcpy(both.weights + n * (K1 + K2), after.weights + n * K1, K1 * sizeof *after.weights);
        memcpy(both.weights + n * (K1 + K2) + K1, first.weights + n * K2, K2 * sizeof *first.weights);
        both.bias[n] = after.bias[n] + first.bias[n];
    }
    return both;
}

/* ---- a block ---- */

static void set_block_prefix(swin2sr__folds *folds, int32_t group, int32_t block) {
    set_prefix(folds, "layers.%d.residual_group.blocks.%d.", group, block);
}

/* Signed logarithm of a relative coordinate, as in the paper: sign(r) log2(|r| + 1) / 3 for r = 8 d / (ws - 1). */
static float log_coordinate(int32_t distance, int32_t ws) {
    float r = 8.0f * (float)distance / (float)(ws - 1);
    return copysignf(log2f(fabsf(r) + 1.0f) / 3.0f, r);
}

/* The position-bias MLP for up to POSITIONS relative positions of one row, from dx = first on; dy and dx count from 0.
 * Each sum runs in the order of the hidden layer, and no sum depends on another. */
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
    const float *w0 = read_tensor(folds, "attn.cpb_mlp.0.weight", 2, (int64_t[]){CPB_HIDDEN, 2});
    const float *b0 = read_tensor(folds, "attn.cpb_mlp.0.bias", 1, (int64_t[]){CPB_HIDDEN});
    const float *w2 = read_tensor(folds, "attn.cpb_mlp.2.weight", 2, (int64_t[]){config->heads, CPB_HIDDEN});
    double *values = take_scratch(folds, (size_t)(config->heads * side * side), sizeof *values);
    for (int32_t dy = 0; values && dy < side; dy++) {
        for (int32_t first = 0; first < side; first += POSITIONS)
            position_row(values, w0, b0, w2, config->heads, config->window_px, dy, first);
    }
    return values;
}

/* Put q, k and v of each head together. In the file all q come first; k has no bias, and that of v is folded into the
 * projection. */
static swin2sr__layer fold_qkv(swin2sr__folds *folds) {
    int32_t C = folds->network->config.dim, A = folds->network->config.heads, D = C / A;
    size_t part_floats = (size_t)D * (size_t)C;
    const float *file = read_tensor(folds, "attn.qkv.weight", 2, (int64_t[]){3 * C, C});
    const float *q_bias = read_tensor(folds, "attn.q_bias", 1, (int64_t[]){C});
    swin2sr__layer qkv = {.outputs = 3 * C, .planes = 1, .channels = {C}};
    qkv.weights = take_scratch(folds, 3 * (size_t)C * (size_t)C, sizeof *qkv.weights);
    qkv.bias = take_scratch(folds, 3 * (size_t)C, sizeof *qkv.bias);
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
    float *scale = read_tensor(folds, "attn.logit_scale", 3, (int64_t[]){A, 1, 1});
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

/* The projection includes the v bias, because a softmax row sums to 1. */
static swin2sr__layer fold_projection(swin2sr__folds *folds) {
    int32_t C = folds->network->config.dim;
    swin2sr__layer layer = read_linear(folds, "attn.proj", C, C);
    const float *v_bias = read_tensor(folds, "attn.v_bias", 1, (int64_t[]){C});
    float *carried = take_scratch(folds, (size_t)C, sizeof *carried);
    if (carried) {
        multiply(carried, layer.weights, v_bias, C, C, 1);
        for (int32_t n = 0; n < C; n++)
            layer.bias[n] += carried[n];
    }
    return layer;
}

swin2sr__layer swin2sr__fold_block_linear(swin2sr__folds *folds, int32_t group, int32_t block, int index) {
    int32_t C = folds->network->config.dim, hidden = folds->network->config.hidden;
    set_block_prefix(folds, group, block);
    if (index == 1)
        return read_linear(folds, "mlp.fc1", hidden, C);
    swin2sr__layer layer = index == 0 ? fold_projection(folds) : read_linear(folds, "mlp.fc2", C, hidden);
    if (layer.weights && layer.bias)
        centre_outputs(&layer);
    return layer;
}

swin2sr__norm swin2sr__fold_block_norm(swin2sr__folds *folds, int32_t group, int32_t block, int index) {
    set_block_prefix(folds, group, block);
    return read_norm(folds, index == 1 ? "norm1" : "norm2");
}

/* ---- the head ---- */

/* Reorder the outputs, which the file has by channel and then by place in the r x r pixels, so that the channels of one
 * pixel are together. */
static swin2sr__layer fold_shuffled(swin2sr__folds *folds, const swin2sr__stage *stage) {
    int32_t channels = stage->out_channels, places = stage->shuffle * stage->shuffle;
    size_t K = 9 * (size_t)stage->in_channels;
    swin2sr__layer file = read_3x3(folds, stage->name, channels * places, stage->in_channels);
    swin2sr__layer turned = make_layer(folds, channels * places, 1, stage->in_channels);
    for (int32_t i = 0; turned.bias && i < channels * places; i++) {
        int32_t to = i % places * channels + i / places;
        memcpy(turned.weights + (size_t)to * K, file.weights + (size_t)i * K, K * sizeof *file.weights);
        turned.bias[to] = file.bias[i];
    }
    return turned;
}

/* The small pixel (0..2) that tap k of a convolution reads at half d (0 or 1) of a doubled pixel. */
static int32_t place_of_tap(int32_t d, int32_t k) {
    return (d + k - 1 + 2) / 2; /* floor((d + k - 1) / 2) + 1 */
}

/* A convolution after a nearest-neighbour doubling reads each small pixel up to twice per side. The taps that read the
 * same pixel are summed, for each of the four pixels that it becomes. Zero padding is equal in both planes. */
static swin2sr__layer fold_doubled(swin2sr__folds *folds, const swin2sr__stage *stage) {
    int32_t channels = stage->in_channels;
    size_t K = 9 * (size_t)channels;
    swin2sr__layer file = read_3x3(folds, stage->name, channels, channels);
    swin2sr__layer doubled = make_layer(folds, 4 * channels, 1, channels);
    for (int32_t i = 0; doubled.bias && i < 4 * channels; i++) {
        int32_t n = i % channels, place = i / channels; /* the order of fold_shuffled */
        float *to = doubled.weights + (size_t)i * K;
        const float *from = file.weights + (size_t)n * K;
        doubled.bias[i] = file.bias[n];
        for (int32_t k = 0; k < 9 * channels; k++) { /* [ky][c][kx] */
            int32_t ky = k / (3 * channels), c = k / 3 % channels, kx = k % 3;
            to[(place_of_tap(place / 2, ky) * channels + c) * 3 + place_of_tap(place % 2, kx)] += from[k];
        }
    }
    return doubled;
}

/* A convolution of the sum of two planes, which gives both planes the same weights. */
static swin2sr__layer fold_joined(swin2sr__folds *folds, const swin2sr__stage *stage) {
    size_t K = 9 * (size_t)stage->in_channels;
    swin2sr__layer file = read_3x3(folds, stage->name, stage->out_channels, stage->in_channels);
    swin2sr__layer twice = make_layer(folds, stage->out_channels, 2, stage->in_channels);
    for (int32_t i = 0; twice.bias && i < 2 * stage->out_channels; i++)
        memcpy(twice.weights + (size_t)i * K, file.weights + (size_t)(i / 2) * K, K * sizeof *file.weights);
    if (twice.bias)
        memcpy(twice.bias, file.bias, (size_t)stage->out_channels * sizeof *file.bias);
    return twice;
}

swin2sr__layer swin2sr__fold_stage(swin2sr__folds *folds, int32_t index) {
    const swin2sr__stage *stage = &folds->network->stages[index];
    clear_prefix(folds);
    if (stage->kind == SWIN2SR__STAGE_SHUFFLED)
        return fold_shuffled(folds, stage);
    if (stage->kind == SWIN2SR__STAGE_DOUBLED)
        return fold_doubled(folds, stage);
    if (stage->kind == SWIN2SR__STAGE_JOINED)
        return fold_joined(folds, stage);
    return read_3x3(folds, stage->name, stage->out_channels * stage->shuffle * stage->shuffle, stage->in_channels);
}

swin2sr__layer swin2sr__fold_cubic(swin2sr__folds *folds) {
    const swin2sr__config *config = &folds->network->config;
    clear_prefix(folds);
    return read_3x3(folds, "conv_bicubic", config->features, config->channels);
}
