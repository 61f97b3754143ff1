/* SPDX-License-Identifier: Apache-2.0
 * base/fit.h - the size of an image that is reduced so that its longer side has a given length. */
#pragma once

#include <stdint.h>

/* side_px  1..; sides that are not longer are kept. The shorter side is rounded and at least 1. */
static inline void swin2sr__fit_size(int32_t width_px, int32_t height_px, int32_t side_px, int32_t *ret_width_px,
                                     int32_t *ret_height_px) {
    int64_t width = width_px, height = height_px, longer = width > height ? width : height;
    if (longer > side_px) {
        width = (2 * width * side_px + longer) / (2 * longer);
        height = (2 * height * side_px + longer) / (2 * longer);
    }
    *ret_width_px = width > 0 ? (int32_t)width : 1;
    *ret_height_px = height > 0 ? (int32_t)height : 1;
}
