/* SPDX-License-Identifier: Apache-2.0
 * model/network.h - the layers of a network and their shapes, without weights.
 * In: a config.  Out: what a device needs to plan memory and work. fold.h gives the weights of each layer. */
#pragma once

#include "model/config.h"
#include <swin2sr/types.h>

#define SWIN2SR__MAX_STAGES 8
#define SWIN2SR__AUX_STAGE 1 /* of the aux head: its output is the second image */

/* How the weights of a stage are made from the convolution in the file (fold.c). */
typedef enum swin2sr__stage_kind {
    SWIN2SR__STAGE_PLAIN = 0,
    SWIN2SR__STAGE_SHUFFLED, /* before a pixel shuffle inside the head */
    SWIN2SR__STAGE_DOUBLED,  /* after a nearest-neighbour doubling, which becomes a shuffle by 2 after the stage */
    SWIN2SR__STAGE_JOINED    /* reads the sum of two planes */
} swin2sr__stage_kind;

/* One convolution of the head: 3x3, activation, pixel shuffle by `shuffle`. Inside the head the outputs are ordered by
 * place in the shuffled pixel, then by channel; those of the last stage by channel, then by place. */
typedef struct swin2sr__stage {
    char name[24]; /* of its tensors, without ".weight" */
    swin2sr__stage_kind kind;
    int32_t in_channels;
    int32_t out_channels; /* after the shuffle */
    int32_t shuffle;      /* 1: none */
    float slope;          /* of the activation for negative values; 1: none */
} swin2sr__stage;

typedef struct swin2sr__network {
    swin2sr__config config;
    swin2sr__stage stages[SWIN2SR__MAX_STAGES];
    int32_t stages_count;
    float mean[3]; /* subtracted from input pixels, added to output pixels */
} swin2sr__network;

/* config  Checked: swin2sr__config_check. */
swin2sr__network swin2sr__network_of(const swin2sr__config *config);

/* Multiply-adds for one padded low-resolution pixel. */
double swin2sr__network_macs_per_pixel(const swin2sr__network *network);

/* The length of a side after padding to whole windows. */
int32_t swin2sr__network_padded(const swin2sr__network *network, int32_t side_px, swin2sr_pad pad);

/* True if the network has a second output, of the input's size. */
static inline bool swin2sr__network_has_aux(const swin2sr__network *network) {
    return network->config.head == SWIN2SR__HEAD_PIXELSHUFFLE_AUX;
}

/* Channels of the narrow part of a body convolution (3x3, activation, 1x1, activation; a 3x3 follows); 0: the body has
 * single convolutions. */
static inline int32_t swin2sr__network_narrow(const swin2sr__network *network) {
    return network->config.is_triple ? network->config.dim / 4 : 0;
}

/* True if the windows of this block of a group are shifted by half a window. */
static inline bool swin2sr__network_is_shifted(int32_t block) {
    return block % 2 == 1;
}
