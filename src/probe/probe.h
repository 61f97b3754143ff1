/* SPDX-License-Identifier: Apache-2.0
 * probe/probe.h - what an image file contains, from its header (stage 2 of 9, admit; also decode).
 * In: a file, in memory or behind a read function.  Out: format, width, height, channels, depth, orientation, and how
 * much memory its decoder will hold. Reads no pixels and allocates nothing.
 * Metadata before the pixels is skipped, so it may have any size; PROBE_MAX_BYTES limits how much is examined. */
#pragma once

#include <stddef.h>

#include "format/format.h"
#include <swin2sr/status.h>

#define PROBE_MAX_BYTES ((size_t)1 << 20)
#define PROBE_FRAME_MARGIN_PX 22 /* around what changes, which src/enlarge/animation.c sends through the network, too */

typedef struct probe_info {
    format_id format;
    int32_t width_px; /* as stored, before orientation; 1.. */
    int32_t height_px;
    int32_t channels;      /* 1 grey, 2 grey+alpha, 3 colour (palette counts as 3), 4 colour+alpha or CMYK */
    int32_t depth_bits;    /* per sample as stored: 1, 2, 4, 8, 16 */
    int32_t orientation;   /* EXIF 1..8; 1 when absent */
    uint64_t frame_pixels; /* of an animation: of all frames, those that may change, with what surrounds them */
    int32_t frames;        /* 1; more for an animation. Of a file that is cut short, those that are there */
    bool has_alpha;        /* some pixels may be transparent */
    bool is_lossy;         /* JPEG, WebP that is not lossless, TIFF with JPEG in it */
    bool is_subsampled;    /* of a JPEG: colour has fewer samples than light */
    int32_t quality;       /* of a JPEG, 1..100 as of libjpeg, by its first component's table; 0: unknown */
    bool is_progressive;   /* progressive JPEG, or interlaced PNG or GIF */
    bool is_cut_short;     /* the end is missing, after what the first frame needs; PNG and JPEG: not looked at */
    uint64_t codec_bytes;  /* that the decoder holds beside rows: coefficients of a JPEG in several scans, tiles, ... */
} probe_info;

/* A file that need not be in memory. */
typedef struct probe_source {
    /* Read size bytes at offset at, all within the file. returns false if they cannot be read. */
    bool (*read)(void *context, uint64_t at, void *bytes, size_t size);
    void *context;
    uint64_t size; /* of the whole file */
} probe_source;

/* Examine the header of a file.
 * ret_info  Filled on SWIN2SR_OK.
 * threads   Any.
 * errors    _UNSUPPORTED (a format or kind that is not read), _CORRUPT (the header is damaged or cut short), _TOO_LARGE
 *           (more than PROBE_MAX_BYTES to examine), _IO (the source failed). The detail may be shown to clients. */
swin2sr_status probe_file(const probe_source *source, probe_info *ret_info, swin2sr_error *reterr);

/* As probe_file, for a file in memory. data may be NULL if size is 0. */
swin2sr_status probe_bytes(const void *data, size_t size, probe_info *ret_info, swin2sr_error *reterr);

/* Whether the reader holds all pixels at once: an interlaced PNG, or a picture whose orientation needs it. */
bool probe_is_held_whole(const probe_info *info);

/* Memory that the reader holds apart from a few rows: all pixels of a picture held whole, and codec_bytes. The caller has checked that each side is at most 65535. */
uint64_t probe_held_bytes(const probe_info *info);
