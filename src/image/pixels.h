/* SPDX-License-Identifier: Apache-2.0
 * image/pixels.h - readers and writers of pixels in memory, for who has no file (stages 4 and 8 of 9). */
#pragma once

#include "image/image.h"

typedef struct image_pixels {
    uint8_t *data; /* 8-bit samples; borrowed until the reader or writer is closed */
    size_t stride_bytes;
    int32_t width_px, height_px, channels; /* 3 or 4 */
} image_pixels;

/* A reader of these rows.  errors  _NOMEM. */
swin2sr_status image_pixels_read(const image_pixels *pixels, image_reader **ret_reader, swin2sr_error *reterr);

/* A writer that puts its rows there.  errors  _NOMEM. */
swin2sr_status image_pixels_write(const image_pixels *pixels, image_writer **ret_writer, swin2sr_error *reterr);
