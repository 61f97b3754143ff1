/* SPDX-License-Identifier: Apache-2.0
 * image/frames.h - read and write the frames of animations (stages 4 decode and 8 encode of 9).
 * In: bytes of a GIF, an animated WebP or an APNG; of any other image, its one picture.  Out: canvases of RGBA, each as it
 * is shown, with its duration. And back: rectangles that change, written as one of these formats.
 * Frames are composed here (offsets, disposal, blending); who uses this sees whole canvases only. */
#pragma once

#include "image/image.h"

#define FRAMES_PIXEL_BYTES 4

/* ---- reader ---- */

typedef struct frames_reader frames_reader;

typedef struct frames_info {
    format_id format;
    int32_t width_px, height_px; /* of the canvas */
    int32_t frames;              /* 1.. */
    uint32_t plays;              /* how often all frames are shown; 0: without end */
    uint32_t notes;              /* bits of format/note.h: what is not kept of the file */
    const char *damage;          /* constant text: what is wrong although all frames can be read; NULL: nothing */
} frames_info;

typedef struct frames_frame {
    const uint8_t *canvas; /* [height][width] RGBA, alpha not multiplied into the colours; valid until the next call */
    uint32_t delay_num;    /* how long it is shown, as a fraction of seconds */
    uint32_t delay_den;    /* 1.. */
} frames_frame;

/* Open a file in memory.
 * data, size  Borrowed until close.
 * limits      As image_reader_open; the pixels are those of the canvas.
 * ret_reader  The caller's (frames_reader_close). Untouched on failure.
 * errors      _UNSUPPORTED, _CORRUPT, _TOO_LARGE, _NOMEM; the detail may be shown to clients. */
swin2sr_status frames_reader_open(const void *data, size_t size, const image_limits *limits, frames_reader **ret_reader,
                                  swin2sr_error *reterr);
const frames_info *frames_reader_info(const frames_reader *reader);

/* Compose the next frame. Call it at most info.frames times.  errors  _CORRUPT, _NOMEM. */
swin2sr_status frames_reader_next(frames_reader *reader, frames_frame *ret_frame, swin2sr_error *reterr);
void frames_reader_close(frames_reader *reader); /* NULL is allowed */

/* ---- writer ---- */

typedef struct frames_options {
    format_id format;               /* GIF, WebP or PNG */
    int32_t quality;                /* 1..100, WebP only; 0: 95; 100: without loss */
    format_compression compression; /* PNG and WebP */
    int32_t width_px, height_px;
    int32_t frames; /* how many will be written, 1.. */
    uint32_t plays; /* as in frames_info */
    bool has_alpha; /* some pixels are not opaque */
} frames_options;

/* A frame: what changes of the canvas, and how long the whole canvas is then shown. The first one covers the canvas.
 * Where nothing changes, the rectangle is empty. */
typedef struct frames_part {
    int32_t x, y, width_px, height_px;
    uint32_t delay_num, delay_den;
} frames_part;

typedef struct frames_writer frames_writer;

/* errors  _INVALID, _TOO_LARGE, _NOMEM. */
swin2sr_status frames_writer_open(const frames_options *options, image_sink sink, void *context,
                                  frames_writer **ret_writer, swin2sr_error *reterr);

/* Whether the writer chooses a palette, for which it must have counted the colours of all frames before the first. */
bool frames_writer_counts(const frames_writer *writer);
swin2sr_status frames_writer_count(frames_writer *writer, const uint8_t *pixels, size_t count, uint32_t weight,
                                   swin2sr_error *reterr);

/* Write the next frame.
 * canvas  [height][width] RGBA: the whole canvas as it is to be shown. Only the rectangle is read.
 * errors  _IO, _NOMEM, _TOO_LARGE. */
swin2sr_status frames_writer_add(frames_writer *writer, const frames_part *part, const uint8_t *canvas,
                                 swin2sr_error *reterr);
/* Write the end of the file. All frames must have been written. */
swin2sr_status frames_writer_finish(frames_writer *writer, swin2sr_error *reterr);
uint32_t frames_writer_notes(const frames_writer *writer); /* as image_writer_notes */
void frames_writer_close(frames_writer *writer);           /* NULL is allowed */
