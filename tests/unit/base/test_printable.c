/* SPDX-License-Identifier: Apache-2.0
 * test_printable.c - texts that would command a terminal, and texts that do not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/printable.h"

static void assert_copy(const char *text, size_t size, const char *expected) {
    char copy[64];
    memset(copy, 'x', sizeof(copy));
    swin2sr__printable_copy(text, strlen(text), copy, size);
    assert_string_equal(copy, expected);
    for (size_t i = size; i < sizeof(copy); i++)
        assert_int_equal(copy[i], 'x');
}

static void controls_are_replaced(void **state) {
    assert_copy("Apache-2.0", 64, "Apache-2.0");
    assert_copy("\x1b[2J\x1b]0;owned\x07", 64, "?[2J?]0;owned?");
    assert_copy("a\r\nb\tc\x7f", 64, "a??b?c?");
    assert_copy("\xc2\x9b"
                "2J \xc2\xa0 \xc3\xbc",
                64, "?2J \xc2\xa0 \xc3\xbc"); /* CSI; a space and a letter stay */
    assert_copy("", 64, "");
}

static void what_does_not_fit_is_cut_between_characters(void **state) {
    const char *text = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x99\x82z"; /* of 1, 2, 3, 4 and 1 bytes */
    static const struct {
        size_t size, whole;
    } cases[] = {{1, 0}, {2, 1}, {3, 1}, {4, 3}, {5, 3}, {6, 3}, {7, 6}, {8, 6}, {10, 6}, {11, 10}, {12, 11}, {13, 11}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[16] = "";
        memcpy(expected, text, cases[i].whole);
        assert_copy(text, cases[i].size, expected);
    }
    assert_copy("\xc2\x9b"
                "b",
                2, "?");
    assert_copy("\x80\x80\x80", 2, "");
}

/* No byte behind the length counts. */
static void length_is_kept(void **state) {
    char copy[8];
    swin2sr__printable_copy("ab\x9f", 2, copy, sizeof(copy));
    assert_string_equal(copy, "ab");
    swin2sr__printable_copy("\xc2\x9b", 1, copy, sizeof(copy));
    assert_string_equal(copy, "\xc2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_replaced),
        cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
        cmocka_unit_test(length_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
