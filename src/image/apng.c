/* SPDX-License-Identifier: Apache-2.0
 * image/apng.c - read the frames of an animated PNG (stage 4 of 9; PNG, 3rd edition, 4.9 and 11.3.2).
 * libpng reads no animations. Each frame is made a PNG file of its own: a header with its size, the chunks that its pixels
 * depend on, its data. The decoder of PNG reads that, and the result is drawn on the canvas. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "image/frames_codec.h"
#include "image/png_chunk.h"

#define CONTROL_BYTES 26
#define IHDR_BYTES 13
#define SEQUENCE_BYTES 4
#define DEFAULT_DELAY_DEN 100 /* of a denominator of 0 */

enum {
    DISPOSE_NONE,
    DISPOSE_BACKGROUND,
    DISPOSE_PREVIOUS
};
enum {
    BLEND_SOURCE,
    BLEND_OVER
};

typedef struct apng_control {
    uint32_t width, height, x, y;
    uint16_t delay_num, delay_den;
    uint8_t dispose, blend;
} apng_control;

typedef struct apng_decoder {
    frames_decoder base;
    const uint8_t *data;
    size_t size, at;                      /* of the next chunk */
    const uint8_t *ihdr;                  /* its body */
    size_t shared_at[2], shared_bytes[2]; /* PLTE and tRNS, whole chunks; 0: there is none */
    uint32_t sequence;
    bool has_last;
    apng_control control, last; /* of the frame that comes, and of the one that is shown */
    bool has_control;           /* the control of the next frame was read */
    uint8_t *canvas, *saved;    /* saved: what the shown frame has covered */
    png_buffer file;            /* of the frame that is being read */
} apng_decoder;

static swin2sr_status damaged(swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the animated PNG is damaged or cut short");
}

static swin2sr_status out_of_memory(swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the animated PNG");
}

/* ---- chunks ---- */

typedef struct apng_chunk {
    const uint8_t *type, *body;
    size_t size;
} apng_chunk;

/* The chunk at self->at. returns false if it is not whole. */
static bool look_at_chunk(const apng_decoder *self, apng_chunk *ret_chunk) {
    size_t left = self->size - self->at;
    if (left < PNG_CHUNK_HEAD_BYTES + PNG_CHUNK_TAIL_BYTES ||
        png_get_u32(self->data + self->at) > left - PNG_CHUNK_HEAD_BYTES - PNG_CHUNK_TAIL_BYTES)
        return false;
    *ret_chunk = (apng_chunk){.type = self->data + self->at + 4,
                              .body = self->data + self->at + PNG_CHUNK_HEAD_BYTES,
                              .size = png_get_u32(self->data + self->at)};
    return true;
}

static bool is_type(const apng_chunk *chunk, const char *type) {
    return memcmp(chunk->type, type, 4) == 0;
}

static void skip(apng_decoder *self, const apng_chunk *chunk) {
    self->at += PNG_CHUNK_HEAD_BYTES + chunk->size + PNG_CHUNK_TAIL_BYTES;
}

static bool is_next_in_sequence(apng_decoder *self, const apng_chunk *chunk) {
    return chunk->size >= SEQUENCE_BYTES && png_get_u32(chunk->body) == self->sequence++;
}

/* Take the control of the next frame. */
static bool take_control(apng_decoder *self, const apng_chunk *chunk) {
    const uint8_t *body = chunk->body;
    if (chunk->size != CONTROL_BYTES || self->has_control || !is_next_in_sequence(self, chunk))
        return false;
    apng_control *control = &self->control;
    *control = (apng_control){.width = png_get_u32(body + 4),
                              .height = png_get_u32(body + 8),
                              .x = png_get_u32(body + 12),
                              .y = png_get_u32(body + 16),
                              .delay_num = (uint16_t)(body[20] << 8 | body[21]),
                              .delay_den = (uint16_t)(body[22] << 8 | body[23]),
                              .dispose = body[24],
                              .blend = body[25]};
    uint32_t width = (uint32_t)self->base.width_px, height = (uint32_t)self->base.height_px;
    self->has_control = true;
    return control->width > 0 && control->height > 0 && control->x <= width && control->y <= height &&
           control->width <= width - control->x && control->height <= height - control->y &&
           control->dispose <= DISPOSE_PREVIOUS && control->blend <= BLEND_OVER;
}

/* ---- a frame as a file ---- */

static bool begin_file(apng_decoder *self) {
    uint8_t header[IHDR_BYTES];
    memcpy(header, self->ihdr, sizeof(header));
    png_put_u32(header, self->control.width);
    png_put_u32(header + 4, self->control.height);
    self->file.size = 0;
    bool is_made = png_buffer_append(&self->file, self->data, PNG_SIGNATURE_BYTES) &&
                   png_buffer_append_chunk(&self->file, "IHDR", header, sizeof(header));
    for (int i = 0; i < 2; i++)
        is_made = is_made && png_buffer_append(&self->file, self->data + self->shared_at[i], self->shared_bytes[i]);
    return is_made;
}

/* Copy the data of the next frame into a file: all of its chunks, of one kind. Others may lie between them. */
static swin2sr_status collect(apng_decoder *self, swin2sr_error *reterr) {
    apng_chunk chunk;
    bool has_data = false;
    if (!begin_file(self))
        return out_of_memory(reterr);
    self->has_control = false;
    while (!self->has_control) {
        bool is_added = true;
        if (!look_at_chunk(self, &chunk))
            return damaged(reterr);
        if (is_type(&chunk, "IEND"))
            break;
        if (is_type(&chunk, "fcTL") && !take_control(self, &chunk))
            return damaged(reterr);
        if (is_type(&chunk, "fdAT")) {
            if (!is_next_in_sequence(self, &chunk))
                return damaged(reterr);
            is_added =
                png_buffer_append_chunk(&self->file, "IDAT", chunk.body + SEQUENCE_BYTES, chunk.size - SEQUENCE_BYTES);
            has_data = true;
        } else if (is_type(&chunk, "IDAT")) {
            is_added = png_buffer_append_chunk(&self->file, "IDAT", chunk.body, chunk.size);
            has_data = true;
        }
        if (!is_added)
            return out_of_memory(reterr);
        skip(self, &chunk);
    }
    if (!has_data)
        return damaged(reterr);
    return png_buffer_append_chunk(&self->file, "IEND", self->data, 0) ? SWIN2SR_OK : out_of_memory(reterr);
}

/* ---- drawing ---- */

/* A pixel over another, both with alpha that is not multiplied into the colours (PNG, 3rd edition, 13.16). */
static void blend_over(const uint8_t *from, uint8_t *to) {
    uint32_t above = from[3] * 255u, below = (255u - from[3]) * to[3], all = above + below;
    for (int c = 0; c < 3 && all > 0; c++)
        to[c] = (uint8_t)((from[c] * above + to[c] * below + all / 2) / all);
    to[3] = (uint8_t)((all + 127) / 255);
}

static void draw_row(const uint8_t *from, uint32_t width, bool is_over, uint8_t *to) {
    for (uint32_t x = 0; x < width; x++, from += FRAMES_PIXEL_BYTES, to += FRAMES_PIXEL_BYTES)
        if (!is_over || from[3] == 255)
            memcpy(to, from, FRAMES_PIXEL_BYTES);
        else if (from[3] > 0)
            blend_over(from, to);
}

static uint8_t *place_of(apng_decoder *self, uint8_t *canvas, const apng_control *control, uint32_t y) {
    return canvas + ((size_t)(control->y + y) * (size_t)self->base.width_px + control->x) * FRAMES_PIXEL_BYTES;
}

/* What the shown frame leaves behind. */
static void dispose(apng_decoder *self) {
    const apng_control *last = &self->last;
    size_t bytes = (size_t)last->width * FRAMES_PIXEL_BYTES;
    for (uint32_t y = 0; y < last->height && self->has_last; y++) {
        if (last->dispose == DISPOSE_BACKGROUND)
            memset(place_of(self, self->canvas, last, y), 0, bytes);
        else if (last->dispose == DISPOSE_PREVIOUS)
            memcpy(place_of(self, self->canvas, last, y), place_of(self, self->saved, last, y), bytes);
    }
}

static swin2sr_status draw_file(apng_decoder *self, const apng_control *control, swin2sr_error *reterr) {
    image_reader *reader = NULL;
    const image_limits limits = {.pixels =
                                     (uint64_t)control->width * control->height}; /* the canvas has passed others */
    swin2sr_status status = image_reader_open(self->file.bytes, self->file.size, &limits, &reader, reterr);
    if (status != SWIN2SR_OK)
        return status;
    const image_info *info = image_reader_info(reader);
    size_t width = control->width;
    uint8_t *row = malloc(width * (size_t)(info->channels * info->sample_bytes));
    uint8_t *pixels = malloc(width * FRAMES_PIXEL_BYTES);
    if (!row || !pixels)
        status = out_of_memory(reterr);
    for (uint32_t y = 0; y < control->height && status == SWIN2SR_OK; y++) {
        status = image_reader_read(reader, row, 0, 1, reterr);
        if (status != SWIN2SR_OK)
            break;
        frames_take_row(row, info->channels, info->sample_bytes, (int32_t)width, pixels);
        draw_row(pixels, control->width, control->blend == BLEND_OVER, place_of(self, self->canvas, control, y));
    }
    free(row);
    free(pixels);
    image_reader_close(reader);
    return status;
}

static swin2sr_status apng_next(frames_decoder *base, frames_frame *ret_frame, swin2sr_error *reterr) {
    apng_decoder *self = (apng_decoder *)base;
    if (!self->has_control)
        return damaged(reterr);
    apng_control control = self->control;
    swin2sr_status status = collect(self, reterr);
    if (status != SWIN2SR_OK)
        return status;
    dispose(self);
    if (!self->has_last && control.dispose == DISPOSE_PREVIOUS) /* there is none */
        control.dispose = DISPOSE_BACKGROUND;
    if (control.dispose == DISPOSE_PREVIOUS)
        memcpy(self->saved, self->canvas, (size_t)base->width_px * (size_t)base->height_px * FRAMES_PIXEL_BYTES);
    status = draw_file(self, &control, reterr);
    self->last = control;
    self->has_last = true;
    *ret_frame = (frames_frame){.canvas = self->canvas,
                                .delay_num = control.delay_num,
                                .delay_den = control.delay_den ? control.delay_den : DEFAULT_DELAY_DEN};
    return status;
}

static void apng_close(frames_decoder *base) {
    apng_decoder *self = (apng_decoder *)base;
    free(self->canvas);
    free(self->saved);
    free(self->file.bytes);
    free(self);
}

/* Read up to the pixels of the first frame, and go back to its control. A default image that is not part of the animation
 * is skipped. */
static bool read_start(apng_decoder *self) {
    apng_chunk chunk;
    size_t first = 0; /* what follows the control */
    for (self->at = PNG_SIGNATURE_BYTES; look_at_chunk(self, &chunk); skip(self, &chunk)) {
        bool is_palette = is_type(&chunk, "PLTE"), is_header = is_type(&chunk, "IHDR");
        bool has_pixels = is_type(&chunk, "IDAT") || is_type(&chunk, "fdAT");
        if (is_header && chunk.size == IHDR_BYTES)
            self->ihdr = chunk.body;
        if (is_palette || is_type(&chunk, "tRNS")) {
            self->shared_at[!is_palette] = self->at;
            self->shared_bytes[!is_palette] = PNG_CHUNK_HEAD_BYTES + chunk.size + PNG_CHUNK_TAIL_BYTES;
        }
        if (is_type(&chunk, "acTL") && chunk.size == 8)
            self->base.plays = png_get_u32(chunk.body + 4);
        if (first > 0 && has_pixels)
            break;
        if (is_type(&chunk, "IEND") || (is_type(&chunk, "fcTL") && !take_control(self, &chunk)))
            return false;
        if (is_type(&chunk, "fcTL"))
            first = self->at + PNG_CHUNK_HEAD_BYTES + chunk.size + PNG_CHUNK_TAIL_BYTES;
    }
    self->at = first;
    return self->ihdr && first > 0;
}

swin2sr_status frames_apng_open(const uint8_t *data, size_t size, frames_decoder **ret_decoder, swin2sr_error *reterr) {
    apng_decoder *self = calloc(1, sizeof(*self));
    probe_info probe;
    if (!self)
        return out_of_memory(reterr);
    self->base.next = apng_next;
    self->base.close = apng_close;
    *ret_decoder = &self->base;
    swin2sr_status status = probe_bytes(data, size, &probe, reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->data = data;
    self->size = size;
    self->base.width_px = probe.width_px;
    self->base.height_px = probe.height_px;
    if (!read_start(self))
        return damaged(reterr);
    size_t pixels = (size_t)probe.width_px * (size_t)probe.height_px;
    self->canvas = calloc(pixels, FRAMES_PIXEL_BYTES);
    self->saved = malloc(pixels * FRAMES_PIXEL_BYTES);
    return self->canvas && self->saved ? SWIN2SR_OK : out_of_memory(reterr);
}
