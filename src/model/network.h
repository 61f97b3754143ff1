/* SPDX-License-Identifier: Apache-2.0
 * model/network.h - a network ready to run: weights folded and packed for the kernels.
 * In: float tensors (weights.h).  Out: what the engine reads; immutable, shared by all streams.
 * The exact folds (engine.md, decision 4): position-bias table, log2(e), logit scale, v bias into the projection bias,
 * LayerNorm centring into the linear layer before it, a group's 1x1 into its 3x3, a nearest doubling into the convolution
 * behind it, and the first convolution into conv_after_body, which reads the low-resolution pixels as a second input: so
 * the long skip needs no feature ring. */
#ifndef SWIN2SR_MODEL_NETWORK_H
#define SWIN2SR_MODEL_NETWORK_H

#include "base/memory.h"
#include "kernels/kernels.h"
#include "model/config.h"
#include "model/weights.h"

typedef struct swin2sr__norm {
    const float *gamma; /* [C] */
    const float *beta;  /* [C] */
} swin2sr__norm;

typedef struct swin2sr__block {
    swin2sr__linear *qkv;               /* [heads]: K = C, N = 3D: q, k, v of one head */
    swin2sr__attention_head *attention; /* [heads] */
    swin2sr__linear proj, fc1, fc2;
    swin2sr__norm norm1, norm2;
    bool is_shifted;
} swin2sr__block;

/* The narrow part of three body convolutions: 3x3, activation, 1x1, activation. The last 3x3 follows. */
typedef struct swin2sr__narrow {
    swin2sr__linear conv, point;
    int32_t channels; /* C / 4; 0: this network has one body convolution */
    float slope;
} swin2sr__narrow;

typedef struct swin2sr__group {
    swin2sr__block *blocks; /* [depth] */
    int32_t depth;
    swin2sr__narrow narrow;
    swin2sr__linear conv; /* 3x3 with the 1x1 folded in; reads the narrow part's output where there is one */
} swin2sr__group;

/* One convolution of the head: 3x3, activation, pixel shuffle by `shuffle`. Inside the head outputs lie by place in the
 * shuffled pixel, then by channel; those of the last stage by channel, then by place. A convolution behind a nearest doubling is
 * one that makes the four pixels of a doubled one at once, and a shuffle by 2. */
typedef struct swin2sr__stage {
    swin2sr__linear conv;
    int32_t in_channels;
    int32_t out_channels; /* after the shuffle */
    int32_t shuffle;      /* 1: none */
    float slope;          /* of the activation for negative values; 1: none */
} swin2sr__stage;

#define SWIN2SR__MAX_STAGES 8
#define SWIN2SR__AUX_STAGE 1 /* of the aux head: its output is the second image */

typedef struct swin2sr__network {
    swin2sr__config config;
    const swin2sr__kernels *kernels;
    swin2sr__linear embed; /* conv_first and the embedding's 1x1 */
    swin2sr__norm embed_norm, final_norm;
    swin2sr__group groups[SWIN2SR__MAX_GROUPS];
    swin2sr__narrow body_narrow;
    swin2sr__linear after_body; /* inputs: features, then low-resolution pixels */
    swin2sr__linear cubic;      /* aux head: of the pixels enlarged by a bicubic, added before the last stage */
    swin2sr__stage stages[SWIN2SR__MAX_STAGES];
    int32_t stages_count;
    float mean[3];
    swin2sr__arena memory;
} swin2sr__network;

/* Fold and pack. errors: _MODEL, _UNSUPPORTED, _NOMEM; ret_network needs _done only after success. */
swin2sr_status swin2sr__network_init(const swin2sr__weights *weights, const swin2sr__kernels *kernels,
                                     swin2sr__network *ret_network, swin2sr_error *reterr);
void swin2sr__network_done(swin2sr__network *network);

/* Multiply-adds for one padded low-resolution pixel. */
double swin2sr__network_macs_per_pixel(const swin2sr__network *network);

/* Has it a second output, of the input's size? */
static inline bool swin2sr__network_has_aux(const swin2sr__network *network) {
    return network->config.head == SWIN2SR__HEAD_PIXELSHUFFLE_AUX;
}

/* Do features lie in tiles of 4x4 pixels? Only windows of 8 are made of them; others lie in plain rows. */
static inline bool swin2sr__network_is_tiled(const swin2sr__network *network) {
    return network->config.window_px == 8;
}

/* The network inside a model. */
const swin2sr__network *swin2sr__model_network(const swin2sr_model *model);

#endif
