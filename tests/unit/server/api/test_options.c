/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/api/test_options.c - options of POST /upscale: at most once and in range, or a problem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/options.h"

static void defaults(void **state) {
    upscale_options options;
    upscale_options_init(&options);
    assert_int_equal(options.format, FORMAT_PNG);
    assert_int_equal(options.quality, 95);
    assert_string_equal(options.model, "");
    assert_null(options.task);
    assert_false(options.is_strict);
    assert_string_equal(options.upload, "");
}

static void good_values(void **state) {
    upscale_options options;
    problem what;
    upscale_options_init(&options);
    assert_true(upscale_options_set(&options, "format", "jpeg", &what));
    assert_true(upscale_options_set(&options, "quality", "100", &what));
    assert_true(upscale_options_set(&options, "model", "a-network", &what));
    assert_int_equal(options.format, FORMAT_JPEG);
    assert_int_equal(options.compression, FORMAT_COMPRESSION_DEFAULT);
    assert_true(upscale_options_set(&options, "compression", "best", &what));
    assert_int_equal(options.compression, FORMAT_COMPRESSION_BEST);
    assert_int_equal(options.metadata, 0);
    assert_true(upscale_options_set(&options, "colour", "srgb", &what));
    assert_int_equal(options.metadata, FORMAT_METADATA_SRGB);
    assert_true(upscale_options_set(&options, "metadata", "strip", &what));
    assert_true(upscale_options_set(&options, "provenance", "true", &what));
    assert_int_equal(options.metadata, FORMAT_METADATA_ALL);
    assert_true(upscale_options_set(&options, "fit", "900x700", &what));
    assert_true(upscale_options_set(&options, "crop", "1,2,3,4", &what));
    assert_true(upscale_options_set(&options, "strength", "0.5", &what));
    assert_int_equal(options.target.height_px, 700);
    assert_int_equal(options.target.crop_x_px, 1);
    assert_int_equal(options.target.plain_parts, 500);
    assert_int_equal(options.quality, 100);
    assert_string_equal(options.model, "a-network");
    upscale_options_init(&options);
    assert_true(upscale_options_set(&options, "task", "photo", &what));
    assert_string_equal(options.task, "photo");
    assert_true(upscale_options_set(&options, "strict", "true", &what));
    assert_true(options.is_strict);
    upscale_options_init(&options);
    assert_true(upscale_options_set(&options, "strict", "false", &what));
    assert_true(upscale_options_set(&options, "upload", "0123456789abcdef0123456789abcdef", &what));
    assert_string_equal(options.upload, "0123456789abcdef0123456789abcdef");
    assert_false(options.is_strict);
    assert_true(upscale_options_set(&options, "webhook", "https://hooks.example/a?b", &what));
    assert_string_equal(options.webhook, "https://hooks.example/a?b");
    upscale_options_init(&options);
    assert_false(upscale_options_set(&options, "webhook", "https://user@hooks.example", &what));
    assert_int_equal(what.kind, PROBLEM_OPTION);
    assert_string_equal(options.webhook, "");
}

static void a_model_or_a_task(void **state) {
    static const char *const rows[][2] = {{"model", "m"}, {"task", "fast"}};
    for (size_t i = 0; i < 2; i++) {
        upscale_options options;
        problem what;
        upscale_options_init(&options);
        assert_true(upscale_options_set(&options, rows[i][0], rows[i][1], &what));
        assert_false(upscale_options_set(&options, rows[1 - i][0], rows[1 - i][1], &what));
        assert_int_equal(problem_code(&what), 422);
        assert_non_null(strstr(what.detail, "one of"));
    }
}

static void bad_values(void **state) {
    static const char *const rows[][2] = {
        {"format", ""},
        {"format", "bmp"},
        {"format", "unknown"},
        {"quality", ""},
        {"quality", "0"},
        {"quality", "101"},
        {"quality", "1000"},
        {"quality", "+9"},
        {"quality", "9 "},
        {"quality", "4294967297"},
        {"model", ""},
        {"task", ""},
        {"task", "Photo"},
        {"task", "photo "},
        {"colour", "\xff\n"},
        {"scale", "17"},
        {"fit", "9"},
        {"crop", ""},
        {"strength", "2"},
        {"compression", ""},
        {"colour", ""},
        {"colour", "sRGB"},
        {"metadata", "all"},
        {"provenance", "1"},
        {"compression", "9"},
        {"compression", "Best"},
        {"", ""},
        {"upload", ""},
        {"strict", ""},
        {"strict", "1"},
        {"strict", "TRUE"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        upscale_options options;
        problem what;
        upscale_options_init(&options);
        assert_false(upscale_options_set(&options, rows[i][0], rows[i][1], &what));
        assert_int_equal(problem_code(&what), 422);
        assert_ptr_equal(strstr(what.detail, rows[i][0]), what.detail);
    }
}

static void twice_is_once_too_often(void **state) {
    static const char *const rows[][2] = {{"format", "png"},       {"quality", "95"},   {"model", "m"},
                                          {"task", "fast"},        {"strict", "false"}, {"upload", "a"},
                                          {"compression", "fast"}, {"scale", "2"},      {"crop", "0,0,1,1"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        upscale_options options;
        problem what;
        upscale_options_init(&options);
        assert_true(upscale_options_set(&options, rows[i][0], rows[i][1], &what));
        assert_false(upscale_options_set(&options, rows[i][0], rows[i][1], &what));
        assert_non_null(strstr(what.detail, "more than once"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(good_values),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(a_model_or_a_task),
        cmocka_unit_test(twice_is_once_too_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
