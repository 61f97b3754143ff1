/* SPDX-License-Identifier: Apache-2.0
 * image/gif_write.c - write GIF files with giflib, still and animated (stage 8 of 9).
 * One palette serves all frames, so that a colour that stays is drawn the same way in all of them. A frame has only what
 * differs from the canvas that is shown; the rest of its rectangle is transparent. A pixel that becomes transparent
 * cannot be drawn: the frame before is then written as one that leaves an empty canvas behind. That is known one frame
 * later, so each frame waits for the next. */
#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/frames_codec.h"
#include "image/palette.h"

#define COLOUR_BITS 8
#define DELAY_DEN 100
#define DELAY_MAX 65535u
#define REPEATS_MAX 65535u
#define LOOP_NAME "NETSCAPE2.0"

typedef struct gif_encoder {
    frames_encoder base;
    palette *palette;
    GifFileType *file;
    uint8_t *shown;   /* [height][width] indices: the canvas before the waiting frame is drawn */
    uint8_t *waiting; /* with the waiting frame */
    uint8_t *next;
    uint8_t *line;
    uint32_t waiting_delay;
    bool has_waiting, is_cleared; /* is_cleared: shown is empty, and is not looked at */
    bool is_refused;              /* by the sink */
} gif_encoder;

static int give_bytes(GifFileType *file, const GifByteType *bytes, int size) {
    gif_encoder *self = file->UserData;
    self->is_refused = self->is_refused || !self->base.sink(self->base.context, bytes, (size_t)size);
    return self->is_refused ? 0 : size;
}

static swin2sr_status write_failed(const gif_encoder *self, swin2sr_error *reterr) {
    if (self->is_refused)
        return swin2sr__error_set(reterr, SWIN2SR_IO, "the output could not be written");
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the GIF");
}

/* ---- head ---- */

static bool put_loop(gif_encoder *self) {
    uint32_t plays = self->base.options.plays, repeats = plays > 0 ? plays - 1 : 0;
    repeats = repeats < REPEATS_MAX ? repeats : REPEATS_MAX;
    const uint8_t block[] = {1, (uint8_t)repeats, (uint8_t)(repeats >> 8)};
    if (self->base.options.frames == 1 || plays == 1)
        return true;
    return EGifPutExtensionLeader(self->file, APPLICATION_EXT_FUNC_CODE) == GIF_OK &&
           EGifPutExtensionBlock(self->file, sizeof(LOOP_NAME) - 1, LOOP_NAME) == GIF_OK &&
           EGifPutExtensionBlock(self->file, sizeof(block), block) == GIF_OK &&
           EGifPutExtensionTrailer(self->file) == GIF_OK;
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
    bool is_put = self->file && EGifPutScreenDesc(self->file, self->base.options.width_px, self->base.options.height_px,
                                                  COLOUR_BITS, 0, map) == GIF_OK;
    GifFreeMapObject(map);
    return is_put && put_loop(self);
}

/* ---- frames ---- */

/* What the waiting frame has to draw: a pixel is left out if it is shown already. */
static uint8_t drawn(const gif_encoder *self, size_t at, bool is_whole) {
    bool is_same = !is_whole && !self->is_cleared && self->waiting[at] == self->shown[at];
    return is_same ? (uint8_t)palette_key(self->palette) : self->waiting[at];
}

/* The smallest rectangle with all pixels to draw, or one pixel if there are none. */
static frames_part rectangle_of(const gif_encoder *self, bool is_whole) {
    int32_t width = self->base.options.width_px, height = self->base.options.height_px,
            key = palette_key(self->palette);
    int32_t left = width, right = -1, top = height, bottom = -1;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++) {
            if (drawn(self, (size_t)y * (size_t)width + (size_t)x, is_whole) == key)
                continue;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y;
        }
    if (right < 0)
        return (frames_part){.width_px = 1, .height_px = 1};
    return (frames_part){.x = left, .y = top, .width_px = right - left + 1, .height_px = bottom - top + 1};
}

static bool put_control(gif_encoder *self, bool is_cleared_after) {
    const GraphicsControlBlock control = {.DisposalMode = is_cleared_after ? DISPOSE_BACKGROUND : DISPOSE_DO_NOT,
                                          .DelayTime = (int)self->waiting_delay,
                                          .TransparentColor = palette_key(self->palette)};
    GifByteType bytes[4];
    size_t size = EGifGCBToExtension(&control, bytes);
    bool is_needed = self->base.options.frames > 1 || control.TransparentColor != NO_TRANSPARENT_COLOR;
    return !is_needed || EGifPutExtension(self->file, GRAPHICS_EXT_FUNC_CODE, (int)size, bytes) == GIF_OK;
}

/* Write the waiting frame. is_cleared_after: it leaves nothing of the canvas, which it must then cover. */
static bool put_waiting(gif_encoder *self, bool is_cleared_after) {
    size_t width = (size_t)self->base.options.width_px;
    bool is_still = self->base.options.frames == 1;
    frames_part part = rectangle_of(self, is_cleared_after);
    if (is_still)
        part = (frames_part){.width_px = (int32_t)width, .height_px = self->base.options.height_px};
    if (!put_control(self, is_cleared_after) ||
        EGifPutImageDesc(self->file, part.x, part.y, part.width_px, part.height_px, false, NULL) != GIF_OK)
        return false;
    for (int32_t y = part.y; y < part.y + part.height_px; y++) {
        for (int32_t x = 0; x < part.width_px; x++)
            self->line[x] = drawn(self, (size_t)y * width + (size_t)(part.x + x), is_cleared_after || is_still);
        if (EGifPutLine(self->file, self->line, part.width_px) != GIF_OK)
            return false;
    }
    return true;
}

/* Whether a pixel that the waiting frame shows is transparent in the next one. */
static bool has_vanishing(const gif_encoder *self) {
    size_t pixels = (size_t)self->base.options.width_px * (size_t)self->base.options.height_px;
    int32_t key = palette_key(self->palette);
    for (size_t i = 0; i < pixels && self->base.options.has_alpha; i++)
        if (self->next[i] == key && self->waiting[i] != key)
            return true;
    return false;
}

static swin2sr_status count(frames_encoder *base, const uint8_t *pixels, size_t n, uint32_t weight) {
    palette_add(((gif_encoder *)base)->palette, pixels, n, FRAMES_PIXEL_BYTES, weight);
    return SWIN2SR_OK;
}

static swin2sr_status begin(gif_encoder *self, swin2sr_error *reterr) {
    const frames_options *options = &self->base.options;
    size_t pixels = (size_t)options->width_px * (size_t)options->height_px;
    if (palette_choose(self->palette, options->frames > 1, options->frames > 1) != SWIN2SR_OK || !put_head(self))
        return write_failed(self, reterr);
    self->base.notes = palette_has_partial_alpha(self->palette) ? NOTE_ALPHA_HARDENED : 0;
    memset(self->next, palette_key(self->palette), pixels);
    self->is_cleared = true;
    return SWIN2SR_OK;
}

static swin2sr_status gif_add(frames_encoder *base, const frames_part *part, const uint8_t *canvas,
                              swin2sr_error *reterr) {
    gif_encoder *self = (gif_encoder *)base;
    size_t width = (size_t)base->options.width_px, pixels = width * (size_t)base->options.height_px;
    swin2sr_status status = self->has_waiting ? SWIN2SR_OK : begin(self, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (self->has_waiting)
        memcpy(self->next, self->waiting, pixels);
    for (int32_t y = part->y; y < part->y + part->height_px; y++) {
        size_t at = (size_t)y * width + (size_t)part->x;
        palette_draw(self->palette, part->x, y, canvas + at * FRAMES_PIXEL_BYTES, (size_t)part->width_px,
                     FRAMES_PIXEL_BYTES, self->next + at);
    }
    if (self->has_waiting) {
        bool is_cleared = has_vanishing(self);
        if (!put_waiting(self, is_cleared))
            return write_failed(self, reterr);
        self->is_cleared = is_cleared;
    }
    uint8_t *free_canvas = self->shown;
    self->shown = self->waiting;
    self->waiting = self->next;
    self->next = free_canvas;
    uint64_t delay = ((uint64_t)part->delay_num * DELAY_DEN + part->delay_den / 2) / part->delay_den;
    self->waiting_delay = delay < DELAY_MAX ? (uint32_t)delay : DELAY_MAX;
    self->has_waiting = true;
    return SWIN2SR_OK;
}

static swin2sr_status gif_finish(frames_encoder *base, swin2sr_error *reterr) {
    gif_encoder *self = (gif_encoder *)base;
    if (!put_waiting(self, false))
        return write_failed(self, reterr);
    GifFileType *file = self->file;
    self->file = NULL;
    return EGifCloseFile(file, NULL) == GIF_OK && !self->is_refused ? SWIN2SR_OK : write_failed(self, reterr);
}

static void gif_close(frames_encoder *base) {
    gif_encoder *self = (gif_encoder *)base;
    if (self->file) {
        self->is_refused = true; /* nothing more is written */
        EGifCloseFile(self->file, NULL);
    }
    palette_free(self->palette);
    free(self->shown);
    free(self->waiting);
    free(self->next);
    free(self->line);
    free(self);
}

swin2sr_status frames_gif_write_open(const frames_options *options, frames_encoder **ret_encoder,
                                     swin2sr_error *reterr) {
    gif_encoder *self = calloc(1, sizeof(*self));
    size_t width = (size_t)options->width_px, pixels = width * (size_t)options->height_px;
    if (self) {
        self->base.count = count;
        self->base.add = gif_add;
        self->base.finish = gif_finish;
        self->base.close = gif_close;
        *ret_encoder = &self->base;
        self->shown = malloc(pixels);
        self->waiting = malloc(pixels);
        self->next = malloc(pixels);
        self->line = malloc(width);
    }
    if (self && self->shown && self->waiting && self->next && self->line && palette_new(&self->palette) == SWIN2SR_OK)
        return SWIN2SR_OK;
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the GIF");
}
