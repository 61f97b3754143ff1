/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/probe/test_probe.c - headers built by hand: what is recognised, what is asked for, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probe/window.h"

typedef struct builder {
    uint8_t data[4096];
    size_t size;
} builder;

static void put(builder *to, const void *data, size_t size) {
    assert_true(size <= sizeof(to->data) - to->size);
    memcpy(to->data + to->size, data, size);
    to->size += size;
}

static void put_u16(builder *to, uint32_t value) {
    put(to, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_u32(builder *to, uint32_t value) {
    put_u16(to, value >> 16);
    put_u16(to, value & 0xffff);
}

/* ---- PNG ---- */

/* The CRC is left zero: the probe does not look at it. */
static void put_chunk(builder *to, const char *type, const void *body, uint32_t length) {
    put_u32(to, length);
    put(to, type, 4);
    put(to, body, length);
    put_u32(to, 0);
}

static builder png_header(uint32_t width, uint32_t height, uint8_t depth_bits, uint8_t colour_type, uint8_t interlace) {
    builder png = {.size = 0};
    put(&png, "\x89PNG\r\n\x1a\n\0\0\0\15IHDR", 16);
    put_u32(&png, width);
    put_u32(&png, height);
    put(&png, (uint8_t[]){depth_bits, colour_type, 0, 0, interlace}, 5);
    put_u32(&png, 0);
    return png;
}

/* ---- JPEG ---- */

static void put_segment(builder *to, uint8_t marker, const void *body, uint32_t length) {
    put(to, (uint8_t[]){0xff, marker}, 2);
    put_u16(to, length + 2);
    put(to, body, length);
}

/* Sampling factors 1 x 1. */
static void put_frame_header(builder *to, uint8_t marker, uint8_t depth_bits, uint32_t width, uint32_t height,
                             uint8_t channels) {
    uint8_t body[6 + 3 * 255] = {
        depth_bits, (uint8_t)(height >> 8), (uint8_t)height, (uint8_t)(width >> 8), (uint8_t)width, channels};
    for (int c = 0; c < channels; c++)
        body[6 + 3 * c + 1] = 0x11;
    put_segment(to, marker, body, 6 + 3 * (uint32_t)channels);
}

static builder jpeg_of(uint8_t marker, uint8_t depth_bits, uint32_t width, uint32_t height, uint8_t channels) {
    builder jpeg = {.size = 0};
    put(&jpeg, "\xff\xd8", 2);
    put_segment(&jpeg, 0xe0, "JFIF\0\1\1\0\0\1\0\1\0\0", 14);
    put_frame_header(&jpeg, marker, depth_bits, width, height, channels);
    put_segment(&jpeg, 0xda, "\1\1\0\0\77\0", 6);
    return jpeg;
}

/* ---- asking ---- */

static swin2sr_status probe_all(const builder *file, probe_info *ret_info) {
    return probe_bytes(file->data, file->size, ret_info, NULL);
}

/* Cut anywhere before its pixels, a file must be refused as cut short. */
static void assert_is_cut_before(const builder *file, size_t pixels_at) {
    for (size_t size = 0; size <= file->size; size++) {
        probe_info info;
        swin2sr_error error = {""};
        uint8_t *exact = malloc(size > 0 ? size : 1);
        memcpy(exact, file->data, size);
        swin2sr_status status = probe_bytes(exact, size, &info, &error);
        assert_int_equal(status, size >= pixels_at ? SWIN2SR_OK : size == 0 ? SWIN2SR_UNSUPPORTED : SWIN2SR_CORRUPT);
        if (size > 0 && size < pixels_at)
            assert_string_equal(error.text, "the image's header is damaged or cut short");
        free(exact);
    }
}

static void test_png_kinds(void **state) {
    static const struct {
        uint8_t colour_type, depth_bits;
        int32_t channels;
    } kinds[] = {{0, 1, 1}, {0, 16, 1}, {2, 8, 3}, {2, 16, 3}, {3, 4, 3}, {4, 8, 2}, {6, 16, 4}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        builder png = png_header(65535, 65535, kinds[i].depth_bits, kinds[i].colour_type, i % 2);
        probe_info info;
        put_chunk(&png, "IDAT", "", 0);
        assert_int_equal(probe_all(&png, &info), SWIN2SR_OK);
        assert_int_equal(info.format, FORMAT_PNG);
        assert_int_equal(info.width_px, 65535);
        assert_int_equal(info.height_px, 65535);
        assert_int_equal(info.channels, kinds[i].channels);
        assert_int_equal(info.depth_bits, kinds[i].depth_bits);
        assert_int_equal(info.has_alpha, kinds[i].channels % 2 == 0);
        assert_int_equal(info.is_progressive, i % 2);
        assert_int_equal(info.orientation, 1);
        assert_int_equal(info.frames, 1);
    }
}

static void test_png_chunks(void **state) {
    builder png = png_header(3, 0x7fffffff, 8, 3, 0);
    probe_info info;
    put_chunk(&png, "PLTE", "abc", 3);
    put_chunk(&png, "tRNS", "a", 1);
    put_chunk(&png, "acTL", "\0\0\1\2\0\0\0\0", 8);
    put_chunk(&png, "eXIf", "MM\0*\0\0\0\x8\0\1\1\x12\0\3\0\0\0\1\0\6\0\0", 22);
    size_t pixels_at = png.size + 8;
    put_chunk(&png, "IDAT", "", 0);
    assert_int_equal(probe_all(&png, &info), SWIN2SR_OK);
    assert_int_equal(info.height_px, 0x7fffffff);
    assert_int_equal(info.channels, 4);
    assert_true(info.has_alpha);
    assert_int_equal(info.frames, 258);
    assert_int_equal(info.orientation, 6);
    assert_is_cut_before(&png, pixels_at);
}

static void assert_png(uint32_t width, uint32_t height, uint8_t depth_bits, uint8_t colour_type, uint8_t interlace,
                       swin2sr_status expected) {
    builder png = png_header(width, height, depth_bits, colour_type, interlace);
    probe_info info;
    put_chunk(&png, "IDAT", "", 0);
    assert_int_equal(probe_all(&png, &info), expected);
}

static void test_png_refusals(void **state) {
    assert_png(1, 1, 8, 2, 0, SWIN2SR_OK);
    assert_png(0, 1, 8, 2, 0, SWIN2SR_CORRUPT);
    assert_png(1, 0, 8, 2, 0, SWIN2SR_CORRUPT);
    assert_png(0x80000000, 1, 8, 2, 0, SWIN2SR_CORRUPT);
    assert_png(1, 1, 4, 2, 0, SWIN2SR_CORRUPT);
    assert_png(1, 1, 16, 3, 0, SWIN2SR_CORRUPT);
    assert_png(1, 1, 8, 1, 0, SWIN2SR_CORRUPT);
    assert_png(1, 1, 8, 2, 2, SWIN2SR_CORRUPT);
    builder png = png_header(1, 1, 8, 2, 0);
    probe_info info;
    put_chunk(&png, "IEND", "", 0);
    assert_int_equal(probe_all(&png, &info), SWIN2SR_CORRUPT);
}

static void test_apples_png(void **state) {
    builder png = {.size = 0};
    probe_info info;
    swin2sr_error error;
    put(&png, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&png, "CgBI", "\x50\0\x20\2", 4);
    assert_int_equal(probe_bytes(png.data, png.size, &info, &error), SWIN2SR_UNSUPPORTED);
    assert_non_null(strstr(error.text, "CgBI"));
}

/* ---- metadata of any size ---- */

/* A file of head, gap_bytes zeros, and tail. The zeros are not in memory. */
typedef struct sparse {
    const builder *head, *tail;
    uint64_t gap_bytes;
    uint64_t read_bytes; /* that were read so far */
    bool is_failing;
} sparse;

static uint8_t sparse_byte(const sparse *file, uint64_t at) {
    if (at < file->head->size)
        return file->head->data[at];
    at -= file->head->size;
    return at < file->gap_bytes ? 0 : file->tail->data[at - file->gap_bytes];
}

static bool sparse_read(void *context, uint64_t at, void *bytes, size_t size) {
    sparse *file = context;
    assert_true(at + size <= file->head->size + file->gap_bytes + file->tail->size);
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = sparse_byte(file, at + i);
    file->read_bytes += size;
    return !file->is_failing;
}

static swin2sr_status probe_sparse(sparse *file, probe_info *ret_info) {
    probe_source source = {sparse_read, file, file->head->size + file->gap_bytes + file->tail->size};
    return probe_file(&source, ret_info, NULL);
}

static void test_png_with_a_large_chunk(void **state) {
    static const uint32_t lengths[] = {1200000, 0x7fffffff};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        builder head = png_header(7, 5, 8, 2, 0), tail = {.size = 0};
        probe_info info;
        put_u32(&head, lengths[i]);
        put(&head, "tEXt", 4);
        put_u32(&tail, 0);
        put_chunk(&tail, "eXIf", "II*\0\x8\0\0\0\1\0\x12\1\3\0\1\0\0\0\5\0\0\0", 22);
        put_chunk(&tail, "IDAT", "", 0);
        sparse file = {&head, &tail, lengths[i], 0, false};
        assert_int_equal(probe_sparse(&file, &info), SWIN2SR_OK);
        assert_int_equal(info.width_px, 7);
        assert_int_equal(info.orientation, 5);
        assert_true(file.read_bytes < 20000);
        file.gap_bytes--; /* all that follows is one byte early */
        assert_int_equal(probe_sparse(&file, &info), SWIN2SR_CORRUPT);
        file.gap_bytes++;
        file.is_failing = true;
        assert_int_equal(probe_sparse(&file, &info), SWIN2SR_IO);
    }
}

/* A profile and XMP in 40 segments each, about 5 MiB. */
static void test_jpeg_with_many_segments(void **state) {
    builder part = {.size = 0}, image = jpeg_of(0xc0, 8, 7, 5, 1);
    put(&part, "\xff\xe2\xff\xff", 4);
    size_t part_bytes = 65537, size = 2 + 80 * part_bytes + image.size - 2;
    uint8_t *data = calloc(1, size);
    probe_info info;
    assert_non_null(data);
    memcpy(data, "\xff\xd8", 2);
    for (size_t i = 0; i < 80; i++) {
        part.data[1] = i % 2 ? 0xe1 : 0xe2;
        memcpy(data + 2 + i * part_bytes, part.data, part.size);
    }
    memcpy(data + size - (image.size - 2), image.data + 2, image.size - 2);
    assert_int_equal(probe_bytes(data, size, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.width_px, 7);
    free(data);
}

static void test_too_much_to_look_at(void **state) {
    size_t size = 13 * PROBE_MAX_BYTES;
    uint8_t *file = calloc(1, size);
    probe_info info;
    assert_non_null(file);
    memcpy(file, "\xff\xd8\xff", 3); /* endless stray bytes */
    assert_int_equal(probe_bytes(file, size, &info, NULL), SWIN2SR_TOO_LARGE);
    builder png = png_header(1, 1, 8, 2, 0); /* endless empty chunks */
    memcpy(file, png.data, png.size);
    assert_int_equal(probe_bytes(file, size, &info, NULL), SWIN2SR_TOO_LARGE);
    free(file);
}

static void test_jpeg_kinds(void **state) {
    static const struct {
        uint8_t marker, depth_bits, channels;
        bool is_progressive;
        swin2sr_status status;
    } kinds[] = {
        {0xc0, 8, 3, false, SWIN2SR_OK},          {0xc1, 8, 1, false, SWIN2SR_OK},
        {0xc2, 8, 4, true, SWIN2SR_OK},           {0xc9, 8, 3, false, SWIN2SR_OK},
        {0xca, 8, 3, true, SWIN2SR_OK},           {0xc3, 8, 3, false, SWIN2SR_UNSUPPORTED},
        {0xc5, 8, 3, false, SWIN2SR_UNSUPPORTED}, {0xcf, 8, 3, false, SWIN2SR_UNSUPPORTED},
        {0xc0, 8, 2, false, SWIN2SR_UNSUPPORTED}, {0xc0, 16, 3, false, SWIN2SR_UNSUPPORTED},
        {0xc0, 8, 0, false, SWIN2SR_CORRUPT},     {0xc1, 12, 1, false, SWIN2SR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        builder jpeg = jpeg_of(kinds[i].marker, kinds[i].depth_bits, 65535, 65535, kinds[i].channels);
        probe_info info = {0};
        assert_int_equal(probe_all(&jpeg, &info), kinds[i].status);
        if (kinds[i].status != SWIN2SR_OK)
            continue;
        assert_int_equal(info.format, FORMAT_JPEG);
        assert_int_equal(info.width_px, 65535);
        assert_int_equal(info.height_px, 65535);
        assert_int_equal(info.channels, kinds[i].channels);
        assert_int_equal(info.depth_bits, kinds[i].depth_bits);
        assert_int_equal(info.is_progressive, kinds[i].is_progressive);
        assert_int_equal(info.orientation, 1);
    }
}

static void test_jpeg_sizes(void **state) {
    builder no_height = jpeg_of(0xc0, 8, 5, 0, 3), no_width = jpeg_of(0xc0, 8, 0, 5, 3);
    probe_info info;
    assert_int_equal(probe_all(&no_height, &info), SWIN2SR_UNSUPPORTED);
    assert_int_equal(probe_all(&no_width, &info), SWIN2SR_CORRUPT);
}

static const char exif_3[] = "Exif\0\0II*\0\x8\0\0\0\1\0\x12\1\3\0\1\0\0\0\3\0\0";

static void test_jpeg_segments(void **state) {
    builder jpeg = {.size = 0};
    probe_info info;
    put(&jpeg, "\xff\xd8\xff\xff\xff\x01", 6); /* fill bytes and a marker without a body are fine */
    put_segment(&jpeg, 0xe1, "http://ns.adobe.com/xap/1.0/", 29);
    put_segment(&jpeg, 0xe1, exif_3, sizeof(exif_3));
    put(&jpeg, "stray", 5);
    put_frame_header(&jpeg, 0xc2, 8, 7, 5, 3);
    put_segment(&jpeg, 0xc4, "tables", 6);
    put_segment(&jpeg, 0xda, "\1\1\0\0\77\0", 6);
    assert_int_equal(probe_all(&jpeg, &info), SWIN2SR_OK);
    assert_int_equal(info.width_px, 7);
    assert_int_equal(info.height_px, 5);
    assert_int_equal(info.orientation, 3);
    assert_is_cut_before(&jpeg, jpeg.size);
}

static void test_jpeg_refusals(void **state) {
    static const uint8_t markers[] = {0xd8, 0xd9, 0xda}; /* a second start, an end, pixels before the frame header */
    probe_info info;
    for (size_t i = 0; i < sizeof(markers); i++) {
        builder jpeg = {.size = 0};
        put(&jpeg, "\xff\xd8", 2);
        put_segment(&jpeg, markers[i], "\1\1\0\0\77\0", 6);
        assert_int_equal(probe_all(&jpeg, &info), SWIN2SR_CORRUPT);
    }
    builder twice = {.size = 0};
    put(&twice, "\xff\xd8", 2);
    put_frame_header(&twice, 0xc0, 8, 7, 5, 3);
    put_frame_header(&twice, 0xc0, 8, 7, 5, 3);
    assert_int_equal(probe_all(&twice, &info), SWIN2SR_CORRUPT);
    builder short_segment = {.size = 0};
    put(&short_segment, "\xff\xd8\xff\xe0\0\1aaaa", 10);
    assert_int_equal(probe_all(&short_segment, &info), SWIN2SR_CORRUPT);
}

static void test_other_files(void **state) {
    probe_info info;
    swin2sr_error error;
    assert_int_equal(probe_bytes(NULL, 0, &info, NULL), SWIN2SR_UNSUPPORTED);
    assert_int_equal(probe_bytes("\xff\xd8 ", 3, &info, NULL), SWIN2SR_UNSUPPORTED);
    assert_int_equal(probe_bytes("RIFF\0\0\0\0WAVE", 12, &info, &error), SWIN2SR_UNSUPPORTED);
    assert_string_equal(error.text, "not a PNG, JPEG, WebP, GIF or TIFF image");
}

/* ---- held ---- */

static uint64_t held(const builder *file) {
    probe_info info = {0};
    assert_int_equal(probe_all(file, &info), SWIN2SR_OK);
    return probe_held_bytes(&info);
}

/* A frame header of 100 x 50 pixels with the given sampling factors, then a scan of the first components. */
static builder jpeg_in_scans(uint8_t marker, const uint8_t *sampling, uint8_t channels, uint8_t scan_channels) {
    builder jpeg = {.size = 0};
    uint8_t frame[6 + 3 * 4] = {8, 0, 50, 0, 100, channels}, scan[1 + 2 * 4 + 3] = {scan_channels};
    for (int c = 0; c < channels; c++)
        frame[6 + 3 * c + 1] = sampling[c];
    put(&jpeg, "\xff\xd8", 2);
    put_segment(&jpeg, marker, frame, 6 + 3 * (uint32_t)channels);
    put_segment(&jpeg, 0xda, scan, 4 + 2 * (uint32_t)scan_channels);
    return jpeg;
}

static void test_bytes_held_of_a_jpeg(void **state) {
    static const uint8_t full[] = {0x11, 0x11, 0x11, 0x11}, half[] = {0x22, 0x11, 0x11}, odd[] = {0x41, 0x11, 0x11};
    builder one_scan = jpeg_in_scans(0xc0, half, 3, 3), scans = jpeg_in_scans(0xc0, half, 3, 1);
    builder two_of_three = jpeg_in_scans(0xc1, full, 3, 2), progressive = jpeg_in_scans(0xc2, full, 3, 3);
    builder grey = jpeg_in_scans(0xc0, half, 1, 1), cmyk = jpeg_in_scans(0xc0, full, 4, 1);
    builder wide = jpeg_in_scans(0xc9, odd, 3, 1), impossible = jpeg_in_scans(0xc0, (uint8_t[]){0x51}, 1, 1);
    probe_info info;
    assert_int_equal(held(&one_scan), 0);
    assert_int_equal(held(&grey), 0);
    assert_int_equal(held(&scans), (14 * 8 + 7 * 4 + 7 * 4) * 128);
    assert_int_equal(held(&two_of_three), 3 * 13 * 7 * 128);
    assert_int_equal(held(&progressive), 3 * 13 * 7 * 128);
    assert_int_equal(held(&cmyk), 4 * 13 * 7 * 128);
    assert_int_equal(held(&wide), (16 * 7 + 4 * 7 + 4 * 7) * 128);
    assert_int_equal(probe_all(&impossible, &info), SWIN2SR_CORRUPT);
}

/* The first values of the table for light of annex K; the others are filled up, so that the sum is that of the annex. */
static builder jpeg_with_table(int bytes, const uint8_t *values, const uint8_t *sampling) {
    builder jpeg = {.size = 0};
    uint8_t table[1 + 2 * 64] = {(uint8_t)((bytes - 1) << 4)};
    uint8_t frame[6 + 3 * 3] = {8, 0, 50, 0, 100, 3};
    for (int i = 0; i < 64; i++)
        table[1 + bytes * i + bytes - 1] = values[i];
    for (int c = 0; c < 3; c++) {
        frame[6 + 3 * c + 1] = sampling[c];
        frame[6 + 3 * c + 2] = c > 0;
    }
    put(&jpeg, "\xff\xd8", 2);
    put_segment(&jpeg, 0xdb, table, 1 + 64 * (uint32_t)bytes);
    table[0] |= 1; /* that of the other components does not count */
    memset(table + 1, 255, 64 * (size_t)bytes);
    put_segment(&jpeg, 0xdb, table, 1 + 64 * (uint32_t)bytes);
    put_segment(&jpeg, 0xc0, frame, sizeof(frame));
    put_segment(&jpeg, 0xda, "\1\1\0\0\77\0", 6);
    return jpeg;
}

/* The sum of a table at each of these qualities, as libjpeg writes them. */
static void test_quality_of_a_jpeg(void **state) {
    static const uint8_t full[] = {0x11, 0x11, 0x11}, half[] = {0x22, 0x11, 0x11};
    static const struct {
        int sum, quality;
    } tables[] = {{64, 100}, {363, 95}, {734, 90}, {1849, 75}, {3688, 50}, {64 * 255, 1}};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (int bytes = 1; bytes <= 2; bytes++) {
            uint8_t values[64];
            for (int k = 0; k < 64; k++)
                values[k] = (uint8_t)(tables[i].sum * (k + 1) / 64 - tables[i].sum * k / 64);
            builder jpeg = jpeg_with_table(bytes, values, bytes == 1 ? full : half);
            probe_info info;
            assert_int_equal(probe_all(&jpeg, &info), SWIN2SR_OK);
            assert_true(info.is_lossy);
            assert_int_equal(info.is_subsampled, bytes == 2);
            assert_in_range(info.quality, tables[i].quality, tables[i].quality + (tables[i].quality == 1 ? 4 : 0));
        }
    builder none = jpeg_of(0xc0, 8, 7, 5, 3);
    probe_info info;
    assert_int_equal(probe_all(&none, &info), SWIN2SR_OK);
    assert_int_equal(info.quality, 0);
}

static void test_bytes_held_of_a_picture(void **state) {
    probe_info interlaced = {
        .format = FORMAT_PNG, .width_px = 9, .height_px = 5, .channels = 4, .is_progressive = true};
    probe_info turned = {.format = FORMAT_JPEG, .width_px = 9, .height_px = 5, .channels = 4, .orientation = 6};
    probe_info mirrored = {.format = FORMAT_PNG, .width_px = 9, .height_px = 5, .channels = 4, .orientation = 2};
    turned.codec_bytes = 1000;
    assert_int_equal(probe_held_bytes(&interlaced), 9 * 5 * 4);
    assert_int_equal(probe_held_bytes(&turned), 1000 + 9 * 5 * 4); /* inks; they become RGB row by row */
    interlaced.depth_bits = 16;
    assert_int_equal(probe_held_bytes(&interlaced), 9 * 5 * 4 * 2);
    assert_int_equal(probe_held_bytes(&mirrored), 0);
}

/* ---- EXIF ---- */

static bool read_block(void *context, uint64_t at, void *bytes, size_t size) {
    memcpy(bytes, (const uint8_t *)context + at, size);
    return true;
}

static int32_t orientation_of(const uint8_t *block, size_t size) {
    probe_source source = {read_block, (void *)block, size};
    probe_window window = {.source = &source};
    return probe_exif_orientation(&window, 0, size);
}

static void test_exif(void **state) {
    static const uint8_t good[] = "MM\0*\0\0\0\x8\0\1\1\x12\0\3\0\0\0\1\0\x8\0\0";
    uint8_t block[22];
    memcpy(block, good, sizeof(block));
    assert_int_equal(orientation_of(block, 22), 8);
    block[19] = 9; /* out of range */
    assert_int_equal(orientation_of(block, 22), 1);
    block[19] = 8;
    block[8] = 0xff; /* more entries than there is room for */
    assert_int_equal(orientation_of(block, 22), 8);
    memset(block + 4, 0xff, 4); /* a directory far away */
    assert_int_equal(orientation_of(block, 22), 1);
    for (size_t size = 0; size < 22; size++) {
        uint8_t *exact = malloc(size > 0 ? size : 1);
        memcpy(exact, good, size);
        assert_int_equal(orientation_of(exact, size), 1);
        free(exact);
    }
}

/* Every integer type of TIFF in both byte orders; texts, fractions and floats are no orientation. */
static void test_exif_types(void **state) {
    static const uint8_t bytes_of[14] = {[1] = 1, [3] = 2, [4] = 4, [6] = 1, [8] = 2, [9] = 4};
    for (int is_big_endian = 0; is_big_endian <= 1; is_big_endian++)
        for (uint8_t type = 0; type < 14; type++) {
            uint8_t block[22] = "II*\0\x8\0\0\0\1\0\x12\1\0\0\1\0\0\0";
            if (is_big_endian)
                memcpy(block, "MM\0*\0\0\0\x8\0\1\1\x12\0\0\0\0\0\1", 18);
            block[is_big_endian ? 13 : 12] = type;
            block[18 + (is_big_endian && bytes_of[type] ? bytes_of[type] - 1 : 0)] = 6;
            assert_int_equal(orientation_of(block, sizeof(block)), bytes_of[type] ? 6 : 1);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_png_kinds),
        cmocka_unit_test(test_png_chunks),
        cmocka_unit_test(test_png_refusals),
        cmocka_unit_test(test_apples_png),
        cmocka_unit_test(test_png_with_a_large_chunk),
        cmocka_unit_test(test_jpeg_with_many_segments),
        cmocka_unit_test(test_too_much_to_look_at),
        cmocka_unit_test(test_jpeg_kinds),
        cmocka_unit_test(test_jpeg_sizes),
        cmocka_unit_test(test_jpeg_segments),
        cmocka_unit_test(test_jpeg_refusals),
        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_bytes_held_of_a_jpeg),
        cmocka_unit_test(test_quality_of_a_jpeg),
        cmocka_unit_test(test_bytes_held_of_a_picture),
        cmocka_unit_test(test_exif),
        cmocka_unit_test(test_exif_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
