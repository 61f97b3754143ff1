/* SPDX-License-Identifier: Apache-2.0
 * tests/image/test_png_write.c - PNG files: filters against their definition, the bytes of a file for any number of
 * threads and any pieces of rows, and pixels that come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "image/image.h"
#include "image/png_filter.h"

/* ---- filters ---- */

#define PIXELS 67
#define MAX_PIXEL_BYTES 8

static int distance(int a, int b) {
    return a > b ? a - b : b - a;
}

/* As the PNG specification defines it, 9.2 to 9.4. */
static uint8_t filtered(const uint8_t *row, const uint8_t *above, size_t i, size_t pixel_bytes, int filter) {
    int a = i >= pixel_bytes ? row[i - pixel_bytes] : 0, b = above[i],
        c = i >= pixel_bytes ? above[i - pixel_bytes] : 0;
    int p = a + b - c, nearest = distance(p, a) <= distance(p, b) && distance(p, a) <= distance(p, c) ? a
                                 : distance(p, b) <= distance(p, c)                                   ? b
                                                                                                      : c;
    const int predicted[] = {0, a, b, (a + b) / 2, nearest};
    return (uint8_t)(row[i] - predicted[filter]);
}

static void check_filters(bool has_avx2) {
    uint8_t row[PIXELS * MAX_PIXEL_BYTES], above[sizeof row], found[sizeof row + 1], spare[sizeof row];
    uint32_t seed = 9;
    for (size_t pixel_bytes = 1; pixel_bytes <= MAX_PIXEL_BYTES; pixel_bytes++)
        for (size_t pixels = 1; pixels <= PIXELS; pixels += 11) {
            size_t n = pixels * pixel_bytes;
            for (size_t i = 0; i < n; i++) {
                seed = seed * 1664525u + 1013904223u;
                row[i] = (uint8_t)(seed >> 24);
                above[i] = (uint8_t)(seed >> (pixels % 2 ? 16 : 24)); /* unrelated, or equal */
            }
            png_row in = {row, above, n, pixel_bytes, has_avx2};
            uint32_t least = UINT32_MAX, sums[PNG_FILTER_OF_COUNT] = {0};
            for (int filter = 0; filter < PNG_FILTER_OF_COUNT; filter++) {
                png_filter_row(&in, (png_filter)filter, found);
                for (size_t i = 0; i < n; i++) {
                    assert_int_equal(found[i], filtered(row, above, i, pixel_bytes, filter));
                    sums[filter] += (uint32_t)abs((int8_t)found[i]);
                }
                least = sums[filter] < least ? sums[filter] : least;
            }
            png_filter_best(&in, PNG_FILTERS(PNG_FILTER_OF_COUNT) - 1, spare, found);
            assert_int_equal(sums[found[0]], least);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(found[1 + i], filtered(row, above, i, pixel_bytes, found[0]));
        }
}

static void filters_follow_the_specification(void **state) {
    check_filters(false);
    if (swin2sr__cpu_detect().has_avx2)
        check_filters(true);
}

static void checksums_are_those_of_zlib(void **state) {
    static const size_t sizes[] = {0, 1, 63, 64, 65, 1000, 65535, 65536, 65537, 131072, 300001};
    uint8_t *bytes = malloc(300001);
    for (int kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < 300001; i++)
            bytes[i] = kind == 0 ? 255 : (uint8_t)(i * i >> 5);
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            uint32_t expected = (uint32_t)adler32_z(1, bytes, sizes[s]);
            assert_int_equal(png_adler(bytes, sizes[s], false), expected);
            if (swin2sr__cpu_detect().has_avx2)
                assert_int_equal(png_adler(bytes, sizes[s], true), expected);
        }
    }
    free(bytes);
}

/* ---- files ---- */

typedef struct file {
    uint8_t *bytes;
    size_t size;
} file;

static bool take(void *context, const void *bytes, size_t size) {
    file *self = context;
    self->bytes = realloc(self->bytes, self->size + size);
    memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
    return true;
}

typedef struct picture {
    int32_t width_px, height_px, channels, sample_bytes;
    uint8_t *rows;
    size_t row_bytes;
} picture;

/* Smooth on the left, noise in the middle, bars on the right. */
static picture make_picture(int32_t width_px, int32_t height_px, int32_t channels, int32_t sample_bytes) {
    picture self = {width_px,     height_px, channels,
                    sample_bytes, NULL,      (size_t)width_px * (size_t)(channels * sample_bytes)};
    uint32_t seed = 1;
    self.rows = malloc(self.row_bytes * (size_t)height_px);
    for (int32_t y = 0; y < height_px; y++)
        for (size_t i = 0; i < self.row_bytes; i++) {
            size_t third = 3 * i / self.row_bytes;
            seed = seed * 1664525u + 1013904223u;
            self.rows[(size_t)y * self.row_bytes + i] = third == 0   ? (uint8_t)((size_t)y / 4 + i / 8)
                                                        : third == 1 ? (uint8_t)(seed >> 24)
                                                                     : (uint8_t)((i / 60 + (size_t)y / 9) % 2 * 200);
        }
    return self;
}

static file write_file(const picture *from, format_compression compression, swin2sr_threads *threads,
                       int32_t rows_at_once) {
    image_writer_options options = {
        .format = FORMAT_PNG, .compression = compression, .threads = threads, .sample_bytes = from->sample_bytes};
    image_writer *writer = NULL;
    file out = {0};
    assert_int_equal(
        image_writer_open(&options, from->width_px, from->height_px, from->channels, take, &out, &writer, NULL),
        SWIN2SR_OK);
    for (int32_t y = 0, n; y < from->height_px; y += n) {
        n = from->height_px - y < rows_at_once ? from->height_px - y : rows_at_once;
        assert_int_equal(image_writer_write(writer, from->rows + (size_t)y * from->row_bytes, from->row_bytes, n, NULL),
                         SWIN2SR_OK);
    }
    assert_int_equal(image_writer_finish(writer, NULL), SWIN2SR_OK);
    image_writer_close(writer);
    return out;
}

static void check_file(const picture *expected, const file *self) {
    image_reader *reader = NULL;
    const image_limits strict = {.is_strict = true};
    uint8_t *rows = malloc(expected->row_bytes * (size_t)expected->height_px);
    assert_int_equal(image_reader_open(self->bytes, self->size, &strict, &reader, NULL), SWIN2SR_OK);
    assert_int_equal(image_reader_info(reader)->channels, expected->channels);
    assert_int_equal(image_reader_info(reader)->sample_bytes, expected->sample_bytes);
    assert_int_equal(image_reader_read(reader, rows, expected->row_bytes, expected->height_px, NULL), SWIN2SR_OK);
    assert_memory_equal(rows, expected->rows, expected->row_bytes * (size_t)expected->height_px);
    image_reader_close(reader);
    free(rows);
}

static void files_do_not_depend_on_threads(void **state) {
    static const int32_t counts[] = {1, 2, 3, 8, 12};
    picture wide = make_picture(3000, 331, 3, 1); /* 23 strips of 14 rows, and one of 9 */
    for (int level = 0; level < FORMAT_COMPRESSION_COUNT; level++) {
        file expected = write_file(&wide, (format_compression)level, NULL, 331);
        check_file(&wide, &expected);
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            swin2sr_threads *threads = NULL;
            assert_int_equal(swin2sr_threads_new(counts[i], &threads, NULL), SWIN2SR_OK);
            file found = write_file(&wide, (format_compression)level, threads, 1 + 16 * (int32_t)i);
            assert_int_equal(found.size, expected.size);
            assert_memory_equal(found.bytes, expected.bytes, expected.size);
            free(found.bytes);
            swin2sr_threads_free(threads);
        }
        free(expected.bytes);
    }
    free(wide.rows);
}

static void every_kind_of_rows(void **state) {
    static const int32_t sizes[][2] = {{1, 1}, {1, 300}, {9000, 7}, {67, 5}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (int32_t channels = 1; channels <= 4; channels++)
            for (int32_t sample_bytes = 1; sample_bytes <= 2; sample_bytes++)
                for (int level = 0; level < FORMAT_COMPRESSION_COUNT; level++) {
                    picture small = make_picture(sizes[s][0], sizes[s][1], channels, sample_bytes);
                    file found = write_file(&small, (format_compression)level, NULL, 2);
                    check_file(&small, &found);
                    free(found.bytes);
                    free(small.rows);
                }
    picture widest = make_picture(65535, 2, 4, 2); /* a row is more than a strip has otherwise */
    file found = write_file(&widest, FORMAT_COMPRESSION_DEFAULT, NULL, 1);
    check_file(&widest, &found);
    free(found.bytes);
    free(widest.rows);
}

static void levels_differ_in_size(void **state) {
    picture wide = make_picture(1500, 400, 3, 1);
    file fast = write_file(&wide, FORMAT_COMPRESSION_FAST, NULL, 8);
    file middle = write_file(&wide, FORMAT_COMPRESSION_DEFAULT, NULL, 8);
    file best = write_file(&wide, FORMAT_COMPRESSION_BEST, NULL, 8);
    assert_true(best.size < middle.size && middle.size < fast.size);
    free(fast.bytes);
    free(middle.bytes);
    free(best.bytes);
    free(wide.rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_follow_the_specification),
        cmocka_unit_test(checksums_are_those_of_zlib),
        cmocka_unit_test(files_do_not_depend_on_threads),
        cmocka_unit_test(every_kind_of_rows),
        cmocka_unit_test(levels_differ_in_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
