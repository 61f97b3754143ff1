/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/enlarge/test_bleed.c - colours under transparency come from what is visible, never from the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enlarge/bleed.h"

#define WIDTH 40
#define HEIGHT 60
#define CHANNELS 4
#define SAMPLES (WIDTH * HEIGHT * CHANNELS)

typedef struct source {
    const void *rows;
    size_t row_bytes;
    int32_t y;
} source;

static swin2sr_status read_rows(void *context, void *rows, size_t stride_bytes, int32_t n, swin2sr_error *reterr) {
    source *from = context;
    for (int32_t i = 0; i < n; i++, from->y++)
        memcpy((uint8_t *)rows + (size_t)i * stride_bytes,
               (const uint8_t *)from->rows + (size_t)from->y * from->row_bytes, from->row_bytes);
    return SWIN2SR_OK;
}

static void run(const void *in, void *out, int32_t sample_bytes, int32_t n) {
    const image_info info = {
        .width_px = WIDTH, .height_px = HEIGHT, .channels = CHANNELS, .sample_bytes = sample_bytes};
    source from = {in, (size_t)(WIDTH * CHANNELS * sample_bytes), 0};
    bleed self = {.read = read_rows, .context = &from};
    assert_int_equal(bleed_open(&self, &info, NULL), SWIN2SR_OK);
    for (int32_t y = 0; y < HEIGHT; y += n)
        assert_int_equal(bleed_read(&self, (uint8_t *)out + (size_t)y * from.row_bytes, from.row_bytes,
                                    n < HEIGHT - y ? n : HEIGHT - y, NULL),
                         SWIN2SR_OK);
    bleed_done(&self);
}

/* An orange block in the middle, with a rim of half-transparent pixels; around it alpha 0 over any colour. */
static void draw(uint8_t *rows, uint8_t hidden) {
    for (int32_t y = 0; y < HEIGHT; y++)
        for (int32_t x = 0; x < WIDTH; x++, rows += CHANNELS) {
            int32_t dx = abs(x - 20), dy = abs(y - 30), far = dx > dy ? dx : dy;
            const uint8_t visible[] = {240, 140, 20, far == 6 ? 128 : 255};
            const uint8_t clear[] = {hidden, (uint8_t)(hidden * 3), hidden, 0};
            memcpy(rows, far <= 6 ? visible : clear, CHANNELS);
        }
}

static void hidden_colours_do_not_count(void **state) {
    static uint8_t black[SAMPLES], noise[SAMPLES], a[SAMPLES], b[SAMPLES];
    draw(black, 0);
    draw(noise, 77);
    for (int32_t n = 1; n <= 7; n += 3) {
        run(black, a, 1, n);
        run(noise, b, 1, 5);
        assert_memory_equal(a, b, SAMPLES);
    }
}

static void near_pixels_count_and_far_ones_are_grey(void **state) {
    static uint8_t in[SAMPLES], out[SAMPLES];
    draw(in, 0);
    run(in, out, 1, 8);
    for (size_t i = 0; i < SAMPLES; i += CHANNELS) {
        int32_t dx = abs((int32_t)(i / CHANNELS % WIDTH) - 20), dy = abs((int32_t)(i / CHANNELS / WIDTH) - 30);
        int32_t far = dx > dy ? dx : dy;
        assert_int_equal(out[i + 3], in[i + 3]);
        if (far <= 6)
            assert_memory_equal(out + i, in + i, CHANNELS);
        else if (far == 7 && dx != dy) /* beside the block */
            assert_true(out[i] > 230 && out[i + 1] > 130 && out[i + 2] < 30);
        else if (dx + dy > 40)
            assert_true(abs(out[i] - 128) < 3 && abs(out[i + 2] - 128) < 3);
    }
}

/* Where alpha is tiny, files that were stored premultiplied have few bits of colour. */
static void faint_pixels_lean_on_their_surroundings(void **state) {
    static uint8_t in[SAMPLES], out[SAMPLES];
    draw(in, 0);
    uint8_t *faint = in + (30 * WIDTH + 27) * CHANNELS;
    memcpy(faint, (const uint8_t[]){0, 0, 255, 1}, CHANNELS);
    run(in, out, 1, 8);
    const uint8_t *got = out + (faint - in);
    assert_int_equal(got[3], 1);
    assert_true(got[0] > 225 && got[2] < 40);
}

static void opaque_rows_stay(void **state) {
    static uint16_t in[SAMPLES], out[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++)
        in[i] = i % CHANNELS == 3 ? UINT16_MAX : (uint16_t)(i * 40503);
    run(in, out, 2, 9);
    assert_memory_equal(in, out, sizeof in);
}

static void sixteen_bits_are_as_eight(void **state) {
    static uint8_t in[SAMPLES], out[SAMPLES];
    static uint16_t deep_in[SAMPLES], deep_out[SAMPLES];
    draw(in, 0);
    for (size_t i = 0; i < SAMPLES; i++)
        deep_in[i] = (uint16_t)(in[i] * 257);
    run(in, out, 1, 4);
    run(deep_in, deep_out, 2, 4);
    for (size_t i = 0; i < SAMPLES; i++)
        assert_true(abs(deep_out[i] - out[i] * 257) <= 129);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hidden_colours_do_not_count),
        cmocka_unit_test(near_pixels_count_and_far_ones_are_grey),
        cmocka_unit_test(faint_pixels_lean_on_their_surroundings),
        cmocka_unit_test(opaque_rows_stay),
        cmocka_unit_test(sixteen_bits_are_as_eight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
