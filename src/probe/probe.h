/* SPDX-License-Identifier: Apache-2.0
 * probe/probe.h - what an image file is, from its first bytes (stage 2 of 9, admit; also decode).
 * In: the first bytes of a file.  Out: format, width, height, channels, depth, orientation, progressive or interlaced.
 * Reads no pixels, allocates nothing, never reads beyond size; fuzzed. */
#ifndef SWIN2SR_PROBE_PROBE_H
#define SWIN2SR_PROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/format.h"
#include <swin2sr/status.h>

typedef struct probe_info {
    format_id format;
    int32_t width_px; /* as stored, before orientation; 1.. */
    int32_t height_px;
    int32_t channels;    /* 1 grey, 2 grey+alpha, 3 colour (palette counts as 3), 4 colour+alpha or CMYK */
    int32_t depth_bits;  /* per sample as stored: 1, 2, 4, 8, 16 (JPEG 8 or 12) */
    int32_t orientation; /* EXIF 1..8; 1 when absent */
    int32_t frames;      /* 1; more for APNG (from acTL) */
    bool has_alpha;      /* alpha channel or tRNS seen so far */
    bool is_progressive; /* progressive JPEG or interlaced PNG */
} probe_info;

/* Look at the first bytes of a file.
 * data, size  The beginning of the file. Borrowed.
 * is_whole    true: size is the whole file, so a header that runs past it is cut short.
 * ret_info    Filled on SWIN2SR_OK.
 * ret_need    With SWIN2SR_BUSY: give at least this many bytes and ask again (never over PROBE_MAX_BYTES).
 * threads     Any.
 * errors      _UNSUPPORTED (not a format we know), _CORRUPT (broken or cut header), _BUSY (more bytes needed),
 *             _TOO_LARGE (header over PROBE_MAX_BYTES). */
swin2sr_status probe_bytes(const void *data, size_t size, bool is_whole, probe_info *ret_info, size_t *ret_need);

#define PROBE_MAX_BYTES ((size_t)1 << 20)

#endif
