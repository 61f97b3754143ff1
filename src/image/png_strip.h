/* SPDX-License-Identifier: Apache-2.0
 * image/png_strip.h - some rows of a PNG file as one IDAT chunk (stage 8 encode of 9).
 * Strips are compressed apart from each other, on any thread; a picture has the same strips for any number of threads. */
#pragma once

#include <zlib.h>

#include "format/compression.h"
#include "image/deflate.h"
#include "image/png_chunk.h"
#include "image/png_filter.h"
#include <swin2sr/status.h>

/* What all strips of a picture have in common. */
typedef struct png_strip_shape {
    size_t row_bytes, pixel_bytes;
    bool is_16_bit;
    bool has_avx2;
    int32_t max_rows;
    format_compression compression;
} png_strip_shape;

typedef struct png_strip {
    /* In: */
    const uint8_t *rows; /* [n][row_bytes], after the row above the first */
    int32_t n;
    bool is_first; /* of the picture: its chunk begins with the header of the zlib stream */
    /* Out: */
    const uint8_t *chunk; /* with head and tail */
    size_t chunk_bytes;
    uint32_t adler;        /* of the filtered rows */
    size_t filtered_bytes; /* of the filtered rows */
    /* Memory: */
    uint8_t *filtered, *spare, *chunks[2];
    size_t room; /* for compressed bytes in each of chunks */
    deflate_scratch scratch;
    z_stream zlib; /* only for FORMAT_COMPRESSION_BEST */
    bool has_zlib;
} png_strip;

/* How many rows make a strip. */
int32_t png_strip_rows(size_t row_bytes);

/* strip   Zeroes before; png_strip_done afterwards, also after a failure.
 * errors  _NOMEM. */
swin2sr_status png_strip_init(png_strip *strip, const png_strip_shape *shape);
void png_strip_done(png_strip *strip);

/* Filter and compress. Allocates nothing. */
void png_strip_encode(png_strip *strip, const png_strip_shape *shape);
