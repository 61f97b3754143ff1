/* SPDX-License-Identifier: Apache-2.0
 * upscale/upscale.c - images in memory, and one call that enlarges one (stages 5 to 7 of 9).
 * In: an image.  Out: a new image, every pixel written exactly once. */
#include <swin2sr/upscale.h>

#include <stdlib.h>
#include <string.h>

#include "base/checked_math.h"
#include "base/error.h"

swin2sr_status swin2sr_image_alloc(int32_t width_px, int32_t height_px, swin2sr_pixel pixel, swin2sr_image *ret_image) {
    size_t stride_bytes, bytes;
    if (width_px < 1 || height_px < 1 || !swin2sr_pixel_bytes(pixel))
        return SWIN2SR_INVALID;
    if (!swin2sr__size_mul((size_t)width_px, swin2sr_pixel_bytes(pixel), &stride_bytes) ||
        !swin2sr__size_mul(stride_bytes, (size_t)height_px, &bytes))
        return SWIN2SR_TOO_LARGE;
    void *data = calloc(bytes, 1);
    if (!data)
        return SWIN2SR_NOMEM;
    *ret_image = (swin2sr_image){
        .data = data, .stride_bytes = stride_bytes, .width_px = width_px, .height_px = height_px, .pixel = pixel};
    return SWIN2SR_OK;
}

void swin2sr_image_free(swin2sr_image *image) {
    if (!image)
        return;
    free(image->data);
    *image = (swin2sr_image){0};
}

static swin2sr_status store_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    swin2sr_image *out = context;
    size_t row_bytes = (size_t)out->width_px * swin2sr_pixel_bytes(out->pixel);
    for (int32_t i = 0; i < n; i++)
        memcpy((char *)out->data + (size_t)(y + i) * out->stride_bytes, (const char *)rows + (size_t)i * stride_bytes,
               row_bytes);
    return SWIN2SR_OK;
}

static swin2sr_status check_image(const swin2sr_image *in, swin2sr_error *reterr) {
    size_t row_bytes = (size_t)in->width_px * swin2sr_pixel_bytes(in->pixel);
    if (!in->data)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "the image has no pixels: data is NULL");
    if (in->width_px > 0 && in->stride_bytes < row_bytes)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "stride_bytes is %zu; a row of %d pixels has %zu bytes",
                                  in->stride_bytes, in->width_px, row_bytes);
    return SWIN2SR_OK;
}

swin2sr_status swin2sr_upscale(swin2sr_model *model, const swin2sr_image *in, const swin2sr_options *options,
                               swin2sr_image *ret_out, swin2sr_error *reterr) {
    swin2sr_options own = options ? *options : (swin2sr_options){0};
    swin2sr_stream *stream = NULL;
    swin2sr_image out = {0};
    int32_t scale = swin2sr_model_get_info(model)->scale;
    own.input_pixel = in->pixel;
    swin2sr_status status = check_image(in, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = swin2sr_stream_open(model, &own, in->width_px, in->height_px, store_rows, &out, &stream, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = swin2sr_image_alloc(in->width_px * scale, in->height_px * scale, own.output_pixel, &out);
    if (status != SWIN2SR_OK) {
        swin2sr__error_set(reterr, status, "no memory for the enlarged image");
    } else {
        status = swin2sr_stream_push(stream, in->data, in->stride_bytes, in->height_px);
        if (status != SWIN2SR_OK)
            swin2sr__error_set(reterr, status, "upscaling ended early: %s", swin2sr_status_name(status));
    }
    swin2sr_stream_close(stream);
    if (status == SWIN2SR_OK)
        *ret_out = out;
    else
        swin2sr_image_free(&out);
    return status;
}
