/* SPDX-License-Identifier: Apache-2.0
 * probe/jpeg.c - the header of a JPEG file: the segments before the first scan (stage 2 of 9).
 * Reads frame header, scan header and EXIF only; other segments are skipped. */
#include <string.h>

#include "probe/window.h"

#define MAX_CHANNELS 4
#define MAX_SAMPLING 4
#define BLOCK_PX 8
#define BLOCK_BYTES (BLOCK_PX * BLOCK_PX * 2) /* of its coefficients in a decoder */

enum {
    MARKER_TEM = 0x01,
    MARKER_SOF0 = 0xc0,
    MARKER_SOF1 = 0xc1,
    MARKER_SOF2 = 0xc2,
    MARKER_DHT = 0xc4,
    MARKER_JPG = 0xc8,
    MARKER_SOF9 = 0xc9,
    MARKER_SOF10 = 0xca,
    MARKER_DAC = 0xcc,
    MARKER_SOF15 = 0xcf,
    MARKER_RST0 = 0xd0,
    MARKER_RST7 = 0xd7,
    MARKER_SOI = 0xd8,
    MARKER_EOI = 0xd9,
    MARKER_SOS = 0xda,
    MARKER_DQT = 0xdb,
    MARKER_APP1 = 0xe1,
};

static bool is_frame_header(uint8_t marker) {
    return marker >= MARKER_SOF0 && marker <= MARKER_SOF15 && marker != MARKER_DHT && marker != MARKER_JPG &&
           marker != MARKER_DAC;
}

static uint64_t divide_up(uint64_t value, uint64_t by) {
    return (value + by - 1) / by;
}

/* ---- quality ---- */

#define TABLES 4
#define TABLE_VALUES 64

/* Of each quantisation table the sum of its values, 0: none; and the table of the first component. */
typedef struct jpeg_tables {
    uint32_t sums[TABLES];
    uint32_t first;
} jpeg_tables;

/* The table for light that ITU-T T.81 gives as an example in its annex K, and libjpeg scales; the order does not matter. */
static const uint8_t standard[TABLE_VALUES] = {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                                               14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                                               18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                                               49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};

/* The sum of the standard table as libjpeg scales it for a quality. */
static uint32_t sum_at(int32_t quality) {
    uint32_t percent = quality < 50 ? 5000 / (uint32_t)quality : 200 - 2 * (uint32_t)quality, sum = 0;
    for (int32_t i = 0; i < TABLE_VALUES; i++) {
        uint32_t value = (standard[i] * percent + 50) / 100;
        sum += value < 1 ? 1 : value > UINT8_MAX ? UINT8_MAX : value;
    }
    return sum;
}

/* The highest quality whose table is at least as coarse; 0: there is no table. */
static int32_t quality_of(const jpeg_tables *tables) {
    uint32_t sum = tables->sums[tables->first];
    int32_t quality = sum > 0 ? 100 : 0;
    while (quality > 1 && sum_at(quality) < sum)
        quality--;
    return quality;
}

/* Sum up the tables of a segment. What is wrong with them, the decoder finds. */
static swin2sr_status read_tables(probe_window *window, uint64_t at, uint64_t end, jpeg_tables *tables) {
    swin2sr_status status = SWIN2SR_OK;
    const uint8_t *body;
    while (at < end && (status = probe_look(window, at, 1, &body)) == SWIN2SR_OK) {
        uint32_t bytes = body[0] >> 4 ? 2 : 1, index = body[0] % TABLES, sum = 0;
        if (at + 1 + TABLE_VALUES * bytes > end)
            break;
        status = probe_look(window, at + 1, TABLE_VALUES * bytes, &body);
        for (uint32_t i = 0; i < TABLE_VALUES && status == SWIN2SR_OK; i++)
            sum += bytes == 2 ? probe_u16(body + 2 * i) : body[i];
        tables->sums[index] = sum;
        at += 1 + TABLE_VALUES * bytes;
    }
    return status;
}

/* components  As of bytes_of_coefficients. */
static bool is_subsampled(const probe_info *info, const uint8_t *components) {
    bool is_less = false;
    for (int32_t c = 1; c < info->channels; c++)
        is_less |= components[3 * c + 1] != components[1];
    return is_less;
}

/* ---- segments ---- */

/* Memory for all coefficients. As in libjpeg, the blocks of each component fill whole MCUs.
 * components  3 bytes each: id, sampling factors, table.
 * returns     0 if a sampling factor is invalid. */
static uint64_t bytes_of_coefficients(const probe_info *info, const uint8_t *components) {
    uint32_t most_h = 1, most_v = 1;
    uint64_t blocks = 0;
    for (int32_t c = 0; c < info->channels; c++) {
        uint32_t h = components[3 * c + 1] >> 4, v = components[3 * c + 1] & 15;
        if (h < 1 || h > MAX_SAMPLING || v < 1 || v > MAX_SAMPLING)
            return 0;
        most_h = h > most_h ? h : most_h;
        most_v = v > most_v ? v : most_v;
    }
    for (int32_t c = 0; c < info->channels; c++) {
        uint32_t h = components[3 * c + 1] >> 4, v = components[3 * c + 1] & 15;
        uint64_t across = divide_up((uint64_t)info->width_px * h, most_h * BLOCK_PX);
        uint64_t down = divide_up((uint64_t)info->height_px * v, most_v * BLOCK_PX);
        blocks += divide_up(across, h) * h * (divide_up(down, v) * v);
    }
    return blocks * BLOCK_BYTES;
}

/* at, length  Of the segment's body. */
static swin2sr_status read_frame_header(probe_window *window, uint8_t marker, uint64_t at, uint32_t length,
                                        probe_info *info, jpeg_tables *tables) {
    const uint8_t *body;
    if (info->width_px != 0 || length < 6)
        return SWIN2SR_CORRUPT;
    swin2sr_status status =
        probe_look(window, at, length < 6 + 3 * MAX_CHANNELS ? length : 6 + 3 * MAX_CHANNELS, &body);
    if (status != SWIN2SR_OK)
        return status;
    uint32_t depth_bits = body[0], height = probe_u16(body + 1), width = probe_u16(body + 3), channels = body[5];
    bool is_readable = marker == MARKER_SOF0 || marker == MARKER_SOF1 || marker == MARKER_SOF2 ||
                       marker == MARKER_SOF9 || marker == MARKER_SOF10;
    if (!is_readable)
        return probe_refuse(window, "a JPEG of the lossless or hierarchical kind cannot be read");
    if (height == 0)
        return probe_refuse(window, "a JPEG that gives its height after the pixels cannot be read");
    if (width == 0 || channels == 0 || length != 6 + 3 * channels)
        return SWIN2SR_CORRUPT;
    if (depth_bits == 12)
        return probe_refuse(window, "a JPEG with 12 bits per sample cannot be read; convert it to 8 bits");
    if ((channels != 1 && channels != 3 && channels != MAX_CHANNELS) || depth_bits != 8)
        return probe_refuse(window, "a JPEG of this kind cannot be read: it must have 1, 3 or 4 channels of 8 bits");
    info->width_px = (int32_t)width;
    info->height_px = (int32_t)height;
    info->channels = (int32_t)channels;
    info->depth_bits = (int32_t)depth_bits;
    info->is_progressive = marker == MARKER_SOF2 || marker == MARKER_SOF10;
    info->codec_bytes = bytes_of_coefficients(info, body + 6);
    info->is_lossy = true;
    info->is_subsampled = is_subsampled(info, body + 6);
    tables->first = body[8] % TABLES;
    return info->codec_bytes ? SWIN2SR_OK : SWIN2SR_CORRUPT;
}

static swin2sr_status read_app1(probe_window *window, uint64_t at, uint32_t length, probe_info *info) {
    const uint8_t *body;
    if (length <= 6 || info->orientation != 0)
        return SWIN2SR_OK;
    swin2sr_status status = probe_look(window, at, 6, &body);
    if (status == SWIN2SR_OK && memcmp(body, "Exif\0\0", 6) == 0)
        info->orientation = probe_exif_orientation(window, at + 6, length - 6);
    return status;
}

/* If the first scan has all components and the file is not progressive, the decoder holds no coefficients. */
static swin2sr_status read_scan_header(probe_window *window, uint64_t at, uint32_t length, probe_info *info) {
    const uint8_t *body;
    if (info->width_px == 0 || length < 1)
        return SWIN2SR_CORRUPT;
    swin2sr_status status = probe_look(window, at, 1, &body);
    if (status == SWIN2SR_OK && !info->is_progressive && body[0] >= info->channels)
        info->codec_bytes = 0;
    return status;
}

/* Move *at past the next marker. Stray bytes between segments are skipped, as other JPEG readers do. */
static swin2sr_status next_marker(probe_window *window, uint64_t *at, uint8_t *ret_marker) {
    uint8_t last = 0;
    for (;;) {
        const uint8_t *byte;
        swin2sr_status status = probe_look(window, *at, 1, &byte);
        if (status != SWIN2SR_OK)
            return status;
        ++*at;
        if (last == 0xff && *byte != 0xff && *byte != 0) {
            *ret_marker = *byte;
            return SWIN2SR_OK;
        }
        last = *byte;
    }
}

swin2sr_status probe_jpeg(probe_window *window, probe_info *info) {
    swin2sr_status status = SWIN2SR_OK;
    uint8_t marker = 0;
    jpeg_tables tables = {.first = 0};
    for (uint64_t at = 2; status == SWIN2SR_OK && marker != MARKER_SOS;) {
        const uint8_t *bytes;
        status = next_marker(window, &at, &marker);
        if (status != SWIN2SR_OK)
            break;
        if (marker == MARKER_SOI || marker == MARKER_EOI)
            return SWIN2SR_CORRUPT;
        if (marker == MARKER_TEM || (marker >= MARKER_RST0 && marker <= MARKER_RST7))
            continue;
        status = probe_look(window, at, 2, &bytes);
        if (status != SWIN2SR_OK)
            break;
        uint32_t length = probe_u16(bytes);
        if (length < 2 || at + length > window->source->size)
            return SWIN2SR_CORRUPT;
        if (marker == MARKER_SOS)
            status = read_scan_header(window, at + 2, length - 2, info);
        else if (marker == MARKER_APP1)
            status = read_app1(window, at + 2, length - 2, info);
        else if (marker == MARKER_DQT)
            status = read_tables(window, at + 2, at + length, &tables);
        else if (is_frame_header(marker))
            status = read_frame_header(window, marker, at + 2, length - 2, info, &tables);
        at += length;
    }
    info->quality = quality_of(&tables);
    return status;
}
