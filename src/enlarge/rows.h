/* SPDX-License-Identifier: Apache-2.0
 * enlarge/rows.h - convert rows between the samples of files and those of the network (stages 4 and 7 of 9). Pure.
 * Files have 8- or 16-bit samples; the network takes and gives 8-bit ones or, beside a 16-bit file, floats of 0..1. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The samples of a row. */
typedef struct rows_kind {
    int32_t channels;     /* with alpha */
    int32_t colours;      /* without it: 1 or 3 */
    int32_t sample_bytes; /* 1 or 2 */
} rows_kind;

/* The largest value of a sample of a file. */
static inline float rows_top(int32_t sample_bytes) {
    return sample_bytes == 1 ? UINT8_MAX : UINT16_MAX;
}

/* An 8-bit sample, blended over white. */
static inline uint32_t rows_lay_on_white(uint32_t value, uint32_t alpha) {
    return (value * alpha + 255 * (255 - alpha) + 127) / 255;
}

/* Copy the colour of count pixels of a file for a network of `channels` channels; grey is repeated.
 * to  uint8_t for 8-bit samples, float for 16-bit ones. */
void rows_split(const rows_kind *kind, const void *from, size_t count, int32_t channels, void *to);

/* Copy the network's colour into count pixels of an output row; where that is grey and the network is not, the mean of its
 * three channels. Alpha is left as it is.
 * from  uint8_t for 8-bit output, float for 16-bit output, which is clipped and rounded. */
void rows_join(const rows_kind *kind, const void *from, int32_t channels, size_t count, void *to);

/* Blend count 8-bit pixels over white by their alpha channel and drop that channel, in place. */
void rows_over_white(const rows_kind *kind, uint8_t *row, size_t count);
