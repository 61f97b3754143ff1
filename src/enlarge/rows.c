/* SPDX-License-Identifier: Apache-2.0
 * enlarge/rows.c - convert rows between the samples of files and those of the network (stages 4 and 7 of 9).
 * In: rows of a file or of the network.  Out: rows of the other. */
#include "enlarge/rows.h"

#include <string.h>

#define TOP_16 65535.0f

void rows_split(const rows_kind *kind, const void *from, size_t count, int32_t channels, void *to) {
    const uint8_t *from_8 = from;
    const uint16_t *from_16 = from;
    uint8_t *to_8 = to;
    float *to_float = to;
    for (size_t px = 0; px < count; px++, from_8 += kind->channels, from_16 += kind->channels)
        for (int32_t c = 0; c < channels; c++) {
            int32_t source = kind->colours == 1 ? 0 : c;
            if (kind->sample_bytes == 1)
                *to_8++ = from_8[source];
            else
                *to_float++ = (float)from_16[source] / TOP_16;
        }
}

static void join_8(const rows_kind *kind, const uint8_t *from, int32_t channels, size_t count, uint8_t *to) {
    for (size_t px = 0; px < count; px++, from += channels, to += kind->channels) {
        if (kind->colours < channels)
            to[0] = (uint8_t)((from[0] + from[1] + from[2] + 1) / 3);
        else
            memcpy(to, from, (size_t)kind->colours);
    }
}

static uint16_t sample_16(float value) {
    if (!(value > 0))
        return 0;
    return value >= 1 ? UINT16_MAX : (uint16_t)(value * TOP_16 + 0.5f);
}

static void join_16(const rows_kind *kind, const float *from, int32_t channels, size_t count, uint16_t *to) {
    for (size_t px = 0; px < count; px++, from += channels, to += kind->channels) {
        if (kind->colours < channels)
            to[0] = sample_16((from[0] + from[1] + from[2]) / 3);
        else
            for (int32_t c = 0; c < kind->colours; c++)
                to[c] = sample_16(from[c]);
    }
}

void rows_join(const rows_kind *kind, const void *from, int32_t channels, size_t count, void *to) {
    if (kind->sample_bytes == 1)
        join_8(kind, from, channels, count, to);
    else
        join_16(kind, from, channels, count, to);
}

void rows_over_white(const rows_kind *kind, uint8_t *row, size_t count) {
    const uint8_t *from = row;
    for (size_t px = 0; px < count; px++, from += kind->colours + 1) {
        uint32_t alpha = from[kind->colours];
        for (int32_t c = 0; c < kind->colours; c++)
            *row++ = (uint8_t)rows_lay_on_white(from[c], alpha);
    }
}
