/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/probe/test_probe_formats.c - headers of WebP, GIF and TIFF built by hand: what is found, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

/* A little-endian number. */
static void put_number(builder *to, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        put(to, (uint8_t[]){i < sizeof(value) ? (uint8_t)(value >> 8 * i) : 0}, 1);
}

static swin2sr_status probe_all(const builder *file, probe_info *ret_info, swin2sr_error *reterr) {
    return probe_bytes(file->data, file->size, ret_info, reterr);
}

/* Cut anywhere before needed, a file must be refused as cut short; from there on it must be read, and end tells whether
 * something is missing. */
static void assert_cuts(const builder *file, size_t needed, bool is_noticed) {
    for (size_t size = 1; size <= file->size; size++) {
        probe_info info;
        uint8_t *exact = malloc(size);
        memcpy(exact, file->data, size);
        swin2sr_status status = probe_bytes(exact, size, &info, NULL);
        if (status != (size >= needed ? SWIN2SR_OK : SWIN2SR_CORRUPT))
            fail_msg("cut to %zu of %zu bytes: %s", size, file->size, swin2sr_status_name(status));
        if (status == SWIN2SR_OK && is_noticed)
            assert_int_equal(info.is_cut_short, size < file->size);
        free(exact);
    }
}

/* ---- WebP ---- */

static void put_chunk(builder *to, const char *type, const void *body, size_t length) {
    put(to, type, 4);
    put_number(to, length, 4);
    put(to, body, length);
    if (length % 2)
        put(to, "", 1);
}

static void end_webp(builder *file) {
    file->data[4] = (uint8_t)(file->size - 8);
    file->data[5] = (uint8_t)((file->size - 8) >> 8);
}

static const uint8_t lossy[] = {0, 0, 0, 0x9d, 1, 0x2a, 7, 0, 5, 0, 99};
static const uint8_t lossless[] = {0x2f, 6, 0x00, 1, 0x10, 99}; /* 7 x 5 with alpha */

static void test_plain_webp(void **state) {
    builder file = {.size = 0}, second = {.size = 0};
    probe_info info;
    put(&file, "RIFF\0\0\0\0WEBP", 12);
    put_chunk(&file, "VP8 ", lossy, sizeof lossy);
    end_webp(&file);
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.format, FORMAT_WEBP);
    assert_int_equal(info.width_px * 100 + info.height_px, 705);
    assert_int_equal(info.channels, 3);
    assert_int_equal(info.frames, 1);
    assert_int_equal(probe_held_bytes(&info), 7 * 5 * 3);
    assert_cuts(&file, file.size - 1, true);
    put(&second, "RIFF\0\0\0\0WEBP", 12);
    put_chunk(&second, "VP8L", lossless, sizeof lossless);
    end_webp(&second);
    assert_int_equal(probe_all(&second, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.width_px * 100 + info.height_px, 705);
    assert_true(info.has_alpha && info.channels == 4);
    assert_int_equal(probe_held_bytes(&info), 7 * 5 * 8);
    second.data[20] = 0x2e;
    assert_int_equal(probe_all(&second, &info, NULL), SWIN2SR_CORRUPT);
}

static void test_extended_webp(void **state) {
    builder file = {.size = 0};
    probe_info info;
    put(&file, "RIFF\0\0\0\0WEBP", 12);
    put_chunk(&file, "VP8X", "\x18\0\0\0\6\0\0\4\0\0", 10);
    put_chunk(&file, "ICCP", "not looked at", 13);
    put_chunk(&file, "VP8 ", lossy, sizeof lossy);
    size_t pixels_end = file.size;
    put_chunk(&file, "EXIF", "MM\0*\0\0\0\x8\0\1\1\x12\0\3\0\0\0\1\0\6\0\0", 22);
    end_webp(&file);
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.width_px * 100 + info.height_px, 705);
    assert_int_equal(info.orientation, 6);
    assert_true(info.has_alpha);
    assert_cuts(&file, pixels_end - 1, true);
}

static void test_animated_webp(void **state) {
    builder file = {.size = 0}, frame = {.size = 0};
    probe_info info;
    put_number(&frame, 0, 16);
    put_chunk(&frame, "ALPH", "abc", 3);
    put_chunk(&frame, "VP8 ", lossy, sizeof lossy);
    put(&file, "RIFF\0\0\0\0WEBP", 12);
    put_chunk(&file, "VP8X", "\2\0\0\0\x63\0\0\x31\0\0", 10); /* 100 x 50 */
    put_chunk(&file, "ANIM", "\0\0\0\0\0\0", 6);
    put_chunk(&file, "ANMF", frame.data, frame.size);
    size_t first_end = file.size;
    put_chunk(&file, "ANMF", frame.data, frame.size);
    end_webp(&file);
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.width_px * 100 + info.height_px, 10050);
    assert_int_equal(info.frames, 2);
    assert_int_equal(info.channels, 4);
    assert_true(probe_held_bytes(&info) >= 100 * 50 * 8);
    assert_cuts(&file, first_end, true);
}

/* ---- GIF ---- */

static void put_frame(builder *file, uint8_t left, uint8_t flags) {
    put(file, (uint8_t[]){0x2c, left, 0, 0, 0, 7, 0, 5, 0, flags}, 10);
    if (flags & 0x80)
        put_number(file, 0, 6);
    put(file, "\2\2ab\1c\0", 7);
}

static void test_gif(void **state) {
    builder file = {.size = 0};
    probe_info info;
    put(&file, "GIF89a\7\0\5\0\x80\0\0abcdef", 19);
    put(&file, "!\xfe\3abc\2de\0", 10);
    put_frame(&file, 0, 0x40);
    size_t first_end = file.size;
    put(&file, ";", 1);
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.format, FORMAT_GIF);
    assert_int_equal(info.width_px * 100 + info.height_px, 705);
    assert_int_equal(info.channels, 3);
    assert_int_equal(info.frames, 1);
    assert_true(info.is_progressive);
    assert_int_equal(probe_held_bytes(&info), 7 * 5 * 4);
    assert_cuts(&file, first_end, true);
    file.size--;
    put(&file, "!\xf9\4\1\0\0\0\0", 8);
    put_frame(&file, 1, 0x80);
    put(&file, ";", 1);
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.frames, 2);
    assert_false(info.has_alpha); /* the first frame covers the canvas */
    assert_cuts(&file, first_end, true);
}

static void test_gif_with_transparency(void **state) {
    builder file = {.size = 0};
    probe_info info;
    put(&file, "GIF87a\7\0\5\0\0\0\0!\xf9\4\1\0\0\0\0", 21);
    put_frame(&file, 0, 0x80);
    put(&file, ";", 1);
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.channels, 4);
    file.data[16] = 0;
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.channels, 3);
    file.data[22] = 1; /* it begins in the second column */
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.channels, 4);
    file.data[26] = 0; /* no width */
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_CORRUPT);
    file.data[6] = 0;
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_CORRUPT);
}

/* ---- TIFF ---- */

typedef struct tag {
    uint16_t number;
    uint32_t value, count;
} tag;

/* Values lie in the entries: two shorts, or one long. */
static builder tiff_of(const tag *tags, size_t count) {
    builder file = {.size = 0};
    put(&file, "II*\0\x8\0\0\0", 8);
    put_number(&file, count, 2);
    for (size_t i = 0; i < count; i++) {
        put_number(&file, tags[i].number, 2);
        put_number(&file, tags[i].count > 1 ? 3 : 4, 2);
        put_number(&file, tags[i].count ? tags[i].count : 1, 4);
        put_number(&file, tags[i].value, 4);
    }
    put_number(&file, 8, 4); /* the next directory is this one */
    return file;
}

#define USUAL                                             \
    {256, 7, 1}, {257, 5, 1}, {258, 8, 1}, {273, 8, 1}, { \
        279, 35, 1                                        \
    }
enum {
    USUAL_COUNT = 5
};

static void test_tiff(void **state) {
    const tag tags[] = {USUAL, {262, 1, 1}, {274, 6, 1}};
    builder file = tiff_of(tags, 7);
    probe_info info;
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(info.format, FORMAT_TIFF);
    assert_int_equal(info.width_px * 100 + info.height_px, 705);
    assert_int_equal(info.channels, 1);
    assert_int_equal(info.depth_bits, 8);
    assert_int_equal(info.orientation, 6);
    assert_int_equal(info.codec_bytes, 0);
    assert_cuts(&file, file.size, false);
}

static void assert_tiff(tag first, tag second, tag third, swin2sr_status expected, const char *detail) {
    const tag tags[] = {USUAL, first, second, third};
    builder file = tiff_of(tags, USUAL_COUNT + (second.number ? 2 : 1) + (third.number ? 1 : 0));
    probe_info info;
    swin2sr_error error = {""};
    assert_int_equal(probe_all(&file, &info, &error), expected);
    if (!strstr(error.text, detail))
        fail_msg("\"%s\" does not say \"%s\"", error.text, detail);
}

static void test_tiff_refusals(void **state) {
    const tag none = {0}, grey = {262, 1, 1};
    assert_tiff(none, none, none, SWIN2SR_UNSUPPORTED, "these colours");
    assert_tiff(grey, (tag){259, 4, 1}, none, SWIN2SR_UNSUPPORTED, "compression");
    assert_tiff(grey, (tag){339, 3, 1}, none, SWIN2SR_UNSUPPORTED, "samples of this kind");
    assert_tiff(grey, (tag){258, 8 | 16 << 16, 2}, none, SWIN2SR_UNSUPPORTED, "samples of this kind");
    assert_tiff(grey, (tag){258, 32, 1}, none, SWIN2SR_UNSUPPORTED, "samples of this kind");
    assert_tiff(grey, (tag){277, 9, 1}, none, SWIN2SR_UNSUPPORTED, "number of samples");
    assert_tiff(grey, (tag){254, 1, 1}, none, SWIN2SR_UNSUPPORTED, "preview");
    assert_tiff(grey, (tag){50706, 1, 1}, none, SWIN2SR_UNSUPPORTED, "preview");
    assert_tiff((tag){262, 2, 1}, none, none, SWIN2SR_UNSUPPORTED, "number of samples");
    assert_tiff((tag){262, 6, 1}, (tag){277, 3, 1}, none, SWIN2SR_UNSUPPORTED, "YCbCr");
    assert_tiff((tag){262, 32803, 1}, none, none, SWIN2SR_UNSUPPORTED, "these colours");
    assert_tiff(grey, (tag){322, 8192, 1}, (tag){323, 8192, 1}, SWIN2SR_UNSUPPORTED, "tiles");
    assert_tiff(grey, (tag){322, 16, 1}, none, SWIN2SR_CORRUPT, "damaged");
    assert_tiff(grey, (tag){256, 0, 1}, none, SWIN2SR_CORRUPT, "damaged");
    assert_tiff(grey, (tag){278, 0, 1}, none, SWIN2SR_CORRUPT, "damaged");
    assert_tiff(grey, (tag){258, 0xfffffff0, 1000000}, none, SWIN2SR_CORRUPT, "cut short"); /* values outside */
}

static void test_bytes_held_of_a_tiff(void **state) {
    const tag tiled[] = {USUAL, {262, 2, 1}, {277, 3, 1}, {322, 16, 1}, {323, 16, 1}};
    const tag planes[] = {USUAL, {262, 2, 1}, {277, 3, 1}, {278, 2, 1}, {284, 2, 1}};
    builder file = tiff_of(tiled, 9);
    probe_info info;
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(probe_held_bytes(&info), (5 * 7 + 16 * 16) * 3);
    file = tiff_of(planes, 9);
    assert_int_equal(probe_all(&file, &info, NULL), SWIN2SR_OK);
    assert_int_equal(probe_held_bytes(&info), (2 * 7 + 2 * 7) * 3);
}

static void test_damaged_directories(void **state) {
    probe_info info;
    static const struct {
        const char *bytes;
        size_t size;
    } files[] = {{"II*\0\xff\xff\xff\xff", 8},
                 {"II*\0\x8\0\0\0\0\0", 10},
                 {"II*\0\x8\0\0\0\xff\xff", 10},
                 {"MM\0+\0\x8\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16},
                 {"II+\0\x8\0\0\0\x10\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 24}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        assert_int_equal(probe_bytes(files[i].bytes, files[i].size, &info, NULL), SWIN2SR_CORRUPT);
    assert_int_equal(probe_bytes("II+\0\x4\0\0\0", 8, &info, NULL), SWIN2SR_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_webp),
        cmocka_unit_test(test_extended_webp),
        cmocka_unit_test(test_animated_webp),
        cmocka_unit_test(test_gif),
        cmocka_unit_test(test_gif_with_transparency),
        cmocka_unit_test(test_tiff),
        cmocka_unit_test(test_tiff_refusals),
        cmocka_unit_test(test_bytes_held_of_a_tiff),
        cmocka_unit_test(test_damaged_directories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
