/* SPDX-License-Identifier: Apache-2.0
 * base/pixel.c - the size of a pixel. */
#include <swin2sr/types.h>

size_t swin2sr_pixel_bytes(swin2sr_pixel pixel) {
    switch (pixel) {
    case SWIN2SR_PIXEL_RGB8:
        return 3;
    case SWIN2SR_PIXEL_GREY8:
        return 1;
    case SWIN2SR_PIXEL_RGBF32:
        return 12;
    case SWIN2SR_PIXEL_GREYF32:
        return 4;
    case SWIN2SR_PIXEL_COUNT:
        break;
    }
    return 0;
}
