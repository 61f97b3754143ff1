/* SPDX-License-Identifier: Apache-2.0
 * image/webp_frames.c - read and write animated WebP files with libwebpdemux and libwebpmux (stages 4 and 8 of 9).
 * libwebpdemux composes canvases. When writing, each frame is encoded by itself and held, compressed, until the end. */
#include <stdlib.h>
#include <webp/demux.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "base/error.h"
#include "image/frames_codec.h"
#include "image/webp_config.h"

#define MS 1000
#define DURATION_MAX_MS ((1u << 24) - 1)
#define PLAYS_MAX 65535u

static swin2sr_status out_of_memory(swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the animated WebP");
}

/* ---- read ---- */

typedef struct webp_frames {
    frames_decoder base;
    WebPAnimDecoder *animation;
    int shown_ms; /* the end of the frame before */
} webp_frames;

static swin2sr_status webp_next(frames_decoder *base, frames_frame *ret_frame, swin2sr_error *reterr) {
    webp_frames *self = (webp_frames *)base;
    uint8_t *canvas;
    int end_ms;
    if (!WebPAnimDecoderGetNext(self->animation, &canvas, &end_ms) || end_ms < self->shown_ms)
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "a frame of the WebP is damaged");
    *ret_frame = (frames_frame){.canvas = canvas, .delay_num = (uint32_t)(end_ms - self->shown_ms), .delay_den = MS};
    self->shown_ms = end_ms;
    return SWIN2SR_OK;
}

static void webp_close(frames_decoder *base) {
    webp_frames *self = (webp_frames *)base;
    WebPAnimDecoderDelete(self->animation);
    free(self);
}

swin2sr_status frames_webp_open(const uint8_t *data, size_t size, frames_decoder **ret_decoder, swin2sr_error *reterr) {
    webp_frames *self = calloc(1, sizeof(*self));
    const WebPData file = {.bytes = data, .size = size};
    WebPAnimDecoderOptions options;
    WebPAnimInfo info;
    if (!self)
        return out_of_memory(reterr);
    self->base.next = webp_next;
    self->base.close = webp_close;
    *ret_decoder = &self->base;
    if (!WebPAnimDecoderOptionsInit(&options))
        return swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "libwebpdemux is of another version than its headers");
    options.color_mode = MODE_RGBA;
    options.use_threads = 0;
    self->animation = WebPAnimDecoderNew(&file, &options);
    if (!self->animation || !WebPAnimDecoderGetInfo(self->animation, &info))
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the WebP animation is damaged or cut short");
    self->base.width_px = (int32_t)info.canvas_width;
    self->base.height_px = (int32_t)info.canvas_height;
    self->base.plays = info.loop_count;
    return SWIN2SR_OK;
}

/* ---- write ---- */

typedef struct webp_frames_encoder {
    frames_encoder base;
    WebPMux *mux;
} webp_frames_encoder;

static swin2sr_status write_failed(swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "the animated WebP could not be written");
}

/* Offsets are stored in pairs of pixels. */
static frames_part even_part(const frames_part *part) {
    frames_part even = *part;
    even.x &= ~1;
    even.y &= ~1;
    even.width_px += part->x - even.x;
    even.height_px += part->y - even.y;
    if (part->width_px == 0 || part->height_px == 0) { /* a frame has at least one pixel: the one that is there */
        even.x = even.y = 0;
        even.width_px = even.height_px = 1;
    }
    return even;
}

static void copy_pixels(const frames_options *options, const frames_part *part, const uint8_t *canvas,
                        WebPPicture *picture) {
    for (int32_t y = 0; y < part->height_px; y++) {
        const uint8_t *from =
            canvas + ((size_t)(part->y + y) * (size_t)options->width_px + (size_t)part->x) * FRAMES_PIXEL_BYTES;
        uint32_t *to = picture->argb + (size_t)y * (size_t)picture->argb_stride;
        for (int32_t x = 0; x < part->width_px; x++, from += FRAMES_PIXEL_BYTES)
            to[x] = (uint32_t)from[3] << 24 | (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
    }
}

static swin2sr_status encode(const frames_options *options, const frames_part *part, const uint8_t *canvas,
                             WebPMemoryWriter *out, swin2sr_error *reterr) {
    WebPPicture picture;
    WebPConfig config;
    if (!WebPPictureInit(&picture) || !webp_config_set(&config, options->quality, options->compression))
        return write_failed(reterr);
    picture.use_argb = 1;
    picture.width = part->width_px;
    picture.height = part->height_px;
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = out;
    bool has_memory = WebPPictureAlloc(&picture);
    if (has_memory)
        copy_pixels(options, part, canvas, &picture);
    bool is_encoded = has_memory && WebPEncode(&config, &picture);
    has_memory = has_memory && picture.error_code != VP8_ENC_ERROR_OUT_OF_MEMORY &&
                 picture.error_code != VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY;
    WebPPictureFree(&picture);
    return is_encoded ? SWIN2SR_OK : !has_memory ? out_of_memory(reterr) : write_failed(reterr);
}

/* Whole milliseconds, rounded. */
static uint32_t milliseconds(const frames_part *part) {
    uint64_t ms = ((uint64_t)part->delay_num * MS + part->delay_den / 2) / part->delay_den;
    return ms < DURATION_MAX_MS ? (uint32_t)ms : DURATION_MAX_MS;
}

static swin2sr_status webp_add(frames_encoder *base, const frames_part *part, const uint8_t *canvas,
                               swin2sr_error *reterr) {
    webp_frames_encoder *self = (webp_frames_encoder *)base;
    frames_part even = even_part(part);
    WebPMemoryWriter out;
    WebPMemoryWriterInit(&out);
    swin2sr_status status = encode(&base->options, &even, canvas, &out, reterr);
    if (status == SWIN2SR_OK) {
        const WebPMuxFrameInfo frame = {.bitstream = {.bytes = out.mem, .size = out.size},
                                        .x_offset = even.x,
                                        .y_offset = even.y,
                                        .duration = (int)milliseconds(part),
                                        .id = WEBP_CHUNK_ANMF,
                                        .dispose_method = WEBP_MUX_DISPOSE_NONE,
                                        .blend_method = WEBP_MUX_NO_BLEND};
        if (WebPMuxPushFrame(self->mux, &frame, 1) != WEBP_MUX_OK)
            status = out_of_memory(reterr);
    }
    WebPMemoryWriterClear(&out);
    return status;
}

static swin2sr_status webp_finish(frames_encoder *base, swin2sr_error *reterr) {
    webp_frames_encoder *self = (webp_frames_encoder *)base;
    const frames_options *options = &base->options;
    WebPMuxAnimParams params = {.bgcolor = 0,
                                .loop_count = (int)(options->plays < PLAYS_MAX ? options->plays : PLAYS_MAX)};
    WebPData file = {.bytes = NULL};
    bool is_made = WebPMuxSetCanvasSize(self->mux, options->width_px, options->height_px) == WEBP_MUX_OK &&
                   WebPMuxSetAnimationParams(self->mux, &params) == WEBP_MUX_OK &&
                   WebPMuxAssemble(self->mux, &file) == WEBP_MUX_OK;
    bool is_given = is_made && base->sink(base->context, file.bytes, file.size);
    WebPDataClear(&file);
    if (!is_made)
        return out_of_memory(reterr);
    return is_given ? SWIN2SR_OK : swin2sr__error_set(reterr, SWIN2SR_IO, "the output could not be written");
}

static void webp_write_close(frames_encoder *base) {
    webp_frames_encoder *self = (webp_frames_encoder *)base;
    WebPMuxDelete(self->mux);
    free(self);
}

swin2sr_status frames_webp_write_open(const frames_options *options, frames_encoder **ret_encoder,
                                      swin2sr_error *reterr) {
    webp_frames_encoder *self = calloc(1, sizeof(*self));
    if (!self)
        return out_of_memory(reterr);
    self->base.add = webp_add;
    self->base.finish = webp_finish;
    self->base.close = webp_write_close;
    *ret_encoder = &self->base;
    self->mux = WebPMuxNew();
    return self->mux ? SWIN2SR_OK : out_of_memory(reterr);
}
