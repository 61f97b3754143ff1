/* SPDX-License-Identifier: Apache-2.0
 * fuzz/fuzz_image.c - read all rows of any bytes as an image.
 * The pixel limit keeps each input fast; larger images test that they are refused. */
#include <stdlib.h>

#include "image/image.h"

#define MAX_PIXELS 250000
#define STRIP_ROWS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    image_limits limits = {.pixels = MAX_PIXELS, .to_srgb = size % 2 == 0};
    image_reader *reader = NULL;
    swin2sr_error error;
    if (image_reader_open(data, size, &limits, &reader, &error) != SWIN2SR_OK)
        return 0;
    const image_info *info = image_reader_info(reader);
    size_t row_bytes = (size_t)info->width_px * (size_t)(info->channels * info->sample_bytes);
    uint8_t *rows = malloc(row_bytes * STRIP_ROWS);
    swin2sr_status status = rows != NULL ? SWIN2SR_OK : SWIN2SR_NOMEM;
    for (int32_t left = info->height_px; left > 0 && status == SWIN2SR_OK; left -= STRIP_ROWS)
        status = image_reader_read(reader, rows, row_bytes, left < STRIP_ROWS ? left : STRIP_ROWS, &error);
    free(rows);
    image_reader_close(reader);
    return 0;
}
