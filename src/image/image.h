/* SPDX-License-Identifier: Apache-2.0
 * image/image.h - read and write image files row by row (stages 4 decode and 8 encode of 9).
 * In: bytes of a file.  Out: 8-bit rows, top to bottom, with the EXIF orientation applied.
 * The codecs (png_read.c, png_write.c, jpeg.c) are behind this interface.
 * Limits are checked before anything is allocated. */
#pragma once

#include "probe/probe.h"

/* What a reader accepts; zeroes stand for the defaults. */
typedef struct image_limits {
    uint64_t pixels; /* width * height, at most */
    int32_t side_px; /* each side, at most */
    bool is_strict;  /* refuse a damaged file even if all of its rows can be read */
} image_limits;

#define IMAGE_MAX_SIDE_PX 65535
#define IMAGE_DEFAULT_PIXELS 50000000u

typedef struct image_reader image_reader;

/* What a reader delivers, orientation applied. */
typedef struct image_info {
    format_id format;
    int32_t width_px;
    int32_t height_px;
    int32_t channels;    /* of the rows: 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA; 8 bits each */
    bool is_reduced_16;  /* the file has 16 bits per sample; they are reduced to 8 */
    size_t memory_bytes; /* that the reader holds, apart from a few rows */
    const char *damage;  /* constant text: what is wrong with a file whose rows can all be read; NULL: nothing. May
                            be set as late as the last row */
} image_info;

/* Open an image held in memory (the caller may have mapped a file).
 * data, size  The whole file. Borrowed until close.
 *             If its end is missing, all rows are read once here, so that a file that lacks rows is refused before
 *             the caller does any work on it.
 * limits      Checked against the header before anything is allocated. NULL: the defaults.
 * ret_reader  The caller's (image_reader_close). Untouched on failure.
 * errors      _UNSUPPORTED, _CORRUPT, _TOO_LARGE, _NOMEM; the detail may be shown to clients. */
swin2sr_status image_reader_open(const void *data, size_t size, const image_limits *limits, image_reader **ret_reader,
                                 swin2sr_error *reterr);
const image_info *image_reader_info(const image_reader *reader);

/* Read the next n rows into rows, stride_bytes apart. If rows are missing the status is _CORRUPT: they are never filled
 * with grey. */
swin2sr_status image_reader_read(image_reader *reader, void *rows, size_t stride_bytes, int32_t n,
                                 swin2sr_error *reterr);
void image_reader_close(image_reader *reader);

typedef struct image_writer_options {
    format_id format; /* must be one that can be written */
    int32_t quality;  /* 1..100, JPEG only; 0: 95 */
} image_writer_options;

/* Takes the bytes of the output file in order. returns false if it cannot: the writer then fails with _IO. */
typedef bool (*image_sink)(void *context, const void *bytes, size_t size);

typedef struct image_writer image_writer;

/* Open a writer for height_px rows of width_px pixels of 8-bit samples. channels: 1..4 for PNG, 1 or 3 for JPEG. */
swin2sr_status image_writer_open(const image_writer_options *options, int32_t width_px, int32_t height_px,
                                 int32_t channels, image_sink sink, void *context, image_writer **ret_writer,
                                 swin2sr_error *reterr);
swin2sr_status image_writer_write(image_writer *writer, const void *rows, size_t stride_bytes, int32_t n,
                                  swin2sr_error *reterr);
/* Write the end of the file. All rows must have been written. */
swin2sr_status image_writer_finish(image_writer *writer, swin2sr_error *reterr);
void image_writer_close(image_writer *writer);
