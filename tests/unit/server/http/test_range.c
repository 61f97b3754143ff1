/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/http/test_range.c - parts of files, and entity tags (RFC 9110). */
#include "http/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void ranges(void **state) {
    static const struct {
        const char *text;
        uint64_t size;
        range_kind kind;
        uint64_t first, count;
    } rows[] = {
        {"bytes=0-0", 10, RANGE_PART, 0, 1},
        {"bytes=0-9", 10, RANGE_PART, 0, 10},
        {"Bytes=3-", 10, RANGE_PART, 3, 7},
        {"bytes=3-99", 10, RANGE_PART, 3, 7},
        {"bytes=3-999999999999999999", 10, RANGE_PART, 3, 7},
        {"bytes=-3", 10, RANGE_PART, 7, 3},
        {"bytes=-30", 10, RANGE_PART, 0, 10},
        {"bytes=10-", 10, RANGE_OUTSIDE, 0, 0},
        {"bytes=10-12", 10, RANGE_OUTSIDE, 0, 0},
        {"bytes=-0", 10, RANGE_OUTSIDE, 0, 0},
        {"bytes=-1", 0, RANGE_OUTSIDE, 0, 0},
        {"bytes=0-", 0, RANGE_OUTSIDE, 0, 0},
        {"bytes=4-3", 10, RANGE_WHOLE, 0, 0},
        {"bytes=0-1,3-4", 10, RANGE_WHOLE, 0, 0},
        {"bytes=", 10, RANGE_WHOLE, 0, 0},
        {"bytes=-", 10, RANGE_WHOLE, 0, 0},
        {"bytes=a-", 10, RANGE_WHOLE, 0, 0},
        {"bytes=1", 10, RANGE_WHOLE, 0, 0},
        {"bytes=1-2x", 10, RANGE_WHOLE, 0, 0},
        {"bytes=-2x", 10, RANGE_WHOLE, 0, 0},
        {"bytes=+1-2", 10, RANGE_WHOLE, 0, 0},
        {"bytes=9999999999999999999-", 10, RANGE_WHOLE, 0, 0},
        {"rows=1-2", 10, RANGE_WHOLE, 0, 0},
        {"", 10, RANGE_WHOLE, 0, 0},
        {NULL, 10, RANGE_WHOLE, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t first = 0, count = 0;
        assert_int_equal(range_parse(rows[i].text, rows[i].size, &first, &count), rows[i].kind);
        assert_int_equal(first, rows[i].first);
        assert_int_equal(count, rows[i].count);
    }
}

static void tags(void **state) {
    static const struct {
        const char *list;
        bool has;
    } rows[] = {
        {"\"a\"", true},  {"W/\"a\"", true}, {"\"b\", \"a\"", true}, {"\"b\" ,W/\"a\"", true}, {"*", true},
        {"\"b\"", false}, {"\"ab\"", false}, {"a", false},           {"\"a", false},           {"", false},
        {"W/", false},    {NULL, false},     {"\"b\", a", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(range_has_tag(rows[i].list, "\"a\""), rows[i].has);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranges), cmocka_unit_test(tags)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
