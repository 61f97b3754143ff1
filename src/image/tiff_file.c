/* SPDX-License-Identifier: Apache-2.0
 * image/tiff_file.c - libtiff's file in memory (stages 4 and 8 of 9).
 * A file that is read is given to the library as a mapping, so that it copies nothing. */
#include "image/tiff_file.h"

#include <stdio.h> /* SEEK_SET */
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 20)
#define FILE_MAX_BYTES ((uint64_t)1 << 40)

static tmsize_t read_bytes(thandle_t handle, void *bytes, tmsize_t size) {
    tiff_file *self = handle;
    uint64_t left = self->at < self->size ? self->size - self->at : 0;
    size_t there = (uint64_t)size < left ? (size_t)size : (size_t)left;
    if (!self->data)
        return 0;
    memcpy(bytes, self->data + self->at, there);
    self->at += there;
    return (tmsize_t)there;
}

/* Make sure that there are blocks for so many bytes. */
static bool reserve(tiff_file *self, uint64_t size) {
    size_t needed = (size_t)((size + BLOCK_BYTES - 1) / BLOCK_BYTES);
    if (needed <= self->block_count)
        return true;
    uint8_t **blocks = realloc(self->blocks, needed * sizeof(*blocks));
    if (!blocks)
        return false;
    self->blocks = blocks;
    for (; self->block_count < needed; self->block_count++) {
        blocks[self->block_count] = calloc(1, BLOCK_BYTES);
        if (!blocks[self->block_count])
            return false;
    }
    return true;
}

static tmsize_t write_bytes(thandle_t handle, void *bytes, tmsize_t size) {
    tiff_file *self = handle;
    const uint8_t *from = bytes;
    if (self->data || size < 0 || (uint64_t)size > FILE_MAX_BYTES - self->at ||
        !reserve(self, self->at + (uint64_t)size)) {
        self->has_failed = self->is_out_of_memory = true;
        return 0;
    }
    for (size_t left = (size_t)size; left > 0;) {
        size_t within = (size_t)(self->at % BLOCK_BYTES), room = BLOCK_BYTES - within, n = left < room ? left : room;
        memcpy(self->blocks[self->at / BLOCK_BYTES] + within, from, n);
        from += n;
        left -= n;
        self->at += n;
    }
    self->size = self->at > self->size ? self->at : self->size;
    return size;
}

static toff_t seek(thandle_t handle, toff_t offset, int from) {
    tiff_file *self = handle;
    uint64_t start = from == SEEK_CUR ? self->at : from == SEEK_END ? self->size : 0, at = start + offset;
    if (at > FILE_MAX_BYTES)
        return (toff_t)-1;
    self->at = at;
    return at;
}

static int close_nothing(thandle_t handle) {
    return 0;
}

static toff_t size_of(thandle_t handle) {
    return ((tiff_file *)handle)->size;
}

static int map(thandle_t handle, void **ret_base, toff_t *ret_size) {
    tiff_file *self = handle;
    *ret_base = (void *)self->data; /* not written to */
    *ret_size = self->size;
    return self->data != NULL;
}

static void unmap_nothing(thandle_t handle, void *base, toff_t size) {
}

/* The library tells of a failed allocation only in its text. */
static int on_error(TIFF *tiff, void *context, const char *module, const char *format, va_list values) {
    tiff_file *self = context;
    self->has_failed = true;
    self->is_out_of_memory |= strstr(format, "memory") != NULL || strstr(format, "No space for") != NULL;
    return 1;
}

/* The library goes on after a warning. Only these two decoders warn of pixels that are wrong. */
static int on_warning(TIFF *tiff, void *context, const char *module, const char *format, va_list values) {
    tiff_file *self = context;
    self->has_wrong_pixels |= strcmp(module, "JPEGLib") == 0 || strcmp(module, "PackBitsDecode") == 0;
    return 1;
}

TIFF *tiff_file_open(tiff_file *self, tmsize_t allocation_max) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) {
        self->has_failed = self->is_out_of_memory = true;
        return NULL;
    }
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, allocation_max);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, self);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, self);
    TIFF *tiff = TIFFClientOpenExt("", self->data ? "r" : "w", self, read_bytes, write_bytes, seek, close_nothing,
                                   size_of, map, unmap_nothing, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

void tiff_file_done(tiff_file *self) {
    for (size_t i = 0; i < self->block_count; i++)
        free(self->blocks[i]);
    free(self->blocks);
    self->blocks = NULL;
    self->block_count = 0;
}

size_t tiff_file_piece(const tiff_file *self, size_t n, const uint8_t **ret_bytes) {
    if (n >= self->block_count || (uint64_t)n * BLOCK_BYTES >= self->size)
        return 0;
    uint64_t left = self->size - (uint64_t)n * BLOCK_BYTES;
    *ret_bytes = self->blocks[n];
    return left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
}
