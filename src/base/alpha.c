/* SPDX-License-Identifier: Apache-2.0
 * base/alpha.c - bicubic enlargement of the alpha channel (stage 7 of 9).
 * In: decoded alpha rows.  Out: one enlarged alpha row for each row of colour that the network outputs.
 * The vertical pass comes first. Its sums fit 32 bits: |weights| add up to at most 1.25 * 2^10, and
 * 1.25 * 2^10 * 65535 < 2^27. Those of the second pass do not: (1.25 * 2^10)^2 * 65535 < 2^37. */
#include "base/alpha.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT_BITS 10

static int32_t clamp(int32_t value, int32_t last) {
    return value < 0 ? 0 : value > last ? last : value;
}

/* Output pixel scale * i + p lies at source position i + offset; the taps are the four source pixels nearest to it. */
static swin2sr__alpha_phase phase_of(int32_t p, int32_t scale) {
    double offset = (p + 0.5) / scale - 0.5;
    double whole = floor(offset), t = offset - whole;
    double cubic[SWIN2SR__ALPHA_TAPS] = {
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    };
    swin2sr__alpha_phase phase = {.first = (int32_t)whole - 1};
    int32_t rest = 1 << WEIGHT_BITS;
    for (int k = 0; k < SWIN2SR__ALPHA_TAPS; k++) {
        phase.weight[k] = (int32_t)lround(cubic[k] * (1 << WEIGHT_BITS));
        rest -= phase.weight[k];
    }
    phase.weight[t < 0.5 ? 1 : 2] += rest; /* the largest weight takes the rounding error */
    return phase;
}

/* The filter still needs the current row and the two above it. */
static int32_t capacity_of(int32_t height_px, int32_t lag_rows) {
    return lag_rows < height_px - 3 ? lag_rows + 3 : height_px;
}

size_t swin2sr__alpha_ring_bytes(int32_t width_px, int32_t height_px, int32_t lag_rows) {
    return (size_t)width_px * ((size_t)capacity_of(height_px, lag_rows) * sizeof(uint16_t) + sizeof(int32_t));
}

swin2sr_status swin2sr__alpha_ring_init(swin2sr__alpha_ring *ring, int32_t width_px, int32_t height_px, int32_t scale,
                                        int32_t lag_rows, int32_t in_bytes, int32_t out_bytes) {
    *ring = (swin2sr__alpha_ring){
        .width_px = width_px, .height_px = height_px, .scale = scale, .in_bytes = in_bytes, .out_bytes = out_bytes};
    if (scale > SWIN2SR__ALPHA_MAX_SCALE)
        return SWIN2SR_UNSUPPORTED;
    for (int32_t p = 0; p < scale; p++)
        ring->phase[p] = phase_of(p, scale);
    ring->capacity = capacity_of(height_px, lag_rows);
    ring->rows = malloc((size_t)ring->capacity * (size_t)width_px * sizeof(*ring->rows));
    ring->column = malloc((size_t)width_px * sizeof(*ring->column));
    return ring->rows != NULL && ring->column != NULL ? SWIN2SR_OK : SWIN2SR_NOMEM;
}

void swin2sr__alpha_ring_done(swin2sr__alpha_ring *ring) {
    free(ring->rows);
    free(ring->column);
    *ring = (swin2sr__alpha_ring){0};
}

static uint16_t *row_at(const swin2sr__alpha_ring *ring, int32_t y) {
    return ring->rows + (size_t)(y % ring->capacity) * (size_t)ring->width_px;
}

void swin2sr__alpha_ring_push(swin2sr__alpha_ring *ring, const void *samples, size_t step_bytes) {
    uint16_t *row = row_at(ring, ring->pushed++);
    const uint8_t *sample = samples;
    for (int32_t x = 0; x < ring->width_px; x++, sample += step_bytes) {
        row[x] = *sample;
        if (ring->in_bytes == 2)
            memcpy(&row[x], sample, sizeof(*row));
        if (ring->out_bytes < ring->in_bytes)
            row[x] = (uint16_t)((row[x] * 255u + 32767) / 65535);
    }
}

static void make_column(swin2sr__alpha_ring *ring, int32_t y) {
    const swin2sr__alpha_phase *phase = &ring->phase[y % ring->scale];
    const uint16_t *tap[SWIN2SR__ALPHA_TAPS];
    for (int k = 0; k < SWIN2SR__ALPHA_TAPS; k++)
        tap[k] = row_at(ring, clamp(y / ring->scale + phase->first + k, ring->height_px - 1));
    for (int32_t x = 0; x < ring->width_px; x++)
        ring->column[x] = phase->weight[0] * tap[0][x] + phase->weight[1] * tap[1][x] + phase->weight[2] * tap[2][x] +
                          phase->weight[3] * tap[3][x];
}

/* ret_is_clear  Whether all columns that count are 0. */
static uint16_t widen(const swin2sr__alpha_ring *ring, int32_t x, const swin2sr__alpha_phase *phase,
                      bool *ret_is_clear) {
    int64_t sum = 1 << (2 * WEIGHT_BITS - 1);
    int32_t any = 0;
    for (int k = 0; k < SWIN2SR__ALPHA_TAPS; k++) {
        int32_t column = ring->column[clamp(x + phase->first + k, ring->width_px - 1)];
        sum += (int64_t)phase->weight[k] * column;
        any |= column;
    }
    *ret_is_clear = any == 0;
    return (uint16_t)clamp((int32_t)(sum >> (2 * WEIGHT_BITS)), ring->out_bytes == 1 ? UINT8_MAX : UINT16_MAX);
}

swin2sr_status swin2sr__alpha_ring_make(swin2sr__alpha_ring *ring, int32_t y, void *samples, size_t step_bytes,
                                        size_t colour_bytes) {
    uint8_t *sample = samples;
    const swin2sr__alpha_phase *phase = &ring->phase[y % ring->scale];
    int32_t first = clamp(y / ring->scale + phase->first, ring->height_px - 1);
    int32_t last = clamp(y / ring->scale + phase->first + SWIN2SR__ALPHA_TAPS - 1, ring->height_px - 1);
    if (last >= ring->pushed || first < ring->pushed - ring->capacity)
        return SWIN2SR_INTERNAL;
    make_column(ring, y);
    for (int32_t x = 0; x < ring->width_px; x++)
        for (int32_t p = 0; p < ring->scale; p++, sample += step_bytes) {
            bool is_clear;
            uint16_t value = widen(ring, x, &ring->phase[p], &is_clear);
            if (is_clear)
                memset(sample - colour_bytes, 0, colour_bytes);
            if (ring->out_bytes == 1)
                *sample = (uint8_t)value;
            else
                memcpy(sample, &value, sizeof(value));
        }
    return SWIN2SR_OK;
}
