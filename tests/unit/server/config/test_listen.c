/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/config/test_listen.c - the value of --listen: addresses, paths, and wrong entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static void assert_entries(const char *text, const char *const *expected, int count) {
    static listen_list list;
    assert_int_equal(listen_parse(text, &list, NULL), SWIN2SR_OK);
    assert_int_equal(list.count, count);
    for (int i = 0; i < count; i++) {
        char written[LIMIT_LISTEN_BYTES];
        listen_write(&list.rows[i], written, sizeof written);
        assert_string_equal(written, expected[i]);
    }
}

static void entries_are_written_as_they_are_read(void **state) {
    static const char *const one[] = {"127.0.0.1:8080"};
    assert_entries("127.0.0.1:8080", one, 1);
    assert_entries(" 127.0.0.1:08080,", one, 1);
    static const char *const three[] = {"localhost:0", "[::1]:65535", "unix:/run/c.sock"};
    assert_entries("localhost:0,[::1]:65535, unix:/run/c.sock", three, 3);
    assert_entries("localhost:0 [::1]:65535\tunix:/run/c.sock", three, 3);
}

static void wrong_entries_are_named(void **state) {
    static const char *const rows[] = {"8080", ":80",     "::1:80",   "[]:80", "a:",      "a:b",  "a:-1",
                                       "a:+1", "a:65536", "a:123456", "unix:", "[::1:80", "a:80x"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[80];
        swin2sr_error error = {""};
        listen_list list = {.count = 7};
        snprintf(text, sizeof text, "good:1,%s", rows[i]);
        assert_int_equal(listen_parse(text, &list, &error), SWIN2SR_INVALID);
        assert_int_equal(strncmp(error.text, rows[i], strlen(rows[i])), 0);
        assert_int_equal(list.count, 7);
    }
    listen_list list;
    assert_int_equal(listen_parse("", &list, NULL), SWIN2SR_INVALID);
    assert_int_equal(listen_parse(" ,", &list, NULL), SWIN2SR_INVALID);
}

static void sizes_are_bounded(void **state) {
    listen_list list = {.text = ""};
    char text[2 * LIMIT_LISTEN_BYTES] = "unix:", written[LIMIT_LISTEN_BYTES];
    memset(text + 5, 'a', LIMIT_SOCKET_PATH_BYTES - 1);
    assert_int_equal(listen_parse(text, &list, NULL), SWIN2SR_OK);
    listen_write(&list.rows[0], written, sizeof written);
    assert_string_equal(written, text);
    text[5 + LIMIT_SOCKET_PATH_BYTES - 1] = 'a';
    assert_int_equal(listen_parse(text, &list, NULL), SWIN2SR_INVALID);
    memset(text, 'a', 64);
    strcpy(text + 64, ":1");
    assert_int_equal(listen_parse(text, &list, NULL), SWIN2SR_INVALID);
    assert_int_equal(listen_parse(text + 1, &list, NULL), SWIN2SR_OK);
    assert_int_equal(listen_parse("a:1,a:2,a:3,a:4,a:5,a:6,a:7,a:8", &list, NULL), SWIN2SR_OK);
    assert_int_equal(listen_parse("a:1,a:2,a:3,a:4,a:5,a:6,a:7,a:8,a:9", &list, NULL), SWIN2SR_INVALID);
    memset(text, ',', LIMIT_LISTEN_BYTES);
    text[LIMIT_LISTEN_BYTES] = '\0';
    assert_int_equal(listen_parse(text, &list, NULL), SWIN2SR_INVALID);
}

static void flags_add_up(void **state) {
    listen_list list = {.text = ""};
    assert_true(listen_append(&list, "a:1"));
    assert_true(listen_append(&list, "b:2,c:3"));
    assert_string_equal(list.text, "a:1,b:2,c:3");
    char text[LIMIT_LISTEN_BYTES];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(listen_append(&list, text));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries_are_written_as_they_are_read),
                                       cmocka_unit_test(wrong_entries_are_named), cmocka_unit_test(sizes_are_bounded),
                                       cmocka_unit_test(flags_add_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
