/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/admit/test_keys.c - the table of keys: lookup by text, and what a reload keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "admit/keys.h"

#define LINE(id, hash, more) \
    "{\"id\":\"" id "\",\"sha256\":\"" hash "\",\"created\":\"2026-01-31T23:59:59Z\"" more "}\n"
#define OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static char path[] = "test_keys_XXXXXX";

static void write_file(const char *text) {
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state) {
    close(mkstemp(path));
    return 0;
}

static int tear_down(void **state) {
    return unlink(path);
}

static void finds_by_text(void **state) {
    key_table table = {.rows = NULL};
    assert_null(key_table_match(&table, "abc"));
    write_file(LINE("a", OF_ABC, "") LINE("b", OF_NOTHING, ",\"revoked\":\"2026-02-01T00:00:00Z\""));
    assert_int_equal(key_table_read(&table, path, NULL), SWIN2SR_OK);
    assert_string_equal(key_table_match(&table, "abc")->key.id, "a");
    assert_string_equal(key_table_match(&table, "")->key.id, "b");
    static const char *const others[] = {"ab", "abcd", "Abc", " abc", OF_ABC, "a"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_null(key_table_match(&table, others[i]));
    assert_null(key_table_find(&table, "c"));
    key_table_done(&table);
}

static void a_reload_keeps_what_runs(void **state) {
    key_table table = {.rows = NULL};
    write_file(LINE("a", OF_ABC, ""));
    assert_int_equal(key_table_read(&table, path, NULL), SWIN2SR_OK);
    key_table_find(&table, "a")->running = 2;
    key_table_find(&table, "a")->bucket.full_us = 7;
    write_file(LINE("b", OF_NOTHING, "") LINE("a", OF_ABC, ",\"concurrency\":2"));
    assert_int_equal(key_table_read(&table, path, NULL), SWIN2SR_OK);
    const key_row *row = key_table_find(&table, "a");
    assert_int_equal(row->key.concurrency, 2);
    assert_int_equal(row->running, 2);
    assert_int_equal(row->bucket.full_us, 7);
    assert_int_equal(key_table_find(&table, "b")->running, 0);
    key_table_done(&table);
}

static void a_broken_file_changes_nothing(void **state) {
    key_table table = {.rows = NULL};
    swin2sr_error error = {""};
    write_file(LINE("a", OF_ABC, ""));
    assert_int_equal(key_table_read(&table, path, NULL), SWIN2SR_OK);
    write_file(LINE("b", OF_ABC, "") "{}\n");
    assert_int_equal(key_table_read(&table, path, &error), SWIN2SR_INVALID);
    assert_non_null(strstr(error.text, ": line 2: "));
    assert_non_null(key_table_find(&table, "a"));
    assert_null(key_table_find(&table, "b"));
    assert_int_equal(key_table_read(&table, "no such file", &error), SWIN2SR_IO);
    assert_non_null(key_table_find(&table, "a"));
    key_table_done(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_text),
        cmocka_unit_test(a_reload_keeps_what_runs),
        cmocka_unit_test(a_broken_file_changes_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
