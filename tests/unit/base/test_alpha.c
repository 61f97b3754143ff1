/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/base/test_alpha.c - the alpha filter against the textbook formula, with the smallest ring. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alpha.h"

#define WIDTH 9
#define HEIGHT 14
#define STEP 3 /* samples are one channel of three */

static uint8_t source[HEIGHT][WIDTH * STEP];

/* Keys' cubic with a = -1/2. */
static double cubic(double distance) {
    double d = fabs(distance);
    if (d < 1)
        return (1.5 * d - 2.5) * d * d + 1;
    return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

static int clamp(int value, int last) {
    return value < 0 ? 0 : value > last ? last : value;
}

static double reference(int32_t scale, int32_t out_x, int32_t out_y) {
    double x = (out_x + 0.5) / scale - 0.5, y = (out_y + 0.5) / scale - 0.5, sum = 0;
    for (int at_y = (int)floor(y) - 1; at_y <= (int)floor(y) + 2; at_y++)
        for (int at_x = (int)floor(x) - 1; at_x <= (int)floor(x) + 2; at_x++)
            sum += cubic(y - at_y) * cubic(x - at_x) * source[clamp(at_y, HEIGHT - 1)][clamp(at_x, WIDTH - 1) * STEP];
    return sum < 0 ? 0 : sum > 255 ? 255 : sum;
}

/* Push rows no earlier than needed, lag_rows ahead at most, and compare every sample. */
static void assert_enlarges(int32_t scale, int32_t lag_rows) {
    swin2sr__alpha_ring ring;
    uint8_t row[WIDTH * SWIN2SR__ALPHA_MAX_SCALE * STEP];
    assert_int_equal(swin2sr__alpha_ring_init(&ring, WIDTH, HEIGHT, scale, lag_rows, 1, 1), SWIN2SR_OK);
    for (int32_t y = 0; y < HEIGHT * scale; y++) {
        while (ring.pushed < HEIGHT && ring.pushed < y / scale + 1 + lag_rows)
            swin2sr__alpha_ring_push(&ring, source[ring.pushed], STEP);
        assert_int_equal(swin2sr__alpha_ring_make(&ring, y, row, STEP, 0), SWIN2SR_OK);
        for (int32_t x = 0; x < WIDTH * scale; x++)
            if (fabs(row[x * STEP] - reference(scale, x, y)) > 1.5)
                fail_msg("scale %d, (%d, %d): %d, expected %.2f", scale, x, y, row[x * STEP], reference(scale, x, y));
    }
    swin2sr__alpha_ring_done(&ring);
}

static void test_like_the_formula(void **state) {
    static const int32_t scales[] = {1, 2, 3, 4, 8};
    for (size_t i = 0; i < sizeof(source); i++)
        ((uint8_t *)source)[i] = (uint8_t)(i * 7919 >> 3);
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        assert_enlarges(scales[i], 2);
        assert_enlarges(scales[i], 100);
    }
}

static void test_constants_stay(void **state) {
    static const uint8_t values[] = {0, 1, 128, 254, 255};
    for (size_t i = 0; i < sizeof(values); i++)
        for (int32_t scale = 1; scale <= SWIN2SR__ALPHA_MAX_SCALE; scale++) {
            swin2sr__alpha_ring ring;
            uint8_t row[SWIN2SR__ALPHA_MAX_SCALE * 2];
            assert_int_equal(swin2sr__alpha_ring_init(&ring, 2, 1, scale, 0, 1, 1), SWIN2SR_OK);
            swin2sr__alpha_ring_push(&ring, (uint8_t[]){values[i], values[i]}, 1);
            for (int32_t y = 0; y < scale; y++) {
                assert_int_equal(swin2sr__alpha_ring_make(&ring, y, row, 1, 0), SWIN2SR_OK);
                for (int32_t x = 0; x < 2 * scale; x++)
                    assert_int_equal(row[x], values[i]);
            }
            swin2sr__alpha_ring_done(&ring);
        }
}

static void test_rows_out_of_reach(void **state) {
    swin2sr__alpha_ring ring;
    uint8_t row[WIDTH * 2];
    assert_int_equal(swin2sr__alpha_ring_init(&ring, WIDTH, HEIGHT, 2, 2, 1, 1), SWIN2SR_OK);
    for (int y = 0; y < 2; y++)
        swin2sr__alpha_ring_push(&ring, source[y], STEP);
    assert_int_equal(swin2sr__alpha_ring_make(&ring, 2, row, 1, 0), SWIN2SR_INTERNAL); /* not there yet */
    for (int y = 2; y < 10; y++)
        swin2sr__alpha_ring_push(&ring, source[y], STEP);
    assert_int_equal(swin2sr__alpha_ring_make(&ring, 2, row, 1, 0), SWIN2SR_INTERNAL); /* gone */
    swin2sr__alpha_ring_done(&ring);
    assert_int_equal(swin2sr__alpha_ring_init(&ring, WIDTH, HEIGHT, SWIN2SR__ALPHA_MAX_SCALE + 1, 2, 1, 1),
                     SWIN2SR_UNSUPPORTED);
    swin2sr__alpha_ring_done(&ring);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_the_formula),
        cmocka_unit_test(test_constants_stay),
        cmocka_unit_test(test_rows_out_of_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
