/* SPDX-License-Identifier: Apache-2.0
 * image/codec.h - what a codec file (png.c, jpeg.c) gives to image.c.
 * A decoder delivers rows as stored (orientation is image.c's work); an encoder takes rows.
 * image.c keeps count of the rows and never calls a codec again after it failed. */
#ifndef SWIN2SR_IMAGE_CODEC_H
#define SWIN2SR_IMAGE_CODEC_H

#include "image/image.h"

typedef struct image_decoder image_decoder;
struct image_decoder {
    int32_t width_px, height_px; /* as stored; checked against the probe by image.c */
    int32_t channels;            /* of the rows */
    bool is_reduced_16;
    /* What is wrong with the file although its rows come out, a constant text; NULL: nothing seen so far. Set by open
     * where the end of the file is missing: open has then made sure that all rows are there. */
    const char *damage;
    /* The next n rows; interlaced files give all rows in one call. _CORRUPT where rows are missing. With the last row the
     * end of the file is read too; what is wrong there is damage and no failure. */
    swin2sr_status (*read)(image_decoder *decoder, uint8_t *rows, size_t stride_bytes, int32_t n,
                           swin2sr_error *reterr);
    void (*close)(image_decoder *decoder);
};

typedef struct image_encoder image_encoder;
struct image_encoder {
    swin2sr_status (*write)(image_encoder *encoder, const uint8_t *rows, size_t stride_bytes, int32_t n,
                            swin2sr_error *reterr);
    swin2sr_status (*finish)(image_encoder *encoder, swin2sr_error *reterr);
    void (*close)(image_encoder *encoder);
};

/* What an encoder needs to know; quality is already resolved to 1..100. */
typedef struct image_encoder_setup {
    int32_t width_px, height_px;
    int32_t channels;
    int32_t quality;
    image_sink sink;
    void *context;
} image_encoder_setup;

swin2sr_status image_png_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                      swin2sr_error *reterr);
swin2sr_status image_png_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                      swin2sr_error *reterr);
swin2sr_status image_jpeg_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                       swin2sr_error *reterr);
swin2sr_status image_jpeg_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                       swin2sr_error *reterr);

#endif
