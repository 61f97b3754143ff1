/* SPDX-License-Identifier: Apache-2.0
 * model/fold.h - the weights of each layer as plain floats, ready for a device to pack.
 * In: tensors of a weight file (weights.h).  Out: one layer at a time, in memory that lasts until the next fold.
 * Folds, all exact: the v bias into the projection's bias, the mean that LayerNorm subtracts into the linear layer
 * before it, a group's 1x1 into its 3x3, a nearest-neighbour doubling into the convolution after it, and the first
 * convolution into conv_after_body, which reads the low-resolution pixels as a second input, so that the long skip
 * keeps no features. */
#pragma once

#include "model/network.h"
#include "model/weights.h"

#define SWIN2SR__MAX_SCRATCH 16

/* Without weights every fold returns shapes and NULL pointers, so that a device can measure first. After the first
 * failure all folds return NULL, and status is the error. */
typedef struct swin2sr__folds {
    const swin2sr__network *network;
    const swin2sr__weights *weights; /* NULL: shapes only */
    swin2sr_status status;
    swin2sr_error *reterr;
    void *scratch[SWIN2SR__MAX_SCRATCH];
    int scratch_count;
    char prefix[96]; /* of tensor names: "layers.0.residual_group.blocks.1." */
} swin2sr__folds;

/* A linear layer [outputs][inputs], or a 3x3 convolution [outputs][plane][ky][c][kx] of one or two planes. */
typedef struct swin2sr__layer {
    float *weights;
    float *bias; /* [outputs] */
    int32_t outputs;
    int32_t planes;
    int32_t channels[2]; /* of each plane; for a linear layer, inputs */
} swin2sr__layer;

typedef struct swin2sr__norm {
    const float *gamma; /* [C] */
    const float *beta;  /* [C] */
} swin2sr__norm;

/* The attention of one block. D is the size of a head, ws the window. */
typedef struct swin2sr__attention {
    swin2sr__layer qkv;     /* outputs [heads][q, k, v][D] */
    const float *scale;     /* [heads], of the cosine: exp(min(logit_scale, log 100)) */
    const double *position; /* [heads][2ws-1][2ws-1], by rows and columns from key to query: 16 sigmoid(cpb) */
} swin2sr__attention;

/* The embedding, which reads pixels: conv_first and the 1x1 after it. */
swin2sr__layer swin2sr__fold_embed(swin2sr__folds *folds);
swin2sr__norm swin2sr__fold_embed_norm(swin2sr__folds *folds);

swin2sr__attention swin2sr__fold_attention(swin2sr__folds *folds, int32_t group, int32_t block);
/* index  0: the projection of the attention; 1 and 2: the layers of the MLP. */
swin2sr__layer swin2sr__fold_block_linear(swin2sr__folds *folds, int32_t group, int32_t block, int index);
/* index  1: after the attention; 2: after the MLP. */
swin2sr__norm swin2sr__fold_block_norm(swin2sr__folds *folds, int32_t group, int32_t block, int index);

/* The convolution of a group with its 1x1 folded in. If there is a narrow part, it reads the output of that part. */
swin2sr__layer swin2sr__fold_group_conv(swin2sr__folds *folds, int32_t group);
/* The narrow part of a group, or of the body if group is the number of groups: its 3x3, and its 1x1. */
swin2sr__layer swin2sr__fold_narrow_conv(swin2sr__folds *folds, int32_t group);
swin2sr__layer swin2sr__fold_narrow_point(swin2sr__folds *folds, int32_t group);
swin2sr__norm swin2sr__fold_final_norm(swin2sr__folds *folds);
/* Planes: features, then low-resolution pixels. */
swin2sr__layer swin2sr__fold_after_body(swin2sr__folds *folds);

swin2sr__layer swin2sr__fold_stage(swin2sr__folds *folds, int32_t stage);
/* The convolution of the aux head that reads the pixels enlarged by bicubic interpolation; its output is added before
 * the last stage. */
swin2sr__layer swin2sr__fold_cubic(swin2sr__folds *folds);

/* Free what the last fold returned. Every fold does this first. */
void swin2sr__folds_drop(swin2sr__folds *folds);
