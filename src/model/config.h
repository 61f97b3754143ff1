/* SPDX-License-Identifier: Apache-2.0
 * model/config.h - the shape of a Swin2SR network.
 * It is taken from the metadata key "config" of a safetensors file, else from config.json, else from the tensors'
 * shapes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <swin2sr/status.h>

typedef enum swin2sr__head {
    SWIN2SR__HEAD_NONE = 0, /* JPEG restoration: scale 1; the output is added to the input */
    SWIN2SR__HEAD_PIXELSHUFFLEDIRECT,
    SWIN2SR__HEAD_PIXELSHUFFLE,
    SWIN2SR__HEAD_NEAREST_CONV,
    SWIN2SR__HEAD_PIXELSHUFFLE_AUX,
    SWIN2SR__HEAD_COUNT
} swin2sr__head;

#define SWIN2SR__MAX_GROUPS 32
#define SWIN2SR__MAX_DEPTH 32

typedef struct swin2sr__config {
    swin2sr__head head;
    int32_t scale;     /* 1, 2, 3, 4, 8 */
    int32_t channels;  /* 1 or 3 */
    int32_t dim;       /* C: 2..1024 */
    int32_t heads;     /* A, equal in all groups; divides C */
    int32_t window_px; /* ws: 2..16 */
    int32_t hidden;    /* of the MLP: C x ratio */
    int32_t features;  /* channels of the convolutions in the head, 64; 0 for direct and none */
    int32_t groups;
    int32_t depths[SWIN2SR__MAX_GROUPS]; /* blocks in each group */
    float img_range;                     /* 1 or 255 */
    bool is_triple;                      /* each body convolution is three, with a narrow middle */
} swin2sr__config;

/* "pixelshuffledirect", ..., "" for none. */
const char *swin2sr__head_name(swin2sr__head head);

/* Read a config text: the arguments of the reference's Swin2SR() with its defaults, or a Hugging Face config.json.
 * errors  _MODEL with a detail that names the key, _NOMEM. */
swin2sr_status swin2sr__config_parse(const char *json, swin2sr__config *ret_config, swin2sr_error *reterr);

/* Check that every value is within its bounds and fits the others.  errors: _MODEL, naming the value. */
swin2sr_status swin2sr__config_check(const swin2sr__config *config, swin2sr_error *reterr);

/* Check that a config declared by a text agrees with the one found in the tensors. The range is not compared, because
 * tensors do not show it; nor is the window when it is 0 in found.  errors: _MODEL, naming both values. */
swin2sr_status swin2sr__config_match(const swin2sr__config *declared, const swin2sr__config *found,
                                     swin2sr_error *reterr);
