/* SPDX-License-Identifier: Apache-2.0
 * upscale/margin.h - a margin of mirrored pixels around the image, cut off the output again (stages 5 and 7 of 9).
 * In: rows of the image.  Out: rows of the image with its margin, for the engine or the tiles; and from theirs, the rows
 * of the enlarged image. Convolutions see zeros beyond the edge of their input, which a network does not fully make up
 * for: flat colours get a border of other values. With the margin this happens in pixels that nobody sees. */
#pragma once

#include "base/memory.h"
#include "engine/engine.h"

/* As wide as a window, so that windows lie on the image as they would without it. JPEG blocks lie there, too. */
static inline int32_t swin2sr__margin_px(swin2sr_pad pad, int32_t window_px) {
    return pad == SWIN2SR_PAD_AROUND ? window_px : 0;
}

typedef struct swin2sr__margin {
    int32_t px;                  /* 0: none, and nothing else is used */
    int32_t width_px, height_px; /* of the image */
    size_t pixel_bytes, stride;
    unsigned char *rows; /* the last px + 1 rows, with their margins: row y is at y % (px + 1) */
    int32_t pushed;
} swin2sr__margin;

/* Takes the rows of the image with its margin. */
typedef swin2sr_status (*swin2sr__margin_push)(void *context, const void *rows, size_t stride_bytes, int32_t n);

/* Lay the rows in memory; called twice, first to measure. */
void swin2sr__margin_lay_out(swin2sr__margin *margin, swin2sr__arena *memory);

/* Take n rows of the image, and push those with the margin that are known by now. errors: _INVALID (too many rows), those
 * of push. */
swin2sr_status swin2sr__margin_take(swin2sr__margin *margin, const void *rows, size_t stride_bytes, int32_t n,
                                    swin2sr__margin_push push, void *context);
