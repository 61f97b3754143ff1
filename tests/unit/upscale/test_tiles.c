/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/upscale/test_tiles.c - strips and tiles against the whole image: a level at most, rows in order, every
 * pixel written, budgets kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <swin2sr/swin2sr.h>

static swin2sr_model *model;

static int open_model(void **state) {
    (void)state;
    /* the bounds below are of this network; photo sees more of what surrounds a pixel, and is off by up to 4 levels */
    return swin2sr_model_open_built_in("fast", NULL, &model, NULL) == SWIN2SR_OK ? 0 : -1;
}

static int close_model(void **state) {
    (void)state;
    swin2sr_model_unref(model);
    return 0;
}

/* Something like a photograph: slopes, edges and a little grain. */
static swin2sr_image make_picture(int32_t width, int32_t height) {
    swin2sr_image image;
    uint32_t grain = 1;
    assert_int_equal(swin2sr_image_alloc(width, height, SWIN2SR_PIXEL_RGB8, &image), SWIN2SR_OK);
    unsigned char *bytes = image.data;
    for (int32_t y = 0; y < height; y++) {
        for (int32_t x = 0; x < width; x++) {
            int32_t disc = (x % 60 - 30) * (x % 60 - 30) + (y % 44 - 22) * (y % 44 - 22) < 300 ? 90 : 0;
            grain = grain * 1664525u + 1013904223u;
            for (int32_t c = 0; c < 3; c++)
                *bytes++ = (unsigned char)(40 + (x + y * (c + 1)) % 97 + disc + (int32_t)(grain >> 29));
        }
    }
    return image;
}

static int worst_level(const swin2sr_image *a, const swin2sr_image *b) {
    int worst = 0;
    assert_int_equal(a->width_px, b->width_px);
    for (size_t i = 0; i < (size_t)a->height_px * a->stride_bytes; i++) {
        int d = abs(((unsigned char *)a->data)[i] - ((unsigned char *)b->data)[i]);
        worst = d > worst ? d : worst;
    }
    return worst;
}

static void test_tiles_against_whole(void **state) {
    (void)state;
    static const struct {
        int32_t width, height, tile, overlap, worst;
    } cases[] = {{211, 150, 128, 32, 1},
                 {150, 211, 128, 0, 1},
                 {97, 300, 136, 32, 1},
                 {140, 60, 128, 32, 1},
                 {200, 200, 64, -1, 255},
                 {75, 9, 64, 16, 2},
                 /* one band that reaches a little further than its own rows */
                 {300, 193, 256, 32, 1},
                 {300, 200, 256, 32, 1},
                 {300, 224, 256, 32, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        swin2sr_image in = make_picture(cases[i].width, cases[i].height), whole = {0}, tiled = {0};
        swin2sr_options options = {.threads = 2, .tile_px = cases[i].tile, .overlap_px = cases[i].overlap};
        assert_int_equal(swin2sr_upscale(model, &in, NULL, &whole, NULL), SWIN2SR_OK);
        assert_int_equal(swin2sr_upscale(model, &in, &options, &tiled, NULL), SWIN2SR_OK);
        assert_true(worst_level(&whole, &tiled) <= cases[i].worst);
        swin2sr_image_free(&in);
        swin2sr_image_free(&whole);
        swin2sr_image_free(&tiled);
    }
}

static swin2sr_status copy_rows(void *context, int32_t y, int32_t n, const void *rows, size_t stride_bytes) {
    swin2sr_image *out = context;
    for (int32_t i = 0; i < n; i++)
        memcpy((char *)out->data + (size_t)(y + i) * out->stride_bytes, (const char *)rows + (size_t)i * stride_bytes,
               (size_t)out->width_px * 3);
    return SWIN2SR_OK;
}

/* One network whole and in tiles, its second image too: they see the same pixels, so only fading may differ. */
static void check_head(const char *name) {
    char path[512];
    const char *root = getenv("SWIN2SR_SOURCE_DIR");
    swin2sr_model *head;
    swin2sr_image in = make_picture(153, 141), out[2] = {{0}}, aux[2] = {{0}};
    snprintf(path, sizeof path, "%s/tests/fixtures/goldens/%s.safetensors", root ? root : SWIN2SR_SOURCE_DIR, name);
    assert_int_equal(swin2sr_model_open(path, NULL, &head, NULL), SWIN2SR_OK);
    for (int i = 0; i < 2; i++) {
        swin2sr_options options = {.threads = 2, .tile_px = i ? 112 : 0, .overlap_px = i ? 24 : 0};
        assert_int_equal(swin2sr_image_alloc(153, 141, SWIN2SR_PIXEL_RGB8, &aux[i]), SWIN2SR_OK);
        if (swin2sr_model_get_info(head)->has_aux) {
            options.on_aux_rows = copy_rows;
            options.aux_context = &aux[i];
        }
        assert_int_equal(swin2sr_upscale(head, &in, &options, &out[i], NULL), SWIN2SR_OK);
    }
    assert_true(worst_level(&out[0], &out[1]) <= 1);
    assert_true(worst_level(&aux[0], &aux[1]) <= 1);
    swin2sr_image_free(&in);
    for (int i = 0; i < 2; i++) {
        swin2sr_image_free(&out[i]);
        swin2sr_image_free(&aux[i]);
    }
    swin2sr_model_unref(head);
}

static void test_every_head(void **state) {
    (void)state;
    check_head("tiny_aux_x4");
    check_head("tiny_nearest_x4");
    check_head("tiny_shuffle_x3");
    check_head("tiny_jpeg");
}

static void test_a_second_image_needs_a_model(void **state) {
    (void)state;
    swin2sr_options options = {.on_aux_rows = copy_rows};
    swin2sr_error error = {""};
    swin2sr_plan plan;
    assert_int_equal(swin2sr_stream_plan(model, &options, 30, 30, &plan, &error), SWIN2SR_INVALID);
    assert_non_null(strstr(error.text, "second image"));
}

static void test_small_images_need_no_tiles(void **state) {
    (void)state;
    swin2sr_options options = {.threads = 1, .tile_px = 128};
    swin2sr_plan plan;
    assert_int_equal(swin2sr_stream_plan(model, &options, 96, 96, &plan, NULL), SWIN2SR_OK);
    assert_int_equal(plan.columns * plan.bands, 1); /* 128 - 2 * 32 of its own, and one overlap to the edge */
    assert_int_equal(swin2sr_stream_plan(model, &options, 97, 96, &plan, NULL), SWIN2SR_OK);
    assert_int_equal(plan.columns, 2);
}

static void test_strips_keep_the_budget(void **state) {
    (void)state;
    swin2sr_image in = make_picture(400, 120), whole = {0}, strips = {0};
    swin2sr_options options = {.threads = 1};
    swin2sr_plan plan;
    assert_int_equal(swin2sr_stream_plan(model, &options, 400, 120, &plan, NULL), SWIN2SR_OK);
    assert_int_equal(plan.columns, 1);
    options.memory_bytes = plan.memory_bytes / 4 * 3;
    assert_int_equal(swin2sr_stream_plan(model, &options, 400, 120, &plan, NULL), SWIN2SR_OK);
    assert_true(plan.columns > 1 && plan.memory_bytes <= options.memory_bytes);
    assert_int_equal(swin2sr_upscale(model, &in, NULL, &whole, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr_upscale(model, &in, &options, &strips, NULL), SWIN2SR_OK);
    assert_true(worst_level(&whole, &strips) <= 1);
    swin2sr_image_free(&in);
    swin2sr_image_free(&whole);
    swin2sr_image_free(&strips);
}

static void test_wrong_tiles(void **state) {
    (void)state;
    static const int32_t wrong[][2] = {{56, 0}, {65, 0}, {-8, 0}, {128, 33}, {128, 40}, {128, -2}, {0, 40}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        swin2sr_options options = {.tile_px = wrong[i][0], .overlap_px = wrong[i][1]};
        swin2sr_error error = {""};
        swin2sr_plan plan;
        assert_int_equal(swin2sr_stream_plan(model, &options, 300, 300, &plan, &error), SWIN2SR_INVALID);
        assert_true(error.text[0] != 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles_against_whole),          cmocka_unit_test(test_every_head),
        cmocka_unit_test(test_a_second_image_needs_a_model), cmocka_unit_test(test_small_images_need_no_tiles),
        cmocka_unit_test(test_strips_keep_the_budget),       cmocka_unit_test(test_wrong_tiles),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
