/* SPDX-License-Identifier: Apache-2.0
 * tests/image/test_palette.c - the colours of a GIF: few are kept exactly, many are mixed to the right mean. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/palette.h"

#define SIDE 128

static void draw(palette *self, const uint8_t *pixels, int32_t channels, uint8_t *indices) {
    for (int32_t y = 0; y < SIDE; y++)
        palette_draw(self, 0, y, pixels + (size_t)(y * SIDE * channels), SIDE, channels, indices + y * SIDE);
}

static void few_colours_are_exact(void **state) {
    static uint8_t pixels[SIDE * SIDE * 4], indices[SIDE * SIDE];
    const uint8_t(*colours)[3];
    palette *self = NULL;
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        uint8_t colour = (uint8_t)(i % 255);
        memcpy(pixels + 4 * i, (uint8_t[]){colour, (uint8_t)(colour * 7), (uint8_t)(255 - colour), i % 3 ? 255 : 0}, 4);
    }
    assert_int_equal(palette_new(&self), SWIN2SR_OK);
    palette_add(self, pixels, SIDE * SIDE, 4, 2);
    assert_int_equal(palette_choose(self, false, false), SWIN2SR_OK);
    assert_int_equal(palette_size(self, &colours), 171); /* those of opaque pixels, and the transparent one */
    assert_int_equal(palette_key(self), 170);
    assert_false(palette_has_partial_alpha(self));
    draw(self, pixels, 4, indices);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        if (i % 3)
            assert_memory_equal(colours[indices[i]], pixels + 4 * i, 3);
        else
            assert_int_equal(indices[i], 170);
    palette_free(self);
}

/* Over areas of 16 x 16, the mean of the mixed colours is that of the picture, within 2 of 255. */
static void many_colours_are_mixed(void **state) {
    static uint8_t pixels[SIDE * SIDE * 3], indices[SIDE * SIDE];
    const uint8_t(*colours)[3];
    palette *self = NULL;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            uint8_t *pixel = pixels + (y * SIDE + x) * 3;
            pixel[0] = (uint8_t)(40 + x);
            pixel[1] = (uint8_t)(60 + y);
            pixel[2] = (uint8_t)(200 - (x + y) / 2);
        }
    assert_int_equal(palette_new(&self), SWIN2SR_OK);
    palette_add(self, pixels, SIDE * SIDE, 3, 2);
    assert_int_equal(palette_choose(self, true, false), SWIN2SR_OK);
    assert_int_equal(palette_size(self, &colours), PALETTE_MAX);
    assert_int_equal(palette_key(self), PALETTE_MAX - 1);
    draw(self, pixels, 3, indices);
    for (int top = 16; top < SIDE - 16; top += 16)
        for (int left = 16; left < SIDE - 16; left += 16)
            for (int c = 0; c < 3; c++) {
                int sum = 0;
                for (int y = top; y < top + 16; y++)
                    for (int x = left; x < left + 16; x++) {
                        int at = y * SIDE + x, difference = colours[indices[at]][c] - pixels[3 * at + c];
                        assert_in_range(difference + 255, 255 - 40, 255 + 40);
                        sum += difference;
                    }
                assert_true(abs(sum) < 2 * 256);
            }
    palette_free(self);
}

/* The same colour at the same place is drawn the same way, whatever is around it: nothing flickers. */
static void the_pattern_stays_in_its_place(void **state) {
    static uint8_t pixels[SIDE * SIDE * 3], whole[SIDE * SIDE], part[SIDE];
    palette *self = NULL;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    assert_int_equal(palette_new(&self), SWIN2SR_OK);
    palette_add(self, pixels, SIDE * SIDE, 3, 2);
    assert_int_equal(palette_choose(self, false, true), SWIN2SR_OK);
    draw(self, pixels, 3, whole);
    for (int32_t y = 3; y < SIDE; y += 17) {
        palette_draw(self, 37, y, pixels + (y * SIDE + 37) * 3, 20, 3, part);
        assert_memory_equal(part, whole + y * SIDE + 37, 20);
    }
    palette_free(self);
}

/* Of an open palette, colours that fill areas are still exact. */
static void counted_colours_are_pinned(void **state) {
    static uint8_t flat[4 * 1000], indices[1000];
    static const uint8_t named[4][3] = {{250, 230, 40}, {20, 20, 20}, {231, 60, 41}, {39, 90, 201}};
    const uint8_t(*colours)[3];
    palette *self = NULL;
    assert_int_equal(palette_new(&self), SWIN2SR_OK);
    for (int i = 0; i < 1000; i++)
        memcpy(flat + 4 * i, (uint8_t[]){named[i % 4][0], named[i % 4][1], named[i % 4][2], 255}, 4);
    palette_add(self, flat, 1000, 4, 4);
    for (int i = 0; i < 256; i++) {
        uint8_t blend[4] = {(uint8_t)i, (uint8_t)(255 - i), (uint8_t)(i / 2), 255};
        palette_add(self, blend, 1, 4, 1);
    }
    assert_int_equal(palette_choose(self, true, true), SWIN2SR_OK);
    palette_size(self, &colours);
    palette_draw(self, 0, 0, flat, 1000, 4, indices);
    for (int i = 0; i < 1000; i++)
        assert_memory_equal(colours[indices[i]], named[i % 4], 3);
    palette_free(self);
}

static void nothing_opaque(void **state) {
    static const uint8_t clear[8] = {1, 2, 3, 0, 4, 5, 6, 10};
    uint8_t indices[2];
    const uint8_t(*colours)[3];
    for (int is_open = 0; is_open < 2; is_open++) {
        palette *self = NULL;
        assert_int_equal(palette_new(&self), SWIN2SR_OK);
        palette_add(self, clear, 2, 4, 2);
        assert_int_equal(palette_choose(self, false, is_open), SWIN2SR_OK);
        assert_true(palette_has_partial_alpha(self));
        assert_in_range(palette_size(self, &colours), 1, 2);
        palette_draw(self, 0, 0, clear, 2, 4, indices);
        assert_int_equal(indices[0], palette_key(self));
        assert_int_equal(indices[1], palette_key(self));
        palette_free(self);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_colours_are_exact),
        cmocka_unit_test(many_colours_are_mixed),
        cmocka_unit_test(the_pattern_stays_in_its_place),
        cmocka_unit_test(counted_colours_are_pinned),
        cmocka_unit_test(nothing_opaque),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
