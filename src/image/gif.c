/* SPDX-License-Identifier: Apache-2.0
 * image/gif.c - read GIF files with giflib (stage 4 of 9).
 * giflib takes the file apart and undoes its compression, line by line; frames are drawn on a canvas of RGBA here. What a
 * frame does not cover is transparent. Lines that are missing from a frame make the file damaged, never half a picture. */
#include "image/gif_decoder.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/codec.h"

#define OPAQUE_ALPHA 255
#define LOOP_NAME "NETSCAPE2.0"
#define OTHER_LOOP_NAME "ANIMEXTS1.0"
#define LOOP_NAME_BYTES 11

static int take_bytes(GifFileType *file, GifByteType *bytes, int size) {
    gif_file *self = file->UserData;
    size_t left = self->size - self->at, there = (size_t)size < left ? (size_t)size : left;
    memcpy(bytes, self->data + self->at, there);
    self->at += there;
    return (int)there;
}

static swin2sr_status gif_failed(const gif_file *self, swin2sr_error *reterr) {
    if (self->file && self->file->Error == D_GIF_ERR_NOT_ENOUGH_MEM)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the GIF");
    return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the GIF is damaged or cut short");
}

/* ---- one frame ---- */

gif_rectangle gif_file_place(const gif_file *self) {
    const GifImageDesc *head = &self->file->Image;
    return (gif_rectangle){head->Left, head->Top, head->Width, head->Height};
}

/* Draw the line that was decoded. A colour beyond the end of the palette is black. */
static void draw_line(gif_file *self, const gif_rectangle *place, const ColorMapObject *colours, int32_t y) {
    int32_t left = place->left, right = left + place->width;
    if (place->top + y >= self->height_px)
        return;
    right = right < self->width_px ? right : self->width_px;
    uint8_t *to = self->canvas + ((size_t)(place->top + y) * (size_t)self->width_px + (size_t)left) * GIF_PIXEL_BYTES;
    for (int32_t x = left; x < right; x++, to += GIF_PIXEL_BYTES) {
        int32_t index = self->line[x - left];
        const GifColorType black = {0}, *colour = index < colours->ColorCount ? &colours->Colors[index] : &black;
        if (index == self->control.TransparentColor)
            continue;
        to[0] = colour->Red;
        to[1] = colour->Green;
        to[2] = colour->Blue;
        to[3] = OPAQUE_ALPHA;
    }
}

swin2sr_status gif_file_draw(gif_file *self, swin2sr_error *reterr) {
    static const int32_t starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    const GifImageDesc *head = &self->file->Image;
    const ColorMapObject *colours = head->ColorMap ? head->ColorMap : self->file->SColorMap;
    gif_rectangle place = gif_file_place(self);
    if (!colours)
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the GIF is damaged: a frame has no palette");
    free(self->line);
    self->line = malloc((size_t)place.width > 0 ? (size_t)place.width : 1);
    if (!self->line)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the GIF");
    self->is_found = false;
    for (int32_t pass = 0; pass < (head->Interlace ? 4 : 1); pass++) {
        int32_t step = head->Interlace ? steps[pass] : 1;
        for (int32_t y = head->Interlace ? starts[pass] : 0; y < place.height; y += step) {
            if (DGifGetLine(self->file, self->line, place.width) != GIF_OK)
                return gif_failed(self, reterr);
            draw_line(self, &place, colours, y);
        }
    }
    return SWIN2SR_OK;
}

/* ---- between frames ---- */

/* A count of repetitions: the frames are shown once more than that. */
static void read_loop(gif_file *self, const GifByteType *block) {
    if (block[0] < 3 || (block[1] & 7) != 1)
        return;
    uint32_t repeats = (uint32_t)block[2] | (uint32_t)block[3] << 8;
    self->plays = repeats ? repeats + 1 : 0;
}

/* An extension that belongs to the next frame changes control; those with unknown names are skipped. */
static swin2sr_status read_extension(gif_file *self, swin2sr_error *reterr) {
    GifByteType *block;
    int code;
    if (DGifGetExtension(self->file, &code, &block) != GIF_OK)
        return gif_failed(self, reterr);
    if (code == GRAPHICS_EXT_FUNC_CODE && block)
        DGifExtensionToGCB(block[0], block + 1, &self->control);
    bool is_loop = code == APPLICATION_EXT_FUNC_CODE && block && block[0] == LOOP_NAME_BYTES &&
                   (memcmp(block + 1, LOOP_NAME, LOOP_NAME_BYTES) == 0 ||
                    memcmp(block + 1, OTHER_LOOP_NAME, LOOP_NAME_BYTES) == 0);
    while (block) {
        if (DGifGetExtensionNext(self->file, &block) != GIF_OK)
            return gif_failed(self, reterr);
        if (is_loop && block)
            read_loop(self, block);
    }
    return SWIN2SR_OK;
}

swin2sr_status gif_file_find(gif_file *self, swin2sr_error *reterr) {
    GifRecordType type;
    swin2sr_status status = SWIN2SR_OK;
    if (self->is_found)
        return SWIN2SR_OK;
    self->control = (GraphicsControlBlock){.TransparentColor = NO_TRANSPARENT_COLOR};
    while (status == SWIN2SR_OK && !self->is_found) {
        if (DGifGetRecordType(self->file, &type) != GIF_OK || type == TERMINATE_RECORD_TYPE)
            return gif_failed(self, reterr);
        self->is_found = type == IMAGE_DESC_RECORD_TYPE;
        if (self->is_found)
            status = DGifGetImageDesc(self->file) == GIF_OK ? SWIN2SR_OK : gif_failed(self, reterr);
        else if (type == EXTENSION_RECORD_TYPE)
            status = read_extension(self, reterr);
    }
    return status;
}

swin2sr_status gif_file_open(gif_file *self, const uint8_t *data, size_t size, const probe_info *probe,
                             swin2sr_error *reterr) {
    int error = D_GIF_ERR_NOT_ENOUGH_MEM;
    *self =
        (gif_file){.data = data, .size = size, .width_px = probe->width_px, .height_px = probe->height_px, .plays = 1};
    self->canvas = calloc((size_t)probe->width_px * (size_t)probe->height_px, GIF_PIXEL_BYTES);
    self->file = self->canvas ? DGifOpen(self, take_bytes, &error) : NULL;
    if (self->file)
        return gif_file_find(self, reterr);
    return error == D_GIF_ERR_NOT_ENOUGH_MEM
               ? swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the GIF")
               : swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the GIF is damaged or cut short");
}

void gif_file_close(gif_file *self) {
    if (self->file)
        DGifCloseFile(self->file, NULL);
    free(self->canvas);
    free(self->line);
}

/* ---- a still picture: the first frame ---- */

typedef struct gif_decoder {
    image_decoder base;
    gif_file file;
    bool is_drawn;
    int32_t rows_read;
} gif_decoder;

static swin2sr_status gif_decoder_read(image_decoder *base, swin2sr_error *reterr) {
    gif_decoder *self = (gif_decoder *)base;
    swin2sr_status status = self->is_drawn ? SWIN2SR_OK : gif_file_draw(&self->file, reterr);
    self->is_drawn = true;
    for (int32_t y = 0; y < base->n && status == SWIN2SR_OK; y++) {
        uint8_t *row = base->rows + (size_t)y * base->stride_bytes;
        const uint8_t *from =
            self->file.canvas + (size_t)(self->rows_read + y) * (size_t)base->width_px * GIF_PIXEL_BYTES;
        for (int32_t x = 0; x < base->width_px; x++, row += base->channels, from += GIF_PIXEL_BYTES)
            memcpy(row, from, (size_t)base->channels);
    }
    self->rows_read += base->n;
    return status;
}

static void gif_decoder_close(image_decoder *base) {
    gif_file_close(&((gif_decoder *)base)->file);
    free(base);
}

swin2sr_status image_gif_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                      swin2sr_error *reterr) {
    gif_decoder *self = calloc(1, sizeof(*self));
    probe_info probe;
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the GIF");
    self->base.read = gif_decoder_read;
    self->base.close = gif_decoder_close;
    *ret_decoder = &self->base;
    swin2sr_status status = probe_bytes(data, size, &probe, reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->base.width_px = probe.width_px;
    self->base.height_px = probe.height_px;
    self->base.channels = probe.channels;
    self->base.sample_bytes = 1;
    self->base.damage = probe.is_cut_short ? "the GIF has no end; frames may be missing" : NULL;
    return gif_file_open(&self->file, data, size, &probe, reterr);
}
