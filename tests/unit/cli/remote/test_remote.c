/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/cli/remote/test_remote.c - what `swin2sr remote` makes of addresses and of the answers of a service, which
 * may be hostile, and when it tries again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote/address.h"
#include "remote/answer.h"
#include "remote/job.h"
#include "remote/networks.h"
#include "remote/retry.h"

#define SECOND ((uint64_t)1000000)

/* ---- address ---- */

static void reads_addresses(void **state) {
    static const struct {
        const char *text, *base, *host;
        bool is_https, is_loopback;
    } CASES[] = {
        {"http://localhost:8080", "http://localhost:8080", "localhost:8080", false, true},
        {"https://example.org/", "https://example.org", "example.org", true, false},
        {"HTTPS://Example.org/images//", "HTTPS://Example.org/images", "Example.org", true, false},
        {"http://[::1]:80/a/b", "http://[::1]:80/a/b", "[::1]:80", false, true},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        remote_address found;
        assert_int_equal(address_parse(CASES[i].text, &found, NULL), SWIN2SR_OK);
        assert_string_equal(found.base, CASES[i].base);
        assert_string_equal(found.host, CASES[i].host);
        assert_int_equal(found.is_https, CASES[i].is_https);
        assert_int_equal(found.is_loopback, CASES[i].is_loopback);
    }
}

static void refuses_addresses(void **state) {
    static const char *const TEXTS[] = {"",
                                        "localhost:8080",
                                        "ftp://a",
                                        "http://",
                                        "http:///path",
                                        "http://user:secret@host",
                                        "http://host?a=b",
                                        "http://host/#part",
                                        "http://ho st",
                                        "http://host\r\nX: y",
                                        "http://ho%00st",
                                        "file:///etc/passwd"};
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        remote_address found = {.base = "before"};
        swin2sr_error error = {0};
        assert_int_equal(address_parse(TEXTS[i], &found, &error), SWIN2SR_INVALID);
        assert_string_equal(found.base, "before");
        assert_null(strstr(error.text, "secret"));
    }
    char longest[2000] = "http://";
    memset(longest + 7, 'a', sizeof(longest) - 8);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(address_parse(longest, &(remote_address){0}, NULL), SWIN2SR_INVALID);
}

static void takes_ids_and_nothing_else(void **state) {
    static const char *const WRONG[] = {"", "..", "a/b", "a?b", "a b", "a\n", "a%2e", "\xc3\xa4"};
    char id[ADDRESS_ID_BYTES] = "before", longest[ADDRESS_ID_BYTES + 1];
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++)
        assert_false(address_take_id(WRONG[i], id));
    memset(longest, 'a', sizeof(longest));
    longest[ADDRESS_ID_BYTES] = '\0';
    assert_false(address_take_id(longest, id));
    assert_string_equal(id, "before");
    assert_true(address_take_id(longest + 1, id));
    assert_string_equal(id, longest + 1);
}

static void escapes_queries(void **state) {
    char path[40] = "/v1/jobs";
    assert_true(address_add_query(path, sizeof(path), "model", "a b&c"));
    assert_true(address_add_query(path, sizeof(path), "x", "1"));
    assert_string_equal(path, "/v1/jobs?model=a%20b%26c&x=1");
    assert_false(address_add_query(path, sizeof(path), "long", "0123456789"));
}

/* ---- answers ---- */

static void take_lines(remote_answer *answer, const char *const *lines) {
    *answer = (remote_answer){0};
    for (; *lines; lines++)
        answer_take_line(answer, *lines, strlen(*lines));
}

static remote_answer answer_of(long code, const char *text) {
    remote_answer answer = {.code = code};
    assert_true(answer_take_text(&answer, text, strlen(text)));
    return answer;
}

static void reads_header_fields(void **state) {
    remote_answer answer;
    take_lines(&answer,
               (const char *const[]){"HTTP/1.1 100 Continue\r\n", "Location: /old\r\n", "HTTP/1.1 201 Created\r\n",
                                     "UPLOAD-OFFSET:12\r\n", "etag: \t\"a\" \r\n", "Retry-After: 7\r\n", NULL});
    assert_string_equal(answer.location, ""); /* of an interim answer */
    assert_string_equal(answer.upload_offset, "12");
    assert_string_equal(answer.etag, "\"a\"");
    assert_int_equal(answer_retry_after_s(&answer), 7);
}

static void ignores_fields_that_are_too_long(void **state) {
    char line[ANSWER_FIELD_BYTES + 20] = "ETag: ";
    remote_answer answer;
    memset(line + 6, 'x', sizeof(line) - 7);
    line[sizeof(line) - 1] = '\0';
    take_lines(&answer, (const char *const[]){line, "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", NULL});
    assert_string_equal(answer.etag, "");
    assert_int_equal(answer_retry_after_s(&answer), 0);
    take_lines(&answer, (const char *const[]){"Retry-After: 86401", NULL});
    assert_int_equal(answer_retry_after_s(&answer), 0);
}

static void bounds_the_text(void **state) {
    static char piece[ANSWER_TEXT_BYTES];
    remote_answer answer = {0};
    assert_true(answer_take_text(&answer, piece, sizeof(piece) - 1));
    assert_false(answer_take_text(&answer, piece, 2));
    assert_true(answer_take_text(&answer, piece, 1));
}

static void reads_numbers(void **state) {
    static const char *const WRONG[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "11", "99999999999999999999"};
    uint64_t value = 77, last;
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++)
        assert_false(answer_parse_number(WRONG[i], 10, &value));
    assert_int_equal(value, 77);
    assert_true(answer_parse_number("10", 10, &value));
    assert_int_equal(value, 10);
    assert_true(answer_parse_range("bytes 3-9/10", &value, &last));
    assert_int_equal(value, 3);
    assert_int_equal(last, 9);
    assert_false(answer_parse_range("bytes 9-3/10", &value, &last));
    assert_false(answer_parse_range("rows 0-1/2", &value, &last));
}

static void tells_what_passes_from_what_does_not(void **state) {
    static const long PASSES[] = {408, 423, 425, 429, 502, 503, 504};
    static const long STAYS[] = {200, 206, 301, 400, 401, 403, 404, 409, 410, 413, 415, 422, 500, 501, 507};
    remote_answer answer;
    for (size_t i = 0; i < sizeof(PASSES) / sizeof(PASSES[0]); i++) {
        answer = answer_of(PASSES[i], "");
        assert_true(answer_is_transient(&answer));
    }
    for (size_t i = 0; i < sizeof(STAYS) / sizeof(STAYS[0]); i++) {
        answer = answer_of(STAYS[i], "");
        assert_false(answer_is_transient(&answer));
    }
    answer = answer_of(504, "{\"code\":\"deadline\"}");
    assert_false(answer_is_transient(&answer));
    answer = answer_of(409, "");
    strcpy(answer.retry_after, "1");
    assert_true(answer_is_transient(&answer));
}

static void shows_the_detail_of_a_problem(void **state) {
    swin2sr_error error;
    remote_answer answer = answer_of(413, "{\"detail\":\"too large\",\"code\":\"image_too_large\"}");
    assert_int_equal(answer_fail(&answer, "host:1", &error), SWIN2SR_INVALID);
    assert_string_equal(error.text, "host:1 answers 413: too large");
    answer = answer_of(500, "{\"detail\":7}");
    assert_int_equal(answer_fail(&answer, "host:1", &error), SWIN2SR_IO);
    assert_non_null(strstr(error.text, "host:1 answers 500"));
    answer = answer_of(401, "<html>");
    assert_int_equal(answer_fail(&answer, "h", &error), SWIN2SR_IO);
    assert_non_null(strstr(error.text, "--key-file"));
    char longest[4000];
    snprintf(longest, sizeof(longest), "{\"detail\":\"%03000d\"}", 0);
    answer = answer_of(422, longest);
    answer_fail(&answer, "h", &error);
    assert_true(strlen(error.text) < sizeof(error.text));
}

/* ---- jobs ---- */

#define JOB(more) "{\"id\":\"n1-0\",\"status\":\"running\"" more "}"

static void reads_jobs(void **state) {
    remote_job job;
    remote_answer answer = answer_of(200, JOB(",\"progress\":0.25,\"eta_seconds\":3,\"queue_position\":0"));
    assert_true(job_parse(&answer, &job));
    assert_string_equal(job.id, "n1-0");
    assert_int_equal(job.status, JOB_RUNNING);
    assert_false(job_is_finished(&job));
    assert_true(job.progress == 0.25 && job.eta_s == 3);
    answer = answer_of(200, "{\"id\":\"a\",\"status\":\"succeeded\",\"result\":{\"bytes\":5},\"notes\":\"damaged\"}");
    assert_true(job_parse(&answer, &job));
    assert_true(job.has_result && job_is_finished(&job));
    assert_int_equal(job.result_bytes, 5);
    assert_string_equal(job.notes, "damaged");
    answer = answer_of(200, "{\"id\":\"a\",\"status\":\"failed\",\"error\":{\"status\":422,\"detail\":\"x\\u001by\"}}");
    assert_true(job_parse(&answer, &job));
    assert_int_equal(job.error_code, 422);
    assert_string_equal(job.error, "x?y");
    answer = answer_of(200, "{\"id\":\"a\",\"status\":\"succeeded\"}"); /* expired */
    assert_true(job_parse(&answer, &job));
    assert_false(job.has_result);
}

static void bounds_what_a_job_says(void **state) {
    static const char *const WRONG[] = {"",
                                        "[]",
                                        "{}",
                                        "{\"id\":\"../x\",\"status\":\"running\"}",
                                        "{\"id\":7,\"status\":\"running\"}",
                                        "{\"id\":\"a\",\"status\":\"lost\"}",
                                        "{\"id\":\"a\",\"status\":\"succeeded\",\"result\":{\"bytes\":-1}}",
                                        "{\"id\":\"a\",\"status\":\"succeeded\",\"result\":{}}",
                                        "{\"id\":\"a\",\"id\":\"b\",\"status\":\"running\"}"};
    remote_job job = {.queue_position = 77};
    remote_answer answer;
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        answer = answer_of(200, WRONG[i]);
        assert_false(job_parse(&answer, &job));
    }
    assert_int_equal(job.queue_position, 77);
    answer = answer_of(200, JOB(",\"progress\":-3,\"eta_seconds\":1e300,\"queue_position\":1e300,\"error\":[]"));
    assert_true(job_parse(&answer, &job));
    assert_true(job.progress == 0 && job.eta_s <= 1e7 && job.queue_position <= 1000000);
    answer = answer_of(200, JOB(",\"progress\":\"x\",\"eta_seconds\":null,\"queue_position\":{}"));
    assert_true(job_parse(&answer, &job));
    assert_true(job.progress == 0 && job.eta_s == 0 && job.queue_position == 0);
}

/* ---- networks ---- */

#define MODELS                                                           \
    "{\"models\":[{\"name\":\"fast\",\"default\":true,\"scale\":4},"     \
    "{\"name\":\"photo\",\"default\":false,\"scale\":2},{\"name\":\"../" \
    "x\",\"scale\":2},{\"name\":\"huge\",\"scale\":99},"                 \
    "{\"name\":\"new\"},7]}"

static swin2sr_status choose(const char *text, const char *model, const char *task, remote_network *ret_network,
                             swin2sr_error *reterr) {
    remote_answer answer = answer_of(200, text);
    return networks_choose(&answer, "host", model, task, ret_network, reterr);
}

static void chooses_networks(void **state) {
    remote_network found;
    assert_int_equal(choose(MODELS, NULL, NULL, &found, NULL), SWIN2SR_OK);
    assert_string_equal(found.name, "fast");
    assert_int_equal(found.scale, 4);
    assert_int_equal(choose(MODELS, "photo", NULL, &found, NULL), SWIN2SR_OK);
    assert_int_equal(found.scale, 2);
    assert_int_equal(choose(MODELS, NULL, "photo", &found, NULL), SWIN2SR_OK);
    assert_string_equal(found.name, "photo");
    assert_int_equal(choose(MODELS, "new", NULL, &found, NULL), SWIN2SR_OK);
    assert_int_equal(found.scale, 0);
}

static void refuses_networks(void **state) {
    remote_network found = {.scale = 77};
    swin2sr_error error;
    assert_int_equal(choose(MODELS, "other", NULL, &found, &error), SWIN2SR_MODEL);
    assert_non_null(strstr(error.text, "fast, photo"));
    assert_int_equal(choose(MODELS, NULL, "jpeg", &found, &error), SWIN2SR_MODEL);
    assert_int_equal(choose(MODELS, "../x", NULL, &found, NULL), SWIN2SR_MODEL);
    assert_int_equal(choose(MODELS, "huge", NULL, &found, NULL), SWIN2SR_IO);
    assert_int_equal(choose("<html>", NULL, NULL, &found, NULL), SWIN2SR_IO);
    assert_int_equal(choose("{\"models\":7}", NULL, NULL, &found, NULL), SWIN2SR_IO);
    assert_int_equal(found.scale, 77);
}

/* ---- retries ---- */

static void pauses_grow_to_a_limit(void **state) {
    retry_state self;
    uint64_t pause_us, before_us = 0;
    retry_progress(&self, 5 * SECOND);
    for (int i = 0; i < 20; i++) {
        assert_true(retry_pause(&self, 5 * SECOND, 600 * SECOND, 0, 0, &pause_us));
        assert_true(pause_us >= before_us && pause_us <= 15 * SECOND);
        before_us = pause_us;
    }
    assert_int_equal(before_us, 15 * SECOND);
    assert_true(retry_pause(&self, 5 * SECOND, 600 * SECOND, 0, 255, &pause_us));
    assert_int_equal(pause_us, 15 * SECOND / 2);
    retry_progress(&self, 6 * SECOND);
    assert_true(retry_pause(&self, 6 * SECOND, 600 * SECOND, 0, 0, &pause_us));
    assert_int_equal(pause_us, SECOND / 4);
}

static void retry_after_is_kept(void **state) {
    retry_state self;
    uint64_t pause_us;
    retry_progress(&self, 0);
    assert_true(retry_pause(&self, 0, 600 * SECOND, 40, 255, &pause_us));
    assert_int_equal(pause_us, 40 * SECOND);
    assert_false(retry_pause(&self, 0, 600 * SECOND, 601, 0, &pause_us));
}

static void gives_up_in_time(void **state) {
    retry_state self;
    uint64_t pause_us;
    retry_progress(&self, 0);
    self.failures = 20;
    assert_true(retry_pause(&self, 9 * SECOND, 10 * SECOND, 0, 0, &pause_us));
    assert_int_equal(pause_us, SECOND); /* the last attempt is at the end of the time */
    assert_false(retry_pause(&self, 10 * SECOND, 10 * SECOND, 0, 0, &pause_us));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_addresses),
        cmocka_unit_test(refuses_addresses),
        cmocka_unit_test(takes_ids_and_nothing_else),
        cmocka_unit_test(escapes_queries),
        cmocka_unit_test(reads_header_fields),
        cmocka_unit_test(ignores_fields_that_are_too_long),
        cmocka_unit_test(bounds_the_text),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(tells_what_passes_from_what_does_not),
        cmocka_unit_test(shows_the_detail_of_a_problem),
        cmocka_unit_test(reads_jobs),
        cmocka_unit_test(bounds_what_a_job_says),
        cmocka_unit_test(chooses_networks),
        cmocka_unit_test(refuses_networks),
        cmocka_unit_test(pauses_grow_to_a_limit),
        cmocka_unit_test(retry_after_is_kept),
        cmocka_unit_test(gives_up_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
