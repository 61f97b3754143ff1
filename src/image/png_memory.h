/* SPDX-License-Identifier: Apache-2.0
 * image/png_memory.h - memory and warnings of libpng, for png_read.c and png_write.c (stages 4 and 8 of 9). */
#pragma once

#include <png.h>
#include <stdbool.h>
#include <stdlib.h>

#define IS_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) /* samples of 16 bits are big-endian in files */

static inline void png_warning_ignore(png_structp png, png_const_charp message) {
}

/* libpng reports a failed allocation as it reports damage; this flag distinguishes them. */
static inline png_voidp png_allocate(png_structp png, png_alloc_size_t size) {
    void *memory = malloc(size);
    bool *is_out_of_memory = png_get_mem_ptr(png);
    if (memory == NULL)
        *is_out_of_memory = true;
    return memory;
}

static inline void png_release(png_structp png, png_voidp memory) {
    free(memory);
}
