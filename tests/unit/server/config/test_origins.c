/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/config/test_origins.c - the origins of --cors-origins: their form, and exact comparison. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static void forms(void **state) {
    static const char *const good[] = {"*",
                                       "",
                                       "https://a.example",
                                       "http://localhost:5173",
                                       "https://a, http://b:80",
                                       "http://[::1]:8080",
                                       "moz-extension://0af7-16cd",
                                       "http://127.0.0.1"};
    static const char *const bad[] = {"a.example",
                                      "https://",
                                      "https://a/",
                                      "https://a.example/path",
                                      "https://A.example",
                                      "https://a:",
                                      "https://a:123456",
                                      "https://a:8x",
                                      "null",
                                      "*://a",
                                      "https://*.a",
                                      "https://a,*",
                                      "https://[::1",
                                      "https://a@b"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(origins_check(good[i], NULL), SWIN2SR_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        swin2sr_error error = {""};
        assert_int_equal(origins_check(bad[i], &error), SWIN2SR_INVALID);
        assert_non_null(strstr(error.text, ": must be SCHEME://HOST"));
    }
}

static void comparison_is_exact(void **state) {
    static const char list[] = "https://a.example, http://b:80";
    assert_true(origins_have(list, "https://a.example"));
    assert_true(origins_have(list, "http://b:80"));
    static const char *const others[] = {"https://a.exampl",
                                         "https://a.example.evil",
                                         "https://a.example:443",
                                         "http://b",
                                         "null",
                                         "",
                                         "https://a.example, http://b:80",
                                         "https://A.example"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(origins_have(list, others[i]));
    assert_true(origins_are_all("*"));
    assert_false(origins_are_all(list));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(comparison_is_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
