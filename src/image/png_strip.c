/* SPDX-License-Identifier: Apache-2.0
 * image/png_strip.c - some rows of a PNG file as one IDAT chunk (stage 8 encode of 9).
 * FAST and DEFAULT differ in filters and in how thoroughly repeats are sought. BEST also tries other ways and keeps the
 * smallest of each strip, so it is never larger than DEFAULT. */
#include "image/png_strip.h"

#include <stdlib.h>
#include <string.h>

#define STRIP_BYTES ((size_t)1 << 17) /* larger strips compress no better: half a percent at most */
#define ZLIB_HEADER_BYTES 2
#define ZLIB_MEMORY_LEVEL 9
#define ZLIB_PAYS 6 /* zlib finds more only in strips that compress better than this; in others it takes seconds */

#define ADAPTIVE (PNG_FILTERS(PNG_FILTER_OF_LEFT) | PNG_FILTERS(PNG_FILTER_OF_ABOVE) | PNG_FILTERS(PNG_FILTER_OF_PAETH))

/* Ways to make a chunk. docs/performance.md compares the levels. */
static const struct {
    uint32_t filters; /* 0: as the way before */
    deflate_effort effort;
    bool is_zlib;
} ways[] = {
    {PNG_FILTERS(PNG_FILTER_OF_PAETH), {32, 32, false}, false},
    {ADAPTIVE, {64, 16, false}, false},
    {0, {UINT32_MAX, 1, true}, false},
    {0, {0}, true},
    {PNG_FILTERS(PNG_FILTER_OF_NONE), {0}, true},
};

/* Which of them each level tries. */
static const struct {
    int from, to;
} levels[FORMAT_COMPRESSION_COUNT] = {
    [FORMAT_COMPRESSION_FAST] = {0, 1},
    [FORMAT_COMPRESSION_DEFAULT] = {1, 2},
    [FORMAT_COMPRESSION_BEST] = {1, sizeof ways / sizeof *ways},
};

int32_t png_strip_rows(size_t row_bytes) {
    return row_bytes < STRIP_BYTES ? (int32_t)(STRIP_BYTES / (row_bytes + 1)) : 1;
}

swin2sr_status png_strip_init(png_strip *strip, const png_strip_shape *shape) {
    bool is_best = shape->compression == FORMAT_COMPRESSION_BEST;
    size_t filtered_bytes = (size_t)shape->max_rows * (shape->row_bytes + 1);
    if (is_best && deflateInit2(&strip->zlib, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, ZLIB_MEMORY_LEVEL,
                                Z_DEFAULT_STRATEGY) != Z_OK)
        return SWIN2SR_NOMEM;
    strip->has_zlib = is_best;
    strip->room = ZLIB_HEADER_BYTES + deflate_bound(filtered_bytes);
    strip->filtered = malloc(filtered_bytes);
    strip->spare = malloc(shape->row_bytes);
    bool is_complete = strip->filtered != NULL && strip->spare != NULL;
    for (int i = 0; i < 1 + is_best; i++) {
        strip->chunks[i] = malloc(PNG_CHUNK_HEAD_BYTES + strip->room + PNG_CHUNK_TAIL_BYTES);
        is_complete = is_complete && strip->chunks[i] != NULL;
    }
    return is_complete ? SWIN2SR_OK : SWIN2SR_NOMEM;
}

void png_strip_done(png_strip *strip) {
    if (strip->has_zlib)
        deflateEnd(&strip->zlib);
    free(strip->filtered);
    free(strip->spare);
    free(strip->chunks[0]);
    free(strip->chunks[1]);
}

static void filter_rows(png_strip *strip, const png_strip_shape *shape, uint32_t filters) {
    if (shape->is_16_bit && filters == ADAPTIVE) /* the low bytes, which are noise, would decide */
        filters = PNG_FILTERS(PNG_FILTER_OF_PAETH);
    png_row in = {.row_bytes = shape->row_bytes, .pixel_bytes = shape->pixel_bytes, .has_avx2 = shape->has_avx2};
    for (int32_t y = 0; y < strip->n; y++) {
        in.row = strip->rows + (size_t)y * shape->row_bytes;
        in.above = in.row - shape->row_bytes;
        png_filter_best(&in, filters, strip->spare, strip->filtered + (size_t)y * (shape->row_bytes + 1));
    }
}

/* Compress the filtered rows with zlib. returns how many bytes; SIZE_MAX: they have no room, so they are many. */
static size_t deflate_with_zlib(png_strip *strip, uint8_t *out) {
    z_stream *zlib = &strip->zlib;
    deflateReset(zlib);
    zlib->next_in = strip->filtered;
    zlib->avail_in = (uInt)strip->filtered_bytes;
    zlib->next_out = out;
    zlib->avail_out = (uInt)(strip->room - ZLIB_HEADER_BYTES);
    bool is_done = deflate(zlib, Z_SYNC_FLUSH) == Z_OK && zlib->avail_in == 0 && zlib->avail_out > 0;
    return is_done ? zlib->total_out : SIZE_MAX;
}

void png_strip_encode(png_strip *strip, const png_strip_shape *shape) {
    size_t head = PNG_CHUNK_HEAD_BYTES + (strip->is_first ? ZLIB_HEADER_BYTES : 0), least = SIZE_MAX;
    strip->filtered_bytes = (size_t)strip->n * (shape->row_bytes + 1);
    for (int way = levels[shape->compression].from; way < levels[shape->compression].to; way++) {
        if (ways[way].is_zlib && least > strip->filtered_bytes / ZLIB_PAYS)
            break;
        uint8_t *kept = strip->chunks[0], *target = strip->chunks[least != SIZE_MAX];
        if (ways[way].filters != 0)
            filter_rows(strip, shape, ways[way].filters);
        size_t bytes = ways[way].is_zlib ? deflate_with_zlib(strip, target + head)
                                         : deflate_strip(&strip->scratch, &ways[way].effort, strip->filtered,
                                                         strip->filtered_bytes, target + head);
        if (bytes >= least)
            continue;
        least = bytes;
        strip->adler = png_adler(strip->filtered, strip->filtered_bytes, shape->has_avx2);
        if (target != kept) {
            strip->chunks[0] = target;
            strip->chunks[1] = kept;
        }
    }
    if (strip->is_first)
        memcpy(strip->chunks[0] + PNG_CHUNK_HEAD_BYTES, "\x78\x01", ZLIB_HEADER_BYTES); /* window of 32 KiB */
    strip->chunk = strip->chunks[0];
    strip->chunk_bytes = png_chunk_close(strip->chunks[0], "IDAT", head - PNG_CHUNK_HEAD_BYTES + least);
}
