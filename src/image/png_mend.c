/* SPDX-License-Identifier: Apache-2.0
 * image/png_mend.c - a PNG whose end is missing, as libpng would read it with its end (stage 4 of 9).
 * In: a file in memory.  Out: its bytes up to the pixel data, then that data again in stored blocks, then IEND. */
#include "image/png_mend.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define IHDR_BODY_AT 16
#define HEAD_BYTES 8 /* of a chunk: length and type */
#define CRC_BYTES 4
#define WINDOW_BITS 15                    /* the largest, whatever the stream says it needs */
#define MAX_INPUT_BYTES ((size_t)1 << 30) /* of a chunk; zlib counts with 32 bits */
#define BLOCK_BYTES 16384
#define ZLIB_HEAD_BYTES 2
#define BLOCK_HEAD_BYTES 5
#define ADLER_BYTES 4

static const uint8_t iend[HEAD_BYTES + CRC_BYTES] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};

struct png_mender {
    const uint8_t *data;
    size_t size;
    size_t pixels_at;   /* the first chunk of pixel data */
    size_t at;          /* bytes given from data, up to pixels_at */
    size_t chunk_at;    /* the next chunk of pixel data; size: none */
    uint64_t row_bytes; /* of all rows, filter bytes included */
    uint64_t left_bytes;
    z_stream stream;
    uLong adler;
    /* The chunk that is being given: made[made_at..made_size). */
    uint8_t made[HEAD_BYTES + ZLIB_HEAD_BYTES + BLOCK_HEAD_BYTES + BLOCK_BYTES + ADLER_BYTES + CRC_BYTES];
    size_t made_at, made_size;
    bool has_ended; /* IEND was made */
};

static bool is_type(const uint8_t *chunk, const char *type) {
    return memcmp(chunk + 4, type, 4) == 0;
}

bool png_has_end(const uint8_t *data, size_t size) {
    for (size_t at = IHDR_BODY_AT - HEAD_BYTES; size - at >= sizeof(iend);) {
        size_t length = png_get_uint_32(data + at);
        if (is_type(data + at, "IEND"))
            return memcmp(data + at, iend, sizeof(iend)) == 0;
        if (length > size - at - sizeof(iend))
            return false;
        at += sizeof(iend) + length;
    }
    return false;
}

/* Bytes that all rows inflate to: of each pass, each row with the byte that names its filter. */
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

/* Hand the next chunk of pixel data to zlib. Where another one follows it, its checksum must be right.
 * returns false: there is none. */
static bool take_chunk(png_mender *mender) {
    const uint8_t *chunk = mender->data + mender->chunk_at;
    size_t left = mender->size - mender->chunk_at;
    if (left < HEAD_BYTES || !is_type(chunk, "IDAT"))
        return false;
    size_t length = png_get_uint_32(chunk);
    size_t there = length < left - HEAD_BYTES ? length : left - HEAD_BYTES, end = HEAD_BYTES + there;
    if (there > MAX_INPUT_BYTES)
        return false;
    mender->stream.next_in = (Bytef *)chunk + HEAD_BYTES; /* not written to */
    mender->stream.avail_in = (uInt)there;
    bool is_last = left - end < CRC_BYTES + HEAD_BYTES || !is_type(chunk + end + CRC_BYTES, "IDAT");
    mender->chunk_at = is_last ? mender->size : mender->chunk_at + end + CRC_BYTES;
    return is_last || crc32(0, chunk + 4, (uInt)there + 4) == png_get_uint_32(chunk + end);
}

/* Inflate the next size bytes of rows. returns how many there are. */
static size_t pull_rows(png_mender *mender, uint8_t *rows, size_t size) {
    z_stream *stream = &mender->stream;
    int result = Z_OK;
    stream->next_out = rows;
    stream->avail_out = (uInt)size;
    while (stream->avail_out > 0 && (result == Z_OK || (result == Z_BUF_ERROR && take_chunk(mender))))
        result = inflate(stream, Z_NO_FLUSH);
    return size - stream->avail_out;
}

/* Begin again with the first row. */
static void rewind_rows(png_mender *mender) {
    inflateReset(&mender->stream);
    mender->stream.avail_in = 0;
    mender->chunk_at = mender->pixels_at;
    mender->left_bytes = mender->row_bytes;
    mender->adler = adler32(0, NULL, 0);
}

swin2sr_status png_mender_open(const uint8_t *data, size_t size, png_mender **ret_mender) {
    png_mender *mender = calloc(1, sizeof(*mender));
    if (mender == NULL || inflateInit2(&mender->stream, WINDOW_BITS) != Z_OK) {
        free(mender);
        return SWIN2SR_NOMEM;
    }
    mender->data = data;
    mender->size = size;
    mender->pixels_at = IHDR_BODY_AT - HEAD_BYTES;
    while (!is_type(data + mender->pixels_at, "IDAT"))
        mender->pixels_at += HEAD_BYTES + png_get_uint_32(data + mender->pixels_at) + CRC_BYTES;
    mender->row_bytes = row_bytes_of(data + IHDR_BODY_AT);
    rewind_rows(mender);
    while (mender->left_bytes > 0) {
        size_t wanted = mender->left_bytes < BLOCK_BYTES ? (size_t)mender->left_bytes : BLOCK_BYTES;
        if (pull_rows(mender, mender->made, wanted) < wanted)
            break;
        mender->left_bytes -= wanted;
    }
    if (mender->left_bytes > 0) {
        png_mender_close(mender);
        return SWIN2SR_CORRUPT;
    }
    rewind_rows(mender);
    *ret_mender = mender;
    return SWIN2SR_OK;
}

void png_mender_close(png_mender *mender) {
    if (mender == NULL)
        return;
    inflateEnd(&mender->stream);
    free(mender);
}

/* One chunk with one stored block; the first has zlib's header, the last its checksum (RFC 1950, RFC 1951 3.2.4). */
static void make_pixel_chunk(png_mender *mender) {
    bool is_first = mender->left_bytes == mender->row_bytes;
    size_t n = mender->left_bytes < BLOCK_BYTES ? (size_t)mender->left_bytes : BLOCK_BYTES;
    uint8_t *at = mender->made + HEAD_BYTES;
    if (is_first) {
        *at++ = 0x78;
        *at++ = 0x01;
    }
    *at++ = mender->left_bytes == n;
    for (int i = 0; i < 4; i++) /* the length, least byte first, and its complement */
        *at++ = (uint8_t)((i < 2 ? n : ~n) >> 8 * (i % 2));
    pull_rows(mender, at, n);
    mender->adler = adler32(mender->adler, at, (uInt)n);
    mender->left_bytes -= n;
    at += n;
    if (mender->left_bytes == 0) {
        png_save_uint_32(at, (png_uint_32)mender->adler);
        at += ADLER_BYTES;
    }
    size_t body_bytes = (size_t)(at - mender->made) - HEAD_BYTES;
    png_save_uint_32(mender->made, (png_uint_32)body_bytes);
    memcpy(mender->made + 4, "IDAT", 4);
    png_save_uint_32(at, (png_uint_32)crc32(0, mender->made + 4, (uInt)body_bytes + 4));
    mender->made_size = HEAD_BYTES + body_bytes + CRC_BYTES;
}

/* Make the next chunk. returns false behind IEND. */
static bool make_chunk(png_mender *mender) {
    mender->made_at = 0;
    if (mender->left_bytes > 0) {
        make_pixel_chunk(mender);
        return true;
    }
    mender->made_size = mender->has_ended ? 0 : sizeof(iend);
    memcpy(mender->made, iend, mender->made_size);
    mender->has_ended = true;
    return mender->made_size > 0;
}

size_t png_mender_read(png_mender *mender, uint8_t *bytes, size_t size) {
    size_t done = 0;
    while (done < size) {
        bool is_before = mender->at < mender->pixels_at;
        if (!is_before && mender->made_at == mender->made_size && !make_chunk(mender))
            break;
        const uint8_t *from = is_before ? mender->data + mender->at : mender->made + mender->made_at;
        size_t left = is_before ? mender->pixels_at - mender->at : mender->made_size - mender->made_at;
        size_t n = left < size - done ? left : size - done;
        memcpy(bytes + done, from, n);
        *(is_before ? &mender->at : &mender->made_at) += n;
        done += n;
    }
    return done;
}
