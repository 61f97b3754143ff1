/* SPDX-License-Identifier: Apache-2.0
 * image/frames_read.c - the frames of any image (stage 4 of 9).
 * GIF, WebP and APNG have decoders of frames; of any other image, the one picture is made a canvas here. No animation is
 * written with a profile, so colours become sRGB. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/colour.h"
#include "image/frames_codec.h"

struct frames_reader {
    frames_info info;
    frames_decoder *decoder; /* NULL: a still picture */
    image_reader *still;
    uint8_t *canvas;      /* of a still picture, or as sRGB */
    image_colour *colour; /* NULL: the colours are kept */
    int32_t frames_read;
};

static swin2sr_status out_of_memory(swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the animation");
}

static swin2sr_status read_still(frames_reader *self, swin2sr_error *reterr) {
    const image_info *info = image_reader_info(self->still);
    size_t width = (size_t)info->width_px, height = (size_t)info->height_px;
    uint8_t *row = malloc(width * (size_t)(info->channels * info->sample_bytes));
    self->canvas = malloc(width * height * FRAMES_PIXEL_BYTES);
    swin2sr_status status = row && self->canvas ? SWIN2SR_OK : out_of_memory(reterr);
    for (size_t y = 0; y < height && status == SWIN2SR_OK; y++) {
        status = image_reader_read(self->still, row, 0, 1, reterr);
        if (status == SWIN2SR_OK)
            frames_take_row(row, info->channels, info->sample_bytes, info->width_px,
                            self->canvas + y * width * FRAMES_PIXEL_BYTES);
    }
    self->info.damage = info->damage;
    free(row);
    return status;
}

static swin2sr_status open_decoder(frames_reader *self, const uint8_t *data, size_t size, const probe_info *probe,
                                   swin2sr_error *reterr) {
    switch (probe->format) {
    case FORMAT_GIF:
        return frames_gif_open(data, size, &self->decoder, reterr);
    case FORMAT_WEBP:
        return frames_webp_open(data, size, &self->decoder, reterr);
    default:
        return frames_apng_open(data, size, &self->decoder, reterr);
    }
}

/* The header of an animation has passed the limits, so its decoder must find what the header says. */
static swin2sr_status open_animation(frames_reader *self, const uint8_t *data, size_t size, const probe_info *probe,
                                     const image_limits *limits, swin2sr_error *reterr) {
    swin2sr_status status = open_decoder(self, data, size, probe, reterr);
    if (status != SWIN2SR_OK)
        return status;
    const frames_decoder *decoder = self->decoder;
    if (decoder->width_px != probe->width_px || decoder->height_px != probe->height_px)
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the animation's header is damaged: it gives two sizes");
    self->info.frames = probe->frames;
    self->info.plays = decoder->plays;
    self->info.damage = probe->is_cut_short ? "the animation has no end; frames may be missing" : NULL;
    if (self->info.damage && limits && limits->is_strict)
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "%s", self->info.damage);
    return SWIN2SR_OK;
}

/* Metadata is not passed on with frames. */
static uint32_t notes_of(const image_reader *still) {
    const image_metadata *metadata = image_reader_metadata(still);
    return (image_reader_info(still)->notes & ~NOTE_FIRST_FRAME) |
           image_encoder_notes(metadata, false, false, false, false);
}

/* Make the colours of all frames sRGB, if the file says that they are others and how. */
static swin2sr_status open_colour(frames_reader *self, const image_reader *still, swin2sr_error *reterr) {
    const image_decoder rows = {
        .channels = FRAMES_PIXEL_BYTES, .sample_bytes = 1, .metadata = *image_reader_metadata(still)};
    uint32_t notes = 0;
    swin2sr_status status = image_colour_open(&rows, true, &self->colour, &notes, reterr);
    if (status != SWIN2SR_OK || !self->colour)
        return status;
    self->info.notes &= ~(uint32_t)NOTE_PROFILE_DROPPED;
    self->canvas = malloc((size_t)self->info.width_px * (size_t)self->info.height_px * FRAMES_PIXEL_BYTES);
    return self->canvas ? SWIN2SR_OK : out_of_memory(reterr);
}

static void apply_colour(frames_reader *self, frames_frame *frame) {
    size_t row_bytes = (size_t)self->info.width_px * FRAMES_PIXEL_BYTES;
    for (size_t y = 0; y < (size_t)self->info.height_px; y++)
        image_colour_apply(self->colour, frame->canvas + y * row_bytes, self->canvas + y * row_bytes,
                           self->info.width_px);
    frame->canvas = self->canvas;
}

swin2sr_status frames_reader_open(const void *data, size_t size, const image_limits *limits, frames_reader **ret_reader,
                                  swin2sr_error *reterr) {
    probe_info probe;
    image_reader *still = NULL;
    swin2sr_status status = image_reader_open(data, size, limits, &still, reterr); /* checks the limits */
    if (status == SWIN2SR_OK)
        status = probe_bytes(data, size, &probe, reterr);
    frames_reader *self = status == SWIN2SR_OK ? calloc(1, sizeof(*self)) : NULL;
    if (!self) {
        image_reader_close(still);
        return status == SWIN2SR_OK ? out_of_memory(reterr) : status;
    }
    const image_info *picture = image_reader_info(still);
    self->info = (frames_info){.format = probe.format,
                               .width_px = picture->width_px,
                               .height_px = picture->height_px,
                               .frames = 1,
                               .plays = 1,
                               .notes = notes_of(still),
                               .damage = picture->damage};
    if (probe.frames > 1) {
        self->info.width_px = probe.width_px;
        self->info.height_px = probe.height_px;
        status = open_colour(self, still, reterr);
        image_reader_close(still);
        if (status == SWIN2SR_OK)
            status = open_animation(self, data, size, &probe, limits, reterr);
    } else {
        self->still = still;
    }
    if (status == SWIN2SR_OK)
        *ret_reader = self;
    else
        frames_reader_close(self);
    return status;
}

const frames_info *frames_reader_info(const frames_reader *self) {
    return &self->info;
}

swin2sr_status frames_reader_next(frames_reader *self, frames_frame *ret_frame, swin2sr_error *reterr) {
    if (self->frames_read == self->info.frames)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "the animation has only %d frames", self->info.frames);
    self->frames_read++;
    swin2sr_status status =
        self->decoder ? self->decoder->next(self->decoder, ret_frame, reterr) : read_still(self, reterr);
    if (status == SWIN2SR_OK && self->colour)
        apply_colour(self, ret_frame);
    if (self->decoder)
        return status;
    if (status == SWIN2SR_OK)
        *ret_frame = (frames_frame){.canvas = self->canvas, .delay_den = 1};
    return status;
}

void frames_reader_close(frames_reader *self) {
    if (!self)
        return;
    if (self->decoder)
        self->decoder->close(self->decoder);
    image_reader_close(self->still);
    image_colour_close(self->colour);
    free(self->canvas);
    free(self);
}
