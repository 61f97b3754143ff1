/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/image.h - an image in memory. */
#ifndef SWIN2SR_IMAGE_H
#define SWIN2SR_IMAGE_H

#include <swin2sr/types.h>

SWIN2SR_BEGIN

typedef struct swin2sr_image {
    void *data;          /* [height_px] rows, stride_bytes apart; float rows are aligned to 4 */
    size_t stride_bytes; /* at least width_px * bytes per pixel */
    int32_t width_px;    /* 1.. */
    int32_t height_px;   /* 1.. */
    swin2sr_pixel pixel;
} swin2sr_image;

/* Allocate an image whose pixels are all 0.
 * ret_image  On success owned by the caller (swin2sr_image_free). Untouched on failure.
 * threads    Any.
 * errors     _INVALID (a side below 1, an unknown pixel), _TOO_LARGE (overflow), _NOMEM. since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_image_alloc(int32_t width_px, int32_t height_px,
                                                                     swin2sr_pixel pixel, swin2sr_image *ret_image);

/* Free the pixels of an image from swin2sr_image_alloc or swin2sr_upscale, and set the struct to 0.
 * image    NULL and a struct of zeros are allowed.
 * threads  Any; one at a time per image.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC void swin2sr_image_free(swin2sr_image *image);

SWIN2SR_END
#endif
