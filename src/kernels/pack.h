/* SPDX-License-Identifier: Apache-2.0
 * kernels/pack.h - the layout of weights that every kernel reads.
 * Outputs are taken in groups of six, the last ones in groups of four so that an even count needs no padding:
 * [group][K][6 or 4]. One packing serves AVX-512 (64 lanes x 6), AVX2 and NEON (16 x 6) and plain C. */
#ifndef SWIN2SR_KERNELS_PACK_H
#define SWIN2SR_KERNELS_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A linear layer or a convolution as the kernels read it. Borrowed from the model. */
typedef struct swin2sr__linear {
    const float *weights; /* packed */
    const float *bias;    /* [outputs] */
    int32_t inputs;       /* K; convolutions take theirs from the inputs of the call */
    int32_t outputs;      /* N, padded: swin2sr__pack_outputs */
} swin2sr__linear;

/* The width of the next group when `left` outputs (even, at least 4) are left: 6, or 4 where 6 would leave 2. */
static inline int32_t swin2sr__group_width(int32_t left) {
    return left == 4 || left == 8 ? 4 : 6;
}

/* N rounded up to what groups of six and four can make: even, at least 4. */
int32_t swin2sr__pack_outputs(int32_t outputs);
/* weights [outputs][inputs] to dst, inputs * swin2sr__pack_outputs(outputs) floats; padding outputs are zero. */
void swin2sr__pack_linear(float *dst, const float *weights, int32_t outputs, int32_t inputs);
/* The same with weights rounded to bf16, inputs 2k and 2k + 1 in the low and high half of 32 bits: (inputs + 1) / 2
 * words an output. */
void swin2sr__pack_linear_bf16(float *dst, const float *weights, int32_t outputs, int32_t inputs);
/* As swin2sr__pack_linear, each weight rounded to bf16 and kept as a float. */
void swin2sr__pack_linear_rounded(float *dst, const float *weights, int32_t outputs, int32_t inputs);
/* The same in int8: w = q * scale, a scale an output; q is -64..64, so that the products of two weights with bytes fit 16
 * bits together, as AVX2 adds them. Inputs 4k to 4k + 3 share a word, the first in its lowest byte. Behind the words of a
 * group stand, one an output, the whole number that a sum starts with, -128 * sum q, which undoes what is added to every
 * activation (kernels.h), and the scale: swin2sr__int8_words(inputs) words an output. */
void swin2sr__pack_linear_int8(float *dst, const float *weights, int32_t outputs, int32_t inputs);

static inline int32_t swin2sr__int8_words(int32_t inputs) {
    return (inputs + 3) / 4 + 2;
}

/* A 3x3 convolution: weights [outputs][input][ky][c][kx], `count` inputs of so many channels each. Packed by input, ky,
 * word, kx; a word holds `pair` channels, and one more of zeros where their number is odd: swin2sr__conv_rows words an
 * output. The first two keep floats. */
void swin2sr__pack_conv(float *dst, const float *weights, int32_t outputs, const int32_t *channels, int32_t count);
void swin2sr__pack_conv_rounded(float *dst, const float *weights, int32_t outputs, const int32_t *channels,
                                int32_t count);
void swin2sr__pack_conv_bf16(float *dst, const float *weights, int32_t outputs, const int32_t *channels, int32_t count);
int32_t swin2sr__conv_rows(const int32_t *channels, int32_t count, int32_t pair);

/* The same for Winograd's F(4, 3) down the columns: four rows of outputs from six rows of inputs cost six products
 * instead of twelve, those of polynomials at six points: 0, A, -A, B, -B and infinity. These points are exact in float,
 * and with them the result is about as exact as the plain sum. Packed by point, input, channel, kx: twice the words. */
#define SWIN2SR__WINOGRAD_POINTS 6
#define SWIN2SR__WINOGRAD_A 0.625f
#define SWIN2SR__WINOGRAD_B 1.5f
void swin2sr__pack_conv_winograd(float *dst, const float *weights, int32_t outputs, const int32_t *channels,
                                 int32_t count);

/* value rounded to the nearest bf16, ties to even: the upper half of a float's bits. */
static inline uint32_t swin2sr__bf16_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

#endif
