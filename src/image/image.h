/* SPDX-License-Identifier: Apache-2.0
 * image/image.h - read and write image files row by row (stages 4 decode and 8 encode of 9).
 * In: bytes of a file.  Out: rows of 8- or 16-bit samples, top to bottom, with the EXIF orientation applied, and the
 * metadata: how colours are meant, EXIF, XMP, resolution.
 * The codecs (png_read.c, png_write.c, jpeg.c) are behind this interface.
 * Limits are checked before anything is allocated. */
#pragma once

#include "format/compression.h"
#include "format/note.h"
#include "probe/probe.h"
#include <swin2sr/threads.h>

/* What a reader accepts; zeroes stand for the defaults. */
typedef struct image_limits {
    uint64_t pixels; /* width * height, at most */
    int32_t side_px; /* each side, at most */
    bool is_strict;  /* refuse a damaged file even if all of its rows can be read */
    bool to_srgb;    /* deliver sRGB, whatever the colours of the file; otherwise their meaning is in the metadata */
} image_limits;

#define IMAGE_MAX_SIDE_PX 65535
#define IMAGE_DEFAULT_PIXELS 50000000u

/* ---- metadata ---- */

#define IMAGE_ICC_MAX_BYTES ((size_t)4 << 20) /* profiles for printing have 0.5 to 3 MB */
#define IMAGE_EXIF_MAX_BYTES ((size_t)1 << 20)
#define IMAGE_XMP_MAX_BYTES ((size_t)1 << 20)

typedef struct image_block {
    const uint8_t *data; /* NULL: there is none */
    size_t size;
} image_block;

/* What a file says about its pixels. All zero: nothing, which means sRGB.
 * A decoder fills in what it finds, within the limits above, and leaves out and notes what is larger. Blocks belong to
 * the decoder and live until the reader is closed. An encoder borrows them until the writer is closed, writes what its
 * format can hold, and notes the rest. */
typedef struct image_metadata {
    image_block icc;                 /* ICC profile, uncompressed. Not checked: a decoder passes on any bytes */
    image_block exif;                /* TIFF data, "II*\0" or "MM\0*" first, without a name before it. Not checked */
    image_block xmp;                 /* an XMP packet. Not checked */
    double x_per_metre, y_per_metre; /* resolution in pixels; 0: unknown. From the container, not from EXIF */
    /* Colour as PNG has it; of several, cicp outranks icc, and icc outranks gamma and chromaticities (PNG, 3rd edition,
     * 4.3). Decoders leave gamma and chromaticities out if the file also says that it is sRGB. */
    uint8_t cicp[4];            /* primaries, transfer, matrix, full range (ITU-T H.273); primaries 0: unknown */
    uint32_t gamma;             /* of encoding, times 100000; 0: unknown */
    uint32_t chromaticities[8]; /* x and y of white, red, green, blue, times 100000; white x 0: unknown */
    const char *software;       /* provenance, printable ASCII: written, never read; NULL: none */
} image_metadata;

/* ---- reader ---- */

typedef struct image_reader image_reader;

/* What a reader delivers, orientation applied. */
typedef struct image_info {
    format_id format;
    int32_t width_px;
    int32_t height_px;
    int32_t channels;     /* of the rows: 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA */
    int32_t sample_bytes; /* 1: uint8_t; 2: uint16_t in the machine's order, aligned to 2 */
    uint32_t notes;       /* bits of format/note.h: what the rows and the metadata do not keep of the file */
    size_t memory_bytes;  /* that the reader holds, apart from a few rows */
    const char *damage;   /* constant text: what is wrong with a file whose rows can all be read; NULL: nothing. May
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

/* Lives until the reader is closed. The orientation in EXIF and XMP is that of the file. */
const image_metadata *image_reader_metadata(const image_reader *reader);

/* Read the next n rows into rows, stride_bytes apart. If rows are missing the status is _CORRUPT: they are never filled
 * with grey. */
swin2sr_status image_reader_read(image_reader *reader, void *rows, size_t stride_bytes, int32_t n,
                                 swin2sr_error *reterr);
void image_reader_close(image_reader *reader);

/* ---- writer ---- */

typedef struct image_writer_options {
    format_id format;               /* must be one that can be written */
    int32_t quality;                /* 1..100, JPEG only; 0: 95 */
    int32_t sample_bytes;           /* of the rows, as in image_info; 2 only if the format has_16; 0: 1 */
    const image_metadata *metadata; /* of the output, borrowed until close; NULL: none, which means sRGB */
    format_compression compression; /* PNG and WebP */
    swin2sr_threads *threads;       /* share the work of encoding; idle while the writer is called. NULL: the caller
                                       alone. The bytes of the file do not depend on it */
} image_writer_options;

/* Takes the bytes of the output file in order. returns false if it cannot: the writer then fails with _IO. */
typedef bool (*image_sink)(void *context, const void *bytes, size_t size);

typedef struct image_writer image_writer;

/* Open a writer for height_px rows of width_px pixels. channels: 1..4 for PNG, 1 or 3 for JPEG. */
swin2sr_status image_writer_open(const image_writer_options *options, int32_t width_px, int32_t height_px,
                                 int32_t channels, image_sink sink, void *context, image_writer **ret_writer,
                                 swin2sr_error *reterr);
swin2sr_status image_writer_write(image_writer *writer, const void *rows, size_t stride_bytes, int32_t n,
                                  swin2sr_error *reterr);
/* Write the end of the file. All rows must have been written. */
swin2sr_status image_writer_finish(image_writer *writer, swin2sr_error *reterr);
/* Which metadata the file does not hold, as bits of format/note.h. Complete after image_writer_finish. */
uint32_t image_writer_notes(const image_writer *writer);
void image_writer_close(image_writer *writer);
