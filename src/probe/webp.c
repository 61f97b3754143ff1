/* SPDX-License-Identifier: Apache-2.0
 * probe/webp.c - the header of a WebP file: its RIFF chunks (stage 2 of 9).
 * Reads the bodies of VP8X and EXIF and the first bytes of pixel data; other chunks are skipped. A chunk of pixels must
 * lie within the file. Frames of an animation after the first, and metadata, may be missing. */
#include <string.h>

#include "probe/window.h"

#define CHUNK_HEAD_BYTES 8
#define FIRST_CHUNK_AT 12
#define FRAME_HEAD_BYTES 16 /* of the body of ANMF */
#define FLAG_ANIMATION 0x02
#define FLAG_ALPHA 0x10
#define FLAG_DISPOSE 0x01      /* of a frame */
#define LOSSLESS_PIXEL_BYTES 4 /* the decoder holds all pixels of a frame once more */
#define CANVAS_PIXEL_BYTES 4
#define MAX_FRAMES 0x7fffffff

typedef struct webp_file {
    probe_window *window;
    probe_info *info;
    uint64_t end; /* of the chunks */
    bool is_extended, is_animated, has_pixels;
} webp_file;

typedef struct webp_chunk {
    char type[4];
    uint64_t at, length; /* of the body */
} webp_chunk;

static bool is_type(const webp_chunk *chunk, const char *type) {
    return memcmp(chunk->type, type, sizeof(chunk->type)) == 0;
}

static swin2sr_status look_at_chunk(probe_window *window, uint64_t at, webp_chunk *ret_chunk) {
    const uint8_t *head;
    swin2sr_status status = probe_look(window, at, CHUNK_HEAD_BYTES, &head);
    if (status != SWIN2SR_OK)
        return status;
    memcpy(ret_chunk->type, head, sizeof(ret_chunk->type));
    ret_chunk->at = at + CHUNK_HEAD_BYTES;
    ret_chunk->length = probe_le32(head + 4);
    return SWIN2SR_OK;
}

static void set_alpha(probe_info *info) {
    info->has_alpha = true;
    info->channels = 4;
}

/* The size of the canvas. Of a still picture it must be that of the pixels. */
static swin2sr_status read_extended(webp_file *file, const webp_chunk *chunk) {
    const uint8_t *body;
    if (chunk->length < 10)
        return SWIN2SR_CORRUPT;
    swin2sr_status status = probe_look(file->window, chunk->at, 10, &body);
    if (status != SWIN2SR_OK)
        return status;
    file->is_extended = true;
    file->is_animated = body[0] & FLAG_ANIMATION;
    if (body[0] & FLAG_ALPHA)
        set_alpha(file->info);
    file->info->width_px = (int32_t)probe_le24(body + 4) + 1;
    file->info->height_px = (int32_t)probe_le24(body + 7) + 1;
    return SWIN2SR_OK;
}

/* The size that is given in pixel data, either lossy (RFC 9649, 2.5; RFC 6386, 9.1) or lossless (RFC 9649, 3.4). */
static swin2sr_status read_pixels(webp_file *file, const webp_chunk *chunk) {
    probe_info *info = file->info;
    bool is_lossless = is_type(chunk, "VP8L");
    uint64_t needed = is_lossless ? 5 : 10;
    const uint8_t *body;
    if (chunk->length < needed || chunk->length > file->window->source->size - chunk->at)
        return SWIN2SR_CORRUPT;
    swin2sr_status status = probe_look(file->window, chunk->at, needed, &body);
    if (status != SWIN2SR_OK)
        return status;
    uint32_t bits = is_lossless ? probe_le32(body + 1) : 0;
    uint32_t width = is_lossless ? (bits & 0x3fff) + 1 : probe_le16(body + 6) & 0x3fff;
    uint32_t height = is_lossless ? (bits >> 14 & 0x3fff) + 1 : probe_le16(body + 8) & 0x3fff;
    bool has_start = is_lossless ? body[0] == 0x2f && bits >> 29 == 0 : memcmp(body + 3, "\x9d\x01\x2a", 3) == 0;
    if (!has_start || width == 0 || height == 0)
        return SWIN2SR_CORRUPT;
    if (is_lossless && bits >> 28 & 1)
        set_alpha(info);
    if (!file->is_extended) {
        info->width_px = (int32_t)width;
        info->height_px = (int32_t)height;
    }
    uint64_t pixels = (uint64_t)info->width_px * (uint64_t)info->height_px;
    info->codec_bytes = pixels * (file->is_animated ? 2 * CANVAS_PIXEL_BYTES : (uint64_t)info->channels) +
                        (uint64_t)width * height *
                            (is_lossless       ? LOSSLESS_PIXEL_BYTES
                             : info->has_alpha ? 1
                                               : 0);
    info->is_lossy = !is_lossless;
    file->has_pixels = true;
    return SWIN2SR_OK;
}

/* The first frame of an animation: its pixels follow, perhaps after their alpha. */
static swin2sr_status read_frame(webp_file *file, const webp_chunk *frame) {
    uint64_t at = frame->at + FRAME_HEAD_BYTES, end = frame->at + frame->length;
    swin2sr_status status = SWIN2SR_OK;
    set_alpha(file->info); /* the canvas may show where the frame does not cover it */
    while (status == SWIN2SR_OK && !file->has_pixels) {
        webp_chunk chunk;
        if (at >= end)
            return SWIN2SR_CORRUPT;
        status = look_at_chunk(file->window, at, &chunk);
        if (status == SWIN2SR_OK && (is_type(&chunk, "VP8 ") || is_type(&chunk, "VP8L")))
            status = read_pixels(file, &chunk);
        at = status == SWIN2SR_OK ? chunk.at + chunk.length + (chunk.length & 1) : at;
    }
    return status;
}

static swin2sr_status read_chunk(webp_file *file, const webp_chunk *chunk) {
    probe_info *info = file->info;
    if (is_type(chunk, "VP8X"))
        return file->is_extended || file->has_pixels ? SWIN2SR_CORRUPT : read_extended(file, chunk);
    if (!file->is_animated && !file->has_pixels && (is_type(chunk, "VP8 ") || is_type(chunk, "VP8L")))
        return read_pixels(file, chunk);
    if (file->is_animated && is_type(chunk, "ANMF") && info->frames < MAX_FRAMES) {
        const uint8_t *head;
        swin2sr_status status = chunk->length < FRAME_HEAD_BYTES
                                    ? SWIN2SR_CORRUPT
                                    : probe_look(file->window, chunk->at, FRAME_HEAD_BYTES, &head);
        if (status != SWIN2SR_OK)
            return status;
        uint64_t width = probe_le24(head + 6) + 1, height = probe_le24(head + 9) + 1;
        int times = head[15] & FLAG_DISPOSE ? 2 : 1; /* what it covered may change once more */
        for (int i = 0; i < times; i++)
            probe_add_frame(info, 2 * (uint64_t)probe_le24(head), 2 * (uint64_t)probe_le24(head + 3), width, height);
        info->frames++;
        return file->has_pixels ? SWIN2SR_OK : read_frame(file, chunk);
    }
    if (is_type(chunk, "EXIF") && info->orientation == 0) {
        const uint8_t *start;
        bool has_head = chunk->length > 6 && probe_look(file->window, chunk->at, 6, &start) == SWIN2SR_OK &&
                        memcmp(start, "Exif\0\0", 6) == 0;
        uint64_t skipped = has_head ? 6 : 0;
        info->orientation = probe_exif_orientation(file->window, chunk->at + skipped, chunk->length - skipped);
    }
    return SWIN2SR_OK;
}

swin2sr_status probe_webp(probe_window *window, probe_info *info) {
    const uint8_t *head;
    webp_file file = {.window = window, .info = info};
    swin2sr_status status = probe_look(window, 0, FIRST_CHUNK_AT, &head);
    if (status != SWIN2SR_OK || memcmp(head + 8, "WEBP", 4) != 0)
        return status == SWIN2SR_OK ? SWIN2SR_UNSUPPORTED : status;
    file.end = (uint64_t)probe_le32(head + 4) + CHUNK_HEAD_BYTES;
    info->is_cut_short = file.end > window->source->size;
    info->channels = 3;
    info->depth_bits = 8;
    info->frames = 0;
    for (uint64_t at = FIRST_CHUNK_AT; status == SWIN2SR_OK && at < file.end;) {
        webp_chunk chunk = {.length = 0};
        status = look_at_chunk(window, at, &chunk);
        bool is_inside = status == SWIN2SR_OK && chunk.length <= window->source->size - chunk.at;
        if (file.has_pixels && !is_inside) { /* what is missing is not needed */
            info->is_cut_short = true;
            status = status == SWIN2SR_IO ? status : SWIN2SR_OK;
            break;
        }
        if (status == SWIN2SR_OK)
            status = is_inside ? read_chunk(&file, &chunk) : SWIN2SR_CORRUPT;
        at = chunk.at + chunk.length + (chunk.length & 1);
        if (!file.is_extended && file.has_pixels)
            break;
    }
    info->frames = info->frames > 0 ? info->frames : 1;
    return status == SWIN2SR_OK && !file.has_pixels ? SWIN2SR_CORRUPT : status;
}
