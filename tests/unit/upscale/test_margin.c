/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/upscale/test_margin.c - the mirrored margin: what the network sees, and flat colours at every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include <swin2sr/swin2sr.h>

#define MARGIN 8
#define MOST_OFF 1 /* levels of 255 */

typedef struct picture {
    int32_t width_px, height_px;
    uint8_t *rows; /* RGB */
} picture;

static picture new_picture(int32_t width_px, int32_t height_px) {
    picture self = {width_px, height_px, malloc((size_t)width_px * (size_t)height_px * 3)};
    assert_non_null(self.rows);
    return self;
}

static picture noise(int32_t width_px, int32_t height_px) {
    picture self = new_picture(width_px, height_px);
    uint32_t state = 7;
    for (int32_t i = 0; i < width_px * height_px * 3; i++) {
        state = state * 1664525u + 1013904223u;
        self.rows[i] = (uint8_t)(state >> 24);
    }
    return self;
}

/* The picture with the margin that a reader would draw by hand. */
static picture with_margin(const picture *from) {
    picture self = new_picture(from->width_px + 2 * MARGIN, from->height_px + 2 * MARGIN);
    for (int32_t y = 0; y < self.height_px; y++)
        for (int32_t x = 0; x < self.width_px; x++) {
            int32_t at = swin2sr__reflected(y - MARGIN, from->height_px) * from->width_px +
                         swin2sr__reflected(x - MARGIN, from->width_px);
            memcpy(self.rows + (size_t)(y * self.width_px + x) * 3, from->rows + (size_t)at * 3, 3);
        }
    return self;
}

static swin2sr_image enlarge(swin2sr_model *model, const picture *from, const swin2sr_options *options) {
    swin2sr_image in = {.data = from->rows,
                        .stride_bytes = (size_t)from->width_px * 3,
                        .width_px = from->width_px,
                        .height_px = from->height_px,
                        .pixel = SWIN2SR_PIXEL_RGB8};
    swin2sr_image out = {0};
    swin2sr_error error = {0};
    if (swin2sr_upscale(model, &in, options, &out, &error) != SWIN2SR_OK)
        fail_msg("%dx%d: %s", from->width_px, from->height_px, error.text);
    return out;
}

static swin2sr_model *open_network(const char *name) {
    swin2sr_model *model = NULL;
    assert_int_equal(swin2sr_model_open_built_in(name, NULL, &model, NULL), SWIN2SR_OK);
    return model;
}

/* Byte for byte what the network makes of the widened picture, without the margin. */
static void check_size(swin2sr_model *model, int32_t width_px, int32_t height_px, swin2sr_options options) {
    picture small = noise(width_px, height_px), wide = with_margin(&small);
    swin2sr_image expected = enlarge(model, &wide, &options);
    options.pad = SWIN2SR_PAD_AROUND;
    swin2sr_image out = enlarge(model, &small, &options);
    int32_t scale = swin2sr_model_get_info(model)->scale;
    assert_int_equal(out.width_px, width_px * scale);
    assert_int_equal(out.height_px, height_px * scale);
    for (int32_t y = 0; y < out.height_px; y++)
        assert_memory_equal((uint8_t *)out.data + (size_t)y * out.stride_bytes,
                            (uint8_t *)expected.data + (size_t)(y + MARGIN * scale) * expected.stride_bytes +
                                (size_t)(MARGIN * scale) * 3,
                            (size_t)out.width_px * 3);
    swin2sr_image_free(&out);
    swin2sr_image_free(&expected);
    free(small.rows);
    free(wide.rows);
}

static void test_the_network_sees_a_mirrored_margin(void **state) {
    (void)state;
    static const int32_t SIZES[][2] = {{1, 1}, {2, 3}, {8, 9}, {9, 8}, {40, 1}, {1, 40}, {33, 31}};
    swin2sr_model *model = open_network("photo");
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++)
        check_size(model, SIZES[i][0], SIZES[i][1], (swin2sr_options){.threads = 1});
    check_size(model, 33, 31, (swin2sr_options){.threads = 2, .rows = 3});
    swin2sr_model_unref(model);
}

static void test_tiles_and_strips_have_it_at_the_edge_of_the_image(void **state) {
    (void)state;
    swin2sr_model *model = open_network("photo");
    check_size(model, 90, 70, (swin2sr_options){.threads = 1, .tile_px = 64});
    swin2sr_model_unref(model);
}

static void test_the_plan_counts_the_margin(void **state) {
    (void)state;
    swin2sr_model *model = open_network("photo");
    swin2sr_plan with, without, wide;
    swin2sr_options options = {.threads = 1};
    assert_int_equal(swin2sr_stream_plan(model, &options, 100, 100, &without, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr_stream_plan(model, &options, 100 + 2 * MARGIN, 100 + 2 * MARGIN, &wide, NULL), SWIN2SR_OK);
    options.pad = SWIN2SR_PAD_AROUND;
    assert_int_equal(swin2sr_stream_plan(model, &options, 100, 100, &with, NULL), SWIN2SR_OK);
    assert_true(with.gmac == wide.gmac && with.gmac > without.gmac);
    assert_true(with.memory_bytes > wide.memory_bytes); /* the rows that are kept for the mirror */
    swin2sr_model_unref(model);
}

static int32_t most_off(const swin2sr_image *out, const uint8_t colour[3]) {
    int32_t most = 0;
    for (int32_t y = 0; y < out->height_px; y++)
        for (int32_t i = 0; i < out->width_px * 3; i++) {
            int32_t off = ((uint8_t *)out->data)[(size_t)y * out->stride_bytes + (size_t)i] - colour[i % 3];
            most = swin2sr__max(most, off < 0 ? -off : off);
        }
    return most;
}

/* With a network that keeps them in the middle of a picture; all of them are judged by train/evaluate.py --check. */
static void test_flat_colours_stay(void **state) {
    (void)state;
    static const uint8_t LEVELS[] = {0, 85, 170, 255};
    static const int32_t SIDES[] = {1, 7, 24, 64};
    swin2sr_model *model = open_network("clean");
    for (int32_t i = 0; i < 64; i++) {
        uint8_t colour[3] = {LEVELS[i / 16], LEVELS[i / 4 % 4], LEVELS[i % 4]};
        picture flat = new_picture(SIDES[i % 4], SIDES[i % 4]);
        for (int32_t j = 0; j < flat.width_px * flat.height_px * 3; j++)
            flat.rows[j] = colour[j % 3];
        swin2sr_image out = enlarge(model, &flat, &(swin2sr_options){.pad = SWIN2SR_PAD_AROUND});
        if (most_off(&out, colour) > MOST_OFF)
            fail_msg("%d %d %d: off by %d levels", colour[0], colour[1], colour[2], most_off(&out, colour));
        swin2sr_image_free(&out);
        free(flat.rows);
    }
    swin2sr_model_unref(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_network_sees_a_mirrored_margin),
        cmocka_unit_test(test_tiles_and_strips_have_it_at_the_edge_of_the_image),
        cmocka_unit_test(test_the_plan_counts_the_margin),
        cmocka_unit_test(test_flat_colours_stay),
    };
    return cmocka_run_group_tests_name("margin", tests, NULL, NULL);
}
