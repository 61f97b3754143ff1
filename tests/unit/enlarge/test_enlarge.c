/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/enlarge/test_enlarge.c - whole files through the built-in network, against swin2sr_upscale. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enlarge/enlarge.h"

#define SCALE 4
#define MAX_FILE_BYTES ((size_t)1 << 20)

static swin2sr_model *model;

typedef struct bytes {
    uint8_t *data;
    size_t size, fail_at; /* take() refuses to go beyond fail_at, when it is not 0 */
} bytes;

typedef struct picture {
    int32_t width_px, height_px, channels;
    uint8_t *rows;
} picture;

static size_t samples_of(const picture *image) {
    return (size_t)image->width_px * (size_t)image->height_px * (size_t)image->channels;
}

static picture picture_new(int32_t width_px, int32_t height_px, int32_t channels) {
    picture image = {width_px, height_px, channels, NULL};
    image.rows = malloc(samples_of(&image));
    assert_non_null(image.rows);
    return image;
}

/* Smooth colour; alpha, where there is one, runs from clear on the left to solid on the right. */
static picture gradient(int32_t width_px, int32_t height_px, int32_t channels) {
    picture image = picture_new(width_px, height_px, channels);
    for (int32_t i = 0, y = 0; y < height_px; y++)
        for (int32_t x = 0; x < width_px; x++)
            for (int32_t c = 0; c < channels; c++, i++)
                image.rows[i] = c == channels - 1 && channels % 2 == 0 ? (uint8_t)(x * 255 / (width_px - 1))
                                                                       : (uint8_t)(30 + c * 40 + x * 3 + y * 2);
    return image;
}

static bool take(void *context, const void *data, size_t size) {
    bytes *out = context;
    if ((out->fail_at > 0 && out->size + size > out->fail_at) || size > MAX_FILE_BYTES - out->size)
        return false;
    memcpy(out->data + out->size, data, size);
    out->size += size;
    return true;
}

static bytes bytes_new(void) {
    bytes out = {.data = malloc(MAX_FILE_BYTES)};
    assert_non_null(out.data);
    return out;
}

static bytes encode_png(const picture *image) {
    bytes file = bytes_new();
    image_writer *writer = NULL;
    image_writer_options options = {.format = FORMAT_PNG};
    size_t row_bytes = (size_t)image->width_px * (size_t)image->channels;
    assert_int_equal(
        image_writer_open(&options, image->width_px, image->height_px, image->channels, take, &file, &writer, NULL),
        SWIN2SR_OK);
    assert_int_equal(image_writer_write(writer, image->rows, row_bytes, image->height_px, NULL), SWIN2SR_OK);
    assert_int_equal(image_writer_finish(writer, NULL), SWIN2SR_OK);
    image_writer_close(writer);
    return file;
}

static picture decode(const bytes *file) {
    image_reader *reader = NULL;
    assert_int_equal(image_reader_open(file->data, file->size, NULL, &reader, NULL), SWIN2SR_OK);
    const image_info *info = image_reader_info(reader);
    picture image = picture_new(info->width_px, info->height_px, info->channels);
    size_t row_bytes = (size_t)info->width_px * (size_t)info->channels;
    assert_int_equal(image_reader_read(reader, image.rows, row_bytes, info->height_px, NULL), SWIN2SR_OK);
    image_reader_close(reader);
    return image;
}

/* Enlarge a picture through files; the result must be exactly SCALE times as large. */
static picture enlarge_with(const picture *image, const enlarge_options *options, enlarge_report *ret_report) {
    bytes in = encode_png(image), out = bytes_new();
    swin2sr_error error = {""};
    swin2sr_status status = enlarge_bytes(model, in.data, in.size, options, take, &out, ret_report, &error);
    if (status != SWIN2SR_OK)
        fail_msg("%s", error.text);
    picture result = decode(&out);
    assert_int_equal(result.width_px, image->width_px * SCALE);
    assert_int_equal(result.height_px, image->height_px * SCALE);
    free(in.data);
    free(out.data);
    return result;
}

static picture enlarge(const picture *image, format_id format, int32_t rows, enlarge_report *ret_report) {
    enlarge_options options = {.out = {.format = format}, .engine = {.rows = rows}};
    return enlarge_with(image, &options, ret_report);
}

/* What the network makes of a picture's colour, by the one-call interface. */
static swin2sr_image upscale_colour(const picture *image) {
    swin2sr_image in, out;
    assert_int_equal(swin2sr_image_alloc(image->width_px, image->height_px, SWIN2SR_PIXEL_RGB8, &in), SWIN2SR_OK);
    for (int32_t y = 0; y < image->height_px; y++)
        for (int32_t x = 0; x < image->width_px; x++)
            for (int32_t c = 0; c < 3; c++)
                ((uint8_t *)in.data)[(size_t)y * in.stride_bytes + (size_t)(x * 3 + c)] =
                    image->rows[(y * image->width_px + x) * image->channels + (image->channels > 2 ? c : 0)];
    assert_int_equal(swin2sr_upscale(model, &in, NULL, &out, NULL), SWIN2SR_OK);
    swin2sr_image_free(&in);
    return out;
}

static const uint8_t *pixel_of(const swin2sr_image *image, int32_t x, int32_t y) {
    return (const uint8_t *)image->data + (size_t)y * image->stride_bytes + (size_t)x * 3;
}

/* The colour of the result is the network's, sample for sample; grey is the rounded mean of its three outputs. */
static void assert_colour(const picture *image, const picture *result) {
    swin2sr_image expected = upscale_colour(image);
    const uint8_t *got = result->rows;
    for (int32_t y = 0; y < result->height_px; y++)
        for (int32_t x = 0; x < result->width_px; x++, got += result->channels) {
            const uint8_t *rgb = pixel_of(&expected, x, y);
            if (result->channels > 2)
                assert_memory_equal(got, rgb, 3);
            else
                assert_int_equal(got[0], (rgb[0] + rgb[1] + rgb[2] + 1) / 3);
        }
    swin2sr_image_free(&expected);
}

static void test_every_channel_count(void **state) {
    for (int32_t channels = 1; channels <= 4; channels++) {
        picture image = gradient(19, 13, channels);
        for (int32_t i = channels - 1; i < 19 * 13 * channels && channels % 2 == 0; i += channels)
            image.rows[i] |= 64; /* no colour is hidden */
        enlarge_report report = {0};
        picture result = enlarge(&image, FORMAT_PNG, 0, &report);
        assert_int_equal(result.channels, channels);
        assert_int_equal(report.channels, channels);
        assert_int_equal(report.in_width_px, 19);
        assert_int_equal(report.out_height_px, 13 * SCALE);
        assert_int_equal(report.notes, 0);
        assert_true(report.plan.memory_bytes > 0 && report.infer_us > 0);
        assert_colour(&image, &result);
        free(image.rows);
        free(result.rows);
    }
}

/* Alpha that changes along x only comes out the same in every row. */
static void assert_alpha_rises(const picture *image) {
    const uint8_t *first = image->rows + 3;
    int32_t last_x = image->width_px - 1;
    assert_int_equal(first[0], 0);
    assert_int_equal(first[last_x * 4], 255);
    for (int32_t x = 1; x <= last_x; x++)
        assert_true(first[x * 4] >= first[(x - 1) * 4]);
    for (int32_t y = 1; y < image->height_px; y++)
        for (int32_t x = 0; x <= last_x; x++)
            assert_int_equal(first[(y * image->width_px + x) * 4], first[x * 4]);
}

/* Taller than the ring of alpha rows, so that it wraps around; the network's lag depends on the rows of a step. */
static void test_alpha_of_a_tall_image(void **state) {
    static const int32_t rows[] = {1, 5, 64};
    picture image = gradient(9, 400, 4);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        picture result = enlarge(&image, FORMAT_PNG, rows[i], NULL);
        assert_alpha_rises(&result);
        free(result.rows);
    }
    free(image.rows);
}

static uint32_t random_below(uint32_t *seed, uint32_t limit) {
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 16) % limit;
}

/* Random sizes, tiles and overlaps; every third case has no overlap. */
static void test_alpha_with_any_tiles(void **state) {
    uint32_t seed = 20261128;
    for (int i = 0; i < 24; i++) {
        int32_t tile = 64 + 8 * (int32_t)random_below(&seed, 5), steps = 1 + (int32_t)random_below(&seed, tile / 32);
        enlarge_options options = {.out.format = FORMAT_PNG, .engine.tile_px = tile, .engine.threads = 1};
        options.engine.overlap_px = i % 3 ? 8 * steps : -1;
        picture image = picture_new(1 + (int32_t)random_below(&seed, i % 4 ? 24 : 150),
                                    1 + (int32_t)random_below(&seed, i % 4 ? 250 : 40), i % 2 ? 4 : 2);
        for (size_t at = 0; at < samples_of(&image); at++)
            image.rows[at] = (uint8_t)random_below(&seed, 256);
        picture tiled = enlarge_with(&image, &options, NULL), whole = enlarge(&image, FORMAT_PNG, 0, NULL);
        for (size_t at = (size_t)image.channels - 1; at < samples_of(&whole); at += (size_t)image.channels)
            if (tiled.rows[at] != whole.rows[at])
                fail_msg("%d x %d, tiles of %d, overlap %d: sample %zu", image.width_px, image.height_px, tile,
                         options.engine.overlap_px, at);
        free(image.rows);
        free(tiled.rows);
        free(whole.rows);
    }
}

static void test_alpha_over_white_in_jpeg(void **state) {
    for (int32_t channels = 2; channels <= 4; channels += 2) {
        picture image = gradient(16, 16, channels);
        for (int32_t i = channels - 1; i < 16 * 16 * channels; i += channels)
            image.rows[i] = 0;
        enlarge_report report = {0};
        picture result = enlarge(&image, FORMAT_JPEG, 0, &report);
        assert_int_equal(report.notes, NOTE_ALPHA_DROPPED);
        assert_int_equal(report.channels, channels - 1);
        assert_int_equal(result.channels, channels - 1);
        for (size_t i = 0; i < samples_of(&result); i++)
            assert_true(result.rows[i] >= 254);
        free(image.rows);
        free(result.rows);
    }
}

/* A white disc with a soft edge over any hidden colour: laid over white, nothing shows. */
static picture disc(uint8_t hidden) {
    picture image = picture_new(40, 40, 4);
    for (int32_t i = 0; i < 40 * 40; i++) {
        int32_t dx = i % 40 - 20, dy = i / 40 - 20, alpha = (144 - dx * dx - dy * dy) * 12 + 128;
        alpha = alpha < 0 ? 0 : alpha > 255 ? 255 : alpha;
        memset(image.rows + i * 4, alpha > 0 ? 255 : hidden, 3);
        image.rows[i * 4 + 3] = (uint8_t)alpha;
    }
    return image;
}

static void test_hidden_colours_do_not_show(void **state) {
    picture black = disc(0), green = disc(100);
    picture a = enlarge(&black, FORMAT_PNG, 0, NULL), b = enlarge(&green, FORMAT_PNG, 0, NULL);
    assert_memory_equal(a.rows, b.rows, samples_of(&a));
    for (size_t i = 0; i < samples_of(&a); i += 4)
        for (size_t c = 0; c < 3; c++) {
            int over_white = (a.rows[i + c] * a.rows[i + 3] + 255 * (255 - a.rows[i + 3])) / 255;
            if (over_white < 250)
                fail_msg("pixel %zu: %d over white", i / 4, over_white);
        }
    assert_int_equal(a.rows[0] | a.rows[1] | a.rows[2] | a.rows[3], 0); /* far from all that is visible */
    free(black.rows);
    free(green.rows);
    free(a.rows);
    free(b.rows);
}

/* ---- 16 bits ---- */

#define DEEP_WIDTH 17
#define DEEP_HEIGHT 12

/* A PNG of 16-bit samples whose low bytes are in use. */
static bytes encode_deep(int32_t channels, uint16_t *samples, size_t count) {
    bytes file = bytes_new();
    image_writer *writer = NULL;
    image_writer_options options = {.format = FORMAT_PNG, .sample_bytes = 2};
    for (size_t i = 0; i < count; i++)
        samples[i] = (uint16_t)(9000 + i * 31 % 40000);
    assert_int_equal(image_writer_open(&options, DEEP_WIDTH, DEEP_HEIGHT, channels, take, &file, &writer, NULL),
                     SWIN2SR_OK);
    assert_int_equal(image_writer_write(writer, samples, (size_t)(DEEP_WIDTH * channels * 2), DEEP_HEIGHT, NULL),
                     SWIN2SR_OK);
    assert_int_equal(image_writer_finish(writer, NULL), SWIN2SR_OK);
    image_writer_close(writer);
    return file;
}

/* The network's output for samples of 0..65535, as floats. */
static swin2sr_image upscale_deep(int32_t channels, const uint16_t *samples) {
    const swin2sr_options options = {.output_pixel = SWIN2SR_PIXEL_RGBF32};
    swin2sr_image in, out;
    assert_int_equal(swin2sr_image_alloc(DEEP_WIDTH, DEEP_HEIGHT, SWIN2SR_PIXEL_RGBF32, &in), SWIN2SR_OK);
    for (int32_t y = 0; y < DEEP_HEIGHT; y++)
        for (int32_t x = 0; x < DEEP_WIDTH; x++)
            for (int32_t c = 0; c < 3; c++)
                ((float *)in.data)[(size_t)y * in.stride_bytes / sizeof(float) + (size_t)(x * 3 + c)] =
                    (float)samples[(y * DEEP_WIDTH + x) * channels + (channels > 2 ? c : 0)] / 65535.0f;
    assert_int_equal(swin2sr_upscale(model, &in, &options, &out, NULL), SWIN2SR_OK);
    swin2sr_image_free(&in);
    return out;
}

/* Each sample of the result is that of the network's floats, rounded to 16 bits once. */
static void test_sixteen_bits_stay(void **state) {
    for (int32_t channels = 1; channels <= 4; channels++) {
        uint16_t samples[DEEP_WIDTH * DEEP_HEIGHT * 4];
        bytes in = encode_deep(channels, samples, (size_t)(DEEP_WIDTH * DEEP_HEIGHT * channels)), out = bytes_new();
        enlarge_options options = {.out.format = FORMAT_PNG};
        enlarge_report report = {0};
        image_reader *reader = NULL;
        assert_int_equal(enlarge_bytes(model, in.data, in.size, &options, take, &out, &report, NULL), SWIN2SR_OK);
        assert_int_equal(report.notes, 0);
        assert_int_equal(image_reader_open(out.data, out.size, NULL, &reader, NULL), SWIN2SR_OK);
        assert_int_equal(image_reader_info(reader)->sample_bytes, 2);
        swin2sr_image expected = upscale_deep(channels, samples);
        for (int32_t y = 0; y < DEEP_HEIGHT * SCALE; y++) {
            uint16_t row[DEEP_WIDTH * SCALE * 4];
            const float *rgb = (const float *)expected.data + (size_t)y * expected.stride_bytes / sizeof(float);
            assert_int_equal(image_reader_read(reader, row, 0, 1, NULL), SWIN2SR_OK);
            for (int32_t x = 0; x < DEEP_WIDTH * SCALE; x++, rgb += 3)
                for (int32_t c = 0; c < (channels > 2 ? 3 : 1); c++) {
                    double value = channels > 2 ? rgb[c] : ((double)rgb[0] + rgb[1] + rgb[2]) / 3;
                    value = value < 0 ? 0 : value > 1 ? 65535 : value * 65535;
                    assert_true(row[x * channels + c] > value - 0.6 && row[x * channels + c] < value + 0.6);
                }
        }
        image_reader_close(reader);
        swin2sr_image_free(&expected);
        free(in.data);
        free(out.data);
    }
}

static void test_sixteen_bits_reduced_for_jpeg(void **state) {
    uint16_t samples[DEEP_WIDTH * DEEP_HEIGHT * 4];
    bytes in = encode_deep(4, samples, DEEP_WIDTH * DEEP_HEIGHT * 4), out = bytes_new();
    enlarge_options options = {.out.format = FORMAT_JPEG};
    enlarge_report report = {0};
    assert_int_equal(enlarge_bytes(model, in.data, in.size, &options, take, &out, &report, NULL), SWIN2SR_OK);
    assert_int_equal(report.notes, NOTE_REDUCED_16 | NOTE_ALPHA_DROPPED);
    free(in.data);
    free(out.data);
}

/* ---- what stops it ---- */

static bool cancel(void *context, double done) {
    return false;
}

static swin2sr_status try_enlarge(const enlarge_options *options, size_t cut_bytes, size_t fail_at, bytes *out,
                                  swin2sr_error *reterr) {
    picture image = gradient(16, 16, 3);
    bytes in = encode_png(&image);
    out->size = 0;
    out->fail_at = fail_at;
    enlarge_report report = {.channels = 77};
    swin2sr_status status = enlarge_bytes(model, in.data, in.size - cut_bytes, options, take, out, &report, reterr);
    if (status != SWIN2SR_OK)
        assert_int_equal(report.channels, 77);
    free(in.data);
    free(image.rows);
    return status;
}

static void test_refusals(void **state) {
    enlarge_options plain = {.out.format = FORMAT_PNG},
                    small_in = {.out.format = FORMAT_PNG, .limits = {.pixels = 255}},
                    small_out = {.out.format = FORMAT_PNG, .out_pixels = 64 * 64 - 1};
    enlarge_options cancelled = {.out.format = FORMAT_PNG, .on_progress = cancel},
                    starved = {.out.format = FORMAT_PNG, .engine = {.memory_bytes = 1}};
    bytes out = bytes_new();
    swin2sr_error error = {""};
    assert_int_equal(try_enlarge(&plain, 0, 0, &out, &error), SWIN2SR_OK);
    assert_int_equal(try_enlarge(&small_in, 0, 0, &out, &error), SWIN2SR_TOO_LARGE);
    assert_int_equal(out.size, 0);
    assert_int_equal(try_enlarge(&small_out, 0, 0, &out, &error), SWIN2SR_TOO_LARGE);
    assert_string_equal(error.text, "the result would have 64 x 64 pixels; at most 4095 are allowed");
    assert_int_equal(out.size, 0);
    assert_int_equal(try_enlarge(&starved, 0, 0, &out, &error), SWIN2SR_TOO_LARGE);
    assert_int_equal(try_enlarge(&plain, 70, 0, &out, &error), SWIN2SR_CORRUPT);
    assert_string_equal(error.text, "the PNG is cut short");
    assert_int_equal(out.size, 0);
    assert_int_equal(try_enlarge(&plain, 0, 100, &out, &error), SWIN2SR_IO);
    assert_string_equal(error.text, "the output could not be written");
    assert_int_equal(try_enlarge(&cancelled, 0, 0, &out, &error), SWIN2SR_CANCELLED);
    assert_string_equal(error.text, "cancelled");
    free(out.data);
}

/* A file without its last byte gives the picture of the whole file and a note. If strict, it is refused at once. */
static void test_damaged_end(void **state) {
    picture image = gradient(16, 16, 3);
    bytes in = encode_png(&image), whole = bytes_new(), out = bytes_new();
    enlarge_options options = {.out.format = FORMAT_PNG}, strict = {.out.format = FORMAT_PNG};
    enlarge_report report = {0};
    swin2sr_error error = {""};
    strict.limits.is_strict = true;
    assert_int_equal(enlarge_bytes(model, in.data, in.size, &strict, take, &whole, &report, &error), SWIN2SR_OK);
    assert_null(report.damage);
    assert_int_equal(enlarge_bytes(model, in.data, in.size - 1, &options, take, &out, &report, &error), SWIN2SR_OK);
    assert_non_null(report.damage);
    assert_int_equal(out.size, whole.size);
    assert_memory_equal(out.data, whole.data, whole.size);
    out.size = 0;
    assert_int_equal(enlarge_bytes(model, in.data, in.size - 1, &strict, take, &out, &report, &error), SWIN2SR_CORRUPT);
    assert_string_equal(error.text, "the PNG has no valid IEND chunk at its end");
    assert_int_equal(out.size, 0);
    free(image.rows);
    free(in.data);
    free(whole.data);
    free(out.data);
}

static int open_model(void **state) {
    return swin2sr_model_open_default(NULL, &model, NULL);
}

static int close_model(void **state) {
    swin2sr_model_unref(model);
    return 0;
}

/* Of every kind of image: size, and colours that rise evenly from left to right as they did, up to the cut edges. */
static void large_images_are_reduced_first(void **state) {
    static const int32_t sizes[][4] = {{97, 60, 32, 20}, {60, 97, 20, 32}, {33, 33, 32, 32}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int32_t channels = 1; channels <= 4; channels++) {
            picture image = picture_new(sizes[i][0], sizes[i][1], channels);
            for (size_t at = 0; at < samples_of(&image); at++) {
                int32_t x = (int32_t)(at / (size_t)channels) % image.width_px;
                image.rows[at] = (uint8_t)(60 + 160 * x / image.width_px);
            }
            bytes file = encode_png(&image), out = bytes_new();
            enlarge_options options = {.out.format = FORMAT_PNG, .shrink_px = 32};
            enlarge_report report;
            assert_int_equal(enlarge_bytes(model, file.data, file.size, &options, take, &out, &report, NULL),
                             SWIN2SR_OK);
            assert_true(report.is_shrunk);
            assert_int_equal(report.in_width_px, image.width_px);
            picture result = decode(&out);
            assert_int_equal(result.width_px, SCALE * sizes[i][2]);
            assert_int_equal(result.height_px, SCALE * sizes[i][3]);
            assert_int_equal(result.channels, channels);
            const uint8_t *row = result.rows + (size_t)(result.height_px / 2 * result.width_px * channels);
            for (int32_t x = 16; x < result.width_px - 16; x++) /* the black pad reaches a few pixels in */
                for (int32_t c = 0; c < channels; c++)
                    assert_in_range(row[x * channels + c] + 100, 160 + 160 * x / result.width_px - 14,
                                    160 + 160 * x / result.width_px + 14);
            free(result.rows);
            free(out.data);
            free(file.data);
            free(image.rows);
        }
}

static void small_images_are_not_reduced(void **state) {
    picture image = gradient(32, 20, 3);
    bytes file = encode_png(&image), plain = bytes_new(), limited = bytes_new();
    enlarge_options options = {.out.format = FORMAT_PNG};
    enlarge_report report;
    assert_int_equal(enlarge_bytes(model, file.data, file.size, &options, take, &plain, NULL, NULL), SWIN2SR_OK);
    options.shrink_px = 32;
    assert_int_equal(enlarge_bytes(model, file.data, file.size, &options, take, &limited, &report, NULL), SWIN2SR_OK);
    assert_false(report.is_shrunk);
    assert_int_equal(plain.size, limited.size);
    assert_memory_equal(plain.data, limited.data, plain.size);
    free(plain.data);
    free(limited.data);
    free(file.data);
    free(image.rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_images_are_reduced_first),
        cmocka_unit_test(small_images_are_not_reduced),
        cmocka_unit_test(test_every_channel_count),
        cmocka_unit_test(test_alpha_of_a_tall_image),
        cmocka_unit_test(test_alpha_with_any_tiles),
        cmocka_unit_test(test_alpha_over_white_in_jpeg),
        cmocka_unit_test(test_damaged_end),
        cmocka_unit_test(test_hidden_colours_do_not_show),
        cmocka_unit_test(test_sixteen_bits_stay),
        cmocka_unit_test(test_sixteen_bits_reduced_for_jpeg),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
