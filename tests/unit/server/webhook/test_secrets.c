/* SPDX-License-Identifier: Apache-2.0
 * tests/unit/server/webhook/test_secrets.c - files of secrets, and the example of Standard Webhooks. */
#include "webhook/webhook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"

static void the_example(void **state) {
    webhook_secrets secrets;
    char text[WEBHOOK_SIGNATURES_BYTES];
    assert_int_equal(webhook_parse_secrets(SECRET, &secrets, NULL), SWIN2SR_OK);
    assert_int_equal(secrets.count, 1);
    webhook_sign(&secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}", text);
    assert_string_equal(text, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void several_secrets(void **state) {
    webhook_secrets secrets;
    char text[WEBHOOK_SIGNATURES_BYTES];
    assert_int_equal(webhook_parse_secrets("# new\n" OTHER " \r\n\n" SECRET "\n" OTHER "\n" SECRET, &secrets, NULL),
                     SWIN2SR_OK);
    assert_int_equal(secrets.count, LIMIT_WEBHOOK_SECRETS);
    webhook_sign(&secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}", text);
    assert_int_equal(strlen(text), LIMIT_WEBHOOK_SECRETS * 48 - 1);
    assert_non_null(strstr(text, " v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,"));
}

/* The detail has the line, and nothing of what may be a secret. */
static void what_is_refused(void **state) {
    static const struct {
        const char *text, *detail;
    } rows[] = {
        {"", "has no line"},
        {"# whsec_\n\n", "has no line"},
        {SECRET "\nMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "line 2"},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "line 1"},
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==", "line 1"}, /* 22 bytes */
        {SECRET "\n" SECRET "\n" SECRET "\n" SECRET "\n" SECRET, "line 5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        webhook_secrets secrets = {.count = 77};
        swin2sr_error error = {""};
        assert_int_equal(webhook_parse_secrets(rows[i].text, &secrets, &error), SWIN2SR_INVALID);
        assert_non_null(strstr(error.text, rows[i].detail));
        assert_null(strstr(error.text, "MfKQ"));
        assert_int_equal(secrets.count, 77);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example),
        cmocka_unit_test(several_secrets),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
