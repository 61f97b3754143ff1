/* SPDX-License-Identifier: Apache-2.0
 * enlarge/alpha.c - bicubic enlargement of the alpha channel (stage 7 of 9).
 * In: decoded alpha rows.  Out: one enlarged alpha row for each row of colour that the network outputs.
 * The vertical pass comes first. Sums fit 32 bits: |weights| add up to at most 1.25 * 2^10 per pass, and
 * (1.25 * 2^10)^2 * 255 < 2^29. */
#include "enlarge/alpha.h"

#include <math.h>
#include <stdlib.h>

#define WEIGHT_BITS 10

static int32_t clamp(int32_t value, int32_t last) {
    return value < 0 ? 0 : value > last ? last : value;
}

/* Output pixel scale * i + p lies at source position i + offset; the taps are the four source pixels nearest to it. */
static alpha_phase phase_of(int32_t p, int32_t scale) {
    double offset = (p + 0.5) / scale - 0.5;
    double whole = floor(offset), t = offset - whole;
    double cubic[ALPHA_TAPS] = {
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    };
    alpha_phase phase = {.first = (int32_t)whole - 1};
    int32_t rest = 1 << WEIGHT_BITS;
    for (int k = 0; k < ALPHA_TAPS; k++) {
        phase.weight[k] = (int32_t)lround(cubic[k] * (1 << WEIGHT_BITS));
        rest -= phase.weight[k];
    }
    phase.weight[t < 0.5 ? 1 : 2] += rest; /* the largest weight takes the rounding error */
    return phase;
}

swin2sr_status alpha_ring_init(alpha_ring *ring, int32_t width_px, int32_t height_px, int32_t scale, int32_t lag_rows) {
    *ring = (alpha_ring){.width_px = width_px, .height_px = height_px, .scale = scale};
    if (scale > ALPHA_MAX_SCALE)
        return SWIN2SR_UNSUPPORTED;
    for (int32_t p = 0; p < scale; p++)
        ring->phase[p] = phase_of(p, scale);
    /* the filter still needs the current row and the two above it */
    ring->capacity = lag_rows < height_px - 3 ? lag_rows + 3 : height_px;
    ring->rows = malloc((size_t)ring->capacity * (size_t)width_px);
    ring->column = malloc((size_t)width_px * sizeof(*ring->column));
    return ring->rows != NULL && ring->column != NULL ? SWIN2SR_OK : SWIN2SR_NOMEM;
}

void alpha_ring_done(alpha_ring *ring) {
    free(ring->rows);
    free(ring->column);
    *ring = (alpha_ring){0};
}

static uint8_t *row_at(const alpha_ring *ring, int32_t y) {
    return ring->rows + (size_t)(y % ring->capacity) * (size_t)ring->width_px;
}

void alpha_ring_push(alpha_ring *ring, const uint8_t *samples, size_t step_bytes) {
    uint8_t *row = row_at(ring, ring->pushed++);
    for (int32_t x = 0; x < ring->width_px; x++)
        row[x] = samples[(size_t)x * step_bytes];
}

static void make_column(alpha_ring *ring, int32_t y) {
    const alpha_phase *phase = &ring->phase[y % ring->scale];
    const uint8_t *tap[ALPHA_TAPS];
    for (int k = 0; k < ALPHA_TAPS; k++)
        tap[k] = row_at(ring, clamp(y / ring->scale + phase->first + k, ring->height_px - 1));
    for (int32_t x = 0; x < ring->width_px; x++)
        ring->column[x] = phase->weight[0] * tap[0][x] + phase->weight[1] * tap[1][x] + phase->weight[2] * tap[2][x] +
                          phase->weight[3] * tap[3][x];
}

static uint8_t widen(const alpha_ring *ring, int32_t x, const alpha_phase *phase) {
    int32_t sum = 1 << (2 * WEIGHT_BITS - 1);
    for (int k = 0; k < ALPHA_TAPS; k++)
        sum += phase->weight[k] * ring->column[clamp(x + phase->first + k, ring->width_px - 1)];
    return (uint8_t)clamp(sum >> (2 * WEIGHT_BITS), 255);
}

swin2sr_status alpha_ring_make(alpha_ring *ring, int32_t y, uint8_t *samples, size_t step_bytes) {
    const alpha_phase *phase = &ring->phase[y % ring->scale];
    int32_t first = clamp(y / ring->scale + phase->first, ring->height_px - 1);
    int32_t last = clamp(y / ring->scale + phase->first + ALPHA_TAPS - 1, ring->height_px - 1);
    if (last >= ring->pushed || first < ring->pushed - ring->capacity)
        return SWIN2SR_INTERNAL;
    make_column(ring, y);
    for (int32_t x = 0; x < ring->width_px; x++)
        for (int32_t p = 0; p < ring->scale; p++, samples += step_bytes)
            *samples = widen(ring, x, &ring->phase[p]);
    return SWIN2SR_OK;
}
