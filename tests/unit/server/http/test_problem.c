/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/http/test_problem.c - problem documents are complete, printable and escaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "api/status_map.h"
#include "http/problem.h"

static const char *text_of(const json_t *document, const char *key) {
    const char *text = json_string_value(json_object_get(document, key));
    assert_non_null(text);
    return text;
}

static void every_kind_is_complete(void **state) {
    for (int kind = 0; kind < PROBLEM_COUNT; kind++) {
        problem what = problem_of((problem_kind)kind, "detail %d", kind);
        char *text = problem_to_json(&what, "abc");
        json_t *document = json_loads(text, 0, NULL);
        assert_true(problem_code(&what) >= 400 && problem_code(&what) < 600);
        assert_int_equal(json_integer_value(json_object_get(document, "status")), problem_code(&what));
        assert_true(strlen(text_of(document, "title")) > 0);
        assert_string_equal(text_of(document, "type") + strlen("urn:swin2sr:problem:"), text_of(document, "code"));
        assert_string_equal(text_of(document, "instance"), "urn:swin2sr:request:abc");
        assert_string_equal(text_of(document, "request_id"), "abc");
        assert_null(json_object_get(document, "limit"));
        json_decref(document);
        free(text);
    }
}

static void numbers_where_they_help(void **state) {
    problem what = problem_of(PROBLEM_IMAGE_TOO_LARGE, "x");
    what.limit = 5;
    what.actual = 6;
    what.retry_after_s = 7;
    char *text = problem_to_json(&what, "abc");
    json_t *document = json_loads(text, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(document, "limit")), 5);
    assert_int_equal(json_integer_value(json_object_get(document, "actual")), 6);
    assert_int_equal(json_integer_value(json_object_get(document, "retry_after")), 7);
    json_decref(document);
    free(text);
    strcpy(what.tried, "whole, strips");
    text = problem_to_json(&what, "abc");
    document = json_loads(text, 0, NULL);
    const json_t *tried = json_object_get(document, "tried");
    assert_int_equal(json_array_size(tried), 2);
    assert_string_equal(json_string_value(json_array_get(tried, 0)), "whole");
    assert_string_equal(json_string_value(json_array_get(tried, 1)), "strips");
    json_decref(document);
    free(text);
    text = problem_to_html(&what, "abc", 1);
    const char *const parts[] = {"<p>X.</p>", "上限</span>: 5;", "实际</span>: 6.", "请稍后重试</span>: 7 s."};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_non_null(strstr(text, parts[i]));
    free(text);
}

static void text_from_outside_is_harmless(void **state) {
    problem what = problem_of(PROBLEM_OPTION, "%s", "<b>\"\xff\n\x7f&");
    assert_string_equal(what.detail, "<b>\"???&");
    char *json = problem_to_json(&what, "abc"), *page = problem_to_html(&what, "abc", 1);
    json_t *document = json_loads(json, 0, NULL);
    assert_string_equal(text_of(document, "detail"), what.detail);
    assert_null(strstr(page, "<b>"));
    assert_non_null(strstr(page, "&#60;b&#62;&#34;???&#38;"));
    json_decref(document);
    free(json);
    free(page);
}

static void the_way_back_is_relative(void **state) {
    static const char *const links[] = {"\"./\"", "\"./\"", "\"./../\"", "\"./../../\""};
    problem what = problem_of(PROBLEM_METHOD, "x");
    for (int depth = 0; depth < 4; depth++) {
        char *page = problem_to_html(&what, "abc", depth);
        assert_non_null(strstr(page, links[depth]));
        free(page);
    }
    char *page = problem_to_html(&what, "abc", 10000);
    assert_null(strstr(page, "href"));
    assert_true(strlen(page) < 1200);
    free(page);
}

static void every_status_has_its_problem(void **state) {
    static const struct {
        swin2sr_status status;
        int code;
    } rows[] = {{SWIN2SR_INVALID, 422},      {SWIN2SR_NOMEM, 503},      {SWIN2SR_TOO_LARGE, 413},
                {SWIN2SR_UNSUPPORTED, 415},  {SWIN2SR_CORRUPT, 422},    {SWIN2SR_MODEL, 500},
                {SWIN2SR_IO, 507},           {SWIN2SR_BUSY, 503},       {SWIN2SR_CANCELLED, 503},
                {SWIN2SR_TIMEOUT, 504},      {SWIN2SR_INTERNAL, 500},   {SWIN2SR_OK, 500},
                {(swin2sr_status)-100, 500}, {(swin2sr_status)100, 500}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        problem what = problem_of(status_map(rows[i].status), "x");
        assert_int_equal(problem_code(&what), rows[i].code);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_complete),        cmocka_unit_test(numbers_where_they_help),
        cmocka_unit_test(text_from_outside_is_harmless), cmocka_unit_test(the_way_back_is_relative),
        cmocka_unit_test(every_status_has_its_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
