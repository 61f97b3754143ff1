/* SPDX-License-Identifier: Apache-2.0
 * engine/cpu/network.h - a network packed for the kernels; immutable, shared by all engines.
 * Two folds are made here because only the kernels need them: the position bias becomes a table by lanes, and it and
 * the logit scale are multiplied by log2(e), because the kernels compute powers of two. */
#pragma once

#include "engine/engine.h"
#include "kernels/kernels.h"
#include "model/fold.h"

typedef struct swin2sr__cpu_block {
    swin2sr__linear *qkv;               /* [heads], each with K = C and N = 3D: q, k, v of one head */
    swin2sr__attention_head *attention; /* [heads] */
    swin2sr__linear proj, fc1, fc2;
    swin2sr__norm norm1, norm2;
} swin2sr__cpu_block;

/* The first two of three body convolutions: 3x3, activation, 1x1, activation. The last 3x3 follows. */
typedef struct swin2sr__cpu_narrow {
    swin2sr__linear conv, point;
} swin2sr__cpu_narrow;

typedef struct swin2sr__cpu_group {
    swin2sr__cpu_block *blocks; /* [depth] */
    swin2sr__cpu_narrow narrow;
    swin2sr__linear conv;
} swin2sr__cpu_group;

typedef struct swin2sr__cpu_network {
    swin2sr__packed packed;
    const swin2sr__kernels *kernels;
    swin2sr__linear embed;
    swin2sr__norm embed_norm, final_norm;
    swin2sr__cpu_group groups[SWIN2SR__MAX_GROUPS];
    swin2sr__cpu_narrow body_narrow;
    swin2sr__linear after_body; /* its inputs are features, then low-resolution pixels */
    swin2sr__linear cubic;      /* aux head: reads the pixels enlarged bicubically; added before the last stage */
    swin2sr__linear stages[SWIN2SR__MAX_STAGES];
    swin2sr__arena memory;
} swin2sr__cpu_network;

#define SWIN2SR__NARROW_SLOPE 0.2f /* of the narrow part's activations */

swin2sr_status swin2sr__cpu_pack(const swin2sr__network *network, const swin2sr__weights *weights,
                                 const swin2sr_model_options *options, swin2sr__packed **ret_packed,
                                 swin2sr_error *reterr);
void swin2sr__cpu_unpack(swin2sr__packed *packed);
