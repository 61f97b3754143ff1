/* SPDX-License-Identifier: Apache-2.0
 * enlarge/bleed.c - give transparent pixels the colours of the visible ones around them (stage 4 of 9, decode).
 * In: rows with alpha.  Out: the same rows, other colours where alpha is small.
 * The weight of a pixel is alpha * NEAR^(|dx| + |dy|), which sweeps along columns and rows gather: down through all rows
 * above, up through BLEED_RING_ROWS - 1 rows below, then left and right. */
#include "enlarge/bleed.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "enlarge/rows.h"

#define NEAR 0.6f          /* how much less a pixel counts that is one farther */
#define GREY 0.5f          /* where nothing visible is near */
#define GREY_WEIGHT 0.002f /* as an opaque pixel in a distance of 12, so that the rows of the ring suffice */
#define SURE_ALPHA 0.125f  /* from here on a pixel keeps its colour; below, files often have few bits of it */

swin2sr_status bleed_open(bleed *self, const image_info *info, swin2sr_error *reterr) {
    self->width_px = info->width_px;
    self->height_px = info->height_px;
    self->colours = info->channels - 1;
    self->sample_bytes = info->sample_bytes;
    size_t width = (size_t)info->width_px, channels = (size_t)info->channels;
    self->ring = malloc(BLEED_RING_ROWS * width * channels * (size_t)info->sample_bytes);
    self->above = calloc(width * channels, sizeof(float));
    self->line = malloc(width * channels * sizeof(float));
    self->swept = malloc(width * channels * sizeof(float));
    if (self->ring == NULL || self->above == NULL || self->line == NULL || self->swept == NULL)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the transparency of this image");
    return SWIN2SR_OK;
}

void bleed_done(bleed *self) {
    free(self->ring);
    free(self->above);
    free(self->line);
    free(self->swept);
}

/* Sample i of a row, 0..1. */
static float get(const bleed *self, const void *row, size_t i) {
    return (self->sample_bytes == 1 ? (float)((const uint8_t *)row)[i] : (float)((const uint16_t *)row)[i]) /
           rows_top(self->sample_bytes);
}

static void put(const bleed *self, void *row, size_t i, float value) {
    float scaled = value * rows_top(self->sample_bytes) + 0.5f;
    if (self->sample_bytes == 1)
        ((uint8_t *)row)[i] = (uint8_t)scaled;
    else
        ((uint16_t *)row)[i] = (uint16_t)scaled;
}

static size_t row_bytes_of(const bleed *self) {
    return (size_t)self->width_px * (size_t)((self->colours + 1) * self->sample_bytes);
}

static uint8_t *ring_row(const bleed *self, int32_t y) {
    return self->ring + (size_t)(y % BLEED_RING_ROWS) * row_bytes_of(self);
}

/* sums = sums * keep + the pixels of a row times alpha * weight. */
static void add_row(const bleed *self, float *sums, float keep, const void *row, float weight) {
    size_t channels = (size_t)self->colours + 1, end = (size_t)self->width_px * channels;
    for (size_t at = 0; at < end; at += channels) {
        float alpha = get(self, row, at + channels - 1) * weight;
        for (size_t c = 0; c + 1 < channels; c++)
            sums[at + c] = sums[at + c] * keep + get(self, row, at + c) * alpha;
        sums[at + channels - 1] = sums[at + channels - 1] * keep + alpha;
    }
}

/* Gather along the row what line has gathered along the columns: swept from the left, line from the right. */
static void sweep(bleed *self) {
    size_t channels = (size_t)self->colours + 1, count = (size_t)self->width_px * channels;
    for (size_t i = 0; i < count; i++)
        self->swept[i] = i < channels ? 0 : NEAR * (self->swept[i - channels] + self->line[i - channels]);
    for (size_t i = count - channels; i-- > 0;)
        self->line[i] += NEAR * self->line[i + channels];
}

static bool is_sure(const bleed *self, const void *row) {
    size_t channels = (size_t)self->colours + 1;
    for (size_t x = 0; x < (size_t)self->width_px; x++)
        if (get(self, row, x * channels + channels - 1) < SURE_ALPHA)
            return false;
    return true;
}

/* Mix the surroundings into the pixels of a row whose alpha is small. */
static void mix(const bleed *self, void *row) {
    size_t channels = (size_t)self->colours + 1, end = (size_t)self->width_px * channels;
    for (size_t at = 0; at < end; at += channels) {
        float sure = get(self, row, at + channels - 1) / SURE_ALPHA;
        float weight = self->line[at + channels - 1] + self->swept[at + channels - 1] + GREY_WEIGHT;
        for (size_t c = 0; c + 1 < channels && sure < 1; c++) {
            float around = (self->line[at + c] + self->swept[at + c] + GREY * GREY_WEIGHT) / weight;
            put(self, row, at + c, around + (get(self, row, at + c) - around) * sure);
        }
    }
}

static void make_row(bleed *self, void *row) {
    size_t count = (size_t)self->width_px * (size_t)(self->colours + 1);
    if (!is_sure(self, row)) {
        float weight = 1;
        for (size_t i = 0; i < count; i++)
            self->line[i] = NEAR * self->above[i];
        for (int32_t y = self->y; y < self->in_y; y++, weight *= NEAR)
            add_row(self, self->line, 1, ring_row(self, y), weight);
        sweep(self);
        mix(self, row);
    }
    add_row(self, self->above, NEAR, ring_row(self, self->y), 1);
}

static swin2sr_status read_ahead(bleed *self, swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    while (self->in_y < self->height_px && self->in_y < self->y + BLEED_RING_ROWS && status == SWIN2SR_OK) {
        status = self->read(self->context, ring_row(self, self->in_y), row_bytes_of(self), 1, reterr);
        self->in_y++;
    }
    return status;
}

swin2sr_status bleed_read(bleed *self, void *rows, size_t stride_bytes, int32_t n, swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t i = 0; i < n && status == SWIN2SR_OK; i++) {
        uint8_t *row = (uint8_t *)rows + (size_t)i * stride_bytes;
        status = read_ahead(self, reterr);
        if (status != SWIN2SR_OK)
            break;
        memcpy(row, ring_row(self, self->y), row_bytes_of(self));
        make_row(self, row);
        self->y++;
    }
    return status;
}
