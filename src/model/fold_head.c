/* SPDX-License-Identifier: Apache-2.0
 * model/fold_head.c - the weights of the head's convolutions (stages of network.h). */
#include <string.h>

#include "model/fold_read.h"

/* Outputs, in the file by channel and then by place in the r x r pixels, are turned around, so that the channels of one
 * pixel lie together. */
static swin2sr__layer fold_shuffled(swin2sr__folds *folds, const swin2sr__stage *stage) {
    int32_t channels = stage->out_channels, places = stage->shuffle * stage->shuffle;
    size_t K = 9 * (size_t)stage->in_channels;
    swin2sr__layer file = swin2sr__fold_3x3(folds, stage->name, channels * places, stage->in_channels);
    swin2sr__layer turned = swin2sr__fold_empty(folds, channels * places, 1, stage->in_channels);
    for (int32_t i = 0; turned.bias && i < channels * places; i++) {
        int32_t to = i % places * channels + i / places;
        memcpy(turned.weights + (size_t)to * K, file.weights + (size_t)i * K, K * sizeof *file.weights);
        turned.bias[to] = file.bias[i];
    }
    return turned;
}

/* Half d (0 or 1) of a doubled pixel sees tap k of a convolution at this one of the small plane's three places. */
static int32_t place_of_tap(int32_t d, int32_t k) {
    return (d + k - 1 + 2) / 2; /* floor((d + k - 1) / 2) + 1 */
}

/* A convolution behind a nearest-neighbour doubling reads each small pixel up to twice a side: its taps on one pixel are
 * summed, once for each of the four pixels that it makes. Zero padding is equal in both planes. */
static swin2sr__layer fold_doubled(swin2sr__folds *folds, const swin2sr__stage *stage) {
    int32_t channels = stage->in_channels;
    size_t K = 9 * (size_t)channels;
    swin2sr__layer file = swin2sr__fold_3x3(folds, stage->name, channels, channels);
    swin2sr__layer doubled = swin2sr__fold_empty(folds, 4 * channels, 1, channels);
    for (int32_t i = 0; doubled.bias && i < 4 * channels; i++) {
        int32_t n = i % channels, place = i / channels; /* as fold_shuffled turns them */
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

/* A convolution of the sum of two planes: equal weights for both. */
static swin2sr__layer fold_joined(swin2sr__folds *folds, const swin2sr__stage *stage) {
    size_t K = 9 * (size_t)stage->in_channels;
    swin2sr__layer file = swin2sr__fold_3x3(folds, stage->name, stage->out_channels, stage->in_channels);
    swin2sr__layer twice = swin2sr__fold_empty(folds, stage->out_channels, 2, stage->in_channels);
    for (int32_t i = 0; twice.bias && i < 2 * stage->out_channels; i++)
        memcpy(twice.weights + (size_t)i * K, file.weights + (size_t)(i / 2) * K, K * sizeof *file.weights);
    if (twice.bias)
        memcpy(twice.bias, file.bias, (size_t)stage->out_channels * sizeof *file.bias);
    return twice;
}

swin2sr__layer swin2sr__fold_stage(swin2sr__folds *folds, int32_t index) {
    const swin2sr__stage *stage = &folds->network->stages[index];
    swin2sr__fold_prefix(folds, "%s", "");
    if (stage->kind == SWIN2SR__STAGE_SHUFFLED)
        return fold_shuffled(folds, stage);
    if (stage->kind == SWIN2SR__STAGE_DOUBLED)
        return fold_doubled(folds, stage);
    if (stage->kind == SWIN2SR__STAGE_JOINED)
        return fold_joined(folds, stage);
    return swin2sr__fold_3x3(folds, stage->name, stage->out_channels * stage->shuffle * stage->shuffle,
                             stage->in_channels);
}

swin2sr__layer swin2sr__fold_cubic(swin2sr__folds *folds) {
    const swin2sr__config *config = &folds->network->config;
    swin2sr__fold_prefix(folds, "%s", "");
    return swin2sr__fold_3x3(folds, "conv_bicubic", config->features, config->channels);
}
