/* SPDX-License-Identifier: Apache-2.0
 * enlarge/preview.h - a small JPEG of an image whose rows pass by (stage 8 of 9, encode).
 * Each of its pixels is the mean of a square of the image; transparency is laid over white. */
#pragma once

#include "image/image.h"

typedef struct preview {
    image_writer *writer;
    int32_t factor;            /* side of the squares, 1.. */
    int32_t width_px;          /* of the image */
    int32_t colours, channels; /* 1 or 3; with transparency one more */
    int32_t sample_bytes;      /* of the image: 1 or 2 */
    int32_t small_width_px;
    int32_t rows;            /* of the image, in the row of squares that is being summed up */
    image_metadata metadata; /* the profile only */
    uint32_t *sums;
    uint8_t *small_row;
} preview;

/* Whether an image gets a preview: one of at most side_px would be smaller than it. side_px 0: none is asked for. */
bool preview_is_wanted(int32_t width_px, int32_t height_px, int32_t side_px);

/* Begin a preview of an image.
 * side_px   The longer side of the preview is at most this.
 * channels  1..4, of samples of 1 or 2 bytes.
 * icc       Of the image, if it has one; borrowed until preview_done.
 * errors    _NOMEM, and those of image_writer_open. self is the caller's (preview_done), whatever the outcome. */
swin2sr_status preview_open(preview *self, int32_t width_px, int32_t height_px, int32_t channels, int32_t sample_bytes,
                            int32_t side_px, const image_block *icc, image_sink sink, void *context,
                            swin2sr_error *reterr);

/* Add the next row, packed.  errors As image_writer_write. */
swin2sr_status preview_add(preview *self, const void *row, swin2sr_error *reterr);

/* After the last row.  errors As image_writer_finish. */
swin2sr_status preview_finish(preview *self, swin2sr_error *reterr);

void preview_done(preview *self); /* not opened is fine */
