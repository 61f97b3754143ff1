/* SPDX-License-Identifier: Apache-2.0
 * image/gif_still.c - a GIF of one picture: an animation of one frame (stage 8 of 9).
 * The colours are chosen from all rows, so the picture is held until its last one. */
#include <stdlib.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/frames_codec.h"

typedef struct gif_still {
    image_encoder base;
    image_encoder_setup setup;
    frames_writer *writer;
    uint8_t *canvas;
    int32_t rows_written;
} gif_still;

static void __attribute__((noreturn)) still_failed(gif_still *self, swin2sr_status status) {
    image_trap_spring(&self->base.trap, status,
                      status == SWIN2SR_IO ? "the output could not be written" : "not enough memory to write the GIF");
}

static void still_write_step(void *context) {
    gif_still *self = context;
    size_t width = (size_t)self->setup.width_px;
    for (int32_t y = 0; y < self->base.n; y++, self->rows_written++) {
        uint8_t *row = self->canvas + (size_t)self->rows_written * width * FRAMES_PIXEL_BYTES;
        frames_take_row(self->base.rows + (size_t)y * self->base.stride_bytes, self->setup.channels, 1,
                        self->setup.width_px, row);
        swin2sr_status status = frames_writer_count(self->writer, row, width, 2, NULL);
        if (status != SWIN2SR_OK)
            still_failed(self, status);
    }
}

static void still_finish_step(void *context) {
    gif_still *self = context;
    const frames_part part = {.width_px = self->setup.width_px, .height_px = self->setup.height_px, .delay_den = 1};
    swin2sr_status status = frames_writer_add(self->writer, &part, self->canvas, NULL);
    if (status == SWIN2SR_OK)
        status = frames_writer_finish(self->writer, NULL);
    if (status != SWIN2SR_OK)
        still_failed(self, status);
    self->base.notes |= frames_writer_notes(self->writer);
}

static void still_close(image_encoder *base) {
    gif_still *self = (gif_still *)base;
    frames_writer_close(self->writer);
    free(self->canvas);
    free(self);
}

swin2sr_status image_gif_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                      swin2sr_error *reterr) {
    const frames_options options = {.format = FORMAT_GIF,
                                    .width_px = setup->width_px,
                                    .height_px = setup->height_px,
                                    .frames = 1,
                                    .plays = 1,
                                    .has_alpha = setup->channels % 2 == 0};
    gif_still *self = calloc(1, sizeof(*self));
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the GIF");
    self->base.write = still_write_step;
    self->base.finish = still_finish_step;
    self->base.close = still_close;
    self->base.notes = image_encoder_notes(setup->metadata, false, false, false, false);
    self->setup = *setup;
    *ret_encoder = &self->base;
    self->canvas = malloc((size_t)setup->width_px * (size_t)setup->height_px * FRAMES_PIXEL_BYTES);
    if (!self->canvas)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the GIF");
    return frames_writer_open(&options, setup->sink, setup->context, &self->writer, reterr);
}
