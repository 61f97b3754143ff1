/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/types.h - pixels, precisions, padding and callbacks: what the other headers share. */
#ifndef SWIN2SR_TYPES_H
#define SWIN2SR_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

SWIN2SR_BEGIN

/* What one pixel is. Colour is sRGB; channels are interleaved. */
typedef enum swin2sr_pixel {
    SWIN2SR_PIXEL_RGB8 = 0, /* 3 x u8, 0..255 */
    SWIN2SR_PIXEL_GREY8,    /* 1 x u8 */
    SWIN2SR_PIXEL_RGBF32,   /* 3 x float, nominally 0..1; the network's output is not clipped */
    SWIN2SR_PIXEL_GREYF32,  /* 1 x float */
    SWIN2SR_PIXEL_COUNT
} swin2sr_pixel;

/* The bytes of one pixel.
 * pixel    One of the enum; anything else gives 0.
 * returns  3, 1, 12 or 4.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC size_t swin2sr_pixel_bytes(swin2sr_pixel pixel);

typedef enum swin2sr_precision {
    SWIN2SR_PRECISION_AUTO = 0, /* a fixed choice, never a timing; fp32 in this version */
    SWIN2SR_PRECISION_FP32,
    SWIN2SR_PRECISION_BF16, /* inputs of the blocks' products rounded to bf16, all else fp32 */
    SWIN2SR_PRECISION_INT8, /* linear layers on 8 bits with a scale a token and an output, all else fp32 */
    SWIN2SR_PRECISION_COUNT
} swin2sr_precision;

/* How sides that are not a multiple of the window are continued. */
typedef enum swin2sr_pad {
    SWIN2SR_PAD_REFLECT = 0,          /* the network's own: mirrored, edge not repeated, only where needed */
    SWIN2SR_PAD_SYMMETRIC_ALWAYS = 1, /* the published test script's: mirrored, edge repeated, 1..window more pixels */
    SWIN2SR_PAD_COUNT
} swin2sr_pad;

/* Enlarged rows, top to bottom, each exactly once.
 * y, n     First output row and how many.
 * rows     n rows of the output pixel type, stride_bytes apart. Borrowed during the call.
 * returns  SWIN2SR_OK to go on; anything else stops the stream and is returned by swin2sr_stream_push.
 * Called on the thread that pushes. May block; may not call back into the same stream. */
typedef swin2sr_status (*swin2sr_on_rows)(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes);

/* How far a stream is. Called on the pushing thread between layers, at least once a step.
 * done     0..1, never falls.
 * returns  false cancels: swin2sr_stream_push then returns SWIN2SR_CANCELLED. */
typedef bool (*swin2sr_on_progress)(void *context, double done);

SWIN2SR_END
#endif
