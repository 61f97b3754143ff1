/* SPDX-License-Identifier: Apache-2.0
 * enlarge/shrink.c - reduce an image while it is read, and pad it to a square (stage 4 of 9, decode).
 * In: rows of an image or a part of it.  Out: rows of a square. Holds three rows. */
#include "enlarge/shrink.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fit.h"
#include "enlarge/rows.h"

swin2sr_status shrink_open(shrink *self, crop *source, int32_t side_px, swin2sr_error *reterr) {
    const image_info *in = &source->info;
    *self = (shrink){.source = source, .info = *in};
    swin2sr__fit_size(in->width_px, in->height_px, side_px, &self->width_px, &self->height_px);
    self->info.width_px = self->info.height_px = side_px;
    size_t channels = (size_t)in->channels;
    self->in_row = malloc((size_t)in->width_px * channels * (size_t)in->sample_bytes);
    self->line = malloc((size_t)self->width_px * channels * sizeof *self->line);
    self->sums = calloc((size_t)self->width_px * channels, sizeof *self->sums);
    if (self->in_row && self->line && self->sums)
        return SWIN2SR_OK;
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to reduce the image");
}

static float sample_at(const shrink *self, int32_t i) {
    return self->info.sample_bytes == 1 ? (float)self->in_row[i] : (float)((const uint16_t *)(void *)self->in_row)[i];
}

/* Add a pixel with a weight; colours count as much as they are opaque. at: its first sample in in_row. */
static void add_pixel(const shrink *self, float *sum, int32_t at, float weight) {
    int32_t channels = self->info.channels;
    bool has_alpha = channels % 2 == 0;
    float alpha = has_alpha ? sample_at(self, at + channels - 1) / rows_top(self->info.sample_bytes) : 1;
    for (int32_t c = 0; c < channels - has_alpha; c++)
        sum[c] += sample_at(self, at + c) * weight * alpha;
    if (has_alpha)
        sum[channels - 1] += sample_at(self, at + channels - 1) * weight;
}

/* Reduce in_row across into line. The weights of each pixel are 1 in sum. */
static void reduce_across(shrink *self) {
    int32_t in_width = self->source->info.width_px, channels = self->info.channels;
    double step = (double)in_width / self->width_px;
    memset(self->line, 0, (size_t)(self->width_px * channels) * sizeof *self->line);
    for (int32_t x = 0; x < self->width_px; x++) {
        double from = x * step, to = (x + 1) * step;
        for (int32_t in_x = (int32_t)from; in_x < in_width && in_x < to; in_x++) {
            double covered = fmin(to, in_x + 1) - fmax(from, in_x);
            add_pixel(self, self->line + x * channels, in_x * channels, (float)(covered / step));
        }
    }
}

static void add_line(shrink *self, float weight) {
    for (int32_t i = 0; i < self->width_px * self->info.channels; i++)
        self->sums[i] += self->line[i] * weight;
}

/* Store sample i of a row of the square. */
static void put_sample(const shrink *self, void *row, int32_t i, float value) {
    float top = rows_top(self->info.sample_bytes), bounded = value <= 0 ? 0 : value >= top - 0.5f ? top : value + 0.5f;
    if (self->info.sample_bytes == 1)
        ((uint8_t *)row)[i] = (uint8_t)bounded;
    else
        ((uint16_t *)row)[i] = (uint16_t)bounded;
}

static size_t row_bytes_of(const shrink *self) {
    return (size_t)(self->info.width_px * self->info.channels * self->info.sample_bytes);
}

/* The sums as pixels, and zeroes for the next row. */
static void write_row(shrink *self, uint8_t *row) {
    int32_t channels = self->info.channels;
    bool has_alpha = channels % 2 == 0;
    memset(row, 0, row_bytes_of(self));
    for (int32_t x = 0; x < self->width_px; x++) {
        float *sum = self->sums + x * channels,
              alpha = has_alpha ? sum[channels - 1] / rows_top(self->info.sample_bytes) : 1;
        for (int32_t c = 0; c < channels - has_alpha; c++)
            put_sample(self, row, x * channels + c, alpha > 0 ? sum[c] / alpha : 0);
        if (has_alpha)
            put_sample(self, row, x * channels + channels - 1, sum[channels - 1]);
    }
    memset(self->sums, 0, (size_t)(self->width_px * channels) * sizeof *self->sums);
}

static swin2sr_status make_row(shrink *self, uint8_t *row, swin2sr_error *reterr) {
    int32_t in_height = self->source->info.height_px;
    double step = (double)in_height / self->height_px, from = self->y * step, to = (self->y + 1) * step;
    for (int32_t in_y = (int32_t)from; in_y < in_height && in_y < to; in_y++) {
        if (in_y == self->in_y) { /* otherwise the row before has taken its upper part, and line still holds it */
            swin2sr_status status = crop_read(self->source, self->in_row, 0, 1, reterr);
            if (status != SWIN2SR_OK)
                return status;
            self->in_y++;
            reduce_across(self);
        }
        add_line(self, (float)((fmin(to, in_y + 1) - fmax(from, in_y)) / step));
    }
    write_row(self, row);
    return SWIN2SR_OK;
}

swin2sr_status shrink_read(shrink *self, uint8_t *rows, size_t stride_bytes, int32_t n, swin2sr_error *reterr) {
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t i = 0; i < n && status == SWIN2SR_OK; i++, self->y++) {
        uint8_t *row = rows + (size_t)i * stride_bytes;
        if (self->y < self->height_px)
            status = make_row(self, row, reterr);
        else
            memset(row, 0, row_bytes_of(self));
    }
    self->info.damage = self->source->info.damage;
    return status;
}

void shrink_done(shrink *self) {
    free(self->in_row);
    free(self->line);
    free(self->sums);
}
