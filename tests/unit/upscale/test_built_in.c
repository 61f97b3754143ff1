/* SPDX-License-Identifier: Apache-2.0
 * test_built_in.c - the networks inside the library, by name and by index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <swin2sr/model.h>

#define MOST_BYTES 2200000 /* of one network's file: the program holds them all */

static void each_network_opens_under_its_name(void **state) {
    size_t count = swin2sr_model_built_in_count();
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        const char *name = swin2sr_model_built_in_name(i);
        size_t bytes = 0;
        swin2sr_model *model = NULL;
        swin2sr_error error = {""};
        assert_non_null(swin2sr_model_built_in_bytes(name, &bytes));
        assert_in_range(bytes, 1, MOST_BYTES);
        if (swin2sr_model_open_built_in(name, NULL, &model, &error) != SWIN2SR_OK)
            fail_msg("%s: %s", name, error.text);
        const swin2sr_model_info *info = swin2sr_model_get_info(model);
        assert_string_equal(info->name, name);
        assert_string_equal(info->license, "Apache-2.0");
        assert_int_equal(info->scale, 4);
        assert_int_equal(info->channels, 3);
        swin2sr_model_unref(model);
    }
}

static void each_network_has_a_sentence(void **state) {
    size_t count = swin2sr_model_built_in_count();
    for (size_t i = 0; i < count; i++) {
        const char *summary = swin2sr_model_built_in_summary(i);
        assert_int_equal(summary[strlen(summary) - 1], '.');
    }
    assert_null(swin2sr_model_built_in_name(count));
    assert_null(swin2sr_model_built_in_summary(count));
    assert_null(swin2sr_model_built_in_name(SIZE_MAX));
}

static void the_first_is_the_default(void **state) {
    size_t first_bytes = 0, default_bytes = 0;
    swin2sr_model *model = NULL;
    const char *name = swin2sr_model_built_in_name(0);
    assert_ptr_equal(swin2sr_model_built_in_bytes(name, &first_bytes), swin2sr_model_default_bytes(&default_bytes));
    assert_int_equal(first_bytes, default_bytes);
    assert_int_equal(swin2sr_model_open_default(NULL, &model, NULL), SWIN2SR_OK);
    assert_string_equal(swin2sr_model_get_info(model)->name, name);
    swin2sr_model_unref(model);
}

static void unknown_names_are_refused(void **state) {
    static const char *const names[] = {"", "Photo", "photo ", "classical-x4", NULL};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t bytes = 7;
        swin2sr_model *model = NULL;
        swin2sr_error error = {""};
        assert_int_equal(swin2sr_model_open_built_in(names[i], NULL, &model, &error), SWIN2SR_MODEL);
        assert_null(model);
        assert_non_null(strstr(error.text, "no network inside this program"));
        if (names[i])
            assert_null(swin2sr_model_built_in_bytes(names[i], &bytes));
        assert_int_equal(bytes, 7);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_network_opens_under_its_name),
        cmocka_unit_test(each_network_has_a_sentence),
        cmocka_unit_test(the_first_is_the_default),
        cmocka_unit_test(unknown_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
