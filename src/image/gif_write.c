/* SPDX-License-Identifier: Apache-2.0
 * image/gif_write.c - write GIF files with giflib (stage 8 of 9).
 * The colours are chosen from all rows, so a picture is held until its last row. An alpha of one half or more is opaque. */
#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/palette.h"

#define COLOUR_BITS 8

typedef struct gif_encoder {
    image_encoder base;
    image_encoder_setup setup;
    palette *palette;
    GifFileType *file;
    uint8_t *picture; /* [height][width][channels] */
    uint8_t *line;    /* indices */
    int32_t rows_written;
    bool is_refused; /* by the sink */
} gif_encoder;

static int give_bytes(GifFileType *file, const GifByteType *bytes, int size) {
    gif_encoder *self = file->UserData;
    self->is_refused = self->is_refused || !self->setup.sink(self->setup.context, bytes, (size_t)size);
    return self->is_refused ? 0 : size;
}

static void __attribute__((noreturn)) gif_write_failed(gif_encoder *self) {
    if (self->is_refused)
        image_trap_spring(&self->base.trap, SWIN2SR_IO, "the output could not be written");
    image_trap_spring(&self->base.trap, SWIN2SR_NOMEM, "not enough memory to write the GIF");
}

static size_t row_bytes(const gif_encoder *self) {
    return (size_t)self->setup.width_px * (size_t)self->setup.channels;
}

static void gif_write_step(void *context) {
    gif_encoder *self = context;
    for (int32_t y = 0; y < self->base.n; y++, self->rows_written++) {
        uint8_t *to = self->picture + (size_t)self->rows_written * row_bytes(self);
        memcpy(to, self->base.rows + (size_t)y * self->base.stride_bytes, row_bytes(self));
        palette_add(self->palette, to, (size_t)self->setup.width_px, self->setup.channels, 1);
    }
}

/* The head of the file and its one palette. giflib wants a power of two. */
static bool put_head(gif_encoder *self) {
    const uint8_t(*colours)[3];
    int32_t size = palette_size(self->palette, &colours), error;
    GifColorType all[PALETTE_MAX] = {{0}};
    for (int32_t i = 0; i < size; i++)
        all[i] = (GifColorType){colours[i][0], colours[i][1], colours[i][2]};
    ColorMapObject *map = GifMakeMapObject(1 << GifBitSize(size > 1 ? size : 2), all);
    self->file = map ? EGifOpen(self, give_bytes, &error) : NULL;
    if (self->file)
        EGifSetGifVersion(self->file, true);
    bool is_put = self->file && EGifPutScreenDesc(self->file, self->setup.width_px, self->setup.height_px, COLOUR_BITS,
                                                  0, map) == GIF_OK;
    GifFreeMapObject(map);
    return is_put;
}

static bool put_frame(gif_encoder *self) {
    const GraphicsControlBlock control = {.DisposalMode = DISPOSAL_UNSPECIFIED,
                                          .TransparentColor = palette_key(self->palette)};
    GifByteType bytes[4];
    size_t size = EGifGCBToExtension(&control, bytes);
    if (control.TransparentColor != NO_TRANSPARENT_COLOR &&
        EGifPutExtension(self->file, GRAPHICS_EXT_FUNC_CODE, (int)size, bytes) != GIF_OK)
        return false;
    if (EGifPutImageDesc(self->file, 0, 0, self->setup.width_px, self->setup.height_px, false, NULL) != GIF_OK)
        return false;
    for (int32_t y = 0; y < self->setup.height_px; y++) {
        palette_draw(self->palette, 0, y, self->picture + (size_t)y * row_bytes(self), (size_t)self->setup.width_px,
                     self->setup.channels, self->line);
        if (EGifPutLine(self->file, self->line, self->setup.width_px) != GIF_OK)
            return false;
    }
    return true;
}

static void gif_finish_step(void *context) {
    gif_encoder *self = context;
    if (palette_choose(self->palette, false) != SWIN2SR_OK || !put_head(self) || !put_frame(self))
        gif_write_failed(self);
    self->base.notes |= palette_has_partial_alpha(self->palette) ? NOTE_ALPHA_HARDENED : 0;
    GifFileType *file = self->file;
    self->file = NULL;
    if (EGifCloseFile(file, NULL) != GIF_OK || self->is_refused)
        gif_write_failed(self);
}

static void gif_encoder_close(image_encoder *base) {
    gif_encoder *self = (gif_encoder *)base;
    if (self->file) {
        self->is_refused = true; /* nothing more is written */
        EGifCloseFile(self->file, NULL);
    }
    palette_free(self->palette);
    free(self->picture);
    free(self->line);
    free(self);
}

swin2sr_status image_gif_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                      swin2sr_error *reterr) {
    gif_encoder *self = calloc(1, sizeof(*self));
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the GIF");
    self->base.write = gif_write_step;
    self->base.finish = gif_finish_step;
    self->base.close = gif_encoder_close;
    self->setup = *setup;
    *ret_encoder = &self->base;
    self->base.notes = image_encoder_notes(setup->metadata, false, false, false, false);
    self->picture = malloc(row_bytes(self) * (size_t)setup->height_px);
    self->line = malloc((size_t)setup->width_px);
    if (self->picture && self->line && palette_new(&self->palette) == SWIN2SR_OK)
        return SWIN2SR_OK;
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the GIF");
}
