/* SPDX-License-Identifier: Apache-2.0
 * image/frames_write.c - write animations (stage 8 of 9): checks of what is asked, and the count of frames. */
#include <stdlib.h>

#include "base/error.h"
#include "image/frames_codec.h"

#define DEFAULT_QUALITY 95

struct frames_writer {
    frames_encoder *encoder;
    int32_t frames_written;
};

static swin2sr_status (*opener_of(format_id format))(const frames_options *, frames_encoder **, swin2sr_error *) {
    return format == FORMAT_GIF    ? frames_gif_write_open
           : format == FORMAT_WEBP ? frames_webp_write_open
           : format == FORMAT_PNG  ? frames_apng_write_open
                                   : NULL;
}

swin2sr_status frames_writer_open(const frames_options *options, image_sink sink, void *context,
                                  frames_writer **ret_writer, swin2sr_error *reterr) {
    const format_info *format = format_get(options->format);
    if (!format->can_animate)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "%s cannot hold an animation; gif, webp and png can",
                                  format->name);
    if (options->frames < 1 || options->width_px < 1 || options->height_px < 1 || options->quality < 0 ||
        options->quality > 100)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "an animation cannot have %d frames of %d x %d",
                                  options->frames, options->width_px, options->height_px);
    if (options->width_px > format->max_side_px || options->height_px > format->max_side_px)
        return swin2sr__error_set(reterr, SWIN2SR_TOO_LARGE,
                                  "the result would have %d x %d pixels; each side of a %s image may have at most %d",
                                  options->width_px, options->height_px, format->name, format->max_side_px);
    frames_options filled = *options;
    filled.quality = options->quality ? options->quality : DEFAULT_QUALITY;
    frames_writer *self = calloc(1, sizeof(*self));
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the animation");
    swin2sr_status status = opener_of(options->format)(&filled, &self->encoder, reterr);
    if (status != SWIN2SR_OK) {
        frames_writer_close(self);
        return status;
    }
    self->encoder->options = filled;
    self->encoder->sink = sink;
    self->encoder->context = context;
    *ret_writer = self;
    return SWIN2SR_OK;
}

bool frames_writer_counts(const frames_writer *self) {
    return self->encoder->count != NULL;
}

swin2sr_status frames_writer_count(frames_writer *self, const uint8_t *pixels, size_t count, uint32_t weight,
                                   swin2sr_error *reterr) {
    if (!self->encoder->count || self->frames_written > 0)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "colours are counted before the first frame");
    return self->encoder->count(self->encoder, pixels, count, weight);
}

swin2sr_status frames_writer_add(frames_writer *self, const frames_part *part, const uint8_t *canvas,
                                 swin2sr_error *reterr) {
    const frames_options *options = &self->encoder->options;
    bool is_first = self->frames_written == 0;
    bool is_inside = part->x >= 0 && part->y >= 0 && part->width_px >= 0 && part->height_px >= 0 &&
                     part->width_px <= options->width_px - part->x && part->height_px <= options->height_px - part->y;
    bool is_whole = part->width_px == options->width_px && part->height_px == options->height_px;
    if (self->frames_written == options->frames || !is_inside || (is_first && !is_whole) || part->delay_den == 0)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "this frame is not part of the animation");
    self->frames_written++;
    return self->encoder->add(self->encoder, part, canvas, reterr);
}

swin2sr_status frames_writer_finish(frames_writer *self, swin2sr_error *reterr) {
    if (self->frames_written < self->encoder->options.frames)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "only %d of %d frames have been written",
                                  self->frames_written, self->encoder->options.frames);
    return self->encoder->finish(self->encoder, reterr);
}

uint32_t frames_writer_notes(const frames_writer *self) {
    return self->encoder->notes;
}

void frames_writer_close(frames_writer *self) {
    if (!self)
        return;
    if (self->encoder)
        self->encoder->close(self->encoder);
    free(self);
}
