/* SPDX-License-Identifier: Apache-2.0
 * enlarge/mix.c - mix the network's rows with the plain (bicubic) enlargement of the input (stage 7 of 9). */
#include "enlarge/mix.h"

#include <stdlib.h>
#include <string.h>

#define ONE 1000u

swin2sr_status mix_init(mix *self, uint32_t plain_parts, const rows_kind *from, const rows_kind *to, int32_t width_px,
                        int32_t height_px, int32_t scale, int32_t lag_rows) {
    *self = (mix){.plain_parts = plain_parts, .from = *from, .to = *to};
    swin2sr_status status = SWIN2SR_OK;
    self->width_px = (size_t)width_px * (size_t)scale;
    self->plain = malloc(self->width_px * sizeof *self->plain);
    if (self->plain == NULL)
        return SWIN2SR_NOMEM;
    for (self->colours = 0; self->colours < to->colours && status == SWIN2SR_OK; self->colours++)
        status = swin2sr__alpha_ring_init(&self->rings[self->colours], width_px, height_px, scale, lag_rows,
                                          from->sample_bytes, to->sample_bytes);
    return status;
}

void mix_done(mix *self) {
    for (int32_t c = 0; c < self->colours; c++)
        swin2sr__alpha_ring_done(&self->rings[c]);
    free(self->plain);
}

void mix_push(mix *self, const uint8_t *rows, size_t row_bytes, int32_t n) {
    size_t sample_bytes = (size_t)self->from.sample_bytes;
    for (int32_t i = 0; i < n; i++, rows += row_bytes)
        for (int32_t c = 0; c < self->colours; c++)
            swin2sr__alpha_ring_push(&self->rings[c], rows + (size_t)c * sample_bytes,
                                     (size_t)self->from.channels * sample_bytes);
}

static uint32_t mixed(const mix *self, uint32_t network, uint32_t plain) {
    return (network * (ONE - self->plain_parts) + plain * self->plain_parts + ONE / 2) / ONE;
}

swin2sr_status mix_row(mix *self, int32_t y, uint8_t *row) {
    size_t channels = (size_t)self->to.channels;
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t c = 0; c < self->colours && status == SWIN2SR_OK; c++) {
        status = swin2sr__alpha_ring_make(&self->rings[c], y, self->plain, (size_t)self->to.sample_bytes, 0);
        for (size_t x = 0; x < self->width_px && status == SWIN2SR_OK; x++) {
            size_t at = x * channels + (size_t)c;
            if (self->to.sample_bytes == 1)
                row[at] = (uint8_t)mixed(self, row[at], ((const uint8_t *)self->plain)[x]);
            else
                ((uint16_t *)(void *)row)[at] = (uint16_t)mixed(self, ((uint16_t *)(void *)row)[at], self->plain[x]);
        }
    }
    return status;
}
