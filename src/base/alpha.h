/* SPDX-License-Identifier: Apache-2.0
 * base/alpha.h - enlarge the alpha channel of an image row by row, beside the network (stage 7 of 9).
 * Bicubic (Catmull-Rom) with repeated edges, in integers whose weights sum to one, so constant alpha stays constant.
 * A ring holds as many rows as the network lags behind its input, so memory grows with the width only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define SWIN2SR__ALPHA_TAPS 4
#define SWIN2SR__ALPHA_MAX_SCALE 8

typedef struct swin2sr__alpha_phase {
    int32_t first;                       /* first tap, relative to the source pixel that contains the output pixel */
    int32_t weight[SWIN2SR__ALPHA_TAPS]; /* they sum to 1 << WEIGHT_BITS */
} swin2sr__alpha_phase;

typedef struct swin2sr__alpha_ring {
    int32_t width_px, height_px, scale;
    int32_t in_bytes, out_bytes; /* per sample: 1 or 2 */
    int32_t capacity;            /* rows */
    int32_t pushed;              /* rows so far */
    uint16_t *rows;              /* [capacity][width_px], in the range of the output; row y is at y % capacity */
    int32_t *column;             /* [width_px]: one output row after the vertical pass */
    swin2sr__alpha_phase phase[SWIN2SR__ALPHA_MAX_SCALE];
} swin2sr__alpha_ring;

/* lag_rows             How many rows may be pushed after the source row of the output row that is made.
 * in_bytes, out_bytes  Per sample: 1 or 2; out_bytes is at most in_bytes.
 * errors               _UNSUPPORTED (scale over SWIN2SR__ALPHA_MAX_SCALE), _NOMEM. swin2sr__alpha_ring_done may be called after a failure. */
swin2sr_status swin2sr__alpha_ring_init(swin2sr__alpha_ring *ring, int32_t width_px, int32_t height_px, int32_t scale,
                                        int32_t lag_rows, int32_t in_bytes, int32_t out_bytes);

/* What the ring allocates. */
size_t swin2sr__alpha_ring_bytes(int32_t width_px, int32_t height_px, int32_t lag_rows);
void swin2sr__alpha_ring_done(swin2sr__alpha_ring *ring);

/* Push the next row. samples points to the first alpha sample; the samples are step_bytes apart. */
void swin2sr__alpha_ring_push(swin2sr__alpha_ring *ring, const void *samples, size_t step_bytes);

/* Write output row y: width_px * scale samples, step_bytes apart. Where all input pixels that a sample is made of are
 * transparent, the colour_bytes before it are set to 0, too: what the network made there cannot be seen.
 * errors  _INTERNAL if a row that it needs has not been pushed yet or has been overwritten. */
swin2sr_status swin2sr__alpha_ring_make(swin2sr__alpha_ring *ring, int32_t y, void *samples, size_t step_bytes,
                                        size_t colour_bytes);
