/* SPDX-License-Identifier: Apache-2.0
 * enlarge/preview.c - a small JPEG of an image whose rows pass by (stage 8 of 9, encode).
 * In: the rows of the enlarged image.  Out: a file through a sink. Holds one row of sums. */
#include "enlarge/preview.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "enlarge/rows.h"

#define PREVIEW_QUALITY 85

bool preview_is_wanted(int32_t width_px, int32_t height_px, int32_t side_px) {
    return side_px && (width_px > side_px || height_px > side_px);
}

swin2sr_status preview_open(preview *self, int32_t width_px, int32_t height_px, int32_t channels, int32_t sample_bytes,
                            int32_t side_px, const image_block *icc, image_sink sink, void *context,
                            swin2sr_error *reterr) {
    const image_writer_options options = {
        .format = FORMAT_JPEG, .quality = PREVIEW_QUALITY, .metadata = &self->metadata};
    int32_t longer_px = width_px > height_px ? width_px : height_px;
    int32_t factor = (longer_px + side_px - 1) / side_px;
    *self = (preview){.factor = factor,
                      .width_px = width_px,
                      .channels = channels,
                      .sample_bytes = sample_bytes,
                      .metadata.icc = *icc,
                      .colours = channels < 3 ? 1 : 3,
                      .small_width_px = (width_px + factor - 1) / factor};
    size_t samples = (size_t)self->small_width_px * (size_t)self->colours;
    self->sums = calloc(samples, sizeof *self->sums);
    self->small_row = malloc(samples);
    if (!self->sums || !self->small_row)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for the preview");
    return image_writer_open(&options, self->small_width_px, (height_px + factor - 1) / factor, self->colours, sink,
                             context, &self->writer, reterr);
}

/* Write the row of squares that has been summed up. The last ones on the right and below may be smaller. */
static swin2sr_status write_squares(preview *self, swin2sr_error *reterr) {
    uint8_t *out = self->small_row;
    uint32_t *sum = self->sums;
    for (int32_t x = 0; x < self->small_width_px; x++) {
        int32_t left_px = self->width_px - x * self->factor;
        uint32_t count = (uint32_t)(left_px < self->factor ? left_px : self->factor) * (uint32_t)self->rows;
        for (int32_t c = 0; c < self->colours; c++, sum++)
            *out++ = (uint8_t)((*sum + count / 2) / count);
    }
    memset(self->sums, 0, (size_t)(sum - self->sums) * sizeof *sum);
    self->rows = 0;
    return image_writer_write(self->writer, self->small_row, 0, 1, reterr);
}

/* Sample i of a row in 8 bits. */
static uint32_t sample_at(const preview *self, const void *row, size_t i) {
    return self->sample_bytes == 1 ? ((const uint8_t *)row)[i] : (((const uint16_t *)row)[i] * 255u + 32767) / 65535;
}

swin2sr_status preview_add(preview *self, const void *row, swin2sr_error *reterr) {
    bool has_alpha = self->channels > self->colours;
    uint32_t *sum = self->sums;
    size_t at = 0;
    for (int32_t x = 0, within = 0; x < self->width_px; x++, at += (size_t)self->channels) {
        uint32_t alpha = has_alpha ? sample_at(self, row, at + (size_t)self->colours) : 255;
        for (int32_t c = 0; c < self->colours; c++)
            sum[c] += rows_lay_on_white(sample_at(self, row, at + (size_t)c), alpha);
        if (++within == self->factor) {
            within = 0;
            sum += self->colours;
        }
    }
    self->rows++;
    return self->rows == self->factor ? write_squares(self, reterr) : SWIN2SR_OK;
}

swin2sr_status preview_finish(preview *self, swin2sr_error *reterr) {
    swin2sr_status status = self->rows > 0 ? write_squares(self, reterr) : SWIN2SR_OK;
    return status == SWIN2SR_OK ? image_writer_finish(self->writer, reterr) : status;
}

void preview_done(preview *self) {
    image_writer_close(self->writer);
    free(self->sums);
    free(self->small_row);
}
