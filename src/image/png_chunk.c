/* SPDX-License-Identifier: Apache-2.0
 * image/png_chunk.c - chunks of PNG files (stages 4 decode and 8 encode of 9). */
#include "image/png_chunk.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

size_t png_chunk_close(uint8_t *chunk, const char *type, size_t body_bytes) {
    png_put_u32(chunk, (uint32_t)body_bytes);
    memcpy(chunk + 4, type, 4);
    png_put_u32(chunk + PNG_CHUNK_HEAD_BYTES + body_bytes, (uint32_t)crc32_z(0, chunk + 4, 4 + body_bytes));
    return PNG_CHUNK_HEAD_BYTES + body_bytes + PNG_CHUNK_TAIL_BYTES;
}

static bool reserve(png_buffer *self, size_t more) {
    if (self->room - self->size >= more)
        return true;
    size_t room = self->room + (more > self->room ? more : self->room);
    uint8_t *bytes = realloc(self->bytes, room);
    if (!bytes)
        return false;
    self->bytes = bytes;
    self->room = room;
    return true;
}

bool png_buffer_append(png_buffer *self, const void *bytes, size_t size) {
    if (!reserve(self, size))
        return false;
    memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
    return true;
}

bool png_buffer_append_chunk(png_buffer *self, const char *type, const uint8_t *body, size_t size) {
    if (!reserve(self, PNG_CHUNK_HEAD_BYTES + size + PNG_CHUNK_TAIL_BYTES))
        return false;
    uint8_t *chunk = self->bytes + self->size;
    memcpy(chunk + PNG_CHUNK_HEAD_BYTES, body, size);
    self->size += png_chunk_close(chunk, type, size);
    return true;
}
