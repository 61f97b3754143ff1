/* SPDX-License-Identifier: Apache-2.0
 * kernels/pack.h - the layout of packed weights.
 * Outputs form groups of six; the last groups have four where that avoids padding of an even count: [group][K][6 or 4].
 * All kernels of one number type read the same layout: AVX-512 (64 lanes x 6), AVX2 and NEON (16 x 6) and plain C. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A linear layer or a convolution as the kernels read it; its memory belongs to the network. */
typedef struct swin2sr__linear {
    const float *weights; /* packed */
    const float *bias;    /* [outputs] */
    int32_t inputs;       /* K; for convolutions the call's inputs count instead */
    int32_t outputs;      /* N, padded: swin2sr__pack_outputs */
} swin2sr__linear;

/* The width of the next group if `left` outputs (even, at least 4) remain: 6, or 4 where 6 would leave 2. */
static inline int32_t swin2sr__group_width(int32_t left) {
    return left == 4 || left == 8 ? 4 : 6;
}

/* Outputs rounded up to a number that groups of six and four can make: even, at least 4. */
int32_t swin2sr__pack_outputs(int32_t outputs);
/* Pack weights [outputs][inputs] into inputs * swin2sr__pack_outputs(outputs) floats; padding is 0. */
void swin2sr__pack_linear(float *dst, const float *weights, int32_t outputs, int32_t inputs);
/* Pack weights rounded to bf16, with inputs 2k and 2k + 1 in the low and high half of a word: (inputs + 1) / 2 words
 * per output. */
void swin2sr__pack_linear_bf16(float *dst, const float *weights, int32_t outputs, int32_t inputs);
/* swin2sr__pack_linear of weights rounded to bf16, which stay floats. */
void swin2sr__pack_linear_rounded(float *dst, const float *weights, int32_t outputs, int32_t inputs);
/* Pack weights as int8: w = q * scale with one scale per output. q is in -64..64, so that the sum of two products
 * with bytes fits 16 bits, as AVX2 adds them. Inputs 4k to 4k + 3 share a word, the first in its lowest byte. After
 * the words of a group follow, per output, the integer at which a sum starts, -128 * sum q, which cancels the offset
 * of the activations (kernels.h), and the scale: swin2sr__int8_words(inputs) words per output. */
void swin2sr__pack_linear_int8(float *dst, const float *weights, int32_t outputs, int32_t inputs);

/* Matrix tiles of bf16 (SWIN2SR__TILE outputs x SWIN2SR__TILE words, an output's words side by side, 1 KB), for 16
 * outputs after another. A sum over many words is split into tiles of 16, in order, the last one filled up with zeros:
 * this split is part of the result's bits. Tile i of W words reads the words from swin2sr__tile_start(i, W) on, so that
 * the last one reads no word past the end if there are at least 16. Words that it shares with the tile before it have
 * weights of zero. */
static inline int32_t swin2sr__tile_start(int32_t tile, int32_t words) {
    return words < 16 ? 0 : words < 16 * tile + 16 ? words - 16 : 16 * tile;
}
/* True if tile i uses the word that it reads at place w, 0..15. */
static inline bool swin2sr__tile_uses(int32_t tile, int32_t w, int32_t words) {
    int32_t word = swin2sr__tile_start(tile, words) + w;
    return word >= 16 * tile && word < words;
}

/* A linear layer in such tiles: [outputs / 16][tile]. */
void swin2sr__pack_linear_tiles(float *dst, const float *weights, int32_t outputs, int32_t inputs);
/* A 3x3 convolution in such tiles: [outputs / 16][ky][tile][kx]. The words of all inputs, one input after the other,
 * are one sum for each ky; here tile i reads the words from 16 i on. */
void swin2sr__pack_conv_tiles(float *dst, const float *weights, int32_t outputs, const int32_t *channels,
                              int32_t count);

static inline int32_t swin2sr__int8_words(int32_t inputs) {
    return (inputs + 3) / 4 + 2;
}

/* Pack a 3x3 convolution: weights [outputs][input][ky][c][kx] of `count` inputs with channels[i] channels each. The
 * order is input, ky, word, kx. A word holds `pair` channels, padded with 0 if their number is odd:
 * swin2sr__conv_rows words per output. The first two functions keep floats. */
void swin2sr__pack_conv(float *dst, const float *weights, int32_t outputs, const int32_t *channels, int32_t count);
void swin2sr__pack_conv_rounded(float *dst, const float *weights, int32_t outputs, const int32_t *channels,
                                int32_t count);
void swin2sr__pack_conv_bf16(float *dst, const float *weights, int32_t outputs, const int32_t *channels, int32_t count);
int32_t swin2sr__conv_rows(const int32_t *channels, int32_t count, int32_t pair);

/* Pack a 3x3 convolution for Winograd's F(4, 3) along the columns: four output rows from six input rows take six
 * products instead of twelve, those of polynomials at the points 0, A, -A, B, -B and infinity. The points are exact
 * floats, and the result is about as exact as the plain sum. The order is point, input, channel, kx: twice the
 * words. */
#define SWIN2SR__WINOGRAD_POINTS 6
#define SWIN2SR__WINOGRAD_A 0.625f
#define SWIN2SR__WINOGRAD_B 1.5f
void swin2sr__pack_conv_winograd(float *dst, const float *weights, int32_t outputs, const int32_t *channels,
                                 int32_t count);

/* The bits of a value rounded to the nearest bf16, ties to even: the upper half of a float. */
static inline uint32_t swin2sr__bf16_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}
