/* SPDX-License-Identifier: Apache-2.0 */
#include "format/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Every name and every ending of a row leads back to that row, and to no other. */
static void every_row_is_found(void **state) {
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++) {
        const format_info *row = format_get((format_id)id);
        assert_int_equal(format_by_name(row->name), id);
        assert_non_null(row->endings[0]);
        for (int i = 0; i < FORMAT_ENDINGS && row->endings[i]; i++)
            assert_int_equal(format_by_name(row->endings[i]), id);
        assert_true(!row->can_write || (row->channels && row->max_side_px > 0));
    }
}

static void written_names_are_those_of_the_table(void **state) {
    char names[100] = "";
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++)
        if (format_get((format_id)id)->can_write) {
            strcat(names, names[0] ? ", " : "");
            strcat(names, format_get((format_id)id)->name);
        }
    assert_string_equal(names, FORMAT_WRITTEN_NAMES);
}

static void case_does_not_matter(void **state) {
    assert_int_equal(format_by_name("PNG"), FORMAT_PNG);
    assert_int_equal(format_by_name("Jpg"), FORMAT_JPEG);
    assert_int_equal(format_by_name("JFIF"), FORMAT_JPEG);
    assert_int_equal(format_by_name("jpe"), FORMAT_JPEG);
}

static void other_names_are_unknown(void **state) {
    static const char *const names[] = {"", "bmp", "unknown", "png ", ".png", "jpegs"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(format_by_name(names[i]), FORMAT_UNKNOWN);
    assert_false(format_get(FORMAT_UNKNOWN)->can_read || format_get(FORMAT_UNKNOWN)->can_write);
    assert_ptr_equal(format_get(FORMAT_COUNT), format_get(FORMAT_UNKNOWN));
    assert_ptr_equal(format_get((format_id)-1), format_get(FORMAT_UNKNOWN));
}

static void endings_of_paths(void **state) {
    assert_int_equal(format_by_path("a.b/scan.jfif"), FORMAT_JPEG);
    assert_int_equal(format_by_path("/x/PHOTO.JPG"), FORMAT_JPEG);
    assert_int_equal(format_by_path("a.png/b"), FORMAT_UNKNOWN);
    assert_int_equal(format_by_path(".png"), FORMAT_UNKNOWN);
    assert_int_equal(format_by_path("png"), FORMAT_UNKNOWN);
    assert_string_equal(format_ending("a.tar.gz"), "gz");
    assert_string_equal(format_ending("a."), "");
    assert_string_equal(format_ending("dir/.hidden"), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found),   cmocka_unit_test(written_names_are_those_of_the_table),
        cmocka_unit_test(case_does_not_matter), cmocka_unit_test(other_names_are_unknown),
        cmocka_unit_test(endings_of_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
