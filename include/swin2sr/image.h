/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/image.h - pixels in memory, as they enter and leave the network. */
#ifndef SWIN2SR_IMAGE_H
#define SWIN2SR_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>
#include <swin2sr/types.h>

SWIN2SR_BEGIN

typedef struct swin2sr_image {
    void *data;          /* [height_px] rows, stride_bytes apart; float rows are aligned to 4 */
    size_t stride_bytes; /* at least width_px * bytes per pixel */
    int32_t width_px;    /* 1.. */
    int32_t height_px;   /* 1.. */
    swin2sr_pixel pixel;
} swin2sr_image;

/* Allocate the pixels of an image; contents are zero.
 * ret_image  Filled on success; the caller owns it (swin2sr_image_free). Untouched on failure.
 * threads    Any.
 * errors     _INVALID (size under 1), _TOO_LARGE (size overflows), _NOMEM.           since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_image_alloc(int32_t width_px, int32_t height_px,
                                                                     swin2sr_pixel pixel, swin2sr_image *ret_image);

/* Give back pixels from swin2sr_image_alloc or swin2sr_upscale, and zero the struct.
 * image    NULL and zeroed structs are fine.
 * threads  Any, one at a time per image.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC void swin2sr_image_free(swin2sr_image *image);

SWIN2SR_END
#endif
