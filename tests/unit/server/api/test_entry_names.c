/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/api/test_entry_names.c - hostile names become names that every system can have, and no two are equal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "api/entry_names.h"

static void names(void **state) {
    static const struct {
        const char *sent, *clean, *result;
    } rows[] = {
        {"photo.jpg", "photo.jpg", "photo.png"},
        {"", "image", "image.png"},
        {"....", "image", "image.png"},
        {"/", "image", "image.png"},
        {"../../../etc/passwd", "passwd", "passwd.png"},
        {"C:\\Users\\a\\b.TIF", "b.TIF", "b.png"},
        {"a/b\\c/d.gif", "d.gif", "d.png"},
        {"\xe7\x8c\xab \xe5\x92\xaa.webp", "\xe7\x8c\xab \xe5\x92\xaa.webp", "\xe7\x8c\xab \xe5\x92\xaa.png"},
        {"  .bashrc  ", "bashrc", "bashrc.png"},
        {"tail. . .", "tail", "tail.png"},
        {"a\tb\nc\x7f.png", "a_b_c_.png", "a_b_c_.png"},
        {"<>:\"|?*.png", "_______.png", "_______.png"},
        {"\xff.png", "_.png", "_.png"},
        {"\xc0\xae\xc0\xae.png", "____.png", "____.png"},    /* ".." in four bytes that are not UTF-8 */
        {"\xed\xa0\x80.png", "___.png", "___.png"},          /* half of a surrogate pair */
        {"\xe2\x80\xaegpj.exe", "_gpj.exe", "_gpj.exe.png"}, /* written from right to left */
        {"NUL", "_NUL", "_NUL.png"},
        {"com1.png", "_com1.png", "_com1.png"},
        {"COM10.png", "COM10.png", "COM10.png"},
        {"console.png", "console.png", "console.png"},
        {"v1.2", "v1.2", "v1.2.png"},
        {".png", "png", "png.png"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char clean[BUNDLE_NAME_BYTES], result[BUNDLE_NAME_BYTES];
        entry_name_clean(rows[i].sent, clean);
        assert_string_equal(clean, rows[i].clean);
        entry_name_of_result(clean, FORMAT_PNG, result);
        assert_string_equal(result, rows[i].result);
    }
}

/* However long a name is, it stays within its bound, is cut at a character, and keeps its ending. */
static void long_names(void **state) {
    for (size_t length = 0; length < 700; length++) {
        char sent[768] = "", clean[BUNDLE_NAME_BYTES], result[BUNDLE_NAME_BYTES];
        memset(sent, 'x', length % 3);
        for (size_t i = 0; i < length / 3; i++)
            strcat(sent, "\xe9\x95\xbf");
        strcat(sent, length % 2 ? ".jpeg" : ".not-an-ending-at-all");
        entry_name_clean(sent, clean);
        entry_name_of_result(clean, FORMAT_TIFF, result);
        assert_true(strlen(clean) < BUNDLE_NAME_BYTES && strlen(result) < BUNDLE_NAME_BYTES);
        assert_true(length % 2 == 0 || strcmp(clean + strlen(clean) - 5, ".jpeg") == 0);
        assert_string_equal(result + strlen(result) - 4, ".tif");
        const char *dot = strrchr(result, '.');
        for (const char *at = result + length % 3; at < dot && (unsigned char)*at == 0xe9; at += 3)
            assert_true(at + 3 <= dot);
    }
}

static void no_two_are_equal(void **state) {
    static bundle files;
    for (size_t length = 1; length < 300; length += 37) {
        memset(&files, 0, sizeof files);
        for (size_t i = 0; i < BUNDLE_FILES_MAX; i++, files.count++) {
            char sent[320] = "";
            memset(sent, i % 2 ? 'A' : 'a', length);
            strcat(sent, i % 3 ? ".png" : "_2.png");
            entry_name_clean(sent, files.files[i].name);
            entry_name_make_unique(&files, i, offsetof(bundle_file, name));
            assert_true(strlen(files.files[i].name) < BUNDLE_NAME_BYTES);
            for (size_t k = 0; k < i; k++)
                assert_int_not_equal(strcasecmp(files.files[k].name, files.files[i].name), 0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(long_names),
        cmocka_unit_test(no_two_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
