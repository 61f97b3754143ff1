/* SPDX-License-Identifier: Apache-2.0
 * image/png_filter.h - replace the bytes of a PNG row by differences to their neighbours, and their checksum (stage 8).
 * Plain loops that the compiler turns into vector instructions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The five filters of PNG, by the number that a file has for them. */
typedef enum png_filter {
    PNG_FILTER_OF_NONE,
    PNG_FILTER_OF_LEFT,
    PNG_FILTER_OF_ABOVE,
    PNG_FILTER_OF_MEAN,
    PNG_FILTER_OF_PAETH,
    PNG_FILTER_OF_COUNT,
} png_filter;

#define PNG_FILTERS(filter) (1u << (filter)) /* a set of one */

typedef struct png_row {
    const uint8_t *row, *above; /* above: the row before, zeroes for the first */
    size_t row_bytes, pixel_bytes;
    bool has_avx2; /* whether the processor has it; the bytes are the same */
} png_row;

/* Filter a row. ret_bytes  [row_bytes], apart from the row's. */
void png_filter_row(const png_row *in, png_filter filter, uint8_t *ret_bytes);

/* Filter a row with each filter of the set and keep the result whose bytes, taken as signed, have the least sum of
 * absolute values. On a tie the filter with the lower number wins.
 * spare      [row_bytes], overwritten.
 * ret_bytes  [1 + row_bytes]: the number of the filter and the row. */
void png_filter_best(const png_row *in, uint32_t filters, uint8_t *spare, uint8_t *ret_bytes);

/* The checksum of a zlib stream (Adler-32); for these sizes several times faster than zlib's function. */
uint32_t png_adler(const uint8_t *bytes, size_t n, bool has_avx2);
