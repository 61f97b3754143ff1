/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/format/test_note.c - the table of notes: tokens are distinct, fit their buffer, and are found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/note.h"

static void tokens_go_both_ways(void **state) {
    char text[NOTE_TEXT_BYTES];
    uint32_t shown = 0;
    for (size_t i = 0; i < NOTE_COUNT; i++) {
        note_text(1u << i, text);
        assert_int_equal(note_parse(text), note_get(i)->token ? 1u << i : 0);
        assert_string_equal(text, note_get(i)->token ? note_get(i)->token : "");
        shown |= note_get(i)->token ? 1u << i : 0;
    }
    note_text(NOTE_ALL, text);
    assert_int_equal(note_parse(text), shown);
    assert_true(strlen(text) < sizeof text - 1);
}

static void texts_are_lists(void **state) {
    char text[NOTE_TEXT_BYTES];
    note_text(0, text);
    assert_string_equal(text, "");
    note_text(NOTE_REDUCED_16 | NOTE_ALPHA_DROPPED, text);
    assert_string_equal(text, "reduced-16-bit, alpha-dropped");
    note_text(UINT32_MAX, text); /* bits without a note are left out */
    assert_true(strlen(text) < sizeof text - 1);
    assert_int_equal(note_parse("damage, damaged-not,,  alpha-dropped"), NOTE_ALPHA_DROPPED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_go_both_ways),
        cmocka_unit_test(texts_are_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
