/* SPDX-License-Identifier: Apache-2.0
 * upscale/image_memory.c - the pixels of swin2sr_image. */
#include <stdlib.h>

#include "base/checked_math.h"
#include <swin2sr/image.h>

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
