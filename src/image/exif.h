/* SPDX-License-Identifier: Apache-2.0
 * image/exif.h - EXIF data and XMP packets of an image that was turned upright and enlarged (stage 8 of 9, encode).
 * Pure: bytes in, bytes out. The input may be hostile. */
#pragma once

#include "image/image.h"

typedef struct exif_change {
    int32_t width_px, height_px; /* of the output */
    double times;                /* output pixels per input pixel, along a side */
    const char *software;        /* printable ASCII, which replaces the tag Software; NULL: left as it is */
} exif_change;

/* Copy EXIF data with orientation 1, the new size and resolution, and without its thumbnail. Everything else stays where
 * it is, so that offsets in maker notes hold.
 * exif       data NULL: new data with nothing but the software, which must not be NULL then.
 * ret_bytes  The caller's (free), ret_size bytes. Untouched on failure.
 * errors     _CORRUPT (not EXIF data, or its first directory is damaged), _NOMEM. */
swin2sr_status exif_edit(const image_block *exif, const exif_change *change, uint8_t **ret_bytes, size_t *ret_size);

/* The same for an XMP packet: orientation, sizes, resolution and thumbnails, under their usual prefixes.
 * errors  _CORRUPT (not UTF-8 text, or a thumbnail without an end), _NOMEM. */
swin2sr_status xmp_edit(const image_block *xmp, const exif_change *change, uint8_t **ret_bytes, size_t *ret_size);
