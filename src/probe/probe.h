/* SPDX-License-Identifier: Apache-2.0
 * probe/probe.h - what an image file is, from its header (stage 2 of 9, admit; also decode).
 * In: a file, in memory or behind a read function.  Out: format, width, height, channels, depth, orientation, and how
 * much memory its decoder will hold. Reads no pixels, allocates nothing; fuzzed.
 * Metadata before the pixels is skipped unread, so it may have any size; PROBE_MAX_BYTES limits what is looked at. */
#ifndef SWIN2SR_PROBE_PROBE_H
#define SWIN2SR_PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/format.h"
#include <swin2sr/status.h>

#define PROBE_MAX_BYTES ((size_t)1 << 20)

typedef struct probe_info {
    format_id format;
    int32_t width_px; /* as stored, before orientation; 1.. */
    int32_t height_px;
    int32_t channels;    /* 1 grey, 2 grey+alpha, 3 colour (palette counts as 3), 4 colour+alpha or CMYK */
    int32_t depth_bits;  /* per sample as stored: 1, 2, 4, 8, 16 (JPEG 8 or 12) */
    int32_t orientation; /* EXIF 1..8; 1 when absent */
    int32_t frames;      /* 1; more for APNG (from acTL) */
    bool has_alpha;      /* alpha channel or tRNS before the pixels */
    bool is_progressive; /* progressive JPEG or interlaced PNG */
    uint64_t
        coefficient_bytes; /* of a JPEG in several scans, progressive or not, whose decoder holds them all; else 0 */
} probe_info;

/* A file that is read piece by piece. */
typedef struct probe_source {
    /* Fill bytes with size bytes from offset at; both lie within the file. returns false: they could not be read. */
    bool (*read)(void *context, uint64_t at, void *bytes, size_t size);
    void *context;
    uint64_t size; /* of the whole file */
} probe_source;

/* Look at the header of a file.
 * ret_info  Filled on SWIN2SR_OK.
 * threads   Any.
 * errors    _UNSUPPORTED (not a format or kind we read), _CORRUPT (broken or cut header), _TOO_LARGE (more than
 *           PROBE_MAX_BYTES to look at), _IO (the source failed). The detail is fit for the client. */
swin2sr_status probe_file(const probe_source *source, probe_info *ret_info, swin2sr_error *reterr);

/* probe_file of a file held in memory. data may be NULL when size is 0. */
swin2sr_status probe_bytes(const void *data, size_t size, probe_info *ret_info, swin2sr_error *reterr);

/* Whether the reader holds all pixels at once: interlaced PNG, and pictures that are turned or flipped upright. */
bool probe_is_held_whole(const probe_info *info);

/* Bytes that the reader holds of the image beside a strip: the pixels of a picture held whole, and the coefficients of
 * a JPEG in several scans. The sides are within the limits, at most 65535. */
uint64_t probe_held_bytes(const probe_info *info);

#endif
