/* SPDX-License-Identifier: Apache-2.0
 * image/apng_write.c - write animated PNG files (stage 8 of 9; PNG, 3rd edition, 11.3.2).
 * Each frame is written by the encoder of PNG into memory. Its data then becomes a frame of the animation, and the rest of
 * the first file is the head of the whole one. One encoded frame is held at a time. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/frames_codec.h"
#include "image/png_chunk.h"

#define DELAY_MAX 65535u

typedef struct apng_encoder {
    frames_encoder base;
    int32_t channels;
    uint32_t sequence;
    png_buffer file; /* a frame, encoded */
    bool is_out_of_memory, is_refused, has_head;
    uint8_t *row; /* without alpha, if the animation has none */
} apng_encoder;

static bool take_bytes(void *context, const void *bytes, size_t size) {
    apng_encoder *self = context;
    bool is_taken = png_buffer_append(&self->file, bytes, size);
    self->is_out_of_memory |= !is_taken;
    return is_taken;
}

static void give(apng_encoder *self, const void *bytes, size_t size) {
    self->is_refused = self->is_refused || (size > 0 && !self->base.sink(self->base.context, bytes, size));
}

/* A chunk whose body comes in two pieces. */
static void give_chunk(apng_encoder *self, const char *type, const uint8_t *start, size_t start_bytes,
                       const uint8_t *rest, size_t rest_bytes) {
    uint8_t head[PNG_CHUNK_HEAD_BYTES], crc[PNG_CHUNK_TAIL_BYTES];
    png_put_u32(head, (uint32_t)(start_bytes + rest_bytes));
    memcpy(head + 4, type, 4);
    uLong sum = crc32(crc32(crc32(0, head + 4, 4), start, (uInt)start_bytes), rest, (uInt)rest_bytes);
    png_put_u32(crc, (uint32_t)sum);
    give(self, head, sizeof(head));
    give(self, start, start_bytes);
    give(self, rest, rest_bytes);
    give(self, crc, sizeof(crc));
}

static void give_control(apng_encoder *self, const frames_part *part) {
    uint8_t body[26] = {0};
    uint32_t num = part->delay_num, den = part->delay_den;
    while (num > DELAY_MAX || den > DELAY_MAX) { /* a fraction of smaller numbers */
        num = num / 2 + num % 2;
        den = den > 1 ? den / 2 : 1;
        if (den == 1 && num > DELAY_MAX)
            num = DELAY_MAX;
    }
    const uint32_t numbers[] = {self->sequence++, (uint32_t)part->width_px, (uint32_t)part->height_px,
                                (uint32_t)part->x, (uint32_t)part->y};
    for (int i = 0; i < 5; i++)
        png_put_u32(body + 4 * i, numbers[i]);
    body[20] = (uint8_t)(num >> 8);
    body[21] = (uint8_t)num;
    body[22] = (uint8_t)(den >> 8);
    body[23] = (uint8_t)den; /* then: leave the canvas as it is; replace what is there */
    give_chunk(self, "fcTL", body, sizeof(body), body, 0);
}

/* Take the encoded file apart. */
static void give_frame(apng_encoder *self, const frames_part *part) {
    bool is_first = !self->has_head, has_control = false;
    uint8_t counts[8];
    png_put_u32(counts, (uint32_t)self->base.options.frames);
    png_put_u32(counts + 4, self->base.options.plays);
    if (is_first)
        give(self, self->file.bytes, PNG_SIGNATURE_BYTES);
    for (size_t at = PNG_SIGNATURE_BYTES; at + PNG_CHUNK_HEAD_BYTES <= self->file.size;) {
        const uint8_t *chunk = self->file.bytes + at, *body = chunk + PNG_CHUNK_HEAD_BYTES;
        size_t size = png_get_u32(chunk);
        bool is_data = memcmp(chunk + 4, "IDAT", 4) == 0;
        if (is_data && !has_control) {
            if (is_first)
                give_chunk(self, "acTL", counts, sizeof(counts), counts, 0);
            give_control(self, part);
            has_control = true;
        }
        if (is_data && !is_first) {
            uint8_t sequence[4];
            png_put_u32(sequence, self->sequence++);
            give_chunk(self, "fdAT", sequence, sizeof(sequence), body, size);
        } else if (is_first && memcmp(chunk + 4, "IEND", 4) != 0) {
            give(self, chunk, PNG_CHUNK_HEAD_BYTES + size + PNG_CHUNK_TAIL_BYTES);
        }
        at += PNG_CHUNK_HEAD_BYTES + size + PNG_CHUNK_TAIL_BYTES;
    }
    self->has_head = true;
}

static swin2sr_status write_rows(apng_encoder *self, image_encoder *png, const frames_part *part, const uint8_t *canvas,
                                 swin2sr_error *reterr) {
    size_t width = (size_t)self->base.options.width_px;
    png->n = 1;
    for (int32_t y = 0; y < part->height_px; y++) {
        const uint8_t *from = canvas + ((size_t)(part->y + y) * width + (size_t)part->x) * FRAMES_PIXEL_BYTES;
        for (int32_t x = 0; x < part->width_px && self->channels == 3; x++)
            memcpy(self->row + 3 * x, from + FRAMES_PIXEL_BYTES * x, 3);
        png->rows = self->channels == 3 ? self->row : from;
        swin2sr_status status = image_trap_run(&png->trap, png->write, png, reterr);
        if (status != SWIN2SR_OK)
            return status;
    }
    return image_trap_run(&png->trap, png->finish, png, reterr);
}

static swin2sr_status encode(apng_encoder *self, const frames_part *part, const uint8_t *canvas,
                             swin2sr_error *reterr) {
    static const image_metadata none = {.gamma = 0};
    const image_encoder_setup setup = {.width_px = part->width_px,
                                       .height_px = part->height_px,
                                       .channels = self->channels,
                                       .sample_bytes = 1,
                                       .quality = self->base.options.quality,
                                       .compression = self->base.options.compression,
                                       .metadata = &none,
                                       .sink = take_bytes,
                                       .context = self};
    image_encoder *png = NULL;
    self->file.size = 0;
    swin2sr_status status = image_png_encoder_open(&setup, &png, reterr);
    if (status == SWIN2SR_OK)
        status = write_rows(self, png, part, canvas, reterr);
    if (png)
        png->close(png);
    if (self->is_out_of_memory)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the animation");
    return status;
}

static swin2sr_status check(const apng_encoder *self, swin2sr_error *reterr) {
    return self->is_refused ? swin2sr__error_set(reterr, SWIN2SR_IO, "the output could not be written") : SWIN2SR_OK;
}

static swin2sr_status apng_add(frames_encoder *base, const frames_part *part, const uint8_t *canvas,
                               swin2sr_error *reterr) {
    apng_encoder *self = (apng_encoder *)base;
    frames_part shown = *part;
    if (part->width_px == 0 || part->height_px == 0) { /* a frame has at least one pixel: the one that is there */
        shown.x = shown.y = 0;
        shown.width_px = shown.height_px = 1;
    }
    swin2sr_status status = encode(self, &shown, canvas, reterr);
    if (status != SWIN2SR_OK)
        return status;
    give_frame(self, &shown);
    return check(self, reterr);
}

static swin2sr_status apng_finish(frames_encoder *base, swin2sr_error *reterr) {
    apng_encoder *self = (apng_encoder *)base;
    size_t end_bytes =
        PNG_CHUNK_HEAD_BYTES + PNG_CHUNK_TAIL_BYTES; /* that of the last frame is the end of the animation, too */
    give(self, self->file.bytes + self->file.size - end_bytes, end_bytes);
    return check(self, reterr);
}

static void apng_close(frames_encoder *base) {
    apng_encoder *self = (apng_encoder *)base;
    free(self->file.bytes);
    free(self->row);
    free(self);
}

swin2sr_status frames_apng_write_open(const frames_options *options, frames_encoder **ret_encoder,
                                      swin2sr_error *reterr) {
    apng_encoder *self = calloc(1, sizeof(*self));
    if (self) {
        self->base.add = apng_add;
        self->base.finish = apng_finish;
        self->base.close = apng_close;
        self->channels = options->has_alpha ? 4 : 3;
        *ret_encoder = &self->base;
        self->row = malloc((size_t)options->width_px * 3);
    }
    return self && self->row ? SWIN2SR_OK
                             : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the animation");
}
