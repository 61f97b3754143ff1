/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/pool/test_estimate.c - what is learned from jobs, and what is not. */
#include "format/note.h"
#include "pool/estimate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PICTURE (800 * 600)
#define TRUE_US(pixels) ((uint64_t)(5000 + 10.0 * (pixels))) /* 10 s per megapixel and 5 ms */

static estimate known(void) {
    estimate self = {0};
    estimate_take_self_test(&self, 10000000);
    for (int i = 0; i < 50; i++)
        estimate_learn(&self, PICTURE, TRUE_US(PICTURE));
    return self;
}

static void assert_near(uint64_t got, uint64_t wanted, uint64_t percent) {
    assert_in_range(got, wanted - wanted * percent / 100, wanted + wanted * percent / 100);
}

static void learns_what_pictures_take(void **state) {
    estimate self = {0};
    estimate_take_self_test(&self, 40000000); /* too slow: eight workers started at once */
    for (int i = 0; i < 10; i++)
        estimate_learn(&self, PICTURE, TRUE_US(PICTURE));
    assert_near(estimate_us(&self, PICTURE), TRUE_US(PICTURE), 5);
    assert_near(estimate_least_us(&self, PICTURE), TRUE_US(PICTURE), 5);
}

static void a_later_self_test_changes_no_average(void **state) {
    estimate self = known();
    estimate_take_self_test(&self, 80000000);
    assert_near(estimate_us(&self, PICTURE), TRUE_US(PICTURE), 5);
    estimate_take_self_test(&self, 5000000);
    assert_near(estimate_us(&self, PICTURE), TRUE_US(PICTURE), 5);
    assert_near(estimate_least_us(&self, PICTURE), 5 * (uint64_t)PICTURE, 1);
}

static void tiny_pictures_say_nothing_of_large_ones(void **state) {
    estimate self = known();
    for (int i = 0; i < 8000; i++)
        estimate_learn(&self, 64, 20000);
    assert_near(estimate_us(&self, PICTURE), TRUE_US(PICTURE), 5);
    assert_near(estimate_us(&self, 64), 20000, 10);
}

static void a_stopped_worker_says_nothing(void **state) {
    estimate self = known();
    estimate_learn(&self, 64, 60000000); /* a minute for 2x2 pixels */
    assert_near(estimate_us(&self, PICTURE), TRUE_US(PICTURE), 5);
    estimate_learn(&self, PICTURE, 3600000000u); /* an hour */
    assert_in_range(estimate_us(&self, PICTURE), 0, 4 * TRUE_US(PICTURE));
    for (int i = 0; i < 10; i++)
        estimate_learn(&self, PICTURE, TRUE_US(PICTURE));
    assert_near(estimate_us(&self, PICTURE), TRUE_US(PICTURE), 5);
    assert_near(estimate_least_us(&self, PICTURE), 10 * (uint64_t)PICTURE, 2);
}

static void extremes_stay_numbers(void **state) {
    estimate self = {0};
    estimate_take_self_test(&self, (uint64_t)1 << 40);
    estimate_learn(&self, 1, UINT64_MAX);
    estimate_learn(&self, (uint64_t)1 << 33, UINT64_MAX);
    estimate_learn(&self, (uint64_t)1 << 33, 0);
    assert_true(estimate_us(&self, (uint64_t)1 << 33) > 0);
    assert_true(estimate_least_us(&self, (uint64_t)1 << 33) > 0);
}

static void reduced_images_count_as_their_square(void **state) {
    ipc_done done = {.in_width_px = 4000, .in_height_px = 3000};
    assert_int_equal(estimate_done_pixels(&done, 1024), 4016 * 3016);
    done.notes = NOTE_SHRUNK;
    assert_int_equal(estimate_done_pixels(&done, 1024), 1040 * 1040); /* with their margin */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_what_pictures_take),
        cmocka_unit_test(a_later_self_test_changes_no_average),
        cmocka_unit_test(tiny_pictures_say_nothing_of_large_ones),
        cmocka_unit_test(a_stopped_worker_says_nothing),
        cmocka_unit_test(extremes_stay_numbers),
        cmocka_unit_test(reduced_images_count_as_their_square),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
