/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/api/test_facts.c - header fields of an answer show what the worker reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/facts.h"

static void the_plan_is_the_workers(void **state) {
    static const struct {
        uint32_t columns, bands;
        const char *text;
    } rows[] = {{1, 1, "whole"},
                {3, 1, "strips=3"},
                {1, 4, "tiles=4"},
                {3, 4, "tiles=12"},
                {INT32_MAX, INT32_MAX, "tiles=4611686014132420609"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ipc_done done = {.plan_columns = rows[i].columns, .plan_bands = rows[i].bands};
        char text[FACTS_BYTES];
        facts_plan(&done, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void other_bytes_have_another_tag(void **state) {
    static const char etag[LIMIT_ETAG_BYTES] = "\"0123456789abcdef0123456789abcdef\"";
    static const struct {
        ipc_done done;
        const char *tag;
    } rows[] = {
        {{.plan_columns = 1, .plan_bands = 1}, etag},
        {{.plan_columns = 3, .plan_bands = 1}, "\"0123456789abcdef0123456789abcdef-strips=3\""},
        {{.plan_columns = 3, .plan_bands = 1, .maker = 0xbeef}, "\"0123456789abcdef012345670000beef-strips=3\""},
        {{.plan_columns = 1, .plan_bands = 1, .maker = 0xfedcba98}, "\"0123456789abcdef01234567fedcba98\""},
        {{.plan_columns = 1, .plan_bands = 1, .notes = NOTE_SHRUNK}, "\"0123456789abcdef0123456789abcdef-shrink\""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char tag[FACTS_ETAG_BYTES];
        facts_etag(etag, &rows[i].done, tag);
        assert_string_equal(tag, rows[i].tag);
    }
}

static void times_are_in_milliseconds(void **state) {
    ipc_done done = {.decode_us = 1500, .infer_us = 2000000, .encode_us = 0};
    char text[FACTS_BYTES];
    facts_timing(&done, 49, text);
    assert_string_equal(text, "queue;dur=0.0, decode;dur=1.5, infer;dur=2000.0, encode;dur=0.0");
    done = (ipc_done){.decode_us = INT64_MAX, .infer_us = INT64_MAX, .encode_us = INT64_MAX};
    facts_timing(&done, INT64_MAX, text);
    assert_true(strlen(text) < sizeof text - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_is_the_workers),
        cmocka_unit_test(other_bytes_have_another_tag),
        cmocka_unit_test(times_are_in_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
