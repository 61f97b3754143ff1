/* SPDX-License-Identifier: Apache-2.0
 * image/tiff_file.h - what libtiff reads from and writes to: memory (stages 4 and 8 of 9).
 * A file that is read is borrowed. One that is written is kept in blocks until it is complete, because libtiff goes back
 * to its head. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tiffio.h>

typedef struct tiff_file {
    const uint8_t *data; /* of a file that is read */
    uint8_t **blocks;    /* of a file that is written */
    size_t block_count;
    uint64_t at, size;
    bool has_failed; /* the library has reported an error, or memory is lacking */
    bool is_out_of_memory;
    bool has_wrong_pixels; /* the library has warned of damaged data, and read on */
} tiff_file;

/* Open the file for reading (data is set) or writing.
 * allocation_max  Of the library, at once.
 * returns         NULL if it fails; then has_failed and is_out_of_memory say why. */
TIFF *tiff_file_open(tiff_file *self, tmsize_t allocation_max);

/* Free the blocks of a file that was written. */
void tiff_file_done(tiff_file *self);

/* The n-th piece of a file that was written.  returns its size; 0: there is none. */
size_t tiff_file_piece(const tiff_file *self, size_t n, const uint8_t **ret_bytes);
