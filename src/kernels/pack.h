/* SPDX-License-Identifier: Apache-2.0
 * kernels/pack.h - the layout of weights that every kernel reads.
 * Outputs are taken in groups of six, the last ones in groups of four so that an even count needs no padding:
 * [group][K][6 or 4]. One packing serves AVX-512 (64 lanes x 6), AVX2 and NEON (16 x 6) and plain C. */
#ifndef SWIN2SR_KERNELS_PACK_H
#define SWIN2SR_KERNELS_PACK_H

#include <stddef.h>
#include <stdint.h>

/* A linear layer or a convolution as the kernels read it. Borrowed from the model. */
typedef struct swin2sr__linear {
    const float *weights; /* packed */
    const float *bias;    /* [outputs] */
    int32_t inputs;       /* K */
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

#endif
