/* SPDX-License-Identifier: Apache-2.0
 * image/png_metadata.h - the chunks of a PNG file that are not pixels: colour, EXIF, XMP, resolution (stages 4 and 8).
 * Independent of libpng, which is told to skip them all. */
#pragma once

#include "image/codec.h"

/* Find the metadata in a file whose chunks up to the pixels are whole. Chunks with a wrong checksum are ignored.
 * decoder  Its metadata, notes and held memory are filled in.
 * errors   _NOMEM. */
swin2sr_status png_metadata_read(const uint8_t *data, size_t size, image_decoder *decoder);

/* Takes one chunk: its type, four letters, and its body. */
typedef void (*png_chunk_sink)(void *context, const char *type, const uint8_t *body, size_t size);

/* Bodies of chunks that have to be made before they are written. */
typedef struct png_packed {
    image_block iccp, xmp; /* data NULL: there is no such chunk */
} png_packed;

/* errors  _NOMEM. The caller calls png_packed_done, whatever the outcome. */
swin2sr_status png_metadata_pack(const image_metadata *metadata, png_packed *packed);
void png_packed_done(png_packed *packed);

/* Give all chunks that belong between IHDR and the pixels, in order. Owns nothing, so the sink may leave by longjmp. */
void png_metadata_write(const image_metadata *metadata, const png_packed *packed, png_chunk_sink sink, void *context);
