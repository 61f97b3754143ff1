/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/metrics/test_recent.c - counts of the last hour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metrics/recent.h"

static void counts_leave_after_an_hour(void **state) {
    static recent_counts self;
    recent_add(&self, 3, 100 * 60);
    recent_add(&self, 3, 130 * 60 + 59);
    recent_add(&self, 5, 130 * 60);
    assert_int_equal(recent_count(&self, 3, 130 * 60 + 59), 2);
    assert_int_equal(recent_count(&self, 3, 159 * 60 + 59), 2);
    assert_int_equal(recent_count(&self, 3, 160 * 60), 1);
    assert_int_equal(recent_count(&self, 3, 189 * 60), 1);
    assert_int_equal(recent_count(&self, 3, 190 * 60), 0);
    assert_int_equal(recent_count(&self, 5, 131 * 60), 1);
    assert_int_equal(recent_count(&self, 4, 131 * 60), 0);
}

static void old_minutes_are_not_counted_again(void **state) {
    static recent_counts self;
    recent_add(&self, 0, 10 * 60);
    recent_add(&self, 0, (10 + RECENT_MINUTES) * 60); /* the same place */
    assert_int_equal(recent_count(&self, 0, (10 + RECENT_MINUTES) * 60), 1);
    recent_add(&self, 0, 1000000 * 60ull); /* a long time without anything */
    assert_int_equal(recent_count(&self, 0, 1000000 * 60ull), 1);
    recent_add(&self, LIMIT_PROBLEM_KINDS - 1, 1000000 * 60ull);
    assert_int_equal(recent_count(&self, LIMIT_PROBLEM_KINDS - 1, 1000000 * 60ull), 1);
}

static void the_first_hour(void **state) {
    static recent_counts self;
    recent_add(&self, 0, 5);
    assert_int_equal(recent_count(&self, 0, 5), 1);
    assert_int_equal(recent_count(&self, 0, 59 * 60), 1);
    assert_int_equal(recent_count(&self, 0, 60 * 60), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_leave_after_an_hour),
        cmocka_unit_test(old_minutes_are_not_counted_again),
        cmocka_unit_test(the_first_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
