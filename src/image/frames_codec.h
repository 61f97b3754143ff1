/* SPDX-License-Identifier: Apache-2.0
 * image/frames_codec.h - the interface between frames_read.c, frames_write.c and the codecs of animations. */
#pragma once

#include "image/frames.h"

typedef struct frames_decoder frames_decoder;
struct frames_decoder {
    int32_t width_px, height_px;
    uint32_t plays; /* as in frames_info */
    /* Compose the next frame. Not called again after the last one or a failure. */
    swin2sr_status (*next)(frames_decoder *decoder, frames_frame *ret_frame, swin2sr_error *reterr);
    void (*close)(frames_decoder *decoder);
};

/* Open a decoder. Even if that fails, frames_read.c closes what was handed over. */
swin2sr_status frames_gif_open(const uint8_t *data, size_t size, frames_decoder **ret_decoder, swin2sr_error *reterr);
swin2sr_status frames_webp_open(const uint8_t *data, size_t size, frames_decoder **ret_decoder, swin2sr_error *reterr);
swin2sr_status frames_apng_open(const uint8_t *data, size_t size, frames_decoder **ret_decoder, swin2sr_error *reterr);

/* A row of a picture as RGBA of 8 bits. */
void frames_take_row(const uint8_t *from, int32_t channels, int32_t sample_bytes, int32_t width_px, uint8_t *to);

typedef struct frames_encoder frames_encoder;
struct frames_encoder {
    frames_options options;
    image_sink sink;
    void *context;
    uint32_t notes;
    /* Count colours; NULL: there is no palette. */
    swin2sr_status (*count)(frames_encoder *encoder, const uint8_t *pixels, size_t count, uint32_t weight);
    swin2sr_status (*add)(frames_encoder *encoder, const frames_part *part, const uint8_t *canvas,
                          swin2sr_error *reterr);
    swin2sr_status (*finish)(frames_encoder *encoder, swin2sr_error *reterr);
    void (*close)(frames_encoder *encoder);
};

/* Open an encoder, as above. options has been checked, and is copied by frames_write.c afterwards, with sink and context. */
swin2sr_status frames_gif_write_open(const frames_options *options, frames_encoder **ret_encoder,
                                     swin2sr_error *reterr);
swin2sr_status frames_webp_write_open(const frames_options *options, frames_encoder **ret_encoder,
                                      swin2sr_error *reterr);
swin2sr_status frames_apng_write_open(const frames_options *options, frames_encoder **ret_encoder,
                                      swin2sr_error *reterr);
