/* SPDX-License-Identifier: Apache-2.0
 * probe/probe.c - what an image file is, from its first bytes (stage 2 of 9).
 * In: the beginning of a PNG or JPEG file.  Out: probe_info.
 * Walks chunks or markers up to the first pixel data, so that orientation and transparency are known.
 * No allocation; every byte is asked for with require() before it is read; at most PROBE_MAX_BYTES are looked at. */
#include "probe/probe.h"

#include <string.h>

#include "probe/exif.h"

typedef struct probe_cursor {
    const uint8_t *data;
    size_t size;
    bool is_whole;
    size_t need; /* set when require() gives _BUSY */
} probe_cursor;

/* The bytes before end must be there. */
static swin2sr_status require(probe_cursor *cursor, size_t end) {
    if (end > cursor->size && cursor->is_whole)
        return SWIN2SR_CORRUPT;
    if (end > PROBE_MAX_BYTES)
        return SWIN2SR_TOO_LARGE;
    if (end <= cursor->size)
        return SWIN2SR_OK;
    cursor->need = end;
    return SWIN2SR_BUSY;
}

static uint32_t read_u16(const uint8_t *at) {
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t read_u32(const uint8_t *at) {
    return read_u16(at) << 16 | read_u16(at + 2);
}

/* ---- PNG ---- */

#define PNG_SIGNATURE_BYTES 8
#define PNG_HEADER_END 33 /* signature, IHDR with length, type, 13 bytes and CRC */
#define PNG_MAX_U31 0x7fffffffu

static const uint8_t png_signature[PNG_SIGNATURE_BYTES] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

/* Channels of a colour type, 0 where the type and depth do not go together (PNG specification, table 11.1). */
static int32_t png_channels(uint8_t colour_type, uint8_t depth_bits) {
    bool is_small = depth_bits == 1 || depth_bits == 2 || depth_bits == 4;
    bool is_whole_byte = depth_bits == 8 || depth_bits == 16;
    switch (colour_type) {
    case 0:
        return is_small || is_whole_byte ? 1 : 0;
    case 2:
        return is_whole_byte ? 3 : 0;
    case 3:
        return is_small || depth_bits == 8 ? 3 : 0;
    case 4:
        return is_whole_byte ? 2 : 0;
    case 6:
        return is_whole_byte ? 4 : 0;
    default:
        return 0;
    }
}

static swin2sr_status png_read_header(const uint8_t *data, probe_info *info) {
    const uint8_t *body = data + 16;
    if (memcmp(data + 8, "\0\0\0\15IHDR", 8) != 0)
        return SWIN2SR_CORRUPT;
    uint32_t width = read_u32(body), height = read_u32(body + 4);
    int32_t channels = png_channels(body[9], body[8]);
    if (width == 0 || height == 0 || width > PNG_MAX_U31 || height > PNG_MAX_U31 || channels == 0 || body[10] != 0 ||
        body[11] != 0 || body[12] > 1)
        return SWIN2SR_CORRUPT;
    info->width_px = (int32_t)width;
    info->height_px = (int32_t)height;
    info->depth_bits = body[8];
    info->channels = channels;
    info->has_alpha = channels == 2 || channels == 4;
    info->is_progressive = body[12] == 1;
    return SWIN2SR_OK;
}

static void png_read_chunk(const uint8_t *type, const uint8_t *body, size_t length, probe_info *info) {
    if (memcmp(type, "tRNS", 4) == 0 && !info->has_alpha) {
        info->has_alpha = true;
        info->channels++;
    } else if (memcmp(type, "acTL", 4) == 0 && length == 8) {
        uint32_t frames = read_u32(body);
        if (frames >= 1 && frames <= PNG_MAX_U31)
            info->frames = (int32_t)frames;
    } else if (memcmp(type, "eXIf", 4) == 0) {
        info->orientation = probe_exif_orientation(body, length);
    }
}

static swin2sr_status probe_png(probe_cursor *cursor, probe_info *info) {
    swin2sr_status status = require(cursor, PNG_HEADER_END);
    if (status == SWIN2SR_OK)
        status = png_read_header(cursor->data, info);
    size_t at = PNG_HEADER_END;
    while (status == SWIN2SR_OK) {
        status = require(cursor, at + 8);
        if (status != SWIN2SR_OK)
            break;
        const uint8_t *chunk = cursor->data + at;
        size_t length = read_u32(chunk);
        if (memcmp(chunk + 4, "IDAT", 4) == 0)
            return SWIN2SR_OK;
        if (length > PNG_MAX_U31 || memcmp(chunk + 4, "IEND", 4) == 0)
            return SWIN2SR_CORRUPT;
        at += 8 + length + 4;
        status = require(cursor, at);
        if (status == SWIN2SR_OK)
            png_read_chunk(chunk + 4, chunk + 8, length, info);
    }
    return status;
}

/* ---- JPEG ---- */

enum {
    JPEG_TEM = 0x01,
    JPEG_SOF0 = 0xc0,
    JPEG_SOF1 = 0xc1,
    JPEG_SOF2 = 0xc2,
    JPEG_DHT = 0xc4,
    JPEG_JPG = 0xc8,
    JPEG_SOF9 = 0xc9,
    JPEG_SOF10 = 0xca,
    JPEG_DAC = 0xcc,
    JPEG_SOF15 = 0xcf,
    JPEG_RST0 = 0xd0,
    JPEG_RST7 = 0xd7,
    JPEG_SOI = 0xd8,
    JPEG_EOI = 0xd9,
    JPEG_SOS = 0xda,
    JPEG_APP1 = 0xe1,
};

static bool jpeg_is_frame_header(uint8_t marker) {
    return marker >= JPEG_SOF0 && marker <= JPEG_SOF15 && marker != JPEG_DHT && marker != JPEG_JPG &&
           marker != JPEG_DAC;
}

static swin2sr_status jpeg_read_frame_header(uint8_t marker, const uint8_t *body, size_t length, probe_info *info) {
    if (info->width_px != 0 || length < 6)
        return SWIN2SR_CORRUPT;
    uint32_t depth_bits = body[0], height = read_u16(body + 1), width = read_u16(body + 3), channels = body[5];
    bool is_readable = marker == JPEG_SOF0 || marker == JPEG_SOF1 || marker == JPEG_SOF2 || marker == JPEG_SOF9 ||
                       marker == JPEG_SOF10; /* the rest: lossless and hierarchical */
    if (!is_readable || height == 0)         /* 0: the height follows the pixels, in a DNL marker */
        return SWIN2SR_UNSUPPORTED;
    if (width == 0 || channels == 0 || length != 6 + 3 * (size_t)channels)
        return SWIN2SR_CORRUPT;
    if ((channels != 1 && channels != 3 && channels != 4) || (depth_bits != 8 && depth_bits != 12))
        return SWIN2SR_UNSUPPORTED;
    info->width_px = (int32_t)width;
    info->height_px = (int32_t)height;
    info->channels = (int32_t)channels;
    info->depth_bits = (int32_t)depth_bits;
    info->is_progressive = marker == JPEG_SOF2 || marker == JPEG_SOF10;
    return SWIN2SR_OK;
}

/* Move *at behind the next marker. Stray bytes between segments are passed over, as JPEG readers do. */
static swin2sr_status jpeg_next_marker(probe_cursor *cursor, size_t *at, uint8_t *ret_marker) {
    uint8_t last = 0;
    for (;;) {
        swin2sr_status status = require(cursor, *at + 1);
        if (status != SWIN2SR_OK)
            return status;
        uint8_t byte = cursor->data[(*at)++];
        if (last == 0xff && byte != 0xff && byte != 0) {
            *ret_marker = byte;
            return SWIN2SR_OK;
        }
        last = byte;
    }
}

static swin2sr_status jpeg_read_segment(uint8_t marker, const uint8_t *body, size_t length, probe_info *info) {
    if (jpeg_is_frame_header(marker))
        return jpeg_read_frame_header(marker, body, length, info);
    if (marker == JPEG_APP1 && length > 6 && memcmp(body, "Exif\0\0", 6) == 0 && info->orientation == 0)
        info->orientation = probe_exif_orientation(body + 6, length - 6);
    return SWIN2SR_OK;
}

static swin2sr_status probe_jpeg(probe_cursor *cursor, probe_info *info) {
    swin2sr_status status = SWIN2SR_OK;
    size_t at = 2;
    while (status == SWIN2SR_OK) {
        uint8_t marker = 0;
        status = jpeg_next_marker(cursor, &at, &marker);
        if (status != SWIN2SR_OK)
            break;
        if (marker == JPEG_SOS && info->width_px != 0)
            return SWIN2SR_OK;
        if (marker == JPEG_SOI || marker == JPEG_EOI || marker == JPEG_SOS)
            return SWIN2SR_CORRUPT;
        if (marker == JPEG_TEM || (marker >= JPEG_RST0 && marker <= JPEG_RST7))
            continue;
        status = require(cursor, at + 2);
        if (status != SWIN2SR_OK)
            break;
        size_t length = read_u16(cursor->data + at);
        if (length < 2)
            return SWIN2SR_CORRUPT;
        status = require(cursor, at + length);
        if (status == SWIN2SR_OK)
            status = jpeg_read_segment(marker, cursor->data + at + 2, length - 2, info);
        at += length;
    }
    return status;
}

/* ---- any ---- */

/* Whether the file starts with a signature; _BUSY when it is too short to tell. */
static swin2sr_status match(probe_cursor *cursor, const uint8_t *signature, size_t length) {
    size_t shared = cursor->size < length ? cursor->size : length;
    if (memcmp(cursor->data, signature, shared) != 0)
        return SWIN2SR_UNSUPPORTED;
    return require(cursor, length);
}

static swin2sr_status probe_any(probe_cursor *cursor, probe_info *info) {
    static const uint8_t jpeg_signature[] = {0xff, JPEG_SOI, 0xff};
    if (cursor->size == 0)
        return cursor->is_whole ? SWIN2SR_UNSUPPORTED : require(cursor, PNG_SIGNATURE_BYTES);
    swin2sr_status status = match(cursor, png_signature, sizeof(png_signature));
    info->format = FORMAT_PNG;
    if (status == SWIN2SR_OK)
        return probe_png(cursor, info);
    if (status != SWIN2SR_UNSUPPORTED)
        return status;
    status = match(cursor, jpeg_signature, sizeof(jpeg_signature));
    info->format = FORMAT_JPEG;
    return status == SWIN2SR_OK ? probe_jpeg(cursor, info) : status;
}

swin2sr_status probe_bytes(const void *data, size_t size, bool is_whole, probe_info *ret_info, size_t *ret_need) {
    probe_cursor cursor = {.data = data, .size = size, .is_whole = is_whole};
    probe_info info = {.frames = 1};
    swin2sr_status status = probe_any(&cursor, &info);
    if (status == SWIN2SR_BUSY)
        *ret_need = cursor.need;
    if (status != SWIN2SR_OK)
        return status;
    if (info.orientation == 0)
        info.orientation = 1;
    *ret_info = info;
    return SWIN2SR_OK;
}
