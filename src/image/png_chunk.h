/* SPDX-License-Identifier: Apache-2.0
 * image/png_chunk.h - chunks of PNG files (stages 4 decode and 8 encode of 9; PNG, 3rd edition, 5.3).
 * In: the body of a chunk.  Out: the chunk; files that are put together in memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PNG_SIGNATURE_BYTES 8
#define PNG_CHUNK_HEAD_BYTES 8 /* size and type, before the body */
#define PNG_CHUNK_TAIL_BYTES 4 /* checksum, after it */

static inline uint32_t png_get_u32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void png_put_u32(uint8_t *bytes, uint32_t value) {
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Fill in the head and the tail around the body of a chunk. returns the size of the chunk. */
size_t png_chunk_close(uint8_t *chunk, const char *type, size_t body_bytes);

/* A file in memory. {0} before; the owner frees bytes. */
typedef struct png_buffer {
    uint8_t *bytes;
    size_t size, room;
} png_buffer;

/* false: no memory; the buffer is as before. */
bool png_buffer_append(png_buffer *self, const void *bytes, size_t size);
bool png_buffer_append_chunk(png_buffer *self, const char *type, const uint8_t *body, size_t size);
