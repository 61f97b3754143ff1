/* SPDX-License-Identifier: Apache-2.0
 * probe/png.c - the header of a PNG file: IHDR and the chunks before the first IDAT (stage 2 of 9).
 * Reads the bodies of IHDR, acTL and eXIf only; other chunks are skipped. */
#include <string.h>

#include "probe/window.h"

#define PNG_IHDR_AT 8
#define PNG_IHDR_BYTES 25 /* length, type, 13 bytes and CRC */
#define PNG_MAX_U31 0x7fffffffu

/* The channels of a colour type; 0 if it does not allow the depth (PNG specification, table 11.1). */
static int32_t channels_of(uint8_t colour_type, uint8_t depth_bits) {
    static const struct {
        uint8_t channels, depths; /* the sum of the depths that are allowed */
    } types[] = {[0] = {1, 1 + 2 + 4 + 8 + 16},
                 [2] = {3, 8 + 16},
                 [3] = {3, 1 + 2 + 4 + 8},
                 [4] = {2, 8 + 16},
                 [6] = {4, 8 + 16}};
    bool is_type = colour_type < sizeof(types) / sizeof(types[0]), is_depth = __builtin_popcount(depth_bits) == 1;
    return is_type && is_depth && types[colour_type].depths & depth_bits ? types[colour_type].channels : 0;
}

static swin2sr_status read_header(probe_window *window, probe_info *info) {
    const uint8_t *chunk;
    swin2sr_status status = probe_look(window, PNG_IHDR_AT, 8, &chunk);
    if (status == SWIN2SR_OK && memcmp(chunk + 4, "CgBI", 4) == 0)
        return probe_refuse(window,
                            "this PNG is of Apple's variant CgBI, which cannot be read; convert it to a standard PNG");
    if (status == SWIN2SR_OK)
        status = probe_look(window, PNG_IHDR_AT, PNG_IHDR_BYTES, &chunk);
    if (status != SWIN2SR_OK)
        return status;
    const uint8_t *body = chunk + 8;
    uint32_t width = probe_u32(body), height = probe_u32(body + 4);
    int32_t channels = channels_of(body[9], body[8]);
    if (memcmp(chunk, "\0\0\0\15IHDR", 8) != 0 || width == 0 || height == 0 || width > PNG_MAX_U31 ||
        height > PNG_MAX_U31 || channels == 0 || body[10] != 0 || body[11] != 0 || body[12] > 1)
        return SWIN2SR_CORRUPT;
    info->width_px = (int32_t)width;
    info->height_px = (int32_t)height;
    info->depth_bits = body[8];
    info->channels = channels;
    info->has_alpha = channels == 2 || channels == 4;
    info->is_progressive = body[12] == 1;
    return SWIN2SR_OK;
}

/* at  Offset of the chunk's body. */
static swin2sr_status read_chunk(probe_window *window, const char type[4], uint64_t at, uint32_t length,
                                 probe_info *info) {
    if (memcmp(type, "tRNS", 4) == 0 && !info->has_alpha) {
        info->has_alpha = true;
        info->channels++;
    } else if (memcmp(type, "acTL", 4) == 0 && length == 8) {
        const uint8_t *body;
        swin2sr_status status = probe_look(window, at, 8, &body);
        if (status != SWIN2SR_OK)
            return status;
        uint32_t frames = probe_u32(body);
        if (frames >= 1 && frames <= PNG_MAX_U31)
            info->frames = (int32_t)frames;
        /* where they lie is said after the pixels */
        info->frame_pixels = (uint64_t)info->frames * (uint64_t)info->width_px * (uint64_t)info->height_px;
    } else if (memcmp(type, "eXIf", 4) == 0 && info->orientation == 0) {
        info->orientation = probe_exif_orientation(window, at, length);
    }
    return SWIN2SR_OK;
}

swin2sr_status probe_png(probe_window *window, probe_info *info) {
    swin2sr_status status = read_header(window, info);
    for (uint64_t at = PNG_IHDR_AT + PNG_IHDR_BYTES; status == SWIN2SR_OK;) {
        const uint8_t *chunk;
        char type[4];
        status = probe_look(window, at, 8, &chunk);
        if (status != SWIN2SR_OK)
            break;
        uint32_t length = probe_u32(chunk);
        memcpy(type, chunk + 4, sizeof(type));
        if (memcmp(type, "IDAT", 4) == 0)
            return SWIN2SR_OK;
        uint64_t end = at + 8 + length + 4; /* with the CRC */
        if (length > PNG_MAX_U31 || memcmp(type, "IEND", 4) == 0 || end > window->source->size)
            return SWIN2SR_CORRUPT;
        status = read_chunk(window, type, at + 8, length, info);
        at = end;
    }
    return status;
}
