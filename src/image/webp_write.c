/* SPDX-License-Identifier: Apache-2.0
 * image/webp_write.c - write WebP files with libwebp (stage 8 of 9).
 * The library encodes whole pictures, which happens after the last row. It starts no threads. A picture with metadata is
 * wrapped in a container by libwebpmux, for which its compressed bytes are held. */
#include <stdlib.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include "base/error.h"
#include "image/codec.h"
#include "image/webp_config.h"

/* What libwebp tries: method 0..6 of files with loss, preset 0..9 of those without. */
static const struct {
    int method, lossless_preset;
} efforts[FORMAT_COMPRESSION_COUNT] = {
    [FORMAT_COMPRESSION_FAST] = {0, 0},
    [FORMAT_COMPRESSION_DEFAULT] = {2, 1},
    [FORMAT_COMPRESSION_BEST] = {6, 6},
};

typedef struct webp_encoder {
    image_encoder base;
    WebPPicture picture;
    image_encoder_setup setup;
    int32_t rows_written;
    bool is_refused;       /* by the sink */
    WebPMemoryWriter held; /* the encoded picture, if there is metadata */
    WebPMux *mux;
} webp_encoder;

static void __attribute__((noreturn)) write_failed(webp_encoder *self, swin2sr_status status, const char *detail) {
    image_trap_spring(&self->base.trap, status, detail);
}

static int give_bytes(const uint8_t *bytes, size_t size, const WebPPicture *picture) {
    webp_encoder *self = picture->custom_ptr;
    self->is_refused = self->is_refused || !self->setup.sink(self->setup.context, bytes, size);
    return !self->is_refused;
}

static uint32_t argb(const uint8_t *pixel, int32_t channels) {
    bool is_grey = channels < 3;
    uint32_t alpha = channels % 2 == 0 ? pixel[channels - 1] : 255;
    return alpha << 24 | (uint32_t)pixel[0] << 16 | (uint32_t)pixel[is_grey ? 0 : 1] << 8 | pixel[is_grey ? 0 : 2];
}

static void webp_write_step(void *context) {
    webp_encoder *self = context;
    int32_t channels = self->setup.channels;
    for (int32_t y = 0; y < self->base.n; y++) {
        const uint8_t *row = self->base.rows + (size_t)y * self->base.stride_bytes;
        uint32_t *to = self->picture.argb + (size_t)self->rows_written++ * (size_t)self->picture.argb_stride;
        for (int32_t x = 0; x < self->setup.width_px; x++)
            to[x] = argb(row + x * channels, channels);
    }
}

bool webp_config_set(WebPConfig *config, int32_t quality, format_compression compression) {
    bool is_set = WebPConfigInit(config);
    if (quality == FORMAT_LOSSLESS_QUALITY) {
        is_set = is_set && WebPConfigLosslessPreset(config, efforts[compression].lossless_preset);
        config->exact = 1; /* also colours where nothing is seen of them */
    } else {
        config->quality = (float)quality;
        config->method = efforts[compression].method;
    }
    config->thread_level = 0;
    return is_set && WebPValidateConfig(config);
}

static void __attribute__((noreturn)) encode_failed(webp_encoder *self) {
    switch (self->picture.error_code) {
    case VP8_ENC_ERROR_OUT_OF_MEMORY:
    case VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY:
        write_failed(self, SWIN2SR_NOMEM, "not enough memory to write the WebP");
    case VP8_ENC_ERROR_PARTITION0_OVERFLOW:
    case VP8_ENC_ERROR_PARTITION_OVERFLOW:
    case VP8_ENC_ERROR_FILE_TOO_BIG:
        write_failed(
            self, SWIN2SR_TOO_LARGE,
            "the picture has too much detail for one WebP file of this quality; use a lower quality or another "
            "format");
    default:
        write_failed(self, SWIN2SR_INTERNAL, "the WebP could not be written");
    }
}

static bool add_chunk(WebPMux *mux, const char *type, const image_block *block) {
    const WebPData data = {.bytes = block->data, .size = block->size};
    return !block->data || WebPMuxSetChunk(mux, type, &data, 0) == WEBP_MUX_OK;
}

/* Put the encoded picture and its metadata into one file. */
static void write_container(webp_encoder *self) {
    const image_metadata *metadata = self->setup.metadata;
    const image_block no_profile = {NULL, 0}, *icc = self->setup.channels < 3 ? &no_profile : &metadata->icc;
    const WebPData picture = {.bytes = self->held.mem, .size = self->held.size};
    WebPData file = {.bytes = NULL};
    self->mux = WebPMuxNew();
    bool is_made = self->mux && WebPMuxSetImage(self->mux, &picture, 0) == WEBP_MUX_OK &&
                   add_chunk(self->mux, "ICCP", icc) && add_chunk(self->mux, "EXIF", &metadata->exif) &&
                   add_chunk(self->mux, "XMP ", &metadata->xmp) && WebPMuxAssemble(self->mux, &file) == WEBP_MUX_OK;
    bool is_given = is_made && self->setup.sink(self->setup.context, file.bytes, file.size);
    WebPDataClear(&file);
    if (!is_made)
        write_failed(self, SWIN2SR_NOMEM, "not enough memory to write the WebP");
    if (!is_given)
        write_failed(self, SWIN2SR_IO, "the output could not be written");
}

static void webp_finish_step(void *context) {
    webp_encoder *self = context;
    const image_metadata *metadata = self->setup.metadata;
    WebPConfig config;
    bool has_metadata = metadata->icc.data || metadata->exif.data || metadata->xmp.data;
    if (!webp_config_set(&config, self->setup.quality, self->setup.compression))
        write_failed(self, SWIN2SR_INTERNAL, "libwebp is of another version than its headers");
    if (has_metadata) {
        self->picture.writer = WebPMemoryWrite;
        self->picture.custom_ptr = &self->held;
    }
    bool is_encoded = WebPEncode(&config, &self->picture);
    if (self->is_refused)
        write_failed(self, SWIN2SR_IO, "the output could not be written");
    if (!is_encoded)
        encode_failed(self);
    if (has_metadata)
        write_container(self);
}

static void webp_encoder_close(image_encoder *base) {
    webp_encoder *self = (webp_encoder *)base;
    WebPPictureFree(&self->picture);
    WebPMemoryWriterClear(&self->held);
    WebPMuxDelete(self->mux);
    free(self);
}

swin2sr_status image_webp_encoder_open(const image_encoder_setup *setup, image_encoder **ret_encoder,
                                       swin2sr_error *reterr) {
    webp_encoder *self = calloc(1, sizeof(*self));
    if (!self)
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the WebP");
    self->base.write = webp_write_step;
    self->base.finish = webp_finish_step;
    self->base.close = webp_encoder_close;
    *ret_encoder = &self->base;
    self->setup = *setup;
    if (!WebPPictureInit(&self->picture))
        return swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "libwebp is of another version than its headers");
    self->picture.use_argb = 1;
    self->picture.width = setup->width_px;
    self->picture.height = setup->height_px;
    self->picture.writer = give_bytes;
    self->picture.custom_ptr = self;
    bool has_colour = setup->channels >= 3; /* grey becomes colour, for which a profile of grey is wrong */
    self->base.notes = image_encoder_notes(setup->metadata, has_colour, true, true, false);
    WebPMemoryWriterInit(&self->held);
    if (WebPPictureAlloc(&self->picture))
        return SWIN2SR_OK;
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory to write the WebP");
}
