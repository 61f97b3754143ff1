/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/types.h - types that several of the other headers use: pixels, precisions, padding, callbacks. */
#ifndef SWIN2SR_TYPES_H
#define SWIN2SR_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

SWIN2SR_BEGIN

/* The format of one pixel: sRGB, with interleaved channels.
 * A model with three channels takes and returns all of these: grey goes through it as three equal channels, and comes out
 * as their mean. Alpha is enlarged beside the colours, by bicubic interpolation; where only the output has it, it is 255.
 * The colours of transparent pixels are used like all others. A model with one channel takes and returns grey alone. */
typedef enum swin2sr_pixel {
    SWIN2SR_PIXEL_RGB8 = 0, /* 3 x u8, 0..255 */
    SWIN2SR_PIXEL_GREY8,    /* 1 x u8 */
    SWIN2SR_PIXEL_RGBF32,   /* 3 x float, nominally 0..1; output is not clipped to that range */
    SWIN2SR_PIXEL_GREYF32,  /* 1 x float */
    SWIN2SR_PIXEL_RGBA8,    /* 4 x u8; the colours are not multiplied by alpha. since 0.1 */
    SWIN2SR_PIXEL_BGRA8,    /* 4 x u8: blue, green, red, alpha, as windows and many libraries have it. since 0.1 */
    SWIN2SR_PIXEL_COUNT
} swin2sr_pixel;

/* The size of one pixel in bytes.
 * pixel    Any value.
 * returns  3, 1, 12, 4, 4 or 4; 0 for a value that is not in the enum.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC size_t swin2sr_pixel_bytes(swin2sr_pixel pixel);

/* The arithmetic of a network. What a line does not mention is fp32. */
typedef enum swin2sr_precision {
    SWIN2SR_PRECISION_AUTO = 0, /* by a fixed table of processor level and network shape: what was measured to be
                                   faster than FP32 and within its quality bound; otherwise FP32 */
    SWIN2SR_PRECISION_FP32,
    SWIN2SR_PRECISION_BF16, /* inputs of matrix products and of convolutions inside the network are rounded to bf16 */
    SWIN2SR_PRECISION_INT8, /* linear layers use 8-bit integers, with one scale per token and one per output */
    SWIN2SR_PRECISION_FP16, /* on GPUs: inputs of matrix products and of convolutions, and their weights, are stored as half
                               floats; sums are fp32. The CPU, and a GPU whose driver lacks it, use FP32, and a note says so */
    SWIN2SR_PRECISION_COUNT
} swin2sr_precision;

/* How an image is continued at its right and bottom edges, up to a multiple of the network's window. */
typedef enum swin2sr_pad {
    SWIN2SR_PAD_REFLECT = 0, /* as the network does it: mirrored without repeating the edge, only where needed */
    SWIN2SR_PAD_SYMMETRIC_ALWAYS =
        1,                  /* as the published test script does it: mirrored with the edge, always 1..window pixels */
    SWIN2SR_PAD_AROUND = 2, /* a mirrored window on all four sides, which is cut off the result: the pixels at the edge,
                               flat colours above all, become as good as others; 6 % more work at 512x512 */
    SWIN2SR_PAD_COUNT
} swin2sr_pad;

/* Receives enlarged rows: from top to bottom, each exactly once.
 * y, n     The first output row, and the number of rows.
 * rows     n rows of the output pixel type, stride_bytes apart. Borrowed during the call.
 * returns  SWIN2SR_OK to continue. Any other status stops the stream, and swin2sr_stream_push returns it.
 * Called on the thread that pushes. It may block, and must not call functions of its own stream. */
typedef swin2sr_status (*swin2sr_on_rows)(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes);

/* Receives the progress of a stream. Called on the thread that pushes, between layers, at least once per step.
 * done     0..1, never decreases.
 * returns  true to continue, false to cancel: swin2sr_stream_push then returns SWIN2SR_CANCELLED. */
typedef bool (*swin2sr_on_progress)(void *context, double done);

SWIN2SR_END
#endif
