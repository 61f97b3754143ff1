/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/format/test_target.c - what part of an image and what size an option asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/target.h"

/* Take "name=value name=value". returns the first fault. */
static const char *take(format_target *self, const char *options) {
    char text[200], *end;
    strcpy(text, options);
    *self = (format_target){0};
    for (char *each = strtok_r(text, " ", &end); each; each = strtok_r(NULL, " ", &end)) {
        char *value = strchr(each, '=');
        *value++ = '\0';
        const char *fault = format_target_take(self, each, value);
        if (fault)
            return fault;
    }
    assert_true(format_target_is_sound(self));
    return NULL;
}

static void sizes(void **state) {
    static const struct {
        const char *options;
        int32_t in[2], out[2];
        const char *suffix;
    } rows[] = {
        {"", {100, 50}, {400, 200}, "_x4"},
        {"scale=3", {100, 50}, {300, 150}, "_x3"},
        {"scale=1", {100, 50}, {100, 50}, "_x1"},
        {"scale=1.5", {101, 51}, {152, 77}, "_x1.5"},
        {"scale=0.001", {100, 50}, {1, 1}, "_x0.001"},
        {"width=4000", {300, 200}, {4000, 2667}, "_w4000"},
        {"height=10", {300, 200}, {15, 10}, "_h10"},
        {"width=7 height=9", {300, 200}, {7, 9}, "_7x9_exact"},
        {"fit=900x900", {300, 200}, {900, 600}, "_900x900"},
        {"fit=900x100", {300, 200}, {150, 100}, "_900x100"},
        {"fit=1x1", {300, 2}, {1, 1}, "_1x1"},
        {"width=1000000", {1, 3000}, {1000000, INT32_MAX}, "_w1000000"},
        {"crop=1,2,30,40", {100, 50}, {400, 200}, "_x4_crop1-2-30-40"},
        {"strength=0.25", {100, 50}, {400, 200}, "_x4_s0.25"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        format_target target;
        int32_t width, height;
        char suffix[TARGET_TEXT_BYTES];
        assert_null(take(&target, rows[i].options));
        format_target_size(&target, rows[i].in[0], rows[i].in[1], 4, &width, &height);
        assert_int_equal(width, rows[i].out[0]);
        assert_int_equal(height, rows[i].out[1]);
        format_target_suffix(&target, 4, suffix);
        assert_string_equal(suffix, rows[i].suffix);
    }
}

static void parts(void **state) {
    format_target target;
    int32_t width, height;
    assert_null(take(&target, "crop=10,20,90,30"));
    assert_true(format_target_part(&target, 100, 50, &width, &height));
    assert_int_equal(width, 90);
    assert_int_equal(height, 30);
    assert_false(format_target_part(&target, 99, 50, &width, &height));
    assert_false(format_target_part(&target, 100, 49, &width, &height));
    assert_null(take(&target, "scale=2"));
    assert_true(format_target_part(&target, 100, 50, &width, &height));
    assert_int_equal(width, 100);
}

static void faults(void **state) {
    static const char *const rows[] = {
        "scale=",          "scale=0",         "scale=16.001",    "scale=1.2345",     "scale=-1",
        "scale=1e1",       "scale=2x",        "scale=.5",        "scale=1.",         "scale=99999999",
        "width=0",         "width=1000001",   "width=1.5",       "height=",          "height=99999999999",
        "fit=900",         "fit=900x",        "fit=x900",        "fit=0x9",          "fit=9x9x9",
        "crop=1,2,3",      "crop=1,2,3,4,5",  "crop=1,2,0,4",    "crop=-1,2,3,4",    "crop=1, 2,3,4",
        "strength=1.001",  "strength=",       "strength=-0.1",   "strength=0,5",     "scale=2 width=9",
        "width=9 scale=2", "fit=9x9 width=9", "width=9 fit=9x9", "height=9 fit=9x9", "fit=9x9 scale=2",
        "scale=2 fit=9x9",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        format_target target;
        const char *fault = take(&target, rows[i]);
        assert_non_null(fault);
        assert_true(strncmp(fault, "not ", 4) == 0 || strncmp(fault, "cannot ", 7) == 0);
    }
}

static void unsound_values(void **state) {
    static const format_target rows[] = {
        {.scale_milli = TARGET_SCALE_MAX + 1}, {.is_fit = 1},
        {.is_fit = 1, .width_px = 9},          {.crop_width_px = 1},
        {.plain_parts = TARGET_PARTS_ONE + 1}, {.crop_height_px = 1},
        {.width_px = 9, .scale_milli = 9},     {.height_px = TARGET_SIDE_MAX + 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_false(format_target_is_sound(&rows[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(parts),
        cmocka_unit_test(faults),
        cmocka_unit_test(unsound_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
