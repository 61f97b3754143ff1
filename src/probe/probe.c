/* SPDX-License-Identifier: Apache-2.0
 * probe/probe.c - what an image file contains, from its header (stage 2 of 9).
 * The signature of the file selects the parser, one file for each format. */
#include "probe/probe.h"

#include <string.h>

#include "base/error.h"
#include "probe/window.h"

#define MAX_SIGNATURE_BYTES 8

static const struct {
    format_id format;
    size_t length;
    uint8_t bytes[MAX_SIGNATURE_BYTES];
    swin2sr_status (*parse)(probe_window *window, probe_info *info);
} signatures[] = {
    {FORMAT_PNG, 8, {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, probe_png},
    {FORMAT_JPEG, 3, {0xff, 0xd8, 0xff}, probe_jpeg},
    {FORMAT_WEBP, 4, "RIFF", probe_webp},
    {FORMAT_GIF, 6, "GIF87a", probe_gif},
    {FORMAT_GIF, 6, "GIF89a", probe_gif},
    {FORMAT_TIFF, 4, "II*", probe_tiff},
    {FORMAT_TIFF, 4, {'M', 'M', 0, '*'}, probe_tiff},
    {FORMAT_TIFF, 8, {'I', 'I', '+', 0, 8, 0, 0, 0}, probe_tiff},
    {FORMAT_TIFF, 8, {'M', 'M', 0, '+', 0, 8, 0, 0}, probe_tiff},
};

static swin2sr_status probe_any(probe_window *window, probe_info *info) {
    uint64_t size = window->source->size;
    size_t length = size < MAX_SIGNATURE_BYTES ? (size_t)size : MAX_SIGNATURE_BYTES;
    const uint8_t *bytes;
    swin2sr_status status = probe_look(window, 0, length, &bytes);
    if (status != SWIN2SR_OK)
        return status;
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
        size_t shared = length < signatures[i].length ? length : signatures[i].length;
        if (shared == 0 || memcmp(bytes, signatures[i].bytes, shared) != 0)
            continue;
        info->format = signatures[i].format;
        return shared == signatures[i].length ? signatures[i].parse(window, info) : SWIN2SR_CORRUPT;
    }
    return SWIN2SR_UNSUPPORTED;
}

static const char *default_detail(swin2sr_status status) {
    switch (status) {
    case SWIN2SR_UNSUPPORTED:
        return "not a PNG, JPEG, WebP, GIF or TIFF image";
    case SWIN2SR_TOO_LARGE:
        return "the image's header has more than 1 MiB to examine, metadata not counted";
    case SWIN2SR_IO:
        return "the image cannot be read";
    default:
        return "the image's header is damaged or cut short";
    }
}

swin2sr_status probe_file(const probe_source *source, probe_info *ret_info, swin2sr_error *reterr) {
    probe_window window = {.source = source};
    probe_info info = {.frames = 1};
    swin2sr_status status = probe_any(&window, &info);
    if (status != SWIN2SR_OK)
        return swin2sr__error_set(reterr, status, "%s", window.detail ? window.detail : default_detail(status));
    if (info.orientation == 0)
        info.orientation = 1;
    *ret_info = info;
    return SWIN2SR_OK;
}

static bool read_memory(void *context, uint64_t at, void *bytes, size_t size) {
    memcpy(bytes, (const uint8_t *)context + at, size);
    return true;
}

swin2sr_status probe_bytes(const void *data, size_t size, probe_info *ret_info, swin2sr_error *reterr) {
    const probe_source source = {.read = read_memory, .context = (void *)data, .size = size};
    return probe_file(&source, ret_info, reterr);
}

bool probe_is_held_whole(const probe_info *info) {
    return info->orientation > 2 || (info->format == FORMAT_PNG && info->is_progressive);
}

uint64_t probe_held_bytes(const probe_info *info) {
    uint64_t pixels = (uint64_t)info->width_px * (uint64_t)info->height_px;
    uint64_t picture = pixels * (uint64_t)info->channels * (info->depth_bits > 8 ? 2 : 1);
    return info->codec_bytes + (probe_is_held_whole(info) ? picture : 0);
}
