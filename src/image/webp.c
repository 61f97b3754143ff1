/* SPDX-License-Identifier: Apache-2.0
 * image/webp.c - read WebP files with libwebp (stage 4 of 9).
 * The library decodes whole pictures, which happens when the first rows are asked for. It starts no threads. Of an
 * animation, frames are drawn on the canvas by libwebpdemux. */
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "base/error.h"
#include "image/codec.h"

static swin2sr_status out_of_memory(swin2sr_error *reterr) {
    return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "not enough memory for the WebP");
}

#define EXIF_NAME "Exif\0" /* some writers put it before the data, as in JPEG */
#define EXIF_NAME_BYTES 6

typedef struct webp_decoder {
    image_decoder base;
    const uint8_t *data;
    size_t size;
    WebPAnimDecoder *animation; /* NULL: a still picture */
    uint8_t *still;             /* NULL: not decoded yet */
    const uint8_t *picture;     /* the rows of still, or of the canvas; NULL: none yet */
    int32_t rows_read;
} webp_decoder;

static swin2sr_status decode_failed(VP8StatusCode code, swin2sr_error *reterr) {
    switch (code) {
    case VP8_STATUS_OK:
        return SWIN2SR_OK;
    case VP8_STATUS_OUT_OF_MEMORY:
        return out_of_memory(reterr);
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return swin2sr__error_set(reterr, SWIN2SR_UNSUPPORTED, "a WebP of this kind cannot be read");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the WebP is cut short");
    default:
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the WebP is damaged");
    }
}

static swin2sr_status decode_still(webp_decoder *self, swin2sr_error *reterr) {
    WebPDecoderConfig config;
    size_t row_bytes = (size_t)self->base.width_px * (size_t)self->base.channels;
    size_t bytes = row_bytes * (size_t)self->base.height_px;
    if (!WebPInitDecoderConfig(&config))
        return swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "libwebp is of another version than its headers");
    self->still = malloc(bytes);
    if (!self->still)
        return out_of_memory(reterr);
    config.output.colorspace = self->base.channels == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){.rgba = self->still, .stride = (int)row_bytes, .size = bytes};
    VP8StatusCode code = WebPDecode(self->data, self->size, &config);
    WebPFreeDecBuffer(&config.output);
    self->picture = self->still;
    return decode_failed(code, reterr);
}

/* Draw the next frame on the canvas, which the library keeps. */
static swin2sr_status decode_frame(webp_decoder *self, int *ret_end_ms, swin2sr_error *reterr) {
    uint8_t *canvas;
    if (!WebPAnimDecoderGetNext(self->animation, &canvas, ret_end_ms))
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "a frame of the WebP is damaged");
    self->picture = canvas;
    self->rows_read = 0;
    return SWIN2SR_OK;
}

static swin2sr_status webp_decoder_read(image_decoder *base, swin2sr_error *reterr) {
    webp_decoder *self = (webp_decoder *)base;
    size_t row_bytes = (size_t)base->width_px * (size_t)base->channels;
    swin2sr_status status = SWIN2SR_OK;
    int end_ms;
    if (!self->picture)
        status = self->animation ? decode_frame(self, &end_ms, reterr) : decode_still(self, reterr);
    if (status != SWIN2SR_OK)
        return status;
    for (int32_t y = 0; y < base->n; y++)
        memcpy(base->rows + (size_t)y * base->stride_bytes, self->picture + (size_t)(self->rows_read + y) * row_bytes,
               row_bytes);
    self->rows_read += base->n;
    return SWIN2SR_OK;
}

/* A chunk of metadata, which lies in the file. */
static image_block find_chunk(image_decoder *base, const WebPDemuxer *file, const char *type, size_t max,
                              uint32_t note) {
    WebPChunkIterator found;
    image_block block = {NULL, 0};
    if (!WebPDemuxGetChunk(file, type, 1, &found))
        return block;
    if (found.chunk.size <= max)
        block = (image_block){found.chunk.bytes, found.chunk.size};
    else
        base->notes |= note;
    WebPDemuxReleaseChunkIterator(&found);
    return block;
}

static void read_metadata(webp_decoder *self) {
    const WebPData data = {.bytes = self->data, .size = self->size};
    WebPDemuxState state;
    WebPDemuxer *file = WebPDemuxPartial(&data, &state);
    image_metadata *found = &self->base.metadata;
    if (!file)
        return;
    found->icc = find_chunk(&self->base, file, "ICCP", IMAGE_ICC_MAX_BYTES, NOTE_PROFILE_DROPPED);
    found->xmp = find_chunk(&self->base, file, "XMP ", IMAGE_XMP_MAX_BYTES, NOTE_XMP_DROPPED);
    found->exif = find_chunk(&self->base, file, "EXIF", IMAGE_EXIF_MAX_BYTES, NOTE_EXIF_DROPPED);
    if (found->exif.size > EXIF_NAME_BYTES && memcmp(found->exif.data, EXIF_NAME, EXIF_NAME_BYTES) == 0)
        found->exif = (image_block){found->exif.data + EXIF_NAME_BYTES, found->exif.size - EXIF_NAME_BYTES};
    WebPDemuxDelete(file);
}

static void webp_decoder_close(image_decoder *base) {
    webp_decoder *self = (webp_decoder *)base;
    WebPAnimDecoderDelete(self->animation);
    free(self->still);
    free(self);
}

static swin2sr_status open_animation(webp_decoder *self, swin2sr_error *reterr) {
    WebPAnimDecoderOptions options;
    const WebPData file = {.bytes = self->data, .size = self->size};
    WebPAnimInfo info;
    if (!WebPAnimDecoderOptionsInit(&options))
        return swin2sr__error_set(reterr, SWIN2SR_INTERNAL, "libwebpdemux is of another version than its headers");
    options.color_mode = MODE_RGBA;
    options.use_threads = 0;
    self->animation = WebPAnimDecoderNew(&file, &options);
    if (!self->animation || !WebPAnimDecoderGetInfo(self->animation, &info))
        return swin2sr__error_set(reterr, SWIN2SR_CORRUPT, "the WebP animation is damaged or cut short");
    self->base.width_px = (int32_t)info.canvas_width;
    self->base.height_px = (int32_t)info.canvas_height;
    self->base.channels = 4;
    return SWIN2SR_OK;
}

swin2sr_status image_webp_decoder_open(const uint8_t *data, size_t size, image_decoder **ret_decoder,
                                       swin2sr_error *reterr) {
    WebPBitstreamFeatures features;
    probe_info probe;
    webp_decoder *self = calloc(1, sizeof(*self));
    if (!self)
        return out_of_memory(reterr);
    self->base.read = webp_decoder_read;
    self->base.close = webp_decoder_close;
    self->base.sample_bytes = 1;
    self->data = data;
    self->size = size;
    *ret_decoder = &self->base;
    swin2sr_status status = decode_failed(WebPGetFeatures(data, size, &features), reterr);
    if (status == SWIN2SR_OK)
        status = probe_bytes(data, size, &probe, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (probe.is_cut_short)
        self->base.damage = "the WebP has no end: metadata or frames are missing";
    read_metadata(self);
    if (features.has_animation)
        return open_animation(self, reterr);
    self->base.width_px = features.width;
    self->base.height_px = features.height;
    self->base.channels = features.has_alpha ? 4 : 3;
    return SWIN2SR_OK;
}
