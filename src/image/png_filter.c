/* SPDX-License-Identifier: Apache-2.0
 * image/png_filter.c - replace the bytes of a PNG row by differences to their neighbours (stage 8 encode of 9).
 * At 8 bits per sample these loops filter 1 to 10 GB/s with the vector instructions that every processor has, which is
 * little beside the compression; docs/performance.md has the figures. */
#include "image/png_filter.h"

#include <string.h>

#define LANES ((size_t)64) /* sums that are made side by side */
#define LANE_ROUNDS 256
#define ADLER_ROUNDS 1024 /* 1024 * 1025 / 2 * 255 < 2^32 */
#define ADLER_BASE 65521

/* The predicted value of Paeth: of left, above and upper left, the one nearest to left + above - upper left. */
static inline __attribute__((always_inline)) int16_t paeth(int16_t left, int16_t above, int16_t corner) {
    int16_t from_left = (int16_t)(above - corner), from_above = (int16_t)(left - corner);
    int16_t from_corner = (int16_t)(from_left + from_above);
    from_left = (int16_t)(from_left < 0 ? -from_left : from_left);
    from_above = (int16_t)(from_above < 0 ? -from_above : from_above);
    from_corner = (int16_t)(from_corner < 0 ? -from_corner : from_corner);
    int16_t least = from_left < from_above ? from_left : from_above;
    least = least < from_corner ? least : from_corner;
    return least == from_left ? left : least == from_above ? above : corner;
}

/* The loops, compiled twice: for every processor, and for those with AVX2, where they are up to twice as fast. */
static inline __attribute__((always_inline)) void filter_any(const png_row *in, png_filter filter,
                                                             uint8_t *restrict ret_bytes) {
    const uint8_t *row = in->row, *above = in->above;
    size_t n = in->row_bytes, first = in->pixel_bytes; /* n is a multiple of it */
    if (filter == PNG_FILTER_OF_NONE) {
        memcpy(ret_bytes, row, n);
        return;
    }
    for (size_t i = 0; i < first; i++) /* the pixel on the left of the first is black */
        ret_bytes[i] = (uint8_t)(row[i] - (filter == PNG_FILTER_OF_LEFT   ? 0
                                           : filter == PNG_FILTER_OF_MEAN ? above[i] / 2
                                                                          : above[i]));
    if (filter == PNG_FILTER_OF_LEFT)
        for (size_t i = first; i < n; i++)
            ret_bytes[i] = (uint8_t)(row[i] - row[i - first]);
    else if (filter == PNG_FILTER_OF_ABOVE)
        for (size_t i = first; i < n; i++)
            ret_bytes[i] = (uint8_t)(row[i] - above[i]);
    else if (filter == PNG_FILTER_OF_MEAN)
        for (size_t i = first; i < n; i++)
            ret_bytes[i] = (uint8_t)(row[i] - (uint8_t)((row[i - first] + above[i]) >> 1));
    else
        for (size_t i = first; i < n; i++)
            ret_bytes[i] = (uint8_t)(row[i] - (uint8_t)paeth(row[i - first], above[i], above[i - first]));
}

static inline __attribute__((always_inline)) uint8_t size_of(uint8_t byte) {
    uint8_t negative = (uint8_t)-byte;
    return byte < negative ? byte : negative;
}

static inline __attribute__((always_inline)) uint32_t sum_any(const uint8_t *bytes, size_t n) {
    uint16_t lanes[LANES] = {0};
    uint32_t sum = 0;
    for (size_t at = 0; at < n; at += LANE_ROUNDS * LANES) { /* a lane holds at most 128 * LANE_ROUNDS < 65536 */
        size_t end = n - at < LANE_ROUNDS * LANES ? n - at : LANE_ROUNDS * LANES, i = 0;
        for (; i + LANES <= end; i += LANES)
            for (size_t lane = 0; lane < LANES; lane++)
                lanes[lane] = (uint16_t)(lanes[lane] + size_of(bytes[at + i + lane]));
        for (; i < end; i++)
            sum += size_of(bytes[at + i]);
        for (size_t lane = 0; lane < LANES; lane++) {
            sum += lanes[lane];
            lanes[lane] = 0;
        }
    }
    return sum;
}

/* A column of lanes adds bytes LANES apart: sums[lane] their values, turns[lane] these weighted by how many rounds they
 * have been in the sum. */
static inline __attribute__((always_inline)) uint32_t adler_any(const uint8_t *bytes, size_t n) {
    uint64_t first = 1, second = 0;
    for (size_t at = 0, end; at < n; at = end) {
        uint32_t sums[LANES] = {0}, turns[LANES] = {0};
        size_t rounds = (n - at) / LANES < ADLER_ROUNDS ? (n - at) / LANES : ADLER_ROUNDS, i = at;
        end = at + rounds * LANES;
        for (; i < end; i += LANES)
            for (size_t lane = 0; lane < LANES; lane++) {
                sums[lane] += bytes[i + lane];
                turns[lane] += sums[lane];
            }
        second += first * (rounds * LANES);
        for (size_t lane = 0; lane < LANES; lane++) {
            first += sums[lane];
            second += LANES * (uint64_t)turns[lane] - lane * sums[lane];
        }
        for (; rounds == 0 && end < n; end++) {
            first += bytes[end];
            second += first;
        }
        first %= ADLER_BASE;
        second %= ADLER_BASE;
    }
    return (uint32_t)(second << 16 | first);
}

static void filter_plain(const png_row *in, png_filter filter, uint8_t *ret_bytes) {
    filter_any(in, filter, ret_bytes);
}

static uint32_t sum_plain(const uint8_t *bytes, size_t n) {
    return sum_any(bytes, n);
}

static uint32_t adler_plain(const uint8_t *bytes, size_t n) {
    return adler_any(bytes, n);
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#else
#define AVX2 /* never called */
#endif

AVX2 static void filter_avx2(const png_row *in, png_filter filter, uint8_t *ret_bytes) {
    filter_any(in, filter, ret_bytes);
}

AVX2 static uint32_t sum_avx2(const uint8_t *bytes, size_t n) {
    return sum_any(bytes, n);
}

AVX2 static uint32_t adler_avx2(const uint8_t *bytes, size_t n) {
    return adler_any(bytes, n);
}

uint32_t png_adler(const uint8_t *bytes, size_t n, bool has_avx2) {
    return (has_avx2 ? adler_avx2 : adler_plain)(bytes, n);
}

void png_filter_row(const png_row *in, png_filter filter, uint8_t *ret_bytes) {
    (in->has_avx2 ? filter_avx2 : filter_plain)(in, filter, ret_bytes);
}

void png_filter_best(const png_row *in, uint32_t filters, uint8_t *spare, uint8_t *ret_bytes) {
    uint32_t least = UINT32_MAX;
    bool is_only = (filters & (filters - 1)) == 0;
    for (int filter = 0; filter < PNG_FILTER_OF_COUNT && least > 0; filter++) {
        if (!(filters & PNG_FILTERS(filter)))
            continue;
        uint8_t *target = is_only ? ret_bytes + 1 : spare;
        png_filter_row(in, (png_filter)filter, target);
        uint32_t sum = is_only ? 0 : (in->has_avx2 ? sum_avx2 : sum_plain)(target, in->row_bytes);
        if (sum >= least)
            continue;
        least = sum;
        ret_bytes[0] = (uint8_t)filter;
        if (!is_only)
            memcpy(ret_bytes + 1, spare, in->row_bytes);
    }
}
