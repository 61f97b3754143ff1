/* SPDX-License-Identifier: Apache-2.0
 * format/format.c - the table of image file formats and look-ups in it. */
#include "format/format.h"

#include <string.h>
#include <strings.h>

#define JPEG_MAX_SIDE_PX 65500  /* libjpeg's JPEG_MAX_DIMENSION; the format itself ends at 65535 */
#define PNG_MAX_SIDE_PX 1000000 /* libpng's default limit */
#define WEBP_MAX_SIDE_PX 16383  /* of the format: 14 bits */
#define GIF_MAX_SIDE_PX 65535   /* of the format: 16 bits */
#define TIFF_MAX_SIDE_PX 1000000
#define ALL_CHANNELS (FORMAT_CHANNELS(1) | FORMAT_CHANNELS(2) | FORMAT_CHANNELS(3) | FORMAT_CHANNELS(4))

static const format_info formats[FORMAT_COUNT] = {
    [FORMAT_UNKNOWN] = {.name = "unknown", .media_type = "application/octet-stream"},
    [FORMAT_PNG] = {.name = "png",
                    .media_type = "image/png",
                    .endings = {"png"},
                    .channels = ALL_CHANNELS,
                    .max_side_px = PNG_MAX_SIDE_PX,
                    .has_alpha = true,
                    .has_16 = true,
                    .has_profile = true,
                    .can_animate = true,
                    .can_read = true,
                    .can_write = true},
    [FORMAT_JPEG] = {.name = "jpeg",
                     .media_type = "image/jpeg",
                     .endings = {"jpg", "jpeg", "jpe", "jfif"},
                     .channels = FORMAT_CHANNELS(1) | FORMAT_CHANNELS(3),
                     .max_side_px = JPEG_MAX_SIDE_PX,
                     .has_quality = true,
                     .has_profile = true,
                     .can_read = true,
                     .can_write = true},
    [FORMAT_WEBP] = {.name = "webp",
                     .media_type = "image/webp",
                     .endings = {"webp"},
                     .channels = ALL_CHANNELS,
                     .max_side_px = WEBP_MAX_SIDE_PX,
                     .has_alpha = true,
                     .has_quality = true,
                     .has_profile = true,
                     .can_animate = true,
                     .can_read = true,
                     .can_write = true},
    [FORMAT_GIF] = {.name = "gif",
                    .media_type = "image/gif",
                    .endings = {"gif"},
                    .channels = ALL_CHANNELS,
                    .max_side_px = GIF_MAX_SIDE_PX,
                    .has_alpha = true,
                    .can_animate = true,
                    .can_read = true,
                    .can_write = true},
    [FORMAT_TIFF] = {.name = "tiff",
                     .media_type = "image/tiff",
                     .endings = {"tif", "tiff"},
                     .channels = ALL_CHANNELS,
                     .max_side_px = TIFF_MAX_SIDE_PX,
                     .has_alpha = true,
                     .has_16 = true,
                     .has_profile = true,
                     .can_read = true,
                     .can_write = true},
};

const format_info *format_get(format_id id) {
    return &formats[(unsigned)id < FORMAT_COUNT ? id : FORMAT_UNKNOWN];
}

/* Measured with 2048 x 2048 pixels. WebP encodes alpha, and pictures without loss, by searching for repetitions. */
uint32_t format_held_bytes(format_id id, bool has_alpha, uint32_t quality) {
    switch (id) {
    case FORMAT_WEBP:
        return has_alpha || quality == FORMAT_LOSSLESS_QUALITY ? 48 : 16;
    case FORMAT_GIF:
        return 8;
    case FORMAT_TIFF: /* of 16 bits, which deflate could not reduce */
        return 9;
    default:
        return 0;
    }
}

format_id format_by_name(const char *name) {
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++) {
        if (strcasecmp(name, formats[id].name) == 0)
            return (format_id)id;
        for (int i = 0; i < FORMAT_ENDINGS && formats[id].endings[i]; i++)
            if (strcasecmp(name, formats[id].endings[i]) == 0)
                return (format_id)id;
    }
    return FORMAT_UNKNOWN;
}

const char *format_ending(const char *path) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
    return dot && dot != base ? dot + 1 : base + strlen(base);
}

format_id format_by_path(const char *path) {
    return format_by_name(format_ending(path));
}
