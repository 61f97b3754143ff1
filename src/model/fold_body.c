/* SPDX-License-Identifier: Apache-2.0
 * model/fold_body.c - the convolutions around the blocks: the embedding, each group's, the body's. */
#include <string.h>

#include "model/fold_read.h"

/* A 3x3 convolution followed by a 1x1 of C to C channels, as one. */
static swin2sr__layer fold_3x3_then_1x1(swin2sr__folds *folds, const char *conv, int32_t channels, const char *one) {
    int32_t C = folds->network->config.dim, K = 9 * channels;
    swin2sr__layer first = swin2sr__fold_3x3(folds, conv, C, channels);
    swin2sr__layer second = swin2sr__fold_1x1(folds, one, C, C);
    swin2sr__layer both = swin2sr__fold_empty(folds, C, 1, channels);
    if (!both.bias)
        return both;
    swin2sr__fold_multiply(both.weights, second.weights, first.weights, C, C, K);
    swin2sr__fold_multiply(both.bias, second.weights, first.bias, C, C, 1);
    for (int32_t n = 0; n < C; n++)
        both.bias[n] += second.bias[n];
    return both;
}

swin2sr__layer swin2sr__fold_embed(swin2sr__folds *folds) {
    swin2sr__fold_prefix(folds, "%s", "");
    return fold_3x3_then_1x1(folds, "conv_first", folds->network->config.channels, "patch_embed.proj");
}

swin2sr__norm swin2sr__fold_embed_norm(swin2sr__folds *folds) {
    swin2sr__fold_prefix(folds, "%s", "");
    return swin2sr__fold_norm(folds, "patch_embed.norm");
}

swin2sr__norm swin2sr__fold_final_norm(swin2sr__folds *folds) {
    swin2sr__fold_prefix(folds, "%s", "");
    return swin2sr__fold_norm(folds, "norm");
}

swin2sr__layer swin2sr__fold_group_conv(swin2sr__folds *folds, int32_t group) {
    int32_t narrow = swin2sr__network_narrow(folds->network);
    swin2sr__fold_prefix(folds, "layers.%d.", group);
    return fold_3x3_then_1x1(folds, narrow ? "conv.4" : "conv", narrow ? narrow : folds->network->config.dim,
                             "patch_embed.proj");
}

static void set_narrow_prefix(swin2sr__folds *folds, int32_t group) {
    if (group < folds->network->config.groups)
        swin2sr__fold_prefix(folds, "layers.%d.conv.", group);
    else
        swin2sr__fold_prefix(folds, "conv_after_body.");
}

swin2sr__layer swin2sr__fold_narrow_conv(swin2sr__folds *folds, int32_t group) {
    set_narrow_prefix(folds, group);
    return swin2sr__fold_3x3(folds, "0", swin2sr__network_narrow(folds->network), folds->network->config.dim);
}

swin2sr__layer swin2sr__fold_narrow_point(swin2sr__folds *folds, int32_t group) {
    int32_t channels = swin2sr__network_narrow(folds->network);
    set_narrow_prefix(folds, group);
    return swin2sr__fold_1x1(folds, "2", channels, channels);
}

/* conv_after_body, or the last of its three, with conv_first as a second plane: their sum is the long skip. */
swin2sr__layer swin2sr__fold_after_body(swin2sr__folds *folds) {
    const swin2sr__config *config = &folds->network->config;
    int32_t C = config->dim, narrow = swin2sr__network_narrow(folds->network), channels = narrow ? narrow : C;
    size_t K1 = 9 * (size_t)channels, K2 = 9 * (size_t)config->channels;
    swin2sr__fold_prefix(folds, "%s", "");
    swin2sr__layer after = swin2sr__fold_3x3(folds, narrow ? "conv_after_body.4" : "conv_after_body", C, channels);
    swin2sr__layer first = swin2sr__fold_3x3(folds, "conv_first", C, config->channels);
    swin2sr__layer both = {.outputs = C, .planes = 2, .channels = {channels, config->channels}};
    both.weights = swin2sr__fold_scratch(folds, (size_t)C * (K1 + K2), sizeof *both.weights);
    both.bias = swin2sr__fold_scratch(folds, (size_t)C, sizeof *both.bias);
    for (size_t n = 0; both.bias && n < (size_t)C; n++) {
        memcpy(both.weights + n * (K1 + K2), after.weights + n * K1, K1 * sizeof *after.weights);
        memcpy(both.weights + n * (K1 + K2) + K1, first.weights + n * K2, K2 * sizeof *first.weights);
        both.bias[n] = after.bias[n] + first.bias[n];
    }
    return both;
}
