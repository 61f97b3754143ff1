/* SPDX-License-Identifier: Apache-2.0
 * model/network.c - fold and pack a network, once, when a model is opened.
 * The same walk over the layers runs twice: first the arena counts, then the weights are read, folded and packed into
 * it. A failure sticks in the loader and turns the rest of the walk into nothing. */
#include "model/network.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define CPB_HIDDEN 512 /* of the position-bias MLP, in every published network */
#define MAX_SCRATCH 16
#define MAX_WINDOW_PX 8                   /* its tokens are the 64 lanes of a block */
#define MAX_POSITIONS (2 * MAX_WINDOW_PX) /* on a side of all relative positions, and one more for whole vectors */

typedef struct loader {
    const swin2sr__weights *weights;
    swin2sr__network *network;
    swin2sr__arena *arena;
    swin2sr_status status;
    swin2sr_error *reterr;
    float *scratch[MAX_SCRATCH];
    int scratch_count;
    char prefix[96]; /* of tensor names: "layers.0.residual_group.blocks.1." */
} loader;

static bool is_reading(const loader *l) {
    return l->arena->base && l->status == SWIN2SR_OK;
}

/* Temporary floats until drop_scratch; NULL once anything has failed. */
static float *take_scratch(loader *l, size_t count) {
    if (l->status != SWIN2SR_OK)
        return NULL;
    float *memory = l->scratch_count < MAX_SCRATCH ? calloc(count, sizeof *memory) : NULL;
    if (!memory)
        l->status = swin2sr__error_set(l->reterr, SWIN2SR_NOMEM, "no memory to prepare the weights");
    else
        l->scratch[l->scratch_count++] = memory;
    return memory;
}

static void drop_scratch(loader *l) {
    while (l->scratch_count)
        free(l->scratch[--l->scratch_count]);
}

/* One tensor of prefix + name as floats; NULL on failure. */
static float *read_tensor(loader *l, const char *name, int rank, const int64_t *shape) {
    char full[192];
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    float *data = take_scratch(l, count);
    if (!data)
        return NULL;
    snprintf(full, sizeof full, "%s%s", l->prefix, name);
    l->status = swin2sr__weights_read(l->weights, full, shape, rank, data, l->reterr);
    return l->status == SWIN2SR_OK ? data : NULL;
}

static float *read_vector(loader *l, const char *name, int32_t n) {
    return read_tensor(l, name, 1, (int64_t[]){n});
}

static float *read_matrix(loader *l, const char *name, int32_t n, int32_t k) {
    return read_tensor(l, name, 2, (int64_t[]){n, k});
}

/* A 3x3 convolution as a matrix [n][ky][c][kx], the order the kernels walk in. */
static float *read_conv(loader *l, const char *name, int32_t outputs, int32_t inputs) {
    float *file = read_tensor(l, name, 4, (int64_t[]){outputs, inputs, 3, 3});
    float *matrix = take_scratch(l, (size_t)outputs * (size_t)inputs * 9);
    for (int32_t n = 0; matrix && n < outputs; n++) {
        for (int32_t c = 0; c < inputs; c++) {
            for (int32_t ky = 0; ky < 3; ky++)
                memcpy(matrix + ((size_t)n * 3 + (size_t)ky) * 3 * (size_t)inputs + 3 * (size_t)c,
                       file + ((size_t)n * (size_t)inputs + (size_t)c) * 9 + 3 * ky, 3 * sizeof *file);
        }
    }
    return matrix;
}

/* The matrix and bias of a 3x3 convolution by its name without ".weight". */
static void read_conv_and_bias(loader *l, const char *conv, int32_t outputs, int32_t inputs, float **ret_weights,
                               float **ret_bias) {
    char name[96];
    snprintf(name, sizeof name, "%s.weight", conv);
    *ret_weights = read_conv(l, name, outputs, inputs);
    snprintf(name, sizeof name, "%s.bias", conv);
    *ret_bias = read_vector(l, name, outputs);
}

/* The same of a 1x1. */
static void read_1x1_and_bias(loader *l, const char *one, int32_t outputs, int32_t inputs, float **ret_weights,
                              float **ret_bias) {
    char name[96];
    snprintf(name, sizeof name, "%s.weight", one);
    *ret_weights = read_tensor(l, name, 4, (int64_t[]){outputs, inputs, 1, 1});
    snprintf(name, sizeof name, "%s.bias", one);
    *ret_bias = read_vector(l, name, outputs);
}

/* Room for a layer of so many words an output; its bias is copied on the second walk. */
static swin2sr__linear take_room(loader *l, int32_t outputs, int32_t inputs, int32_t words, const float *bias,
                                 float **ret_packed) {
    int32_t padded = swin2sr__pack_outputs(outputs);
    float *packed = swin2sr__arena_take(l->arena, (size_t)padded * (size_t)words, sizeof *packed);
    float *packed_bias = swin2sr__arena_take(l->arena, (size_t)padded, sizeof *packed_bias);
    if (is_reading(l) && bias)
        memcpy(packed_bias, bias, (size_t)outputs * sizeof *bias);
    *ret_packed = packed;
    return (swin2sr__linear){.weights = packed, .bias = packed_bias, .inputs = inputs, .outputs = padded};
}

/* A linear layer, in the type of the products. */
static swin2sr__linear take_linear(loader *l, int32_t outputs, int32_t inputs, const float *weights,
                                   const float *bias) {
    const swin2sr__kernels *kernels = l->network->kernels;
    float *packed;
    swin2sr__linear linear = take_room(l, outputs, inputs, swin2sr__linear_words(kernels, inputs), bias, &packed);
    if (is_reading(l))
        kernels->pack_linear(packed, weights, outputs, inputs);
    return linear;
}

/* A convolution of `count` planes of so many channels each, in the type of the products. */
static swin2sr__linear take_conv(loader *l, int32_t outputs, const int32_t *channels, int32_t count,
                                 const float *weights, const float *bias) {
    const swin2sr__kernels *kernels = l->network->kernels;
    float *packed;
    swin2sr__linear linear = take_room(l, outputs, swin2sr__conv_rows(channels, count, 1),
                                       swin2sr__conv_words(kernels, channels, count), bias, &packed);
    if (is_reading(l))
        kernels->pack_conv(packed, weights, outputs, channels, count);
    return linear;
}

/* A convolution of pixels, always in floats. */
static swin2sr__linear take_pixel_conv(loader *l, int32_t outputs, int32_t channels, const float *weights,
                                       const float *bias) {
    float *packed;
    swin2sr__linear linear = take_room(l, outputs, 9 * channels, 9 * channels, bias, &packed);
    if (is_reading(l))
        swin2sr__pack_conv(packed, weights, outputs, &channels, 1);
    return linear;
}

static swin2sr__norm take_norm(loader *l, const char *name) {
    int32_t C = l->network->config.dim;
    float *gamma = swin2sr__arena_take(l->arena, (size_t)C, sizeof *gamma);
    float *beta = swin2sr__arena_take(l->arena, (size_t)C, sizeof *beta);
    const char *parts[2] = {"weight", "bias"};
    for (int i = 0; i < 2 && is_reading(l); i++) {
        char full[64];
        snprintf(full, sizeof full, "%s.%s", name, parts[i]);
        const float *data = read_vector(l, full, C);
        if (data)
            memcpy(i ? beta : gamma, data, (size_t)C * sizeof *data);
    }
    drop_scratch(l);
    return (swin2sr__norm){gamma, beta};
}

/* product [n][k] = a [n][m] b [m][k]. */
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

/* Subtract the mean over outputs, so that the LayerNorm after this layer finds a mean of zero. */
static void centre_outputs(float *weights, float *bias, int32_t N, int32_t K) {
    for (int32_t k = 0; k <= K; k++) {
        float *first = k < K ? weights + k : bias;
        size_t stride = k < K ? (size_t)K : 1;
        double mean = 0.0;
        for (int32_t n = 0; n < N; n++)
            mean += first[(size_t)n * stride];
        mean /= N;
        for (int32_t n = 0; n < N; n++)
            first[(size_t)n * stride] -= (float)mean;
    }
}

/* weights [C][K] and bias [C] of a convolution, followed by a 1x1 of C to C channels, as one. */
static void fold_1x1(loader *l, const char *one, float **weights, float **bias, int32_t K) {
    int32_t C = l->network->config.dim;
    float *w1, *b1;
    read_1x1_and_bias(l, one, C, C, &w1, &b1);
    float *folded = take_scratch(l, (size_t)C * (size_t)K), *folded_bias = take_scratch(l, (size_t)C);
    if (!folded_bias)
        return;
    multiply(folded, w1, *weights, C, C, K);
    multiply(folded_bias, w1, *bias, C, C, 1);
    for (int32_t n = 0; n < C; n++)
        folded_bias[n] += b1[n];
    *weights = folded;
    *bias = folded_bias;
}

/* A 3x3 convolution to C channels followed by a 1x1, as one. */
static swin2sr__linear take_conv_then_1x1(loader *l, const char *conv, int32_t channels, const char *one,
                                          bool is_pixels) {
    int32_t C = l->network->config.dim, K = 9 * channels;
    float *weights = NULL, *bias = NULL;
    if (is_reading(l)) {
        read_conv_and_bias(l, conv, C, channels, &weights, &bias);
        fold_1x1(l, one, &weights, &bias, K);
    }
    swin2sr__linear linear =
        is_pixels ? take_pixel_conv(l, C, channels, weights, bias) : take_conv(l, C, &channels, 1, weights, bias);
    drop_scratch(l);
    return linear;
}

/* conv_after_body, or the last of its three, with conv_first behind it as a second input: their sum is the long skip.
 * Where a word holds two values, a pixel is the sum of both (engine/input.c), so its weights are there twice. */
static swin2sr__linear take_after_body(loader *l, const char *conv, int32_t channels) {
    const swin2sr__config *config = &l->network->config;
    int32_t C = config->dim, parts = l->network->kernels->pair, K1 = 9 * channels, K2 = 9 * config->channels;
    int32_t planes[2] = {channels, config->channels * parts}, K = K1 + K2 * parts;
    float *weights = NULL, *bias = NULL, *after, *after_bias, *first, *first_bias;
    if (is_reading(l)) {
        read_conv_and_bias(l, conv, C, channels, &after, &after_bias);
        read_conv_and_bias(l, "conv_first", C, config->channels, &first, &first_bias);
        weights = take_scratch(l, (size_t)C * (size_t)K);
        bias = take_scratch(l, (size_t)C);
        for (int32_t n = 0; bias && n < C; n++) {
            memcpy(weights + (size_t)n * (size_t)K, after + (size_t)n * (size_t)K1, (size_t)K1 * sizeof *after);
            for (int32_t k = 0; k < K2 * parts; k++) { /* [ky][c][part][kx] */
                int32_t ky = k / (3 * parts * config->channels), c = k / (3 * parts) % config->channels;
                weights[(size_t)n * (size_t)K + (size_t)(K1 + k)] =
                    first[(size_t)n * (size_t)K2 + (size_t)((ky * config->channels + c) * 3 + k % 3)];
            }
            bias[n] = after_bias[n] + first_bias[n];
        }
    }
    swin2sr__linear linear = take_conv(l, C, planes, 2, weights, bias);
    drop_scratch(l);
    return linear;
}

/* The first two of three body convolutions: prefix.0 and the 1x1 prefix.2. */
static swin2sr__narrow take_narrow(loader *l, const char *prefix) {
    int32_t C = l->network->config.dim, channels = C / 4;
    float *weights = NULL, *bias = NULL;
    char name[64];
    swin2sr__narrow narrow = {.channels = channels, .slope = 0.2f};
    if (is_reading(l)) {
        snprintf(name, sizeof name, "%s.0", prefix);
        read_conv_and_bias(l, name, channels, C, &weights, &bias);
    }
    narrow.conv = take_conv(l, channels, &C, 1, weights, bias);
    if (is_reading(l)) {
        snprintf(name, sizeof name, "%s.2", prefix);
        read_1x1_and_bias(l, name, channels, channels, &weights, &bias);
    }
    narrow.point = take_linear(l, channels, channels, weights, bias);
    drop_scratch(l);
    return narrow;
}

/* Signed logarithm of a relative coordinate, as in the paper: sign(r) log2(|r| + 1) / 3 for r = 8 d / (ws - 1). */
static float log_coordinate(int32_t distance, int32_t ws) {
    float r = 8.0f * (float)distance / (float)(ws - 1);
    return copysignf(log2f(fabsf(r) + 1.0f) / 3.0f, r);
}

/* The position-bias MLP at every relative position: values [heads][2ws-1][2ws-1], ready for exp2. A row of positions
 * is computed at once: its sums are independent of each other, each in the order of the hidden layer. */
static void position_values(float *values, const float *w0, const float *b0, const float *w2, int32_t heads,
                            int32_t ws) {
    int32_t side = 2 * ws - 1;
    float hidden[CPB_HIDDEN][MAX_POSITIONS], x[MAX_POSITIONS] = {0};
    for (int32_t dx = 0; dx < side; dx++)
        x[dx] = log_coordinate(dx - ws + 1, ws);
    for (int32_t dy = 0; dy < side; dy++) {
        float y = log_coordinate(dy - ws + 1, ws);
        for (int32_t i = 0; i < CPB_HIDDEN; i++) {
            for (int32_t dx = 0; dx < MAX_POSITIONS; dx++) {
                float sum = w0[2 * i] * y + w0[2 * i + 1] * x[dx] + b0[i];
                hidden[i][dx] = sum > 0.0f ? sum : 0.0f;
            }
        }
        for (int32_t a = 0; a < heads; a++) {
            double sums[MAX_POSITIONS] = {0};
            for (int32_t i = 0; i < CPB_HIDDEN; i++)
                for (int32_t dx = 0; dx < MAX_POSITIONS; dx++)
                    sums[dx] += (double)(w2[a * CPB_HIDDEN + i] * hidden[i][dx]);
            for (int32_t dx = 0; dx < side; dx++)
                values[(a * side + dy) * side + dx] =
                    (float)((16.0 / (1.0 + exp(-sums[dx])) - 8.0) * (double)SWIN2SR__LOG2E);
        }
    }
}

/* Row and column of the token in a lane: window 8 is four tiles of 4x4, other windows are in reading order. */
static void token_place(int32_t lane, int32_t ws, int32_t *ret_y, int32_t *ret_x) {
    if (ws == 8) {
        *ret_y = lane / 32 * 4 + lane % 16 / 4;
        *ret_x = lane / 16 % 2 * 4 + lane % 4;
    } else {
        *ret_y = lane / ws;
        *ret_x = lane % ws;
    }
}

/* One head's table [keys][64] by key and query lane; lanes without a token get 0. */
static void fill_bias_table(float *table, const float *values, int32_t keys, int32_t ws) {
    int32_t side = 2 * ws - 1;
    for (int32_t key = 0; key < keys && key < ws * ws; key++) {
        for (int32_t query = 0; query < ws * ws; query++) {
            int32_t ky, kx, qy, qx;
            token_place(key, ws, &ky, &kx);
            token_place(query, ws, &qy, &qx);
            table[key * SWIN2SR__LANES + query] = values[(qy - ky + ws - 1) * side + qx - kx + ws - 1];
        }
    }
}

static void take_heads(loader *l, swin2sr__block *block) {
    const swin2sr__config *config = &l->network->config;
    int32_t C = config->dim, A = config->heads, D = C / A, ws = config->window_px, side = 2 * ws - 1;
    int32_t keys = (ws * ws + 1) / 2 * 2;
    const float *qkv = NULL, *q_bias = NULL, *scale = NULL, *w0 = NULL, *b0 = NULL, *w2 = NULL;
    float *values = NULL, *weights = NULL, *bias = NULL;
    if (is_reading(l)) {
        qkv = read_matrix(l, "attn.qkv.weight", 3 * C, C);
        q_bias = read_vector(l, "attn.q_bias", C);
        scale = read_tensor(l, "attn.logit_scale", 3, (int64_t[]){A, 1, 1});
        w0 = read_matrix(l, "attn.cpb_mlp.0.weight", CPB_HIDDEN, 2);
        b0 = read_vector(l, "attn.cpb_mlp.0.bias", CPB_HIDDEN);
        w2 = read_matrix(l, "attn.cpb_mlp.2.weight", A, CPB_HIDDEN);
        values = take_scratch(l, (size_t)A * (size_t)(side * side));
        weights = take_scratch(l, 3 * (size_t)D * (size_t)C);
        bias = take_scratch(l, 3 * (size_t)D);
        if (bias)
            position_values(values, w0, b0, w2, A, ws);
    }
    for (int32_t a = 0; a < A; a++) {
        for (int32_t part = 0; part < 3 && is_reading(l); part++)
            memcpy(weights + (size_t)(part * D) * (size_t)C, qkv + (size_t)(part * C + a * D) * (size_t)C,
                   (size_t)D * (size_t)C * sizeof *qkv);
        if (is_reading(l))
            memcpy(bias, q_bias + a * D, (size_t)D * sizeof *bias);
        swin2sr__linear head_qkv = take_linear(l, 3 * D, C, weights, bias);
        float *table = swin2sr__arena_take(l->arena, (size_t)keys * SWIN2SR__LANES, sizeof *table);
        if (!is_reading(l))
            continue;
        fill_bias_table(table, values + a * side * side, keys, ws);
        float natural = expf(fminf(scale[a], logf(100.0f)));
        block->qkv[a] = head_qkv;
        block->attention[a] = (swin2sr__attention_head){.bias = table,
                                                        .scale = natural * SWIN2SR__LOG2E,
                                                        .has_max_pass = natural > SWIN2SR__SCALE_WITHOUT_MAX,
                                                        .dim = D,
                                                        .keys = keys};
    }
    drop_scratch(l);
}

/* The projection takes the v bias along (a softmax row sums to 1) and is centred for norm1. */
static swin2sr__linear take_proj(loader *l) {
    int32_t C = l->network->config.dim;
    float *weights = NULL, *bias = NULL;
    if (is_reading(l)) {
        weights = read_matrix(l, "attn.proj.weight", C, C);
        bias = read_vector(l, "attn.proj.bias", C);
        const float *v_bias = read_vector(l, "attn.v_bias", C);
        float *carried = take_scratch(l, (size_t)C);
        if (carried) {
            multiply(carried, weights, v_bias, C, C, 1);
            for (int32_t n = 0; n < C; n++)
                bias[n] += carried[n];
            centre_outputs(weights, bias, C, C);
        }
    }
    swin2sr__linear linear = take_linear(l, C, C, weights, bias);
    drop_scratch(l);
    return linear;
}

static swin2sr__linear take_mlp_layer(loader *l, const char *name, int32_t outputs, int32_t inputs, bool is_centred) {
    float *weights = NULL, *bias = NULL;
    if (is_reading(l)) {
        char full[64];
        snprintf(full, sizeof full, "mlp.%s.weight", name);
        weights = read_matrix(l, full, outputs, inputs);
        snprintf(full, sizeof full, "mlp.%s.bias", name);
        bias = read_vector(l, full, outputs);
        if (bias && is_centred)
            centre_outputs(weights, bias, outputs, inputs);
    }
    swin2sr__linear linear = take_linear(l, outputs, inputs, weights, bias);
    drop_scratch(l);
    return linear;
}

static void set_prefix(loader *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void set_prefix(loader *l, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(l->prefix, sizeof l->prefix, format, args);
    va_end(args);
}

static void walk_block(loader *l, swin2sr__block *block, bool is_shifted) {
    const swin2sr__config *config = &l->network->config;
    swin2sr__block walked = {.is_shifted = is_shifted};
    walked.qkv = swin2sr__arena_take(l->arena, (size_t)config->heads, sizeof *walked.qkv);
    walked.attention = swin2sr__arena_take(l->arena, (size_t)config->heads, sizeof *walked.attention);
    take_heads(l, &walked);
    walked.proj = take_proj(l);
    walked.norm1 = take_norm(l, "norm1");
    walked.fc1 = take_mlp_layer(l, "fc1", config->hidden, config->dim, false);
    walked.fc2 = take_mlp_layer(l, "fc2", config->dim, config->hidden, true);
    walked.norm2 = take_norm(l, "norm2");
    if (is_reading(l))
        *block = walked;
}

static void walk_group(loader *l, int32_t index) {
    swin2sr__group *group = &l->network->groups[index];
    group->depth = l->network->config.depths[index];
    group->blocks = swin2sr__arena_take(l->arena, (size_t)group->depth, sizeof *group->blocks);
    for (int32_t i = 0; i < group->depth; i++) {
        set_prefix(l, "layers.%d.residual_group.blocks.%d.", index, i);
        walk_block(l, is_reading(l) ? &group->blocks[i] : NULL, i % 2 == 1);
    }
    set_prefix(l, "layers.%d.", index);
    if (l->network->config.is_triple) {
        group->narrow = take_narrow(l, "conv");
        group->conv = take_conv_then_1x1(l, "conv.4", group->narrow.channels, "patch_embed.proj", false);
    } else {
        group->conv = take_conv_then_1x1(l, "conv", l->network->config.dim, "patch_embed.proj", false);
    }
    set_prefix(l, "%s", "");
}

/* The stage's convolution: weights [out_channels * shuffle^2][planes][9 * in_channels]. */
static void add_stage(loader *l, const float *weights, const float *bias, int32_t in_channels, int32_t planes,
                      int32_t out_channels, int32_t shuffle, float slope) {
    swin2sr__stage *stage = &l->network->stages[l->network->stages_count++];
    const int32_t channels[2] = {in_channels, in_channels};
    *stage = (swin2sr__stage){.conv = take_conv(l, out_channels * shuffle * shuffle, channels, planes, weights, bias),
                              .in_channels = in_channels,
                              .out_channels = out_channels,
                              .shuffle = shuffle,
                              .slope = slope};
    drop_scratch(l);
}

/* One convolution of the head: in_channels -> out_channels * shuffle^2. */
static void walk_stage(loader *l, const char *name, int32_t in_channels, int32_t out_channels, int32_t shuffle,
                       float slope) {
    float *weights = NULL, *bias = NULL;
    if (is_reading(l))
        read_conv_and_bias(l, name, out_channels * shuffle * shuffle, in_channels, &weights, &bias);
    add_stage(l, weights, bias, in_channels, 1, out_channels, shuffle, slope);
}

/* A convolution before a pixel shuffle inside the head. Its outputs, in the file by channel and then by place in the
 * r x r pixels, are turned around, so that the channels of one pixel lie together. */
static void walk_shuffled_stage(loader *l, const char *name, int32_t channels, int32_t r) {
    int32_t places = r * r;
    size_t K = 9 * (size_t)channels;
    float *weights = NULL, *bias = NULL, *turned = NULL, *turned_bias = NULL;
    if (is_reading(l)) {
        read_conv_and_bias(l, name, channels * places, channels, &weights, &bias);
        turned = take_scratch(l, (size_t)(channels * places) * K);
        turned_bias = take_scratch(l, (size_t)(channels * places));
    }
    for (int32_t i = 0; turned_bias && i < channels * places; i++) {
        int32_t to = i % places * channels + i / places;
        memcpy(turned + (size_t)to * K, weights + (size_t)i * K, K * sizeof *turned);
        turned_bias[to] = bias[i];
    }
    add_stage(l, turned, turned_bias, channels, 1, channels, r, 1.0f);
}

/* Of a doubled pixel, half d (0 or 1) sees the taps k of a convolution at these places of the small plane's three. */
static int32_t place_of_tap(int32_t d, int32_t k) {
    return (d + k - 1 + 2) / 2; /* floor((d + k - 1) / 2) + 1 */
}

/* A convolution behind a nearest doubling reads each small pixel up to twice a side: its taps on one pixel are summed,
 * once for each of the four pixels that it makes. Zero padding is the same in both planes. */
static void walk_doubled_stage(loader *l, const char *name, int32_t channels, float slope) {
    float *weights = NULL, *bias = NULL, *doubled = NULL, *doubled_bias = NULL;
    size_t K = 9 * (size_t)channels;
    if (is_reading(l)) {
        read_conv_and_bias(l, name, channels, channels, &weights, &bias);
        doubled = take_scratch(l, 4 * (size_t)channels * K);
        doubled_bias = take_scratch(l, 4 * (size_t)channels);
    }
    for (int32_t i = 0; doubled_bias && i < 4 * channels; i++) {
        int32_t n = i % channels, place = i / channels; /* as walk_shuffled_stage turns them */
        float *to = doubled + (size_t)i * K;
        const float *from = weights + (size_t)n * K;
        doubled_bias[i] = bias[n];
        for (int32_t k = 0; k < 9 * channels; k++) { /* [ky][c][kx] */
            int32_t ky = k / (3 * channels), c = k / 3 % channels, kx = k % 3;
            to[(place_of_tap(place / 2, ky) * channels + c) * 3 + place_of_tap(place % 2, kx)] += from[k];
        }
    }
    add_stage(l, doubled, doubled_bias, channels, 1, channels, 2, slope);
}

static void walk_shuffles(loader *l) {
    const swin2sr__config *config = &l->network->config;
    int32_t factor = config->scale == 3 ? 3 : 2;
    for (int32_t done = 1, i = 0; done < config->scale; done *= factor, i += 2) {
        char name[32];
        snprintf(name, sizeof name, "upsample.%d", i);
        walk_shuffled_stage(l, name, config->features, factor);
    }
}

/* The last convolution of the aux head reads the sum of two planes: the same weights for both. */
static void walk_joined_stage(loader *l, const char *name, int32_t channels) {
    int32_t features = l->network->config.features;
    size_t K = 9 * (size_t)features;
    float *weights = NULL, *bias = NULL, *twice = NULL;
    if (is_reading(l)) {
        read_conv_and_bias(l, name, channels, features, &weights, &bias);
        twice = take_scratch(l, 2 * (size_t)channels * K);
    }
    for (int32_t i = 0; twice && i < 2 * channels; i++)
        memcpy(twice + (size_t)i * K, weights + (size_t)(i / 2) * K, K * sizeof *twice);
    add_stage(l, twice, bias, features, 2, channels, 1, 1.0f);
}

static swin2sr__linear take_cubic(loader *l) {
    const swin2sr__config *config = &l->network->config;
    float *weights = NULL, *bias = NULL;
    if (is_reading(l))
        read_conv_and_bias(l, "conv_bicubic", config->features, config->channels, &weights, &bias);
    swin2sr__linear cubic = take_pixel_conv(l, config->features, config->channels, weights, bias);
    drop_scratch(l);
    return cubic;
}

static void walk_head(loader *l) {
    const swin2sr__config *config = &l->network->config;
    int32_t features = config->features, channels = config->channels;
    l->network->stages_count = 0;
    if (config->head == SWIN2SR__HEAD_PIXELSHUFFLEDIRECT) {
        walk_stage(l, "upsample.0", config->dim, channels, config->scale, 1.0f);
        return;
    }
    if (config->head == SWIN2SR__HEAD_NONE) {
        walk_stage(l, "conv_last", config->dim, channels, 1, 1.0f);
        return;
    }
    walk_stage(l, "conv_before_upsample.0", config->dim, features, 1, 0.01f);
    if (config->head == SWIN2SR__HEAD_NEAREST_CONV) {
        walk_doubled_stage(l, "conv_up1", features, 0.2f);
        walk_doubled_stage(l, "conv_up2", features, 0.2f);
        walk_stage(l, "conv_hr", features, features, 1, 0.2f);
    }
    if (config->head == SWIN2SR__HEAD_PIXELSHUFFLE_AUX) {
        walk_stage(l, "conv_aux", features, channels, 1, 1.0f);
        walk_stage(l, "conv_after_aux.0", channels, features, 1, 0.01f);
        l->network->cubic = take_cubic(l);
    }
    if (config->head != SWIN2SR__HEAD_NEAREST_CONV)
        walk_shuffles(l);
    if (config->head == SWIN2SR__HEAD_PIXELSHUFFLE_AUX)
        walk_joined_stage(l, "conv_last", channels);
    else
        walk_stage(l, "conv_last", features, channels, 1, 1.0f);
}

static void walk(loader *l) {
    swin2sr__network *network = l->network;
    network->embed = take_conv_then_1x1(l, "conv_first", network->config.channels, "patch_embed.proj", true);
    network->embed_norm = take_norm(l, "patch_embed.norm");
    for (int32_t i = 0; i < network->config.groups; i++)
        walk_group(l, i);
    network->final_norm = take_norm(l, "norm");
    if (network->config.is_triple) {
        network->body_narrow = take_narrow(l, "conv_after_body");
        network->after_body = take_after_body(l, "conv_after_body.4", network->body_narrow.channels);
    } else {
        network->after_body = take_after_body(l, "conv_after_body", network->config.dim);
    }
    walk_head(l);
}

static swin2sr_status check_supported(const swin2sr__config *config, swin2sr_error *reterr) {
    int32_t D = config->dim / config->heads;
    if (config->window_px > MAX_WINDOW_PX)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "window %d is over %d, the most this version runs",
                                  config->window_px, MAX_WINDOW_PX);
    if (D < 4 || D % 2)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "head size %d is not even and at least 4", D);
    return SWIN2SR_OK;
}

swin2sr_status swin2sr__network_init(const swin2sr__weights *weights, const swin2sr__kernels *kernels,
                                     swin2sr__network *ret_network, swin2sr_error *reterr) {
    swin2sr__network network = {
        .config = *swin2sr__weights_config(weights), .kernels = kernels, .mean = {0.4488f, 0.4371f, 0.4040f}};
    swin2sr_status status = check_supported(&network.config, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (network.config.channels == 1)
        network.mean[0] = 0.0f;
    loader l = {.weights = weights, .network = &network, .arena = &network.memory, .reterr = reterr};
    walk(&l);
    if (!swin2sr__arena_allocate(&network.memory))
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for %zu bytes of weights", network.memory.used);
    walk(&l);
    drop_scratch(&l);
    if (l.status != SWIN2SR_OK) {
        swin2sr__network_done(&network);
        return l.status;
    }
    *ret_network = network;
    return SWIN2SR_OK;
}

void swin2sr__network_done(swin2sr__network *network) {
    swin2sr__arena_done(&network->memory);
}

/* One body convolution, or three. */
static double macs_of_body_conv(const swin2sr__config *config) {
    double C = config->dim, narrow = config->dim / 4;
    return config->is_triple ? 18.0 * C * narrow + narrow * narrow : 9.0 * C * C;
}

double swin2sr__network_macs_per_pixel(const swin2sr__network *network) {
    const swin2sr__config *config = &network->config;
    double C = config->dim, tokens = (double)config->window_px * config->window_px, body = macs_of_body_conv(config);
    double macs = 9.0 * config->channels * C + C * C; /* as published: the embedding's 1x1 apart */
    for (int32_t i = 0; i < config->groups; i++) {
        double block = 4.0 * C * C + 2.0 * C * config->hidden + 2.0 * tokens * C;
        macs += config->depths[i] * block + body + C * C;
    }
    macs += body;
    double pixels = 1.0;
    for (int32_t i = 0; i < network->stages_count; i++) {
        const swin2sr__stage *stage = &network->stages[i];
        macs += pixels * 9.0 * stage->in_channels * stage->out_channels * stage->shuffle * stage->shuffle;
        pixels *= stage->shuffle * stage->shuffle;
    }
    if (swin2sr__network_has_aux(network))
        macs += pixels * 9.0 * config->channels * config->features;
    return macs;
}
