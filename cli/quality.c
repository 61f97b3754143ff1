/* SPDX-License-Identifier: Apache-2.0
 * cli/quality.c - PSNR and SSIM of rows as they arrive.
 * SSIM: Wang et al. 2004, K1 0.01, K2 0.03, L 255; the window is separable, so each row is filtered along x once and
 * a ring of eleven such rows is combined along y. All arithmetic in double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked_math.h"
#include "quality.h"

enum {
    MEAN_A,
    MEAN_B,
    SQUARE_A,
    SQUARE_B,
    PRODUCT,
    QUALITY_MOMENTS
};

static void fill_gauss(double *gauss) {
    double sum = 0;
    for (int k = 0; k < QUALITY_WINDOW; k++) {
        double d = k - QUALITY_WINDOW / 2;
        gauss[k] = exp(-d * d / (2 * 1.5 * 1.5));
        sum += gauss[k];
    }
    for (int k = 0; k < QUALITY_WINDOW; k++)
        gauss[k] /= sum;
}

bool quality_init(quality_sums *quality, int32_t width_px, int32_t height_px, int32_t border_px) {
    *quality = (struct quality_sums){.border_px = border_px};
    quality->inner_width_px = width_px - 2 * border_px;
    quality->inner_height_px = height_px - 2 * border_px;
    quality->places = quality->inner_width_px - (QUALITY_WINDOW - 1);
    fill_gauss(quality->gauss);
    size_t ring = quality->places > 0 ? (size_t)quality->places : 1;
    if (!swin2sr__size_mul(ring, (QUALITY_WINDOW + 1) * QUALITY_MOMENTS, &ring))
        return false;
    quality->luma = calloc((size_t)quality->inner_width_px, 2 * sizeof(double));
    quality->ring = calloc(ring, sizeof(double));
    if (quality->luma && quality->ring)
        return true;
    quality_done(quality);
    return false;
}

void quality_done(quality_sums *quality) {
    free(quality->luma);
    free(quality->ring);
    quality->luma = quality->ring = NULL;
}

static double luma_of(const uint8_t *rgb) {
    return 16 + (65.481 * rgb[0] + 128.553 * rgb[1] + 24.966 * rgb[2]) / 255;
}

static void add_errors(quality_sums *quality, const uint8_t *a, const uint8_t *b) {
    double *ya = quality->luma, *yb = ya + quality->inner_width_px;
    uint64_t error_rgb = 0;
    for (int32_t x = 0; x < quality->inner_width_px; x++) {
        ya[x] = luma_of(a + 3 * (size_t)x);
        yb[x] = luma_of(b + 3 * (size_t)x);
        quality->error_y += (ya[x] - yb[x]) * (ya[x] - yb[x]);
    }
    for (size_t i = 0; i < 3 * (size_t)quality->inner_width_px; i++) {
        int d = a[i] - b[i];
        error_rgb += (uint64_t)(d * d);
    }
    quality->error_rgb += (double)error_rgb;
}

static double *ring_row(const quality_sums *quality, int32_t row, int moment) {
    return quality->ring + ((size_t)(row % QUALITY_WINDOW) * QUALITY_MOMENTS + moment) * quality->places;
}

static void filter_row(const quality_sums *quality, int32_t row) {
    const double *ya = quality->luma, *yb = ya + quality->inner_width_px, *gauss = quality->gauss;
    double *out[QUALITY_MOMENTS];
    for (int m = 0; m < QUALITY_MOMENTS; m++)
        out[m] = ring_row(quality, row, m);
    for (int32_t x = 0; x < quality->places; x++) {
        double sums[QUALITY_MOMENTS] = {0};
        for (int k = 0; k < QUALITY_WINDOW; k++) {
            double a = ya[x + k], b = yb[x + k];
            sums[MEAN_A] += gauss[k] * a;
            sums[MEAN_B] += gauss[k] * b;
            sums[SQUARE_A] += gauss[k] * a * a;
            sums[SQUARE_B] += gauss[k] * b * b;
            sums[PRODUCT] += gauss[k] * a * b;
        }
        for (int m = 0; m < QUALITY_MOMENTS; m++)
            out[m][x] = sums[m];
    }
}

/* SSIM at one place; its moment m is moments[m * stride]. */
static double ssim_of(const double *moments, size_t stride) {
    const double c1 = (0.01 * 255) * (0.01 * 255), c2 = (0.03 * 255) * (0.03 * 255);
    double a = moments[MEAN_A * stride], b = moments[MEAN_B * stride];
    double variances = moments[SQUARE_A * stride] - a * a + moments[SQUARE_B * stride] - b * b;
    double covariance = moments[PRODUCT * stride] - a * b;
    return (2 * a * b + c1) * (2 * covariance + c2) / ((a * a + b * b + c1) * (variances + c2));
}

/* Add the places whose window ends at this row. */
static void add_ssim(quality_sums *quality, int32_t row) {
    size_t places = (size_t)quality->places, values = QUALITY_MOMENTS * places;
    double *sums = quality->ring + QUALITY_WINDOW * values;
    memset(sums, 0, values * sizeof(double));
    for (int k = 0; k < QUALITY_WINDOW; k++) {
        const double *filtered = ring_row(quality, row - (QUALITY_WINDOW - 1) + k, 0);
        for (size_t i = 0; i < values; i++)
            sums[i] += quality->gauss[k] * filtered[i];
    }
    for (size_t x = 0; x < places; x++)
        quality->ssim += ssim_of(sums + x, places);
}

void quality_add_row(quality_sums *quality, const uint8_t *a, const uint8_t *b) {
    int32_t row = quality->y++ - quality->border_px;
    if (row < 0 || row >= quality->inner_height_px)
        return;
    size_t skip = 3 * (size_t)quality->border_px;
    add_errors(quality, a + skip, b + skip);
    if (quality->places < 1)
        return;
    filter_row(quality, row);
    if (row >= QUALITY_WINDOW - 1)
        add_ssim(quality, row);
}

static double psnr(double error, double samples) {
    return error > 0 ? 10 * log10(255.0 * 255.0 * samples / error) : INFINITY;
}

quality_result quality_get(const quality_sums *quality) {
    double pixels = (double)quality->inner_width_px * quality->inner_height_px;
    int32_t rows = quality->inner_height_px - (QUALITY_WINDOW - 1);
    bool has_ssim = quality->places > 0 && rows > 0;
    return (quality_result){
        .psnr_y = psnr(quality->error_y, pixels),
        .psnr_rgb = psnr(quality->error_rgb, 3 * pixels),
        .ssim_y = has_ssim ? quality->ssim / ((double)quality->places * rows) : NAN,
    };
}
