/* SPDX-License-Identifier: Apache-2.0
 * image/image.h - image files to rows and back (stages 4 decode and 8 encode of 9).
 * In: bytes of a file.  Out: 8-bit rows, top to bottom, already turned upright (EXIF orientation applied).
 * One file per library (png.c, jpeg.c) behind this interface. Bounded before anything is allocated. */
#ifndef SWIN2SR_IMAGE_IMAGE_H
#define SWIN2SR_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/probe.h"
#include <swin2sr/status.h>

/* What a reader accepts. */
typedef struct image_limits {
    uint64_t pixels; /* width * height at most */
    int32_t side_px; /* each side at most */
    bool is_strict;  /* refuse a damaged file even where all of its rows come out */
} image_limits;

#define IMAGE_MAX_SIDE_PX 65535
#define IMAGE_DEFAULT_PIXELS 50000000u

typedef struct image_reader image_reader;

/* What a reader will deliver, after orientation. */
typedef struct image_info {
    format_id format;
    int32_t width_px;
    int32_t height_px;
    int32_t channels;    /* of the rows: 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA; 8 bits each */
    bool is_reduced_16;  /* samples were 16 bits in the file and are read down to 8 */
    size_t memory_bytes; /* what the reader holds beside one row */
    const char *damage;  /* what is wrong with the file although its rows come out, a constant text, final with the
                            last row; NULL: nothing */
} image_info;

/* Open an image held in memory (the caller may have mapped a file).
 * data, size  The whole file. Borrowed until close.
 *             Where its end is missing, its rows are looked for here, so that a file that lacks rows is refused before
 *             the caller works on it.
 * limits      Checked against the header before anything is allocated. NULL: the defaults.
 * ret_reader  The caller's (image_reader_close). Untouched on failure.
 * errors      _UNSUPPORTED, _CORRUPT, _TOO_LARGE, _NOMEM; the detail is fit for the client. */
swin2sr_status image_reader_open(const void *data, size_t size, const image_limits *limits, image_reader **ret_reader,
                                 swin2sr_error *reterr);
const image_info *image_reader_info(const image_reader *reader);

/* Read the next n rows into rows, stride_bytes apart. A file that lacks rows is _CORRUPT, never grey rows. */
swin2sr_status image_reader_read(image_reader *reader, void *rows, size_t stride_bytes, int32_t n,
                                 swin2sr_error *reterr);
void image_reader_close(image_reader *reader);

typedef struct image_writer_options {
    format_id format; /* one that can be written */
    int32_t quality;  /* 1..100, JPEG only; 0: 95 */
} image_writer_options;

/* Where the bytes go; returns false when they could not be taken (then _IO). */
typedef bool (*image_sink)(void *context, const void *bytes, size_t size);

typedef struct image_writer image_writer;

/* Open a writer for width x height rows of channels (1, 2, 3 or 4; JPEG: 1 or 3) 8-bit samples. */
swin2sr_status image_writer_open(const image_writer_options *options, int32_t width_px, int32_t height_px,
                                 int32_t channels, image_sink sink, void *context, image_writer **ret_writer,
                                 swin2sr_error *reterr);
swin2sr_status image_writer_write(image_writer *writer, const void *rows, size_t stride_bytes, int32_t n,
                                  swin2sr_error *reterr);
/* Write the end of the file; only after exactly height rows. */
swin2sr_status image_writer_finish(image_writer *writer, swin2sr_error *reterr);
void image_writer_close(image_writer *writer);

#endif
