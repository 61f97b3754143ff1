/* SPDX-License-Identifier: Apache-2.0
 * tests/image/test_image.c - readers and writers on real files (data/, made by make_data.py).
 * Damaged ends of files: test_damage.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/image.h"
#include "reading.h"

static void assert_fails(bytes file, swin2sr_status expected, const char *detail) {
    picture got = {0};
    swin2sr_error error = {""};
    swin2sr_status status = decode(file, NULL, 4, &got, &error);
    if (status == SWIN2SR_OK)
        free(got.rows);
    assert_int_equal(status, expected);
    if (strstr(error.text, detail) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, detail);
}

/* ---- reading what is right ---- */

typedef struct sample_file {
    const char *name, *extension, *expected;
    int tolerance; /* of a sample: JPEG decoders may round differently */
    bool is_16;
} sample_file;

static const sample_file sample_files[] = {
    {"grey", "png", "grey", 0, false},
    {"grey_alpha", "png", "grey_alpha", 0, false},
    {"rgb", "png", "rgb", 0, false},
    {"rgba", "png", "rgba", 0, false},
    {"grey_1", "png", "grey_1", 0, false},
    {"grey_2", "png", "grey_2", 0, false},
    {"grey_4", "png", "grey_4", 0, false},
    {"grey_16", "png", "grey_16", 0, true},
    {"grey_alpha_16", "png", "grey_alpha_16", 0, true},
    {"rgb_16", "png", "rgb_16", 0, true},
    {"rgba_16", "png", "rgba_16", 0, true},
    {"grey_interlaced", "png", "grey_interlaced", 0, false},
    {"grey_alpha_interlaced", "png", "grey_alpha_interlaced", 0, false},
    {"rgb_interlaced", "png", "rgb_interlaced", 0, false},
    {"rgba_interlaced", "png", "rgba_interlaced", 0, false},
    {"grey_key", "png", "grey_key", 0, false},
    {"palette", "png", "palette", 0, false},
    {"palette_alpha", "png", "palette_alpha", 0, false},
    {"rgb_odd_chunks", "png", "rgb_odd_chunks", 0, false},
    {"colour_444", "jpg", "colour_444", 1, false},
    {"colour_420", "jpg", "colour_420", 1, false},
    {"colour_progressive", "jpg", "colour_progressive", 1, false},
    {"grey_baseline", "jpg", "grey_baseline", 1, false},
    {"cmyk", "jpg", "cmyk", 1, false},
    {"tiff_rgb", "tif", "tiff_rgb", 0, false},
    {"tiff_big", "tif", "tiff_big", 0, false},
    {"tiff_motorola", "tif", "tiff_motorola", 0, false},
    {"tiff_rgba", "tif", "tiff_rgba", 0, false},
    {"tiff_extra", "tif", "tiff_extra", 0, false},
    {"tiff_grey", "tif", "tiff_grey", 0, false},
    {"tiff_white", "tif", "tiff_white", 0, false},
    {"tiff_grey_1", "tif", "tiff_grey_1", 0, false},
    {"tiff_grey_2", "tif", "tiff_grey_2", 0, false},
    {"tiff_grey_4", "tif", "tiff_grey_4", 0, false},
    {"tiff_palette", "tif", "tiff_palette", 0, false},
    {"tiff_16", "tif", "tiff_16", 0, true},
    {"tiff_motorola_16", "tif", "tiff_motorola_16", 0, true},
    {"tiff_planes", "tif", "tiff_planes", 0, false},
    {"tiff_tiles", "tif", "tiff_tiles", 0, false},
    {"tiff_tiles_planes", "tif", "tiff_tiles_planes", 0, false},
    {"tiff_deflate", "tif", "tiff_deflate", 0, false},
    {"tiff_cmyk", "tif", "tiff_cmyk", 0, false},
    {"tiff_multiplied", "tif", "tiff_multiplied", 0, false},
    {"tiff_lzw", "tif", "tiff_lzw", 0, false},
    {"tiff_packbits", "tif", "tiff_packbits", 0, false},
    {"tiff_jpeg", "tif", "tiff_jpeg", 1, false},
    {"webp_lossy", "webp", "webp_lossy", 0, false},
    {"webp_lossless", "webp", "webp_lossless", 0, false},
    {"webp_alpha", "webp", "webp_alpha", 0, false},
    {"webp_lossless_alpha", "webp", "webp_lossless_alpha", 0, false},
    {"gif_plain", "gif", "gif_plain", 0, false},
    {"gif_interlaced", "gif", "gif_interlaced", 0, false},
    {"gif_key", "gif", "gif_key", 0, false},
    {"gif_placed", "gif", "gif_placed", 0, false},
};

static void assert_decodes(bytes file, const sample_file *sample, int32_t strip_rows) {
    bytes expected = load(sample->expected, "raw");
    picture got = {0};
    swin2sr_error error;
    swin2sr_status status = decode(file, NULL, strip_rows, &got, &error);
    if (status != SWIN2SR_OK)
        fail_msg("%s.%s: %s", sample->name, sample->extension, error.text);
    assert_int_equal(got.info.width_px, expected.data[0]);
    assert_int_equal(got.info.height_px, expected.data[1]);
    assert_int_equal(got.info.channels, expected.data[2]);
    assert_int_equal(got.info.sample_bytes, sample->is_16 ? 2 : 1);
    assert_int_equal(picture_bytes(&got), expected.size - 3);
    for (size_t i = 0; i < picture_bytes(&got) / (size_t)got.info.sample_bytes; i++) {
        const uint8_t *raw = expected.data + 3 + i * (size_t)got.info.sample_bytes;
        int value = sample->is_16 ? ((const uint16_t *)(const void *)got.rows)[i] : got.rows[i];
        int right = sample->is_16 ? raw[0] | raw[1] << 8 : raw[0];
        if (abs(value - right) > sample->tolerance)
            fail_msg("%s.%s: sample %zu is %d, expected %d", sample->name, sample->extension, i, value, right);
    }
    free(got.rows);
    free(expected.data);
}

static void test_every_kind(void **state) {
    for (size_t i = 0; i < sizeof(sample_files) / sizeof(sample_files[0]); i++) {
        bytes file = load(sample_files[i].name, sample_files[i].extension);
        assert_decodes(file, &sample_files[i], 3);
        free(file.data);
    }
}

/* Eight ways to store one picture. The JPEG's colours are off by 2 at most, the same in all eight. */
static void test_orientations(void **state) {
    static const char *const extensions[] = {"png", "jpg"};
    for (int orientation = 1; orientation <= 8; orientation++)
        for (int i = 0; i < 2; i++) {
            char name[32];
            snprintf(name, sizeof(name), "orient_%d", orientation);
            bytes file = load(name, extensions[i]);
            sample_file sample = {name, extensions[i], "orient", i == 0 ? 0 : 2, false};
            assert_decodes(file, &sample, 1);
            assert_decodes(file, &sample, 5);
            free(file.data);
        }
}

static void assert_memory(const char *name, const char *extension, size_t expected) {
    bytes file = load(name, extension);
    image_reader *reader = NULL;
    assert_int_equal(image_reader_open(file.data, file.size, NULL, &reader, NULL), SWIN2SR_OK);
    assert_int_equal(image_reader_info(reader)->memory_bytes, expected);
    image_reader_close(reader);
    free(file.data);
}

static void test_memory_held(void **state) {
    assert_memory("rgb", "png", 0);
    assert_memory("orient_2", "jpg", 0);
    assert_memory("rgb_interlaced", "png", 17 * 11 * 3);
    assert_memory("orient_6", "png", 24 * 16 * 3);
    /* 4:2:0, 17 x 11: luma 4 x 2 blocks, twice 2 x 1 of colour, of 64 coefficients of 2 bytes */
    assert_memory("colour_progressive", "jpg", (8 + 2 + 2) * 128);
}

static void test_bytes_after_the_end_are_ignored(void **state) {
    static const char *const names[][2] = {{"rgb", "png"}, {"colour_420", "jpg"}};
    for (int i = 0; i < 2; i++) {
        bytes file = load(names[i][0], names[i][1]);
        file.data = realloc(file.data, file.size + 100);
        memset(file.data + file.size, 0x5a, 100);
        file.size += 100;
        sample_file sample = {names[i][0], names[i][1], names[i][0], 1, false};
        assert_decodes(file, &sample, 4);
        free(file.data);
    }
}

static void test_reading_too_much(void **state) {
    bytes file = load("grey", "png");
    uint8_t rows[17 * 12];
    image_reader *reader = NULL;
    assert_int_equal(image_reader_open(file.data, file.size, NULL, &reader, NULL), SWIN2SR_OK);
    assert_int_equal(image_reader_read(reader, rows, 17, 12, NULL), SWIN2SR_INVALID);
    assert_int_equal(image_reader_read(reader, rows, 17, 11, NULL), SWIN2SR_OK);
    assert_int_equal(image_reader_read(reader, rows, 17, 0, NULL), SWIN2SR_OK);
    assert_int_equal(image_reader_read(reader, rows, 17, 1, NULL), SWIN2SR_INVALID);
    image_reader_close(reader);
    free(file.data);
}

/* ---- files that users reported ---- */

#define REPORTS "../fixtures/reports/"

static void assert_same(bytes file, const char *expected_path, bool is_damaged) {
    bytes expected_file = load_path(expected_path);
    picture got = {0}, expected = {0};
    swin2sr_error error = {""};
    assert_int_equal(decode(expected_file, NULL, 4, &expected, NULL), SWIN2SR_OK);
    if (decode(file, NULL, 4, &got, &error) != SWIN2SR_OK)
        fail_msg("like %s: %s", expected_path, error.text);
    assert_int_equal(got.info.damage != NULL, is_damaged);
    assert_int_equal(picture_bytes(&got), picture_bytes(&expected));
    assert_memory_equal(got.rows, expected.rows, picture_bytes(&expected));
    free(got.rows);
    free(expected.rows);
    free(expected_file.data);
}

static void test_reported_files(void **state) {
    static const struct {
        const char *path, *expected;
        bool is_damaged;
    } files[] = {
        {REPORTS "jpeg-no-eoi.jpg", REPORTS "plain.jpg", true},
        {REPORTS "jpeg-no-eoi-phone-trailer.jpg", REPORTS "plain.jpg", true},
        {REPORTS "png-no-iend.png", REPORTS "plain.png", true},
        {REPORTS "png-window-understated.png", REPORTS "png-window-whole.png", false},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        bytes file = load_path(files[i].path);
        assert_same(file, files[i].expected, files[i].is_damaged);
        free(file.data);
    }
    bytes turned = load_path(REPORTS "jpeg-orientation-long.jpg"), apple = load_path(REPORTS "png-cgbi.png");
    picture got = {0};
    assert_int_equal(decode(turned, NULL, 4, &got, NULL), SWIN2SR_OK);
    assert_int_equal(got.info.width_px, 36);
    assert_int_equal(got.info.height_px, 48);
    assert_fails(apple, SWIN2SR_UNSUPPORTED, "CgBI");
    free(got.rows);
    free(turned.data);
    free(apple.data);
}

/* Insert count pieces of metadata at at: each has a head and size zero bytes. */
static bytes with_metadata(bytes file, size_t at, const char *head, size_t head_bytes, size_t size, size_t count) {
    size_t part = head_bytes + size, all = file.size + part * count;
    bytes made = {calloc(1, all), all};
    assert_non_null(made.data);
    memcpy(made.data, file.data, at);
    for (size_t i = 0; i < count; i++)
        memcpy(made.data + at + i * part, head, head_bytes);
    memcpy(made.data + at + part * count, file.data + at, file.size - at);
    return made;
}

/* A text chunk of 1.2 MB (its checksum is wrong, too), 2 MB of XMP, and a profile in 20 segments. */
static void test_large_metadata(void **state) {
    bytes png = load_path(REPORTS "plain.png"), jpeg = load_path(REPORTS "plain.jpg");
    bytes large_png = with_metadata(png, 33, "\0\x12\x4f\x80tEXt", 8, 1200000 + 4, 1);
    bytes large_jpeg = with_metadata(jpeg, 2, "\xff\xe1\xff\xff", 4, 65533, 32);
    bytes profile = with_metadata(jpeg, 2, "\xff\xe2\xff\xff", 4, 65533, 20);
    assert_same(large_png, REPORTS "plain.png", false);
    assert_same(large_jpeg, REPORTS "plain.jpg", false);
    assert_same(profile, REPORTS "plain.jpg", false);
    free(png.data);
    free(jpeg.data);
    free(large_png.data);
    free(large_jpeg.data);
    free(profile.data);
}

/* ---- reading what is wrong ---- */

static const char *const hostile_samples[][2] = {
    {"rgb", "png"},         {"rgba_interlaced", "png"},    {"palette_alpha", "png"}, {"orient_5", "png"},
    {"colour_420", "jpg"},  {"colour_progressive", "jpg"}, {"cmyk", "jpg"},          {"orient_7", "jpg"},
    {"tiff_rgb", "tif"},    {"tiff_big", "tif"},           {"tiff_motorola", "tif"}, {"tiff_palette", "tif"},
    {"tiff_jpeg", "tif"},   {"tiff_tiles_planes", "tif"},  {"tiff_deflate", "tif"},  {"tiff_lzw", "tif"},
    {"webp_lossy", "webp"}, {"webp_lossless", "webp"},     {"webp_alpha", "webp"},   {"webp_lossless_alpha", "webp"},
    {"gif_plain", "gif"},   {"gif_interlaced", "gif"},     {"gif_key", "gif"},       {"gif_placed", "gif"},
};
#define HOSTILE_SAMPLES (sizeof(hostile_samples) / sizeof(hostile_samples[0]))

/* If all rows of a cut file can be read, they must be those of the whole file. test_damage.c checks which can. */
static void test_cut_at_every_byte(void **state) {
    for (size_t i = 0; i < HOSTILE_SAMPLES; i++) {
        bytes file = load(hostile_samples[i][0], hostile_samples[i][1]);
        picture whole = {0}, got = {0};
        assert_int_equal(decode(file, NULL, 4, &whole, NULL), SWIN2SR_OK);
        assert_null(whole.info.damage);
        for (size_t size = 0; size < file.size; size++) {
            bytes cut = copy_bytes(file.data, size);
            swin2sr_error error = {""};
            swin2sr_status status = decode(cut, NULL, 4, &got, &error);
            if (status == SWIN2SR_OK) {
                assert_non_null(got.info.damage);
                assert_memory_equal(got.rows, whole.rows, picture_bytes(&whole));
                free(got.rows);
            } else if (status != (size == 0 ? SWIN2SR_UNSUPPORTED : SWIN2SR_CORRUPT) || error.text[0] == '\0') {
                fail_msg("%s.%s cut to %zu of %zu bytes: %s, %s", hostile_samples[i][0], hostile_samples[i][1], size,
                         file.size, swin2sr_status_name(status), error.text);
            }
            free(cut.data);
        }
        free(whole.rows);
        free(file.data);
    }
}

/* Any status is correct; this test is for the sanitizers. */
static void test_any_byte_changed(void **state) {
    static const uint8_t masks[] = {0xff, 0x01, 0x80};
    for (size_t i = 0; i < HOSTILE_SAMPLES; i++) {
        bytes file = load(hostile_samples[i][0], hostile_samples[i][1]);
        for (size_t at = 0; at < file.size; at++)
            for (size_t mask = 0; mask < sizeof(masks); mask++) {
                image_limits limits = {.pixels = 1000000};
                picture got = {0};
                file.data[at] ^= masks[mask];
                if (decode(file, &limits, 64, &got, NULL) == SWIN2SR_OK)
                    free(got.rows);
                file.data[at] ^= masks[mask];
            }
        free(file.data);
    }
}

static void test_not_an_image(void **state) {
    uint8_t noise[4096];
    uint32_t seed = 12345;
    for (size_t i = 0; i < sizeof(noise); i++) {
        seed = seed * 1664525 + 1013904223;
        noise[i] = (uint8_t)(seed >> 24);
    }
    assert_fails((bytes){noise, sizeof(noise)}, SWIN2SR_UNSUPPORTED, "not a PNG, JPEG, WebP, GIF or TIFF");
    assert_fails((bytes){noise, 0}, SWIN2SR_UNSUPPORTED, "not a PNG, JPEG, WebP, GIF or TIFF");
    assert_fails((bytes){(uint8_t *)"RIFF....WAVEfmt ", 16}, SWIN2SR_UNSUPPORTED, "not a PNG, JPEG, WebP, GIF or TIFF");
    memcpy(noise, "\xff\xd8\xff", 3);
    assert_fails((bytes){noise, sizeof(noise)}, SWIN2SR_CORRUPT, "header");
    memcpy(noise, "\x89PNG\r\n\x1a\n", 8);
    assert_fails((bytes){noise, sizeof(noise)}, SWIN2SR_CORRUPT, "header");
}

static void test_limits(void **state) {
    bytes huge = load("rgb", "png");
    memset(huge.data + 16, 0, 8);
    memset(huge.data + 18, 0xff, 2);
    memset(huge.data + 22, 0xff, 2);
    assert_fails(huge, SWIN2SR_TOO_LARGE, "65535 x 65535");
    huge.data[17] = 1; /* a side over 65535 is over any limit */
    assert_fails(huge, SWIN2SR_TOO_LARGE, "at most 65535");
    free(huge.data);

    bytes file = load("rgb", "png");
    picture got = {0};
    swin2sr_error error;
    assert_int_equal(decode(file, &(image_limits){.pixels = 17 * 11 - 1}, 4, &got, &error), SWIN2SR_TOO_LARGE);
    assert_int_equal(decode(file, &(image_limits){.side_px = 16}, 4, &got, &error), SWIN2SR_TOO_LARGE);
    assert_int_equal(decode(file, &(image_limits){.pixels = 17 * 11, .side_px = 17}, 4, &got, &error), SWIN2SR_OK);
    free(got.rows);
    free(file.data);
}

/* The entry of a tag in the directory of a TIFF of 32 bits, little endian. */
static uint8_t *tiff_entry(bytes file, uint16_t tag) {
    uint32_t directory;
    memcpy(&directory, file.data + 4, sizeof(directory));
    for (uint8_t *entry = file.data + directory + 2; entry + 12 <= file.data + file.size; entry += 12)
        if ((entry[0] | entry[1] << 8) == tag)
            return entry;
    fail_msg("no tag %u", tag);
    return NULL;
}

static void set_tiff_value(bytes file, uint16_t tag, uint32_t value) {
    uint8_t *entry = tiff_entry(file, tag);
    memcpy(entry + 8, &value, sizeof(value));
}

/* One strip, its bytes at 8, then the directory. Of an uncompressed strip libtiff corrects the number of bytes. */
static void test_hostile_tiff(void **state) {
    static const struct {
        uint16_t tag;
        uint32_t value;
        swin2sr_status expected;
        const char *detail;
    } changes[] = {
        {273, 0, SWIN2SR_CORRUPT, "missing"}, {273, 0xfffffff0, SWIN2SR_CORRUPT, "cut short"},
        {257, 12, SWIN2SR_CORRUPT, ""},       {257, 65535, SWIN2SR_CORRUPT, ""},
        {259, 8, SWIN2SR_CORRUPT, "damaged"}, {259, 5, SWIN2SR_CORRUPT, "damaged"},
        {259, 7, SWIN2SR_CORRUPT, "damaged"}, {277, 1, SWIN2SR_UNSUPPORTED, "samples per"},
        {277, 0, SWIN2SR_CORRUPT, "damaged"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        bytes file = load("tiff_extra", "tif");
        set_tiff_value(file, changes[i].tag, changes[i].value);
        assert_fails(file, changes[i].expected, changes[i].detail);
        free(file.data);
    }
    bytes circle = load("tiff_extra", "tif"), sparse = load("tiff_deflate", "tif");
    uint32_t byte_counts;
    memcpy(&byte_counts, tiff_entry(sparse, 279) + 8, sizeof(byte_counts));
    memset(sparse.data + byte_counts + 4, 0,
           4); /* the second strip is missing, as some programs leave out black ones */
    assert_fails(sparse, SWIN2SR_CORRUPT, "missing");
    free(sparse.data);
    uint32_t directory = (uint32_t)(tiff_entry(circle, 256) - 2 - circle.data), count = circle.data[directory];
    memcpy(circle.data + directory + 2 + 12 * count, &directory, sizeof(directory));
    assert_decodes(circle, &(sample_file){"circle", "tif", "tiff_extra", 0, false}, 4);
    memset(tiff_entry(circle, 258) + 4, 0xff, 4); /* four billion values of one tag */
    assert_fails(circle, SWIN2SR_CORRUPT, "");
    free(circle.data);
}

/* A few bytes that ask for much memory are refused by the limits, before any of it is allocated. */
static void test_bombs(void **state) {
    static const uint8_t gif[] = "GIF89a\xff\xff\xff\xff\x80\0\0abcdef,\0\0\0\0\1\0\1\0\0\2\2\x44\1\0;";
    static const uint8_t webp[] = "RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0";
    assert_fails((bytes){(uint8_t *)gif, sizeof(gif) - 1}, SWIN2SR_TOO_LARGE, "65535 x 65535");
    assert_fails((bytes){(uint8_t *)webp, sizeof(webp) - 1}, SWIN2SR_TOO_LARGE, "16384 x 16384");
}

static size_t find_marker(bytes file, uint8_t marker) {
    for (size_t at = 0; at + 1 < file.size; at++)
        if (file.data[at] == 0xff && file.data[at + 1] == marker)
            return at;
    fail_msg("no marker %02x", marker);
    return 0;
}

static void test_unsupported_jpeg(void **state) {
    bytes file = load("colour_444", "jpg");
    size_t header = find_marker(file, 0xc0);
    file.data[header + 4] = 12;
    assert_fails(file, SWIN2SR_UNSUPPORTED, "12 bits");
    file.data[header + 4] = 8;
    file.data[header + 1] = 0xc3; /* lossless */
    assert_fails(file, SWIN2SR_UNSUPPORTED, "kind");
    free(file.data);
}

/* A progressive file can repeat its first scan many times in a few bytes. */
static void test_too_many_scans(void **state) {
    static uint8_t bomb[MAX_FILE_BYTES];
    bytes file = load("colour_progressive", "jpg");
    size_t scan = find_marker(file, 0xda), end = scan + 2;
    while (file.data[end] != 0xff || file.data[end + 1] == 0)
        end++;
    size_t size = end;
    memcpy(bomb, file.data, end);
    for (int i = 0; i < 150; i++, size += end - scan)
        memcpy(bomb + size, file.data + scan, end - scan);
    memcpy(bomb + size, file.data + end, file.size - end);
    assert_fails((bytes){bomb, size + file.size - end}, SWIN2SR_TOO_LARGE, "scans");
    free(file.data);
}

/* ---- writing ---- */

typedef struct output {
    uint8_t data[MAX_FILE_BYTES];
    size_t size, fail_at; /* the sink refuses to go beyond fail_at, when it is not 0 */
} output;

static bool take(void *context, const void *data, size_t size) {
    output *out = context;
    if ((out->fail_at > 0 && out->size + size > out->fail_at) || size > sizeof(out->data) - out->size)
        return false;
    memcpy(out->data + out->size, data, size);
    out->size += size;
    return true;
}

#define OUT_WIDTH 40
#define OUT_HEIGHT 30

static swin2sr_status encode(const image_writer_options *options, int32_t channels, const uint8_t *rows, output *out,
                             swin2sr_error *reterr) {
    image_writer *writer = NULL;
    size_t row_bytes = (size_t)OUT_WIDTH * (size_t)channels;
    swin2sr_status status = image_writer_open(options, OUT_WIDTH, OUT_HEIGHT, channels, take, out, &writer, reterr);
    for (int32_t y = 0; y < OUT_HEIGHT && status == SWIN2SR_OK; y += 5)
        status = image_writer_write(writer, rows + (size_t)y * row_bytes, row_bytes, 5, reterr);
    if (status == SWIN2SR_OK)
        status = image_writer_finish(writer, reterr);
    image_writer_close(writer);
    return status;
}

static void fill_smooth(uint8_t *rows, int32_t channels) {
    for (int32_t y = 0; y < OUT_HEIGHT; y++)
        for (int32_t x = 0; x < OUT_WIDTH; x++)
            for (int32_t c = 0; c < channels; c++)
                *rows++ = (uint8_t)(c == 0 ? x * 5 : c == 1 ? y * 7 : 2 * (x + y));
}

/* Grey may have become three equal colours. GIF has mixed colours of one palette: their mean must be right. */
static void assert_same_samples(const picture *got, const uint8_t *rows, int32_t channels, int tolerance) {
    int32_t colours = channels < 3 ? 1 : 3, got_channels = got->info.channels;
    bool is_gif = got->info.format == FORMAT_GIF;
    double difference = 0;
    for (size_t i = 0; i < (size_t)OUT_WIDTH * OUT_HEIGHT; i++) {
        int alpha = channels > colours ? rows[(i + 1) * (size_t)channels - 1] : 255;
        if (channels > colours)
            assert_int_equal(got->rows[(i + 1) * (size_t)got_channels - 1], !is_gif ? alpha : alpha < 128 ? 0 : 255);
        for (int32_t c = 0; c < colours && (alpha >= 128 || !is_gif); c++) {
            int is = got->rows[i * (size_t)got_channels + (size_t)c], was = rows[i * (size_t)channels + (size_t)c];
            assert_in_range(is + 255, was + 255 - tolerance, was + 255 + tolerance);
            difference += is - was;
        }
    }
    assert_true(fabs(difference / (OUT_WIDTH * OUT_HEIGHT * 3)) < 1);
}

static void test_round_trip(void **state) {
    static uint8_t rows[OUT_WIDTH * OUT_HEIGHT * 4];
    static output out;
    for (int format = FORMAT_UNKNOWN + 1; format < FORMAT_COUNT; format++)
        for (int32_t channels = 1; channels <= 4; channels += format == FORMAT_JPEG ? 2 : 1) {
            bool is_lossless = format == FORMAT_PNG || format == FORMAT_TIFF || format == FORMAT_WEBP;
            bool has_grey = format != FORMAT_WEBP && format != FORMAT_GIF;
            image_writer_options options = {.format = (format_id)format,
                                            .quality = format == FORMAT_WEBP ? FORMAT_LOSSLESS_QUALITY : 0};
            swin2sr_error error;
            picture got = {0};
            out.size = 0;
            fill_smooth(rows, channels);
            assert_int_equal(encode(&options, channels, rows, &out, &error), SWIN2SR_OK);
            bytes file = copy_bytes(out.data, out.size);
            assert_int_equal(decode(file, NULL, 7, &got, &error), SWIN2SR_OK);
            assert_int_equal(got.info.channels, channels < 3 && !has_grey ? channels + 2 : channels);
            assert_same_samples(&got, rows, channels, is_lossless ? 0 : format == FORMAT_GIF ? 60 : 4);
            free(got.rows);
            free(file.data);
        }
}

/* 16-bit rows come back as they were from the formats that have them. */
static void test_round_trip_of_16_bits(void **state) {
    static uint16_t rows[OUT_WIDTH * OUT_HEIGHT * 4];
    static output out;
    for (int format = FORMAT_UNKNOWN + 1; format < FORMAT_COUNT; format++)
        for (int32_t channels = 1; channels <= 4 && format_get((format_id)format)->has_16; channels++) {
            image_writer_options options = {.format = (format_id)format, .sample_bytes = 2};
            picture got = {0};
            size_t row_bytes = OUT_WIDTH * (size_t)channels * 2;
            for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                rows[i] = (uint16_t)(i * 517);
            out.size = 0;
            image_writer *writer = NULL;
            assert_int_equal(image_writer_open(&options, OUT_WIDTH, OUT_HEIGHT, channels, take, &out, &writer, NULL),
                             SWIN2SR_OK);
            assert_int_equal(image_writer_write(writer, rows, row_bytes, OUT_HEIGHT, NULL), SWIN2SR_OK);
            assert_int_equal(image_writer_finish(writer, NULL), SWIN2SR_OK);
            image_writer_close(writer);
            bytes file = copy_bytes(out.data, out.size);
            assert_int_equal(decode(file, NULL, 7, &got, NULL), SWIN2SR_OK);
            assert_int_equal(got.info.sample_bytes, 2);
            assert_memory_equal(got.rows, rows, row_bytes * OUT_HEIGHT);
            free(got.rows);
            free(file.data);
        }
}

static bool contains(const output *out, const char *word) {
    return memmem(out->data, out->size, word, strlen(word)) != NULL;
}

static void test_what_is_written(void **state) {
    static uint8_t rows[OUT_WIDTH * OUT_HEIGHT * 3];
    static output out;
    fill_smooth(rows, 3);
    assert_int_equal(encode(&(image_writer_options){.format = FORMAT_PNG}, 3, rows, &out, NULL), SWIN2SR_OK);
    assert_true(contains(&out, "sRGB"));
    /* luma sampling factors in the frame header: 1x1 (4:4:4) above quality 90, else 2x2 (4:2:0) */
    for (int32_t quality = 90; quality <= 91; quality++) {
        out.size = 0;
        image_writer_options options = {.format = FORMAT_JPEG, .quality = quality};
        assert_int_equal(encode(&options, 3, rows, &out, NULL), SWIN2SR_OK);
        size_t header = find_marker((bytes){out.data, out.size}, 0xc0);
        assert_int_equal(out.data[header + 11], quality == 90 ? 0x22 : 0x11);
    }
}

/* More effort makes a WebP smaller, and where nothing is lost, what it shows is the same. */
static void test_levels_of_webp(void **state) {
    static const format_compression levels[] = {FORMAT_COMPRESSION_FAST, FORMAT_COMPRESSION_DEFAULT,
                                                FORMAT_COMPRESSION_BEST};
    static uint8_t rows[OUT_WIDTH * OUT_HEIGHT * 3];
    static output out;
    fill_smooth(rows, 3);
    for (size_t i = 0; i < sizeof(rows); i++)
        rows[i] = (uint8_t)(rows[i] / 2 + i * i % 61);
    for (int32_t quality = 75; quality <= FORMAT_LOSSLESS_QUALITY; quality += 25) {
        size_t sizes[3];
        for (int i = 0; i < 3; i++) {
            image_writer_options options = {.format = FORMAT_WEBP, .quality = quality, .compression = levels[i]};
            picture got = {0};
            out.size = 0;
            assert_int_equal(encode(&options, 3, rows, &out, NULL), SWIN2SR_OK);
            sizes[i] = out.size;
            bytes file = copy_bytes(out.data, out.size);
            assert_int_equal(decode(file, NULL, 7, &got, NULL), SWIN2SR_OK);
            if (quality == FORMAT_LOSSLESS_QUALITY)
                assert_same_samples(&got, rows, 3, 0);
            free(got.rows);
            free(file.data);
        }
        if (quality < FORMAT_LOSSLESS_QUALITY)
            assert_true(sizes[0] > sizes[1] && sizes[1] > sizes[2]);
        else /* libwebp guesses what is best, which may be worse for so small a picture */
            assert_true(sizes[0] != sizes[1]);
    }
}

static void test_failing_sink(void **state) {
    static uint8_t rows[OUT_WIDTH * OUT_HEIGHT * 3];
    static output out;
    for (int format = FORMAT_UNKNOWN + 1; format < FORMAT_COUNT; format++) {
        image_writer_options options = {.format = (format_id)format};
        swin2sr_error error = {""};
        out.fail_at = 0;
        out.size = 0;
        assert_int_equal(encode(&options, 3, rows, &out, &error), SWIN2SR_OK);
        for (size_t whole = out.size, fail_at = 1; fail_at < whole; fail_at++) {
            out.fail_at = fail_at;
            out.size = 0;
            assert_int_equal(encode(&options, 3, rows, &out, &error), SWIN2SR_IO);
            assert_string_equal(error.text, "the output could not be written");
        }
    }
}

static swin2sr_status try_open(image_writer_options options, int32_t width_px, int32_t height_px, int32_t channels) {
    static output out;
    image_writer *writer = NULL;
    out.size = 0;
    swin2sr_status status = image_writer_open(&options, width_px, height_px, channels, take, &out, &writer, NULL);
    image_writer_close(writer);
    return status;
}

static void test_writer_refusals(void **state) {
    image_writer_options png = {.format = FORMAT_PNG}, jpeg = {.format = FORMAT_JPEG};
    assert_int_equal(try_open(jpeg, 65501, 8, 3), SWIN2SR_TOO_LARGE);
    assert_int_equal(try_open(jpeg, 65500, 8, 3), SWIN2SR_OK);
    assert_int_equal(try_open(png, 65535 * 8, 8, 3), SWIN2SR_OK);
    assert_int_equal(try_open(jpeg, 8, 8, 4), SWIN2SR_INVALID);
    assert_int_equal(try_open(png, 8, 8, 5), SWIN2SR_INVALID);
    assert_int_equal(try_open(png, 0, 8, 3), SWIN2SR_INVALID);
    assert_int_equal(try_open((image_writer_options){.format = FORMAT_JPEG, .quality = 101}, 8, 8, 3), SWIN2SR_INVALID);
    assert_int_equal(try_open((image_writer_options){.format = FORMAT_COUNT}, 8, 8, 3), SWIN2SR_INVALID);
}

static void test_row_count(void **state) {
    static output out;
    uint8_t rows[8 * 3] = {0};
    image_writer *writer = NULL;
    assert_int_equal(
        image_writer_open(&(image_writer_options){.format = FORMAT_PNG}, 8, 2, 1, take, &out, &writer, NULL),
        SWIN2SR_OK);
    assert_int_equal(image_writer_write(writer, rows, 8, 3, NULL), SWIN2SR_INVALID);
    assert_int_equal(image_writer_write(writer, rows, 8, 1, NULL), SWIN2SR_OK);
    assert_int_equal(image_writer_finish(writer, NULL), SWIN2SR_INVALID);
    assert_int_equal(image_writer_write(writer, rows, 8, 1, NULL), SWIN2SR_OK);
    assert_int_equal(image_writer_finish(writer, NULL), SWIN2SR_OK);
    image_writer_close(writer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_orientations),
        cmocka_unit_test(test_memory_held),
        cmocka_unit_test(test_bytes_after_the_end_are_ignored),
        cmocka_unit_test(test_reading_too_much),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_any_byte_changed),
        cmocka_unit_test(test_not_an_image),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_hostile_tiff),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_unsupported_jpeg),
        cmocka_unit_test(test_too_many_scans),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_round_trip_of_16_bits),
        cmocka_unit_test(test_what_is_written),
        cmocka_unit_test(test_levels_of_webp),
        cmocka_unit_test(test_failing_sink),
        cmocka_unit_test(test_writer_refusals),
        cmocka_unit_test(test_row_count),
        cmocka_unit_test(test_reported_files),
        cmocka_unit_test(test_large_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
