/* SPDX-License-Identifier: Apache-2.0
 * enlarge/shrink.h - reduce an image while it is read, and pad it to a square (stage 4 of 9, decode).
 * Each pixel is the mean of the area that it covers, colour weighted by alpha. The image lies at the upper left of the
 * square; the rest is black and, where there is alpha, transparent. */
#pragma once

#include "enlarge/crop.h"

typedef struct shrink {
    crop *source;                /* borrowed */
    image_info info;             /* as the square is seen by who reads it */
    int32_t width_px, height_px; /* of the reduced image, within the square */
    int32_t in_y;                /* rows read so far */
    int32_t y;                   /* rows of the square that were delivered */
    uint8_t *in_row;
    float *line; /* in_row, reduced across */
    float *sums; /* of the row that is being made */
} shrink;

/* errors  _NOMEM. self is the caller's (shrink_done), whatever the outcome. */
swin2sr_status shrink_open(shrink *self, crop *source, int32_t side_px, swin2sr_error *reterr);

/* As image_reader_read, for rows of the square. */
swin2sr_status shrink_read(shrink *self, uint8_t *rows, size_t stride_bytes, int32_t n, swin2sr_error *reterr);

void shrink_done(shrink *self); /* not opened is fine */
