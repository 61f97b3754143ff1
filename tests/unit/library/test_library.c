/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/library/test_library.c - names that stay in the folder, where the folder is, tasks, the catalogue. */
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

#include "library/catalog.h"
#include "library/library.h"

static char folder[] = "/tmp/swin2sr-library-XXXXXX";

static int make_folder(void **state) {
    return mkdtemp(folder) ? setenv("SWIN2SR_MODELS", folder, 1) : -1;
}

static void put_file(const char *name) {
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("12345", file);
    fclose(file);
}

static int remove_folder(void **state) {
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static void test_names(void **state) {
    static const char *const good[] = {"a", "0", "classical-x4", "a.b_c-9", "a..b"};
    static const char *const bad[] = {"",      ".",     "..",   ".a",  "-a",   "_a",       "A",
                                      "a/b",   "../a",  "/a",   "a b", "a\n",  "\xc3\xa4", "a.safetensors",
                                      "a.pth", "a.bin", "a\\b", "a:b", "a\x7f"};
    char longest[LIBRARY_MAX_NAME + 1];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(library_is_name(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(library_is_name(bad[i]));
    memset(longest, 'a', sizeof(longest));
    longest[LIBRARY_MAX_NAME] = '\0';
    assert_false(library_is_name(longest));
    longest[LIBRARY_MAX_NAME - 1] = '\0';
    assert_true(library_is_name(longest));
}

static void test_file_names(void **state) {
    assert_true(library_is_file_name("a/b"));
    assert_true(library_is_file_name("a.safetensors"));
    assert_true(library_is_file_name("A.pth"));
    assert_true(library_is_file_name("pytorch_model.bin"));
    assert_false(library_is_file_name("classical-x4"));
    assert_false(library_is_file_name("pth"));
}

static void test_folder(void **state) {
    char path[64];
    const char *home = getenv("HOME");
    char *kept = home ? strdup(home) : NULL;
    assert_int_equal(library_folder(path, sizeof(path), NULL), SWIN2SR_OK);
    assert_string_equal(path, folder);
    setenv("SWIN2SR_MODELS", "", 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    setenv("HOME", "/home/u", 1);
    assert_int_equal(library_folder(path, sizeof(path), NULL), SWIN2SR_OK);
    assert_string_equal(path, "/data/swin2sr/models");
    setenv("XDG_DATA_HOME", "relative", 1);
    assert_int_equal(library_folder(path, sizeof(path), NULL), SWIN2SR_OK);
    assert_string_equal(path, "/home/u/.local/share/swin2sr/models");
    strcpy(path, "kept");
    assert_int_equal(library_folder(path, 35, NULL), SWIN2SR_INVALID);
    assert_int_equal(library_folder(path, 36, NULL), SWIN2SR_OK);
    unsetenv("XDG_DATA_HOME");
    unsetenv("HOME");
    strcpy(path, "kept");
    assert_int_equal(library_folder(path, sizeof(path), NULL), SWIN2SR_INVALID);
    assert_string_equal(path, "kept");
    setenv("SWIN2SR_MODELS", folder, 1);
    if (kept)
        setenv("HOME", kept, 1);
    free(kept);
}

static void test_find(void **state) {
    char path[256] = "kept", expected[256];
    swin2sr_error error = {0};
    put_file("a.safetensors");
    assert_int_equal(library_find("a", path, sizeof(path), &error), SWIN2SR_OK);
    snprintf(expected, sizeof(expected), "%s/a.safetensors", folder);
    assert_string_equal(path, expected);
    strcpy(path, "kept");
    assert_int_equal(library_find("a", path, strlen(expected), &error), SWIN2SR_INVALID);
    assert_int_equal(library_find("b", path, sizeof(path), &error), SWIN2SR_MODEL);
    assert_non_null(strstr(error.text, "b.safetensors"));
    assert_int_equal(library_find("../a", path, sizeof(path), &error), SWIN2SR_INVALID);
    snprintf(expected, sizeof(expected), "%s/c.safetensors", folder);
    assert_int_equal(mkdir(expected, 0700), 0);
    assert_int_equal(library_find("c", path, sizeof(path), &error), SWIN2SR_MODEL);
    assert_string_equal(path, "kept");
}

static void test_list(void **state) {
    static const char *const others[] = {"B.safetensors", ".x.safetensors", "y.part", "y.safetensors.sha256",
                                         ".safetensors",  "z.pth",          "z"};
    library_list list;
    put_file("b.safetensors");
    put_file("a.safetensors");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        put_file(others[i]);
    assert_int_equal(library_list_open(&list, NULL), SWIN2SR_OK);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.entries[0].name, "a");
    assert_string_equal(list.entries[1].name, "b");
    assert_int_equal(list.entries[1].bytes, 5);
    library_list_done(&list);
    setenv("SWIN2SR_MODELS", "/nowhere/at/all", 1);
    assert_int_equal(library_list_open(&list, NULL), SWIN2SR_OK);
    assert_int_equal(list.count, 0);
    library_list_done(&list);
    setenv("SWIN2SR_MODELS", "/etc/passwd", 1);
    assert_int_equal(library_list_open(&list, NULL), SWIN2SR_IO);
    setenv("SWIN2SR_MODELS", folder, 1);
}

static void test_tasks(void **state) {
    static const char *const names[] = {"auto", "photo", "clean", "compressed", "jpeg", "fast"};
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(library_task_name(i), names[i]);
    assert_null(library_task_name(6));
    assert_null(library_task_name(SIZE_MAX));
    assert_int_equal(library_task_rank("photo", "realworld-x4"), 0);
    assert_int_equal(library_task_rank("clean", "classical-x4"), 0);
    assert_int_equal(library_task_rank("jpeg", "jpeg"), 0);
    assert_true(library_task_rank("photo", LIBRARY_BUILT_IN) > 0);
    assert_int_equal(library_task_rank("jpeg", LIBRARY_BUILT_IN), -1);
    assert_int_equal(library_task_rank("photo", "unknown"), -1);
    assert_int_equal(library_task_rank("unknown", "jpeg"), -1);
    assert_int_equal(library_task_rank("", ""), -1);
    for (size_t i = 0; i < 6; i++)
        assert_ptr_equal(library_task_find(names[i]), library_task_name(i));
    assert_null(library_task_find(""));
    assert_null(library_task_find("Photo"));
    assert_string_equal(library_task_of("fast"), "fast");
    assert_int_equal(library_task_rank("auto", "photo"), -1);
    assert_string_equal(LIBRARY_BUILT_IN, "photo");
    assert_string_equal(library_task_of("clean"), "clean");
    assert_string_equal(library_task_of("photo"), "photo");
    assert_true(library_is_built_in(LIBRARY_BUILT_IN) && library_is_built_in("clean") && library_is_built_in("photo"));
    assert_true(library_is_built_in("fast") && !library_is_built_in("swin2sr-lightweight-x4"));
    assert_false(library_is_built_in("realworld-x4") || library_is_built_in(""));
    assert_null(library_task_of("unknown"));
}

static void test_choice(void **state) {
    library_choice best = {NULL, 0};
    library_choice_consider(&best, "clean", "unknown");
    library_choice_consider(&best, "clean", "jpeg");
    assert_null(best.name);
    library_choice_consider(&best, "clean", "fast");
    assert_string_equal(best.name, "fast");
    library_choice_consider(&best, "clean", "lightweight-x2");
    library_choice_consider(&best, "clean", "fast");
    assert_string_equal(best.name, "lightweight-x2");
    library_choice_consider(&best, "clean", "clean");
    assert_string_equal(best.name, "clean");
    library_choice_consider(&best, "clean", "classical-x2");
    assert_string_equal(best.name, "classical-x2");
}

static void test_names_of_paths(void **state) {
    static const char *const rows[][2] = {
        {"a/Net_G 5.pth", "net_g-5"},
        {"x.y.safetensors", "x.y"},
        {"/b/model.safetensors", "b"},
        {"b/pytorch_model.bin", "b"},
        {"/model.bin", "model"},
        {"model.safetensors", "model"},
        {"/model.safetensors", ""},
        {"a/", ""},
        {"", ""},
    };
    char name[LIBRARY_MAX_NAME], long_path[LIBRARY_MAX_NAME + 10];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        library_name_of_path(rows[i][0], name);
        assert_string_equal(name, rows[i][1]);
    }
    memset(long_path, 'a', sizeof(long_path));
    long_path[sizeof(long_path) - 1] = '\0';
    library_name_of_path(long_path, name);
    assert_false(library_is_name(name));
}

/* Each is a name, is for the task it names, and comes from the official release. */
static void test_catalog(void **state) {
    static const char release[] = "https://github.com/mv-lab/swin2sr/releases/download/v0.0.1/Swin2SR_";
    char name[LIBRARY_MAX_NAME];
    catalog offers;
    assert_int_equal(catalog_open(&offers, NULL), SWIN2SR_OK);
    assert_int_equal(offers.count, 6);
    for (size_t i = 0; i < offers.count; i++) {
        const catalog_offer *offer = &offers.offers[i];
        assert_true(library_is_name(offer->name));
        assert_string_equal(library_task_of(offer->name), offer->task);
        assert_memory_equal(offer->url, release, sizeof(release) - 1);
        assert_string_equal(offer->license, "Apache-2.0");
        assert_true(offer->scale == 1 || offer->scale == 2 || offer->scale == 4);
        assert_ptr_equal(catalog_find(&offers, offer->name), offer);
    }
    assert_string_equal(catalog_find_file(&offers, "Swin2SR_Jpeg_dynamic.pth")->name, "jpeg");
    assert_string_equal(catalog_find_file(&offers, "/a/Swin2SR_Jpeg_dynamic.pth")->name, "jpeg");
    catalog_name_file(&offers, "/a/Swin2SR_Jpeg_dynamic.pth", name);
    assert_string_equal(name, "jpeg");
    catalog_name_file(&offers, "/a/Mine.pth", name);
    assert_string_equal(name, "mine");
    assert_null(catalog_find(&offers, "unknown"));
    assert_null(catalog_find_file(&offers, ""));
    catalog_done(&offers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_file_names), cmocka_unit_test(test_folder),
        cmocka_unit_test(test_find),    cmocka_unit_test(test_tasks),      cmocka_unit_test(test_list),
        cmocka_unit_test(test_catalog), cmocka_unit_test(test_choice),     cmocka_unit_test(test_names_of_paths),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
