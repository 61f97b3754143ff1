/* SPDX-License-Identifier: Apache-2.0
 * image/png_repair.c - turn a PNG whose end is missing into one that libpng reads (stage 4 of 9).
 * In: a file in memory.  Out: its bytes up to the pixel data, that data uncompressed in stored blocks, and IEND. */
#include "image/png_repair.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "image/png_chunk.h"

#define IHDR_BODY_AT 16
#define WINDOW_BITS 15                    /* the largest window, whatever the stream asks for */
#define MAX_INPUT_BYTES ((size_t)1 << 30) /* per chunk; zlib counts in 32 bits */
#define BLOCK_BYTES 16384
#define ZLIB_HEAD_BYTES 2
#define BLOCK_HEAD_BYTES 5
#define ADLER_BYTES 4

static const uint8_t iend[PNG_CHUNK_HEAD_BYTES + PNG_CHUNK_TAIL_BYTES] = {0,   0,   0,    0,    'I',  'E',
                                                                          'N', 'D', 0xae, 0x42, 0x60, 0x82};

struct png_repair {
    const uint8_t *data;
    size_t size;
    size_t pixels_at;   /* offset of the first chunk of pixel data */
    size_t at;          /* how many bytes of data were copied to the output, up to pixels_at */
    size_t chunk_at;    /* offset of the next chunk of pixel data; size: there is none */
    uint64_t row_bytes; /* of all rows, with their filter bytes */
    uint64_t left_bytes;
    z_stream stream;
    uLong adler;
    /* The new chunk that is being copied to the output: made[made_at..made_size) is left. */
    uint8_t made[PNG_CHUNK_HEAD_BYTES + ZLIB_HEAD_BYTES + BLOCK_HEAD_BYTES + BLOCK_BYTES + ADLER_BYTES +
                 PNG_CHUNK_TAIL_BYTES];
    size_t made_at, made_size;
    bool has_ended; /* IEND was made */
};

static bool is_type(const uint8_t *chunk, const char *type) {
    return memcmp(chunk + 4, type, 4) == 0;
}

bool png_has_end(const uint8_t *data, size_t size) {
    for (size_t at = IHDR_BODY_AT - PNG_CHUNK_HEAD_BYTES; size - at >= sizeof(iend);) {
        size_t length = png_get_uint_32(data + at);
        if (is_type(data + at, "IEND"))
            return memcmp(data + at, iend, sizeof(iend)) == 0;
        if (length > size - at - sizeof(iend))
            return false;
        at += sizeof(iend) + length;
    }
    return false;
}

/* Inflated size of all rows of all passes; each row has one byte for its filter. */
static uint64_t row_bytes_of(const uint8_t *header) {
    static const uint8_t samples[] = {[0] = 1, [2] = 3, [3] = 1, [4] = 2, [6] = 4};
    uint64_t width = png_get_uint_32(header), height = png_get_uint_32(header + 4);
    uint64_t pixel_bits = (uint64_t)header[8] * samples[header[9]], bytes = 0;
    if (header[12] == PNG_INTERLACE_NONE)
        return ((width * pixel_bits + 7) / 8 + 1) * height;
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++) {
        uint64_t columns = PNG_PASS_COLS(width, pass), rows = PNG_PASS_ROWS(height, pass);
        bytes += columns > 0 ? ((columns * pixel_bits + 7) / 8 + 1) * rows : 0;
    }
    return bytes;
}

/* Pass the next chunk of pixel data to zlib. If another one follows it, its checksum must be right.
 * returns false if there is no chunk to pass. */
static bool take_chunk(png_repair *repair) {
    const uint8_t *chunk = repair->data + repair->chunk_at;
    size_t left = repair->size - repair->chunk_at;
    if (left < PNG_CHUNK_HEAD_BYTES || !is_type(chunk, "IDAT"))
        return false;
    size_t length = png_get_uint_32(chunk);
    size_t there = length < left - PNG_CHUNK_HEAD_BYTES ? length : left - PNG_CHUNK_HEAD_BYTES,
           end = PNG_CHUNK_HEAD_BYTES + there;
    if (there > MAX_INPUT_BYTES)
        return false;
    repair->stream.next_in = (Bytef *)chunk + PNG_CHUNK_HEAD_BYTES; /* not written to */
    repair->stream.avail_in = (uInt)there;
    bool is_last = left - end < PNG_CHUNK_TAIL_BYTES + PNG_CHUNK_HEAD_BYTES ||
                   !is_type(chunk + end + PNG_CHUNK_TAIL_BYTES, "IDAT");
    repair->chunk_at = is_last ? repair->size : repair->chunk_at + end + PNG_CHUNK_TAIL_BYTES;
    return is_last || crc32(0, chunk + 4, (uInt)there + 4) == png_get_uint_32(chunk + end);
}

/* Inflate up to size bytes of rows. returns how many there were. */
static size_t pull_rows(png_repair *repair, uint8_t *rows, size_t size) {
    z_stream *stream = &repair->stream;
    int result = Z_OK;
    stream->next_out = rows;
    stream->avail_out = (uInt)size;
    while (stream->avail_out > 0 && (result == Z_OK || (result == Z_BUF_ERROR && take_chunk(repair))))
        result = inflate(stream, Z_NO_FLUSH);
    return size - stream->avail_out;
}

/* Go back to the first row. */
static void rewind_rows(png_repair *repair) {
    inflateReset(&repair->stream);
    repair->stream.avail_in = 0;
    repair->chunk_at = repair->pixels_at;
    repair->left_bytes = repair->row_bytes;
    repair->adler = adler32(0, NULL, 0);
}

swin2sr_status png_repair_open(const uint8_t *data, size_t size, png_repair **ret_mender) {
    png_repair *repair = calloc(1, sizeof(*repair));
    if (repair == NULL || inflateInit2(&repair->stream, WINDOW_BITS) != Z_OK) {
        free(repair);
        return SWIN2SR_NOMEM;
    }
    repair->data = data;
    repair->size = size;
    repair->pixels_at = IHDR_BODY_AT - PNG_CHUNK_HEAD_BYTES;
    while (!is_type(data + repair->pixels_at, "IDAT"))
        repair->pixels_at += PNG_CHUNK_HEAD_BYTES + png_get_uint_32(data + repair->pixels_at) + PNG_CHUNK_TAIL_BYTES;
    repair->row_bytes = row_bytes_of(data + IHDR_BODY_AT);
    rewind_rows(repair);
    while (repair->left_bytes > 0) {
        size_t wanted = repair->left_bytes < BLOCK_BYTES ? (size_t)repair->left_bytes : BLOCK_BYTES;
        if (pull_rows(repair, repair->made, wanted) < wanted)
            break;
        repair->left_bytes -= wanted;
    }
    if (repair->left_bytes > 0) {
        png_repair_close(repair);
        return SWIN2SR_CORRUPT;
    }
    rewind_rows(repair);
    *ret_mender = repair;
    return SWIN2SR_OK;
}

void png_repair_close(png_repair *repair) {
    if (repair == NULL)
        return;
    inflateEnd(&repair->stream);
    free(repair);
}

/* Make a chunk with one stored block. The first one starts with zlib's header, the last one ends with its checksum
 * (RFC 1950; RFC 1951, 3.2.4). */
static void make_pixel_chunk(png_repair *repair) {
    bool is_first = repair->left_bytes == repair->row_bytes;
    size_t n = repair->left_bytes < BLOCK_BYTES ? (size_t)repair->left_bytes : BLOCK_BYTES;
    uint8_t *at = repair->made + PNG_CHUNK_HEAD_BYTES;
    if (is_first) {
        *at++ = 0x78;
        *at++ = 0x01;
    }
    *at++ = repair->left_bytes == n;
    for (int i = 0; i < 4; i++) /* the length and its complement, little endian */
        *at++ = (uint8_t)((i < 2 ? n : ~n) >> 8 * (i % 2));
    pull_rows(repair, at, n);
    repair->adler = adler32(repair->adler, at, (uInt)n);
    repair->left_bytes -= n;
    at += n;
    if (repair->left_bytes == 0) {
        png_save_uint_32(at, (png_uint_32)repair->adler);
        at += ADLER_BYTES;
    }
    size_t body_bytes = (size_t)(at - repair->made) - PNG_CHUNK_HEAD_BYTES;
    png_save_uint_32(repair->made, (png_uint_32)body_bytes);
    memcpy(repair->made + 4, "IDAT", 4);
    png_save_uint_32(at, (png_uint_32)crc32(0, repair->made + 4, (uInt)body_bytes + 4));
    repair->made_size = PNG_CHUNK_HEAD_BYTES + body_bytes + PNG_CHUNK_TAIL_BYTES;
}

/* Make the next chunk. returns false after IEND. */
static bool make_chunk(png_repair *repair) {
    repair->made_at = 0;
    if (repair->left_bytes > 0) {
        make_pixel_chunk(repair);
        return true;
    }
    repair->made_size = repair->has_ended ? 0 : sizeof(iend);
    memcpy(repair->made, iend, repair->made_size);
    repair->has_ended = true;
    return repair->made_size > 0;
}

size_t png_repair_read(png_repair *repair, uint8_t *bytes, size_t size) {
    size_t done = 0;
    while (done < size) {
        bool is_before = repair->at < repair->pixels_at;
        if (!is_before && repair->made_at == repair->made_size && !make_chunk(repair))
            break;
        const uint8_t *from = is_before ? repair->data + repair->at : repair->made + repair->made_at;
        size_t left = is_before ? repair->pixels_at - repair->at : repair->made_size - repair->made_at;
        size_t n = left < size - done ? left : size - done;
        memcpy(bytes + done, from, n);
        *(is_before ? &repair->at : &repair->made_at) += n;
        done += n;
    }
    return done;
}
