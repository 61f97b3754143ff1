/* SPDX-License-Identifier: Apache-2.0
 * probe/window.h - bytes at any place of a file through a small buffer (stage 2 of 9).
 * The parsers of the formats use it, so they run over files in memory and on disk, and bounds are checked here. */
#ifndef SWIN2SR_PROBE_WINDOW_H
#define SWIN2SR_PROBE_WINDOW_H

#include "probe/probe.h"

#define PROBE_WINDOW_BYTES 4096

typedef struct probe_window {
    const probe_source *source;
    const char *detail; /* what is wrong with the file; NULL: the status says enough */
    uint64_t start;     /* where bytes lie in the file */
    size_t length;
    size_t looked_bytes; /* so far */
    uint8_t bytes[PROBE_WINDOW_BYTES];
} probe_window;

/* size bytes from at, size <= PROBE_WINDOW_BYTES.
 * ret_bytes  Valid until the next call.
 * errors     _CORRUPT (the file ends before), _TOO_LARGE (over PROBE_MAX_BYTES in all), _IO. */
swin2sr_status probe_look(probe_window *window, uint64_t at, size_t size, const uint8_t **ret_bytes);

/* Set the detail and return _UNSUPPORTED. */
swin2sr_status probe_refuse(probe_window *window, const char *detail);

/* Big-endian numbers, as PNG and JPEG have them. */
uint32_t probe_u16(const uint8_t *at);
uint32_t probe_u32(const uint8_t *at);

/* The rest of a file that begins with the signature of its format. Format and frames of info are set. */
swin2sr_status probe_png(probe_window *window, probe_info *info);
swin2sr_status probe_jpeg(probe_window *window, probe_info *info);

#endif
