/* SPDX-License-Identifier: Apache-2.0
 * enlarge/bleed.h - give transparent pixels the colours of the visible ones around them (stage 4 of 9, decode).
 * A file may have any colour under alpha 0, often black, and the network would draw its edge into the visible part. Such
 * pixels get the mean of their surroundings, weighted by opacity and nearness, and fade to grey where nothing visible is
 * near. Alpha itself is not changed. Memory grows with the width only. */
#pragma once

#include "image/image.h"

typedef struct bleed {
    /* Reads n rows, as image_reader_read. */
    swin2sr_status (*read)(void *context, void *rows, size_t stride_bytes, int32_t n, swin2sr_error *reterr);
    void *context;
    int32_t width_px, height_px, colours; /* 1 or 3 */
    int32_t sample_bytes;
    int32_t in_y;  /* rows read so far */
    int32_t y;     /* rows delivered so far */
    uint8_t *ring; /* the rows from y on; row y is at y % BLEED_RING_ROWS */
    /* Each [width][colours + 1]: sums of colours times weights, then the sum of the weights. */
    float *above; /* of all rows before y */
    float *line;  /* around the row that is made */
    float *swept; /* line, gathered from left to right */
} bleed;

#define BLEED_RING_ROWS 17 /* a row and those below it that count */

/* info    Of the rows that read delivers; 2 or 4 channels.
 * errors  _NOMEM. self is the caller's (bleed_done), whatever the outcome. */
swin2sr_status bleed_open(bleed *self, const image_info *info, swin2sr_error *reterr);

/* As image_reader_read, with other colours where alpha is small. */
swin2sr_status bleed_read(bleed *self, void *rows, size_t stride_bytes, int32_t n, swin2sr_error *reterr);

void bleed_done(bleed *self); /* not opened is fine */
