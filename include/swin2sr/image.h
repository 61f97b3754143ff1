/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/image.h - pixels in memory, as they enter and leave the network. */
#ifndef SWIN2SR_IMAGE_H
#define SWIN2SR_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <swin2sr/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What one pixel is. Colour is sRGB; channels are interleaved. */
typedef enum swin2sr_pixel {
    SWIN2SR_PIXEL_RGB8 = 0, /* 3 x u8, 0..255 */
    SWIN2SR_PIXEL_GREY8,    /* 1 x u8 */
    SWIN2SR_PIXEL_RGBF32,   /* 3 x float, nominally 0..1; the network's output is not clipped */
    SWIN2SR_PIXEL_GREYF32,  /* 1 x float */
    SWIN2SR_PIXEL_COUNT
} swin2sr_pixel;

typedef struct swin2sr_image {
    void *data;          /* [height_px] rows, stride_bytes apart; float rows are aligned to 4 */
    size_t stride_bytes; /* at least width_px * bytes per pixel */
    int32_t width_px;    /* 1.. */
    int32_t height_px;   /* 1.. */
    swin2sr_pixel pixel;
} swin2sr_image;

/* The bytes of one pixel.
 * pixel    One of the enum; anything else gives 0.
 * returns  3, 1, 12 or 4.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC size_t swin2sr_pixel_bytes(swin2sr_pixel pixel);

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

#ifdef __cplusplus
}
#endif
#endif
