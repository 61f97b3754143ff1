/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/ipc/test_bundle.c - a list there and back; every cut and every wrong number is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/format.h"
#include "ipc/bundle.h"

static bundle sample = {
    .files = {{.bytes = 10,
               .cost_us = 7,
               .format = FORMAT_PNG,
               .memory_bytes = 1u << 30,
               .name = "a b.jpg",
               .result = "a b.png"},
              {.bytes = 0, .name = "b", .result = "b.png", .fault = {"{\"status\":\n415}", 15}},
              {.bytes = 32,
               .cost_us = 9,
               .format = FORMAT_GIF,
               .frames_max = 500,
               .tile_px = 512,
               .shrink_px = 1024,
               .name = "\xe7\x8c\xab.gif",
               .result = "\xe7\x8c\xab.gif"}},
    .count = 3,
    .problems = {[5] = {"{\"detail\": \"" BUNDLE_DETAIL "\"}", 24}},
};

static void there_and_back(void **state) {
    static bundle found;
    size_t size = 0, again_size = 0;
    char *text = bundle_write(&sample, &size);
    assert_non_null(text);
    assert_int_equal(bundle_read(text, size, 42, &found), SWIN2SR_OK);
    char *again = bundle_write(&found, &again_size);
    assert_int_equal(size, again_size);
    assert_memory_equal(text, again, size);
    assert_int_equal(found.files[2].tile_px, 512);
    assert_string_equal(found.files[2].result, "\xe7\x8c\xab.gif");
    assert_int_equal(found.files[1].fault.bytes, 15);
    free(again);
    free(text);
}

static void every_cut_is_refused(void **state) {
    static bundle found;
    size_t size = 0;
    char *text = bundle_write(&sample, &size);
    const char *problem = strstr(text, "problem ");
    for (size_t cut = 0; cut < size; cut++) {
        char *copy = malloc(cut + 1); /* so that reading beyond its end is noticed */
        memcpy(copy, text, cut);
        swin2sr_status expected = text + cut == problem ? SWIN2SR_OK : SWIN2SR_CORRUPT;
        assert_int_equal(bundle_read(copy, cut, 42, &found), expected);
        free(copy);
    }
    assert_int_equal(bundle_read(text, size, 41, &found), SWIN2SR_CORRUPT);
    assert_int_equal(bundle_read(text, size, 43, &found), SWIN2SR_CORRUPT);
    free(text);
}

static void wrong_lists(void **state) {
    static const char *const texts[] = {
        "",
        "bundle 2\n",
        "bundle 1\n",
        "bundle 1\nfile 1 0 1 0 0 0 0 0 a\tb",
        "bundle 1\nfile -1 0 1 0 0 0 0 0 a\tb\n",
        "bundle 1\nfile 2 0 1 0 0 0 0 0 a\tb\n",
        "bundle 1\nfile 1 0 99 0 0 0 0 0 a\tb\n",
        "bundle 1\nfile 1 0 0 0 0 0 0 0 a\tb\n",
        "bundle 1\nfile 1 0 1 0 0 0 0 0 a/b\tb\n",
        "bundle 1\nfile 1 0 1 0 0 0 0 0 a\t..\\b\n",
        "bundle 1\nfile 1 0 1 0 0 0 0 0 \tb\n",
        "bundle 1\nfile 1 0 1 9999999999 0 0 0 0 a\tb\n",
        "bundle 1\nfile 1 0 1 0 0 0 0 9 a\tb\nshort\n",
        "bundle 1\nfile 18446744073709551617 0 1 0 0 0 0 0 a\tb\n",
        "bundle 1\nfile 1 0 1 0 0 0 0 0 a\tb\nmore",
        "bundle 1\nfile 1 0 1 0 0 0 0 0 a\tb\nproblem 12 10\n{{detail}}\n",
        "bundle 1\nfile 1 0 1 0 0 0 0 0 a\tb\nproblem 5 10\n{{datail}}\n",
    };
    static bundle found;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(bundle_read(texts[i], strlen(texts[i]), 1, &found), SWIN2SR_CORRUPT);
    static const char good[] = "bundle 1\nfile 1 0 1 0 0 0 0 0 a\tb\nproblem 5 10\n{{detail}}\n";
    assert_int_equal(bundle_read(good, sizeof good - 1, 1, &found), SWIN2SR_OK);
}

static void too_many_files(void **state) {
    static char text[BUNDLE_FILES_MAX * 40 + 100];
    static bundle found;
    strcpy(text, "bundle 1\n");
    for (int i = 0; i < BUNDLE_FILES_MAX; i++)
        strcat(text, "file 1 0 1 0 0 0 0 0 a\tb\n");
    assert_int_equal(bundle_read(text, strlen(text), BUNDLE_FILES_MAX, &found), SWIN2SR_OK);
    strcat(text, "file 1 0 1 0 0 0 0 0 a\tb\n");
    assert_int_equal(bundle_read(text, strlen(text), BUNDLE_FILES_MAX + 1, &found), SWIN2SR_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(wrong_lists),
        cmocka_unit_test(too_many_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
