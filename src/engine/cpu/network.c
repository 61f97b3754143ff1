/* SPDX-License-Identifier: Apache-2.0
 * engine/cpu/network.c - pack a network for the kernels, once, when a model is opened.
 * The same walk over the layers runs twice: to count the arena, and to fold and pack each layer into it. A failure
 * stays in the folds, and the rest of the walk then has no effect. */
#include "engine/cpu/network.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "kernels/automatic.h"

#define MAX_WINDOW_PX 8 /* which has 64 tokens, one for each lane of the kernels */

typedef struct packer {
    swin2sr__cpu_network *network;
    swin2sr__folds folds;
} packer;

/* Take memory for a layer's packed weights and copy its bias. */
static swin2sr__linear take_room(packer *p, const swin2sr__layer *layer, int32_t inputs, size_t floats,
                                 float **ret_packed) {
    int32_t padded = swin2sr__pack_outputs(layer->outputs);
    float *packed = swin2sr__arena_take(&p->network->memory, floats, sizeof *packed);
    float *bias = swin2sr__arena_take(&p->network->memory, (size_t)padded, sizeof *bias);
    if (layer->bias)
        memcpy(bias, layer->bias, (size_t)layer->outputs * sizeof *bias);
    *ret_packed = packed;
    return (swin2sr__linear){.weights = packed, .bias = bias, .inputs = inputs, .outputs = padded};
}

/* Pack a linear layer in the number type of the kernels. */
static swin2sr__linear pack_linear(packer *p, swin2sr__layer layer) {
    const swin2sr__kernels *kernels = p->network->kernels;
    int32_t inputs = layer.channels[0];
    float *packed;
    swin2sr__linear linear =
        take_room(p, &layer, inputs, swin2sr__linear_floats(kernels, layer.outputs, inputs), &packed);
    if (layer.weights)
        kernels->pack_linear(packed, layer.weights, layer.outputs, inputs);
    return linear;
}

/* Pack a convolution in the number type of the kernels. */
static swin2sr__linear pack_conv(packer *p, swin2sr__layer layer) {
    const swin2sr__kernels *kernels = p->network->kernels;
    float *packed;
    swin2sr__linear linear =
        take_room(p, &layer, swin2sr__conv_rows(layer.channels, layer.planes, 1),
                  swin2sr__conv_floats(kernels, layer.outputs, layer.channels, layer.planes), &packed);
    if (layer.weights)
        kernels->pack_conv(packed, layer.weights, layer.outputs, layer.channels, layer.planes);
    return linear;
}

/* Pack a convolution of pixels, which is always in floats. */
static swin2sr__linear pack_pixel_conv(packer *p, swin2sr__layer layer) {
    int32_t inputs = 9 * layer.channels[0];
    float *packed;
    size_t floats = (size_t)swin2sr__pack_outputs(layer.outputs) * (size_t)inputs;
    swin2sr__linear linear = take_room(p, &layer, inputs, floats, &packed);
    if (layer.weights)
        swin2sr__pack_conv(packed, layer.weights, layer.outputs, layer.channels, 1);
    return linear;
}

/* The convolution after the body also reads pixels. If a word holds two values, a pixel is their sum (input.c), so both
 * get the weights of the pixel. */
static swin2sr__linear pack_after_body(packer *p) {
    swin2sr__layer layer = swin2sr__fold_after_body(&p->folds);
    if (p->network->kernels->pair == 1)
        return pack_conv(p, layer);
    int32_t channels = layer.channels[1], K1 = 9 * layer.channels[0], K2 = 9 * channels;
    float *weights = layer.weights ? calloc((size_t)layer.outputs * (size_t)(K1 + 2 * K2), sizeof *weights) : NULL;
    if (layer.weights && !weights)
        p->folds.status = swin2sr__error_set(p->folds.reterr, SWIN2SR_NOMEM, "no memory to prepare the weights");
    for (int32_t n = 0; weights && n < layer.outputs; n++) {
        const float *from = layer.weights + (size_t)n * (size_t)(K1 + K2);
        float *to = weights + (size_t)n * (size_t)(K1 + 2 * K2);
        memcpy(to, from, (size_t)K1 * sizeof *to);
        for (int32_t i = 0; i < 6 * channels; i++) /* [ky][c]: three weights each, two times */
            memcpy(to + K1 + 3 * i, from + K1 + 3 * (i / 2), 3 * sizeof *to);
    }
    layer.weights = weights;
    layer.channels[1] = 2 * channels;
    swin2sr__linear linear = pack_conv(p, layer);
    free(weights);
    return linear;
}

static swin2sr__norm pack_norm(packer *p, swin2sr__norm norm) {
    size_t C = (size_t)p->folds.network->config.dim;
    float *gamma = swin2sr__arena_take(&p->network->memory, C, sizeof *gamma);
    float *beta = swin2sr__arena_take(&p->network->memory, C, sizeof *beta);
    if (norm.gamma && norm.beta) {
        memcpy(gamma, norm.gamma, C * sizeof *gamma);
        memcpy(beta, norm.beta, C * sizeof *beta);
    }
    return (swin2sr__norm){gamma, beta};
}

/* Row and column of the token in a lane. A window of 8 is four cells of 4x4; other windows are in reading order. */
static void token_place(int32_t lane, int32_t ws, int32_t *ret_y, int32_t *ret_x) {
    if (ws == 8) {
        *ret_y = lane / 32 * 4 + lane % 16 / 4;
        *ret_x = lane / 16 % 2 * 4 + lane % 4;
    } else {
        *ret_y = lane / ws;
        *ret_x = lane % ws;
    }
}

/* The bias table [keys][64] of one head by key and query lane, scaled for exp2; lanes without a token keep 0. Lowering
 * all logits by 8 does not change a softmax (see kernels.h). */
static void fill_bias_table(float *table, const double *position, int32_t keys, int32_t ws) {
    int32_t side = 2 * ws - 1;
    for (int32_t key = 0; key < keys && key < ws * ws; key++) {
        for (int32_t query = 0; query < ws * ws; query++) {
            int32_t ky, kx, qy, qx;
            token_place(key, ws, &ky, &kx);
            token_place(query, ws, &qy, &qx);
            double value = position[(qy - ky + ws - 1) * side + qx - kx + ws - 1];
            table[key * SWIN2SR__LANES + query] = (float)((value - 8.0) * (double)SWIN2SR__LOG2E);
        }
    }
}

static void pack_heads(packer *p, swin2sr__cpu_block *block, swin2sr__attention attention) {
    const swin2sr__config *config = &p->folds.network->config;
    int32_t C = config->dim, A = config->heads, D = C / A, ws = config->window_px, side = 2 * ws - 1;
    int32_t keys = (ws * ws + 1) / 2 * 2;
    bool is_reading = attention.qkv.weights && attention.position && attention.scale;
    for (int32_t a = 0; a < A; a++) {
        swin2sr__layer qkv = {.outputs = 3 * D, .planes = 1, .channels = {C}};
        if (is_reading) {
            qkv.weights = attention.qkv.weights + (size_t)(a * 3 * D) * (size_t)C;
            qkv.bias = attention.qkv.bias + a * 3 * D;
        }
        swin2sr__linear packed = pack_linear(p, qkv);
        float *table = swin2sr__arena_take(&p->network->memory, (size_t)keys * SWIN2SR__LANES, sizeof *table);
        if (!is_reading)
            continue;
        fill_bias_table(table, attention.position + a * side * side, keys, ws);
        block->qkv[a] = packed;
        block->attention[a] = (swin2sr__attention_head){.bias = table,
                                                        .scale = attention.scale[a] * SWIN2SR__LOG2E,
                                                        .has_max_pass = attention.scale[a] > SWIN2SR__SCALE_WITHOUT_MAX,
                                                        .dim = D,
                                                        .keys = keys};
    }
}

static void pack_block(packer *p, int32_t group, int32_t index, swin2sr__cpu_block *ret_block) {
    swin2sr__folds *folds = &p->folds;
    size_t heads = (size_t)folds->network->config.heads;
    swin2sr__cpu_block block;
    block.qkv = swin2sr__arena_take(&p->network->memory, heads, sizeof *block.qkv);
    block.attention = swin2sr__arena_take(&p->network->memory, heads, sizeof *block.attention);
    pack_heads(p, &block, swin2sr__fold_attention(folds, group, index));
    block.proj = pack_linear(p, swin2sr__fold_block_linear(folds, group, index, 0));
    block.norm1 = pack_norm(p, swin2sr__fold_block_norm(folds, group, index, 1));
    block.fc1 = pack_linear(p, swin2sr__fold_block_linear(folds, group, index, 1));
    block.fc2 = pack_linear(p, swin2sr__fold_block_linear(folds, group, index, 2));
    block.norm2 = pack_norm(p, swin2sr__fold_block_norm(folds, group, index, 2));
    if (ret_block)
        *ret_block = block;
}

static swin2sr__cpu_narrow pack_narrow(packer *p, int32_t group) {
    swin2sr__cpu_narrow narrow = {0};
    if (swin2sr__network_narrow(p->folds.network)) {
        narrow.conv = pack_conv(p, swin2sr__fold_narrow_conv(&p->folds, group));
        narrow.point = pack_linear(p, swin2sr__fold_narrow_point(&p->folds, group));
    }
    return narrow;
}

static void pack_layers(packer *p) {
    const swin2sr__network *network = p->folds.network;
    swin2sr__cpu_network *packed = p->network;
    packed->embed = pack_pixel_conv(p, swin2sr__fold_embed(&p->folds));
    packed->embed_norm = pack_norm(p, swin2sr__fold_embed_norm(&p->folds));
    for (int32_t g = 0; g < network->config.groups; g++) {
        swin2sr__cpu_group *group = &packed->groups[g];
        int32_t depth = network->config.depths[g];
        group->blocks = swin2sr__arena_take(&packed->memory, (size_t)depth, sizeof *group->blocks);
        for (int32_t b = 0; b < depth; b++)
            pack_block(p, g, b, group->blocks ? &group->blocks[b] : NULL);
        group->narrow = pack_narrow(p, g);
        group->conv = pack_conv(p, swin2sr__fold_group_conv(&p->folds, g));
    }
    packed->final_norm = pack_norm(p, swin2sr__fold_final_norm(&p->folds));
    packed->body_narrow = pack_narrow(p, network->config.groups);
    packed->after_body = pack_after_body(p);
    for (int32_t i = 0; i < network->stages_count; i++)
        packed->stages[i] = pack_conv(p, swin2sr__fold_stage(&p->folds, i));
    if (swin2sr__network_has_aux(network))
        packed->cubic = pack_pixel_conv(p, swin2sr__fold_cubic(&p->folds));
}

static swin2sr_status check_supported(const swin2sr__config *config, swin2sr_error *reterr) {
    int32_t D = config->dim / config->heads;
    if (config->window_px > MAX_WINDOW_PX)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "window %d: this version supports at most %d",
                                  config->window_px, MAX_WINDOW_PX);
    if (D < 4 || D % 2)
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "head size %d: must be even and at least 4", D);
    return SWIN2SR_OK;
}

void swin2sr__cpu_unpack(swin2sr__packed *packed) {
    swin2sr__cpu_network *network = (swin2sr__cpu_network *)packed;
    swin2sr__arena_done(&network->memory);
    free(network);
}

swin2sr_status swin2sr__cpu_pack(const swin2sr__network *network, const swin2sr__weights *weights,
                                 const swin2sr_model_options *options, swin2sr__packed **ret_packed,
                                 swin2sr_error *reterr) {
    const swin2sr__kernels *kernels = NULL;
    swin2sr_precision precision = options->precision;
    if (precision == SWIN2SR_PRECISION_AUTO && !options->is_plain)
        precision = swin2sr__auto_precision(network->config.dim, network->config.heads, network->config.window_px);
    swin2sr_status status = swin2sr__kernels_choose(precision, options->is_plain, &kernels, reterr);
    if (status == SWIN2SR_OK)
        status = check_supported(&network->config, reterr);
    if (status != SWIN2SR_OK)
        return status;
    swin2sr__cpu_network *packed = calloc(1, sizeof *packed);
    if (!packed)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for a network");
    packed->kernels = kernels;
    packed->packed =
        (swin2sr__packed){.network = *network,
                          .precision = kernels->precision,
                          .kernels = kernels->name,
                          .kernels_note = precision == SWIN2SR_PRECISION_FP16 ? "the CPU has no fp16; fp32 is used"
                                          : options->is_plain                 ? ""
                                                              : swin2sr__kernels_note(kernels->precision)};
    packer p = {.network = packed, .folds = {.network = network, .reterr = reterr}};
    pack_layers(&p);
    packed->packed.bytes = packed->memory.used;
    if (!swin2sr__arena_allocate(&packed->memory)) {
        status = swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for %zu bytes of weights", packed->packed.bytes);
    } else {
        p.folds.weights = weights;
        pack_layers(&p);
        swin2sr__folds_drop(&p.folds);
        status = p.folds.status;
    }
    if (status == SWIN2SR_OK)
        *ret_packed = &packed->packed;
    else
        swin2sr__cpu_unpack(&packed->packed);
    return status;
}
