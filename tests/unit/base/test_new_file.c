/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/base/test_new_file.c - whole or not at all, modes, names taken meanwhile; errors of long paths. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/new_file.h"

static char folder[] = "/tmp/swin2sr-new-file-XXXXXX";

static int enter_folder(void **state) {
    umask(022);
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int remove_folder(void **state) {
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return chdir("/") || system(command);
}

static void put(const char *path, const char *refusal) {
    swin2sr__new_file file;
    assert_int_equal(swin2sr__new_file_open(path, refusal, &file, NULL), SWIN2SR_OK);
    assert_int_equal(write(file.fd, "new", 3), 3);
    assert_int_equal(swin2sr__new_file_commit(&file, NULL), SWIN2SR_OK);
    swin2sr__new_file_done(&file);
}

static mode_t mode_of(const char *path) {
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void test_mode_stays(void **state) {
    put("a", "exists");
    assert_int_equal(mode_of("a"), 0644);
    for (size_t i = 0; i < 4; i++) {
        const mode_t mode = (const mode_t[]){0600, 0664, 0444, 0777}[i];
        assert_int_equal(chmod("a", mode), 0);
        put("a", NULL);
        assert_int_equal(mode_of("a"), mode);
    }
}

static void touch(const char *path) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

/* Temporary files that nobody has open are removed, and nothing else. */
static void test_sweep(void **state) {
    static const char *const KEPT[] = {".swin2sr-0123abc", ".swin2sr-0123abcde", ".swin2sr-0123abcg",
                                       "swin2sr-01234567"};
    swin2sr__new_file file;
    for (size_t i = 0; i < 4; i++)
        touch(KEPT[i]);
    touch(".swin2sr-0123abcd");
    assert_int_equal(mkdir(".swin2sr-deadbeef", 0777), 0);
    assert_int_equal(swin2sr__new_file_open("swept", NULL, &file, NULL), SWIN2SR_OK);
    swin2sr__new_file_sweep(".");
    swin2sr__new_file_sweep("none");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(unlink(KEPT[i]), 0);
    assert_int_equal(access(".swin2sr-0123abcd", F_OK), -1);
    assert_int_equal(rmdir(".swin2sr-deadbeef"), 0);
    assert_int_equal(swin2sr__new_file_commit(&file, NULL), SWIN2SR_OK);
    swin2sr__new_file_done(&file);
    assert_int_equal(unlink("swept"), 0);
}

/* Nothing is there before commit, and nothing stays without it. */
static void test_not_committed(void **state) {
    swin2sr__new_file file;
    char temporary[64];
    assert_int_equal(swin2sr__new_file_open("b", NULL, &file, NULL), SWIN2SR_OK);
    snprintf(temporary, sizeof(temporary), "%s", file.temporary);
    assert_int_equal(access(temporary, F_OK), 0);
    assert_int_not_equal(access("b", F_OK), 0);
    swin2sr__new_file_done(&file);
    swin2sr__new_file_done(&file);
    assert_int_not_equal(access(temporary, F_OK), 0);
    assert_int_not_equal(access("b", F_OK), 0);
}

static void test_taken_meanwhile(void **state) {
    swin2sr__new_file file;
    swin2sr_error error;
    assert_int_equal(swin2sr__new_file_open("c", "is taken", &file, NULL), SWIN2SR_OK);
    put("c", NULL);
    assert_int_equal(swin2sr__new_file_commit(&file, &error), SWIN2SR_IO);
    assert_string_equal(error.text, "c: is taken");
    swin2sr__new_file_done(&file);
    assert_int_equal(swin2sr__new_file_open("c", "is taken", &file, &error), SWIN2SR_IO);
    assert_string_equal(error.text, "c: is taken");
    assert_int_equal(symlink("nowhere", "link"), 0);
    assert_int_equal(swin2sr__new_file_open("link", "is taken", &file, &error), SWIN2SR_IO);
}

static void test_names(void **state) {
    swin2sr__new_file file;
    swin2sr_error error;
    char name[300];
    memset(name, 'n', sizeof(name));
    name[255] = '\0';
    put(name, "exists");
    for (int i = 0; i < 2; i++) {
        name[255 + i] = 'n';
        name[256 + i] = '\0';
        assert_int_equal(swin2sr__new_file_open(name, i ? "exists" : NULL, &file, &error), SWIN2SR_IO);
        assert_non_null(strstr(error.text, "n: File name too long"));
    }
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(swin2sr__new_file_open("folder", NULL, &file, &error), SWIN2SR_IO);
    assert_int_equal(swin2sr__new_file_open("none/a", NULL, &file, &error), SWIN2SR_IO);
    assert_string_equal(error.text, "none/a: No such file or directory");
}

/* Every length of path, with characters of one to four bytes: the reason is whole, and so is each character. */
static void test_errors_of_paths(void **state) {
    static const char *const characters[] = {"a", "\xc3\xa4", "\xe6\xbc\xa2", "\xf0\x9f\x8c\xb3"};
    swin2sr_error error;
    for (size_t c = 0; c < 4; c++) {
        char path[1300] = "";
        for (int length = 0; length < 300; length++) {
            assert_int_equal(swin2sr__error_set_path(&error, SWIN2SR_IO, path, "%s", "No such file"), SWIN2SR_IO);
            size_t size = strlen(error.text), bytes = strlen(characters[c]);
            assert_true(size < sizeof(error.text));
            assert_string_equal(error.text + size - strlen(": No such file"), ": No such file");
            const char *shown = strncmp(error.text, "...", 3) == 0 ? error.text + 3 : error.text;
            size_t shown_bytes = (size_t)(error.text + size - strlen(": No such file") - shown);
            assert_int_equal(shown_bytes % bytes, 0);
            assert_memory_equal(shown, path + strlen(path) - shown_bytes, shown_bytes);
            assert_true(shown_bytes == strlen(path) || size > sizeof(error.text) - 1 - bytes);
            swin2sr__error_set(&error, SWIN2SR_IO, "x%s", path); /* cut at its end */
            assert_int_equal((strlen(error.text) - 1) % bytes, 0);
            assert_true(strlen(error.text) == strlen(path) + 1 || strlen(error.text) > sizeof(error.text) - 1 - bytes);
            strcat(path, characters[c]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mode_stays),      cmocka_unit_test(test_sweep), cmocka_unit_test(test_not_committed),
        cmocka_unit_test(test_taken_meanwhile), cmocka_unit_test(test_names), cmocka_unit_test(test_errors_of_paths),
    };
    return cmocka_run_group_tests(tests, enter_folder, remove_folder);
}
