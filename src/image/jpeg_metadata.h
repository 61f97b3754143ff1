/* SPDX-License-Identifier: Apache-2.0
 * image/jpeg_metadata.h - the segments of a JPEG file that are not pixels: ICC, EXIF, XMP, resolution (stages 4 and 8).
 * Independent of libjpeg. */
#pragma once

#include "image/codec.h"

/* Find the metadata in the segments before the first scan.
 * decoder  Its metadata, notes and held memory are filled in.
 * errors   _NOMEM. */
swin2sr_status jpeg_metadata_read(const uint8_t *data, size_t size, image_decoder *decoder);

/* Takes one segment: its marker, and its body as two pieces. */
typedef void (*jpeg_segment_sink)(void *context, int marker, const char *head, size_t head_bytes, const uint8_t *body,
                                  size_t size);

/* Give all segments that follow the JFIF segment. The sink may leave by longjmp.
 * returns  What does not fit, as bits of format/note.h. */
uint32_t jpeg_metadata_write(const image_metadata *metadata, jpeg_segment_sink sink, void *context);

/* A resolution in dots per inch as JFIF stores it; 0: it cannot. */
uint16_t jpeg_metadata_dpi(double per_metre);
