/* SPDX-License-Identifier: Apache-2.0
 * image/gif.c - read GIF files with giflib (stage 4 of 9).
 * giflib takes the file apart and undoes its compression, line by line; frames are drawn on a canvas of RGBA here. What a
 * frame does not cover is transparent. Lines that are missing from a frame make the file damaged, never half a picture. */
#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/codec.h"

#define PIXEL_BYTES 4
#define OPAQUE_ALPHA 255

typedef struct gif_decoder {
    image_decoder base;
    GifFileType *file;
    const uint8_t *data;
    size_t size, at;
    uint8_t *canvas; /* [height][width] RGBA; of a still picture, allocated with the first rows */
    uint8_t *line;   /* of a frame: indices */
    bool has_frame;
    int32_t rows_read;
} gif_decoder;

static int take_bytes(GifFileType *file, GifByteType *bytes, int size) {
    gif_decoder *self = file->UserData;
    size_t left = self->size - self->at, there = (size_t)size < left ? (size_t)size : left;
    memcpy(bytes, self->data + self->at, there);
    self->at += there;
    return (int)there;
}

static swin2sr_status gif_failed(const gif_decoder *self, swin2sr_error *reterr) {
    if (self->file && self->file->Error == D_GIF_ERR_NOT_ENOUGH_MEM)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the GIF");
    return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the GIF is damaged or cut short");
}

/* ---- one frame ---- */

typedef struct gif_frame {
    int32_t left, top, width, height; /* within the canvas or beyond it */
    bool is_interlaced;
    int32_t key; /* the index that is transparent, or NO_TRANSPARENT_COLOR */
    const ColorMapObject *colours;
} gif_frame;

/* Draw the line that was decoded. A colour beyond the end of the palette is black. */
static void draw_line(gif_decoder *self, const gif_frame *frame, int32_t y) {
    int32_t left = frame->left, right = left + frame->width;
    if (frame->top + y >= self->base.height_px)
        return;
    right = right < self->base.width_px ? right : self->base.width_px;
    uint8_t *to = self->canvas + ((size_t)(frame->top + y) * (size_t)self->base.width_px + (size_t)left) * PIXEL_BYTES;
    for (int32_t x = left; x < right; x++, to += PIXEL_BYTES) {
        int32_t index = self->line[x - left];
        const GifColorType black = {0},
                           *colour = index < frame->colours->ColorCount ? &frame->colours->Colors[index] : &black;
        if (index == frame->key)
            continue;
        to[0] = colour->Red;
        to[1] = colour->Green;
        to[2] = colour->Blue;
        to[3] = OPAQUE_ALPHA;
    }
}

static swin2sr_status draw_frame(gif_decoder *self, const gif_frame *frame, swin2sr_error *reterr) {
    static const int32_t starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    int32_t passes = frame->is_interlaced ? 4 : 1;
    for (int32_t pass = 0; pass < passes; pass++) {
        int32_t step = frame->is_interlaced ? steps[pass] : 1;
        for (int32_t y = frame->is_interlaced ? starts[pass] : 0; y < frame->height; y += step) {
            if (DGifGetLine(self->file, self->line, frame->width) != GIF_OK)
                return gif_failed(self, reterr);
            draw_line(self, frame, y);
        }
    }
    return SWIN2SR_OK;
}

/* An extension that belongs to the next frame changes control; others are skipped. */
static swin2sr_status read_extension(gif_decoder *self, GraphicsControlBlock *control, swin2sr_error *reterr) {
    GifByteType *block;
    int code;
    if (DGifGetExtension(self->file, &code, &block) != GIF_OK)
        return gif_failed(self, reterr);
    if (code == GRAPHICS_EXT_FUNC_CODE && block)
        DGifExtensionToGCB(block[0], block + 1, control);
    while (block)
        if (DGifGetExtensionNext(self->file, &block) != GIF_OK)
            return gif_failed(self, reterr);
    return SWIN2SR_OK;
}

/* Go to the next frame and read its head. */
static swin2sr_status find_frame(gif_decoder *self, GraphicsControlBlock *control, swin2sr_error *reterr) {
    GifRecordType type;
    for (;;) {
        if (DGifGetRecordType(self->file, &type) != GIF_OK || type == TERMINATE_RECORD_TYPE)
            return gif_failed(self, reterr);
        if (type == IMAGE_DESC_RECORD_TYPE)
            return DGifGetImageDesc(self->file) == GIF_OK ? SWIN2SR_OK : gif_failed(self, reterr);
        swin2sr_status status = type == EXTENSION_RECORD_TYPE ? read_extension(self, control, reterr) : SWIN2SR_OK;
        if (status != SWIN2SR_OK)
            return status;
    }
}

static swin2sr_status next_frame(gif_decoder *self, swin2sr_error *reterr) {
    GraphicsControlBlock control = {.TransparentColor = NO_TRANSPARENT_COLOR};
    swin2sr_status status = find_frame(self, &control, reterr);
    if (status != SWIN2SR_OK)
        return status;
    const GifImageDesc *head = &self->file->Image;
    const gif_frame frame = {.left = head->Left,
                             .top = head->Top,
                             .width = head->Width,
                             .height = head->Height,
                             .is_interlaced = head->Interlace,
                             .key = control.TransparentColor,
                             .colours = head->ColorMap ? head->ColorMap : self->file->SColorMap};
    if (!frame.colours)
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the GIF is damaged: a frame has no palette");
    free(self->line);
    self->line = malloc((size_t)frame.width > 0 ? (size_t)frame.width : 1);
    if (!self->line)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the GIF");
    return draw_frame(self, &frame, reterr);
}

/* ---- decoder ---- */

static swin2sr_status gif_decoder_read(image_decoder *base, swin2sr_error *reterr) {
    gif_decoder *self = (gif_decoder *)base;
    swin2sr_status status = SWIN2SR_OK;
    if (!self->has_frame)
        status = next_frame(self, reterr);
    self->has_frame = true;
    for (int32_t y = 0; y < base->n && status == SWIN2SR_OK; y++) {
        uint8_t *row = base->rows + (size_t)y * base->stride_bytes;
        const uint8_t *from = self->canvas + (size_t)(self->rows_read + y) * (size_t)base->width_px * PIXEL_BYTES;
        for (int32_t x = 0; x < base->width_px; x++, row += base->channels, from += PIXEL_BYTES)
            memcpy(row, from, (size_t)base->channels);
    }
    self->rows_read += base->n;
    return status;
}

static void gif_decoder_close(image_decoder *base) {
    gif_decoder *self = (gif_decoder *)base;
    if (self->file)
        DGifCloseFile(self->file, NULL);
    free(self->canvas);
    free(self->line);
    free(self);
}

swin2sr_status image_gif_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                      swin2sr_error *reterr) {
    gif_decoder *self = calloc(1, sizeof(*self));
    probe_info probe;
    int error = D_GIF_ERR_NOT_ENOUGH_MEM;
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the GIF");
    self->base.read = gif_decoder_read;
    self->base.close = gif_decoder_close;
    self->data = data;
    self->size = size;
    *ret_decoder = &self->base;
    swin2sr_status status = probe_bytes(data, size, &probe, reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->base.width_px = probe.width_px;
    self->base.height_px = probe.height_px;
    self->base.channels = probe.channels;
    self->base.sample_bytes = 1;
    self->base.damage = probe.is_cut_short ? "the GIF has no end; frames may be missing" : NULL;
    self->canvas = calloc((size_t)probe.width_px * (size_t)probe.height_px, PIXEL_BYTES);
    self->file = self->canvas ? DGifOpen(self, take_bytes, &error) : NULL;
    if (self->file)
        return SWIN2SR_OK;
    return error == D_GIF_ERR_NOT_ENOUGH_MEM
               ? swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the GIF")
               : swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the GIF is damaged or cut short");
}
