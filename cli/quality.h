/* SPDX-License-Identifier: Apache-2.0
 * cli/quality.h - PSNR and SSIM of two images, in the way of published super-resolution results.
 * In: the rows of two 8-bit RGB images, top to bottom.  Out: PSNR-Y, SSIM-Y, PSNR-RGB inside a border.
 * Y is BT.601's 16..235, not rounded. Memory grows with the width only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define QUALITY_WINDOW 11 /* side of the Gaussian of SSIM, sigma 1.5; only places where it fits count */

typedef struct quality_sums {
    int32_t border_px;
    int32_t inner_width_px, inner_height_px; /* without the border */
    int32_t places;                          /* of SSIM per row; less than 1: the image is too narrow */
    int32_t y;                               /* rows added */
    double gauss[QUALITY_WINDOW];
    double *luma; /* [2][inner_width] */
    double *ring; /* [QUALITY_WINDOW][moments][places] filtered along x, then [moments][places] also along y */
    double error_y, error_rgb, ssim; /* sums */
} quality_sums;

typedef struct quality_result {
    double psnr_y, psnr_rgb; /* dB; infinite for equal images */
    double ssim_y;           /* NAN if a side inside the border is less than QUALITY_WINDOW */
} quality_result;

/* width_px, height_px  Of both images, at least 1; the border leaves at least one pixel.
 * returns              false: out of memory. */
bool quality_init(quality_sums *quality, int32_t width_px, int32_t height_px, int32_t border_px);

/* Add the next row of each image, [width][3] u8. Call once per row. */
void quality_add_row(quality_sums *quality, const uint8_t *a, const uint8_t *b);
quality_result quality_get(const quality_sums *quality);
void quality_done(quality_sums *quality);
