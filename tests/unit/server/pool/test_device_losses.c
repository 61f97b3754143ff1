/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/pool/test_device_losses.c - when a device is set aside. */
#include "pool/devices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000)

static void three_within_a_minute(void **state) {
    worker_device one = {.name = "vulkan:0"};
    assert_false(device_note_loss(&one, 1000 * SECOND));
    one.losses_in_a_row = 0; /* a job was finished */
    assert_false(device_note_loss(&one, 1030 * SECOND));
    one.losses_in_a_row = 0;
    assert_false(device_note_loss(&one, 1061 * SECOND)); /* the first is too old */
    one.losses_in_a_row = 0;
    assert_true(device_note_loss(&one, 1090 * SECOND)); /* three in 60 s */
    assert_int_equal(one.loss_count, 4);
}

static void three_without_a_finished_job(void **state) {
    worker_device one = {.name = "vulkan:0"};
    assert_false(device_note_loss(&one, 1000 * SECOND));
    assert_false(device_note_loss(&one, 5000 * SECOND));
    assert_true(device_note_loss(&one, 9000 * SECOND));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_within_a_minute),
        cmocka_unit_test(three_without_a_finished_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
