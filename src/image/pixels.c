/* SPDX-License-Identifier: Apache-2.0
 * image/pixels.c - readers and writers of pixels in memory (stages 4 and 8 of 9): codecs that copy rows. */
#include "image/pixels.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/codec.h"

typedef struct pixels_decoder {
    image_decoder base;
    image_pixels pixels;
    int32_t rows_read;
} pixels_decoder;

static size_t row_bytes(const image_pixels *pixels) {
    return (size_t)pixels->width_px * (size_t)pixels->channels;
}

static swin2sr_status pixels_decoder_read(image_decoder *base, swin2sr_error *reterr) {
    pixels_decoder *self = (pixels_decoder *)base;
    for (int32_t y = 0; y < base->n; y++, self->rows_read++)
        memcpy(base->rows + (size_t)y * base->stride_bytes,
               self->pixels.data + (size_t)self->rows_read * self->pixels.stride_bytes, row_bytes(&self->pixels));
    return SWIN2SR_OK;
}

static void pixels_decoder_close(image_decoder *base) {
    free(base);
}

swin2sr_status image_pixels_read(const image_pixels *pixels, image_reader **ret_reader, swin2sr_error *reterr) {
    pixels_decoder *self = calloc(1, sizeof(*self));
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to read the pixels");
    self->base = (image_decoder){.width_px = pixels->width_px,
                                 .height_px = pixels->height_px,
                                 .channels = pixels->channels,
                                 .sample_bytes = 1,
                                 .read = pixels_decoder_read,
                                 .close = pixels_decoder_close};
    self->pixels = *pixels;
    return image_reader_take(&self->base, ret_reader, reterr);
}

typedef struct pixels_encoder {
    image_encoder base;
    image_pixels pixels;
    int32_t rows_written;
} pixels_encoder;

static void pixels_write_step(void *context) {
    pixels_encoder *self = context;
    for (int32_t y = 0; y < self->base.n; y++, self->rows_written++)
        memcpy(self->pixels.data + (size_t)self->rows_written * self->pixels.stride_bytes,
               self->base.rows + (size_t)y * self->base.stride_bytes, row_bytes(&self->pixels));
}

static void pixels_finish_step(void *context) {
}

static void pixels_encoder_close(image_encoder *base) {
    free(base);
}

swin2sr_status image_pixels_write(const image_pixels *pixels, image_writer **ret_writer, swin2sr_error *reterr) {
    pixels_encoder *self = calloc(1, sizeof(*self));
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the pixels");
    self->base.write = pixels_write_step;
    self->base.finish = pixels_finish_step;
    self->base.close = pixels_encoder_close;
    self->pixels = *pixels;
    return image_writer_take(&self->base, pixels->height_px, ret_writer, reterr);
}
