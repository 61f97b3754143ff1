/* SPDX-License-Identifier: Apache-2.0
 * tests/image/reading.h - load and decode files. Each file is in an allocation of its exact size, so that a sanitizer
 * sees any read beyond its end. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

#define MAX_FILE_BYTES 65536

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes;

typedef struct picture {
    image_info info;
    uint8_t *rows;
} picture;

static inline bytes copy_bytes(const void *data, size_t size) {
    bytes copy = {malloc(size > 0 ? size : 1), size};
    assert_non_null(copy.data);
    if (size > 0)
        memcpy(copy.data, data, size);
    return copy;
}

/* path is relative to tests/image, where the tests run. */
static inline bytes load_path(const char *path) {
    uint8_t buffer[MAX_FILE_BYTES];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s is missing", path);
    size_t size = fread(buffer, 1, sizeof(buffer), file);
    fclose(file);
    return copy_bytes(buffer, size);
}

/* A file of the data folder. */
static inline bytes load(const char *name, const char *extension) {
    char path[128];
    snprintf(path, sizeof(path), "data/%s.%s", name, extension);
    return load_path(path);
}

static inline size_t picture_bytes(const picture *image) {
    return (size_t)image->info.width_px * (size_t)image->info.height_px *
           (size_t)(image->info.channels * image->info.sample_bytes);
}

/* Decode a whole file, strip_rows at a time. */
static inline swin2sr_status decode(bytes file, const image_limits *limits, int32_t strip_rows, picture *ret_picture,
                                    swin2sr_error *reterr) {
    image_reader *reader = NULL;
    swin2sr_status status = image_reader_open(file.data, file.size, limits, &reader, reterr);
    if (status != SWIN2SR_OK)
        return status;
    picture got = {.info = *image_reader_info(reader)};
    size_t row_bytes = (size_t)got.info.width_px * (size_t)(got.info.channels * got.info.sample_bytes);
    got.rows = malloc(row_bytes * (size_t)got.info.height_px);
    assert_non_null(got.rows);
    for (int32_t y = 0; y < got.info.height_px && status == SWIN2SR_OK; y += strip_rows) {
        int32_t n = got.info.height_px - y < strip_rows ? got.info.height_px - y : strip_rows;
        status = image_reader_read(reader, got.rows + (size_t)y * row_bytes, row_bytes, n, reterr);
    }
    got.info.damage = image_reader_info(reader)->damage;
    image_reader_close(reader);
    if (status != SWIN2SR_OK)
        free(got.rows);
    else
        *ret_picture = got;
    return status;
}
