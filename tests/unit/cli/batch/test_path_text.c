/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/cli/batch/test_path_text.c - every path becomes JSON text and itself again; other texts are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "path_text.h"

static void check(const char *path, const char *text) {
    char *encoded = path_text_encode(path);
    assert_string_equal(encoded, text);
    char *decoded = path_text_decode(encoded);
    assert_string_equal(decoded, path);
    free(encoded);
    free(decoded);
}

static void test_there_and_back(void **state) {
    check("a b/c.png", "a b/c.png");
    check("照片/é.png", "照片/é.png");
    check("100%", "100%25");
    check("a\nb\x7f\x01", "a%0Ab%7F%01");
    check("\xff\xc3\xa9%", "%FF%C3%A9%25");
    for (unsigned first = 1; first < 256; first++)
        for (unsigned second = 1; second < 256; second++) {
            const char path[] = {(char)first, (char)second, '\0'};
            char *encoded = path_text_encode(path), *decoded = path_text_decode(encoded);
            assert_string_equal(decoded, path);
            free(encoded);
            free(decoded);
        }
}

static void test_no_path(void **state) {
    static const char *const TEXTS[] = {"", "%", "%4", "%4g", "a%00b", "%g0"};
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
        assert_null(path_text_decode(TEXTS[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_no_path)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
