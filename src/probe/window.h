/* SPDX-License-Identifier: Apache-2.0
 * probe/window.h - read a few bytes at any offset of a file through a small buffer (stage 2 of 9).
 * All parsers read through it, so that one place checks bounds, for files in memory and on disk. */
#pragma once

#include "probe/probe.h"

#define PROBE_WINDOW_BYTES 4096

typedef struct probe_window {
    const probe_source *source;
    const char *detail; /* what is wrong with the file; NULL: the default text of the status */
    uint64_t start;     /* offset of bytes in the file */
    size_t length;
    size_t looked_bytes; /* the sum of all calls */
    uint8_t bytes[PROBE_WINDOW_BYTES];
} probe_window;

/* Get size bytes at offset at; size is at most PROBE_WINDOW_BYTES.
 * ret_bytes  Valid until the next call.
 * errors     _CORRUPT (beyond the end of the file), _TOO_LARGE (over PROBE_MAX_BYTES in all calls), _IO. */
swin2sr_status probe_look(probe_window *window, uint64_t at, size_t size, const uint8_t **ret_bytes);

/* Set the detail and return SWIN2SR_UNSUPPORTED. */
swin2sr_status probe_refuse(probe_window *window, const char *detail);

/* Big-endian numbers. */
uint32_t probe_u16(const uint8_t *at);
uint32_t probe_u32(const uint8_t *at);

/* Little-endian numbers. */
uint32_t probe_le16(const uint8_t *at);
uint32_t probe_le24(const uint8_t *at);
uint32_t probe_le32(const uint8_t *at);

/* Parse a file whose signature was recognised. format and frames of info are set already. */
swin2sr_status probe_png(probe_window *window, probe_info *info);
swin2sr_status probe_jpeg(probe_window *window, probe_info *info);
swin2sr_status probe_webp(probe_window *window, probe_info *info);
swin2sr_status probe_gif(probe_window *window, probe_info *info);
swin2sr_status probe_tiff(probe_window *window, probe_info *info);

/* Add a frame of an animation to frame_pixels: its rectangle, with the margin, as far as the canvas reaches. */
void probe_add_frame(probe_info *info, uint64_t x, uint64_t y, uint64_t width, uint64_t height);

/* The orientation from EXIF data.
 * at, size  Where its TIFF block lies in the file ("II*\0" or "MM\0*" first).
 * returns   1..8; 1 if the block is damaged or has no orientation. */
int32_t probe_exif_orientation(probe_window *window, uint64_t at, uint64_t size);
