/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/config/test_models.c - the value of --models: names, paths, numbers, and wrong entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static served_models models; /* too large for the stack */

static swin2sr_status parse(const char *text, swin2sr_error *reterr) {
    return models_parse(text, &models, reterr);
}

static void assert_model(int32_t index, const char *name, const char *path, int32_t workers) {
    assert_string_equal(models.rows[index].name, name);
    assert_string_equal(models.rows[index].path, path);
    assert_int_equal(models.rows[index].workers, workers);
}

static void names_paths_and_numbers(void **state) {
    assert_int_equal(parse(LIBRARY_BUILT_IN, NULL), SWIN2SR_OK);
    assert_int_equal(models.count, 1);
    assert_model(0, LIBRARY_BUILT_IN, "", 0);
    assert_int_equal(parse(" a/Big.pth:64,, " LIBRARY_BUILT_IN ":1\tx:y/b.safetensors ,", NULL), SWIN2SR_OK);
    assert_int_equal(models.count, 3);
    assert_model(0, "big", "a/Big.pth", 64);
    assert_model(1, LIBRARY_BUILT_IN, "", 1);
    assert_model(2, "b", "x:y/b.safetensors", 0);
    assert_int_equal(models.pool_count, 3);
}

static void networks_inside_the_program_share_a_pool(void **state) {
    assert_int_equal(parse(LIBRARY_BUILT_IN ":2,a.pth,clean:3 fast", NULL), SWIN2SR_OK);
    assert_int_equal(models.pool_count, 2);
    assert_model(0, LIBRARY_BUILT_IN, "", 3);
    assert_model(1, "a", "a.pth", 0);
    assert_model(2, "clean", "", 3);
    assert_model(3, "fast", "", 3);
}

static void published_files_have_their_own_names(void **state) {
    assert_int_equal(parse("/w/Swin2SR_RealworldSR_X4_64_BSRGAN_PSNR.pth", NULL), SWIN2SR_OK);
    assert_string_equal(models.rows[0].name, "realworld-x4");
}

static void wrong_entries_are_named(void **state) {
    static const char *const rows[][2] = {
        {"", "no model"},
        {" , ", "no model"},
        {"a.pth:0", "a.pth"},
        {"a.pth:65", "a.pth"},
        {"a.pth:", "a.pth"},
        {"a.pth:1x", "a.pth"},
        {"a.pth:4294967297", "a.pth"},
        {"a.pth:-1", "a.pth"},
        {"Upper", "Upper"},
        {"not-there", "not-there"},
        {"swin2sr-lightweight-x4", "no longer inside the program; name fast"},
        {"a.pth x/A.bin", "two"},
        {"/.pth", "/.pth"},
        {"/\xc3\xa4.pth", "letters"},
        {"..", ".."},
        {":1", "neither"},
        {"a.pth b", "b: no such"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        swin2sr_error error = {""};
        assert_int_equal(parse(rows[i][0], &error), SWIN2SR_INVALID);
        assert_non_null(strstr(error.text, rows[i][1]));
    }
}

static void bounded(void **state) {
    char text[8 * (LIMIT_MODELS + 1) + 1] = "";
    for (int i = 0; i <= LIMIT_MODELS; i++) {
        assert_int_equal(parse(i ? text : "a.pth", NULL), SWIN2SR_OK);
        sprintf(text + strlen(text), "n%02d.pth ", i);
    }
    assert_int_equal(models.count, LIMIT_MODELS);
    assert_int_equal(parse(text, NULL), SWIN2SR_INVALID);
    static char path[LIBRARY_MAX_PATH + 1];
    memset(path, '/', LIBRARY_MAX_PATH);
    memcpy(path + LIBRARY_MAX_PATH - 5, "a.pth", 5);
    assert_int_equal(parse(path + 1, NULL), SWIN2SR_OK);
    assert_int_equal(parse(path, NULL), SWIN2SR_INVALID);
}

static int empty_library(void **state) {
    return setenv("SWIN2SR_MODELS", "/nowhere/at/all", 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_paths_and_numbers),
        cmocka_unit_test(networks_inside_the_program_share_a_pool),
        cmocka_unit_test(published_files_have_their_own_names),
        cmocka_unit_test(wrong_entries_are_named),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, empty_library, NULL);
}
