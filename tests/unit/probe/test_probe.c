/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/probe/test_probe.c - headers built by hand: what is recognised, what is asked for, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probe/exif.h"
#include "probe/probe.h"

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

static void put_frame_header(builder *to, uint8_t marker, uint8_t depth_bits, uint32_t width, uint32_t height,
                             uint8_t channels) {
    uint8_t body[6 + 3 * 255] = {
        depth_bits, (uint8_t)(height >> 8), (uint8_t)height, (uint8_t)(width >> 8), (uint8_t)width, channels};
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
    size_t need = 0;
    return probe_bytes(file->data, file->size, true, ret_info, &need);
}

/* Every beginning of a good file asks for more, and gets there by giving just what was asked for. */
static void assert_can_be_fed(const builder *file, const probe_info *expected) {
    for (size_t size = 0, need = 0; size < file->size; size++) {
        probe_info info;
        uint8_t *exact = malloc(size > 0 ? size : 1);
        memcpy(exact, file->data, size);
        swin2sr_status status = probe_bytes(exact, size, false, &info, &need);
        if (status != SWIN2SR_OK) {
            assert_int_equal(status, SWIN2SR_BUSY);
            assert_true(need > size && need <= PROBE_MAX_BYTES);
            status = probe_bytes(exact, size, true, &info, &need);
            assert_int_equal(status, size == 0 ? SWIN2SR_UNSUPPORTED : SWIN2SR_CORRUPT);
        }
        free(exact);
    }
    size_t size = 0, need = 0;
    probe_info info = {0};
    while (probe_bytes(file->data, size, false, &info, &need) == SWIN2SR_BUSY) {
        assert_true(need > size && need <= file->size);
        size = need;
    }
    assert_int_equal(info.width_px, expected->width_px);
    assert_int_equal(info.height_px, expected->height_px);
    assert_int_equal(info.channels, expected->channels);
    assert_int_equal(info.frames, expected->frames);
    assert_int_equal(info.orientation, expected->orientation);
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
    put_chunk(&png, "IDAT", "", 0);
    assert_int_equal(probe_all(&png, &info), SWIN2SR_OK);
    assert_int_equal(info.height_px, 0x7fffffff);
    assert_int_equal(info.channels, 4);
    assert_true(info.has_alpha);
    assert_int_equal(info.frames, 258);
    assert_int_equal(info.orientation, 6);
    assert_can_be_fed(&png, &info);
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

static void test_header_too_large(void **state) {
    builder png = png_header(1, 1, 8, 2, 0);
    probe_info info;
    size_t need = 0;
    put_u32(&png, 0x7fffffff);
    put(&png, "tEXt", 4);
    assert_int_equal(probe_bytes(png.data, png.size, false, &info, &need), SWIN2SR_TOO_LARGE);
    assert_int_equal(probe_bytes(png.data, png.size, true, &info, &need), SWIN2SR_CORRUPT);
    uint8_t *fill = calloc(1, PROBE_MAX_BYTES + 1);
    assert_non_null(fill);
    memcpy(fill, "\xff\xd8\xff", 3);
    assert_int_equal(probe_bytes(fill, PROBE_MAX_BYTES + 1, true, &info, &need), SWIN2SR_TOO_LARGE);
    free(fill);
}

static void test_jpeg_kinds(void **state) {
    static const struct {
        uint8_t marker, depth_bits, channels;
        bool is_progressive;
        swin2sr_status status;
    } kinds[] = {
        {0xc0, 8, 3, false, SWIN2SR_OK},          {0xc1, 12, 1, false, SWIN2SR_OK},
        {0xc2, 8, 4, true, SWIN2SR_OK},           {0xc9, 8, 3, false, SWIN2SR_OK},
        {0xca, 8, 3, true, SWIN2SR_OK},           {0xc3, 8, 3, false, SWIN2SR_UNSUPPORTED},
        {0xc5, 8, 3, false, SWIN2SR_UNSUPPORTED}, {0xcf, 8, 3, false, SWIN2SR_UNSUPPORTED},
        {0xc0, 8, 2, false, SWIN2SR_UNSUPPORTED}, {0xc0, 16, 3, false, SWIN2SR_UNSUPPORTED},
        {0xc0, 8, 0, false, SWIN2SR_CORRUPT},
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
    assert_can_be_fed(&jpeg, &info);
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
    size_t need = 0;
    assert_int_equal(probe_bytes(NULL, 0, false, &info, &need), SWIN2SR_BUSY);
    assert_int_equal(probe_bytes(NULL, 0, true, &info, &need), SWIN2SR_UNSUPPORTED);
    assert_int_equal(probe_bytes("GIF89a", 6, false, &info, &need), SWIN2SR_UNSUPPORTED);
    assert_int_equal(probe_bytes("\xff\xd8 ", 3, false, &info, &need), SWIN2SR_UNSUPPORTED);
}

static void test_exif(void **state) {
    static const uint8_t good[] = "MM\0*\0\0\0\x8\0\1\1\x12\0\3\0\0\0\1\0\x8\0\0";
    uint8_t block[22];
    memcpy(block, good, sizeof(block));
    assert_int_equal(probe_exif_orientation(block, 22), 8);
    block[19] = 9; /* out of range */
    assert_int_equal(probe_exif_orientation(block, 22), 1);
    block[19] = 8;
    block[13] = 4; /* another type */
    assert_int_equal(probe_exif_orientation(block, 22), 1);
    block[13] = 3;
    block[8] = 0xff; /* more entries than there is room for */
    assert_int_equal(probe_exif_orientation(block, 22), 8);
    memset(block + 4, 0xff, 4); /* a directory far away */
    assert_int_equal(probe_exif_orientation(block, 22), 1);
    for (size_t size = 0; size < 22; size++) {
        uint8_t *exact = malloc(size > 0 ? size : 1);
        memcpy(exact, good, size);
        assert_int_equal(probe_exif_orientation(exact, size), 1);
        free(exact);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_png_kinds),     cmocka_unit_test(test_png_chunks),
        cmocka_unit_test(test_png_refusals),  cmocka_unit_test(test_header_too_large),
        cmocka_unit_test(test_jpeg_kinds),    cmocka_unit_test(test_jpeg_sizes),
        cmocka_unit_test(test_jpeg_segments), cmocka_unit_test(test_jpeg_refusals),
        cmocka_unit_test(test_other_files),   cmocka_unit_test(test_exif),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
