/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/config/test_user.c - the value of --user is two numbers, neither of them root's. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void two_numbers(void **state) {
    server_user user;
    assert_int_equal(user_parse("65532:65533", &user, NULL), SWIN2SR_OK);
    assert_int_equal(user.uid, 65532);
    assert_int_equal(user.gid, 65533);
    assert_int_equal(user_parse("4294967294:1", &user, NULL), SWIN2SR_OK);
    assert_int_equal(user.uid, 4294967294u);
}

static void everything_else_is_refused(void **state) {
    static const char *const wrong[] = {"",
                                        "1",
                                        "1:",
                                        ":1",
                                        "0:1",
                                        "1:0",
                                        "1:2:3",
                                        "a:b",
                                        "-1:1",
                                        "1:-1",
                                        "4294967295:1",
                                        "1:4294967295",
                                        " 1:1",
                                        "1: 1",
                                        "1:1 ",
                                        "+1:1",
                                        "18446744073709551617:1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        server_user user = {.uid = 7};
        swin2sr_error error = {""};
        if (user_parse(wrong[i], &user, &error) != SWIN2SR_INVALID || user.uid != 7 || !error.text[0])
            fail_msg("'%s' is taken", wrong[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_numbers),
        cmocka_unit_test(everything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
