/* SPDX-License-Identifier: Apache-2.0
 * enlarge/alpha.h - enlarge the transparency of an image row by row, beside the network (stage 7 of 9).
 * Bicubic (Catmull-Rom), exact-size, edges repeated, in integers: a constant stays that constant.
 * Rows wait in a ring that holds as many as the network lags behind, so memory grows with the width only. */
#ifndef SWIN2SR_ENLARGE_ALPHA_H
#define SWIN2SR_ENLARGE_ALPHA_H

#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#define ALPHA_TAPS 4
#define ALPHA_MAX_SCALE 8

typedef struct alpha_phase {
    int32_t first;              /* of the taps, in source pixels from the pixel that holds the output pixel */
    int32_t weight[ALPHA_TAPS]; /* sum to 1 << ALPHA_WEIGHT_BITS */
} alpha_phase;

typedef struct alpha_ring {
    int32_t width_px, height_px, scale;
    int32_t capacity; /* rows */
    int32_t pushed;   /* rows so far */
    uint8_t *rows;    /* [capacity][width_px]; row y lies at y % capacity */
    int32_t *column;  /* [width_px]: one output row before it is widened */
    alpha_phase phase[ALPHA_MAX_SCALE];
} alpha_ring;

/* lag_rows  How many rows may be pushed beyond the one that holds the output row being made.
 * errors    _UNSUPPORTED (scale over ALPHA_MAX_SCALE), _NOMEM. On failure alpha_ring_done is still fine. */
swin2sr_status alpha_ring_init(alpha_ring *ring, int32_t width_px, int32_t height_px, int32_t scale, int32_t lag_rows);
void alpha_ring_done(alpha_ring *ring);

/* Take in the next row from interleaved pixels: samples lies at the first alpha sample, step_bytes apart. */
void alpha_ring_push(alpha_ring *ring, const uint8_t *samples, size_t step_bytes);

/* Write output row y: width_px * scale samples, step_bytes apart.
 * errors  _INTERNAL when a row it needs has not been pushed or is gone already. */
swin2sr_status alpha_ring_make(alpha_ring *ring, int32_t y, uint8_t *samples, size_t step_bytes);

#endif
