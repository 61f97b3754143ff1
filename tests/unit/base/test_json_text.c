/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/base/test_json_text.c - text is whole, whichever allocation fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_text.h"

static int left = -1; /* allocations until one fails; negative: none does */

static void *allocate(size_t size) {
    return left >= 0 && left-- == 0 ? NULL : malloc(size);
}

static json_t *sample(void) {
    return json_pack("{s:[i, b, n], s:{s:s}, s:f, s:s}", "a list", 1, 1, "an object", "k", "\xc3\xa4\"\n", "a number",
                     0.5, "a text that is longer than any first buffer",
                     "................................................................................");
}

static void test_same_as_json_dumps(void **state) {
    static const size_t flags[] = {JSON_COMPACT, JSON_INDENT(2), JSON_COMPACT | JSON_ENSURE_ASCII};
    json_t *document = sample();
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        char *expected = json_dumps(document, flags[i]), *text = swin2sr__json_text(document, flags[i]);
        assert_string_equal(text, expected);
        free(expected);
        free(text);
    }
    json_decref(document);
}

static void test_no_document(void **state) {
    assert_null(swin2sr__json_text(NULL, JSON_COMPACT));
}

static void test_whole_or_nothing(void **state) {
    json_t *document = sample();
    char *expected = json_dumps(document, JSON_COMPACT), *text = NULL;
    int failures = 0;
    json_set_alloc_funcs(allocate, free);
    for (; !text; failures++) {
        left = failures;
        text = swin2sr__json_text(document, JSON_COMPACT);
        if (text)
            assert_string_equal(text, expected);
    }
    left = -1;
    free(text);
    free(expected);
    json_set_alloc_funcs(malloc, free);
    json_decref(document);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_json_dumps),
        cmocka_unit_test(test_no_document),
        cmocka_unit_test(test_whole_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
