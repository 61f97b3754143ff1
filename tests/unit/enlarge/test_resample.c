/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/enlarge/test_resample.c - rows in another size: constants stay, light is kept, transparency has no colour,
 * every size comes out whole. tests/cli/test_targets.py compares with another implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enlarge/resample.h"

typedef struct size {
    int32_t width_px, height_px;
} size;

/* Resample rows [in.height][in.width][channels]. returns the result, which the caller frees. */
static uint8_t *run(const rows_kind *kind, size in, const uint8_t *rows, size out) {
    size_t pixel_bytes = (size_t)(kind->channels * kind->sample_bytes);
    size_t in_bytes = (size_t)in.width_px * pixel_bytes, out_bytes = (size_t)out.width_px * pixel_bytes;
    uint8_t *result = malloc(out_bytes * (size_t)out.height_px);
    resample *self = NULL;
    int32_t made = 0;
    assert_int_equal(resample_open(kind, in.width_px, in.height_px, out.width_px, out.height_px, &self), SWIN2SR_OK);
    for (int32_t y = 0; y < in.height_px; y++) {
        resample_push(self, rows + (size_t)y * in_bytes);
        const uint8_t *row = resample_next(self);
        for (; row; row = resample_next(self)) {
            assert_in_range(made, 0, out.height_px - 1);
            memcpy(result + (size_t)made++ * out_bytes, row, out_bytes);
        }
    }
    assert_int_equal(made, out.height_px);
    resample_close(self);
    return result;
}

static const size sizes[] = {{1, 1}, {1, 9}, {9, 1}, {2, 3}, {5, 5}, {31, 17}, {64, 48}, {200, 3}};
#define SIZES (sizeof sizes / sizeof sizes[0])

static void constants_stay(void **state) {
    for (size_t i = 0; i < SIZES; i++)
        for (size_t o = 0; o < SIZES; o++)
            for (int32_t channels = 1; channels <= 4; channels++)
                for (int32_t sample_bytes = 1; sample_bytes <= 2; sample_bytes++) {
                    rows_kind kind = {channels, channels - (channels % 2 == 0), sample_bytes};
                    size_t row = (size_t)(channels * sample_bytes);
                    size_t n = (size_t)sizes[i].width_px * (size_t)sizes[i].height_px * row;
                    uint8_t *rows = malloc(n);
                    memset(rows, 0x5a, n);
                    uint8_t *out = run(&kind, sizes[i], rows, sizes[o]);
                    for (size_t k = 0; k < (size_t)sizes[o].width_px * (size_t)sizes[o].height_px * row; k += row)
                        for (size_t c = 0; c < row; c += (size_t)sample_bytes) {
                            int value = sample_bytes == 1 ? out[k + c] : ((uint16_t *)(void *)(out + k + c))[0];
                            int expected = sample_bytes == 1 ? 0x5a : 0x5a5a;
                            assert_in_range(value, expected - 2 * (sample_bytes - 1),
                                            expected + 2 * (sample_bytes - 1));
                        }
                    free(rows);
                    free(out);
                }
}

/* Lines of black and white have half of the light of white, which is 188 and not 128. */
static void light_is_averaged(void **state) {
    uint8_t rows[64 * 64];
    const rows_kind kind = {1, 1, 1};
    for (size_t i = 0; i < sizeof rows; i++)
        rows[i] = i / 64 % 2 ? 255 : 0;
    uint8_t *out = run(&kind, (size){64, 64}, rows, (size){16, 16});
    for (size_t i = 3 * 16; i < 13 * 16; i++)
        assert_in_range(out[i], 186, 190);
    free(out);
}

static void hidden_colour_does_not_show(void **state) {
    uint8_t rows[32 * 32 * 4];
    const rows_kind kind = {4, 3, 1};
    for (size_t i = 0; i < 32 * 32; i++) { /* opaque blue beside transparent red */
        bool is_opaque = i % 32 < 16;
        memcpy(rows + 4 * i, is_opaque ? "\0\0\xff\xff" : "\xff\0\0\0", 4);
    }
    static const size outs[] = {{13, 13}, {77, 50}};
    for (size_t o = 0; o < 2; o++) {
        uint8_t *out = run(&kind, (size){32, 32}, rows, outs[o]);
        for (size_t i = 0; i < (size_t)outs[o].width_px * (size_t)outs[o].height_px; i++)
            if (out[4 * i + 3] > 8) {
                assert_in_range(out[4 * i], 0, 1);
                assert_in_range(out[4 * i + 2], 254, 255);
            }
        free(out);
    }
}

/* A part has the same bits as in the whole result. What lies outside of the reach of a change does not change. */
static void a_part_is_as_in_the_whole(void **state) {
    static const size in = {40, 30}, outs[] = {{160, 120}, {63, 47}, {40, 30}, {11, 90}, {3, 2}};
    static const changes_area changed = {17, 9, 5, 2};
    uint8_t rows[40 * 30 * 4];
    const rows_kind kind = {4, 3, 1};
    for (size_t i = 0; i < sizeof rows; i++)
        rows[i] = i % 4 == 3 ? 255 : (uint8_t)(i * i * 31 >> 5);
    for (size_t o = 0; o < sizeof outs / sizeof outs[0]; o++) {
        size out = outs[o];
        uint8_t *before = run(&kind, in, rows, out);
        for (int32_t y = changed.y; y < changed.y + changed.height_px; y++)
            memset(rows + 4 * (size_t)(y * 40 + changed.x), 255 - (int)o, 4 * (size_t)changed.width_px);
        uint8_t *after = run(&kind, in, rows, out);
        resample *self = NULL;
        assert_int_equal(resample_open(&kind, 40, 30, out.width_px, out.height_px, &self), SWIN2SR_OK);
        changes_area part = resample_reach(self, changed);
        assert_true(part.x >= 0 && part.y >= 0 && part.x + part.width_px <= out.width_px);
        assert_true(part.width_px > 0 && part.height_px > 0 && part.y + part.height_px <= out.height_px);
        int32_t y = resample_begin(self, part), made = 0;
        while (made < part.height_px) {
            assert_in_range(y, 0, 29);
            resample_push(self, rows + (size_t)y++ * 40 * 4);
            const uint8_t *row = resample_next(self);
            for (; row; row = resample_next(self), made++)
                memcpy(before + 4 * (size_t)((part.y + made) * out.width_px + part.x), row, 4 * (size_t)part.width_px);
        }
        assert_memory_equal(before, after, 4 * (size_t)out.width_px * (size_t)out.height_px);
        resample_close(self);
        free(before);
        free(after);
    }
}

static void nothing_reaches_nothing(void **state) {
    resample *self = NULL;
    const rows_kind kind = {4, 3, 1};
    assert_int_equal(resample_open(&kind, 40, 30, 20, 15, &self), SWIN2SR_OK);
    changes_area part = resample_reach(self, (changes_area){0});
    assert_int_equal(part.width_px, 0);
    assert_int_equal(part.height_px, 0);
    resample_close(self);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_stay),
        cmocka_unit_test(light_is_averaged),
        cmocka_unit_test(hidden_colour_does_not_show),
        cmocka_unit_test(a_part_is_as_in_the_whole),
        cmocka_unit_test(nothing_reaches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
