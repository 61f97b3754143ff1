/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/config/test_devices.c - the value of --device. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void words_and_lists(void **state) {
    device_choice found;
    assert_int_equal(devices_parse("cpu", &found, NULL), SWIN2SR_OK);
    assert_true(found.count == 0 && !found.is_auto);
    assert_int_equal(devices_parse("auto", &found, NULL), SWIN2SR_OK);
    assert_true(found.count == 0 && found.is_auto);
    assert_int_equal(devices_parse("vulkan", &found, NULL), SWIN2SR_OK);
    assert_true(found.count == 1 && !found.is_auto);
    assert_string_equal(found.names[0], "vulkan:0");
    assert_int_equal(devices_parse("vulkan:2, vulkan,vulkan:15", &found, NULL), SWIN2SR_OK);
    assert_int_equal(found.count, 3);
    assert_string_equal(found.names[0], "vulkan:2");
    assert_string_equal(found.names[1], "vulkan:0");
    assert_string_equal(found.names[2], "vulkan:15");
}

static void everything_else_is_refused(void **state) {
    static const char *const wrong[] = {
        "",
        "gpu",
        "CPU",
        "vulkan:",
        "vulkan:x",
        "vulkan:100",
        "vulkan0",
        "vulkan:-1",
        "vulkan:0x",
        "cpu,auto",
        "cpu,vulkan",
        "vulkan,vulkan:0",
        "vulkan:01,vulkan:1",
        "vulkan:0,vulkan:1,vulkan:2,vulkan:3,vulkan:4,vulkan:5,vulkan:6,vulkan:7,vulkan:8"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        device_choice found = {.count = 5};
        swin2sr_error error = {""};
        if (devices_parse(wrong[i], &found, &error) != SWIN2SR_INVALID || found.count != 5 || !error.text[0])
            fail_msg("'%s' is taken", wrong[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_lists),
        cmocka_unit_test(everything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
