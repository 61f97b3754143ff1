/* SPDX-License-Identifier: Apache-2.0
 * probe/window.c - the buffer through which all parsers read (stage 2 of 9). */
#include "probe/window.h"

swin2sr_status probe_look(probe_window *window, uint64_t at, size_t size, const uint8_t **ret_bytes) {
    const probe_source *source = window->source;
    if (at > source->size || size > source->size - at)
        return SWIN2SR_CORRUPT;
    window->looked_bytes += size;
    if (window->looked_bytes > PROBE_MAX_BYTES)
        return SWIN2SR_TOO_LARGE;
    if (at < window->start || at + size > window->start + window->length) {
        uint64_t left = source->size - at;
        window->start = at;
        window->length = left < PROBE_WINDOW_BYTES ? (size_t)left : PROBE_WINDOW_BYTES;
        if (!source->read(source->context, at, window->bytes, window->length))
            return SWIN2SR_IO;
    }
    *ret_bytes = window->bytes + (at - window->start);
    return SWIN2SR_OK;
}

swin2sr_status probe_refuse(probe_window *window, const char *detail) {
    window->detail = detail;
    return SWIN2SR_UNSUPPORTED;
}

uint32_t probe_u16(const uint8_t *at) {
    return (uint32_t)at[0] << 8 | at[1];
}

uint32_t probe_u32(const uint8_t *at) {
    return probe_u16(at) << 16 | probe_u16(at + 2);
}

uint32_t probe_le16(const uint8_t *at) {
    return (uint32_t)at[1] << 8 | at[0];
}

uint32_t probe_le24(const uint8_t *at) {
    return (uint32_t)at[2] << 16 | probe_le16(at);
}

uint32_t probe_le32(const uint8_t *at) {
    return probe_le16(at + 2) << 16 | probe_le16(at);
}

void probe_add_frame(probe_info *info, uint64_t x, uint64_t y, uint64_t width, uint64_t height) {
    const uint64_t margin = PROBE_FRAME_MARGIN_PX, canvas_width = (uint64_t)info->width_px,
                   canvas_height = (uint64_t)info->height_px;
    uint64_t left = x > margin ? x - margin : 0, top = y > margin ? y - margin : 0;
    uint64_t right = x + width + margin, bottom = y + height + margin;
    right = right < canvas_width ? right : canvas_width;
    bottom = bottom < canvas_height ? bottom : canvas_height;
    if (right > left && bottom > top)
        info->frame_pixels += (right - left) * (bottom - top);
}
