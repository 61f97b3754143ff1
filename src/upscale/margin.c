/* SPDX-License-Identifier: Apache-2.0
 * upscale/margin.c - a margin of mirrored pixels around the image (stage 5 of 9).
 * In: rows of the image.  Out: those rows, wider, and mirrored ones above and below them. */
#include "upscale/margin.h"

#include <string.h>

#include "base/span.h"

void swin2sr__margin_lay_out(swin2sr__margin *margin, swin2sr__arena *memory) {
    margin->stride = (size_t)(margin->width_px + 2 * margin->px) * margin->pixel_bytes;
    margin->rows = swin2sr__arena_take(memory, (size_t)margin->px + 1, margin->stride);
}

/* Any row of the image with its margin, above it y < 0; it must be one of the last px + 1 rows or mirror one of them. */
static unsigned char *row_at(const swin2sr__margin *margin, int32_t y) {
    int32_t at = swin2sr__reflected(y, margin->height_px) % (margin->px + 1);
    return margin->rows + (size_t)at * margin->stride;
}

static void copy_row(const swin2sr__margin *margin, int32_t y, const unsigned char *from) {
    size_t pixel = margin->pixel_bytes;
    unsigned char *to = row_at(margin, y), *image = to + (size_t)margin->px * pixel;
    memcpy(image, from, (size_t)margin->width_px * pixel);
    for (int32_t x = 0; x < margin->px; x++) {
        memcpy(to + (size_t)x * pixel, image + (size_t)swin2sr__reflected(x - margin->px, margin->width_px) * pixel,
               pixel);
        int32_t right = margin->width_px + x;
        memcpy(image + (size_t)right * pixel, image + (size_t)swin2sr__reflected(right, margin->width_px) * pixel,
               pixel);
    }
}

static swin2sr_status push_rows(const swin2sr__margin *margin, int32_t from, int32_t to, swin2sr__margin_push push,
                                void *context) {
    swin2sr_status status = SWIN2SR_OK;
    for (int32_t y = from; y < to && status == SWIN2SR_OK; y++)
        status = push(context, row_at(margin, y), margin->stride, 1);
    return status;
}

/* The rows above the image need the first px + 1 rows, or all rows of a lower image. */
swin2sr_status swin2sr__margin_take(swin2sr__margin *margin, const void *rows, size_t stride_bytes, int32_t n,
                                    swin2sr__margin_push push, void *context) {
    int32_t height = margin->height_px, first = swin2sr__min(margin->px, height - 1);
    swin2sr_status status = n < 0 || n > height - margin->pushed ? SWIN2SR_INVALID : SWIN2SR_OK;
    for (int32_t i = 0; i < n && status == SWIN2SR_OK; i++) {
        int32_t y = margin->pushed++;
        copy_row(margin, y, (const unsigned char *)rows + (size_t)i * stride_bytes);
        if (y >= first)
            status = push_rows(margin, y == first ? -margin->px : y, y + 1, push, context);
        if (y == height - 1 && status == SWIN2SR_OK)
            status = push_rows(margin, height, height + margin->px, push, context);
    }
    return status;
}
