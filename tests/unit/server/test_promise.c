/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/test_promise.c - kept places: due from, until, for whom; gaps between them; bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool/promise.h"

#define SECOND 1000000u

static bool add(promise_table *table, uint64_t sender, uint64_t due_us, uint64_t end_us) {
    return promise_add(table, &(promise){.sender = sender, .due_us = due_us, .end_us = end_us});
}

static void due_for_its_sender_and_time(void **state) {
    static promise_table table;
    assert_true(add(&table, 7, 100, 200));
    assert_false(promise_is_due(&table, 7, 99));
    assert_true(promise_is_due(&table, 7, 100));
    assert_true(promise_is_due(&table, 7, 200));
    assert_false(promise_is_due(&table, 7, 201));
    assert_false(promise_is_due(&table, 8, 150));
    assert_false(promise_is_due(&table, 0, 150));
}

static void used_once_the_oldest_first(void **state) {
    static promise_table table;
    add(&table, 7, 120, 1000);
    add(&table, 7, 100, 1000);
    promise_use(&table, 7, 50); /* not due: nothing happens */
    assert_int_equal(table.count, 2);
    promise_use(&table, 7, 150);
    assert_int_equal(table.count, 1);
    assert_int_equal(table.rows[0].due_us, 120);
    promise_use(&table, 7, 150);
    promise_use(&table, 7, 150);
    assert_int_equal(table.count, 0);
}

static void expire(void **state) {
    static promise_table table;
    for (uint64_t sender = 1; sender <= 5; sender++)
        add(&table, sender, 0, sender * 10);
    promise_expire(&table, 30);
    assert_int_equal(table.count, 3);
    promise_expire(&table, 1000);
    assert_int_equal(table.count, 0);
}

static void bounded(void **state) {
    static promise_table table;
    for (int i = 0; i < PROMISES_PER_SENDER; i++)
        assert_true(add(&table, 1, 0, 0));
    assert_false(add(&table, 1, 0, 0));
    for (uint64_t sender = 2; table.count < PROMISES_MAX; sender++)
        assert_true(add(&table, sender, 0, 0));
    assert_false(add(&table, 1000000, 0, 0));
}

static void gaps(void **state) {
    static promise_table table;
    const uint64_t now = 50 * SECOND, width = SECOND / 4;
    assert_int_equal(promise_find_gap(&table, now, 1, 120, width, 1), 1);
    add(&table, 1, now + SECOND + width, UINT64_MAX);
    add(&table, 2, now + 2 * SECOND - width, UINT64_MAX);
    add(&table, 3, now + 3 * SECOND + width + 1, UINT64_MAX); /* just too far to count */
    add(&table, 4, now - 10 * SECOND, UINT64_MAX);
    assert_int_equal(promise_find_gap(&table, now, 1, 120, width, 1), 3);
    assert_int_equal(promise_find_gap(&table, now, 1, 120, width, 2), 1);
    assert_int_equal(promise_find_gap(&table, now, 2, 120, width, 2), 2);
    assert_int_equal(promise_find_gap(&table, now, 4, 120, width, 1), 4);
    assert_int_equal(promise_find_gap(&table, now, 1, 2, width, 1), 2);             /* none before the end */
    assert_int_equal(promise_find_gap(&table, now, 1, 120, 1000 * SECOND, 1), 120); /* wider than everything */
}

/* Refusals that come in a burst are told to come back at the pace that was asked for. */
static void a_burst_is_spread(void **state) {
    static promise_table table;
    const uint64_t width = SECOND / 5;
    int by_fifth[5 * 130] = {0};
    for (uint64_t i = 0; i < 300; i++) {
        uint64_t now = i * SECOND / 60;
        uint32_t wait_s = promise_find_gap(&table, now, 1, 120, width, 4);
        uint64_t due = now + wait_s * (uint64_t)SECOND;
        assert_true(wait_s < 120);
        assert_true(add(&table, i + 1, due, UINT64_MAX));
        by_fifth[due / width]++;
    }
    for (int i = 0; i < 5 * 130; i++)
        assert_true(by_fifth[i] <= 7); /* two bursts of four may touch */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_for_its_sender_and_time),
        cmocka_unit_test(used_once_the_oldest_first),
        cmocka_unit_test(expire),
        cmocka_unit_test(bounded),
        cmocka_unit_test(gaps),
        cmocka_unit_test(a_burst_is_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
