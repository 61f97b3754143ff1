/* SPDX-License-Identifier: Apache-2.0
 * probe/gif.c - the blocks of a GIF file (stage 2 of 9).
 * Its frames can only be counted by walking from block to block, to the end of the file or as far as PROBE_MAX_BYTES
 * reaches: one byte of each 256 is looked at. The first frame must be complete; later ones may be missing. */
#include "probe/window.h"

#define SCREEN_AT 6
#define SCREEN_BYTES 7
#define FRAME_BYTES 9
#define HAS_TABLE 0x80
#define IS_INTERLACED 0x40
#define EXTENSION 0x21
#define FRAME 0x2c
#define TRAILER 0x3b
#define GRAPHIC_CONTROL 0xf9
#define DISPOSE_BACKGROUND 2
#define MAX_FRAMES 1000000

typedef struct gif_file {
    probe_window *window;
    probe_info *info;
    uint64_t at;
    bool has_key;     /* a colour of the next frame is transparent */
    uint8_t disposal; /* of the next frame */
} gif_file;

static uint64_t table_bytes(uint8_t flags) {
    return flags & HAS_TABLE ? (uint64_t)3 << ((flags & 7) + 1) : 0;
}

/* Go past sub-blocks, up to and with the empty one. */
static swin2sr_status skip_sub_blocks(gif_file *file) {
    for (;;) {
        const uint8_t *length;
        swin2sr_status status = probe_look(file->window, file->at, 1, &length);
        if (status != SWIN2SR_OK)
            return status;
        file->at += 1 + (uint64_t)*length;
        if (*length == 0)
            return SWIN2SR_OK;
    }
}

static swin2sr_status read_extension(gif_file *file) {
    const uint8_t *bytes;
    swin2sr_status status = probe_look(file->window, file->at, 1, &bytes);
    if (status != SWIN2SR_OK)
        return status;
    if (bytes[0] == GRAPHIC_CONTROL && probe_look(file->window, file->at, 3, &bytes) == SWIN2SR_OK && bytes[1] == 4) {
        file->has_key = bytes[2] & 1;
        file->disposal = bytes[2] >> 2 & 7;
    }
    file->at++;
    return skip_sub_blocks(file);
}

static swin2sr_status read_frame(gif_file *file) {
    probe_info *info = file->info;
    const uint8_t *frame;
    swin2sr_status status = probe_look(file->window, file->at, FRAME_BYTES, &frame);
    if (status != SWIN2SR_OK)
        return status;
    uint32_t left = probe_le16(frame), top = probe_le16(frame + 2);
    uint32_t right = left + probe_le16(frame + 4), bottom = top + probe_le16(frame + 6);
    bool is_empty = right == left || bottom == top, is_first = info->frames == 0;
    bool is_whole = left == 0 && top == 0 && right >= (uint32_t)info->width_px && bottom >= (uint32_t)info->height_px;
    bool is_interlaced = frame[8] & IS_INTERLACED;
    file->at += FRAME_BYTES + table_bytes(frame[8]) + 1; /* and the size of the codes */
    status = skip_sub_blocks(file);
    if (status != SWIN2SR_OK)
        return status;
    if (is_first) {
        if (is_empty)
            return SWIN2SR_CORRUPT;
        info->is_progressive = is_interlaced;
        info->has_alpha = file->has_key || !is_whole;
        info->channels = info->has_alpha ? 4 : 3;
    }
    probe_add_frame(info, left, top, right - left, bottom - top);
    if (file->disposal >= DISPOSE_BACKGROUND) /* what it covered changes once more */
        probe_add_frame(info, left, top, right - left, bottom - top);
    info->frames++;
    file->has_key = false;
    file->disposal = 0;
    return SWIN2SR_OK;
}

static swin2sr_status read_block(gif_file *file, bool *ret_is_end) {
    const uint8_t *type;
    swin2sr_status status = probe_look(file->window, file->at, 1, &type);
    if (status != SWIN2SR_OK)
        return status;
    file->at++;
    switch (*type) {
    case EXTENSION:
        return read_extension(file);
    case FRAME:
        return read_frame(file);
    case TRAILER:
        *ret_is_end = true;
        return SWIN2SR_OK;
    default:
        return SWIN2SR_CORRUPT;
    }
}

swin2sr_status probe_gif(probe_window *window, probe_info *info) {
    gif_file file = {.window = window, .info = info, .at = SCREEN_AT + SCREEN_BYTES};
    const uint8_t *screen;
    bool is_end = false;
    swin2sr_status status = probe_look(window, SCREEN_AT, SCREEN_BYTES, &screen);
    if (status != SWIN2SR_OK)
        return status;
    info->width_px = (int32_t)probe_le16(screen);
    info->height_px = (int32_t)probe_le16(screen + 2);
    info->channels = 3;
    info->depth_bits = 8;
    info->frames = 0;
    file.at += table_bytes(screen[4]);
    if (info->width_px == 0 || info->height_px == 0)
        return SWIN2SR_CORRUPT;
    while (status == SWIN2SR_OK && !is_end && info->frames < MAX_FRAMES)
        status = read_block(&file, &is_end);
    if (info->frames == 0)
        return status == SWIN2SR_OK ? SWIN2SR_CORRUPT : status;
    info->is_cut_short = status != SWIN2SR_OK;
    info->codec_bytes = (uint64_t)info->width_px * (uint64_t)info->height_px * (info->frames > 1 ? 8 : 4);
    return status == SWIN2SR_IO ? status : SWIN2SR_OK;
}
