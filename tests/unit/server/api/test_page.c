/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/api/test_page.c - which language and which coding a browser gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/options.h"
#include "api/page.h"

static void language_by_weight(void **state) {
    static const struct {
        const char *accept, *name;
    } rows[] = {{NULL, "en"},
                {"", "en"},
                {"zh", "zh"},
                {"ZH-hant-TW", "zh"},
                {"de, zh;q=0.3, en;q=0.2", "zh"},
                {"en, zh", "en"},
                {"zh;q=0", "en"},
                {"zhou", "en"},
                {";;;,,,=,q=zh", "en"},
                {"zh;q=0.9,en;q=0.95", "en"},
                {"*", "en"},
                {"zh;q=", "zh"},
                {"en;q=0.9, zh;q=9e99", "zh"},
                {"zh ; q=0.5 , en;q=0.1", "zh"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(page_language_for(rows[i].accept)->name, rows[i].name);
}

static void coding_by_name(void **state) {
    static const struct {
        const char *accept;
        page_form form;
    } rows[] = {{NULL, PAGE_PLAIN},      {"", PAGE_PLAIN},
                {"gzip", PAGE_GZIP},     {"GZIP, deflate, BR", PAGE_BROTLI},
                {"br;q=0", PAGE_PLAIN},  {"br;q=0.000, gzip;q=0.001", PAGE_GZIP},
                {"brotli", PAGE_PLAIN},  {"x-gzip", PAGE_PLAIN},
                {"br;q=1", PAGE_BROTLI}, {"*", PAGE_PLAIN},
                {",;=,gzip;", PAGE_GZIP}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(page_form_for(rows[i].accept), rows[i].form);
}

static void every_text_that_the_server_writes_exists(void **state) {
    for (int i = 0; i < PAGE_LANGUAGES; i++) {
        int count = 0;
        for (const page_word *each = page_languages[i].words; each->key; each++, count++)
            assert_true(each->text[0]);
        assert_true(count > 10);
    }
}

static void options_are_those_of_the_service(void **state) {
    static const char *const there[] = {"format", "quality", "model", "task", "upload", "strict", "oversize"};
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
        assert_true(upscale_options_has(there[i]));
    assert_false(upscale_options_has("nonsense"));
    assert_false(upscale_options_has(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(language_by_weight),
        cmocka_unit_test(coding_by_name),
        cmocka_unit_test(options_are_those_of_the_service),
        cmocka_unit_test(every_text_that_the_server_writes_exists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
