/* SPDX-License-Identifier: Apache-2.0
 * image/gif_frames.c - the frames of a GIF as they are shown (stage 4 of 9).
 * Before a frame is drawn, what the one before it leaves behind is settled: all of it, a hole, or what it had covered. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/frames_codec.h"
#include "image/gif_decoder.h"

#define DELAY_DEN 100 /* GIF counts in hundredths of a second */

typedef struct gif_frames {
    frames_decoder base;
    gif_file file;
    gif_rectangle last; /* of the frame that is shown, within the canvas */
    int last_disposal;
    uint8_t *saved; /* the canvas before that frame */
} gif_frames;

static gif_rectangle within_canvas(const gif_frames *self, gif_rectangle place) {
    int32_t right = place.left + place.width, bottom = place.top + place.height;
    right = right < self->base.width_px ? right : self->base.width_px;
    bottom = bottom < self->base.height_px ? bottom : self->base.height_px;
    place.width = right > place.left ? right - place.left : 0;
    place.height = bottom > place.top ? bottom - place.top : 0;
    return place;
}

static void dispose(gif_frames *self) {
    const gif_rectangle *last = &self->last;
    size_t bytes = (size_t)last->width * GIF_PIXEL_BYTES;
    for (int32_t y = 0; y < last->height; y++) {
        size_t at = ((size_t)(last->top + y) * (size_t)self->base.width_px + (size_t)last->left) * GIF_PIXEL_BYTES;
        if (self->last_disposal == DISPOSE_BACKGROUND)
            memset(self->file.canvas + at, 0, bytes);
        else if (self->last_disposal == DISPOSE_PREVIOUS)
            memcpy(self->file.canvas + at, self->saved + at, bytes);
    }
}

static swin2sr_status gif_next(frames_decoder *base, frames_frame *ret_frame, swin2sr_error *reterr) {
    gif_frames *self = (gif_frames *)base;
    swin2sr_status status = gif_file_find(&self->file, reterr);
    if (status != SWIN2SR_OK)
        return status;
    dispose(self);
    self->last = within_canvas(self, gif_file_place(&self->file));
    self->last_disposal = self->file.control.DisposalMode;
    uint32_t delay = (uint32_t)self->file.control.DelayTime;
    if (self->last_disposal == DISPOSE_PREVIOUS)
        memcpy(self->saved, self->file.canvas, (size_t)base->width_px * (size_t)base->height_px * GIF_PIXEL_BYTES);
    status = gif_file_draw(&self->file, reterr);
    *ret_frame = (frames_frame){.canvas = self->file.canvas, .delay_num = delay, .delay_den = DELAY_DEN};
    return status;
}

static void gif_close(frames_decoder *base) {
    gif_frames *self = (gif_frames *)base;
    gif_file_close(&self->file);
    free(self->saved);
    free(self);
}

swin2sr_status frames_gif_open(const uint8_t *data, size_t size, frames_decoder **ret_decoder, swin2sr_error *reterr) {
    gif_frames *self = calloc(1, sizeof(*self));
    probe_info probe;
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the GIF");
    self->base.next = gif_next;
    self->base.close = gif_close;
    *ret_decoder = &self->base;
    swin2sr_status status = probe_bytes(data, size, &probe, reterr);
    if (status == SWIN2SR_OK)
        status = gif_file_open(&self->file, data, size, &probe, reterr);
    if (status != SWIN2SR_OK)
        return status;
    self->base.width_px = probe.width_px;
    self->base.height_px = probe.height_px;
    self->base.plays = self->file.plays;
    self->saved = malloc((size_t)probe.width_px * (size_t)probe.height_px * GIF_PIXEL_BYTES);
    return self->saved ? SWIN2SR_OK : swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the GIF");
}
