/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/admit/test_rate.c - token buckets: the requests of a minute at once, then one per token; and the
 * bounded table of addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admit/rate.h"

#define SECOND 1000000u
#define NOW (1000 * (uint64_t)SECOND)

static void a_minute_at_once_then_one_by_one(void **state) {
    rate_bucket bucket = {0};
    http_quota quota;
    for (int i = 0; i < 30; i++) {
        assert_int_equal(rate_take(&bucket, 30, NOW, &quota), 0);
        assert_int_equal(quota.per_minute, 30);
        assert_int_equal(quota.remaining, 29 - i);
        assert_int_equal(quota.reset_s, 2 * (i + 1));
    }
    assert_int_equal(rate_take(&bucket, 30, NOW, &quota), 2);
    assert_int_equal(quota.remaining, 0);
    assert_int_equal(quota.reset_s, 60);
    assert_int_equal(rate_take(&bucket, 30, NOW + 2 * SECOND - 1, &quota), 1);
    assert_int_equal(rate_take(&bucket, 30, NOW + 2 * SECOND, &quota), 0);
    assert_int_equal(rate_take(&bucket, 30, NOW + 2 * SECOND, &quota), 2);
    assert_int_equal(rate_take(&bucket, 30, NOW + 63 * SECOND, &quota), 0);
    assert_int_equal(quota.remaining, 29);
}

/* 60 s are no whole number of microseconds per token, and tokens of less than a second still have a wait. */
static void every_rate_gives_its_number(void **state) {
    static const int32_t rates[] = {1, 7, 59, 61, 999, 999983, LIMIT_RATE_MAX};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        rate_bucket bucket = {0};
        http_quota quota;
        int taken = 0;
        while (rate_take(&bucket, rates[i], NOW, &quota) == 0)
            taken++;
        assert_int_equal(taken, rates[i]);
        assert_int_equal(quota.remaining, 0);
        assert_in_range(rate_take(&bucket, rates[i], NOW, &quota), 1, 60);
    }
}

static void a_lower_rate_is_kept_after_a_reload(void **state) {
    rate_bucket bucket = {0};
    http_quota quota;
    for (int i = 0; i < 600; i++)
        assert_int_equal(rate_take(&bucket, 600, NOW, &quota), 0);
    assert_int_equal(rate_take(&bucket, 1, NOW, &quota), 60);
    assert_int_equal(quota.remaining, 0);
    assert_int_equal(rate_take(&bucket, 1, NOW + 60 * SECOND, &quota), 0);
}

static client_address address(const char *text) {
    client_address found;
    assert_true(address_parse(text, &found));
    return found;
}

static rate_bucket *find(rate_table *table, const char *text) {
    client_address wanted = address(text);
    return rate_table_find(table, &wanted);
}

static void addresses_have_their_own(void **state) {
    rate_table *table = calloc(1, sizeof *table);
    find(table, "192.0.2.1")->full_us = NOW;
    assert_int_equal(find(table, "192.0.2.1")->full_us, NOW);
    assert_int_equal(find(table, "192.0.2.2")->full_us, 0);
    find(table, "2001:db8::1")->full_us = NOW;
    assert_int_equal(find(table, "2001:db8::ffff:1")->full_us, NOW); /* of the same /64 */
    assert_int_equal(find(table, "2001:db8:0:1::1")->full_us, 0);
    free(table);
}

/* The table has a fixed size: in a full set, a new address replaces the one with the most tokens. */
static void the_table_is_bounded(void **state) {
    rate_table *table = calloc(1, sizeof *table);
    find(table, "192.0.2.1")->full_us = NOW + 60 * SECOND;
    for (uint32_t i = 0; i < 200000; i++) {
        client_address each = address("10.0.0.0");
        memcpy(each.bytes + 13, &i, 3);
        rate_table_find(table, &each)->full_us = NOW + i % 50;
    }
    assert_int_equal(find(table, "192.0.2.1")->full_us, NOW + 60 * SECOND);
    free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minute_at_once_then_one_by_one),
        cmocka_unit_test(every_rate_gives_its_number),
        cmocka_unit_test(a_lower_rate_is_kept_after_a_reload),
        cmocka_unit_test(addresses_have_their_own),
        cmocka_unit_test(the_table_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
